"""A page for each data set: facts, findings, every method with the interval that fits it, accuracy of each class."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

from ..details import DatasetDetail
from ..figures import Scale
from .base import Page, Site


def pages(site: Site) -> Iterator[Page]:
    """Yield the overview of the data sets and a page for each."""
    sets = {name: _dataset(detail) for name, detail in site.details.items()}
    yield Page(
        path="datasets.html", template="datasets.html", title="Data sets", nav="Data sets", values={"datasets": sets}
    )
    for name, one in sets.items():
        yield Page(path=site.dataset_paths[name], template="dataset.html", title=name, values={"set": one})


def _dataset(detail: DatasetDetail) -> dict[str, Any]:
    """Return the details of a data set with its bars."""
    table = detail.table
    scale = Scale.over([*table["low"], *table["high"], *table["delta"]])
    rows = []
    for row in table.to_dict("records"):
        bar = scale.bar(row["delta"], row["low"], row["high"])
        rows.append({"row": row, "bar": bar, "recalls": [row[name] for name in detail.recalls]})
    names = [_class_name(detail.classes, name) for name in detail.recalls]
    grave = dict.fromkeys(one["words"] for one in detail.findings if one["severity"] != "note")
    return {
        "detail": detail,
        "mark": ", ".join(grave),
        "rows": rows,
        "zero": scale.x(0),
        "classes": names,
        "facts": _facts(detail),
    }


def _class_name(classes: list[str], column: str) -> str:
    number = int(column.removeprefix("recall_"))
    return classes[number] if number < len(classes) else f"class {number}"


def _facts(detail: DatasetDetail) -> str:
    """Return what is known of a data set in one line."""
    facts = detail.facts
    parts = [str(facts["group"])] if facts["group"] else []
    for name, word in (("n_rows", "rows"), ("n_features", "features")):
        if facts[name] is not None and not pd.isna(facts[name]):  # type: ignore[call-overload]
            parts.append(f"{int(facts[name]):,} {word}")  # type: ignore[call-overload]
    if detail.recalls:
        parts.append(f"{len(detail.recalls)} classes")
    parts += [
        f"{facts[name]} {word}"
        for name, word in (("n_train", "to train on"), ("n_test", "to test on"))
        if name in facts
    ]
    return " · ".join(parts)
