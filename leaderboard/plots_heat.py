"""The heat matrix of methods and data sets as a figure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from . import format as text
from .comparison import Comparison
from .figures import full_heat
from .plots import DOWN, INK, LINE, UP, WIDTH, new_figure, style
from .results import higher_is_better

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: what a heat cell says where it has no number
SHORT = {"failed": "failed", "not applicable": "n/a", "not run": "not run"}
#: cells have numbers up to so many data sets, and a font that fits
MOST_NUMBERS = 24


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
