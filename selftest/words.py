"""The words of the leaderboard: how often each is wrong where the truth is known.

Scores are made up: methods whose true difference to the baseline is known, effects that vary between data sets and
between draws about as much as they do in real runs. The statistics are those of the leaderboard, from its scores to its
words. What is said of a method is wrong where "harms" is said of one that does no worse, a word of gain of one that
does no better, "helps" of one that gains no more than a control, "equivalent" of one whose difference matters.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from ..leaderboard.answer import BETTER
from ..leaderboard.format import signed
from ..leaderboard.posterior import ROPE
from ..leaderboard.power import Spread, power_of
from ..leaderboard.results import COPIES, Results
from ..leaderboard.tables import compare
from ..leaderboard.verdict import ALPHA
from .claim import Finding, Table, share_within
from .workbench import Workbench

#: true differences to the baseline, in points of macro F1; `ROPE` among them, where "equivalent" is wrong most often
TRUTHS = (-3.0, -1.0, -0.3, 0.0, 0.3, ROPE, 1.0, 3.0)
#: standard deviation of an effect between data sets, in points: that of SMOTE over the eight sets of `proben1`
BETWEEN = 1.5
#: the same of methods that are much like what they are compared with: there SMOTE beside plain copies has 0.3
ALIKE = 0.3
#: standard deviation of a score between draws of one data set, beside what all methods of a draw share
DRAW, DRAW_ALIKE = 1.5, 1.0
#: what all methods of a draw share: it makes no difference
LEVEL, LUCK = 70.0, 3.0
#: data sets of a run that tells by how much a difference varies
TELLING = 400
#: p-values and intervals are two-sided, a word is wrong to one side
RATE = ALPHA / 2
#: stands below the first table
LEGEND = (
    "In colour: there the word is wrong. 'no difference shown' and 'too few data sets' claim nothing; beside a true "
    "difference they show what such a design misses. The leaderboard says by which rule each word is given."
)
#: in the order in which a table shows them
WORDS = ("harms", "too few data sets", "no difference shown", "equivalent", "as a control does", "better", "helps")


@dataclass(frozen=True)
class Design:
    """A kind of leaderboard.

    Attributes
    ----------
    name : str
        What it is, for a reader.
    n_datasets, n_draws : int
        With one data set, every draw is a fresh one.
    between, draw : float
        Standard deviations, in points: of an effect between data sets, of a score between draws.
    control : float or None
        True gain of the control; None: no control, and one method at a time.
    truths : tuple of float
        True differences of the methods, which share a leaderboard if there is a control.
    skewed : bool
        Effects are large on a few data sets (exponential), not normal.
    """

    name: str
    n_datasets: int
    n_draws: int
    between: float = BETWEEN
    draw: float = DRAW
    control: float | None = 0.0
    truths: tuple[float, ...] = TRUTHS
    skewed: bool = False

    @property
    def spread(self) -> Spread:
        """By how much a difference varies: it has the chance of both scores."""
        return Spread("", self.between, float(np.sqrt(2) * self.draw), self.n_datasets)


DESIGNS = (
    Design("14 data sets", 14, 3),
    Design("14 data sets, methods much alike, a control that gains 1", 14, 10, ALIKE, DRAW_ALIKE, 1.0),
    Design("14 data sets, one method alone", 14, 3, control=None, truths=(0.0, 1.0)),
    Design("6 data sets, methods much alike", 6, 20, ALIKE, DRAW_ALIKE),
    Design("one data set, fresh draws", 1, 20, 0.0),
)
#: shown, and nothing claimed of it: the signed-rank test is one of symmetric effects
SKEWED = Design(
    "14 data sets, few of which have most of the effect, one method alone",
    n_datasets=14,
    n_draws=20,
    control=None,
    truths=(0.0, 1.0),
    skewed=True,
)


def check(bench: Workbench) -> Iterator[Finding | Table]:
    """Put the claims to the test."""
    often = bench.often(80, 400)
    tables = []
    for number, design in enumerate((*DESIGNS, SKEWED)):
        bench.say(f"making up {often} leaderboards: {design.name}")
        counts = count_words(design, often, seed=number)
        if design is not SKEWED:
            yield from findings(design, counts, often)
            if design.control:
                yield from _said(design, counts, often)
            if design.control is None:
                yield _as_reckoned(design, counts, often)
        tables.append(table(design, counts, often))
    yield replace(tables[0], note=f"{LEGEND} {tables[0].note}")
    yield from tables[1:]


def count_words(design: Design, often: int, seed: int) -> dict[float, Counter[str]]:
    """Return how often each word was said of the methods of each true difference."""
    counts: dict[float, Counter[str]] = {truth: Counter() for truth in design.truths}
    boards = [design.truths] if design.control is not None else [(truth,) for truth in design.truths]
    rng = np.random.default_rng(seed)
    for _ in range(often):
        for truths in boards:
            words = compare(made_up(design, truths, rng)).table.set_index("method")["verdict"]
            for truth in truths:
                counts[truth][str(words[_name(truth)])] += 1
    return counts


def made_up(design: Design, truths: tuple[float, ...], rng: np.random.Generator) -> Results:
    """Return the results of a run whose truth is known."""
    control = {} if design.control is None else {COPIES: design.control}
    gains = {"none": 0.0} | control | {_name(truth): truth for truth in truths}
    sets, draws, k = design.n_datasets, design.n_draws, len(gains)
    effects = rng.exponential(size=(sets, 1, k)) - 1 if design.skewed else rng.normal(size=(sets, 1, k))
    # of the baseline the effect is 0, on every data set
    effects = design.between * effects * (np.arange(k) > 0) + list(gains.values())
    scores = LEVEL + rng.normal(0, LUCK, (sets, draws, 1)) + effects + rng.normal(0, design.draw, (sets, draws, k))
    names = [f"set-{i}" for i in range(sets)]
    index = pd.MultiIndex.from_product([names, range(draws), list(gains)], names=["dataset", "draw", "method"])
    frame = pd.DataFrame({"macro_f1": scores.ravel() / 100}, index=index).reset_index()
    datasets = pd.DataFrame({"dataset": names, "fresh": sets == 1})
    return Results(frame, pd.DataFrame({"method": []}), datasets, {})


def _name(truth: float) -> str:
    return f"method {truth:+g}"


def is_wrong(word: str, truth: float, control: float | None) -> bool:
    """Say whether a word is wrong of a method with this true difference, beside a control with that gain."""
    if word == "harms":
        return truth >= 0
    if word == "equivalent":
        return abs(truth) >= ROPE
    if word == "helps" and control is not None and truth <= control:
        return True
    return word in BETTER and truth <= 0


def findings(design: Design, counts: dict[float, Counter[str]], often: int) -> Iterator[Finding]:
    """Hold the share of each wrong word against what the rule states, at the true difference where it is worst."""
    # the claim, its words, and the true difference at which they ought to be wrong most often
    claims: list[tuple[str, tuple[str, ...], float]] = [
        ("'harms' is said of a method that does no worse than the baseline", ("harms",), 0.0),
        ("'helps', 'as a control does' or 'better' of one that does no better", BETTER, 0.0),
        (f"'equivalent' of one that differs by {ROPE} or more", ("equivalent",), ROPE),
    ]
    if design.control:
        claims.append(("'helps' of one that gains no more than the control", ("helps",), design.control))
    for claim, words, edge in claims:
        wrong = [truth for truth in counts if all(is_wrong(word, truth, design.control) for word in words)]
        hits = {truth: sum(counts[truth][word] for word in words) for truth in wrong}
        worst = max(hits, key=lambda truth: (hits[truth], -abs(truth - edge)))
        name = f"{design.name}: {claim} (at worst, {_points(worst)})"
        yield share_within(name, hits[worst], often, RATE, at_most=True)


def _said(design: Design, counts: dict[float, Counter[str]], often: int) -> Iterator[Finding]:
    """Ask that words are said where they are right: a leaderboard that never said them would never be wrong.

    The differences are ten and more standard errors of the design; the interval of 0 is about ±0.3 points, so that it
    lies within ±0.5 more often than not.
    """
    for word, truth, least in (("harms", min(counts), 95), ("helps", max(counts), 95), ("equivalent", 0.0, 50)):
        share = 100 * counts[truth][word] / often
        claim = f"{design.name}: '{word}' is said of a method whose difference is {_points(truth)}"
        yield Finding(claim, f"at least {least} %", f"{share:.0f} % of {often}", share >= least)


def _as_reckoned(design: Design, counts: dict[float, Counter[str]], often: int) -> Finding:
    """Hold the share of leaderboards that find the largest difference against what `bench power` reckons from a run.

    The run has so many data sets that it tells the spread well.
    """
    truth = max(counts)
    run = made_up(replace(design, n_datasets=TELLING), (truth,), np.random.default_rng(1))
    power = power_of(run, truth, family=1)
    return share_within(
        f"{design.name}: a gain of {_points(truth)} is found as often as 'bench power' reckons from a run of {TELLING} "
        "data sets",
        sum(counts[truth][word] for word in BETTER),
        often,
        round(power.chance(power.typical, design.n_datasets, design.n_draws), 3),
    )


def table(design: Design, counts: dict[float, Counter[str]], often: int) -> Table:
    """Return the share of each word at each true difference."""
    words = [word for word in WORDS if any(count[word] for count in counts.values())]
    rows = tuple(
        (_points(truth), *(f"{100 * count[word] / often:.0f} %" for word in words)) for truth, count in counts.items()
    )
    wrong = {
        (i, j)
        for i, truth in enumerate(counts)
        for j, word in enumerate(words, 1)
        if is_wrong(word, truth, design.control)
    }
    spread = design.spread
    between = f"{spread.fixed:g} points between data sets and " if design.n_datasets > 1 else ""
    note = (
        f"{often} leaderboards, {design.n_draws} draws of each data set; a difference varies by {between}"
        f"{spread.draw:.1f} points between draws (standard deviations)."
    )
    if design.skewed:
        note += (
            " No rate is claimed here: tests and intervals take effects to be symmetric. Where a few data sets have "
            "most of the effect, words are wrong more often."
        )
    title = f"{design.name}: what is said, by the true difference"
    return Table(title, ("truth, points", *words), rows, frozenset(wrong), note)


def _points(truth: float) -> str:
    return signed(truth, 1)
