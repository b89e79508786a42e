"""Units that hang, eat memory, crash or print without end cost themselves only, and say why."""

import itertools
import os
import re
import shutil
import signal
import sys
import time

import pytest
from augbench.bench import engine as engines
from augbench.bench.engine import InProcess, Processes, make_engine
from augbench.bench.evaluate import evaluate
from augbench.bench.limits import UnitLimits, memory_words, parse_memory, parse_time
from augbench.bench.plan import make_plan
from augbench.bench.plugins import load_plugin
from augbench.bench.suite import validate_suite
from augbench.bench.worker_files import SHOWN_OUTPUT, WorkerFiles
from augbench.bench.worker_pool import forks_end_as_usual
from augbench.errors import InputError

from .conftest import write_plugin
from .dask_processes import DaskProcesses

SUITE = {"name": "mine", "draws": 1, "folds": 0, "controls": False, "datasets": ["iris"],
         "classifiers": ["logistic-regression"], "scenarios": ["imbalance:count=12"]}  # fmt: skip
#: for the names of methods, each of which can be registered once
NUMBERS = itertools.count()
GENERATE = "return X[y == 2].iloc[[0] * counts[2]], np.repeat(2, counts[2])"
#: what goes wrong, by the name of the method
FAULTS = {
    # in native code, where no handler of a signal in Python would run
    "hangs": "import ctypes\nctypes.PyDLL(None).sleep(1000)",
    "eats": "held = []\nwhile True: held.append(np.ones(2**22))",
    "crashes": "import ctypes\nprint('about to crash', flush=True)\nctypes.string_at(0)",
    "leaves": "print('leaving', flush=True)\nos._exit(0)",
    "prints": f"for _ in range(40): os.write(1, b'x' * 200_000)\nprint('enough')\n{GENERATE}",
    "starts-another": "import subprocess, sys\n"
    "subprocess.run([sys.executable, '-c', 'import time; held = b\"x\" * (2**30 + 2**29); time.sleep(1000)'])",
}


def units_of(*names):
    plan = make_plan(validate_suite(SUITE | {"methods": list(names)}, "mine"))
    found = {unit.method.id: unit for unit in plan.units}
    return [found[name] for name in names]


@pytest.fixture(scope="module")
def faulty(tmp_path_factory):
    folder = tmp_path_factory.mktemp("faulty")
    paths = [str(write_plugin(folder, body, name)) for name, body in FAULTS.items()]
    for path in paths:
        load_plugin(path)
    return paths


def outcomes(engine, *names):
    """Return what became of some units, after one that starts the workers, and before one that is sound."""
    try:
        first, *units, last = units_of("smote", *names, "none")
        assert engine.submit(first).result(timeout=120).error == ""
        futures = [engine.submit(unit) for unit in [*units, last]]
        reasons = [str(future.exception(timeout=240)) for future in futures]
        assert futures[-1].result().error == ""
        return reasons[:-1]
    finally:
        engine.stop()


def test_a_unit_over_its_time_has_failed_and_the_next_is_computed(faulty):
    engine = Processes(1, {}, faulty, UnitLimits(seconds=4))
    assert outcomes(engine, "hangs") == ["took longer than 4 s (--unit-timeout)"]


def test_a_unit_over_its_memory_has_failed_and_nothing_of_it_is_left(faulty):
    import psutil

    engine = Processes(1, {}, faulty, UnitLimits(memory=1.2 * 2**30))
    reason = "took more than 1.2 GB of memory (--unit-memory)"
    # also of what the unit's process has started
    assert outcomes(engine, "eats", "starts-another") == [reason, reason]
    left = [one for one in psutil.process_iter(["cmdline"]) if "held = b" in " ".join(one.info["cmdline"] or [])]
    assert not left


def test_a_clock_that_is_set_ends_no_unit(tmp_path, monkeypatch):
    gate = tmp_path / "gate"
    path = write_plugin(tmp_path, f"while not os.path.exists({str(gate)!r}): time.sleep(0.05)\n{GENERATE}", "held")
    load_plugin(str(path))
    engine = Processes(1, {}, [str(path)], UnitLimits(seconds=600))
    try:
        (unit,) = units_of("held")
        future = engine.submit(unit)
        while not engine._workers[0].since:
            time.sleep(0.05)
        real = time.time
        monkeypatch.setattr(time, "time", lambda: real() + 7200)
        looks = []
        look = engine.look_at_running
        monkeypatch.setattr(engine, "look_at_running", lambda: looks.append(look()))
        while len(looks) < 6:
            assert not future.done(), future.exception()
            time.sleep(0.05)
        gate.touch()
        assert future.result(timeout=120).error == ""
    finally:
        engine.stop()


