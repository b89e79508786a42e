"""Cost against quality: the Pareto front, its table, its figure, the page."""

from __future__ import annotations

import re
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from augbench.leaderboard import Results, compare, render_site
from augbench.leaderboard.pareto import cost_table, pareto_front
from augbench.leaderboard.plots_cost import cost_figure

#: method: seconds, gain in points
PRICES = {"none": (0, 0), "cheap": (0.01, 1), "slow": (2, 1), "worse": (0.02, -3), "best": (40, 2), "free": (0, 0)}


def priced(prices=PRICES, noise=0.001):
    """A run in which every method has the same cost and gain everywhere, but for a little noise."""
    rng = np.random.default_rng(0)
    rows = [
        (method, f"data {d}", draw, seconds, 0.6 + gain / 100 + (noise * rng.normal() if gain else 0))
        for method, (seconds, gain) in prices.items()
        for d in range(5)
        for draw in range(2)
    ]
    return pd.DataFrame(rows, columns=["method", "dataset", "draw", "seconds", "macro_f1"]).astype({"seconds": float})


def test_the_front_is_what_nobody_beats():
    rng = np.random.default_rng(1)
    for _ in range(100):
        cost, gain = rng.integers(0, 5, (2, rng.integers(1, 12)))
        beaten = [
            any(c <= cost[i] and g >= gain[i] and (c, g) != (cost[i], gain[i]) for c, g in zip(cost, gain, strict=True))
            for i in range(len(cost))
        ]
        assert pareto_front(cost, gain).tolist() == [not one for one in beaten]
    assert pareto_front([1, np.nan, 2], [np.nan, 5, 1]).tolist() == [False, False, True]
    assert pareto_front([], []).tolist() == []
    with pytest.raises(ValueError, match="same length"):
        pareto_front([1], [1, 2])


def test_the_table_is_sorted_by_cost_and_names_who_beats_whom():
    table = cost_table(compare(priced())).set_index("method")
    assert list(table.index) == ["free", "none", "cheap", "worse", "slow", "best"]
    assert table["on_front"].to_dict() == {
        **dict.fromkeys(["free", "none", "cheap", "best"], True),
        **dict.fromkeys(["worse"], False),
        "slow": bool(table.at["slow", "delta"] > table.at["cheap", "delta"]),
    }
    assert table.at["worse", "beaten_by"] == "cheap"
    assert (table.loc[table["on_front"], "beaten_by"] == "").all()


def test_float_noise_beats_nobody():
    scores = priced({"none": (0, 0), "a": (1, 1), "b": (1, 1)}, noise=0)
    scores.loc[scores["method"] == "b", "seconds"] += 1e-9
    scores.loc[scores["method"] == "b", "macro_f1"] -= 1e-12
    assert cost_table(compare(scores)).set_index("method")["on_front"].to_dict() == dict.fromkeys("ab", True) | {
        "none": True
    }


def test_less_is_better_for_losses():
    scores = priced().rename(columns={"macro_f1": "log_loss"})
    table = cost_table(compare(scores, metric="log_loss")).set_index("method")
    assert table.loc[["none", "free", "worse"], "on_front"].all()
    assert table.at["best", "beaten_by"] == "worse"


def test_only_methods_with_all_data_sets_are_compared():
    scores = priced()
    lacking = (scores["method"] == "best") & (scores["dataset"] == "data 0")
    scores = scores.assign(status=np.where(lacking, "not run", "ok"))
    assert "best" not in set(cost_table(compare(scores))["method"])
    page = render_site(scores)["cost.html"]
    assert "for want of a time or of a score on every data set: best." in page


def test_the_page_has_the_front_as_figure_and_table():
    page = render_site(priced())["cost.html"]
    rows = re.findall(r"<tr class.*?</tr>", page, flags=re.S)
    marked = {re.search(r'">([^<]+)</a>', row)[1] for row in rows if "on the front" in row}
    table = cost_table(compare(priced()))
    assert marked == set(table.loc[table["on_front"], "method"])
    assert "beaten by cheap" in page
    (figure,) = re.findall(r"<svg role=.*?</svg>", page, flags=re.S)
    for name in PRICES:
        assert f">{name}<" in figure
    assert "var(--up)" in figure


def test_a_page_without_times_says_so():
    page = render_site(priced().drop(columns="seconds"))["cost.html"]
    assert "costs cannot be\n  compared" in page
    assert "<svg role" not in page


def test_names_cover_neither_points_nor_each_other(synthetic):
    rng = np.random.default_rng(3)
    prices = {"none": (0, 0)} | {f"a-long-name-{i}": (10 ** rng.uniform(-2, 1), rng.normal()) for i in range(25)}
    figure = cost_figure(compare(priced(prices)))
    figure.draw_without_rendering()
    (axes,) = figure.axes
    boxes = [text.get_window_extent() for text in axes.texts]
    assert len(boxes) >= 12
    assert not any(a.overlaps(b) for a, b in combinations(boxes, 2))
    for collection in axes.collections[1:]:
        for point in axes.transData.transform(collection.get_offsets()):
            assert not any(box.contains(*point) for box in boxes)
    inside = axes.get_window_extent().padded(1)
    assert all(inside.x0 <= box.x0 and box.x1 <= inside.x1 for box in boxes)


def test_a_wild_interval_does_not_squeeze_the_rest(synthetic):
    results = synthetic.results(n_datasets=3, n_draws=2, failures=False)
    calm = cost_figure(compare(results)).axes[0].get_ylim()
    scores = results.scores.copy()
    wild = (scores["method"] == "adasyn") & (scores["dataset"] == "card")
    scores.loc[wild, "macro_f1"] -= 0.08
    scores.loc[(scores["method"] == "adasyn") & ~wild, "macro_f1"] += 0.035
    wide = cost_figure(compare(Results.from_frame(scores))).axes[0].get_ylim()
    interval = compare(Results.from_frame(scores)).table.set_index("method").loc["adasyn"]
    assert interval["high"] - interval["low"] > 20
    assert np.ptp(wide) < 3 * np.ptp(calm)


def test_no_line_goes_through_a_name(synthetic):
    figure = cost_figure(compare(synthetic.results(n_draws=2)))
    names = [one for one in figure.axes[0].texts if one.get_text()]
    assert names
    assert all(one.get_bbox_patch() is not None and one.get_bbox_patch().get_alpha() > 0.5 for one in names)
    assert "var(--card)" in render_site(priced())["cost.html"]
