"""Shards: a run in parts on machines that have no network in common, each with a store of its own."""

from __future__ import annotations

import heapq
import re
from dataclasses import dataclass

from ..errors import InputError
from .estimate import Estimator
from .plan import Plan, Unit


@dataclass(frozen=True)
class Shard:
    """One of several parts of a run; the same plan gives the same parts on every machine.

    Attributes
    ----------
    number, of : int
        The part, counted from 1, and how many there are.
    """

    number: int
    of: int

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"

    @property
    def file_name(self) -> str:
        """Name of its store."""
        return f"shard-{self.number}-of-{self.of}.sqlite"

    def units(self, plan: Plan) -> list[Unit]:
        """Return the units of this part, in the order of the plan.

        The next longest unit always goes to the part that has least to do, by the first guess: what a store has
        learned differs from machine to machine.
        """
        guess = Estimator(plan, ())
        loads = [(0.0, number) for number in range(1, self.of + 1)]
        own = set()
        for unit in sorted(plan.units, key=lambda one: (-guess.seconds(one), one.key)):
            seconds, number = loads[0]
            heapq.heapreplace(loads, (seconds + guess.seconds(unit), number))
            if number == self.number:
                own.add(unit.key)
        return [unit for unit in plan.units if unit.key in own]


def parse_shard(text: str) -> Shard:
    """Return the shard that ``3/10`` names.

    Examples
    --------
    >>> parse_shard("3/10")
    Shard(number=3, of=10)
    """
    found = re.fullmatch(r"\s*(\d+)\s*/\s*(\d+)\s*", text)
    if not found or not 1 <= int(found[1]) <= int(found[2]):
        raise InputError(f"--shard {text}: write K/N, the K-th of N parts, such as 3/10")
    return Shard(int(found[1]), int(found[2]))
