"""Data sets: the contract, the registry of names, and one's own tables.

>>> make("iris").info.class_counts
(50, 50, 50)
"""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..errors import InputError, unknown_name
from .bundled import BundledDataset
from .contract import Dataset, DatasetInfo, FiniteDataset, MissingDataError, SimulatedDataset, SimulatedDraw, Table
from .faces import FacesDataset
from .fetch import fetch
from .files import FileDataset, read_table
from .images import FashionMnistDataset, MnistDataset
from .proben1 import Proben1Dataset
from .series import Ai4iDataset, SkabDataset
from .simulated import LogisticSimulation, MixedSimulation, RingsSimulation, ThreeClassSimulation
from .sources import sources
from .tabular import TabularDataset

__all__ = [
    "GROUPS",
    "Dataset",
    "DatasetInfo",
    "FileDataset",
    "FiniteDataset",
    "MissingDataError",
    "SimulatedDataset",
    "SimulatedDraw",
    "Table",
    "fetch",
    "make",
    "names",
    "read_table",
    "register",
]

_FACTORIES: dict[str, Callable[..., Dataset]] = {}

#: names of the datasets of each group, in the order of registration
GROUPS: dict[str, list[str]] = {}


def register(factory: Callable[..., Dataset], name: str, group: str = "yours") -> None:
    """Make a dataset known under a name.

    Parameters
    ----------
    factory : callable
        A `Dataset` class or a function that returns one; its keyword arguments are the dataset's parameters.
    name : str
        The id; `info.name` must say the same.
    group : str
        The group it is listed under.

    Raises
    ------
    InputError
        The name is taken or empty, or the factory cannot be called.
    """
    if not callable(factory):
        raise InputError(f"dataset '{name}': the factory must be a Dataset class or a function, not {factory!r}")
    if not name or name != name.strip():
        raise InputError(f"a dataset needs a name without spaces around it, not {name!r}")
    if name in _FACTORIES:
        raise InputError(f"dataset '{name}' is already registered: choose another name")
    _FACTORIES[name] = factory
    GROUPS.setdefault(group, []).append(name)


def names() -> list[str]:
    """Return the names of all registered datasets, group by group."""
    return [name for group in GROUPS.values() for name in group]


def make(name: str, /, **params: Any) -> Dataset:
    """Return the dataset of that name; nothing is loaded yet.

    Parameters
    ----------
    name : str
        One of `names()`.
    **params
        The dataset's parameters, e.g. ``n_train=1000``.

    Raises
    ------
    InputError
        There is no such dataset, it has no such parameter, or a value is not allowed.

    Examples
    --------
    >>> make("simulated-rings", n_train=100).info.n_rows
    100
    """
    if name not in _FACTORIES:
        raise unknown_name("dataset", name, _FACTORIES)
    factory = _FACTORIES[name]
    _check_params(name, factory, params)
    dataset = factory(**params)
    if not isinstance(dataset, Dataset):
        raise InputError(f"dataset '{name}': its factory returned {type(dataset).__name__}, not a Dataset")
    return dataset


def _check_params(name: str, factory: Callable[..., Dataset], params: dict[str, Any]) -> None:
    """Refuse parameters that the factory does not have, and the lack of those that it needs."""
    known = inspect.signature(factory).parameters.values()
    if any(one.kind is inspect.Parameter.VAR_KEYWORD for one in known):
        return
    allowed = [one.name for one in known]
    for param in params:
        if param not in allowed:
            near = difflib.get_close_matches(param, allowed, n=1, cutoff=0.5)
            hint = f"did you mean '{near[0]}'? " if near else ""
            said = f"it takes {', '.join(allowed)}" if allowed else "it takes none"
            raise InputError(f"dataset '{name}' has no parameter '{param}': {hint}{said}")
    missing = [one.name for one in known if one.default is inspect.Parameter.empty and one.name not in params]
    if missing:
        raise InputError(f"dataset '{name}' needs the parameter '{missing[0]}'")


@dataclass(frozen=True)
class _FromTable:
    """Makes one entry of the table of sources; takes no parameters."""

    build: Callable[[str], Dataset]
    name: str

    def __call__(self) -> Dataset:
        """Return the dataset."""
        return self.build(self.name)


def _register_own() -> None:
    for simulated in (LogisticSimulation, RingsSimulation, MixedSimulation, ThreeClassSimulation):
        register(simulated, simulated.name, "simulated")
    own: dict[str, Callable[..., Dataset]] = {
        one.name: one for one in (MnistDataset, FashionMnistDataset, FacesDataset, SkabDataset, Ai4iDataset)
    }
    builders: dict[str, Callable[[str], Dataset]] = {"bundled": BundledDataset, "proben1": Proben1Dataset}
    for name, source in sources().items():
        table = _FromTable(builders.get(source.group, TabularDataset), name)
        register(own.get(name, table), name, source.group)


_register_own()
