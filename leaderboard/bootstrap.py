"""The interval of a difference on one fixed test set: draws and test rows both are a sample."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from .t_tests import TTest, t_test_of

#: resamples of the test rows
SAMPLES = 1_000
#: more test rows than this are resampled in groups, so that the time does not grow with them
MOST_UNITS = 1_000
#: but of no class in fewer groups than this (or its rows)
FEWEST_OF_A_CLASS = 100

#: Computes scores from the counts of each class: right rows, true rows and predicted rows, each of shape (..., K).
CountMetric = Callable[[npt.NDArray, npt.NDArray, npt.NDArray], npt.NDArray]


def _share(part: npt.NDArray, whole: npt.NDArray) -> npt.NDArray:
    """Divide counts; 0/0 is 0, as an absent class counts."""
    return part / np.maximum(whole, 1)


def _f1(right: npt.NDArray, true: npt.NDArray, predicted: npt.NDArray) -> npt.NDArray:
    return _share(2 * right, true + predicted)


#: Metrics that are a function of the counts of each class.
COUNT_METRICS: dict[str, CountMetric] = {
    "macro_f1": lambda right, true, predicted: _f1(right, true, predicted).mean(axis=-1),
    "weighted_f1": lambda right, true, predicted: (_f1(right, true, predicted) * true).sum(axis=-1) / true.sum(axis=-1),
    "accuracy": lambda right, true, predicted: right.sum(axis=-1) / true.sum(axis=-1),
    "balanced_accuracy": lambda right, true, predicted: _share(right, true).mean(axis=-1),
    "g_mean": lambda right, true, predicted: _share(right, true).prod(axis=-1) ** (1 / true.shape[-1]),
}


def count_metric(name: str) -> CountMetric | None:
    """Return a metric as a function of class counts, `recall_0` and `f1_0` and so on too; None where it is none."""
    if name in COUNT_METRICS:
        return COUNT_METRICS[name]
    if found := re.fullmatch(r"(recall|f1)_(\d+)", name):
        code = int(found[2])
        if found[1] == "f1":
            return lambda right, true, predicted: _f1(right, true, predicted)[..., code]
        return lambda right, true, predicted: _share(right, true)[..., code]
    return None


class RowBootstrap:
    """Resamples of the rows of one test set, the same for every method.

    Parameters
    ----------
    y_true : array-like of shape (T,)
        Class codes 0, 1, ….
    n_classes : int, optional
        K; by default the largest code plus one.
    samples : int
        How many resamples. Rows are drawn with replacement within each class: splits are stratified, so that the class
        counts of a test set are no chance. Many rows are first dealt at random into groups of one class, which are then
        drawn as a whole: rows being independent, the variance is the same.
    seed : int
        Seed of the groups and the resamples.

    Attributes
    ----------
    units : numpy.ndarray of shape (T,)
        The group of each row; the row's own number up to `MOST_UNITS` rows.
    weights : numpy.ndarray of shape (samples, number of groups)
        How often each group was drawn.
    """

    def __init__(
        self, y_true: npt.ArrayLike, n_classes: int | None = None, samples: int = SAMPLES, seed: int = 0
    ) -> None:
        self.y_true = np.asarray(y_true).astype(np.intp)
        if self.y_true.ndim != 1 or len(self.y_true) == 0 or self.y_true.min() < 0:
            raise ValueError(f"y_true has to be class codes of shape (T,), T > 0, found shape {self.y_true.shape}")
        self.n_classes = int(self.y_true.max()) + 1 if n_classes is None else n_classes
        generator = np.random.default_rng(seed)
        self.units = self._dealt(generator)
        self._class_of = np.zeros(self.units.max() + 1, dtype=np.intp)
        self._class_of[self.units] = self.y_true
        self.weights = np.zeros((samples, len(self._class_of)), dtype=np.float32)
        for code in np.unique(self.y_true):
            own = np.flatnonzero(self._class_of == code)
            drawn = generator.integers(0, len(own), size=(samples, len(own)))
            counts = np.bincount((drawn + len(own) * np.arange(samples)[:, None]).ravel(), minlength=drawn.size)
            self.weights[:, own] = counts.reshape(drawn.shape)

    def _dealt(self, generator: np.random.Generator) -> npt.NDArray[np.intp]:
        """Return the group of each row: groups of one class and of sizes that differ by one at most."""
        total = len(self.y_true)
        if total <= MOST_UNITS:
            return np.arange(total)
        units, first = np.zeros(total, dtype=np.intp), 0
        for code in np.unique(self.y_true):
            rows = generator.permutation(np.flatnonzero(self.y_true == code))
            groups = min(len(rows), max(FEWEST_OF_A_CLASS, round(MOST_UNITS * len(rows) / total)))
            units[rows] = first + np.arange(len(rows)) % groups
            first += groups
        return units

    def scores(self, labels: npt.ArrayLike, metric: CountMetric) -> tuple[npt.NDArray, npt.NDArray]:
        """Return the score of each draw, on the rows as they are and on every resample.

        Parameters
        ----------
        labels : array-like of shape (J, T)
            Predicted class codes.
        metric : callable
            See `CountMetric`.

        Returns
        -------
        tuple of numpy.ndarray
            Shapes (J,) and (samples, J).
        """
        table = np.asarray(labels)
        if table.ndim != 2 or table.shape[1] != len(self.y_true):
            raise ValueError(f"labels has to be of shape (J, {len(self.y_true)}), found {table.shape}")
        if table.size and not 0 <= table.min() <= table.max() < self.n_classes:
            raise ValueError(
                f"labels has to be class codes below {self.n_classes}, found {table.min()} to {table.max()}"
            )
        draws, groups = len(table), len(self._class_of)
        place = (self.units * draws + np.arange(draws)[:, None]) * self.n_classes + table
        counts = np.bincount(place.ravel(), minlength=groups * draws * self.n_classes)
        of_groups = counts.reshape(groups, draws, self.n_classes)
        own = np.ones((1, groups))
        return metric(*self._counts(of_groups, own))[0], metric(*self._counts(of_groups, self.weights))

    def _counts(self, of_groups: npt.NDArray, weights: npt.NDArray[np.floating]) -> tuple[npt.NDArray, ...]:
        """Sum up right, true and predicted rows of each class over groups; shapes (samples, J or 1, K)."""
        groups, draws, k = of_groups.shape
        of_groups = of_groups.astype(weights.dtype)
        predicted = (weights @ of_groups.reshape(groups, -1)).reshape(-1, draws, k)
        sizes = of_groups[:, :1].sum(axis=2)
        right, true = np.zeros_like(predicted), np.zeros((len(weights), 1, k), weights.dtype)
        for code in range(k):
            own = self._class_of == code
            right[:, :, code] = weights[:, own] @ of_groups[own, :, code]
            true[:, :, code] = weights[:, own] @ sizes[own]
        return right, true, predicted


def two_way_bootstrap(
    y_true: npt.ArrayLike,
    first: npt.ArrayLike,
    second: npt.ArrayLike,
    metric: str | CountMetric = "macro_f1",
    level: float = 0.95,
    samples: int = SAMPLES,
    seed: int = 0,
) -> TTest:
    """Interval of the difference of two methods on one fixed test set, over new draws *and* new test rows.

    Where all draws are tested on the same rows, two draws agree in part because of those rows: the plain paired t over
    draws has an interval for these test rows alone. See `two_way_test` for the variance.

    Parameters
    ----------
    y_true : array-like of shape (T,)
        Class codes of the test rows.
    first, second : array-like of shape (J, T)
        Predicted class codes of both methods in each draw; the difference is the first's less the second's.
    metric : str or callable
        A name in `COUNT_METRICS`, ``recall_0``, ``f1_0`` and so on, or a function of the class counts.
    level : float
        Coverage.
    samples : int
        Resamples of the test rows.
    seed : int
        Their seed.

    Returns
    -------
    TTest
        Mean difference, interval, t, two-sided p.

    Raises
    ------
    ValueError
        Shapes do not fit, or the metric is not one of class counts.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> y = rng.integers(0, 2, 200)
    >>> right = lambda share: np.where(rng.random((8, 200)) < share, y, 1 - y)
    >>> found = two_way_bootstrap(y, right(0.9), right(0.7))
    >>> print(f"{found.mean:.2f} [{found.low:.2f}, {found.high:.2f}]")
    0.18 [0.14, 0.23]
    """
    function = count_metric(metric) if isinstance(metric, str) else metric
    if function is None:
        raise ValueError(f"metric has to be one of class counts, such as {', '.join(COUNT_METRICS)}; found '{metric}'")
    one, two = np.asarray(first), np.asarray(second)
    if one.shape != two.shape:
        raise ValueError(f"both methods need the same draws, found shapes {one.shape} and {two.shape}")
    top = max(int(np.max(part, initial=0)) for part in (y_true, one, two)) + 1
    rows = RowBootstrap(y_true, top, samples, seed)
    (a, resampled_a), (b, resampled_b) = rows.scores(one, function), rows.scores(two, function)
    return two_way_test(a - b, resampled_a - resampled_b, level)


def two_way_test(differences: npt.ArrayLike, resampled: npt.ArrayLike, level: float = 0.95) -> TTest:
    """Test a mean difference over draws that share their test rows.

    The variance of the mean is ``s²/J + c``. The first part is the spread between draws, what resampling the draws
    gives (times J/(J − 1)); the rows' own chance is in it as far as it differs between draws. The second is the part of
    the rows' chance that all draws share, the mean covariance of two draws over resamples of the rows. This is the
    analysis of readers and cases by Obuchowski and Rockette, draws as readers and test rows as cases; degrees of
    freedom by Hillis, ``(s²/J + c)² / ((s²/J)² / (J − 1))``.

    Why not the percentiles of a bootstrap that resamples draws and rows at once: it counts the chance that belongs to a
    draw *and* a row up to three times (McCullagh 2000), and takes s² with J in the place of J − 1. Measured on few-shot
    classifiers at α = .05 (``benchmarks/null_simulation.py``): 4 to 7 % false positives here (5 to
    20 draws, 60 to 1,000 rows), 6 and 9 % by those percentiles.

    Parameters
    ----------
    differences : array-like of shape (J,)
        One difference per draw.
    resampled : array-like of shape (samples, J)
        The same on every resample of the rows, the same rows in all draws.
    level : float
        Coverage.

    Returns
    -------
    TTest
        Without interval below two draws.

    References
    ----------
    N. Obuchowski and H. Rockette, Communications in Statistics B 24 (1995), 285-308; S. Hillis, "A comparison of
    denominator degrees of freedom methods for multiple observer ROC analysis", Statistics in Medicine 26 (2007),
    596-619; P. McCullagh, "Resampling and exchangeable arrays", Bernoulli 6 (2000), 285-301.
    """
    own = np.asarray(differences, dtype=float)
    draws = len(own)
    if draws < 2:
        return TTest(float(own.mean()) if draws else np.nan, np.nan, np.nan, np.nan, np.nan, 0)
    between = float(own.var(ddof=1)) / draws
    table = np.asarray(resampled, dtype=float)
    total = float(table.mean(axis=1).var(ddof=1)) * draws**2
    shared = max(0.0, (total - float(table.var(axis=0, ddof=1).sum())) / (draws * (draws - 1)))
    if between <= 0:
        return t_test_of(float(own.mean()), 0.0, draws - 1, level)
    df = (between + shared) ** 2 / (between**2 / (draws - 1))
    return t_test_of(float(own.mean()), float(np.sqrt(between + shared)), df, level)
