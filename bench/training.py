"""Training curves in a store: one compressed CSV for each draw of a unit."""

from __future__ import annotations

import io
import sqlite3
import zlib
from collections.abc import Iterable
from typing import Any

import pandas as pd

from .stored_text import reading_rows

#: what says whose curve it is; the other columns of a curve are its step and the parts of its loss
PLACE = ("method", "dataset", "scenario", "draw", "model", "step")


def pack_training(curve: pd.DataFrame) -> bytes:
    """Compress a training curve: CSV, since its shortest decimals give every float back bit for bit (JSON's do not)."""
    return zlib.compress(curve.to_csv(index=False).encode(), 6)


def unpack_training(data: bytes) -> pd.DataFrame:
    """Return the curve of `pack_training`; a single-precision column comes back as doubles of the same decimals."""
    text = io.BytesIO(zlib.decompress(data))
    # a model may be called "NA"; an empty cell is a part that this model does not have
    return pd.read_csv(text, dtype={"model": str}, keep_default_na=False, na_values=[""], float_precision="round_trip")


def read_first_curves(connection: sqlite3.Connection, run: int) -> pd.DataFrame:
    """Return for each method, dataset and scenario of a run the curve of its first draw, as `read_training` does."""
    # SQLite takes the other columns from the row of the minimum
    query = """SELECT ru.method, ru.dataset, ru.scenario, min(t.draw), t.data FROM run_units ru
               JOIN units u ON u.key = ru.key JOIN training t ON t.unit = u.id
               WHERE ru.run = ? GROUP BY ru.method, ru.dataset, ru.scenario ORDER BY min(ru.position)"""
    return _as_table(connection.execute(query, [run]))


def read_training(connection: sqlite3.Connection, run: int) -> pd.DataFrame:
    """Return the training curves of a run in the order of its units, one row per step."""
    query = """SELECT ru.method, ru.dataset, ru.scenario, t.draw, t.data FROM run_units ru
               JOIN units u ON u.key = ru.key JOIN training t ON t.unit = u.id
               WHERE ru.run = ? ORDER BY ru.position, t.draw"""
    return _as_table(connection.execute(query, [run]))


def _as_table(rows: Iterable[tuple[Any, ...]]) -> pd.DataFrame:
    curves = []
    for *place, data in rows:
        with reading_rows():
            curve = unpack_training(data)
        curves.append(curve.assign(**dict(zip(PLACE, place, strict=False))))
    if not curves:
        return pd.DataFrame(columns=list(PLACE))
    table = pd.concat(curves, ignore_index=True)
    return table[[*PLACE, *(name for name in table.columns if name not in PLACE)]]
