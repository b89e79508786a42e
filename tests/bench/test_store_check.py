"""Checking and repairing stores: planted faults of every kind."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from augbench import Store
from augbench.bench.store import StoreBusyError
from augbench.bench.store_check import check_store
from augbench.bench.store_repair import repair_store

from .conftest import fingerprint
from .stored import command, compute, execute, query


def test_a_sound_store_is_sound_and_left_alone(sound):
    before = sound.read_bytes()
    code, output = command("store", "check", "--store", sound)
    units, scores = query(sound, "SELECT (SELECT count(*) FROM units), (SELECT count(*) FROM scores)")[0]
    assert code == 0
    assert output.startswith(f"sound: {units} units, {scores:,} scores\n")
    assert 0.4 * scores < check_store(sound).compared < scores
    assert command("store", "check", "--repair", "--store", sound)[1].startswith("nothing to repair")
    assert sound.read_bytes() == before


def test_a_store_of_the_first_version_is_checked_and_repaired(tmp_path):
    path = tmp_path / "old.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(Path(__file__).with_name("store_version_1.sql").read_text())
    found = check_store(path)
    assert (found.is_sound, found.units, found.foreign) == (True, 2, 2)
    assert found.compared == 4  # accuracy and macro F1
    execute(path, "UPDATE scores SET value = value + 1e-6 WHERE unit = 2 AND metric = 'accuracy'")
    assert repair_store(path).after.units == 1


FAULTS = {
    "UPDATE units SET draws = '[7]' WHERE id = 3": "a key that is not",
    "UPDATE units SET definitions = replace(definitions, 'a', 'b') WHERE id = 3": "a key that is not",
    "UPDATE units SET method = 'other' WHERE id = 3": "a key that is not",
    "UPDATE units SET status = 'failed' WHERE id = 3": "a status that contradicts",
    "UPDATE units SET error = 'boom' WHERE id = 3": "a status that contradicts",
    "UPDATE units SET status = 'failed', error = 'boom' WHERE id = 3": "a status that contradicts",
    "UPDATE units SET environment = '{' WHERE id = 3": "facts that cannot be read",
    "UPDATE units SET seconds = 'long' WHERE id = 3": "facts that cannot be read",
    "UPDATE units SET parts = '{' WHERE id = 3": "facts that cannot be read",
    "UPDATE units SET workers = 'x' WHERE id = 3": "facts that cannot be read",
    "UPDATE units SET digest = '' WHERE id = 3": "facts that cannot be read",
    "UPDATE draws SET effort = '{' WHERE unit = 3": "facts that cannot be read",
    "UPDATE draws SET n_train = -1 WHERE unit = 3": "facts that cannot be read",
    "UPDATE cells SET tuned = '[]' WHERE unit = 3": "facts that cannot be read",
    "DELETE FROM draws WHERE unit = 3": "draws or cells that are missing",
    "DELETE FROM cells WHERE unit = 3": "draws or cells that are missing",
    "UPDATE cells SET classifier = 'other' WHERE unit = 3": "draws or cells that are missing",
    "DELETE FROM scores WHERE unit = 3": "scores that are missing",
    "DELETE FROM scores WHERE unit = 3 AND metric = 'auroc'": "scores that are missing",
    "DELETE FROM scores WHERE unit = 3 AND metric = 'f1_1_tuned'": "scores that are missing",
    "UPDATE scores SET value = value + 1e-6 WHERE unit = 3 AND metric = 'macro_f1'": "scores that are missing, or",
    "UPDATE scores SET value = value - 1e-6 WHERE unit = 3 AND metric = 'mcc_tuned'": "scores that are missing, or",
    "UPDATE scores SET value = 0.123 WHERE unit = 3 AND metric = 'recall_minority'": "scores that are missing, or",
    "UPDATE scores SET value = 1.5 WHERE unit = 3 AND metric = 'auroc'": "scores that are missing, or",
    "UPDATE scores SET value = 'x' WHERE unit = 3 AND metric = 'dcr_ratio'": "scores that are missing, or",
    "UPDATE scores SET value = value * 0.99 WHERE unit = 3 AND metric = 'auroc'": "rows that are not what was stored",
    "UPDATE draws SET n_train = n_train + 1 WHERE unit = 3": "rows that are not what was stored",
    "DELETE FROM predictions WHERE unit = 3": "predictions that are missing",
    "UPDATE predictions SET data = x'00' WHERE unit = 3": "predictions that are missing",
    "UPDATE predictions SET data = (SELECT y_test FROM truth) WHERE unit = 3": "predictions that are missing",
    "UPDATE draws SET content_hash = 'gone' WHERE unit = 3": "true classes that are missing",
    "UPDATE draws SET n_test = n_test + 1 WHERE unit = 3": "true classes that are missing",
    "INSERT OR REPLACE INTO samples VALUES (3, 0, x'00')": "a training curve or sample",
    "INSERT INTO training VALUES (3, 0, x'789c')": "a training curve or sample",
}


@pytest.mark.parametrize(("fault", "words"), FAULTS.items())
def test_a_planted_fault_is_found_and_costs_its_own_unit_only(store, fault, words):
    units = dict(query(store, "SELECT id, key FROM units"))
    execute(store, fault)
    found = check_store(store)
    assert not found.is_sound
    assert any(words in str(one) for one in found.findings), [*map(str, found.findings)]
    assert [*found.damaged] == [3]
    repaired = repair_store(store)
    assert repaired.damaged is None
    assert repaired.after.is_sound
    assert set(units.values()) - {key for (key,) in query(store, "SELECT key FROM units")} == {units[3]}


def test_broken_true_classes_cost_all_that_use_them_and_are_not_kept(store, sound):
    users = "SELECT count(*) FROM draws WHERE content_hash = (SELECT min(content_hash) FROM truth)"
    (number,) = query(store, users)[0]
    execute(store, "UPDATE truth SET y_test = x'789c00' WHERE content_hash = (SELECT min(content_hash) FROM truth)")
    code, output = command("store", "check", "--store", store)
    assert code == 1
    assert f"{number} units with true classes that are missing or broken: " in output
    assert f"damaged: {number} units of {2 * number}; 'bench store check --repair --store {store}'" in " ".join(
        output.split()
    )
    code, output = command("store", "check", "--store", store, "--repair")
    assert code == 0
    assert f"removed: {number} units" in output
    # a row of true classes that had stayed would be the one of the units that are computed again
    compute(store)
    assert check_store(store).is_sound
    assert fingerprint(store) == fingerprint(sound)


def test_rows_that_belong_to_nothing_are_found_and_removed(store, sound):
    execute(
        store,
        "INSERT INTO draws VALUES (98, 0, 'h', 1, 1, 1, 0.1, '{}')",
        "INSERT INTO cells VALUES (98, 0, 'c', 0.1, '', '{}')",
        "INSERT INTO scores VALUES (98, 0, 'c', 'macro_f1', 0.5), (99, 0, 'c', 'macro_f1', 0.5)",
        "INSERT INTO predictions VALUES (98, 0, 'c', x'00')",
        "INSERT INTO training VALUES (98, 0, x'00')",
        "INSERT INTO samples VALUES (98, 0, x'00')",
        "INSERT INTO run_units VALUES (77, 'k', 0, 'm', 'd', 's', '[]')",
        "INSERT INTO run_exclusions VALUES (77, 'm', 'd', 's', 'not run', 'r')",
        "INSERT INTO truth VALUES ('lone', x'00')",
    )
    code, output = command("store", "check", "--store", store)
    assert code == 1
    assert "2 rows of scores for no unit: unit 98, unit 99" in output
    for table, owner in (
        ("draws", "unit 98"),
        ("cells", "unit 98"),
        ("predictions", "unit 98"),
        ("samples", "unit 98"),
    ):
        assert f"1 row of {table} for no unit: {owner}" in output
    assert "1 row of run_units for no run: run 77" in output
    assert "1 row of run_exclusions for no run: run 77" in output
    assert "1 set of true classes that no draw uses (harmless" in output
    assert repair_store(store).after.findings == []
    assert fingerprint(store) == fingerprint(sound)


def test_true_classes_that_a_unit_left_when_it_was_computed_again_do_no_harm(store):
    execute(store, "INSERT INTO truth VALUES ('lone', x'00')")
    code, output = command("store", "check", "--store", store)
    assert code == 0
    assert "harmless" in output
    assert "sound: " in output


def test_a_run_with_a_gap_in_its_list_is_started_again(store, sound):
    execute(store, "DELETE FROM run_units WHERE position = 3")
    code, output = command("store", "check", "--store", store)
    assert code == 1
    assert "1 run with a broken list of units, or one that names other units than are stored: 1" in output
    assert "1 run cannot be shown until started again" in command("store", "check", "--repair", "--store", store)[1]
    compute(store)
    assert query(store, "SELECT count(*) FROM run_units") == query(sound, "SELECT count(*) FROM run_units")
    assert check_store(store).is_sound


def test_failed_units_are_sound(store):
    """As `Store.save` leaves them: with cells that failed, and, failed as a whole, without draws."""
    execute(
        store,
        "UPDATE units SET status = 'failed', error = 'boom', digest = '', workers = 0 WHERE id IN (3, 4)",
        "UPDATE cells SET error = 'boom' WHERE unit = 3",
        "DELETE FROM scores WHERE unit IN (3, 4)",
        "DELETE FROM predictions WHERE unit IN (3, 4)",
        "DELETE FROM samples WHERE unit = 4",
        "DELETE FROM cells WHERE unit = 4",
        "DELETE FROM draws WHERE unit = 4",
    )
    assert check_store(store).is_sound


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda path: None, "there is no store"),
        (lambda path: path.write_text("name,age\n1,2\n" * 100), "cannot be opened"),
        (lambda path: execute(path, "CREATE TABLE other (x)"), "is not a store of augbench"),
        (lambda path: path.mkdir(), "there is no store"),
        (lambda path: path.write_bytes(b""), "is not a store of augbench"),
    ],
)
@pytest.mark.parametrize("option", [[], ["--repair"]])
def test_what_is_no_store_is_refused(tmp_path, make, words, option):
    path = tmp_path / "store.sqlite"
    make(path)
    code, output = command("store", "check", "--store", path, *option)
    assert code == 2
    assert words in output


@pytest.mark.parametrize("option", [[], ["--repair"]])
def test_a_newer_store_is_refused_and_left_alone(store, option):
    execute(store, "UPDATE meta SET value = '99'")
    before = store.read_bytes()
    code, output = command("store", "check", "--store", store, *option)
    assert code == 2
    assert "version 99" in output
    assert store.read_bytes() == before


def test_a_store_that_is_being_written_is_checked_but_not_repaired(store):
    execute(store, "DELETE FROM predictions WHERE unit = 3")
    with Store(store, write=True):
        assert [*check_store(store).damaged] == [3]
        link = store.with_name("link.sqlite")
        link.symlink_to(store)
        for path in (store, link):
            with pytest.raises(StoreBusyError, match="is being written by process"):
                repair_store(path)
    assert [*repair_store(store).before.damaged] == [3]
