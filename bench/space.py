"""What tuning may try: the parameters of methods and classifiers that have a declared range, and their defaults."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from typing import Any

from .. import methods as method_registry
from ..errors import InputError, unknown_name
from ..methods.search import Choice, Range, Real, Whole
from . import classifiers as classifier_registry
from .suite import Entry

#: what a budget decides cannot be tuned
BUDGETED = ("steps", "epochs")


def method_space(entry: Entry, method: Any, budget: str = "") -> dict[str, Range]:
    """Return what tuning may try of a method's parameters.

    A parameter that the suite sets stays as it is set; so does the length of training where the suite has a budget.
    """
    fixed = [*entry.params, *(BUDGETED if budget else ())]
    return {name: over for name, over in getattr(method, "search_space", {}).items() if name not in fixed}


def classifier_space(entry: Entry) -> dict[str, Range]:
    """Return what tuning may try of a classifier's parameters; what the suite sets stays as it is set."""
    space = classifier_registry.search_space(entry.name)
    return {name: over for name, over in space.items() if name not in entry.params}


def defaults(of: Any, space: Iterable[str]) -> dict[str, Any]:
    """Return the values that a method or a classifier has for some parameters.

    Parameters
    ----------
    of : object
        Built with what the suite sets. A filtered method has the parameters of the one that it wraps.
    space : iterable of str
        Names.
    """
    # what the filter calls the same is another parameter, and has a prefix
    of = getattr(of, "augmenter", of)
    parameters = inspect.signature(type(of)).parameters
    return {name: getattr(of, name, parameters[name].default if name in parameters else None) for name in space}


def contains(over: Range, value: Any) -> bool:
    """Tell whether a value lies in a range."""
    if isinstance(over, Choice):
        return any(type(one) is type(value) and one == value for one in over.values)
    kind = int if isinstance(over, Whole) else int | float
    return isinstance(value, kind) and not isinstance(value, bool) and over.low <= value <= over.high


def check_spaces(methods: dict[str, tuple[Entry, Any]], classifiers: Iterable[Entry]) -> None:
    """Check what methods and classifiers declare, before anything runs.

    Parameters
    ----------
    methods : dict
        By id the entry of each method, and the method as it was built.
    classifiers : iterable of Entry

    Raises
    ------
    InputError
        A range of a parameter that does not exist, or that is no range.
    """
    for id_, (entry, method) in methods.items():
        space = method_space(entry, method)
        if space:
            _check(f"method '{id_}'", space, method_registry.allowed_parameters(entry.name or type(method)))
    for entry in classifiers:
        space = classifier_space(entry)
        _check(f"classifier '{entry.id}'", space, classifier_registry.parameters(entry.name))


def _check(whose: str, space: dict[str, Range], allowed: list[str]) -> None:
    for name, over in space.items():
        if name not in allowed:
            raise unknown_name(f"parameter in the search space of {whose}", name, allowed)
        if isinstance(over, Choice):
            sound = len(over.values) > 0
        elif isinstance(over, Whole | Real):
            sound = over.low <= over.high and (not over.log or over.low > 0)
        else:
            sound = False
        if not sound:
            raise InputError(
                f"search space of {whose}: '{name}' must be Whole or Real with low <= high (above 0 with log) or a "
                f"Choice of at least one value; found {over!r}"
            )
