"""A training set as the generators' packages take it, and their rows as rows of the table."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

#: what the class column is called inside the packages
CLASS = "class"


class PackageTable:
    """A training set in plain types and under plain names, and the way back.

    The packages see the class column first, as `CLASS`, then the columns as ``x0``, ``x1``, ...: numbers as int64 or
    float64, everything else (text, categories, booleans, the class) as text. The names are always these, whatever the
    table's own: rdt, which both packages transform with, seeds itself by the name of a column, and rows must not depend
    on that. The class stands first because ctgan 0.12 conditions on the first discrete column, whichever it is asked
    for (`DataSampler.generate_cond_from_condition_column_info` reads offsets that are never filled in).

    Parameters
    ----------
    X : pandas.DataFrame of shape (n_rows, n_features)
        Training rows, nothing missing.
    y : numpy.ndarray of shape (n_rows,)
        Class labels.

    Attributes
    ----------
    frame : pandas.DataFrame of shape (n_rows, 1 + n_features)
        What the packages see.
    discrete : list of str
        Its columns of text, the class first.
    class_text : dict
        How each class is written in the class column.
    """

    def __init__(self, X: pd.DataFrame, y: np.ndarray) -> None:
        self.y = np.asarray(y)
        labels = np.unique(self.y)
        texts = _texts(labels)
        self.class_text: dict[Any, str] = dict(zip(labels.tolist(), texts, strict=True))
        columns: dict[str, Any] = {CLASS: np.array(texts, dtype=object)[np.searchsorted(labels, self.y)]}
        self._columns: dict[str, pd.Series] = {}
        self._levels: dict[str, tuple[Any, dict[str, int]]] = {}
        for j in range(X.shape[1]):
            name, column = f"x{j}", X.iloc[:, j].reset_index(drop=True)
            self._columns[name] = column
            if pd.api.types.is_numeric_dtype(column.dtype) and not pd.api.types.is_bool_dtype(column.dtype):
                columns[name] = column.to_numpy(dtype=_plain(column))
            else:
                codes, levels = pd.factorize(column)
                texts = _texts(levels)
                self._levels[name] = pd.Series(levels).array, {text: i for i, text in enumerate(texts)}
                columns[name] = np.array(texts, dtype=object)[codes]
        self.frame = pd.DataFrame(columns)
        self.discrete = [CLASS, *self._levels]

    def of_class(self, label: Any) -> tuple[pd.DataFrame, list[str]]:
        """Return the rows of one class without the class column, and their discrete columns."""
        rows = self.frame.loc[self.y == label].drop(columns=CLASS).reset_index(drop=True)
        return rows, self.discrete[1:]

    def usable(self, rows: pd.DataFrame, label: Any = None) -> np.ndarray:
        """Tell which rows have a finite number or a known level in every column and, if one is given, this label."""
        good = np.ones(len(rows), dtype=bool)
        if label is not None:
            good &= (rows[CLASS] == self.class_text[label]).to_numpy()
        for name in self._columns:
            if name in self._levels:
                good &= rows[name].isin(self._levels[name][1]).to_numpy()
            else:
                good &= np.isfinite(rows[name].to_numpy(dtype=float))
        return good

    def back(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Return usable rows in the table's own dtypes, categories and levels, columns named 0, 1, ...

        Whole numbers stay within what their dtype holds. A column that is constant in the training rows keeps that
        value exactly: ctgan's mixtures give it a small variance.
        """
        columns: list[pd.Series] = []
        for name, column in self._columns.items():
            if name in self._levels:
                levels, written = self._levels[name]
                values = levels.take([written[text] for text in rows[name]])
            elif column.nunique() == 1:
                values = column.array.take(np.zeros(len(rows), dtype=int))
            else:
                values = rows[name].to_numpy(dtype=_plain(column))
                if pd.api.types.is_integer_dtype(column.dtype):
                    held = np.iinfo(getattr(column.dtype, "numpy_dtype", column.dtype))
                    values = values.clip(held.min, min(held.max, np.iinfo(np.int64).max))
            columns.append(pd.Series(values, dtype=column.dtype))
        return pd.concat(columns, axis=1, ignore_index=True)


def _plain(column: pd.Series) -> type:
    """Return the plain type that the packages see of a column of numbers."""
    return np.int64 if pd.api.types.is_integer_dtype(column.dtype) else np.float64


def _texts(values: Any) -> list[str]:
    """Return values as text: as they print, or numbered if two of them print alike."""
    texts = [str(value) for value in values]
    return texts if len(set(texts)) == len(texts) else [str(i) for i in range(len(texts))]
