"""How many draws and data sets it takes to see a difference of a given size, from the variance in the scores of a run.

The difference of a method to the baseline, as its mean over the J draws of a data set, varies between data sets by

    fixed² + draw² / J

``draw`` is the standard deviation between draws of one data set, pooled over the data sets. ``fixed`` is what is left
of the spread between data sets when the draws' part is taken away: the effect differs between data sets, and each has
but one table. More draws do nothing about it. On one data set ``fixed`` is the part of the standard error of its own
test that all draws share: its rows.

The power is that of the leaderboard's own test, differences taken as normal: over data sets Wilcoxon's signed-rank test
(simulated), on one data set the t-test. Holm's correction asks .05 / k of the first of k methods, and that is what is
reckoned with here: a lower bound, since less is asked of those after the first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

import numpy as np
import numpy.typing as npt
import pandas as pd

from ..errors import InputError, unknown_name
from .aggregate import draw_table
from .comparison import Comparison
from .contrast import FEWEST_DRAWS, Contrast, Design
from .results import BASELINE, Results, as_results
from .signed_rank import EXACT_UP_TO, rejected_values
from .t_tests import standard_error
from .tables import CONFIRMATORY_METRIC, compare
from .verdict import ALPHA, count_of

#: the chance of seeing an effect that is asked for
TARGET = 0.8
#: the most data sets, and draws, that are thought of
MOST_DATASETS, MOST_DRAWS = EXACT_UP_TO, 1000
#: simulated runs behind the power of the signed-rank test: its standard error is at most 0.7 percentage points
SAMPLES = 5000
#: designs in the table, beside that of the run
DATASETS, DRAWS = (6, 8, 10, 14, 20, 30, 50, 100), (1, 3, 5, 10, 20, 50)
#: on one data set
DRAWS_OF_ONE = (3, 5, 10, 20, 50, 100, 200, 500)


@dataclass(frozen=True)
class Spread:
    """By how much the difference of a method to the baseline varies, in points.

    Attributes
    ----------
    method : str
        Its name.
    fixed : float
        Standard deviation of what more draws do not average away, see above.
    draw : float
        Standard deviation between draws of one data set.
    n_datasets : int
        Data sets that it was estimated from.
    shared_rows : bool
        On one data set: whether its draws share their test rows, so that the test has Hillis' degrees of freedom.
    """

    method: str
    fixed: float
    draw: float
    n_datasets: int
    shared_rows: bool = False

    def of_mean(self, n_draws: int) -> float:
        """Return the standard deviation of the mean difference over so many draws of a data set."""
        return float(np.sqrt(self.fixed**2 + self.draw**2 / n_draws))

    def df(self, n_draws: int) -> float:
        """Return the degrees of freedom of the test on one data set."""
        if not self.shared_rows:
            return n_draws - 1
        return float(self.of_mean(n_draws) ** 4 / ((self.draw**2 / n_draws) ** 2 / (n_draws - 1)))

    def scaled(self, factor: float) -> Spread:
        """Return a spread that is larger by a factor."""
        return replace(self, fixed=factor * self.fixed, draw=factor * self.draw)


@dataclass(frozen=True)
class Power:
    """What designs show, from the spread in a run.

    Attributes
    ----------
    effect : float
        The difference that is to be seen, in points, above 0; one of its size to the worse is seen as well as it.
    baseline : str
        What methods are compared with.
    family : int
        How many methods Holm's correction is over.
    n_datasets, n_draws : int
        The design of the run.
    spreads : tuple of Spread
        Of the methods that were tested, the least varying first.
    typical : Spread
        The one that sentence and table are about.
    among : int
        Of how many methods it is the one in the middle (of two, the one that varies more); 0 if it was asked for.
    left_out : mapping
        Methods of which nothing can be said, and why.
    """

    effect: float
    baseline: str
    family: int
    n_datasets: int
    n_draws: int
    spreads: tuple[Spread, ...]
    typical: Spread
    among: int
    left_out: Mapping[str, str]

    @property
    def alpha(self) -> float:
        """The level that Holm's correction asks of the first method."""
        return ALPHA / self.family

    @property
    def reachable(self) -> bool:
        """Whether the test can give a p that is low enough on the data sets of the run."""
        return self.n_datasets == 1 or rejected_values(self.n_datasets, self.alpha / 2) > 0

    def chance(self, spread: Spread, n_datasets: int, n_draws: int, effect: float | None = None) -> float:
        """Return the probability that the test calls an effect significant (the one that was asked for, unless told).

        On a run of one data set, `n_datasets` has to be 1.
        """
        size = (self.effect if effect is None else effect) / spread.of_mean(n_draws)
        if self.n_datasets > 1:
            return signed_rank_power(size, n_datasets, self.alpha)
        return t_power(size, spread.df(n_draws), self.alpha) if n_draws >= FEWEST_DRAWS else 0.0

    def datasets_needed(self, spread: Spread, n_draws: int) -> int | None:
        """Return with how many data sets the chance reaches `TARGET`; None where `MOST_DATASETS` do not reach it."""
        from scipy.stats import norm

        if self.chance(spread, MOST_DATASETS, n_draws) < TARGET:
            return None
        # nothing sees more than the z-test that knows the spread
        z = norm.isf(self.alpha / 2) - norm.isf(TARGET)
        fewest = max(2, int((z * spread.of_mean(n_draws) / self.effect) ** 2))
        return next(n for n in range(fewest, MOST_DATASETS + 1) if self.chance(spread, n, n_draws) >= TARGET)

    def draws_needed(self, spread: Spread) -> int | None:
        """Return with how many draws of the run's data sets it does; None where `MOST_DRAWS` do not."""
        return _first(lambda draws: self.chance(spread, self.n_datasets, draws) >= TARGET, MOST_DRAWS)

    def detectable(self, spread: Spread) -> float:
        """Return the smallest effect, in points, that the run sees with probability `TARGET`; infinite if it sees none.

        The next higher hundredth of a point.
        """
        scale = spread.of_mean(self.n_draws)

        def seen(hundredths: int) -> bool:
            return self.chance(spread, self.n_datasets, self.n_draws, hundredths / 100) >= TARGET

        # beyond so many standard deviations no test is missing anything but data sets or draws
        most = _first(seen, int(100 * 100 * scale) + 1)
        return np.inf if most is None else most / 100

    def table(self, spread: Spread) -> pd.DataFrame:
        """Return the chance by draws (rows) and data sets (columns), the run's own design among them."""
        datasets = sorted({*DATASETS, self.n_datasets}) if self.n_datasets > 1 else [1]
        draws = sorted({*(DRAWS if self.n_datasets > 1 else DRAWS_OF_ONE), self.n_draws})
        rows = [[self.chance(spread, n, j) for n in datasets] for j in draws]
        return pd.DataFrame(rows, index=pd.Index(draws, name="draws"), columns=pd.Index(datasets, name="data sets"))

    @cached_property
    def range_needed(self) -> tuple[int | None, int | None]:
        """Data sets needed at both ends of the 95 % interval of the spread, which few data sets leave wide."""
        from scipy.stats import chi2

        df = self.typical.n_datasets - 1
        low, high = (self.typical.scaled(float(np.sqrt(df / chi2.ppf(q, df)))) for q in (0.975, 0.025))
        return self.datasets_needed(low, self.n_draws), self.datasets_needed(high, self.n_draws)

    @property
    def sentence(self) -> str:
        """The answer: which design sees the effect, and what the run sees."""
        spread, single = self.typical, self.n_datasets == 1
        had = f"{count_of(self.n_datasets, 'data set')} with {count_of(self.n_draws, 'draw')}"
        smallest = self.detectable(spread)
        needed = self.draws_needed(spread) if single else self.datasets_needed(spread, self.n_draws)
        if single:
            design = f"{needed:,} draws of this data set" if needed else "no number of draws of this data set is enough"
        else:
            low, high = map(in_words, self.range_needed)
            span = f" ({low} to {high}, since {spread.n_datasets} data sets tell the spread no better)"
            design = (
                f"{in_words(needed)} data sets with {count_of(self.n_draws, 'draw')} each{span if low != high else ''}"
            )
        sees = f"sees {smallest:+.2f} points or more"
        if not self.reachable:
            sees = f"can show nothing: with {count_of(self.family, 'comparison')} no corrected p reaches .05"
        chance = f"{100 * TARGET:.0f} %"
        return f"To see {self.effect:+.2f} points with probability {chance}: {design}. The run had {had}, which {sees}."


