"""The driver: hands the units that the store lacks to an engine, and writes each result."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, field
from functools import partial
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, Protocol

from ..provenance import PACKAGES, distributions_of, machine, package_versions
from .device import CPU, requirements
from .engine import Engine, WorkerDiedError
from .estimate import Estimator, makespan, measured_before
from .evaluate import UnitResult
from .fit_progress import Report
from .plan import Plan, Unit
from .store import Store

if TYPE_CHECKING:
    from .time_limit import Limit

#: units queued at the engine for each worker, so that none waits for the driver
QUEUED_PER_WORKER = 2

#: seconds between two estimates of what is left
ESTIMATE_EVERY = 0.2

#: a unit that takes longer than was expected is taken to need this share more of what it has taken
OVERRUN = 0.25


@dataclass(frozen=True)
class Running:
    """A unit that is being computed.

    Attributes
    ----------
    title : str
        The unit's.
    since : float
        When it was started, in seconds of `time.monotonic`.
    report : callable
        Returns how far it says it is, or None; may be called from any thread.
    expected : float
        Seconds that it was expected to take.
    """

    title: str
    since: float
    report: Callable[[], Report | None]
    expected: float = 0.0

    def left(self, now: float) -> float:
        """Return the seconds that it still needs."""
        passed = max(0.0, now - self.since)
        return max(self.expected - passed, OVERRUN * passed)


@dataclass
class Progress:
    """Where a run stands.

    Attributes
    ----------
    total, done, failed : int
        Units of the run; done and failed count those that were stored before, too.
    running : list of Running
        The units that are being computed; replaced as a whole, never changed, since displays read it in their threads.
    seconds_left : float
        Estimate for what is not finished.
    estimated : float
        When that was estimated, on `time.monotonic`.
    deadline : float
        When nothing is started any more, on `time.monotonic`; infinite unless the time is bound.
    waiting_for : callable
        Returns what the engine waits for ("workers"), so that nothing is computed now; empty where it goes on.
    """

    total: int
    done: int
    failed: int
    running: list[Running] = field(default_factory=list)
    seconds_left: float = 0.0
    estimated: float = 0.0
    deadline: float = math.inf
    waiting_for: Callable[[], str] = str

    @property
    def left(self) -> int:
        """Units that are neither done nor failed."""
        return self.total - self.done - self.failed


class Display(Protocol):
    """Shows a person how a run goes on."""

    def started(self, progress: Progress) -> None:
        """Show what is handed to the engine."""

    def finished(self, progress: Progress, unit: Unit, result: UnitResult) -> None:
        """Show that a unit's result is stored."""


def units_to_run(
    units: list[Unit], store: Store | None, *, retry_failed: bool, audit: bool = False
) -> tuple[list[Unit], int, int]:
    """Return those of some units that the store lacks, and how many are done and failed already.

    Of the failed ones, to retry, those that an audit stored as failed are left out unless there is an audit again.
    """
    statuses = store.statuses() if store is not None else {}
    done = sum(statuses.get(unit.key) == "done" for unit in units)
    failed = {unit.key for unit in units if statuses.get(unit.key) == "failed"}
    retried = failed if retry_failed else set()
    if retried and store is not None and not audit:
        retried = retried - store.failed_by_audit()
    todo = [unit for unit in units if unit.key not in statuses or unit.key in retried]
    return todo, done, len(failed - retried)


def packages_to_load(plan: Plan, units: Iterable[Unit]) -> list[str]:
    """Return the packages that units of a plan need beside the core's, by the names they are imported by."""
    used = {unit.method.id for unit in units}
    tuning = ["optuna"] if plan.suite.trials else []
    return sorted({*tuning, *(name for id_ in used for name in requirements(plan.methods[id_]))})


def packages_used(plan: Plan) -> dict[str, str]:
    """Return the versions of what decides the results of a plan."""
    needed = packages_to_load(plan, plan.units)
    return package_versions([*PACKAGES, *(one for name in needed for one in distributions_of(name.partition(".")[0]))])


