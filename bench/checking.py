"""``bench check``: runs the check kit over methods, and shows what comes of it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from .. import methods
from ..errors import InputError, unknown_name
from ..methods.checks import Result, all_checks, run_checks
from ..methods.checks.kit import BAD, EXPECTED, FAILED, NOT_APPLICABLE, NOT_RUN, PASSED, UNEXPECTED, checked_names
from ..methods.checks.subject import Subject
from ..methods.checks.worker import stop_worker
from .console import count, err, out
from .device import missing_requirement
from .display import duration
from .plugins import load_plugin

#: what stands in the table of checks × methods; plain letters: a log and every console can show them
SIGNS = {PASSED: "+", FAILED: "F", EXPECTED: "x", UNEXPECTED: "!", NOT_APPLICABLE: "-", NOT_RUN: "?"}
STYLES = {PASSED: "green", FAILED: "bold red", EXPECTED: "yellow", UNEXPECTED: "bold red"}
#: width of the table of checks × methods where the output is no terminal
PLAIN_WIDTH = 160


@dataclass
class Checked:
    """What came of the checks so far.

    Attributes
    ----------
    results : list of Result
    seconds : float
    interrupted : bool
        Whether somebody stopped it.
    """

    results: list[Result] = field(default_factory=list)
    seconds: float = 0.0
    interrupted: bool = False

    @property
    def failed(self) -> bool:
        """Whether a check failed, or passed though it was expected to fail."""
        return any(one.status in BAD for one in self.results)


def subjects_of(given: Iterable[str]) -> list[Subject]:
    """Return the methods that names, groups, plugin files and paths of samplers stand for, each once.

    Raises
    ------
    InputError
        There is no such method, group or file, or a file brings no method.
    """
    names: list[str] = []
    files = [one for one in given if one.endswith(".py")]
    # first, so that a name may be one that a file brings
    brought = {file: load_plugin(file) for file in files}
    for one in given:
        if one in brought:
            if not brought[one]:
                raise InputError(f"plugin {one} brings no method to check")
            names += brought[one]
        elif one in methods.GROUPS:
            names += methods.GROUPS[one]
        elif one in methods.names() or one.endswith(methods.FILTER) or "." in one or ":" in one:
            names.append(one)
        else:
            raise unknown_name("method or group", one, [*methods.GROUPS, *methods.names()])
    return [Subject(name) for name in dict.fromkeys(names)]


def run(subjects: list[Subject], only: list[str]) -> Checked:
    """Run the checks of methods, with a bar on a terminal; Ctrl-C ends it, and what is done is kept."""
    checked_names(only)
    planned = [_planned(one, only) for one in subjects]
    checked, start = Checked(), time.perf_counter()
    try:
        with _progress(sum(planned)) as advance:
            for subject in subjects:
                lacking = missing_requirement(subject.template)
                for result in run_checks(subject, only=only):
                    if result.status == NOT_RUN and lacking:
                        result = Result(result.method, result.check, NOT_RUN, lacking)
                    checked.results.append(result)
                    advance(f"{result.method}: {result.check}")
    except KeyboardInterrupt:
        checked.interrupted = True
        # it may be in the middle of a long fit
        stop_worker()
    checked.seconds = time.perf_counter() - start
    return checked


def _planned(subject: Subject, only: list[str]) -> int:
    return len(only) or sum(subject.kind in one.kinds for one in all_checks())


@contextmanager
def _progress(total: int) -> Iterator[Callable[[str], None]]:
    """Show how many checks are done, and the time left; nothing where nobody looks."""
    if not err.is_terminal:
        yield lambda text: None
        return
    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=err, transient=True) as bar:
        task = bar.add_task("", total=total)
        yield lambda text: bar.update(task, advance=1, description=text)


def matrix(results: list[Result]) -> pd.DataFrame:
    """Return checks × methods: the status and, unless the check passed, why; empty where a check is for other kinds."""
    frame = pd.DataFrame(
        {
            "check": one.check,
            "method": one.method,
            "outcome": one.status if one.status == PASSED else f"{one.status}: {one.message}",
        }
        for one in results
    )
    wide = frame.pivot(index="check", columns="method", values="outcome")
    order = [one.name for one in all_checks() if one.name in wide.index]
    return wide.loc[order, list(dict.fromkeys(frame["method"]))].fillna("")


def show(checked: Checked) -> None:
    """Print what came of the checks: of one method a line for each, of several a table and what is not green."""
    names = list(dict.fromkeys(one.method for one in checked.results))
    if len(names) == 1:
        _print_one(checked.results)
    elif names:
        _print_matrix(checked.results, names)
        _print_not_green(checked.results)
    if checked.interrupted:
        out.print("stopped (Ctrl-C): what was done so far", markup=False)
    tally = Counter(one.status for one in checked.results)
    told = [f"{tally[PASSED]} passed", f"{tally[FAILED]} failed"]
    told += [count(tally[EXPECTED], EXPECTED)] if tally[EXPECTED] else []
    told += [count(tally[UNEXPECTED], UNEXPECTED, "es")] if tally[UNEXPECTED] else []
    told += [f"{tally[one]} {one}" for one in (NOT_APPLICABLE, NOT_RUN) if tally[one]]
    what = f"{count(len(names), 'method')}, {count(len(checked.results), 'check')}"
    out.print(f"{what}: {', '.join(told)}, in {duration(checked.seconds)}", markup=False)


def _print_one(results: list[Result]) -> None:
    reasons = {one.name: one.reason for one in all_checks()}
    table = Table(box=None, header_style="bold", pad_edge=False)
    for i, name in enumerate(("check", "result", "what it asks for, or what was found")):
        table.add_column(name, no_wrap=i < 2, overflow="fold")
    for one in results:
        text = reasons[one.check] if one.status == PASSED else one.message
        table.add_row(one.check, Text(one.status, style=STYLES.get(one.status, "")), Text(text))
    _print_table(table)


def _print_matrix(results: list[Result], names: list[str]) -> None:
    """Print checks × methods: a letter for each, the methods numbered; as many tables as the width asks for."""
    found = {(one.check, one.method): one.status for one in results}
    checks = [one.name for one in all_checks() if any((one.name, name) in found for name in names)]
    width = (out.width if out.is_terminal else PLAIN_WIDTH) - max(map(len, checks)) - 1
    number = len(str(len(names)))
    at_once = max(1, width // (number + 1))
    for first in range(0, len(names), at_once):
        part = names[first : first + at_once]
        rows = [name for name in checks if any((name, method) in found for method in part)]
        table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 1, 0, 0))
        table.add_column("check", no_wrap=True)
        for i in range(len(part)):
            table.add_column(str(first + i + 1), justify="right", no_wrap=True)
        for name in rows:
            statuses = [found.get((name, method), "") for method in part]
            table.add_row(name, *(Text(SIGNS.get(one, ""), style=STYLES.get(one, "")) for one in statuses))
        _print_table(table)
        out.print()
    out.print("  ".join(f"{sign} {status}" for status, sign in SIGNS.items()), markup=False)
    out.print(", ".join(f"{i + 1} {name}" for i, name in enumerate(names)), markup=False)


def _print_not_green(results: list[Result]) -> None:
    """Print a line for each check that failed, or was expected to; one for each method that was not run."""
    for status in (FAILED, UNEXPECTED, EXPECTED):
        for one in results:
            if one.status == status:
                out.print(f"{status}: {one.method}: {one.check}: {one.message}", markup=False)
    for name, message in dict.fromkeys((one.method, one.message) for one in results if one.status == NOT_RUN):
        out.print(f"{NOT_RUN}: {name}: {message}", markup=False)


def _print_table(table: Table) -> None:
    from rich.console import Console

    if out.is_terminal:
        out.print(table, soft_wrap=False)
    else:
        Console(width=400, highlight=False).print(table)


def write(checked: Checked, file: Path) -> None:
    """Write the table of checks × methods as CSV."""
    matrix(checked.results).to_csv(file)
