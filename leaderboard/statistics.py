"""The tests and intervals of the leaderboard: small pure functions on arrays.

Each function has its formula and its paper in the docstring. None of them knows of methods, data sets or tables. Those
on ranks are in :mod:`augbench.leaderboard.ranks`, posteriors in :mod:`augbench.leaderboard.posterior`: both can be
imported from here too.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .posterior import Posterior, bayesian_signed_rank, finite, student_posterior
from .ranks import Friedman, average_ranks, friedman, nemenyi_critical_difference

__all__ = [
    "Friedman",
    "Posterior",
    "TTest",
    "average_ranks",
    "bayesian_signed_rank",
    "corrected_resampled_t",
    "friedman",
    "holm",
    "nemenyi_critical_difference",
    "paired_t",
    "partial_conjunction_count",
    "smallest_reachable_p",
    "student_posterior",
    "t_interval",
    "wilcoxon_signed_rank",
]

#: Differences are rounded to this many decimals before they are ranked, so that float noise breaks no tie.
DECIMALS = 6
#: Up to this many differences the signed-rank distribution is computed exactly, ties or not.
EXACT_UP_TO = 200
#: Sign flips beyond that, from a generator with a fixed seed.
SIGN_FLIPS = 100_000


@dataclass(frozen=True)
class TTest:
    """A t-test with its interval.

    Attributes
    ----------
    mean : float
        Mean difference.
    low, high : float
        Ends of the interval.
    t : float
        The statistic; NaN where all differences are the same.
    p : float
        Two-sided p-value; 1 where all differences are 0. Differences that are all the same and not 0 show no spread to
        test against: there is neither interval nor p then, both are NaN.
    df : int
        Degrees of freedom.
    """

    mean: float
    low: float
    high: float
    t: float
    p: float
    df: int


def _t_test(values: npt.NDArray[np.float64], factor: float, level: float) -> TTest:
    """Test the mean of `values` against 0 with variance ``factor * s²`` and ``len(values) - 1`` degrees of freedom."""
    from scipy import stats

    n = len(values)
    if n == 0:
        return TTest(np.nan, np.nan, np.nan, np.nan, np.nan, 0)
    mean = float(values.mean())
    if n == 1:
        return TTest(mean, np.nan, np.nan, np.nan, np.nan, 0)
    error = float(np.sqrt(factor * values.var(ddof=1)))
    if error <= 1e-12 * max(1.0, abs(mean)):
        # scores on a small test part lie on a coarse lattice: equal differences are chance, not certainty
        if abs(mean) <= 1e-12:
            return TTest(mean, mean, mean, np.nan, 1.0, n - 1)
        return TTest(mean, np.nan, np.nan, np.nan, np.nan, n - 1)
    t = mean / error
    half = float(stats.t.ppf((1 + level) / 2, n - 1)) * error
    return TTest(mean, mean - half, mean + half, t, float(2 * stats.t.sf(abs(t), n - 1)), n - 1)


def t_interval(values: npt.ArrayLike, level: float = 0.95) -> tuple[float, float]:
    """Student's interval for a mean: ``mean ± t(level, n - 1) · s / √n``.

    Parameters
    ----------
    values : array-like of shape (n,)
        Independent values, e.g. one mean difference per data set.
    level : float
        Coverage, 0.95 unless told.

    Returns
    -------
    tuple of float
        Low and high end; both NaN where no spread can be seen: below two values, or if all are the same and not 0.

    Examples
    --------
    >>> low, high = t_interval([1.0, 2.0, 3.0])
    >>> print(f"{low:.3f} {high:.3f}")
    -0.484 4.484
    """
    array = finite(values, "values")
    test = _t_test(array, 1 / max(len(array), 1), level)
    return test.low, test.high


def paired_t(differences: npt.ArrayLike, level: float = 0.95) -> TTest:
    """Paired t-test over independent draws: ``t = mean / (s / √J)`` with J − 1 degrees of freedom.

    Right only where the draws are independent: every draw a fresh simulated data set. Splits of one finite table
    share rows; use `corrected_resampled_t` there.

    Parameters
    ----------
    differences : array-like of shape (J,)
        One difference per draw.
    level : float
        Coverage of the interval.

    Returns
    -------
    TTest
        Interval, statistic and p-value.
    """
    array = finite(differences, "differences")
    return _t_test(array, 1 / max(len(array), 1), level)


def corrected_resampled_t(differences: npt.ArrayLike, test_train_ratio: float, level: float = 0.95) -> TTest:
    """Corrected resampled t-test for repeated splits of one finite table.

    Splits share rows, so the plain variance s²/J is far too small. The corrected one is
    ``s² · (1/J + n_test/n_train)``, with J − 1 degrees of freedom.

    Parameters
    ----------
    differences : array-like of shape (J,)
        One difference per draw.
    test_train_ratio : float
        Test rows divided by training rows of a draw.
    level : float
        Coverage of the interval.

    Returns
    -------
    TTest
        Interval, statistic and p-value.

    References
    ----------
    C. Nadeau and Y. Bengio, "Inference for the generalization error", Machine Learning 52 (2003), 239-281.
    """
    if not (np.isfinite(test_train_ratio) and test_train_ratio >= 0):
        raise ValueError(f"test_train_ratio has to be a number of at least 0, found {test_train_ratio}")
    array = finite(differences, "differences")
    return _t_test(array, 1 / max(len(array), 1) + test_train_ratio, level)


def _signed_ranks(differences: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.int64], int]:
    """Return the doubled mid-ranks of the non-zero |differences| (zeros take part in the ranking) and doubled W+ − W−.

    Zeros have their rank split between the two sums (zsplit), which leaves the difference of the sums as it is.
    """
    from scipy import stats

    doubled = np.rint(2 * stats.rankdata(np.abs(differences))).astype(np.int64)
    signs = np.sign(differences).astype(np.int64)
    return doubled[signs != 0], int((doubled * signs).sum())


def _exact_tail(doubled: npt.NDArray[np.int64], statistic: int) -> float:
    """P(W+ − W− ≥ statistic) when every sign is a fair coin, by dynamic programming over the doubled mid-ranks."""
    total = int(doubled.sum())
    weights = np.zeros(total + 1)
    weights[0] = 1.0
    for rank in doubled:
        shifted = np.zeros_like(weights)
        shifted[rank:] = weights[: total + 1 - rank]
        weights = (weights + shifted) / 2
    # W+ − W− = 2·W+ − total, so W+ ≥ (statistic + total) / 2, rounded up.
    return float(weights[(statistic + total + 1) // 2 :].sum())


def _sampled_tail(doubled: npt.NDArray[np.int64], statistic: int, seed: int) -> float:
    """Estimate the same by sign flips from a fixed generator; the data as they are count as one of the flips."""
    generator = np.random.default_rng(seed)
    reached, batch = 1, 5_000
    for _ in range(SIGN_FLIPS // batch):
        signs = generator.integers(0, 2, size=(batch, len(doubled)), dtype=np.int8) * 2 - 1
        reached += int((signs @ doubled >= statistic).sum())
    return reached / (SIGN_FLIPS + 1)


def wilcoxon_signed_rank(differences: npt.ArrayLike, decimals: int = DECIMALS, seed: int = 0) -> float:
    """Two-sided p-value of Wilcoxon's signed-rank test, zeros split (``zero_method="zsplit"``).

    ``W+ = Σ_{d>0} rank|d| + ½ Σ_{d=0} rank|d|`` with mid-ranks for ties. Up to 200 differences the distribution of W+
    under random signs is exact (dynamic programming over doubled mid-ranks), with ties and zeros too; beyond that,
    100,000 sign flips from a generator with a fixed seed.

    Parameters
    ----------
    differences : array-like of shape (D,)
        One difference per data set, as shares (not points).
    decimals : int
        Differences are rounded to so many decimals first.
    seed : int
        Seed of the sign flips beyond 200 differences.

    Returns
    -------
    float
        The p-value; 1 where all differences are 0, NaN where there are none.

    References
    ----------
    F. Wilcoxon, "Individual comparisons by ranking methods", Biometrics 1 (1945), 80-83; J. Demšar, "Statistical
    comparisons of classifiers over multiple data sets", JMLR 7 (2006), 1-30.

    Examples
    --------
    >>> wilcoxon_signed_rank([0.1, 0.2, 0.3, 0.4, 0.5])
    0.0625
    """
    array = np.round(finite(differences, "differences"), decimals)
    if len(array) == 0:
        return float("nan")
    doubled, statistic = _signed_ranks(array)
    if len(doubled) == 0:
        return 1.0
    if len(array) <= EXACT_UP_TO:
        tail = _exact_tail(doubled, abs(statistic))
    else:
        tail = _sampled_tail(doubled, abs(statistic), seed)
    return min(1.0, 2 * tail)


def smallest_reachable_p(n_datasets: int) -> float:
    """Return the smallest two-sided p that the signed-rank test can give on so many data sets, ``2 / 2^D``.

    Examples
    --------
    >>> smallest_reachable_p(6)
    0.03125
    """
    if n_datasets < 0:
        raise ValueError(f"n_datasets has to be at least 0, found {n_datasets}")
    return min(1.0, 2.0 ** (1 - n_datasets))


def holm(p_values: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Holm's step-down correction: ``p̃_(i) = max_{j ≤ i} min(1, (m − j + 1) · p_(j))``.

    Parameters
    ----------
    p_values : array-like of shape (m,)
        The family. NaN stands for a comparison that was not made: it stays NaN and does not count in m.

    Returns
    -------
    numpy.ndarray of shape (m,)
        Corrected p-values in the order given.

    References
    ----------
    S. Holm, "A simple sequentially rejective multiple test procedure", Scandinavian J. of Statistics 6 (1979), 65-70.
    """
    from statsmodels.stats.multitest import multipletests

    array = np.asarray(p_values, dtype=float)
    corrected = np.full(array.shape, np.nan)
    made = ~np.isnan(array)
    if made.any():
        corrected[made] = multipletests(array[made], method="holm")[1]
    return corrected


def partial_conjunction_count(p_values: npt.ArrayLike, alpha: float = 0.05) -> int:
    """Return on how many of a few data sets an effect is there, at least, with confidence 1 − α.

    The p-value of "fewer than u of n effects" is ``(n − u + 1) · p_(u)``; the count is the largest u for which this and
    all before it are at most α. The Bonferroni form: right whatever the dependence.

    Parameters
    ----------
    p_values : array-like of shape (n,)
        One p-value per data set.
    alpha : float
        Error rate of the count being too large.

    Returns
    -------
    int
        Between 0 and n.

    References
    ----------
    Y. Benjamini and R. Heller, "Screening for partial conjunction hypotheses", Biometrics 64 (2008), 1215-1222;
    R. Dror et al., "Replicability analysis for natural language processing", TACL 5 (2017), 471-486.

    Examples
    --------
    >>> partial_conjunction_count([0.001, 0.02, 0.3])
    2
    """
    ordered = np.sort(finite(p_values, "p_values"))
    conjunction = np.maximum.accumulate(ordered * np.arange(len(ordered), 0, -1))
    return int((conjunction <= alpha).sum())
