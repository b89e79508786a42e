import sqlite3
import subprocess
import sys

import numpy as np
import pytest
from augbench import InputError, Store
from augbench.bench import stored_scores
from augbench.bench.evaluate import CellResult, DrawResult, UnitResult
from augbench.bench.plan import make_plan
from augbench.bench.predictions import pack_predictions, unpack_predictions
from augbench.bench.report import results_of, run_info
from augbench.bench.store import StoreBusyError
from augbench.bench.suite import validate_suite
from augbench.bench.unit_digest import unit_digest
from augbench.bench.writer_lock import writer_of

SUITE = {"name": "mine", "datasets": ["iris"], "classifiers": ["logistic-regression"], "draws": 1}


def make_units(**changes):
    return make_plan(validate_suite(SUITE | changes, "mine"))


def result_of(unit, value=0.5, error=""):
    y = np.array([0, 1, 2, 1], dtype=np.uint8)
    cell = CellResult({"macro_f1": value, "auroc": float("nan")}, y, None, np.full((4, 3), 1 / 3, np.float32), 0.1)
    draws = (
        [] if error else [DrawResult(0, "hash", y, 10, 5, 0.2, {"dcr_ratio": 1.0}, {}, {"logistic-regression": cell})]
    )
    return UnitResult(unit.key, draws, error, 1.0, {"method": 0.5}, 100.0)


@pytest.mark.parametrize("n_classes", [2, 3, 10])
@pytest.mark.parametrize("tuned", [True, False])
def test_predictions_survive_packing(n_classes, tuned):
    rng = np.random.default_rng(n_classes)
    p = rng.dirichlet(np.full(n_classes, 0.2), 500).astype(np.float32)
    p[0] = np.eye(n_classes)[0]
    labels = p.argmax(axis=1).astype(np.uint8)
    other = rng.integers(0, n_classes, 500).astype(np.uint8)
    back = unpack_predictions(pack_predictions(CellResult({}, labels, other if tuned else None, p)))
    np.testing.assert_array_equal(back["labels"], labels)
    assert (back["labels_tuned"] is not None) == tuned
    if tuned:
        np.testing.assert_array_equal(back["labels_tuned"], other)
    np.testing.assert_allclose(back["probabilities"], p, rtol=0.02, atol=2e-6)


def test_a_result_is_stored_once_and_replaced_as_a_whole(tmp_path):
    plan = make_units()
    unit = plan.units[0]
    with Store(tmp_path / "s.sqlite", write=True) as store:
        store.save(unit, result_of(unit, error="boom"), {})
        assert store.statuses() == {unit.key: "failed"}
        store.save(unit, result_of(unit, 0.75), {})
        assert store.statuses() == {unit.key: "done"}
        # what was computed again, alone, counts only if it is the same
        for other in (result_of(unit), result_of(unit, error="boom"), UnitResult(unit.key, error="killed")):
            assert not store.save_alone(unit, other, {})
            assert store.units_with_results() == {unit.key: ("done", False)}
        assert store.save_alone(unit, result_of(unit, 0.75), {})
        assert store.units_with_results() == {unit.key: ("done", True)}
        assert list(store.connection.execute("SELECT value FROM scores WHERE metric = 'macro_f1'")) == [(0.75,)]
        assert list(store.connection.execute("SELECT value FROM scores WHERE metric = 'auroc'")) == [(None,)]


def half_failed(unit, error="boom"):
    """A unit of which one classifier failed on each draw."""
    result = result_of(unit)
    result.draws[0].cells["mlp"] = CellResult(error=error)
    result.error = error
    return result


def is_as_stored(store, unit):
    (id_, digest) = store.connection.execute("SELECT id, digest FROM units WHERE key = ?", [unit.key]).fetchone()
    return unit_digest(store.connection, id_) == digest


