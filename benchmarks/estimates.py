"""How good the time left is that a run shows: for each suite the worst factor from a tenth of the run on.

    python benchmarks/estimates.py [--suites quick,networks,sizes] [--stores empty,part,others] [--jobs 2]
                                   [--keep FILE] [--replay]

Runs each suite three times: into an empty store, so that a guess is all there is at the start; into one that has every
other method of it; into one that has the other suites, of other classifiers. Units that it has took as long
as before. The factor is that between an estimate and the truth, one by the other or the other by the one: of the time
left, which is what a person sees, and of the whole time (what has passed and what is left). `ends` are the moments at
which a unit ended; `always` is twice a second. The last five seconds do not count.

With `--keep` the seconds of every unit are kept in a file. With `--replay` nothing is computed: units last as long as
that file says, on a clock that is moved, which takes a few seconds.

benchmarks/estimates.json has such seconds: of quick those of a run with two workers on an idle machine, of the
others processor time. Replayed with two workers, time left, always: quick 1.35, networks 1.28, sizes 1.35 into an empty
store; 1.34, 1.13 and 1.20 with every other method stored. In real runs on an idle machine it was 1.36, 1.32, 1.21,
and 1.35, 1.14, 1.24. No estimate knows what else the machine will do: in real runs
beside others, where units took 2.2 to 3.6 times (quick) and 2.0 to 3.8 times (sizes) as long as in that file, changing
on the way, it was 1.79 and 2.00.
"""

from __future__ import annotations

import argparse
import contextlib
import heapq
import json
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from augbench.bench import display, run
from augbench.bench.device import requirements
from augbench.bench.engine import Processes
from augbench.bench.estimate import Estimator, longest_first, measured_before
from augbench.bench.evaluate import UnitResult
from augbench.bench.plan import Plan, Unit, make_plan
from augbench.bench.run import Progress, execute
from augbench.bench.store import Store
from augbench.bench.suite import Suite, load_suite, validate_suite

#: what is allowed, from which part of the run on, and seconds before the end at which no estimate counts any more
ALLOWED, FROM, LAST_SECONDS = 1.5, 0.1, 5.0
#: seconds between two looks
EVERY = 0.5

SUITES: dict[str, dict[str, Any]] = {
    # networks, which are dear, between cheap methods; full and tiny training sets
    "networks": {
        "draws": 2, "block": 1,
        "methods": ["smote", *({"name": name, "id": name, "params": {"steps": 1000}} for name in (
            "vae", "cvae", "latent-noise", "predictive-vae", "autoencoder"))],
        "datasets": ["iris", "wine", "breast-cancer", {"name": "simulated-rings", "params": {"n_train": 1000}}],
        "classifiers": ["logistic-regression", "random-forest"],
        "scenarios": ["imbalance:count=20", "few-shot:shots=5"],
    },
    # the small sets first, so that the large ones have to be guessed
    "sizes": {
        "draws": 2, "block": 1,
        "methods": ["smote", "kmeans-smote"],
        "datasets": [
            "iris", "wine", {"name": "simulated-rings", "id": "rings-500", "params": {"n_train": 500}},
            {"name": "simulated-mixed", "id": "mixed-2000", "params": {"n_train": 2000}}, "digits",
            {"name": "simulated-rings", "id": "rings-5000", "params": {"n_train": 5_000}},
        ],
        "classifiers": ["logistic-regression", "hist-gradient-boosting"],
        "scenarios": ["full"],
    },
}  # fmt: skip


def suite_named(name: str) -> Suite:
    """Return a suite of this file, or a shipped one without the methods that need a package beside the core's."""
    if name in SUITES:
        return validate_suite({"name": name, **SUITES[name]}, name)
    suite = load_suite(name)
    plan = make_plan(suite)
    kept = [entry.model_dump() for entry in suite.methods if not requirements(plan.methods[entry.id])]
    return validate_suite(suite.model_dump(exclude_defaults=True) | {"methods": kept}, name)


class Shown:
    """A display that keeps the estimate that it would show: whenever a unit has ended, and whenever it is asked to.

    Parameters
    ----------
    now : callable
        Returns the time.

    Attributes
    ----------
    seen : list
        (time, seconds left, whether a unit has just ended).
    units : dict
        Seconds of each unit, by title.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self.start = now()
        self.seen: list[tuple[float, float, bool]] = []
        self.units: dict[str, float] = {}
        self._progress: Progress | None = None

    def started(self, progress: Progress) -> None:
        """Begin to show."""
        self._progress = progress

    def finished(self, progress: Progress, unit: Unit, result: UnitResult) -> None:
        """Keep what is shown now, and how long the unit took."""
        self.units[unit.title] = result.seconds
        self.look(ended=True)

    def look(self, *, ended: bool = False) -> None:
        """Keep what is shown now."""
        if self._progress is not None:
            self.seen.append((self._now(), display.seconds_left(self._progress), ended))

    @contextlib.contextmanager
    def looked_at(self) -> Iterator[None]:
        """Look every now and then while the block runs."""
        over = threading.Event()

        def loop() -> None:
            while not over.wait(EVERY):
                self.look()

        thread = threading.Thread(target=loop, daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def worst(self) -> dict[str, float]:
        """Return the worst factor of the time left and of the whole time, at the ends of units and always."""
        end = max(at for at, _, ended in self.seen if ended)
        total = end - self.start
        factors: dict[str, float] = {}
        for at, left, ended in self.seen:
            passed = at - self.start
            if passed < FROM * total or end - at < LAST_SECONDS:
                continue
            for what, estimate, truth in (("left", left, end - at), ("whole", passed + left, total)):
                for when in ("ends", "always") if ended else ("always",):
                    name = f"{what}, {when}"
                    factors[name] = max(factors.get(name, 1.0), _factor(estimate, truth))
        return factors


def _factor(estimate: float, truth: float) -> float:
    return max(estimate / truth, truth / max(estimate, 1e-9))


#: what a store holds before a run -> words
STORES = {"empty": "an empty store", "part": "every other method stored", "others": "the other suites stored"}


def prepare(store: Store, held: str, name: str, kept: dict[str, dict[str, float]]) -> tuple[Plan, list[Unit]]:
    """Fill a store with units that lasted as they did before; return a suite's plan, and what is left to compute."""
    plan = make_plan(suite_named(name))
    ready: list[tuple[str, Unit]] = []
    if held == "part":
        before = list(plan.methods)[1::2]
        ready = [(name, unit) for unit in plan.units if unit.method.id in before]
    if held == "others":
        ready = [(one, unit) for one in kept if one != name for unit in make_plan(suite_named(one)).units]
    for suite, unit in ready:
        store.save(unit, UnitResult(unit.key, seconds=kept[suite][unit.title]), {})
    todo, _, _ = run.units_to_run(plan.units, store, retry_failed=False)
    return plan, longest_first(todo, Estimator(plan, measured_before(store, plan)))


