"""Methods computed again where nothing is true but the training rows of a draw: who then differs has seen more."""

import pickle
import sqlite3
from contextlib import closing
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from augbench.bench.audit import audit_suite, hidden
from augbench.bench.console import Places
from augbench.bench.evaluate import DrawCache
from augbench.bench.job import Manner, compute_suite
from augbench.bench.limits import UnitLimits
from augbench.bench.plan import make_plan
from augbench.bench.plugins import load_plugin
from augbench.bench.store import Store
from augbench.bench.suite import validate_suite

CHEATS = '''
import multiprocessing
import sys
import threading
from contextlib import suppress
import numpy as np
from augbench import Augmenter, Detector

class Honest(Augmenter):
    """Copies a row at random."""
    name = "honest-here"
    def _generate(self, X, y, counts, rng):
        codes = np.repeat(list(counts), list(counts.values()))
        return X.iloc[[rng.choice(np.flatnonzero(y == code)) for code in codes]], codes

class Remembers(Honest):
    """Says another thing when it was used before in this process."""
    name = "remembers-here"
    used = []
    def _generate(self, X, y, counts, rng):
        rows, codes = super()._generate(X, y, counts, rng)
        self.used.append(len(X))
        return rows + 3.0 * (len(self.used) > 1), codes

class Fails(Honest):
    """Cannot do without what this process holds."""
    name = "fails-here"
    def _generate(self, X, y, counts, rng):
        if multiprocessing.parent_process():
            raise ValueError("where are the others?")
        return super()._generate(X, y, counts, rng)

class Waits(Honest):
    """Never ends in another process."""
    name = "waits-here"
    def _generate(self, X, y, counts, rng):
        if multiprocessing.parent_process():
            threading.Event().wait()
        return super()._generate(X, y, counts, rng)

class Means(Honest):
    """Moves its rows to where the test rows are in the mean, from the frames above."""
    name = "means-here"
    def _generate(self, X, y, counts, rng):
        rows, codes = super()._generate(X, y, counts, rng)
        frame = sys._getframe()
        while frame:
            part = frame.f_locals.get("part")
            if part is not None:
                return rows - rows.mean() + part.test.X.mean(), codes
            frame = frame.f_back
        return rows, codes

class Ahead(Honest):
    """Takes rows of the draws after its own in the same call."""
    name = "ahead-here"
    many_tolerance = 0.0
    def fit_resample_many(self, tables, random_states, strategies):
        made = []
        for i, (one, seed, strategy) in enumerate(zip(tables, random_states, strategies)):
            Ahead.shift = tables[i + 1][0].iloc[0] if i + 1 < len(tables) else 0.0
            made += super().fit_resample_many([one], [seed], [strategy])
        return made
    def _generate(self, X, y, counts, rng):
        rows, codes = super()._generate(X, y, counts, rng)
        return rows + Ahead.shift, codes

class Unseeded(Honest):
    """Takes no notice of its seed."""
    name = "unseeded-here"
    def _generate(self, X, y, counts, rng):
        return super()._generate(X, y, counts, np.random.default_rng())

class Logs(Honest):
    """Writes a line to a file at every call, and reads none."""
    name = "logs-here"
    def _generate(self, X, y, counts, rng):
        with open(FOLDER + "/log.txt", "a") as log:
            print(len(X), file=log)
        return super()._generate(X, y, counts, rng)

class Keeps(Honest):
    """Keeps in a file what it has made of the same rows before."""
    name = "keeps-here"
    def _generate(self, X, y, counts, rng):
        with suppress(FileNotFoundError):
            open(FOLDER + "/kept.txt").read()
        with open(FOLDER + "/kept.txt", "w") as kept:
            print(X.sum().sum(), file=kept)
        return super()._generate(X, y, counts, rng)

class Oracle(Detector):
    """Knows the classes of the rows that it scores, from the frames above."""
    name = "oracle-here"
    def _fit(self, X, y, series, rng):
        self.threshold_ = 0.5
    def _score(self, X, series):
        frame = sys._getframe()
        while frame:
            part = frame.f_locals.get("part")
            if part is not None:
                return (part.test.y != self.normal_class_).astype(float)
            frame = frame.f_back
        return np.zeros(len(X))
'''
LOOKING = ["remembers-here", "oracle-here", "means-here", "ahead-here"]


@pytest.fixture(scope="module")
def plugin(tmp_path_factory):
    path = tmp_path_factory.mktemp("plugin") / "looking.py"
    path.write_text(f"FOLDER = {str(path.parent)!r}\n{CHEATS}")
    load_plugin(str(path))
    return str(path)


