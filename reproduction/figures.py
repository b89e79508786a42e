"""Published differences over ours: a panel for each method."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

import numpy as np

from ..leaderboard.plots import DOWN, INK, MUTED, UP, WIDTH, new_figure, style
from .claims import Finding

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: panels in a row
COLUMNS = 3
#: fewer rows are no curve
FEWEST_ROWS = 3


def gains_figure(findings: list[Finding], width: float = 1.7 * WIDTH) -> Figure | None:
    """Draw the differences of a published table over its rows, ours with intervals, the published ones as circles.

    Parameters
    ----------
    findings : list of Finding
        Of one table.
    width : float
        In inches.

    Returns
    -------
    matplotlib.figure.Figure or None
        None where too few rows were run.
    """
    known = [one for one in findings if not np.isnan(one.ours.mean)]
    rows = list(dict.fromkeys(one.row for one in known))
    columns = list(dict.fromkeys(one.column for one in known))
    if len(rows) < FEWEST_ROWS:
        return None
    # numbers of rows per class are drawn as such; other rows stand side by side
    numbers = [re.match(r"(\d+) ", row) for row in rows]
    numeric = all(numbers) and len({found[1] for found in numbers if found}) == len(rows)
    place = {
        row: float(found[1]) if numeric and found else float(i)
        for i, (row, found) in enumerate(zip(rows, numbers, strict=True))
    }
    across = min(COLUMNS, len(columns))
    lines = math.ceil(len(columns) / across)
    with style():
        figure = new_figure((2.1 if numeric else 3.1) * lines + 0.3, width)
        grid = figure.subplots(lines, across, sharex=True, sharey=True, squeeze=False)
        for i, axes in enumerate(grid.flat):
            if i >= len(columns):
                axes.set_visible(False)
                continue
            own = [one for one in known if one.column == columns[i]]
            x = np.array([place[one.row] for one in own])
            mean, low, high = (np.array([getattr(one.ours, key) for one in own]) for key in ("mean", "low", "high"))
            axes.axhline(0, color=MUTED, lw=0.9)
            axes.errorbar(x, mean, [mean - low, high - mean], color=UP, fmt="o", ms=3.5, lw=1.4, label="ours")
            axes.plot(
                x, [one.published for one in own], color=DOWN, marker="o", mfc="none", ls="", ms=5, label="published"
            )
            axes.set_title(columns[i], fontsize=9, loc="left", color=INK)
            axes.grid(axis="y", lw=0.6)
            axes.set_axisbelow(True)
            if numeric:
                axes.set_xscale("log")
                axes.set_xticks(list(place.values())[:: max(1, len(place) // 5)], minor=False)
                axes.xaxis.set_major_formatter("{x:g}")
                axes.minorticks_off()
            else:
                axes.set_xticks(
                    list(place.values()), [row.replace(", ", " ") for row in rows], rotation=60, ha="right", fontsize=7
                )
        figure.supylabel("Δ in points", fontsize=9, color=MUTED)
        if numeric:
            figure.supxlabel(re.sub(r"^\d+ ", "", rows[0]), fontsize=9, color=MUTED)
        figure.legend(
            *grid.flat[0].get_legend_handles_labels(), loc="outside upper right", ncols=2, frameon=False, fontsize=9
        )
    return figure
