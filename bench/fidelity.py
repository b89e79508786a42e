"""How real generated rows are: copies, distances, whether they can be told apart, columns and their correlations.

Everything is asked within a class: rows generated for it, against its held-out real rows and its training rows. What
few rows differ by chance is said with the value: ``*_real`` is what the training rows themselves give against the same
held-out rows.

The package sdmetrics defines some of these quantities too, but depends on copulas, which is under the Business Source
License, and a stored score must not depend on an optional package. So they are computed here, by numpy, and
`tests/bench/test_fidelity.py` holds them against sdmetrics (TVComplement, CorrelationSimilarity, NewRowSynthesis) where
it defines the same one, and against scipy and scikit-learn.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import rankdata

#: rows of one class that are compared, on each side
ROWS = 300
#: training rows of one class among which the closest is searched
TRAINING_ROWS = 2000
#: columns that are compared where there are more
COLUMNS = 100
#: rows of a class on each side below which nothing is told apart and nothing is correlated
FEWEST = 5
#: folds of the two-sample classifier
FOLDS = 3
#: weight of the unit matrix in its covariances
RIDGE = 0.1
#: a standardised column that varies by no more than this is constant
CONSTANT = 1e-6

NAMES = (
    "exact_copies",
    "dcr_ratio",
    "dcr_closer",
    "two_sample_accuracy",
    "two_sample_auroc",
    "wasserstein",
    "wasserstein_real",
    "total_variation",
    "total_variation_real",
    "correlation_error",
    "correlation_error_real",
)


@dataclass(frozen=True)
class _Columns:
    """Which encoded columns are looked at.

    Attributes
    ----------
    numeric : numpy.ndarray of int
        Numeric columns that vary in the training rows, for the distances of single columns.
    mixed : numpy.ndarray of int
        Columns of all kinds, for the classifier and the correlations.
    source : numpy.ndarray of int
        For each of `mixed` the column of the table that it encodes.
    first : numpy.ndarray of int
        The first encoded column of each categorical one.
    """

    numeric: np.ndarray
    mixed: np.ndarray
    source: np.ndarray
    first: np.ndarray

    @classmethod
    def of(cls, X_train: np.ndarray, widths: Sequence[int], rng: np.random.Generator) -> _Columns:
        """Find the kinds of the columns, and draw some where there are many."""
        n_numeric = X_train.shape[1] - sum(widths)
        varying = np.flatnonzero(np.ptp(X_train[:, :n_numeric], axis=0) > CONSTANT)
        source = np.concatenate([np.arange(n_numeric), np.repeat(n_numeric + np.arange(len(widths)), widths)])
        mixed = _at_most(np.arange(X_train.shape[1]), COLUMNS, rng)
        # a category-less column has no encoded one
        ends = n_numeric + np.cumsum(widths, dtype=int)
        first = (ends - np.asarray(widths, dtype=int))[np.asarray(widths, dtype=int) > 0]
        return cls(_at_most(varying, COLUMNS, rng), mixed, source[mixed].astype(int), first)


def fidelity(
    X_train: np.ndarray,
    y_train: np.ndarray,
    X_new: np.ndarray,
    y_new: np.ndarray,
    X_test: np.ndarray,
    y_test: np.ndarray,
    rng: np.random.Generator,
    widths: Sequence[int] = (),
) -> dict[str, float]:
    """Compare generated rows with training rows and with held-out real ones.

    At most 300 rows of a class on each side, 2,000 of its training rows, and 100 columns are looked at (all of them for
    copies, distances and categories). Each value is a mean over the classes that got rows and allow the comparison, NaN
    where none does.

    Parameters
    ----------
    X_train, X_new, X_test : numpy.ndarray of shape (n_rows, n_encoded)
        Real training rows, generated rows and held-out real rows, encoded alike: numeric columns standardised, then the
        one-hot columns.
    y_train, y_new, y_test : numpy.ndarray of shape (n_rows,)
        Their class codes.
    rng : numpy.random.Generator
        Draws the rows and columns that are looked at; the real rows before anything that depends on the generated ones.
    widths : sequence of int, default=()
        Number of one-hot columns of each categorical column.

    Returns
    -------
    dict of str to float
        ``exact_copies``: share of generated rows equal to a training row, of whatever class.
        ``dcr_ratio``: median distance of generated rows to the closest training row of their class (DCR), over the same
        for held-out rows of that class. 0 = copies, 1 = as far as real rows are. A class whose held-out rows have
        median distance 0 (mostly duplicates) is left out.
        ``dcr_closer``: the chance that a generated row is closer to its closest training row than a held-out row is to
        its own, ties counted half. 1 = copies, 0.5 = like real rows, 0 = far away.
        ``two_sample_accuracy``: accuracy of a 1-nearest-neighbour classifier, leave-one-out, that tells generated from
        held-out rows of a class, in equal numbers [1]_; classes with 5 rows on each side. 0.5 = cannot be told apart.
        ``two_sample_auroc``: the same by a quadratic discriminant, as area under the ROC curve, see `two_sample_auroc`.
        ``wasserstein``: 1-Wasserstein distance of each numeric column to held-out rows, in standard deviations of the
        training rows, mean over the columns that vary in these.
        ``total_variation``: total-variation distance of each categorical column, mean over these columns.
        ``correlation_error``: mean absolute difference of pairwise correlations, see `correlation_error`.
        ``wasserstein_real``, ``total_variation_real``, ``correlation_error_real``: the same of the training rows.

    References
    ----------
    .. [1] D. Lopez-Paz, M. Oquab, "Revisiting classifier two-sample tests", ICLR 2017.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X, y = rng.normal(size=(40, 2)), np.repeat(1, 40)
    >>> scores = fidelity(X[:20], y[:20], X[:10], y[:10], X[20:], y[20:], rng)
    >>> scores["exact_copies"], scores["dcr_ratio"], scores["dcr_closer"]
    (1.0, 0.0, 1.0)
    """
    found: dict[str, list[float]] = {name: [] for name in NAMES}
    if len(X_new):
        found["exact_copies"].append(_share_of_copies(X_new, X_train))
        columns = _Columns.of(X_train, widths, rng)
        codes = np.unique(y_new)
        # the same real rows whatever was generated, so that methods share their reference
        real = [
            (_some(X_test, y_test == c, ROWS, rng), _some(X_train, y_train == c, TRAINING_ROWS, rng)) for c in codes
        ]
        for code, (held_out, training) in zip(codes, real, strict=True):
            new = _some(X_new, y_new == code, ROWS, rng)
            if len(held_out):
                _of_distances(found, new, held_out, training)
                _of_tests(found, new, held_out, columns.mixed, rng)
                _of_columns(found, (new, held_out, training[:ROWS]), columns)
    return {name: float(np.nanmean(values)) if _any_number(values) else float("nan") for name, values in found.items()}


def closest_distances(rows: np.ndarray, among: np.ndarray) -> np.ndarray:
    """Return each row's Euclidean distance to the closest of some others; shapes (n, d) and (m, d) to (n,)."""
    # the candidate by one matrix product, the distance exactly, so that a copy has distance 0
    half = (among**2).sum(axis=1) / 2 - rows @ among.T
    return np.sqrt(((rows - among[half.argmin(axis=1)]) ** 2).sum(axis=1))


