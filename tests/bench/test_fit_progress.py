"""How a long fit says how far it is, from a worker to the screen."""

import io
import os
import re
import time
from types import SimpleNamespace

import pytest
from augbench import progress
from augbench.bench import engine as engines
from augbench.bench import fit_progress
from augbench.bench.display import PlainLines, counts_line, display_on
from augbench.bench.engine import InProcess, Processes
from augbench.bench.fit_progress import FitClock, Report, ReportFiles
from augbench.bench.plan import make_plan
from augbench.bench.plugins import load_plugin
from augbench.bench.run import Progress, Running
from augbench.bench.suite import validate_suite
from rich.console import Console

SUITE = {"name": "mine", "draws": 1, "folds": 0, "controls": False, "datasets": ["iris"],
         "classifiers": ["logistic-regression"], "scenarios": ["imbalance:count=12"]}  # fmt: skip
GENERATE = "return X[y == 2].iloc[[0] * counts[2]], np.repeat(2, counts[2])"


def units_of(*names):
    plan = make_plan(validate_suite(SUITE | {"methods": list(names)}, "mine"))
    return [unit for unit in plan.units if unit.method.id != "none"]


class TestReportFiles:
    def test_the_last_report_is_read_until_the_unit_ends(self, tmp_path, monkeypatch):
        monkeypatch.setattr(fit_progress, "INTERVAL", 0.0)
        files = ReportFiles(tmp_path)
        with files.writing("k"):
            assert files.read("k") is None
            progress.report("training", 1200, 6000)
            progress.report("training", 1300, 6000)
            assert files.read("k") == Report("training", 1300, 6000)
            assert 0 < files.read("k").seconds < 60
            assert files.read("other") is None
            progress.report("training", 6000, 6000)
            assert files.read("k") is None
            progress.report("training", 50, 6000)
        assert files.read("k") is None
        progress.report("training", 1400, 6000)
        assert not list(tmp_path.iterdir())

    def test_it_is_written_no_more_often_than_is_seen(self, tmp_path, monkeypatch):
        monkeypatch.setattr(fit_progress, "INTERVAL", float("inf"))
        files = ReportFiles(tmp_path)
        with files.writing("k"):
            for step in range(1000):
                progress.report("training", step, 1000)
            assert files.read("k") == Report("training", 0, 1000)

    def test_who_reports_nothing_writes_nothing(self, tmp_path):
        with ReportFiles(tmp_path).writing("k"):
            assert not list(tmp_path.iterdir())

    def test_a_folder_that_is_gone_costs_no_result(self, tmp_path):
        files = ReportFiles(tmp_path / "gone")
        with files.writing("k"):
            progress.report("training", 1, 2)
        assert files.read("k") is None

    def test_no_room_for_a_folder_costs_no_run(self, monkeypatch):
        def full(prefix):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(fit_progress.tempfile, "mkdtemp", full)
        files = ReportFiles.in_temporary_folder()
        with files.writing("k"):
            progress.report("training", 1, 2)
        files.remove()
        assert os.path.exists(os.devnull)

    @pytest.mark.parametrize("content", ["", "[1, 2", "[1, 2]", "7", "\xff"])
    def test_a_broken_file_is_no_report(self, tmp_path, content):
        (tmp_path / "k.json").write_text(content, encoding="latin-1")
        assert ReportFiles(tmp_path).read("k") is None


def test_this_process_tells_of_the_unit_that_it_computes(monkeypatch):
    (unit,) = units_of("smote")
    engine = InProcess({})
    seen = []

    def evaluate(unit):
        progress.report("training", 1200, 6000)
        seen.append(engine.report(unit))
        progress.report("training", 6000, 6000)
        seen.append(engine.report(unit))
        return "result"

    monkeypatch.setattr(engines, "evaluate", evaluate)
    assert engine.submit(unit).result() == "result"
    assert seen == [Report("training", 1200, 6000), None]
    assert engine.report(unit) is None


