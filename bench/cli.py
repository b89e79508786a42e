"""The command line. Commands import what they need when they run, so that ``--help`` is instant."""

from __future__ import annotations

import io
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from ..errors import InputError, unknown_name

if TYPE_CHECKING:
    from ..datasets.contract import Dataset
    from .plan import Plan
    from .store import Store
    from .suite import Entry, Suite

DEFAULT_OUT = Path("augbench-results")

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
datasets_app = typer.Typer(no_args_is_help=True, help="Get datasets that do not come with augbench.")
new_app = typer.Typer(no_args_is_help=True, help="Write a template to start from.")
app.add_typer(datasets_app, name="datasets")
app.add_typer(new_app, name="new")

out = Console(soft_wrap=True, highlight=False)
err = Console(stderr=True, soft_wrap=True, highlight=False)

StoreOption = Annotated[
    Path | None, typer.Option("--store", help="Results file (SQLite).", show_default="store.sqlite in --out")
]
OutOption = Annotated[
    Path | None,
    typer.Option("--out", help="Folder for the leaderboard.", show_default="the store's, else augbench-results"),
]
SuiteOption = Annotated[
    str | None, typer.Option("--suite", help="Newest run of this suite.", show_default="newest run")
]
PluginOption = Annotated[
    list[str] | None, typer.Option("--plugin", help="File or module with methods or datasets; repeatable.")
]
MetricOption = Annotated[str, typer.Option("--metric", help="Metric that orders the methods.")]


def main() -> None:
    """Run the command line: exit code 0, 1 (some units failed), 2 (bad input) or 130 (Ctrl-C)."""
    # before any library with threads is loaded: one thread per process, the same bits however many processes
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = "1"
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


@app.command()
def run(
    suite: Annotated[
        str, typer.Argument(help="Name of a built-in suite (bench list suites) or a TOML file.")
    ] = "quick",
    methods: Annotated[
        str | None, typer.Option(help="Methods or groups instead of the suite's, comma-separated; controls always run.")
    ] = None,
    controls: Annotated[bool | None, typer.Option(help="Whether all controls run beside the methods.")] = None,
    datasets: Annotated[str | None, typer.Option(help="Datasets or groups, comma-separated.")] = None,
    scenario: Annotated[
        list[str] | None,
        typer.Option(
            "--scenario",
            "--scenarios",
            help="full, imbalance:keep=0.05, imbalance:count=20 or few-shot:shots=5,generate=5; repeatable.",
        ),
    ] = None,
    classifiers: Annotated[str | None, typer.Option(help="Classifiers, comma-separated.")] = None,
    draws: Annotated[int | None, typer.Option(min=1, help="Draws of each dataset and scenario.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Root of all random numbers.")] = None,
    data: Annotated[
        Path | None, typer.Option(help="Your own table (CSV, Parquet, ARFF), run instead of the suite's datasets.")
    ] = None,
    target: Annotated[str | None, typer.Option(help="Its target column.")] = None,
    drop: Annotated[list[str] | None, typer.Option(help="A column of it to leave out; repeatable.")] = None,
    plugin: PluginOption = None,
    store: StoreOption = None,
    out_dir: OutOption = None,
    jobs: Annotated[
        int, typer.Option("--jobs", "-j", min=0, help="Worker processes; 0 = one per core. Scores do not depend on it.")
    ] = 0,
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Compute failed units again.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the plan and what is done; compute nothing.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print only the end result and errors.")] = False,
) -> None:
    """Compute a suite, store every result, write the leaderboard.

    The same command goes on where it stopped: what is stored is not computed again.

    Examples: `bench run`, `bench run simulated --draws 20`, `bench run my_suite.toml`,
    `bench run --data loans.csv --target default`, `bench run --plugin my_method.py --methods my-method`.
    """
    from .suite import load_suite, validate_suite

    _load_plugins(plugin)
    if data and datasets:
        raise InputError("--data runs your own table instead of the suite's datasets: leave --datasets out")
    chosen = load_suite(suite)
    own = _own_table(data, target, drop)
    changes: dict[str, Any] = {
        "methods": _entries(methods, chosen.methods),
        "controls": controls,
        "datasets": list(own) or _entries(datasets, chosen.datasets),
        "scenarios": scenario or (["full"] if own else None),
        "classifiers": _entries(classifiers, chosen.classifiers),
        "draws": draws,
        "seed": seed,
        "name": next(iter(own), None),
        "description": f"One's own table, {data}" if own else None,
    }
    changes = {key: value for key, value in changes.items() if value is not None}
    if changes:
        chosen = validate_suite(chosen.model_dump(exclude_defaults=True) | changes, f"{suite} with these options")
    _execute(chosen, own, plugin or [], _Places(store, out_dir), _Manner(jobs, retry_failed, dry_run, quiet))


