"""Engines: where units are computed. One small interface, in the shape of concurrent.futures."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from concurrent.futures import BrokenExecutor, Future
from contextlib import suppress
from functools import partial
from typing import Protocol

from ..datasets.contract import Dataset, FiniteDataset
from ..errors import InputError
from ..progress import listening
from ..threads import variables
from .device import load_packages
from .evaluate import CACHE, UnitResult, describe, evaluate
from .fit_progress import FitClock, Report, ReportFiles
from .guard import protect
from .limits import NO_LIMITS, UnitLimits
from .plan import Unit, dataset_instance, differing_code
from .plugins import PluginError, load_entry_points, load_plugin
from .worker_files import Watch, WorkerFiles, over_time
from .worker_pool import FILES_OF_WORKER, Task, Worker, allow_files, forks_end_as_usual

#: when so many times as there are workers one died before any was ready, nothing can be computed; a count, since where
#: the machine is busy they take long to start
DEATHS = 20
#: files that this process may have open beside those of the workers
FILES_OF_OTHERS = 256
#: seconds after which a unit over its time is ended whose worker the watch does not see at it
MARGIN = 1.0
#: what of the units' keys was found, in this worker process, to be that of the code and data here
_CHECKED: set[tuple[str, ...]] = set()
_OF_A_UNIT = ("method", "dataset", "settings")


class WorkerDiedError(Exception):
    """A unit has no result, because the process that computed it is no more; the message says why.

    Attributes
    ----------
    seconds : float
        For how long it was computed.
    """

    seconds = 0.0


class CannotComputeError(WorkerDiedError):
    """A worker lacks something, or has other code or packages than the run was planned with."""


class Engine(Protocol):
    """Computes units."""

    @property
    def workers(self) -> int:
        """How many units are computed at a time now."""

    @property
    def waiting_for(self) -> str:
        """What is lacking for units to be computed now, in words; here nothing."""

    def submit(self, unit: Unit) -> Future[UnitResult]:
        """Start computing a unit. The future fails only if the worker died, with an error that says so."""

    def report(self, unit: Unit) -> Report | None:
        """Return how far a running unit says it is; may be asked from another thread."""

    def stop(self) -> None:
        """End all workers now; what is in flight is lost."""


class InProcess:
    """Computes each unit at once, in this process."""

    workers = 1
    waiting_for = ""

    def __init__(self, own_datasets: Mapping[str, Dataset], packages: Sequence[str] = ()) -> None:
        CACHE.own.update(own_datasets)
        load_packages(packages)
        self._reports: dict[str, Report] = {}

    def submit(self, unit: Unit) -> Future[UnitResult]:
        """Compute the unit and return a finished future."""
        future: Future[UnitResult] = Future()
        clock = FitClock()

        def keep(what: str, done: int, total: int) -> None:
            self._reports[unit.key] = Report(what, done, total, clock.seconds(done, total))
            if done >= total:
                # what follows is something else
                self._reports.clear()

        with listening(keep):
            future.set_result(evaluate(unit))
        self._reports.clear()
        return future

    def report(self, unit: Unit) -> Report | None:
        """Return the unit's last report."""
        return self._reports.get(unit.key)

    def stop(self) -> None:
        """Do nothing: there is no worker."""


