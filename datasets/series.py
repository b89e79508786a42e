"""Series of sensor readings, in which a rare state is to be recognised: SKAB and AI4I."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from .contract import Table
from .filed import FiledDataset
from .readers import read_frame
from .sources import sources


class _SeriesDataset(FiledDataset):
    """A dataset without parameters."""

    name: str

    def __init__(self) -> None:
        self._source = sources()[self.name]


class SkabDataset(_SeriesDataset):
    """The Skoltech anomaly benchmark: experiments on a water circuit, of about 20 minutes each, one reading a second.

    The eight columns are vibration (two), current, pressure, temperature, thermocouple, voltage and volume flow. The
    series are the 34 labelled files, numbered in the order valve1/0 to 15, valve2/0 to 3, other/1 to 14; in each a part
    is anomalous, over all of them 35 % of the rows: not rare, an imbalance scenario makes it so. The time of a reading
    and the points of change are left out. So is the file without anomalies: it has no labels, and as one series of
    9,405 rows, a fifth of all, it would make the share of anomalies depend on the side that it falls on.

    Four pairs of neighbouring files in "other" overlap by up to seven minutes: 718 readings stand in two files, 235 of
    them with another label in each. All rows are kept; a split never puts such files on different sides.
    """

    name = "skab"

    def _read(self, paths: list[Path]) -> Table:
        frames = [read_frame(path) for path in paths]
        rows = pd.concat(frames, ignore_index=True)
        X = rows.drop(columns=["datetime", "anomaly", "changepoint"]).astype(np.float64)
        series = np.repeat(np.arange(len(frames), dtype=np.int64), [len(frame) for frame in frames])
        return Table(X, rows["anomaly"].to_numpy().astype(np.int64), series=series)


class Ai4iDataset(_SeriesDataset):
    """AI4I 2020: one milling machine at 10,000 successive moments; the class is whether it fails.

    The data are simulated and only stand in for the records of a real machine. Left out are the two ids and the five
    kinds of failure, which give the class away. The rows are one sequence; for the sake of the split every 100
    successive rows count as a series, so that neighbours in time stay on one side.
    """

    name = "ai4i"
    length = 100  # rows of a series

    def _read(self, paths: list[Path]) -> Table:
        rows = read_frame(paths[0]).sort_values("UDI", ignore_index=True)
        X = rows.drop(columns=["UDI", "Product ID", "Machine failure", "TWF", "HDF", "PWF", "OSF", "RNF"])
        kinds = pd.CategoricalDtype(["L", "M", "H"])
        X = X.astype({name: kinds if name == "Type" else np.float64 for name in X.columns})
        y = rows["Machine failure"].to_numpy().astype(np.int64)
        return Table(X, y, series=np.arange(len(y), dtype=np.int64) // self.length)