class _Places:
    """Where things are written."""

    def __init__(self, store: Path | None, out_dir: Path | None) -> None:
        self.out_dir = out_dir or (store.parent if store else DEFAULT_OUT)
        self.store = store or self.out_dir / "store.sqlite"


class _Manner:
    """How a run is done."""

    def __init__(self, jobs: int, retry_failed: bool, dry_run: bool, quiet: bool) -> None:
        self.jobs = (
            jobs or len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else jobs or os.cpu_count() or 1
        )
        self.retry_failed = retry_failed
        self.dry_run = dry_run
        self.quiet = quiet


def _execute(suite: Suite, own: dict[str, Dataset], plugins: list[str], places: _Places, manner: _Manner) -> None:
    from .display import duration
    from .plan import make_plan
    from .run import Estimator, units_to_run
    from .store import Store

    plan = make_plan(suite, own)
    if not plan.units:
        why = "; ".join(sorted({f"{one.dataset}: {one.reason}" for one in plan.exclusions}))
        raise InputError(f"suite {suite.name} has nothing to run: {why}")
    if manner.dry_run:
        _print_plan(plan, Store(places.store) if places.store.is_file() else None, manner)
        return
    with Store(places.store, write=True) as store:
        todo, done, failed = units_to_run(plan, store, retry_failed=manner.retry_failed)
        if not manner.quiet:
            estimator = Estimator(plan, store.unit_seconds())
            guess = f", about {duration(sum(map(estimator.seconds, todo)) / manner.jobs)}" if todo else ""
            stored = f", {done + failed} stored before" if done + failed else ""
            out.print(
                f"suite {suite.name}: {_count(len(plan.methods), 'method')} × {_count(len(plan.infos), 'dataset')} × "
                f"{_count(len(suite.scenarios), 'scenario')} × {_count(len(suite.classifiers), 'classifier')} × "
                f"{_count(suite.draws, 'draw')}, in {_count(len(plan.units), 'unit')} of work{stored}, "
                f"{len(todo)} to compute on {_count(manner.jobs, 'process', 'es')}{guess}",
                markup=False,
            )
            _print_not_run(plan)
        _save_run(store, plan)
        if todo:
            _compute(plan, todo, (done, failed), store, own, plugins, manner)
    with Store(places.store) as reader:
        run = reader.find_run(suite.name)
        failures = reader.failures(run["id"])
    if any(one[0] == "none" for one in failures) and not _has_baseline(places, suite.name):
        _print_failures(failures, run["units"])
        err.print("every unit of the baseline 'none' failed, so there is nothing to compare with: no leaderboard")
        raise typer.Exit(1)
    _show(places, suite.name, "macro_f1", rebuild=False, quiet=manner.quiet)
    if failures:
        _print_failures(failures, run["units"])
        raise typer.Exit(1)


def _has_baseline(places: _Places, suite: str) -> bool:
    """Tell whether the baseline has any score."""
    from .store import Store

    with Store(places.store) as reader:
        run = reader.find_run(suite)
        scores = reader.scores(run["id"], run["info"]["classifiers"], run["info"]["draws"])
    return bool(((scores["method"] == "none") & (scores["status"] == "ok")).any())


def _print_failures(failures: list[tuple[str, str, str, str, str]], units: int) -> None:
    for method, dataset, scenario, _, message in failures[:10]:
        err.print(f"failed: {method} · {dataset} · {scenario}: {message}", markup=False)
    err.print(f"{len(failures)} of {units} units have failed cells; try again with --retry-failed")


def _count(number: int, noun: str, plural: str = "s") -> str:
    return f"{number} {noun}" + (plural if number != 1 else "")


def _save_run(store: Store, plan: Plan) -> None:
    from .report import run_info

    store.save_run(plan, run_info(plan, " ".join([Path(sys.argv[0]).name, *sys.argv[1:]])))


def _compute(
    plan: Plan,
    todo: list[Any],
    stored: tuple[int, int],
    store: Store,
    own: dict[str, Dataset],
    plugins: list[str],
    manner: _Manner,
) -> None:
    from .display import display_on
    from .engine import make_engine
    from .run import Progress, execute

    # a batch system that takes the machine back sends SIGTERM: stop as on Ctrl-C
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    engine = make_engine(manner.jobs, len(todo), own, plugins)
    progress = Progress(len(plan.units), *stored, [], 0.0)
    try:
        with display_on(out, quiet=manner.quiet) as display:
            execute(plan, todo, engine, store, progress, display)
    except KeyboardInterrupt:
        err.print(f"stopped: {progress.done} units are stored, {progress.left} are left; the same command goes on here")
        raise typer.Exit(130) from None
    finally:
        engine.stop()