def computed(plan: Plan, todo: list[Unit], store: Store, jobs: int) -> Shown:
    """Run units; return what was shown."""
    shown = Shown()
    engine = Processes(jobs, {}, [], packages=run.packages_to_load(plan, todo))
    try:
        with shown.looked_at():
            execute(plan, todo, engine, store, Progress(len(todo), 0, 0), shown)
    finally:
        engine.stop()
    return shown


class Replayed:
    """An engine whose units last as long as they did before, and the clock that goes with it.

    Parameters
    ----------
    workers : int
        How many units go on at a time.
    seconds : dict
        By title.

    Attributes
    ----------
    look : callable
        Called every now and then.
    """

    waiting_for = ""

    def __init__(self, workers: int, seconds: dict[str, float]) -> None:
        self.workers = workers
        self.look: Callable[[], None] = lambda: None
        self._seconds = seconds
        self._now = 0.0
        self._free = [0.0] * workers
        self._ending: list[tuple[float, str, Unit, Future[UnitResult]]] = []

    def monotonic(self) -> float:
        """Return the time."""
        return self._now

    def submit(self, unit: Unit) -> Future[UnitResult]:
        """Hand the unit to the worker that is free first."""
        future: Future[UnitResult] = Future()
        end = max(self._now, self._free[0]) + self._seconds[unit.title]
        heapq.heapreplace(self._free, end)
        heapq.heappush(self._ending, (end, unit.key, unit, future))
        return future

    def wait(self, flying: Iterable[Future[UnitResult]], return_when: str) -> tuple[set[Future[UnitResult]], None]:
        """Let the time pass until a unit ends."""
        end, _, unit, future = heapq.heappop(self._ending)
        while self._now + EVERY < end:
            self._now += EVERY
            self.look()
        self._now = end
        future.set_result(UnitResult(unit.key, seconds=self._seconds[unit.title]))
        return {future}, None

    def report(self, unit: Unit) -> None:
        """Report nothing."""

    def stop(self) -> None:
        """Do nothing: there is no worker."""


def replayed(plan: Plan, todo: list[Unit], store: Store, jobs: int, seconds: dict[str, float]) -> Shown:
    """Go through a run as it was; return what was shown."""
    engine = Replayed(jobs, seconds)
    shown = Shown(engine.monotonic)
    engine.look = shown.look
    clock = SimpleNamespace(monotonic=engine.monotonic)
    with patch.object(run, "time", clock), patch.object(display, "time", clock), patch.object(run, "wait", engine.wait):
        execute(plan, todo, engine, store, Progress(len(todo), 0, 0), shown)
    return shown


def print_factors(title: str, shown: Shown) -> None:
    """Print the worst factors of a run."""
    print(f"{title}: {len(shown.units)} units in {shown.seen[-1][0] - shown.start:.0f} s")
    for words, factor in shown.worst().items():
        print(
            f"    {words:<15} {factor:5.2f} (allowed: {ALLOWED:g})  {'ok' if factor <= ALLOWED else 'OVER'}", flush=True
        )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--suites", default=",".join(["quick", *SUITES]))
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--replay", action="store_true")
    parser.add_argument("--stores", default=",".join(STORES))
    arguments = parser.parse_args()
    file: Path | None = arguments.keep
    if arguments.replay and not (file and file.exists()):
        parser.error("--replay needs --keep FILE, the file of an earlier run")
    kept: dict[str, dict[str, float]] = json.loads(file.read_text()) if file and file.exists() else {}
    for held in arguments.stores.split(","):
        for name in arguments.suites.split(","):
            with tempfile.TemporaryDirectory() as folder, Store(Path(folder) / "store.sqlite", write=True) as store:
                plan, todo = prepare(store, held, name, kept)
                if arguments.replay:
                    shown = replayed(plan, todo, store, arguments.jobs, kept[name])
                else:
                    shown = computed(plan, todo, store, arguments.jobs)
            if held == "empty" and not arguments.replay:
                kept[name] = shown.units
                if file:
                    file.write_text(json.dumps(kept, indent=0) + "\n")
            print_factors(f"{name}, {STORES[held]}", shown)


if __name__ == "__main__":
    main()
