"""The table encoder of the neural methods: a table to a float matrix and back."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from sklearn.preprocessing import QuantileTransformer

from ...errors import InputError
from ..contract import column_positions
from .categories import CategoryColumn, choose

NUMERIC = ("minmax", "quantile", "standard")
MISSING = ("refuse", "mask")

#: an empirical distribution function is kept by at most so many points, as scikit-learn does by default
QUANTILES = 1000


class TableEncoder:
    """Rows of a table as rows of a float64 matrix for a network, and the way back.

    The matrix has the numeric columns first, in the order of the table, then a one-hot group for each categorical or
    text column, then, with ``missing="mask"``, an indicator group (observed, missing) for each numeric column that has
    gaps in the training rows. Bool columns are numeric: 0 and 1. All is learnt from the training rows.

    Parameters
    ----------
    numeric : {"minmax", "quantile", "standard"}, default="minmax"
        Numeric columns as their place in the training range (0 to 1), as their empirical distribution function (0 to
        1), or with mean 0 and standard deviation 1. A constant column is 0.5, with "standard" 0.
    missing : {"refuse", "mask"}, default="refuse"
        A missing cell is an error, or is told to the network and decoded to a missing cell: a numeric gap holds the
        column's mean and its indicator says so, a categorical gap is a category of its own.
    clip : bool, default=True
        Whether decoded numbers are clipped to the training range. False is allowed with "standard" only.

    Attributes
    ----------
    layout : tuple of (int, tuple of int)
        Number of numeric columns, and the sizes of all groups: tables with equal layouts fit one network.
    width : int
        Columns of the matrix.
    groups : list of slice
        Where each group stands in the matrix: the categorical ones, then the indicators.

    Raises
    ------
    InputError
        A parameter has a value that is not allowed.

    Examples
    --------
    >>> X = pd.DataFrame({"size": [1.0, 2.5, 5.0], "hue": pd.Categorical(["red", "blue", "red"])})
    >>> encoder = TableEncoder().fit(X)
    >>> encoder.layout, encoder.groups
    ((1, (2,)), [slice(1, 3, None)])
    >>> encoder.encode(X)
    array([[0.   , 0.   , 1.   ],
           [0.375, 1.   , 0.   ],
           [1.   , 0.   , 1.   ]])
    >>> encoder.decode(np.array([[0.5, 0.2, 0.8]]))
       size  hue
    0   3.0  red
    """

    layout: tuple[int, tuple[int, ...]]
    width: int
    groups: list[slice]

    def __init__(self, numeric: str = "minmax", missing: str = "refuse", clip: bool = True) -> None:
        for name, value, allowed in (("numeric", numeric, NUMERIC), ("missing", missing, MISSING)):
            if value not in allowed:
                raise InputError(f"{name} must be one of {', '.join(allowed)}; found {value!r}")
        if not clip and numeric != "standard":
            raise InputError(f"clip=False goes with numeric='standard' only; found numeric='{numeric}'")
        self.numeric = numeric
        self.missing = missing
        self.clip = clip

    def fit(self, X: pd.DataFrame) -> TableEncoder:
        """Learn columns, ranges and categories from training rows.

        Parameters
        ----------
        X : pandas.DataFrame of shape (n_rows, n_features)
            At least one row. Column names may be anything, also twice the same.

        Returns
        -------
        TableEncoder
            This object.

        Raises
        ------
        ValueError
            No rows; a dtype that is neither number, category nor text; an infinite cell; with ``missing="refuse"`` a
            missing cell.
        """
        if len(X) == 0:
            raise ValueError("the table has no rows to learn the encoding from")
        self.columns = X.columns
        self.dtypes = list(X.dtypes)
        self._numbers, self._texts = column_positions(X)
        self._refuse_dtypes()
        values, gaps = self._numeric_values(X)
        gaps_at = [j for i, j in enumerate(self._numbers) if gaps[:, i].any()]
        gaps_at += [j for j in self._texts if X.iloc[:, j].isna().any()]
        self._refuse_gaps(gaps_at if self.missing == "refuse" else [], "missing (NaN) cells in: {}; impute them first")
        self._masked = [i for i in range(len(self._numbers)) if gaps[:, i].any()]
        self._categories = [CategoryColumn.fit(X.iloc[:, j]) for j in self._texts]
        self._fit_numbers(values, gaps)
        sizes = [len(column) for column in self._categories] + [2] * len(self._masked)
        ends = len(self._numbers) + np.cumsum([0, *sizes])
        self.groups = [slice(int(a), int(b)) for a, b in pairwise(ends)]
        self.layout = (len(self._numbers), tuple(sizes))
        self.width = int(ends[-1])
        return self

    def encode(self, X: pd.DataFrame, *, unseen_is_missing: bool = False) -> np.ndarray:
        """Return rows as a matrix.

        Parameters
        ----------
        X : pandas.DataFrame of shape (n_rows, n_features)
            The columns of the training rows.
        unseen_is_missing : bool, default=False
            A missing category stands for one that the training rows did not have, as in the rows that a detector
            scores, and is no error.

        Returns
        -------
        numpy.ndarray of shape (n_rows, width), float64
            A category that the training rows did not have is all zeros in its group. Numbers outside the training range
            leave 0 to 1 with "minmax"; with "quantile" they are 0 or 1.

        Raises
        ------
        ValueError
            Other columns, an infinite cell, or a missing cell in a column that had none in training (of a category see
            `unseen_is_missing`).
        """
        if not X.columns.equals(self.columns):
            found, known = ", ".join(map(str, X.columns)), ", ".join(map(str, self.columns))
            raise ValueError(f"the table has the columns {found}; the encoder learnt {known}")
        values, gaps = self._numeric_values(X)
        new = [j for i, j in enumerate(self._numbers) if i not in self._masked and gaps[:, i].any()]
        coded = [column.codes(X.iloc[:, j]) for column, j in zip(self._categories, self._texts, strict=True)]
        new += [
            j
            for j, column in zip(self._texts, self._categories, strict=True)
            if not (column.has_gaps or unseen_is_missing) and X.iloc[:, j].isna().any()
        ]
        self._refuse_gaps(new, "missing (NaN) cells in: {}, which had none in the training rows")
        encoded = np.zeros((len(X), self.width))
        encoded[:, : len(self._numbers)] = self._scaled(np.where(gaps, self._mean, values))
        coded += [gaps[:, i].astype(int) for i in self._masked]
        for group, codes in zip(self.groups, coded, strict=True):
            encoded[:, group] = codes[:, None] == np.arange(group.stop - group.start)
        return encoded

    def decode(self, values: np.ndarray, rng: np.random.Generator | None = None) -> pd.DataFrame:
        """Return a matrix as rows of the table: its columns in their order, its dtypes and categories.

        Parameters
        ----------
        values : numpy.ndarray of shape (n_rows, width)
            Groups hold non-negative weights; they need not sum to 1. A group without any weight counts as equal
            weights.
        rng : numpy.random.Generator, optional
            Categories and gaps are drawn by their weights; without it the largest weight wins, the first on a tie.

        Returns
        -------
        pandas.DataFrame of shape (n_rows, n_features)
            Numbers are clipped to the training range (unless ``clip=False``), whole where all of the training rows are,
            and a category is always one that the training rows have.

        Raises
        ------
        ValueError
            A wrong shape, a value that is not finite, or a negative weight; the message names the column.
        """
        values = np.asarray(values, dtype=float)
        if values.ndim != 2 or values.shape[1] != self.width:
            raise ValueError(f"decode takes an array of shape (n_rows, {self.width}); found {values.shape}")
        n_numeric = len(self._numbers)
        self._check(values)
        numbers = self._unscaled(values[:, :n_numeric])
        chosen = [choose(values[:, group], rng) for group in self.groups]
        for i, missing in zip(self._masked, chosen[len(self._categories) :], strict=True):
            numbers[(missing == 1) | self._empty[i], i] = np.nan
        columns: dict[int, Any] = {j: as_dtype(numbers[:, i], self.dtypes[j]) for i, j in enumerate(self._numbers)} | {
            j: column.values(codes) for j, column, codes in zip(self._texts, self._categories, chosen, strict=False)
        }
        frame = pd.DataFrame({j: columns[j] for j in range(len(self.columns))}, index=pd.RangeIndex(len(values)))
        frame.columns = self.columns
        return frame

    def _fit_numbers(self, values: np.ndarray, gaps: np.ndarray) -> None:
        """Learn range, mean, wholeness and spread of the numeric columns, shape (n_rows, n_numeric)."""
        self._empty = np.asarray(gaps.all(axis=0))
        seen = np.where(gaps & self._empty, 0.0, values)
        self._low, self._high = np.nanmin(seen, axis=0), np.nanmax(seen, axis=0)
        # halves and a mean of places in the range: a range of 1e308 does not overflow
        self._half = self._high / 2 - self._low / 2
        self._constant = self._half == 0
        self._mean = self._at(np.nanmean(self._place(seen), axis=0))
        self._whole = ((seen == np.rint(seen)) | gaps).all(axis=0)
        place = self._place(np.where(gaps, self._mean, values))
        varied = ~self._constant
        if self.numeric == "standard":
            self._centre, self._spread = place.mean(axis=0), np.where(varied, place.std(axis=0), 1.0)
        elif self.numeric == "quantile" and varied.any():
            self._quantiles = QuantileTransformer(n_quantiles=min(QUANTILES, len(values)), subsample=None)
            self._quantiles.fit(place[:, varied])

    def _place(self, values: np.ndarray) -> np.ndarray:
        """Return places in the training range, 0 to 1; 0.5 in a constant column."""
        place = (values / 2 - self._low / 2) / np.where(self._constant, 1.0, self._half)
        return np.where(self._constant, 0.5, place)

    def _at(self, place: np.ndarray) -> np.ndarray:
        """Return the numbers at places of the training range."""
        return np.where(self._constant, self._low, self._low * (1 - place) + self._high * place)

    def _scaled(self, values: np.ndarray) -> np.ndarray:
        place = self._place(values)
        varied = ~self._constant
        if self.numeric == "standard":
            return (place - self._centre) / self._spread
        if self.numeric == "quantile" and varied.any() and len(place):
            place[:, varied] = self._quantiles.transform(place[:, varied])
        return place

    def _unscaled(self, encoded: np.ndarray) -> np.ndarray:
        place = encoded.copy()
        varied = ~self._constant
        if self.numeric == "standard":
            place = place * self._spread + self._centre
        elif self.numeric == "quantile" and varied.any() and len(place):
            place[:, varied] = self._quantiles.inverse_transform(np.clip(place[:, varied], 0.0, 1.0))
        if self.clip:
            place = np.clip(place, 0.0, 1.0)
        values = self._at(place)
        if self.clip:
            values = np.clip(values, self._low, self._high)
        return np.where(self._whole, np.rint(values), values)

    def _numeric_values(self, X: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
        """Return the numeric columns and where they have gaps, both of shape (n_rows, n_numeric)."""
        values = np.empty((len(X), len(self._numbers)))
        for i, j in enumerate(self._numbers):
            values[:, i] = X.iloc[:, j].to_numpy(dtype=float, na_value=np.nan)
        infinite = np.asarray(np.isinf(values).any(axis=0))
        self._refuse_gaps([j for i, j in enumerate(self._numbers) if infinite[i]], "infinite cells in: {}")
        return values, np.isnan(values)

    def _refuse_dtypes(self) -> None:
        for j, dtype in enumerate(self.dtypes):
            text = isinstance(dtype, pd.CategoricalDtype) or pd.api.types.is_string_dtype(dtype)
            number = j in self._numbers and not pd.api.types.is_complex_dtype(dtype)
            if not (text or number):
                raise ValueError(
                    f"column '{self.columns[j]}' has dtype {dtype}; allowed are numbers, categories and text"
                )

    def _refuse_gaps(self, positions: list[int], words: str) -> None:
        if positions:
            raise ValueError(words.format(", ".join(str(self.columns[j]) for j in sorted(positions))))

    def _check(self, values: np.ndarray) -> None:
        """Raise for values that cannot be decoded, naming the first column that has one."""
        owners = [*self._texts, *(self._numbers[i] for i in self._masked)]
        places = [(slice(i, i + 1), j) for i, j in enumerate(self._numbers)]
        places += list(zip(self.groups, owners, strict=True))
        for place, j in places:
            part = values[:, place]
            if not np.isfinite(part).all():
                raise ValueError(f"column '{self.columns[j]}': a value to decode is not finite")
            if place in self.groups and (part < 0).any():
                raise ValueError(f"column '{self.columns[j]}': a category has a negative weight, {part.min():g}")


def as_dtype(values: np.ndarray, dtype: Any) -> Any:
    """Return numbers, gaps as NaN, as an array of a numeric column's dtype."""
    if dtype == np.float64:
        return values
    # the largest 64-bit integers are no floats: the nearest float is outside the type
    if pd.api.types.is_integer_dtype(dtype):
        limits = np.iinfo(getattr(dtype, "numpy_dtype", dtype))
        values = np.clip(values, float(limits.min), np.nextafter(float(limits.max), 0.0)).round()
    if pd.api.types.is_bool_dtype(dtype):
        values = np.clip(values, 0.0, 1.0)
    return pd.Series(values).astype(dtype).array
