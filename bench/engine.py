"""Engines: where units are computed. One small interface, in the shape of concurrent.futures."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Mapping
from concurrent.futures import Future
from contextlib import suppress
from typing import Protocol

from ..datasets.contract import Dataset
from ..progress import listening
from .evaluate import CACHE, UnitResult, evaluate
from .fit_progress import Report, ReportFiles
from .plan import Unit
from .plugins import PluginError, load_entry_points, load_plugin

#: one thread per process: set before numpy or torch are loaded, so that every library obeys
ONE_THREAD = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}


class Engine(Protocol):
    """Computes units.

    Attributes
    ----------
    workers : int
        How many units are computed at a time.
    """

    workers: int

    def submit(self, unit: Unit) -> Future[UnitResult]:
        """Start computing a unit. The future fails only if the worker died, with an error that says so."""

    def report(self, unit: Unit) -> Report | None:
        """Return how far a running unit says it is; may be asked from another thread."""

    def stop(self) -> None:
        """End all workers now; what is in flight is lost."""


class InProcess:
    """Computes each unit at once, in this process."""

    workers = 1

    def __init__(self, own_datasets: Mapping[str, Dataset]) -> None:
        CACHE.own.update(own_datasets)
        self._reports: dict[str, Report] = {}

    def submit(self, unit: Unit) -> Future[UnitResult]:
        """Compute the unit and return a finished future."""
        future: Future[UnitResult] = Future()

        def keep(what: str, done: int, total: int) -> None:
            self._reports[unit.key] = Report(what, done, total)
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
        Number of processes, each with one thread.
    own_datasets : mapping
        One's own tables, by the name they have in the suite.
    plugins : list of str
        Files and modules to load in each worker.
    """

    def __init__(self, workers: int, own_datasets: Mapping[str, Dataset], plugins: list[str]) -> None:
        from pebble import ProcessPool

        self.workers = workers
        os.environ.update(ONE_THREAD)
        self._reports = ReportFiles.in_temporary_folder()
        self._pool = ProcessPool(
            max_workers=workers,
            context=multiprocessing.get_context("spawn"),
            initializer=_start_worker,
            initargs=(dict(own_datasets), plugins, os.getpid(), self._reports),
        )

    def submit(self, unit: Unit) -> Future[UnitResult]:
        """Queue the unit."""
        future: Future[UnitResult] = self._pool.schedule(_evaluate_reporting, args=[unit, self._reports])
        return future

    def report(self, unit: Unit) -> Report | None:
        """Return what the unit's worker wrote last."""
        return self._reports.read(unit.key)

    def stop(self) -> None:
        """Kill the workers."""
        self._pool.stop()
        # in a thread of its own: a Ctrl-C in the middle of `submit` can lose the wake-up of the pool's scheduler, which
        # Pebble then waits for without end; the workers are dead by that time
        ending = threading.Thread(target=self._pool.join, daemon=True)
        ending.start()
        ending.join(timeout=5)
        self._reports.remove()


def make_engine(jobs: int, units: int, own_datasets: Mapping[str, Dataset], plugins: list[str]) -> Engine:
    """Return the engine for a number of jobs: this process for one, worker processes, at most one a unit, for more."""
    return InProcess(own_datasets) if jobs == 1 else Processes(min(jobs, units), own_datasets, plugins)


def _evaluate_reporting(unit: Unit, reports: ReportFiles) -> UnitResult:
    with reports.writing(unit.key):
        return evaluate(unit)


def _start_worker(own_datasets: dict[str, Dataset], plugins: list[str], driver: int, reports: ReportFiles) -> None:
    """Set a worker process up: Ctrl-C is the driver's affair, and a worker ends when its driver is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_driver, args=(driver, reports), daemon=True).start()
    CACHE.own.update(own_datasets)
    load_entry_points()
    for plugin in plugins:
        # the driver has told of the broken ones
        with suppress(PluginError):
            load_plugin(plugin)


def _end_with_driver(driver: int, reports: ReportFiles) -> None:
    while os.getppid() == driver:
        time.sleep(1)
    # the driver was killed and could not tidy up
    reports.remove()
    os._exit(1)
