"""The command ``bench reproduce``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import InputError
from .console import Places, count, err, out

if TYPE_CHECKING:
    from ..leaderboard.results import Results
    from ..reproduction import Experiment
    from ..reproduction.experiment import LatentSweep
    from ..reproduction.latent_store import Swept
    from .suite import Suite

#: What only experiments have.
PLUGINS = [f"augbench.reproduction.{name}" for name in ("methods", "classifiers", "datasets")]
DEFAULT_OUT, QUICK_OUT = Path("augbench-reproduction"), Path("augbench-reproduction-quick")


def reproduce(
    names: Annotated[
        list[str] | None, typer.Argument(help="Experiments, or 'all'; without: list them.", show_default=False)
    ] = None,
    draws: Annotated[
        int | None, typer.Option(min=1, help="Draws of each grid.", show_default="the experiment's")
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="A small version of each grid: shows that it works, and is no evidence.")
    ] = False,
    out_dir: Annotated[
        Path | None,
        typer.Option("--out", help="Folder for results and pages.", show_default=f"{DEFAULT_OUT}, quick {QUICK_OUT}"),
    ] = None,
    jobs: Annotated[
        int, typer.Option("--jobs", "-j", min=0, help="Worker processes; 0 = one per core. Scores do not depend on it.")
    ] = 0,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the plans; compute nothing.")] = False,
    training_curves: Annotated[
        bool, typer.Option("--training-curves/--no-training-curves", help="Keep training curves.")
    ] = True,
) -> None:
    """Run published experiments again: published figures beside ours, with a verdict by a stated rule.

    The same command goes on where it stopped. Networks of latent spaces are trained in this process, on one core, with
    as many seeds as draws are asked for. Examples: `bench reproduce`, `bench reproduce proben1`,
    `bench reproduce logistic-simulation --draws 100`, `bench reproduce all --quick`.
    """
    from ..reproduction import known_experiments, load_experiment
    from .job import Manner, compute_suite
    from .latent_job import compute_sweep
    from .plugins import load_all
    from .printing import print_failures

    load_all(PLUGINS)
    if not names:
        _list()
        return
    chosen = {name: load_experiment(name) for name in (known_experiments() if names == ["all"] else names)}
    folder = out_dir or (QUICK_OUT if quick else DEFAULT_OUT)
    manner = Manner(jobs, dry_run=dry_run, training_curves=training_curves)
    left_out, failed = [], False
    for experiment in chosen.values():
        for part in experiment.parts:
            suite = experiment.suite(part, quick)
            suite = suite.model_copy(update={"draws": draws}) if draws else suite
            out.print(f"\n{experiment.name}, {part.name}", markup=False)
            try:
                if part.optional and (absent := _absent(suite)):
                    out.print(f"left out, which is no failure: {absent}", markup=False)
                    continue
                failures, units = compute_suite(suite, {}, PLUGINS, _places(folder, experiment.name), manner)
                if failures:
                    print_failures(failures, units)
                    failed = True
            except InputError as error:
                left_out.append(f"{experiment.name}, {part.name}: {error}")
                err.print(f"left out: {error}", markup=False)
        for sweep in _sweeps(experiment, quick, draws):
            out.print(f"\n{experiment.name}, {sweep.name}", markup=False)
            try:
                compute_sweep(sweep, _latent(folder, experiment.name), dry_run=dry_run)
            except InputError as error:
                left_out.append(f"{experiment.name}, {sweep.name}: {error}")
                err.print(f"left out: {error}", markup=False)
    if dry_run:
        return
    _show(folder, list(chosen.values()), quick)
    if left_out:
        err.print(f"{count(len(left_out), 'grid')} left out, see above")
    if left_out or failed:
        raise typer.Exit(1)


def _absent(suite: Suite) -> str:
    """Return why none of a suite's data sets is on this machine; empty where one is."""
    from .. import datasets
    from ..datasets.contract import FiniteDataset, MissingDataError

    reasons = []
    for entry in suite.datasets:
        try:
            dataset = datasets.make(entry.name, **entry.params)
            if isinstance(dataset, FiniteDataset):
                dataset.check_present()
        except MissingDataError as error:
            reasons.append(f"{entry.id}: {error}")
    return "; ".join(reasons) if len(reasons) == len(suite.datasets) else ""


