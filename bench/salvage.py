"""Taking what is sound out of a damaged store into a new one."""

from __future__ import annotations

import sqlite3
from typing import Any

from .store_check import OF_RUN, OF_UNIT, readable_ids, run_is_whole
from .stored_unit import check_unit, truth_reader

#: tables of which SQLite keeps an index apart from the rows
WITH_INDEX = ("predictions", "training", "samples")
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
    reader = _Reader(source)
    for id_ in readable_ids(source, "units"):
        into.execute("SAVEPOINT one")
        if not _copy_unit(reader, into, id_):
            into.execute("ROLLBACK TO one")
        into.execute("RELEASE one")
    for id_ in readable_ids(source, "runs") if "runs" in reader.tables else []:
        into.execute("SAVEPOINT one")
        if not _copy_run(reader, into, id_):
            into.execute("ROLLBACK TO one")
        into.execute("RELEASE one")


class _Reader:
    """Reads rows of a damaged store: by an index, and where that is damaged, from the table that it is of."""

    def __init__(self, source: sqlite3.Connection) -> None:
        self.source = source
        self.tables = {name for (name,) in source.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        self._places: dict[str, dict[int, list[int]]] = {}

    def rows(self, table: str, column: str, value: Any) -> list[dict[str, Any]]:
        """Return the rows of a table where a column has a value, by the names of their columns."""
        try:
            return self._rows(table, column, value)
        except sqlite3.DatabaseError:
            if table not in WITH_INDEX:
                raise
        return [row for place in self._found(table).get(value, []) for row in self._rows(table, "rowid", place)]

    def _rows(self, table: str, column: str, value: Any) -> list[dict[str, Any]]:
        found = self.source.execute(f"SELECT * FROM {table} WHERE {column} = ?", [value])
        names = [name for name, *_ in found.description]
        return [dict(zip(names, row, strict=True)) for row in found]

    def _found(self, table: str) -> dict[int, list[int]]:
        """Return the row ids of each unit's rows that can be reached without an index."""
        if table not in self._places:
            places = self._places[table] = {}
            for place in readable_ids(self.source, table):
                query = f"SELECT unit FROM {table} WHERE rowid = ?"
                places.setdefault(self.source.execute(query, [place]).fetchone()[0], []).append(place)
        return self._places[table]


def _copy_unit(reader: _Reader, into: sqlite3.Connection, old: int) -> bool:
    """Copy a unit with all that belongs to it; return whether it is there, whole and sound."""
    try:
        new = _insert(into, "units", reader.rows("units", "id", old), {"id": None})
        for table in (one for one in OF_UNIT if one in reader.tables):
            _insert(into, table, reader.rows(table, "unit", old), {"unit": new})
        for (content_hash,) in into.execute("SELECT content_hash FROM draws WHERE unit = ?", [new]).fetchall():
            if not into.execute("SELECT 1 FROM truth WHERE content_hash = ?", [content_hash]).fetchone():
                _insert(into, "truth", reader.rows("truth", "content_hash", content_hash), {})
    except _LOST:
        return False
    return new is not None and not check_unit(into, new, {*OF_UNIT}, truth_reader(into)).problems


def _copy_run(reader: _Reader, into: sqlite3.Connection, old: int) -> bool:
    """Copy a run with the list of its units; return whether it is there and whole."""
    try:
        new = _insert(into, "runs", reader.rows("runs", "id", old), {"id": None})
        for table in OF_RUN:
            _insert(into, table, reader.rows(table, "run", old), {"run": new})
    except _LOST:
        return False
    return new is not None and run_is_whole(into, new)


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
