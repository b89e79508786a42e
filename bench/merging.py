"""Merging stores: units and runs of one are taken over into another, never mixing different definitions."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import InputError
from .store_opening import damaged_store
from .stored_text import BROKEN, reading_rows
from .unit_digest import scored_cells, unit_digest

if TYPE_CHECKING:
    from .store import Store

#: rows that are read at a time
_PART = 1000


class Merged(NamedTuple):
    """What a merge did.

    Attributes
    ----------
    new, known : int
        Units of the other store that were not there, and that were.
    damaged : int
        Units of the other store that were left out: their rows are not what was stored.
    """

    new: int
    known: int
    damaged: int


def merge_stores(into: Store, other: Store) -> Merged:
    """Take over the units and runs of another store.

    Of a unit that both have, one that is done is kept, else the one with more scores, else the one that was here.
    Training curves and samples of rows are taken over with their units, and also for a known unit that has none.

    Raises
    ------
    InputError
        The stores define something differently, or hold different scores for the same unit, or the other one cannot be
        read: nothing is merged.
    """
    with _reading(other):
        theirs = _definitions(other)
        statuses, theirs_say = other.statuses(), _told_of(other)
    with _reading(into):
        ours, mine = _definitions(into), into.statuses()
        ours_say, with_curves = _told_of(into), into.units_with_training()
    versioned = (ours.keys() & theirs.keys()) - {"settings"}
    differing = sorted(name for name in versioned if ours[name].isdisjoint(theirs[name]))
    if differing:
        raise InputError(
            f"{into.path} and {other.path} hold results of different definitions and are not mixed; "
            f"different: {', '.join(differing)}"
        )
    new = damaged = 0
    with into.transaction() as connection:
        for key, status in statuses.items():
            if mine.get(key) == status == "done":
                differs = _scores(into, key) != _scores(other, key)
                # the same scores, with times that were measured alone or with a hash
                wanted = theirs_say.get(key, ()) > ours_say.get(key, ()) and key not in with_curves
            else:
                differs = False
                wanted = key not in mine or _standing(other, key, status) > _standing(into, key, mine[key])
            if not (differs or wanted):
                continue
            if not _is_as_stored(other, key):
                damaged += 1
                continue
            if differs and _is_as_stored(into, key):
                raise InputError(f"unit {key[:12]} has other scores in {other.path} than in {into.path}")
            new += key not in mine
            _copy_unit(connection, other, key)
        if other.keeps_training:
            _copy_beside(connection, other, "training")
        if other.keeps_samples:
            _copy_beside(connection, other, "samples")
        _copy_runs(connection, other)
    return Merged(new, len(statuses) - new - damaged, damaged)


@contextmanager
def _reading(store: Store) -> Iterator[None]:
    """Name the store, of two, that cannot be read."""
    try:
        with reading_rows():
            yield
    except sqlite3.Error as error:
        raise damaged_store(store.path, error) from error


def _standing(store: Store, key: str, status: str) -> tuple[bool, int]:
    """Return what decides which one of two units is kept: the larger."""
    with _reading(store):
        return status == "done", scored_cells(store.connection, key)


def _is_as_stored(store: Store, key: str) -> bool:
    """Tell whether a unit's rows are those of its hash; of one without, from an older version, nobody knows."""
    if not store.keeps_parts:
        return True
    with _reading(store):
        id_, stored = store.connection.execute("SELECT id, digest FROM units WHERE key = ?", [key]).fetchone()
    with suppress(sqlite3.Error, *BROKEN):
        return not stored or unit_digest(store.connection, id_) == stored
    return False


def _definitions(store: Store) -> dict[str, set[str]]:
    """Return, for everything that stored units are made of, its hashes."""
    found: dict[str, set[str]] = {}
    for (text,) in store.connection.execute("SELECT DISTINCT definitions FROM units"):
        for name, value in json.loads(text).items():
            found.setdefault(name, set()).add(value)
    return found


def _told_of(store: Store) -> dict[str, tuple[bool, bool]]:
    """Return for each unit whether its times were measured alone, and whether it has a hash; nothing of old stores."""
    if not store.keeps_parts:
        return {}
    query = "SELECT key, alone, digest != '' FROM units"
    return {key: (bool(alone), bool(hashed)) for key, alone, hashed in store.connection.execute(query)}


def _scores(store: Store, key: str) -> list[tuple[Any, ...]]:
    query = """SELECT s.draw, s.classifier, s.metric, s.value FROM scores s JOIN units u ON u.id = s.unit
               WHERE u.key = ? ORDER BY 1, 2, 3"""
    return list(_read(store, query, key)[1])


def _read(store: Store, query: str, *values: Any) -> tuple[list[str], Iterator[tuple[Any, ...]]]:
    """Return the names of the columns, and the rows, of what is asked of a store; its damage is said to be its own."""
    with _reading(store):
        found = store.connection.execute(query, values)
    return [name for name, *_ in found.description], _fetched(store, found)


def _fetched(store: Store, found: sqlite3.Cursor) -> Iterator[tuple[Any, ...]]:
    while True:
        with _reading(store):
            rows = found.fetchmany(_PART)
        if not rows:
            return
        yield from rows


def _copy_unit(to: sqlite3.Connection, source: Store, key: str) -> None:
    to.execute("DELETE FROM units WHERE key = ?", [key])
    names, ((old, *columns),) = _read(source, "SELECT * FROM units WHERE key = ?", key)
    new = to.execute(f"{_insert('units', names)} RETURNING id", [None, *columns]).fetchone()[0]
    for table in ("draws", "cells", "scores", "predictions"):
        names, rows = _read(source, f"SELECT * FROM {table} WHERE unit = ?", old)
        to.executemany(_insert(table, names), [(new, *rest) for _, *rest in rows])
    truths = "SELECT t.* FROM truth t WHERE content_hash IN (SELECT content_hash FROM draws WHERE unit = ?)"
    to.executemany("INSERT OR IGNORE INTO truth VALUES (?,?)", _read(source, truths, old)[1])


def _insert(table: str, names: list[str]) -> str:
    """Return what inserts rows by name: a table of an older version has fewer columns, the rest take their defaults."""
    return f"INSERT INTO {table} ({','.join(names)}) VALUES ({','.join('?' * len(names))})"


def _copy_beside(to: sqlite3.Connection, source: Store, table: str) -> None:
    """Copy what stands beside every draw that both stores hold, curves or samples; what is there stays."""
    query = f"SELECT u.key, t.draw, t.data FROM {table} t JOIN units u ON u.id = t.unit"
    to.executemany(
        f"""INSERT OR IGNORE INTO {table} SELECT u.id, d.draw, ?3 FROM units u JOIN draws d ON d.unit = u.id
            WHERE u.key = ?1 AND d.draw = ?2""",
        _read(source, query)[1],
    )


def _copy_runs(to: sqlite3.Connection, source: Store) -> None:
    for old, *columns in _read(source, "SELECT * FROM runs ORDER BY id")[1]:
        if to.execute("SELECT 1 FROM runs WHERE definition = ?", [columns[1]]).fetchone():
            continue
        with _reading(source):
            dict(json.loads(columns[-1]))
        new = to.execute("INSERT INTO runs VALUES (NULL,?,?,?,?) RETURNING id", columns).fetchone()[0]
        for table, width in (("run_units", 7), ("run_exclusions", 6)):
            for _, *rest in _read(source, f"SELECT * FROM {table} WHERE run = ?", old)[1]:
                to.execute(f"INSERT INTO {table} VALUES ({','.join('?' * width)})", [new, *rest])
