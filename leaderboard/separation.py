"""What the tests tell apart: all pairs, ranks with intervals, sensitivity to failures, the critical difference."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd

from .aggregate import draw_table
from .comparison import Comparison
from .pairs import MOST_IN_DIAGRAM, CriticalDifference, WinMatrix, critical_difference
from .ranks import average_ranks
from .results import Results, higher_is_better


@dataclass(frozen=True)
class Separation:
    """All pairs of the ranked methods.

    Attributes
    ----------
    matrix : WinMatrix
        In the order of the leaderboard.
    ranks : pandas.DataFrame
        One row per method in that order: method, mean_rank, low, high (95 % bootstrap interval over data sets; NaN for
        one data set), shared (place, shared where nothing separates), worst_rank (mean rank if every failed draw took
        the worst score of its draw), moved (whether its place in the order of mean ranks would change).
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
        """Return one row per pair, the higher place first: a, b, wins, ties, losses, delta, p, p_holm, resolution."""
        found = self.matrix
        tables = {
            name: table.to_numpy()
            for name, table in (
                *(("wins", found.wins), ("ties", found.ties), ("losses", found.losses), ("delta", found.delta)),
                *(("p", found.p), ("p_holm", found.p_holm), ("resolution", found.resolutions)),
            )
        }
        rows = [
            {"a": found.methods[i], "b": found.methods[j]} | {name: one[i, j] for name, one in tables.items()}
            for i, j in combinations(range(len(found.methods)), 2)
        ]
        return pd.DataFrame(rows, columns=["a", "b", *tables])


def separation(results: Results, comparison: Comparison) -> Separation | None:
    """Sum up what is told apart among the ranked methods.

    Parameters
    ----------
    results : Results
        The results.
    comparison : Comparison
        A comparison of all of them.

    Returns
    -------
    Separation or None
        None where fewer than two methods are ranked, or the comparison is exploratory: then there are no p-values.
    """
    matrix, order = comparison.pairs, comparison.ranked
    if matrix is None or len(order) < 2:
        return None
    draws = draw_table(results.scores, comparison.metric, comparison.baseline)
    higher = higher_is_better(comparison.metric)
    worst = average_ranks(draws.worst_case().scores[order], higher_is_better=higher).mean(axis=0)
    table = comparison.table.set_index("method").loc[order]
    ranks = pd.DataFrame(
        {
            "method": order,
            **{name: table[column].to_numpy(dtype=float) for name, column in _COLUMNS.items()},
            "shared": table["tied_rank"].astype(int).to_numpy(),
            "worst_rank": worst,
            "moved": _places(table["mean_rank"].to_numpy(dtype=float)) != _places(worst),
        }
    )
    diagram, note = _diagram(draws.scores[order], comparison, higher)
    return Separation(matrix, ranks, int((draws.states[order] == "failed").to_numpy().sum()), diagram, note)


_COLUMNS = {"mean_rank": "mean_rank", "low": "rank_low", "high": "rank_high"}


def _places(ranks: np.ndarray) -> np.ndarray:
    """Return the place of each in the order; equal mean ranks share one."""
    return (ranks[None, :] < ranks[:, None] - 1e-9).sum(axis=1)


def _diagram(scores: pd.DataFrame, comparison: Comparison, higher: bool) -> tuple[CriticalDifference | None, str]:
    """Return the critical difference of all ranked methods, or of those that are no controls where all are too many.

    Who is left out is decided by role, never by result: a diagram of the best would not keep its error rate.
    """
    if comparison.n_datasets < 2:
        return None, "A critical-difference diagram needs two data sets or more."
    if comparison.diagram is not None:
        return comparison.diagram, "All ranked methods."
    table, names = comparison.table, list(scores.columns)
    kept = {comparison.baseline, comparison.reference} | set(table.loc[~table["is_control"], "method"])
    chosen = [name for name in names if name in kept]
    left = f"{len(names)} ranked methods are too many for a critical-difference diagram, which holds {MOST_IN_DIAGRAM}"
    if not 2 < len(chosen) <= MOST_IN_DIAGRAM:
        return None, f"{left}. The intervals of ranks above have no such limit."
    who = "the methods that are no controls, the baseline and plain copies, ranked among each other"
    return critical_difference(scores[chosen], higher), f"{left}: this one has {who}."
