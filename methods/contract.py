"""What a method is: an augmenter (adds rows) or an adjuster (changes weights, probabilities or the decision)."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from imblearn.over_sampling.base import BaseOverSampler
from imblearn.utils import check_sampling_strategy
from sklearn.base import BaseEstimator, clone
from sklearn.utils.multiclass import check_classification_targets


def column_positions(X: pd.DataFrame) -> tuple[list[int], list[int]]:
    """Return the positions of the numeric columns and those of the categorical (all other) columns."""
    is_numeric = [pd.api.types.is_numeric_dtype(dtype) for dtype in X.dtypes]
    return [j for j, yes in enumerate(is_numeric) if yes], [j for j, yes in enumerate(is_numeric) if not yes]


class Augmenter(BaseOverSampler):
    """Base of the methods that add rows: an imbalanced-learn over-sampler with its needs declared.

    A subclass writes `_generate` and, where the defaults do not fit, the class attributes. The first line of its
    docstring is what `bench list methods` shows.

    Parameters
    ----------
    sampling_strategy : str, dict or callable, default="auto"
        As in imbalanced-learn. The benchmark always passes a dict {class code: rows wanted in total}.
    random_state : int or None
        Seed of all that is random in the method; no global random state is ever read or written.
    """

    kind: ClassVar[str] = "augmenter"
    #: "control" for the methods that expose a false gain
    role: ClassVar[str] = ""
    family: ClassVar[str] = "other"
    #: every class needs this many training rows
    min_per_class: ClassVar[int] = 1
    numeric_only: ClassVar[bool] = False
    binary_only: ClassVar[bool] = False
    #: False if the method may miss the asked-for number of rows slightly by its definition (ADASYN rounds)
    exact_counts: ClassVar[bool] = True
    #: imbalanced-learn validates parameters against this; subclasses validate their own
    _parameter_constraints: ClassVar[dict[str, Any]] = {}

    def __init__(self, sampling_strategy: Any = "auto", random_state: int | None = None) -> None:
        super().__init__(sampling_strategy=sampling_strategy)
        self.random_state = random_state

    def fit_resample(self, X: pd.DataFrame, y: np.ndarray) -> tuple[pd.DataFrame, np.ndarray]:
        """Return the training rows followed by new ones.

        Parameters
        ----------
        X : pandas.DataFrame of shape (n_rows, n_features)
            Complete training rows: float64 columns and categorical columns, nothing missing. An array is taken as
            all-numeric.
        y : numpy.ndarray of shape (n_rows,)
            Class codes.

        Returns
        -------
        X_resampled : pandas.DataFrame of shape (n_rows + n_new, n_features)
            The rows of `X`, first and unchanged, then the new ones; columns, dtypes and categories as in `X`.
        y_resampled : numpy.ndarray of shape (n_rows + n_new,)
            Their class codes.

        Raises
        ------
        ValueError
            A missing or infinite cell, too few rows of a class, or a text column in a numeric method.
        """
        frame = X if isinstance(X, pd.DataFrame) else pd.DataFrame(np.asarray(X, dtype=float))
        y = np.asarray(y)
        self._validate(frame, y)
        self.sampling_strategy_: dict[int, int] = check_sampling_strategy(
            self.sampling_strategy, y, self._sampling_type
        )
        counts = {code: count for code, count in self.sampling_strategy_.items() if count > 0}
        if not counts:
            return frame.copy(), y.copy()
        X_new, y_new = self._generate(frame, y, counts, np.random.default_rng(self.random_state))
        if len(X_new) != len(y_new):
            raise ValueError(f"_generate returned {len(X_new)} rows and {len(y_new)} labels")
        X_new = X_new.set_axis(frame.columns, axis=1).astype(frame.dtypes.to_dict())
        return pd.concat([frame, X_new], ignore_index=True), np.concatenate([y, np.asarray(y_new, dtype=y.dtype)])

    def fit_resample_many(
        self, tables: list[tuple[pd.DataFrame, np.ndarray]], random_states: list[int], strategies: list[dict[int, int]]
    ) -> list[tuple[pd.DataFrame, np.ndarray] | BaseException]:
        """Resample several training sets; the default is a loop, a neural method trains them as one stack.

        Parameters
        ----------
        tables : list of (X, y)
            Training sets, each as in `fit_resample`.
        random_states : list of int
            One seed for each training set.
        strategies : list of dict
            One `sampling_strategy` for each training set.

        Returns
        -------
        list
            For each training set what `fit_resample` gives for it alone, or the exception that it raised.
        """
        results: list[tuple[pd.DataFrame, np.ndarray] | BaseException] = []
        for (X, y), seed, strategy in zip(tables, random_states, strategies, strict=True):
            one = clone(self).set_params(random_state=seed, sampling_strategy=strategy)
            try:
                results.append(one.fit_resample(X, y))
            except (Exception, SystemExit) as error:
                results.append(error)
        return results

    @abstractmethod
    def _generate(
        self, X: pd.DataFrame, y: np.ndarray, counts: dict[int, int], rng: np.random.Generator
    ) -> tuple[pd.DataFrame, np.ndarray]:
        """Make the new rows: `counts[c]` rows of each class c in `counts`, as a frame with the columns of `X`."""

    def _fit_resample(self, X: Any, y: Any) -> Any:
        raise NotImplementedError("augbench's augmenters write _generate")

    def _validate(self, X: pd.DataFrame, y: np.ndarray) -> None:
        check_classification_targets(y)
        if len(X) != len(y):
            raise ValueError(f"X has {len(X)} rows and y has {len(y)}")
        numeric, categorical = column_positions(X)
        names = X.columns[categorical].astype(str)
        if self.numeric_only and categorical:
            raise ValueError(f"{type(self).__name__} takes numeric columns only; categorical: {', '.join(names)}")
        bad = [j for j in numeric if not np.isfinite(X.iloc[:, j].to_numpy(dtype=float)).all()]
        bad += [j for j in categorical if X.iloc[:, j].isna().any()]
        if bad:
            raise ValueError(f"missing (NaN) or infinite cells in: {', '.join(X.columns[bad].astype(str))}")
        codes, rows = np.unique(y, return_counts=True)
        if self.binary_only and len(codes) != 2:
            raise ValueError(f"{type(self).__name__} takes two classes; found {len(codes)}")
        if rows.min() < self.min_per_class:
            raise ValueError(
                f"{type(self).__name__} needs {self.min_per_class} rows of each class; "
                f"class {codes[rows.argmin()]} has {rows.min()}"
            )


class Adjuster(BaseEstimator):
    """Base of the methods that add no row: they change the classifier's weights, probabilities or decision."""

    kind: ClassVar[str] = "adjuster"
    role: ClassVar[str] = ""
    family: ClassVar[str] = "other"
    min_per_class: ClassVar[int] = 1
    numeric_only: ClassVar[bool] = False
    binary_only: ClassVar[bool] = False
    #: True: the decision that was tuned on out-of-fold training rows replaces the default one
    tuned_decision: ClassVar[bool] = False

    def sample_weight(self, y: np.ndarray) -> np.ndarray | None:
        """Return a weight for each training row (shape (n_rows,)), or None for equal weights."""
        return None

    def adjust(self, probabilities: np.ndarray, y_train: np.ndarray) -> np.ndarray:
        """Change predicted probabilities, shape (n_rows, K), given the training labels; rows still sum to 1."""
        return probabilities
