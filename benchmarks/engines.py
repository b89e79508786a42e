"""What the engines cost: driver's time per unit, two workers against one, how soon a limit acts.

    python benchmarks/engines.py [--units 2000] [--what overhead limits speed-up]

Overhead: processor time of the driver per unit, all that is not the unit itself (handing over, receiving, storing), by
units that do as little as a real one can: the baseline on one draw of iris. In this process the unit's own result is
computed once and handed over again. Speed-up: the suite `quick` without neural methods, two workers against one, and
two Dask workers against two processes, wall time from the first unit to the last. Limits: seconds between a limit of
time or memory and the moment at which the failed result is there. Nothing else should run beside it.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

from augbench.bench import engine as engines
from augbench.bench.display import Quiet
from augbench.bench.engine import Engine, InProcess, Processes
from augbench.bench.evaluate import evaluate
from augbench.bench.limits import UnitLimits
from augbench.bench.plan import Plan, Unit, make_plan
from augbench.bench.plugins import load_plugin
from augbench.bench.run import Progress, execute
from augbench.bench.store import Store
from augbench.bench.suite import load_suite, validate_suite

LEAST = {"name": "least", "block": 1, "folds": 0, "controls": False, "methods": ["none"], "datasets": ["iris"],
         "classifiers": ["logistic-regression"], "scenarios": ["full"]}  # fmt: skip
#: milliseconds of the driver per unit that each engine may take
ALLOWED = {"in-process": 2.0, "processes": 5.0, "dask": 8.0}
#: units of `quick` that fail on every engine: Borderline-SMOTE, ADASYN, SVM-SMOTE
FAILING = 7
FAULTY = '''
import numpy as np
from augbench import Augmenter


class Hangs(Augmenter):
    """Never ends."""

    def _generate(self, X, y, counts, rng):
        while True:
            pass


class Eats(Augmenter):
    """Takes 100 MB a second and more."""

    def _generate(self, X, y, counts, rng):
        held = []
        while True:
            held.append(np.ones(2**20))
'''


@contextlib.contextmanager
def dask_cluster(workers: int) -> Iterator[str]:
    """Start a scheduler and workers of one thread each; yield the address."""
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        file = Path(folder) / "scheduler.json"
        base = [sys.executable, "-m", "dask"]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}

        def start(*command: str) -> None:
            process = subprocess.Popen([*base, *command], **quiet)  # type: ignore[call-overload]
            stack.callback(process.wait)
            stack.callback(process.terminate)

        start("scheduler", "--port", "0", "--host", "127.0.0.1", "--no-dashboard", "--scheduler-file", str(file))
        while not (file.is_file() and file.read_text().endswith("}")):
            time.sleep(0.1)
        address = json.loads(file.read_text())["address"]
        for _ in range(workers):
            start("worker", address, "--nthreads", "1", "--no-dashboard", "--local-directory", folder)
        yield address


@contextlib.contextmanager
def stopped(engine: Engine) -> Iterator[Engine]:
    """Stop an engine at the end."""
    try:
        yield engine
    finally:
        engine.stop()


def measured(plan: Plan, todo: list[Unit], engine: Engine, failing: int = 0) -> tuple[float, float]:
    """Return the driver's processor seconds, and the wall seconds, of computing and storing some units.

    So many of them fail, no more and no less: on some data SMOTE's variants have nothing to make rows from.
    """
    with tempfile.TemporaryDirectory() as folder, Store(Path(folder) / "store.sqlite", write=True) as store:
        cpu, wall = time.process_time(), time.perf_counter()
        execute(plan, todo, engine, store, Progress(len(todo), 0, 0), Quiet())
        spent = time.process_time() - cpu, time.perf_counter() - wall
        failed = [status for status in store.statuses().values() if status != "done"]
        if len(failed) != failing:
            raise SystemExit(f"{len(failed)} units failed, {failing} should have")
    return spent


def overhead(units: int) -> None:
    """Print the driver's milliseconds per unit for each engine."""
    plan = make_plan(validate_suite(LEAST | {"draws": units + 2}, "least"))
    first, *todo = plan.units[: units + 1]
    canned = evaluate(first)
    with patch.object(engines, "evaluate", lambda unit: replace(canned, key=unit.key)):
        report("in-process", measured(plan, todo, InProcess({}))[0], units)
    with stopped(Processes(2, {}, [])) as engine:
        # (the workers start)
        for future in [engine.submit(unit) for unit in (first, plan.units[-1])]:
            future.result()
        report("processes", measured(plan, todo, engine)[0], units)
    from augbench.bench.cluster import Cluster

    with dask_cluster(2) as address, stopped(Cluster(address, {}, [])) as cluster:
        cluster.submit(plan.units[-1]).result()
        report("dask", measured(plan, todo, cluster)[0], units)


def report(name: str, seconds: float, units: int) -> None:
    """Print the overhead of an engine."""
    each = 1000 * seconds / units
    verdict = "ok" if each < ALLOWED[name] else "OVER"
    print(f"{name:<12} {each:6.2f} ms of the driver per unit (allowed: {ALLOWED[name]:g})  {verdict}", flush=True)


def speed_up() -> None:
    """Print how much faster two workers are than one, and Dask beside local processes."""
    quick = load_suite("quick").model_dump(exclude_defaults=True) | {"methods": ["neighbours"]}
    plan = make_plan(validate_suite(quick, "quick"))
    from augbench.bench.cluster import Cluster

    seconds = {}
    for workers in (1, 2):
        with stopped(Processes(workers, {}, [])) as engine:
            warm_up(plan, engine)
            seconds[workers] = measured(plan, plan.units, engine, FAILING)[1]
            print(f"{len(plan.units)} units of quick: {workers} workers {seconds[workers]:.0f} s", flush=True)
    with dask_cluster(2) as address, stopped(Cluster(address, {}, [])) as cluster:
        warm_up(plan, cluster)
        dask = measured(plan, plan.units, cluster, FAILING)[1]
    print(f"two workers are {seconds[1] / seconds[2]:.2f} times as fast as one (wanted: 1.8)")
    print(f"two Dask workers {dask:.0f} s: {dask / seconds[2]:.2f} times that of processes (allowed: 1.1)", flush=True)


def warm_up(plan: Plan, engine: Engine) -> None:
    """Let every worker start."""
    for future in [engine.submit(unit) for unit in plan.units[: 2 * engine.workers]]:
        future.result()


def limits() -> None:
    """Print how long after its limit a unit has failed."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "faulty.py"
        file.write_text(FAULTY)
        load_plugin(str(file))
        changes = {"draws": 1, "methods": ["hangs", "eats", "none"], "scenarios": ["imbalance:count=12"]}
        plan = make_plan(validate_suite(LEAST | changes, "faulty"))
        units = {unit.method.id: unit for unit in plan.units}
        for method, limit in (("hangs", UnitLimits(seconds=5)), ("eats", UnitLimits(memory=2**30))):
            with stopped(Processes(1, {}, [str(file)], limit)) as engine:
                engine.submit(units["none"]).result()
                start = time.perf_counter()
                error = engine.submit(units[method]).exception()
                print(f"{method}: {error} after {time.perf_counter() - start:.1f} s", flush=True)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--units", type=int, default=2000)
    parts = ["overhead", "limits", "speed-up"]
    parser.add_argument("--what", nargs="+", choices=parts, default=parts)
    arguments = parser.parse_args()
    if "overhead" in arguments.what:
        overhead(arguments.units)
    if "limits" in arguments.what:
        limits()
    if "speed-up" in arguments.what:
        speed_up()


if __name__ == "__main__":
    main()
