"""The rule by which a published figure counts as reproduced, on numbers whose verdict is known."""

import numpy as np
import pytest
from augbench.reproduction.verdict import (
    NOT_COMPARABLE,
    NOT_REPRODUCED,
    NOT_RUN,
    REPRODUCED,
    UNDECIDED,
    Ours,
    judge_expectation,
    judge_gain,
    judge_level,
    one_run,
)

BASELINE = Ours(80.0, 79, 81, 76.0, 84.0, 10)


def gain(mean, half=0.5, run=3.0, n=10):
    return Ours(mean, mean - half, mean + half, mean - run, mean + run, n)


@pytest.mark.parametrize(
    ("published", "level", "ours", "word"),
    [
        (2.0, 80.0, gain(1.5), REPRODUCED),
        (-2.0, 80.0, gain(-1.5), REPRODUCED),
        (2.0, 80.0, gain(0.4), NOT_REPRODUCED),  # the interval holds 0, and ends before 2
        (2.0, 80.0, gain(0.4, half=2.0), UNDECIDED),  # it holds both
        (-0.7, 80.0, gain(-1.1, half=2.3), UNDECIDED),
        (-0.7, 80.0, gain(1.9, half=2.3), NOT_REPRODUCED),  # it holds 0, not the published loss
        (-2.0, 80.0, gain(0.4), NOT_REPRODUCED),
        (0.6, 80.0, gain(-0.1), NOT_REPRODUCED),  # ends before .5
        (2.0, 80.0, gain(-1.5), NOT_REPRODUCED),  # the other way round
        (2.0, 80.0, gain(6.0), NOT_REPRODUCED),  # of another size
        (0.2, 80.0, gain(-0.1, half=0.3), REPRODUCED),  # no difference, and none
        (0.2, 80.0, gain(0.3), UNDECIDED),  # up to .8
        (-0.2, 80.0, gain(0.3), UNDECIDED),
        (0.2, 80.0, gain(1.2), NOT_REPRODUCED),
        (0.2, 80.0, gain(-1.2), NOT_REPRODUCED),
        (2.0, 98.5, gain(1.5), NOT_COMPARABLE),  # the published baseline is out of reach
        (2.0, 60.0, gain(1.5), NOT_COMPARABLE),
        (2.0, 80.0, gain(1.5, n=2), NOT_RUN),
        (2.0, 80.0, Ours(np.nan, np.nan, np.nan), NOT_RUN),
        (2.0, 80.0, Ours(1.0, np.nan, np.nan, 1.0, 1.0, 10), NOT_COMPARABLE),
    ],
)
def test_gains(published, level, ours, word):
    assert judge_gain(published, level, ours, BASELINE).word == word


def test_reasons_name_what_decided():
    assert "other way round" in judge_gain(2.0, 80.0, gain(-1.5), BASELINE).why
    assert "another size" in judge_gain(2.0, 80.0, gain(6.0), BASELINE).why
    assert judge_gain(2.0, 98.5, gain(1.5), BASELINE).why.startswith("the published baseline, 98.5, lies above")
    assert "no loss is shown, and one of that size" in judge_gain(-2.0, 80.0, gain(0.1), BASELINE).why
    assert "no gain is shown, nor" in judge_gain(2.0, 80.0, gain(0.4, half=2.0), BASELINE).why


def test_the_reason_of_an_expectation_names_the_bound_that_decided():
    assert judge_expectation("gain", gain(-0.3)).why == "a gain of 0.5 points is excluded"
    assert judge_expectation("no gain", gain(-0.2)).why == "a gain of 0.5 points is excluded"
    assert judge_expectation("loss", gain(-0.3)).why == "a loss of 0.5 points is neither shown nor excluded"
    assert judge_expectation("gain", gain(-1.5)).why == "a loss is shown"


@pytest.mark.parametrize(("published", "word"), [(76.5, REPRODUCED), (84.5, NOT_REPRODUCED), (75.0, NOT_REPRODUCED)])
def test_levels(published, word):
    assert judge_level(published, BASELINE).word == word


@pytest.mark.parametrize(
    ("expected", "ours", "word"),
    [
        ("gain", gain(1.0), REPRODUCED),
        ("gain", gain(0.3), UNDECIDED),
        ("gain", gain(-0.3), NOT_REPRODUCED),
        ("no gain", gain(-0.2), REPRODUCED),
        ("no gain", gain(0.1), UNDECIDED),  # a gain of .6 is not ruled out
        ("no gain", gain(0.7), NOT_REPRODUCED),
        ("loss", gain(-0.3), UNDECIDED),
        ("loss", gain(-1.0), REPRODUCED),
        ("loss", gain(1.0), NOT_REPRODUCED),
        ("loss", Ours(np.nan, np.nan, np.nan), NOT_RUN),
        ("loss", Ours(-1.0, np.nan, np.nan, n_draws=5), NOT_COMPARABLE),
    ],
)
def test_expectations(expected, ours, word):
    assert judge_expectation(expected, ours).word == word


def test_the_range_of_one_run_holds_19_of_20_new_draws():
    rng = np.random.default_rng(0)
    held = 0
    for _ in range(2000):
        *draws, new = rng.normal(70, 2, 6)
        low, high = one_run(draws)
        held += low <= new <= high
    assert 0.935 <= held / 2000 <= 0.965
