"""Whether a method depends on what it may not see: computed again in a process that holds nothing else of the truth.

Of every method and data set one draw is computed again. A fresh process, in which nothing else is ever computed, gets
its training rows as they are; the cells of its test rows, and of all rows of the other draws, are shuffled by column,
so that none of them is left. What a method finds in memory beside the training rows (in frames, in caches, among the
other tables of a call, in what it remembers of earlier units) is then something else, and so are the predictions for
the test rows, if it uses it. Files are the same, so what was written to one during the run may not be read. One draw is
a sample: who cheats now and then may get away, and so may a method that brings along what it has learnt before.
"""

from __future__ import annotations

import json
import os
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import typer

from ..datasets.contract import Dataset, Table
from ..leaderboard.results import BASELINE
from ..methods.contract import Adjuster, Detector
from ..provenance import MACHINE
from ..threads import allowed_threads
from .augment import Augmented, augment
from .console import Places, count, err, out
from .device import CPU
from .engine import interrupts_held_back, start_worker
from .evaluate import DrawCache, DrawResult, evaluate_with
from .fit_progress import ReportFiles
from .guard import forbid_written
from .outcome import Stopwatch, UnitResult, describe
from .plan import Plan, Unit, make_plan, method_instance
from .predictions import pack_predictions, unpack_predictions
from .prepare import Part, PreparedDraw
from .run import environment, packages_to_load
from .scenario import Draw
from .store import Store

if TYPE_CHECKING:
    from .job import Manner
    from .suite import Suite


@dataclass(frozen=True)
class Audited:
    """What an audit found of a method.

    Attributes
    ----------
    method : str
    reason : str
        What differed, and where; empty: nothing.
    skipped : str
        Why it was not computed again, or an empty string.
    """

    method: str
    reason: str = ""
    skipped: str = ""


def audit_suite(
    suite: Suite, own: Mapping[str, Dataset], plugins: list[str], places: Places, manner: Manner
) -> list[Audited]:
    """Audit the stored units of a suite; those of methods that differ are stored as failed. Return what differed."""
    manner = manner.of(suite)
    plan = make_plan(suite, dict(own))
    with Store(places.store, write=True) as store:
        try:
            found = list(_audits(plan, own, plugins, store, manner))
        except KeyboardInterrupt:
            err.print("stopped: nothing is said of any method; the same command audits again")
            raise typer.Exit(130) from None
        differing = [one for one in found if one.reason]
        for one in differing:
            _fail(plan, one, store)
    skipped: dict[str, list[str]] = {}
    for one in found:
        if one.skipped:
            skipped.setdefault(one.skipped, []).append(one.method)
    for why, ids in skipped.items():
        err.print(f"not audited: {', '.join(dict.fromkeys(ids))} ({why})", markup=False)
    for one in differing:
        err.print(f"audit: {one.method} depends on rows that it may not see: {one.reason}", markup=False)
    return differing


def _audits(
    plan: Plan, own: Mapping[str, Dataset], plugins: list[str], store: Store, manner: Manner
) -> Iterator[Audited]:
    """Audit each method of a plan: yield what was found, and what was skipped."""
    together: dict[str, list[Unit]] = {}
    here = environment(plan)
    for unit in units_to_audit(manner.units(plan), store):
        if why := _obstacle(unit, here, store):
            yield Audited(unit.method.id, skipped=why)
        else:
            together.setdefault(unit.method.id, []).append(unit)
    if not manner.quiet:
        number = sum(map(len, together.values()))
        out.print(f"audit: {count(len(together), 'method')}, one draw of each of {count(number, 'unit')} again")
    cache = DrawCache()
    cache.own.update(own)
    units = [unit for ones in together.values() for unit in ones]
    started = datetime.fromisoformat(store.find_run(plan.suite.name)["started"]).timestamp()
    with _fresh_process(plugins, packages_to_load(plan, units), manner, started) as compute:
        for id_ in sorted(together, key=lambda id_: id_ != BASELINE):
            reasons = (_difference(unit, cache, store, compute) for unit in together[id_])
            try:
                reason = next(filter(None, reasons), "")
            except TimeoutError:
                yield Audited(id_, skipped=f"took longer than {manner.limits.seconds:g} s")
                continue
            if reason and id_ == BASELINE:
                # then others that differ have done nothing wrong
                yield from (Audited(one, skipped=f"not even the baseline is the same: {reason}") for one in together)
                return
            yield Audited(id_, reason)


