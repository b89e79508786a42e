"""What the checks look at: one method, built anew for every use, and what it makes of a training set."""

from __future__ import annotations

import copy
import inspect
import random
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np
import pandas as pd
from threadpoolctl import ThreadpoolController

from ... import methods
from ...errors import InputError
from ..contract import Adjuster, Augmenter, Detector
from .tables import Training

Resampled = tuple[pd.DataFrame, Any]


class Subject:
    """A method under check.

    Parameters
    ----------
    method : str, type, instance or Subject
        A registered name (``NAME+gc`` too), the path of a sampler of imbalanced-learn's kind, a class or an instance.
    params : dict, optional
        Parameters to check it with. What is set neither here nor, in an instance, to other values than the defaults is
        as the class declares in `checked_with`.

    Attributes
    ----------
    name : str
    kind : str
        ``"augmenter"``, ``"adjuster"`` or ``"detector"``.
    template : Augmenter, Adjuster or Detector
        With the parameters of the checks; never fitted.
    full : Augmenter, Adjuster or Detector
        The same without what `checked_with` says.

    Raises
    ------
    InputError
        There is no such method, or it cannot be built with these parameters.
    """

    def __init__(self, method: Any, params: dict[str, Any] | None = None) -> None:
        params = params or {}
        self.name, self.full, chosen = _built(method, params)
        kinds = {"augmenter": Augmenter, "adjuster": Adjuster, "detector": Detector}
        found = [kind for kind, base in kinds.items() if isinstance(self.full, base)]
        if not found:
            raise InputError(f"{self.name} is no augbench.Augmenter, Adjuster or Detector; found {type(self.full)!r}")
        self.kind = found[0]
        self.template = copy.deepcopy(self.full)
        try:
            known = self.template.get_params(deep=True)
        except (AttributeError, RuntimeError) as error:
            reason = " ".join(str(error).split())
            raise InputError(
                f"{self.name}: the constructor must name its parameters and keep each under its own name: {reason}"
            ) from error
        for name, value in self.template.checked_with.items():
            if name not in known:
                raise InputError(f"{self.name}: checked_with names '{name}', which is no parameter of it")
            if name.rpartition("__")[2] not in chosen:
                self.template.set_params(**{name: value})

    def __repr__(self) -> str:
        return self.name

    @property
    def known_limits(self) -> dict[str, str]:
        """What the class declares."""
        return dict(self.template.known_limits)

    @property
    def missing(self) -> str:
        """The packages that it needs and that are not installed, or an empty string."""
        return ", ".join(one for one in getattr(self.template, "requires", ()) if not _is_importable(one))

    def declares(self, name: str) -> Any:
        """Return what the class declares, e.g. ``numeric_only``."""
        return getattr(self.template, name)

    def make(self, counts: Any = None, seed: Any = 0, *, full: bool = False) -> Any:
        """Build the method with a seed and, for an augmenter, the total number of rows wanted of each class."""
        template = self.full if full else self.template
        own: dict[str, Any] = {} if self.kind == "adjuster" else {"random_state": seed}
        if self.kind == "augmenter":
            own["sampling_strategy"] = counts or {}
        return type(template)(**copy.deepcopy(template.get_params(deep=False)) | own)

    def resample(self, training: Training, counts: Any, seed: Any = 0) -> Resampled:
        """Let an augmenter, built anew, resample a training set; return what it gives."""
        with isolated():
            resampled: Resampled = self.make(counts, seed).fit_resample(training.X, training.y)
        return resampled

    def fit(self, training: Training, seed: Any = 0) -> Any:
        """Fit a detector, built anew."""
        with isolated():
            return self.make(seed=seed).fit(training.X, training.y, training.series)


def outcome(method: Any, training: Training) -> pd.DataFrame:
    """Return all that a method makes of a training set as numbers and categories, to be compared.

    Of an augmenter the rows that it gives and their labels; of a detector the scores of the training rows, and the
    threshold; of an adjuster the weights, and probabilities after adjustment.
    """
    with isolated():
        return compute(method, training)


