"""One unit of work, as a pure function: the same unit gives the same result, whoever computes it."""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
import warnings
from collections import OrderedDict
from contextlib import suppress
from dataclasses import replace
from typing import Any

import numpy as np

from ..datasets.contract import Dataset, FiniteDataset, Table
from ..methods.contract import Adjuster, Detector
from ..threads import allowed_threads
from .augment import Addition, Augmented, augment
from .cells import predict, score
from .detect import detect
from .fidelity import fidelity
from .guard import protect
from .outcome import CellResult, DrawResult, Stopwatch, UnitResult, describe
from .plan import Unit, dataset_instance, method_instance
from .prepare import PreparedDraw
from .samples import DRAW, take_sample
from .scenario import derive_seed, make_draw
from .suite import Entry

__all__ = ["CACHE", "CellResult", "DrawCache", "DrawResult", "UnitResult", "describe", "evaluate", "peak_memory_mb"]

#: memory for prepared draws kept by one process, so that the methods of a draw share them
CACHE_BYTES = 512 * 2**20


class DrawCache:
    """Datasets and prepared draws of this process, the last used ones, within a budget of memory."""

    def __init__(self, budget: int = CACHE_BYTES) -> None:
        self.budget = budget
        self.own: dict[str, Dataset] = {}
        self._datasets: dict[str, tuple[Dataset, Table | None]] = {}
        self._draws: OrderedDict[tuple[Any, ...], PreparedDraw] = OrderedDict()

    def dataset(self, unit: Unit) -> tuple[Dataset, Table | None]:
        """Return a unit's dataset and, for a finite one, its rows; loaded once."""
        id_ = unit.definitions[f"dataset:{unit.dataset.id}"]
        if id_ not in self._datasets:
            dataset = self.own.get(unit.dataset.name) or dataset_instance(unit.dataset)
            protect(dataset)
            self._datasets[id_] = (dataset, dataset.load() if isinstance(dataset, FiniteDataset) else None)
        return self._datasets[id_]

    def draw(self, unit: Unit, index: int) -> PreparedDraw:
        """Return one prepared draw of a unit."""
        dataset, table = self.dataset(unit)
        selection = tuple(sorted((key, str(value)) for key, value in unit.scenario.selection().items()))
        content = unit.definitions[f"dataset:{unit.dataset.id}"]
        key = (content, selection, unit.seed, unit.test_fraction, unit.folds, index)
        if key not in self._draws:
            drawn = make_draw(dataset, table, unit.scenario, index, unit.seed, unit.test_fraction)
            self._draws[key] = PreparedDraw(drawn, unit.folds)
        self._draws.move_to_end(key)
        while len(self._draws) > 1 and sum(one.nbytes() for one in self._draws.values()) > self.budget:
            self._draws.popitem(last=False)
        return self._draws[key]


#: what this process has loaded; results do not depend on it
CACHE = DrawCache()


def evaluate(unit: Unit, cache: DrawCache = CACHE) -> UnitResult:
    """Compute a unit.

    Never raises for what a method or a classifier does: that is a failed result. All arithmetic runs on the unit's
    number of threads, by default one, so that the bits do not depend on the machine's load or the number of workers.

    Parameters
    ----------
    unit : Unit
        What to compute.
    cache : DrawCache
        Loaded datasets and draws; only speed depends on it.
    """
    _forget_peak_memory()
    start = time.perf_counter()
    watch = Stopwatch()
    result = UnitResult(unit.key, host=socket.gethostname())
    with allowed_threads(unit.threads), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        try:
            result.draws = _evaluate_draws(unit, cache, watch)
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt) and signal.getsignal(signal.SIGINT) != signal.SIG_IGN:
                # Ctrl-C, which worker processes ignore
                raise
            result.error = describe(error)
    errors = [cell.error for draw in result.draws for cell in draw.cells.values() if cell.error]
    result.error = result.error or next(iter(errors), "")
    result.warnings = list(dict.fromkeys(" ".join(str(one.message).split())[:300] for one in caught))[:20]
    result.seconds = time.perf_counter() - start
    result.parts = watch.parts
    result.peak_memory_mb = peak_memory_mb()
    return result


def _forget_peak_memory() -> None:
    """Let the highest memory of this process be counted from now on, where the system can do that (Linux)."""
    with suppress(OSError), open("/proc/self/clear_refs", "w", encoding="ascii") as file:
        file.write("5")


def peak_memory_mb() -> float:
    """Return the highest resident memory of this process in its last unit, in MiB.

    Of its whole life where the system cannot tell; 0 where it says nothing.
    """
    with suppress(OSError, StopIteration), open("/proc/self/status", encoding="ascii") as file:
        return int(next(line for line in file if line.startswith("VmHWM:")).split()[1]) / 2**10
    if os.name != "posix":
        return 0.0
    import resource

    unit = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def _evaluate_draws(unit: Unit, cache: DrawCache, watch: Stopwatch) -> list[DrawResult]:
    prepared = [cache.draw(unit, index) for index in unit.draws]
    results = [
        DrawResult(one.draw.index, one.content_hash, one.draw.test.y.astype(np.uint8), len(one.draw.train.y))
        for one in prepared
    ]
    if unit.trials:
        _evaluate_tuned(unit, prepared, results, watch)
    elif unit.budget:
        _evaluate_within_budget(unit, prepared, results, watch)
    else:
        evaluate_with(unit, method_instance(unit.method), prepared, results, watch)
    return results


