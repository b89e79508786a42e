"""The figure of cost against quality, with the Pareto front."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from . import format as text
from .comparison import Comparison
from .pareto import cost_table
from .plots import GROUND, INK, MUTED, OPEN, UP, WIDTH, new_figure, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Annotation
    from matplotlib.transforms import Bbox

#: seconds: what costs less stands here, since a logarithmic axis has no 0
LEAST = 0.001
#: where a name may stand beside its point, in points, and how it is aligned there
PLACES = (
    (6, 0, "left", "center"),
    (-6, 0, "right", "center"),
    (0, 6, "center", "bottom"),
    (0, -6, "center", "top"),
    (5, 6, "left", "bottom"),
    (5, -6, "left", "top"),
    (-5, 6, "right", "bottom"),
    (-5, -6, "right", "top"),
    (8, 13, "left", "bottom"),
    (8, -13, "left", "top"),
    (-8, 13, "right", "bottom"),
    (-8, -13, "right", "top"),
)


def cost_figure(comparison: Comparison, width: float = WIDTH) -> Figure | None:
    """Draw the difference to the baseline against the time per draw, the front as a line.

    Names stand where there is room for them, those of the front first.

    Parameters
    ----------
    comparison : Comparison
        What is drawn.
    width : float
        In inches.

    Returns
    -------
    matplotlib.figure.Figure or None
        None where no method beside the baseline has a cost.
    """
    table = cost_table(comparison)
    if table["is_baseline"].all():
        return None
    table["x"] = table["seconds"].clip(lower=LEAST)
    with style():
        figure = new_figure(min(0.56 * width, 5.2), width)
        axes = figure.add_subplot()
        axes.set_xscale("log")
        axes.axhline(0, color=MUTED, lw=0.9, zorder=1)
        front = table[table["on_front"]].sort_values("x")
        axes.step(front["x"], front["delta"], where="post", color=UP, lw=1.4, zorder=2)
        if len(front):
            # from the last on, more cost gains nothing
            end = max(table["x"].max() * 1.6, front["x"].iloc[-1])
            axes.plot([front["x"].iloc[-1], end], [front["delta"].iloc[-1]] * 2, color=UP, lw=1.4, zorder=2)
        axes.vlines(table["x"], table["low"], table["high"], color=OPEN, alpha=0.4, lw=2, zorder=1.5)
        for control, marker in ((True, "s"), (False, "o")):
            for on_front, colour in ((False, OPEN), (True, UP)):
                kind = (table["is_control"] | table["is_baseline"]) == control
                chosen = table[kind & (table["on_front"] == on_front)]
                axes.scatter(chosen["x"], chosen["delta"], s=26, color=colour, marker=marker, zorder=3, ec="none", lw=0)
        axes.set_xlabel("time per draw to fit the method and make rows")
        axes.set_ylabel(f"Δ {text.metric_name(comparison.metric)}, points")
        _limits(axes, table)
        _time_ticks(axes)
        axes.grid(axis="y", lw=0.6)
        axes.set_axisbelow(True)
        _name_points(figure, axes, table)
    return figure


def _limits(axes: Axes, table: pd.DataFrame) -> None:
    """Show all points with room for names; a wild interval is cut, not allowed to squeeze."""
    low, high = table["x"].min(), table["x"].max()
    axes.set_xlim(low / 1.8, max(high * 1.8, low * 4))
    deltas = table["delta"]
    reach = max(1.0, float(deltas.max() - deltas.min()))
    bottom = max(float(table["low"].min(skipna=True)), float(deltas.min()) - 0.3 * reach)
    top = min(float(table["high"].max(skipna=True)), float(deltas.max()) + 0.3 * reach)
    bottom, top = np.nanmin([bottom, deltas.min()]), np.nanmax([top, deltas.max()])
    axes.set_ylim(bottom - 0.08 * (top - bottom + 1), top + 0.08 * (top - bottom + 1))


def _time_ticks(axes: Axes) -> None:
    """Write times with their units."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    low, high = axes.get_xlim()
    axes.xaxis.set_major_locator(LogLocator(subs=(1.0,) if high / low > 300 else (1.0, 3.0)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(
        FuncFormatter(lambda value, _: ("≤ " if value <= LEAST else "") + text.seconds(float(value)))
    )


def _name_points(figure: Figure, axes: Axes, table: pd.DataFrame) -> None:
    """Write each name where it covers no point, no other name and not the edge, and no line if that is possible."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.transforms import Bbox

    canvas = FigureCanvasAgg(figure)
    figure.draw_without_rendering()
    renderer, scale = canvas.get_renderer(), figure.dpi / 72
    inside = axes.get_window_extent(renderer)
    points = axes.transData.transform(table[["x", "delta"]].to_numpy(dtype=float))
    taken: list[Bbox] = [Bbox([point - 4 * scale, point + 4 * scale]) for point in points]
    lines = [line.get_path().transformed(line.get_transform()) for line in axes.lines]
    order = sorted(range(len(table)), key=lambda i: (not table["on_front"].iloc[i], -table["delta"].iloc[i]))
    for i in order:
        found: tuple[int, int] | None = None
        boxes = {}
        for place in range(len(PLACES)):
            label = _label(axes, table.iloc[i], place)
            box = label.get_window_extent(renderer).padded(1.0)
            label.remove()
            if _fits(box, inside) and not any(box.overlaps(other) for other in taken):
                boxes[place] = box
                crossed = sum(line.intersects_bbox(box, filled=False) for line in lines)
                found = min(found, (crossed, place)) if found else (crossed, place)
        if found:
            _label(axes, table.iloc[i], found[1])
            taken.append(boxes[found[1]])


def _label(axes: Axes, row: pd.Series, place: int) -> Annotation:
    """Write the name of a method at one of the places beside its point."""
    dx, dy, ha, va = PLACES[place]
    return axes.annotate(
        str(row["method"]),
        xy=(row["x"], row["delta"]),
        xytext=(dx, dy),
        textcoords="offset points",
        ha=ha,
        va=va,
        fontsize=9,
        color=INK if row["on_front"] else MUTED,
        weight="bold" if row["on_front"] else "normal",
        style="italic" if row["is_control"] or row["is_baseline"] else "normal",
        # a bar behind a name would strike it through
        bbox={"facecolor": GROUND, "alpha": 0.8, "edgecolor": "none", "pad": 0.5},
        zorder=4,
    )


def _fits(box: Bbox, inside: Bbox) -> bool:
    return bool(box.x0 >= inside.x0 and box.x1 <= inside.x1 and box.y0 >= inside.y0 and box.y1 <= inside.y1)