def test_a_failure_without_scores_takes_the_place_of_none(tmp_path):
    unit = make_units().units[0]
    count = "SELECT count(*) FROM scores"
    with Store(tmp_path / "s.sqlite", write=True) as store:
        run = store.save_run(make_units(), {})
        store.save(unit, half_failed(unit), {})
        (before,) = store.connection.execute(count).fetchone()
        assert before > 0
        for error in ("killed by signal 9", "took longer than 5 s"):
            store.save(unit, UnitResult(unit.key, error=error), {})
            assert store.connection.execute(count).fetchone() == (before,)
            ((*_, said),) = store.failures(run)
            assert said == f"boom (its scores are kept; computed again: {error})"
            assert is_as_stored(store, unit)
        # one with as many scores is a result, and so is one that is done
        store.save(unit, half_failed(unit, "other"), {})
        assert store.failures(run)[0][-1] == "other"
        store.save(unit, result_of(unit), {})
        assert store.statuses() == {unit.key: "done"}
        store.save(unit, UnitResult(unit.key, error="killed"), {})
        assert store.statuses() == {unit.key: "done"}
        assert store.connection.execute(count).fetchone() == (before,)
    # what had no scores may be replaced by what has none
    with Store(tmp_path / "t.sqlite", write=True) as store:
        run = store.save_run(make_units(), {})
        for error in ("first", "second"):
            store.save(unit, UnitResult(unit.key, error=error), {})
        assert store.failures(run)[0][-1] == "second"


def test_a_failure_that_is_added_does_not_make_a_changed_unit_look_unchanged(tmp_path):
    unit = make_units().units[0]
    with Store(tmp_path / "s.sqlite", write=True) as store:
        store.save(unit, half_failed(unit), {})
        with store.transaction() as connection:
            connection.execute("UPDATE scores SET value = 0.9 WHERE metric = 'macro_f1'")
        store.save(unit, UnitResult(unit.key, error="killed"), {})
        assert not is_as_stored(store, unit)


def test_messages_of_names_that_are_not_utf8_are_stored(tmp_path):
    plan = make_units()
    one, two = plan.units[:2]
    message = "FileNotFoundError: caf\udce9.txt"
    with Store(tmp_path / "s.sqlite", write=True) as store:
        run = store.save_run(plan, run_info(plan, "bench run caf\udce9.toml"))
        store.save(one, half_failed(one, message), {})
        whole = UnitResult(two.key, error=message, warnings=[message])
        store.save(two, whole, {})
        texts = [store.failures(run)[0][-1], store.failures(run)[1][-1], store.warnings(run)[0][1][0]]
        texts += [text for (text,) in store.connection.execute("SELECT error FROM cells WHERE error != ''")]
        assert texts == ["FileNotFoundError: caf\\udce9.txt"] * 4
        assert store.find_run()["info"]["command"] == "bench run caf\\udce9.toml"


def test_scores_tell_failed_from_not_run_from_not_applicable(tmp_path):
    plan = make_units(scenarios=["imbalance:count=2"])
    first, second = plan.units[:2]
    with Store(tmp_path / "s.sqlite", write=True) as store:
        run = store.save_run(plan, {})
        store.save(first, result_of(first), {})
        store.save(second, result_of(second, error="boom"), {})
        table = store.scores(run, ["logistic-regression"], 1).set_index("method")
    assert table.loc[first.method.id, ["status", "macro_f1"]].tolist() == ["ok", 0.5]
    assert table.loc[second.method.id, ["status", "error"]].tolist() == ["failed", "boom"]
    assert table.loc["threshold-tuned", "status"] == "not applicable"
    assert "needs 3 rows" in table.loc["threshold-tuned", "error"]
    assert set(table.status) == {"ok", "failed", "not applicable", "not run"}
    assert sorted(table.index) == sorted(plan.methods)


def test_a_run_of_which_every_unit_failed_has_rows_that_say_so(tmp_path):
    plan = make_units()
    with Store(tmp_path / "s.sqlite", write=True) as store:
        run = store.save_run(plan, {})
        for unit in plan.units:
            store.save(unit, UnitResult(unit.key, error="boom"), {})
        table = store.scores(run, ["logistic-regression"], 1)
        assert not store.has_scores(run, "none")
    assert set(table.loc[table["status"] != "not applicable", "error"]) == {"boom"}


