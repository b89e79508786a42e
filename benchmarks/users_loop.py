"""What a benchmark costs here, and as the loop that a user writes today (`imblearn_loop.py`), on the same cells.

    python benchmarks/users_loop.py [--draws 10] [--folds 0] [--datasets NAME...] [--quick]

The cells are those of the suite `quick` on its three small real sets: its scenario, its classifiers, so many draws in
its blocks. (digits is left out: each of its fits would be nine TVAEs of 64 columns.) Each run is a process of its own
on one thread, one after the other; times are those of the clock after imports and one warm-up draw, memory is the
highest resident one of the process, and "idle" what it was before the work. Nothing else should run beside it: then
the processor's seconds are the clock's. About six minutes; with --quick (5 draws of wine and iris) two.

Equal work: each draw's method is fitted once to its training rows, with each classifier, and scored on its test rows;
the draws are the splits of one `cross_val_score` of the loop. Both sides have the same rows and the same settings of
the classifiers. With --folds N (2 or more) both also go through N folds of each draw's training rows. The lines "as
suites run" have the 3 folds that tune thresholds: four fits for each one of the loop, so not equal work.

What is not equal, and counted against augbench: it computes 19 scores of each cell (33 with folds) and 11 measures of
how real a draw's new rows are, and stores every prediction; the loop computes macro F1, and gets its draws from a file.

The neural part: ctgan.TVAE with the package's defaults (300 epochs, 500 rows a batch) against our VAEs; on both sides
one network for each class that gets rows (cvae, predictive-vae: one for all). Two ways to count the loop's fits:

- the loop: `cross_val_score` of a pipeline fits the TVAE anew for each classifier;
- rows kept: as if it kept each draw's rows for all classifiers, as augbench does: the fits of the first one only.

And steps differ. A class of up to 500 rows is one batch of TVAE's, so that its 300 epochs are 300 steps, of some 20
rows here; ours are of 32 rows, 1,000 in `quick` and 6,000 by default. So the table has a line with TVAE's 300 steps,
and the time of one step. TVAE's networks are wider (128-128 and 128 latent dimensions, rows encoded by mixtures; ours
32-32 and 2): what stacking alone saves, with equal networks, is what `stacked_training.py` measures.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import warnings
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
from augbench import datasets as dataset_registry
from augbench.bench import evaluate as evaluating
from augbench.bench.augment import augment
from augbench.bench.display import Quiet
from augbench.bench.engine import InProcess
from augbench.bench.evaluate import peak_memory_mb
from augbench.bench.outcome import UnitResult
from augbench.bench.plan import Unit, make_plan, method_instance, takes_steps
from augbench.bench.run import Progress, execute
from augbench.bench.scenario import make_draw
from augbench.bench.store import Store
from augbench.bench.suite import Entry, Suite, load_suite, validate_suite
from augbench.datasets.contract import FiniteDataset

DATASETS = ("breast-cancer", "wine", "iris")
#: borderline-smote and adasyn find no row to start from on some of these draws, which is an error here
NEIGHBOURS = ("none", "random-oversampling", "smote", "svm-smote", "kmeans-smote")
#: the networks of `quick` that make rows
VAES = ("vae", "cvae", "predictive-vae")
#: how many times as long as the neural part the loop has to take
WANTED = 10.0
#: folds that suites have, unless they say otherwise
FOLDS = 3
#: of ctgan.TVAE, by default; as many steps, one batch each
EPOCHS = 300


@dataclass(frozen=True)
class Cost:
    """What one process took for all cells of some methods.

    Attributes
    ----------
    seconds, processor : float
        All of it, by the clock and of the processor: the two are far apart where something else ran beside it.
    rows_seconds, rows_seconds_once : float
        Of neural methods: to make rows; and the same with the rows kept for all classifiers.
    steps : int
        Gradient steps for that, of all networks.
    macro_f1 : dict of str to float
        Mean over the cells of each method.
    cells, failed : int
        How many cells there are, and how many of them have no score.
    peak, idle : float
        Highest resident memory, MiB; and what it was after the warm-up.
    """

    seconds: float
    processor: float
    rows_seconds: float
    rows_seconds_once: float
    steps: int
    macro_f1: dict[str, float]
    cells: int
    failed: int
    peak: float
    idle: float

    @property
    def per_step(self) -> float:
        """Milliseconds of one gradient step of one network, encoding, sampling and decoding included."""
        return 1000 * self.rows_seconds / self.steps


class Keeping(Quiet):
    """Shows nothing, and keeps every result."""

    def __init__(self) -> None:
        self.results: list[UnitResult] = []

    def finished(self, progress: Progress, unit: Unit, result: UnitResult) -> None:
        """Keep a result."""
        self.results.append(result)


class TimedAugment:
    """`augment`, timed, with the gradient steps that it took."""

    def __init__(self) -> None:
        self.seconds, self.steps = 0.0, 0

    def __call__(self, unit: Unit, method: Any, prepared: list[Any], watch: Any) -> list[Any]:
        """Make the rows of a unit."""
        start = time.perf_counter()
        made = augment(unit, method, prepared, watch)
        self.seconds += time.perf_counter() - start
        # those of the draws, and those of the method's last call: the folds, if there are any
        efforts = [one.effort for one in made] + (getattr(method, "efforts_", []) if unit.folds else [])
        self.steps += sum(int(one["steps"]) for one in efforts if one and "steps" in one)
        return made


def measured(suite: Suite) -> dict[str, Any]:
    """Return what a suite takes here, from the plan to the last stored result; the keys are those of `Cost`."""
    display, timed, start, processor = Keeping(), TimedAugment(), time.perf_counter(), time.process_time()
    plan = make_plan(suite)
    asked = [one.id for one in suite.methods]
    # the baseline is part of every plan
    units = [unit for unit in plan.units if unit.method.id in asked]
    with (
        tempfile.TemporaryDirectory() as folder,
        Store(Path(folder) / "store.sqlite", write=True) as store,
        patch.object(evaluating, "augment", timed),
    ):
        execute(plan, units, InProcess({}), store, Progress(len(units), 0, 0), display)
    seconds, processor = time.perf_counter() - start, time.process_time() - processor
    scores: dict[str, list[float]] = {id_: [] for id_ in asked}
    for unit, result in zip(units, display.results, strict=True):
        cells = [cell for draw in result.draws for cell in draw.cells.values()]
        scores[unit.method.id] += [cell.scores["macro_f1"] for cell in cells if not cell.error]
    n_cells = sum(len(unit.draws) * len(unit.classifiers) for unit in units)
    return {
        "seconds": seconds,
        "processor": processor,
        "rows_seconds": timed.seconds,
        "rows_seconds_once": timed.seconds,
        "steps": timed.steps,
        "macro_f1": {id_: float(np.mean(some)) for id_, some in scores.items()},
        "cells": n_cells,
        "failed": n_cells - sum(map(len, scores.values())),
    }


def compute(suite: Suite) -> None:
    """Run a suite in this process and print what it took."""
    warnings.simplefilter("ignore")
    short = tuple(one.with_params({"steps": 1}) if takes_steps(one) else one for one in suite.methods)
    # other rows than those that are measured, which would be kept
    first = {"seed": suite.seed + 1, "draws": 1, "datasets": suite.datasets[:1], "methods": short}
    measured(suite.model_copy(update=first))
    idle = peak_memory_mb()
    found = measured(suite)
    print(json.dumps(found | {"peak": peak_memory_mb(), "idle": idle}))


def process(command: list[str]) -> Cost:
    """Run a script of this folder on one thread; return what it printed."""
    threads = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    folder = Path(__file__).parent
    run = subprocess.run(
        [sys.executable, str(folder / command[0]), *command[1:]],
        env=os.environ | threads,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return Cost(**json.loads(run.stdout.splitlines()[-1]))


def ours(suite: Suite) -> Cost:
    """Compute a suite in a process of its own."""
    return process(["users_loop.py", "--compute", suite.model_dump_json(exclude_defaults=True)])


def write_draws(suite: Suite, path: Path) -> None:
    """Write the rows of all draws of a suite for the loop."""
    arrays: dict[str, np.ndarray] = {}
    for entry in suite.datasets:
        dataset = dataset_registry.make(entry.name)
        if dataset.info.n_categorical or dataset.info.missing:
            raise SystemExit(f"--datasets: the loop takes numbers only, with none missing; {entry.name} has others")
        table = dataset.load() if isinstance(dataset, FiniteDataset) else None
        scenario, *_ = suite.scenarios
        draws = [make_draw(dataset, table, scenario, i, suite.seed, suite.test_fraction) for i in range(suite.draws)]
        sides = [side for draw in draws for side in (draw.train, draw.test)]
        arrays[f"{entry.id}.X"] = np.vstack([side.X.to_numpy(dtype=float) for side in sides])
        arrays[f"{entry.id}.y"] = np.concatenate([side.y for side in sides])
        arrays[f"{entry.id}.sizes"] = np.array([[len(draw.train.y), len(draw.test.y)] for draw in draws])
    with path.open("wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]


def loop_options(suite: Suite) -> list[str]:
    """Return what the loop is told of a suite."""
    return [
        "--folds",
        str(suite.folds),
        "--epochs",
        str(EPOCHS),
        "--classifiers",
        *[one.name for one in suite.classifiers],
    ]


HEAD = (
    f"  {'all cells':<36}{'wall':>10}{'loop /':>8}{'processor':>11}"
    f"{'peak':>12}{'loop /':>8}{'idle':>12}{'macro F1':>10}{'failed':>8}"
)


def line(name: str, cost: Cost, loop: Cost) -> str:
    """Return time and memory of a run, and how many times as much the loop takes."""
    processor = "-" if np.isnan(cost.processor) else f"{cost.processor:.1f} s"
    return (
        f"  {name:<36}{cost.seconds:8.1f} s{loop.seconds / cost.seconds:8.2f}{processor:>11}"
        f"{cost.peak:8.0f} MiB{loop.peak / cost.peak:8.2f}{cost.idle:8.0f} MiB"
        f"{np.mean(list(cost.macro_f1.values())):10.3f}{cost.failed:8d}"
    )


def compare_neighbours(suite: Suite, file: Path) -> tuple[Cost, Cost]:
    """Compare the methods that train nothing; return what the loop took and what we did."""
    suite = suite.model_copy(update={"methods": tuple(Entry(name=name) for name in NEIGHBOURS)})
    loop = process(["imblearn_loop.py", str(file), *NEIGHBOURS, *loop_options(suite)])
    print(f"\n{', '.join(NEIGHBOURS)}: {loop.cells} cells\n{HEAD}")
    print(line("the loop", loop, loop), flush=True)
    equal = ours(suite)
    print(line("augbench, the same fits", equal, loop), flush=True)
    if suite.folds != FOLDS:
        print(line("augbench as suites run, 4 x the fits", ours(suite.model_copy(update={"folds": FOLDS})), loop))
    for name in NEIGHBOURS:
        print(f"    {name}: macro F1 {loop.macro_f1[name]:.3f} in the loop, {equal.macro_f1[name]:.3f} here")
    return loop, equal


def times(loop: float, here: float) -> str:
    """Return how many times as long the loop takes, with the verdict."""
    return f"{loop / here:.1f} times {'ok' if loop / here >= WANTED else 'UNDER'}"


def rows_line(name: str, cost: Cost, loop: Cost, kept: Cost) -> str:
    """Return what making rows took, and how many times as long it takes the loop, in both ways to count."""
    return (
        f"  {name:<36}{cost.rows_seconds:8.1f} s{loop.rows_seconds / cost.rows_seconds:8.1f}"
        f"{kept.rows_seconds / cost.rows_seconds:8.1f}{cost.steps:9d}{cost.per_step:9.3f} ms"
        f"{loop.per_step / cost.per_step:8.1f}"
    )


def neural_runs(suite: Suite) -> dict[str, Suite]:
    """Return what is compared with TVAE, by its title; the first is `vae` with the steps of `quick`."""
    quick = [one for one in load_suite("quick").methods if one.name in VAES]
    runs = {}
    for entry in (*quick, Entry(name="vae"), Entry(name="vae", params={"steps": EPOCHS})):
        runs[f"{entry.name}, {method_instance(entry).steps} steps"] = suite.model_copy(update={"methods": (entry,)})
    if suite.folds != FOLDS:
        title, first = next(iter(runs.items()))
        runs[f"{title}, as suites run"] = first.model_copy(update={"folds": FOLDS})
    return runs


def compare_networks(suite: Suite, file: Path) -> tuple[Cost, Cost]:
    """Compare our VAEs with ctgan.TVAE; return what the loop took and what `vae` with the steps of `quick` did."""
    loop = process(["imblearn_loop.py", str(file), "tvae", *loop_options(suite)])
    kept = replace(
        loop,
        seconds=loop.seconds - loop.rows_seconds + loop.rows_seconds_once,
        # not measured apart
        processor=float("nan"),
        rows_seconds=loop.rows_seconds_once,
        steps=loop.steps // len(suite.classifiers),
    )
    print(f"\nneural methods: {loop.cells} cells each\n{HEAD}")
    print(line("the loop, ctgan.TVAE", loop, loop))
    print(line("the loop, rows kept", kept, loop), flush=True)
    costs = {}
    for title, one in neural_runs(suite).items():
        costs[title] = ours(one)
        print(line(title, costs[title], loop), flush=True)
    print(f"\n  {'making rows':<36}{'wall':>10}{'loop /':>8}{'kept /':>8}{'steps':>9}{'one step':>12}{'loop /':>8}")
    for title, cost in {"the loop, ctgan.TVAE": loop, "the loop, rows kept": kept, **costs}.items():
        print(rows_line(title, cost, loop, kept))
    judge(loop, kept, list(costs.values())[: len(VAES)])
    return loop, next(iter(costs.values()))


def judge(loop: Cost, kept: Cost, quick: list[Cost]) -> None:
    """Print the verdict on the neural methods of `quick` together, against as many loops as the one that was run."""
    n = len(quick)
    print(f"\nneural part, {', '.join(VAES)} as in quick, against {n} such loops (wanted: {WANTED:g} times):")
    for what, here, refitted, once in (
        ("making rows", sum(one.rows_seconds for one in quick), n * loop.rows_seconds, n * kept.rows_seconds),
        ("all cells", sum(one.seconds for one in quick), n * loop.seconds, n * kept.seconds),
    ):
        print(f"  {what}: {here:.1f} s here; the loop {refitted:.1f} s, {times(refitted, here)}; ", end="")
        print(f"with rows kept {once:.1f} s, {times(once, here)}")


def main() -> None:
    """Read the arguments, run both sides and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--draws", type=int, default=10)
    parser.add_argument("--folds", type=int, default=0)
    parser.add_argument("--datasets", nargs="+", default=DATASETS)
    parser.add_argument("--quick", action="store_true", help="5 draws of wine and iris")
    parser.add_argument("--compute", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.compute:
        compute(Suite.model_validate_json(asked.compute))
        return
    names, draws = (DATASETS[1:], 5) if asked.quick else (asked.datasets, asked.draws)
    entries = [{"name": name} for name in names]
    quick = load_suite("quick").model_dump(exclude_defaults=True)
    changes = {"datasets": entries, "draws": draws, "folds": asked.folds, "controls": False}
    suite = validate_suite(quick | changes, "quick with these options")
    start = time.perf_counter()
    print(f"{draws} draws of {', '.join(names)}, {suite.scenarios[0].id}, in blocks of {suite.block};", end=" ")
    print(f"{', '.join(one.id for one in suite.classifiers)}; {suite.folds} folds")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "draws.npz"
        write_draws(suite, file)
        pairs = [compare_neighbours(suite, file), compare_networks(suite, file)]
    loop, here = zip(*pairs, strict=True)
    print("\nall, of the neural methods vae as quick has it:")
    for what, unit, amounts in (
        ("wall", "s", [sum(one.seconds for one in side) for side in (loop, here)]),
        ("peak", "MiB", [max(one.peak for one in side) for side in (loop, here)]),
    ):
        print(
            f"  {what} {amounts[0]:.0f} {unit} in the loop, {amounts[1]:.0f} here: {amounts[0] / amounts[1]:.2f} times"
        )
    print(f"({time.perf_counter() - start:.0f} s in all)")


if __name__ == "__main__":
    main()
