"""The command ``bench datasets inspect``."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import InputError
from .console import out
from .options import EncodingOption

if TYPE_CHECKING:
    from ..datasets.hygiene import Inspection
    from ..datasets.raw import RawTable

_STYLES = {"serious": "bold red", "warning": "yellow", "note": "dim"}
#: files that ``bench run --data`` reads
_RUN_READS = (".csv", ".tsv", ".parquet", ".arff")
#: classes, columns with gaps and strong columns that are printed
_MOST_LINES = 10


def inspect(
    name: Annotated[str, typer.Argument(help="A dataset (bench list datasets), or the file of a table.")],
    target: Annotated[
        str | None, typer.Option(help="Of a file: the column of the class; its number where there is no header.")
    ] = None,
    drop: Annotated[list[str] | None, typer.Option(help="Of a file: a column to leave out; repeatable.")] = None,
    no_header: Annotated[
        bool, typer.Option("--no-header", help="The first line holds values; columns are called 1, 2, 3 and so on.")
    ] = False,
    encoding: EncodingOption = "",
    out_dir: Annotated[Path | None, typer.Option("--out", help="Folder for a picture (SVG).")] = None,
    plugin: Annotated[
        list[str] | None, typer.Option("--plugin", help="File or module with datasets; repeatable.")
    ] = None,
) -> None:
    """Look a dataset or a file over before it is benchmarked: what would make its scores mean something else.

    Classes and their balance, missing cells, constant columns, duplicate rows (also across classes), columns that look
    like ids, and columns that give the class away, each with what to do about it. A file is taken as it stands: nothing
    is refused that can be read.

    Examples: `bench datasets inspect gene`, `bench datasets inspect loans.csv --target default --out look`,
    `bench datasets inspect glass.data --no-header --target 11`.
    """
    from ..datasets.hygiene import inspect as look_over
    from .plugins import load_all

    load_all(plugin)
    given, title = _read(name, target, drop or [], encoding, no_header)
    found = look_over(given.X, given.y, given.classes, given.without_class)
    _print(found, title)
    if target is None:
        _print_left_out(name)
    elif not no_header and Path(name).suffix.lower() in _RUN_READS:
        _print_next(found, name, [*(["--encoding", encoding] if encoding else []), "--target", target], drop or [])
    if out_dir is not None:
        from .inspect_picture import write_picture

        try:
            out_dir.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"cannot write to {out_dir}: {error.strerror or error}") from None
        path = write_picture(found, Path(name).name, out_dir / f"inspect-{Path(name).stem}.svg")
        out.print(f"\nwritten: {path.resolve()}", markup=False)


def _read(name: str, target: str | None, drop: list[str], encoding: str, no_header: bool) -> tuple[RawTable, str]:
    """Return the rows of a file or a dataset, and what they are in words."""
    from .. import datasets
    from ..datasets.contract import FiniteDataset, MissingDataError
    from ..datasets.raw import RawTable, read_raw

    if name not in datasets.names() and (Path(name).suffix or Path(name).exists()):
        if not Path(name).exists():
            raise InputError(f"there is no file {name}")
        if target is None:
            raise InputError(f"{name} is a file: name the column of the class with --target")
        title = f"{name}, class in column '{target}'"
        return read_raw(name, target, drop, header=not no_header, encoding=encoding), title
    if target is not None or drop or no_header or encoding:
        raise InputError(f"--target, --drop, --encoding and --no-header go with a file, and '{name}' is none")
    dataset = datasets.make(name)
    if not isinstance(dataset, FiniteDataset):
        raise InputError(f"dataset '{name}' is simulated, every draw a fresh one: there is nothing to inspect")
    try:
        table = dataset.load()
    except MissingDataError as error:
        raise InputError(str(error)) from None
    return RawTable(table.X, table.y, dataset.info.classes), f"{name}: {dataset.info.description}"


def _print(found: Inspection, title: str) -> None:
    """Print an inspection: the size, the classes, the gaps, what was found, the strongest columns."""
    from ..datasets.findings import KINDS, number_of
    from .inspect_picture import strongest, suspects

    def say(line: str = "", style: str | None = None) -> None:
        out.print(line, style=style, markup=False)

    say(title, "bold")
    say(
        f"{number_of(found.n_rows, 'row')}, {number_of(found.n_columns, 'column')} beside the class "
        f"({found.n_numeric} of numbers, {found.n_categorical} of text or categories)"
    )
    _print_classes(found)
    if found.missing:
        say("\nmissing cells")
        _print_bars({name: cells / found.n_rows for name, cells in found.missing.items()}, found.missing)
    say("\nfindings" if found.findings else "\nfindings: none")
    for one in found.findings:
        say(f"  {one.severity.upper()}: {KINDS[one.kind]}", _STYLES[one.severity])
        say(f"    {one.message}")
        if one.advice:
            say(f"    → {one.advice}")
    chance = 1 / len(found.classes)
    say(f"\nstrongest single columns (balanced accuracy of a column alone, cross-validated; chance is {chance:.2f})")
    top = strongest(found, 5)
    room = max(map(len, top))
    for name, value in top.items():
        say(f"  {name:<{room}}  {value:.3f}{'  gives (part of) a class away' if name in suspects(found) else ''}")


def _print_left_out(name: str) -> None:
    """Print the columns of a registered dataset's file that are never read, and why."""
    from ..datasets.sources import sources

    source = sources().get(name)
    if source is None or not source.layout.drop:
        return
    out.print("\nleft out of its file whenever it is read")
    room = max(map(len, source.layout.drop))
    for column, why in source.layout.drop.items():
        out.print(f"  {column:<{room}}  {why}", markup=False)


def _print_next(found: Inspection, file: str, options: list[str], drop: list[str]) -> None:
    """Print the command that benchmarks a file without the columns that were found."""
    kinds = ("leak", "mark", "beside-marks", "id", "constant")
    bad = dict.fromkeys([*drop, *(name for one in found.findings if one.kind in kinds for name in one.columns)])
    new = set(bad) - set(drop)
    if len(new) == found.n_columns:
        out.print("\nwithout them no column is left: there is nothing to learn from", markup=False)
    elif new:
        command = ["bench", "run", "--data", file, *options, *(part for n in bad for part in ("--drop", n))]
        out.print(f"\nwithout them: {shlex.join(command)}", markup=False)


def _print_classes(found: Inspection) -> None:
    rows = sorted(zip(found.classes, found.class_counts, strict=True), key=lambda one: -one[1])
    out.print(
        f"\nclasses (balance {found.balance:.2f}: 1 is equally many rows of each, near 0 is nearly all in one)",
        markup=False,
    )
    _print_bars({label: number / found.n_rows for label, number in rows}, dict(rows))


def _print_bars(shares: dict[str, float], numbers: dict[str, int]) -> None:
    """Print a line with a bar for each name, at most some."""
    names = list(shares)[:_MOST_LINES]
    room, digits = max(map(len, names)), len(f"{max(numbers.values()):,}")
    for name in names:
        bar = "█" * max(1, round(30 * shares[name]))
        line = f"  {name:<{room}}  {numbers[name]:>{digits},}  {100 * shares[name]:5.1f} %  {bar}"
        out.print(line, markup=False)
    if len(shares) > len(names):
        out.print(f"  and {len(shares) - len(names)} more", markup=False)
