"""Few-shot curves: their numbers, over which data sets, which lines are drawn, the page."""

from __future__ import annotations

import re
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from augbench.leaderboard import Results, compare, render_site
from augbench.leaderboard.curves import MOST_LINES, curves_of, drawn_methods, parse_scenario
from augbench.leaderboard.plots_curves import gain_figure, score_figure, shortened, spread
from matplotlib.text import Text

EVIL = "<script>alert('x')</script>&\"_%$x_1$"


def few_shot(synthetic, shots=(5, 20), methods=None):
    """The made-up run at several numbers of shots: gains grow with the number."""
    whole = synthetic.results(n_datasets=3, n_draws=3)
    scores = whole.scores[whole.scores["scenario"] == "full"]
    scores = scores[scores["classifier"] == "logistic"]
    if methods:
        scores = scores[scores["method"].isin(methods)]
    parts = []
    for number in shots:
        part = scores.assign(scenario=f"few-shot:shots={number}")
        added = number / 1000 * (part["method"] != "none")
        parts.append(part.assign(macro_f1=(part["macro_f1"] - 0.1 + added).clip(0, 1)))
    return Results(pd.concat(parts), whole.methods, whole.datasets, whole.run)


@pytest.fixture(scope="module")
def results(synthetic):
    return few_shot(synthetic)


@pytest.fixture(scope="module")
def main(results):
    return compare(results)


@pytest.fixture(scope="module")
def page(results):
    return render_site(results)["shots.html"]


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("few-shot:shots=5,generate=50", ("few-shot", {"shots": "5", "generate": "50"})),
        ("full", ("full", {})),
        ("my own: a=b=c,", ("my own: a=b=c,", {})),
        ("a:b", ("a:b", {})),
    ],
)
def test_scenarios_are_read_by_their_names(name, read):
    assert parse_scenario(name) == read


def test_every_point_is_the_comparison_in_that_scenario(results, main):
    (curves,) = curves_of(results, main)
    assert (curves.axis, curves.labels, curves.positions) == ("shots", ("5", "20"), (5.0, 20.0))
    for label in curves.labels:
        own = compare(results, scenario=f"few-shot:shots={label}").table.set_index("method")
        points = curves.table[curves.table["label"] == label].set_index("method").loc[own.index]
        for column, expected in {"delta": "delta", "low": "low", "high": "high", "score": "macro_f1"}.items():
            values = own[expected].where(own["is_baseline"] & (column in ("low", "high")), own[expected])
            if column in ("low", "high"):
                values, found = values[~own["is_baseline"]], points.loc[~own["is_baseline"], column]
            else:
                found = points[column]
            np.testing.assert_allclose(found, values)
    smote = curves.table[curves.table["method"] == "smote"]["delta"].to_numpy()
    assert smote[1] - smote[0] == pytest.approx(1.5, abs=0.01)


def test_a_data_set_that_lacks_a_point_is_in_no_point(results, main):
    scores = results.scores
    lacking = (scores["dataset"] == "card") & (scores["scenario"] == "few-shot:shots=20")
    fewer = Results(scores[~lacking], results.methods, results.datasets, results.run)
    (curves,) = curves_of(fewer, compare(fewer))
    assert curves.datasets == ("breast_cancer", "diabetes")
    assert curves.left_out == ("card",)
    assert set(curves.table["n_datasets"]) == {2}
    assert "left out, since not every point could be made there: card" in render_site(fewer)["shots.html"]
    (whole,) = curves_of(results, main)
    assert whole.left_out == ()


def test_shots_amounts_and_words_are_axes_of_their_own():
    rows = [
        (method, dataset, scenario, draw, 0.5 + 0.1 * (method == "a"))
        for method in ("none", "a")
        for dataset in ("x", "y")
        for draw in range(3)
        for scenario in (
            *("full", "full:amount=2x", "full:amount=10x", "full:rows=synthetic"),
            *("few-shot:shots=5", "few-shot:shots=5,generate=100", "few-shot:shots=20,generate=100"),
            *("imbalance:count=20", "imbalance:count=100", "imbalance:keep=0.1"),
        )
    ]
    scores = pd.DataFrame(rows, columns=["method", "dataset", "scenario", "draw", "macro_f1"])
    results = Results.from_frame(scores)
    found = {(one.axis, one.fixed): one for one in curves_of(results, compare(results))}
    assert {key: one.labels for key, one in found.items()} == {
        ("shots", "100 generated rows of each class"): ("5", "20"),
        ("generate", "5 shots"): ("5", "100"),
        ("amount", "full"): ("2x", "10x", "balance"),
        ("count", "imbalance"): ("20", "100"),
    }
    amounts = found["amount", "full"]
    assert amounts.positions == (0.0, 1.0, 2.0)
    assert not amounts.is_numeric
    assert found["generate", "5 shots"].positions == (5.0, 100.0)
    assert "shots.html" in render_site(scores)