def units_to_audit(units: Sequence[Unit], store: Store) -> list[Unit]:
    """Return the last unit without failures of every method and data set: the one with most before it."""
    done = {key for key, (status, _) in store.units_with_results().items() if status == "done"}
    chosen = {(unit.method.id, unit.dataset.id): unit for unit in units if unit.key in done}
    return list(chosen.values())


def _obstacle(unit: Unit, here: Mapping[str, str], store: Store) -> str:
    """Return why other predictions would say nothing about a method, or an empty string."""
    if unit.trials or unit.budget:
        return "tuned, or trained within a budget"
    if unit.method.params.get("device", CPU) != CPU:
        return "trained on another device than the CPU"
    [text] = store.connection.execute("SELECT environment FROM units WHERE key = ?", [unit.key]).fetchone()
    there = json.loads(text)
    if differing := [name for name in MACHINE if there.get(name) != here.get(name)]:
        return f"computed on another machine: other {' and '.join(differing)}"
    return ""


def _fail(plan: Plan, one: Audited, store: Store) -> None:
    """Store all units of a method as failed: it gets the baseline's scores."""
    stored = store.statuses()
    error = f"the audit found that it depends on rows that it may not see: {one.reason}"
    for unit in plan.units:
        if unit.method.id == one.method and unit.key in stored:
            store.save(unit, UnitResult(unit.key, error=error), environment(plan))


@contextmanager
def _fresh_process(plugins: list[str], packages: Sequence[str], manner: Manner, started: float) -> Iterator[Any]:
    """Give a function that computes in a process of its own, which knows plugins and no data."""
    import multiprocessing

    from pebble import ProcessPool

    files = ReportFiles.in_temporary_folder()
    start: Any = ({}, plugins, packages, os.getpid(), files)
    context = multiprocessing.get_context("spawn")
    seconds = manner.limits.seconds if np.isfinite(manner.limits.seconds) else None
    pool = ProcessPool(1, initializer=start_worker, initargs=start, context=context)

    def compute(*call: Any) -> Any:
        with interrupts_held_back():
            future = pool.schedule(_call, args=(started, *call), timeout=seconds)
        return future.result()

    try:
        yield compute
    finally:
        pool.stop()
        pool.join()
        files.remove()


def _call(started: float, function: Callable[..., Any], *args: Any) -> Any:
    # file systems have clocks of their own, which tick slowly
    forbid_written(started, time.time() - 0.1)
    return function(*args)


def _difference(unit: Unit, cache: DrawCache, store: Store, compute: Any) -> str:
    """Compute the last draw of a unit again; return in words how it differs from the stored one."""
    prepared = [cache.draw(unit, index) for index in unit.draws]
    method, draw = method_instance(unit.method), prepared[-1]
    if not getattr(method, "many_tolerance", 0.0):
        # it declares that what is computed beside a draw changes no bit
        prepared = [draw]
    try:
        if isinstance(method, Adjuster | Detector):
            found = compute(predict_hidden, unit, hidden(prepared, test_rows=True))
        else:
            made = compute(augment_hidden, unit, hidden(prepared))
            found = _last_result(unit, method, [draw], [made])
    except TimeoutError:
        # that may be the machine's fault
        raise
    except Exception as error:
        return f"{_where(unit)}: computed from its training rows alone, it failed ({describe(error)})"
    return _compared(unit, found, store)


def _where(unit: Unit) -> str:
    return f"{unit.dataset.id} · {unit.scenario.id} · draw {unit.draws[-1]}"


