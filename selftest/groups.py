"""The groups of claims, in the order in which they are put to the test."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module

from ..bench.outcome import describe
from ..bench.plugins import load_plugin
from .claim import Finding, Table
from .workbench import PLANTED, Workbench

#: the module of each group -> what it shows
GROUPS = {
    "null": "Where there is nothing to find, nothing is found more often than stated",
    "gain": "A gain that is known is found, in its size",
    "harm": "Harm that is known is found, in its size",
    "trivial": "Rows without knowledge that gain are exposed by the controls",
    "threshold": "What only moves the decision threshold gains nothing at the tuned one",
    "leaks": "Methods that look for test rows, in these ways, find none, or are reported and gain nothing",
    "failures": "A draw that fails is a tie, and gains no more than that",
    "order": "The order of methods, data sets, columns, rows and workers decides nothing",
    "metrics": "The metrics are those of scikit-learn, and of their formulas",
    "words": "Each word of the leaderboard is wrong no more often than its rule states",
}


@dataclass(frozen=True)
class Group:
    """What was found of a group of claims.

    Attributes
    ----------
    name, title, how : str
        A key of `GROUPS`, what it shows, and how: what the docstring of its module says below its first line.
    findings : tuple of Finding
        At least one.
    seconds : float
        What it took.
    tables : tuple of Table
        Numbers behind the findings.
    """

    name: str
    title: str
    findings: tuple[Finding, ...]
    seconds: float
    tables: tuple[Table, ...] = ()
    how: str = ""

    @property
    def passed(self) -> bool:
        """Whether all that was expected was found."""
        return all(one.passed for one in self.findings)


def run_groups(bench: Workbench, names: list[str] | None = None) -> Iterator[Group]:
    """Put groups of claims to the test, and yield what was found of each.

    A group that cannot be put to the test has failed, with its error; the others go on.
    """
    load_plugin(PLANTED)
    for name in names or list(GROUPS):
        start = time.monotonic()
        module = import_module(f".{name}", __package__)
        check: Callable[[Workbench], Iterator[Finding | Table]] = module.check
        findings: list[Finding] = []
        tables: list[Table] = []
        try:
            for one in check(bench):
                if isinstance(one, Table):
                    tables.append(one)
                else:
                    findings.append(one)
        except Exception as error:
            findings.append(Finding("the group can be put to the test", "no error", describe(error), False))
        how = " ".join((module.__doc__ or "").partition("\n")[2].split())
        yield Group(name, GROUPS[name], tuple(findings), time.monotonic() - start, tuple(tables), how)
