"""The main job on real processes: resuming, killing, engines, exit codes."""

import contextlib
import os
import random
import re
import signal
import sqlite3
import subprocess
import zlib
from pathlib import Path

import numpy as np
import pytest
from augbench.bench.predictions import unpack_predictions
from sklearn.metrics import f1_score, log_loss

from ..conftest import BENCH
from .conftest import fingerprint


def store_of(folder):
    return folder / "augbench-results" / "store.sqlite"


def counts(folder):
    with sqlite3.connect(f"file:{store_of(folder)}?mode=ro", uri=True) as connection:
        return dict(connection.execute("SELECT status, count(*) FROM units GROUP BY status"))


def test_smoke_ends_with_a_leaderboard_and_a_second_run_computes_nothing(bench, tmp_path):
    first = bench("run", "smoke")
    assert first.returncode == 0, first.stderr
    page = re.search(r"leaderboard: (.*)", first.stdout)[1]
    assert "none" in Path(page).read_text()
    assert "macro F1" in first.stdout or "macro_f1" in first.stdout
    before = fingerprint(store_of(tmp_path))
    second = bench("run", "smoke")
    assert second.returncode == 0
    assert "0 to compute" in second.stdout
    assert fingerprint(store_of(tmp_path)) == before


def test_jobs_do_not_change_a_bit(bench, tmp_path, tiny_suite):
    for jobs in (1, 3):
        assert bench("run", tiny_suite, "--no-site", "--jobs", jobs, "--out", f"jobs{jobs}").returncode == 0
    prints = {fingerprint(tmp_path / f"jobs{jobs}" / "store.sqlite") for jobs in (1, 3)}
    assert len(prints) == 1
    # the control: another seed is another result
    bench("run", tiny_suite, "--no-site", "--seed", 1, "--out", "other", "--jobs", 1)
    assert fingerprint(tmp_path / "other" / "store.sqlite") not in prints


def test_order_of_methods_and_datasets_does_not_matter(bench, tmp_path, tiny_suite):
    bench("run", tiny_suite, "--no-site", "--out", "one", "--jobs", 1)
    args = ("--jobs", 1, "--datasets", "wine,iris", "--methods", "smote,class-weight")
    bench("run", tiny_suite, "--no-site", "--out", "two", *args)
    assert fingerprint(tmp_path / "one" / "store.sqlite") == fingerprint(tmp_path / "two" / "store.sqlite")


def test_kill_9_at_ten_moments_loses_only_what_was_in_flight(bench, tmp_path, tiny_suite):
    jobs, moments = 2, 10
    undisturbed = bench("run", tiny_suite, "--no-site", "--out", "calm", "--jobs", jobs)
    assert undisturbed.returncode == 0
    command = [*BENCH, "run", str(tiny_suite), "--jobs", str(jobs), "--quiet", "--no-site"]
    rng = random.Random(jobs)
    killed, stored = 0, 0
    while killed < moments:
        process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        # wait for a unit more than before, then a random moment: kills fall inside the work, not inside the start
        target = min(stored + 1, 34)
        while process.poll() is None and (not store_of(tmp_path).is_file() or sum_units(tmp_path) < target):
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(0.005)
        try:
            process.wait(rng.uniform(0, 0.1))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
        killed += 1
        now = sum_units(tmp_path)
        assert now >= stored
        stored = now
        if process.returncode == 0:
            # done before the last kill: start over, there is more to disturb
            os.rename(tmp_path / "augbench-results", tmp_path / f"finished-{killed}")
            assert fingerprint(tmp_path / f"finished-{killed}" / "store.sqlite") == fingerprint(
                tmp_path / "calm/store.sqlite"
            )
            stored = 0
    assert bench("run", tiny_suite, "--no-site", "--jobs", jobs).returncode == 0
    assert fingerprint(store_of(tmp_path)) == fingerprint(tmp_path / "calm" / "store.sqlite")


def sum_units(folder):
    try:
        return sum(counts(folder).values())
    except sqlite3.OperationalError:
        return 0


def test_ctrl_c_says_how_to_go_on(tmp_path, tiny_suite, bench):
    command = [*BENCH, "run", str(tiny_suite), "--draws", "40", "--jobs", "2"]
    process = subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    while sum_units(tmp_path) < 5:
        assert process.poll() is None
    os.killpg(process.pid, signal.SIGINT)
    _, stderr = process.communicate(timeout=30)
    assert process.returncode == 130
    stored = int(re.search(r"stopped: (\d+) units are stored", stderr)[1])
    assert stored == sum_units(tmp_path) >= 5
    assert "Traceback" not in stderr
    # everything has ended, and the lock is free
    status = bench("status")
    assert f"{stored}" in status.stdout
    assert "being written" not in status.stdout


