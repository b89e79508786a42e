"""Training curves: kept on request, stored, merged, exported; and stores from before there were any."""

import shutil
import signal
import sqlite3
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from augbench import InputError, Store
from augbench.bench import engine, schema
from augbench.bench.console import Places
from augbench.bench.job import Manner, run_suite
from augbench.bench.plan import make_plan
from augbench.bench.suite import validate_suite
from augbench.bench.training import pack_training, unpack_training

from .test_store import result_of

SUITE = {"name": "mine", "datasets": ["iris"], "classifiers": ["logistic-regression"], "draws": 1, "controls": False,
         "folds": 0}  # fmt: skip
COLUMNS = ["method", "dataset", "scenario", "draw", "model", "step"]
#: what `Store` of version 1 wrote for a run of "none" and "smote" on iris
OLD = Path(__file__).parent / "store_version_1.sql"


def curve(scale=1.0):
    loss = np.array([0.1 + 0.2, 1 / 3, np.nan, np.inf]) * scale
    return pd.DataFrame({"model": ["NA", "NA", "decoder", ""], "step": [0, 100, 0, 100], "loss": loss})


def plan_of(**changes):
    return make_plan(validate_suite(SUITE | changes, "mine"))


def with_curve(unit, table):
    result = result_of(unit)
    result.draws[0].training = table
    return result


@pytest.fixture
def old_store(tmp_path):
    path = tmp_path / "old.sqlite"
    with sqlite3.connect(path) as connection:
        connection.executescript(OLD.read_text())
    return path


def version_of(path):
    with sqlite3.connect(path) as connection:
        return connection.execute("SELECT value FROM meta").fetchone()[0]


def scores_of(store):
    return store.scores(store.find_run()["id"], ["logistic-regression"], 1)


def test_a_curve_comes_back_bit_for_bit():
    back = unpack_training(pack_training(curve()))
    assert back["loss"].tolist()[:2] == [0.1 + 0.2, 1 / 3]
    assert np.isnan(back["loss"][2])
    assert back["loss"][3] == np.inf
    assert back["model"].tolist()[:3] == ["NA", "NA", "decoder"]
    assert back["step"].tolist() == [0, 100, 0, 100]


def test_the_curves_of_a_run_are_one_table(tmp_path):
    plan = plan_of(methods=["smote", "jitter"])
    none, smote, jitter = plan.units
    with Store(tmp_path / "s.sqlite", write=True) as store:
        run = store.save_run(plan, {})
        assert store.training_curves(run).columns.tolist() == COLUMNS
        store.save(none, result_of(none), {})
        store.save(jitter, with_curve(jitter, curve().rename(columns={"loss": "kl"})), {})
        store.save(smote, with_curve(smote, curve(2.0)), {})
        store.save(smote, with_curve(smote, curve()), {})
        table = store.training_curves()
        assert store.units_with_training() == {smote.key, jitter.key}
    # in the order of the plan; the later result of a unit replaces the earlier one with its curve
    assert table.columns.tolist() == [*COLUMNS, "loss", "kl"]
    assert table["method"].tolist() == ["smote"] * 4 + ["jitter"] * 4
    assert table["loss"].iloc[0] == 0.1 + 0.2
    assert table["loss"].iloc[4:].isna().all()
    assert set(table["draw"]) == {0}


def test_an_old_store_is_read_as_one_without_curves_and_left_alone(old_store):
    before = old_store.read_bytes()
    with Store(old_store) as store:
        assert store.training_curves().columns.tolist() == COLUMNS
        assert store.training_curves().empty
        assert store.units_with_training() == set()
        assert scores_of(store)["macro_f1"].notna().sum() == 2
    assert old_store.read_bytes() == before
    assert version_of(old_store) == "1"


def test_an_old_store_is_upgraded_when_it_is_written_to(old_store):
    with Store(old_store) as store:
        before = scores_of(store)
    plan = plan_of()
    with Store(old_store, write=True) as store:
        pd.testing.assert_frame_equal(scores_of(store), before)
        store.save(plan.units[0], with_curve(plan.units[0], curve()), {})
        store.save_run(plan, {})
        assert len(store.training_curves()) == 4
    assert version_of(old_store) == str(schema.SCHEMA_VERSION)


