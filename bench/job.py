"""What ``bench run`` does once its options are read: plan, compute what is missing, show the leaderboard."""

from __future__ import annotations

import os
import shlex
import signal
import sys
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import typer

from ..datasets.contract import Dataset
from ..errors import InputError
from .alone import units_to_time, warm_up
from .audit import audit_suite
from .console import Places, count, err, out
from .device import check_devices, check_package, missing_requirement
from .display import display_on, duration
from .engine import Engine, Processes, make_engine
from .estimate import Estimator, longest_first, makespan, measured_before
from .evaluate import UnitResult
from .inspections import inspect_datasets, print_findings
from .limits import NO_LIMITS, UnitLimits
from .own_table import describe
from .plan import Plan, Unit, make_plan
from .printing import print_failures, print_not_run, print_plan, show
from .report import run_info
from .run import Progress, execute, packages_to_load, packages_used, units_to_run
from .shard import Shard
from .store import Store
from .suite import Suite
from .time_limit import Limit, print_left_out, shown_plan
from .worker_pool import forks_end_as_usual


@dataclass(frozen=True)
class Manner:
    """How a run is done.

    Attributes
    ----------
    jobs : int
        Worker processes; 0 is as many as there are cores for.
    scheduler : str
        Address of a Dask scheduler whose workers compute; empty: this machine does.
    limits : UnitLimits
        What a unit may take; its threads are the suite's.
    shard : Shard, optional
        The part of the units that is computed.
    retry_failed, dry_run, quiet, training_curves, site, cost_alone, audit : bool
        As the options of ``bench run``.
    """

    jobs: int = 0
    scheduler: str = ""
    limits: UnitLimits = NO_LIMITS
    shard: Shard | None = None
    retry_failed: bool = False
    dry_run: bool = False
    quiet: bool = False
    training_curves: bool = False
    site: bool = True
    cost_alone: bool = False
    audit: bool = False

    @property
    def processes(self) -> int:
        """Number of worker processes."""
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
        return self.jobs or max(1, (cores or 1) // self.limits.threads)

    def of(self, suite: Suite) -> Manner:
        """Return the same with the threads of a suite."""
        return replace(self, limits=replace(self.limits, threads=suite.threads))

    def units(self, plan: Plan) -> list[Unit]:
        """Return the units of a plan that are to be computed here."""
        return self.shard.units(plan) if self.shard else plan.units


def run_suite(
    suite: Suite,
    own: dict[str, Dataset],
    plugins: list[str],
    places: Places,
    manner: Manner,
    limit: Limit | None = None,
) -> None:
    """Compute what the store lacks of a suite, write and print its leaderboard; or print the plan only.

    With a limit no unit is started after its time, and what was left out is printed and kept.

    Raises
    ------
    InputError
        Something is not there, or there is nothing to run.
    typer.Exit
        With 1 if units failed, with 130 after Ctrl-C.
    """
    failures, units = compute_suite(suite, own, plugins, places, manner, limit)
    if manner.dry_run:
        return
    if manner.audit and audit_suite(suite, own, plugins, places, manner):
        with Store(places.store) as reader:
            failures = reader.failures(reader.find_run(suite.name)["id"])
    others = _measure_alone(suite, own, plugins, places, manner) if manner.cost_alone else []
    if not manner.shard and any(one[0] == "none" for one in failures) and not _has_baseline(places, suite.name):
        print_failures(failures, units)
        err.print("every unit of the baseline 'none' failed, so there is nothing to compare with: no leaderboard")
        raise typer.Exit(1)
    if manner.shard:
        out.print(
            f"shard {manner.shard} is stored: {places.store.resolve()}; when all are there: "
            + _merge_command(places, manner.shard),
            markup=False,
        )
    elif manner.site:
        show(places, suite.name, "macro_f1", rebuild=False, quiet=manner.quiet)
    else:
        out.print(f"stored: {places.store.resolve()}; its leaderboard: bench leaderboard{places.options}", markup=False)
    if failures:
        print_failures(failures, units)
    for line in others:
        err.print(f"computed again, it was not the same, and what was stored stays: {line}", markup=False)
    if failures or others:
        raise typer.Exit(1)


def _merge_command(places: Places, shard: Shard) -> str:
    """Return what merges the stores of all parts."""
    folder, store = (shlex.quote(str(path)) for path in (places.out_dir, places.store))
    if places.store == places.out_dir / shard.file_name:
        return f"bench merge {folder}/store.sqlite {folder}/shard-*-of-{shard.of}.sqlite"
    # how the other stores are called is not known here
    return f"bench merge {folder}/merged.sqlite {store}, with the stores of the other parts behind it"


def compute_suite(
    suite: Suite,
    own: dict[str, Dataset],
    plugins: list[str],
    places: Places,
    manner: Manner,
    limit: Limit | None = None,
) -> tuple[list[tuple[str, str, str, str, str]], int]:
    """Compute what the store lacks of a suite, or print the plan only; arguments and errors as of `run_suite`.

    Returns
    -------
    tuple
        What failed, as `Store.failures` returns it, and the number of units of the run; nothing of a plan.
    """
    manner = manner.of(suite)
    plan = make_plan(suite, own)
    if not plan.units:
        why = "; ".join(sorted({f"{one.dataset}: {one.reason}" for one in plan.exclusions}))
        raise InputError(f"suite {suite.name} has nothing to run: {why}")
    _check_packages(plan)
    check_devices([suite.device, *(unit.method.params.get("device") for unit in plan.units)])
    for table in [] if manner.quiet else own.values():
        out.print(describe(table), markup=False)
    if limit and not manner.quiet:
        print_left_out(limit)
    if manner.dry_run:
        _print_dry_run(plan, places, manner)
        return [], len(plan.units)
    with Store(places.store, write=True) as store:
        units = manner.units(plan)
        todo, done, failed = units_to_run(units, store, retry_failed=manner.retry_failed, audit=manner.audit)
        estimator = Estimator(plan, measured_before(store, plan))
        if not limit:
            # (within a time, what matters most comes first)
            todo = longest_first(todo, estimator)
        if not manner.quiet:
            _announce(plan, todo, done + failed, estimator, manner, limit)
            if manner.training_curves:
                _print_without_curves(plan, {unit.key for unit in todo}, store)
        command = " ".join([Path(sys.argv[0]).name, *sys.argv[1:]])
        found = inspect_datasets(plan, own, store)
        print_findings(found)
        more = limit.info(suite) if limit else {}
        store.save_run(plan, run_info(plan, command, found) | more)
        if todo:
            todo = [replace(unit, keep_training=manner.training_curves) for unit in todo]
            _compute(plan, todo, Progress(len(units), done, failed), store, own, plugins, manner, limit)
        if limit:
            shown, left = shown_plan(plan, own, limit, store.statuses())
            if left:
                out.print(f"{left}; the same command goes on here", markup=False)
            if shown is not plan:
                store.save_run(shown, run_info(shown, command, found) | more)
    with Store(places.store) as reader:
        run = reader.find_run(suite.name)
        return reader.failures(run["id"]), run["units"]


def _check_packages(plan: Plan) -> None:
    """Raise where no method beside the controls can run, for lack of packages: what is left answers no question."""
    asked = {id_: one for id_, one in plan.methods.items() if one.role != "control" and one.kind != "adjuster"}
    reasons = {id_: missing_requirement(method) for id_, method in asked.items()}
    if asked and all(reasons.values()):
        what = "; ".join(dict.fromkeys(reasons.values()))
        raise InputError(f"none of the methods can run ({', '.join(asked)}): {what}")


def _print_dry_run(plan: Plan, places: Places, manner: Manner) -> None:
    with Store(places.store) if places.store.is_file() else nullcontext() as store:
        units = manner.units(plan)
        standing = units_to_run(units, store, retry_failed=manner.retry_failed, audit=manner.audit)
        estimator = Estimator(plan, measured_before(store, plan) if store else [])
        print_plan(plan, units, standing, estimator, 0 if manner.scheduler else manner.processes)
        if manner.cost_alone and (alone := units_to_time(units, store, all_stored=True)):
            _print_alone(alone, estimator)


def _announce(
    plan: Plan, todo: list[Unit], stored: int, estimator: Estimator, manner: Manner, limit: Limit | None
) -> None:
    """Print what the suite consists of, what is to be computed, and what is not."""
    suite = plan.suite
    guess = f", about {duration(makespan(map(estimator.seconds, todo), manner.processes))}" if todo else ""
    where = count(manner.processes, "process", "es")
    if manner.scheduler:
        guess, where = "", f"the workers of {manner.scheduler}"
    part = f"shard {manner.shard} of " if manner.shard else ""
    if limit and todo:
        guess = f", for at most {duration(limit.seconds)}"
    before = f", {stored} stored before" if stored else ""
    out.print(
        f"{part}suite {suite.name}: {count(len(plan.methods), 'method')} × {count(len(plan.infos), 'dataset')} × "
        f"{count(len(suite.scenarios), 'scenario')} × {count(len(suite.classifiers), 'classifier')} × "
        f"{count(suite.draws, 'draw')}, in {count(len(todo) + stored, 'unit')} of work{before}, "
        f"{len(todo)} to compute on {where}{guess}",
        markup=False,
    )
    print_not_run(plan)


def _print_without_curves(plan: Plan, todo: set[str], store: Store) -> None:
    """Say of which methods that train something there are stored units without a training curve."""
    with_curves = store.units_with_training()
    trained = {id_ for id_, cls in plan.methods.items() if getattr(cls, "requires", ())}
    trained |= {unit.method.id for unit in plan.units if unit.key in with_curves}
    lacking: dict[str, int] = {}
    for unit in plan.units:
        if unit.method.id in trained and unit.key not in todo and unit.key not in with_curves:
            lacking[unit.method.id] = lacking.get(unit.method.id, 0) + 1
    if lacking:
        whose = ", ".join(f"{method} {number}" for method, number in lacking.items())
        units = count(sum(lacking.values()), "unit")
        out.print(f"training curves: none of {units} stored before ({whose}): not computed again", markup=False)


def _has_baseline(places: Places, suite: str) -> bool:
    """Tell whether the baseline has any score."""
    with Store(places.store) as reader:
        return reader.has_scores(reader.find_run(suite)["id"], "none")


def _engine(plan: Plan, todo: list[Unit], own: dict[str, Dataset], plugins: list[str], manner: Manner) -> Engine:
    load = packages_to_load(plan, todo)
    if not manner.scheduler:
        return make_engine(manner.processes, len(todo), own, plugins, manner.limits, load)
    check_package("distributed", "--engine dask")
    from .cluster import Cluster

    packages = list(packages_used(plan))
    say = partial(err.print, markup=False)
    return Cluster(manner.scheduler, own, plugins, manner.limits, packages, load, say)


def _measure_alone(
    suite: Suite, own: dict[str, Dataset], plugins: list[str], places: Places, manner: Manner
) -> list[str]:
    """Compute of every cell one unit again, by one worker, so that its times are its own; return what was different."""
    others: list[str] = []
    plan = make_plan(suite, own)
    with Store(places.store, write=True) as store:
        todo = units_to_time(manner.units(plan), store)
        if not todo:
            return others
        if not manner.quiet:
            _print_alone(todo, Estimator(plan, measured_before(store, plan)))

        def save(unit: Unit, result: UnitResult, versions: dict[str, str], _: int) -> None:
            if not store.save_alone(unit, result, versions):
                others.append(f"{unit.title}: {result.error or 'other scores'}")

        progress = Progress(len(todo), 0, 0)
        engine = Processes(1, own, plugins, manner.of(suite).limits, packages_to_load(plan, todo))
        try:
            warm_up(engine, todo)
            with display_on(out, quiet=manner.quiet) as display:
                execute(plan, todo, engine, store, progress, display, save=save)
        except KeyboardInterrupt:
            measured = f"{progress.done + progress.failed} of {count(len(todo), 'unit')}"
            err.print(f"stopped: times of {measured} are measured; the same command goes on here")
            raise typer.Exit(130) from None
        finally:
            engine.stop()
    return others


def _print_alone(todo: list[Unit], estimator: Estimator) -> None:
    about = duration(sum(map(estimator.seconds, todo)))
    out.print(f"times alone: {count(len(todo), 'unit')} again, one at a time, about {about}", markup=False)


def _compute(
    plan: Plan,
    todo: list[Unit],
    progress: Progress,
    store: Store,
    own: dict[str, Dataset],
    plugins: list[str],
    manner: Manner,
    limit: Limit | None,
) -> None:
    # a batch system that takes the machine back sends SIGTERM: stop as on Ctrl-C
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    forks_end_as_usual()
    engine: Engine | None = None
    try:
        engine = _engine(plan, todo, own, plugins, manner)
        with display_on(out, quiet=manner.quiet) as display:
            execute(plan, todo, engine, store, progress, display, limit)
    except KeyboardInterrupt:
        failed = f", {progress.failed} of them failed" if progress.failed else ""
        err.print(
            f"stopped: {progress.done + progress.failed} units are stored{failed}, {progress.left} are left; "
            "the same command goes on here"
        )
        raise typer.Exit(130) from None
    finally:
        if engine:
            engine.stop()
