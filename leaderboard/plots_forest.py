"""Forests: a difference with its interval on each line, of all methods or of one method on each data set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from . import format as text
from .comparison import Comparison
from .figures import Scale
from .plots import DOWN, INK, LINE, MUTED, OPEN, UP, WIDTH, style
from .results import higher_is_better

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_COLOURS = {"up": UP, "down": DOWN, "open": OPEN}
#: letters of a name that fit beside a figure
_LETTERS = 26
#: inches: a line, and what stands below, above and at the right of them; a layout by trial takes as long as drawing
_LINE, _BELOW, _ABOVE, _RIGHT = 0.235, 0.45, 0.06, 0.12


def forest_figure(comparison: Comparison, width: float = WIDTH) -> Figure:
    """Draw every method's difference to the baseline with its 95 % interval, in the order of the leaderboard.

    Parameters
    ----------
    comparison : Comparison
        What is drawn; controls have open squares.
    width : float
        In inches.

    Returns
    -------
    matplotlib.figure.Figure
        As `forest`.
    """
    table = comparison.table[~comparison.table["is_baseline"] & comparison.table["delta"].notna()]
    unranked = table["mean_rank"].isna()
    rows = table.assign(name=table["method"] + np.where(unranked, " †", ""), muted=unranked)
    label = f"Δ {text.metric_name(comparison.metric)} to {short(comparison.baseline)}, points"
    if unranked.any():
        label += "\n† not on all data sets, or not in full: not ranked"
    return forest(rows.to_dict("records"), label, width=width, rising=higher_is_better(comparison.metric))


def forest(rows: Sequence[Mapping[Any, Any]], label: str, *, width: float = WIDTH, rising: bool = True) -> Figure:
    """Draw differences with their intervals, the first row at the top.

    Parameters
    ----------
    rows : sequence of mapping
        name, delta, low, high, in points, NaN where there is none; may have is_control (an open square) and muted.
    label : str
        What the axis says.
    width : float
        In inches.
    rising : bool
        False where less is better: blue is a gain, brown a loss.

    Returns
    -------
    matplotlib.figure.Figure
        Intervals that are far longer than the others are cut, with an arrow; a difference without one is an open
        circle.
    """
    from matplotlib.figure import Figure

    scale = Scale.over([one[key] for one in rows for key in ("low", "high", "delta")], rising)
    names = [short(str(one["name"])) for one in rows]
    height = _LINE * len(rows) + _BELOW + _ABOVE + 0.15 * (1 + label.count("\n"))
    left, bottom = 0.2 + 0.078 * max(map(len, names), default=0), _BELOW + 0.15 * label.count("\n")
    with style():
        figure = Figure(figsize=(width, height))
        axes = figure.add_axes(
            (left / width, bottom / height, 1 - (left + _RIGHT) / width, 1 - (bottom + _ABOVE) / height)
        )
        axes.axvline(0, color=MUTED, lw=0.9, zorder=0)
        for place, one in enumerate(rows):
            _interval(axes, place, one, scale)
        axes.set_yticks(range(len(rows)), names)
        for tick, one in zip(axes.get_yticklabels(), rows, strict=True):
            tick.set_color(MUTED if one.get("muted") else INK)
        axes.set_ylim(len(rows) - 0.4, -0.6)
        room = 0.03 * (scale.high - scale.low)
        axes.set_xlim(scale.low - room, scale.high + room)
        axes.grid(axis="x", color=LINE, lw=0.7)
        axes.set_axisbelow(True)
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        axes.set_xlabel(label)
        axes.xaxis.set_major_formatter(number)
    return figure


def _interval(axes: Any, place: int, one: Mapping[Any, Any], scale: Scale) -> None:
    """Draw one line of a forest."""
    bar = scale.bar(one["delta"], one["low"], one["high"])
    colour = _COLOURS[bar.shape] if bar else OPEN
    if bar:
        low, high = max(one["low"], scale.low), min(one["high"], scale.high)
        axes.plot([low, high], [place, place], color=colour, lw=1.8, solid_capstyle="round")
        for edge, end, marker in ((low, one["low"], "<"), (high, one["high"], ">")):
            if abs(edge - end) > 1e-9:
                axes.plot(edge, place, marker, color=colour, ms=5)
    is_control = bool(one.get("is_control"))
    face = ("white" if bar else "none") if is_control or not bar else colour
    delta = min(max(one["delta"], scale.low), scale.high)
    axes.plot(delta, place, "s" if is_control else "o", ms=4.8, mfc=face, mec=colour, mew=1.2)


def short(name: str, letters: int = _LETTERS) -> str:
    """Return a name cut to a length."""
    return name if len(name) <= letters else f"{name[: letters - 1]}…"


def number(value: float, _: object = None) -> str:
    """Write a number of an axis as the tables do."""
    return f"{value:g}".replace("-", text.MINUS)
