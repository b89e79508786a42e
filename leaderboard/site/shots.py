"""Few-shot curves: what the number of real and of generated rows does to the metric and to the gain."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..curves import AXES, Curves, curves_of, drawn_methods
from ..plots import inline_svg
from ..plots_curves import gain_figure, score_figure
from .base import HALF_WIDTH, Page, Site

#: What a value is called in the head of a table.
UNITS = {"shots": "{} shots", "generate": "{} generated", "amount": "{}", "count": "{} rows", "keep": "{} kept"}
#: What a curve is called in a heading.
HEADINGS = {
    "shots": "More real rows",
    "generate": "More generated rows",
    "amount": "More generated rows",
    "count": "More rows of the reduced class",
    "keep": "More rows of the reduced class",
}


def pages(site: Site) -> Iterator[Page]:
    """Yield the page, where a run has more than one number of shots or amount."""
    found = curves_of(site.results, site.main)
    if found:
        yield Page(
            path="shots.html",
            template="shots.html",
            title="Shots and amounts",
            nav="Shots and amounts",
            values={"curves": [_curve(site, one, number) for number, one in enumerate(found, 1)]},
        )


def _curve(site: Site, curves: Curves, number: int) -> dict[str, Any]:
    """Return a curve with its figures and its rows."""
    drawn = drawn_methods(curves, site.main)
    gains, what = gain_figure(curves, site.main, HALF_WIDTH), AXES[curves.axis]
    heading = HEADINGS[curves.axis] + (f": {curves.fixed}" if curves.fixed else "")
    return {
        "id": f"curve-{number}",
        "heading": heading,
        "axis": what,
        "labels": [UNITS[curves.axis].format(label) for label in curves.labels],
        "n_datasets": len(curves.datasets),
        "left_out": curves.left_out,
        "drawn": drawn,
        "scores": inline_svg(
            score_figure(curves, site.main, HALF_WIDTH),
            f"Lines of {', '.join(drawn)} against {what}; the numbers are in the table",
            f"score-{number}",
        ),
        "gains": gains
        and inline_svg(gains, f"Gain with interval against {what}; the numbers are in the table", f"gain-{number}"),
        "rows": _rows(curves),
    }


def _rows(curves: Curves) -> list[dict[str, Any]]:
    """Return one row per method with a cell for each value."""
    rows = []
    for method, own in curves.table.groupby("method", sort=False):
        by_label = {str(one["label"]): one for one in own.to_dict("records")}
        rows.append({"method": str(method), "cells": [by_label.get(label) for label in curves.labels]})
    return rows
