"""Tests: what is told apart, by pairs, by ranks, and what the design could show at all."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from .. import format as text
from ..figures import BAR_MARGIN, BAR_WIDTH, full_heat, heat
from ..plots import inline_svg
from ..plots_ranks import critical_difference_figure
from ..separation import Separation
from ..statistics import smallest_reachable_p
from ..verdict import count_of
from .base import Page, Site

#: Inches that the diagram is wide.
DIAGRAM_WIDTH = 8.5
#: A matrix of more methods is left to the download.
MOST_IN_MATRIX = 40


def pages(site: Site) -> Iterator[Page]:
    """Yield the page; it says so where nothing is tested."""
    found = site.separation
    values: dict[str, Any] = {"found": found}
    if found:
        values |= {
            "lines": _lines(found),
            "matrix": _matrix(found),
            "most": MOST_IN_MATRIX,
            "ranks": _ranks(found),
            "diagram": _diagram(found),
            "test": "Wilcoxon's signed-rank test over data sets" if site.main.n_datasets > 1 else site.main.test,
        }
    yield Page(path="tests.html", template="tests.html", title="What the tests tell apart", nav="Tests", values=values)


def _lines(found: Separation) -> list[tuple[str, str]]:
    """Return what is told apart, and what could be, as pairs of a name and a sentence."""
    matrix = found.matrix
    pairs = count_of(matrix.n_pairs, "pair")
    lines = [
        (
            "Pairs",
            f"{matrix.n_separated} of {pairs} of methods are told apart (p ≤ .05, corrected by Holm over all pairs)."
            + _reachable(found),
        ),
        (
            "Adjacent ranks",
            f"{matrix.n_adjacent_separated} of {matrix.n_adjacent} methods differ from the next on the "
            "leaderboard. Where they do not, the data do not show which of the two is better.",
        ),
        ("Resolution", _resolution(found)),
    ]
    if found.n_failed:
        moved = found.ranks.loc[found.ranks["moved"], "method"].tolist()
        if moved:
            more = f" and {len(moved) - 6} more" if len(moved) > 6 else ""
            what = f"{found.n_moved} of {len(found.ranks)} would change places: {', '.join(moved[:6])}{more}."
        else:
            what = "the order would be the same."
        lines.append(
            (
                "Failures",
                f"{count_of(found.n_failed, 'failed draw')} of ranked methods count as ties with the baseline. If each "
                f"took the worst score of its draw, {what}",
            )
        )
    else:
        lines.append(("Failures", "No draw of a ranked method failed, so the order does not rest on how they count."))
    return lines


def _reachable(found: Separation) -> str:
    """Say what the smallest corrected p is, where it is too large to show anything."""
    matrix = found.matrix
    least = smallest_reachable_p(matrix.n_datasets) * matrix.n_pairs
    if matrix.n_datasets < 2 or least <= matrix.alpha:
        return ""
    return (
        f" None could be: the smallest p that {count_of(matrix.n_datasets, 'data set')} can give is "
        f"{text.p_value(min(1.0, least))} after the correction."
    )


def _resolution(found: Separation) -> str:
    """Say which differences this design tells apart, and which it did."""
    value, smallest = found.matrix.resolution, found.smallest
    if math.isnan(value):
        return "Unknown: no pair could be tested."
    if math.isinf(value):
        words = (
            f"So few data sets ({found.matrix.n_datasets}) cannot tell half of the pairs apart, however large the "
            "differences are."
        )
    else:
        words = f"Half of the pairs would be told apart from a difference of {value:.2g} points on."
    if math.isnan(smallest):
        return words
    return f"{words} The smallest difference that was told apart is {text.plain_number(smallest, 2)} points."


def _matrix(found: Separation) -> dict[str, Any]:
    """Return the win matrix, written out."""
    matrix = found.matrix
    names = matrix.methods[:MOST_IN_MATRIX]
    full = full_heat(matrix.delta.to_numpy().ravel())
    tables = (matrix.wins, matrix.ties, matrix.losses, matrix.delta, matrix.p_holm, matrix.separated)
    wins, ties, losses, delta, corrected, separated = (table.to_numpy() for table in tables)
    rows = []
    for i, name in enumerate(names):
        cells: list[dict[str, Any] | None] = []
        for j in range(len(names)):
            if i == j:
                cells.append(None)
                continue
            side, strength = heat(float(delta[i, j]), full)
            cells.append(
                {
                    "shown": f"{wins[i, j]}/{ties[i, j]}/{losses[i, j]}",
                    "p": text.p_value(float(corrected[i, j])),
                    "apart": bool(separated[i, j]),
                    "side": side,
                    "strength": strength,
                }
            )
        rows.append({"method": name, "cells": cells})
    return {"names": names, "rows": rows, "left": len(matrix.methods) - len(names)}


def _ranks(found: Separation) -> list[dict[str, Any]]:
    """Return the rows of the ranks, each with its bar on a scale from 1 to the number of methods."""
    k = len(found.ranks)

    def x(rank: float) -> float:
        return round(BAR_MARGIN + (rank - 1) / max(1, k - 1) * (BAR_WIDTH - 2 * BAR_MARGIN), 1)

    rows = []
    for row in found.ranks.to_dict("records"):
        known = math.isfinite(row["low"])
        bar = {"low": x(row["low"]), "high": x(row["high"]), "mean": x(row["mean_rank"])} if known else None
        rows.append({str(key): value for key, value in row.items()} | {"bar": bar})
    return rows


def _diagram(found: Separation) -> Any:
    """Return the critical-difference diagram as markup; None where there is none."""
    if found.diagram is None:
        return None
    ranks = ", ".join(
        f"{name} {rank:.2f}" for name, rank in zip(found.diagram.methods, found.diagram.ranks, strict=True)
    )
    label = f"Critical difference {found.diagram.critical_difference:.2f}; mean ranks: {ranks}"
    return inline_svg(critical_difference_figure(found.diagram, DIAGRAM_WIDTH), label, "cd")
