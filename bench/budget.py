"""Equal budgets: every method that trains something gets the same gradient steps, or the same time, per training set.

``"steps=N"``: N gradient steps in total, dealt equally to the networks that the method trains for a training set.
``"seconds=S"``: S seconds of wall time; how many steps that is is measured on the unit's own training sets. What a
machine reaches in a second is never the same twice, so these results cannot be reproduced bit by bit; the steps are
kept with the effort.

The parameter `steps` of a method is set: the gradient steps of each of its networks. A budget wins over `steps` and
`epochs` in the suite. A method without that parameter (SMOTE, the controls, what is kept as published) runs as it is.
Inner folds get the steps of the whole.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from ..methods.contract import Detector
from ..progress import listening
from .augment import augment_wholes
from .detect import detect_wholes
from .plan import Unit, method_instance, takes_steps
from .prepare import PreparedDraw

#: steps of the second run that is measured (the first has one), and how many times more each further one has
FIRST, GROWTH = 8, 4
#: two runs tell what a step costs if they differ by this share of the time
ENOUGH = 0.1
#: a method whose time hardly depends on its steps gets no more than these
MOST = 10**6


def within_budget(
    unit: Unit, prepared: list[PreparedDraw], clock: Callable[[], float] = time.perf_counter
) -> list[dict[str, Any]]:
    """Return for each draw the parameters of the unit's method that its budget decides; none without a budget.

    Parameters
    ----------
    unit : Unit
        The unit.
    prepared : list of PreparedDraw
        Draws that are trained together. Of a budget of time each has an equal share of what all of them take.
    clock : callable, optional
        Seconds.
    """
    if not unit.budget or not takes_steps(unit.method):
        return [{} for _ in prepared]
    kind, _, amount = unit.budget.partition("=")
    if kind == "seconds":
        seconds = float(amount) * len(prepared)
        steps = steps_in(seconds, lambda steps: _trains(unit, steps, prepared), clock)
        return [{"steps": steps} for _ in prepared]
    method = method_instance(unit.method)
    return [{"steps": max(1, int(amount) // _networks(unit, method, one))} for one in prepared]


def steps_in(seconds: float, train: Callable[[int], bool], clock: Callable[[], float] = time.perf_counter) -> int:
    """Measure how many steps a method trains in some seconds.

    The steps grow until two runs differ by a tenth of the seconds. The line through the two gives what it costs to
    start and what a step costs.

    Parameters
    ----------
    seconds : float
        Wall time of a run.
    train : callable
        Trains for so many steps, and tells whether that worked; if it does not, the run itself will say why.
    clock : callable, optional
        Seconds.

    Returns
    -------
    int
        At least 1, even where starting alone takes longer.
    """
    # the first time loads libraries
    if not train(1):
        return 1

    def measure(steps: int) -> float:
        before = clock()
        train(steps)
        return clock() - before

    short = measure(1)
    steps, longer = FIRST, measure(FIRST)
    while longer - short < ENOUGH * seconds and longer < seconds and steps < MOST:
        steps *= GROWTH
        longer = measure(steps)
    cost = (longer - short) / (steps - 1) if longer > short else longer / steps
    if cost <= 0:
        return MOST
    start = max(0.0, longer - steps * cost)
    return int(np.clip((seconds - start) / cost, 1, MOST))


def _networks(unit: Unit, method: Any, one: PreparedDraw) -> int:
    """Return how many networks a method trains for a draw; at least 1."""
    if isinstance(method, Detector):
        return 1
    return max(1, method.n_networks(unit.scenario.wanted(np.bincount(one.draw.train.y))))


def _trains(unit: Unit, steps: int, prepared: list[PreparedDraw]) -> bool:
    """Train a unit's method for so many steps on its draws; tell whether that worked for any of them."""
    method = method_instance(unit.method.with_params({"steps": steps}))
    with listening(lambda *_: None), warnings.catch_warnings():
        # few steps are warned of
        warnings.simplefilter("ignore")
        if isinstance(method, Detector):
            outcomes: list[Any] = list(detect_wholes(unit, method, prepared))
        else:
            outcomes = list(augment_wholes(unit, method, prepared))
    return not all(isinstance(one, BaseException) for one in outcomes)
