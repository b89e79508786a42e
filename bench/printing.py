"""What the command line prints of a plan and of a run's outcome."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from ..errors import InputError
from .console import Places, count, err, out
from .display import duration
from .report import Warned, is_current, results_of
from .store import FAILED_BY_AUDIT, Store

if TYPE_CHECKING:
    from .estimate import Estimator
    from .plan import Plan, Unit

#: lines of failures, and of warnings, after a run; `bench status` shows them all
MOST_LINES = 10


def show(places: Places, suite: str | None, metric: str, *, rebuild: bool, quiet: bool) -> None:
    """Write the site of a run, if it is not the one that is there, and print its table and its warnings.

    Raises
    ------
    InputError
        The site cannot be written; what there is to print is printed before.
    """
    from ..leaderboard.site import INDEX, render_site, write_files
    from ..leaderboard.tables import compare

    with Store(places.store) as store:
        results = results_of(store, suite)
    index = places.site / INDEX
    comparison = compare(results, metric=metric)
    # what is in memory now stays to the end: a collection for each of hundreds of figures need not look through it
    gc.freeze()
    unwritten: InputError | None = None
    if rebuild or not is_current(index, results, metric):
        files = render_site(results, metric, comparison)
        try:
            write_files(files, places.site)
        except InputError as error:
            unwritten = InputError(f"{error}; another place: --out FOLDER")
    if not quiet:
        from ..leaderboard.terminal import render

        out.print(render(comparison, out.width))
    print_warnings(results.run["warnings"], most=MOST_LINES)
    if comparison.answer:
        out.print(comparison.answer.headline if quiet else f"\nAnswer: {comparison.answer}\n", markup=False)
    if unwritten:
        raise unwritten
    out.print(f"leaderboard: {index.resolve()}", markup=False)


def print_warnings(warned: list[Warned], most: int | None = None) -> None:
    """Print a line for each distinct warning of methods and classifiers, with its units and methods."""
    for one in warned[:most]:
        methods = sorted(one["methods"].items(), key=lambda item: -item[1])
        whose = ", ".join(f"{method} {units}" for method, units in methods[:5])
        more = f" and {count(len(methods) - 5, 'more method')}" if len(methods) > 5 else ""
        units = count(sum(one["methods"].values()), "unit")
        err.print(f"warning: {units} ({whose}{more}): {one['message']}", markup=False)
    if most is not None and len(warned) > most:
        err.print(f"warning: {count(len(warned) - most, 'more distinct warning')}: see 'bench status'", markup=False)


def print_failures(failures: list[tuple[str, str, str, str, str]], units: int) -> None:
    """Print the first failures of a run, a line for all that are alike, and how many there are."""
    alike: dict[str, int] = {}
    for method, dataset, scenario, _, message in failures:
        line = f"{method} · {dataset} · {scenario}: {message}"
        alike[line] = alike.get(line, 0) + 1
    for line, number in list(alike.items())[:MOST_LINES]:
        err.print(f"failed: {line}" + (f" ({number} units)" if number > 1 else ""), markup=False)
    if len(alike) > MOST_LINES:
        err.print(f"… and {len(alike) - MOST_LINES} more: see 'bench status'", markup=False)
    audited = sum(message.startswith(FAILED_BY_AUDIT) for *_, message in failures)
    more = f" ({audited} of them by the audit: for those with --audit, too)" if audited else ""
    err.print(f"{len(failures)} of {units} units have failed cells; try again with --retry-failed{more}")


def print_not_run(plan: Plan) -> None:
    """Print a line for each reason why cells are not run."""
    for status in ("not run", "not applicable"):
        methods: dict[tuple[str, str], list[str]] = {}
        for one in plan.exclusions:
            if one.status == status:
                methods.setdefault((one.dataset, one.reason), []).append(one.method)
        datasets: dict[tuple[str, str], list[str]] = {}
        for (dataset, reason), names in methods.items():
            who = "all methods" if len(set(names)) == len(plan.methods) else ", ".join(dict.fromkeys(names))
            datasets.setdefault((who, reason), []).append(dataset)
        for (who, reason), names in datasets.items():
            where = "all datasets" if 1 < len(names) == len(plan.infos) else ", ".join(names)
            out.print(f"{status}: {who} on {where}: {reason}", markup=False)


def print_plan(
    plan: Plan, units: list[Unit], standing: tuple[list[Unit], int, int], estimator: Estimator, processes: int
) -> None:
    """Print a line for each dataset and scenario: units, how many are done, how long the rest takes.

    Parameters
    ----------
    plan : Plan
        The plan.
    units : list of Unit
        Those that are to be computed here.
    standing : tuple
        What `run.units_to_run` returns of them.
    estimator : Estimator
        Guesses the time.
    processes : int
        Number of worker processes; 0 where it is not known.
    """
    todo, done, failed = standing
    left = {unit.key for unit in todo}
    time = "estimated" if processes else "estimated, by one worker"
    table = Table("dataset", "scenario", "units", "done", "to compute", time, box=None, header_style="bold")
    cells: dict[tuple[str, str], list[Unit]] = {}
    for unit in units:
        cells.setdefault((unit.dataset.id, unit.scenario.id), []).append(unit)
    for (dataset, scenario), members in cells.items():
        open_units = [unit for unit in members if unit.key in left]
        seconds = sum(map(estimator.seconds, open_units)) / max(1, processes)
        row = (len(members), len(members) - len(open_units), len(open_units))
        table.add_row(Text(dataset), scenario, *map(str, row), duration(seconds))
    out.print(table)
    print_not_run(plan)
    total = sum(map(estimator.seconds, todo)) / max(1, processes)
    where = count(processes, "process", "es") if processes else "one worker"
    guessed = list(dict.fromkeys(unit.method.id for unit in todo if estimator.is_guess(unit)))
    if todo and all(map(estimator.is_guess, todo)):
        basis = "a rough guess: nothing like it was measured yet"
    else:
        basis = "from stored times" + (f"; of {', '.join(guessed)} a rough guess" if guessed else "")
    out.print(
        f"{len(units)} units, {done} done, {failed} failed, {len(todo)} to compute: about {duration(total)} on "
        f"{where} ({basis})",
        markup=False,
    )
