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
from .evaluate import CACHE, UnitResult, evaluate
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

    def stop(self) -> None:
        """End all workers now; what is in flight is lost."""


class InProcess:
    """Computes each unit at once, in this process."""

    workers = 1

    def __init__(self, own_datasets: Mapping[str, Dataset]) -> None:
        CACHE.own.update(own_datasets)

    def submit(self, unit: Unit) -> Future[UnitResult]:
        """Compute the unit and return a finished future."""
        future: Future[UnitResult] = Future()
        future.set_result(evaluate(unit))
        return future

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
        self._pool = ProcessPool(
            max_workers=workers,
            context=multiprocessing.get_context("spawn"),
            initializer=_start_worker,
            initargs=(dict(own_datasets), plugins, os.getpid()),
        )

    def submit(self, unit: Unit) -> Future[UnitResult]:
        """Queue the unit."""
        future: Future[UnitResult] = self._pool.schedule(evaluate, args=[unit])
        return future

    def stop(self) -> None:
        """Kill the workers."""
        self._pool.stop()
        self._pool.join(timeout=5)


def make_engine(jobs: int, units: int, own_datasets: Mapping[str, Dataset], plugins: list[str]) -> Engine:
    """Return the engine for a number of jobs: this process for one, worker processes, at most one a unit, for more."""
    return InProcess(own_datasets) if jobs == 1 else Processes(min(jobs, units), own_datasets, plugins)


def _start_worker(own_datasets: dict[str, Dataset], plugins: list[str], driver: int) -> None:
    """Set a worker process up: Ctrl-C is the driver's affair, and a worker ends when its driver is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_driver, args=(driver,), daemon=True).start()
    CACHE.own.update(own_datasets)
    load_entry_points()
    for plugin in plugins:
        # the driver has told of the broken ones
        with suppress(PluginError):
            load_plugin(plugin)


def _end_with_driver(driver: int) -> None:
    while os.getppid() == driver:
        time.sleep(1)
    os._exit(1)
