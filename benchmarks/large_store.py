"""What a store of a million scores costs to go on with, to show and to export: `python benchmarks/large_store.py`.

Writes a synthetic store (100 methods × 100 data sets × 20 draws × 5 classifiers, one metric; `synthetic_store`), then
measures each step in a process of its own, as a person would start it, and holds it against its limit:

- `bench run` from its start until the first unit is handed over, with a fifth of the units still to be computed: the
  plan, what is left, estimates, the inspection of the data sets;
- `bench leaderboard`: the whole site;
- `bench export` to CSV and to Parquet, whose memory must not grow with the store.

`--scores N` makes a smaller store of the same shape, `--store FILE` keeps it, and takes one that is there as it is.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from augbench.bench import job
from augbench.bench.console import Places
from augbench.bench.plan import make_plan
from augbench.bench.store import Store
from augbench.benchmarks.synthetic_store import BLOCK, CLASSIFIERS, DRAWS, make_suite, write_store
from typer import Exit

#: seconds of wall time and MiB of resident memory; None: no limit, only told
RESUME_SECONDS, SITE_SECONDS, SITE_MIB, EXPORT_MIB = 5.0, 120.0, 2048.0, 500.0


@dataclass(frozen=True)
class Cost:
    """What a process took: wall and processor seconds, peak resident memory in MiB, what it printed."""

    wall: float
    cpu: float
    memory: float
    text: str


def measured(command: Sequence[str]) -> Cost:
    """Run a command to its end; one that fails ends this script."""
    with tempfile.TemporaryFile("w+") as file:
        start = time.perf_counter()
        child = subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.perf_counter() - start
        child.returncode = os.waitstatus_to_exitcode(status)
        file.seek(0)
        text = file.read()
    if child.returncode:
        sys.exit(f"{' '.join(command)} ended with {child.returncode}:\n{text[-3000:]}")
    return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, text)


class _NoEngine:
    """Stops a run where its first unit would be computed."""

    workers = 2
    waiting_for = ""

    def submit(self, unit: Any) -> Future[Any]:
        raise KeyboardInterrupt

    def report(self, unit: Any) -> None:
        return None

    def stop(self) -> None:
        return None


def resume(path: Path, side: int) -> None:
    """Go on with a run that has another block of draws than the store, up to its first unit; print the seconds."""
    times: dict[str, float] = {}

    def timed(*given: Any) -> Any:
        start = time.perf_counter()
        plan = make_plan(*given)
        times["plan"] = time.perf_counter() - start
        return plan

    suite, own = make_suite(side, DRAWS + BLOCK, "larger")
    start = time.perf_counter()
    planned = mock.patch.object(job, "make_plan", timed)
    try:
        with planned, mock.patch.object(job, "make_engine", return_value=_NoEngine()):
            job.compute_suite(suite, own, [], Places(path, path.parent / "out"), job.Manner(jobs=2))
    except Exit:
        print(f"{time.perf_counter() - start:.3f} {times['plan']:.3f}")
        return
    raise AssertionError("the run went on to its end")


def report(what: str, value: float, unit: str, limit: float | None) -> None:
    """Print a figure with its limit."""
    verdict = "" if limit is None else f"limit {limit:g} {unit}: {'PASS' if value <= limit else 'over'}"
    print(f"{what:<46} {value:>9.1f} {unit:<4} {verdict}", flush=True)


def measure(store: Path, side: int, folder: Path) -> None:
    """Measure everything on a store."""
    command = [sys.executable, "-m", "augbench.bench"]
    own = [sys.executable, __file__, "--store", str(store), "--scores", str(side**2 * 100), "--resume"]
    measured(own)  # the run that is stopped: it stays behind in the store
    cost = measured(own)
    total, plan = (float(one) for one in cost.text.split()[-2:])
    report("resume: until the first unit", total, "s", RESUME_SECONDS)
    report("  of it the plan of the suite", plan, "s", None)
    report("  the whole process, imports included", cost.cpu, "s", None)
    report("  peak memory", cost.memory, "MiB", None)
    which = ["--store", str(store), "--suite", "large"]
    cost = measured([*command, "leaderboard", *which, "--out", str(folder / "site")])
    report("site: wall", cost.wall, "s", SITE_SECONDS)
    report("  processor", cost.cpu, "s", None)
    report("  peak memory", cost.memory, "MiB", SITE_MIB)
    size = sum(one.stat().st_size for one in (folder / "site").rglob("*") if one.is_file())
    report("  size of its files", size / 2**20, "MiB", None)
    for kind in ("csv", "parquet"):
        target = folder / f"scores.{kind}"
        cost = measured([*command, "export", str(target), *which])
        report(f"export to {kind}: wall", cost.wall, "s", None)
        report("  processor", cost.cpu, "s", None)
        report("  peak memory", cost.memory, "MiB", EXPORT_MIB)
        report("  size of the file", target.stat().st_size / 2**20, "MiB", None)


def main() -> None:
    """Write the store and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scores", type=int, default=1_000_000, help="about how many (40,000 or more)")
    parser.add_argument("--store", type=Path, help="where to keep the store; one that is there is measured as it is")
    parser.add_argument("--resume", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    side = max(20, round((given.scores / (DRAWS * len(CLASSIFIERS))) ** 0.5))
    if given.resume:
        resume(given.store, side)
        return
    with tempfile.TemporaryDirectory() as name:
        path = given.store or Path(name) / "large.sqlite"
        if not path.is_file():
            start = time.perf_counter()
            with Store(path, write=True) as store:
                scores = write_store(store, side)
            wall = time.perf_counter() - start
            units = side**2 * DRAWS // BLOCK
            print(f"{scores:,} scores in {units:,} units written in {wall:.0f} s: {1000 * wall / units:.1f} ms a unit")
        report("size of the store", path.stat().st_size / 2**20, "MiB", None)
        measure(path, side, Path(name))


if __name__ == "__main__":
    main()
