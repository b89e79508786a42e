"""Data sets that only experiments need: they commit a mistake on purpose."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import numpy as np
import pandas as pd

from .. import datasets, methods
from ..bench.prepare import Preparation
from ..datasets.contract import DatasetInfo, FiniteDataset, Table
from ..errors import InputError
from ..provenance import digest, source_hash

_BY = ("smote", "random-oversampling")
_SEED = 2022


class ResampledFirst(FiniteDataset):
    """A table whose classes were brought to one size before anything was split off: the common pitfall.

    Missing cells are filled in beforehand, from all rows, as one would. Series are cut up.

    Parameters
    ----------
    of : str
        Name of a table with two classes.
    by : {"smote", "random-oversampling"}
        How.
    """

    name: ClassVar[str] = "resampled-first"

    def __init__(self, of: str = "breast-cancer", by: str = "smote") -> None:
        base = datasets.make(of)
        if not isinstance(base, FiniteDataset) or len(base.info.classes) != 2:
            raise InputError(f"dataset '{self.name}' takes a finite table with two classes, not '{of}'")
        if by not in _BY:
            raise InputError(f"dataset '{self.name}': by must be one of {', '.join(_BY)}, not {by!r}")
        self._base, self._by = base, by
        self._method = methods.make(by, random_state=_SEED)

    @property
    def info(self) -> DatasetInfo:
        """Facts known without loading."""
        info = self._base.info
        return replace(
            info,
            name=self.name,
            description=f"{info.name} after {self._by}, which should not stand before a split.",
            group="yours",
            class_counts=(max(info.class_counts),) * 2,
            content_hash=digest([info.content_hash, self._by, source_hash(__name__, type(self._method).__module__)]),
            missing=False,
            series=False,
        )

    def check_present(self) -> None:
        """Raise what the table itself raises where its data are not here."""
        self._base.check_present()

    def load(self) -> Table:
        """Read the table and resample it."""
        table = self._base.load()
        X = Preparation.fit(table.X).complete(table.X)
        made, y = self._method.fit_resample(X, table.y)
        # one that appends rows may widen a column
        made = pd.DataFrame({column: made[column].astype(X[column].dtype) for column in X.columns})
        return Table(made.reset_index(drop=True), np.asarray(y, dtype=np.int64))
