"""Two methods side by side: the script computes any pair; without it every method stands against the baseline."""

from __future__ import annotations

from collections.abc import Iterator

from .base import Page, Site
from .columns import columns
from .index import board, filters

#: What the table without a script shows of each method.
_SHOWN = ("method", "delta", "interval", "wtl", "p_baseline_holm")
#: What may be chosen beside the two methods.
_CHOICES = ("group", "scenario", "classifier", "metric")


def pages(site: Site) -> Iterator[Page]:
    """Yield the page; none where there is no second method."""
    main = site.main
    if len(main.table) < 2:
        return
    others = [str(name) for name in main.table["method"] if name != main.baseline]
    yield Page(
        path="compare.html",
        template="compare.html",
        title="Compare two methods",
        nav="Compare",
        values={
            "board": board(main),
            "columns": [column for column in columns(main) if column.key in _SHOWN],
            "filters": {name: pairs for name, pairs in filters(site).items() if name in _CHOICES},
            "methods": sorted([main.baseline, *others]),
            # the best that is no control
            "first": next((name for name in others if name not in site.controls), others[0]),
        },
    )
