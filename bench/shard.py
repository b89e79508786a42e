"""Shards: a run in parts on machines that have no network in common, each with a store of its own."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..errors import InputError
from ..provenance import digest
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

        The blocks of draws of a method on a dataset are dealt to the parts in turn. Where the first one goes is a hash
        of the names, so that it depends on nothing else: not on what a machine has measured, nor on what it lacks.
        """
        return [unit for unit in plan.units if (_first(unit) + _block(unit, plan)) % self.of == self.number - 1]


def _first(unit: Unit) -> int:
    return int(digest([unit.method.id, unit.dataset.id, unit.scenario.id])[:8], 16)


def _block(unit: Unit, plan: Plan) -> int:
    return unit.draws[0] // plan.suite.block


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
