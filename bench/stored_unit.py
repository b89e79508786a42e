"""One stored unit, held against itself: its key, its rows, its predictions, and the scores that follow from them."""

from __future__ import annotations

import json
import math
import sqlite3
import zlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from zipfile import BadZipFile

import numpy as np

from ..provenance import digest, source_hash
from .metrics import LOG_LOSS_FLOOR, hard_metrics
from .plan import HARNESS
from .samples import unpack_sample
from .stored_text import BROKEN
from .training import unpack_training
from .unit_digest import unit_digest

#: what may be wrong with a unit
KEY = "a key that is not the hash of its draws and definitions"
STATUS = "a status that contradicts its error or its cells"
FACTS = "facts that cannot be read (JSON, numbers)"
ROWS = "draws or cells that are missing or too many"
SCORES = "scores that are missing, or are not those of the stored predictions"
PREDICTIONS = "predictions that are missing or broken"
TRUTH = "true classes that are missing or broken"
BESIDE = "a training curve or sample that is broken"
CHANGED = "rows that are not what was stored: their hash is another one"
UNREADABLE = "rows that SQLite cannot read"

#: scores of rounded probabilities, or of more than is stored, by the values that they can have
RANGES = {
    "auroc": (0.0, 1.0),
    "average_precision": (0.0, 1.0),
    "brier": (0.0, 2.0),
    "log_loss": (0.0, -math.log(LOG_LOSS_FLOOR)),
    "calibration_error": (0.0, 1.0),
}
#: these are the same sums on any machine but for the order of the additions
TOLERANCE = 1e-9
#: with another version of the harness other metrics may have been defined differently
TIMELESS = ("accuracy", "macro_f1")
#: each is the recall of a class; of which one, only the training rows say
OF_TRAINING = ("recall_minority", "recall_majority")


@dataclass
class UnitCheck:
    """What was found of one unit.

    Attributes
    ----------
    key : str
        The unit's.
    problems : set of str
        Which of the constants above; empty for a sound unit.
    scores, compared : int
        Stored scores, and how many of them were recomputed from the stored predictions.
    foreign : bool
        Whether another version of the harness computed it, so that fewer scores can be compared.
    hashed : bool
        Whether it has a hash, which says of all its scores whether they are those that were stored.
    """

    key: str
    problems: set[str] = field(default_factory=set)
    scores: int = 0
    compared: int = 0
    foreign: bool = False
    hashed: bool = False


#: classes of the test rows of a draw by content hash: None where there are none, or none that can be read
TruthReader = Callable[[str], "np.ndarray | None"]

#: a row by its columns
_Row = dict[str, Any]


def truth_reader(connection: sqlite3.Connection) -> TruthReader:
    """Return a function that reads the true classes of a draw; the last ones are kept in memory."""

    @lru_cache(maxsize=64)
    def read(content_hash: str) -> np.ndarray | None:
        row = connection.execute("SELECT y_test FROM truth WHERE content_hash = ?", [content_hash]).fetchone()
        try:
            return None if row is None else np.frombuffer(zlib.decompress(row[0]), np.uint8)
        except BROKEN:
            return None

    return read


@lru_cache(maxsize=1)
def _harness() -> str:
    return source_hash(*HARNESS)


