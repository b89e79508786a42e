"""Whether a method depends on what it may not see: computed again in a process that holds nothing else of the truth.

Of every method and data set two draws are computed again, the first and the last of a block. A fresh process, in which
nothing else is ever computed, gets the training rows of one as they are; of its test rows, and of all rows of the other
draws, each cell is drawn anew from half of those of its column, so that neither a row nor a column's mean is left. What
a method finds in memory beside the training rows (in frames, in caches, among the other tables of a call, in what it
remembers of earlier units) is then something else, and so are the predictions for the test rows, if it uses it. Files
are the same: what was written to one during the run may not be read. Where predictions differ, two more fresh processes
tell who has seen more from who does not follow its seed. Two draws are a sample: who cheats now and then may get away,
and so may a method that brings along what it has learnt before, or reads files in a way that `guard` does not hear of.
"""

from __future__ import annotations

import json
import os
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
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
from .engine import start_worker
from .evaluate import DrawCache, DrawResult, evaluate_with
from .fit_progress import ReportFiles
from .guard import ForbiddenError, forbid_written
from .outcome import Stopwatch, UnitResult, describe
from .plan import Plan, Unit, make_plan, method_instance
from .predictions import pack_predictions, unpack_predictions
from .prepare import Part, PreparedDraw
from .run import environment, packages_to_load
from .scenario import Draw
from .store import FAILED_BY_AUDIT, Store
from .worker_pool import interrupts_held_back

if TYPE_CHECKING:
    from .job import Manner
    from .suite import Suite

#: by classifier, the predictions of a draw, packed; or why there are none
_Predictions = dict[str, bytes | str]


@dataclass(frozen=True)
class Audited:
    """What an audit found of a method.

    Attributes
    ----------
    method, dataset : str
    reason : str
        What is wrong with it, in words that go on from its name; empty: nothing.
    skipped : str
        Why it was not computed again, or an empty string.
    """

    method: str
    dataset: str
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
            if one.skipped and one.method not in skipped.setdefault(one.skipped, []):
                skipped[one.skipped].append(one.method)
        store.save_audit(
            plan.suite.name,
            {
                "audited": [[one.method, one.dataset] for one in found if not one.skipped],
                "failed": {one.method: one.reason for one in differing},
                "skipped": skipped,
            },
        )
    for why, ids in skipped.items():
        err.print(f"not audited: {', '.join(ids)} ({why})", markup=False)
    for one in differing:
        err.print(f"audit: {one.method} {one.reason}", markup=False)
    if not differing and not manner.quiet:
        out.print("audit: nothing differs")
    return differing


def _audits(
    plan: Plan, own: Mapping[str, Dataset], plugins: list[str], store: Store, manner: Manner
) -> Iterator[Audited]:
    """Audit each method of a plan: yield what was found, and what was skipped."""
    together: dict[str, list[Unit]] = {}
    here = environment(plan)
    for unit in units_to_audit(manner.units(plan), store):
        if why := _obstacle(unit, here, store):
            yield Audited(unit.method.id, unit.dataset.id, skipped=why)
        else:
            together.setdefault(unit.method.id, []).append(unit)
    if not manner.quiet:
        number = sum(map(len, together.values()))
        out.print(f"audit: two draws each of {count(number, 'pair')} of method and data set again")
    cache = DrawCache()
    cache.own.update(own)
    packages = packages_to_load(plan, [unit for ones in together.values() for unit in ones])
    # of the store's first run: units are taken over from one run to the next
    started = min(datetime.fromisoformat(run["started"]).timestamp() for run in store.runs())
    with ExitStack() as stack:
        # they start when they are first asked for something
        computes = [stack.enter_context(_fresh_process(plugins, packages, manner, started)) for _ in range(3)]
        for id_ in sorted(together, key=lambda id_: id_ != BASELINE):
            for unit in together[id_]:
                reason = skipped = ""
                try:
                    reason = _difference(unit, cache, store, computes)
                except TimeoutError:
                    skipped = f"took longer than {manner.limits.seconds:g} s"
                if reason and id_ == BASELINE:
                    # then others that differ have done nothing wrong
                    why = f"not even the baseline is the same: {reason}"
                    yield from (Audited(m, one.dataset.id, skipped=why) for m, ones in together.items() for one in ones)
                    return
                yield Audited(id_, unit.dataset.id, reason, skipped)
                if reason or skipped:
                    break


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
    error = f"{FAILED_BY_AUDIT} {one.reason}"
    for unit in plan.units:
        if unit.method.id == one.method and unit.key in stored:
            store.save_invalid(unit, UnitResult(unit.key, error=error), environment(plan))


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


def _difference(unit: Unit, cache: DrawCache, store: Store, computes: Sequence[Any]) -> str:
    """Compute the first and the last draw of a unit again; return what is wrong with the method if they differ.

    Parameters
    ----------
    unit, cache, store
        See `_audits`.
    computes : sequence of callable
        Compute in three processes; the last two are asked only if something differs.
    """
    prepared = [cache.draw(unit, index) for index in unit.draws]
    # the last one has most before it, the first one most behind it
    places = sorted({0, len(prepared) - 1}, reverse=True)
    return next(filter(None, (_difference_in(unit, prepared, place, store, computes) for place in places)), "")


