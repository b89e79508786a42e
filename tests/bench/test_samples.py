"""Rows to look at: which are kept, that they come back, that stores from before there were any go on working."""

from __future__ import annotations

import sqlite3
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from augbench import Store
from augbench.bench.evaluate import DrawCache, evaluate
from augbench.bench.plan import HARNESS, make_plan
from augbench.bench.report import results_of, run_info
from augbench.bench.samples import COLUMNS, FARTHEST, image_shape, take_sample, unpack_sample
from augbench.bench.suite import validate_suite
from augbench.leaderboard.site import render_site

from .test_store import result_of

SUITE = {"name": "mine", "datasets": ["iris"], "classifiers": ["logistic-regression"], "draws": 1, "controls": False,
         "folds": 0, "scenarios": ["imbalance:count=12"]}  # fmt: skip


def plan_of(**changes):
    return make_plan(validate_suite(SUITE | changes, "mine"))


@pytest.fixture(scope="module")
def drawn():
    """A prepared draw of iris, and what units with it gave."""
    plan, cache = plan_of(methods=["smote", "class-weight"], draws=2, block=2), DrawCache()
    results = {unit.method.id: evaluate(unit, cache) for unit in plan.units}
    return cache.draw(plan.units[0], 0), results


def test_the_baseline_keeps_real_rows_an_augmenter_its_own_an_adjuster_none(drawn):
    one, results = drawn
    real, made = (unpack_sample(results[name].draws[0].sample) for name in ("none", "smote"))
    # 12 of the reduced class, the others cut to 40 of 42 and 35 as they are
    assert sorted(np.bincount(real.y)) == [12, 35, 35]
    assert set(made.y) == {int(np.bincount(one.whole.train.y).argmin())}
    assert results["class-weight"].draws[0].sample is None
    # of the first draw only
    assert all(result.draws[1].sample is None for result in results.values())


def test_kept_rows_are_training_rows_and_go_back_to_their_units(drawn):
    one, results = drawn
    sample = unpack_sample(results["none"].draws[0].sample)
    train = one.whole.train
    back = sample.X * sample.scale + sample.mean
    distance = np.abs(back[:, None, :] - train.X.to_numpy()[None]).max(axis=2)
    assert distance.min(axis=1).max() < 0.02
    np.testing.assert_array_equal(train.y[distance.argmin(axis=1)], sample.y)
    assert sample.y[0] == np.bincount(train.y).argmin()


def test_samples_are_small_and_the_same_each_time(drawn):
    one, _ = drawn
    assert take_sample(one) == take_sample(one)
    rng = np.random.default_rng(0)
    y = rng.integers(0, 7, 3000)
    wide = pd.DataFrame(rng.normal(size=(3000, 1500)) * np.r_[1e9, np.ones(1499)])
    part = type(one.whole).of(type(one.whole.train)(wide, y), type(one.whole.train)(wide.iloc[:9], y[:9]))
    broad = replace(one)
    broad.__dict__["whole"] = part
    sample = unpack_sample(take_sample(broad))
    assert sample.X.shape == (5 * 16, COLUMNS)
    far = unpack_sample(take_sample(broad, wide * 1e9, y))
    assert np.isfinite(far.X).all()
    assert np.abs(far.X).max() <= FARTHEST
    # a method that added rows of other classes only has nothing to show
    others = sorted(range(7), key=lambda code: (np.bincount(y)[code], code))[5:]
    chosen = np.isin(y, others)
    assert len(unpack_sample(take_sample(broad, wide[chosen].reset_index(drop=True), y[chosen])).y) == 0


@pytest.mark.parametrize(
    ("columns", "shape"),
    [
        ([f"p{i}" for i in range(784)], (28, 28)),
        ([f"pixel_{i}_{j}" for i in range(2) for j in range(5)], (2, 5)),
        ([f"pixel{i}" for i in range(10)], None),
        (["p1", "p0", "p2", "p3"], None),
        (["petal", "sepal"], None),
        ([], None),
    ],
)
def test_images_are_known_by_the_names_of_their_pixels(columns, shape):
    assert image_shape(columns) == shape


def test_what_keeps_rows_is_no_part_of_any_key():
    assert "augbench.bench.samples" not in HARNESS
    assert "augbench.methods.documentation" not in HARNESS


def test_a_tuned_method_keeps_those_of_its_first_classifier():
    pytest.importorskip("optuna")
    plan = plan_of(methods=["smote"], trials=2, folds=2)
    draw = evaluate(plan.units[1], DrawCache()).draws[0]
    assert len(unpack_sample(draw.sample).y) > 0


def test_a_run_keeps_them_and_its_site_shows_them(bench, tmp_path):
    done = bench("run", "smoke", "-j", "1", "-q")
    assert done.returncode == 0, done.stderr
    with Store(tmp_path / "augbench-results" / "store.sqlite") as store:
        results = results_of(store)
        size = store.connection.execute("SELECT sum(length(data)) FROM samples").fetchone()[0]
    assert {(method, dataset[:4]) for method, dataset, _ in results.samples} >= {("none", "iris"), ("smote", "simu")}
    assert size < 20_000
    page = (tmp_path / "augbench-results" / "site" / "method" / "smote.html").read_text()
    assert 'id="made"' in page
    assert "Chawla" in page
    assert "--methods smote" in page
    assert "k_neighbors" in page
    page = (tmp_path / "augbench-results" / "site" / "dataset" / "iris.html").read_text()
    assert "CC BY 4.0 (UCI)" in page
    assert 'href="https://archive.ics.uci.edu/dataset/53"' in page


