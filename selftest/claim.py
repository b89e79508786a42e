"""A claim about the benchmark, what was found of it, and the numbers behind it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import binomtest, t

from ..leaderboard.comparison import Comparison
from ..leaderboard.results import Results


@dataclass(frozen=True)
class Finding:
    """One claim that was put to the test.

    Attributes
    ----------
    claim : str
        What is claimed, for a reader.
    expected, found : str
        In words and numbers.
    passed : bool
        Whether what was found is what was expected.
    """

    claim: str
    expected: str
    found: str
    passed: bool


@dataclass(frozen=True)
class Table:
    """Numbers that a group shows beside its findings.

    Attributes
    ----------
    title, note : str
        What it is about, and what else has to be said; the note may be empty.
    head : tuple of str
        Of the columns, that of the rows' names first.
    rows : tuple of tuple of str
        Each with its name first.
    marked : frozenset of (int, int)
        Row and column of the cells that stand out; the note says why.
    """

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    marked: frozenset[tuple[int, int]] = frozenset()
    note: str = ""


def share_within(claim: str, hits: int, trials: int, rate: float, *, at_most: bool = False) -> Finding:
    """Hold a share against a rate: the rate has to lie in the share's 95 % interval (Clopper and Pearson).

    Parameters
    ----------
    claim : str
        See `Finding`.
    hits, trials : int
        How often it happened, out of how many.
    rate : float
        How often it should.
    at_most : bool
        Less is as good: only the lower end of the interval counts.

    Examples
    --------
    >>> share_within("wrong", 6, 100, 0.05).found
    '6 of 100, 6.0 % [2.2, 12.6]'
    >>> share_within("wrong", 15, 100, 0.05).passed
    False
    """
    interval = binomtest(hits, trials).proportion_ci(0.95)
    found = f"{hits} of {trials}, {100 * hits / trials:.1f} % [{100 * interval.low:.1f}, {100 * interval.high:.1f}]"
    passed = bool(interval.low <= rate and (at_most or rate <= interval.high))
    return Finding(claim, f"{'at most ' if at_most else ''}{100 * rate:g} %", found, passed)


def mean_near(claim: str, values: npt.ArrayLike, truth: float) -> Finding:
    """Hold the mean of independent shares against the truth: it has to lie in the mean's 99.9 % interval (Student's t).

    Parameters
    ----------
    claim : str
        See `Finding`.
    values : array-like of shape (n,)
        One for each draw, as a share: the finding is in points.
    truth : float
        What their mean should be.
    """
    found = 100 * np.asarray(values, dtype=float)
    half = t.ppf(0.9995, len(found) - 1) * found.std(ddof=1) / np.sqrt(len(found))
    words = f"{found.mean():.2f} [{found.mean() - half:.2f}, {found.mean() + half:.2f}], {len(found)} draws"
    return Finding(claim, f"{100 * truth:.2f} points", words, bool(abs(found.mean() - 100 * truth) <= half))


def row_of(comparison: Comparison, method: str) -> dict[str, Any]:
    """Return the row of a method in a leaderboard's table, by column."""
    table = comparison.table
    return dict(table[table["method"] == method].iloc[0])


def by_draw(results: Results, metric: str) -> pd.DataFrame:
    """Return a metric on one data set with one classifier: a row for each draw, a column for each method."""
    return results.scores.pivot(index="draw", columns="method", values=metric)
