"""Categorical and text columns of the table encoder: cells to codes and back, and the choice by weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class CategoryColumn:
    """The categories that a column has in the training rows.

    Attributes
    ----------
    dtype : object
        Of the column: categorical, object or string.
    categories : pandas.Index
        Those that occur, in the order of the dtype (text: sorted, if it can be).
    has_gaps : bool
        Whether cells are missing; the gap is then one more category, the last.
    gap : object
        A missing cell as the training rows have it (None, NaN, NA).
    """

    dtype: Any
    categories: pd.Index
    has_gaps: bool
    gap: Any = None

    @classmethod
    def fit(cls, column: pd.Series) -> CategoryColumn:
        """Learn from the training rows."""
        missing = column.isna().to_numpy()
        categories = column.astype("category").cat.remove_unused_categories().cat.categories
        gap = column[missing].iloc[0] if missing.any() else None
        return cls(column.dtype, categories, bool(missing.any()), gap)

    def __len__(self) -> int:
        return len(self.categories) + self.has_gaps

    def codes(self, column: pd.Series) -> np.ndarray:
        """Return each cell's position in the group; -1 for a category that did not occur in training."""
        values = column.astype("category").array
        known = np.append(self.categories.get_indexer(values.categories), len(self.categories) if self.has_gaps else -1)
        return known[values.codes]

    def values(self, codes: np.ndarray) -> Any:
        """Return the cells for positions in the group, as an array of the column's dtype."""
        if isinstance(self.dtype, pd.CategoricalDtype):
            own = np.append(self.dtype.categories.get_indexer(self.categories), -1)
            return pd.Categorical.from_codes(own[codes], dtype=self.dtype)
        cells = np.empty(len(self.categories) + 1, dtype=object)
        cells[:-1] = self.categories.to_numpy(dtype=object)
        cells[-1] = self.gap
        return pd.Series(cells[codes], dtype=self.dtype).array


def choose(weights: np.ndarray, rng: np.random.Generator | None = None) -> np.ndarray:
    """Choose one column for each row by its weights.

    Parameters
    ----------
    weights : numpy.ndarray of shape (n_rows, k)
        Non-negative; a row of zeros counts as equal weights.
    rng : numpy.random.Generator, optional
        Without it the largest weight wins, the first on a tie.

    Returns
    -------
    numpy.ndarray of shape (n_rows,), int
    """
    largest = weights.argmax(axis=1)
    if rng is None:
        return largest
    peak = weights.max(axis=1, keepdims=True)
    shares = np.divide(weights, peak, out=np.ones_like(weights), where=peak > 0)
    reached = shares.cumsum(axis=1)
    hit = reached > rng.random((len(weights), 1)) * reached[:, -1:]
    return np.where(hit.any(axis=1), hit.argmax(axis=1), largest)