def _places(folder: Path, experiment: str) -> Places:
    return Places(None, folder / experiment)


def _latent(folder: Path, experiment: str) -> Path:
    return folder / experiment / "latent"


def _sweeps(experiment: Experiment, quick: bool, seeds: int | None = None) -> tuple[LatentSweep, ...]:
    """Return the latent sweeps of an experiment, with so many seeds."""
    sweeps = (sweep.small if quick else sweep for sweep in experiment.latent)
    return tuple(sweep.model_copy(update={"seeds": seeds}) if seeds else sweep for sweep in sweeps)


def _list() -> None:
    from rich.table import Table
    from rich.text import Text

    from ..reproduction import known_experiments, load_experiment

    table = Table("experiment", "question", "on 2 cores", box=None, header_style="bold")
    for name in known_experiments():
        one = load_experiment(name)
        table.add_row(name, Text(one.question), one.hours)
    out.print(table)
    out.print("run one: bench reproduce NAME; all of them, small: bench reproduce all --quick", markup=False)


def _show(folder: Path, chosen: list[Experiment], quick: bool) -> None:
    """Write the pages of all experiments in the folder, and print the verdicts of those that were asked for."""
    from ..leaderboard.site import write_site
    from ..reproduction import findings_of, known_experiments, load_experiment
    from ..reproduction.latent_claims import latent_findings
    from ..reproduction.pages import Run, summary, write_pages

    runs = {}
    asked = {experiment.name for experiment in chosen}
    for name in known_experiments():
        places, experiment = _places(folder, name), load_experiment(name)
        latent = _swept(experiment, folder, quick)
        try:
            results = _results(experiment, places.store, quick) if places.store.is_file() else {}
        except InputError as error:
            # one store that cannot be read takes no page from the others
            err.print(f"{name} has no page: {error}", markup=False)
            continue
        for grid, found in results.items() if name in asked else ():
            write_site(found, places.out_dir / grid, "macro_f1")
        sites = {grid: f"../{name}/{grid}/index.html" for grid in results if (places.out_dir / grid).is_dir()}
        if results or any(one.fits for one in latent):
            findings = findings_of(experiment, results) + [claim for one in latent for claim in latent_findings(one)]
            runs[name] = Run(experiment, results, findings, quick, sites, latent)
    for experiment in chosen:
        if experiment.name in runs:
            out.print(f"\n{experiment.title}", markup=False)
            findings = runs[experiment.name].findings
            for line in [*(one.words for one in findings if one.words), summary(findings)]:
                out.print(line, markup=False)
    if quick:
        out.print("\nsmall versions (--quick): they show that everything works, and are no evidence", markup=False)
    index = write_pages(runs, folder / "site")
    out.print(f"\npages: {index.resolve()}", markup=False)


def _results(experiment: Experiment, path: Path, quick: bool) -> dict[str, Results]:
    """Return what a store holds of the grids of an experiment, by name of the part."""
    from .report import results_of
    from .store import Store

    with Store(path) as store:
        known = {run["suite"] for run in store.runs()}
        suites = {part.name: experiment.suite(part, quick).name for part in experiment.parts}
        return {part: results_of(store, suite) for part, suite in suites.items() if suite in known}


def _swept(experiment: Experiment, folder: Path, quick: bool) -> tuple[Swept, ...]:
    """Return what is stored of the latent sweeps of an experiment."""
    from ..reproduction.latent_store import sweeps_in

    return tuple(sweeps_in(_sweeps(experiment, quick), _latent(folder, experiment.name)))
