"""`bench run`: options into a suite, and that into results."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import InputError, unknown_name
from .console import Places
from .options import (
    CategoricalOption,
    DropOption,
    EncodingOption,
    OutOption,
    PluginOption,
    PositiveOption,
    StoreOption,
    TimeOption,
)

if TYPE_CHECKING:
    from .job import Manner
    from .suite import Entry


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
    drop: DropOption = None,
    categorical: CategoricalOption = None,
    positive: PositiveOption = None,
    encoding: EncodingOption = "",
    time: TimeOption = None,
    plugin: PluginOption = None,
    store: StoreOption = None,
    out_dir: OutOption = None,
    jobs: Annotated[
        int,
        typer.Option("--jobs", "-j", min=0, help="Worker processes; 0: by cores and --threads. Scores are the same."),
    ] = 0,
    engine: Annotated[
        str,
        typer.Option(help="local: this machine, see --jobs; dask: the workers of --scheduler. Scores are the same."),
    ] = "local",
    scheduler: Annotated[
        str | None,
        typer.Option(help="Address of a Dask scheduler, such as tcp://host:8786 (extra 'cluster')."),
    ] = None,
    shard: Annotated[
        str | None,
        typer.Option(help="K/N: only the K-th of N parts, into a store of its own; 'bench merge' puts them together."),
    ] = None,
    unit_timeout: Annotated[
        str | None,
        typer.Option(help="What a unit of work may take at most (90s, 10m, 2h); one that takes longer has failed."),
    ] = None,
    unit_memory: Annotated[
        str | None, typer.Option(help="Memory of the process that computes a unit, at most (500MB, 2GB); likewise.")
    ] = None,
    threads: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Threads of each unit (BLAS, OpenMP, torch); other numbers than 1 have results of their own.",
            show_default="the suite's, else 1",
        ),
    ] = None,
    device: Annotated[
        str | None,
        typer.Option(
            help="Where neural methods are trained: cpu, cuda or cuda:N. Each device has results of its own.",
            show_default="the suite's, else cpu",
        ),
    ] = None,
    tune: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="Trials of tuning, the same number for every method and baseline (extra 'tune'). 0: none.",
            show_default="the suite's, else 0",
        ),
    ] = None,
    budget: Annotated[
        str | None,
        typer.Option(
            help="steps=N or seconds=S: the same for every method that trains something, per training set; it wins "
            "over steps in the suite. Other methods run as they are. Seconds cannot be reproduced bit by bit.",
            show_default="each method's own",
        ),
    ] = None,
    training_curves: Annotated[
        bool,
        typer.Option(
            "--training-curves",
            help="Keep the training curves of neural methods (bench export FILE --what training). "
            "Units that are stored already are not computed again for it.",
        ),
    ] = False,
    download: Annotated[
        bool, typer.Option("--download", help="First fetch the suite's datasets that are not on this machine.")
    ] = False,
    cost_alone: Annotated[
        bool,
        typer.Option(
            "--cost-alone",
            help="At the end compute a unit of every method, data set and scenario again, one at a time: times for the "
            "cost of methods that no other worker has made longer. The scores must be the same.",
        ),
    ] = False,
    audit: Annotated[
        bool,
        typer.Option(
            "--audit",
            help="At the end compute two draws of every method and data set again, where there is nothing true but "
            "their training rows. A method that then gives something else uses what it may not see: its units fail.",
        ),
    ] = False,
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Compute failed units again.")] = False,
    site: Annotated[
        bool,
        typer.Option(
            "--site/--no-site", help="Write and print the leaderboard at the end; without, only store what is computed."
        ),
    ] = True,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the plan and what is done; compute nothing.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print only the end result and errors.")] = False,
) -> None:
    """Compute a suite, store every result, write the leaderboard.

    The same command goes on where it stopped: what is stored is not computed again.

    Examples: `bench run`, `bench run simulated --draws 20`, `bench run my_suite.toml`,
    `bench run --data loans.csv --target default --time 10m`, `bench run --plugin my_method.py --methods my-method`.
    """
    from .datasets_command import fetch_missing
    from .job import Manner, run_suite
    from .limits import UnitLimits, parse_memory, parse_time
    from .own_table import own_table
    from .plugins import load_all
    from .shard import parse_shard
    from .suite import load_suite, validate_suite

    # before the plugins are loaded, which may not read it
    own = own_table(data, target, drop, categorical, positive, encoding)
    load_all(plugin)
    if data and datasets:
        raise InputError("--data runs your own table instead of the suite's datasets: leave --datasets out")
    chosen = load_suite(suite)
    changes: dict[str, Any] = {
        "methods": _entries(methods, chosen.methods),
        "controls": controls,
        "datasets": list(own) or _entries(datasets, chosen.datasets),
        "scenarios": scenario or (["full"] if own else None),
        "classifiers": _entries(classifiers, chosen.classifiers),
        "draws": draws,
        "seed": seed,
        "device": device,
        "threads": threads,
        "trials": tune,
        "budget": budget,
        "name": next(iter(own), None),
        "description": f"One's own table, {data}" if own else None,
    }
    changes = {key: value for key, value in changes.items() if value is not None}
    if changes:
        chosen = validate_suite(chosen.model_dump(exclude_defaults=True) | changes, f"{suite} with these options")
    if download:
        fetch_missing(chosen)
    limits = UnitLimits(
        parse_time(unit_timeout, "--unit-timeout") if unit_timeout else math.inf,
        parse_memory(unit_memory) if unit_memory else math.inf,
    )
    manner = Manner(
        jobs,
        scheduler=_scheduler(engine, scheduler),
        limits=limits,
        shard=parse_shard(shard) if shard else None,
        retry_failed=retry_failed,
        dry_run=dry_run,
        quiet=quiet,
        training_curves=training_curves,
        site=site,
        cost_alone=cost_alone,
        audit=audit,
    )
    _check_together(manner, chosen.budget, time)
    places, limit = Places(store, out_dir), None
    if manner.shard and not store:
        places = Places(places.out_dir / manner.shard.file_name, out_dir)
    if time is not None:
        from .sizing import Fixed
        from .time_limit import sized

        fixed = Fixed(methods is not None, classifiers is not None, draws is not None, controls is not False)
        chosen, limit = sized(chosen, own, time, fixed, places, manner.of(chosen).processes)
    run_suite(chosen, own, plugin or [], places, manner, limit)


def _check_together(manner: Manner, budget: str, time: str | None) -> None:
    """Raise where options contradict each other."""
    if manner.shard and time is not None:
        raise InputError("--time stops a run where it is; a part of a run has to be whole: leave --time or --shard out")
    if manner.scheduler and manner.jobs:
        raise InputError(
            "--jobs is of this machine; on a cluster 'dask worker --nthreads N' says how many units a worker computes "
            "at a time: leave --jobs or --engine dask out"
        )
    if manner.scheduler and time is not None:
        raise InputError("--time sizes a run by what this machine measures: leave --time or --engine dask out")
    if manner.audit and manner.scheduler:
        raise InputError("--audit computes again on this machine: leave --audit or --engine dask out")
    if manner.audit and time is not None:
        raise InputError("--audit takes longer than --time allows: leave one of them out")
    if not manner.cost_alone:
        return
    if manner.scheduler:
        raise InputError("--cost-alone measures on this machine: leave --cost-alone or --engine dask out")
    if time is not None:
        raise InputError("--cost-alone takes longer than --time allows: leave one of them out")
    if budget.startswith("seconds"):
        raise InputError("with a budget of seconds no result can be computed again: leave --cost-alone out")


def _scheduler(engine: str, scheduler: str | None) -> str:
    """Return the address of the scheduler; empty where this machine computes."""
    if engine not in ("local", "dask"):
        raise unknown_name("engine", engine, ("local", "dask"))
    if (engine == "dask") != bool(scheduler):
        raise InputError(
            "--engine dask and --scheduler ADDRESS go together: start 'dask scheduler' on one machine, and "
            "'dask worker ADDRESS' on those that compute"
        )
    return scheduler or ""


def _entries(text: str | None, listed: tuple[Entry, ...]) -> list[Any] | None:
    """Read comma-separated names; an id of the suite stands for its entry, parameters included."""
    if text is None:
        return None
    known = {entry.id: entry.model_dump(exclude_defaults=True) for entry in listed}
    return [known.get(part.strip(), part.strip()) for part in text.split(",") if part.strip()]
