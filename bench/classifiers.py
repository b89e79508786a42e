"""The classifiers that are trained on real and generated rows, by name."""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

import numpy as np

from ..errors import InputError, unknown_name
from ..methods.search import Choice, Range, Real, Whole
from .logistic import PenalisedLogisticRegression
from .networks import MLP, OneUnitNetwork
from .stacking import TrainingSet


@dataclass(frozen=True)
class _Classifier:
    """How a name becomes a classifier: a class (or where it is), a line about it, parameters, and what tuning tries."""

    target: str | Callable[..., Any]
    description: str
    defaults: dict[str, Any] = field(default_factory=dict)
    search_space: dict[str, Range] = field(default_factory=dict)

    def load(self) -> Callable[..., Any]:
        if not isinstance(self.target, str):
            return self.target
        module, _, name = self.target.partition(":")
        return getattr(import_module(module), name)


_CLASSIFIERS: dict[str, _Classifier] = {
    "logistic-regression": _Classifier(
        PenalisedLogisticRegression,
        "Logistic regression, L2 penalty (C = 1), multinomial for K > 2.",
        search_space={"C": Real(1e-3, 1e3, log=True)},
    ),
    "one-unit-network": _Classifier(
        OneUnitNetwork,
        "The sources' one-unit sigmoid network: logistic regression without penalty, stopped after 7 epochs.",
        search_space={"epochs": Whole(2, 100, log=True), "learning_rate": Real(3e-4, 3e-2, log=True)},
    ),
    "mlp": _Classifier(
        MLP,
        "Network with one hidden layer of 32 units (Adam, no early stopping: that would hold out generated rows).",
        search_space={
            "hidden_units": Choice((8, 16, 32, 64, 128)),
            "alpha": Real(1e-6, 1.0, log=True),
            "learning_rate": Real(5e-4, 5e-2, log=True),
        },
    ),
    "random-forest": _Classifier(
        "sklearn.ensemble:RandomForestClassifier",
        "Random forest of 100 trees.",
        {"n_estimators": 100, "n_jobs": 1},
        {"max_features": Choice(("sqrt", 0.3, 0.6, 1.0)), "min_samples_leaf": Whole(1, 20, log=True)},
    ),
    "hist-gradient-boosting": _Classifier(
        "sklearn.ensemble:HistGradientBoostingClassifier",
        "Histogram gradient boosting, 100 rounds (no early stopping: that would hold out generated rows).",
        {"early_stopping": False},
        {
            "learning_rate": Real(0.01, 0.5, log=True),
            "max_leaf_nodes": Whole(4, 64, log=True),
            "l2_regularization": Choice((0.0, 0.1, 1.0, 10.0)),
        },
    ),
}

#: names that stand for several classifiers
GROUPS: dict[str, list[str]] = {"all": list(_CLASSIFIERS)}


def names() -> list[str]:
    """Return the names of all classifiers, those of plugins last."""
    return list(_CLASSIFIERS)


def _find(name: str) -> _Classifier:
    if name not in _CLASSIFIERS:
        raise unknown_name("classifier", name, _CLASSIFIERS)
    return _CLASSIFIERS[name]


def describe(name: str) -> str:
    """Return one line about a classifier."""
    return _find(name).description


def parameters(name: str) -> list[str]:
    """Return the parameters of a classifier that a suite may set (the seed is the harness's)."""
    return [one for one in inspect.signature(_find(name).load()).parameters if one != "random_state"]


def search_space(name: str) -> dict[str, Range]:
    """Return what tuning may try of a classifier's parameters; a plugin's declares it as `search_space`."""
    entry = _find(name)
    return entry.search_space or dict(getattr(entry.target, "search_space", {}))


def make(name: str, params: dict[str, Any] | None = None, random_state: int | None = None) -> Any:
    """Build a classifier.

    Parameters
    ----------
    name : str
        A name from `names`.
    params : dict, optional
        What a suite sets: any parameter of the class but `random_state`.
    random_state : int, optional
        The seed, any non-negative integer; handed on (modulo 2³²) if the class takes one.

    Raises
    ------
    InputError
        An unknown name or parameter.
    """
    entry = _find(name)
    build = entry.load()
    accepted = inspect.signature(build).parameters
    params = params or {}
    for parameter in params:
        if parameter not in accepted or parameter == "random_state":
            allowed = [one for one in accepted if one != "random_state"]
            raise unknown_name(f"parameter of classifier '{name}'", parameter, allowed)
    # a list, as a suite file has it, where scikit-learn wants a tuple
    given = {key: tuple(value) if isinstance(value, list) else value for key, value in params.items()}
    seed = {}
    if "random_state" in accepted and random_state is not None:
        seed = {"random_state": int(random_state) % 2**32}
    return build(**(entry.defaults | given | seed))


