"""Plugins: methods, datasets, classifiers and metrics of other people.

A package announces them by entry points (``augbench.methods``, ``augbench.datasets``, ``augbench.classifiers``,
``augbench.metrics``); a single file or module named with ``--plugin`` is searched for subclasses of the contracts, and
may hold a function ``register(registry)`` for the rest.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import sys
from importlib.metadata import entry_points
from itertools import chain, count
from pathlib import Path
from types import ModuleType
from typing import Any

from .. import datasets, methods
from ..errors import InputError
from . import classifiers, metrics
from .console import err
from .guard import at_work

_REGISTRIES: dict[str, Any] = {
    "augbench.methods": methods,
    "augbench.datasets": datasets,
    "augbench.classifiers": classifiers,
    "augbench.metrics": metrics,
}

#: who works then, for `guard`
IMPORTED = "a plugin, while it is imported,"


class PluginError(InputError):
    """A plugin that is there and cannot be used; the others can."""


#: what the names of modules begin with that are plugin files
PLUGIN = "augbench_plugin_"
_loaded: dict[str, list[str]] = {}


def load_entry_points() -> list[str]:
    """Register what installed packages announce.

    Returns
    -------
    list of str
        One line for each that could not be registered, with its error; the rest is registered all the same.
    """
    problems = []
    for group, registry in _REGISTRIES.items():
        for point in entry_points(group=group):
            source = f"{group}:{point.name}={point.value}"
            if source in _loaded:
                continue
            try:
                with at_work(IMPORTED):
                    target = point.load()
                registry.register(target, point.name)
                _loaded[source] = [point.name]
            except (Exception, SystemExit) as error:
                owner = point.dist.name if point.dist else "a package"
                problems.append(f"plugin {point.name} ({point.value}, from {owner}) is left out: {_one_line(error)}")
    return problems


def load_plugin(source: str) -> list[str]:
    """Register the methods and datasets of one file or module; loading it twice does nothing.

    Parameters
    ----------
    source : str
        Path of a ``.py`` file, or an importable module.

    Returns
    -------
    list of str
        Names of the methods that it brought.

    Raises
    ------
    InputError
        There is no such file, or it brings a name that is taken.
    PluginError
        It cannot be imported (the message holds its error), or brings nothing.
    """
    key = str(Path(source).resolve()) if source.endswith(".py") else source
    if key in _loaded:
        return _loaded[key]
    module = _import(source)
    before = set(methods.names())
    found = 0
    for name, value in list(vars(module).items()):
        # what it imports from elsewhere is not its own
        if not inspect.isclass(value) or value.__module__ != module.__name__:
            continue
        if inspect.isabstract(value):
            if not name.startswith("_"):
                lacking = ", ".join(sorted(getattr(value, "__abstractmethods__", ())))
                raise PluginError(f"plugin {source}: class {name} lacks {lacking} (a base class starts with _)")
            continue
        if issubclass(value, methods.Augmenter | methods.Adjuster | methods.Detector):
            methods.register(value, getattr(value, "name", "") or _kebab(name))
            found += 1
        elif issubclass(value, datasets.Dataset):
            datasets.register(value, getattr(value, "name", "") or _kebab(name))
            found += 1
    if callable(getattr(module, "register", None)):
        module.register(_REGISTRIES)
        found += 1
    if not found:
        raise PluginError(f"plugin {source} has no class derived from Augmenter, Adjuster, Detector or Dataset")
    _loaded[key] = sorted(set(methods.names()) - before)
    return _loaded[key]


def load_all(plugins: list[str] | None) -> None:
    """Register what installed packages announce and what files or modules bring, with a warning for what is broken."""
    for problem in load_entry_points():
        err.print(f"warning: {problem}", markup=False)
    for plugin in plugins or []:
        try:
            load_plugin(plugin)
        except PluginError as error:
            err.print(f"warning: {error}", markup=False)


def _import(source: str) -> ModuleType:
    try:
        if not source.endswith(".py"):
            with at_work(IMPORTED):
                return importlib.import_module(source)
        path = Path(source).resolve()
        if not path.is_file():
            raise InputError(f"plugin file {source} does not exist")
        name = _module_name(path)
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        # dataclasses, pickle and inspect look a class's module up here
        sys.modules[name] = module
        with at_work(IMPORTED):
            spec.loader.exec_module(module)
    except InputError:
        raise
    except (Exception, SystemExit) as error:
        if source.endswith(".py"):
            sys.modules.pop(_module_name(Path(source).resolve()), None)
        raise PluginError(f"plugin {source} cannot be imported: {_one_line(error)}") from error
    return module


def _module_name(path: Path) -> str:
    """Return the name under which a plugin file is a module: of two files of one name the second has a number."""
    names = chain([f"{PLUGIN}{path.stem}"], (f"{PLUGIN}{path.stem}_{number}" for number in count(2)))
    return next(name for name in names if getattr(sys.modules.get(name), "__file__", None) in (None, str(path)))


def _one_line(error: BaseException) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"


def _kebab(name: str) -> str:
    """Turn ``MyMethod`` into ``my-method``."""
    return "".join(f"-{c.lower()}" if c.isupper() and i else c.lower() for i, c in enumerate(name)).replace("_", "-")
