"""What other people's code, files and consoles do to a run: it goes on, says so, and no other number moves."""

import contextlib
import re
import sqlite3

import numpy as np
import pandas as pd
import pytest
from augbench import InputError, Store
from augbench.bench.evaluate import DrawCache, evaluate
from augbench.bench.plan import code_identity, make_plan
from augbench.bench.plugins import load_plugin
from augbench.bench.prepare import MISSING, Preparation
from augbench.bench.suite import validate_suite
from augbench.datasets import read_table
from augbench.methods import get

SUITE = {"name": "mine", "draws": 1, "datasets": ["iris"], "classifiers": ["logistic-regression"]}
SCENARIO = {"scenarios": ["imbalance:count=12"]}


def results_of(**changes):
    cache = DrawCache()
    plan = make_plan(validate_suite(SUITE | SCENARIO | changes, "mine"))
    return {unit.method.id: evaluate(unit, cache) for unit in plan.units}


def test_a_method_that_writes_into_its_input_fails_and_changes_nobody_else(plugin):
    body = """
        X.iloc[:, :] = rng.normal(size=X.shape)
        return X[y == 2].iloc[[0] * counts[2]], np.repeat(2, counts[2])
    """
    load_plugin(str(plugin(body, "writes-into-input")))
    before = results_of(methods=["smote"])
    after = results_of(methods=["writes-into-input", "smote"])
    assert "did not come back first and unchanged" in after["writes-into-input"].error
    for name, result in before.items():
        one, other = result.draws[0], after[name].draws[0]
        assert one.cells["logistic-regression"].scores == other.cells["logistic-regression"].scores


def test_a_method_that_calls_exit_is_a_failure(plugin):
    load_plugin(str(plugin("raise SystemExit(0)", "exits")))
    assert "SystemExit" in results_of(methods=["exits"])["exits"].error


def test_a_plugin_that_cannot_be_imported_does_not_stop_the_rest(bench, tmp_path, plugin):
    for name, text in (("bad.py", "import not_there"), ("exits.py", "import sys; sys.exit(0)")):
        (tmp_path / name).write_text(text)
    good = plugin("return X[y == 2].iloc[[0] * counts[2]], np.repeat(2, counts[2])", "good-one")
    args = ("--plugin", "bad.py", "--plugin", "exits.py", "--plugin", good, "--methods", "good-one")
    run = bench("run", "smoke", "--datasets", "iris", *args, "--jobs", 2)
    assert run.returncode == 0, run.stderr
    assert "warning: plugin bad.py cannot be imported: ModuleNotFoundError: No module named 'not_there'" in run.stderr
    assert "warning: plugin exits.py cannot be imported: SystemExit" in run.stderr
    assert "good-one" in run.stdout


def test_a_crash_is_kept_from_the_driver_also_when_one_unit_is_left(bench, plugin):
    path = plugin("os._exit(3)", "crashes")
    args = ("run", "smoke", "--datasets", "iris", "--plugin", path, "--methods", "crashes", "--jobs", 2)
    for more in ([], ["--retry-failed"]):
        run = bench(*args, *more)
        assert run.returncode == 1
        assert "the worker process died" in run.stderr
        assert "leaderboard: " in run.stdout


def test_the_page_is_that_of_the_run_and_of_the_metric(bench, tmp_path):
    page = tmp_path / "augbench-results" / "site" / "index.html"
    bench("run", "smoke", "--datasets", "iris", "--seed", 1, "--jobs", 1)
    bench("run", "smoke", "--datasets", "wine", "--seed", 2, "--jobs", 1)
    assert "wine" in page.read_text()
    bench("run", "smoke", "--datasets", "iris", "--seed", 1, "--jobs", 1)
    assert "iris" in page.read_text()
    assert "wine" not in page.read_text()
    bench("leaderboard", "--metric", "balanced_accuracy")
    assert "balanced accuracy" in re.sub(r"\s+", " ", page.read_text())
    bench("run", "smoke", "--datasets", "iris", "--seed", 1, "--jobs", 1)
    assert "Δ macro F1" in re.sub(r"\s+", " ", page.read_text())


def test_a_baseline_that_fails_everywhere_is_said(bench, tmp_path):
    suite = tmp_path / "mine.toml"
    suite.write_text(
        'draws = 1\ndatasets = ["iris"]\nmethods = ["smote"]\nscenarios = ["imbalance:count=12"]\n'
        'classifiers = [{ name = "random-forest", params = { n_estimators = -1 } }]\n'
    )
    run = bench("run", suite, "--jobs", 1)
    assert run.returncode == 1
    assert "n_estimators" in run.stderr
    assert "every unit of the baseline 'none' failed" in run.stderr


@pytest.mark.parametrize("table", ["scores", "run_units"])
def test_a_damaged_store_is_said(bench, tmp_path, table):
    bench("run", "smoke", "--quiet", "--datasets", "iris", "--jobs", 1)
    path = tmp_path / "augbench-results" / "store.sqlite"
    with contextlib.closing(sqlite3.connect(path)) as store:
        (root,) = store.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", [table]).fetchone()
        (size,) = store.execute("PRAGMA page_size").fetchone()
    with path.open("r+b") as file:
        file.seek((root - 1) * size)
        file.write(b"\xff" * size)
    for command in (["leaderboard"], ["run", "smoke", "--seed", 3]):
        run = bench(*command)
        assert run.returncode in (0, 2), run.stderr
        assert "Traceback" not in run.stderr
        if run.returncode == 2:
            assert "store.sqlite" in run.stderr
    assert bench("leaderboard").returncode == 2


def test_without_folds_nothing_is_tuned_and_nothing_fails():
    results = results_of(folds=0)
    assert "threshold-tuned" not in results
    scores = results["none"].draws[0].cells["logistic-regression"].scores
    assert not any(name.endswith("_tuned") for name in scores)


