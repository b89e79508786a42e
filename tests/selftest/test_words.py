"""The group `words` of the self-test: what is planted, what counts as wrong, and that too many wrong words are seen."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from augbench.leaderboard.power import Spread
from augbench.leaderboard.verdict import VERDICTS
from augbench.selftest import words
from augbench.selftest.claim import Finding, Table
from augbench.selftest.groups import Group
from augbench.selftest.page import write_page
from augbench.selftest.workbench import Workbench


@pytest.mark.parametrize("skewed", [False, True])
def test_the_truth_that_is_planted_is_the_mean_difference(skewed):
    design = words.Design("many", 4000, 2, between=1.5, control=1.0, skewed=skewed)
    found = words.made_up(design, design.truths, np.random.default_rng(0)).scores
    means = 100 * found.groupby("method")["macro_f1"].mean()
    for truth in design.truths:
        assert means[words._name(truth)] - means["none"] == pytest.approx(truth, abs=0.12)
    assert means["random-oversampling"] - means["none"] == pytest.approx(1.0, abs=0.12)
    # and it varies as the design says, for the method in the table and for `bench power`
    table = 100 * found.pivot(index=["dataset", "draw"], columns="method", values="macro_f1")
    difference = table[words._name(3.0)] - table["none"]
    by_set = difference.groupby("dataset")
    assert np.sqrt(by_set.var().mean()) == pytest.approx(design.spread.draw, rel=0.05)
    assert by_set.mean().std() == pytest.approx(design.spread.of_mean(2), rel=0.05)
    assert design.spread == Spread("", 1.5, pytest.approx(np.sqrt(2) * words.DRAW), 4000)


@pytest.mark.parametrize(
    ("word", "wrong"),
    [
        ("harms", {0.0, 0.3, 0.5, 1.0, 3.0}),
        ("helps", {-3.0, -1.0, -0.3, 0.0, 0.3, 0.5, 1.0}),
        ("as a control does", {-3.0, -1.0, -0.3, 0.0}),
        ("better", {-3.0, -1.0, -0.3, 0.0}),
        ("equivalent", {-3.0, -1.0, 0.5, 1.0, 3.0}),
        ("no difference shown", set()),
        ("too few data sets", set()),
    ],
)
def test_which_words_are_wrong_beside_a_control_that_gains_a_point(word, wrong):
    assert {truth for truth in words.TRUTHS if words.is_wrong(word, truth, 1.0)} == wrong


def test_without_a_gain_of_the_control_helps_is_right_of_every_gain():
    assert not words.is_wrong("helps", 0.3, 0.0)
    assert words.is_wrong("helps", 0.0, 0.0)
    assert not words.is_wrong("better", 1.0, None)


def counts(design, **wrong):
    """Counts of 80 leaderboards without a wrong word, but for so many at a true difference."""
    found = {truth: Counter({"no difference shown": 80}) for truth in design.truths}
    for word, (truth, number) in wrong.items():
        found[truth] = Counter({"no difference shown": 80 - number, word: number})
    return found


@pytest.mark.parametrize(
    ("word", "truth", "claim"),
    [
        ("harms", 0.0, "'harms' is said"),
        ("harms", 0.3, "'harms' is said"),
        ("better", 0.0, "that does no better"),
        ("helps", -0.3, "that does no better"),
        ("helps", 1.0, "no more than the control"),
        ("equivalent", 0.5, "'equivalent' of one"),
        ("equivalent", -1.0, "'equivalent' of one"),
    ],
)
def test_a_word_that_is_wrong_too_often_is_found_wherever_it_is(word, truth, claim):
    design = words.DESIGNS[1]
    assert all(one.passed for one in words.findings(design, counts(design), 80))
    assert all(one.passed for one in words.findings(design, counts(design, **{word: (truth, 4)}), 80))
    found = list(words.findings(design, counts(design, **{word: (truth, 8)}), 80))
    assert any(claim in one.claim and not one.passed for one in found)
    assert all(f"{abs(truth):.1f})" in one.claim for one in found if not one.passed)


def test_words_that_are_right_are_no_claim():
    design = words.DESIGNS[1]
    right = counts(design, harms=(-1.0, 80), equivalent=(0.3, 80), helps=(3.0, 80))
    assert all(one.found.startswith("0 of 80") for one in words.findings(design, right, 80))


def test_a_test_that_finds_too_much_or_too_little_is_not_as_reckoned():
    design = next(one for one in words.DESIGNS if one.control is None)
    shares = {
        number: words._as_reckoned(design, counts(design, better=(1.0, number)), 80).passed for number in (5, 33, 70)
    }
    assert shares == {5: False, 33: True, 70: False}


def test_the_group_goes_through_the_leaderboard_and_the_page_shows_its_tables(tmp_path, monkeypatch):
    monkeypatch.setattr(Workbench, "often", lambda self, usual, full: 2)
    said = []
    found = list(words.check(Workbench(tmp_path, say=said.append)))
    findings = tuple(one for one in found if isinstance(one, Finding))
    tables = tuple(one for one in found if isinstance(one, Table))
    designs = (*words.DESIGNS, words.SKEWED)
    assert [one.title.partition(":")[0] for one in tables] == [one.name for one in designs]
    assert len(said) == len(designs)
    # beside three for each design: one of the control, three of words that are right, one of power
    assert len(findings) == 3 * len(words.DESIGNS) + 5
    for design, table in zip(designs, tables, strict=True):
        assert set(table.head[1:]) <= set(VERDICTS)
        assert len(table.rows) == len(design.truths)
        # every method has a word on every leaderboard
        assert all(sum(int(cell.rstrip(" %")) for cell in row[1:]) == 100 for row in table.rows)
    group = Group("words", "Words", findings, 1.0, tables)
    text = write_page([group, replace(group, name="none", tables=())], tmp_path / "site", full=False).read_text()
    assert text.count("<h3>") == len(tables)
    assert text.count('class="mark"') == sum(len(one.marked) for one in tables) > 0
    rows = re.findall(r"<tr><th scope=\"row\">−3\.0</th>", text)
    assert len(rows) == sum(-3.0 in one.truths for one in designs)


def test_the_same_seed_gives_the_same_words():
    design = words.DESIGNS[2]
    assert words.count_words(design, 3, seed=5) == words.count_words(design, 3, seed=5)
