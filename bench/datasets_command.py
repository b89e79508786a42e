"""The commands ``bench datasets …``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import InputError, unknown_name
from .console import count, err, out

if TYPE_CHECKING:
    from ..datasets.sources import Source
    from .suite import Suite

datasets_app = typer.Typer(no_args_is_help=True, help="Get datasets that do not come with augbench, and check them.")

_WIDTH = 80
#: a group this large is one line, unless it is asked for
_MANY = 30


@datasets_app.command("fetch")
def fetch_dataset(
    names: Annotated[list[str] | None, typer.Argument(help="Datasets or groups, e.g. proben1.")] = None,
    suite: Annotated[str | None, typer.Option("--suite", help="All datasets of this suite (name or file).")] = None,
) -> None:
    """Download datasets to the cache, checked against their SHA-256. `AUGBENCH_DATA` is looked at first.

    What cannot be fetched is told at the end, and the exit code is 1; the rest is fetched all the same.
    """
    from .suite import load_suite

    wanted = expand_names(names or [])
    if suite is not None:
        wanted += files_of(load_suite(suite))
    elif not names:
        raise InputError("name datasets or groups to fetch, or a suite with --suite")
    failures = fetch_all(dict.fromkeys(wanted))
    if failures:
        raise typer.Exit(1)


def expand_names(names: Iterable[str]) -> list[str]:
    """Return the datasets that names of datasets and groups stand for.

    Raises
    ------
    InputError
        There is no such dataset or group.
    """
    from .. import datasets

    names = list(names)
    for given in names:
        if given not in datasets.GROUPS and given not in datasets.names():
            raise unknown_name("dataset or group", given, [*datasets.GROUPS, *datasets.names()])
    return [member for given in names for member in datasets.GROUPS.get(given, [given])]


def fetch_all(names: Iterable[str]) -> int:
    """Fetch datasets one after another, an archive that several share once; return how many failed.

    Each one's file, or why it could not be fetched, is printed.
    """
    from ..datasets.fetch import fetch, shelf

    names = list(names)
    if len(names) == 1:
        # a misspelt use of a single dataset is an error like any other
        out.print(f"{names[0]}: {fetch(names[0], progress=out.is_terminal)}", markup=False)
        return 0
    problems = []
    with shelf() as archives:
        for name in names:
            try:
                out.print(f"{name}: {fetch(name, out.is_terminal, archives)}", markup=False)
            except InputError as error:
                problems.append(str(error))
    for problem in problems:
        err.print(f"error: {problem}", markup=False)
    return len(problems)


def files_of(suite: Suite) -> list[str]:
    """Return the datasets of a suite that are read from files of the table of sources, registered names."""
    from .. import datasets
    from ..datasets.sources import sources
    from .plan import expand

    entries = expand("dataset", suite.datasets, datasets)
    return list(dict.fromkeys(one.name for one in entries if one.name in sources() and sources()[one.name].file))


def fetch_missing(suite: Suite) -> None:
    """Fetch what a suite needs and is not on this machine; what cannot be fetched is told and will be "not run"."""
    missing = [name for name in files_of(suite) if _state(name) == "missing"]
    if len(missing) == 1:
        try:
            fetch_all(missing)
        except InputError as error:
            err.print(f"error: {error}", markup=False)
    elif missing:
        fetch_all(missing)


@datasets_app.command("add")
def add_dataset(
    name: Annotated[str, typer.Argument(help="The dataset, e.g. give-me-some-credit.")],
    file: Annotated[Path, typer.Argument(help="Its file, or a zip archive that holds it.")],
) -> None:
    """Copy a file that you have into the cache, once it has been checked: by its SHA-256, else by its counts.

    For datasets whose licence does not allow that they are passed on, and for machines without a network.
    """
    from ..datasets.fetch import add

    out.print(f"{name}: {add(name, file)}", markup=False)


@datasets_app.command("list")
def list_datasets(
    names: Annotated[list[str] | None, typer.Argument(help="Datasets or groups; by default all.")] = None,
) -> None:
    """List the datasets that are read from files: what is here, the licence, and how to get the rest."""
    from .. import datasets
    from ..datasets.sources import sources

    asked = [name for name in expand_names(names or datasets.names()) if name in sources() and sources()[name].file]
    if not asked:
        raise InputError(f"{', '.join(names or [])}: nothing there is read from files")
    states = {name: _state(name) for name in asked}
    rows: list[tuple[str, str, str, str, str]] = []
    for group, members in datasets.GROUPS.items():
        listed = [name for name in members if name in states]
        if len(listed) > _MANY and not names:
            rows.append(_group_row(group, listed, states))
        else:
            rows += [_row(sources()[name], states[name]) for name in listed]
    _print_table(("dataset", "state", "rows", "size", "licence"), rows)
    _print_ways({name: state for name, state in states.items() if state not in ("here", "wrong")})
    for name in asked:
        if states[name] == "wrong":
            err.print(f"error: {_problem(name)}", markup=False)


@datasets_app.command("check")
def check_datasets(
    names: Annotated[list[str] | None, typer.Argument(help="Datasets or groups; by default all that are here.")] = None,
    plugin: Annotated[
        list[str] | None, typer.Option("--plugin", help="File or module with datasets; repeatable.")
    ] = None,
) -> None:
    """Check that datasets are what they say: counts, kinds of columns, the same rows each time; exit code 1 if not.

    In pytest: `from augbench.datasets.checks import parametrize_datasets`.
    """
    from ..datasets.checks import check_dataset, present
    from ..datasets.contract import MissingDataError
    from .plugins import load_all

    load_all(plugin)
    wrong = 0
    for name in expand_names(names) if names else present():
        try:
            check_dataset(name)
        except MissingDataError as error:
            verdict = f"not here: {error}"
        except InputError as error:
            wrong += 1
            verdict = f"WRONG: {error}"
        else:
            verdict = "ok"
        out.print(f"{name}: {verdict}", markup=False)
    if wrong:
        raise typer.Exit(1)


def _state(name: str) -> str:
    """Return ``"here"``, ``"missing"`` (can be fetched), ``"bring"``, ``"package"`` or ``"wrong"``."""
    from ..datasets import make
    from ..datasets.contract import FiniteDataset, MissingDataError
    from ..datasets.sources import sources

    dataset = make(name)
    try:
        if isinstance(dataset, FiniteDataset):
            dataset.check_present()
    except MissingDataError:
        source = sources()[name]
        if source.package:
            return "package"
        return "bring" if source.obtain else "missing"
    except InputError:
        return "wrong"
    return "here"


def _problem(name: str) -> str:
    from ..datasets import make
    from ..datasets.contract import FiniteDataset

    dataset = make(name)
    try:
        if isinstance(dataset, FiniteDataset):
            dataset.check_present()
    except InputError as error:
        return str(error)
    return ""


def _row(source: Source, state: str) -> tuple[str, str, str, str, str]:
    return source.name, state, f"{source.rows:,}", _size(source.size), source.licence


def _group_row(group: str, members: list[str], states: dict[str, str]) -> tuple[str, str, str, str, str]:
    """Return the line of a group that has too many members to be listed unasked."""
    from ..datasets.sources import sources

    here = sum(states[name] == "here" for name in members)
    first = sources()[members[0]]
    state = "here" if here == len(members) else f"{here} here" if here else states[members[0]]
    size = _size(sum(sources()[name].size for name in members))
    return f"{group} ({len(members)} sets)", state, "", size, first.licence


def _size(size: int) -> str:
    if not size:
        return "?"
    return f"{size / 1e6:,.1f} MB" if size >= 1e5 else f"{max(1, round(size / 1e3))} kB"


def _print_table(columns: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    """Print aligned columns within 80 characters; the last column is wrapped."""
    import textwrap

    widths = [max(len(row[i]) for row in (columns, *rows)) for i in range(len(columns) - 1)]
    right = {"rows", "size"}
    room = max(12, _WIDTH - sum(widths) - 2 * len(widths))
    for number, row in enumerate((columns, *rows)):
        cells = [
            cell.rjust(width) if column in right else cell.ljust(width)
            for cell, width, column in zip(row[:-1], widths, columns[:-1], strict=True)
        ]
        lines = textwrap.wrap(row[-1], room) or [""]
        out.print(f"{'  '.join(cells)}  {lines[0]}", markup=False, style="bold" if number == 0 else None)
        for line in lines[1:]:
            out.print(" " * (sum(widths) + 2 * len(widths)) + line, markup=False)


def _print_ways(states: dict[str, str]) -> None:
    """Say how to get what is not here."""
    import textwrap

    from ..datasets.fetch import how_to_get
    from ..datasets.sources import sources

    said: dict[str, None] = {}
    if fetched := [name for name, state in states.items() if state == "missing"]:
        said[f"missing ({count(len(fetched), 'set')}): bench datasets fetch NAME, or a group, or --suite NAME"] = None
    for name, state in states.items():
        if state == "bring" and sources()[name].folder:
            said[f"bring {name}: {how_to_get(sources()[name])}"] = None
        elif state == "bring":
            said[f"bring {name}: {sources()[name].obtain}; then: bench datasets add {name} FILE"] = None
        elif state == "package":
            said[f"package: {how_to_get(sources()[name])}"] = None
    if said:
        out.print("")
    for line in said:
        out.print("\n".join(textwrap.wrap(line, _WIDTH, subsequent_indent="  ", break_on_hyphens=False)), markup=False)
