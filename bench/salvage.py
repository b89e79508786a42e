"""Taking what is sound out of a damaged store into a new one."""

from __future__ import annotations

import sqlite3
from typing import Any

from .store_check import OF_UNIT, readable_ids, run_is_whole
from .stored_unit import check_unit, truth_reader

#: a row that cannot be read, or that does not go into a sound table
_LOST = (sqlite3.DatabaseError, ValueError, OverflowError)


def salvage(source: sqlite3.Connection, into: sqlite3.Connection) -> None:
    """Copy every unit and run of a store that can be read and is sound, and that the other store does not have.

    Parameters
    ----------
    source : sqlite3.Connection
        A damaged store, of this version or an older one.
    into : sqlite3.Connection
        A store of this version, in a transaction: a unit that proves damaged once it is there is taken back.
    """
    tables = {name for (name,) in source.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    for id_ in readable_ids(source, "units") if "units" in tables else []:
        into.execute("SAVEPOINT one")
        if not _copy_unit(source, into, id_, tables):
            into.execute("ROLLBACK TO one")
        into.execute("RELEASE one")
    for id_ in readable_ids(source, "runs") if "runs" in tables else []:
        into.execute("SAVEPOINT one")
        if not _copy_run(source, into, id_):
            into.execute("ROLLBACK TO one")
        into.execute("RELEASE one")


def _copy_unit(source: sqlite3.Connection, into: sqlite3.Connection, old: int, tables: set[str]) -> bool:
    """Copy a unit with all that belongs to it; return whether it is there, whole and sound."""
    try:
        new = _insert(into, "units", _read(source, "units", "id", old), {"id": None})
        for table in (one for one in OF_UNIT if one in tables):
            _insert(into, table, _read(source, table, "unit", old), {"unit": new})
        for (content_hash,) in into.execute("SELECT content_hash FROM draws WHERE unit = ?", [new]).fetchall():
            if not into.execute("SELECT 1 FROM truth WHERE content_hash = ?", [content_hash]).fetchone():
                _insert(into, "truth", _read(source, "truth", "content_hash", content_hash), {})
    except _LOST:
        return False
    return new is not None and not check_unit(into, new, {*OF_UNIT}, truth_reader(into)).problems


def _copy_run(source: sqlite3.Connection, into: sqlite3.Connection, old: int) -> bool:
    """Copy a run with the list of its units; return whether it is there and whole."""
    try:
        new = _insert(into, "runs", _read(source, "runs", "id", old), {"id": None})
        for table in ("run_units", "run_exclusions"):
            _insert(into, table, _read(source, table, "run", old), {"run": new})
    except _LOST:
        return False
    return new is not None and run_is_whole(into, new)


def _read(source: sqlite3.Connection, table: str, column: str, value: Any) -> list[dict[str, Any]]:
    found = source.execute(f"SELECT * FROM {table} WHERE {column} = ?", [value])
    names = [name for name, *_ in found.description]
    return [dict(zip(names, row, strict=True)) for row in found]


def _insert(
    into: sqlite3.Connection, table: str, rows: list[dict[str, Any]], changes: dict[str, int | None]
) -> int | None:
    """Insert rows by the names of their columns, since an older table has fewer; return the last one's id."""
    last = None
    for row in rows:
        values = row | changes
        marks = ",".join("?" * len(values))
        last = into.execute(f"INSERT INTO {table} ({','.join(values)}) VALUES ({marks})", [*values.values()]).lastrowid
    return last