def two_sample_auroc(first: np.ndarray, second: np.ndarray) -> float:
    """Return how well a quadratic discriminant tells two samples apart: a classifier two-sample test.

    It knows means, spreads and correlations, and takes a millisecond. At 8 and 30 columns it told SMOTE's, shrunk,
    permuted and fitted Gaussian rows from real ones about as well as gradient boosting did in forty times the time, or
    better; logistic regression hardly sees them. (The 1-nearest-neighbour test sees what no moment shows.)

    Parameters
    ----------
    first, second : numpy.ndarray of shape (n, d) and (m, d)
        The samples, in random order; at least 3 rows each.

    Returns
    -------
    float
        Area under the ROC curve on rows that the discriminant was not fitted to, mean over 3 folds. Its expectation is
        0.5 for samples of one distribution; covariances have 0.1 of the unit matrix mixed in, in units of the columns'
        standard deviations.
    """
    each = min(len(first), len(second)) // FOLDS
    # a fold is a third of both samples
    rows = np.stack([one[: each * FOLDS].reshape(FOLDS, each, -1) for one in (first, second)])
    deviation = rows.std(axis=(0, 1, 2))
    rows = (rows - rows.mean(axis=(0, 1, 2))) / np.where(deviation > CONSTANT, deviation, 1.0)
    density = [_log_density(np.hstack([rows[0], rows[1]]), sample) for sample in rows]
    return float(_chance_greater(*np.split(density[1] - density[0], [each], axis=1)[::-1]).mean())


