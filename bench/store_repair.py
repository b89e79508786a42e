"""Repairing a store: what is sound stays, what is damaged goes, and a damaged file is kept under another name."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from ..errors import InputError
from . import schema
from .salvage import salvage
from .store_check import (
    LONE_TRUTH,
    OF_RUN,
    OF_UNIT,
    Finding,
    StoreCheck,
    UnreadableStoreError,
    check_connection,
    check_store,
    tables_of,
)
from .store_opening import has_log, log_of, open_for_reading, open_without_log
from .writer_lock import WriterLock


@dataclass(frozen=True)
class Repair:
    """What a repair did.

    Attributes
    ----------
    before, after : StoreCheck
        What was found, and what is found now.
    lost_runs : int
        Runs that the store no longer knows, so that their commands must be given again.
    damaged : Path, optional
        Where the damaged file is now; None where the file itself was sound.
    """

    before: StoreCheck
    after: StoreCheck
    lost_runs: int = 0
    damaged: Path | None = None


def repair_store(path: Path) -> Repair:
    """Remove what is damaged in a store; write it anew where the file itself is damaged.

    Until all is done the store is as it was: rows are removed in one transaction, and a new file takes the store's
    name only when it is whole and found sound.

    Raises
    ------
    StoreBusyError
        A run writes to it.
    InputError
        As of `check_store`; or it cannot be written.
    """
    path = path.resolve()
    if not path.is_file():
        raise InputError(f"there is no store {path}: name it with --store")
    try:
        lock = WriterLock(path)
    except OSError as error:
        raise InputError(f"store {path} cannot be repaired where it is ({error}): copy it to another folder") from None
    try:
        lock.sign()
        before = _check(path)
        if before.file_is_damaged:
            return _write_anew(path, before)
        return Repair(before, _remove_damaged(path, before) if before.findings else before, len(before.damaged_runs))
    except (sqlite3.Error, OSError) as error:
        raise InputError(f"store {path} cannot be repaired ({error}): it is as it was") from None
    finally:
        lock.release()


def _check(path: Path) -> StoreCheck:
    """Check a store; where its log makes it unreadable, the file without it may still hold something."""
    try:
        return check_store(path)
    except UnreadableStoreError as error:
        if not has_log(path):
            raise
        return StoreCheck(findings=[Finding(str(error))], file_is_damaged=True)


def _remove_damaged(path: Path, before: StoreCheck) -> StoreCheck:
    """Remove damaged units and runs, and what belongs to nothing, in one transaction."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA foreign_keys=ON")
        with connection:
            connection.execute("BEGIN IMMEDIATE")
            tables = tables_of(path, connection)
            connection.executemany("DELETE FROM units WHERE id = ?", [(id_,) for id_ in before.damaged])
            connection.executemany("DELETE FROM runs WHERE id = ?", [(id_,) for id_ in before.damaged_runs])
            for table in tables & {*OF_UNIT}:
                connection.execute(f"DELETE FROM {table} WHERE unit NOT IN (SELECT id FROM units)")
            for table in OF_RUN:
                connection.execute(f"DELETE FROM {table} WHERE run NOT IN (SELECT id FROM runs)")
            # a broken one that stayed would be taken for true by the units that are computed again
            connection.execute(f"DELETE FROM truth WHERE content_hash IN ({LONE_TRUTH})")
            after = check_connection(path, connection)
            _must_be_sound(path, after)
    return after


def _must_be_sound(path: Path, after: StoreCheck) -> None:
    if not after.is_sound:
        what = "; ".join(map(str, after.findings))
        raise InputError(f"store {path} cannot be repaired ({what}): it is as it was; restore a copy of it")


def _write_anew(path: Path, before: StoreCheck) -> Repair:
    """Write what can be read and is sound to a new file, and let it take the damaged one's place."""
    new = path.with_name(f"{path.name}.repairing")
    new.unlink(missing_ok=True)
    try:
        with closing(sqlite3.connect(new, isolation_level=None)) as into:
            into.execute("PRAGMA foreign_keys=ON")
            # what a killed repair leaves is thrown away by the next one
            into.execute("PRAGMA journal_mode=MEMORY")
            into.execute("BEGIN")
            schema.create(into)
            for source in _readings(path):
                with closing(source):
                    salvage(source, into)
            into.execute("COMMIT")
        after = check_store(new)
        _must_be_sound(path, after)
        with closing(sqlite3.connect(new)) as written:
            known = written.execute("SELECT count(*) FROM runs").fetchone()[0]
        shutil.copymode(path, new)
        damaged = _put_aside(path)
        _give_name(new, path, damaged)
    finally:
        new.unlink(missing_ok=True)
    return Repair(before, after, max(0, _known_runs(damaged, known + 1) - known), damaged)


def _give_name(new: Path, path: Path, damaged: Path) -> None:
    """Let the new file take the place of the damaged one, or leave that as it was, log included."""
    # SQLite would read the old log into the new file
    log_of(path).unlink(missing_ok=True)
    Path(f"{path}-shm").unlink(missing_ok=True)
    try:
        os.replace(new, path)
    except OSError:
        if log_of(damaged).exists():
            _copy(log_of(damaged), log_of(path))
        raise
    _flush_folder(path.parent)


def _readings(path: Path) -> Iterator[sqlite3.Connection]:
    """Yield the damaged store with its log, and without: of a pair that does not match, each may hold sound units.

    Raises
    ------
    InputError
        Neither can be read.
    """
    failures, readable = [], False
    for open_ in (open_for_reading, open_without_log) if has_log(path) else (open_for_reading,):
        try:
            source = open_(path, damaged=True)
            tables_of(path, source)
        except (sqlite3.Error, InputError) as error:
            failures.append(str(error))
            continue
        readable = True
        yield source
    if not readable:
        raise InputError(f"store {path} cannot be repaired ({'; '.join(failures)}): restore a copy of it")


def _known_runs(path: Path, otherwise: int) -> int:
    """Return how many runs a damaged store tells of, `otherwise` if it does not."""
    try:
        with closing(open_for_reading(path, damaged=True)) as source:
            return int(source.execute("SELECT count(*) FROM runs NOT INDEXED").fetchone()[0])
    except (sqlite3.Error, InputError):
        return otherwise


def _put_aside(path: Path) -> Path:
    """Give the damaged file and its log a second name that is free."""
    number = 1
    while (aside := path.with_name(f"{path.name}.damaged-{number}")).exists() or log_of(aside).exists():
        number += 1
    if has_log(path):
        _copy(log_of(path), log_of(aside))
    _copy(path, aside)
    _flush_folder(path.parent)
    return aside


def _copy(path: Path, to: Path) -> None:
    """Give a file a second name, or copy it where the file system has no such thing."""
    try:
        os.link(path, to)
    except OSError:
        shutil.copy2(path, to)
        _flush(to)


def _flush(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _flush_folder(folder: Path) -> None:
    if os.name == "posix":
        number = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)
