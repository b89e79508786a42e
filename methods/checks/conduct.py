"""All kinds of methods: seeds, parameters, pickles, processes, time, and many training sets at once."""

from __future__ import annotations

import inspect
import pickle
import time
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import clone

from . import tables
from .kit import CheckFailed, NotApplicable, check, expect
from .rows import ask, enough
from .subject import Subject, changed_random_states, compute, isolated, outcome, read_global_random_state
from .tables import Training
from .worker import outcome_in_worker

#: of a failure that concerns what no seed explains
UNSTEADY = "it does not repeat itself, see check_same_seed"


def _rows(subject: Subject, seed: int = 0) -> Training:
    return tables.numeric(enough(subject), seed=seed)


def _make(subject: Subject, training: Training, seed: Any = 3) -> Any:
    return subject.make(ask(training) if subject.kind == "augmenter" else None, seed)


def _outcome(subject: Subject, seed: Any = 3) -> pd.DataFrame:
    """Return what the method makes of the usual training rows."""
    training = _rows(subject)
    return outcome(_make(subject, training, seed), training)


def _expect_outcome(subject: Subject, found: pd.DataFrame, where: str) -> None:
    """Check an outcome against that of the method here, unless it does not even repeat itself here."""
    wanted = _outcome(subject)
    if not found.equals(wanted):
        if not _outcome(subject).equals(wanted):
            raise NotApplicable(UNSTEADY)
        raise CheckFailed(
            f"{where} gives other rows" if subject.kind == "augmenter" else f"{where} gives other numbers"
        )


@check()
def check_description(subject: Subject) -> None:
    """The class has a docstring of its own: its first line is what `bench list methods` shows."""
    own = (type(subject.template).__doc__ or "").strip()
    name = type(subject.template).__name__
    expect(own and not own.startswith(f"{name}("), f"class {name} has no docstring")


@check()
def check_parameters(subject: Subject) -> None:
    """The constructor keeps its parameters as they are and does nothing else: suites and tuners set them."""
    cls = type(subject.template)
    needed = {"augmenter": ("sampling_strategy", "random_state"), "detector": ("random_state",)}
    accepted = inspect.signature(cls).parameters
    for name in needed.get(subject.kind, ()):
        expect(name in accepted, f"the constructor of {cls.__name__} has no parameter {name}")
    given = subject.template.get_params(deep=False)
    method = cls(**given)
    for name, value in given.items():
        expect(getattr(method, name, None) is value, f"the constructor changes or loses the parameter {name}")
    more = set(vars(method)) - set(given)
    expect(not more, f"the constructor sets more than its parameters: {', '.join(sorted(more))}")


@check()
def check_clone(subject: Subject) -> None:
    """scikit-learn's clone gives a method with the same parameters: the benchmark clones for every training set."""
    twin = clone(subject.template)
    same = repr(twin.get_params()) == repr(subject.template.get_params())
    expect(type(twin) is type(subject.template) and same, "the clone has other parameters")


@check()
def check_parameters_unchanged(subject: Subject) -> None:
    """Its use changes none of its parameters: what was learnt goes to attributes that end in _."""
    training = _rows(subject)
    method = _make(subject, training)
    before = repr(method.get_params())
    outcome(method, training)
    expect(repr(method.get_params()) == before, f"parameters were {before}, and {method.get_params()!r} afterwards")


@check()
def check_input_unchanged(subject: Subject) -> None:
    """What it is given is not written to: rows, labels, index and columns are as before."""
    training = _rows(subject)
    training.X.index = pd.Index([f"row {i}" for i in range(training.n)])
    before = training.copy()
    outcome(_make(subject, training), training)
    expect(training.X.index.equals(before.X.index), "the index of the training rows was changed")
    expect(training.X.columns.equals(before.X.columns), "the columns of the training rows were changed")
    expect(training.X.equals(before.X), "the training rows that were given were written to")
    expect(np.array_equal(training.y, before.y), "the labels that were given were written to")
    expect(np.array_equal(training.series, before.series), "the series that were given were written to")
    if subject.kind == "adjuster":
        probabilities = training.probabilities()
        with isolated():
            subject.make().adjust(probabilities, training.y)
        expect(np.array_equal(probabilities, training.probabilities()), "the probabilities given were written to")


