"""What a person sees while a run goes on, on a terminal and in a log."""

import io
import re
import time
from types import SimpleNamespace

import pytest
from augbench.bench.display import PlainLines, display_on, duration, seconds_left
from augbench.bench.run import Progress, Running, _estimate
from rich.console import Console


def unit(method="smote", dataset="iris", draws=2):
    return SimpleNamespace(
        title=f"{method} · {dataset}",
        method=SimpleNamespace(id=method),
        dataset=SimpleNamespace(id=dataset),
        scenario=SimpleNamespace(id="full"),
        draws=tuple(range(draws)),
    )


def running(*titles, since=None, report=None, expected=60.0):
    since = time.monotonic() if since is None else since
    return [Running(title, since, lambda: report, expected) for title in titles]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (59.6, "1 min 00 s"), (125, "2 min 05 s"), (3600, "1 h 00 min"), (9000, "2 h 30 min")],
)
def test_durations_are_said_in_words(seconds, words):
    assert duration(seconds) == words


def test_a_log_gets_each_failure_and_counts_with_the_time_left():
    file = io.StringIO()
    lines = PlainLines(Console(file=file, width=40), every=0)
    lines.finished(Progress(10, 3, 1, [], 75), unit(), SimpleNamespace(error="boom [bold]not markup[/bold]"))
    failure, counts = file.getvalue().splitlines()
    assert failure == "failed: smote · iris: boom [bold]not markup[/bold]"
    assert counts == " 40 %  3 done, 1 failed, 6 left, about 1 min 15 s"


@pytest.mark.parametrize(
    ("stop_in", "words"),
    [(30, "6 left, stops in 30 s"), (-1, "6 left, stops after what is running"), (200, "6 left, about 1 min 15 s")],
)
def test_bound_time_is_never_promised_more(stop_in, words):
    file = io.StringIO()
    progress = Progress(10, 4, 0, [], 75, deadline=time.monotonic() + stop_in + 0.4)
    PlainLines(Console(file=file, width=60), every=0).finished(progress, unit(), SimpleNamespace(error=""))
    assert file.getvalue().strip().endswith(words)


def test_the_time_left_goes_down_while_units_run():
    now = time.monotonic()
    progress = Progress(10, 3, 0, running("a", "b", since=now - 20), 75, estimated=now - 10)
    assert seconds_left(progress) == pytest.approx(65, abs=0.2)
    # of two workers one began later, so that the other one counts alone for half of the time
    progress.running = [*running("a", since=now - 20), *running("b", since=now)]
    assert seconds_left(progress) == pytest.approx(70, abs=0.2)


def test_a_unit_that_takes_longer_than_expected_does_not_use_up_the_time_of_the_others():
    now = time.monotonic()
    late = running("a", since=now - 400, expected=100)[0]
    assert late.left(now - 400) == 100
    assert late.left(now - 350) == 50
    assert late.left(now) == pytest.approx(100)
    # 1,000 seconds for the others
    assert seconds_left(Progress(10, 3, 0, [late], 1100, estimated=now - 400)) == pytest.approx(1100, abs=0.2)


def test_what_runs_counts_with_what_it_still_needs():
    now = time.monotonic()
    progress = Progress(10, 3, 0, running("a", "b", since=now - 20))
    estimator = SimpleNamespace(seconds=lambda one: one)
    _estimate(progress, [10.0, 30.0], estimator, 2)
    # 40 seconds of each, then 10 here and 30 there
    assert progress.seconds_left == pytest.approx(70, abs=0.2)
    assert progress.estimated == pytest.approx(now, abs=0.2)


def test_a_terminal_shows_what_runs_now():
    file = io.StringIO()
    console = Console(file=file, width=100, force_terminal=True)
    with display_on(console, quiet=False) as display:
        display.started(Progress(10, 3, 0, running("smote · iris", "adasyn · wine"), 75))
        display.finished(Progress(10, 4, 1, running("adasyn · wine"), 60), unit(), SimpleNamespace(error="boom"))
    shown = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", file.getvalue())
    for words in ("adasyn · wine", "4 done, 1 failed, 5 left, about 1 min 00 s", "failed: smote · iris: boom"):
        assert words in shown


def test_a_terminal_shows_what_is_waited_for_in_the_place_of_what_would_run():
    file = io.StringIO()
    with display_on(Console(file=file, force_terminal=True, width=100), quiet=False) as display:
        display.started(Progress(10, 3, 0, running("vae · adult"), waiting_for=lambda: "workers"))
        display.live.refresh()
    assert "waiting for workers" in file.getvalue()
    assert "vae · adult" not in file.getvalue()