class Processes:
    """Local worker processes (Pebble): a worker that is killed costs its own unit only.

    Parameters
    ----------
    workers : int
        Number of processes.
    own_datasets : mapping
        One's own tables, by the name they have in the suite.
    plugins : list of str
        Files and modules to load in each worker.
    limits : UnitLimits
        The worker of a unit that takes more is killed.
    packages : sequence of str
        What a worker imports before its first unit.
    """

    def __init__(
        self,
        workers: int,
        own_datasets: Mapping[str, Dataset],
        plugins: list[str],
        limits: UnitLimits = NO_LIMITS,
        packages: Sequence[str] = (),
    ) -> None:
        self.workers = workers
        # for the workers: set before numpy or torch are loaded there
        os.environ.update(variables(limits.threads))
        self._limits = limits
        self._reports = ReportFiles.in_temporary_folder()
        self._files = WorkerFiles(self._reports.folder)
        start = (dict(own_datasets), plugins, packages, os.getpid(), self._reports)
        self._stopped = False
        # taken twice by one thread where a task has ended before its callback is set
        self._lock = threading.RLock()
        #: how many workers in a row died before any was ready
        self._deaths = 0
        #: the last line that a worker printed that died without a unit
        self._last_words = ""
        #: what no worker has yet
        self._waiting: deque[Task] = deque()
        allow_files(FILES_OF_OTHERS + FILES_OF_WORKER * workers)
        self._workers = [Worker(start_worker, start) for _ in range(workers)]
        self._watch = Watch(self._files, limits, self)

    @property
    def waiting_for(self) -> str:
        """A worker that gets ready, in words, after as many as there are died as they started; else nothing."""
        died = self._deaths
        return f"a worker process: {died} died as they started{self._last()}" if died >= self.workers else ""

    def _last(self) -> str:
        return f": {self._last_words}" if self._last_words else ""

    def submit(self, unit: Unit) -> Future[UnitResult]:
        """Queue the unit."""
        task = Task(unit, Future())
        with self._lock:
            if self._stopped:
                raise RuntimeError("the workers are stopped")
            self._waiting.append(task)
            self._hand_out()
        return task.future

    def _hand_out(self) -> None:
        """Give units that wait to workers that have none; the caller holds the lock."""
        for worker in self._workers:
            if self._stopped or not self._waiting:
                return
            if worker.task:
                continue
            task = self._waiting.popleft()
            try:
                worker.begin(task, _evaluate_in_worker, task.unit, self._reports)
            except (OSError, RuntimeError) as error:
                # the system has no room for a process; tried again at the next look
                self._waiting.appendleft(task)
                worker.end()
                self._last_words = describe(error)
                self.idle_died()
                continue
            worker.computing.add_done_callback(partial(self._ended, worker))

    def _ended(self, worker: Worker, computed: Future[UnitResult]) -> None:
        """Pass on what became of a worker's task."""
        with self._lock:
            task = worker.task
            if self._stopped or task is None or computed is not worker.computing:
                # nobody waits for it any more
                return
            worker.task = None
            error = computed.exception()
            if isinstance(error, BrokenExecutor) and task.deaths < DEATHS:
                # the worker died before it had begun (where none ever gets ready the run ends)
                task.deaths += self._files.any_ready()
                worker.end()
                self._waiting.appendleft(task)
                self.idle_died(task.unit.key)
                self._hand_out()
                return
            self._deaths = 0
            if error and not isinstance(error, WorkerDiedError):
                error = _died(self._reason(task.unit, error), worker)
                worker.end()
            worker.has_answered = error is None
            self._hand_out()
        if error is None:
            task.future.set_result(computed.result())
        else:
            task.future.set_exception(error)

    def _reason(self, unit: Unit, error: BaseException) -> str:
        """Return in words why a unit has no result."""
        from pebble import ProcessExpired

        said = ""
        if isinstance(error, ProcessExpired):
            said = self._files.last_words(error.pid)
            self._files.forget(error.pid)
        if over := self._watch.over.pop(unit.key, ""):
            return over
        if isinstance(error, BrokenExecutor):
            return f"the worker process died, {DEATHS + 1} times, before it began the unit or as it sent its result"
        how = _exit_words(error.exitcode) if isinstance(error, ProcessExpired) else describe(error)
        return f"the worker process died ({how}){': ' if said else ''}{said}"

    def idle_died(self, key: str = "") -> None:
        """Take note that a worker died without a unit, or before it had told that it began the one with a key."""
        with self._lock:
            ready = self._files.any_ready()
            dead = [pid for pid, one in self._files.ended().items() if one in ("", key)]
            self._last_words = next(filter(None, map(self._files.last_words, dead)), self._last_words)
            for pid in dead:
                self._files.forget(pid)
            self._deaths = 0 if ready else self._deaths + max(1, len(dead))
            hopeless = self._deaths >= DEATHS * self.workers
        if hopeless:
            self.give_up(f"the worker processes die before they compute anything{self._last()}")

    def look_at_running(self) -> None:
        """Take note of what is computed since when, and end what takes too long and is not seen by the watch."""
        with self._lock:
            self._hand_out()
            for worker in self._workers:
                worker.look()
            most = self._limits.seconds + MARGIN
            late = [worker.task.unit.key for worker in self._workers if worker.task and worker.is_late(most)]
        for key in late:
            self.lose(key, over_time(self._limits))

    def lose(self, key: str, why: str) -> None:
        """End a unit whose worker will not return anything."""
        with self._lock:
            worker = next((one for one in self._workers if one.task and one.task.unit.key == key), None)
            if worker is None or worker.task is None:
                return
            self._deaths = 0
            future, error = worker.task.future, _died(why, worker)
            worker.end()
            self._hand_out()
        future.set_exception(error)

    def give_up(self, why: str) -> None:
        """End all units: nothing can be computed."""
        with self._lock:
            tasks = [*filter(None, (worker.task for worker in self._workers)), *self._waiting]
            self._waiting.clear()
            for worker in self._workers:
                worker.end()
        for task in tasks:
            task.future.set_exception(InputError(why))

    def report(self, unit: Unit) -> Report | None:
        """Return what the unit's worker wrote last."""
        return self._reports.read(unit.key)

    def stop(self) -> None:
        """Kill the workers."""
        self._stopped = True
        self._watch.stop()
        # not one that is just being started
        with self._lock:
            endings = [ending for worker in self._workers for ending in worker.end()]
        # a Ctrl-C in the middle of `submit` can lose the wake-up of a pool's scheduler, which Pebble then waits for
        # without end; the workers are dead by that time
        until = time.monotonic() + 5
        for ending in endings:
            ending.join(timeout=max(0.0, until - time.monotonic()))
        self._reports.remove()


