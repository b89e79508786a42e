"""A Dask scheduler, Dask workers and runs on them, each in a process of its own, as a user starts them."""

import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from dataclasses import dataclass

DASK = [sys.executable, "-m", "dask"]
GENERATE = "return X[y == 2].iloc[[0] * counts[2]], np.repeat(2, counts[2])"


@dataclass(frozen=True)
class Host:
    """Where a process is started: its address, and what stands before its command."""

    address: str = "127.0.0.1"
    prefix: tuple[str, ...] = ()


class DaskProcesses:
    """A scheduler, workers and runs; all that are left are killed at the end of the block."""

    def __init__(self, folder):
        self.folder = folder
        self.running = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in self.running:
            self.kill(process)

    def start_scheduler(self, port=0, host=Host(), **environment):
        file = self.folder / "scheduler.json"
        file.unlink(missing_ok=True)
        options = ["--port", str(port), "--no-dashboard", "--scheduler-file", str(file), "--host", host.address]
        process = self._start("scheduler", options, host, environment)
        while not (file.is_file() and file.read_text().endswith("}")):
            assert process.poll() is None
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(0.05)
        self.address = json.loads(file.read_text())["address"]
        return process

    def start_worker(self, host=Host(), **environment):
        options = ["--nthreads", "1", "--no-dashboard", "--local-directory", str(self.folder), "--host", host.address]
        return self._start("worker", [self.address, *options], host, environment)

    def _start(self, what, options, host, environment):
        log = (self.folder / f"{what}-{len(self.running)}.log").open("w")
        command = [*host.prefix, *DASK, what, *options]
        process = subprocess.Popen(
            command, stdout=log, stderr=log, start_new_session=True, env={**os.environ, **environment}
        )
        self.running.append(process)
        return process

    def kill(self, process):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def registered(self):
        """How many workers have come to a scheduler."""
        return sum(path.read_text().count("Registered to") for path in self.folder.glob("worker-*.log"))


def start(tmp_path, dask, *options, host=Host(), stdout=subprocess.PIPE, stderr=subprocess.PIPE):
    """Start a run on the cluster in the background."""
    command = [*host.prefix, sys.executable, "-m", "augbench.bench", "run", *map(str, options), "--no-site"]
    command += ["--engine", "dask", "--scheduler", dask.address, "--store", "dask.sqlite"]
    run = subprocess.Popen(command, cwd=tmp_path, stdout=stdout, stderr=stderr, text=True, start_new_session=True)
    dask.running.append(run)
    return run


def wait_for(condition, process):
    deadline = time.monotonic() + 200
    while not condition():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.05)


def stored(path):
    """How many units a store has; it may be one that does not exist yet."""
    try:
        with contextlib.closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
            return connection.execute("SELECT count(*) FROM units").fetchone()[0]
    except sqlite3.OperationalError:
        return 0
