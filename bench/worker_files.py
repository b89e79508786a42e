"""What a worker process leaves in a folder for the driver: which unit it computes, and what it printed."""

from __future__ import annotations

import math
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol

from .limits import UnitLimits, memory_words

#: what a unit prints is cut to nothing when it is more than so many bytes
MOST_OUTPUT = 2**20
#: the end of it that is shown when its worker died, in characters
SHOWN_OUTPUT = 300
#: seconds between two looks at the workers
EVERY = 0.25
#: seconds for which looking at them may fail
PATIENCE = 10.0
#: seconds after which a worker that died is one of which its pool says nothing
SILENT = 2.0


class WorkerFiles:
    """Files of worker processes, by their numbers.

    Parameters
    ----------
    folder : Path
        Where they are. A folder that is gone or full costs what is written there, and no result.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def _unit(self, pid: int) -> Path:
        return self.folder / f"{pid}.unit"

    def _output(self, pid: int) -> Path:
        return self.folder / f"{pid}.out"

    def catch_output(self) -> None:
        """Send what this process and its libraries print into a file: it would break the driver's display."""
        try:
            file = os.open(self._output(os.getpid()), os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_TRUNC, 0o600)
        except OSError:
            file = os.open(os.devnull, os.O_WRONLY)
        os.dup2(file, 1)
        os.dup2(file, 2)
        os.close(file)

    def _ready(self, pid: int) -> Path:
        return self.folder / f"{pid}.ready"

    def say_ready(self) -> None:
        """Say that this process has loaded all that it needs, and what memory that takes."""
        with suppress(OSError):
            self._ready(os.getpid()).write_text(str(resident_bytes(os.getpid())), encoding="utf-8")

    def ready_bytes(self, pid: int) -> int:
        """Return the memory that a process took when it was ready; 0 where it is not known."""
        with suppress(OSError, ValueError):
            return int(self._ready(pid).read_text(encoding="utf-8"))
        return 0

    def any_ready(self) -> bool:
        """Tell whether any process has said so, of those that were not forgotten."""
        return bool(self._all("ready"))

    def _all(self, kind: str) -> list[Path]:
        """Return the files of a kind; none where they cannot be listed now."""
        with suppress(OSError):
            return list(self.folder.glob(f"*.{kind}"))
        return []

    @contextmanager
    def computing(self, key: str) -> Iterator[None]:
        """Say that this process computes a unit; what it printed is forgotten at the end."""
        unit = self._unit(os.getpid())
        with suppress(OSError):
            # somebody may have tidied up
            self.folder.mkdir(mode=0o700, exist_ok=True)
            unit.write_text(key, encoding="utf-8")
        try:
            yield
        finally:
            with suppress(OSError):
                unit.unlink(missing_ok=True)
            with suppress(OSError):
                os.truncate(self._output(os.getpid()), 0)

    def forget(self, pid: int) -> None:
        """Take away the files of a process that is gone."""
        for path in (self._unit(pid), self._output(pid), self._ready(pid)):
            with suppress(OSError):
                path.unlink(missing_ok=True)

    def started(self) -> set[int]:
        """Return the processes that have begun to work here, and were not forgotten."""
        return {int(path.stem) for path in self._all("out")}

    def running(self) -> dict[int, str]:
        """Return the key of the unit that each process computes."""
        found = {}
        for path in self._all("unit"):
            with suppress(OSError):
                found[int(path.stem)] = path.read_text(encoding="utf-8")
        return found

    def ended(self) -> dict[int, str]:
        """Return the processes that are no more and were not forgotten: the key of each one's unit, empty for none."""
        dead = [pid for pid in self.started() if not _is_child(pid)]
        # looked up last, since it may have just begun
        running = self.running()
        return {pid: running.get(pid, "") for pid in dead}

    def trim_outputs(self) -> None:
        """Empty the outputs that have grown too long."""
        for path in self._all("out"):
            with suppress(OSError):
                if path.stat().st_size > MOST_OUTPUT:
                    os.truncate(path, 0)

    def last_words(self, pid: int) -> str:
        """Return the last line that a process printed."""
        with suppress(OSError), self._output(pid).open("rb") as file:
            file.seek(max(0, self._output(pid).stat().st_size - 10 * SHOWN_OUTPUT))
            lines = file.read().decode("utf-8", "replace").strip().splitlines()
            return lines[-1].strip()[-SHOWN_OUTPUT:] if lines else ""
        return ""


