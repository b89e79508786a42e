"""How far running units are: what a method reports, brought from where it is computed to where it is shown.

A worker process writes one small file for each unit that reports anything, so that there is nothing shared that a
killed worker could leave locked or half written.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from ..progress import listening

#: a worker writes no more often than once in so many seconds
INTERVAL = 0.5


@dataclass(frozen=True)
class Report:
    """How far a long fit is: `done` of `total` steps of `what`, `seconds` after it began."""

    what: str
    done: int
    total: int
    seconds: float = field(default=0.0, compare=False)

    @property
    def seconds_left(self) -> float:
        """What the fit still needs at its pace; 0 before the first step."""
        return self.seconds * (self.total / self.done - 1) if self.done > 0 else 0.0

    def __str__(self) -> str:
        return f"{self.what} {self.done:,} of {self.total:,} steps"


class FitClock:
    """How long the fit goes on that reports: of the several in a unit each begins where the one before has ended."""

    def __init__(self) -> None:
        self._began, self._done = time.monotonic(), 0

    def seconds(self, done: int, total: int) -> float:
        """Return the seconds of this fit, of which `done` of `total` steps are done."""
        now = time.monotonic()
        if done < self._done:
            self._began = now
        passed = now - self._began
        if done >= total:
            self._began, done = now, 0
        self._done = done
        return passed


class ReportFiles:
    """The last report of each running unit, in a folder.

    Parameters
    ----------
    folder : Path
        Where the files are. A folder that is gone or full costs the reports and nothing else.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def in_temporary_folder(cls) -> ReportFiles:
        """Return the files of a new folder; of none, where the system has no room for one."""
        try:
            return cls(Path(tempfile.mkdtemp(prefix="augbench-run-")))
        except OSError:
            # no folder: every write fails, and a run does not
            return cls(Path(os.devnull))

    def remove(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _file(self, key: str) -> Path:
        return self.folder / f"{key}.json"

    def read(self, key: str) -> Report | None:
        """Return the last report of a unit, or None if it has made none or has ended."""
        try:
            return Report(*json.loads(self._file(key).read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None

    @contextmanager
    def writing(self, key: str) -> Iterator[None]:
        """Write what is reported inside the block, and take it away at its end."""
        written, clock = -INTERVAL, FitClock()

        def write(what: str, done: int, total: int) -> None:
            nonlocal written
            seconds = clock.seconds(done, total)
            if done >= total:
                # what follows is something else, and reports at once
                written = -INTERVAL
                with suppress(OSError):
                    self._file(key).unlink(missing_ok=True)
                return
            now = time.monotonic()
            if now - written < INTERVAL:
                return
            written = now
            part = self._file(f"{key}.{os.getpid()}")
            with suppress(OSError):
                part.write_text(json.dumps([what, int(done), int(total), seconds]), encoding="utf-8")
                part.replace(self._file(key))

        try:
            with listening(write):
                yield
        finally:
            with suppress(OSError):
                self._file(key).unlink(missing_ok=True)
