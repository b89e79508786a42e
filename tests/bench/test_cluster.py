"""Dask workers compute what one process computes, to the last bit, and whatever is killed costs no result."""

import json
import signal
import sqlite3
from contextlib import closing

import pytest
from augbench.errors import InputError

from .conftest import fingerprint
from .dask_processes import GENERATE, DaskProcesses, start, stored, wait_for

pytest.importorskip("distributed", reason="no Dask: pip install -e '.[cluster]'")

from augbench.bench.cluster_asking import check_address


@pytest.fixture
def dask(tmp_path):
    with DaskProcesses(tmp_path) as processes:
        processes.start_scheduler()
        yield processes


def test_the_cluster_gives_the_scores_of_one_process_and_says_what_failed(bench, tmp_path, tiny_suite, plugin, dask):
    dask.start_worker()
    dask.start_worker()
    crashing = plugin("import ctypes\nprint('about to crash', flush=True)\nctypes.string_at(0)", "crashing")
    # a file of one's own that the workers do not have
    options = (tiny_suite, "--plugin", crashing, "--methods", "smote,crashing", "--controls", "--unit-timeout", "5m")
    run = start(tmp_path, dask, *options)
    _, stderr = run.communicate(timeout=240)
    assert run.returncode == 1
    assert "failed: crashing · iris · imbalance:count=12: the worker process died (SIGSEGV): about to crash" in stderr
    alone = bench("run", *options, "--no-site", "--store", "alone.sqlite", "--jobs", 1)
    assert alone.returncode == 1
    assert fingerprint(tmp_path / "dask.sqlite") == fingerprint(tmp_path / "alone.sqlite")


def test_what_is_killed_and_comes_back_costs_no_result(bench, tmp_path, tiny_suite, plugin, dask):
    """A worker is killed, then the scheduler (and with it every worker), then the driver; all go on."""
    gate = tmp_path / "gate"
    held = plugin(f"while not os.path.exists({str(gate)!r}): time.sleep(0.05)\n{GENERATE}", "held")
    options = (tiny_suite, "--plugin", held, "--methods", "held,smote", "--datasets", "iris", "--draws", "8")
    first = dask.start_worker()
    run = start(tmp_path, dask, *options)
    wait_for(lambda: stored(tmp_path / "dask.sqlite") >= 2, run)
    dask.kill(first)
    dask.start_worker()
    # what the worker had is given to the next one; this one is held at the gate
    wait_for(lambda: dask.registered() == 2, run)
    gate.touch()
    before = stored(tmp_path / "dask.sqlite")
    wait_for(lambda: stored(tmp_path / "dask.sqlite") > before, run)
    gate.unlink()
    scheduler, *_ = dask.running
    port = int(dask.address.rpartition(":")[2])
    dask.kill(scheduler)
    dask.start_scheduler(port)
    dask.start_worker()
    gate.touch()
    before = stored(tmp_path / "dask.sqlite")
    wait_for(lambda: stored(tmp_path / "dask.sqlite") > before, run)
    run.kill()
    _, stderr = run.communicate()
    assert f"the scheduler {dask.address} is lost: waiting for it" in stderr
    assert f"the scheduler {dask.address} is back" in stderr
    assert "Traceback" not in stderr
    again = start(tmp_path, dask, *options)
    stdout, stderr = again.communicate(timeout=240)
    assert again.returncode == 0, stderr
    assert "stored before" in stdout
    alone = bench("run", *options, "--no-site", "--store", "alone.sqlite", "--jobs", 1)
    assert alone.returncode == 0, alone.stderr
    assert fingerprint(tmp_path / "dask.sqlite") == fingerprint(tmp_path / "alone.sqlite")


def test_after_ctrl_c_the_same_workers_compute_the_rest(tmp_path, tiny_suite, plugin, dask):
    gate = tmp_path / "gate"
    held = plugin(f"while not os.path.exists({str(gate)!r}): time.sleep(0.05)\n{GENERATE}", "held")
    options = (tiny_suite, "--plugin", held, "--methods", "held", "--datasets", "iris")
    dask.start_worker()
    run = start(tmp_path, dask, *options)
    wait_for(lambda: stored(tmp_path / "dask.sqlite") >= 1, run)
    run.send_signal(signal.SIGINT)
    _, stderr = run.communicate(timeout=60)
    assert run.returncode == 130
    assert "the same command goes on here" in stderr
    gate.touch()
    again = start(tmp_path, dask, *options)
    _, stderr = again.communicate(timeout=120)
    assert again.returncode == 0, stderr


def test_two_plugin_files_of_one_name_are_refused(tmp_path, bench, tiny_suite, plugin, dask):
    one = plugin(GENERATE, "one")
    other = tmp_path / "other" / one.name
    other.parent.mkdir()
    other.write_text(one.read_text().replace("'one'", "'two'"))
    run = start(tmp_path, dask, tiny_suite, "--plugin", one, "--plugin", other, "--methods", "one,two")
    _, stderr = run.communicate(timeout=60)
    assert run.returncode == 2
    assert "plugin files need names of their own on a cluster" in stderr