def in_words(datasets: int | None) -> str:
    """Return a number of data sets that are needed; None is more than are thought of."""
    return f"more than {MOST_DATASETS}" if datasets is None else str(datasets)


def power_of(
    data: Results | pd.DataFrame,
    effect: float,
    method: str | None = None,
    family: int | None = None,
    baseline: str = BASELINE,
) -> Power:
    """Work out from a run how many draws and data sets see an effect.

    Parameters
    ----------
    data : Results or pandas.DataFrame
        As `compare` takes them.
    effect : float
        The difference to the baseline that is to be seen, in points of macro F1 (1 point is .01), above 0, up to 100.
    method : str, optional
        The method that it is worked out for; the one in the middle, unless told.
    family : int, optional
        How many methods are compared with the baseline; those of the run, unless told.
    baseline : str
        What methods are compared with.

    Returns
    -------
    Power
        Spreads, and what designs show.

    Raises
    ------
    InputError
        The effect is no such number, there is no such baseline or method, or the run is too small to tell.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> rows = [(m, d, j, rng.normal(0.7, 0.02)) for m in ("none", "smote") for d in range(8) for j in range(5)]
    >>> found = power_of(pd.DataFrame(rows, columns=["method", "dataset", "draw", "macro_f1"]), effect=2.0)
    >>> found.datasets_needed(found.typical, n_draws=5)
    7
    """
    if not 0 < effect <= 100:
        raise InputError(f"the effect has to be a number of points above 0 and up to 100, found {effect:g}")
    if method == baseline:
        raise InputError(f"'{method}' is the baseline: name a method that is compared with it, or another --baseline")
    if family is not None and family < 1:
        raise InputError(f"the number of methods compared has to be at least 1, found {family}")
    results = as_results(data)
    board = compare(results, baseline=baseline)
    _check_draws(board)
    draws = draw_table(results.scores, CONFIRMATORY_METRIC, baseline)
    contrast = Contrast(draws, baseline, Design.of(results, results.scores, baseline))
    spreads, left_out = [], {}
    for row in board.table[~board.table["is_baseline"]].to_dict("records"):
        name = row["method"]
        if row["state"] in ("incomplete", "failed", "not applicable"):
            left_out[name] = row["note"]
            continue
        if row["n_failed"] or row["n_datasets"] < board.n_datasets:
            # a failure is a tie by decree, and has no spread; fewer data sets are another design
            some = "failed in some draws" if row["n_failed"] else "applies to some of the data sets only"
            left_out[name] = f"{some}, so that the design of the run is not its own"
            continue
        spread = spread_of(contrast, name)
        if spread is None or spread.of_mean(board.n_draws) == 0:
            left_out[name] = "too few data sets or draws to tell" if spread is None else "its difference does not vary"
            continue
        spreads.append(spread)
    spreads.sort(key=lambda one: (one.of_mean(board.n_draws), one.method))
    typical, among = _typical(results, spreads, left_out, method)
    own = family or max(1, board.family)
    shape = (board.n_datasets, board.n_draws)
    return Power(effect, baseline, own, *shape, tuple(spreads), typical, among, left_out)


