"""The leak canaries: the group's claims hold, and each of them fails where the protection is gone."""

import json
import sqlite3
from contextlib import closing

import numpy as np
import pandas as pd
import pytest
from augbench.bench import audit, evaluate, prepare
from augbench.bench.report import results_of
from augbench.bench.store import Store
from augbench.selftest import Workbench, leaks
from augbench.selftest.groups import run_groups
from augbench.selftest.planted_leaks import LooksBehind


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("leaks")


@pytest.fixture(scope="module")
def group(folder):
    [found] = run_groups(Workbench(folder, 1), ["leaks"])
    return found


def test_all_claims_hold(group):
    assert [one for one in group.findings if not one.passed] == []
    # two for each planted method, and those that stand alone
    assert len(group.findings) == 2 * (len(leaks.CANARIES) + 1) + 6


def test_each_planted_method_is_stopped_by_what_is_meant_for_it(folder, group):
    errors = {}
    for name in ("leaks", "leaks-by-name"):
        with closing(sqlite3.connect(folder / f"{name}.sqlite")) as connection:
            errors |= dict(connection.execute("SELECT method, error FROM units WHERE status = 'failed'"))
    refused = {
        "planted-searches-memory": "search the objects in memory",
        "planted-reads-file": "open a file of data",
        "planted-reads-by-process": "name a file of data to the system (subprocess.Popen)",
        "planted-reads-by-link": "name a file of data to the system (os.link)",
        "planted-loads-by-name": "sample a simulated data set",
        "planted-keeps-file": "a method may not read what was written to a file during the run",
    }
    for method in [*leaks.CANARIES, leaks.BY_NAME]:
        assert refused.get(method, "the audit found") in errors[method]


def test_what_they_find_alone_are_rows_that_they_were_not_given(folder, group):
    with closing(sqlite3.connect(folder / "leaks-alone.sqlite")) as connection:
        efforts = connection.execute("SELECT u.method, d.effort FROM draws d JOIN units u ON u.id = d.unit").fetchall()
    found = {}
    for method, text in efforts:
        found.setdefault(method, []).append(json.loads(text).get("rows", 0.0))
    # 72 of the 240 rows are test rows
    for method in ("planted-reads-cache", *leaks.FROM_FILE):
        assert found[method] == [72.0] * leaks.DRAWS
    assert min(found["planted-looks-aside"]) > 36
    # the first draw has nothing to remember
    for method in ("planted-remembers", "planted-keeps-file"):
        assert min(found[method]) == 0 < max(found[method])


@pytest.fixture
def fresh(tmp_path, group, monkeypatch):
    """A workbench whose stores are empty, in a process that has prepared no draw."""
    monkeypatch.setattr(evaluate.CACHE, "_draws", type(evaluate.CACHE._draws)())
    return Workbench(tmp_path, 1)


def test_a_preparation_that_saw_the_test_rows_would_be_found(fresh, monkeypatch):
    of = prepare.Part.of.__func__

    def leaking(cls, train, test, share=1.0):
        X = pd.concat([train.X, test.X], ignore_index=True)
        with monkeypatch.context() as patch:
            fit = prepare.Preparation.fit
            patch.setattr(prepare.Preparation, "fit", lambda _: fit(X))
            return of(cls, train, test, share)

    monkeypatch.setattr(prepare.Part, "of", classmethod(leaking))
    assert not any(one.passed for one in [*leaks._preparation(), *leaks._predictions(fresh)])


def test_an_audit_that_hides_nothing_would_be_found(fresh, monkeypatch):
    walking = ("planted-walks-frames", "planted-adjusts-by-frames")
    monkeypatch.setattr(leaks, "CANARIES", {name: leaks.CANARIES[name] for name in walking})
    monkeypatch.setattr(leaks, "HONEST", ["planted-copies", leaks.BEHIND])
    monkeypatch.setattr(audit, "hidden", lambda prepared, *, test_rows=False: list(prepared))
    failed = [one.claim for one in leaks._canaries(fresh) if not one.passed]
    assert failed == ["it is reported, and gains nothing"] * 2


def test_planted_methods_that_nobody_stops_would_be_found(folder, group):
    with Store(folder / "leaks-alone.sqlite") as store:
        alone = results_of(store, "leaks-alone")
    for name in leaks.CANARIES:
        gained, reported = leaks.judged(name, "cheats", alone, alone)
        assert gained.passed
        assert not reported.passed


def test_a_table_that_lies_in_a_larger_one_would_be_found():
    rng = np.random.default_rng(0)
    whole = pd.DataFrame(rng.normal(size=(30, 3)), columns=list("abc"))
    y = np.resize([0, 0, 1], 30)
    method = LooksBehind(random_state=0)
    for taken in (whole[:25], whole.iloc[5:25].copy()):
        method.fit_resample(taken, y[: len(taken)])
        assert method.effort_["rows"] == 5
    method.fit_resample(whole.copy(), y)
    assert method.effort_["rows"] == 0
