"""Opening a store's file for reading: also on read-only media, and also where it is damaged."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from ..errors import InputError

#: how every file of SQLite begins
_MAGIC = b"SQLite format 3\0"
#: the two numbers in its header that say that it is in WAL mode
_IN_WAL_MODE = slice(18, 20), b"\2\2"
#: characters of an error that are shown, the last ones: pandas puts the query before them
_MOST = 120
#: tables by which a store is known
KNOWN_BY = {"units", "scores"}
#: what SQLite says of a damaged file
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
#: what SQLite says where it may not make the files that it wants beside one that is in WAL mode
_NO_PLACE = (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY)


def open_for_reading(path: Path, *, damaged: bool = False) -> sqlite3.Connection:
    """Open a store's file read-only.

    Parameters
    ----------
    path : Path
        The file.
    damaged : bool, default=False
        Go on where the file is shorter than it says, or where SQLite cannot make sense of a table's definition.

    Raises
    ------
    InputError
        The file is on read-only media, and beside it lies a log (WAL) that only a writer can take in.
    sqlite3.Error
        The file cannot be opened, or is no database.
    """
    connection = _connect(path, "mode=ro", damaged)
    try:
        connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()
        return connection
    except sqlite3.OperationalError as error:
        connection.close()
        if error.sqlite_errorcode & 0xFF not in _NO_PLACE:
            raise
    except sqlite3.Error:
        connection.close()
        raise
    if has_log(path):
        raise InputError(
            f"store {path} is on read-only media with results in {log_of(path).name} that only a writer can take in: "
            "copy both files to a folder that can be written, and name the copy with --store"
        )
    return open_without_log(path, damaged=damaged)


def open_without_log(path: Path, *, damaged: bool = False) -> sqlite3.Connection:
    """Open a store's file as it is: its log is not read, nothing is locked, nothing is written beside it."""
    return _connect(path, "immutable=1", damaged)


def is_damage(error: BaseException, path: Path) -> bool:
    """Tell whether an error says that a file, which begins as one of SQLite's, is damaged."""
    # what is not from SQLite itself is of a row that cannot be read
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT)
    return isinstance(error, sqlite3.Error) and code & 0xFF in _DAMAGED and _header(path).startswith(_MAGIC)


def damaged_store(path: Path, why: object) -> InputError:
    """Return the error of a store that is damaged, with what to do."""
    return InputError(
        f"store {path} cannot be read ({' '.join(str(why).split())[-_MOST:]}): "
        f"'bench store check --store {path}' says what is damaged, and --repair keeps the rest"
    )


def no_store(path: Path, tables: set[str]) -> InputError:
    """Return the error of a file of SQLite that has other tables, or none."""
    place, mark = _IN_WAL_MODE
    if not tables and _header(path)[place] == mark and not has_log(path):
        return InputError(
            f"{path} holds no table: a copy of a store that a run was writing to needs {log_of(path).name} beside it; "
            "else name another file with --store"
        )
    return InputError(f"{path} is not a store of augbench: name another file with --store")


def _header(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(100)
    except OSError:
        return b""


def table_names(connection: sqlite3.Connection) -> set[str]:
    """Return the names of a file's tables."""
    return {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}


def log_of(path: Path) -> Path:
    """Return the write-ahead log that belongs to a store's file."""
    return Path(f"{path.resolve()}-wal")


def has_log(path: Path) -> bool:
    """Tell whether there is a log with something in it."""
    log = log_of(path)
    return log.is_file() and log.stat().st_size > 0


def _connect(path: Path, how: str, damaged: bool) -> sqlite3.Connection:
    connection = sqlite3.connect(f"{path.resolve().as_uri()}?{how}", uri=True)
    if damaged:
        connection.execute("PRAGMA writable_schema=ON")
        # a page of garbage is found when it is read, not when a cell points outside of it
        connection.execute("PRAGMA cell_size_check=ON")
    return connection
