"""Posterior probabilities of a difference: better, practically equivalent, worse."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from .statistics import TTest

#: half width, in points, of the region of practical equivalence: what lies within does not matter
ROPE = 0.5


@dataclass(frozen=True)
class Posterior:
    """Probabilities that a difference is practically better, equivalent or worse; they add up to 1."""

    better: float
    equivalent: float
    worse: float


def finite(values: npt.ArrayLike, name: str) -> npt.NDArray[np.float64]:
    """Return a one-dimensional float array, or raise ``ValueError`` for another shape, NaN or infinity."""
    array = np.asarray(values, dtype=float)
    if array.ndim != 1:
        raise ValueError(f"{name} has to be one-dimensional, found shape {array.shape}")
    if not np.isfinite(array).all():
        raise ValueError(f"{name} has NaN or infinite values: leave out what was not measured")
    return array


def student_posterior(test: TTest, rope: float, level: float = 0.95) -> Posterior:
    """Return the Bayesian reading of a t-test: the difference has a Student posterior around its mean.

    With a flat prior the posterior of the mean is ``mean + error · t(df)``, the error being that of the test. Of
    `corrected_resampled_t` it is the Bayesian correlated t-test.

    Parameters
    ----------
    test : TTest
        With its interval.
    rope : float
        Half width of the region within which a difference does not matter, in the unit of the test.
    level : float
        Coverage of the test's interval.

    Returns
    -------
    Posterior
        Probabilities of better, equivalent, worse; NaN where the test has no spread.

    References
    ----------
    G. Corani and A. Benavoli, "A Bayesian approach for comparing cross-validated algorithms on multiple data sets",
    Machine Learning 100 (2015), 285-304.

    Examples
    --------
    >>> from augbench.leaderboard.statistics import paired_t
    >>> found = student_posterior(paired_t([2.0, 3.0, 4.0, 3.0]), rope=0.5)
    >>> print(f"{found.better:.3f} {found.equivalent:.3f} {found.worse:.3f}")
    0.996 0.003 0.002
    """
    from scipy import stats

    if not test.high > test.low:
        return Posterior(np.nan, np.nan, np.nan)
    error = (test.high - test.mean) / stats.t.ppf((1 + level) / 2, test.df)
    better = float(stats.t.sf((rope - test.mean) / error, test.df))
    worse = float(stats.t.cdf((-rope - test.mean) / error, test.df))
    return Posterior(better, max(0.0, 1 - better - worse), worse)


@lru_cache(maxsize=1)
def _weights(alpha: tuple[float, ...], samples: int, seed: int) -> npt.NDArray[np.float64]:
    """Return samples of a Dirichlet distribution; the methods of a leaderboard have the same data sets."""
    weights = np.random.default_rng(seed).dirichlet(alpha, size=samples)
    weights.flags.writeable = False
    return weights


def bayesian_signed_rank(
    differences: npt.ArrayLike, rope: float = ROPE, strength: float = 0.5, samples: int = 20_000, seed: int = 0
) -> Posterior:
    """Bayesian signed-rank test with a region of practical equivalence.

    A Dirichlet process over the differences with prior strength s at a pseudo-observation 0. With weights
    ``w ~ Dirichlet(s, 1, …, 1)`` the mass of Walsh averages right of the region is
    ``θ_right = Σ_ij w_i w_j [z_i + z_j > 2·rope]``, likewise left and inside. Each probability is the share of samples
    in which that mass is the largest.

    Parameters
    ----------
    differences : array-like of shape (D,)
        One difference per data set, in the unit of `rope` (points).
    rope : float
        Half width of the region within which a difference does not matter.
    strength : float
        Prior strength s.
    samples : int
        Samples of the weights.
    seed : int
        Seed of the samples: the same input gives the same probabilities.

    Returns
    -------
    Posterior
        Probabilities of better, equivalent, worse; NaN where there are no differences.

    References
    ----------
    A. Benavoli et al., "A Bayesian Wilcoxon signed-rank test based on the Dirichlet process", ICML 2014; A. Benavoli
    et al., "Time for a change", JMLR 18 (2017), 1-36.
    """
    array = finite(differences, "differences")
    if len(array) == 0:
        return Posterior(np.nan, np.nan, np.nan)
    z = np.concatenate([[0.0], np.sort(array)])  # sorted: the order of the data sets decides nothing
    sums = z[:, None] + z[None, :]
    alpha = np.concatenate([[strength], np.ones(len(array))])
    weights = _weights(tuple(alpha), samples, seed)
    right = ((weights @ (sums > 2 * rope)) * weights).sum(axis=1)
    left = ((weights @ (sums < -2 * rope)) * weights).sum(axis=1)
    inside = 1 - right - left
    better = float(((right > inside) & (right > left)).mean())
    worse = float(((left > inside) & (left > right)).mean())
    return Posterior(better, max(0.0, 1 - better - worse), worse)