def test_a_worker_tells_of_its_unit_and_a_killed_one_disturbs_nobody(plugin, tmp_path):
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    told = "from augbench.progress import report\nreport('training', 1200, 6000)\n"
    paths = [
        plugin(f"{told}open({str(gate)!r}).read()\n{GENERATE}", "waits-at-gate"),
        plugin(f"{told}if os.getppid(): os.kill(os.getpid(), 9)", "killed-in-fit"),
    ]
    for path in paths:
        load_plugin(str(path))
    killed, waiting = units_of("killed-in-fit", "waits-at-gate")
    engine = Processes(1, {}, [str(path) for path in paths])
    folder = engine._reports.folder
    try:
        assert engine.submit(killed).exception(timeout=60) is not None
        future = engine.submit(waiting)
        while engine.report(waiting) is None:
            assert not future.done()
            os.sched_yield()
        assert str(engine.report(waiting)) == "training 1,200 of 6,000 steps"
        with gate.open("w"):
            pass
        assert future.result(timeout=60).error == ""
        assert engine.report(waiting) is None
    finally:
        engine.stop()
    assert not folder.exists()


def running(*titles, since, report=None):
    return [Running(title, since, lambda: report) for title in titles]


def test_a_terminal_shows_it_beside_the_unit_and_it_moves():
    file = io.StringIO()
    reports = [None, Report("training", 1200, 6000), Report("training", 1300, 6000)]
    one = Running("vae · iris", 0.0, lambda: reports[0])
    with display_on(Console(file=file, width=100, force_terminal=True), quiet=False) as display:
        display.started(Progress(10, 3, 0, [one], 75))
        while reports[1:]:
            reports.pop(0)
            display.live.refresh()
    shown = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", file.getvalue())
    assert "vae · iris   training 1,200 of 6,000 steps" in shown
    assert "vae · iris   training 1,300 of 6,000 steps" in shown


def test_the_time_left_is_no_shorter_than_the_slowest_fit_says():
    start = time.monotonic() - 600
    fits = [Running("a", start, lambda: Report("training", 2000, 6000, 600.0)), Running("b", start, lambda: None)]
    fits += [Running("c", start, lambda: Report("training", 0, 6000, 600.0))]
    progress = Progress(10, 3, 0, fits, 75, estimated=time.monotonic())
    assert counts_line(progress) == "3 done, 7 left, about 20 min 00 s"
    progress.seconds_left = 7200
    assert counts_line(progress) == "3 done, 7 left, about 2 h 00 min"


@pytest.mark.parametrize("end", [(6000, 6000), None])
def test_each_fit_of_a_unit_has_its_own_pace(monkeypatch, end):
    now = [100.0]
    monkeypatch.setattr(fit_progress, "time", SimpleNamespace(monotonic=lambda: now[0]))
    clock = FitClock()
    now[0] = 160.0
    assert clock.seconds(3000, 6000) == 60.0
    assert Report("training", 3000, 6000, 60.0).seconds_left == 60.0
    now[0] = 220.0
    if end:
        assert clock.seconds(*end) == 120.0
    else:
        # the next one begins without a word
        assert clock.seconds(0, 6000) == 0.0
    now[0] = 230.0
    assert clock.seconds(1000, 6000) == 10.0


def test_a_log_shows_life_when_a_unit_takes_long():
    file = io.StringIO()
    lines = PlainLines(Console(file=file, width=40), every=60)
    lines.tick()
    report = Report("training", 1200, 6000)
    start = time.monotonic() - 125
    lines.started(Progress(10, 3, 0, running("vae · iris", "smote · wine", since=start, report=report), 75))
    lines.tick()
    assert file.getvalue() == ""  # something was printed less than a minute ago
    lines._last = start
    lines.tick()
    lines.tick()
    assert file.getvalue() == "running for 2 min 05 s: vae · iris   training 1,200 of 6,000 steps   (and 1 more)\n"
    # a unit that has just begun is not mentioned
    lines._last = start
    lines.started(Progress(10, 3, 0, running("vae · iris", since=time.monotonic()), 75))
    lines.tick()
    assert file.getvalue().count("\n") == 1


def test_a_log_is_looked_after_while_a_run_goes_on():
    file = io.StringIO()
    lines = PlainLines(Console(file=file), every=0.001)
    with lines.ticking():
        lines.started(Progress(10, 3, 0, running("vae · iris", since=0.0), 75))
        while "vae · iris" not in file.getvalue():
            os.sched_yield()
    shown = file.getvalue()
    assert re.match(r"running for \d.*: vae · iris\n", shown)