def test_a_worker_that_ends_as_if_all_were_well_costs_its_own_unit(faulty):
    engine = Processes(1, {}, faulty)
    (reason,) = outcomes(engine, "leaves")
    assert reason == "the worker process ended without a result: leaving"


def test_limits_hold_where_the_folder_of_the_workers_is_tidied_up(faulty, monkeypatch):
    engine = Processes(1, {}, faulty, UnitLimits(seconds=4))
    try:
        first, hangs, last = units_of("smote", "hangs", "none")
        assert engine.submit(first).result(timeout=120).error == ""
        hanging = engine.submit(hangs)
        while not engine._workers[0].since:
            time.sleep(0.05)
        shutil.rmtree(engine._files.folder)
        error = hanging.exception(timeout=120)
        assert str(error) == "took longer than 4 s (--unit-timeout)"
        assert error.seconds > 4
        assert engine.submit(last).result(timeout=120).error == ""
        assert engine._files.folder.is_dir()
    finally:
        engine.stop()


def test_a_limit_of_memory_that_a_worker_alone_is_over_ends_the_run(faulty):
    engine = Processes(1, {}, faulty, UnitLimits(memory=100 * 2**20))
    try:
        (unit,) = units_of("hangs")
        with pytest.raises(InputError, match=r"--unit-memory 100 MB is too little: a worker process takes \d+ MB"):
            engine.submit(unit).result(timeout=120)
    finally:
        engine.stop()


def test_a_crash_and_endless_output_cost_their_own_unit(faulty):
    engine = Processes(1, {}, faulty)
    folder = engine._reports.folder
    assert outcomes(engine, "crashes", "prints") == ["the worker process died (SIGSEGV): about to crash", "None"]
    assert not folder.exists()


def test_all_of_this_holds_on_a_cluster(faulty, tmp_path):
    pytest.importorskip("distributed", reason="no Dask: pip install -e '.[cluster]'")
    from augbench.bench.cluster import Cluster

    with DaskProcesses(tmp_path) as dask:
        dask.start_scheduler()
        dask.start_worker()
        dask.start_worker()
        cluster = Cluster(dask.address, {}, faulty, UnitLimits(seconds=8, memory=600 * 2**20))
        assert outcomes(cluster, "hangs", "eats", "crashes", "prints") == [
            "took longer than 8 s (--unit-timeout)",
            "took more than 600 MB of memory (--unit-memory)",
            "the worker process died (SIGSEGV): about to crash",
            "None",
        ]


@pytest.mark.parametrize("engine", [InProcess, Processes])
def test_packages_are_loaded_before_the_first_unit_and_one_that_is_broken_stops_nothing(engine, plugin, monkeypatch):
    name = f"loaded-by-{engine.__name__.lower()}"
    path = plugin(f"import sys\nassert 'planted_package' in sys.modules\n{GENERATE}", name)
    (path.parent / "is_broken.py").write_text("1 / 0")
    (path.parent / "planted_package.py").touch()
    monkeypatch.syspath_prepend(str(path.parent))
    load_plugin(str(path))
    more = {"packages": ["is_broken", "is_absent", "planted_package"]}
    started = Processes(1, {}, [str(path)], **more) if engine is Processes else InProcess({}, **more)
    try:
        (unit,) = units_of(name)
        assert started.submit(unit).result(timeout=120).error == ""
    finally:
        started.stop()
        sys.modules.pop("planted_package", None)


def test_what_was_printed_is_not_kept(faulty):
    engine = Processes(1, {}, faulty)
    try:
        (unit,) = units_of("prints")
        assert engine.submit(unit).result(timeout=120).error == ""
        outputs = list(engine._reports.folder.glob("*.out"))
        assert [path.stat().st_size for path in outputs] == [0]
    finally:
        engine.stop()


@pytest.mark.parametrize("killed", [1, 2])
def test_workers_that_die_before_they_have_anything_to_do_cost_no_unit(killed):
    import psutil

    engine = Processes(2, {}, [])
    try:
        first, second, *more = units_of("none", "smote", "random-oversampling", "jitter", "borderline-smote")
        for future in [engine.submit(unit) for unit in (first, second)]:
            assert future.result(timeout=120).error == ""
        workers = [one for one in psutil.Process().children() if "spawn_main" in " ".join(one.cmdline())]
        for worker in workers[:killed]:
            worker.kill()
        futures = [engine.submit(unit) for unit in more]
        assert [future.result(timeout=120).error for future in futures] == [""] * 3
    finally:
        engine.stop()