def _died(why: str, worker: Worker) -> WorkerDiedError:
    """Return the error of a unit that a worker had, with the time that it took."""
    error = WorkerDiedError(why)
    error.seconds = worker.seconds
    return error


def _exit_words(code: int) -> str:
    """Return how a process ended, by its exit code."""
    if code == signal.SIGTERM:
        # (Pebble's workers end so)
        return "SIGTERM"
    if code >= 0:
        return f"exit code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    # nothing else sends it unasked
    return f"{name}; the system may have run out of memory" if name == "SIGKILL" else name


def make_engine(
    jobs: int,
    units: int,
    own_datasets: Mapping[str, Dataset],
    plugins: list[str],
    limits: UnitLimits = NO_LIMITS,
    packages: Sequence[str] = (),
) -> Engine:
    """Return the engine for a number of jobs: this process for one, worker processes, at most one a unit, for more.

    A limit takes a process that can be killed, and more threads than one have to be set before libraries are loaded: so
    one job has a worker process, too.
    """
    if jobs == 1 and not limits.any and limits.threads == 1:
        return InProcess(own_datasets, packages)
    return Processes(min(jobs, units), own_datasets, plugins, limits, packages)


def _evaluate_in_worker(unit: Unit, reports: ReportFiles) -> UnitResult:
    with reports.writing(unit.key), WorkerFiles(reports.folder).computing(unit.key):
        _check_unit(unit)
        return evaluate(unit)


def _check_unit(unit: Unit) -> None:
    """Raise `CannotComputeError` where this worker process would not compute what the unit's key stands for."""
    parts = tuple(value for name, value in unit.definitions.items() if name.partition(":")[0] in _OF_A_UNIT)
    if parts in _CHECKED:
        return
    own = CACHE.own.get(unit.dataset.name)
    try:
        differing = differing_code(unit, own)
        dataset = own or dataset_instance(unit.dataset)
        if isinstance(dataset, FiniteDataset):
            dataset.check_present()
    except Exception as error:
        raise CannotComputeError(f"cannot be computed by this worker: {describe(error)}") from None
    if differing:
        raise CannotComputeError(
            "the code or packages are others than those that the run was planned with (start it again, or install "
            "there what the driver has): " + ", ".join(differing)
        )
    _CHECKED.add(parts)


def start_worker(
    own_datasets: dict[str, Dataset], plugins: list[str], packages: Sequence[str], driver: int, reports: ReportFiles
) -> None:
    """Set a worker process up: Ctrl-C is the driver's affair, and a worker ends when its driver is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    forks_end_as_usual()
    WorkerFiles(reports.folder).catch_output()
    threading.Thread(target=_end_with_driver, args=(driver, reports), daemon=True).start()
    CACHE.own.update(own_datasets)
    for dataset in own_datasets.values():
        protect(dataset)
    load_entry_points()
    for plugin in plugins:
        # the driver has told of the broken ones
        with suppress(PluginError):
            load_plugin(plugin)
    load_packages(packages)
    WorkerFiles(reports.folder).say_ready()


def _end_with_driver(driver: int, reports: ReportFiles) -> None:
    while os.getppid() == driver:
        time.sleep(1)
    # the driver was killed and could not tidy up
    reports.remove()
    os._exit(1)