@check()
def check_same_seed(subject: Subject) -> None:
    """The same seed gives the same, bit for bit: results must not depend on when and where they are computed."""
    for seed in (3, 0):
        same = _outcome(subject, seed).equals(_outcome(subject, seed))
        expect(same, f"the same seed gives something else the second time (random_state={seed})")


@check()
def check_second_use(subject: Subject) -> None:
    """Used again, on other rows, it gives what a new one gives: nothing of a use is left for the next."""
    first, second = _rows(subject, 1), _rows(subject, 2)
    method = _make(subject, second)
    outcome(method, first)
    before = first.copy()
    found = outcome(method, second.copy())
    kept = first.X.equals(before.X) and np.array_equal(first.y, before.y)
    expect(kept, "the second use wrote to what the first was given")
    wanted = outcome(_make(subject, second), second.copy())
    if not found.equals(wanted):
        if not outcome(_make(subject, second), second.copy()).equals(wanted):
            raise NotApplicable(UNSTEADY)
        raise CheckFailed("a second use gives something else than a new method: something of the first is left")


@check("augmenter")
def check_other_seed(subject: Subject) -> None:
    """Another seed gives other rows, unless it is declared that nothing is random (deterministic)."""
    same = _outcome(subject, 3).equals(_outcome(subject, 2**40))
    if subject.declares("deterministic"):
        expect(same, "declared deterministic, and another seed gives other rows")
    else:
        expect(not same, "another seed gives the same rows; if nothing is random, declare deterministic = True")


@check()
def check_global_random_state(subject: Subject) -> None:
    """The global random states (numpy, random, torch) are neither changed nor used: others draw from them too."""
    made = []
    for seed in (1, 2):
        training = _rows(subject)
        with isolated(seed):
            before = read_global_random_state()
            made.append(compute(_make(subject, training), training))
            after = read_global_random_state()
        changed = changed_random_states(before, after)
        expect(not changed, f"the global random state was changed: {', '.join(changed)}")
    if not made[0].equals(made[1]):
        if not _outcome(subject).equals(_outcome(subject)):
            raise NotApplicable(UNSTEADY)
        raise CheckFailed("what it makes depends on the global random state")


@check()
def check_pickle(subject: Subject) -> None:
    """A pickled copy gives the same: methods travel to worker processes."""
    training = _rows(subject)
    copy = pickle.loads(pickle.dumps(_make(subject, training)))
    _expect_outcome(subject, outcome(copy, training), "a pickled copy")


@check("detector")
def check_pickle_of_a_fitted_detector(subject: Subject) -> None:
    """A fitted detector that was pickled gives the same scores."""
    training = _rows(subject)
    fitted = subject.fit(training)
    copy = pickle.loads(pickle.dumps(fitted))
    with isolated():
        wanted, found = (one.score_samples(training.X, training.series) for one in (fitted, copy))
    expect(np.array_equal(wanted, found), "a pickled copy of the fitted detector gives other scores")


@check()
def check_worker_process(subject: Subject) -> None:
    """In another process it gives what it gives here: the benchmark computes in workers."""
    training = _rows(subject)
    found, _ = outcome_in_worker(_make(subject, training), training, subject.declares("declared_seconds"))
    _expect_outcome(subject, found, "a worker process")


@check("augmenter", "detector")
def check_many_as_one_by_one(subject: Subject) -> None:
    """Several training sets at once give what each gives alone, up to the declared rounding (many_tolerance)."""
    trainings = [_rows(subject, seed) for seed in (1, 2, 3)]
    for i, (training, found) in enumerate(zip(trainings, _many(subject, trainings), strict=True)):
        if isinstance(found, BaseException):
            raise CheckFailed(f"training set {i + 1} of 3 failed among others: {found}") from found
        _expect_alike(subject, training, i, found)


