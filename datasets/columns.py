"""A column of any kind, read as numbers or as codes: what inspections work on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

#: what pandas calls cells of any type that are all numbers
_NUMBERS = ("integer", "floating", "mixed-integer-float", "boolean", "decimal")


@dataclass(frozen=True)
class Column:
    """One column of a table as it stands in a file.

    Attributes
    ----------
    name : str
        Its name.
    values : numpy.ndarray of shape (n_rows,), float64, or None
        The numbers, NaN = missing; None for text and categories.
    codes : numpy.ndarray of shape (n_rows,), int64
        Number of the distinct value of each row, -1 = missing; of numbers in their order, so that codes are ranks.
    distinct : sequence
        The distinct values, by their number.
    """

    name: str
    values: np.ndarray | None
    codes: np.ndarray
    distinct: Sequence[Any]

    @property
    def n_distinct(self) -> int:
        """How many distinct values there are."""
        return len(self.distinct)

    @property
    def missing(self) -> np.ndarray:
        """Which rows have no value."""
        return self.codes < 0


def read_columns(X: pd.DataFrame) -> list[Column]:
    """Return the columns of a table; cells of any type are allowed."""
    return [_read(str(name), X.iloc[:, i]) for i, name in enumerate(X.columns)]


def _read(name: str, column: pd.Series) -> Column:
    values = _numbers(column)
    distinct: Any
    if values is not None:
        codes, distinct = pd.factorize(values, sort=True)
    elif isinstance(column.dtype, pd.CategoricalDtype):
        codes, distinct = pd.factorize(column.astype(object))
    else:
        # as text, since cells may be lists or records
        codes, distinct = pd.factorize(column.map(str, na_action="ignore"))
    return Column(name, values, codes.astype(np.int64), distinct)


def _numbers(column: pd.Series) -> np.ndarray | None:
    """Return a column of numbers or truth values as float64, or None for another one."""
    kinds = pd.api.types
    if isinstance(column.dtype, pd.CategoricalDtype) or kinds.is_complex_dtype(column):
        return None
    if kinds.is_bool_dtype(column) or kinds.is_numeric_dtype(column):
        return column.to_numpy(dtype=np.float64, na_value=np.nan)
    if column.dtype == object and kinds.infer_dtype(column, skipna=True) in _NUMBERS:
        return column.map(float, na_action="ignore").to_numpy(dtype=np.float64, na_value=np.nan)
    return None


def stray_words(text: pd.Series) -> pd.Series | None:
    """Return the cells that are no number of a column of text most of whose cells are; None for another column."""
    words = text[pd.to_numeric(text, errors="coerce").isna()]
    return words if 2 * len(words) < len(text) else None
