"""Figures of ranks: the critical-difference diagram."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from . import format as text
from .pairs import CriticalDifference
from .plots import INK, MUTED, UP, WIDTH, new_figure, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: inches between two lines of names, and between two bars
STEP, BAR = 0.2, 0.09


def critical_difference_figure(found: CriticalDifference, width: float = WIDTH) -> Figure:
    """Draw a critical-difference diagram (Demšar 2006): mean ranks on a line, best at the left.

    A bar joins methods whose mean ranks are closer than the critical difference, which stands above the line.

    Parameters
    ----------
    found : CriticalDifference
        The numbers.
    width : float
        In inches.

    Returns
    -------
    matplotlib.figure.Figure
        One panel, drawn in inches.
    """
    k = len(found.methods)
    left = math.ceil(k / 2)
    bars = 0.14 + BAR * max(len(found.groups), 1)
    height = 0.95 + bars + STEP * left + 0.1
    # room for the longest name, its rank and the ends of the lines
    side = min(0.36 * width, 0.085 * max(map(len, found.methods)) + 0.75)
    span = width - 2 * side

    def x(rank: float) -> float:
        return side + span * (rank - 1) / (k - 1)

    with style():
        figure = new_figure(height, width)
        figure.set_layout_engine("none")
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set(xlim=(0, width), ylim=(height, 0))
        axes.axis("off")
        line = 0.85
        axes.plot([x(1), x(k)], [line, line], color=INK, lw=1.1)
        for tick in range(1, k + 1):
            axes.plot([x(tick)] * 2, [line - 0.06, line], color=INK, lw=1.1)
            axes.text(x(tick), line - 0.1, str(tick), ha="center", va="bottom", color=MUTED, fontsize=9)
        _ruler(axes, x, found.critical_difference, k)
        for number, group in enumerate(found.groups):
            ranks = [found.ranks[found.methods.index(name)] for name in group]
            y = line + 0.14 + BAR * number
            axes.plot([x(min(ranks)) - 0.04, x(max(ranks)) + 0.04], [y, y], color=UP, lw=3, solid_capstyle="butt")
        for place, (name, rank) in enumerate(zip(found.methods, found.ranks, strict=True)):
            on_left = place < left
            row = place if on_left else k - 1 - place
            y = line + bars + STEP * (row + 0.7)
            end = side - 0.12 if on_left else width - side + 0.12
            axes.plot([x(rank), x(rank), end], [line, y, y], color=MUTED, lw=0.8)
            shift = -0.05 if on_left else 0.05
            words = f"{name}  {rank:.2f}" if on_left else f"{rank:.2f}  {name}"
            axes.text(end + shift, y, words, ha="right" if on_left else "left", va="center", color=INK)
    return figure


def _ruler(axes: Axes, x: Callable[[float], float], distance: float, k: int) -> None:
    """Draw the critical difference above the line, cut where it is longer than all ranks."""
    end = min(1 + distance, float(k))
    axes.plot([x(1), x(end)], [0.37, 0.37], color=UP, lw=1.4)
    for rank in (1.0, end):
        axes.plot([x(rank)] * 2, [0.32, 0.42], color=UP, lw=1.4)
    more = " (longer than the line)" if 1 + distance > k else ""
    axes.text(
        (x(1) + x(end)) / 2, 0.29, f"critical difference {text.plain_number(distance, 2)}{more}",
        ha="center", va="bottom", color=INK, fontsize=9,
    )  # fmt: skip
