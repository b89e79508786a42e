"""The small data sets that scikit-learn carries: they need neither files nor network."""

from __future__ import annotations

import hashlib

import numpy as np
import pandas as pd

from ..errors import InputError, unknown_name
from .contract import DatasetInfo, FiniteDataset, Table
from .sources import sources

_LOADERS = {"breast-cancer": "load_breast_cancer", "wine": "load_wine", "digits": "load_digits", "iris": "load_iris"}


class BundledDataset(FiniteDataset):
    """One of scikit-learn's own data sets.

    Parameters
    ----------
    name : str
        ``"breast-cancer"``, ``"wine"``, ``"digits"`` or ``"iris"``.

    Examples
    --------
    >>> BundledDataset("iris").load().X.shape
    (150, 4)
    """

    def __init__(self, name: str) -> None:
        if name not in _LOADERS:
            raise unknown_name("bundled dataset", name, _LOADERS)
        self._source = sources()[name]

    @property
    def info(self) -> DatasetInfo:
        """Facts known without loading."""
        return self._source.info

    def load(self) -> Table:
        """Read all rows.

        Raises
        ------
        InputError
            The installed scikit-learn carries other rows than those that this benchmark was built on.
        """
        from sklearn import datasets

        bunch = getattr(datasets, _LOADERS[self._source.name])()
        X = np.ascontiguousarray(bunch.data, dtype="<f8")
        y = np.ascontiguousarray(bunch.target, dtype="<i8")
        found = hashlib.sha256(X.tobytes() + y.tobytes()).hexdigest()
        if found != self._source.sha256:
            raise InputError(
                f"dataset '{self._source.name}' of the installed scikit-learn has SHA-256 {found}, expected "
                f"{self._source.sha256}: install the scikit-learn that constraints.txt names"
            )
        frame = pd.DataFrame(X.astype(np.float64), columns=[str(column) for column in bunch.feature_names])
        return self._source.check(Table(frame, y.astype(np.int64)))
