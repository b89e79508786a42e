"""The scores of a run, read from its store in parts, so that a run of any size can be written out."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from itertools import chain, islice, product
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from .stored_text import reading_rows

if TYPE_CHECKING:
    from .store import Store

#: columns of the scores for what training took, by their names in a method's `effort_`
EFFORT = {"steps": "steps", "epochs": "epochs", "rows": "rows_seen", "networks": "networks", "yield": "yield"}
#: units that are read at a time, and rows without a score
PART, PART_ROWS = 500, 10_000

_PLACE = ["method", "dataset", "scenario", "classifier", "draw"]
_COUNTS = ["n_train", "n_generated", "n_test", "alone"]
#: what is the same in many rows: one text in memory is enough
_TEXTS = ["method", "dataset", "scenario", "classifier", "error", "tuned"]

# a join in the order in which it is written: the units of the part first
_CELLS = """SELECT ru.method, ru.dataset, ru.scenario, c.classifier, c.draw, c.error, d.n_train, d.n_generated,
                   d.n_test, d.seconds, c.fit_seconds, {kept}, {alone} AS alone, c.unit
            FROM json_each(?) part CROSS JOIN units u ON u.id = part.value
            CROSS JOIN run_units ru ON ru.run = ? AND ru.key = u.key
            CROSS JOIN cells c ON c.unit = u.id CROSS JOIN draws d ON d.unit = c.unit AND d.draw = c.draw
            ORDER BY part.key, c.draw, c.classifier"""
_VALUES = """SELECT s.unit, s.draw, s.classifier, s.metric, s.value
             FROM json_each(?) part CROSS JOIN scores s ON s.unit = part.value"""
_METRICS = """SELECT DISTINCT s.metric FROM run_units ru JOIN units u ON u.key = ru.key JOIN scores s ON s.unit = u.id
              WHERE ru.run = ?"""
_UNITS = "SELECT u.id FROM run_units ru JOIN units u ON u.key = ru.key WHERE ru.run = ? ORDER BY ru.position"


def read_parts(store: Store, run: int, classifiers: Sequence[str], draws: int) -> Iterator[pd.DataFrame]:
    """Yield the table of `Store.scores` in parts: of every one the same columns, in the same order, of the same types.

    Parameters
    ----------
    store : Store
        The store; what is read while it is written is of one moment only inside a transaction.
    run : int
        The run's id.
    classifiers, draws
        As of `Store.scores`.
    """
    connection = store.connection
    metrics = sorted(name for (name,) in connection.execute(_METRICS, [run]))
    rest = _without_cells(connection, run, classifiers, draws)
    first = next(rest, None)
    # where there is any row without them, numbers of rows are no whole numbers
    counts = np.dtype("int64" if first is None else "float64")
    kept = "d.effort, c.tuned" if store.keeps_effort else "'{}' AS effort, '{}' AS tuned"
    query = _CELLS.format(kept=kept, alone="u.alone" if store.keeps_parts else "0")
    units = iter([id_ for (id_,) in connection.execute(_UNITS, [run])])
    while part := list(islice(units, PART)):
        table = _part(connection, run, part, query, metrics)
        if len(table):
            yield table.astype(dict.fromkeys(_COUNTS, counts))
    if first is None:
        return
    columns = _columns(metrics)
    rest = chain([first], rest)
    while rows := list(islice(rest, PART_ROWS)):
        gaps = pd.DataFrame(rows, columns=[*_PLACE, "status", "error"]).reindex(columns=columns)
        gaps["tuned"] = ""
        yield gaps


def _columns(metrics: Sequence[str]) -> list[str]:
    facts = ["error", *_COUNTS, "seconds", "fit_seconds", *EFFORT.values(), "tuned", "status"]
    return [*_PLACE, *facts, *metrics]


def _part(connection: sqlite3.Connection, run: int, units: list[int], query: str, metrics: list[str]) -> pd.DataFrame:
    """Return the cells of some units with their scores."""
    ids = json.dumps(units)
    cells = pd.read_sql_query(query, connection, params=(ids, run))
    if cells.empty:
        # all of them failed
        return cells
    values = pd.read_sql_query(_VALUES, connection, params=(ids,))
    known: dict[str, dict[str, float]] = {}
    texts = cells["effort"]
    with reading_rows():
        efforts = [known[text] if text in known else known.setdefault(text, json.loads(text)) for text in texts]
        for name, column in EFFORT.items():
            cells[column] = np.array([one.get(name, np.nan) for one in efforts], dtype=float)
    cells["tuned"] = cells["tuned"].replace("{}", "")
    cells["status"] = np.where(cells["error"] == "", "ok", "failed")
    for name in _TEXTS:
        same: dict[str, str] = {}
        cells[name] = [same.setdefault(text, text) for text in cells[name]]
    with reading_rows():
        values["value"] = values["value"].astype(float)
    wide = values.pivot(index=["unit", "draw", "classifier"], columns="metric", values="value")
    wide = wide.reindex(columns=metrics)
    return cells.join(wide, on=["unit", "draw", "classifier"])[_columns(metrics)]


def _without_cells(
    connection: sqlite3.Connection, run: int, classifiers: Sequence[str], draws: int
) -> Iterator[tuple[Any, ...]]:
    """Yield a row for each cell without scores: failed as a whole, not yet run, excluded."""
    query = """
        SELECT ru.method, ru.dataset, ru.scenario, ru.draws, coalesce(u.status, 'not run'), coalesce(u.error, '')
        FROM run_units ru LEFT JOIN units u ON u.key = ru.key
        WHERE ru.run = ? AND NOT EXISTS (SELECT 1 FROM draws d WHERE d.unit = u.id)
    """
    for method, dataset, scenario, block, status, error in connection.execute(query, [run]):
        text = error or "not run yet: start the same 'bench run' again"
        with reading_rows():
            listed = list(json.loads(block))
        for classifier, draw in product(classifiers, listed):
            yield method, dataset, scenario, classifier, draw, status, text
    excluded = "SELECT method, dataset, scenario, status, reason FROM run_exclusions WHERE run = ?"
    for method, dataset, scenario, status, reason in connection.execute(excluded, [run]):
        for classifier, draw in product(classifiers, range(draws)):
            yield method, dataset, scenario, classifier, draw, status, reason