def test_code_that_changed_after_the_plan_is_not_computed(plugin):
    path = plugin(GENERATE, "edited")
    load_plugin(str(path))
    (unit,) = units_of("edited")
    path.write_text(path.read_text().replace("X[y == 2]", "X[y == 2].iloc[::-1]"))
    engine = Processes(1, {}, [str(path)])
    try:
        error = str(engine.submit(unit).exception(timeout=120))
        assert "others than those that the run was planned with" in error
        assert error.endswith(": method:edited")
    finally:
        engine.stop()


def test_a_limit_needs_a_process_that_can_be_killed():
    assert isinstance(make_engine(1, 5, {}, []), InProcess)
    engine = make_engine(1, 5, {}, [], UnitLimits(seconds=5))
    engine.stop()
    assert isinstance(engine, Processes)
    assert engine.workers == 1


def test_output_is_caught_bounded_and_its_end_is_shown(tmp_path):
    files = WorkerFiles(tmp_path)
    files._output(7).write_bytes(b"first\nlast \xff" + b"y" * 1000 + b"\n\n")
    assert files.last_words(7) == "y" * SHOWN_OUTPUT
    assert files.last_words(8) == ""
    files.trim_outputs()
    assert files.last_words(7)
    files._output(7).write_bytes(b"z" * 2_000_000)
    files.trim_outputs()
    assert files.last_words(7) == ""
    with files.computing("key"):
        assert files.running() == {os.getpid(): "key"}
    assert files.running() == {}


def test_a_folder_that_is_gone_costs_nothing(tmp_path):
    files = WorkerFiles(tmp_path / "gone")
    files.trim_outputs()
    assert files.last_words(7) == ""
    assert files.running() == {}
    # it is made again
    with files.computing("key"):
        assert files.running() == {os.getpid(): "key"}


@pytest.mark.parametrize(
    ("text", "size"), [("500MB", 500 * 2**20), ("2GB", 2**31), ("1.5 g", 1.5 * 2**30), ("1TiB", 2**40)]
)
def test_sizes_are_read(text, size):
    assert parse_memory(text) == size


@pytest.mark.parametrize("text", ["", "2", "-2GB", "0GB", "two GB", "2 kB", "2GBs"])
def test_what_is_no_size_is_named(text):
    with pytest.raises(InputError, match="such as 500MB or 2GB"):
        parse_memory(text)


def test_sizes_are_said_and_the_option_of_a_time_is_named():
    assert (memory_words(2**31), memory_words(500 * 2**20)) == ("2 GB", "500 MB")
    with pytest.raises(InputError, match="--unit-timeout soon: write a number"):
        parse_time("soon", "--unit-timeout")


def test_the_command_line_stores_what_went_over_a_limit_as_failed(bench, tmp_path, tiny_suite, plugin):
    path = plugin("while True: pass", "endless")
    run = bench(
        "run", tiny_suite, "--plugin", path, "--methods", "endless", "--datasets", "iris", "--controls",
        "--jobs", 1, "--no-site", "--unit-timeout", "4s",
    )  # fmt: skip
    assert run.returncode == 1
    assert "failed: endless · iris · imbalance:count=12: took longer than 4 s (--unit-timeout)" in run.stderr
    assert "2 of " in run.stderr


@pytest.fixture
def beside_a_long_unit(tmp_path):
    """Two workers, one at a unit that notes its starts and waits; a file that holds others; what ends it and checks."""
    gate, starts, hold = (tmp_path / name for name in ("gate", "starts", "hold"))
    waits = f"open({str(starts)!r}, 'a').write('x')\nwhile not os.path.exists({str(gate)!r}): time.sleep(0.05)\n"
    name = f"long-{next(NUMBERS)}"
    path = write_plugin(tmp_path, waits + GENERATE, name)
    held = f"while multiprocessing.parent_process() and os.path.exists({str(hold)!r}): time.sleep(0.01)\n"
    path.write_text(f"{path.read_text()}\nimport multiprocessing\n{held}")
    load_plugin(str(path))
    (unit,) = units_of(name)
    engine = Processes(2, {}, [str(path)])
    future = engine.submit(unit)

    def end():
        assert not future.done(), future.exception()
        gate.touch()
        disturbed = future.result(timeout=120)
        assert starts.read_text() == "x"
        assert scores_of(disturbed) == scores_of(evaluate(unit))

    while not starts.exists():
        assert not future.done(), future.exception()
        time.sleep(0.05)
    try:
        yield engine, hold, end
    finally:
        engine.stop()


