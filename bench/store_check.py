"""Checking a store: the file by SQLite's own means, every unit against itself, and rows that belong to nothing."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Container, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import InputError
from . import schema
from .console import count
from .store_opening import KNOWN_BY, no_store, open_for_reading, table_names
from .stored_unit import check_unit, truth_reader

#: tables whose rows belong to a unit; an older store lacks the last two
OF_UNIT = ("draws", "cells", "scores", "predictions", "training", "samples")
OF_RUN = ("run_units", "run_exclusions")
NEEDED = {"units", "draws", "cells", "scores", "predictions", "truth", "runs", *OF_RUN}
#: row ids between two that can be read that are tried one by one
GAP = 10_000_000
#: true classes that belong to nothing
LONE_TRUTH = "SELECT content_hash FROM truth WHERE content_hash NOT IN (SELECT content_hash FROM draws)"
#: units that a run lists under names which are not theirs
NAMED_OTHERWISE = """SELECT u.id FROM run_units ru JOIN units u ON u.key = ru.key WHERE ru.run = ?
    AND (ru.method, ru.dataset, ru.scenario, ru.draws) IS NOT (u.method, u.dataset, u.scenario, u.draws)"""
_EXAMPLES = 3


class UnreadableStoreError(InputError):
    """SQLite can read nothing of a store."""


@dataclass(frozen=True)
class Finding:
    """One kind of thing that was found.

    Attributes
    ----------
    what : str
        The kind, with its number in front: ``"2 units with ..."``.
    examples : tuple of str
        The first few: keys of units, ids of runs, messages of SQLite.
    harmless : bool
        Whether the store is sound all the same.
    """

    what: str
    examples: tuple[str, ...] = ()
    harmless: bool = False

    def __str__(self) -> str:
        return self.what + (f": {', '.join(self.examples)}" if self.examples else "")


@dataclass
class StoreCheck:
    """What was found in a store.

    Attributes
    ----------
    units, scores, compared : int
        Stored units and scores, and how many of these were recomputed from stored predictions.
    foreign : int
        Units computed by another version of the harness: of them only two metrics are recomputed.
    hashed : int
        Units that have a hash: of the others, stored by an older version, what cannot be recomputed is not known.
    findings : list of Finding
        Of the file, then of units, then of what belongs to nothing.
    file_is_damaged : bool
        Whether the file must be written anew.
    damaged : dict of int to str
        Damaged units: their keys by id.
    damaged_runs : list of int
        Ids of runs of whose list of units a part is missing.
    """

    units: int = 0
    scores: int = 0
    compared: int = 0
    foreign: int = 0
    hashed: int = 0
    findings: list[Finding] = field(default_factory=list)
    file_is_damaged: bool = False
    damaged: dict[int, str] = field(default_factory=dict)
    damaged_runs: list[int] = field(default_factory=list)

    @property
    def is_sound(self) -> bool:
        """Whether nothing was found but what does no harm."""
        return all(one.harmless for one in self.findings)


def check_store(path: Path) -> StoreCheck:
    """Check a store as it is at one moment; a run may write meanwhile.

    Raises
    ------
    InputError
        There is no such file, it is no store, or of a newer version.
    UnreadableStoreError
        SQLite can read nothing of it.
    """
    if not path.is_file():
        raise InputError(f"there is no store {path}: name it with --store")
    try:
        connection = open_for_reading(path, damaged=True)
    except sqlite3.Error as error:
        raise _unreadable(path, error) from None
    try:
        connection.execute("BEGIN")
        return check_connection(path, connection)
    except sqlite3.Error as error:
        raise _unreadable(path, error) from None
    finally:
        connection.close()


def _unreadable(path: Path, error: sqlite3.Error) -> UnreadableStoreError:
    return UnreadableStoreError(
        f"store {path} cannot be opened ({error}): nothing of it can be read; restore a copy of it"
    )


def check_connection(path: Path, connection: sqlite3.Connection) -> StoreCheck:
    """Check a store that is open; errors as of `check_store`."""
    check = StoreCheck()
    tables = tables_of(path, connection)
    _check_file(check, connection, tables)
    _check_units(check, connection, tables)
    _check_runs(check, connection)
    _check_orphans(check, connection, tables)
    return check


def tables_of(path: Path, connection: sqlite3.Connection) -> set[str]:
    """Return the names of a store's tables.

    Raises
    ------
    InputError
        It is no store, or of a newer version.
    """
    tables = table_names(connection)
    if not tables >= KNOWN_BY:
        raise no_store(path, tables)
    version = _version(connection)
    if version is not None and version > schema.SCHEMA_VERSION:
        raise InputError(
            f"store {path} has version {version}, this augbench reads version {schema.SCHEMA_VERSION}: update augbench"
        )
    return tables


def _version(connection: sqlite3.Connection) -> int | None:
    try:
        return schema.version_of(connection)
    except sqlite3.DatabaseError:
        return None


def readable_ids(connection: sqlite3.Connection, table: str) -> list[int]:
    """Return the row ids of all rows of a table that can be reached: from both ends, and one by one in between."""
    ids: set[int] = set()
    ends = []
    for order in ("ASC", "DESC"):
        last = None
        try:
            # by the row itself, not by an index that may tell of others
            for (last,) in connection.execute(f"SELECT rowid FROM {table} NOT INDEXED ORDER BY rowid {order}"):
                ids.add(last)
            return sorted(ids)
        except sqlite3.DatabaseError:
            ends.append(last)
    low = ends[0] or 0
    pages, size = (connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "page_size"))
    # no row takes fewer bytes
    most = low + pages * size // 64
    for id_ in range(low + 1, min(ends[1] or most, low + GAP)):
        try:
            if connection.execute(f"SELECT rowid FROM {table} WHERE rowid = ?", [id_]).fetchone():
                ids.add(id_)
        except sqlite3.DatabaseError:
            continue
    return sorted(ids)


def _check_file(check: StoreCheck, connection: sqlite3.Connection, tables: set[str]) -> None:
    try:
        messages = [" ".join(text.split()) for (text,) in connection.execute("PRAGMA integrity_check")]
    except sqlite3.DatabaseError as error:
        messages = [str(error)]
    messages = [text.removeprefix("*** in database main *** ") for text in messages if text != "ok"]
    if messages:
        number = "100 or more faults" if len(messages) >= 100 else count(len(messages), "fault")
        what = f"{number} of the file, by SQLite's integrity check"
        distinct = tuple(dict.fromkeys(text[:80] for text in messages))
        check.findings.append(Finding(what, distinct[:_EXAMPLES]))
    missing = sorted(NEEDED - tables)
    if missing:
        check.findings.append(Finding(f"{count(len(missing), 'table')} missing", tuple(missing)))
    version = _version(connection)
    if version is None:
        check.findings.append(Finding("no version of the tables"))
    check.file_is_damaged = bool(messages or missing or version is None)


def _check_units(check: StoreCheck, connection: sqlite3.Connection, tables: set[str]) -> None:
    truth = truth_reader(connection)
    kinds: dict[str, list[str]] = {}
    for id_ in readable_ids(connection, "units"):
        one = check_unit(connection, id_, tables, truth)
        check.units += 1
        check.scores += one.scores
        check.compared += one.compared
        check.foreign += one.foreign
        check.hashed += one.hashed
        for problem in one.problems:
            kinds.setdefault(problem, []).append(one.key)
        if one.problems:
            check.damaged[id_] = one.key
    for problem in sorted(kinds):
        check.findings.append(_finding("unit", f"with {problem}", [key[:12] for key in kinds[problem]]))


def _check_runs(check: StoreCheck, connection: sqlite3.Connection) -> None:
    for id_ in readable_ids(connection, "runs"):
        if not run_is_whole(connection, id_, check.damaged):
            check.damaged_runs.append(id_)
    if check.damaged_runs:
        what = "with a broken list of units, or one that names other units than are stored"
        check.findings.append(_finding("run", what, map(str, check.damaged_runs)))


def run_is_whole(connection: sqlite3.Connection, run: int, damaged: Container[int] = ()) -> bool:
    """Tell whether a run and the list of its units can be read, the list has no gap, and names the units as they are.

    Of damaged units, given by their ids, nobody knows what they should be called.
    """
    try:
        info = connection.execute("SELECT info FROM runs WHERE id = ?", [run]).fetchone()[0]
        places = [place for (place,) in connection.execute("SELECT position FROM run_units WHERE run = ?", [run])]
        connection.execute("SELECT count(*) FROM run_exclusions WHERE run = ?", [run]).fetchone()
        named_otherwise = [id_ for (id_,) in connection.execute(NAMED_OTHERWISE, [run]) if id_ not in damaged]
        whole = isinstance(json.loads(info), dict) and sorted(places) == list(range(len(places)))
        return whole and not named_otherwise
    except (sqlite3.DatabaseError, ValueError, TypeError):
        return False


def _check_orphans(check: StoreCheck, connection: sqlite3.Connection, tables: set[str]) -> None:
    """Find rows that belong to no unit or run, by SQLite's foreign keys; of a damaged file it finds what it can."""
    counts: dict[str, int] = {}
    try:
        for table, *_ in connection.execute("PRAGMA foreign_key_check"):
            counts[table] = counts.get(table, 0) + 1
        for table, number in counts.items():
            of, owner = ("run", "runs") if table in OF_RUN else ("unit", "units")
            query = f"SELECT DISTINCT {of} FROM {table} WHERE {of} NOT IN (SELECT id FROM {owner}) LIMIT {_EXAMPLES}"
            owners = tuple(f"{of} {id_}" for (id_,) in connection.execute(query))
            check.findings.append(Finding(f"{count(number, 'row')} of {table} for no {of}", owners))
        lone = [key for (key,) in connection.execute(LONE_TRUTH)]
    except sqlite3.DatabaseError:
        return
    if lone:
        what = "of true classes that no draw uses (harmless: left by units that were computed again)"
        check.findings.append(_finding("set", what, [str(key)[:12] for key in lone], harmless=True))


def _finding(noun: str, what: str, examples: Iterable[str], harmless: bool = False) -> Finding:
    found = list(examples)
    more = ("…",) if len(found) > _EXAMPLES else ()
    return Finding(f"{count(len(found), noun)} {what}", (*found[:_EXAMPLES], *more), harmless)