def register(target: Callable[..., Any], name: str) -> None:
    """Add a classifier, as a plugin does.

    Parameters
    ----------
    target : type or callable
        Gives an object with `fit(X, y)`, `predict_proba(X)` and `classes_`; `fit` needs the argument `sample_weight`
        for the adjuster class-weight. The first line of its docstring describes it. A class attribute
        ``scaled = False`` asks for columns that are not standardised; ``search_space``, a dict of parameter to
        `methods.search.Range`, says what tuning may try; a class method ``fit_stack(models, sets)`` fits
        many at once, see `fit_many`.
    name : str
        Its name in suites.

    Raises
    ------
    InputError
        The name is taken, or `target` cannot be called.
    """
    if not callable(target):
        raise InputError(f"classifier '{name}' must be a class or a function that builds one; found {target!r}")
    if name in _CLASSIFIERS or name in GROUPS:
        raise InputError(f"classifier '{name}' exists already; choose another name")
    _CLASSIFIERS[name] = _Classifier(target, (inspect.getdoc(target) or "").partition("\n")[0])
    GROUPS["all"].append(name)


@dataclass(frozen=True)
class Fit:
    """What became of fitting one classifier.

    Attributes
    ----------
    outcome : object
        The fitted classifier, or the exception that was raised.
    seconds : float
        To fit it; of models that were fitted together each one's share, by its number of rows.
    """

    outcome: Any
    seconds: float


def fit_many(models: list[Any], sets: list[TrainingSet]) -> list[Fit]:
    """Fit classifiers to training sets, one to each.

    A class that has a class method ``fit_stack(models, sets)`` fits them together; it must give what `fit` gives for
    each alone. All others are fitted in a loop, and so is a stack that raises.

    Parameters
    ----------
    models : list of object
        Fresh classifiers of one kind, each with its own seed.
    sets : list of TrainingSet
        What each is fitted to.

    Returns
    -------
    list of Fit
        A model that cannot be fitted leaves the others alone.
    """
    if not models:
        return []
    fit_stack = getattr(type(models[0]), "fit_stack", None)
    if fit_stack is not None:
        start = time.perf_counter()
        # a stack that fails as a whole, for want of memory for one, tells nothing about each of its models
        with suppress(Exception):
            outcomes = fit_stack(models, sets)
            if len(outcomes) == len(sets):
                seconds = (time.perf_counter() - start) / sum(max(1, len(one.y)) for one in sets)
                return [Fit(outcome, seconds * max(1, len(one.y))) for outcome, one in zip(outcomes, sets, strict=True)]
    return [_fit_one(model, one) for model, one in zip(models, sets, strict=True)]


def _fit_one(model: Any, one: TrainingSet) -> Fit:
    start = time.perf_counter()
    outcome: Any = model
    try:
        model.fit(one.X, one.y, **({} if one.weight is None else {"sample_weight": one.weight}))
    except (Exception, SystemExit) as error:
        outcome = error
    return Fit(outcome, time.perf_counter() - start)


def aligned_probabilities(classifier: Any, X: np.ndarray, n_classes: int) -> np.ndarray:
    """Return predicted probabilities with one column for each class.

    Parameters
    ----------
    classifier : object
        Fitted; `classes_` holds class codes.
    X : numpy.ndarray of shape (n_rows, n_features)
        Rows.
    n_classes : int
        K.

    Returns
    -------
    numpy.ndarray of shape (n_rows, K), float64
        A class that the training rows lacked has probability 0.
    """
    predicted = np.asarray(classifier.predict_proba(X), dtype=float)
    if predicted.shape[1] == n_classes and np.array_equal(classifier.classes_, np.arange(n_classes)):
        return predicted
    aligned = np.zeros((len(predicted), n_classes))
    aligned[:, np.asarray(classifier.classes_, dtype=int)] = predicted
    return aligned
