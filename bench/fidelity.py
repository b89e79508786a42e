"""How close generated rows are to real ones: copies, distances, and whether they can be told apart."""

from __future__ import annotations

import numpy as np
import pandas as pd

#: rows of one class that are compared, on each side
ROWS = 300
#: training rows of one class among which the closest is searched
TRAINING_ROWS = 2000
#: rows of a class on each side below which nothing is told apart
FEWEST = 5


def fidelity(
    X_train: np.ndarray,
    y_train: np.ndarray,
    X_new: np.ndarray,
    y_new: np.ndarray,
    X_test: np.ndarray,
    y_test: np.ndarray,
    rng: np.random.Generator,
) -> dict[str, float]:
    """Compare generated rows with training rows and with held-out real ones.

    At most 300 rows of a class on each side, and 2,000 of its training rows, are looked at (all of them for copies).

    Parameters
    ----------
    X_train, X_new, X_test : numpy.ndarray of shape (n_rows, n_encoded)
        Real training rows, generated rows and held-out real rows, encoded alike: standardised and one-hot.
    y_train, y_new, y_test : numpy.ndarray of shape (n_rows,)
        Their class codes.
    rng : numpy.random.Generator
        Draws the rows that are looked at.

    Returns
    -------
    dict of str to float
        ``exact_copies``: share of generated rows equal to a training row, of whatever class.
        ``dcr_ratio``: median distance of generated rows to the closest training row of their class, over the same for
        held-out rows of that class, mean over classes. 0 = copies, 1 = as far as real rows are. A class whose held-out
        rows have median distance 0 (mostly duplicates) is left out.
        ``two_sample_accuracy``: accuracy of a 1-nearest-neighbour classifier, leave-one-out, that tells generated from
        held-out rows of a class, in equal numbers [1]_, mean over classes with 5 rows on each side. 0.5 = cannot be
        told apart.
        NaN where no class allows the comparison.

    References
    ----------
    .. [1] D. Lopez-Paz, M. Oquab, "Revisiting classifier two-sample tests", ICLR 2017.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X, y = rng.normal(size=(40, 2)), np.repeat(1, 40)
    >>> scores = fidelity(X[:20], y[:20], X[:10], y[:10], X[20:], y[20:], rng)
    >>> scores["exact_copies"], scores["dcr_ratio"]
    (1.0, 0.0)
    """
    if not len(X_new):
        return {"exact_copies": float("nan"), "dcr_ratio": float("nan"), "two_sample_accuracy": float("nan")}
    ratios, accuracies = [], []
    for code in np.unique(y_new):
        new = _some(X_new, y_new == code, ROWS, rng)
        held_out = _some(X_test, y_test == code, ROWS, rng)
        training = _some(X_train, y_train == code, TRAINING_ROWS, rng)
        if len(held_out) and len(training):
            usual = np.median(closest_distances(held_out, training))
            if usual > 0:
                ratios.append(np.median(closest_distances(new, training)) / usual)
        n = min(len(new), len(held_out))
        if n >= FEWEST:
            accuracies.append(_two_sample_accuracy(new[:n], held_out[:n], rng))
    return {
        "exact_copies": _share_of_copies(X_new, X_train),
        "dcr_ratio": _mean(ratios),
        "two_sample_accuracy": _mean(accuracies),
    }


def closest_distances(rows: np.ndarray, among: np.ndarray) -> np.ndarray:
    """Return each row's Euclidean distance to the closest of some others; shapes (n, d) and (m, d) to (n,)."""
    # the candidate by one matrix product, the distance exactly, so that a copy has distance 0
    half = (among**2).sum(axis=1) / 2 - rows @ among.T
    return np.sqrt(((rows - among[half.argmin(axis=1)]) ** 2).sum(axis=1))


def _some(X: np.ndarray, mask: np.ndarray, most: int, rng: np.random.Generator) -> np.ndarray:
    """Return rows of a class in random order, at most so many."""
    rows = np.flatnonzero(mask)
    return X[rng.permutation(rows)[:most]]


def _two_sample_accuracy(first: np.ndarray, second: np.ndarray, rng: np.random.Generator) -> float:
    side = np.repeat([0, 1], [len(first), len(second)])
    # a random order, since the first of several equally close rows is taken
    order = rng.permutation(len(side))
    rows, side = np.vstack([first, second])[order], side[order]
    half = (rows**2).sum(axis=1) / 2 - rows @ rows.T
    np.fill_diagonal(half, np.inf)
    return float(np.mean(side[half.argmin(axis=1)] == side))


def _share_of_copies(new: np.ndarray, training: np.ndarray) -> float:
    known = pd.util.hash_pandas_object(pd.DataFrame(training + 0.0), index=False)
    return float(pd.util.hash_pandas_object(pd.DataFrame(new + 0.0), index=False).isin(known).mean())


def _mean(values: list[float]) -> float:
    return float(np.mean(values)) if values else float("nan")
