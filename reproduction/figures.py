"""Published figures over ours: a panel for each method, or for each metric."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..leaderboard.plots import DOWN, INK, MARKERS, MUTED, SERIES, UP, WIDTH, new_figure, style
from .claims import Finding
from .verdict import Ours

if TYPE_CHECKING:
    from matplotlib.axes import Axes
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
    known, rows, columns = _known(findings)
    if len(rows) < FEWEST_ROWS:
        return None
    numeric = _numbers(rows) is not None
    place = _numbers(rows) or {row: float(i) for i, row in enumerate(rows)}
    with style():
        figure, panels = _panels(columns, 2.1 if numeric else 3.1, width)
        for axes, column in panels:
            own = [one for one in known if one.column == column]
            x = np.array([place[one.row] for one in own])
            axes.axhline(0, color=MUTED, lw=0.9)
            _intervals(axes, x, [one.ours for one in own], label="ours", color=UP, fmt="o")
            _published(axes, x, [one.published for one in own])
            if numeric:
                _log_axis(axes, list(place.values()))
            else:
                axes.set_xticks(
                    list(place.values()), [row.replace(", ", " ") for row in rows], rotation=60, ha="right", fontsize=7
                )
        figure.supylabel("Δ in points", fontsize=9, color=MUTED)
        if numeric:
            figure.supxlabel(re.sub(r"^\d+ ", "", rows[0]), fontsize=9, color=MUTED)
        _legend(figure, panels[0][0])
    return figure


def levels_figure(findings: list[Finding], width: float = 1.7 * WIDTH) -> Figure | None:
    """Draw the levels of a published table over its numbers of rows: ours as lines, the published ones as circles.

    Parameters
    ----------
    findings : list of Finding
        Of one table.
    width : float
        In inches.

    Returns
    -------
    matplotlib.figure.Figure or None
        None where too few rows were run, or where rows are no numbers of rows.
    """
    known, rows, columns = _known(findings)
    place = _numbers(rows)
    if place is None or len(rows) < FEWEST_ROWS:
        return None
    with style():
        figure, panels = _panels(columns, 2.1, width)
        for axes, column in panels:
            own = [one for one in known if one.column == column]
            x = np.array([place[one.row] for one in own])
            axes.plot(x, [one.baseline.mean for one in own], color=MUTED, ls="--", lw=1.2, label="our baseline")
            axes.plot(
                x, [one.published_baseline for one in own], color=MUTED, marker="o", mfc="none", ls="", ms=4,
                label="published baseline",
            )  # fmt: skip
            _intervals(axes, x, [one.level for one in own], label="ours", color=UP, fmt="o-")
            _published(axes, x, [one.published_level for one in own])
            _log_axis(axes, list(place.values()))
        figure.supylabel("score in points", fontsize=9, color=MUTED)
        figure.supxlabel(re.sub(r"^\d+ ", "", rows[0]), fontsize=9, color=MUTED)
        _legend(figure, panels[0][0])
    return figure


def epochs_figure(
    lines: Mapping[str, Mapping[str, Sequence[tuple[float, Ours]]]], xlabel: str, width: float = 1.5 * WIDTH
) -> Figure:
    """Draw metrics over the length of training: a panel for each metric, a line with intervals for each method.

    Parameters
    ----------
    lines : mapping of str to mapping of str to sequence of (float, Ours)
        By title of the panel and name of the method: the length, and the figure there.
    xlabel : str
        What the length is.
    width : float
        In inches.

    Returns
    -------
    matplotlib.figure.Figure
        The figure.
    """
    with style():
        figure, panels = _panels(list(lines), 2.6, width, sharey=False)
        for axes, title in panels:
            for (name, points), colour, marker in zip(lines[title].items(), SERIES, MARKERS, strict=False):
                x = np.array([at for at, _ in points])
                _intervals(axes, x, [one for _, one in points], label=name, color=colour, fmt=f"{marker}-")
        figure.supxlabel(xlabel, fontsize=9, color=MUTED)
        _legend(figure, panels[0][0])
    return figure


def _known(findings: list[Finding]) -> tuple[list[Finding], list[str], list[str]]:
    """Return what was run, its rows and its columns."""
    known = [one for one in findings if not np.isnan(one.ours.mean)]
    return known, list(dict.fromkeys(one.row for one in known)), list(dict.fromkeys(one.column for one in known))


def _numbers(rows: list[str]) -> dict[str, float] | None:
    """Return the number that each row begins with, such as rows per class; None where rows are something else."""
    found = [re.match(r"(\d+) ", row) for row in rows]
    numbers = {row: float(one[1]) for row, one in zip(rows, found, strict=True) if one}
    return numbers if len(numbers) == len(rows) == len(set(numbers.values())) else None


def _panels(
    titles: list[str], height: float, width: float, *, sharey: bool = True
) -> tuple[Figure, list[tuple[Axes, str]]]:
    """Return a figure, and a panel for each title."""
    across = min(COLUMNS, len(titles))
    lines = math.ceil(len(titles) / across)
    figure = new_figure(height * lines + 0.3, width)
    flat = figure.subplots(lines, across, sharex=True, sharey=sharey, squeeze=False).ravel()
    for axes in flat[len(titles) :]:
        axes.set_visible(False)
    for axes, title in zip(flat, titles, strict=False):
        axes.set_title(title, fontsize=9, loc="left", color=INK)
        axes.grid(axis="y", lw=0.6)
        axes.set_axisbelow(True)
    return figure, list(zip(flat, titles, strict=False))


def _intervals(axes: Axes, x: np.ndarray, ours: list[Ours], *, label: str, color: str, fmt: str) -> None:
    mean, low, high = (np.array([getattr(one, key) for one in ours]) for key in ("mean", "low", "high"))
    axes.errorbar(x, mean, [mean - low, high - mean], color=color, fmt=fmt, ms=3.5, lw=1.4, label=label)


def _published(axes: Axes, x: np.ndarray, values: list[float]) -> None:
    axes.plot(x, values, color=DOWN, marker="o", mfc="none", ls="", ms=5, label="published")


def _log_axis(axes: Axes, values: list[float]) -> None:
    axes.set_xscale("log")
    axes.set_xticks(values[:: max(1, len(values) // 5)], minor=False)
    axes.xaxis.set_major_formatter("{x:g}")
    axes.minorticks_off()


def _legend(figure: Figure, axes: Axes) -> None:
    handles, names = axes.get_legend_handles_labels()
    figure.legend(handles, names, loc="outside upper right", ncols=len(names), frameon=False, fontsize=9)
