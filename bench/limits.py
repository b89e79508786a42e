"""What a unit may take: seconds, memory, threads."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from ..errors import InputError

_SECONDS = {"s": 1, "m": 60, "h": 3600}
_BYTES = {"m": 2**20, "g": 2**30, "t": 2**40}


@dataclass(frozen=True)
class UnitLimits:
    """What a unit may take; no limit by default.

    Attributes
    ----------
    seconds : float
        Wall time.
    memory : float
        Bytes of resident memory of the process that computes it, and of the processes that this one has started.
    threads : int
        Of BLAS, OpenMP and torch, see `augbench.threads`.
    """

    seconds: float = math.inf
    memory: float = math.inf
    threads: int = 1

    @property
    def any(self) -> bool:
        """Whether one ends a unit."""
        return min(self.seconds, self.memory) < math.inf


NO_LIMITS = UnitLimits()


def parse_time(text: str, option: str = "--time") -> float:
    """Return the seconds of ``90s``, ``10m`` or ``2h``.

    Examples
    --------
    >>> parse_time("1.5m")
    90.0
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smh])", text.strip().lower())
    if not found or not float(found[1]):
        raise InputError(f"{option} {text}: write a number with s, m or h, such as 90s, 10m or 2h")
    return float(found[1]) * _SECONDS[found[2]]


def parse_memory(text: str, option: str = "--unit-memory") -> float:
    """Return the bytes of ``500MB`` or ``2GB`` (powers of 1024; the B may be left out).

    Examples
    --------
    >>> parse_memory("2GB") == 2 * 1024**3
    True
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([mgt])(i?b)?", text.strip().lower())
    if not found or not float(found[1]):
        raise InputError(f"{option} {text}: write a number with MB or GB, such as 500MB or 2GB")
    return float(found[1]) * _BYTES[found[2]]


def memory_words(size: float) -> str:
    """Return bytes in words, e.g. ``2 GB``."""
    return f"{size / 2**30:.3g} GB" if size >= 2**30 else f"{size / 2**20:.3g} MB"