def test_no_page_without_a_curve(synthetic):
    files = render_site(synthetic.results(n_datasets=2, n_draws=2))
    assert "shots.html" not in files
    assert "shots.html" not in files["index.html"]


def test_references_and_best_methods_are_drawn_and_all_are_in_the_table(results, main, page):
    (curves,) = curves_of(results, main)
    drawn = drawn_methods(curves, main)
    assert drawn[:2] == ["none", "random-oversampling"]
    assert len(drawn) == MOST_LINES
    methods = [name for name in main.table["method"] if not main.table.set_index("method").at[name, "is_control"]]
    assert set(methods) <= set(drawn)
    panels = [axes.get_title(loc="left") for axes in gain_figure(curves, main).axes if axes.get_visible()]
    assert panels == [name for name in drawn if name != "none"]
    texts = {text.get_text() for text in score_figure(curves, main).axes[0].texts}
    assert texts == set(drawn)
    (table,) = re.findall(r"<table.*?</table>", page, flags=re.S)
    for row in curves.table.to_dict("records"):
        assert f'">{row["method"]}</a></th>' in table
    assert len(re.findall(r"<tr", table)) == 1 + len(main.table)


def test_bands_are_the_intervals(results, main):
    (curves,) = curves_of(results, main)
    axes = gain_figure(curves, main).axes[0]
    rows = curves.table[curves.table["method"] == "random-oversampling"]
    (band,) = axes.collections
    corners = band.get_paths()[0].vertices
    assert corners[:, 1].min() == pytest.approx(rows["low"].min())
    assert corners[:, 1].max() == pytest.approx(rows["high"].max())
    np.testing.assert_allclose(axes.lines[1].get_ydata(), rows["delta"])


def test_names_at_the_ends_do_not_overlap(synthetic):
    # all lines end in the same point
    results = few_shot(synthetic, (5, 10))
    results.scores.loc[results.scores["scenario"] == "few-shot:shots=10", "macro_f1"] = 0.7
    main = compare(results)
    (curves,) = curves_of(results, main)
    figure = score_figure(curves, main, 6.0)
    figure.draw_without_rendering()
    # of the name alone, without the line that leads to it
    boxes = sorted((Text.get_window_extent(text) for text in figure.axes[0].texts), key=lambda box: box.y0)
    assert len(boxes) == MOST_LINES
    for lower, upper in pairwise(boxes):
        assert upper.y0 >= lower.y0 + 0.8 * lower.height
    assert boxes[-1].y1 <= figure.bbox.y1
    assert boxes[0].y0 >= figure.bbox.y0


def test_spread_keeps_order_distance_and_bounds():
    rng = np.random.default_rng(0)
    for _ in range(200):
        values = sorted(rng.uniform(0, 10, rng.integers(1, 9)).tolist())
        places = spread(values, 1.0, 0.0, 10.0)
        assert len(places) == len(values)
        assert all(b - a >= 1 - 1e-9 for a, b in pairwise(places))
        assert min(places) >= -1e-9
        assert max(places) <= 10 + 1e-9
    assert spread([0.0, 5.0], 1.0) == [0.0, 5.0]
    assert shortened("x" * 30).count("…") == 1
    assert len(shortened("x" * 30)) == 24


def test_nothing_is_taken_for_markup(synthetic):
    results = few_shot(synthetic, methods=["none", "random-oversampling", "smote"])
    evil = Results.from_frame(results.scores.replace({"method": {"smote": EVIL}, "dataset": {"card": EVIL}}))
    page = render_site(evil)["shots.html"]
    assert "<script>" not in page
    assert "&lt;script&gt;alert" in page


def test_a_wild_interval_does_not_flatten_the_gains(synthetic):
    rng = np.random.default_rng(0)
    rows = [
        (method, dataset, f"few-shot:shots={shots}", draw, 0.5 + sign * gain * (shots == 2) + 0.001 * rng.normal())
        for dataset, sign in (("x", 1.0), ("y", 0.2))
        for shots in (2, 5, 20)
        for draw in range(3)
        for method, gain in (("none", 0.0), ("smote", 0.1))
    ]
    scores = pd.DataFrame(rows, columns=["method", "dataset", "scenario", "draw", "macro_f1"])
    main = compare(scores)
    (curves,) = curves_of(Results.from_frame(scores), main)
    assert curves.table["high"].max() > 50
    low, high = gain_figure(curves, main).axes[0].get_ylim()
    assert low < curves.table["delta"].min()
    assert curves.table["delta"].max() < high < 20
