"""What ``bench list`` shows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from .. import datasets, methods
from ..methods import documentation
from . import classifiers, metrics
from .device import install_hint, missing_packages
from .plan import first_line
from .suite import builtin_suites, load_suite


class Listing(NamedTuple):
    """A table for people: its columns, its rows, and a line to stand below it."""

    columns: list[str]
    rows: list[tuple[str, ...]]
    note: str = ""


def list_methods() -> Listing:
    """Return name, kind, role and description of every method, and last of the filter that any augmenter can have."""
    rows: list[tuple[str, ...]] = []
    lacking: dict[str, None] = {}
    for name in methods.names():
        cls: Any = methods.get(name)
        missing = missing_packages(cls)
        lacking |= dict.fromkeys(missing)
        description = f"(needs {', '.join(missing)}) {first_line(cls)}" if missing else first_line(cls)
        rows.append((name, cls.kind, cls.role or cls.family, description))
    rows.append((f"NAME{methods.FILTER}", "augmenter", "filter", first_line(methods.get(f"smote{methods.FILTER}"))))
    note = f"What methods need and is not installed: {install_hint(lacking)}" if lacking else ""
    return Listing(["method", "kind", "role or family", "description"], rows, note)


def describe_method(name: str) -> Listing:
    """Return the parameters of a method, and what it is as the line to stand with them."""
    rows: list[tuple[str, ...]] = [(one.name, one.default, one.meaning) for one in documentation.parameters(name)]
    return Listing(["parameter", "default", "meaning"], rows, documentation.text(name))


def list_datasets() -> Listing:
    """Return name, group, size and description of every dataset."""
    rows: list[tuple[str, ...]] = []
    for name in datasets.names():
        info = datasets.make(name).info
        size = f"{info.n_rows} × {info.n_numeric + info.n_categorical}"
        rows.append((name, info.group, size, str(len(info.classes)), info.description))
    return Listing(["dataset", "group", "rows × columns", "classes", "description"], rows)


def list_classifiers() -> Listing:
    """Return name and description of every classifier."""
    return Listing(["classifier", "description"], [(name, classifiers.describe(name)) for name in classifiers.names()])


def list_metrics() -> Listing:
    """Return name, better direction and description of every metric."""
    rows: list[tuple[str, ...]] = [(name, one.better, one.description) for name, one in metrics.METRICS.items()]
    of_rows = [name for name, one in metrics.METRICS.items() if one.of_rows]
    note = (
        f"{of_rows[0]} to {of_rows[-1]} describe the rows that augmenters add: the page and 'bench export' show them, "
        "the leaderboard is not ordered by them, since the baseline adds no row. Below macro_f1 every metric is also "
        "there with '_tuned' where the decision was tuned."
    )
    return Listing(["metric", "better", "description"], rows, note)


def list_suites() -> Listing:
    """Return name and description of every built-in suite."""
    return Listing(["suite", "description"], [(name, load_suite(name).description) for name in builtin_suites()])


LISTINGS: dict[str, Callable[[], Listing]] = {
    "methods": list_methods,
    "datasets": list_datasets,
    "classifiers": list_classifiers,
    "suites": list_suites,
    "metrics": list_metrics,
}
