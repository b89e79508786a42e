"""Runs suites for the self-test as `bench run` runs them: suite, plan, engine, store, results."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import typer

from ..bench.audit import audit_suite
from ..bench.console import Places
from ..bench.job import Manner, compute_suite
from ..bench.limits import NO_LIMITS, UnitLimits
from ..bench.plugins import load_all
from ..bench.report import results_of
from ..bench.store import Store
from ..bench.suite import validate_suite
from ..datasets.contract import Dataset
from ..leaderboard.results import Results

#: the plugin with the planted methods
PLANTED = "augbench.selftest.planted"


class Workbench:
    """Where the claims of the self-test are put to the test.

    Parameters
    ----------
    folder : pathlib.Path
        For the stores: what is in one is not computed again.
    jobs : int
        Worker processes; 0 is one per core.
    full : bool
        Whether there is time for many repetitions.
    say : callable
        Told in a line what is being done.
    """

    def __init__(self, folder: Path, jobs: int = 0, full: bool = False, say: Callable[[str], None] = print) -> None:
        self.folder, self.jobs, self.full, self.say = folder, jobs, full, say

    def often(self, usual: int, full: int) -> int:
        """Return a number of repetitions: the second one with ``--full``."""
        return full if self.full else usual

    def run(
        self,
        name: str,
        *,
        own: Mapping[str, Dataset] | None = None,
        limits: UnitLimits = NO_LIMITS,
        jobs: int | None = None,
        plugins: Sequence[str] = (),
        audit: bool = False,
        **settings: Any,
    ) -> Results:
        """Run a suite into a store of its own, and return its results.

        Parameters
        ----------
        name : str
            Of the suite and of its store.
        own : mapping, optional
            Tables of one's own, by name.
        limits, jobs
            As of ``bench run``; by default no limits, and the jobs of the workbench.
        plugins : sequence of str
            Beside the one with the planted methods.
        audit : bool
            As of ``bench run``.
        **settings
            What a suite file says. Without being told, no controls, one classifier (logistic regression) and no
            inner folds.
        """
        usual = {"controls": False, "folds": 0, "classifiers": ["logistic-regression"], "scenarios": ["full"]}
        suite = validate_suite({"name": name, **usual, **settings}, f"self-test {name}")
        store = self.folder / f"{name}.sqlite"
        manner = Manner(self.jobs if jobs is None else jobs, quiet=True, site=False, limits=limits)
        self.say(f"running {name}")
        more = [PLANTED, *plugins]
        load_all(more)
        try:
            compute_suite(suite, dict(own or {}), more, Places(store, None), manner)
            if audit:
                audit_suite(suite, own or {}, more, Places(store, None), manner)
        except typer.Exit as stopped:
            # Ctrl-C, which has been told of
            raise KeyboardInterrupt from stopped
        with Store(store) as reader:
            return results_of(reader, name)