def _compared(unit: Unit, found: DrawResult, store: Store) -> str:
    """Return in words how the predictions of a draw differ from the stored ones."""
    query = """SELECT p.data FROM predictions p JOIN units u ON u.id = p.unit
               WHERE u.key = ? AND p.draw = ? AND p.classifier = ?"""
    for classifier, cell in found.cells.items():
        if cell.error:
            return f"{_where(unit)}: computed from its training rows alone, it failed ({cell.error})"
        [data] = store.connection.execute(query, [unit.key, found.draw, classifier]).fetchone()
        ours, theirs = unpack_predictions(pack_predictions(cell)), unpack_predictions(data)
        differing = np.zeros(len(found.y_test), dtype=bool)
        for name, one in ours.items():
            other = theirs[name]
            if one is None or other is None:
                differing |= one is not other
            else:
                differing |= (one != other).reshape(len(differing), -1).any(axis=1)
        if differing.any():
            return (
                f"{_where(unit)}: computed from its training rows alone, {differing.sum()} of {len(differing)} "
                f"predictions differ ({classifier})"
            )
    return ""


def hidden(prepared: Sequence[PreparedDraw], *, test_rows: bool = False) -> list[PreparedDraw]:
    """Return draws of which the last one has its training rows; everything else in them is shuffled.

    Parameters
    ----------
    prepared : sequence of PreparedDraw
        As they are.
    test_rows : bool
        Whether the last one keeps its test rows, for who predicts them; never their classes.
    """
    rng = np.random.default_rng(0)
    *others, last = prepared
    draws = [_hidden_draw(one, rng, train=False, test=False) for one in others]
    return [*draws, _hidden_draw(last, rng, train=True, test=test_rows)]


def _hidden_draw(one: PreparedDraw, rng: np.random.Generator, *, train: bool, test: bool) -> PreparedDraw:
    def part(of: Part, test: bool) -> Part:
        sides = _hidden(of.train, rng, rows=train, classes=True), _hidden(of.test, rng, rows=test, classes=False)
        return replace(of, train=sides[0], test=sides[1], _encoded={})

    draw = Draw(
        one.draw.index,
        _hidden(one.draw.train, rng, rows=train, classes=True),
        _hidden(one.draw.test, rng, rows=test, classes=False),
        one.draw.seed,
    )
    made = PreparedDraw(draw, one.folds)
    # what was prepared of the true rows, so that all shapes stay (the rows that a fold holds out are training rows)
    vars(made)["whole"] = part(one.whole, test)
    vars(made)["inner"] = [(part(fold, train), held_out) for fold, held_out in one.inner]
    return made


def _hidden(table: Table, rng: np.random.Generator, *, rows: bool, classes: bool) -> Table:
    """Return a table as it is, or with its columns, or its classes, each shuffled; without posterior."""
    X, y = table.X, table.y
    if not rows:
        shuffled = {name: X[name].to_numpy()[rng.permutation(len(X))] for name in X.columns}
        X = pd.DataFrame(shuffled, columns=X.columns).astype(X.dtypes.to_dict())
    return Table(X.copy(), y.copy() if classes else rng.permutation(y), None, table.series)


def augment_hidden(unit: Unit, prepared: list[PreparedDraw]) -> Augmented:
    """Return what an augmenter makes of the last of some draws."""
    with allowed_threads(unit.threads), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return augment(unit, method_instance(unit.method), prepared, Stopwatch())[-1]


def predict_hidden(unit: Unit, prepared: list[PreparedDraw]) -> DrawResult:
    """Return what an adjuster's classifiers, or a detector, predict of the last of some draws."""
    return _last_result(unit, method_instance(unit.method), prepared)


def _last_result(
    unit: Unit, method: Any, prepared: list[PreparedDraw], augmented: list[Augmented] | None = None
) -> DrawResult:
    results = [
        DrawResult(one.draw.index, "", one.draw.test.y.astype(np.uint8), len(one.draw.train.y)) for one in prepared
    ]
    with allowed_threads(unit.threads), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        evaluate_with(unit, method, prepared, results, Stopwatch(), augmented)
    return results[-1]
