"""What training took and what was tuned: from a method to the store, through upgrades and merges, to the table."""

import json
import sqlite3

import numpy as np
import pandas as pd
import pytest
from augbench import Store
from augbench.bench import schema
from augbench.bench.evaluate import evaluate
from augbench.bench.plan import make_plan
from augbench.bench.plugins import load_plugin
from augbench.bench.report import results_of, run_info
from augbench.bench.suite import validate_suite

from .test_store import result_of
from .test_training import OLD

SUITE = {"name": "mine", "datasets": ["iris"], "classifiers": ["logistic-regression"], "draws": 1, "controls": False,
         "scenarios": ["imbalance:count=12"], "folds": 2}  # fmt: skip
FACTS = ["steps", "epochs", "rows_seen", "networks", "yield"]
EFFORT = {"steps": 500.0, "epochs": 2.5, "rows": 160.0, "networks": 2.0, "yield": 0.43}
TUNED = {"k_neighbors": 3, "classifier": {"C": 0.1}}


def plan_of(**changes):
    return make_plan(validate_suite(SUITE | changes, "mine"))


def with_effort(unit):
    result = result_of(unit)
    result.draws[0].effort = EFFORT
    result.draws[0].cells["logistic-regression"].tuned = TUNED
    return result


def scores_of(store):
    return store.scores(store.find_run()["id"], ["logistic-regression"], 1)


@pytest.fixture
def old_store(tmp_path):
    """A store of version 2, as `Store` of that version wrote it."""
    path = tmp_path / "old.sqlite"
    with sqlite3.connect(path) as connection:
        connection.executescript(OLD.read_text())
        connection.execute(schema.UPGRADES[1][0])
        connection.execute("UPDATE meta SET value = '2'")
    return path


@pytest.fixture
def learner(plugin):
    """The file of a method that says what it took."""
    return plugin(
        """
        codes = np.repeat(list(counts), list(counts.values()))
        self.effort_ = {"steps": len(X), "networks": len(counts), "note": "fast", "yield": float("nan")}
        return X.iloc[np.zeros(len(codes), dtype=int)] + rng.normal(), codes
        """,
        "says-what-it-took",
    )


def test_the_effort_of_the_whole_draw_is_kept_not_that_of_the_folds(learner):
    load_plugin(str(learner))
    unit = plan_of(methods=["says-what-it-took"], draws=2).units[1]
    result = evaluate(unit)
    assert not result.error
    for draw in result.draws:
        # (what is no number is left out)
        assert draw.effort == {"steps": draw.n_train, "networks": 1}


@pytest.mark.parametrize("method", ["none", "smote", "class-weight"])
def test_a_method_that_trains_nothing_has_no_effort(method):
    unit = plan_of(methods=[method]).units[-1]
    assert evaluate(unit).draws[0].effort == {}


def test_effort_and_tuning_are_columns_of_the_scores(tmp_path):
    plan = plan_of(methods=["smote"], datasets=["iris", "wine"])
    with Store(tmp_path / "s.sqlite", write=True) as store:
        store.save_run(plan, {})
        none, smote = plan.units[:2]
        store.save(none, result_of(none), {})
        store.save(smote, with_effort(smote), {})
        table = scores_of(store)
    assert table.columns.tolist()[11:18] == ["fit_seconds", *FACTS, "tuned"]
    iris = table[table["dataset"] == "iris"].set_index("method")
    assert iris.loc["smote", FACTS].tolist() == [500, 2.5, 160, 2, 0.43]
    assert json.loads(iris.loc["smote", "tuned"]) == TUNED
    assert iris.loc["none", FACTS].isna().all()
    # what was not run has no effort either
    assert table["tuned"].tolist().count("") == 3


def test_a_store_of_version_2_is_read_as_it_is(old_store):
    before = old_store.read_bytes()
    with Store(old_store) as store:
        table = scores_of(store)
    assert old_store.read_bytes() == before
    assert table["macro_f1"].notna().all()
    assert table[FACTS].isna().all(axis=None)
    assert (table["tuned"] == "").all()


