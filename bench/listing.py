"""What ``bench list`` shows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .. import datasets, methods
from . import classifiers, metrics
from .device import missing_requirement
from .plan import first_line
from .suite import builtin_suites, load_suite

Listing = tuple[list[str], list[tuple[str, ...]]]


def list_methods() -> Listing:
    """Return name, kind, role and description of every method, and last of the filter that any augmenter can have."""
    rows: list[tuple[str, ...]] = []
    for name in methods.names():
        cls: Any = methods.get(name)
        missing = missing_requirement(cls)
        description = f"({missing}) {first_line(cls)}" if missing else first_line(cls)
        rows.append((name, cls.kind, cls.role or cls.family, description))
    rows.append((f"NAME{methods.FILTER}", "augmenter", "filter", first_line(methods.get(f"smote{methods.FILTER}"))))
    return ["method", "kind", "role or family", "description"], rows


def list_datasets() -> Listing:
    """Return name, group, size and description of every dataset."""
    rows: list[tuple[str, ...]] = []
    for name in datasets.names():
        info = datasets.make(name).info
        size = f"{info.n_rows} × {info.n_numeric + info.n_categorical}"
        rows.append((name, info.group, size, str(len(info.classes)), info.description))
    return ["dataset", "group", "rows × columns", "classes", "description"], rows


def list_classifiers() -> Listing:
    """Return name and description of every classifier."""
    return ["classifier", "description"], [(name, classifiers.describe(name)) for name in classifiers.names()]


def list_metrics() -> Listing:
    """Return name and description of every metric."""
    return ["metric", "description"], [(name, metric.description) for name, metric in metrics.METRICS.items()]


def list_suites() -> Listing:
    """Return name and description of every built-in suite."""
    return ["suite", "description"], [(name, load_suite(name).description) for name in builtin_suites()]


LISTINGS: dict[str, Callable[[], Listing]] = {
    "methods": list_methods,
    "datasets": list_datasets,
    "classifiers": list_classifiers,
    "suites": list_suites,
    "metrics": list_metrics,
}