def test_an_upgrade_that_fails_changes_nothing(old_store, monkeypatch):
    monkeypatch.setattr(schema, "UPGRADES", {1: [*schema.UPGRADES[1], "CREATE TABLE meta (x)"]})
    with pytest.raises(InputError, match="cannot be written"):
        Store(old_store, write=True)
    assert version_of(old_store) == "1"
    with sqlite3.connect(old_store) as connection:
        assert not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'training'").fetchall()


def test_merging_an_old_store_into_a_new_one(tmp_path, old_store):
    with Store(tmp_path / "new.sqlite", write=True) as new, Store(old_store) as old:
        assert new.merge(old) == (2, 0, 0)
        pd.testing.assert_frame_equal(scores_of(new), scores_of(old))
        assert new.training_curves().empty


def test_merging_curves_into_an_old_store(tmp_path, old_store):
    shutil.copy(old_store, tmp_path / "new.sqlite")
    with Store(tmp_path / "new.sqlite", write=True) as new, Store(old_store, write=True) as old:
        with new.transaction() as connection:
            connection.execute("INSERT INTO training VALUES (2, 0, ?)", [pack_training(curve())])
        assert old.merge(new) == (0, 2, 0)
        pd.testing.assert_frame_equal(old.training_curves(), new.training_curves())
        assert len(old.training_curves()) == 4
        # a curve that is there stays
        with new.transaction() as connection:
            connection.execute("UPDATE training SET data = ?", [pack_training(curve(2.0))])
        old.merge(new)
        assert old.training_curves()["loss"][0] == 0.1 + 0.2


def test_curves_are_exported(bench, tmp_path):
    plan = plan_of(methods=["smote"])
    with Store(tmp_path / "s.sqlite", write=True) as store:
        store.save_run(plan, {})
        none = bench("export", "c.csv", "--what", "training", "--store", "s.sqlite")
        assert none.returncode == 2
        assert "has no training curves of this run" in none.stderr
        for unit in plan.units:
            store.save(unit, with_curve(unit, curve()), {})
        stored = store.training_curves()
    for name, read in (("c.csv", pd.read_csv), ("c.parquet", pd.read_parquet)):
        done = bench("export", name, "--what", "training", "--store", "s.sqlite")
        assert done.returncode == 0, done.stderr
        table = read(tmp_path / name)
        assert table["step"].tolist() == stored["step"].tolist()
        assert table.columns.tolist() == stored.columns.tolist()
    for args, words in (
        (("c.tex", "--what", "training"), "must end in .csv or .parquet"),
        (("c.csv", "--what", "trainin"), "did you mean 'training'"),
    ):
        refused = bench("export", *args, "--store", "s.sqlite")
        assert refused.returncode == 2
        assert words in refused.stderr


@pytest.fixture
def run_with_curves(tmp_path, monkeypatch):
    """Run a suite in this process, by methods that keep a curve if they are asked to."""
    real = engine.evaluate

    def evaluate(unit):
        result = real(unit)
        for draw in result.draws if unit.keep_training and unit.method.id != "none" else []:
            draw.training = curve()
        return result

    monkeypatch.setattr(engine, "evaluate", evaluate)
    before = signal.getsignal(signal.SIGTERM)

    def run(**options):
        changes = {key: options.pop(key) for key in ("methods", "draws", "block") if key in options}
        suite = validate_suite(SUITE | {"methods": ["smote"]} | changes, "mine")
        places = Places(None, tmp_path / "out")
        run_suite(suite, {}, [], places, Manner(jobs=1, **options))
        with Store(places.store) as store:
            return store.training_curves()

    yield run
    signal.signal(signal.SIGTERM, before)


def test_curves_are_kept_on_request_and_nothing_is_computed_again_for_them(run_with_curves, capsys):
    assert run_with_curves(block=1).empty
    assert "training curves" not in capsys.readouterr().out
    table = run_with_curves(draws=2, block=1, training_curves=True)
    # the second draw has a curve, the first was stored without
    assert table["draw"].unique().tolist() == [1]
    printed = capsys.readouterr().out
    assert "2 stored before, 2 to compute" in printed
    table = run_with_curves(draws=2, block=1, training_curves=True)
    printed = capsys.readouterr().out
    assert "0 to compute" in printed
    assert "training curves: none of 1 unit stored before (smote 1): not computed again" in printed
