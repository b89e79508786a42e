"""The command line. Commands import what they need when they run, so that ``--help`` is instant."""

from __future__ import annotations

import io
import os
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import InputError, unknown_name
from ..threads import variables
from .augment_command import augment
from .check_command import check
from .console import Places, count, err, out, print_table
from .datasets_command import datasets_app
from .figures_command import figures
from .inspect_command import inspect
from .leaderboard_command import leaderboard
from .options import MetricOption, OutOption, PluginOption, StoreOption, SuiteOption
from .power_command import power
from .profile_command import profile
from .reproduce_command import reproduce
from .run_command import run
from .selftest_command import selftest
from .store_command import store_app

if TYPE_CHECKING:
    import pandas as pd

    from .listing import Listing
    from .store import Store

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
new_app = typer.Typer(no_args_is_help=True, help="Write a template to start from.")
app.add_typer(datasets_app, name="datasets")
app.add_typer(new_app, name="new")
app.add_typer(store_app, name="store")
app.command()(run)
app.command()(check)
datasets_app.command()(inspect)
app.command()(augment)
app.command()(leaderboard)
app.command()(power)
app.command()(profile)
app.command()(figures)
app.command()(reproduce)
app.command()(selftest)


def main() -> None:
    """Run the command line: exit code 0, 1 (some units failed), 2 (bad input) or 130 (Ctrl-C)."""
    # before any library with threads is loaded: one thread per process, the same bits however many processes
    os.environ.update(variables(1))
    for stream in (sys.stdout, sys.stderr):
        # a console that has no Δ shows ?, and the run goes on
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        app()
        sys.stdout.flush()
    except InputError as error:
        err.print(f"error: {error}", markup=False)
        sys.exit(2)
    except BrokenPipeError:
        # the reader of our output is gone (bench list | head)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)