def test_a_store_of_version_2_is_upgraded_when_it_is_written_to(old_store):
    with Store(old_store) as store:
        before = scores_of(store)
    plan = plan_of()
    with Store(old_store, write=True) as store:
        pd.testing.assert_frame_equal(scores_of(store), before)
        store.save(plan.units[0], with_effort(plan.units[0]), {})
        store.save_run(plan, {})
        assert scores_of(store)["steps"].tolist() == [500]
        assert store.connection.execute("SELECT value FROM meta").fetchone() == (str(schema.SCHEMA_VERSION),)


def test_an_upgraded_store_has_the_tables_of_a_new_one(tmp_path, old_store):
    def columns(path):
        with sqlite3.connect(path) as connection:
            return {table: [row[1:4] for row in connection.execute(f"PRAGMA table_info({table})")]
                    for table in ("draws", "cells", "training", "units")}  # fmt: skip

    Store(old_store, write=True).close()
    Store(tmp_path / "new.sqlite", write=True).close()
    assert columns(old_store) == columns(tmp_path / "new.sqlite")


def test_merging_keeps_effort_and_tuning(tmp_path, old_store):
    plan = plan_of(methods=["smote"])
    with Store(tmp_path / "a.sqlite", write=True) as a, Store(tmp_path / "b.sqlite", write=True) as b:
        for unit in plan.units:
            b.save(unit, with_effort(unit), {})
        b.save_run(plan, {})
        assert a.merge(b) == (2, 0, 0)
        pd.testing.assert_frame_equal(scores_of(a), scores_of(b))
        assert scores_of(a)["steps"].tolist() == [500, 500]
    with Store(tmp_path / "c.sqlite", write=True) as new, Store(old_store) as old:
        assert new.merge(old) == (2, 0, 0)
        pd.testing.assert_frame_equal(scores_of(new), scores_of(old))


def test_effort_and_fidelity_are_exported(bench, tmp_path, learner):
    suite = tmp_path / "mine.toml"
    suite.write_text(
        'draws = 1\ndatasets = ["iris"]\nclassifiers = ["logistic-regression"]\nscenarios = ["imbalance:count=12"]\n'
        "folds = 0\ncontrols = false\n"
    )
    name = "says-what-it-took"
    run = bench("run", suite, "--plugin", learner, "--methods", name, "--jobs", 1)
    assert run.returncode == 0, run.stderr
    assert "Parameters of methods: defaults." in run.stdout
    assert f"{name}: 82 steps · 1 network" in run.stdout
    assert bench("export", "scores.csv").returncode == 0
    table = pd.read_csv(tmp_path / "scores.csv").set_index("method")
    assert table.loc[name, "steps"] == table.loc[name, "n_train"] == 82
    assert np.isfinite(table.loc[name, ["wasserstein", "wasserstein_real", "two_sample_auroc"]].astype(float)).all()
    assert table.loc["none", ["steps", "wasserstein"]].isna().all()
    # a metric of generated rows orders no methods, and it is said why
    refused = bench("leaderboard", "--metric", "wasserstein")
    assert refused.returncode == 2
    assert "wasserstein describes generated rows, and the baseline 'none' has none" in refused.stderr


def test_metrics_are_listed_with_their_direction(bench):
    printed = bench("list", "metrics").stdout
    listed = {line.split()[0]: " ".join(line.split()) for line in printed.splitlines() if line}
    assert listed["brier"].startswith("brier lower Brier")
    assert listed["dcr_ratio"].startswith("dcr_ratio near 1 Median")
    assert listed["macro_f1"].startswith("macro_f1 higher")
    assert "exact_copies to correlation_error_real describe the rows that augmenters add" in " ".join(printed.split())


def test_a_run_says_how_parameters_were_chosen_and_an_older_one_had_the_defaults(tmp_path):
    plan = plan_of()
    info = run_info(plan, "bench run")
    assert (info["trials"], info["budget"]) == (getattr(plan.suite, "trials", 0), getattr(plan.suite, "budget", ""))
    with Store(tmp_path / "s.sqlite", write=True) as store:
        store.save(plan.units[0], result_of(plan.units[0]), {})
        store.save_run(plan, {**info, "trials": 20, "budget": "steps=300"})
        assert [results_of(store).run[name] for name in ("trials", "budget")] == [20, "steps=300"]
        old = {name: value for name, value in info.items() if name not in ("trials", "budget")}
        other = plan_of(draws=2)
        store.save(other.units[0], result_of(other.units[0]), {})
        store.save_run(other, old)
        assert [results_of(store).run[name] for name in ("trials", "budget")] == [0, ""]
