"""Wilcoxon's signed-rank test and the interval that belongs to it."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from .posterior import finite

#: Differences are rounded to this many decimals before they are ranked, so that float noise breaks no tie.
DECIMALS = 6
#: Up to this many differences the signed-rank distribution is computed exactly, ties or not.
EXACT_UP_TO = 200
#: Sign flips beyond that, from a generator with a fixed seed.
SIGN_FLIPS = 100_000


def _signed_ranks(differences: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.int64], int]:
    """Return the doubled mid-ranks of the non-zero |differences| (zeros take part in the ranking) and doubled W+ − W−.

    Zeros have their rank split between the two sums (zsplit), which leaves the difference of the sums as it is.
    """
    from scipy import stats

    doubled = np.rint(2 * stats.rankdata(np.abs(differences))).astype(np.int64)
    signs = np.sign(differences).astype(np.int64)
    return doubled[signs != 0], int((doubled * signs).sum())


@lru_cache(maxsize=256)
def _null_weights(ranks: bytes) -> npt.NDArray[np.float64]:
    """P(doubled W+ = w), w = 0, 1, …, when every sign is a fair coin: dynamic programming over doubled mid-ranks."""
    doubled = np.frombuffer(ranks, dtype=np.int64)
    total = int(doubled.sum())
    weights = np.zeros(total + 1)
    weights[0] = 1.0
    for rank in doubled:
        shifted = np.zeros_like(weights)
        shifted[rank:] = weights[: total + 1 - rank]
        weights = (weights + shifted) / 2
    return weights


def _exact_tail(doubled: npt.NDArray[np.int64], statistic: int) -> float:
    """P(W+ − W− ≥ statistic) when every sign is a fair coin."""
    weights = _null_weights(np.sort(doubled).tobytes())
    # W+ − W− = 2·W+ − total, so W+ ≥ (statistic + total) / 2, rounded up.
    return float(weights[(statistic + int(doubled.sum()) + 1) // 2 :].sum())


def _sampled_tail(doubled: npt.NDArray[np.int64], statistic: int, seed: int) -> float:
    """Estimate the same by sign flips from a fixed generator; the data as they are count as one of the flips."""
    generator, doubled = np.random.default_rng(seed), np.sort(doubled)  # the order of the data sets decides nothing
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


def signed_rank_interval(differences: npt.ArrayLike, level: float = 0.95) -> tuple[float, float]:
    """Return the shifts of all differences that the signed-rank test does not reject: Hodges and Lehmann's interval.

    The Walsh averages ``(d_i + d_j) / 2, i ≤ j`` in order, from number C + 1 to number M − C, where C is the largest
    count with ``P(W+ ≤ C) ≤ (1 − level) / 2``. 0 lies outside just where the two-sided p is at most 1 − level (without
    ties).

    Parameters
    ----------
    differences : array-like of shape (D,)
        One difference per data set.
    level : float
        Coverage, at least.

    Returns
    -------
    tuple of float
        Low and high end; infinite where so few data sets can reject nothing at this level, NaN where there are none.

    References
    ----------
    J. Hodges and E. Lehmann, "Estimates of location based on rank tests", Annals of Mathematical Statistics 34 (1963),
    598-611.

    Examples
    --------
    >>> signed_rank_interval([1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
    (1.0, 6.0)
    """
    array = np.sort(finite(differences, "differences"))
    n = len(array)
    if n == 0:
        return float("nan"), float("nan")
    first, second = np.triu_indices(n)
    walsh = np.sort((array[first] + array[second]) / 2)
    left_out = rejected_values(n, (1 - level) / 2)
    if left_out == 0:
        return float("-inf"), float("inf")
    return float(walsh[left_out - 1]), float(walsh[len(walsh) - left_out])


@lru_cache(maxsize=256)
def rejected_values(n: int, tail: float) -> int:
    """Return how many values 0, 1, … of W+ over n ranks have together at most the probability `tail`."""
    if n <= EXACT_UP_TO:
        return int((np.cumsum(_null_weights((2 * np.arange(1, n + 1, dtype=np.int64)).tobytes())[::2]) <= tail).sum())
    from scipy import stats

    mean, sd = n * (n + 1) / 4, np.sqrt(n * (n + 1) * (2 * n + 1) / 24)
    return max(0, int(np.floor(mean + stats.norm.ppf(tail) * sd)))