def environment(plan: Plan) -> dict[str, str]:
    """Return what results were computed with: what `provenance.MACHINE` names, and the versions of packages."""
    device = {} if plan.suite.device == CPU else {"device": plan.suite.device}
    return {**machine(), **device, **packages_used(plan)}


def execute(
    plan: Plan,
    todo: list[Unit],
    engine: Engine,
    store: Store,
    progress: Progress,
    display: Display,
    limit: Limit | None = None,
    save: Callable[[Unit, UnitResult, dict[str, str], int], Any] | None = None,
) -> None:
    """Compute units and store each result as it comes.

    Parameters
    ----------
    plan : Plan
        The whole run, for estimates.
    todo : list of Unit
        In the order in which they are started.
    engine : Engine
        Where they are computed.
    store : Store
        Open for writing.
    progress : Progress
        Counts so far; kept up to date.
    display : Display
        Told before units start and after each is stored.
    limit : Limit, optional
        Units that do not fit into the time that is left are not started.
    save : callable, optional
        Stores a result; by default `Store.save`.
    """
    save = save or store.save
    waiting = deque(todo)
    flying: dict[Future[UnitResult], Unit] = {}
    estimator = Estimator(plan, measured_before(store, plan))
    versions = environment(plan)
    workers, estimate_at = engine.workers, 0.0
    _estimate(progress, todo, estimator, workers)
    progress.deadline = limit.deadline if limit else math.inf
    progress.waiting_for = lambda: engine.waiting_for
    while waiting or flying:
        # of a cluster there may be more now, or fewer
        workers = engine.workers
        # a unit that waits at the engine when the time is up would still be computed
        queued = 1 if workers == 1 or limit else QUEUED_PER_WORKER
        while waiting and len(flying) < workers * queued:
            if limit and not (waiting := _within(limit, waiting, estimator)):
                break
            unit = waiting.popleft()
            progress.running = _running([*flying.values(), unit], engine, estimator, progress.running)
            display.started(progress)
            flying[engine.submit(unit)] = unit
        finished, _ = wait(flying, return_when=FIRST_COMPLETED)
        for future in finished:
            unit = flying.pop(future)
            result = _result(unit, future)
            save(unit, result, versions | result.machine, workers)
            if result.seconds:
                estimator.learn(unit, result.seconds)
            progress.failed += bool(result.error)
            progress.done += not result.error
            progress.running = _running(flying.values(), engine, estimator, progress.running)
            if time.monotonic() >= estimate_at or not waiting:
                # of tens of thousands of units it takes a while, too
                start = time.monotonic()
                estimator.fit()
                behind = islice(flying.values(), len(progress.running), None)
                _estimate(progress, chain(behind, waiting), estimator, workers)
                estimate_at = time.monotonic() + max(ESTIMATE_EVERY, 50 * (time.monotonic() - start))
            display.finished(progress, unit, result)


def _within(limit: Limit, waiting: deque[Unit], estimator: Estimator) -> deque[Unit]:
    """Return the waiting units that may still be started; what was never measured is only held back by the clock."""
    return deque(unit for unit in waiting if limit.fits(0.0 if estimator.is_guess(unit) else estimator.seconds(unit)))


def _running(units: Iterable[Unit], engine: Engine, estimator: Estimator, before: list[Running]) -> list[Running]:
    """Return the units that the workers are at: the first ones handed over; what ran before keeps its start."""
    since = {one.title: one.since for one in before}
    now = time.monotonic()
    return [
        Running(unit.title, since.get(unit.title, now), partial(engine.report, unit), estimator.seconds(unit))
        for unit in islice(units, engine.workers)
    ]


def _estimate(progress: Progress, waiting: Iterable[Unit], estimator: Estimator, workers: int) -> None:
    """Write into the progress how long what is running, and what waits, will take."""
    now = time.monotonic()
    running = (one.left(now) for one in progress.running)
    progress.seconds_left = makespan(chain(running, map(estimator.seconds, waiting)), workers)
    progress.estimated = now


def _result(unit: Unit, future: Future[UnitResult]) -> UnitResult:
    try:
        return future.result()
    except WorkerDiedError as error:
        return UnitResult(unit.key, error=str(error), seconds=error.seconds)
