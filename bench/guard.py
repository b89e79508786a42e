"""What a method may not do while it works: open data files or a store, sample a data set, search memory for rows.

What it tries is refused, and the unit fails even where the method swallows the error. Python's audit events tell of it,
so a library that opens files by itself (pyarrow's readers), a process that a method starts, and a walk up the call
stack go unseen: `audit` finds what comes out of memory. Neither is a sandbox: a plugin that is out to deceive has the
whole process.
"""

from __future__ import annotations

import math
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ..datasets.contract import Dataset
from ..datasets.fetch import data_places
from ..errors import InputError

#: audit event -> what a method does then; (pandas asks for referents when a column is set)
_OF_MEMORY = {
    **dict.fromkeys(("gc.get_objects", "gc.get_referrers"), "search the objects in memory"),
    "sys._current_frames": "search the call stacks of threads",
    "augbench.simulated_draw": "sample a simulated data set",
}
#: how an SQLite file begins, and the log beside it
_SQLITE = (b"SQLite format 3\0", b"\x37\x7f\x06\x82", b"\x37\x7f\x06\x83")
#: what decides where data are
_VARIABLES = ("AUGBENCH_DATA", "AUGBENCH_CACHE", "SCIKIT_LEARN_DATA")
#: below these, packages are opened all the time, also where they lie below a folder of data
_PACKAGES = (sys.prefix, sys.base_prefix, *(one for one in sys.path if one.endswith("-packages")))
_INSTALLED = tuple({os.path.realpath(one) + os.sep for one in _PACKAGES})
_CODE = (".py", ".pyc")
_SYSTEM = ("/proc/", "/sys/", "/dev/")


class ForbiddenError(InputError):
    """A method did what it may not do."""


class _Guard:
    """What this process knows of forbidden files, who works now, and what it has tried."""

    def __init__(self) -> None:
        self.hooked = False
        self.off = False
        self.variables: tuple[str | None, ...] = ()
        self.places: set[str] = set()
        #: what was written to files between these moments may not be read
        self.written = (math.inf, math.inf)
        self.who = ""
        self.tried: list[str] = []
        #: set in a thread that looks into a file on the guard's behalf
        self.looking = threading.local()

    def prepare(self) -> None:
        """Listen to events, and learn where data are now."""
        if not self.hooked:
            sys.addaudithook(self.hook)
            self.hooked = True
        variables = tuple(map(os.environ.get, _VARIABLES))
        if variables != self.variables or not self.places:
            self.variables = variables
            self.places |= {os.path.realpath(place) for place in data_places()}

    def hook(self, event: str, args: tuple[Any, ...]) -> None:
        """Refuse what is forbidden; called by Python."""
        if not self.who:
            return
        if event in ("open", "sqlite3.connect"):
            self._check_file(*args)
        elif event in _OF_MEMORY:
            self._refuse(_OF_MEMORY[event])

    def _refuse(self, what: str) -> None:
        self.tried.append(f"{self.who} may not {what}")
        raise ForbiddenError(self.tried[-1])

    def _check_file(self, file: Any, mode: Any = None, flags: int = 0) -> None:
        if not isinstance(file, str | bytes | os.PathLike) or getattr(self.looking, "now", False):
            return
        path = os.path.realpath(os.fsdecode(file))
        if path.endswith(_CODE):
            return
        installed = path.startswith(_INSTALLED)
        for place in self.places:
            # data that a package carries lie among the installed files, too
            counts = not installed or place.startswith(_INSTALLED)
            if counts and (path == place or path.startswith(place + os.sep)):
                self._refuse(f"open a file of data: {path}")
        if path.startswith(_SYSTEM):
            if path.endswith("/mem"):
                self._refuse(f"read memory: {path}")
            return
        if installed or flags & os.O_TRUNC or not os.path.isfile(path):
            return
        if self._is_sqlite(path):
            self._refuse(f"open an SQLite file, which may be a store: {path}")
        if self.written[0] < os.stat(path).st_mtime < self.written[1]:
            self._refuse(f"read what was written to a file during the run: {path}")

    def _is_sqlite(self, path: str) -> bool:
        self.looking.now = True
        try:
            with open(path, "rb") as file:
                return file.read(16).startswith(_SQLITE)
        except OSError:
            return False
        finally:
            self.looking.now = False


_GUARD = _Guard()


def protect(dataset: Dataset) -> None:
    """Forbid the file or folder that a dataset is read from, where it is no known place of data."""
    for name in ("path", "folder"):
        if isinstance(place := getattr(dataset, name, None), str | os.PathLike) and str(place):
            _GUARD.places.add(os.path.realpath(place))


def forbid_written(since: float, until: float) -> None:
    """Forbid to read, in this process, files that were written to between two moments (of `time.time`)."""
    _GUARD.written = (since, until)


@contextmanager
def at_work(who: str = "a method") -> Iterator[None]:
    """Refuse, inside the block, what a method may not do.

    Parameters
    ----------
    who : str
        Who works, for the message.

    Raises
    ------
    ForbiddenError
        Something was tried, also where its error was swallowed.
    """
    if _GUARD.off:
        yield
        return
    _GUARD.prepare()
    before = _GUARD.who, _GUARD.tried
    _GUARD.who, _GUARD.tried = who, []
    try:
        yield
    finally:
        tried = _GUARD.tried
        _GUARD.who, _GUARD.tried = before
        if tried:
            raise ForbiddenError(tried[0])


@contextmanager
def switched_off() -> Iterator[None]:
    """Forbid nothing inside the block: for the self-test, which shows what would be gained."""
    before, _GUARD.off = _GUARD.off, True
    try:
        yield
    finally:
        _GUARD.off = before
