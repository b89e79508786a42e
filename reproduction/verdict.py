"""The rule by which a published figure counts as reproduced: pure functions of numbers."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from ..leaderboard.format import plain_number
from ..leaderboard.posterior import ROPE

REPRODUCED, NOT_REPRODUCED, UNDECIDED = "reproduced", "not reproduced", "undecided"
NOT_COMPARABLE, NOT_RUN = "not comparable", "not run"
#: a published difference below this many points claims nothing; the region of practical equivalence of the leaderboard
SMALLEST = ROPE
#: fewer draws give no range of one run
FEWEST_DRAWS = 3

#: The rule in words, as the pages print it.
RULES = {
    "gain": (
        "Not comparable: the published baseline lies outside of the range in which ours falls in one run, with the "
        "classifier whose baseline comes closest in the mean over a table, so that data, split or classifier were "
        f"others. Where a gain or loss of {SMALLEST} points or more was published: reproduced if our 95 % interval "
        "lies wholly on that side of 0 and the published figure in the range of one run; not reproduced if ours lies "
        "wholly on that side, too, but the published figure outside of that range, if ours lies on the other side of "
        "0, or if it ends before the published figure. Where less was published, that is, no difference: reproduced "
        f"if our interval lies within {SMALLEST} points of 0, not reproduced if it lies wholly beyond. Else undecided: "
        "too few draws."
    ),
    "level": (
        "Not comparable: the published figure is of other data than ours. Reproduced: it lies in the range in which "
        "ours falls in one run. Else not reproduced."
    ),
    "expectation": (
        "A gain (or loss) is expected: reproduced where our 95 % interval lies wholly on that side of 0, not "
        f"reproduced where it ends before {SMALLEST} points on that side. No gain is expected: reproduced where the "
        f"interval ends below +{SMALLEST} points, not reproduced where it lies wholly above 0. Else undecided: too few "
        "data sets."
    ),
}


@dataclass(frozen=True)
class Ours:
    """A figure of ours, in points.

    Attributes
    ----------
    mean : float
        Mean over draws (or over data sets).
    low, high : float
        95 % interval of the mean; NaN where there is none.
    run_low, run_high : float
        The range in which the figure of one run falls in 95 % of the draws, see `one_run`; NaN where not known.
    n_draws : int
        How many draws (or data sets).
    """

    mean: float
    low: float
    high: float
    run_low: float = np.nan
    run_high: float = np.nan
    n_draws: int = 0

    @property
    def known(self) -> bool:
        """Whether there is anything to compare with."""
        return self.n_draws >= FEWEST_DRAWS and not np.isnan(self.mean)

    def clipped(self, least: float, most: float) -> Ours:
        """Return the same with ranges that end where the figure itself must end."""
        ends = (self.low, self.high, self.run_low, self.run_high)
        low, high, run_low, run_high = (float(np.clip(end, least, most)) for end in ends)
        return replace(self, low=low, high=high, run_low=run_low, run_high=run_high)


@dataclass(frozen=True)
class Verdict:
    """What became of a published figure.

    Attributes
    ----------
    word : {"reproduced", "not reproduced", "undecided", "not comparable", "not run"}
        By the rule in `RULES`; not run: there are fewer than `FEWEST_DRAWS` draws.
    why : str
        The reason.
    """

    word: str
    why: str


_NO_INTERVAL = Verdict(NOT_COMPARABLE, "ours is the same each time: there is no interval")


def one_run(values: npt.ArrayLike, level: float = 0.95) -> tuple[float, float]:
    """Return the range in which one further draw falls: Student's prediction interval.

    Parameters
    ----------
    values : array-like of shape (J,)
        One figure per draw.
    level : float
        Share of the draws that it holds.

    Returns
    -------
    tuple of float
        ``mean ± t(level, J - 1) · s · √(1 + 1/J)``; both NaN below `FEWEST_DRAWS` draws.

    Examples
    --------
    >>> low, high = one_run([1.0, 2.0, 3.0])
    >>> print(f"{low:.2f} {high:.2f}")
    -2.97 6.97
    """
    from scipy import stats

    array = np.asarray(values, dtype=float)
    if len(array) < FEWEST_DRAWS:
        return np.nan, np.nan
    half = stats.t.ppf((1 + level) / 2, len(array) - 1) * array.std(ddof=1) * np.sqrt(1 + 1 / len(array))
    return float(array.mean() - half), float(array.mean() + half)


def judge_gain(published: float, published_baseline: float, ours: Ours, baseline: Ours) -> Verdict:
    """Compare a published difference to a published baseline with ours.

    Parameters
    ----------
    published, published_baseline : float
        The difference, and the level it starts from, in points.
    ours, baseline : Ours
        The same of ours: the paired difference, the level of the baseline.

    Returns
    -------
    Verdict
        See ``RULES["gain"]``.
    """
    if not (ours.known and baseline.known):
        return _not_run(ours)
    if not baseline.run_low <= published_baseline <= baseline.run_high:
        where = "above" if published_baseline > baseline.run_high else "below"
        return Verdict(
            NOT_COMPARABLE,
            f"the published baseline, {plain_number(published_baseline)}, lies {where} what one run of ours gives "
            f"({plain_number(baseline.run_low)} to {plain_number(baseline.run_high)})",
        )
    if np.isnan(ours.low):
        return _NO_INTERVAL
    sign = -1 if published < 0 else 1
    # as if the published difference were a gain
    low, high = (ours.low, ours.high) if sign > 0 else (-ours.high, -ours.low)
    if abs(published) < SMALLEST:
        if low > SMALLEST or high < -SMALLEST:
            return Verdict(NOT_REPRODUCED, "a difference is shown")
        if low >= -SMALLEST and high <= SMALLEST:
            return Verdict(REPRODUCED, "no difference")
        return Verdict(UNDECIDED, f"whether ours is below {SMALLEST} points stays open")
    what = "gain" if sign > 0 else "loss"
    if low > 0:
        if ours.run_low <= published <= ours.run_high:
            return Verdict(REPRODUCED, f"a {what}, too")
        return Verdict(NOT_REPRODUCED, f"a {what}, but of another size")
    if high < 0:
        return Verdict(NOT_REPRODUCED, "the other way round")
    if high < abs(published):
        return Verdict(NOT_REPRODUCED, f"no {what} is shown, and one of that size is excluded")
    return Verdict(UNDECIDED, f"no {what} is shown, nor is the published one excluded")


def judge_level(published: float, ours: Ours, other_data: bool = False) -> Verdict:
    """Compare a published level with ours, see ``RULES["level"]``; all in points."""
    if not ours.known or np.isnan(ours.run_low):
        return _not_run(ours)
    if other_data:
        return Verdict(NOT_COMPARABLE, "the published figure is of other data")
    if published > ours.run_high:
        return Verdict(NOT_REPRODUCED, "above what one run of ours gives")
    if published < ours.run_low:
        return Verdict(NOT_REPRODUCED, "below what one run of ours gives")
    return Verdict(REPRODUCED, "as one run of ours gives")


def judge_expectation(expected: str, ours: Ours) -> Verdict:
    """Hold a difference of ours against what the literature leads to expect.

    Parameters
    ----------
    expected : {"gain", "no gain", "loss"}
        In terms of better and worse, whatever the metric.
    ours : Ours
        Our difference in points; above 0 is better.

    Returns
    -------
    Verdict
        See ``RULES["expectation"]``.
    """
    if not ours.known:
        return _not_run(ours)
    if np.isnan(ours.low):
        return _NO_INTERVAL
    low, high = (-ours.high, -ours.low) if expected == "loss" else (ours.low, ours.high)
    shown, none = low > 0, high < SMALLEST
    held, broken = (none, shown) if expected == "no gain" else (shown, none)
    what = "loss" if expected == "loss" else "gain"
    if ours.low > 0 or ours.high < 0:
        why = "a gain is shown" if ours.low > 0 else "a loss is shown"
    else:
        why = f"a {what} of {SMALLEST} points is {'excluded' if none else 'neither shown nor excluded'}"
    return Verdict(REPRODUCED if held else NOT_REPRODUCED if broken else UNDECIDED, why)


def _not_run(ours: Ours) -> Verdict:
    """Return the verdict where too little was run to have one."""
    return Verdict(
        NOT_RUN, f"{ours.n_draws} draws or data sets are too few, {FEWEST_DRAWS} are needed" if ours.n_draws else ""
    )
