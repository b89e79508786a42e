"""Engines: where units are computed. One small interface, in the shape of concurrent.futures."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import BrokenExecutor, Future
from contextlib import contextmanager, suppress
from multiprocessing import resource_tracker
from typing import TYPE_CHECKING, Protocol

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

if TYPE_CHECKING:
    from pebble import ProcessPool

#: how often in a row workers are started anew that die before any of them is ready; a count, since where the machine is
#: busy they take long to start
DEATHS = 20
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

    def submit(self, unit: Unit) -> Future[UnitResult]:
        """Start computing a unit. The future fails only if the worker died, with an error that says so."""

    def report(self, unit: Unit) -> Report | None:
        """Return how far a running unit says it is; may be asked from another thread."""

    def stop(self) -> None:
        """End all workers now; what is in flight is lost."""


class InProcess:
    """Computes each unit at once, in this process."""

    workers = 1

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
        self._start = (dict(own_datasets), plugins, packages, os.getpid(), self._reports)
        self._stopped = False
        # taken twice by one thread where a unit has ended before its callback is set
        self._lock = threading.RLock()
        #: how often in a row every worker died before it was ready
        self._deaths = 0
        #: the last line that a worker printed that died without a unit
        self._last_words = ""
        #: what was handed in and has not ended, by key
        self._waiting: dict[str, tuple[Unit, Future[UnitResult]]] = {}
        #: the pool's futures of these
        self._computing: dict[str, Future[UnitResult]] = {}
        #: since when they are computed, on `time.monotonic`
        self._since: dict[str, float] = {}
        self._pool = self._new_pool()
        self._watch = Watch(self._files, limits, self)

    def _new_pool(self) -> ProcessPool:
        from pebble import ProcessPool

        context = multiprocessing.get_context("spawn")
        return ProcessPool(self.workers, initializer=start_worker, initargs=self._start, context=context)

    def submit(self, unit: Unit) -> Future[UnitResult]:
        """Queue the unit."""
        future: Future[UnitResult] = Future()
        with self._lock:
            self._waiting[unit.key] = (unit, future)
            self._schedule(unit, future)
        return future

    def _schedule(self, unit: Unit, future: Future[UnitResult]) -> None:
        """Queue a unit at the pool that there is now; the caller holds the lock."""
        pool = self._pool
        try:
            # (Pebble's own limit of time goes by a clock that may be set)
            with interrupts_held_back():
                computing = pool.schedule(_evaluate_in_worker, args=[unit, self._reports])
        except RuntimeError:
            if self._stopped:
                raise
            # the pool is broken; the unit waits for the next one
            self._replace_later(pool)
        else:
            self._computing[unit.key] = computing
            computing.add_done_callback(lambda one: self._hand_over(unit, one, future, pool))

    def _replace_later(self, pool: ProcessPool) -> None:
        """Replace a pool from a thread of its own: the caller may hold the lock, or be a thread of the pool."""
        threading.Thread(target=self._replace, args=(pool,), daemon=True).start()

    def _replace(self, pool: ProcessPool, said: str = "", ready: bool = False) -> None:
        """Start all workers anew in the place of a pool of which one died that had no unit.

        Pebble does not get over that: its workers take turns at waiting for a unit, and the one that died had the turn.
        `said` is the last line that it printed, `ready` whether it could have computed something.
        """
        with self._lock:
            if self._stopped or pool is not self._pool:
                return
            self._deaths = 0 if ready or self._files.any_ready() else self._deaths + 1
            hopeless = self._deaths >= DEATHS
            others = self._files.started()
            words = filter(None, [said, *map(self._files.last_words, others)])
            self._last_words = next(words, self._last_words)
            self._pool = self._new_pool()
            waiting = list(self._waiting.values())
            for unit, future in [] if hopeless else waiting:
                self._schedule(unit, future)
        pool.stop()
        for pid in others:
            # these have not died by themselves
            self._files.forget(pid)
        threading.Thread(target=pool.join, daemon=True).start()
        if hopeless:
            last = f": {self._last_words}" if self._last_words else ""
            self.give_up(f"the worker processes die before they compute anything{last}")

    def idle_died(self, said: str, ready: bool) -> None:
        """Take note that a worker has died that had no unit: see `Watch`."""
        self._replace(self._pool, said, ready)

    def look_at_running(self) -> None:
        """Take note of what is computed since when, and end what takes too long and is not seen by the watch."""
        now = time.monotonic()
        with self._lock:
            running = [key for key, one in self._computing.items() if one.running()]
            self._since = {key: self._since.get(key, now) for key in running}
            late = [key for key, since in self._since.items() if now - since > self._limits.seconds + MARGIN]
        for key in late:
            self.lose(key, over_time(self._limits))

    def lose(self, key: str, why: str) -> None:
        """End a unit whose worker will not return anything."""
        with self._lock:
            computing = self._computing.get(key)
            _, future = self._waiting.pop(key, (None, None))
            error = self._died(key, why)
        if computing:
            computing.cancel()
        if future:
            future.set_exception(error)

    def give_up(self, why: str) -> None:
        """End all units: nothing can be computed."""
        with self._lock:
            waiting = [self._waiting.pop(key)[1] for key in list(self._waiting)]
        for future in waiting:
            future.set_exception(InputError(why))

    def _died(self, key: str, why: str) -> WorkerDiedError:
        """Return the error of a unit, with the time that it took; the caller holds the lock."""
        self._computing.pop(key, None)
        error = WorkerDiedError(why)
        error.seconds = time.monotonic() - self._since.pop(key, time.monotonic())
        return error

    def _hand_over(
        self, unit: Unit, computed: Future[UnitResult], future: Future[UnitResult], pool: ProcessPool
    ) -> None:
        from pebble import ProcessExpired

        with self._lock:
            if pool is not self._pool or computed.cancelled():
                # of workers that were replaced or stopped
                return
            error = computed.exception()
            if isinstance(error, BrokenExecutor):
                self._replace_later(pool)
                return
            if self._waiting.pop(unit.key, None) is None:
                # given up meanwhile
                return
            died = None
            if error and not isinstance(error, WorkerDiedError):
                died = self._died(unit.key, self._reason(unit, error))
            self._computing.pop(unit.key, None)
        if error is None:
            future.set_result(computed.result())
        else:
            future.set_exception(died or error)
        if isinstance(error, ProcessExpired):
            self._files.forget(error.pid)

    def _reason(self, unit: Unit, error: BaseException) -> str:
        """Return in words why a unit has no result."""
        from pebble import ProcessExpired

        if over := self._watch.over.pop(unit.key, ""):
            return over
        if isinstance(error, ProcessExpired):
            said = self._files.last_words(error.pid)
            return f"the worker process died ({_exit_words(error.exitcode)}){': ' if said else ''}{said}"
        return f"the worker process died ({describe(error)})"

    def report(self, unit: Unit) -> Report | None:
        """Return what the unit's worker wrote last."""
        return self._reports.read(unit.key)

    def stop(self) -> None:
        """Kill the workers."""
        self._stopped = True
        self._watch.stop()
        # not one that is just being replaced
        with self._lock:
            pool = self._pool
        pool.stop()
        # in a thread of its own: a Ctrl-C in the middle of `submit` can lose the wake-up of the pool's scheduler, which
        # Pebble then waits for without end; the workers are dead by that time
        ending = threading.Thread(target=pool.join, daemon=True)
        ending.start()
        ending.join(timeout=5)
        self._reports.remove()


@contextmanager
def interrupts_held_back() -> Iterator[None]:
    """Hold Ctrl-C back for a moment: processes and threads that are started now never get it."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    # it lets interrupts through again when it has started
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _exit_words(code: int) -> str:
    """Return how a process ended, by its exit code."""
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
            "the code or packages are others than those that the run was planned with (start it again): "
            + ", ".join(differing)
        )
    _CHECKED.add(parts)


def start_worker(
    own_datasets: dict[str, Dataset], plugins: list[str], packages: Sequence[str], driver: int, reports: ReportFiles
) -> None:
    """Set a worker process up: Ctrl-C is the driver's affair, and a worker ends when its driver is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
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