def _print_version(asked: bool) -> None:
    if asked:
        from .. import __version__

        out.print(f"augbench {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """Find out which data augmentation, if any, helps on imbalanced and few-shot classification.

    Start with **bench run**: it computes the suite *quick* (a few minutes, offline) and writes a leaderboard.
    """


@app.command("list")
def list_(
    what: Annotated[str, typer.Argument(help="methods, datasets, classifiers, suites or metrics.")],
    name: Annotated[str | None, typer.Argument(help="A method, NAME or NAME+gc: show its parameters.")] = None,
    plugin: PluginOption = None,
) -> None:
    """List what there is, a line each: methods, datasets, classifiers, suites or metrics.

    `bench list methods NAME` tells what a method is, and its parameters with their defaults.
    """
    from .listing import LISTINGS, describe_method
    from .plugins import load_all

    load_all(plugin)
    if what not in LISTINGS:
        raise unknown_name("list", what, LISTINGS)
    if name is None:
        listing = LISTINGS[what]()
        _print_listing(listing)
        if listing.note:
            out.print(listing.note, markup=False)
        return
    if what != "methods":
        raise InputError(f"only methods can be asked for by name; found 'bench list {what} {name}'")
    listing = describe_method(name)
    out.print(f"{listing.note}\n", markup=False, highlight=False)
    if listing.rows:
        _print_listing(listing)
    else:
        out.print("no parameters")


def _print_listing(listing: Listing) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, header_style="bold", pad_edge=False)
    for i, column in enumerate(listing.columns):
        table.add_column(column, no_wrap=i == 0, overflow="fold")
    for row in listing.rows:
        table.add_row(*map(Text, row))
    print_table(table)


@app.command()
def status(store: StoreOption = None, out_dir: OutOption = None) -> None:
    """Show the runs of a store: done, failed, left; and who writes to it. Works while a run goes on."""
    from rich.table import Table
    from rich.text import Text

    from .display import duration
    from .printing import print_warnings
    from .report import distinct_warnings
    from .store import Store
    from .writer_lock import writer_of

    with Store(Places(store, out_dir).store) as reader:
        columns = ("units", "done", "failed", "left", "with warnings", "compute time of all processes")
        table = Table("run", "suite", "started", *columns, box=None)
        for one in reader.runs():
            left = one["units"] - one["done"] - one["failed"]
            spent = duration(reader.totals(one["id"])["seconds"])
            numbers = [one["units"], one["done"], one["failed"], left, len(reader.warnings(one["id"]))]
            table.add_row(
                str(one["id"]), Text(one["suite"]), one["started"][:16].replace("T", " "), *map(str, numbers), spent
            )
        out.print(table)
        run = reader.runs()[0] if table.row_count else None
        for method, dataset, scenario, draws, message in reader.failures(run["id"]) if run else []:
            out.print(f"failed: {method} · {dataset} · {scenario} · draws {draws}: {message}", markup=False)
        print_warnings(distinct_warnings(reader, run["id"]) if run else [])
        if writer := writer_of(reader.path):
            out.print(f"being written by {writer}", markup=False)


@app.command()
def export(
    file: Annotated[Path, typer.Argument(help="What to write: .csv or .parquet (all rows), .tex (the table).")],
    what: Annotated[str, typer.Option(help="scores, or training (the curves that --training-curves kept).")] = "scores",
    suite: SuiteOption = None,
    metric: MetricOption = "macro_f1",
    store: StoreOption = None,
    out_dir: OutOption = None,
) -> None:
    """Write the scores or training curves of a run as CSV or Parquet, or its table as LaTeX."""
    from ..leaderboard.export import replace_file, to_latex, write_parts, write_table
    from ..leaderboard.tables import compare
    from .report import results_of, score_parts
    from .store import Store

    if what not in ("scores", "training"):
        raise unknown_name("table to export", what, ("scores", "training"))
    if what == "training" and file.suffix == ".tex":
        raise InputError(f"cannot export training curves to {file}: the name must end in .csv or .parquet")
    if file.suffix not in (".csv", ".parquet", ".tex"):
        raise InputError(f"cannot export to {file}: the name must end in .csv, .parquet or .tex")
    if not file.resolve().parent.is_dir():
        raise InputError(f"cannot export to {file}: there is no folder {file.resolve().parent}")
    with Store(Places(store, out_dir).store) as reader:
        if what == "training":
            write_table(_training_curves(reader, suite), file)
        elif file.suffix == ".tex":
            replace_file(file, to_latex(compare(results_of(reader, suite), metric=metric)).encode())
        else:
            # reading ends before the store is closed, also where writing fails half way
            with closing(score_parts(reader, suite)) as parts:
                write_parts(parts, file)
    out.print(f"written: {file.resolve()}", markup=False)


def _training_curves(store: Store, suite: str | None) -> pd.DataFrame:
    curves = store.training_curves(store.find_run(suite)["id"])
    if curves.empty:
        raise InputError(
            f"store {store.path} has no training curves of this run: 'bench run --training-curves' keeps them, "
            "of units that are not stored yet"
        )
    return curves


@app.command()
def merge(
    into: Annotated[Path, typer.Argument(help="The store that grows (made if it does not exist).")],
    sources: Annotated[list[Path], typer.Argument(help="Stores to take results from.")],
) -> None:
    """Merge stores. Results of different definitions (code, data, versions) are never mixed."""
    from contextlib import ExitStack

    from .store import Store

    with ExitStack() as stack:
        others = [(source, stack.enter_context(Store(source))) for source in sources]
        store = stack.enter_context(Store(into, write=True))
        for source, other in others:
            new, known, damaged = store.merge(other)
            out.print(f"{source}: {count(new, 'new unit')}, {known} known", markup=False)
            if damaged:
                err.print(
                    f"warning: {source}: {count(damaged, 'unit')} left out, whose rows are not what was stored: "
                    f"'bench store check --store {source}' says which",
                    markup=False,
                )
        runs = store.runs()
    if runs:
        out.print(
            f"merged: {into.resolve()}; its leaderboard: bench leaderboard{Places(into, None).options}", markup=False
        )


@new_app.command("method")
def new_method(
    name: Annotated[str, typer.Argument(help="Its name, e.g. my-method.")],
    folder: Annotated[Path, typer.Option("--folder", help="Where to write it.")] = Path(),
) -> None:
    """Write a working method and its test, to be changed into your own."""
    from .template import write_method

    method, test = write_method(name, folder)
    out.print(f"written: {method} and {test}", markup=False)
    out.print(f"check it: bench check {method}   (and test it: python -m pytest {test})", markup=False)
    out.print(f"try it:  bench run smoke --plugin {method} --methods {name}", markup=False)
