"""Cells: every classifier fitted to the draws of a unit, all at once, and its predictions scored."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..methods.contract import Adjuster
from . import classifiers as classifier_registry
from .augment import Addition, Augmented
from .guard import at_work
from .metrics import hard_metrics, minority_class, plugin_metrics, probability_metrics
from .outcome import IN_CLASSIFIER, IN_DECISION, CellResult, Stopwatch, describe
from .plan import Unit
from .prepare import Part, PreparedDraw
from .scenario import derive_seed
from .stacking import TrainingSet
from .suite import Entry
from .threshold import decide, tune_offsets

#: bytes of encoded training rows that are held for one call of `fit_many`
CHUNK_BYTES = 256 * 2**20


@dataclass
class Prediction:
    """What was predicted for one draw.

    Attributes
    ----------
    whole : numpy.ndarray of shape (n_test, K), or BaseException
        Probabilities of the test rows, or why there are none.
    inner : list
        For each inner fold the probabilities of the rows that it holds out, or why there are none.
    seconds : float
        To fit and predict the whole draw, without the inner folds.
    effort : dict of str to float
        What a detector took for the whole draw, if it says so.
    """

    whole: np.ndarray | BaseException
    inner: list[np.ndarray | BaseException] = field(default_factory=list)
    seconds: float = 0.0
    effort: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class _Task:
    """One fit: a classifier's seed, a part of a draw, and the rows that are added to it."""

    seed: int
    part: Part
    addition: Addition


def predict(
    unit: Unit,
    method: Any,
    entry: Entry,
    prepared: list[PreparedDraw],
    augmented: list[Augmented],
    watch: Stopwatch,
) -> list[Prediction]:
    """Fit a classifier to all draws of a block and to their inner folds; return what it predicts for each draw.

    Parameters
    ----------
    unit : Unit
        The unit.
    method : Adjuster or Augmenter
        An adjuster's weights and probabilities are used.
    entry : Entry
        The classifier.
    prepared, augmented : list
        The draws, and the rows that are added to each.
    watch : Stopwatch
        Times fitting and predicting.
    """
    tasks: list[_Task | BaseException] = []
    for one, added in zip(prepared, augmented, strict=True):
        # where the whole failed nothing is scored, so that the folds are of no use
        seed = derive_seed(one.draw.seed, "classifier", entry.id)
        parts = [one.whole, *(part for part, _ in one.inner)]
        for part, addition in zip(parts, [added.whole, *added.inner], strict=True):
            outcome = added.whole if isinstance(added.whole, BaseException) else addition
            tasks.append(outcome if isinstance(outcome, BaseException) else _Task(seed, part, outcome))
    fitter = _Fitter(unit, method, entry, watch)
    done = iter(fitter.predict(tasks))
    predictions = []
    for one in prepared:
        whole, seconds = next(done)
        predictions.append(Prediction(whole, [next(done)[0] for _ in one.inner], seconds))
    return predictions


def predict_inner(
    unit: Unit,
    method: Any,
    entry: Entry,
    one: PreparedDraw,
    additions: list[Addition | BaseException],
    watch: Stopwatch,
) -> list[np.ndarray | BaseException]:
    """Fit a classifier to the inner folds of a draw only; return what it predicts for the rows that each holds out."""
    seed = derive_seed(one.draw.seed, "classifier", entry.id)
    tasks: list[_Task | BaseException] = [
        added if isinstance(added, BaseException) else _Task(seed, part, added)
        for (part, _), added in zip(one.inner, additions, strict=True)
    ]
    return [outcome for outcome, _ in _Fitter(unit, method, entry, watch).predict(tasks)]


