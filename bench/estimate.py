"""How long units take: from what was measured, else a rough guess."""

from __future__ import annotations

import heapq
import json
import math
from collections.abc import Callable, Hashable, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from .. import methods as method_registry
from ..errors import InputError
from ..methods.contract import Detector
from .device import requirements
from .plan import Plan, Unit
from .scenario import parse_scenario
from .stored_text import reading_rows

if TYPE_CHECKING:
    from .store import Store

#: seconds below which units are all the same
SHORTEST = 0.1

#: what a unit's definitions say of its method and its dataset
OF_A_CELL = ("method:", "dataset:")


def longest_first(units: Iterable[Unit], estimator: Estimator) -> list[Unit]:
    """Return units in the order in which they are started: dataset by dataset, in each the longest first.

    So no long one is left for the end, when only one worker would have anything to do. Units that take about the same
    time (within a factor of two) stay in their order: those of the same draws share what is prepared of them.
    """
    units = list(units)
    place = {name: i for i, name in enumerate(dict.fromkeys(unit.dataset.id for unit in units))}

    def rank(unit: Unit) -> tuple[int, int]:
        return place[unit.dataset.id], -round(math.log2(max(estimator.seconds(unit), SHORTEST)))

    return sorted(units, key=rank)


def makespan(seconds: Iterable[float], workers: int) -> float:
    """Return when the last unit ends, of some that each take so long and are started in this order.

    Examples
    --------
    >>> makespan([3, 1, 1, 4], 2)
    6
    """
    free: list[float] = [0] * max(1, workers)
    for one in seconds:
        heapq.heapreplace(free, free[0] + one)
    return max(free)


def measured_before(store: Store, plan: Plan) -> list[tuple[str, str, str, int, float]]:
    """Return (method, dataset, scenario, number of draws, seconds) of what is stored and tells how long a plan takes.

    That is what was computed with the same classifiers, unless the plan has a method or a dataset of the same name that
    is another one.
    """
    now = {name: value for unit in plan.units for name, value in unit.definitions.items()}
    query = """SELECT method, dataset, scenario, sum(json_array_length(draws)), sum(seconds), definitions FROM units
               WHERE seconds > 0 GROUP BY method, dataset, scenario, definitions"""
    found = []
    with reading_rows():
        for *measured, text in store.connection.execute(query):
            then = json.loads(text)
            same = all(now.get(name, value) == value for name, value in then.items() if name.startswith(OF_A_CELL))
            if same and _classifiers(then) == _classifiers(now):
                found.append(tuple(measured))
    return found


def _classifiers(definitions: dict[str, str]) -> dict[str, str]:
    """Return the hashes of the classifiers among a unit's."""
    return {name: value for name, value in definitions.items() if name.startswith("classifier:")}


class Cell(NamedTuple):
    """What units that differ in their draws only have in common: the names of a method, a dataset and a scenario."""

    method: str
    dataset: str
    scenario: str


class _Factors:
    """How wrong expected seconds were: for each cell a product of factors, one of each of its levels.

    Parameters
    ----------
    expected : callable
        Returns the seconds that are expected of one draw of a cell.
    levels : callable
        Returns the names, always as many, under which a cell shares factors with others; the last one is its own.
    """

    def __init__(self, expected: Callable[[Cell], float], levels: Callable[[Cell], tuple[Hashable, ...]]) -> None:
        self._expected, self._levels = expected, levels
        self._measured: dict[Cell, list[float]] = {}
        self._factors: list[dict[Hashable, float]] = []
        self._known: dict[Cell, float] = {}

    def learn(self, cell: Cell, draws: int, seconds: float) -> None:
        """Take one measurement into account, from the next fit on."""
        total = self._measured.setdefault(cell, [0.0, 0.0])
        total[0] += draws
        total[1] += seconds

    def fit(self) -> None:
        """Fit the factors: those of each level make up, in sum, for what those before it leave wrong."""
        if not self._measured:
            return
        draws, seconds = np.array(list(self._measured.values())).T
        expected = draws * np.array([self._expected(cell) for cell in self._measured])
        self._factors, self._known = [], {}
        for names in zip(*map(self._levels, self._measured), strict=True):
            place = {name: i for i, name in enumerate(dict.fromkeys(names))}
            code = np.array([place[name] for name in names])
            ratios = np.bincount(code, seconds) / np.bincount(code, expected)
            expected *= ratios[code]
            self._factors.append(dict(zip(place, ratios.tolist(), strict=True)))

    def seconds(self, cell: Cell) -> float:
        """Return the seconds of one draw of a cell."""
        if cell not in self._known:
            levels = zip(self._factors, self._levels(cell), strict=False)
            factor = math.prod(factors.get(name, 1.0) for factors, name in levels)
            self._known[cell] = factor * self._expected(cell)
        return self._known[cell]

    def knows(self, cell: Cell) -> bool:
        """Tell whether anything was measured that shares the first level of a cell."""
        return bool(self._factors) and self._levels(cell)[0] in self._factors[0]


