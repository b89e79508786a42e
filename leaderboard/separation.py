"""What the tests tell apart: all pairs, ranks with intervals, sensitivity to failures, the critical difference."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd

from .aggregate import DrawTable, draw_table
from .comparison import Comparison
from .contrast import Contrast, Design
from .pairs import MOST_IN_DIAGRAM, CriticalDifference, WinMatrix, critical_difference, win_matrix
from .ranks import average_ranks, rank_intervals
from .results import Results, higher_is_better
from .statistics import TTest


@dataclass(frozen=True)
class Separation:
    """All pairs of the ranked methods.

    Attributes
    ----------
    matrix : WinMatrix
        In the order of mean ranks, best first.
    ranks : pandas.DataFrame
        One row per method in that order: method, mean_rank, low, high (95 % bootstrap interval over data sets; NaN for
        one data set), shared (rank, shared where nothing separates), worst_rank (mean rank if every failed draw took
        the worst score of its draw), moved (whether its place in the order would change).
    n_failed : int
        Failed draws of ranked methods.
    diagram : CriticalDifference or None
        Numbers of the critical-difference diagram, where one can be drawn.
    diagram_note : str
        Of which methods it is, or why there is none.
    """

    matrix: WinMatrix
    ranks: pd.DataFrame
    n_failed: int
    diagram: CriticalDifference | None
    diagram_note: str

    @property
    def n_moved(self) -> int:
        """How many methods would change their place if failures took the worst score."""
        return int(self.ranks["moved"].sum())

    @property
    def smallest(self) -> float:
        """The smallest difference, in points, between two methods that are told apart; NaN where none are."""
        sizes = self.matrix.delta.abs().where(self.matrix.separated)
        return float(np.nanmin(sizes)) if self.matrix.n_separated else float("nan")

    def pairs(self) -> pd.DataFrame:
        """Return one row per pair, the higher rank first: a, b, wins, ties, losses, delta, p, p_holm, resolution."""
        found = self.matrix
        tables = {
            name: table.to_numpy()
            for name, table in (
                *(("wins", found.wins), ("ties", found.ties), ("losses", found.losses), ("delta", found.delta)),
                *(("p", found.p), ("p_holm", found.p_holm), ("resolution", found.resolutions)),
            )
        }
        places = list(combinations(range(len(found.methods)), 2))
        rows = [
            {"a": found.methods[i], "b": found.methods[j]} | {name: one[i, j] for name, one in tables.items()}
            for i, j in places
        ]
        return pd.DataFrame(rows, columns=["a", "b", "wins", "ties", "losses", "delta", "p", "p_holm", "resolution"])


def separation(results: Results, comparison: Comparison) -> Separation | None:
    """Compare all ranked methods with each other.

    Parameters
    ----------
    results : Results
        The results.
    comparison : Comparison
        A comparison of all of them: gives the metric, the baseline and who is ranked.

    Returns
    -------
    Separation or None
        None where fewer than two methods are ranked, or the comparison is exploratory: then there are no p-values.
    """
    table = comparison.table
    ranked = table.loc[table["mean_rank"].notna(), ["method", "mean_rank"]]
    if len(ranked) < 2 or not comparison.confirmatory:
        return None
    order = [str(name) for name in ranked.sort_values(["mean_rank", "method"])["method"]]
    draws = draw_table(results.scores, comparison.metric, comparison.baseline)
    higher = higher_is_better(comparison.metric)
    scores = draws.scores[order]
    test = _test_of(results, comparison, draws) if comparison.n_datasets == 1 else None
    matrix = win_matrix(scores, higher, test)
    ranks = _ranks(draws, order, matrix, higher)
    diagram, note = _diagram(scores, table, comparison, higher)
    failed = int((draws.states[order] == "failed").to_numpy().sum())
    return Separation(matrix, ranks, failed, diagram, note)


def _test_of(results: Results, comparison: Comparison, draws: DrawTable) -> Callable[[str, str], TTest]:
    """Return the test of a pair on a single data set, over its draws."""
    design, dataset = Design.of(results, results.scores, comparison.baseline), comparison.datasets[0]

    def test(method: str, other: str) -> TTest:
        return Contrast(draws, other, design).on_dataset(method, dataset)

    return test


def _ranks(draws: DrawTable, order: list[str], matrix: WinMatrix, higher: bool) -> pd.DataFrame:
    """Return mean ranks with intervals, and what they would be if failures took the worst score."""
    by_dataset = average_ranks(draws.scores[order], higher_is_better=higher)
    ends = rank_intervals(by_dataset)
    worst = average_ranks(draws.worst_case().scores[order], higher_is_better=higher).mean(axis=0)
    usual, shared = by_dataset.mean(axis=0), matrix.shared_ranks()
    return pd.DataFrame(
        {
            "method": order,
            "mean_rank": usual,
            "low": ends[:, 0],
            "high": ends[:, 1],
            "shared": [shared[name] for name in order],
            "worst_rank": worst,
            "moved": _places(usual) != _places(worst),
        }
    )


def _places(ranks: np.ndarray) -> np.ndarray:
    """Return the place of each in the order; equal mean ranks share one."""
    return (ranks[None, :] < ranks[:, None] - 1e-9).sum(axis=1)


def _diagram(
    scores: pd.DataFrame, table: pd.DataFrame, comparison: Comparison, higher: bool
) -> tuple[CriticalDifference | None, str]:
    """Return the critical difference of all ranked methods, or of those that are no controls where all are too many.

    Who is left out is decided by role, never by result: a diagram of the best would not keep its error rate.
    """
    if comparison.n_datasets < 2:
        return None, "A critical-difference diagram needs two data sets or more."
    names = list(scores.columns)
    if len(names) <= MOST_IN_DIAGRAM:
        return critical_difference(scores, higher), "All ranked methods."
    kept = {comparison.baseline, comparison.reference} | set(table.loc[~table["is_control"], "method"])
    chosen = [name for name in names if name in kept]
    left = f"{len(names)} ranked methods are too many for a critical-difference diagram, which holds {MOST_IN_DIAGRAM}"
    if not 2 < len(chosen) <= MOST_IN_DIAGRAM:
        return None, f"{left}. The intervals of ranks above say the same without that limit."
    who = "the methods that are no controls, the baseline and plain copies, ranked among each other"
    return critical_difference(scores[chosen], higher), f"{left}: this one has {who}."