def test_untuned_scores_are_not_given_as_tuned_ones():
    results = results_of(scenarios=["few-shot:shots=2"])
    assert not any("tuned" in name for name in results["none"].draws[0].cells["logistic-regression"].scores)
    assert "too few training rows" in results_of(folds=50)["threshold-tuned"].error


def test_a_metric_where_less_is_better_is_ranked_so(bench, tmp_path):
    (tmp_path / "metric.py").write_text(
        "def error_rate(y_true, labels, probabilities):\n"
        "    '''Share of test rows that are wrong.'''\n"
        "    return float((y_true != labels).mean())\n\n\n"
        "error_rate.higher_is_better = False\n\n\n"
        "def register(registries):\n"
        "    registries['augbench.metrics'].register(error_rate, 'error_rate')\n"
    )
    bench("run", "smoke", "--datasets", "iris", "--plugin", "metric.py", "--no-site", "--jobs", 1)
    assert bench("export", "scores.csv").returncode == 0
    errors = pd.read_csv(tmp_path / "scores.csv").groupby("method")["error_rate"].mean()
    shown = bench("leaderboard", "--metric", "error_rate").stdout
    ranked = [line.split()[0] for line in shown.splitlines() if line.strip().split(" ")[0] in errors.index]
    assert errors[ranked[0]] == errors.min()
    assert errors[ranked[-1]] == errors.max()


def test_a_plugin_is_also_what_it_imports(tmp_path, plugin, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "helper_of_plugin.py").write_text("K = 1.0\n\n\ndef shift(x):\n    return x + K\n")
    path = plugin("return helper_of_plugin.shift(X).iloc[:0], y[:0]", "has-helper")
    path.write_text("import helper_of_plugin\n" + path.read_text())
    load_plugin(str(path))
    assert "helper_of_plugin" in code_identity(get("has-helper"))


def test_names_are_not_markup(bench, tmp_path):
    table = pd.DataFrame({"a": range(40), "b": [i % 7 for i in range(40)], "y": ["<script>x</script>", "[/foo]"] * 20})
    table.to_csv(tmp_path / "loans[bold].csv", index=False)
    args = ("--data", "loans[bold].csv", "--target", "y", "--draws", 2, "--classifiers", "logistic-regression")
    assert "loans[bold]" in bench("run", *args, "--dry-run").stdout
    assert bench("run", *args, "--jobs", 1, "--methods", "smote").returncode == 0
    assert "loans[bold]" in bench("status").stdout
    pages = "".join(path.read_text() for path in (tmp_path / "augbench-results" / "site").rglob("*.html"))
    assert "<script>x" not in pages
    assert "&lt;script&gt;x" in pages


def test_a_console_without_unicode_gets_a_table_and_a_page(bench, tmp_path):
    run = bench("run", "smoke", PYTHONIOENCODING="ascii")
    assert run.returncode == 0, run.stderr
    assert "leaderboard: " in run.stdout
    assert (tmp_path / "augbench-results" / "site" / "index.html").stat().st_size > 10_000


def test_a_pipe_that_is_closed_is_no_error(tmp_path):
    import subprocess

    from ..conftest import BENCH

    command = f"{' '.join(BENCH)} list methods | head -1"
    run = subprocess.run(["bash", "-o", "pipefail", "-c", command], cwd=tmp_path, capture_output=True, text=True)
    assert run.stdout.startswith("method")
    assert run.stderr == ""


class TestOnesOwnTable:
    def write(self, tmp_path, text):
        path = tmp_path / "t.csv"
        path.write_text(text)
        return path

    def test_decimal_commas_between_commas_are_refused(self, tmp_path):
        rows = "\n".join(f'"{i},5",{i % 7},{"yes" if i % 2 else "no"}' for i in range(30))
        with pytest.raises(InputError, match=r"column 'a' has decimal commas .*write 1\.5"):
            read_table(self.write(tmp_path, f"a,b,y\n{rows}"), "y")

    def test_a_class_may_be_called_none(self, tmp_path):
        rows = "\n".join(f"{i},{i % 7},{'None' if i % 2 else 'null'}" for i in range(30))
        assert read_table(self.write(tmp_path, f"a,b,y\n{rows}"), "y").info.classes == ("None", "null")

    def test_huge_numbers_are_refused(self, tmp_path):
        rows = "\n".join(f"{i}e200,{i % 7},{i % 2}" for i in range(30))
        with pytest.raises(InputError, match="beyond 1e100, in column 'a'"):
            read_table(self.write(tmp_path, f"a,b,y\n{rows}"), "y")

    def test_the_word_for_missing_may_be_a_category(self):
        frame = pd.DataFrame({"c": pd.Categorical([MISSING, "u", None, "u"])})
        fitted = Preparation.fit(frame)
        assert fitted.complete(frame)["c"].tolist() == [MISSING, "u", MISSING, "u"]
        np.testing.assert_array_equal(fitted.encode(fitted.complete(frame), scaled=True).sum(axis=1), np.ones(4))

    def test_datasets_beside_it_are_refused(self, bench, tmp_path):
        self.write(tmp_path, "a,y\n" + "\n".join(f"{i},{i % 2}" for i in range(30)))
        run = bench("run", "--data", "t.csv", "--target", "y", "--datasets", "irs")
        assert run.returncode == 2
        assert "leave --datasets out" in run.stderr


def test_a_store_on_a_folder_without_rights_is_said(tmp_path):
    target = tmp_path / "dir"
    (target / "s.sqlite").mkdir(parents=True)
    with pytest.raises(InputError, match="cannot be opened for writing"):
        Store(target / "s.sqlite", write=True)
