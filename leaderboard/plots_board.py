"""Figures of the leaderboard itself: the forest of all methods, the heat matrix of methods and data sets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from . import format as text
from .comparison import Comparison
from .figures import Scale, full_heat
from .plots import DOWN, INK, LINE, MUTED, OPEN, UP, WIDTH, new_figure, style
from .results import higher_is_better

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: what a heat cell says where it has no number
SHORT = {"failed": "failed", "not applicable": "n/a", "not run": "not run"}
#: cells have numbers up to so many data sets, and a font that fits
MOST_NUMBERS = 24


def forest_figure(comparison: Comparison, width: float = WIDTH) -> Figure:
    """Draw every method's difference to the baseline with its 95 % interval, in the order of the leaderboard.

    Parameters
    ----------
    comparison : Comparison
        What is drawn.
    width : float
        In inches.

    Returns
    -------
    matplotlib.figure.Figure
        One line per method; controls have open squares. An interval that leaves the scale ends in an arrow.
    """
    table = comparison.table[~comparison.table["is_baseline"] & comparison.table["delta"].notna()]
    scale = Scale.over([*table["low"], *table["high"], *table["delta"]])
    with style():
        figure = new_figure(0.2 * len(table) + 0.9, width)
        axes = figure.add_subplot()
        axes.axvline(0, color=MUTED, lw=0.9, zorder=1)
        for place, row in enumerate(table.to_dict("records")):
            _interval(axes, place, row, scale, comparison)
        unranked = table["mean_rank"].isna().tolist()
        names = [f"{name} †" if one else str(name) for name, one in zip(table["method"], unranked, strict=True)]
        axes.set_yticks(range(len(table)), names)
        for label, one in zip(axes.get_yticklabels(), unranked, strict=True):
            label.set_color(MUTED if one else INK)
        axes.tick_params(axis="y", length=0)
        axes.set_ylim(len(table) - 0.4, -0.6)
        room = 0.03 * (scale.high - scale.low)
        axes.set_xlim(scale.low - room, scale.high + room)
        axes.grid(axis="x", lw=0.6)
        axes.set_axisbelow(True)
        axes.spines["left"].set_visible(False)
        note = "\n† not on all data sets, or not in full: not ranked" if any(unranked) else ""
        what = f"Δ {text.metric_name(comparison.metric)} to {comparison.baseline}, points"
        axes.set_xlabel(what + note)
    return figure


def _interval(axes: Axes, place: int, row: dict, scale: Scale, comparison: Comparison) -> None:
    """Draw one line of the forest."""
    better = 1 if higher_is_better(comparison.metric) else -1
    ends = sorted((better * row["low"], better * row["high"]))
    colour = UP if ends[0] > 0 else DOWN if ends[1] < 0 else OPEN
    low, high = max(row["low"], scale.low), min(row["high"], scale.high)
    if np.isfinite(low) and np.isfinite(high):
        axes.plot([low, high], [place, place], color=colour, lw=1.8, zorder=2, solid_capstyle="butt")
        for end, cut, marker in ((low, row["low"] < scale.low, "<"), (high, row["high"] > scale.high, ">")):
            if cut:
                axes.plot(end, place, marker=marker, color=colour, ms=5, zorder=2)
    marker, face = ("s", "white") if row["is_control"] else ("o", colour)
    delta = min(max(row["delta"], scale.low), scale.high)
    axes.plot(delta, place, marker=marker, ms=5, mfc=face, mec=colour, mew=1.2, zorder=3)


def heat_figure(comparison: Comparison, width: float = WIDTH) -> Figure | None:
    """Draw the differences of every method on every data set, blue for better and brown for worse.

    Parameters
    ----------
    comparison : Comparison
        What is drawn.
    width : float
        In inches; more data sets than fit make it wider.

    Returns
    -------
    matplotlib.figure.Figure or None
        None where the baseline alone was run. The best cell of each data set is bold.
    """
    import seaborn as sns
    from matplotlib.colors import LinearSegmentedColormap

    deltas = comparison.deltas.drop(index=comparison.baseline)
    if deltas.empty:
        return None
    sign = 1 if higher_is_better(comparison.metric) else -1
    full = full_heat(deltas.to_numpy().ravel())
    with style():
        width = max(width, 1.6 + 0.42 * deltas.shape[1])
        figure = new_figure(0.22 * len(deltas) + 1.5, width)
        axes = figure.add_subplot()
        colours = LinearSegmentedColormap.from_list("augbench", [DOWN, "#ffffff", UP])
        sns.heatmap(
            sign * deltas.astype(float),
            ax=axes, cmap=colours, center=0, vmin=-full, vmax=full, linewidths=0.6, linecolor="white",
            cbar_kws={"label": "Δ, points", "shrink": 0.7, "aspect": 30}, xticklabels=True, yticklabels=True,
        )  # fmt: skip
        bar = axes.collections[0].colorbar
        if sign < 0 and bar is not None:
            bar.ax.invert_yaxis()
            bar.ax.yaxis.set_major_formatter(lambda value, _: text.signed(-value, 1))
        if deltas.shape[1] <= MOST_NUMBERS:
            _cell_texts(axes, comparison, sign, full)
        for label in [*axes.get_xticklabels(), *axes.get_yticklabels()]:
            label.set_color(INK)
        for label in axes.get_xticklabels():
            label.set(rotation=35, ha="right", rotation_mode="anchor")
        axes.tick_params(length=0)
        axes.set(xlabel="", ylabel="")
        axes.set_facecolor(LINE)
    return figure


def _cell_texts(axes: Axes, comparison: Comparison, sign: int, full: float) -> None:
    """Write the number of each cell, or why it has none."""
    deltas = comparison.deltas.drop(index=comparison.baseline)
    gains = sign * deltas.to_numpy(dtype=float)
    best = np.nanmax(np.where(np.isnan(gains), -np.inf, gains).round(4), axis=0)
    for i, method in enumerate(deltas.index):
        for j, dataset in enumerate(deltas.columns):
            state = str(comparison.states.at[method, dataset])
            words = SHORT.get(state) or text.signed(sign * float(gains[i, j]), 1)
            top = state not in SHORT and best[j] > 0 and round(float(gains[i, j]), 4) == best[j]
            strong = abs(gains[i, j]) > 0.85 * full
            axes.text(
                j + 0.5, i + 0.5, words, ha="center", va="center", fontsize=7.5,
                color="white" if strong else INK, weight="bold" if top else "normal",
            )  # fmt: skip
