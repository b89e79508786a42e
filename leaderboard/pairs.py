"""All pairs of methods: who wins against whom, which differences are shown, and what the design could show at all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations, pairwise

import numpy as np
import pandas as pd

from ..errors import InputError
from .multiplicity import holm
from .ranks import Friedman, friedman, nemenyi_critical_difference
from .signed_rank import DECIMALS, signed_rank_interval, wilcoxon_signed_rank
from .t_tests import TTest, standard_error

#: a critical-difference diagram of more methods cannot be read
MOST_IN_DIAGRAM = 12


@dataclass(frozen=True)
class WinMatrix:
    """Every method against every other.

    Attributes
    ----------
    methods : tuple of str
        In the order that was given: rows and columns of all tables.
    wins, ties, losses : pandas.DataFrame of shape (k, k)
        On how many data sets the row's method is better than the column's, the same, worse.
    delta : pandas.DataFrame of shape (k, k)
        Mean gain of the row's method over the column's in points: above 0 is better, for losses too.
    p, p_holm : pandas.DataFrame of shape (k, k)
        Two-sided p of each pair, alone and after Holm's correction over all pairs, a family of its own; NaN on the
        diagonal.
    resolutions : pandas.DataFrame of shape (k, k)
        How large the gain would have to be for the pair to be told apart, see `resolution`; in points.
    n_datasets : int
        D.
    alpha : float
        What a corrected p is compared with.
    """

    methods: tuple[str, ...]
    wins: pd.DataFrame
    ties: pd.DataFrame
    losses: pd.DataFrame
    delta: pd.DataFrame
    p: pd.DataFrame
    p_holm: pd.DataFrame
    resolutions: pd.DataFrame
    n_datasets: int
    alpha: float

    @property
    def n_pairs(self) -> int:
        """How many pairs there are: the size of the family."""
        return len(self.methods) * (len(self.methods) - 1) // 2

    @cached_property
    def separated(self) -> pd.DataFrame:
        """Whether the two of a pair are told apart: corrected p at most alpha. Booleans of shape (k, k)."""
        return self.p_holm <= self.alpha

    @property
    def n_separated(self) -> int:
        """How many pairs are told apart."""
        return int(self.separated.to_numpy().sum()) // 2

    @property
    def n_adjacent(self) -> int:
        """How many pairs stand next to each other in the order."""
        return max(0, len(self.methods) - 1)

    @property
    def n_adjacent_separated(self) -> int:
        """How many of those are told apart."""
        return sum(bool(self.separated.at[a, b]) for a, b in pairwise(self.methods))

    @property
    def resolution(self) -> float:
        """The difference, in points, that this design tells apart in half of the pairs; infinite where in none.

        Of one pair it is half the width of the interval of its difference at level 1 − α/m, m pairs: if the mean moved
        by so much from where nothing is rejected, and the spread between data sets stayed as it is, the pair's p would
        be at most α/m, and so the corrected one at most α whatever the other pairs. The interval is that of the test:
        Hodges and Lehmann's (signed-rank) over data sets, Student's on a single one. The resolution is the median over
        pairs.
        """
        upper = self.resolutions.to_numpy()[np.triu_indices(len(self.methods), 1)]
        known = upper[~np.isnan(upper)]
        return float(np.median(known)) if len(known) else float("nan")

    def shared_ranks(self) -> dict[str, int]:
        """Return the rank of each method, shared where nothing separates.

        From the top: a rank is shared by a method and all that follow it, up to the first that is told apart from any
        of them; that one begins the next rank, which is its place in the order (1, 1, 1, 4, 4). So no two methods of a
        rank are told apart; two of different ranks need not be.
        """
        ranks: dict[str, int] = {}
        group: list[str] = []
        for place, name in enumerate(self.methods, 1):
            if any(self.separated.at[name, other] for other in group):
                group = []
            ranks[name] = ranks[group[0]] if group else place
            group.append(name)
        return ranks


def win_matrix(
    scores: pd.DataFrame,
    higher_is_better: bool = True,
    test: Callable[[str, str], TTest] | None = None,
    alpha: float = 0.05,
) -> WinMatrix:
    """Compare all pairs of methods over data sets: wins, Wilcoxon's signed-rank test, Holm over all pairs.

    Parameters
    ----------
    scores : pandas.DataFrame of shape (data sets, methods)
        One score each, as shares (not points), without gaps: leave out methods that do not have every data set. The
        columns are in the order that adjacent ranks are counted in, best first.
    higher_is_better : bool
        False for losses.
    test : callable, optional
        ``test(method, other)`` for a single data set, where the signed-rank test has nothing to say: the test over its
        draws of their difference, in shares.
    alpha : float
        Error rate over all pairs.

    Returns
    -------
    WinMatrix
        The tables. That of a subset of the methods has the same wins, differences and p; the corrected p and the
        resolution depend on the number of pairs.

    Raises
    ------
    ValueError
        The scores have gaps.

    Examples
    --------
    >>> scores = pd.DataFrame({"a": [0.9, 0.8, 0.7], "b": [0.8, 0.8, 0.6]}, index=["x", "y", "z"])
    >>> found = win_matrix(scores)
    >>> int(found.wins.at["a", "b"]), int(found.ties.at["a", "b"]), round(float(found.delta.at["a", "b"]), 2)
    (2, 1, 6.67)
    """
    if scores.isna().any().any():
        raise ValueError("scores has NaN: compare only methods that have every data set")
    names = [str(name) for name in scores.columns]
    values = scores.to_numpy(dtype=float) * (1 if higher_is_better else -1)
    k, n_pairs = len(names), len(names) * (len(names) - 1) // 2
    gains = values[:, :, None] - values[:, None, :]
    signs = np.sign(np.round(gains, DECIMALS))
    p, half = np.full((k, k), np.nan), np.full((k, k), np.nan)
    for i, j in combinations(range(k), 2):
        if test is None:
            p[i, j] = wilcoxon_signed_rank(gains[:, i, j])
            half[i, j] = np.ptp(signed_rank_interval(gains[:, i, j], 1 - alpha / n_pairs)) / 2
        else:
            found = test(names[i], names[j])
            p[i, j], half[i, j] = found.p, _half_width(found, 1 - alpha / n_pairs)
    corrected = np.full((k, k), np.nan)
    upper = np.triu_indices(k, 1)
    corrected[upper] = holm(p[upper])

    def square(table: np.ndarray) -> pd.DataFrame:
        return pd.DataFrame(table, index=names, columns=names)

    def mirrored(table: np.ndarray) -> pd.DataFrame:
        return square(np.where(np.isnan(table), table.T, table))

    return WinMatrix(
        methods=tuple(names),
        wins=square((signs > 0).sum(axis=0)),
        ties=square((signs == 0).sum(axis=0)),
        losses=square((signs < 0).sum(axis=0)),
        delta=square(100 * gains.mean(axis=0) if len(values) else np.full((k, k), np.nan)),
        p=mirrored(p),
        p_holm=mirrored(corrected),
        resolutions=100 * mirrored(half),
        n_datasets=len(values),
        alpha=alpha,
    )


def _half_width(test: TTest, level: float) -> float:
    """Return half the width of a test's interval at another level; NaN where it has none."""
    from scipy import stats

    return float(standard_error(test) * stats.t.ppf((1 + level) / 2, test.df)) if test.df > 0 else np.nan