def _check_draws(board: Comparison) -> None:
    """Raise where the run has too few draws to tell what more of them would do."""
    if board.n_draws < 2:
        raise InputError(
            "the run has one draw only: how much of the spread more draws would take away cannot be told; run it with "
            "--draws 2 or more"
        )
    if board.n_datasets == 1 and board.n_draws < FEWEST_DRAWS:
        raise InputError(
            f"the run has {board.n_draws} draws of one data set, and none is tested below {FEWEST_DRAWS}: run it with "
            f"--draws {FEWEST_DRAWS} or more"
        )


def spread_of(contrast: Contrast, method: str) -> Spread | None:
    """Return by how much the differences of a method vary; None where it has too few data sets or draws to tell."""
    names = [str(name) for name in contrast.differences[method].dropna().index]
    by_set = [100 * contrast.table.draw_differences(method, contrast.other, name) for name in names]
    df = sum(len(one) - 1 for one in by_set)
    if df < 1:
        return None
    draw = sum(float(((one - one.mean()) ** 2).sum()) for one in by_set) / df
    if len(contrast.table.datasets) > 1:
        if len(names) < 2:
            return None
        means = [one.mean() for one in by_set]
        fixed = float(np.var(means, ddof=1)) - draw * float(np.mean([1 / len(one) for one in by_set]))
        return Spread(method, float(np.sqrt(max(0.0, fixed))), float(np.sqrt(draw)), len(names))
    error = 100 * standard_error(contrast.on_dataset(method, names[0]))
    if np.isnan(error):
        return Spread(method, 0.0, 0.0, 1) if draw == 0 else None
    fixed = error**2 - draw / len(by_set[0])
    design = contrast.design
    shared = names[0] in design.fixed and names[0] not in design.redrawn
    # of fresh draws nothing is left, but for the last bits
    return Spread(method, float(np.sqrt(fixed)) if fixed > 1e-9 * error**2 else 0.0, float(np.sqrt(draw)), 1, shared)


