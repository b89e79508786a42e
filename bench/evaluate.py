"""One unit of work, as a pure function: the same unit gives the same result, whoever computes it."""

from __future__ import annotations

import os
import sys
import time
import warnings
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from ..datasets.contract import Dataset, FiniteDataset, Table
from ..methods.contract import Adjuster
from . import classifiers as classifier_registry
from .fidelity import fidelity
from .metrics import hard_metrics, minority_class, plugin_metrics, probability_metrics
from .plan import Unit, dataset_instance, method_instance
from .prepare import Part, PreparedDraw
from .scenario import derive_seed, make_draw
from .threshold import decide, tune_offsets

#: memory for prepared draws kept by one process, so that the methods of a draw share them
CACHE_BYTES = 512 * 2**20


@dataclass
class CellResult:
    """One classifier on one draw.

    Attributes
    ----------
    scores : dict of str to float
        Metric to value.
    labels, labels_tuned : numpy.ndarray of shape (n_test,), uint8
        Predicted classes, by the default and by the tuned decision.
    probabilities : numpy.ndarray of shape (n_test, K), float32
    fit_seconds : float
        To fit and predict once, without the inner folds.
    error : str
        Why there is no score, or an empty string.
    """

    scores: dict[str, float] = field(default_factory=dict)
    labels: np.ndarray | None = None
    labels_tuned: np.ndarray | None = None
    probabilities: np.ndarray | None = None
    fit_seconds: float = 0.0
    error: str = ""


@dataclass
class DrawResult:
    """One method on one draw.

    Attributes
    ----------
    training : pandas.DataFrame, optional
        Training curve, if the unit keeps it: columns ``model``, ``step`` and one for each part of the loss.
    """

    draw: int
    content_hash: str
    y_test: np.ndarray
    n_train: int
    n_generated: int = 0
    seconds: float = 0.0
    fidelity: dict[str, float] = field(default_factory=dict)
    cells: dict[str, CellResult] = field(default_factory=dict)
    training: pd.DataFrame | None = None


@dataclass
class UnitResult:
    """What a worker hands back.

    Attributes
    ----------
    key : str
        The unit's.
    draws : list of DrawResult
        Empty if the unit failed as a whole.
    error : str
        The first failure, or an empty string.
    seconds, work_seconds : float
        Wall time of the unit, and the part of it spent in fitting and predicting.
    peak_memory_mb : float
        Highest memory of the process so far.
    warnings : list of str
        What methods and classifiers warned of, each once.
    """

    key: str
    draws: list[DrawResult] = field(default_factory=list)
    error: str = ""
    seconds: float = 0.0
    work_seconds: float = 0.0
    peak_memory_mb: float = 0.0
    warnings: list[str] = field(default_factory=list)


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


class Stopwatch:
    """Adds up the time of fitting and predicting."""

    def __init__(self) -> None:
        self.total = 0.0

    @contextmanager
    def work(self) -> Iterator[list[float]]:
        """Time a block; the list gets its seconds when the block ends."""
        seconds: list[float] = []
        start = time.perf_counter()
        try:
            yield seconds
        finally:
            seconds.append(time.perf_counter() - start)
            self.total += seconds[0]


@dataclass(frozen=True)
class Addition:
    """The rows that a method adds to a part, completed like the real ones."""

    X: pd.DataFrame | None = None
    y: np.ndarray | None = None

    def training_set(self, part: Part, *, scaled: bool, synthetic_only: bool) -> tuple[np.ndarray, np.ndarray]:
        """Return the encoded rows and labels that a classifier is trained on."""
        real = part.encoded("train", scaled=scaled)
        if self.X is None or self.y is None:
            return real, part.train.y
        new = part.preparation.encode(self.X, scaled=scaled)
        if synthetic_only:
            return new, self.y
        return np.vstack([real, new]), np.concatenate([part.train.y, self.y])


def evaluate(unit: Unit, cache: DrawCache = CACHE) -> UnitResult:
    """Compute a unit.

    Never raises for what a method or a classifier does: that is a failed result. All arithmetic runs on one thread,
    so that the bits do not depend on the machine's load or the number of workers.

    Parameters
    ----------
    unit : Unit
        What to compute.
    cache : DrawCache
        Loaded datasets and draws; only speed depends on it.
    """
    start = time.perf_counter()
    watch = Stopwatch()
    result = UnitResult(unit.key)
    with threadpool_limits(1), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        try:
            result.draws = _evaluate_draws(unit, cache, watch)
        except (Exception, SystemExit) as error:
            result.error = describe(error)
    errors = [cell.error for draw in result.draws for cell in draw.cells.values() if cell.error]
    result.error = result.error or next(iter(errors), "")
    result.warnings = list(dict.fromkeys(" ".join(str(one.message).split())[:300] for one in caught))[:20]
    result.seconds = time.perf_counter() - start
    result.work_seconds = watch.total
    result.peak_memory_mb = peak_memory_mb()
    return result