def test_ctrl_c_while_workers_load_is_one_line(tmp_path, tiny_suite):
    command = [*BENCH, "run", str(tiny_suite), "--draws", "40", "--jobs", "2"]
    for seconds in (0.3, 1.0, 1.8):
        process = subprocess.Popen(
            command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
        )
        assert process.stdout.readline().startswith("suite ")
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(seconds)
        os.killpg(process.pid, signal.SIGINT)
        _, stderr = process.communicate(timeout=60)
        assert process.returncode == 130
        # nothing of the workers, which were loading; of the driver nothing before there was something to store
        assert stderr == "" or re.fullmatch(r"stopped: .* go(es)? on here\n", stderr), stderr


def test_workers_end_when_the_driver_is_killed(tmp_path, tiny_suite):
    import psutil

    command = [*BENCH, "run", str(tiny_suite), "--draws", "200", "--jobs", "2", "--quiet"]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while sum_units(tmp_path) < 3:
        assert process.poll() is None
    workers = psutil.Process(process.pid).children(recursive=True)
    assert len(workers) >= 2
    process.kill()
    process.wait()
    _, alive = psutil.wait_procs(workers, timeout=20)
    assert not alive


def test_a_killed_worker_costs_its_own_unit_only(bench, tmp_path, tiny_suite, plugin):
    path = plugin("if os.getppid(): os.kill(os.getpid(), 9)", "suicidal")
    run = bench("run", tiny_suite, "--plugin", path, "--methods", "suicidal,smote", "--jobs", 2, "--no-site")
    assert run.returncode == 1
    assert "the worker process died" in run.stderr
    assert counts(tmp_path) == {"done": 36, "failed": 4}
    with sqlite3.connect(store_of(tmp_path)) as connection:
        # what was lost took time, too
        took = connection.execute("SELECT seconds FROM units WHERE status = 'failed'").fetchall()
    assert all(seconds > 0 for (seconds,) in took)


def test_failed_units_are_shown_kept_and_tried_again_on_request(bench, tmp_path, tiny_suite, plugin):
    path = plugin("raise RuntimeError('boom')", "shaky")
    args = ("run", tiny_suite, "--plugin", path, "--methods", "shaky", "--jobs", 1, "--no-site")
    first = bench(*args)
    assert first.returncode == 1
    assert "RuntimeError: boom" in first.stderr
    assert "--retry-failed" in first.stderr
    again = bench(*args)
    assert again.returncode == 1
    assert "0 to compute" in again.stdout
    retried = bench(*args, "--retry-failed")
    assert "4 to compute" in retried.stdout
    assert counts(tmp_path)["failed"] == 4


