"""What units took: by part, machine and memory; times alone; threads."""

import re
import socket
import sqlite3
import sys
from contextlib import closing
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import typer
from augbench import InputError, Store
from augbench.bench.alone import ALONE, DURING_RUN, keep_alone
from augbench.bench.console import Places
from augbench.bench.evaluate import CACHE, evaluate
from augbench.bench.job import Manner, compute_suite, run_suite
from augbench.bench.plan import make_plan
from augbench.bench.plugins import load_plugin
from augbench.bench.profile import PARTS, classifier_seconds, sums_by, unit_times
from augbench.bench.report import results_of
from augbench.bench.run_command import run
from augbench.bench.suite import validate_suite
from augbench.threads import allowed_threads, number_of_threads, torch_threads
from threadpoolctl import threadpool_info

from .conftest import fingerprint, write_plugin
from .stored import SUITE, command

SLOW = {"name": "slow", "draws": 2, "block": 1, "folds": 2, "controls": False, "methods": ["sleeps"],
        "datasets": ["iris"], "scenarios": ["imbalance:count=12"],
        "classifiers": ["logistic-regression", {"name": "random-forest", "params": {"n_estimators": 20}}]}  # fmt: skip


@pytest.fixture(scope="module")
def slow(tmp_path_factory):
    """A store with a method that sleeps, computed by two workers; its path, suite and plugin."""
    folder = tmp_path_factory.mktemp("slow")
    plugin = write_plugin(folder, "time.sleep(0.3)\nreturn X[y == 2].iloc[[0] * counts[2]], np.repeat(2, counts[2])",
                          "sleeps")  # fmt: skip
    load_plugin(str(plugin))
    suite = validate_suite(SLOW, "slow")
    compute_suite(suite, {}, [str(plugin)], Places(folder / "store.sqlite", None), Manner(2, quiet=True, site=False))
    return folder / "store.sqlite", suite, str(plugin)


def test_every_second_of_a_unit_has_its_place(slow):
    with Store(slow[0]) as store:
        table = unit_times(store, store.find_run()["id"])
    assert len(table) == 4
    np.testing.assert_allclose(table[PARTS].sum(axis=1), table["seconds"], rtol=1e-9)
    assert (table[PARTS] >= 0).all(axis=None)
    sleeps, none = table[table["method"] == "sleeps"], table[table["method"] == "none"]
    # once for the draw, once for each of two inner folds
    assert (sleeps["methods"] >= 0.9).all()
    assert (none["methods"] == 0).all()
    spent = classifier_seconds(table)
    assert spent.index[0] == "random-forest(n_estimators=20)"
    assert spent.sum() == pytest.approx(table["classifiers"].sum())
    assert set(table["host"]) == {socket.gethostname()}
    assert set(table["workers"]) == {2}
    by_method = sums_by(table, "method")
    assert by_method.loc["sleeps", "seconds"] == pytest.approx(sleeps["seconds"].sum())
    assert by_method.loc["none", "peak_memory_mb"] == none["peak_memory_mb"].max()


def test_the_command_tells_it_and_writes_a_row_for_every_unit(slow, tmp_path):
    path = tmp_path / "units.csv"
    code, output = command("profile", "--store", slow[0], "--csv", path)
    assert code == 0
    assert re.search(r"slow: 4 units, \d+ s of computing: \d+% in the methods, \d+% in the classifiers", output)
    assert "4 units computed by up to 2 workers at a time" in output
    assert re.search(r"^sleeps +\d+\.\d s +\d+% +\d+% +\d+% +\d+% +\d+ MiB", output, re.MULTILINE)
    assert re.search(r"^random-forest\(n_estimators=20\) +\d+\.\d s +\d+%", output, re.MULTILINE)
    table = pd.read_csv(path)
    assert table["method"].tolist() == ["none", "sleeps"] * 2
    assert command("profile", "--store", slow[0], "--csv", tmp_path / "units.txt")[0] == 2


