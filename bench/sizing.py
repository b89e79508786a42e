"""A suite for one's own table that fits the time at hand: what matters most first, measured on a part of the table."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .. import methods as method_registry
from ..datasets.contract import Dataset, DatasetInfo, FiniteDataset, Table
from ..errors import InputError
from . import classifiers as classifier_registry
from .device import missing_requirement
from .display import duration
from .evaluate import DrawCache, evaluate
from .plan import expand, make_plan, method_instance, not_applicable
from .suite import Entry, Suite

#: what a run has at the least: the baseline, what costs nothing, and SMOTE
CORE = ("none", "random-oversampling", "threshold-tuned", "class-weight", "smote")
#: what follows, in this order, as far as the time allows
CHEAP = (
    *("jitter", "prior-shift", "constant-row", "uniform-noise"),
    *("borderline-smote", "adasyn", "kmeans-smote", "svm-smote"),
)
SLOW = ("vae", "ctgan", "cvae", "latent-interpolation", "predictive-vae", "gaussian-copula", "tvae", "autoencoder")
#: numbers of draws: the least, before the cheap methods are added, before the slow ones, and at the most
FEW, SOME, MANY, MOST = 5, 10, 20, 50
#: rows on which costs are measured, and draws
PILOT_ROWS, PILOT_DRAWS = 2000, 5
#: share of the time that is planned for: estimates are rough, and workers have to start
PLANNED = 0.9
#: how the time to make rows grows with them (classifiers: in proportion)
GROWTH = 1.5
#: share of the time that a unit of work may take, else its draws are units of their own
LONGEST_UNIT = 0.1


@dataclass(frozen=True)
class Fixed:
    """What a person chose, so that it is not chosen here.

    Attributes
    ----------
    methods, classifiers, draws : bool
        Whether those of the suite are to be kept. Controls are added to the methods all the same.
    controls : bool
        Whether controls run.
    """

    methods: bool = False
    classifiers: bool = False
    draws: bool = False
    controls: bool = True


@dataclass(frozen=True)
class Sized:
    """A suite, what was left out of it and why, and the seconds that it is expected to take."""

    suite: Suite
    left_out: tuple[str, ...]
    seconds: float


def size_suite(suite: Suite, dataset: FiniteDataset, seconds: float, processes: int, fixed: Fixed) -> Sized:
    """Choose methods, classifiers and draws, so that the run takes no longer than it may.

    The smallest sensible run (`CORE`, one classifier, `FEW` draws) is chosen whatever it takes.

    Parameters
    ----------
    suite : Suite
        Everything else, and what is fixed; parameters of its methods are kept.
    dataset : FiniteDataset
        The table.
    seconds : float
        The time at hand.
    processes : int
        That share it.
    fixed : Fixed
        What is not chosen here.
    """
    start = time.monotonic()
    candidates, left_out = _candidates(suite, dataset, fixed)
    costs = measure(suite, dataset, [entry for stage in candidates for entry in stage])
    choice = _Choice(costs, suite, PLANNED * (seconds - (time.monotonic() - start)), processes)
    core, cheap, slow = candidates
    choice.methods = list(core)
    ordered = sorted(costs.classifiers, key=lambda one: costs.classifiers[one])
    choice.classifiers = list(costs.classifiers) if fixed.classifiers else ordered[:1]
    choice.draws = suite.draws if fixed.draws else FEW
    for name in [] if fixed.classifiers else ordered[1:]:
        # half of the time is for more methods and draws
        choice.try_classifier(name, share=0.5)
    for goal, stage in ((SOME, cheap), (MANY, slow), (MOST, [])):
        choice.try_draws(0 if fixed.draws else goal)
        choice.try_methods(stage)
    entries = {entry.id: entry for entry in costs.entries}
    chosen = suite.model_copy(
        update={
            "methods": tuple(choice.methods),
            "controls": False,
            "classifiers": tuple(entries[name] for name in costs.classifiers if name in choice.classifiers),
            "draws": choice.draws,
            "block": choice.block,
        }
    )
    return Sized(chosen, tuple([*_for_want_of_time(choice), *left_out]), choice.seconds())


def _candidates(
    suite: Suite, dataset: FiniteDataset, fixed: Fixed
) -> tuple[tuple[list[Entry], list[Entry], list[Entry]], list[str]]:
    """Return the methods that could run, in three stages, and why others cannot."""
    own = {entry.id: entry for entry in suite.methods}
    filtered = [entry.name for entry in suite.methods if entry.name.endswith(method_registry.FILTER)]
    asked = expand("method", suite.methods, method_registry, own=filtered) if fixed.methods else []
    stages: list[list[Entry]] = []
    for names in (CORE, CHEAP, SLOW):
        stages.append([own.get(name, Entry(name=name)) for name in names])
    controls = set(method_registry.GROUPS["controls"])
    if fixed.methods:
        wanted = {entry.id for entry in asked}
        stages = [[e for e in stage if e.id in controls and e.id not in wanted] for stage in stages]
        stages[0] += asked
    if not fixed.controls:
        kept = {entry.id for entry in asked} | {"none"}
        stages = [[e for e in stage if e.id not in controls or e.id in kept] for stage in stages]
    reasons: dict[str, list[str]] = {}
    counts = [int(np.floor(n * (1 - suite.test_fraction))) for n in dataset.info.class_counts]
    possible: list[list[Entry]] = []
    for stage in stages:
        possible.append([])
        for entry in stage:
            method = method_instance(entry)
            reason = missing_requirement(method) or _inapplicable(method, dataset.info, suite, counts)
            if reason:
                reasons.setdefault(reason, []).append(entry.id)
            else:
                possible[-1].append(entry)
    left_out = [f"{', '.join(names)}: {reason}" for reason, names in reasons.items()]
    return (possible[0], possible[1], possible[2]), left_out


def _for_want_of_time(choice: _Choice) -> list[str]:
    """Return what did not fit, in one line."""
    names = [f"{name} ({duration(max(1.0, takes))} more)" for name, takes in choice.too_slow.items()]
    planned = f"{duration(choice.seconds())} of {duration(choice.limit)} are planned for"
    return [f"for want of time, {planned}: {', '.join(names)}"] if names else []


def _inapplicable(method: Any, info: DatasetInfo, suite: Suite, counts: list[int]) -> str:
    """Return why a method applies to none of the scenarios."""
    try:
        reasons = [
            not_applicable(method, info, scenario, scenario.training_counts(counts, info), suite.folds)
            for scenario in suite.scenarios
        ]
    except InputError:
        raise
    except ValueError as error:
        raise InputError(f"table {info.name}: {error}") from None
    return reasons[0] if all(reasons) else ""


@dataclass
class _Choice:
    """A choice that grows as long as it fits."""

    costs: Costs
    suite: Suite
    limit: float
    processes: int
    too_slow: dict[str, float] = field(default_factory=dict)
    methods: list[Entry] = field(default_factory=list)
    classifiers: list[str] = field(default_factory=list)
    draws: int = FEW

    def seconds(
        self, methods: list[Entry] | None = None, classifiers: list[str] | None = None, draws: int | None = None
    ) -> float:
        """Return the wall time of the choice, or of one that differs in something."""
        methods, classifiers = methods or self.methods, classifiers or self.classifiers
        each = [self.costs.draw(one.id, classifiers, self.suite.folds) for one in methods]
        scale = (draws or self.draws) * len(self.suite.scenarios)
        return max(scale * sum(each) / self.processes, self.block * max(each))

    @property
    def block(self) -> int:
        """Draws of one unit of work."""
        each = max(self.costs.draw(one.id, self.classifiers, self.suite.folds) for one in self.methods)
        return FEW if FEW * each <= LONGEST_UNIT * self.limit else 1

    def try_classifier(self, name: str, share: float) -> None:
        more = [*self.classifiers, name]
        if (takes := self.seconds(classifiers=more)) <= share * self.limit:
            self.classifiers = more
        else:
            self.too_slow[name] = takes - self.seconds()

    def try_methods(self, entries: Iterable[Entry]) -> None:
        for entry in entries:
            more = [*self.methods, entry]
            if (takes := self.seconds(methods=more)) <= self.limit:
                self.methods = more
            else:
                self.too_slow[entry.id] = takes - self.seconds()

    def try_draws(self, goal: int) -> None:
        """Raise the number of draws towards a goal, as far as it fits."""
        while self.draws < goal and self.seconds(draws=self.draws + FEW) <= self.limit:
            self.draws += FEW


@dataclass(frozen=True)
class Costs:
    """What a draw of the table costs.

    Attributes
    ----------
    entries : list of Entry
        The classifiers.
    classifiers, balanced : dict of str to float
        Seconds to fit each once, to the training rows and to as many of each class.
    rows : dict of str to float
        Seconds in which a method makes the rows of one training set.
    once : dict of str to float
        Seconds of a draw for all else, such as looking at the new rows.
    augmenters : set of str
        The methods that add rows.
    """

    entries: list[Entry]
    classifiers: dict[str, float]
    balanced: dict[str, float]
    rows: dict[str, float]
    once: dict[str, float]
    augmenters: set[str]

    def draw(self, method: str, classifiers: list[str], folds: int) -> float:
        """Return the seconds of one draw of a method with some classifiers, inner folds included."""
        fits = self.balanced if method in self.augmenters else self.classifiers
        each = self.rows.get(method, 0.0) + sum(fits[name] for name in classifiers)
        return (1 + folds) * each + self.once.get(method, 0.0)


def measure(suite: Suite, dataset: FiniteDataset, methods: list[Entry]) -> Costs:
    """Measure on a part of the table what methods and classifiers cost, and scale it up.

    A method that tells its cost (`expected_seconds`) is believed; the others are run, with the cheapest classifier.
    """
    sample = _Sample(dataset)
    ratio = dataset.info.n_rows / sample.info.n_rows
    entries = list(expand("classifier", suite.classifiers, classifier_registry))
    settings = {"draws": PILOT_DRAWS, "block": PILOT_DRAWS, "folds": 0, "controls": False, "trials": 0, "budget": ""}

    def seconds(method: Entry, classifiers: list[Entry]) -> tuple[float, float, dict[str, float]]:
        """Return the seconds to make rows, those of all else, and those to fit each classifier once."""
        update: dict[str, Any] = {"methods": (method,), "classifiers": tuple(classifiers), **settings}
        plan = make_plan(suite.model_copy(update=update), {dataset.info.name: sample})
        units = [unit for unit in plan.units if unit.method.id == method.id]
        if not units:
            return 0.0, 0.0, {}
        cache = DrawCache()
        cache.own = {dataset.info.name: sample}
        found = evaluate(units[0], cache)
        fits = {
            entry.id: max(draw.cells[entry.id].fit_seconds for draw in found.draws)
            for entry in classifiers
            if found.draws and all(entry.id in draw.cells for draw in found.draws)
        }
        made = sum(draw.seconds for draw in found.draws)
        spent = made + sum(sum(cell.fit_seconds for cell in draw.cells.values()) for draw in found.draws)
        return made / PILOT_DRAWS, max(0.0, found.seconds - spent) / PILOT_DRAWS, fits

    none, copies = Entry(name="none"), Entry(name="random-oversampling")
    _, rest, plain = seconds(none, entries)
    _, looking, balanced = seconds(copies, entries)
    fits = {entry.id: plain.get(entry.id, 0.0) * ratio for entry in entries}
    costs = Costs(
        entries,
        fits,
        {name: max(one, balanced.get(name, 0.0) * ratio) for name, one in fits.items()},
        {},
        {},
        {one.id for one in methods if getattr(method_instance(one), "kind", "") == "augmenter"},
    )
    cheapest = min(entries, key=lambda one: fits[one.id])
    train_rows = round(dataset.info.n_rows * (1 - suite.test_fraction))
    for entry in methods:
        told = getattr(method_instance(entry), "expected_seconds", None)
        costs.once[entry.id] = looking if entry.id in costs.augmenters else rest
        if told is not None:
            costs.rows[entry.id] = float(told(train_rows, len(dataset.info.classes)))
        elif entry.id in costs.augmenters:
            costs.rows[entry.id] = seconds(entry, [cheapest])[0] * ratio**GROWTH
    return costs


class _Sample(FiniteDataset):
    """A part of a table, every class in its share."""

    def __init__(self, whole: FiniteDataset) -> None:
        table = whole.load()
        n = len(table.y)
        if n > PILOT_ROWS:
            kept = []
            for code in range(len(whole.info.classes)):
                rows = np.flatnonzero(table.y == code)
                wanted = min(len(rows), max(10, round(len(rows) * PILOT_ROWS / n)))
                kept.append(np.random.default_rng(code).permutation(rows)[:wanted])
            table = table.take(np.sort(np.concatenate(kept)))
        self._table = table
        facts = vars(whole.info) | {
            "class_counts": tuple(np.bincount(table.y, minlength=len(whole.info.classes)).tolist()),
            "content_hash": f"part of {whole.info.content_hash}",
        }
        self._info = DatasetInfo(**facts)

    @property
    def info(self) -> DatasetInfo:
        return self._info

    def load(self) -> Table:
        return self._table


def request_of(suite: Suite, own: dict[str, Dataset], seconds: float, processes: int, fixed: Fixed) -> dict[str, Any]:
    """Return all that decides a choice but the speed of the machine: the same request goes on with the same choice."""
    return {
        "suite": suite.model_dump(mode="json", exclude_defaults=True),
        "table": [dataset.info.content_hash for dataset in own.values()],
        "seconds": seconds,
        "processes": processes,
        "fixed": vars(fixed),
        "methods": [name for name in method_registry.names() if not missing_requirement(method_registry.get(name))],
    }
