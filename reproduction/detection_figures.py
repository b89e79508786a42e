"""Figures of detectors on the test rows of one draw: errors by class, precision and recall against the threshold."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ..leaderboard.plots import DOWN, INK, LINE, MUTED, OPEN, UP, WIDTH, new_figure, style
from .detection import Alarms

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: points drawn of each class, and of a curve, at most: a page has six such figures and more
MOST_POINTS, MOST_STEPS = 300, 150
#: errors beyond this share of their rows, at either end, are drawn at the edge
_TAIL = 0.002
_SEED = 0


def error_figure(alarms: Mapping[str, Alarms], names: tuple[str, str], width: float = 1.5 * WIDTH) -> Figure:
    """Draw the errors of normal rows and events as strips, with both thresholds; a panel for each detector.

    Parameters
    ----------
    alarms : mapping of str to Alarms
        By detector, of the same draw.
    names : tuple of str
        What normal rows and events are called.
    width : float
        In inches.

    Returns
    -------
    matplotlib.figure.Figure
        Of each class `MOST_POINTS` at most are drawn, chosen at random, and its quartiles, which are those of all rows.
    """

    def draw(axes: Axes, one: Alarms) -> None:
        low, high = _limits(one.error)
        rng = np.random.default_rng(_SEED)
        looks = ((~one.is_event, UP, 0.012), (one.is_event, DOWN, 0.06))
        for place, (rows, colour, length) in enumerate(looks):
            error = np.clip(one.error[rows], low, high)
            shown = error if len(error) <= MOST_POINTS else rng.choice(error, MOST_POINTS, replace=False)
            x = place + rng.uniform(-0.35, 0.1, len(shown))
            # one path for all points: a marker is an element of 190 letters each
            ends = np.column_stack([x, x + length, np.full(len(x), np.nan)]).ravel()
            axes.plot(ends, np.repeat(shown, 3), color=colour, lw=1.6, solid_capstyle="round")
            quartiles = np.quantile(error, (0.25, 0.5, 0.75), method="nearest")
            axes.plot([place + 0.25] * 2, quartiles[[0, 2]], color=INK, lw=2.2, solid_capstyle="butt")
            axes.plot(place + 0.25, quartiles[1], color=INK, marker="_", ms=11, mew=1.6)
        axes.axhline(1, color=INK, lw=1.2, label="threshold from rows held out of training")
        there = one.set_on_test_rows().threshold
        axes.axhline(np.clip(there, low, high), color=INK, lw=1.2, ls=":", label="threshold set on test rows")
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter("{x:g}")
        axes.set_ylim(low, high)
        axes.set_xlim(-0.5, 1.5)
        axes.set_xticks([0, 1], [f"{name}\n({n:,})" for name, n in zip(names, _sizes(one), strict=True)])
        axes.grid(axis="y", color=LINE, lw=0.6)

    return _panels(alarms, draw, "error, in units of the threshold", "", width, 2.9)


def curve_figure(alarms: Mapping[str, Alarms], width: float = 1.5 * WIDTH) -> Figure:
    """Draw precision and recall against the threshold, with both thresholds; a panel for each detector.

    Parameters
    ----------
    alarms, width
        As of `error_figure`.

    Returns
    -------
    matplotlib.figure.Figure
        Curves of more than `MOST_STEPS` steps are thinned evenly along the drawn axis.
    """

    def draw(axes: Axes, one: Alarms) -> None:
        curve, (low, high) = one.curve(), _limits(one.error)
        at = np.geomspace(low, high, MOST_STEPS)
        # above the highest error there is no alarm, and no precision
        at = at[at <= curve["threshold"].max()]
        steps = np.searchsorted(curve["threshold"].to_numpy(), at)
        axes.plot(at, curve["precision"].to_numpy()[steps], color=UP, lw=1.5, label="precision")
        axes.plot(at, curve["recall"].to_numpy()[steps], color=DOWN, lw=1.5, ls="--", label="recall")
        there = np.clip(one.set_on_test_rows().threshold, low, high)
        axes.axvline(1, color=INK, lw=1.2, label="threshold from rows held out of training")
        axes.axvline(there, color=INK, lw=1.2, ls=":", label="threshold set on test rows")
        axes.axhline(one.is_event.mean(), color=OPEN, lw=0.8)
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter("{x:g}")
        axes.set_xlim(low, high)
        axes.set_ylim(-0.02, 1.02)
        axes.grid(color=LINE, lw=0.6)

    return _panels(alarms, draw, "share", "threshold, in units of the one in use", width, 2.5)


def _sizes(alarms: Alarms) -> tuple[int, int]:
    events = int(alarms.is_event.sum())
    return len(alarms.is_event) - events, events


def _limits(error: npt.NDArray[np.float64]) -> tuple[float, float]:
    """Return the range that is drawn: nearly all errors, and the threshold."""
    known = error[(error > 0) & np.isfinite(error)]
    low, high = np.quantile(known, (_TAIL, 1 - _TAIL)) if len(known) else (1.0, 1.0)
    return 0.6 * min(float(low), 1.0), 1.7 * max(float(high), 1.0)


def _panels(
    alarms: Mapping[str, Alarms],
    draw: Callable[[Axes, Alarms], None],
    vertical: str,
    horizontal: str,
    width: float,
    height: float,
) -> Figure:
    """Draw a panel for each detector, beside each other, with one legend above."""
    with style():
        figure = new_figure(height, width)
        grid = figure.subplots(1, len(alarms), squeeze=False)[0]
        for axes, (name, one) in zip(grid, alarms.items(), strict=True):
            draw(axes, one)
            axes.set_title(name, fontsize=9, loc="left", color=INK)
            axes.set_axisbelow(True)
            axes.minorticks_off()
        figure.supylabel(vertical, fontsize=9, color=MUTED)
        if horizontal:
            figure.supxlabel(horizontal, fontsize=9, color=MUTED)
        figure.legend(
            *grid[0].get_legend_handles_labels(), loc="outside upper left", ncols=4, frameon=False, fontsize=8.5
        )
    return figure
