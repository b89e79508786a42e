"""Preprocessing, fitted on the real training rows only: imputation, one-hot, scaling. And the parts of a draw."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from ..datasets.contract import Table
from .scenario import Draw, derive_seed, split_table

#: the category that a missing cell of a categorical column gets
MISSING = "(missing)"


@dataclass(frozen=True)
class Preparation:
    """Imputation and encoding, fitted on the real training rows of one part.

    Numeric cells that are missing get the median of the training rows (0 where a column has none), categorical ones
    a category of their own. Encoded rows are the numeric columns followed by the one-hot columns of the categories
    seen in training (an unseen category is all zeros).

    Attributes
    ----------
    numeric, categorical : list of str
        Columns of each kind.
    medians : numpy.ndarray of shape (n_numeric,)
    categories : dict of str to pandas.Index
        Categories seen in training, by column.
    mean, scale : numpy.ndarray of shape (n_numeric,)
        Of the imputed training rows; a constant column has scale 1.
    """

    numeric: list[str]
    categorical: list[str]
    medians: np.ndarray
    categories: dict[str, pd.Index]
    mean: np.ndarray
    scale: np.ndarray

    @classmethod
    def fit(cls, X: pd.DataFrame) -> Preparation:
        """Learn from real training rows."""
        numeric = [c for c in X.columns if pd.api.types.is_numeric_dtype(X[c])]
        categorical = [c for c in X.columns if c not in numeric]
        values = X[numeric].to_numpy(dtype=float) if categorical else X.to_numpy(dtype=float)
        gaps = np.isnan(values)
        medians = np.zeros(len(numeric))
        filled = ~gaps.all(axis=0)
        # without gaps median is twenty times faster than nanmedian
        medians[filled] = (np.nanmedian if gaps.any() else np.median)(values[:, filled], axis=0)
        values = np.where(gaps, medians, values)
        deviation = values.std(axis=0)
        tiny = deviation <= 10 * np.finfo(float).eps * np.abs(values).max(axis=0, initial=0.0)
        categories = {}
        for column in categorical:
            seen = X[column].cat.remove_unused_categories().cat.categories
            gap = pd.Index([MISSING] if X[column].isna().any() and MISSING not in seen else [])
            categories[column] = seen.append(gap.astype(seen.dtype) if len(gap) and seen.dtype != object else gap)
        return cls(numeric, categorical, medians, categories, values.mean(axis=0), np.where(tiny, 1.0, deviation))

    def complete(self, X: pd.DataFrame) -> pd.DataFrame:
        """Return the rows with nothing missing: float64 columns, and categoricals with the categories seen in training.

        A category that was not seen stays missing; only rows to be predicted can have one.
        """
        columns: dict[str, Any] = {}
        for position, name in enumerate(self.numeric):
            values = X[name].to_numpy(dtype=float)
            columns[name] = np.where(np.isnan(values), self.medians[position], values)
        for name in self.categorical:
            known = self.categories[name]
            column = X[name]
            if MISSING in known:
                # a table may have the word itself
                more = [] if MISSING in column.cat.categories else [MISSING]
                column = column.cat.add_categories(more).fillna(MISSING)
            columns[name] = column.cat.set_categories(known)
        return pd.DataFrame({name: columns[name] for name in X.columns})

    def numeric_values(self, X: pd.DataFrame) -> np.ndarray:
        """Return the numeric columns, shape (n_rows, n_numeric)."""
        # choosing columns costs more than all the arithmetic on a small table
        return (X[self.numeric] if self.categorical else X).to_numpy(dtype=float)

    def encode(self, complete: pd.DataFrame, *, scaled: bool) -> np.ndarray:
        """Return completed rows as a float64 matrix, C-ordered, numeric columns standardised if `scaled`."""
        values = self.numeric_values(complete)
        parts = [(values - self.mean) / self.scale if scaled else values]
        for name in self.categorical:
            codes = complete[name].cat.set_categories(self.categories[name]).cat.codes.to_numpy()
            parts.append((codes[:, None] == np.arange(len(self.categories[name]))).astype(float))
        return np.ascontiguousarray(np.hstack(parts) if self.categorical else parts[0])


@dataclass(frozen=True)
class Part:
    """Rows to train on and rows to predict: of a whole draw, or of one inner fold of its training rows.

    Attributes
    ----------
    train, test : Table
        Completed rows.
    preparation : Preparation
        Fitted on `train`.
    share : float
        Its training rows as a share of those of the draw: 1 for the draw itself.
    """

    train: Table
    test: Table
    preparation: Preparation
    share: float = 1.0
    _encoded: dict[tuple[str, bool], np.ndarray] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, train: Table, test: Table, share: float = 1.0) -> Part:
        """Fit the preparation on the training rows and complete both sides."""
        preparation = Preparation.fit(train.X)
        return cls(
            Table(preparation.complete(train.X), train.y, train.posterior, train.series),
            Table(preparation.complete(test.X), test.y, test.posterior, test.series),
            preparation,
            share,
        )

    def encoded(self, side: str, *, scaled: bool) -> np.ndarray:
        """Return the encoded rows of side ``"train"`` or ``"test"``, computed once."""
        key = (side, scaled)
        if key not in self._encoded:
            self._encoded[key] = self.preparation.encode(getattr(self, side).X, scaled=scaled)
        return self._encoded[key]


@dataclass(frozen=True)
class PreparedDraw:
    """A draw with everything that does not depend on the method: the whole part and the inner folds.

    Attributes
    ----------
    draw : Draw
    folds : int
        Folds asked for, 0 for none. There are none either when a class has fewer than 3 training rows: then nothing
        can be tuned, and no method has a tuned decision.
    """

    draw: Draw
    folds: int

    @cached_property
    def content_hash(self) -> str:
        """Hash of the real rows: equal for every method."""
        return self.draw.content_hash()

    @cached_property
    def whole(self) -> Part:
        """The draw's training and test rows."""
        return Part.of(self.draw.train, self.draw.test)

    @cached_property
    def inner(self) -> list[tuple[Part, np.ndarray]]:
        """The inner folds: a part and the positions, in the training rows, of the rows that it predicts."""
        train = self.draw.train
        if self.folds == 0 or np.bincount(train.y).min() < 3:
            return []
        rng = np.random.default_rng(derive_seed(self.draw.seed, "folds"))
        fold = split_table(train, [1 / self.folds] * self.folds, rng)
        parts = []
        for number in range(self.folds):
            held_out = np.flatnonzero(fold == number)
            rest = np.flatnonzero(fold != number)
            if len(held_out) == 0 or np.bincount(train.y[rest], minlength=train.y.max() + 1).min() == 0:
                return []
            share = len(rest) / len(train.y)
            parts.append((Part.of(train.take(rest), train.take(held_out), share), held_out))
        return parts

    def nbytes(self) -> int:
        """Return about how much memory the draw holds once all of it has been computed."""
        preparation = self.whole.preparation
        width = len(preparation.numeric) + sum(len(c) for c in preparation.categories.values())
        n_train, n_test = len(self.draw.train.y), len(self.draw.test.y)
        # as drawn, completed, and in two encodings; a fold has all training rows in the last three
        return (4 * (n_train + n_test) + 3 * self.folds * n_train) * (width + 1) * 8
