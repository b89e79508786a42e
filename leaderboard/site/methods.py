"""A page for each method: what it does, what it gives on each data set, what it costs, where it fails."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..figures import Scale
from .base import Page, Site
from .manifest import warnings_of


def pages(site: Site) -> Iterator[Page]:
    """Yield the overview of the methods and a page for each."""
    yield Page(path="methods.html", template="methods.html", title="Methods", nav="Methods", values={"rows": site.rows})
    warnings = warnings_of(site.results.run)
    for name, row in site.rows.items():
        yield Page(
            path=site.method_paths[name],
            template="method.html",
            title=name,
            values={"row": row, "sets": _per_dataset(site, name), "warnings": warnings.get(name, [])},
        )


def _per_dataset(site: Site, method: str) -> dict[str, Any]:
    """Return the method's difference on every data set, the worst first, with its bars."""
    found = []
    for name, detail in site.details.items():
        line = detail.table.set_index("method").loc[method].to_dict()
        found.append({"dataset": name, "test": detail.test, **line})
    found.sort(key=lambda one: (one["delta"] != one["delta"], one["delta"], one["dataset"]))
    scale = Scale.over([value for one in found for value in (one["low"], one["high"], one["delta"])])
    for one in found:
        one["bar"] = scale.bar(one["delta"], one["low"], one["high"])
    return {"rows": found, "zero": scale.x(0)}
