"""Texts and blobs of a store: what can be written, and what is said where one that was written cannot be read."""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from zipfile import BadZipFile

from ..errors import InputError

#: what a blob, a text or a row of a damaged store may raise when it is read
BROKEN = (ValueError, KeyError, IndexError, TypeError, AttributeError, OverflowError, EOFError, OSError, zlib.error)


class BrokenRowError(sqlite3.DatabaseError):
    """What stands in a row is not what a store writes there."""


@contextmanager
def reading_rows() -> Iterator[None]:
    """Say of a text or blob that cannot be read what SQLite says of a page: it is the store that is damaged."""
    try:
        yield
    except InputError:
        raise
    except (*BROKEN, BadZipFile) as error:
        raise BrokenRowError(f"{type(error).__name__}: {error}") from error


def storable(text: str) -> str:
    r"""Return a text as it can be written in UTF-8: names of files that are not are quoted in messages as they are.

    Examples
    --------
    >>> storable("caf\udce9.txt")
    'caf\\udce9.txt'
    """
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