@dataclass(frozen=True)
class CriticalDifference:
    """What a critical-difference diagram shows (Demšar 2006).

    Attributes
    ----------
    methods : tuple of str
        Best mean rank first.
    ranks : tuple of float
        Their mean ranks; 1 is best.
    critical_difference : float
        Nemenyi's: two mean ranks at least so far apart are told apart.
    groups : tuple of tuple of str
        The bars of the diagram: largest runs of methods whose mean ranks span less than that, of two methods or more.
    omnibus : Friedman
        The test that all methods are equal; where it shows nothing, nor should the diagram be read to.
    n_datasets : int
        D.
    alpha : float
        Error rate over all pairs.
    """

    methods: tuple[str, ...]
    ranks: tuple[float, ...]
    critical_difference: float
    groups: tuple[tuple[str, ...], ...]
    omnibus: Friedman
    n_datasets: int
    alpha: float


def critical_difference(scores: pd.DataFrame, higher_is_better: bool = True, alpha: float = 0.05) -> CriticalDifference:
    """Return the numbers of a critical-difference diagram: mean ranks, Nemenyi's difference, groups.

    Parameters
    ----------
    scores : pandas.DataFrame of shape (data sets, methods)
        One score each, without gaps; 2 to 12 methods, at least 2 data sets.
    higher_is_better : bool
        False for losses.
    alpha : float
        Error rate over all pairs.

    Returns
    -------
    CriticalDifference
        The numbers; methods of the same mean rank in order of name.

    Raises
    ------
    InputError
        There are too many methods to draw, or too few to compare.

    References
    ----------
    J. Demšar, "Statistical comparisons of classifiers over multiple data sets", JMLR 7 (2006), 1-30.
    """
    n, k = scores.shape
    if not 2 <= k <= MOST_IN_DIAGRAM:
        raise InputError(f"a critical-difference diagram is for 2 to {MOST_IN_DIAGRAM} methods, found {k}: choose some")
    if n < 2:
        raise InputError(f"a critical-difference diagram needs at least 2 data sets, found {n}")
    omnibus = friedman(scores, higher_is_better=higher_is_better)
    order = sorted(range(k), key=lambda i: (omnibus.ranks[i], str(scores.columns[i])))
    names = tuple(str(scores.columns[i]) for i in order)
    ranks = tuple(float(omnibus.ranks[i]) for i in order)
    distance = nemenyi_critical_difference(k, n, alpha)
    groups: list[tuple[str, ...]] = []
    reached = 0
    for first in range(k):
        last = max(i for i in range(first, k) if ranks[i] - ranks[first] < distance)
        if last > first and last >= reached:
            groups.append(names[first : last + 1])
            reached = last + 1
    return CriticalDifference(names, ranks, distance, tuple(groups), omnibus, n, alpha)
