"""Merging stores: units and runs of one are taken over into another, never mixing different definitions."""

from __future__ import annotations

import json
import sqlite3
from typing import TYPE_CHECKING, Any

from ..errors import InputError

if TYPE_CHECKING:
    from .store import Store


def merge_stores(into: Store, other: Store) -> tuple[int, int]:
    """Take over the units and runs of another store; return how many units were new and how many known.

    Training curves and samples of rows are taken over with their units, and also for a known unit that has none.

    Raises
    ------
    InputError
        The stores define something differently, or hold different scores for the same unit: nothing is merged.
    """
    ours, theirs = _definitions(into), _definitions(other)
    versioned = (ours.keys() & theirs.keys()) - {"settings"}
    differing = sorted(name for name in versioned if ours[name].isdisjoint(theirs[name]))
    if differing:
        raise InputError(
            f"{into.path} and {other.path} hold results of different definitions and are not mixed; "
            f"different: {', '.join(differing)}"
        )
    mine, statuses = into.statuses(), other.statuses()
    ours_say, theirs_say, with_curves = _told_of(into), _told_of(other), into.units_with_training()
    new = 0
    with into.transaction() as connection:
        for key, status in statuses.items():
            if mine.get(key) == "done" and status == "done" and _scores(into, key) != _scores(other, key):
                raise InputError(f"unit {key[:12]} has other scores in {other.path} than in {into.path}")
            known = key in mine and not (mine[key] == "failed" and status == "done")
            # the same scores, with times that were measured alone or with a hash
            more = mine.get(key) == status == "done" and theirs_say.get(key, ()) > ours_say.get(key, ())
            if not known or (more and key not in with_curves):
                new += key not in mine
                _copy_unit(connection, other.connection, key)
        if other.keeps_training:
            _copy_beside(connection, other.connection, "training")
        if other.keeps_samples:
            _copy_beside(connection, other.connection, "samples")
        _copy_runs(connection, other.connection)
    return new, len(statuses) - new


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
    return list(store.connection.execute(query, [key]))


def _copy_unit(to: sqlite3.Connection, source: sqlite3.Connection, key: str) -> None:
    to.execute("DELETE FROM units WHERE key = ?", [key])
    found = source.execute("SELECT * FROM units WHERE key = ?", [key])
    old, *columns = found.fetchone()
    new = to.execute(f"{_insert('units', found)} RETURNING id", [None, *columns]).fetchone()[0]
    for table in ("draws", "cells", "scores", "predictions"):
        rows = source.execute(f"SELECT * FROM {table} WHERE unit = ?", [old])
        to.executemany(_insert(table, rows), [(new, *rest) for _, *rest in rows])
    truths = source.execute(
        "SELECT t.* FROM truth t WHERE content_hash IN (SELECT content_hash FROM draws WHERE unit = ?)", [old]
    )
    to.executemany("INSERT OR IGNORE INTO truth VALUES (?,?)", truths)


def _insert(table: str, rows: sqlite3.Cursor) -> str:
    """Return what inserts rows by name: a table of an older version has fewer columns, the rest take their defaults."""
    names = [name for name, *_ in rows.description]
    return f"INSERT INTO {table} ({','.join(names)}) VALUES ({','.join('?' * len(names))})"


def _copy_beside(to: sqlite3.Connection, source: sqlite3.Connection, table: str) -> None:
    """Copy what stands beside every draw that both stores hold, curves or samples; what is there stays."""
    query = f"SELECT u.key, t.draw, t.data FROM {table} t JOIN units u ON u.id = t.unit"
    to.executemany(
        f"""INSERT OR IGNORE INTO {table} SELECT u.id, d.draw, ?3 FROM units u JOIN draws d ON d.unit = u.id
            WHERE u.key = ?1 AND d.draw = ?2""",
        source.execute(query),
    )


def _copy_runs(to: sqlite3.Connection, source: sqlite3.Connection) -> None:
    for old, *columns in source.execute("SELECT * FROM runs ORDER BY id"):
        if to.execute("SELECT 1 FROM runs WHERE definition = ?", [columns[1]]).fetchone():
            continue
        new = to.execute("INSERT INTO runs VALUES (NULL,?,?,?,?) RETURNING id", columns).fetchone()[0]
        for table, width in (("run_units", 7), ("run_exclusions", 6)):
            for _, *rest in source.execute(f"SELECT * FROM {table} WHERE run = ?", [old]):
                to.execute(f"INSERT INTO {table} VALUES ({','.join('?' * width)})", [new, *rest])
