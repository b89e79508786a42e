"""The training sets that the checks use: small, made from a seed, never shared between two uses."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd


@dataclass
class Training:
    """Training rows, their classes and, for detectors of series, the series that each belongs to.

    Attributes
    ----------
    X : pandas.DataFrame or numpy.ndarray of shape (n_rows, n_features)
    y : array-like of shape (n_rows,)
    series : numpy.ndarray of shape (n_rows,) or None
        Four series of about equal length.
    """

    X: Any
    y: Any
    series: Any

    @classmethod
    def of(cls, X: Any, y: Any) -> Training:
        """Put rows into four series."""
        return cls(X, y, np.arange(len(y)) * 4 // max(1, len(y)))

    @property
    def n(self) -> int:
        """Number of rows."""
        return len(self.y)

    def copy(self) -> Training:
        """Return rows of their own memory."""
        return copy.deepcopy(self)

    def probabilities(self) -> np.ndarray:
        """Return probabilities of 50 rows for the classes 0 to the highest code, shape (50, K)."""
        return np.random.default_rng(7).dirichlet(np.ones(int(np.max(self.y)) + 1), size=50)


def labels(minority: int, majority: int, rng: np.random.Generator) -> np.ndarray:
    """Return shuffled codes, 1 the rarer."""
    return rng.permutation(np.repeat([0, 1], [majority, minority]))


def numeric(minority: int = 20, columns: int = 3, seed: int = 0, majority: int = 60) -> Training:
    """Return two overlapping classes, 1 the rarer, with numeric columns of very different scale named a, b, c, ..."""
    rng = np.random.default_rng(seed)
    y = labels(minority, max(majority, minority), rng)
    scale, centre = np.resize([1.0, 100.0, 0.01], columns), np.resize([0.0, 1e4, 0.1], columns)
    X = rng.normal(size=(len(y), columns)) * scale + centre
    # the wider the table, the less each column tells: the classes overlap in any number of columns
    X[y == 1] += 0.8 * scale * np.sqrt(3 / columns)
    names = [chr(97 + j) if j < 26 else f"column {j}" for j in range(columns)]
    return Training.of(pd.DataFrame(X, columns=names), y)


def standard(minority: int = 40) -> Training:
    """Return the table on which the time is taken: 200 rows, 5 columns, a fifth of the rows in class 1."""
    return numeric(minority, 5, majority=160)


def mixed(minority: int = 20, *, numbers: bool = True) -> Training:
    """Return numeric columns beside an ordered category, one of them never used, and one whose categories are numbers.

    Without `numbers` only the categorical columns.
    """
    table = numeric(minority)
    rng = np.random.default_rng(1)
    n = table.n
    level = pd.Categorical(rng.choice(["low", "mid"], n), categories=["low", "mid", "never"], ordered=True)
    digit = pd.Categorical(rng.choice([3, 1, 2], n), categories=[3, 1, 2])
    X = table.X if numbers else table.X[[]].copy()
    X.insert(len(X.columns) // 2, "level", level)
    X["digit"] = digit
    return Training.of(X, table.y)


def three_classes(codes: tuple[int, int, int] = (0, 1, 2), smallest: int = 12) -> Training:
    """Return three overlapping classes with 40, 20 and 12 rows (at least `smallest`), in two columns."""
    rng = np.random.default_rng(0)
    rows = [max(count, smallest) for count in (40, 20, 12)]
    place = rng.permutation(np.repeat([0, 1, 2], rows))
    X = rng.normal(size=(len(place), 2)) + place[:, None] * 0.3
    return Training.of(pd.DataFrame(X, columns=["a", "b"]), np.asarray(codes)[place])