def check_unit(connection: sqlite3.Connection, unit: int, tables: set[str], truth: TruthReader) -> UnitCheck:
    """Check one unit.

    Parameters
    ----------
    connection : sqlite3.Connection
        The store.
    unit : int
        The unit's id.
    tables : set of str
        Which tables the store has: older ones have neither training curves nor samples.
    truth : callable
        See `truth_reader`.
    """
    check = UnitCheck(f"id {unit}")
    try:
        row = _only_row(connection, "units", "id", unit)
        check.key = str(row["key"])
        _check_row(check, row)
        _check_digest(check, connection, row)
        draws = {one["draw"]: one for one in _rows(connection, "draws", "unit", unit)}
        cells = {(one["draw"], one["classifier"]): one for one in _rows(connection, "cells", "unit", unit)}
        scores: dict[tuple[int, str], _Row] = {}
        for one in _rows(connection, "scores", "unit", unit):
            scores.setdefault((one["draw"], one["classifier"]), {})[one["metric"]] = one["value"]
            check.scores += 1
        predictions = {
            (one["draw"], one["classifier"]): one["data"] for one in _rows(connection, "predictions", "unit", unit)
        }
        beside: list[tuple[int, Callable[[bytes], Any], bytes]] = [
            (one["draw"], unpack, one["data"])
            for table, unpack in (("training", unpack_training), ("samples", unpack_sample))
            if table in tables
            for one in _rows(connection, table, "unit", unit)
        ]
        _check_rows(check, row, draws, cells)
        _check_beside(check, draws, beside)
        scored = {place for place, cell in cells.items() if not cell["error"]}
        if set(scores) != scored:
            check.problems.add(SCORES)
        if set(predictions) != scored:
            check.problems.add(PREDICTIONS)
        for draw, facts in draws.items():
            y = truth(facts["content_hash"])
            if y is None or len(y) != facts["n_test"]:
                check.problems.add(TRUTH)
                continue
            here = sorted(place for place in scored & set(scores) & set(predictions) if place[0] == draw)
            if len({frozenset(scores[place]) for place in here}) > 1:
                check.problems.add(SCORES)
            for place in here:
                _check_cell(check, y, scores[place], predictions[place])
    except sqlite3.DatabaseError:
        check.problems.add(UNREADABLE)
    except BROKEN:
        check.problems.add(FACTS)
    return check


def _rows(connection: sqlite3.Connection, table: str, column: str, value: int) -> list[_Row]:
    found = connection.execute(f"SELECT * FROM {table} WHERE {column} = ?", [value])
    names = [name for name, *_ in found.description]
    return [dict(zip(names, one, strict=True)) for one in found]


def _only_row(connection: sqlite3.Connection, table: str, column: str, value: int) -> _Row:
    found = _rows(connection, table, column, value)
    if len(found) != 1:
        raise sqlite3.DatabaseError(f"{table} has {len(found)} rows of {column} {value}")
    return found[0]


def _check_row(check: UnitCheck, row: _Row) -> None:
    """Check what stands in the unit's own row."""
    try:
        draws, definitions = json.loads(row["draws"]), json.loads(row["definitions"])
        names = {f"{kind}:{row[kind]}" for kind in ("method", "dataset", "scenario")}
        if row["key"] != digest({"draws": draws, "definitions": definitions}) or not names <= definitions.keys():
            check.problems.add(KEY)
        check.foreign = definitions.get("harness") != _harness()
    except BROKEN:
        check.problems.add(KEY)
    if row["status"] not in ("done", "failed") or (row["status"] == "done") != (row["error"] == ""):
        check.problems.add(STATUS)
    try:
        well = isinstance(json.loads(row["warnings"]), list) and isinstance(json.loads(row["environment"]), dict)
    except BROKEN:
        well = False
    if not well or not all(_is_time(row[name]) for name in ("seconds", "work_seconds", "peak_memory_mb")):
        check.problems.add(FACTS)
    if "digest" in row and not _is_of_this_version(row):
        check.problems.add(FACTS)


def _is_of_this_version(row: _Row) -> bool:
    """Tell whether what stores keep since version 5 can be read: a unit that has any of it has all."""
    try:
        parts = json.loads(row["parts"])
        well = isinstance(parts, dict) and all(map(_is_time, parts.values()))
    except BROKEN:
        return False
    numbers = all(isinstance(row[name], int) and row[name] >= 0 for name in ("workers", "alone"))
    return well and numbers and (bool(row["digest"]) or not row["workers"])


def _check_digest(check: UnitCheck, connection: sqlite3.Connection, row: _Row) -> None:
    """Check that the rows are those that were stored; an older store cannot tell."""
    check.hashed = bool(row.get("digest"))
    if check.hashed:
        with suppress(sqlite3.DatabaseError, *BROKEN):
            if unit_digest(connection, row["id"]) == row["digest"]:
                return
        check.problems.add(CHANGED)


