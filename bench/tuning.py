"""Tuning: every method and every baseline gets the same number of trials, for each draw and each classifier.

A trial is one set of parameters of the method and of the classifier, judged by macro F1 of the predictions for the real
training rows by cross-validation inside them: the inner folds that tune the threshold, too. Test rows are never looked
at. The first trial is what the suite gives, so that tuning never chooses what is worse on the inner folds. A baseline
that has no parameter of its own gets its trials for the classifier.
"""

from __future__ import annotations

import warnings
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import numpy as np

from ..methods.contract import Adjuster, Detector
from ..methods.search import Choice, Range, Whole
from ..progress import listening, report
from . import classifiers as classifier_registry
from .augment import Addition, augment_inner
from .cells import out_of_fold, predict_inner
from .detect import detect_inner
from .metrics import hard_metrics
from .outcome import IN_METHOD, Stopwatch
from .plan import Unit, method_instance
from .prepare import PreparedDraw
from .scenario import derive_seed
from .space import classifier_space, contains, defaults, method_space
from .suite import Entry
from .threshold import decide, tune_offsets

METHOD, CLASSIFIER = "method.", "classifier."
#: what a trial that failed scores: below any macro F1
FAILED = -1.0
#: bytes of generated rows that are kept for one draw, so that equal parameters need not generate them again
KEPT_BYTES = 256 * 2**20


@dataclass
class Found:
    """What tuning found.

    Attributes
    ----------
    changes : dict
        Parameters to set, those of the best trial; empty if that was the first one.
    values : dict
        All tuned parameters with the values that they then have.
    score : float
        Of the best trial.
    trials, failed : int
        How many there were, and how many of them failed.
    error : BaseException, optional
        The first failure, if all trials failed.
    """

    changes: dict[str, Any] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)
    score: float = FAILED
    trials: int = 0
    failed: int = 0
    error: BaseException | None = None

    def of(self, prefix: str) -> dict[str, Any]:
        """Return the parameters to set whose names begin with a prefix, without it."""
        return {name.removeprefix(prefix): value for name, value in self.changes.items() if name.startswith(prefix)}

    def record(self) -> dict[str, Any]:
        """Return what is kept of it: JSON-like."""
        scored = {"inner_macro_f1": self.score} if self.score > FAILED else {}
        failed = {"failed_trials": self.failed} if self.failed else {}
        return {name: _plain(value) for name, value in self.values.items()} | scored | {"trials": self.trials} | failed


def search(
    space: dict[str, Range],
    start: dict[str, Any],
    objective: Callable[[dict[str, Any]], float],
    trials: int,
    seed: int,
    tick: Callable[[], None] = lambda: None,
) -> Found:
    """Look for the parameters with the highest score: a tree-structured Parzen estimator (Optuna's).

    Parameters
    ----------
    space : dict of str to Range
        What is tuned. Where there is nothing, nothing is tried.
    start : dict of str to object
        The values that the parameters have as they are: those of the first trial. One that lies outside its range is
        tried all the same, but the sampler does not learn from it.
    objective : callable
        Given the parameters to set (none in the first trial), returns a score; may raise. Not asked a second time for
        the same ones. What it warns of, and how far it says it is, is nobody's affair: most trials are not chosen.
    trials : int
        How many, the first included.
    seed : int
        Below 2³². The same arguments give the same result.
    tick : callable, optional
        Called after each trial.
    """
    if not space:
        return Found()
    import optuna

    # what it logs is for people at a terminal
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    distributions = {name: _distribution(over) for name, over in space.items()}
    found = Found(values=dict(start), trials=trials)
    known: dict[str, float] = {}

    def score(values: dict[str, Any], changes: dict[str, Any]) -> float:
        key = repr(sorted(values.items()))
        if key not in known:
            try:
                with listening(lambda *_: None):
                    known[key] = float(objective(changes))
                if not np.isfinite(known[key]):
                    raise ValueError(f"a trial scored {known[key]}")
            except (Exception, SystemExit) as error:
                known[key] = FAILED
                found.error = found.error or error
        found.failed += known[key] == FAILED
        tick()
        return known[key]

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=seed))
        found.score = score(start, {})
        if all(contains(over, start[name]) for name, over in space.items()):
            first = {name: _coded(over, start[name]) for name, over in space.items()}
            study.add_trial(optuna.trial.create_trial(params=first, distributions=distributions, value=found.score))
        for _ in range(1, trials):
            trial = study.ask(distributions)
            values = {name: _decoded(over, trial.params[name]) for name, over in space.items()}
            value = score(values, values)
            study.tell(trial, value)
            # of equals the earliest: the parameters as they are, above all
            if value > found.score:
                found.score, found.values, found.changes = value, values, values
    if found.failed < trials:
        found.error = None
    return found


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, str | int | float) else repr(value)


def _distribution(over: Range) -> Any:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if isinstance(over, Choice):
        # by position: values may be of any kind, and 1, 1.0 and True are equal
        return CategoricalDistribution(tuple(range(len(over.values))))
    if isinstance(over, Whole):
        return IntDistribution(over.low, over.high, log=over.log)
    return FloatDistribution(over.low, over.high, log=over.log)


