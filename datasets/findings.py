"""What an inspection of a table says: one fact that touches what scores on it mean."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

#: how much a finding touches the scores, the gravest first; of the first two a run warns
SEVERITIES = ("serious", "warning", "note")

#: every kind of finding, in words
KINDS = {
    "leak": "gives the class away",
    "mark": "gives a part of a class away",
    "id": "id",
    "stray-words": "words among numbers",
    "beside-marks": "beside columns that give the class away",
    "duplicates": "duplicate rows",
    "contradictions": "equal rows of different classes",
    "small-class": "small class",
    "constant": "constant column",
    "missing": "missing cells",
}


@dataclass(frozen=True)
class Finding:
    """One finding.

    Attributes
    ----------
    kind : str
        A key of `KINDS`.
    severity : str
        One of `SEVERITIES`: ``"serious"``: scores would say nothing of the question; ``"warning"``: they mean
        something else than they seem to; ``"note"``: good to know.
    columns : tuple of str
        The columns that it is about; empty where it is about rows.
    message : str
        What was found, in one line.
    advice : str
        What to do, in one line.
    rows : int
        How many rows (of missing values: cells) it is about; 0 where it is about whole columns.
    """

    kind: str
    severity: str
    columns: tuple[str, ...]
    message: str
    advice: str = ""
    rows: int = 0

    @property
    def of_substance(self) -> bool:
        """Whether a run warns of it."""
        return self.severity != "note"

    def as_dict(self) -> dict[str, Any]:
        """Return it as a JSON-like value, for the store; ``words`` is its kind in words."""
        return asdict(self) | {"columns": list(self.columns), "words": KINDS[self.kind]}


def by_severity(findings: Iterable[Finding]) -> list[Finding]:
    """Return findings in order: the gravest first, then by kind."""
    kinds = list(KINDS)
    return sorted(findings, key=lambda one: (SEVERITIES.index(one.severity), kinds.index(one.kind)))


def listed(columns: Iterable[str], most: int = 8) -> str:
    """Return ``column 'a'``, ``columns 'a', 'b'``, or the first ones and how many more."""
    names = list(columns)
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return f"column{'s' if len(names) > 1 else ''} " + ", ".join(f"'{name}'" for name in names[:most]) + more


def drop_options(columns: Iterable[str], most: int = 8) -> str:
    """Return the options that leave columns out of a run, at most some of them."""
    names = list(columns)
    return " ".join(f"--drop {shlex.quote(name)}" for name in names[:most]) + (" …" if len(names) > most else "")


def number_of(number: int, noun: str) -> str:
    """Return a number with its noun, e.g. ``1 row``, ``1,200 rows``."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def percent(share: float, decimals: int = 1) -> str:
    """Return a share as, e.g., ``29.8 %``."""
    return f"{100 * share:.{decimals}f} %"
