"""Cost and quality: what methods take, what they give, and how real their rows are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..comparison import Comparison
from ..fidelity import Fidelity, fidelity_table
from ..results import Results
from ..verdict import count_of
from .base import Page, Site


def pages(site: Site) -> Iterator[Page]:
    """Yield the page."""
    yield Page(
        path="cost.html",
        template="cost.html",
        title="Cost and quality",
        nav="Cost and quality",
        values={"fidelity": _fidelity(site.results, site.main)},
    )


def _fidelity(results: Results, main: Comparison) -> dict[str, Any] | None:
    """Return the table of how real generated rows are, written out; None where no row was generated."""
    found: Fidelity | None = fidelity_table(results, [str(name) for name in main.table["method"]])
    if found is None:
        return None
    controls = dict(zip(main.table["method"], main.table["is_control"], strict=True))
    rows = []
    for name in map(str, found.table.index):
        values, references = (table.T[name].to_dict() for table in (found.table, found.references))
        cells = [
            {
                "value": values[one.name],
                "shown": one.write(values[one.name]),
                "title": f"real rows on the same data sets: {one.write(references[one.name])}",
            }
            for one in found.measures
        ]
        n = int(found.n_datasets[name])
        scope = f"on {n} of {count_of(main.n_datasets, 'data set')}" if n < main.n_datasets else ""
        facts = {"mark": found.marks.get(name), "scope": scope, "control": bool(controls.get(name, False))}
        rows.append({"name": name, "cells": cells, **facts})
    return {"measures": found.measures, "real": rows[0], "rows": rows[1:]}