def store_with_sample(path, data=b"kept"):
    """A store of one run with a sample in it."""
    plan = plan_of(methods=["smote"])
    with Store(path, write=True) as store:
        run = store.save_run(plan, run_info(plan, "bench run mine"))
        for unit in plan.units:
            result = result_of(unit)
            result.draws[0].sample = data
            store.save(unit, result, {})
    return run


def as_version_3(path):
    """Take from a store what versions 4 and 5 brought."""
    with sqlite3.connect(path) as connection:
        connection.execute("DROP TABLE samples")
        for column in ("parts", "workers", "alone", "digest"):
            connection.execute(f"ALTER TABLE units DROP COLUMN {column}")
        connection.execute("UPDATE meta SET value = '3'")


def test_an_older_store_is_read_without_rows_and_upgraded_when_it_is_written_to(tmp_path):
    path = tmp_path / "old.sqlite"
    run = store_with_sample(path)
    as_version_3(path)
    before = path.read_bytes()
    with Store(path) as store:
        assert len(store.samples(run)) == 0
        assert "made" not in render_site(results_of(store))["method/smote.html"]
    assert path.read_bytes() == before
    unit = plan_of(methods=["smote"]).units[1]
    with Store(path, write=True) as store:
        result = result_of(unit)
        result.draws[0].sample = b"new"
        store.save(unit, result, {})
        assert store.connection.execute("SELECT data FROM samples").fetchall() == [(b"new",)]


def test_a_run_from_before_methods_were_documented_has_pages(tmp_path):
    path = tmp_path / "old.sqlite"
    store_with_sample(path)
    as_version_3(path)
    with sqlite3.connect(path) as connection:
        connection.execute(
            "UPDATE runs SET info = json_remove(info, '$.methods[0].text', '$.methods[1].parameters', "
            "'$.methods[1].citations', '$.datasets[0].class_counts', '$.datasets[0].licence')"
        )
    with Store(path) as store:
        pages = render_site(results_of(store))
    assert "Cite" not in pages["method/smote.html"]
    assert 'id="classes"' not in pages["dataset/iris.html"]


def test_merging_takes_rows_over_and_leaves_those_that_are_there(tmp_path):
    store_with_sample(tmp_path / "with.sqlite")
    store_with_sample(tmp_path / "without.sqlite", None)
    store_with_sample(tmp_path / "other.sqlite", b"other")
    with Store(tmp_path / "all.sqlite", write=True) as into:
        for name in ("without", "with", "other"):
            with Store(tmp_path / f"{name}.sqlite") as source:
                into.merge(source)
        assert into.connection.execute("SELECT DISTINCT data FROM samples").fetchall() == [(b"kept",)]
    as_version_3(tmp_path / "other.sqlite")
    with Store(tmp_path / "all.sqlite", write=True) as into, Store(tmp_path / "other.sqlite") as source:
        assert into.merge(source) == (0, 2, 0)


def test_the_first_curve_of_each_method_is_shown(tmp_path):
    plan = plan_of(methods=["smote"], draws=2, block=1)
    curve = pd.DataFrame({"model": ["a"], "step": [0], "loss": [1.0]})
    with Store(tmp_path / "s.sqlite", write=True) as store:
        run = store.save_run(plan, run_info(plan, ""))
        for unit in reversed(plan.units):
            result = result_of(unit)
            number = unit.draws[0]
            result.draws[0] = replace(result.draws[0], draw=number, training=curve.assign(loss=float(number)))
            store.save(unit, result, {})
        first = store.first_curves(run)
        assert len(store.training_curves(run)) == 4
    assert first[["method", "draw", "loss"]].to_numpy().tolist() == [["none", 0, 0.0], ["smote", 0, 0.0]]


def test_what_a_run_says_of_its_methods():
    sampler = {"name": "", "id": "mine", "sampler": "imblearn.over_sampling.SMOTE", "params": {"k_neighbors": 3}}
    del sampler["name"]
    entries = [sampler, "smote+gc", {"name": "smote", "params": {"k_neighbors": 2}}, "jitter"]
    rows = {one["method"]: one for one in plan_of(methods=entries).method_rows()}
    assert [(one["name"], one["value"], one["default"]) for one in rows["smote(k_neighbors=2)"]["parameters"]] == [
        ("k_neighbors", "2", "5")
    ]
    assert rows["mine"]["parameters"] == [{"name": "k_neighbors", "value": "3", "default": "", "meaning": ""}]
    assert "Chawla" in rows["mine"]["citations"][0]
    assert {"k_neighbors", "gc_noise"} <= {one["name"] for one in rows["smote+gc"]["parameters"]}
    assert len(rows["smote+gc"]["citations"]) == 2
    everything = " ".join(str(rows[name][key]) for name in rows for key in ("text", "citations"))
    assert not any(mark in everything for mark in (":math:", ":ref:", "``", "]_", ".. ["))
    assert "`" not in rows["jitter"]["description"]


def test_what_a_run_says_of_its_data_sets():
    (row,) = plan_of().dataset_rows()
    assert row["class_counts"] == [50, 50, 50]
    assert row["licence"] == "CC BY 4.0 (UCI)"
    assert row["citation"].startswith("Fisher (1936)")
    assert row["source"].startswith("https://")
