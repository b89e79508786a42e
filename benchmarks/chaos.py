"""Runs under random SIGKILLs of workers and drivers: their scores must be those of an undisturbed run.

    python benchmarks/chaos.py [--minutes 60] [--every 6] [--seed 0]

Computes a suite once in peace. Then, until the time is over, computes it again and again into a fresh store, by turns
with local processes and with Dask, while a worker, or one time in five the driver, is killed at random moments; a
driver that ended is started again by the same command. Whenever a driver was killed the store must be sound; at the end
of each round every score and prediction must be the same. Ends with 1 at the first difference.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import closing, suppress
from pathlib import Path

import psutil
from augbench.bench.store_check import check_store
from augbench.benchmarks.engines import dask_cluster

SUITE = """
draws = 6
block = 2
methods = ["smote", "vae", "cvae", "autoencoder"]
datasets = ["iris", "breast-cancer"]
classifiers = ["logistic-regression"]
scenarios = ["imbalance:count=12"]
"""
#: one kill in so many is that of the driver
DRIVER = 5


class WrongError(Exception):
    """What must not happen, happened."""


def fingerprint(path: Path) -> str:
    """Return a hash of every score and prediction of a store, whatever the order in which they were written."""
    sha = hashlib.sha256()
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
        for query in (
            "SELECT u.key, s.draw, s.classifier, s.metric, s.value FROM scores s JOIN units u ON u.id = s.unit",
            "SELECT u.key, p.draw, p.classifier, p.data FROM predictions p JOIN units u ON u.id = p.unit",
        ):
            for row in sorted(connection.execute(query), key=repr):
                sha.update(repr(row).encode())
    return sha.hexdigest()


def start(suite: Path, store: Path, more: list[str]) -> subprocess.Popen[bytes]:
    """Start a driver, which goes on with a store."""
    command = [sys.executable, "-m", "augbench.bench", "run", str(suite), "--store", str(store), "--no-site"]
    with store.with_suffix(".log").open("ab") as log:
        return subprocess.Popen([*command, "--quiet", "--retry-failed", *more], stdout=log, stderr=log)


def computing(driver: psutil.Process, cluster: psutil.Process) -> list[psutil.Process]:
    """Return the processes that compute units: children of the driver, or of the Dask workers."""
    below = [*driver.children(recursive=True), *cluster.children(recursive=True)]
    return [one for one in below if one.pid != driver.pid and "spawn_main" in " ".join(one.cmdline())]


def round_of_kills(
    suite: Path, store: Path, more: list[str], every: float, chance: random.Random, killed: Counter[str]
) -> None:
    """Compute a suite into a store to its end, while processes are killed."""
    here = psutil.Process()
    while True:
        driver = start(suite, store, more)
        while driver.poll() is None:
            with suppress(subprocess.TimeoutExpired):
                driver.wait(chance.expovariate(1 / every))
                break
            with suppress(psutil.Error):
                if chance.randrange(DRIVER) == 0:
                    killed["drivers"] += 1
                    driver.kill()
                elif workers := computing(psutil.Process(driver.pid), here):
                    killed["workers"] += 1
                    chance.choice(workers).kill()
        code = driver.wait()
        if code == 0:
            return
        if code == -9:
            found = check_store(store) if store.exists() else None
            if found and not found.is_sound:
                raise WrongError(f"after a kill of the driver the store is not sound: {found}")
        elif code != 1:
            raise WrongError(f"the driver ended with exit code {code}: {store.with_suffix('.log').read_text()[-2000:]}")
        killed["starts"] += 1


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--every", type=float, default=6, help="seconds between two kills, in the mean")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    chance = random.Random(arguments.seed)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        suite = folder / "chaos.toml"
        suite.write_text(SUITE)
        began = time.monotonic()
        if start(suite, folder / "peace.sqlite", ["--jobs", "2"]).wait():
            raise SystemExit("the undisturbed run failed")
        wanted = fingerprint(folder / "peace.sqlite")
        print(f"undisturbed: {time.monotonic() - began:.0f} s, {wanted[:12]}", flush=True)
        end = time.monotonic() + 60 * arguments.minutes
        rounds = 0
        while time.monotonic() < end:
            killed: Counter[str] = Counter()
            store = folder / f"{rounds}.sqlite"
            began = time.monotonic()
            if rounds % 2:
                with dask_cluster(2) as address:
                    more = ["--engine", "dask", "--scheduler", address]
                    round_of_kills(suite, store, more, arguments.every, chance, killed)
            else:
                round_of_kills(suite, store, ["--jobs", "2"], arguments.every, chance, killed)
            found = fingerprint(store)
            print(
                f"round {rounds + 1} ({'dask' if rounds % 2 else 'processes'}): {time.monotonic() - began:.0f} s, "
                f"{killed['workers']} workers and {killed['drivers']} drivers killed, {killed['starts']} starts again: "
                f"{'the same scores' if found == wanted else 'OTHER SCORES'}",
                flush=True,
            )
            if found != wanted:
                raise SystemExit(1)
            rounds += 1


if __name__ == "__main__":
    main()