def _typical(
    results: Results, spreads: list[Spread], left_out: Mapping[str, str], method: str | None
) -> tuple[Spread, int]:
    """Return the spread of the method that was asked for, or the one in the middle of those that are no controls."""
    if method is not None:
        found = next((one for one in spreads if one.method == method), None)
        if found is None and method in left_out:
            raise InputError(f"of '{method}' nothing can be said: {left_out[method]}")
        if found is None:
            raise unknown_name("method", method, [one.method for one in spreads])
        return found, 0
    if not spreads:
        why = "; ".join(f"{name}: {words}" for name, words in left_out.items())
        raise InputError(f"no method of the run can be compared with the baseline{': ' if why else ''}{why}")
    methods = [one for one in spreads if not results.is_control(one.method)] or spreads
    return methods[len(methods) // 2], len(methods)


def signed_rank_power(size: float, n: int, alpha: float) -> float:
    """Return the power of the two-sided signed-rank test on n normal differences.

    Parameters
    ----------
    size : float
        Their mean, in standard deviations.
    n : int
        How many.
    alpha : float
        Level; 0 is returned where so few differences cannot reach it.

    Returns
    -------
    float
        The share of `SAMPLES` simulated sets, always the same ones, in which the test rejects.
    """
    rejected = rejected_values(n, alpha / 2)
    if rejected == 0:
        return 0.0
    values = _normal(n) + size
    ranks = np.argsort(np.argsort(np.abs(values), axis=1), axis=1) + 1
    positive = (ranks * (values > 0)).sum(axis=1)
    return float(((positive < rejected) | (positive > n * (n + 1) // 2 - rejected)).mean())


@lru_cache(maxsize=16)
def _normal(n: int) -> npt.NDArray[np.float64]:
    """Return simulated standard normal differences, shape (SAMPLES, n)."""
    return np.random.default_rng(0).standard_normal((SAMPLES, n))


def t_power(size: float, df: float, alpha: float) -> float:
    """Return the power of the two-sided t-test; `size` is the mean in standard errors.

    The mean of normal probabilities over the estimated error (chi-squared): SciPy's noncentral t, which is the same, is
    NaN where `size` is large.

    Examples
    --------
    >>> round(t_power(3.0, 19, 0.05), 3)
    0.812
    """
    from scipy.stats import norm, t

    limits = t.isf(alpha / 2, df) * _errors(df)
    return float((norm.sf(limits - size) + norm.cdf(-limits - size)).mean())


@lru_cache(maxsize=256)
def _errors(df: float) -> npt.NDArray[np.float64]:
    """Return the standard error that is estimated, over the true one: evenly spaced quantiles."""
    from scipy.stats import chi2

    return np.asarray(np.sqrt(chi2.ppf((np.arange(2000) + 0.5) / 2000, df) / df))


def _first(fits: Callable[[int], bool], most: int) -> int | None:
    """Return the first of 1, 2, …, `most` that fits, where all after it fit, too; None if none does."""
    if not fits(most):
        return None
    low, high = 0, most
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if fits(middle) else (middle, high)
    return high
