"""Class labels in whatever kind they come, as the integer codes that methods work with, and back."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from imblearn.utils import check_sampling_strategy
from sklearn.utils.multiclass import check_classification_targets


class ClassLabels:
    """The labels of training rows, and a whole number for each.

    Whole numbers are their own codes, gaps and all. Of any other labels (text, truth values, a categorical column) the
    classes that have rows are numbered from 0, in the order of the categories or sorted.

    Parameters
    ----------
    y : numpy.ndarray, pandas.Series, pandas.Categorical or sequence of shape (n_rows,)
        The labels.

    Attributes
    ----------
    values : numpy.ndarray of shape (n_rows,)
        The labels as an array.
    codes : numpy.ndarray of int, shape (n_rows,)
        Their codes.

    Raises
    ------
    ValueError
        Not one label for each row, a missing label, or labels that are no classes.

    Examples
    --------
    >>> labels = ClassLabels(["good", "bad", "good"])
    >>> labels.codes.tolist(), labels.followed_by(np.array([0])).tolist()
    ([1, 0, 1], ['good', 'bad', 'good', 'bad'])
    """

    def __init__(self, y: Any) -> None:
        if np.ndim(y) != 1:
            raise ValueError(f"y must hold one label for each row; found shape {np.shape(y)}")
        self._given: Any = y if isinstance(y, pd.Series | pd.Categorical) else np.asarray(y)
        missing = int(np.count_nonzero(pd.isna(self._given)))
        if missing:
            raise ValueError(f"y has {missing} missing labels")
        self.values = np.asarray(self._given)
        check_classification_targets(self.values)
        #: label of each code; None where the labels are their codes
        self._classes: Any = None
        if self.values.dtype.kind in "iu":
            self.codes = self.values
        else:
            self.codes, self._classes = pd.factorize(self._given, sort=True)

    def wanted(self, strategy: Any, sampling_type: str) -> tuple[dict[Any, int], dict[int, int]]:
        """Return the new rows of each class that a sampling strategy asks for: by label, and by code where above 0.

        Parameters
        ----------
        strategy : str, dict or callable
            As in imbalanced-learn, in terms of the labels.
        sampling_type : str
            As in imbalanced-learn.
        """
        by_label = check_sampling_strategy(strategy, self.values, sampling_type)
        return by_label, {self._code(label): count for label, count in by_label.items() if count > 0}

    def name(self, code: int) -> Any:
        """Return the label of a code."""
        return code if self._classes is None else self._classes[code]

    def followed_by(self, new: Any) -> Any:
        """Return the labels, then those of new rows (given by their codes), in the kind that the labels came in.

        An array gives an array of the same dtype, a Series one of the same dtype and name with its rows numbered from
        0, a Categorical one of the same categories, any other sequence an array.

        Raises
        ------
        ValueError
            A code that no training row has, where the codes are not the labels themselves.
        """
        if self._classes is None:
            labels: Any = np.asarray(new, dtype=self.values.dtype)
        else:
            codes = np.asarray(new, dtype=int)
            wrong = codes[(codes < 0) | (codes >= len(self._classes))]
            if len(wrong):
                raise ValueError(f"class code {wrong[0]} was returned; there are 0 to {len(self._classes) - 1}")
            labels = self._classes.take(codes)
        if isinstance(self._given, pd.Categorical):
            return pd.Categorical([*self._given, *labels], dtype=self._given.dtype)
        if isinstance(self._given, pd.Series):
            more = pd.Series(np.asarray(labels), dtype=self._given.dtype)
            whole = pd.concat([self._given, more], ignore_index=True)
            whole.name = self._given.name
            return whole
        return np.concatenate([self._given, labels])

    def _code(self, label: Any) -> int:
        return label if self._classes is None else list(self._classes).index(label)
