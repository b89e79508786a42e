"""Adjusters: weights, and probabilities that stay probabilities."""

from __future__ import annotations

import numpy as np

from .kit import check, expect
from .subject import Subject, isolated

#: how far from 1 a row of probabilities may sum, by rounding
SUM_ERROR = 1e-9


def _targets(subject: Subject) -> list[np.ndarray]:
    """Return class codes of training rows: rare, balanced, and unless it is binary with several classes and a gap."""
    fewest = subject.declares("min_per_class")
    two = [np.repeat([0, 1], [60, fewest]), np.repeat([1, 0], [20, 20])]
    several = [np.repeat([0, 1, 2], [40, 20, fewest]), np.repeat([0, 2], [40, fewest])]
    return two if subject.declares("binary_only") else two + several


@check("adjuster")
def check_weights(subject: Subject) -> None:
    """Weights are None, or one finite number above 0 for each training row."""
    for y in _targets(subject):
        with isolated():
            weights = subject.make().sample_weight(y.copy())
        if weights is None:
            continue
        weights = np.asarray(weights)
        expect(weights.shape == y.shape, f"weights of shape {weights.shape} for {len(y)} rows")
        bad = int(np.count_nonzero(~(np.isfinite(weights) & (weights > 0))))
        expect(not bad, f"{bad} of {len(y)} weights are not finite and above 0")


@check("adjuster")
def check_probabilities(subject: Subject) -> None:
    """Adjusted probabilities are rows of numbers from 0 to 1 that sum to 1, for certain rows (0 and 1) too."""
    for y in _targets(subject):
        n_classes = int(y.max()) + 1
        before = np.vstack([np.random.default_rng(0).dirichlet(np.ones(n_classes), 50), np.eye(n_classes)])
        with isolated():
            after = np.asarray(subject.make().adjust(before.copy(), y.copy()))
        expect(after.shape == before.shape, f"probabilities of shape {after.shape} came back for {before.shape}")
        inside = np.isfinite(after).all() and after.min() >= 0 and after.max() <= 1 + SUM_ERROR
        expect(inside, "adjusted probabilities are not all between 0 and 1")
        off = float(np.abs(after.sum(axis=1) - 1).max())
        expect(off <= SUM_ERROR, f"rows of adjusted probabilities sum to 1 only up to {off:.2g}")


@check("adjuster")
def check_rows_adjusted_alone(subject: Subject) -> None:
    """A row's probabilities are adjusted alike, whatever other rows are predicted beside it: test rows stay unseen."""
    for y in _targets(subject):
        before = np.random.default_rng(0).dirichlet(np.ones(int(y.max()) + 1), 50)
        with isolated():
            method = subject.make()
            together = np.asarray(method.adjust(before.copy(), y))
            alone = np.vstack([method.adjust(before[i : i + 1].copy(), y) for i in range(10)])
        expect(np.array_equal(together[:10], alone), "a row is adjusted otherwise when it is predicted alone")
