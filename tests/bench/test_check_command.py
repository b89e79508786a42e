"""The command ``bench check``: what it takes, what it prints, and how it ends."""

import os
import signal
import subprocess
import sys
from types import SimpleNamespace

import pandas as pd
import pytest
from augbench import InputError, methods
from augbench.bench import checking, cli
from augbench.methods.checks import Result, all_checks

QUICK = ("--check", "check_counts", "--check", "check_same_seed")


@pytest.fixture
def here(monkeypatch, capsys, tmp_path):
    """Run the command line in this process, in a folder of its own; return how it ended and what it printed."""
    monkeypatch.setattr(methods, "_METHODS", dict(methods._METHODS))
    monkeypatch.setattr(methods, "GROUPS", {key: list(value) for key, value in methods.GROUPS.items()})
    monkeypatch.chdir(tmp_path)

    def run(*args):
        monkeypatch.setattr(sys, "argv", ["bench", *map(str, args)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        printed = capsys.readouterr()
        return SimpleNamespace(returncode=ended.value.code, stdout=printed.out, stderr=printed.err)

    return run


def test_one_method_is_shown_with_what_each_check_asks_for(bench):
    shown = bench("check", "prior-shift")
    assert shown.returncode == 0, shown.stderr
    lines = shown.stdout.splitlines()
    assert lines[0].split()[:2] == ["check", "result"]
    told = {line.split()[0]: line for line in lines[1:-1]}
    assert set(told) == {one.name for one in all_checks() if "adjuster" in one.kinds}
    assert "passed" in told["check_probabilities"]
    assert "sum to 1" in told["check_probabilities"]
    assert lines[-1].startswith(f"1 method, {len(told)} checks: {len(told)} passed, 0 failed, in ")


def test_a_plugin_file_is_checked_and_what_is_wrong_is_told(here, plugin):
    path = plugin(
        "n = counts[1] - 1; return X[y == 1].iloc[[0] * n], np.full(n, 1)", "one-short", "deterministic = True"
    )
    shown = here("check", path, *QUICK)
    assert shown.returncode == 1
    assert "returned 40 of the 41 rows asked for of class 1" in shown.stdout
    assert shown.stdout.splitlines()[-1].startswith("1 method, 2 checks: 1 passed, 1 failed, in ")
    # a name may be one that the file brings
    both = here("check", path, "one-short", "one-short+gc", "--check", "check_same_seed")
    assert both.returncode == 0, both.stdout
    assert "1 one-short, 2 one-short+gc" in both.stdout


def test_several_methods_are_a_table_and_what_is_not_green_is_told(here, tmp_path):
    shown = here(
        "check", "smote", "borderline-smote", "none", "--out", "t.csv", *QUICK, "--check", "check_duplicates_only"
    )
    assert shown.returncode == 0, shown.stdout + shown.stderr
    rows = {line.split()[0]: line.split()[1:] for line in shown.stdout.splitlines() if line.startswith("check")}
    assert rows["check"] == ["1", "2", "3"]
    assert rows["check_counts"] == ["+", "+", "-"]
    assert rows["check_duplicates_only"] == ["+", "x", "-"]
    assert "1 smote, 2 borderline-smote, 3 none" in shown.stdout
    assert "expected failure: borderline-smote: check_duplicates_only: of copies of one row all are" in shown.stdout
    assert "3 methods, 9 checks: 6 passed, 0 failed, 1 expected failure, 2 not applicable, in" in shown.stdout
    table = pd.read_csv(tmp_path / "t.csv", index_col="check")
    assert list(table) == ["smote", "borderline-smote", "none"]
    assert table.loc["check_counts", "smote"] == "passed"
    assert table.loc["check_duplicates_only", "borderline-smote"].startswith("expected failure: of copies")
    assert table.loc["check_counts", "none"] == "not applicable: adjusters make no such promise"


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["smoet"], "unknown method or group 'smoet': did you mean 'smote'"),
        (["smote", "--check", "check_count"], "unknown check 'check_count': did you mean 'check_counts'"),
        (["nothing.py"], "plugin file nothing.py does not exist"),
        (["imblearn.over_sampling.SMOET"], "cannot be imported"),
        (["class-weight+gc"], "is an adjuster"),
        (["smote", "--out", "t.xlsx"], "the name must end in .csv"),
        (["smote", "--out", "no/where.csv"], "there is no folder"),
    ],
)
def test_bad_input_is_refused_before_any_work(here, args, words):
    shown = here("check", *args)
    assert shown.returncode == 2
    assert words in shown.stderr
    assert shown.stdout == ""


def test_a_broken_plugin_is_named_with_its_error(here, tmp_path):
    (tmp_path / "bad.py").write_text("import not_there\n")
    shown = here("check", "bad.py")
    assert shown.returncode == 2
    assert shown.stderr.startswith("error: plugin bad.py cannot be imported: ModuleNotFoundError")
    (tmp_path / "data.py").write_text("def register(registries):\n    pass\n")
    assert "plugin data.py brings no method to check" in here("check", "data.py").stderr


def test_missing_packages_are_told_with_what_to_type(here, plugin):
    path = plugin("return X.iloc[:0], y[:0]", "needy", "requires = ('no_such_package',)")
    shown = here("check", path, "jitter", *QUICK)
    assert shown.returncode == 0
    assert "not run: needy: needs no_such_package: pip install no_such_package" in shown.stdout
    assert "2 passed, 0 failed, 2 not run" in shown.stdout


def test_ctrl_c_ends_it_and_shows_what_is_done(tmp_path, plugin):
    path = plugin("print('here', flush=True)\nwhile True:\n    pass", "endless", "declared_seconds = 1")
    command = [sys.executable, "-m", "augbench.bench", "check", "prior-shift", str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "COLUMNS": "160"}) as process:
        assert process.stdout.readline() == "here\n"
        process.send_signal(signal.SIGINT)
        shown = process.stdout.read()
    assert process.returncode == 130
    assert "14 passed, 0 failed" in shown
    assert "stopped (Ctrl-C)" in shown


def test_groups_stand_for_their_methods_and_nothing_is_checked_twice():
    names = [one.name for one in checking.subjects_of(["neighbours", "smote", "smote+gc"])]
    assert names == [*methods.GROUPS["neighbours"], "smote+gc"]
    assert len(checking.subjects_of(["all"])) == len(methods.names())
    with pytest.raises(InputError, match="did you mean 'neighbours'"):
        checking.subjects_of(["neighbors"])


def test_a_wide_table_is_broken_into_several(capsys, monkeypatch):
    monkeypatch.setattr(checking, "PLAIN_WIDTH", 40)
    results = [Result(f"m{i}", "check_counts", status) for i, status in enumerate(["passed", "failed"] * 15)]
    results.append(Result("m0", "check_labels", "unexpected pass", "it passed"))
    checking.show(checking.Checked(results, 1.0))
    shown = capsys.readouterr().out
    heads = [line.split()[1:] for line in shown.splitlines() if line.startswith("check ")]
    assert [number for head in heads for number in head] == [str(i + 1) for i in range(30)]
    assert len(heads) > 2
    assert all(len(line) <= 40 for line in shown.splitlines() if line.startswith("check"))
    assert "30 methods, 31 checks: 15 passed, 15 failed, 1 unexpected pass, in 1 s" in shown
    assert "unexpected pass: m0: check_labels: it passed" in shown
    assert checking.Checked(results).failed
    assert not checking.Checked(results[::2][:15]).failed
