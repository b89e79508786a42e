"""The averages of the scripts are those of `compare`, number by number, on any subset."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from augbench.leaderboard import compare, write_site
from augbench.leaderboard import format as text
from augbench.leaderboard.aggregate import draw_table
from augbench.leaderboard.figures import Scale, full_heat, heat
from augbench.leaderboard.results import Results
from augbench.leaderboard.statistics import t_interval

SHOWN = ["macro_f1", "weighted_f1", "recall_minority", "recall_majority"]
SETS = ["breast_cancer", "card", "diabetes", "digits", "glass", "iris", "simulated-logistic", "wine"]
SUBSETS = [
    {},
    {"classifier": "logistic"},
    {"scenario": "full"},
    {"scenario": "few-shot-20", "classifier": "random-forest"},
    {"datasets": ["digits", "glass", "iris"]},
    {"datasets": ["wine"]},
    {"datasets": ["card", "wine"], "classifier": "logistic", "scenario": "full"},
    {"metric": "weighted_f1"},
    {"metric": "auroc", "datasets": SETS[:5]},
    {"metric": "regret_macro_f1"},
    {"metric": "brier", "classifier": "logistic"},
]


@pytest.fixture(scope="module")
def hostile(results):
    """The run with what makes averages hard: cells that lack draws or rows, baselines without scores, equal draws."""
    scores = results.scores.copy()
    scores["brier"] = (1 - scores["macro_f1"]).round(2)
    where = {name: scores[name] for name in ("method", "dataset", "scenario", "classifier", "draw")}

    def put(rows, status):
        scores.loc[rows, "status"] = status
        scores.loc[rows, [*SHOWN, "macro_f1_tuned", "auroc", "brier"]] = np.nan

    put((where["method"] == "smote") & (where["dataset"] == "card") & (where["draw"] == 1), "not applicable")
    put((where["method"] == "jitter") & (where["dataset"] == "card") & (where["draw"] == 2), "not applicable")
    put((where["method"] == "none") & (where["dataset"] == "digits") & (where["draw"] == 0), "failed")
    no_auroc = (where["classifier"] == "logistic") & (where["method"] == "none") & (where["dataset"] == "card")
    scores.loc[no_auroc, "auroc"] = np.nan
    copies = scores[where["method"] == "none"].set_index(["dataset", "scenario", "classifier", "draw"])[SHOWN]
    same = scores.index[where["method"] == "prior-shift"]
    scores.loc[same, SHOWN] = copies.loc[
        pd.MultiIndex.from_frame(scores.loc[same, copies.index.names]), SHOWN
    ].to_numpy()
    gone = (where["method"] == "uniform-noise") & (where["classifier"] != "logistic")
    return Results(scores[~gone], results.methods, results.datasets, results.run)


@pytest.fixture(scope="module")
def opened(browser, hostile, tmp_path_factory):
    page = browser.new_page()
    page.goto(write_site(hostile, tmp_path_factory.mktemp("hostile") / "site").resolve().as_uri())
    yield page
    page.close()


def number(value):
    return np.nan if value is None else value


@pytest.mark.parametrize("subset", SUBSETS, ids=str)
def test_every_number_of_a_subset_is_that_of_python(opened, hostile, subset):
    found = opened.evaluate("subset => augbench.compare(subset)", {**subset, "shown": SHOWN})
    expected = compare(hostile, **subset)
    table = expected.table
    assert [row["method"] for row in found["rows"]] == table["method"].tolist()
    assert found["datasets"] == list(expected.datasets)
    single = expected.n_datasets == 1
    for row, wanted in zip(found["rows"], table.to_dict("records"), strict=True):
        for name in ("delta", "low", "high", "mean_rank", "delta_tuned", *SHOWN):
            if name == expected.metric:
                continue
            # over a single data set Python has the draws, which the page does not carry
            value = np.nan if single and name in ("low", "high") else wanted[name]
            assert number(row[name]) == pytest.approx(value, abs=2e-6, nan_ok=True), (wanted["method"], name)
        assert number(row["score"]) == pytest.approx(wanted[expected.metric], abs=2e-6, nan_ok=True)
        for name in ("wins", "ties", "losses", "n_failed"):
            assert row[name] == wanted[name], (wanted["method"], name)
        deltas = expected.deltas.loc[wanted["method"]].to_numpy()
        assert [number(one) for one in row["deltas"]] == pytest.approx(list(deltas), abs=2e-6, nan_ok=True)
        assert row["states"] == expected.states.loc[wanted["method"]].tolist()


@pytest.mark.parametrize("other", ["none", "random-oversampling", "smote", "adasyn"])
@pytest.mark.parametrize("scenario", [None, "full"])
def test_any_pair_has_the_paired_differences_and_the_interval_of_python(opened, hostile, scenario, other):
    scores = hostile.scores
    draws = draw_table(scores[scores["scenario"] == scenario] if scenario else scores, "macro_f1", "none")
    expected = 100 * draws.differences(other)
    for method in ("jitter", "class-weight", "vae"):
        found = opened.evaluate(
            "([scenario, a, b]) => augbench.pair({ metric: 'macro_f1', scenario }, a, b)", [scenario, method, other]
        )
        values = expected[method]
        assert [number(one["delta"]) for one in found["sets"]] == pytest.approx(list(values), abs=2e-6, nan_ok=True)
        assert (found["low"], found["high"]) == pytest.approx(t_interval(values.dropna()), abs=2e-6)
        rounded = (values.dropna() / 100).round(6)
        assert [found["wins"], found["ties"], found["losses"]] == [
            int(one.sum()) for one in (rounded > 0, rounded == 0, rounded < 0)
        ]


def test_numbers_are_written_as_python_writes_them(opened):
    values = [
        7.25,
        7.75,
        0.125,
        0.375,
        -2.675,
        0.615,
        1.005,
        8.345,
        -0.004,
        0.0,
        -0.05,
        0.05,
        0.15,
        1234.5,
        1e-9,
        99.995,
    ]
    values += [float(one) for one in np.random.default_rng(5).normal(0, 3, 200)]
    for decimals in (1, 2):
        found = opened.evaluate(
            "([values, n]) => values.map((one) => [augbench.plain(one, n), augbench.signed(one, n)])",
            [values, decimals],
        )
        wanted = [[text.plain_number(one, decimals), text.signed(one, decimals)] for one in values]
        assert found == wanted
    assert opened.evaluate("[augbench.plain(null), augbench.signed(null)]") == [text.NOTHING] * 2


def test_bars_and_heat_are_drawn_as_python_draws_them(opened):
    rng = np.random.default_rng(3)
    for size in (1, 2, 9, 40):
        values = [float(one) for one in rng.normal(0, 4, size)]
        scale = Scale.over(values)
        low, high, places = opened.evaluate(
            "values => { const on = augbench.scale(values); return [on.low, on.high, values.map(on.x)]; }", values
        )
        assert (low, high) == pytest.approx((scale.low, scale.high))
        assert places == pytest.approx([scale.x(one) for one in values], abs=0.051)
        full = full_heat(values)
        assert opened.evaluate("values => augbench.fullHeat(values)", values) == pytest.approx(full)
        found = opened.evaluate(
            "([values, full]) => values.map((one) => augbench.heat(one, full, false))", [values, full]
        )
        for (side, strength), value in zip(found, values, strict=True):
            assert (side, pytest.approx(strength, abs=1e-3)) == heat(value, full, higher_is_better=False)
