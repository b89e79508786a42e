"""Figures of one method: its difference on every data set, its rows beside real ones, its training curves."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from . import format as text
from .figures import Scale
from .plots import CLASS_COLOURS, DOWN, INK, LINE, MUTED, OPEN, UP, style
from .samples import Projection

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: inches: what fits beside a table on a page of 1280 pixels
WIDTH = 5.8
MARKERS = "os^Dv"
_COLOURS = {"up": UP, "down": DOWN, "open": OPEN}
#: room around the real rows, as a share of their range: generated rows farther out are drawn at the edge
_ROOM = 0.4
#: letters of a name that fit beside a figure
_LETTERS = 26


def forest(rows: Sequence[Mapping[str, Any]], baseline: str, unit: str, higher_is_better: bool = True) -> Figure:
    """Draw the difference on every data set with its interval, the first row at the top.

    Parameters
    ----------
    rows : sequence of mapping
        dataset, delta, low, high, in points; NaN where there is none.
    baseline, unit : str
        What the difference is to, and of what it is.
    higher_is_better : bool
        Whether what lies above 0 is drawn as a gain, or as a loss.

    Returns
    -------
    matplotlib.figure.Figure
        Intervals that are far longer than the others are cut, with an arrow.
    """
    scale = Scale.over([one[key] for one in rows for key in ("low", "high", "delta")])
    low, high = scale.low, scale.high
    names = [_short(str(one["dataset"])) for one in rows]
    with style():
        figure, axes = _one_axes(0.58 + 0.235 * len(rows), left=0.2 + 0.078 * max(map(len, names)))
        for shape, colour in _COLOURS.items():
            places = [(y, one) for y, one in enumerate(rows) if _shape(one, higher_is_better) == shape]
            at = [y for y, _ in places]
            ends = np.array([(one["low"], one["high"]) for _, one in places]).reshape(-1, 2)
            axes.hlines(at, *ends.clip(low, high).T, color=colour, linewidth=1.8, capstyle="round")
            axes.plot([one["delta"] for _, one in places], at, "o", color=colour, markersize=4.5)
            for cut, edge, marker in ((ends[:, 0] < low - 1e-9, low, "<"), (ends[:, 1] > high + 1e-9, high, ">")):
                axes.plot(np.full(cut.sum(), edge), np.array(at)[cut], marker, color=colour, markersize=5)
        bare = [(one["delta"], y) for y, one in enumerate(rows) if not _shape(one, higher_is_better)]
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
    return figure


def _shape(one: Mapping[str, Any], higher_is_better: bool) -> str:
    """Return whether an interval lies on the side of a gain, of a loss, or on both; nothing where there is none."""
    if np.isnan(one["low"]) or np.isnan(one["high"]):
        return ""
    if one["low"] <= 0 <= one["high"]:
        return "open"
    return "up" if (one["low"] > 0) == higher_is_better else "down"


def _one_axes(height: float, left: float) -> tuple[Figure, Axes]:
    """Return a figure and its axes with fixed margins, in inches: a layout by trial takes as long as drawing."""
    from matplotlib.figure import Figure

    bottom, top, right = 0.45, 0.06, 0.12
    box = (left / WIDTH, bottom / height, 1 - (left + right) / WIDTH, 1 - (bottom + top) / height)
    figure = Figure(figsize=(WIDTH, height))
    return figure, figure.add_axes(box)


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
        figure, grid = _grid(len(panels), 2, size=(3.1, 2.5), gaps=(0.7, 1.15), right=1.5)
        for pair, (title, plane), codes, classes in zip(grid, panels, labels, names, strict=True):
            low, high = _view(plane.real)
            for axes, points, own, what in zip(
                pair, (plane.real, plane.new), codes, ("real", "generated"), strict=True
            ):
                shown = np.clip(points, low, high)
                for code, colour, marker in zip(_rarest_first(codes[0]), CLASS_COLOURS, MARKERS, strict=False):
                    chosen = shown[own == code]
                    label = _short(classes[code] if code < len(classes) else f"class {code}", 18)
                    axes.plot(*chosen.T, marker, color=colour, markersize=4, alpha=0.8, markeredgewidth=0, label=label,
                              clip_on=False)  # fmt: skip
                outside = int((shown != points).any(axis=1).sum())
                more = f", {outside} of them outside" if outside else ""
                axes.set_title(f"{len(points)} {what} rows{more}", fontsize=9, color=MUTED, loc="left")
                axes.set_xlim(low[0], high[0])
                axes.set_ylim(low[1], high[1])
                axes.set_xlabel(f"PC 1 ({100 * plane.shares[0]:.0f} %)")
                axes.locator_params(nbins=5)
                axes.xaxis.set_major_formatter(_number)
                axes.yaxis.set_major_formatter(_number)
            pair[1].tick_params(labelleft=False)
            pair[0].set_ylabel(f"PC 2 ({100 * plane.shares[1]:.0f} %)")
            pair[0].yaxis.set_label_coords(-0.16, 0.5)
            pair[0].text(
                0, 1.13, _short(title, 60), transform=pair[0].transAxes, color=INK, fontweight="bold", fontsize=9.5
            )
            handles, found = pair[0].get_legend_handles_labels()
            pair[1].legend(handles, found, loc="upper left", bbox_to_anchor=(1.02, 1.0), frameon=False, labelcolor=INK,
                           handletextpad=0.2, borderaxespad=0.0, title="class", alignment="left")  # fmt: skip
    return figure


def _view(real: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return what is shown: the range of the real rows, and room around it for others."""
    low, high = real.min(axis=0), real.max(axis=0)
    room = _ROOM * np.where(high > low, high - low, 1.0)
    return low - room, high + room


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
        columns = 2 if len(tables) in (2, 4) else min(3, len(tables))
        lines = -(-len(tables) // columns)
        figure, grid = _grid(lines, columns, size=(2.25, 1.6) if columns > 1 else (4.8, 2.0), gaps=(0.6, 0.75), top=0.6)
        flat = grid.ravel()
        found: dict[str, Any] = {}
        for axes, (name, table) in zip(flat, tables.items(), strict=False):
            for place, part in enumerate(parts):
                if part in table.columns:
                    (found[part],) = axes.plot(
                        table.index, table[part], color=CLASS_COLOURS[place], linestyle=dashes[place], linewidth=1.4
                    )
            axes.set_title(_short(name), fontsize=9, color=INK, loc="left")
            axes.set_xlabel("step")
            axes.grid(color=LINE, linewidth=0.6)
            axes.xaxis.set_major_formatter(_number)
            axes.yaxis.set_major_formatter(_number)
        for axes in flat[len(tables) :]:
            figure.delaxes(axes)
        figure.legend(list(found.values()), list(found), loc="upper left", ncols=len(found),
                      frameon=False, labelcolor=INK, borderaxespad=0.1)  # fmt: skip
    return figure


def _grid(
    lines: int, columns: int, size: tuple[float, float], gaps: tuple[float, float], top: float = 0.5, right: float = 0.1
) -> tuple[Figure, np.ndarray]:
    """Return a figure and its axes of a size, with gaps at the left of each column and below each line; all in inches.

    Laying a figure out by trial takes as long as drawing it, and a long title makes the trial fail.
    """
    from matplotlib.figure import Figure

    width = columns * (size[0] + gaps[0]) + right
    height = top + lines * (size[1] + gaps[1]) - (gaps[1] - 0.5)
    figure = Figure(figsize=(width, height))
    axes = np.empty((lines, columns), dtype=object)
    for i, j in np.ndindex(lines, columns):
        left = gaps[0] + j * (size[0] + gaps[0])
        bottom = height - top - (i + 1) * size[1] - i * gaps[1]
        axes[i, j] = figure.add_axes((left / width, bottom / height, size[0] / width, size[1] / height))
    return figure, axes


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


def _number(value: float, _: float) -> str:
    """Write a number of an axis as the tables do."""
    return f"{value:g}".replace("-", text.MINUS)