class WatchedEngine(Protocol):
    """What a `Watch` tells of."""

    def idle_died(self) -> None:
        """Take note that a worker has died that had no unit."""

    def look_at_running(self) -> None:
        """Look at what is computed; called again and again."""

    def lose(self, key: str, why: str) -> None:
        """End a unit whose worker will not return anything."""

    def give_up(self, why: str) -> None:
        """End all units: nothing can be computed."""


class Watch:
    """A thread that looks after worker processes: it ends what takes too much, and bounds what they print.

    Parameters
    ----------
    files : WorkerFiles
        Of the workers, which this process has started.
    limits : UnitLimits
        What a unit may take.
    engine : WatchedEngine
        Told, in this thread, what the watch sees.

    Attributes
    ----------
    over : dict of str to str
        By the key of a unit whose worker was killed, why, in words.
    """

    def __init__(self, files: WorkerFiles, limits: UnitLimits, engine: WatchedEngine) -> None:
        self.over: dict[str, str] = {}
        self._files = files
        self._limits = limits
        self._engine = engine
        self._dead: dict[int, float] = {}
        self._since: dict[tuple[int, str], float] = {}
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        self._ended.set()
        self._thread.join()

    def _look(self) -> None:
        failed = 0
        while not self._ended.wait(EVERY):
            try:
                self._look_once()
                failed = 0
            except Exception as error:
                # no more files may be opened, say
                failed += 1
                if failed * EVERY > PATIENCE:
                    self._engine.give_up(f"the worker processes cannot be watched: {type(error).__name__}: {error}")

    def _look_once(self) -> None:
        limits = self._limits
        self._files.trim_outputs()
        self._look_for_dead()
        self._engine.look_at_running()
        now = time.monotonic()
        self._since = {one: self._since.get(one, now) for one in self._files.running().items()}
        for (pid, key), start in self._since.items():
            if now - start > limits.seconds:
                self._end(pid, key, over_time(limits))
            elif limits.memory < math.inf and resident_bytes(pid) > limits.memory:
                self._end_over_memory(pid, key)

    def _look_for_dead(self) -> None:
        now = time.monotonic()
        ended = self._files.ended()
        self._dead = {pid: self._dead.get(pid, now) for pid in ended}
        # the pool says nothing of a worker that ended as if all were well, nor of one that had nothing to do
        silent = [pid for pid, since in self._dead.items() if now - since > SILENT]
        for pid in silent:
            if key := ended[pid]:
                said = self._files.last_words(pid)
                self._files.forget(pid)
                self._engine.lose(key, f"the worker process ended without a result{': ' if said else ''}{said}")
        if not all(ended[pid] for pid in silent):
            self._engine.idle_died()

    def _end_over_memory(self, pid: int, key: str) -> None:
        limit = memory_words(self._limits.memory)
        if (idle := self._files.ready_bytes(pid)) > self._limits.memory:
            takes = f"a worker process takes {memory_words(idle)} before its first unit"
            self._engine.give_up(f"--unit-memory {limit} is too little: {takes}")
        else:
            self._end(pid, key, f"took more than {limit} of memory (--unit-memory)")

    def _end(self, pid: int, key: str, why: str) -> None:
        """Kill the worker of a unit and what it has started, if it is still at that unit."""
        import psutil

        with suppress(psutil.Error):
            if not _is_child(pid):
                # the number of a worker that is gone, given to another process
                return
            process = psutil.Process(pid)
            # held, so that it cannot end the unit now and begin another
            process.suspend()
            try:
                if self._files.running().get(pid) == key:
                    self.over[key] = why
                    for one in (*process.children(recursive=True), process):
                        with suppress(psutil.Error):
                            one.kill()
            finally:
                with suppress(psutil.Error):
                    process.resume()


def over_time(limits: UnitLimits) -> str:
    """Return why a unit over its time has failed, in words."""
    return f"took longer than {limits.seconds:g} s (--unit-timeout)"


def _is_child(pid: int) -> bool:
    """Tell whether a process lives and was started by this one."""
    import psutil

    try:
        process = psutil.Process(pid)
        return bool(process.ppid() == os.getpid() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False
    except OSError:
        # not to be told now: it counts as alive
        return True


def resident_bytes(pid: int) -> int:
    """Return the resident memory of a process and of those that it has started; 0 where it is gone."""
    import psutil

    total = 0
    with suppress(psutil.Error):
        process = psutil.Process(pid)
        for one in (process, *process.children(recursive=True)):
            with suppress(psutil.Error):
                total += one.memory_info().rss
    return total