def test_a_full_disk_is_said_and_loses_nothing(bench, tmp_path, tiny_suite):
    assert bench("run", tiny_suite, "--no-site", "--draws", 2, "--jobs", 1).returncode == 0
    size = store_of(tmp_path).stat().st_size
    before = counts(tmp_path)["done"]
    command = [*BENCH, "run", str(tiny_suite), "--draws", "8", "--jobs", "1"]
    limited = subprocess.run(
        ["bash", "-c", f"ulimit -f {size // 1024 + 40}; trap '' XFSZ; exec {' '.join(command)}"],
        cwd=tmp_path, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert limited.returncode == 2, limited.stdout + limited.stderr
    assert "cannot be written" in limited.stderr
    assert "Traceback" not in limited.stderr
    assert counts(tmp_path)["done"] >= before
    assert bench("run", tiny_suite, "--no-site", "--draws", 8, "--jobs", 1).returncode == 0
    bench("run", tiny_suite, "--no-site", "--draws", 8, "--jobs", 1, "--out", "calm")
    calm = {row for row in key_scores(tmp_path / "calm" / "store.sqlite")}
    assert calm <= set(key_scores(store_of(tmp_path)))


def key_scores(path):
    with sqlite3.connect(path) as connection:
        query = "SELECT u.key, s.draw, s.classifier, s.metric, s.value FROM scores s JOIN units u ON u.id = s.unit"
        return connection.execute(query).fetchall()


def test_status_leaderboard_and_export_work_while_a_run_goes_on(bench, tmp_path, tiny_suite):
    command = [*BENCH, "run", str(tiny_suite), "--draws", "60", "--jobs", "1", "--quiet"]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while sum_units(tmp_path) < 20:
            assert process.poll() is None
        status = bench("status").stdout
        assert "tiny" in status
        assert f"being written by process {process.pid} on " in status
        shown = bench("leaderboard")
        assert shown.returncode == 0, shown.stderr
        assert bench("export", "scores.csv").returncode == 0
        second = bench("run", tiny_suite)
        assert second.returncode == 2
        assert f"process {process.pid}" in second.stderr
    finally:
        process.kill()
        process.wait()


def test_progress_in_plain_lines(bench, tmp_path, tiny_suite):
    run = bench("run", tiny_suite, "--jobs", 1)
    assert re.search(r"100 %  \d+ done, 0 left", run.stdout)
    assert "\x1b" not in run.stdout
    quiet = bench("run", tiny_suite, "--out", "quiet", "--quiet", "--jobs", 1)
    assert quiet.stdout.startswith("leaderboard: ")
    assert quiet.stdout.count("\n") == 1


def test_without_a_site_results_are_stored_and_the_leaderboard_is_written_later(bench, tmp_path, tiny_suite):
    run = bench("run", tiny_suite, "--no-site", "--jobs", 1)
    assert run.returncode == 0, run.stderr
    assert run.stdout.splitlines()[-1] == f"stored: {store_of(tmp_path)}; its leaderboard: bench leaderboard"
    assert not (tmp_path / "augbench-results" / "site").exists()
    assert counts(tmp_path) == {"done": 36}
    assert "macro F1" in bench("leaderboard").stdout
    assert (tmp_path / "augbench-results" / "site" / "index.html").stat().st_size > 10_000


def test_a_plan_is_printed_without_computing(bench, tmp_path, tiny_suite):
    plan = bench("run", tiny_suite, "--dry-run")
    assert "36 units, 0 done, 0 failed, 36 to compute" in plan.stdout
    assert "a rough guess: nothing like it was measured yet" in plan.stdout
    assert not store_of(tmp_path).exists()
    bench("run", tiny_suite, "--no-site", "--datasets", "iris", "--jobs", 1)
    later = bench("run", tiny_suite, "--dry-run")
    assert "36 units, 18 done, 0 failed, 18 to compute" in later.stdout
    assert "from stored times" in later.stdout


def test_stored_predictions_reproduce_the_stored_scores(bench, tmp_path, tiny_suite):
    """Anyone can recompute every score from the file, with scikit-learn."""
    assert bench("run", tiny_suite, "--draws", 1, "--no-site", "--jobs", 1).returncode == 0
    query = """
        SELECT p.data, t.y_test, p.unit, p.draw, p.classifier FROM predictions p
        JOIN draws d ON d.unit = p.unit AND d.draw = p.draw JOIN truth t ON t.content_hash = d.content_hash
    """
    with sqlite3.connect(store_of(tmp_path)) as connection:
        rows = connection.execute(query).fetchall()
        assert len(rows) == 9 * 2 * 2
        for data, truth, *place in rows:
            found = unpack_predictions(data)
            y = np.frombuffer(zlib.decompress(truth), np.uint8)
            values = "SELECT metric, value FROM scores WHERE unit = ? AND draw = ? AND classifier = ?"
            scores = dict(connection.execute(values, place))
            assert scores["macro_f1"] == pytest.approx(f1_score(y, found["labels"], average="macro"))
            assert scores["macro_f1_tuned"] == pytest.approx(f1_score(y, found["labels_tuned"], average="macro"))
            assert scores["log_loss"] == pytest.approx(log_loss(y, found["probabilities"]), rel=0.02, abs=0.002)


def test_results_are_read_in_python(bench, tmp_path, tiny_suite):
    import augbench
    from augbench.leaderboard import compare

    bench("run", tiny_suite, "--no-site", "--jobs", 1)
    with augbench.Store(store_of(tmp_path)) as store:
        results = augbench.results_of(store)
    assert results.run["versions"]["scikit-learn"]
    assert (results.scores.status == "ok").all()
    table = compare(results).table.set_index("method")
    by_hand = results.scores.groupby(["method", "dataset"])["macro_f1"].mean().unstack()
    for method in ("smote", "jitter"):
        assert table.loc[method, "delta"] == pytest.approx(100 * (by_hand.loc[method] - by_hand.loc["none"]).mean())