def _show(places: _Places, suite: str | None, metric: str, *, rebuild: bool, quiet: bool) -> None:
    """Write the page of a run, if it is not the one that is there, and print its table."""
    from ..leaderboard.tables import compare
    from .report import is_current, results_of, write_leaderboard
    from .store import Store

    with Store(places.store) as store:
        results = results_of(store, suite)
    page = places.out_dir / "leaderboard.html"
    if rebuild or not is_current(page, results, metric):
        write_leaderboard(results, places.out_dir, metric)
    if not quiet:
        from ..leaderboard.terminal import render

        out.print(render(compare(results, metric=metric), out.width))
    out.print(f"leaderboard: {page.resolve()}", markup=False)


def _print_not_run(plan: Plan) -> None:
    for status in ("not run", "not applicable"):
        reasons: dict[tuple[str, str], list[str]] = {}
        for one in plan.exclusions:
            if one.status == status:
                reasons.setdefault((one.dataset, one.reason), []).append(one.method)
        for (dataset, reason), names in reasons.items():
            who = "all methods" if len(set(names)) == len(plan.methods) else ", ".join(dict.fromkeys(names))
            out.print(f"{status}: {who} on {dataset}: {reason}", markup=False)


def _print_plan(plan: Plan, store: Store | None, manner: _Manner) -> None:
    from rich.table import Table
    from rich.text import Text

    from .display import duration
    from .run import Estimator, units_to_run

    todo, done, failed = units_to_run(plan, store, retry_failed=manner.retry_failed)
    estimator = Estimator(plan, store.unit_seconds() if store else [])
    left = {unit.key for unit in todo}
    table = Table("dataset", "scenario", "units", "done", "to compute", "estimated", box=None, header_style="bold")
    cells: dict[tuple[str, str], list[Any]] = {}
    for unit in plan.units:
        cells.setdefault((unit.dataset.id, unit.scenario.id), []).append(unit)
    for (dataset, scenario), units in cells.items():
        open_units = [unit for unit in units if unit.key in left]
        seconds = sum(map(estimator.seconds, open_units)) / manner.jobs
        row = (len(units), len(units) - len(open_units), len(open_units))
        table.add_row(Text(dataset), scenario, *map(str, row), duration(seconds))
    out.print(table)
    _print_not_run(plan)
    total = sum(map(estimator.seconds, todo)) / manner.jobs
    basis = "from stored times" if estimator.has_measured else "a first guess: nothing was measured yet"
    out.print(
        f"{len(plan.units)} units, {done} done, {failed} failed, {len(todo)} to compute: about {duration(total)} on "
        f"{_count(manner.jobs, 'process', 'es')} ({basis})"
    )


