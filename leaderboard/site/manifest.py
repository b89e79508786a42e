"""The manifest: what was run with what, and how to run it again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .base import Page, Site
from .index import run_line


def pages(site: Site) -> Iterator[Page]:
    """Yield the page."""
    run = site.results.run
    yield Page(
        path="manifest.html",
        template="manifest.html",
        title="Manifest",
        nav="Manifest",
        values={
            "run": run_line(site.results),
            "versions": sorted(dict(run.get("versions") or {}).items()),
            "command": str(run.get("command", "")),
            "warnings": warnings_of(run),
        },
    )


def warnings_of(run: Mapping[str, Any]) -> dict[str, list[tuple[int, str]]]:
    """Return for each method its warnings: (number of units, message)."""
    found: dict[str, list[tuple[int, str]]] = {}
    for one in run.get("warnings") or []:
        for method, units in one["methods"].items():
            found.setdefault(method, []).append((units, one["message"]))
    return found
