"""What a Dask worker does for a run: it computes units in processes of its own, by the engine for local processes."""

from __future__ import annotations

import multiprocessing
import platform
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import wait
from dataclasses import astuple, replace
from pathlib import Path
from typing import Any

from distributed import WorkerPlugin, get_worker

from ..datasets.contract import Dataset, Table
from ..datasets.files import FileDataset
from ..provenance import machine, package_versions
from .engine import CannotComputeError, Processes, WorkerDiedError
from .evaluate import UnitResult, describe
from .limits import UnitLimits
from .plan import Unit

#: seconds between two looks at what is computed
EVERY = 1.0
#: seconds after which a worker that computes nothing ends its processes: its driver may have been killed
IDLE = 60.0


class RefusedError(Exception):
    """A worker, named by its address, cannot compute what the driver would, and why."""


class StoppedError(Exception):
    """A run was taken off a worker while it computed."""


def worker_versions(packages: list[str]) -> dict[str, str]:
    """Return the versions here of Python and of some packages."""
    return {"python": ".".join(platform.python_version_tuple()[:2]), **package_versions(packages)}


def differing_versions(expected: Mapping[str, str], found: Mapping[str, str]) -> str:
    """Return in words where a worker's versions are others than the driver's; an empty string if nowhere."""
    return ", ".join(
        f"{name} {found.get(name, 'absent')} (here {version})"
        for name, version in expected.items()
        if found.get(name, "absent") != version
    )


class _WithRows:
    """One's own table, to be sent with its rows: where it arrives, there is no file to read them from."""

    def __init__(self, dataset: FileDataset) -> None:
        self._dataset = dataset

    def __reduce__(self) -> Any:
        return _restore, (self._dataset, self._dataset.load())


def _restore(dataset: FileDataset, table: Table) -> FileDataset:
    dataset._table = table
    return dataset


def _to_send(own_datasets: Mapping[str, Dataset]) -> dict[str, Any]:
    """Return what arrives in another process as the same datasets, with their rows."""
    return {name: _WithRows(one) if isinstance(one, FileDataset) else one for name, one in own_datasets.items()}