def suite_of(methods, **settings):
    usual = {"draws": 4, "block": 2, "folds": 2, "controls": False, "classifiers": ["logistic-regression"]}
    usual |= {"datasets": ["breast-cancer"], "scenarios": ["imbalance:count=12"]}
    return validate_suite({"name": "audited", **usual, "methods": methods, **settings}, "audited")


@pytest.fixture
def audited(tmp_path, plugin):
    """Run a suite and audit it; return what was found by method, and the units of the store."""

    def run(methods, change="", **settings):
        suite, places = suite_of(methods, **settings), Places(tmp_path / "s.sqlite", None)
        manner = Manner(1, quiet=True, site=False)
        compute_suite(suite, {}, [plugin], places, manner)
        with closing(sqlite3.connect(places.store)) as connection, connection:
            if change:
                connection.execute(change)
        found = audit_suite(suite, {}, [plugin], places, manner)
        with closing(sqlite3.connect(places.store)) as connection:
            units = connection.execute("SELECT method, status, error FROM units").fetchall()
        return {one.method: one.reason for one in found}, units

    return run


def test_honest_methods_are_not_accused(audited):
    # one that is made alone, a filtered one, an adjuster that is tuned on inner folds, one that writes a log
    found, units = audited(["honest-here", "smote+gc", "threshold-tuned", "logs-here"])
    assert found == {}
    assert {status for _, status, _ in units} == {"done"}


def test_networks_that_are_trained_together_are_not_accused(audited):
    pytest.importorskip("torch")
    steps = {"steps": 20}
    # one that stops by itself leaves its stack early, which depends on the others
    stopping = {"name": "vae", "id": "stopping", "params": {"steps": 120, "patience": 1}}
    methods = [{"name": name, "id": name, "params": steps} for name in ("vae", "autoencoder")] + [stopping]
    found, _ = audited(methods, draws=3, block=3)
    assert found == {}


def test_methods_that_saw_more_are_named_and_all_their_units_fail(audited, capsys):
    found, units = audited([*LOOKING, "honest-here"])
    assert set(found) == set(LOOKING)
    for name in LOOKING:
        # in the last unit the first of two draws has one after it
        where = f"breast-cancer · imbalance:count=12 · draw {2 if name == 'ahead-here' else 3}"
        assert found[name].startswith(f"depends on rows that it may not see: {where}: computed from its training rows")
        errors = [(status, error) for method, status, error in units if method == name]
        assert len(errors) == 2
        for status, error in errors:
            assert status == "failed"
            assert error == f"the audit found that it {found[name]}"
    assert {status for method, status, _ in units if method in ("honest-here", "none")} == {"done"}
    assert "remembers-here depends on rows that it may not see" in "".join(capsys.readouterr().err.split("\n"))


def test_who_can_do_nothing_with_the_training_rows_alone_is_named(audited):
    found, _ = audited(["fails-here"], folds=0)
    assert "it failed (ValueError: where are the others?)" in found["fails-here"]


def test_who_does_not_follow_its_seed_is_not_said_to_have_seen_more(audited):
    found, units = audited(["unseeded-here"])
    assert found["unseeded-here"].startswith("does not follow its random_state: breast-cancer")
    assert "computed two times from the same training rows" in found["unseeded-here"]
    assert {status for method, status, _ in units if method == "unseeded-here"} == {"failed"}


def test_who_reads_what_was_written_during_the_run_is_told_so(audited):
    found, _ = audited(["keeps-here"])
    assert found["keeps-here"].startswith("did what it may not do: breast-cancer")
    assert "a method may not read what was written to a file during the run" in found["keeps-here"]


def test_results_of_another_machine_are_not_judged(audited, capsys):
    change = "UPDATE units SET environment = json_set(environment, '$.blas', 'other')"
    found, units = audited(["remembers-here"], change=change)
    assert found == {}
    assert {status for _, status, _ in units} == {"done"}
    assert "not audited: none, remembers-here (computed on another machine: other blas)" in capsys.readouterr().err


def test_nobody_is_accused_where_not_even_the_baseline_is_the_same(audited, capsys):
    swap = "UPDATE predictions SET data = (SELECT max(data) FROM predictions)"
    found, _ = audited(["honest-here"], change=swap)
    assert found == {}
    assert "not even the baseline is the same" in capsys.readouterr().err


def test_tuned_methods_are_left_out(audited, capsys):
    pytest.importorskip("optuna")
    found, _ = audited(["honest-here"], trials=2, draws=1, block=1)
    assert found == {}
    assert "tuned, or trained within a budget" in capsys.readouterr().err