def compute(method: Any, training: Training) -> pd.DataFrame:
    """Return what `outcome` does, in whatever global random state there is."""
    if isinstance(method, Augmenter):
        X, y = method.fit_resample(training.X, training.y)
        return X.set_axis(range(X.shape[1]), axis=1).assign(label=np.asarray(y))
    if isinstance(method, Detector):
        fitted = method.fit(training.X, training.y, training.series)
        scores = fitted.score_samples(training.X, training.series)
        return pd.DataFrame({"score": scores, "threshold": fitted.threshold_})
    weights = method.sample_weight(training.y)
    adjusted = method.adjust(training.probabilities(), training.y)
    # the numbers of training rows and of predicted ones differ: a Series each, side by side
    return pd.concat([pd.DataFrame(adjusted), pd.Series(weights, dtype=float, name="weight")], axis=1)


@contextmanager
def at_work(method: Any) -> Iterator[None]:
    """Import the packages that a method needs, and let it run on one thread: the same bits here and in a worker.

    Imported before, neither their time nor what they do to random states is taken for the method's.
    """
    packages = tuple(getattr(method, "requires", ()))
    for name in packages:
        import_module(name)
    with _threads(packages).limit(limits=1):
        yield


@cache
def _threads(packages: tuple[str, ...]) -> ThreadpoolController:
    """Return the libraries that have threads, once these packages are loaded; to look for them takes a while."""
    return ThreadpoolController()


@contextmanager
def isolated(seed: int = 20) -> Iterator[None]:
    """Run a method as the kit runs all: global random state set and put back, warnings not shown.

    So that a method that draws from the global state fails the check for that, and no other.
    """
    with warnings.catch_warnings(), global_random_state(seed):
        warnings.simplefilter("ignore")
        yield


@contextmanager
def global_random_state(seed: int) -> Iterator[None]:
    """Seed every global random state for a while, and put it back."""
    before = read_global_random_state()
    np.random.seed(seed)  # noqa: NPY002
    random.seed(seed)
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.random.default_generator.manual_seed(seed)
    try:
        yield
    finally:
        np.random.set_state(before["numpy"])  # noqa: NPY002
        random.setstate(before["random"])
        if torch is not None:
            torch.random.set_rng_state(before["torch"])


def changed_random_states(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Return the names of the global random states that differ."""
    return [name for name in before if not _same_state(before[name], after[name])]


def _same_state(one: Any, other: Any) -> bool:
    if isinstance(one, tuple):
        return all(map(_same_state, one, other))
    return bool(np.array_equal(np.asarray(one), np.asarray(other)))


def read_global_random_state() -> dict[str, Any]:
    """Return the global random state of numpy, of the standard library and, once it is loaded, of torch."""
    state: dict[str, Any] = {"numpy": np.random.get_state(), "random": random.getstate()}  # noqa: NPY002
    torch = sys.modules.get("torch")
    if torch is not None:
        state["torch"] = torch.random.get_rng_state()
    return state


def _built(method: Any, params: dict[str, Any]) -> tuple[str, Any, set[str]]:
    """Return the name of a method, an instance of it, and the parameters that somebody chose."""
    if isinstance(method, str):
        if method in methods.names() or method.endswith(methods.FILTER):
            return method, methods.make(method, params), set(params)
        if "." in method or ":" in method:
            from ..samplers import ImblearnSampler

            return method, ImblearnSampler.from_class(method, **params), set(params)
        return method, methods.make(method, params), set(params)
    if inspect.isclass(method):
        label = getattr(method, "name", "") or method.__name__
        try:
            return label, method(**params), set(params)
        except (TypeError, ValueError) as error:
            raise InputError(f"{label} cannot be built: {error}") from error
    if not hasattr(method, "get_params"):
        raise InputError(f"{method!r} is no augbench.Augmenter, Adjuster or Detector, and no name of one")
    given = method.get_params(deep=False)
    signature = inspect.signature(type(method)).parameters
    chosen = {name for name, value in given.items() if repr(value) != repr(signature[name].default)}
    label = getattr(method, "name", "") or type(method).__name__
    return label, type(method)(**copy.deepcopy(given) | params), chosen | set(params)


def _is_importable(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:
        return False
