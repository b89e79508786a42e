"""What a method may not do while it works: open data files or a store, sample a data set, search memory for rows.

What it tries is refused, and the unit fails even where the method swallows the error. Python's audit events tell of it,
so a library that opens files by itself (pyarrow's readers), what a process does that a method starts (unless a file of
data is named when it starts), and a walk up the call stack go unseen: `audit` finds what comes out of memory, not what
comes out of such files. Neither is a sandbox: a plugin that is out to deceive has the whole process.
"""

from __future__ import annotations

import math
import os
import re
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
#: audit event of what starts a process, or gives a file another name -> how many of its arguments come before those of
#: the environment, in which a folder of data may be named
_NAMING = {
    "os.system": 1,
    **dict.fromkeys(("os.exec", "os.posix_spawn", "os.link", "os.symlink", "os.rename"), 2),
    **dict.fromkeys(("subprocess.Popen", "os.spawn"), 3),
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
_SHARED_MEMORY = "/dev/shm/"


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
        elif event in _NAMING:
            # where a process starts, the third is its folder
            folder = args[2] if event == "subprocess.Popen" and args[2] else ""
            for text in _texts(args[: _NAMING[event]]):
                if self._names_data(text) or (folder and self._is_data(os.path.realpath(os.path.join(folder, text)))):
                    self._refuse(f"name a file of data to the system ({event}): {text}")

    def _refuse(self, what: str) -> None:
        self.tried.append(f"{self.who} may not {what}")
        raise ForbiddenError(self.tried[-1])

    def _check_file(self, file: Any, mode: Any = None, flags: int = 0) -> None:
        if not isinstance(file, str | bytes | os.PathLike) or getattr(self.looking, "now", False):
            return
        path = os.path.realpath(os.fsdecode(file))
        if path.endswith(_CODE):
            return
        if self._is_data(path):
            self._refuse(f"open a file of data: {path}")
        if path.startswith(_SYSTEM) and not path.startswith(_SHARED_MEMORY):
            if path.endswith("/mem"):
                self._refuse(f"read memory: {path}")
            return
        # nothing is read of a file that is emptied, or is opened for writing only, as a log is
        read = not flags & os.O_TRUNC and flags & (os.O_WRONLY | os.O_RDWR) != os.O_WRONLY
        if path.startswith(_INSTALLED) or not read or not os.path.isfile(path):
            return
        if self._is_sqlite(path):
            self._refuse(f"open an SQLite file, which may be a store: {path}")
        status = os.stat(path)
        if any(self.written[0] < when < self.written[1] for when in (status.st_mtime, status.st_ctime)):
            self._refuse(f"read what was written to a file during the run: {path}")

    def _is_data(self, path: str) -> bool:
        # data that a package carries lie among the installed files, too
        installed = path.startswith(_INSTALLED)
        counting = (place for place in self.places if not installed or place.startswith(_INSTALLED))
        return any(path == place or path.startswith(place + os.sep) for place in counting)

    def _names_data(self, text: str) -> bool:
        """Tell whether a text is the path of data, or such a path stands in it, as in a command for a shell."""
        places = (place for place in self.places if not any(one.startswith(place) for one in _INSTALLED))
        return self._is_data(os.path.realpath(text)) or any(
            re.search(rf"(?<![\w.-]){re.escape(place)}(?![\w.-])", text) for place in places
        )

    def _is_sqlite(self, path: str) -> bool:
        self.looking.now = True
        try:
            with open(path, "rb") as file:
                return file.read(16).startswith(_SQLITE)
        except OSError:
            return False
        finally:
            self.looking.now = False


def _texts(values: Any) -> Iterator[str]:
    """Yield the texts and paths among some values, which may be lists of such."""
    for one in values if isinstance(values, list | tuple) else [values]:
        if isinstance(one, list | tuple):
            yield from _texts(one)
        elif isinstance(one, str | bytes | os.PathLike) and (text := os.fsdecode(one)) and "\0" not in text:
            yield text


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