@check("augmenter", "detector")
def check_many_with_a_bad_one(subject: Subject) -> None:
    """A training set that is refused comes back as its exception, and leaves the others as they are."""
    trainings = [_rows(subject, seed) for seed in (1, 2, 3)]
    trainings[1].X.iloc[0, 0] = np.nan
    for i, (training, found) in enumerate(zip(trainings, _many(subject, trainings), strict=True)):
        if i == 1:
            refused = isinstance(found, BaseException)
            expect(refused, "a training set with a missing cell came back among others as if nothing were wrong")
        elif isinstance(found, BaseException):
            raise CheckFailed(f"a bad training set made another one fail: {found}") from found
        else:
            _expect_alike(subject, training, i, found)


@check()
def check_declared_seconds(subject: Subject) -> None:
    """With its default parameters it ends within the time that it declares, on 200 rows of 5 columns."""
    declared = subject.declares("declared_seconds")
    training = tables.standard(max(40, subject.declares("min_per_class")))
    counts = {0: training.n, 1: training.n} if subject.kind == "augmenter" else None
    method = subject.make(counts, full=True)
    try:
        _, seconds = outcome_in_worker(method, training, declared)
    except NotApplicable:
        start = time.perf_counter()
        outcome(method, training)
        seconds = time.perf_counter() - start
    expect(seconds <= declared, f"took {seconds:.1f} seconds; declared_seconds is {declared:g}")


def _many(subject: Subject, trainings: list[Training]) -> list[Any]:
    """Return what the method makes of training sets with seeds 0, 1, ..., all at once: rows or scores."""
    seeds = list(range(len(trainings)))
    # copies here and there: a sum's order follows the layout in memory, which a copy may change
    copies = [one.copy() for one in trainings]
    given = [(one.X, one.y) for one in copies]
    with isolated():
        if subject.kind == "augmenter":
            asked = [ask(one) for one in trainings]
            return list(subject.make().fit_resample_many(given, seeds, asked))
        fitted = subject.make().fit_many(given, seeds, [one.series for one in copies])
        return [
            one if isinstance(one, BaseException) else one.score_samples(training.X, training.series)
            for one, training in zip(fitted, trainings, strict=True)
        ]


def _expect_alike(subject: Subject, training: Training, seed: int, found: Any) -> None:
    """Check rows or scores made among others against those made alone."""
    if subject.kind == "augmenter":
        X, y = subject.resample(training.copy(), ask(training), seed)
        expect(np.array_equal(np.asarray(found[1]), np.asarray(y)), "labels differ alone and among others")
        for what, ours, alone in (
            ("columns", list(found[0].columns), list(X.columns)),
            ("dtypes", found[0].dtypes.tolist(), X.dtypes.tolist()),
            ("the index", list(found[0].index), list(X.index)),
            ("the dtype of labels", np.asarray(found[1]).dtype, np.asarray(y).dtype),
        ):
            expect(ours == alone, f"{what} alone and among others differ")
        wanted, numbers = X.to_numpy(dtype=float), found[0].to_numpy(dtype=float)
    else:
        fitted = subject.fit(training.copy(), seed)
        with isolated():
            wanted = fitted.score_samples(training.X, training.series)[:, None]
        numbers = np.asarray(found)[:, None]
    expect(wanted.shape == numbers.shape, f"shape {numbers.shape} among others, {wanted.shape} alone")
    scale = np.abs(wanted).max(axis=0)
    off = float((np.abs(numbers - wanted) / np.where(scale > 0, scale, 1.0)).max())
    allowed = subject.declares("many_tolerance")
    if off > allowed:
        if subject.kind == "augmenter" and not subject.resample(training.copy(), ask(training), seed)[0].equals(X):
            raise NotApplicable(UNSTEADY)
        raise CheckFailed(f"alone and among others differ by {off:.1g} of a column; many_tolerance is {allowed:g}")