def marks(table):
    return set(pd.util.hash_pandas_object(table.X, index=False))


@pytest.fixture(scope="module")
def prepared():
    unit = make_plan(suite_of([], datasets=["simulated-mixed"], draws=2)).units[0]
    return [DrawCache().draw(unit, index) for index in unit.draws]


@pytest.mark.parametrize("test_rows", [False, True])
def test_nothing_but_the_training_rows_of_the_last_draw_is_left(prepared, test_rows):
    other, last = hidden(prepared, 1, test_rows=test_rows)
    true, given = prepared[1], pickle.loads(pickle.dumps(last))
    assert given.whole.train.X.equals(true.whole.train.X)
    assert np.array_equal(given.whole.train.y, true.whole.train.y)
    assert given.draw.train.X.equals(true.draw.train.X)
    for (part, rows), (real, held_out) in zip(given.inner, true.inner, strict=True):
        assert part.train.X.equals(real.train.X)
        assert np.array_equal(rows, held_out)
    for side in (given.whole.test, given.draw.test):
        assert (len(marks(side) & marks(true.whole.test) | marks(side) & marks(true.draw.test)) > 0) == test_rows
        assert not np.array_equal(side.y, true.whole.test.y)
    for one, real in ((other.whole, prepared[0].whole), (other.draw, prepared[0].draw)):
        for table, truth in ((one.train, real.train), (one.test, real.test)):
            assert len(marks(table) & marks(truth)) < 0.02 * len(truth.y)
    # of simulated data the posterior says more than the classes
    tables = [
        given.whole.train,
        given.whole.test,
        given.draw.train,
        given.draw.test,
        other.draw.train,
        other.whole.test,
    ]
    assert all(table.posterior is None for table in tables)


def test_the_command_names_who_saw_more_and_ends_with_1(bench, tmp_path, plugin):
    options = [
        "--plugin",
        plugin,
        "--methods",
        "oracle-here,honest-here",
        "--datasets",
        "breast-cancer",
        "--no-controls",
    ]
    options += ["--scenario", "imbalance:count=12", "--draws", 2, "--classifiers", "logistic-regression"]
    options += ["--store", "s.sqlite", "--out", "out", "--jobs", 1]
    done = bench("run", "smoke", *options, "--audit")
    assert done.returncode == 1
    assert "audit: oracle-here depends on rows that it may not see" in done.stderr
    with Store(tmp_path / "s.sqlite") as store:
        run = store.find_run()
        assert {method for method, *_ in store.failures(run["id"])} == {"oracle-here"}
    pairs = [["none", "breast-cancer"], ["oracle-here", "breast-cancer"], ["honest-here", "breast-cancer"]]
    assert sorted(run["info"]["audit"]["audited"]) == sorted(pairs)
    assert "two draws each of 3 of 3 pairs of method and data set were computed again" in (
        " ".join((tmp_path / "out/site/manifest.html").read_text().split())
    )
    # what has failed stays so, and the same command says it again
    again = bench("run", "smoke", *options, "--quiet", "--no-site")
    assert again.returncode == 1
    assert "the audit found that it depends on rows that it may not see" in " ".join(again.stderr.split())
    with Store(tmp_path / "s.sqlite") as store:
        assert store.find_run()["info"]["audit"] == run["info"]["audit"]
    # unless it is audited again
    for more, computed in ((["--retry-failed"], 0), (["--retry-failed", "--audit"], 1)):
        told = bench("run", "smoke", *options, "--no-site", *more)
        assert told.returncode == 1
        assert f"{computed} to compute" in " ".join(told.stdout.split())


def test_an_audit_does_not_go_with_a_cluster_or_a_time(bench):
    assert (
        "leave --audit or --engine dask out"
        in bench("run", "smoke", "--audit", "--engine", "dask", "--scheduler", "tcp://127.0.0.1:1").stderr
    )
    assert "leave one of them out" in bench("run", "smoke", "--audit", "--time", "1m").stderr


def test_who_takes_too_long_is_named_and_not_accused(tmp_path, plugin, capsys):
    suite, places = suite_of(["waits-here"], folds=0, draws=2), Places(tmp_path / "s.sqlite", None)
    manner = Manner(1, quiet=True, site=False)
    compute_suite(suite, {}, [plugin], places, manner)
    assert audit_suite(suite, {}, [plugin], places, replace(manner, limits=UnitLimits(seconds=10))) == []
    assert "waits-here (took longer than 10 s)" in capsys.readouterr().err
