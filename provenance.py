"""Fingerprints: of code, and of the packages that it ran with."""

from __future__ import annotations

import ast
import hashlib
import json
import os
import platform
from collections.abc import Iterable
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from importlib.util import find_spec, resolve_name
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_info

#: packages whose version can change a score
PACKAGES = ("augbench", "imbalanced-learn", "numpy", "pandas", "scikit-learn", "scipy")

#: what is said of where results were computed, beside the packages
MACHINE = ("platform", "python", "device", "cpus", "blas")


def digest(value: Any) -> str:
    """Return the SHA-256 of a JSON-like value, the same for equal values (key order does not matter)."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


@lru_cache(maxsize=256)
def _normalised_source(path: str) -> str:
    """Return a file's code without comments, docstrings and layout, so that only what runs counts."""
    tree = ast.parse(Path(path).read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0] if node.body else None
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                node.body[0] = ast.Pass()
    return ast.unparse(tree)


def source_hash(*modules: str) -> str:
    """Return a SHA-256 of the code of some modules; a changed comment or docstring does not change it.

    Parameters
    ----------
    *modules : str
        Importable names, e.g. ``"augbench.bench.metrics"``, or paths of ``.py`` files.

    Raises
    ------
    ModuleNotFoundError
        A module has no source file.
    """
    parts = []
    for name in modules:
        path = name if name.endswith(".py") else getattr(find_spec(name), "origin", None)
        if path is None or not path.endswith(".py"):
            raise ModuleNotFoundError(f"no source file for module {name}", name=name)
        parts.append(_normalised_source(path))
    return digest(parts)


@lru_cache(maxsize=256)
def imported_modules(name: str, within: str) -> list[str]:
    """Return the modules that a module imports anywhere in its code, also late, inside functions.

    Parameters
    ----------
    name : str
        An importable module.
    within : str
        Package whose modules are wanted; others are left out.
    """
    spec = find_spec(name)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"no source file for module {name}", name=name)
    package = name if spec.submodule_search_locations is not None else name.rpartition(".")[0]
    found: list[str] = []
    for base, names in named_imports(spec.origin, package).items():
        found.append(base)
        # what is imported from a package may be a module
        if f"{base}.".startswith(f"{within}.") and getattr(find_spec(base), "submodule_search_locations", None):
            found += [one for part in names if find_spec(one := f"{base}.{part}")]
    return sorted({one for one in found if one.startswith(f"{within}.")})


@lru_cache(maxsize=256)
def named_imports(path: str, package: str) -> dict[str, tuple[str, ...]]:
    """Return the modules that a file of a package names in its imports, also late ones, and what it takes from each."""
    found: dict[str, tuple[str, ...]] = {}
    for node in ast.walk(ast.parse(Path(path).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name: found.get(alias.name, ()) for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and (package or not node.level):
            base = resolve_name("." * node.level + (node.module or ""), package)
            found[base] = (*found.get(base, ()), *(alias.name for alias in node.names))
    return found


@lru_cache
def distributions_of(package: str) -> list[str]:
    """Return which distributions an importable package comes from; its own name if nothing is known."""
    known = {"imblearn": "imbalanced-learn", "sklearn": "scikit-learn", "torch": "torch"}
    # the look-up reads every installed package: seconds
    return [known[package]] if package in known else packages_distributions().get(package, [package])


#: the version of an installed package, whose facts are read once; one that is absent is looked for again
_version = lru_cache(version)


def blas_kernels() -> str:
    """Return for which kind of processor the BLAS libraries that are loaded compute: it decides the last bits of a sum.

    Such as ``"openblas Haswell"``; the environment variable ``OPENBLAS_CORETYPE`` chooses another one.
    """
    found = (one for one in threadpool_info() if one["user_api"] == "blas")
    return ", ".join(sorted({f"{one['internal_api']} {one.get('architecture', '')}".strip() for one in found}))


def machine() -> dict[str, str]:
    """Return what is said of this process and its machine, see `MACHINE`; the device is not known here."""
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cpus": str(os.cpu_count() or ""),
        "blas": blas_kernels(),
    }


def package_versions(names: Iterable[str] = PACKAGES) -> dict[str, str]:
    """Return the installed version of each package, ``"absent"`` where it is not installed."""
    found = {}
    for name in names:
        try:
            found[name] = _version(name)
        except PackageNotFoundError:
            found[name] = "absent"
    return found