def _difference_in(unit: Unit, prepared: list[PreparedDraw], place: int, store: Store, computes: Sequence[Any]) -> str:
    """Do the same for the draw that stands at one place in the unit."""
    method, draw = method_instance(unit.method), prepared[place]
    stored = _stored(unit, draw.draw.index, store)
    if not getattr(method, "many_tolerance", 0.0):
        # it declares that what is computed beside a draw changes no bit
        prepared, place = [draw], 0

    def predicted(compute: Any) -> _Predictions:
        try:
            if isinstance(method, Adjuster | Detector):
                found = compute(predict_hidden, unit, hidden(prepared, place, test_rows=True), place)
            else:
                made = compute(augment_hidden, unit, hidden(prepared, place), place)
                [found] = _results(unit, method, [draw], [made])
        except TimeoutError:
            # that may be the machine's fault
            raise
        except Exception as error:
            return dict.fromkeys(stored, describe(error))
        return {name: cell.error or pack_predictions(cell) for name, cell in found.cells.items()}

    where = f"{unit.dataset.id} · {unit.scenario.id} · draw {draw.draw.index}"
    found = predicted(computes[0])
    differs = _compared(found, stored)
    if not differs:
        return ""
    for text in found.values():
        if isinstance(text, str) and text.startswith(ForbiddenError.__name__):
            return f"did what it may not do: {where}: {text}"
    if again := _compared(*map(predicted, computes[1:])):
        # it may have seen no more than it should: that cannot be told
        return f"does not follow its random_state: {where}: computed two times from the same training rows, {again}"
    return f"depends on rows that it may not see: {where}: computed from its training rows alone, {differs}"


def _stored(unit: Unit, draw: int, store: Store) -> _Predictions:
    """Return the predictions of one of a unit's draws that were stored."""
    query = """SELECT p.classifier, p.data FROM predictions p JOIN units u ON u.id = p.unit
               WHERE u.key = ? AND p.draw = ?"""
    return dict(store.connection.execute(query, [unit.key, draw]))


def _compared(ours: _Predictions, theirs: _Predictions) -> str:
    """Return in words how some predictions differ from others; an empty string where none does."""
    for classifier, one in ours.items():
        other = theirs[classifier]
        if isinstance(one, str) or isinstance(other, str):
            if one != other:
                return f"it failed ({next(text for text in (one, other) if isinstance(text, str))})"
            continue
        first, second = unpack_predictions(one), unpack_predictions(other)
        differing = np.zeros(max(len(array) for array in first.values() if array is not None), dtype=bool)
        for name, values in first.items():
            if values is None or second[name] is None:
                differing |= values is not second[name]
            else:
                differing |= (values != second[name]).reshape(len(differing), -1).any(axis=1)
        if differing.any():
            return f"{differing.sum()} of {len(differing)} predictions differ ({classifier})"
    return ""


def hidden(prepared: Sequence[PreparedDraw], place: int, *, test_rows: bool = False) -> list[PreparedDraw]:
    """Return draws of which one has its training rows; every other cell is drawn anew.

    Parameters
    ----------
    prepared : sequence of PreparedDraw
        As they are.
    place : int
        Where that one stands among them.
    test_rows : bool
        Whether it keeps its test rows, for who predicts them; never their classes.
    """
    rng = np.random.default_rng(0)
    return [_hidden_draw(one, rng, train=i == place, test=test_rows and i == place) for i, one in enumerate(prepared)]


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
    """Return a table as it is, or with the cells of its columns, or its classes, drawn anew; without posterior."""
    X, y = table.X, table.y
    if not rows:
        drawn = {name: _drawn(X[name].to_numpy(), rng) for name in X.columns}
        X = pd.DataFrame(drawn, columns=X.columns).astype(X.dtypes.to_dict())
    return Table(X.copy(), y.copy() if classes else _drawn(y, rng), None, table.series)


def _drawn(values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return as many values, drawn with replacement from half of them: mean, range and shares are others."""
    return np.asarray(rng.choice(rng.permutation(values)[: (len(values) + 1) // 2], len(values)))


def augment_hidden(unit: Unit, prepared: list[PreparedDraw], place: int) -> Augmented:
    """Return what an augmenter makes of the draw at one place among some."""
    with allowed_threads(unit.threads), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return augment(unit, method_instance(unit.method), prepared, Stopwatch())[place]


def predict_hidden(unit: Unit, prepared: list[PreparedDraw], place: int) -> DrawResult:
    """Return what an adjuster's classifiers, or a detector, predict of the draw at one place among some."""
    return _results(unit, method_instance(unit.method), prepared)[place]


def _results(
    unit: Unit, method: Any, prepared: list[PreparedDraw], augmented: list[Augmented] | None = None
) -> list[DrawResult]:
    results = [
        DrawResult(one.draw.index, "", one.draw.test.y.astype(np.uint8), len(one.draw.train.y)) for one in prepared
    ]
    with allowed_threads(unit.threads), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        evaluate_with(unit, method, prepared, results, Stopwatch(), augmented)
    return results
