"""Statistics on ranks: average ranks, the omnibus test and the critical difference of Demšar (2006)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class Friedman:
    """Friedman's test and Iman and Davenport's form of it.

    Attributes
    ----------
    ranks : numpy.ndarray of shape (k,)
        Average rank of each method; 1 is best.
    chi2, chi2_p : float
        Friedman's statistic with k − 1 degrees of freedom.
    f, f_p : float
        Iman and Davenport's F with k − 1 and (k − 1)(N − 1) degrees of freedom.
    n_datasets, n_methods : int
        N and k.
    """

    ranks: npt.NDArray[np.float64]
    chi2: float
    chi2_p: float
    f: float
    f_p: float
    n_datasets: int
    n_methods: int


def average_ranks(scores: npt.ArrayLike, decimals: int = 6, higher_is_better: bool = True) -> npt.NDArray[np.float64]:
    """Rank the methods within each data set: 1 is best, ties share the mean of their ranks.

    Parameters
    ----------
    scores : array-like of shape (N, k)
        One row per data set, one column per method.
    decimals : int
        Scores are rounded first, so that float noise decides no rank.
    higher_is_better : bool
        False for losses.

    Returns
    -------
    numpy.ndarray of shape (N, k)
        The ranks; average them over axis 0 for the mean rank.

    Examples
    --------
    >>> average_ranks([[0.9, 0.8, 0.9]])
    array([[1.5, 3. , 1.5]])
    """
    from scipy import stats

    table = np.round(np.asarray(scores, dtype=float), decimals)
    if table.ndim != 2:
        raise ValueError(f"scores has to be data sets × methods, found shape {table.shape}")
    if np.isnan(table).any():
        raise ValueError("scores has NaN: rank only methods that have every data set")
    return np.asarray(stats.rankdata(-table if higher_is_better else table, axis=1))


def friedman(scores: npt.ArrayLike, decimals: int = 6, higher_is_better: bool = True) -> Friedman:
    """Friedman's test that all methods are equal, in Iman and Davenport's form.

    ``χ² = 12N / (k(k+1)) · (Σ_j R_j² − k(k+1)²/4)`` and ``F = (N−1)χ² / (N(k−1) − χ²)``, as Demšar prints them: no
    correction for ties, so with many ties the test errs on the careful side.

    Parameters
    ----------
    scores : array-like of shape (N, k)
        One row per data set, one column per method; at least two of each.
    decimals, higher_is_better
        See `average_ranks`.

    Returns
    -------
    Friedman
        Average ranks, both statistics, both p-values.

    References
    ----------
    R. Iman and J. Davenport, "Approximations of the critical region of the Friedman statistic", Communications in
    Statistics A9 (1980), 571-595; J. Demšar, JMLR 7 (2006), 1-30.
    """
    from scipy import stats

    table = average_ranks(scores, decimals, higher_is_better)
    n, k = table.shape
    if n < 2 or k < 2:
        raise ValueError(f"Friedman's test needs two data sets and two methods, found {n} and {k}")
    ranks = table.mean(axis=0)
    chi2 = max(0.0, float(12 * n / (k * (k + 1)) * ((ranks**2).sum() - k * (k + 1) ** 2 / 4)))
    room = n * (k - 1) - chi2
    f = float("inf") if room <= 1e-9 else (n - 1) * chi2 / room
    return Friedman(
        ranks=ranks,
        chi2=chi2,
        chi2_p=float(stats.chi2.sf(chi2, k - 1)),
        f=f,
        f_p=0.0 if np.isinf(f) else float(stats.f.sf(f, k - 1, (k - 1) * (n - 1))),
        n_datasets=n,
        n_methods=k,
    )


def rank_intervals(
    ranks: npt.ArrayLike, level: float = 0.95, samples: int = 5_000, seed: int = 0
) -> npt.NDArray[np.float64]:
    """Bootstrap intervals of mean ranks, data sets resampled.

    The percentiles of the mean of D resampled ranks, taken further out so that they fit few data sets: at
    ``Φ(−√(D/(D − 1)) · t(level, D − 1))`` and its mirror image instead of 2.5 and 97.5 % (Hesterberg's expanded
    percentiles; the plain ones are too narrow by the factor that s²/D is with D in the place of D − 1). They hold the
    expected rank in 93 to 96 % (6 methods, 5 to 30 data sets, ``benchmarks/null_simulation.py``).

    Ranks are relative: another method in the table changes them, and so these intervals, unlike those of differences.

    Parameters
    ----------
    ranks : array-like of shape (D, k)
        The ranks within each data set, see `average_ranks`.
    level : float
        Coverage.
    samples : int
        Resamples of the data sets.
    seed : int
        Seed of the resamples. The order of data sets and of methods decides nothing.

    Returns
    -------
    numpy.ndarray of shape (k, 2)
        Low and high end of each mean rank; NaN below two data sets.

    References
    ----------
    T. Hesterberg, "What teachers should know about the bootstrap", The American Statistician 69 (2015), 371-386.
    """
    from scipy import stats

    table = np.sort(np.asarray(ranks, dtype=float), axis=0)
    if table.ndim != 2:
        raise ValueError(f"ranks has to be data sets × methods, found shape {table.shape}")
    n, k = table.shape
    if n < 2:
        return np.full((k, 2), np.nan)
    weights = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), size=samples)
    tail = float(stats.norm.cdf(-np.sqrt(n / (n - 1)) * stats.t.ppf((1 + level) / 2, n - 1)))
    return np.asarray(np.quantile(weights @ table / n, [tail, 1 - tail], axis=0).T)


def nemenyi_critical_difference(n_methods: int, n_datasets: int, alpha: float = 0.05) -> float:
    """Return how far apart two mean ranks have to be: ``CD = q_α/√2 · √(k(k+1) / 6N)``.

    Parameters
    ----------
    n_methods, n_datasets : int
        k and N.
    alpha : float
        Error rate over all pairs.

    Returns
    -------
    float
        The critical difference; q_α is the studentized range with infinite degrees of freedom.

    References
    ----------
    P. Nemenyi, "Distribution-free multiple comparisons", PhD thesis, Princeton 1963; J. Demšar, JMLR 7 (2006), 1-30.

    Examples
    --------
    >>> round(nemenyi_critical_difference(4, 14), 4)
    1.2536
    """
    from scipy import stats

    if n_methods < 2 or n_datasets < 1:
        raise ValueError(f"needs two methods and one data set, found {n_methods} and {n_datasets}")
    q = float(stats.studentized_range.ppf(1 - alpha, n_methods, np.inf))
    return float(q / np.sqrt(2) * np.sqrt(n_methods * (n_methods + 1) / (6 * n_datasets)))
