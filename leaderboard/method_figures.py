"""Figures of one method: its difference on every data set, its rows beside real ones, its training curves."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from . import format as text
from .figures import Scale
from .plots import CLASS_COLOURS, DOWN, INK, LINE, MUTED, OPEN, UP, new_figure, style
from .samples import Projection

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: inches: what fits beside a table on a page of 1280 pixels
WIDTH = 5.8
MARKERS = "os^Dv"
_COLOURS = {"up": UP, "down": DOWN, "open": OPEN}
#: generated rows farther out than this, as a share of the range of the real ones, are drawn at the edge
_ROOM = 0.75
#: letters of a name that fit beside a figure
_LETTERS = 26


def forest(rows: Sequence[Mapping[str, Any]], baseline: str, unit: str) -> Figure:
    """Draw the difference on every data set with its interval, the first row at the top.

    Parameters
    ----------
    rows : sequence of mapping
        dataset, delta, low, high, in points; NaN where there is none.
    baseline, unit : str
        What the difference is to, and of what it is.

    Returns
    -------
    matplotlib.figure.Figure
        Intervals that are far longer than the others are cut, with an arrow.
    """
    scale = Scale.over([one[key] for one in rows for key in ("low", "high", "delta")])
    low, high = scale.low, scale.high
    names = [_short(str(one["dataset"])) for one in rows]
    with style():
        axes = _axes(0.58 + 0.235 * len(rows), left=0.2 + 0.078 * max(map(len, names)))
        for shape, colour in _COLOURS.items():
            places = [(y, one) for y, one in enumerate(rows) if _shape(one) == shape]
            at = [y for y, _ in places]
            ends = np.array([(one["low"], one["high"]) for _, one in places]).reshape(-1, 2)
            axes.hlines(at, *ends.clip(low, high).T, color=colour, linewidth=1.8, capstyle="round")
            axes.plot([one["delta"] for _, one in places], at, "o", color=colour, markersize=4.5)
            for cut, edge, marker in ((ends[:, 0] < low - 1e-9, low, "<"), (ends[:, 1] > high + 1e-9, high, ">")):
                axes.plot(np.full(cut.sum(), edge), np.array(at)[cut], marker, color=colour, markersize=5)
        bare = [(one["delta"], y) for y, one in enumerate(rows) if not _shape(one)]
        axes.plot(*np.array(bare).reshape(-1, 2).clip([low, 0], [high, len(rows)]).T, "o", color=OPEN, markersize=4.5,
                  markerfacecolor="none")  # fmt: skip
        axes.axvline(0, color=MUTED, linewidth=0.9, zorder=0)
        axes.set_yticks(range(len(rows)), names, color=INK)
        axes.set_ylim(len(rows) - 0.4, -0.6)
        axes.set_xlim(low - 0.03 * (high - low), high + 0.03 * (high - low))
        axes.grid(axis="x", color=LINE, linewidth=0.7)
        axes.set_axisbelow(True)
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        axes.set_xlabel(f"Δ {unit} to {_short(baseline)}, points")
        axes.xaxis.set_major_formatter(_number)
    return axes.get_figure(root=True)


def _shape(one: Mapping[str, Any]) -> str:
    """Return on which side of 0 an interval lies; nothing where there is none."""
    if np.isnan(one["low"]) or np.isnan(one["high"]):
        return ""
    return "up" if one["low"] > 0 else "down" if one["high"] < 0 else "open"


def _axes(height: float, left: float) -> Axes:
    """Return the axes of a figure with fixed margins, in inches: laying it out by trial takes as long as drawing it."""
    from matplotlib.figure import Figure

    bottom, top, right = 0.45, 0.06, 0.12
    box = (left / WIDTH, bottom / height, 1 - (left + right) / WIDTH, 1 - (bottom + top) / height)
    return Figure(figsize=(WIDTH, height)).add_axes(box)


def planes(
    panels: Sequence[tuple[str, Projection]],
    labels: Sequence[tuple[np.ndarray, np.ndarray]],
    names: Sequence[Sequence[str]],
) -> Figure:
    """Draw real rows at the left and generated ones at the right, on the same axes, a line for each data set.

    Parameters
    ----------
    panels : sequence of (str, Projection)
        The title of a line, and its rows.
    labels : sequence of (numpy.ndarray, numpy.ndarray)
        Class codes of the real and of the generated rows, in the order of the panels.
    names : sequence of sequence of str
        The classes of each data set by code.

    Returns
    -------
    matplotlib.figure.Figure
        The figure.
    """
    with style():
        figure = new_figure(2.95 * len(panels), 8.6)
        grid = figure.subplots(len(panels), 2, squeeze=False)
        for pair, (title, plane), codes, classes in zip(grid, panels, labels, names, strict=True):
            order = [code for code, _ in zip(_rarest_first(codes[0]), MARKERS, strict=False)]
            low, high = plane.real.min(axis=0), plane.real.max(axis=0)
            room = _ROOM * np.where(high > low, high - low, 1.0)
            low, high = low - room, high + room
            for axes, points, own, what in zip(
                pair, (plane.real, plane.new), codes, ("real", "generated"), strict=True
            ):
                shown = np.clip(points, low, high)
                for place, code in enumerate(order):
                    chosen = shown[own == code]
                    label = _short(classes[code] if code < len(classes) else f"class {code}", 20)
                    axes.plot(
                        chosen[:, 0], chosen[:, 1], MARKERS[place], color=CLASS_COLOURS[place], markersize=4,
                        alpha=0.8, markeredgewidth=0, label=label, clip_on=False,
                    )  # fmt: skip
                outside = int((shown != points).any(axis=1).sum())
                more = f", {outside} at the edge lie outside" if outside else ""
                axes.set_title(f"{_short(title, 24)}: {len(points)} {what}{more}", fontsize=9, color=INK, loc="left")
                axes.set_xlim(low[0], high[0])
                axes.set_ylim(low[1], high[1])
                axes.set_xlabel(f"PC 1 ({100 * plane.shares[0]:.0f} %)")
                axes.xaxis.set_major_formatter(_number)
                axes.yaxis.set_major_formatter(_number)
            pair[0].set_ylabel(f"PC 2 ({100 * plane.shares[1]:.0f} %)")
            handles, found = pair[0].get_legend_handles_labels()
            pair[1].legend(
                handles, found, loc="center left", bbox_to_anchor=(1.01, 0.5), frameon=False, labelcolor=INK,
                handletextpad=0.2, borderaxespad=0.2,
            )  # fmt: skip
    return figure


def curves(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw the parts of the loss over the steps, a panel for each data set.

    Parameters
    ----------
    tables : mapping of str to pandas.DataFrame
        By data set: indexed by step, a column for each part of the loss.

    Returns
    -------
    matplotlib.figure.Figure
        The figure; up to five parts.
    """
    parts = list(dict.fromkeys(str(name) for table in tables.values() for name in table.columns))
    parts = parts[: len(CLASS_COLOURS)]
    dashes = ("-", "--", "-.", ":", (0, (6, 1, 1, 1, 1, 1)))
    with style():
        columns = min(3, len(tables))
        lines = -(-len(tables) // columns)
        figure = new_figure(2.3 * lines + 0.4, 8.6 if columns > 1 else WIDTH)
        grid = figure.subplots(lines, columns, squeeze=False).ravel()
        for axes, (name, table) in zip(grid, tables.items(), strict=False):
            for place, part in enumerate(parts):
                if part in table.columns:
                    axes.plot(table.index, table[part], color=CLASS_COLOURS[place], linestyle=dashes[place],
                              linewidth=1.4, label=part)  # fmt: skip
            axes.set_title(_short(name), fontsize=9, color=INK, loc="left")
            axes.set_xlabel("step")
            axes.grid(color=LINE, linewidth=0.6)
            axes.xaxis.set_major_formatter(_number)
            axes.yaxis.set_major_formatter(_number)
        for axes in grid[len(tables) :]:
            axes.set_visible(False)
        grid[0].set_ylabel("part of the loss")
        found: dict[str, Any] = {}
        for axes in grid:
            found |= dict(zip(*reversed(axes.get_legend_handles_labels()), strict=True))
        figure.legend(list(found.values()), list(found), loc="outside upper left", ncols=len(found), frameon=False,
                      labelcolor=INK)  # fmt: skip
    return figure


def picture(values: np.ndarray, low: float, high: float) -> str:
    """Return grey images as the address of a PNG that holds them: low is paper, high is ink, NaN is nothing."""
    from PIL import Image

    ink = np.clip((np.nan_to_num(values, nan=low) - low) / ((high - low) or 1.0), 0, 1)
    levels = np.stack([255 - np.round(255 * ink), np.where(np.isnan(values), 0, 255)], axis=-1).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(levels).save(buffer, "PNG", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def _rarest_first(codes: np.ndarray) -> list[int]:
    """Return the classes in the order in which they stand: the sample has the rarest first."""
    return list(dict.fromkeys(map(int, codes)))


def _short(name: str, letters: int = _LETTERS) -> str:
    """Return a name cut to a length, with nothing that matplotlib takes for mathematics."""
    return (name if len(name) <= letters else f"{name[: letters - 1]}…").replace("$", r"\$")


def _number(value: float, _: int | None = None) -> str:
    """Write a number of an axis as the tables do."""
    return f"{value:g}".replace("-", text.MINUS)