def test_results_are_those_of_one_moment_of_a_run_that_goes_on(tmp_path, monkeypatch):
    plan = make_units()
    first, second = plan.units[:2]
    with Store(tmp_path / "s.sqlite", write=True) as store:
        store.save_run(plan, run_info(plan, ""))
        store.save(first, result_of(first), {})
        between = stored_scores._without_cells

        def slow(*given):
            store.save(second, result_of(second), {})
            return between(*given)

        monkeypatch.setattr(stored_scores, "_without_cells", slow)
        with Store(tmp_path / "s.sqlite") as reader:
            scores = results_of(reader).scores.set_index("method")
    assert sorted(scores.index) == sorted(plan.methods)
    assert scores.at[second.method.id, "status"] == "not run"


def test_the_newest_run_is_found_also_when_an_old_plan_is_run_again(tmp_path):
    one, two = make_units(), make_units(draws=2)
    with Store(tmp_path / "s.sqlite", write=True) as store:
        assert store.save_run(one, {}) == store.save_run(one, {})
        store.save_run(two, {})
        assert store.find_run()["units"] == len(two.units)
        store.save_run(one, {})
        assert store.find_run("mine")["units"] == len(one.units)
        assert len(store.runs()) == 2
        with pytest.raises(InputError, match=r"unknown suite in store .*'other'"):
            store.find_run("other")


def test_a_second_writer_is_told_who_holds_the_store(tmp_path):
    path = tmp_path / "s.sqlite"
    code = f"import augbench; store = augbench.Store({str(path)!r}, write=True); print('held'); input()"
    command = [sys.executable, "-c", code]
    holder = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert holder.stdout.readline() == "held\n"
    with pytest.raises(StoreBusyError, match=f"process {holder.pid} on "):
        Store(path, write=True)
    assert writer_of(path).startswith(f"process {holder.pid} on ")
    # a reader is not kept out
    Store(path).close()
    # and the lock of a killed process is gone
    holder.kill()
    holder.wait()
    assert writer_of(path) == ""
    Store(path, write=True).close()
    assert writer_of(path) == ""


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda p: None, "there is no store"),
        (lambda p: p.write_text("name,age\n1,2\n"), "is not a (store|database)|cannot be opened"),
        (lambda p: sqlite3.connect(p).execute("CREATE TABLE other (x)"), "is not a store"),
        (lambda p: p.mkdir(), "there is no store|cannot be opened"),
    ],
)
def test_what_is_no_store_is_refused(tmp_path, make, words):
    make(tmp_path / "s.sqlite")
    with pytest.raises(InputError, match=words):
        Store(tmp_path / "s.sqlite")


@pytest.mark.parametrize("write", [True, False])
def test_a_newer_version_is_refused_and_left_alone(tmp_path, write):
    path = tmp_path / "s.sqlite"
    with Store(path, write=True) as store:
        store.connection.execute("UPDATE meta SET value = '99'")
        store.connection.commit()
    with pytest.raises(InputError, match=r"version 99.*update augbench"):
        Store(path, write=write)
    assert sqlite3.connect(path).execute("SELECT value FROM meta").fetchone() == ("99",)


def test_a_folder_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be opened for writing"):
        Store(tmp_path / "file" / "s.sqlite", write=True)


def test_merging_takes_over_units_and_runs(tmp_path):
    plan = make_units()
    one, two = plan.units[:2]
    with Store(tmp_path / "a.sqlite", write=True) as a, Store(tmp_path / "b.sqlite", write=True) as b:
        a.save(one, result_of(one), {})
        b.save(one, result_of(one), {})
        b.save(two, result_of(two, 0.25), {})
        run = b.save_run(plan, {"classifiers": ["logistic-regression"]})
        assert a.merge(b) == (1, 1, 0)
        assert a.statuses() == b.statuses()
        mine = a.scores(a.find_run()["id"], ["logistic-regression"], 1)
        assert mine.equals(b.scores(run, ["logistic-regression"], 1))
        assert a.merge(b) == (0, 2, 0)