@dataclass(frozen=True)
class _Fitter:
    """Fits fresh copies of one classifier, the same way on whole draws and on folds."""

    unit: Unit
    method: Any
    entry: Entry
    watch: Stopwatch

    @property
    def adjuster(self) -> Adjuster:
        """The method, or one that changes nothing."""
        return self.method if isinstance(self.method, Adjuster) else Adjuster()

    def predict(self, tasks: list[_Task | BaseException]) -> list[tuple[np.ndarray | BaseException, float]]:
        """Return (probabilities or exception, seconds) for each task; a task that is an exception stays one."""
        results: list[tuple[np.ndarray | BaseException, float]] = [
            (task if isinstance(task, BaseException) else ValueError("not fitted"), 0.0) for task in tasks
        ]
        chunk: list[int] = []
        held = 0
        for position, task in enumerate(tasks):
            if isinstance(task, BaseException):
                continue
            added = 0 if task.addition.X is None else task.addition.X.size
            size = 8 * (3 * (task.part.train.X.size + task.part.test.X.size) + added)
            if chunk and held + size > CHUNK_BYTES:
                self._predict_chunk(tasks, chunk, results)
                chunk, held = [], 0
            chunk.append(position)
            held += size
        self._predict_chunk(tasks, chunk, results)
        return results

    def _predict_chunk(self, tasks: list[Any], chunk: list[int], results: list[Any]) -> None:
        """Fit and predict some of the tasks, and put what comes of them into the results."""
        ready, models, sets = [], [], []
        for position in chunk:
            task = tasks[position]
            try:
                model = classifier_registry.make(self.entry.name, self.entry.params, random_state=task.seed)
                scaled, synthetic_only = getattr(model, "scaled", True), self.unit.scenario.rows == "synthetic"
                X, y = task.addition.training_set(task.part, scaled=scaled, synthetic_only=synthetic_only)
                with at_work():
                    weights = self.adjuster.sample_weight(y)
                one = TrainingSet(X, y, weights)
            except (Exception, SystemExit) as error:
                results[position] = (error, 0.0)
                continue
            ready.append(position)
            models.append(model)
            sets.append(one)
        part = f"{IN_CLASSIFIER} {self.entry.id}"
        with self.watch.work(part):
            fits = classifier_registry.fit_many(models, sets)
        for position, fit in zip(ready, fits, strict=True):
            outcome, seconds = fit.outcome, fit.seconds
            if not isinstance(outcome, BaseException):
                with self.watch.work(part) as more:
                    outcome = self._probabilities(outcome, tasks[position].part)
                seconds += more[0]
            results[position] = (outcome, seconds)

    def _probabilities(self, model: Any, part: Part) -> np.ndarray | BaseException:
        """Return the adjusted probabilities of a part's test rows."""
        X = part.encoded("test", scaled=getattr(model, "scaled", True))
        try:
            probabilities = classifier_registry.aligned_probabilities(model, X, int(part.train.y.max()) + 1)
            if not np.isfinite(probabilities).all():
                raise ValueError(f"{self.entry.id} predicted probabilities that are not numbers")
            with at_work():
                return self.adjuster.adjust(probabilities, part.train.y)
        except (Exception, SystemExit) as error:
            return error


def score(method: Any, one: PreparedDraw, prediction: Prediction, inner_error: str, watch: Stopwatch) -> CellResult:
    """Tune the decision, decide, and score one classifier on one draw.

    Parameters
    ----------
    method : object
        Its attribute ``tuned_decision`` says whether the tuned decision is the decision.
    one : PreparedDraw
        The draw.
    prediction : Prediction
        What was predicted.
    inner_error : str
        Why the method, not the classifier, has nothing for an inner fold; then nothing is tuned.
    watch : Stopwatch
        Times the tuning.

    Returns
    -------
    CellResult
        With scores, or with the error.
    """
    try:
        return _score(method, one, prediction, inner_error, watch)
    except (Exception, SystemExit) as error:
        return CellResult(error=describe(error))


def _score(method: Any, one: PreparedDraw, prediction: Prediction, inner_error: str, watch: Stopwatch) -> CellResult:
    if isinstance(prediction.whole, BaseException):
        raise prediction.whole
    probabilities, part = prediction.whole, one.whole
    with watch.work(IN_DECISION):
        offsets, untuned = _tuned_offsets(one, prediction.inner, inner_error)
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
        fit_seconds=prediction.seconds,
    )


def _tuned_offsets(
    one: PreparedDraw, inner: list[np.ndarray | BaseException], inner_error: str
) -> tuple[np.ndarray | None, str]:
    """Tune the decision on out-of-fold real rows; return (offsets, "") or (None, why there is no tuned decision)."""
    if one.folds == 0:
        return None, "the suite has folds = 0: nothing is tuned"
    if not one.inner:
        return None, "too few training rows of a class to tune the threshold on"
    if inner_error:
        return None, f"while tuning the threshold: {inner_error}"
    return tune_offsets(one.draw.train.y, out_of_fold(one, inner)), ""


def out_of_fold(one: PreparedDraw, inner: list[np.ndarray | BaseException]) -> np.ndarray:
    """Return what the inner folds predict for the training rows of a draw, shape (n_train, K).

    Raises
    ------
    Exception
        What was raised in one of the folds.
    """
    y = one.draw.train.y
    pooled = np.zeros((len(y), int(y.max()) + 1))
    for (_, held_out), predicted in zip(one.inner, inner, strict=True):
        if isinstance(predicted, BaseException):
            raise predicted
        pooled[held_out] = predicted
    return pooled