def _check_rows(
    check: UnitCheck,
    row: _Row,
    draws: dict[int, _Row],
    cells: dict[tuple[int, str], _Row],
) -> None:
    """Check that every draw and every cell is there, none beside them, and what stands in each."""
    # a unit that failed as a whole has no draws
    if draws or cells or row["status"] == "done":
        classifiers = [
            name.partition(":")[2] for name in json.loads(row["definitions"]) if name.startswith("classifier:")
        ]
        listed = json.loads(row["draws"])
        if sorted(draws) != sorted(listed) or set(cells) != {(draw, name) for draw in listed for name in classifiers}:
            check.problems.add(ROWS)
        elif any(cell["error"] for cell in cells.values()) != (row["status"] == "failed"):
            check.problems.add(STATUS)
    for one in draws.values():
        counts = (one["n_train"], one["n_generated"], one["n_test"])
        effort = json.loads(one.get("effort", "{}"))
        if not _is_time(one["seconds"]) or not all(isinstance(n, int) and n >= 0 for n in counts):
            check.problems.add(FACTS)
        if not isinstance(effort, dict):
            check.problems.add(FACTS)
    for cell in cells.values():
        if not _is_time(cell["fit_seconds"]) or not isinstance(json.loads(cell.get("tuned", "{}")), dict):
            check.problems.add(FACTS)


def _is_time(value: Any) -> bool:
    return isinstance(value, float | int) and math.isfinite(value) and value >= 0


def _check_beside(
    check: UnitCheck, draws: dict[int, _Row], beside: list[tuple[int, Callable[[bytes], Any], bytes]]
) -> None:
    for draw, unpack, data in beside:
        try:
            unpack(data)
        except (*BROKEN, BadZipFile):
            check.problems.add(BESIDE)
        if draw not in draws:
            check.problems.add(BESIDE)


def _check_cell(check: UnitCheck, y: np.ndarray, scores: _Row, blob: bytes) -> None:
    """Compare a cell's scores with what its predicted classes give."""
    try:
        classes, labels, tuned = _labels(blob, len(y))
    except BROKEN:
        check.problems.add(PREDICTIONS)
        return
    if y.max(initial=0) >= classes:
        check.problems.add(TRUTH)
        return
    expected = _of_labels(y, labels, classes, "")
    if tuned is not None:
        expected |= _of_labels(y, tuned, classes, "_tuned")
    if check.foreign:
        expected = {name: value for name, value in expected.items() if name in TIMELESS and name in scores}
    else:
        recalls = [expected[f"recall_{code}"] for code in range(classes)]
        for name in OF_TRAINING:
            if not any(_agree(scores.get(name), recall) for recall in recalls):
                check.problems.add(SCORES)
        if not RANGES.keys() <= scores.keys():
            check.problems.add(SCORES)
    if not all(_agree(scores.get(name), value) for name, value in expected.items()):
        check.problems.add(SCORES)
    check.compared += len(expected)
    for name, value in scores.items():
        low, high = RANGES.get(name, (-math.inf, math.inf))
        if value is not None and not (isinstance(value, float | int) and low - 1e-6 <= value <= high + 1e-6):
            check.problems.add(SCORES)


def _labels(blob: bytes, n: int) -> tuple[int, np.ndarray, np.ndarray | None]:
    """Return the number of classes, the predicted classes and, where there are any, the tuned ones."""
    raw = zlib.decompress(blob)
    classes, has_tuned = raw[0], raw[1]
    if classes == 0 or has_tuned > 1 or len(raw) != 2 + 2 * n * classes:
        raise ValueError(f"predictions of {n} rows and {classes} classes have {len(raw)} bytes")
    both = np.frombuffer(raw, np.uint8, 2 * n, 2).reshape(2, n)
    if both.max(initial=0) >= classes:
        raise ValueError(f"a predicted class is not one of {classes}")
    return classes, both[0], both[1] if has_tuned else None


def _of_labels(y: np.ndarray, labels: np.ndarray, classes: int, suffix: str) -> dict[str, float]:
    found = hard_metrics(y, labels, np.ones(classes))
    return {
        f"{name}{suffix}": value for name, value in found.items() if name not in ("recall_minority", "recall_majority")
    }


def _agree(stored: Any, value: float) -> bool:
    return isinstance(stored, float | int) and abs(stored - value) <= TOLERANCE
