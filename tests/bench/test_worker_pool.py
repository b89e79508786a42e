"""Workers that die, stop or answer nonsense at the wrong moment: each unit ends once, and nothing is left behind."""

import multiprocessing
import os
import signal
import threading
import time

import pytest
from augbench.bench import engine as engines
from augbench.bench.engine import InProcess, Processes, WorkerDiedError
from augbench.bench.limits import NO_LIMITS, UnitLimits
from augbench.bench.plugins import load_plugin
from augbench.bench.worker_pool import Worker
from augbench.errors import InputError
from pebble.pool.base_pool import PoolStatus

from .conftest import write_plugin
from .test_worker_limits import units_of

#: what goes past `except Exception`, by the name of the method; the first can be pickled, but not put together again
RAISED = {
    "aborts": "class Abort(BaseException):\n"
    "    def __init__(self, code, why):\n"
    "        super().__init__(f'{code}: {why}')\n"
    "raise Abort(3, 'why')",
    "cancels": "import asyncio\nraise asyncio.CancelledError('stopped')",
    "panics": "raise type('Panic', (BaseException,), {'__module__': 'native'})('called unwrap on None')",
}
WORDS = {"aborts": "Abort: 3: why", "cancels": "CancelledError: stopped", "panics": "Panic: called unwrap on None"}


@pytest.fixture
def engine():
    """Return a function that starts an engine, of which nothing may be left at the end."""
    started = []

    def start(workers=1, limits=NO_LIMITS, plugins=()):
        started.append(Processes(workers, {}, list(plugins), limits))
        return started[-1]

    yield start
    for one in started:
        one.stop()
        assert not one._reports.folder.exists()
    assert multiprocessing.active_children() == []


def ready_worker(engine):
    """Have a unit computed, and return the number of the only worker's process."""
    (unit,) = units_of("none")
    assert engine.submit(unit).result(timeout=120).error == ""
    (pid,) = engine._files.started()
    return pid


@pytest.fixture(scope="module")
def raising(tmp_path_factory):
    folder = tmp_path_factory.mktemp("raising")
    paths = [str(write_plugin(folder, body, name)) for name, body in RAISED.items()]
    for path in paths:
        load_plugin(path)
    return paths


def test_whatever_a_method_raises_is_a_failure_of_its_unit(engine, raising):
    units = units_of(*RAISED)
    for one in (InProcess({}), engine(plugins=raising)):
        assert [one.submit(unit).result(timeout=120).error for unit in units] == list(WORDS.values())


def test_ctrl_c_in_the_driver_is_none(tmp_path):
    load_plugin(str(write_plugin(tmp_path, "raise KeyboardInterrupt", "interrupts")))
    (unit,) = units_of("interrupts")
    with pytest.raises(KeyboardInterrupt):
        InProcess({}).submit(unit)


def test_a_worker_that_dies_as_it_is_handed_a_unit_costs_nothing(engine):
    processes = engine()
    pid = ready_worker(processes)
    pool = processes._workers[0]._pool
    queue = pool._context.task_queue
    put = queue.put

    def put_when_the_pool_has_ended_all_it_knows_of(task):
        os.kill(pid, signal.SIGKILL)
        while pool._context.status != PoolStatus.ERROR:
            time.sleep(0.01)
        put(task)

    queue.put = put_when_the_pool_has_ended_all_it_knows_of
    (unit,) = units_of("smote")
    future = processes.submit(unit)
    queue.put = put
    assert future.result(timeout=60).error == ""


def test_a_worker_that_does_not_take_its_unit_is_under_the_limit(engine):
    processes = engine(limits=UnitLimits(seconds=3))
    os.kill(ready_worker(processes), signal.SIGSTOP)
    stuck, after = units_of("smote", "none")
    with pytest.raises(WorkerDiedError, match="took longer than 3 s"):
        processes.submit(stuck).result(timeout=60)
    assert processes.submit(after).result(timeout=120).error == ""


class Unreadable:
    """What no process but the one that made it can read."""

    def __reduce__(self):
        return os.kill, (os.getpid(), "no number")


def unreadable(unit, reports):
    return Unreadable()


def test_a_unit_whose_result_cannot_be_read_is_not_computed_for_ever(engine, monkeypatch):
    monkeypatch.setattr(engines, "DEATHS", 1)
    monkeypatch.setattr(engines, "_evaluate_in_worker", unreadable)
    (unit,) = units_of("none")
    with pytest.raises(WorkerDiedError, match="2 times, before it began the unit or as it sent its result"):
        engine().submit(unit).result(timeout=120)


def test_what_an_ended_pool_says_is_not_taken_for_the_next_unit(engine):
    processes = engine()
    ready_worker(processes)
    (worker,) = processes._workers
    old = worker.computing
    (unit,) = units_of("smote")
    future = processes.submit(unit)
    # again, late
    processes._ended(worker, old)
    assert future.result(timeout=60).key == unit.key


def test_an_idle_worker_that_died_is_no_death_of_one_that_starts(engine):
    processes = engine()
    pid = ready_worker(processes)
    os.kill(pid, signal.SIGKILL)
    while processes._workers[0]._pool.active:
        time.sleep(0.01)
    (unit,) = units_of("smote")
    assert processes.submit(unit).result(timeout=60).error == ""
    assert processes._last_words == ""


def test_a_signal_is_named(engine):
    processes = engine()
    (unit,) = units_of("none")
    future = processes.submit(unit)
    while not (running := processes._files.running()):
        time.sleep(0.001)
    os.kill(next(iter(running)), signal.SIGTERM)
    error = future.exception(timeout=60)
    # (it may have just ended the unit)
    assert error is None or str(error) == "the worker process died (SIGTERM)"


def test_the_watch_gets_over_an_error_and_says_one_that_stays(engine, monkeypatch):
    monkeypatch.setattr("augbench.bench.worker_files.PATIENCE", 1.0)
    processes = engine(limits=UnitLimits(seconds=2))
    stopped = ready_worker(processes)
    look, failing = processes.look_at_running, threading.Event()
    failed = []

    def look_or_fail():
        if failing.is_set() or not failed:
            failed.append(True)
            raise OSError("too many open files")
        look()

    monkeypatch.setattr(processes, "look_at_running", look_or_fail)
    while not failed:
        time.sleep(0.01)
    os.kill(stopped, signal.SIGSTOP)
    (unit,) = units_of("smote")
    assert "took longer" in str(processes.submit(unit).exception(timeout=60))
    failing.set()
    while not isinstance(error := processes.submit(unit).exception(timeout=60), InputError):
        time.sleep(0.1)
    assert str(error) == "the worker processes cannot be watched: OSError: too many open files"


def test_a_process_is_ended_also_where_no_thread_can_be_started_any_more(engine, monkeypatch):
    processes = engine()
    ready_worker(processes)

    def start(thread):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", start)
    for ending in processes._workers[0].end():
        ending.join(timeout=60)
    (unit,) = units_of("smote")
    future = processes.submit(unit)
    assert multiprocessing.active_children() == []
    # when there is room again it is computed
    monkeypatch.undo()
    assert future.result(timeout=120).error == ""


def test_without_room_for_files_the_run_ends_with_a_word(engine, monkeypatch):
    monkeypatch.setattr(engines, "DEATHS", 2)

    def fail(worker):
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(Worker, "_new_pool", fail)
    (unit,) = units_of("none")
    with pytest.raises(InputError, match=r"die before they compute anything: OSError: .*Too many open files"):
        engine().submit(unit).result(timeout=60)
