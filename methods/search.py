"""What tuning may try: ranges of parameters, declared by methods and classifiers without any tuner at hand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Whole:
    """Whole numbers from `low` to `high`, both included; with `log` small ones are tried as often as large ones."""

    low: int
    high: int
    log: bool = False


@dataclass(frozen=True)
class Real:
    """Real numbers from `low` to `high`; with `log` small ones are tried as often as large ones."""

    low: float
    high: float
    log: bool = False


@dataclass(frozen=True)
class Choice:
    """One of some values."""

    values: tuple[Any, ...]


#: what a parameter may be tuned over
Range = Whole | Real | Choice