def fake_version(folder, name="scipy", version="0.0.1"):
    """A folder for PYTHONPATH with which a package seems to have another version."""
    info = folder / "fake" / f"{name}-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    return {"PYTHONPATH": str(info.parent)}


def test_a_worker_with_other_versions_is_refused_before_the_first_unit(tmp_path, tiny_suite, dask):
    dask.start_worker(**fake_version(tmp_path))
    run = start(tmp_path, dask, tiny_suite)
    _, stderr = run.communicate(timeout=120)
    assert run.returncode == 2
    assert "error: 1 worker of 1 would give other results: tcp://" in stderr
    assert "scipy 0.0.1 (here " in stderr
    assert stderr.count("\n") == 1
    assert stored(tmp_path / "dask.sqlite") == 0


def test_a_worker_with_other_blas_kernels_is_told_of_and_stored_with_its_results(tmp_path, tiny_suite, dask):
    dask.start_worker(OPENBLAS_CORETYPE="Nehalem")
    run = start(tmp_path, dask, tiny_suite, "--methods", "smote", "--datasets", "iris")
    _, stderr = run.communicate(timeout=120)
    assert run.returncode == 0, stderr
    assert "computes with other BLAS kernels (openblas Nehalem) than this process (openblas " in stderr
    assert stderr.count("\n") == 1
    with closing(sqlite3.connect(tmp_path / "dask.sqlite")) as connection:
        blas = {json.loads(text)["blas"] for (text,) in connection.execute("SELECT environment FROM units")}
    assert blas == {"openblas Nehalem"}


def test_a_worker_with_other_versions_that_comes_later_is_not_used(tmp_path, tiny_suite, plugin, dask):
    gate = tmp_path / "gate"
    held = plugin(f"while not os.path.exists({str(gate)!r}): time.sleep(0.05)\n{GENERATE}", "held")
    dask.start_worker()
    run = start(tmp_path, dask, tiny_suite, "--plugin", held, "--methods", "held,smote", "--datasets", "iris")
    wait_for(lambda: stored(tmp_path / "dask.sqlite") >= 1, run)
    dask.start_worker(**fake_version(tmp_path))
    wait_for(lambda: dask.registered() == 2, run)
    gate.touch()
    _, stderr = run.communicate(timeout=240)
    assert run.returncode == 0, stderr
    assert "is not used: scipy 0.0.1 (here " in stderr


def test_no_scheduler_is_one_line(tmp_path, bench, tiny_suite):
    run = bench("run", tiny_suite, "--engine", "dask", "--scheduler", "tcp://127.0.0.1:9")
    assert run.returncode == 2
    assert run.stderr.startswith("error: no Dask scheduler answers at tcp://127.0.0.1:9")
    assert "dask worker tcp://127.0.0.1:9" in run.stderr
    assert run.stderr.count("\n") == 1


def test_a_scheduler_that_ends_while_workers_are_waited_for_is_one_line(tmp_path, tiny_suite, dask):
    run = start(tmp_path, dask, tiny_suite)
    assert run.stderr.readline().startswith(f"{dask.address} has no workers yet: start some with 'dask worker tcp://")
    dask.kill(dask.running[0])
    _, stderr = run.communicate(timeout=60)
    assert run.returncode == 2
    assert stderr.startswith(f"error: no Dask scheduler answers at {dask.address}")
    assert stderr.count("\n") == 1


@pytest.mark.parametrize("options", [("--engine", "dask"), ("--scheduler", "tcp://127.0.0.1:9")])
def test_engine_and_scheduler_go_together(bench, tiny_suite, options):
    run = bench("run", tiny_suite, *options)
    assert run.returncode == 2
    assert "--engine dask and --scheduler ADDRESS go together" in run.stderr


def test_what_is_no_address_is_one_line(bench, tiny_suite):
    run = bench("run", tiny_suite, "--engine", "dask", "--scheduler", "tcp://127.0.0.1")
    assert run.returncode == 2
    what = "--scheduler 'tcp://127.0.0.1' is no address of a Dask scheduler"
    assert run.stderr == f"error: {what}: it is like tcp://host:8786\n"


@pytest.mark.parametrize("address", ["foo", "http://127.0.0.1:8786", "tcp://host:99999", "tcp://host:", "host:1/x"])
def test_addresses_that_dask_would_take_long_to_refuse_are_refused(address):
    with pytest.raises(InputError, match="is no address of a Dask scheduler"):
        check_address(address)


@pytest.mark.parametrize("address", ["tcp://host:8786", "tls://10.0.0.1:1", "tcp://[::1]:8786", "host.name:8786"])
def test_addresses_that_may_be_right_are_left_to_dask(address):
    check_address(address)


def test_jobs_are_of_this_machine(bench, tiny_suite):
    run = bench("run", tiny_suite, "--engine", "dask", "--scheduler", "tcp://127.0.0.1:9", "--jobs", 2)
    assert run.returncode == 2
    assert "'dask worker --nthreads N' says how many" in run.stderr
    assert run.stderr.count("\n") == 1
