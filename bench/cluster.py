"""The engine for more than one machine: a Dask scheduler and Dask workers that the user has started.

On each worker every unit is computed by the engine for local processes, so that limits, killed processes and the bits
are the same as on one machine. Workers get units, one's own tables once, and plugin files; they never see the store.
"""

from __future__ import annotations

import asyncio
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, wait
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from distributed import Client, KilledWorker
from distributed import Future as DaskFuture

from ..datasets.contract import Dataset
from ..errors import InputError
from ..provenance import blas_kernels
from .cluster_asking import ANSWER, ask, check_address, check_scheduler, is_silent, silence_dask
from .cluster_worker import (
    RefusedError,
    StoppedError,
    WorkerSide,
    compute,
    differing_versions,
    has_received,
    receive,
    worker_versions,
)
from .console import count
from .engine import WorkerDiedError
from .evaluate import UnitResult, describe
from .fit_progress import Report
from .limits import NO_LIMITS, UnitLimits
from .plan import Unit

#: seconds for which a scheduler that was lost is waited for
PATIENCE = 600.0
#: seconds within which a worker must have taken what a run sends it, tables included
GIVING = 60.0
#: seconds between two looks at what is waited for
EVERY = 1.0
#: seconds for which a run that stops waits for an answer: what was asked for is done without it
LAST = 3.0
#: how often Dask may give a unit up, because workers died that had it, before it counts as failed
TRIES = 5