#: guesses for fitting a classifier once to so many rows of so many classes: seconds, on one core; from runs of `quick`
#: and of `sizes` in benchmarks/estimates.py
FITS: dict[str, Callable[[float, int], float]] = {
    "logistic-regression": lambda rows, classes: 0.003 + 1e-6 * rows * classes,
    "one-unit-network": lambda rows, classes: 0.003 + 1e-6 * rows * classes,
    "mlp": lambda rows, classes: 0.003 + 2.5e-5 * rows,
    "random-forest": lambda rows, classes: 0.06 + 8e-5 * rows,
    # in each round one tree, or of more than two classes one for each, of up to 31 leaves of 20 rows
    "hist-gradient-boosting": lambda rows, classes: (
        (classes if classes > 2 else 1) * (0.0026 * min(rows / 20, 31) + 8e-6 * rows)
    ),
}


def _other_fit(rows: float, classes: int) -> float:
    """Guess what fitting any other classifier takes."""
    return 0.05 + 1e-4 * rows


class Estimator:
    """Predicts seconds of units: a guess, times how wrong it was in the past, times how wrong that was in this run.

    How wrong it was is the product of four factors, each from all that was measured under its name: of the kind of
    method, of the method, of the kind on the dataset, of the cell. What was not measured has those that it shares with
    what was. So a method that was slow on one dataset is expected to be slow on the next, and a machine that is slow
    today, or methods with other parameters than in the past, show in all that is left.

    Methods that train networks (they require torch) cost up to hundreds of times what the others cost, and each has a
    cost of its own. So nothing is concluded from one kind on the other, and of a method that tells its cost (see below)
    nothing on another method.

    The guess is made from the classifiers (`FITS`), the folds and the rows that are trained on, real and generated. A
    method may tell its own cost, which is added to that of the classifiers: ``expected_seconds(n_rows: int, n_classes:
    int) -> float``, the seconds it takes to make rows for one training set. A budget takes its place; tuning multiplies
    by the trials. What was measured in the past tells nothing of a suite that has a budget or trials: there it counts
    from its own start.

    Parameters
    ----------
    plan : Plan
        Tells the methods, and the size of each dataset.
    history : iterable
        What `measured_before` returns.
    """

    def __init__(self, plan: Plan, history: Iterable[tuple[str, str, str, int, float]]) -> None:
        self._plan = plan
        self._kinds: dict[str, str] = {}
        self._past = _Factors(self._guess, self._levels)
        self._now = _Factors(self._past.seconds, self._levels)
        for method, dataset, scenario, draws, seconds in () if plan.suite.trials or plan.suite.budget else history:
            # of another dataset it is not known how large it is
            if dataset in plan.infos:
                self._past.learn(Cell(method, dataset, scenario), draws, seconds)
        self._past.fit()

    def learn(self, unit: Unit, seconds: float) -> None:
        """Take one measurement into account, from the next `fit` on."""
        self._now.learn(_cell(unit), len(unit.draws), seconds)

    def fit(self) -> None:
        """Let the estimates follow what was learned; of thousands of cells that takes a while."""
        self._now.fit()

    def seconds(self, unit: Unit) -> float:
        """Return the expected seconds of a unit."""
        return len(unit.draws) * self._now.seconds(_cell(unit))

    def is_guess(self, unit: Unit) -> bool:
        """Say whether nothing was measured that tells how long a unit takes."""
        cell = _cell(unit)
        return not (self._past.knows(cell) or self._now.knows(cell))

    def _levels(self, cell: Cell) -> tuple[Hashable, ...]:
        """Return the names of the factors that a cell has."""
        kind = f"method {cell.method}" if self._own_cost(cell.method) else self._kind(cell.method)
        return kind, cell.method, (kind, cell.dataset), cell

    def _kind(self, method: str) -> str:
        """Return the kind of cost of a method; empty for one that neither the plan nor augbench knows."""
        if method not in self._kinds:
            found = self._plan.methods.get(method)
            try:
                found = found or method_registry.get(method.removesuffix(method_registry.FILTER))
                self._kinds[method] = "neural" if "torch" in requirements(found) else "other"
            except InputError:
                self._kinds[method] = ""
        return self._kinds[method]

    def _own_cost(self, method: str) -> Callable[[int, int], float] | None:
        """Return what tells the cost of a method, or of the one that it wraps."""
        found: Any = self._plan.methods.get(method)
        hooks = (getattr(one, "expected_seconds", None) for one in (found, getattr(found, "augmenter", None)))
        return next(filter(None, hooks), None)

    def _guess(self, cell: Cell) -> float:
        """Return the guess for one draw."""
        suite, n_classes = self._plan.suite, len(self._plan.infos[cell.dataset].classes)
        kind = getattr(self._plan.methods.get(cell.method), "kind", "augmenter")
        real, new = self._rows(cell)
        # a detector takes the place of all classifiers
        names = [one.name for one in suite.classifiers][: 1 if kind == "detector" else None]
        # a fold is trained on fewer rows
        rows = (real + new * (kind == "augmenter")) * max(1, suite.folds) / (1 + suite.folds)
        fits = sum(FITS.get(name, _other_fit)(rows, n_classes) for name in names)
        own = 0.0
        if cost := self._own_cost(cell.method):
            own = self._budgeted(cell.method, float(cost(real, n_classes)), n_classes)
        if suite.trials:
            # every classifier has trials of its own, on the inner folds, and then one fit of everything
            return (suite.trials * suite.folds + 1 + suite.folds) * (fits + len(names) * own)
        return (1 + suite.folds) * (fits + own)

    def _rows(self, cell: Cell) -> tuple[int, int]:
        """Return the number of training rows, and of those that are generated."""
        info = self._plan.infos[cell.dataset]
        share = 1.0 if cell.dataset in self._plan.fresh else 1 - self._plan.suite.test_fraction
        counts = [round(share * count) for count in info.class_counts]
        scenario = parse_scenario(cell.scenario)
        # a scenario of the past may ask for more rows than there are
        with suppress(ValueError):
            counts = scenario.training_counts(counts, info)
        return sum(counts), sum(scenario.wanted(np.array(counts)).values())

    def _budgeted(self, method: str, own: float, n_classes: int) -> float:
        """Return what one training set costs a method within the suite's budget, given what it costs without."""
        kind, _, amount = self._plan.suite.budget.partition("=")
        found: Any = self._plan.methods.get(method)
        steps = getattr(getattr(found, "augmenter", found), "steps", None)
        if not kind or not steps:
            return own
        if kind == "seconds":
            return float(amount)
        # all classes but the largest get rows
        counts = dict.fromkeys(range(max(1, n_classes - 1)), 1)
        networks = 1 if isinstance(found, Detector) else max(1, found.n_networks(counts))
        return own * int(amount) / (networks * steps)


def _cell(unit: Unit) -> Cell:
    """Return a unit's cell."""
    return Cell(unit.method.id, unit.dataset.id, unit.scenario.id)
