"""What commands say of a damaged store: one line that names it, and what mends it."""

import shutil

import pytest
from augbench import InputError, Store
from augbench.bench.console import Places
from augbench.bench.job import Manner, run_suite
from augbench.bench.store_check import check_store
from augbench.bench.suite import validate_suite

from .stored import SUITE, command, compute, execute, query

#: what is broken, and which commands read it
FAULTS = {
    "UPDATE units SET definitions = '{' WHERE id = 3": {"run", "cost alone", "merge"},
    "UPDATE predictions SET data = x'00' WHERE unit = 1": {"cost alone"},
    "UPDATE runs SET info = '{'": {"run", "cost alone", "leaderboard", "merge"},
    "UPDATE draws SET effort = '{' WHERE unit = 3": {"leaderboard"},
    "UPDATE units SET environment = '{'": {"leaderboard"},
    "UPDATE units SET warnings = '{' WHERE id = 3": {"leaderboard"},
    "UPDATE scores SET value = 'x' WHERE unit = 3": {"leaderboard"},
    "UPDATE samples SET data = x'00'": {"leaderboard"},
    "UPDATE meta SET value = 'x'": {"run", "cost alone", "leaderboard", "merge"},
}


def use(name, store):
    """Give a command; return what it said, nothing if it went well."""
    suite = validate_suite(SUITE, "checked")
    try:
        if name == "run":
            compute(store)
        elif name == "cost alone":
            manner = Manner(jobs=1, quiet=True, site=False, cost_alone=True)
            run_suite(suite, {}, [], Places(store, None), manner)
        elif name == "merge":
            into = store.with_name("into.sqlite")
            # that nothing is wrong with, so that it must not be named
            with Store(into, write=True) as target, Store(store) as source:
                target.merge(source)
        else:
            code, said = command(name, "--store", store)
            return said if code else ""
    except InputError as error:
        return f"error: {error}"
    return ""


@pytest.mark.parametrize(
    ("fault", "name"), [(fault, name) for fault, names in FAULTS.items() for name in sorted(names)]
)
def test_a_row_that_cannot_be_read_is_the_damage_of_its_store(store, fault, name):
    execute(store, fault)
    said = use(name, store)
    assert said.startswith(f"error: store {store} cannot be read ("), said
    assert said.endswith(f"'bench store check --store {store}' says what is damaged, and --repair keeps the rest")
    assert "\n" not in said


def garbage_after(path, start):
    with path.open("r+b") as file:
        file.seek(start)
        some = bytes(one ^ 0xFF for one in file.read(300))
        file.seek(start)
        file.write(some)


def cut(path):
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size * 6 // 10)


@pytest.mark.parametrize("damage", [lambda path: garbage_after(path, 4096), cut])
@pytest.mark.parametrize("name", ["run", "leaderboard", "merge"])
def test_a_damaged_file_is_still_a_store(store, damage, name):
    damage(store)
    assert not check_store(store).is_sound
    said = use(name, store)
    assert said.startswith(f"error: store {store} cannot be "), said
    assert f"'bench store check --store {store}' says what is damaged" in said


def test_a_store_that_lost_the_table_with_its_version_is_still_a_store(store):
    execute(store, "DROP TABLE meta")
    assert f"'bench store check --store {store}' says" in use("leaderboard", store)


@pytest.mark.parametrize("arguments", [["leaderboard"], ["store", "check"]])
def test_a_copy_of_a_running_store_without_its_log_is_told_of_the_log(tmp_path, arguments):
    live, copy = tmp_path / "live.sqlite", tmp_path / "copy.sqlite"
    with Store(live, write=True):
        shutil.copy(live, copy)
        assert command("status", "--store", live)[0] == 0
    code, said = command(*arguments, "--store", copy)
    assert code == 2
    assert "copy.sqlite-wal beside it" in said
    # another program's file is what it was
    execute(tmp_path / "other.sqlite", "CREATE TABLE other (x)")
    assert "is not a store of augbench" in command(*arguments, "--store", tmp_path / "other.sqlite")[1]


def test_pages_that_cannot_be_read_are_those_of_the_source(store, tmp_path):
    (page,) = query(store, "SELECT rootpage FROM sqlite_master WHERE name = 'predictions'")[0]
    (size,) = query(store, "PRAGMA page_size")[0]
    with store.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * size)
    code, said = command("merge", tmp_path / "into.sqlite", store)
    assert code == 2 or "18 units left out" in said, said
    assert str(store) in said
    assert f"store {tmp_path / 'into.sqlite'} cannot" not in said
    assert query(tmp_path / "into.sqlite", "SELECT count(*) FROM units") == [(0,)]


def test_a_run_that_calls_units_by_other_names_is_found(store, sound):
    swap = "UPDATE run_units SET method = CASE method WHEN 'smote' THEN 'none' ELSE 'smote' END"
    execute(store, f"{swap} WHERE method IN ('smote', 'none')")
    code, said = command("store", "check", "--store", store)
    assert code == 1
    assert "1 run with a broken list of units, or one that names other units than are stored: 1" in said
    assert command("store", "check", "--repair", "--store", store)[0] == 0
    compute(store)
    names = "SELECT key, method, dataset, scenario, draws FROM run_units ORDER BY position"
    assert query(store, names) == query(sound, names)


def test_a_check_says_what_no_hash_covers_and_each_fault_once(store):
    execute(store, "UPDATE draws SET seconds = seconds * 1000")
    code, said = command("store", "check", "--store", store)
    assert code == 0
    assert "in no hash, so that a change of them is not seen: times" in said
    # as after damage that keeps pages readable: the rows are not in the order of their key
    other_order = "replace(sql, 'draw, classifier, metric)', 'draw, classifier, metric DESC)')"
    execute(store, "PRAGMA writable_schema=ON", f"UPDATE sqlite_master SET sql = {other_order} WHERE name = 'scores'")
    (finding,) = (one for one in check_store(store).findings if "integrity check" in one.what)
    assert not finding.what.startswith("1 fault")
    assert len(set(finding.examples)) == len(finding.examples) > 0