def test_units_of_an_older_store_have_their_whole_time_only(slow, tmp_path):
    with closing(sqlite3.connect(slow[0])) as source, closing(sqlite3.connect(tmp_path / "old.sqlite")) as old:
        source.backup(old)
        old.executescript(
            "".join(f"ALTER TABLE units DROP COLUMN {name};" for name in ("parts", "workers", "alone", "digest"))
            + "UPDATE meta SET value = '4' WHERE key = 'schema_version'"
        )
    code, output = command("profile", "--store", tmp_path / "old.sqlite")
    assert code == 0, output
    assert "of 4 units only the whole time is known" in output
    with Store(tmp_path / "old.sqlite") as store:
        assert results_of(store).run["times"] == DURING_RUN
    # a driver brings it to this version
    with Store(tmp_path / "old.sqlite", write=True) as store:
        assert set(store.units_with_results().values()) == {("done", False)}
    assert "without a hash, stored by an older version: 4 units" in command("store", "check", "--store",
                                                                           tmp_path / "old.sqlite")[1]  # fmt: skip


def test_memory_is_that_of_the_unit_not_of_the_process_before_it(tmp_path):
    if sys.platform != "linux":
        pytest.skip("only Linux can begin to count anew")
    plugin = write_plugin(
        tmp_path, "held = np.ones(2**26)\nreturn X[y == 2].iloc[[0] * counts[2]], np.repeat(2, counts[2])", "heavy"
    )
    load_plugin(str(plugin))
    plan = make_plan(validate_suite(SLOW | {"methods": ["heavy"], "draws": 1, "folds": 0}, "heavy"))
    units = {unit.method.id: unit for unit in plan.units}
    before, heavy, after = (evaluate(units[name]) for name in ("none", "heavy", "none"))
    assert heavy.error == ""
    assert heavy.peak_memory_mb > before.peak_memory_mb + 400
    assert after.peak_memory_mb < heavy.peak_memory_mb - 400


# -- times alone -------------------------------------------------------------------------------------------------------


ALONE_TOO = Manner(2, quiet=True, site=False, cost_alone=True)
RETURN = "return rows.iloc[[0] * counts[2]], np.repeat(2, counts[2])"


def times_of(path):
    """Return method and seconds of every unit, and which were measured alone."""
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("SELECT method, seconds, alone FROM units ORDER BY id").fetchall()


def test_cost_is_measured_alone_on_request(tmp_path, capsys):
    suite, places = validate_suite(SUITE, "checked"), Places(tmp_path / "store.sqlite", tmp_path)
    run_suite(suite, {}, [], places, replace(ALONE_TOO, dry_run=True))
    assert "times alone: 9 units again, one at a time, about " in capsys.readouterr().out
    compute_suite(suite, {}, [], places, Manner(1, quiet=True, site=False))
    before = fingerprint(places.store)
    with Store(places.store) as store:
        assert results_of(store).run["times"] == DURING_RUN
    run_suite(suite, {}, [], places, Manner(2, quiet=True, cost_alone=True))
    assert fingerprint(places.store) == before
    with Store(places.store) as store:
        results = results_of(store)
    # one of two units of each method
    alone = [method for method, _, alone in times_of(places.store) if alone]
    assert sorted(alone) == sorted(set(results.scores["method"]))
    assert results.run["times"] == ALONE
    assert results.scores.groupby("method")["seconds"].count().eq(1).all()
    for page in ("index.html", "cost.html", "method/smote.html"):
        assert "Times were measured alone" in (places.site / page).read_text()
    assert "mean time of a draw, measured alone" in command("leaderboard", "--store", places.store)[1]
    stored = times_of(places.store)
    run_suite(suite, {}, [], places, replace(ALONE_TOO, dry_run=True))
    assert "times alone" not in capsys.readouterr().out
    run_suite(suite, {}, [], places, ALONE_TOO)
    assert times_of(places.store) == stored


