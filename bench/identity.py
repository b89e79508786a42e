"""What identifies the code of a method, a dataset or a classifier: part of every key."""

from __future__ import annotations

import inspect
import sys
from pathlib import Path
from typing import Any

from ..provenance import digest, distributions_of, package_versions, source_hash
from . import classifiers as classifier_registry
from .device import requirements
from .suite import Entry


def code_identity(cls: type) -> dict[str, str]:
    """Return what identifies the code of a class: our files and plugins by content, packages by version."""
    identity: dict[str, str] = {}
    for base in cls.__mro__:
        _identify(base.__module__, identity)
    return identity


def _identify(name: str, identity: dict[str, str]) -> None:
    """Add a module's identity; of a plugin's module also those of the modules that it uses."""
    root = name.partition(".")[0]
    if name in identity or root in sys.stdlib_module_names:
        return
    path = getattr(sys.modules.get(name), "__file__", None) or ""
    if root == "augbench":
        family = ".".join(name.split(".")[:3])
        if folders := getattr(sys.modules.get(family), "__path__", None):
            # a family of methods that is a folder counts as a whole: its classes use its other files
            files = sorted(file for folder in folders for file in Path(folder).rglob("*.py"))
            identity[family] = source_hash(*map(str, files))
        else:
            identity[name] = source_hash(path)
    elif path.endswith(".py") and "site-packages" not in path:
        identity[name] = source_hash(path)
        for value in list(vars(sys.modules[name]).values()):
            used = value.__name__ if inspect.ismodule(value) else getattr(value, "__module__", None)
            if isinstance(used, str) and not used.startswith("augbench.") and used != "augbench":
                _identify(used, identity)
    elif path:
        identity.update(package_versions(distributions_of(root)))


def method_hash(entry: Entry, method: Any) -> str:
    """Return the hash of a method of a suite: its name, parameters, code, and the packages that only it needs."""
    code = code_identity(type(method))
    wrapped = getattr(method, "sampler_class", None)
    if inspect.isclass(wrapped):
        code |= code_identity(wrapped)
    for package in requirements(method):
        code |= package_versions(distributions_of(package.partition(".")[0]))
    return digest({"name": entry.name, "sampler": entry.sampler, "params": _plain(entry.params), "code": code})


def classifier_hash(entry: Entry) -> str:
    """Return the hash of a classifier of a suite: its name, parameters, code and settings."""
    classifier = classifier_registry.make(entry.name, entry.params, random_state=0)
    return digest(
        {
            "name": entry.name,
            "params": _plain(entry.params),
            "code": code_identity(type(classifier)),
            "repr": repr(classifier),
        }
    )


def _plain(params: dict[str, Any]) -> Any:
    return {
        key: value if isinstance(value, str | int | float | bool | list) else repr(value)
        for key, value in params.items()
    }
