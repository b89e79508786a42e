"""How long units take: from what was measured, else a rough guess."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

from .. import methods as method_registry
from ..errors import InputError
from ..methods.contract import Detector
from .device import requirements
from .plan import Plan, Unit

#: seconds below which units are all the same
SHORTEST = 0.1


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


class Estimator:
    """Predicts seconds of units.

    Methods that train networks (they require torch) cost up to hundreds of times what the others cost, and each has a
    cost of its own. So nothing is concluded from one kind on the other. Best known first:

    - what was measured of the same cell;
    - of a method that tells its cost (see below): its rough guess, scaled by how wrong it was where this method was
      measured;
    - of the others: what was measured of the same kind on the same dataset and scenario, or on the dataset; else the
      guess, scaled by how wrong it was on all that was measured of the kind.

    The guess is made from the number of classifiers, folds and rows. A method may tell its own cost, which is added to
    that of the classifiers: ``expected_seconds(n_rows: int, n_classes: int) -> float``, the seconds it takes to make
    rows for one training set. A budget takes its place; tuning multiplies by the trials. What was measured in the past,
    with whatever settings, tells nothing of a suite that has a budget or trials: there it counts from its own start.

    Parameters
    ----------
    plan : Plan
        Tells the methods, and the size of each dataset.
    history : iterable
        What `Store.unit_seconds` returns.
    """

    #: guess for fitting one classifier once: so many seconds, and so many for each training row; linear ones take less
    FIT, FIT_ROW, LINEAR_ROW = 0.05, 2e-4, 1e-5
    LINEAR = ("logistic-regression", "one-unit-network")

    def __init__(self, plan: Plan, history: Iterable[tuple[str, str, str, int, float]]) -> None:
        self._plan = plan
        self._sums: dict[tuple[str, ...], list[float]] = {}
        self._kinds: dict[str, str] = {}
        for method, dataset, scenario, draws, seconds in () if plan.suite.trials or plan.suite.budget else history:
            self._learn(method, dataset, scenario, draws, seconds)

    def learn(self, unit: Unit, seconds: float) -> None:
        """Take one measurement into account."""
        self._learn(unit.method.id, unit.dataset.id, unit.scenario.id, len(unit.draws), seconds)

    def seconds(self, unit: Unit) -> float:
        """Return the expected seconds of a unit."""
        key = self._basis(unit)
        draws = len(unit.draws)
        if len(key) > 1:
            measured_draws, seconds = self._sums[key]
            return draws * seconds / measured_draws
        guessed, measured = self._sums.get(key, (1.0, 1.0))
        return self._guess(unit.method.id, unit.dataset.id, draws) * measured / guessed

    def is_guess(self, unit: Unit) -> bool:
        """Say whether nothing was measured that tells how long a unit takes."""
        return self._basis(unit) not in self._sums

    def _basis(self, unit: Unit) -> tuple[str, ...]:
        """Return the key of the sums that the estimate is made from; the guess is scaled by those of a single name."""
        method, dataset, scenario = unit.method.id, unit.dataset.id, unit.scenario.id
        own, kind = f"method {method}", self._kind(method)
        shared = [(kind, dataset, scenario), (kind, dataset)]
        for key in [(own, dataset, scenario), *([] if self._own_cost(method) else shared)]:
            if key in self._sums:
                return key
        return (own,) if self._own_cost(method) else (kind,)

    def _learn(self, method: str, dataset: str, scenario: str, draws: int, seconds: float) -> None:
        own, kind = f"method {method}", self._kind(method)
        guess = self._guess(method, dataset, draws)
        keys = [(own, dataset, scenario), (own,)]
        if kind:
            keys += [(kind, dataset, scenario), (kind, dataset), (kind,)]
        for key in keys:
            total = self._sums.setdefault(key, [0.0, 0.0])
            total[0] += draws if len(key) > 1 else guess
            total[1] += seconds

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

    def _guess(self, method: str, dataset: str, draws: int) -> float:
        suite, info = self._plan.suite, self._plan.infos.get(dataset)
        rows = info.n_rows if info else 1000
        # a detector takes the place of all classifiers
        names = [one.name for one in suite.classifiers]
        names = names[:1] if isinstance(self._plan.methods.get(method), Detector) else names
        models = len(names)
        fits = sum(self.FIT + (self.LINEAR_ROW if name in self.LINEAR else self.FIT_ROW) * rows for name in names)
        own = 0.0
        if info and (cost := self._own_cost(method)):
            train_rows = rows if dataset in self._plan.fresh else round(rows * (1 - suite.test_fraction))
            own = self._budgeted(method, float(cost(train_rows, len(info.classes))), len(info.classes))
        if suite.trials:
            # every classifier has trials of its own, on the inner folds, and then one fit of everything
            return draws * (suite.trials * suite.folds + 1 + suite.folds) * (fits + models * own)
        return draws * (1 + suite.folds) * (fits + own)

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
