import itertools

import numpy as np
import pytest
from augbench.bench.metrics import hard_metrics
from augbench.bench.threshold import decide, tune_offsets
from augbench.methods.adjusters import PriorShift
from hypothesis import given, settings
from hypothesis import strategies as st

seeds = st.integers(0, 2**32 - 1)


def macro_f1(y, labels, k):
    return hard_metrics(y, labels, np.ones(k))["macro_f1"]


def random_case(seed, k, ties):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 40))
    y = rng.choice(k, n, p=rng.dirichlet(np.ones(k)))
    scores = rng.normal(size=(n, k)) + 1.5 * np.eye(k)[y] + rng.normal(size=k)
    p = np.exp(scores.round(int(not ties)) if ties else scores)
    return y, p / p.sum(axis=1, keepdims=True), rng


@given(seeds, st.booleans())
@settings(max_examples=150, deadline=None)
def test_binary_search_is_exact(seed, ties):
    y, p, _ = random_case(seed, 2, ties)
    found = macro_f1(y, decide(p, tune_offsets(y, p)), 2)
    cuts = [-1.0, *np.unique(p[:, 1])]
    assert found == pytest.approx(max(macro_f1(y, (p[:, 1] > cut + 1e-9).astype(int), 2) for cut in cuts))


@given(seeds, st.integers(2, 4), st.booleans())
@settings(max_examples=150, deadline=None)
def test_a_prior_shift_changes_no_decision(seed, k, ties):
    y, p, rng = random_case(seed, k, ties)
    shifted = p * np.exp(rng.normal(scale=2, size=k))
    shifted /= shifted.sum(axis=1, keepdims=True)
    unseen = rng.dirichlet(np.ones(k), size=50)
    unseen_shifted = unseen * (shifted / p)[0]
    unseen_shifted /= unseen_shifted.sum(axis=1, keepdims=True)
    before, after = tune_offsets(y, p), tune_offsets(y, shifted)
    assert np.array_equal(decide(p, before), decide(shifted, after))
    assert np.array_equal(decide(unseen, before), decide(unseen_shifted, after))


def test_prior_shift_method_decides_the_same():
    y, p, _ = random_case(1, 2, False)
    q = PriorShift().adjust(p, y)
    assert np.array_equal(decide(p, tune_offsets(y, p)), decide(q, tune_offsets(y, q)))


def test_the_cut_lies_midway_in_log_odds():
    p1 = np.array([0.1, 0.2, 0.4])
    offsets = tune_offsets(np.array([0, 1, 1]), np.column_stack([1 - p1, p1]))
    assert offsets == pytest.approx([0, -(np.log(0.1 / 0.9) + np.log(0.2 / 0.8)) / 2])


def test_of_equally_good_cuts_the_middle_one_by_rank():
    p1 = np.array([0.1, 0.2, 0.3, 0.4])
    offsets = tune_offsets(np.zeros(4, dtype=int), np.column_stack([1 - p1, p1]))
    assert (decide(np.column_stack([1 - p1, p1]), offsets) == 0).all()


@pytest.mark.parametrize("value", [0.0, 0.5, 1.0])
def test_constant_and_certain_probabilities(value):
    y = np.array([0, 1, 1])
    p = np.tile([1 - value, value], (3, 1))
    offsets = tune_offsets(y, p)
    assert np.isfinite(offsets).all()
    assert decide(p, offsets).tolist() == [1, 1, 1]


def test_more_classes_reach_a_grid_search():
    gaps = []
    for seed in range(12):
        rng = np.random.default_rng(seed)
        y = rng.choice(3, 60, p=[0.7, 0.2, 0.1])
        p = np.exp(rng.normal(size=(60, 3)) + 1.2 * np.eye(3)[y])
        p /= p.sum(axis=1, keepdims=True)
        found = macro_f1(y, decide(p, tune_offsets(y, p)), 3)
        grid = itertools.product([0], np.linspace(-3, 3, 25), np.linspace(-3, 3, 25))
        best = max(macro_f1(y, (np.log(p) + offsets).argmax(axis=1), 3) for offsets in grid)
        gaps.append(best - found)
        assert found >= macro_f1(y, decide(p), 3) - 1e-12
    assert np.mean(gaps) < 0.02


def test_an_absent_class_does_no_harm():
    rng = np.random.default_rng(0)
    y = rng.choice([0, 2], 30)
    p = rng.dirichlet(np.ones(3), 30) + np.eye(3)[y]
    p /= p.sum(axis=1, keepdims=True)
    offsets = tune_offsets(y, p)
    assert np.isfinite(offsets).all()
    assert set(decide(p, offsets)) <= {0, 1, 2}


def test_default_decision_is_the_most_probable_class():
    assert decide(np.array([[0.5, 0.5], [0.2, 0.8]])).tolist() == [0, 1]