def correlation_error(new: np.ndarray, real: np.ndarray, source: np.ndarray) -> float:
    """Return the mean absolute difference of the correlations of pairs of columns.

    Pearson's correlation of encoded columns: between a number and a category it is the point-biserial one, between
    categories phi. Pairs within one categorical column are left out, and columns that are constant in the real rows. A
    column that is constant in the generated rows only has correlation 0 with all others.

    Parameters
    ----------
    new, real : numpy.ndarray of shape (n, d) and (m, d)
        Generated and real rows.
    source : numpy.ndarray of shape (d,)
        The column of the table that each one encodes.

    Returns
    -------
    float
        Between 0 and 2; NaN if no pair is left.
    """
    varies = np.ptp(real, axis=0) > CONSTANT
    if varies.sum() < 2:
        return float("nan")
    difference = np.abs(_correlations(new[:, varies]) - _correlations(real[:, varies]))
    pairs = source[varies][:, None] != source[varies]
    return float(difference[pairs].mean()) if pairs.any() else float("nan")


def wasserstein(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return the 1-Wasserstein distance of each column; shapes (n, d) and (m, d) to (d,)."""
    n, m = len(first), len(second)
    # both quantile functions are constant between these levels, which are integers in units of 1 / (n m)
    levels = np.union1d(np.arange(1, n + 1) * m, np.arange(1, m + 1) * n)
    steps = np.diff(levels, prepend=0) / (n * m)
    gaps = np.abs(np.sort(first, axis=0)[(levels - 1) // m] - np.sort(second, axis=0)[(levels - 1) // n])
    return np.asarray(steps @ gaps)


def total_variation(first: np.ndarray, second: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Return the total-variation distance of each categorical column; a category not seen in training counts as one.

    Parameters
    ----------
    first, second : numpy.ndarray of shape (n, d) and (m, d)
        One-hot columns, to the last.
    starts : numpy.ndarray of shape (k,)
        Where the columns of each categorical one start.
    """
    shares = [one.mean(axis=0) for one in (first, second)]
    seen = np.add.reduceat(np.abs(shares[0] - shares[1]), starts)
    unseen = np.abs(np.subtract(*(np.add.reduceat(one, starts) for one in shares)))
    return np.asarray((seen + unseen) / 2)


def _of_distances(found: dict[str, list[float]], new: np.ndarray, held_out: np.ndarray, training: np.ndarray) -> None:
    if not len(training):
        return
    ours, theirs = closest_distances(new, training), closest_distances(held_out, training)
    found["dcr_closer"].append(float(_chance_greater(theirs, ours)))
    if np.median(theirs) > 0:
        found["dcr_ratio"].append(float(np.median(ours) / np.median(theirs)))


def _of_tests(
    found: dict[str, list[float]], new: np.ndarray, held_out: np.ndarray, mixed: np.ndarray, rng: np.random.Generator
) -> None:
    n = min(len(new), len(held_out))
    if n < FEWEST:
        return
    found["two_sample_accuracy"].append(_two_sample_accuracy(new[:n], held_out[:n], rng))
    found["two_sample_auroc"].append(two_sample_auroc(new[:n][:, mixed], held_out[:n][:, mixed]))


def _of_columns(found: dict[str, list[float]], rows: tuple[np.ndarray, ...], columns: _Columns) -> None:
    new, held_out, training = rows
    distances: list[tuple[str, np.ndarray, int, Callable[[np.ndarray, np.ndarray], float]]] = []
    if len(columns.numeric):
        distances.append(("wasserstein", columns.numeric, 1, lambda a, b: float(wasserstein(a, b).mean())))
    if len(columns.first):
        starts, encoded = columns.first - columns.first[0], np.arange(columns.first[0], new.shape[1])
        distances.append(("total_variation", encoded, 1, lambda a, b: float(total_variation(a, b, starts).mean())))
    distances.append(("correlation_error", columns.mixed, FEWEST, lambda a, b: correlation_error(a, b, columns.source)))
    for name, chosen, fewest, distance in distances:
        for suffix, ours in (("", new), ("_real", training)):
            if min(len(ours), len(held_out)) >= fewest:
                found[name + suffix].append(distance(ours[:, chosen], held_out[:, chosen]))


def _at_most(values: np.ndarray, most: int, rng: np.random.Generator) -> np.ndarray:
    """Return the values, or some of them in their order where there are more."""
    return values if len(values) <= most else np.sort(rng.choice(values, most, replace=False))


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


def _log_density(rows: np.ndarray, sample: np.ndarray) -> np.ndarray:
    """Return the log densities, but for a constant, of the rows of each fold under the Gaussian of the other folds.

    Shapes (folds, n, d) and, the folds of a sample, (folds, m, d) to (folds, n).
    """
    n = (FOLDS - 1) * sample.shape[1]
    mean = (sample.sum(axis=(0, 1)) - sample.sum(axis=1))[:, None, :] / n
    moments = sample.transpose(0, 2, 1) @ sample
    covariance = (moments.sum(axis=0) - moments - n * mean.transpose(0, 2, 1) * mean) * ((1 - RIDGE) / (n - 1))
    root = np.linalg.cholesky(covariance + RIDGE * np.eye(sample.shape[2]))
    white = np.linalg.solve(root, (rows - mean).transpose(0, 2, 1))
    logs = np.log(np.diagonal(root, axis1=1, axis2=2)).sum(axis=1)
    return np.asarray(-(white**2).sum(axis=1) / 2 - logs[:, None])


def _chance_greater(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return the chance that one of the first is greater than one of the second, ties counted half: the AUROC.

    Along the last axis; shapes (..., n) and (..., m) to (...).
    """
    n, m = first.shape[-1], second.shape[-1]
    ranks = rankdata(np.concatenate([first, second], axis=-1), axis=-1)[..., :n]
    return np.asarray((ranks.mean(axis=-1) - (n + 1) / 2) / m)


def _correlations(rows: np.ndarray) -> np.ndarray:
    """Return the correlations of the columns, shape (d, d); 0 with a constant one."""
    centred = rows - rows.mean(axis=0)
    length = np.sqrt((centred**2).sum(axis=0))
    centred = centred / np.where(np.ptp(rows, axis=0) > CONSTANT, length, np.inf)
    return np.asarray(centred.T @ centred)


def _share_of_copies(new: np.ndarray, training: np.ndarray) -> float:
    known = pd.util.hash_pandas_object(pd.DataFrame(training + 0.0), index=False)
    return float(pd.util.hash_pandas_object(pd.DataFrame(new + 0.0), index=False).isin(known).mean())


def _any_number(values: list[float]) -> bool:
    return bool(np.isfinite(values).any())
