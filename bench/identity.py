"""What identifies the code of a method, a dataset or a classifier: part of every key."""

from __future__ import annotations

import inspect
import sys
from typing import Any

from ..methods.contract import Augmenter
from ..provenance import digest, distributions_of, imported_modules, package_versions, source_hash
from . import classifiers as classifier_registry
from .device import requirements
from .suite import Entry

#: methods share code (the table encoder, the layers) with modules that are not in the line of their bases
METHODS = "augbench.methods"


def code_identity(cls: type) -> dict[str, str]:
    """Return what identifies the code of a class: our files and plugins by content, packages by version."""
    identity: dict[str, str] = {}
    for base in cls.__mro__:
        _identify(base.__module__, identity)
    return identity


def _identify(name: str, identity: dict[str, str]) -> None:
    """Add a module's identity, and for a plugin or a method those of the other such modules that it uses."""
    root = name.partition(".")[0]
    if name in identity or root in sys.stdlib_module_names:
        return
    path = getattr(sys.modules.get(name), "__file__", None) or ""
    if root == "augbench":
        identity[name] = source_hash(name)
        if name.startswith(f"{METHODS}."):
            for used in imported_modules(name, METHODS):
                _identify(used, identity)
    elif path.endswith(".py") and "site-packages" not in path:
        identity[name] = source_hash(path)
        for value in list(vars(sys.modules[name]).values()):
            module = value.__name__ if inspect.ismodule(value) else getattr(value, "__module__", None)
            if isinstance(module, str) and not module.startswith("augbench.") and module != "augbench":
                _identify(module, identity)
    elif path:
        identity.update(package_versions(distributions_of(root)))


def method_hash(entry: Entry, method: Any) -> str:
    """Return the hash of a method of a suite: its name, parameters, code, and the packages that only it needs."""
    return digest(
        {"name": entry.name, "sampler": entry.sampler, "params": _plain(entry.params), "code": _method_code(method)}
    )


def _method_code(method: Any) -> dict[str, str]:
    """Return what identifies the code of a method and of what it wraps, and the packages that it requires."""
    code = code_identity(type(method))
    for package in requirements(method):
        code |= package_versions(distributions_of(package.partition(".")[0]))
    sampler = getattr(method, "sampler_class", None)
    if inspect.isclass(sampler):
        code |= code_identity(sampler)
    augmenter = getattr(method, "augmenter", None)
    if isinstance(augmenter, Augmenter):
        code |= _method_code(augmenter)
    return code


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
