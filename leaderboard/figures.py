"""Geometry and colour of the small figures on the page: interval bars and heat cells. Numbers only, no markup."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

BAR_WIDTH = 104
BAR_MARGIN = 5
#: A heat cell is fully coloured from this many points on, at least, so that noise does not look like a finding.
LEAST_HEAT = 2.0


@dataclass(frozen=True)
class Bar:
    """Where to draw an interval: x of zero, both ends and the mean, in pixels; `shape` is up (a gain), down or open."""

    zero: float
    low: float
    high: float
    mean: float
    shape: str
    cut: bool


@dataclass(frozen=True)
class Scale:
    """A linear scale in points, the same for all bars of a table.

    Attributes
    ----------
    low, high : float
        What the two edges stand for.
    rising : bool
        False where less is better.
    """

    low: float
    high: float
    rising: bool = True

    @classmethod
    def over(cls, values: Iterable[float], rising: bool = True) -> Scale:
        """Return a scale that holds 0 and nearly all values: a single wild interval is cut, not allowed to squeeze."""
        finite = np.array([value for value in values if math.isfinite(value)] or [0.0])
        size = np.abs(finite)
        reach = max(1.0, min(float(size.max()), 3 * float(np.quantile(size, 0.75))))
        room = 0.15 * reach
        return cls(float(np.clip(finite.min(), -reach, -room)), float(np.clip(finite.max(), room, reach)), rising)

    def x(self, value: float) -> float:
        """Return the pixel of a value, cut at the edges."""
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return round(BAR_MARGIN + share * (BAR_WIDTH - 2 * BAR_MARGIN), 1)

    def bar(self, mean: float, low: float, high: float) -> Bar | None:
        """Return the bar of an interval, "up" where all of it is a gain; None where there is no interval."""
        if not all(map(math.isfinite, (mean, low, high))):
            return None
        shape = "open" if low <= 0 <= high else "up" if (low > 0) == self.rising else "down"
        cut = low < self.low - 1e-9 or high > self.high + 1e-9
        return Bar(self.x(0), self.x(low), self.x(high), self.x(mean), shape, cut)


def heat(value: float, full: float, higher_is_better: bool = True) -> tuple[str, float]:
    """Return the side of a heat cell, "gain", "loss" or "", and how strongly it is coloured, 0 to 1.

    Parameters
    ----------
    value : float
        A difference in points.
    full : float
        From here on the colour is at its strongest.
    higher_is_better : bool
        False for losses.

    Returns
    -------
    tuple of str and float
        Side and strength.
    """
    if not math.isfinite(value) or abs(value) < 0.005:
        return "", 0.0
    side = "gain" if (value > 0) == higher_is_better else "loss"
    return side, round(min(1.0, abs(value) / full) ** 0.8, 3)


def full_heat(values: Iterable[float]) -> float:
    """Return the difference that is coloured at its strongest: the 95 % quantile of |Δ|, at least `LEAST_HEAT`."""
    size = np.abs([value for value in values if math.isfinite(value)])
    return max(LEAST_HEAT, float(np.quantile(size, 0.95))) if len(size) else LEAST_HEAT