def peak_memory_mb() -> float:
    """Return the highest resident memory of this process so far, in MiB (0 where the system does not say)."""
    if os.name != "posix":
        return 0.0
    import resource

    unit = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def describe(error: BaseException) -> str:
    """Return an error as one line."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}"[:500] if text else type(error).__name__


def _evaluate_draws(unit: Unit, cache: DrawCache, watch: Stopwatch) -> list[DrawResult]:
    method = method_instance(unit.method)
    prepared = [cache.draw(unit, index) for index in unit.draws]
    results = [
        DrawResult(one.draw.index, one.content_hash, one.draw.test.y.astype(np.uint8), len(one.draw.train.y))
        for one in prepared
    ]
    if isinstance(method, Adjuster):
        additions: list[list[Addition | BaseException]] = [[Addition()] * (1 + len(one.inner)) for one in prepared]
    else:
        additions, seconds = _augment(unit, method, prepared, watch)
        for result, cost in zip(results, seconds, strict=True):
            result.seconds = cost
    for one, result, added in zip(prepared, results, additions, strict=True):
        _evaluate_draw(unit, method, one, result, added, watch)
    return results


def _augment(
    unit: Unit, method: Any, prepared: list[PreparedDraw], watch: Stopwatch
) -> tuple[list[list[Addition | BaseException]], list[float]]:
    """Let an augmenter make rows for all draws of a block, and for their inner folds; return rows and cost per draw."""
    wholes = [(one, one.whole, "whole") for one in prepared]
    inner = [(one, part, f"fold {k}") for one in prepared for k, (part, _) in enumerate(one.inner)]
    with watch.work() as seconds:
        made = _resample(unit, method, wholes)
    with watch.work():
        made_inner = iter(_resample(unit, method, inner))
    additions = [[first, *(next(made_inner) for _ in one.inner)] for one, first in zip(prepared, made, strict=True)]
    return additions, [seconds[0] / len(prepared)] * len(prepared)


def _resample(unit: Unit, method: Any, parts: list[tuple[PreparedDraw, Part, str]]) -> list[Addition | BaseException]:
    tables, seeds, strategies, wanted = [], [], [], []
    for one, part, name in parts:
        counts = np.bincount(part.train.y)
        new = unit.scenario.wanted(counts, part.share)
        # copies: what a method writes into its input must reach neither other methods nor our check
        tables.append((part.train.X.copy(), part.train.y.copy()))
        seeds.append(derive_seed(one.draw.seed, name, unit.method.id))
        strategies.append({code: int(counts[code]) + count for code, count in new.items()})
        wanted.append(new)
    if not tables:
        return []
    made = method.fit_resample_many(tables, seeds, strategies)
    return [
        outcome if isinstance(outcome, BaseException) else _addition(method, part, outcome, new)
        for (_, part, _), outcome, new in zip(parts, made, wanted, strict=True)
    ]


def _addition(
    method: Any, part: Part, outcome: tuple[pd.DataFrame, np.ndarray], wanted: dict[int, int]
) -> Addition | BaseException:
    """Check what a method returned, and keep the new rows."""
    X, y = outcome
    n = len(part.train.y)
    if not _begins_with(X, y, part):
        return ValueError("the training rows did not come back first and unchanged")
    new = X.iloc[n:].reset_index(drop=True)
    labels = np.asarray(y[n:])
    got = {int(code): int(count) for code, count in zip(*np.unique(labels, return_counts=True), strict=True)}
    for code in sorted(set(wanted) | set(got)):
        asked, given = wanted.get(code, 0), got.get(code, 0)
        # a method that rounds by its definition may miss by a tenth
        if given != asked and (method.exact_counts or not 0.9 * asked <= given <= 1.1 * asked):
            return ValueError(f"returned {given} of the {asked} rows asked for of class {code}")
    if not np.isfinite(part.preparation.numeric_values(new)).all():
        return ValueError("generated rows have missing or infinite cells")
    return Addition(new, labels) if len(new) else Addition()


def _begins_with(X: pd.DataFrame, y: np.ndarray, part: Part) -> bool:
    """Tell whether the training rows come first and unchanged."""
    n = len(part.train.y)
    if len(X) < n or not np.array_equal(y[:n], part.train.y) or not X.columns.equals(part.train.X.columns):
        return False
    if part.preparation.categorical:
        return X.iloc[:n].equals(part.train.X)
    return np.array_equal(X.to_numpy()[:n], part.train.X.to_numpy())


def _evaluate_draw(
    unit: Unit,
    method: Any,
    one: PreparedDraw,
    result: DrawResult,
    additions: list[Addition | BaseException],
    watch: Stopwatch,
) -> None:
    whole = additions[0]
    if isinstance(whole, BaseException):
        result.cells = {entry.id: CellResult(error=describe(whole)) for entry in unit.classifiers}
        return
    if whole.X is not None and whole.y is not None:
        result.n_generated = len(whole.y)
        part = one.whole
        result.fidelity = fidelity(
            part.encoded("train", scaled=True),
            part.train.y,
            part.preparation.encode(whole.X, scaled=True),
            whole.y,
            part.encoded("test", scaled=True),
            part.test.y,
            np.random.default_rng(derive_seed(one.draw.seed, "fidelity")),
        )
    for entry in unit.classifiers:
        try:
            result.cells[entry.id] = _evaluate_cell(unit, method, one, entry, additions, watch)
        except (Exception, SystemExit) as error:
            result.cells[entry.id] = CellResult(error=describe(error))


def _evaluate_cell(
    unit: Unit, method: Any, one: PreparedDraw, entry: Any, additions: list[Addition | BaseException], watch: Stopwatch
) -> CellResult:
    """Fit one classifier on one draw and score it."""
    fitter = _Fitter(unit, method, entry, derive_seed(one.draw.seed, "classifier", entry.id), watch)
    part = one.whole
    assert isinstance(additions[0], Addition)
    probabilities, seconds = fitter.predict(part, additions[0])
    offsets, untuned = _tuned_offsets(one, additions[1:], fitter)
    labels = decide(probabilities)
    tuned = None if untuned else decide(probabilities, offsets)
    if getattr(method, "tuned_decision", False):
        if tuned is None:
            raise ValueError(untuned)
        labels = tuned
    counts = np.bincount(part.train.y, minlength=probabilities.shape[1])
    y = part.test.y
    scores = hard_metrics(y, labels, counts)
    if tuned is not None:
        scores |= {f"{name}_tuned": value for name, value in hard_metrics(y, tuned, counts).items()}
    scores |= probability_metrics(y, probabilities, minority_class(counts)) | plugin_metrics(y, labels, probabilities)
    if part.test.posterior is not None:
        best = hard_metrics(y, part.test.posterior.argmax(axis=1), counts)
        for name in ("accuracy", "macro_f1"):
            scores |= {f"bayes_{name}": best[name], f"regret_{name}": best[name] - scores[name]}
    return CellResult(
        scores=scores,
        labels=labels.astype(np.uint8),
        labels_tuned=None if tuned is None else tuned.astype(np.uint8),
        probabilities=probabilities.astype(np.float32),
        fit_seconds=seconds,
    )


@dataclass(frozen=True)
class _Fitter:
    """Fits fresh copies of one classifier, the same way on the whole part and on the folds."""

    unit: Unit
    method: Any
    entry: Any
    seed: int
    watch: Stopwatch

    def predict(self, part: Part, addition: Addition) -> tuple[np.ndarray, float]:
        """Train on a part with the rows added; return probabilities of its test rows, shape (n, K), and seconds."""
        classifier = classifier_registry.make(self.entry.name, self.entry.params, random_state=self.seed)
        scaled = getattr(classifier, "scaled", True)
        synthetic_only = self.unit.scenario.rows == "synthetic"
        X, y = addition.training_set(part, scaled=scaled, synthetic_only=synthetic_only)
        X_test = part.encoded("test", scaled=scaled)
        adjuster = self.method if isinstance(self.method, Adjuster) else Adjuster()
        weight = adjuster.sample_weight(y)
        n_classes = int(part.train.y.max()) + 1
        with self.watch.work() as seconds:
            classifier.fit(X, y, **({} if weight is None else {"sample_weight": weight}))
            probabilities = classifier_registry.aligned_probabilities(classifier, X_test, n_classes)
        if not np.isfinite(probabilities).all():
            raise ValueError(f"{self.entry.id} predicted probabilities that are not numbers")
        return adjuster.adjust(probabilities, part.train.y), seconds[0]


def _tuned_offsets(
    one: PreparedDraw, additions: list[Addition | BaseException], fitter: _Fitter
) -> tuple[np.ndarray | None, str]:
    """Tune the decision on out-of-fold real rows; return (offsets, "") or (None, why there is no tuned decision)."""
    if one.folds == 0:
        return None, "the suite has folds = 0: nothing is tuned"
    if not one.inner:
        return None, "too few training rows of a class to tune the threshold on"
    y = one.draw.train.y
    out_of_fold = np.zeros((len(y), int(y.max()) + 1))
    for (part, held_out), addition in zip(one.inner, additions, strict=True):
        if isinstance(addition, BaseException):
            return None, f"while tuning the threshold: {describe(addition)}"
        out_of_fold[held_out], _ = fitter.predict(part, addition)
    with fitter.watch.work():
        return tune_offsets(y, out_of_fold), ""