def test_merging_keeps_a_done_unit_and_takes_the_done_one_for_a_failed_one(tmp_path):
    unit = make_units().units[0]
    with Store(tmp_path / "a.sqlite", write=True) as a, Store(tmp_path / "b.sqlite", write=True) as b:
        a.save(unit, result_of(unit, error="boom"), {})
        b.save(unit, result_of(unit), {})
        a.merge(b)
        assert a.statuses() == {unit.key: "done"}
    with Store(tmp_path / "a.sqlite", write=True) as a, Store(tmp_path / "c.sqlite", write=True) as c:
        c.save(unit, result_of(unit, error="boom"), {})
        a.merge(c)
        assert a.statuses() == {unit.key: "done"}


@pytest.mark.parametrize("first", ["a", "b"])
def test_merging_two_failed_units_keeps_the_one_with_scores(tmp_path, first):
    unit = make_units().units[0]
    with Store(tmp_path / "a.sqlite", write=True) as a, Store(tmp_path / "b.sqlite", write=True) as b:
        a.save(unit, UnitResult(unit.key, error="killed"), {})
        b.save(unit, half_failed(unit), {})
        into, source = (a, b) if first == "a" else (b, a)
        into.merge(source)
        assert into.connection.execute("SELECT count(*) FROM scores").fetchone()[0] > 0
        assert into.connection.execute("SELECT error FROM units").fetchone() == ("boom",)


def test_merging_leaves_out_units_that_are_not_what_was_stored(tmp_path):
    plan = make_units()
    one, two = plan.units[:2]
    change = "UPDATE scores SET value = 0.9 WHERE metric = 'macro_f1' AND unit = 1"
    with Store(tmp_path / "a.sqlite", write=True) as a, Store(tmp_path / "b.sqlite", write=True) as b:
        for unit in (one, two):
            b.save(unit, result_of(unit), {})
        with b.transaction() as connection:
            connection.execute(change)
        assert a.merge(b) == (1, 0, 1)
        assert list(a.statuses()) == [two.key]
        # of a unit that both have, the one that is what was stored is kept
        a.save(one, result_of(one), {})
        assert a.merge(b) == (0, 1, 1)
        assert b.merge(a) == (0, 2, 0)
        assert set(b.connection.execute("SELECT value FROM scores WHERE metric = 'macro_f1'")) == {(0.5,)}


def test_different_definitions_are_not_mixed(tmp_path):
    unit = make_units().units[0]
    other = make_units(classifiers=[{"name": "logistic-regression", "id": "logistic-regression", "params": {"C": 9.0}}])
    with Store(tmp_path / "a.sqlite", write=True) as a, Store(tmp_path / "b.sqlite", write=True) as b:
        a.save(unit, result_of(unit), {})
        b.save(other.units[0], result_of(other.units[0]), {})
        with pytest.raises(InputError, match="different: classifier:logistic-regression"):
            a.merge(b)
        assert list(a.statuses()) == [unit.key]


def test_two_scores_for_one_unit_are_not_mixed(tmp_path):
    unit = make_units().units[0]
    with Store(tmp_path / "a.sqlite", write=True) as a, Store(tmp_path / "b.sqlite", write=True) as b:
        a.save(unit, result_of(unit, 0.5), {})
        b.save(unit, result_of(unit, 0.6), {})
        with pytest.raises(InputError, match="has other scores"):
            a.merge(b)


def test_suites_that_differ_in_seed_and_scenario_can_share_a_store(tmp_path):
    one, two = make_units().units[0], make_units(seed=5, scenarios=["imbalance:count=9"]).units[0]
    with Store(tmp_path / "a.sqlite", write=True) as a, Store(tmp_path / "b.sqlite", write=True) as b:
        a.save(one, result_of(one), {})
        b.save(two, result_of(two), {})
        assert a.merge(b) == (1, 0, 0)