def _coded(over: Range, value: Any) -> Any:
    if not isinstance(over, Choice):
        return value
    return next(i for i, one in enumerate(over.values) if type(one) is type(value) and one == value)


def _decoded(over: Range, value: Any) -> Any:
    return over.values[value] if isinstance(over, Choice) else value


def tune(unit: Unit, prepared: list[PreparedDraw], fixed: list[dict[str, Any]], watch: Stopwatch) -> list[list[Found]]:
    """Tune a unit's method with each of its classifiers on each draw.

    Parameters
    ----------
    unit : Unit
        With `trials` above 0.
    prepared : list of PreparedDraw
        Its draws. One without inner folds, for want of rows, is not tuned: there is a warning.
    fixed : list of dict
        For each draw parameters of the method that are set in every trial: what a budget says.
    watch : Stopwatch
        Times fitting and predicting.

    Returns
    -------
    list of list of Found
        For each draw one for each classifier, in the unit's order. A detector, which takes the place of all
        classifiers, is tuned once for all of them.
    """
    method = method_instance(unit.method)
    searches = 1 if isinstance(method, Detector) else len(unit.classifiers)
    done, total = count(1), len(prepared) * searches * unit.trials
    found = []
    for one, params in zip(prepared, fixed, strict=True):
        tuner = _Tuner(unit, method, one, params, watch, lambda: report("tuning", next(done), total))
        found.append(tuner.found() * (len(unit.classifiers) // searches))
    return found


@dataclass
class _Tuner:
    """Tunes a method on one draw.

    Attributes
    ----------
    method : object
        The method as the suite gives it.
    fixed : dict
        Parameters that it gets beside those of a trial.
    """

    unit: Unit
    method: Any
    one: PreparedDraw
    fixed: dict[str, Any]
    watch: Stopwatch
    tick: Callable[[], None]
    _kept: OrderedDict[str, list[Addition | BaseException]] = field(default_factory=OrderedDict)

    def found(self) -> list[Found]:
        """Return what was found: for each classifier, or once for a detector."""
        entries: tuple[Entry | None, ...] = (None,) if isinstance(self.method, Detector) else self.unit.classifiers
        if not self.one.inner:
            warnings.warn(
                "tuning: a class has too few training rows for inner folds; what the suite gives is used", stacklevel=2
            )
            return [Found() for _ in entries]
        return [self._search(entry) for entry in entries]

    def _search(self, entry: Entry | None) -> Found:
        own = method_space(self.unit.method, self.method, self.unit.budget)
        space = {METHOD + name: over for name, over in own.items()}
        start = {METHOD + name: value for name, value in defaults(self.method, own).items()}
        if entry is not None:
            others = classifier_space(entry)
            classifier = classifier_registry.make(entry.name, entry.params, random_state=0)
            space |= {CLASSIFIER + name: over for name, over in others.items()}
            start |= {CLASSIFIER + name: value for name, value in defaults(classifier, others).items()}
        seed = derive_seed(self.one.draw.seed, "tuning", self.unit.method.id, entry.id if entry else "")
        return search(space, start, lambda changes: self._score(entry, changes), self.unit.trials, seed, self.tick)

    def _score(self, entry: Entry | None, changes: dict[str, Any]) -> float:
        """Return macro F1 on the training rows, out of fold."""
        trial = Found(changes)
        method = method_instance(self.unit.method.with_params(trial.of(METHOD) | self.fixed))
        if entry is None:
            inner = detect_inner(self.unit, method, self.one, self.watch)
        else:
            classifier = entry.with_params(trial.of(CLASSIFIER))
            additions = self._additions(method, trial.of(METHOD))
            inner = predict_inner(self.unit, method, classifier, self.one, additions, self.watch)
        y, probabilities = self.one.draw.train.y, out_of_fold(self.one, inner)
        # the decision that the method is scored by on the test rows
        offsets = tune_offsets(y, probabilities) if getattr(method, "tuned_decision", False) else None
        return hard_metrics(y, decide(probabilities, offsets), np.bincount(y))["macro_f1"]

    def _additions(self, method: Any, params: dict[str, Any]) -> list[Addition | BaseException]:
        """Return the rows that the method adds to each inner fold; equal parameters give equal rows."""
        if isinstance(method, Adjuster):
            return [Addition()] * len(self.one.inner)
        key = repr(sorted(params.items()))
        if key not in self._kept:
            with self.watch.work(IN_METHOD):
                self._kept[key] = augment_inner(self.unit, method, self.one)
        self._kept.move_to_end(key)
        while len(self._kept) > 1 and sum(map(_nbytes, self._kept.values())) > KEPT_BYTES:
            self._kept.popitem(last=False)
        return self._kept[key]


def _nbytes(additions: list[Addition | BaseException]) -> int:
    return sum(8 * one.X.size for one in additions if isinstance(one, Addition) and one.X is not None)
