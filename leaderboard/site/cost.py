"""Cost and quality: what methods take, what they give, which none beats in both, and how real their rows are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..comparison import Comparison
from ..fidelity import Fidelity, fidelity_table
from ..figures import Scale
from ..pareto import cost_table
from ..plots import inline_svg
from ..plots_cost import LEAST, cost_figure
from ..results import Results, higher_is_better
from ..verdict import count_of
from .base import FIGURE_WIDTH, Page, Site


def pages(site: Site) -> Iterator[Page]:
    """Yield the page."""
    yield Page(
        path="cost.html",
        template="cost.html",
        title="Cost and quality",
        nav="Cost and quality",
        values={"cost": _cost(site.main), "fidelity": _fidelity(site.results, site.main)},
    )


def _cost(main: Comparison) -> dict[str, Any] | None:
    """Return the scatter and its table; None where no cost is known."""
    figure = cost_figure(main, FIGURE_WIDTH)
    if figure is None:
        return None
    table = cost_table(main)
    scale = Scale.over([*table["low"], *table["high"], *table["delta"]])
    better = higher_is_better(main.metric)
    rows = []
    for row in table.to_dict("records"):
        bar = None if row["is_baseline"] else scale.bar(row["delta"], row["low"], row["high"], better)
        rows.append({str(key): value for key, value in row.items()} | {"bar": bar})
    front = [str(row["method"]) for row in rows if row["on_front"]]
    label = f"Difference to {main.baseline} against time per draw; on the front: {', '.join(front)}"
    return {
        "figure": inline_svg(figure, label, "cost"),
        "rows": rows,
        "zero": scale.x(0),
        "front": front,
        "left_out": [str(name) for name in main.table["method"] if name not in set(table["method"])],
        "least": LEAST,
    }


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
