"""The word that each method gets: "equivalent" beside the others, and which word comes first."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from augbench.leaderboard import Results, compare
from augbench.leaderboard.export import to_latex
from augbench.leaderboard.posterior import ROPE
from augbench.leaderboard.site import render_site
from augbench.leaderboard.terminal import _STYLES, plain
from augbench.leaderboard.verdict import VERDICTS, verdict


def row(**facts):
    """A row of the table: a method on 14 data sets of which nothing is shown, but for what is said here."""
    usual = {"is_baseline": False, "is_control": False, "state": "complete", "untested": "", "n_failed": 0}
    numbers = {"n_datasets": 14, "low": -2.0, "high": 2.0, "gain_baseline": 0.001, "p_baseline_holm": 0.5}
    return pd.Series(usual | numbers | facts)


def differences(*methods, draws=1, **columns):
    """Scores of the baseline and of methods m0, m1, … by their differences, in points, on each data set."""
    rows = [
        (name, f"d{i:02}", draw, 0.6 + 0.01 * draw + value / 100, 300, 100)
        for name, values in {"none": [0.0] * len(methods[0]), **{f"m{i}": one for i, one in enumerate(methods)}}.items()
        for i, value in enumerate(values)
        for draw in range(draws)
    ]
    return pd.DataFrame(rows, columns=["method", "dataset", "draw", "macro_f1", "n_train", "n_test"]).assign(**columns)


def words(scores):
    """The verdict on each method."""
    return compare(scores).table.set_index("method")["verdict"].drop("none").to_dict()


@pytest.mark.parametrize(
    ("low", "high", "word"),
    [
        (-0.49, 0.49, "equivalent"),
        (-ROPE, 0.4, "no difference shown"),
        (-0.4, ROPE, "no difference shown"),
        (-0.51, 0.3, "no difference shown"),
        (0.0, 0.0, "equivalent"),
        (np.nan, np.nan, "no difference shown"),
    ],
)
def test_equivalent_is_an_interval_wholly_within_half_a_point(low, high, word):
    assert verdict(row(low=low, high=high), True, [], 3) == word


@pytest.mark.parametrize(
    ("facts", "word"),
    [
        ({"is_baseline": True}, "baseline"),
        ({"state": "incomplete"}, "incomplete"),
        ({"state": "failed"}, "failed"),
        ({"state": "not applicable"}, "not applicable"),
        ({"untested": "too few draws"}, "too few draws"),
        # significant, and too small to matter
        ({"p_baseline_holm": 0.001}, "equivalent"),
        ({"p_baseline_holm": 0.001, "gain_baseline": -0.001}, "equivalent"),
        ({"is_control": True, "p_baseline_holm": 0.001}, "equivalent"),
        # an interval needs no significance that so few data sets could not reach
        ({"n_datasets": 3}, "equivalent"),
        # two agree by luck
        ({"n_datasets": 2}, "too few data sets"),
        # a tie by decree is no evidence
        ({"n_failed": 1}, "no difference shown"),
    ],
)
def test_what_comes_before_equivalent_and_what_after(facts, word):
    assert verdict(row(low=-0.2, high=0.2, **facts), True, [1.0], 3) == word
    assert verdict(row(low=-0.2, high=0.2, **facts), False, [], 3) in (
        "baseline", "incomplete", "failed", "not applicable", "exploratory",
    )  # fmt: skip


def test_every_word_is_in_the_rule():
    narrow = {"low": -0.2, "high": 0.2}
    shown = {"p_baseline_holm": 0.01, "low": 1.0, "high": 3.0, "gain_baseline": 0.02}
    found = {
        verdict(row(**facts), confirmatory, controls, 3)
        for facts, confirmatory, controls in [
            ({"is_baseline": True}, True, []), ({"state": "incomplete"}, True, []), ({"state": "failed"}, True, []),
            ({"state": "not applicable"}, True, []), ({}, False, []), ({"untested": "too few draws"}, True, []),
            ({"untested": "too few distinct draws"}, True, []), (narrow, True, []), (shown, True, [0.1]),
            (shown | {"low": -3.0, "high": -1.0, "gain_baseline": -0.02}, True, []), (shown, True, [-0.1]),
            (shown, True, []), ({"n_datasets": 3}, True, []), ({}, True, []),
        ]
    }  # fmt: skip
    assert found == set(VERDICTS)
    assert set(_STYLES) <= set(VERDICTS)


def test_copies_of_the_baseline_are_equivalent_where_a_test_was_possible():
    same = [0.0, 0.0, 0.0]
    assert words(differences(same)) == {"m0": "equivalent"}
    assert words(differences([0.0], draws=3)) == {"m0": "equivalent"}
    # one data set: two draws, or none that differ, test nothing
    assert words(differences([0.0], draws=2)) == {"m0": "too few draws"}
    assert words(differences([0.3], draws=5)) == {"m0": "too few distinct draws"}
    assert words(differences([0.0, 0.0])) == {"m0": "too few data sets"}
    # applies to one of two data sets: nothing was tested
    part = differences([0.0, 0.0], status="ok")
    gone = (part["method"] == "m0") & (part["dataset"] == "d01")
    assert words(part.assign(status=np.where(gone, "not applicable", "ok"))) == {"m0": "too few data sets"}


def test_a_significant_difference_too_small_to_matter_is_equivalent_and_a_larger_one_is_not():
    rng = np.random.default_rng(0)
    small, large = ([mean + one for one in rng.normal(0, 0.05, 14)] for mean in (0.2, 0.7))
    scores = differences(small, [-one for one in small], large, [-one for one in large])
    table = compare(scores).table.set_index("method")
    assert (table["p_baseline_holm"].drop("none") < 0.05).all()
    assert words(scores) == {"m0": "equivalent", "m1": "equivalent", "m2": "better", "m3": "harms"}


def test_a_method_that_fails_is_not_called_equivalent_for_it():
    scores = differences([0.1] * 7 + [-0.1] * 7, draws=2, status="ok", error="")
    assert words(scores) == {"m0": "equivalent"}
    scores.loc[(scores["method"] == "m0") & (scores["draw"] == 1) & (scores["dataset"] == "d00"), "status"] = "failed"
    assert words(scores) == {"m0": "no difference shown"}


def test_the_word_stands_on_page_terminal_latex_and_in_the_answer():
    scores = differences([0.1] * 7 + [-0.1] * 7, [3.0, 1.0] * 7)
    found = compare(scores)
    assert "equivalent" in plain(found)
    assert "& equivalent" in to_latex(found)
    pages = render_site(Results.from_frame(scores))
    assert 'class="verdict v-equivalent"' in pages["index.html"]
    assert '<dt class="verdict">equivalent</dt><dd>the 95 % interval' in pages["index.html"]
    assert found.finding.endswith("1 is equivalent to the baseline, within ±0.5 points.")
    one = differences([0.0], [3.0], draws=6)
    one.loc[one["method"] == "m1", "macro_f1"] += np.linspace(0, 0.01, 6)
    assert "Equivalent to none (95 % interval within ±0.5 points): m0" in compare(one).answer.lines
    all_same = compare(one[one["method"] != "m1"]).answer
    assert "Every interval lies within ±0.5 points of none: all do the same" in all_same.lines
    assert not any(line.startswith("Equivalent") for line in all_same.lines)