def scores_of(result):
    assert result.error == ""
    return [{name: cell.scores for name, cell in draw.cells.items()} for draw in result.draws]


def first(found):
    """Return the first of what a function finds, as soon as there is any."""
    while not (some := list(found())):
        time.sleep(0.01)
    return some[0]


@pytest.mark.parametrize("waiting_for", ["nothing", "the pool", "the watch"])
def test_an_idle_worker_that_is_killed_disturbs_no_other(beside_a_long_unit, monkeypatch, waiting_for):
    import psutil

    monkeypatch.setattr(engines, "DEATHS", 1)
    engine, _, end = beside_a_long_unit
    files = engine._files
    killed = set()
    for unit in units_of("none", "smote", "jitter"):
        # by a worker that was started anew
        assert engine.submit(unit).result(timeout=120).error == ""
        idle = first(lambda: files.started() - set(files.running()) - killed)
        killed.add(idle)
        os.kill(idle, signal.SIGKILL)
        while waiting_for == "the pool" and psutil.pid_exists(idle):
            time.sleep(0.01)
        while waiting_for == "the watch" and idle in files.started():
            time.sleep(0.01)
    end()


def test_a_worker_that_is_killed_while_it_starts_disturbs_no_other(beside_a_long_unit):
    import psutil

    engine, hold, end = beside_a_long_unit
    files = engine._files
    (at_work,) = files.running()
    hold.touch()
    (unit,) = units_of("none")
    future = engine.submit(unit)

    def starting():
        children = {one.pid for one in psutil.Process().children() if "spawn_main" in " ".join(one.cmdline())}
        return children - {at_work}

    # as a bare process, and while it loads the plugin
    early = first(starting)
    os.kill(early, signal.SIGKILL)
    late = first(lambda: files.started() - {at_work, early})
    os.kill(late, signal.SIGKILL)
    hold.unlink()
    assert future.result(timeout=120).error == ""
    assert not files.started() & {early, late}
    end()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing forks here")
def test_what_a_method_forks_ends_by_sigterm():
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        forks_end_as_usual()
        if (child := os.fork()) == 0:
            os._exit(int(signal.getsignal(signal.SIGTERM) != signal.SIG_DFL))
        assert os.waitpid(child, 0)[1] == 0
    finally:
        signal.signal(signal.SIGTERM, before)


def test_many_workers_may_open_their_files():
    import resource

    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (1024, before[1]))
    try:
        # (none is started before it has a unit)
        Processes(200, {}, []).stop()
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == min(256 + 200 * 8, before[1])
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_a_worker_that_cannot_be_started_leaves_its_unit_to_another(monkeypatch):
    monkeypatch.setattr(engines, "DEATHS", 3)
    engine = Processes(2, {}, [])
    failing, works = engine._workers
    first_unit, second = units_of("none", "smote")

    def fail():
        raise OSError("no more processes")

    try:
        monkeypatch.setattr(failing, "_new_pool", fail)
        assert engine.submit(first_unit).result(timeout=120).error == ""
        assert works.task is None
        works.end()
        monkeypatch.setattr(works, "_new_pool", fail)
        with pytest.raises(InputError, match="die before they compute anything"):
            engine.submit(second).result(timeout=120)
    finally:
        engine.stop()


@pytest.mark.parametrize("code", [3, 0])
def test_workers_that_all_die_as_they_start_end_the_run_with_their_last_words(tmp_path, monkeypatch, code):
    monkeypatch.setattr(engines, "DEATHS", 2)
    path = write_plugin(tmp_path, GENERATE, f"dies-{code}")
    load_plugin(str(path))
    (unit,) = units_of(f"dies-{code}")
    dies = f"print('no library', flush=True); os._exit({code})"
    dies = f"\nimport multiprocessing\nif multiprocessing.parent_process(): {dies}"
    path.write_text(path.read_text() + dies)
    engine = Processes(2, {}, [str(path)])
    try:
        assert engine.waiting_for == ""
        with pytest.raises(InputError, match="die before they compute anything: no library"):
            engine.submit(unit).result(timeout=120)
        assert re.fullmatch(r"a worker process: \d died as they started: no library", engine.waiting_for)
    finally:
        engine.stop()