def test_what_is_not_the_same_when_computed_again_is_said_and_stays(tmp_path, capsys):
    differs = f"rows = X[y == 2] + int.from_bytes(os.urandom(4), 'big')\n{RETURN}"
    dies = f"if os.path.exists({str(tmp_path / 'die')!r}): os._exit(7)\nrows = X[y == 2]\n{RETURN}"
    plugins = [str(write_plugin(tmp_path, body, name)) for body, name in ((differs, "differs"), (dies, "dies-later"))]
    for plugin in plugins:
        load_plugin(plugin)
    suite = validate_suite(SLOW | {"methods": ["differs", "dies-later", "smote"], "draws": 1, "folds": 0}, "differs")
    places = Places(tmp_path / "store.sqlite", None)
    compute_suite(suite, {}, plugins, places, Manner(2, quiet=True, site=False))
    before = fingerprint(places.store)
    (tmp_path / "die").touch()
    with pytest.raises(typer.Exit):
        run_suite(suite, {}, plugins, places, ALONE_TOO)
    assert fingerprint(places.store) == before
    said = capsys.readouterr().err
    again = "computed again, it was not the same, and what was stored stays: "
    assert f"{again}differs · iris · imbalance:count=12 · draws 0: other scores" in said
    assert f"{again}dies-later · iris · imbalance:count=12 · draws 0: the worker process died (exit code 7)" in said
    # the others are measured all the same
    measured = {method: alone for method, _, alone in times_of(places.store)}
    assert measured == {"none": 1, "differs": 0, "dies-later": 0, "smote": 1}


def test_of_a_cell_a_unit_that_is_done_is_measured(tmp_path):
    places = Places(tmp_path / "store.sqlite", None)
    first = make_plan(validate_suite(SLOW | {"methods": [], "folds": 0}, "none")).units[0]
    values = CACHE.draw(first, 0).draw.train.X.iloc[:, 0].sum()
    body = f"if X.iloc[:, 0].sum() == {values!r}: raise ValueError('no')\nrows = X[y == 2]\n{RETURN}"
    plugin = write_plugin(tmp_path, body.replace("np.float64", "float"), "fails-first")
    load_plugin(str(plugin))
    suite = validate_suite(SLOW | {"methods": ["fails-first"], "folds": 0}, "fails")
    failures, _ = compute_suite(suite, {}, [str(plugin)], places, Manner(2, quiet=True, site=False))
    assert [draws for *_, draws, _ in failures] == ["[0]"]
    with pytest.raises(typer.Exit):
        run_suite(suite, {}, [str(plugin)], places, ALONE_TOO)
    with Store(places.store) as store:
        results = results_of(store)
    assert results.run["times"] == ALONE
    # of two classifiers
    assert results.scores.groupby("method")["seconds"].count().to_dict() == {"none": 2, "fails-first": 2}


def test_times_are_left_out_only_where_every_cell_with_a_score_has_one_alone():
    table = pd.DataFrame(
        {"method": list("aabcc"), "dataset": "x", "scenario": "full", "alone": [1, 0, 0, 0, None],
         "status": ["ok", "ok", "ok", "failed", "not run"], "seconds": [1.0, 3.0, 4.0, 0.5, None], "fit_seconds": 1.0}
    )  # fmt: skip
    same, measured = keep_alone(table)
    assert measured == DURING_RUN
    pd.testing.assert_frame_equal(same, table)
    # a cell without a score cannot have any
    found, measured = keep_alone(table.assign(alone=[1, 0, 1, 0, None]))
    assert measured == ALONE
    assert found["seconds"].tolist()[0:3:2] == [1.0, 4.0]
    assert found[["seconds", "fit_seconds"]].iloc[1].isna().all()
    # alone, but failed: that is no time of the cell
    assert keep_alone(table.assign(alone=[1, 0, 0, 1, None], method=list("aabbb")))[1] == DURING_RUN
    assert keep_alone(pd.DataFrame())[1] == DURING_RUN