class WorkerSide(WorkerPlugin):
    """What a Dask worker keeps for a run: tables and plugins of the driver, and the processes that compute.

    Parameters
    ----------
    name : str
        Of the run.
    own_datasets, limits
        As of `Processes`.
    plugins : list of str
        Modules to load in each process.
    files : dict of str to bytes
        Plugin files by name.
    expected : dict of str to str
        The driver's `worker_versions`.
    kernels : str
        The driver's `blas_kernels`; of others the driver is told.
    packages : sequence of str
        As of `Processes`.
    """

    def __init__(
        self,
        name: str,
        own_datasets: dict[str, Dataset],
        plugins: list[str],
        files: dict[str, bytes],
        limits: UnitLimits,
        expected: dict[str, str],
        kernels: str,
        packages: Sequence[str] = (),
    ) -> None:
        self.name = name
        self._own, self._plugins, self._files = own_datasets, plugins, files
        self._limits, self._expected = limits, expected
        self._kernels, self._to_load = kernels, packages
        self._packages = [name for name in expected if name != "python"]

    def __getstate__(self) -> dict[str, Any]:
        """Send one's own tables with their rows."""
        return self.__dict__ | {"_own": _to_send(self._own)}

    def setup(self, worker: Any) -> None:
        """Make ready to compute; the processes are started with the first unit."""
        self._refusal = differing_versions(self._expected, worker_versions(self._packages))
        self._processes = max(1, worker.state.nthreads // self._limits.threads)
        self._lock = threading.Lock()
        self._engine: Processes | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._computing, self._last = 0, time.monotonic()
        self._machine = machine()
        if (kernels := self._machine["blas"]) != self._kernels:
            others = f"with other BLAS kernels ({kernels}) than this process ({self._kernels})"
            how = "the same OPENBLAS_CORETYPE for all makes them equal"
            worker.log_event(self.name, ("", f"{worker.address} computes {others}: last bits may differ; {how}"))
        # a worker below a nanny is a daemonic process, which may not have children; it ends its own by itself
        multiprocessing.current_process()._config["daemon"] = False  # type: ignore[attr-defined]

    def teardown(self, worker: Any) -> None:
        """End the processes."""
        with self._lock:
            self._stop()

    def compute(self, unit: Unit) -> UnitResult:
        """Compute a unit in a process of this worker, and tell the driver how far it is.

        Raises
        ------
        RefusedError
            There are other versions here than at the driver, or something is lacking.
        StoppedError
            The run has been taken off this worker, or nobody waits for the unit any more.
        WorkerDiedError
            The process died or took too much.
        """
        worker = get_worker()
        address, task = worker.address, worker.get_current_task()
        if self._refusal:
            raise RefusedError(address, self._refusal)
        with self._lock:
            self._computing += 1
        try:
            with self._lock:
                engine = self._engine = self._engine or self._start()
                # (an engine that is stopped meanwhile takes nothing)
                future = engine.submit(unit)
            told = None
            while not wait([future], timeout=EVERY).done:
                if _is_dropped(worker, task):
                    # as Dask takes back what is computed for a driver that is gone, once it knows that
                    self._stop_if(engine)
                if self._engine is not engine:
                    raise StoppedError
                report = engine.report(unit)
                if report != told:
                    told = report
                    worker.log_event(self.name, (unit.key, report and list(astuple(report))))
            return replace(future.result(), machine=self._machine)
        except CannotComputeError as error:
            raise RefusedError(address, str(error)) from None
        except (WorkerDiedError, StoppedError):
            raise
        except Exception as error:
            # no place for its files, say: it would fail one unit after the other
            raise RefusedError(address, describe(error)) from None
        finally:
            with self._lock:
                self._computing -= 1
                self._last = time.monotonic()

    def _start(self) -> Processes:
        self._folder = tempfile.TemporaryDirectory(prefix="augbench-plugins-")
        paths = []
        for name, content in self._files.items():
            path = Path(self._folder.name) / name
            path.write_bytes(content)
            paths.append(str(path))
        engine = Processes(self._processes, _to_send(self._own), [*self._plugins, *paths], self._limits, self._to_load)
        threading.Thread(target=self._stop_when_idle, args=(engine,), daemon=True).start()
        return engine

    def _stop_when_idle(self, engine: Processes) -> None:
        while self._engine is engine:
            time.sleep(EVERY)
            with self._lock:
                if self._engine is engine and not self._computing and time.monotonic() - self._last > IDLE:
                    self._stop()

    def _stop_if(self, engine: Processes) -> None:
        """End the processes, unless they have been started anew meanwhile."""
        with self._lock:
            if self._engine is engine:
                self._stop()

    def _stop(self) -> None:
        if self._engine:
            self._engine.stop()
            self._engine = None
        if self._folder:
            self._folder.cleanup()
            self._folder = None


def _is_dropped(worker: Any, task: Any) -> bool:
    """Tell whether the scheduler has taken a task back that this worker computes; Dask itself lets it go on."""
    state = worker.state.tasks.get(task)
    return state is None or state.state == "cancelled"


async def receive(side: WorkerSide, dask_worker: Any = None) -> None:
    """Put a run's side on a worker that hung when the others got it."""
    if side.name not in dask_worker.plugins:
        await dask_worker.plugin_add(plugin=side, name=side.name)


def has_received(name: str, dask_worker: Any = None) -> bool:
    """Tell whether a worker has a run's side."""
    return name in dask_worker.plugins


def compute(unit: Unit, name: str) -> UnitResult:
    """Compute a unit on the Dask worker where this runs."""
    worker = get_worker()
    side = worker.plugins.get(name)
    if not isinstance(side, WorkerSide):
        raise RefusedError(worker.address, "it does not know this run")
    return side.compute(unit)
