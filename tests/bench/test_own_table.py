"""``bench run --data``: from a file to an answer."""

import re
import sqlite3

import numpy as np
import pandas as pd
import pytest

FAST = ("--methods", "smote", "--classifiers", "logistic-regression", "--draws", "4", "--jobs", "1")


def write(path, n=300, sep=";"):
    """Write a table in the way of a German spreadsheet, with Korean headers."""
    rng = np.random.default_rng(0)
    y = rng.random(n) < 0.25
    table = pd.DataFrame({"나이": rng.integers(20, 70, n), "Größe": (rng.normal(size=n) + y).round(2)})
    table["색"] = np.where(rng.random(n) < 0.3, None, rng.choice(["빨강", "파랑"], n))
    table["상태"] = np.where(y, "불량", "정상")
    path.write_bytes(table.to_csv(sep=sep, decimal=",", index=False).encode("utf-8-sig"))
    return path


def test_a_korean_table_with_semicolons_and_a_mark_is_answered(bench, tmp_path):
    path = write(tmp_path / "loans.csv")
    run = bench("run", "--data", path, "--target", "상태", *FAST)
    assert run.returncode == 0, run.stderr
    assert "table loans: 300 rows, 2 numeric columns, 1 read as categories: 색 (2);" in run.stdout
    assert "missing cells, filled in from the training rows; classes 불량 " in run.stdout
    assert "of interest: '불량' (the rarest)" in run.stdout
    answer = run.stdout[run.stdout.index("\nAnswer: ") :]
    assert "smote, by class: recall of '불량' " in answer
    assert "smote, the price: recall of '정상' " in answer
    page = (tmp_path / "augbench-results" / "site" / "index.html").read_text()
    headline = answer.splitlines()[1].removeprefix("Answer: ")
    assert headline.split("'")[0] in page
    # another class of interest: nothing is computed again, the page changes
    again = bench("run", "--data", path, "--target", "상태", "--positive", "정상", *FAST)
    assert "0 to compute" in again.stdout
    assert "smote, by class: recall of '정상' " in again.stdout
    assert (
        "smote, by class: recall of &#39;정상&#39;"
        in (tmp_path / "augbench-results" / "site" / "index.html").read_text()
    )


def test_time_sizes_the_run_and_the_same_command_goes_on(bench, tmp_path):
    path = write(tmp_path / "loans.csv", 150)
    command = ("run", "--data", path, "--target", "상태", "--time", "15s", "--draws", "3")
    command += ("--classifiers", "logistic-regression", "--jobs", "1")
    run = bench(*command)
    assert run.returncode == 0, run.stderr
    assert "for at most 15 s" in run.stdout
    assert "left out: for want of time, " in run.stdout
    assert "ctgan" in run.stdout
    assert "left out: borderline-smote, adasyn, kmeans-smote, svm-smote: takes numeric columns only" in run.stdout
    assert "Left out: for want of time, " in run.stdout[run.stdout.index("\nAnswer: ") :]
    with sqlite3.connect(tmp_path / "augbench-results" / "store.sqlite") as connection:
        stored = connection.execute("SELECT count(*) FROM units").fetchone()[0]
        # as if the time had been up before the last two
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute("DELETE FROM units WHERE id > (SELECT max(id) - 2 FROM units)")
    again = bench(*command, "--no-site")
    # on a busy machine the time may have been up before all was computed
    left = re.search(rf"{stored - 2} stored before, (\d+) to compute", again.stdout)
    assert left, again.stdout
    assert int(left[1]) >= 2


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("quick", "--time", "10m"), "--time sizes a run of your own table: name it with --data FILE"),
        (("--data", "t.csv", "--target", "상태", "--time", "10"), "write a number with s, m or h"),
        (("--data", "t.csv", "--target", "상태", "--time", "1m", "--budget", "steps=9"), "does not know what --budget"),
        (("--data", "t.csv", "--target", "상태", "--positive", "불양"), "unknown class '불양'"),
        (("--positive", "a", "--encoding", "cp949"), "--positive and --encoding: only of your own table"),
    ],
)
def test_options_that_do_not_go_together(bench, tmp_path, args, words):
    write(tmp_path / "t.csv")
    run = bench("run", *args)
    assert run.returncode == 2
    assert words in run.stderr


def test_quiet_prints_the_headline_of_the_answer(bench, tmp_path):
    run = bench("run", "--data", write(tmp_path / "t.csv"), "--target", "상태", *FAST, "--quiet")
    first, last = run.stdout.splitlines()
    assert "on t" in first
    assert last.startswith("leaderboard: ")