class Cluster:
    """Computes units on Dask workers.

    A worker that is lost costs nothing: Dask gives its units to others, or keeps them until there are
    some. A scheduler that is lost is waited for, and what it had is handed to it again.

    Parameters
    ----------
    address : str
        Of the scheduler, such as ``"tcp://host:8786"``.
    own_datasets, plugins, limits
        As of `Processes`; the rows of tables and the content of plugin files are sent to the workers.
    packages : sequence of str
        Those whose versions must be the driver's on every worker.
    load : sequence of str
        Packages that a worker's processes import before their first unit.
    say : callable
        Told in a line what a person should know: that workers are lost or there are none, that the scheduler is.

    Raises
    ------
    InputError
        There is no scheduler, or the scheduler or a worker has other versions.
    """

    def __init__(
        self,
        address: str,
        own_datasets: Mapping[str, Dataset],
        plugins: list[str],
        limits: UnitLimits = NO_LIMITS,
        packages: Sequence[str] = (),
        load: Sequence[str] = (),
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        check_address(address)
        silence_dask()
        self._address, self._say = address, say
        self._threads = limits.threads
        self._name = f"augbench-{uuid.uuid4().hex[:12]}"
        self._packages = list(packages)
        self._expected = worker_versions(self._packages)
        paths = [Path(one) for one in plugins if one.endswith(".py")]
        files = {path.name: path.read_bytes() for path in paths}
        if len(files) < len(paths):
            raise InputError(f"plugin files need names of their own on a cluster; found {', '.join(map(str, paths))}")
        modules = [one for one in plugins if not one.endswith(".py")]
        own = dict(own_datasets)
        self._side = WorkerSide(self._name, own, modules, files, limits, self._expected, blas_kernels(), load)
        self._lock = threading.Lock()
        self._futures: dict[str, tuple[Unit, Future[UnitResult]]] = {}
        self._flying: dict[str, DaskFuture] = {}
        self._reports: dict[str, Report] = {}
        self._refused: set[str] = set()
        #: workers that did not answer when they were asked, and get nothing until they do
        self._silent: set[str] = set()
        #: the workers that may compute a unit, where not all may, by its key
        self._allowed: dict[str, set[str]] = {}
        self._tries: dict[str, int] = {}
        self._at_a_time = 1
        self._lost = False
        #: whether the scheduler, and whether any worker, has to come before anything is computed
        self._no_scheduler, self._no_worker = False, False
        self._stopped = threading.Event()
        try:
            self._client = self._connect()
        except Exception as error:
            raise self._no_answer(error) from None
        try:
            self._set_up()
        except BaseException as error:
            self._client.close(timeout=EVERY)
            if isinstance(error, OSError):
                raise self._no_answer(error) from None
            raise
        threading.Thread(target=self._watch_workers, daemon=True).start()

    @property
    def workers(self) -> int:
        """How many units the workers compute at a time now."""
        return self._at_a_time

    @property
    def waiting_for(self) -> str:
        """What has to come before anything is computed, in words; empty where nothing has to."""
        return "the scheduler" if self._no_scheduler else "workers" if self._no_worker else ""

    def submit(self, unit: Unit) -> Future[UnitResult]:
        """Hand a unit to the scheduler."""
        future: Future[UnitResult] = Future()
        with self._lock:
            self._futures[unit.key] = (unit, future)
            lost = self._lost
        if not lost:
            self._hand_in(unit)
        return future

    def report(self, unit: Unit) -> Report | None:
        """Return what the unit's worker said last."""
        return self._reports.get(unit.key)

    def stop(self) -> None:
        """Take back what is in flight, end the processes of the workers and the connection."""
        self._stopped.set()
        client = self._client
        with suppress(Exception):
            client.sync(client._cancel, list(self._flying.values()), force=True, callback_timeout=LAST)
        with suppress(Exception):
            # a worker that hangs, or is cut off, would be waited for
            client.sync(client._unregister_worker_plugin, name=self._name, callback_timeout=LAST)
        with suppress(Exception):
            client.close(timeout=EVERY)

    # -- scheduler and workers -------------------------------------------------------------------------------------

    def _connect(self) -> Client:
        client = Client(self._address, timeout=ANSWER, set_as_default=False, name=self._name)
        client.subscribe_topic(self._name, self._hear)
        return client

    def _sound_workers(self) -> dict[str, int]:
        """Return how many units each worker that is used computes at a time, by address.

        Raises
        ------
        Exception
            The scheduler does not answer.
        """
        answer = self._client.nthreads(callback_timeout=ANSWER)
        return {
            address: max(1, threads // self._threads)
            for address, threads in answer.items()
            if address not in self._refused | self._silent
        }

    def _no_answer(self, error: Exception) -> InputError:
        return InputError(
            f"no Dask scheduler answers at {self._address} ({describe(error)}): start one with 'dask scheduler', and "
            f"workers with 'dask worker {self._address}'"
        )

    def _wait_for_workers(self) -> None:
        said = False
        while not (workers := self._sound_workers()) and not self._stopped.wait(EVERY):
            self._no_worker = True
            self._wake()
            if not said and not self._silent:
                self._say_none("yet")
                said = True
        self._no_worker = False
        self._at_a_time = max(1, sum(workers.values()))

    def _say_none(self, when: str) -> None:
        self._say(f"{self._address} has no workers {when}: start some with 'dask worker {self._address}'")

    def _watch_workers(self) -> None:
        """Count the workers again and again, and say which are lost."""
        before: set[str] = set()
        none = False
        while not self._stopped.wait(EVERY):
            if self._lost:
                # it comes back with workers of its own
                before, none = set(), False
                continue
            try:
                self._wake()
                workers = self._sound_workers()
            except Exception:
                # that the scheduler is lost is seen where units are handed in and come back
                continue
            self._at_a_time = max(1, sum(workers.values()))
            self._no_worker = not workers
            for unit in self._stranded(workers) if workers else []:
                self._hand_in(unit)
            if lost := sorted(before - set(workers) - self._refused):
                self._say(f"{count(len(lost), 'worker')} lost ({', '.join(lost)}), {len(workers)} left")
            if not workers and not none:
                self._say_none("now")
            if workers and none:
                self._say(f"{self._address} has workers again")
            before, none = set(workers), not workers

    def _set_up(self) -> None:
        """Wait for workers, see that they can compute what this process would, and give them what they need."""
        check_scheduler(self._client, self._address)
        while not self._stopped.is_set():
            self._wait_for_workers()
            self._check_versions()
            try:
                self._give_side()
            except OSError:
                # a worker that was cut off meanwhile has been given up
                continue
            if self._sound_workers():
                return

    def _check_versions(self) -> None:
        """Raise if a worker cannot compute what the driver would; one that does not answer is not used for now."""
        problems = []
        answers = ask(self._client, self._sound_workers(), worker_versions, self._packages)
        for address, answer in answers.items():
            if is_silent(answer):
                self._set_aside(address)
            elif problem := self._problem(answer):
                problems.append(f"{address}: {problem}")
        if problems:
            raise InputError(
                f"{count(len(problems), 'worker')} of {len(answers)} would give other results: {'; '.join(problems)}. "
                "Install the driver's versions there ('pip install -c constraints.txt')"
            )

    def _problem(self, answer: Any) -> str:
        """Return in words why a worker that answered so is not used, or an empty string."""
        if isinstance(answer, BaseException):
            return f"{describe(answer)} (is augbench installed there?)"
        return differing_versions(self._expected, answer)

    def _give_side(self) -> None:
        """Give all workers, and those that come later, what they need, without waiting for one that hangs."""
        giving = self._client._register_worker_plugin(self._side, self._name, False)
        given = asyncio.run_coroutine_threadsafe(giving, self._client.loop.asyncio_loop)  # type: ignore[union-attr]
        while not wait([given], timeout=EVERY).done and not self._stopped.is_set():
            answers = ask(self._client, self._sound_workers(), has_received, self._name)
            for address in filter(lambda one: is_silent(answers[one]), answers):
                self._set_aside(address)
            if all(answer is True for answer in answers.values() if not is_silent(answer)):
                given.cancel()
                return
        if given.done():
            given.result()

    def _set_aside(self, address: str) -> None:
        self._silent.add(address)
        self._say(f"worker {address} does not answer: it is not used until it does")

    def _wake(self) -> None:
        """Look whether workers that did not answer do now, and have what they need then."""
        if not self._silent:
            return
        self._silent &= set(self._client.nthreads(callback_timeout=ANSWER))
        for address, answer in ask(self._client, self._silent, worker_versions, self._packages).items():
            if is_silent(answer):
                continue
            if problem := self._problem(answer):
                self._leave_out(address, problem)
            elif ask(self._client, [address], receive, self._side, limit=GIVING)[address] is None:
                self._say(f"worker {address} answers again")
            else:
                continue
            self._silent.discard(address)

    def _hear(self, event: tuple[float, Any]) -> None:
        """Keep how far a worker says that a unit is, or pass on what it says of itself."""
        key, report = event[1]
        if not key:
            self._say(report)
        elif report and key in self._futures:
            self._reports[key] = Report(*report)
        else:
            self._reports.pop(key, None)

    # -- units -----------------------------------------------------------------------------------------------------

    def _hand_in(self, unit: Unit) -> None:
        """Submit a unit; if that cannot be done, the scheduler is lost."""
        try:
            where: dict[str, Any] = {}
            self._allowed.pop(unit.key, None)
            if self._refused or self._silent:
                where = {"workers": list(self._sound_workers()), "allow_other_workers": False}
                self._allowed[unit.key] = set(where["workers"])
                if not where["workers"]:
                    self._without_workers()
                    return
            name = f"{self._name}-{unit.key[:16]}-{uuid.uuid4().hex[:6]}"
            future = self._client.submit(compute, unit, self._name, key=name, pure=False, **where)
            self._flying[unit.key] = future
            future.add_done_callback(partial(self._finished, unit))
        except Exception:
            self._lose()

    def _stranded(self, workers: Iterable[str]) -> list[Unit]:
        """Return the units that none of these workers may compute: those that might are gone."""
        with self._lock:
            units = [unit for unit, _ in self._futures.values()]
        return [unit for unit in units if unit.key in self._allowed and self._allowed[unit.key].isdisjoint(workers)]

    def _without_workers(self) -> None:
        """Give up where all workers were refused; one that is silent is waited for, see `_stranded`."""
        if not self._silent:
            self._give_up(
                InputError(
                    "no worker is left that computes what this process would: the driver's version of augbench, of "
                    "its packages ('pip install -c constraints.txt') and of the data have to be there"
                )
            )

    def _finished(self, unit: Unit, computed: DaskFuture) -> None:
        """Hand a result over, or do what has to be done where there is none."""
        if self._stopped.is_set() or self._flying.get(unit.key) is not computed:
            return
        try:
            result = computed.result()
        except WorkerDiedError as error:
            self._fail(unit, error)
        except RefusedError as error:
            self._refuse(unit, *error.args)
        except StoppedError:
            self._hand_in(unit)
        except KilledWorker:
            # also of units that only waited at workers that died
            self._tries[unit.key] = self._tries.get(unit.key, 0) + 1
            if self._tries[unit.key] < TRIES:
                self._hand_in(unit)
            else:
                self._fail(unit, WorkerDiedError("Dask workers died, one after the other, while at it"))
        except Exception as error:
            if computed.status == "error":
                self._fail(unit, WorkerDiedError(f"no result came back ({describe(error)})"))
            else:
                self._lose()
        else:
            self._take(unit).set_result(result)

    def _take(self, unit: Unit) -> Future[UnitResult]:
        """Return the future of a unit that has ended."""
        with self._lock:
            self._flying.pop(unit.key, None)
            self._allowed.pop(unit.key, None)
            self._reports.pop(unit.key, None)
            return self._futures.pop(unit.key, (unit, Future[UnitResult]()))[1]

    def _fail(self, unit: Unit, error: WorkerDiedError) -> None:
        self._take(unit).set_exception(error)

    def _refuse(self, unit: Unit, address: str, why: str) -> None:
        """Give no more to a worker that came later and has other versions, or that lacks something."""
        self._leave_out(address, why)
        self._hand_in(unit)

    def _leave_out(self, address: str, why: str) -> None:
        if address not in self._refused:
            self._refused.add(address)
            self._say(f"worker {address} is not used: {why}")

    def _lose(self) -> None:
        """Wait for the scheduler in a thread of its own, once."""
        with self._lock:
            if self._lost:
                return
            self._lost = self._no_scheduler = True
        threading.Thread(target=self._find_again, daemon=True).start()

    def _find_again(self) -> None:
        """Connect to a scheduler that was lost, and hand it everything again."""
        self._say(f"the scheduler {self._address} is lost: waiting for it; what is stored is kept, Ctrl-C stops")
        with suppress(Exception):
            self._client.close(timeout=EVERY)
        deadline, back = time.monotonic() + PATIENCE, False
        while not self._stopped.wait(EVERY):
            try:
                self._client = self._connect()
                if not back:
                    self._say(f"the scheduler {self._address} is back")
                back, self._no_scheduler, self._no_worker = True, False, False
                self._silent.clear()
                self._set_up()
                break
            except InputError as error:
                self._give_up(error)
                return
            except Exception as error:
                with suppress(Exception):
                    self._client.close(timeout=EVERY)
                self._no_scheduler = True
                if time.monotonic() > deadline:
                    self._give_up(InputError(f"the scheduler {self._address} did not come back ({describe(error)})"))
                    return
        with self._lock:
            self._lost = False
            units = [unit for unit, _ in self._futures.values()]
        for unit in units:
            self._hand_in(unit)

    def _give_up(self, error: InputError) -> None:
        for unit, _ in list(self._futures.values()):
            self._take(unit).set_exception(error)