@app.command("list")
def list_(
    what: Annotated[str, typer.Argument(help="methods, datasets, classifiers, suites or metrics.")],
    plugin: PluginOption = None,
) -> None:
    """List what there is, a line each: methods, datasets, classifiers, suites or metrics."""
    from rich.table import Table
    from rich.text import Text

    _load_plugins(plugin)
    from .listing import LISTINGS

    if what not in LISTINGS:
        raise unknown_name("list", what, LISTINGS)
    columns, rows = LISTINGS[what]()
    table = Table(box=None, header_style="bold", pad_edge=False)
    for i, column in enumerate(columns):
        table.add_column(column, no_wrap=i == 0, overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    if out.is_terminal:
        out.print(table, soft_wrap=False)
    else:
        Console(width=400, highlight=False).print(table)


@app.command()
def status(store: StoreOption = None, out_dir: OutOption = None) -> None:
    """Show the runs of a store: done, failed, left. Works while a run goes on."""
    from rich.table import Table
    from rich.text import Text

    from .display import duration
    from .store import Store

    with Store(_Places(store, out_dir).store) as reader:
        table = Table(
            "run", "suite", "started", "units", "done", "failed", "left", "compute time of all processes", box=None
        )
        for one in reader.runs():
            left = one["units"] - one["done"] - one["failed"]
            spent = duration(reader.totals(one["id"])["seconds"])
            counts = [str(one[name]) for name in ("units", "done", "failed")]
            table.add_row(str(one["id"]), Text(one["suite"]), one["started"], *counts, str(left), spent)
        out.print(table)
        run = reader.runs()[0] if table.row_count else None
        for method, dataset, scenario, draws, message in reader.failures(run["id"]) if run else []:
            out.print(f"failed: {method} · {dataset} · {scenario} · draws {draws}: {message}", markup=False)


@app.command()
def leaderboard(
    suite: SuiteOption = None,
    metric: MetricOption = "macro_f1",
    store: StoreOption = None,
    out_dir: OutOption = None,
) -> None:
    """Print the leaderboard of a store and write its page; computes nothing, works while a run goes on."""
    _show(_Places(store, out_dir), suite, metric, rebuild=True, quiet=False)


@app.command()
def export(
    file: Annotated[Path, typer.Argument(help="What to write: .csv or .parquet (all scores), .tex (the table).")],
    suite: SuiteOption = None,
    metric: MetricOption = "macro_f1",
    store: StoreOption = None,
    out_dir: OutOption = None,
) -> None:
    """Write the scores of a run as CSV or Parquet, or its table as LaTeX."""
    from ..leaderboard.export import replace_file, to_latex, write_scores
    from ..leaderboard.tables import compare
    from .report import results_of
    from .store import Store

    if file.suffix not in (".csv", ".parquet", ".tex"):
        raise InputError(f"cannot export to {file}: the name must end in .csv, .parquet or .tex")
    if not file.resolve().parent.is_dir():
        raise InputError(f"cannot export to {file}: there is no folder {file.resolve().parent}")
    with Store(_Places(store, out_dir).store) as reader:
        results = results_of(reader, suite)
    if file.suffix == ".tex":
        replace_file(file, to_latex(compare(results, metric=metric)).encode())
    else:
        write_scores(results, file)
    out.print(f"written: {file.resolve()}", markup=False)


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
            new, known = store.merge(other)
            out.print(f"{source}: {new} new units, {known} known", markup=False)


@datasets_app.command("fetch")
def fetch_dataset(names: Annotated[list[str], typer.Argument(help="Datasets or groups, e.g. proben1.")]) -> None:
    """Download datasets to the cache, checked against their SHA-256. `AUGBENCH_DATA` is looked at first."""
    from .. import datasets
    from ..datasets.fetch import fetch

    for given in names:
        if given not in datasets.GROUPS and given not in datasets.names():
            raise unknown_name("dataset or group", given, [*datasets.GROUPS, *datasets.names()])
    for name in [member for given in names for member in datasets.GROUPS.get(given, [given])]:
        out.print(f"{name}: {fetch(name, progress=out.is_terminal)}", markup=False)


@new_app.command("method")
def new_method(
    name: Annotated[str, typer.Argument(help="Its name, e.g. my-method.")],
    folder: Annotated[Path, typer.Option("--folder", help="Where to write it.")] = Path(),
) -> None:
    """Write a working method and its test, to be changed into your own."""
    from .template import write_method

    method, test = write_method(name, folder)
    out.print(f"written: {method} and {test}", markup=False)
    out.print(f"test it: python -m pytest {test}   (pip install pytest)", markup=False)
    out.print(f"try it:  bench run smoke --plugin {method} --methods {name}", markup=False)


def _entries(text: str | None, listed: tuple[Entry, ...]) -> list[Any] | None:
    """Read comma-separated names; an id of the suite stands for its entry, parameters included."""
    if text is None:
        return None
    known = {entry.id: entry.model_dump(exclude_defaults=True) for entry in listed}
    return [known.get(part.strip(), part.strip()) for part in text.split(",") if part.strip()]


def _load_plugins(plugins: list[str] | None) -> None:
    from .plugins import PluginError, load_entry_points, load_plugin

    for problem in load_entry_points():
        err.print(f"warning: {problem}", markup=False)
    for plugin in plugins or []:
        try:
            load_plugin(plugin)
        except PluginError as error:
            err.print(f"warning: {error}", markup=False)


def _own_table(data: Path | None, target: str | None, drop: list[str] | None) -> dict[str, Dataset]:
    if data is None:
        if target or drop:
            raise InputError("--target and --drop describe your own table: name it with --data FILE")
        return {}
    if target is None:
        raise InputError(f"--data {data} needs --target COLUMN, the column to predict")
    import warnings

    from ..datasets.files import read_table

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        table = read_table(data, target, tuple(drop or ()))
    for one in caught:
        err.print(f"warning: {one.message}", markup=False)
    return {table.info.name: table}