def evaluate_with(
    unit: Unit,
    method: Any,
    prepared: list[PreparedDraw],
    results: list[DrawResult],
    watch: Stopwatch,
    augmented: list[Augmented] | None = None,
) -> None:
    """Write into results what a method and the unit's classifiers give on some draws.

    `augmented` is what an augmenter made of them before; by default it is asked.
    """
    if isinstance(method, Detector):
        _evaluate_detector(unit, method, prepared, results, watch)
        return
    if isinstance(method, Adjuster):
        augmented = [Augmented(inner=[Addition()] * len(one.inner)) for one in prepared]
    elif augmented is None:
        augmented = augment(unit, method, prepared, watch)
    for one, result, added in zip(prepared, results, augmented, strict=True):
        _describe_addition(one, result, added)
        if one.draw.index == DRAW and method.kind == "baseline":
            result.sample = take_sample(one)
    for entry in unit.classifiers:
        predictions = predict(unit, method, entry, prepared, augmented, watch)
        for one, result, added, prediction in zip(prepared, results, augmented, predictions, strict=True):
            inner_error = next((describe(a) for a in added.inner if isinstance(a, BaseException)), "")
            result.cells[entry.id] = score(method, one, prediction, inner_error, watch)


def _evaluate_within_budget(
    unit: Unit, prepared: list[PreparedDraw], results: list[DrawResult], watch: Stopwatch
) -> None:
    """Evaluate with the length of training that the budget gives, draws with the same one together."""
    from .budget import within_budget

    chosen = within_budget(unit, prepared)
    for params in [one for i, one in enumerate(chosen) if one not in chosen[:i]]:
        same = [i for i, one in enumerate(chosen) if one == params]
        method = method_instance(unit.method.with_params(params))
        evaluate_with(unit, method, [prepared[i] for i in same], [results[i] for i in same], watch)


def _evaluate_tuned(unit: Unit, prepared: list[PreparedDraw], results: list[DrawResult], watch: Stopwatch) -> None:
    """Evaluate with the parameters that tuning finds, each draw by itself.

    What stands once for a draw (rows generated, fidelity, effort, seconds) is the mean over the classifiers, with each
    of which the method was tuned; the training curve is that of the first.
    """
    from .budget import within_budget
    from .tuning import CLASSIFIER, METHOD, Found, tune

    fixed = [within_budget(unit, [one])[0] for one in prepared]
    for one, result, found, params in zip(prepared, results, tune(unit, prepared, fixed, watch), fixed, strict=True):
        result.cells = {
            entry.id: CellResult(error=describe(best.error) if best.error else "", tuned=best.record())
            for entry, best in zip(unit.classifiers, found, strict=True)
        }
        together: dict[str, list[tuple[Entry, Found]]] = {}
        for entry, best in zip(unit.classifiers, found, strict=True):
            if best.error is None:
                together.setdefault(repr(best.of(METHOD)), []).append((entry, best))
        parts: list[DrawResult] = []
        for members in together.values():
            method = method_instance(unit.method.with_params(members[0][1].of(METHOD) | params))
            classifiers = tuple(entry.with_params(best.of(CLASSIFIER)) for entry, best in members)
            part = DrawResult(result.draw, result.content_hash, result.y_test, result.n_train)
            evaluate_with(replace(unit, classifiers=classifiers), method, [one], [part], watch)
            parts += [part] * len(members)
            for entry, best in members:
                result.cells[entry.id] = replace(part.cells[entry.id], tuned=best.record())
        if parts:
            _average(result, parts)


def _average(result: DrawResult, parts: list[DrawResult]) -> None:
    """Write into a result the means of what stands once for a draw."""
    result.n_generated = round(np.mean([part.n_generated for part in parts]))
    result.seconds = float(np.mean([part.seconds for part in parts]))
    result.fidelity = _means([part.fidelity for part in parts])
    result.effort = _means([part.effort for part in parts])
    result.training, result.sample = parts[0].training, parts[0].sample


def _means(parts: list[dict[str, float]]) -> dict[str, float]:
    """Return the mean of each number over those that have it."""
    return {name: float(np.mean([one[name] for one in parts if name in one])) for part in parts for name in part}


def _describe_addition(one: PreparedDraw, result: DrawResult, added: Augmented) -> None:
    """Write into a result what the method made: how many rows, how real they are, in what time."""
    result.seconds, result.training, result.effort = added.seconds, added.training, added.effort
    whole = added.whole
    if isinstance(whole, BaseException) or whole.X is None or whole.y is None:
        return
    result.n_generated = len(whole.y)
    if one.draw.index == DRAW:
        result.sample = take_sample(one, whole.X, whole.y)
    part = one.whole
    result.fidelity = fidelity(
        part.encoded("train", scaled=True),
        part.train.y,
        part.preparation.encode(whole.X, scaled=True),
        whole.y,
        part.encoded("test", scaled=True),
        part.test.y,
        np.random.default_rng(derive_seed(one.draw.seed, "fidelity")),
        [len(part.preparation.categories[name]) for name in part.preparation.categorical],
    )


def _evaluate_detector(
    unit: Unit, method: Detector, prepared: list[PreparedDraw], results: list[DrawResult], watch: Stopwatch
) -> None:
    """Score a detector, which replaces the classifier.

    It predicts once for each draw, and its scores stand under every classifier of the unit: the column names the
    classifier that it takes the place of, and each contrast with the baseline, on the same draws, says what a user of
    that classifier would gain by changing over. It adds no row; its cost is the method's, no classifier is fitted.
    """
    predictions, curves = detect(unit, method, prepared, watch)
    for one, result, prediction, curve in zip(prepared, results, predictions, curves, strict=True):
        result.seconds, result.training, result.effort = prediction.seconds, curve, prediction.effort
        inner_error = next((describe(p) for p in prediction.inner if isinstance(p, BaseException)), "")
        cell = score(method, one, prediction, inner_error, watch)
        result.cells = {
            entry.id: replace(cell, scores=dict(cell.scores), fit_seconds=0.0) for entry in unit.classifiers
        }