def test_merging_keeps_times_that_were_measured_alone(tmp_path):
    suite = validate_suite(SUITE | {"draws": 1}, "checked")
    places = Places(tmp_path / "store.sqlite", None)
    compute_suite(suite, {}, [], places, Manner(1, quiet=True, site=False))
    for name in ("copy", "other"):
        with closing(sqlite3.connect(places.store)) as source, closing(sqlite3.connect(tmp_path / name)) as to:
            source.backup(to)
    run_suite(suite, {}, [], places, ALONE_TOO)
    alone = times_of(places.store)
    with (
        Store(tmp_path / "copy", write=True) as into,
        Store(places.store) as source,
        Store(tmp_path / "other") as other,
    ):
        assert into.merge(source) == (0, 9, 0)
        assert into.merge(other) == (0, 9, 0)
    assert sorted(times_of(tmp_path / "copy")) == sorted(alone)
    assert fingerprint(tmp_path / "copy") == fingerprint(places.store)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"engine": "dask", "scheduler": "tcp://127.0.0.1:1"}, "measures on this machine"),
        ({"budget": "seconds=1"}, "no result can be computed again"),
        ({"time": "10m"}, "longer than --time allows"),
    ],
)
def test_what_cannot_be_measured_alone_is_refused(options, words):
    with pytest.raises(InputError, match=words):
        run("smoke", cost_alone=True, **options)


# -- threads -----------------------------------------------------------------------------------------------------------


def threads_of_blas():
    return {one["num_threads"] for one in threadpool_info() if one["user_api"] == "blas"}


def test_threads_are_those_of_the_suite_of_all_libraries(tmp_path):
    torch = pytest.importorskip("torch")
    body = (
        "from threadpoolctl import threadpool_info\nimport json, torch\nfrom augbench.threads import torch_threads\n"
        "with torch_threads(): inside = torch.get_num_threads()\n"
        f"seen = [inside, *(one['num_threads'] for one in threadpool_info())]\n"
        f"open({str(tmp_path / 'seen')!r}, 'w').write(json.dumps([seen, os.environ['OMP_NUM_THREADS']]))\n"
        "return X[y == 2].iloc[[0] * counts[2]], np.repeat(2, counts[2])"
    )
    plugin = write_plugin(tmp_path, body, "looks")
    load_plugin(str(plugin))
    keys = {}
    for threads in (1, 2):
        suite = validate_suite(SLOW | {"methods": ["looks"], "draws": 1, "folds": 0, "threads": threads}, "looks")
        places = Places(tmp_path / f"{threads}.sqlite", None)
        failures, _ = compute_suite(suite, {}, [str(plugin)], places, Manner(2, quiet=True, site=False))
        assert failures == []
        numbers, variable = pd.read_json(tmp_path / "seen", typ="series")
        assert set(numbers) == {threads}
        assert variable == str(threads)
        keys[threads] = {unit.key for unit in make_plan(suite).units}
    assert keys[1].isdisjoint(keys[2])
    assert Manner().of(suite).processes == max(1, Manner().processes // 2)
    before = torch.get_num_threads()
    with allowed_threads(2), torch_threads():
        assert (torch.get_num_threads(), number_of_threads(), threads_of_blas()) == (2, 2, {2})
    assert (torch.get_num_threads(), number_of_threads()) == (before, 1)


def test_one_thread_is_the_default_and_has_the_keys_of_a_suite_that_says_nothing():
    said, unsaid = (make_plan(validate_suite(SUITE | one, "checked")).units for one in ({"threads": 1}, {}))
    assert [unit.key for unit in said] == [unit.key for unit in unsaid]
    assert {unit.threads for unit in unsaid} == {1}
    assert replace(unsaid[0], threads=2).key == unsaid[0].key
