"""A run within a time: its suite is sized once, and the same command goes on with it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from ..datasets.contract import Dataset, FiniteDataset
from ..errors import InputError
from .console import Places, count, out
from .display import duration
from .limits import parse_time
from .plan import Plan, make_plan
from .sizing import Fixed, Sized, request_of, size_suite
from .store import Store
from .suite import Suite, validate_suite


@dataclass(frozen=True)
class Limit:
    """The time of a run.

    Attributes
    ----------
    seconds : float
        What it may take.
    deadline : float
        When no unit is started any more, on `time.monotonic`.
    left_out : tuple of str
        What was left out for it, with the reasons.
    request : dict
        What was asked for, see `request_of`.
    """

    seconds: float
    deadline: float
    left_out: tuple[str, ...]
    request: dict[str, Any]

    def fits(self, seconds: float) -> bool:
        """Tell whether something that takes so long may still be started; a little over the time is let pass."""
        left = self.deadline - time.monotonic()
        return left > 0 and seconds <= left + 0.1 * self.seconds

    def info(self, suite: Suite) -> dict[str, Any]:
        """Return what the store keeps, so that the same command finds the same suite."""
        kept = {"request": self.request, "suite": suite.model_dump(mode="json", exclude_defaults=True)}
        return {"left_out": list(self.left_out), "sized": kept}


def sized(
    suite: Suite, own: dict[str, Dataset], text: str, fixed: Fixed, places: Places, processes: int
) -> tuple[Suite, Limit]:
    """Return the suite that fits a time, and the limit that starts to run now.

    A suite that was sized before, by the same command for the same table, is found in the store.

    Raises
    ------
    InputError
        The time cannot be read, or there is no table of one's own, or the suite is tuned or has a budget.
    """
    start = time.monotonic()
    seconds = parse_time(text)
    if not own:
        raise InputError(
            "--time sizes a run of your own table: name it with --data FILE. A suite has its own size: --draws, "
            "--methods and --datasets make it smaller"
        )
    for option, value in (("--tune", suite.trials), ("--budget", suite.budget)):
        if value:
            raise InputError(f"--time does not know what {option} {value} costs: use one of the two")
    request = request_of(suite, own, seconds, processes, fixed)
    found = _found(places, request)
    if found is None:
        dataset = next(iter(own.values()))
        assert isinstance(dataset, FiniteDataset)
        found = size_suite(suite, dataset, seconds, processes, fixed)
    return found.suite, Limit(seconds, start + seconds, found.left_out, request)


def _found(places: Places, request: dict[str, Any]) -> Sized | None:
    """Return what was chosen for the same request before."""
    if not places.store.is_file():
        return None
    with Store(places.store) as store:
        for run in store.runs():
            kept = run["info"].get("sized")
            if kept and kept["request"] == request:
                return Sized(validate_suite(kept["suite"], "in the store"), tuple(run["info"]["left_out"]), 0.0)
    return None


def print_left_out(limit: Limit) -> None:
    """Print what was left out, and why."""
    for line in limit.left_out:
        out.print(f"left out: {line}", markup=False)


def shown_plan(plan: Plan, own: dict[str, Dataset], limit: Limit, statuses: dict[str, str]) -> tuple[Plan, str]:
    """Return the plan to be shown when the time is up, and what is left of the whole one, in words.

    It has as many draws as all methods have that were reached at all: the leaderboard compares over the same draws.
    What is left of it are methods that were never reached.

    Parameters
    ----------
    plan, own
        The whole plan, and its table.
    limit : Limit
        The time that was up.
    statuses : dict of str to str
        Status of the stored units, by key.

    Raises
    ------
    InputError
        The baseline was not reached.
    """
    left = [unit for unit in plan.units if unit.key not in statuses]
    if not left:
        return plan, ""
    draws = {
        method: min(_complete(plan, method, scenario.id, statuses) for scenario in plan.suite.scenarios)
        for method in dict.fromkeys(unit.method.id for unit in plan.units)
    }
    if not draws.get("none"):
        raise InputError(
            f"the baseline 'none' was not reached within {duration(limit.seconds)}: start again, or give more time"
        )
    fewest = min(filter(None, draws.values()))
    words = f"time is up ({duration(limit.seconds)}): {count(len(left), 'unit')} of {len(plan.units)} are left"
    return plan if fewest == plan.suite.draws else make_plan(
        plan.suite.model_copy(update={"draws": fewest}), own
    ), words


def _complete(plan: Plan, method: str, scenario: str, statuses: dict[str, str]) -> int:
    """Return how many draws of a method are stored, from the first on without a gap."""
    draws = 0
    for unit in plan.units:
        if (unit.method.id, unit.scenario.id) != (method, scenario):
            continue
        if unit.key not in statuses:
            break
        draws += len(unit.draws)
    return draws
