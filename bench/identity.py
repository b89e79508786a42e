"""What identifies the code of a method, a dataset or a classifier: part of every key."""

from __future__ import annotations

import inspect
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ..methods.contract import Augmenter
from ..provenance import digest, distributions_of, imported_modules, named_imports, package_versions, source_hash
from . import classifiers as classifier_registry
from .device import requirements
from .plugins import PLUGIN
from .suite import Entry

#: methods share code (the table encoder, the layers) with modules that are not in the line of their bases
METHODS = "augbench.methods"


def code_identity(cls: type) -> dict[str, str]:
    """Return what identifies the code of a class: our files and plugins by content, packages by version."""
    identity: dict[str, str] = {}
    for base in cls.__mro__:
        _identify(base.__module__, identity)
    return identity


def _identify(name: str, identity: dict[str, str], *, imported: bool = True) -> None:
    """Add a module's identity, and for a plugin or a method those of the other such modules that it uses.

    What a module that may not be imported yet holds does not count: it would not be the same in every process.
    """
    root = name.partition(".")[0]
    if root in sys.stdlib_module_names:
        return
    if root == "augbench":
        if name not in identity:
            identity[name] = source_hash(name)
            for used in imported_modules(name, METHODS) if name.startswith(f"{METHODS}.") else []:
                _identify(used, identity)
        return
    path = _file_of(name)
    if path.endswith(".py") and "site-packages" not in path:
        # two plugin files of one name are modules of two names, by the order in which they were loaded
        label = Path(path).stem if name.startswith(PLUGIN) else name
        if label in identity:
            return
        identity[label] = source_hash(path)
        for used in _used_by(name, path, imported):
            if used.partition(".")[0] != "augbench":
                _identify(used, identity, imported=False)
    elif path:
        identity.update(package_versions(distributions_of(root)))


def _used_by(name: str, path: str, imported: bool) -> set[str]:
    """Return the modules that a plugin uses: those of what it holds, and those that its imports name, late ones too."""
    values = list(vars(sys.modules[name]).values()) if imported else []
    held = {value.__name__ if inspect.ismodule(value) else getattr(value, "__module__", None) for value in values}
    package = name if Path(path).name == "__init__.py" else name.rpartition(".")[0]
    # a constant does not tell where it comes from
    return {one for one in held if isinstance(one, str)} | set(named_imports(path, package))


def _file_of(name: str) -> str:
    """Return the file of a module, also of one that is not imported yet; an empty string if there is none."""
    root = name.partition(".")[0]
    if name in sys.modules:
        return str(getattr(sys.modules[name], "__file__", None) or "")
    try:
        # looking for a part of a package imports the package: only of one's own
        spec = find_spec(root)
        if "." in name and spec and "site-packages" not in str(spec.origin):
            spec = find_spec(name)
    except (ImportError, ValueError, AttributeError):
        return ""
    return str(spec.origin or "") if spec else ""


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
