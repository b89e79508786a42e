"""What a cluster lacks, or who hangs or is gone, is said in a line; it stops nothing that could go on."""

import os
import shutil
import signal
from pathlib import Path

import augbench
import pytest

from .conftest import fingerprint
from .dask_processes import GENERATE, DaskProcesses, start, wait_for
from .test_cluster import fake_version

pytest.importorskip("distributed", reason="no Dask: pip install -e '.[cluster]'")


@pytest.fixture
def dask(tmp_path):
    with DaskProcesses(tmp_path) as processes:
        yield processes


def start_and_read(dask, *options):
    """Start a run; return it and the files of what it says and shows."""
    said, shown = dask.folder / "said", dask.folder / "shown"
    with said.open("w") as stderr, shown.open("w") as stdout:
        return start(dask.folder, dask, *options, stdout=stdout, stderr=stderr), said, shown


def test_a_table_of_ones_own_is_sent_with_its_rows(bench, tmp_path, tiny_suite, dask):
    dask.start_scheduler()
    # its folder is another one, and there is no such file
    dask.start_worker()
    rows = [f"{i % 7},{'abc'[i % 3]},{i * i % 11},{'yes' if i % 3 else 'no'}" for i in range(90)]
    (tmp_path / "loans.csv").write_text("\n".join(["age,home,sum,paid", *rows]))
    options = (tiny_suite, "--data", "loans.csv", "--target", "paid", "--draws", "2")
    run = start(tmp_path, dask, *options)
    stdout, stderr = run.communicate(timeout=120)
    assert run.returncode == 0, stdout + stderr
    alone = bench("run", *options, "--no-site", "--store", "alone.sqlite", "--jobs", 1)
    assert alone.returncode == 0, alone.stderr
    assert fingerprint(tmp_path / "dask.sqlite") == fingerprint(tmp_path / "alone.sqlite")


def test_a_worker_leaves_a_driver_that_was_killed(tmp_path, tiny_suite, plugin, dask):
    """A unit that never ends would keep the worker from the next driver."""
    number = tmp_path / "number"
    endless = plugin(f"open({str(number)!r}, 'w').write(str(os.getpid()))\ntime.sleep(10_000)", "endless")
    options = (tiny_suite, "--datasets", "iris", "--draws", "1")
    dask.start_scheduler()
    dask.start_worker()
    run = start(tmp_path, dask, *options, "--plugin", endless, "--methods", "endless")
    wait_for(lambda: number.is_file() and number.read_text(), run)
    dask.kill(run)
    again = start(tmp_path, dask, *options)
    _, stderr = again.communicate(timeout=120)
    assert again.returncode == 0, stderr
    with pytest.raises(ProcessLookupError):
        os.kill(int(number.read_text()), 0)


def test_a_scheduler_without_augbench_is_refused_before_the_first_unit(tmp_path, tiny_suite, dask):
    other = tmp_path / "other" / "augbench"
    other.mkdir(parents=True)
    (other / "__init__.py").write_text("raise ModuleNotFoundError(\"No module named 'augbench'\")")
    dask.start_scheduler(PYTHONPATH=str(other.parent))
    dask.start_worker()
    run = start(tmp_path, dask, tiny_suite)
    _, stderr = run.communicate(timeout=60)
    assert run.returncode == 2
    assert stderr.startswith(f"error: the scheduler {dask.address} could not hand on what this process sends: ")
    assert "No module named 'augbench'" in stderr
    assert stderr.count("\n") == 1


def test_workers_that_hang_at_the_start_are_used_when_they_answer_if_they_may(tmp_path, tiny_suite, plugin, dask):
    used, gate = tmp_path / "used", tmp_path / "gate"
    used.mkdir()
    held = plugin(
        f"open(os.path.join({str(used)!r}, str(os.getppid())), 'w').close()\n"
        f"while not os.path.exists({str(gate)!r}): time.sleep(0.05)\n{GENERATE}",
        "held",
    )
    options = (tiny_suite, "--plugin", held, "--methods", "held", "--datasets", "iris", "--draws", "60")
    dask.start_scheduler()
    dask.start_worker()
    hanging = [dask.start_worker(), dask.start_worker(**fake_version(tmp_path))]
    wait_for(lambda: dask.registered() == 3, dask.running[0])
    for one in hanging:
        os.killpg(one.pid, signal.SIGSTOP)
    run, said, _ = start_and_read(dask, *options)
    # the one that is left computes
    wait_for(lambda: any(used.iterdir()), run)
    assert said.read_text().count(" does not answer: it is not used until it does\n") == 2
    for one in hanging:
        os.killpg(one.pid, signal.SIGCONT)
    wait_for(lambda: " answers again\n" in said.read_text() and " is not used: scipy 0.0.1" in said.read_text(), run)
    gate.touch()
    run.communicate(timeout=120)
    assert run.returncode == 0, said.read_text()
    assert len(list(used.iterdir())) == 2
    assert len(said.read_text().splitlines()) == 4


def test_what_is_waited_for_is_shown(tmp_path, tiny_suite, plugin, dask):
    marker = tmp_path / "marker"
    endless = plugin(f"open({str(marker)!r}, 'w').close()\ntime.sleep(10_000)", "endless")
    dask.start_scheduler()
    worker = dask.start_worker()
    run, said, shown = start_and_read(dask, tiny_suite, "--plugin", endless, "--methods", "endless")
    wait_for(marker.exists, run)
    dask.kill(worker)
    wait_for(lambda: shown.read_text().endswith("\nwaiting for workers\n"), run)
    scheduler, *_ = dask.running
    dask.kill(scheduler)
    wait_for(lambda: shown.read_text().endswith("\nwaiting for the scheduler\n"), run)
    dask.start_scheduler(int(dask.address.rpartition(":")[2]))
    wait_for(lambda: f"{dask.address} has no workers yet" in said.read_text(), run)
    lost, back, _ = said.read_text().splitlines()[-3:]
    assert lost.startswith(f"the scheduler {dask.address} is lost")
    assert back == f"the scheduler {dask.address} is back"
    wait_for(lambda: shown.read_text().endswith("\nwaiting for workers\n"), run)


def test_a_worker_with_other_code_is_not_used_and_it_is_said_what_to_do(tmp_path, tiny_suite, dask):
    package = Path(augbench.__file__).parent
    other = tmp_path / "other" / "augbench"
    shutil.copytree(package, other, ignore=shutil.ignore_patterns(".*", "tests", "*.egg-info", "benchmarks"))
    with (other / "methods" / "controls.py").open("a") as file:
        file.write("\nOTHER = True\n")
    dask.start_scheduler()
    dask.start_worker(PYTHONPATH=str(other.parent))
    run = start(tmp_path, dask, tiny_suite, "--datasets", "iris", "--draws", "1")
    _, stderr = run.communicate(timeout=120)
    assert run.returncode == 2
    assert "or install there what the driver has): method:none\n" in stderr
    last = stderr.splitlines()[-1]
    assert last.startswith("error: no worker is left that computes what this process would: the driver's version of ")
