"""What a run costs beside fitting and predicting: `python benchmarks/quick_cost.py [SUITE]`.

Runs the suite in a fresh store and prints the share of processor time that is neither fitting nor predicting (imports,
drawing, encoding, scoring, storing, the page), and the peak memory of the driver and of the workers.
"""

from __future__ import annotations

import resource
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path


def watch_memory(pid: int, peak: list[float]) -> None:
    """Keep the highest resident memory of a process, in MiB, in `peak`."""
    status = Path(f"/proc/{pid}/status")
    while True:
        try:
            line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        except (OSError, StopIteration):
            return
        peak[0] = max(peak[0], int(line.split()[1]) / 1024)
        time.sleep(0.2)


def main() -> None:
    """Run the suite and print the numbers."""
    suite = sys.argv[1] if len(sys.argv) > 1 else "quick"
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        run = subprocess.Popen([sys.executable, "-m", "augbench.bench", "run", suite, "--quiet", "--out", folder])
        peak = [0.0]
        watcher = threading.Thread(target=watch_memory, args=(run.pid, peak))
        watcher.start()
        run.wait()
        watcher.join()
        wall = time.perf_counter() - start
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        with sqlite3.connect(Path(folder) / "store.sqlite") as store:
            query = "SELECT sum(seconds), sum(work_seconds), max(peak_memory_mb), count(*) FROM units"
            seconds, work, worker_peak, units = store.execute(query).fetchone()
    processor = usage.ru_utime + usage.ru_stime
    print(f"{units} units in {wall:.0f} s; processor time {processor:.1f} s, of it fitting and predicting {work:.1f} s")
    print(f"not fitting or predicting: {100 * (1 - work / processor):.2f} % of all processor time, imports included")
    print(f"                           {100 * (1 - work / seconds):.2f} % of the units' time")
    print(f"peak memory: driver {peak[0]:.0f} MiB, largest worker {worker_peak:.0f} MiB")


if __name__ == "__main__":
    main()
