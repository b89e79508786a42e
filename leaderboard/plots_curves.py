"""Figures of few-shot curves: the metric with a line for each method, and gains with a panel for each."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pandas as pd

from . import format as text
from .comparison import Comparison
from .curves import AXES, Curves, drawn_methods
from .plots import INK, MARKERS, MUTED, OPEN, SERIES, WIDTH, new_figure, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: panels in a row
COLUMNS = 3


def score_figure(curves: Curves, comparison: Comparison, width: float = WIDTH) -> Figure:
    """Draw the mean score of every drawn method, each line with its name at its end.

    Parameters
    ----------
    curves : Curves
        What is drawn.
    comparison : Comparison
        Gives the methods and the name of the metric.
    width : float
        In inches.

    Returns
    -------
    matplotlib.figure.Figure
        One panel.
    """
    with style():
        figure = new_figure(0.66 * width, width)
        axes = figure.add_subplot()
        names = drawn_methods(curves, comparison)
        looks = _looks(names, comparison)
        ends = []
        for name in names:
            rows = curves.table[curves.table["method"] == name]
            colour, marker, dashes = looks[name]
            axes.plot(rows["position"], rows["score"], color=colour, marker=marker, ms=4, lw=1.6, dashes=dashes)
            ends.append((float(rows["score"].iloc[-1]), name, colour))
        _x_axis(axes, curves)
        axes.set_xlabel(AXES[curves.axis])
        axes.set_ylabel(f"{text.metric_name(comparison.metric)}, percent")
        axes.grid(axis="y", lw=0.6)
        axes.set_axisbelow(True)
        _name_ends(axes, ends, curves.positions[-1], 0.66 * width)
    return figure


def gain_figure(curves: Curves, comparison: Comparison, width: float = WIDTH) -> Figure | None:
    """Draw the difference to the baseline with its interval, a panel for each drawn method.

    Parameters
    ----------
    curves, comparison, width
        As in `score_figure`.

    Returns
    -------
    matplotlib.figure.Figure or None
        None where the baseline alone is drawn.
    """
    names = [name for name in drawn_methods(curves, comparison) if name != comparison.baseline]
    if not names:
        return None
    columns = min(COLUMNS, len(names))
    lines = math.ceil(len(names) / columns)
    looks = _looks(drawn_methods(curves, comparison), comparison)
    with style():
        figure = new_figure(0.2 * width * lines + 0.36, width)
        grid = figure.subplots(lines, COLUMNS, sharex=True, sharey=True, squeeze=False)
        for place, axes in enumerate(grid.flat):
            if place >= len(names):
                axes.set_visible(False)
                continue
            colour, marker, _ = looks[names[place]]
            rows = curves.table[curves.table["method"] == names[place]]
            axes.axhline(0, color=MUTED, lw=0.9)
            axes.fill_between(rows["position"], rows["low"], rows["high"], color=colour, alpha=0.2, lw=0)
            axes.plot(rows["position"], rows["delta"], color=colour, marker=marker, ms=3.5, lw=1.6)
            axes.set_title(shortened(names[place]), fontsize=9, loc="left", color=INK)
            axes.grid(axis="y", lw=0.6)
            axes.set_axisbelow(True)
            _x_axis(axes, curves)
            # the panel below it may be missing
            axes.tick_params(labelbottom=place + COLUMNS >= len(names))
        grid[0, 0].set_ylim(*_limits(curves.table[curves.table["method"].isin(names)]))
        figure.supxlabel(AXES[curves.axis], fontsize=9, color=MUTED)
        figure.supylabel("Δ in points", fontsize=9, color=MUTED)
    return figure


def _limits(rows: pd.DataFrame) -> tuple[float, float]:
    """Return the ends of the axis of gains: all points and 0; a wild interval is cut, not allowed to squeeze."""
    deltas = [0.0, *rows["delta"].dropna()]
    reach = max(1.0, max(deltas) - min(deltas))
    bottom = max(min([*rows["low"].dropna(), *deltas]), min(deltas) - reach)
    top = min(max([*rows["high"].dropna(), *deltas]), max(deltas) + reach)
    room = 0.05 * max(top - bottom, 0.1)
    return bottom - room, top + room


def _looks(names: list[str], comparison: Comparison) -> dict[str, tuple[str, str, tuple[float, float]]]:
    """Return colour, marker and dashes of each method; the references are grey and dashed."""
    solid, dashed = (1.0, 0.0), (4.0, 2.0)
    looks = {comparison.baseline: (INK, ".", dashed)}
    if comparison.reference:
        looks[comparison.reference] = (OPEN, "s", dashed)
    others = [name for name in names if name not in looks]
    for number, name in enumerate(others):
        looks[name] = (SERIES[number % len(SERIES)], MARKERS[number % len(MARKERS)], solid)
    return looks


def _x_axis(axes: Axes, curves: Curves) -> None:
    """Put a tick at each value and nowhere else: numbers on a logarithmic axis, words at equal distances."""
    if curves.is_numeric:
        axes.set_xscale("log")
    axes.set_xticks(curves.positions, curves.labels)
    axes.minorticks_off()
    low, high = curves.positions[0], curves.positions[-1]
    room = 0.06
    if curves.is_numeric:
        axes.set_xlim(low * (low / high) ** room, high * (high / low) ** room)
    else:
        axes.set_xlim(low - room * (high - low), high + room * (high - low))


def _name_ends(axes: Axes, ends: list[tuple[float, str, str]], x: float, height: float) -> None:
    """Write names at the ends of lines, moved apart where they would overlap."""
    low, high = axes.get_ylim()
    # a line of text in units of the axis; labels and title take the rest of the height
    line = 0.17 * (high - low) / (height - 0.65)
    ends = sorted((end for end in ends if not pd.isna(end[0])), key=lambda end: end[0])
    places = spread([value for value, *_ in ends], line, low, high)
    for (value, name, colour), place in zip(ends, places, strict=True):
        axes.annotate(
            shortened(name),
            xy=(x, value),
            xytext=(1.04, place),
            textcoords=axes.get_yaxis_transform(),
            va="center",
            color=MUTED if colour == OPEN else colour,
            annotation_clip=False,
            arrowprops={
                "arrowstyle": "-", "color": colour, "lw": 0.7, "relpos": (0, 0.5), "shrinkA": 1, "shrinkB": 5,
            },
        )  # fmt: skip


def shortened(name: str, most: int = 24) -> str:
    """Return a name that fits into a figure: a long one loses its middle.

    Examples
    --------
    >>> shortened("smote"), shortened("smote(k_neighbors=3,sampling=x)", 12)
    ('smote', 'smote…ing=x)')
    """
    if len(name) <= most:
        return name
    half = (most - 1) // 2
    return f"{name[:half]}…{name[len(name) - (most - 1 - half) :]}"


def spread(values: list[float], least: float, low: float = -math.inf, high: float = math.inf) -> list[float]:
    """Move sorted values apart until neighbours are at least so far from each other, each group around its mean.

    Groups stay between `low` and `high` where there is room for them.

    Examples
    --------
    >>> spread([0.0, 1.0, 1.0, 5.0], 1.0)
    [0.0, 1.0, 2.0, 5.0]
    >>> spread([0.0, 9.0, 9.0], 1.0, 0.0, 9.0)
    [0.0, 8.0, 9.0]
    """

    def held(middle: float, n: int) -> float:
        half = least * (n - 1) / 2
        return max(min(middle, high - half), low + half)

    groups: list[tuple[float, int]] = []
    for value in values:
        groups.append((held(value, 1), 1))
        while len(groups) > 1:
            (first, n), (second, m) = groups[-2:]
            if second - first >= least * (n + m) / 2 - 1e-12:
                break
            groups[-2:] = [(held((n * first + m * second) / (n + m), n + m), n + m)]
    return [middle + least * (i - (n - 1) / 2) for middle, n in groups for i in range(n)]
