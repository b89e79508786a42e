"""What a method may not do while it works: it is refused, and the unit fails whether or not the method says so."""

import gc
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing, suppress

import numpy as np
import pandas as pd
import pytest
from augbench import datasets
from augbench.bench.guard import ForbiddenError, at_work, protect, switched_off
from augbench.datasets import Table, read_table

TABLE = "a,b,kind\n" + "".join(f"{i % 7},{i * i % 11},{'x' if i % 3 else 'y'}\n" for i in range(60))


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text(TABLE)
    return path


@pytest.fixture
def store(tmp_path):
    path = tmp_path / "store.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE t (x)")
        connection.commit()
    return path


@pytest.mark.parametrize("search", [gc.get_objects, lambda: gc.get_referrers(gc)])
def test_memory_is_not_searched(search):
    with pytest.raises(ForbiddenError, match="a method may not search the objects in memory"), at_work():
        search()
    # outside it is nobody's affair
    search()


def hide():
    try:
        gc.get_objects()
    except ForbiddenError:
        raise ValueError("another error") from None


def test_who_swallows_the_error_fails_all_the_same():
    with pytest.raises(ForbiddenError, match="search the objects"), at_work(), suppress(Exception):
        gc.get_objects()
    with pytest.raises(ForbiddenError, match="search the objects"), at_work():
        hide()


def test_a_refusal_does_not_outlive_its_block():
    with suppress(ForbiddenError), at_work():
        gc.get_objects()
    with at_work():
        pass


def test_call_stacks_of_threads_are_not_searched():
    with pytest.raises(ForbiddenError, match="call stacks"), at_work():
        sys._current_frames()


def test_the_data_of_a_package_are_not_read():
    from sklearn.datasets import load_wine

    with pytest.raises(ForbiddenError, match=r"open a file of data: .*wine_data\.csv"), at_work():
        load_wine()
    with pytest.raises(ForbiddenError, match="open a file of data"), at_work():
        datasets.make("breast-cancer").load()


@pytest.mark.parametrize("variable", ["AUGBENCH_DATA", "AUGBENCH_CACHE", "SCIKIT_LEARN_DATA"])
def test_places_of_data_are_not_read_not_even_by_another_name(variable, table, tmp_path, monkeypatch):
    folder = tmp_path / "data"
    folder.mkdir()
    inside = table.rename(folder / "table.csv")
    with at_work():
        pd.read_csv(inside)
    monkeypatch.setenv(variable, str(folder))
    link = tmp_path / "link.csv"
    link.symlink_to(inside)
    for path in (inside, link, str(link), bytes(link), folder / ".." / "data" / "table.csv"):
        with pytest.raises(ForbiddenError, match="open a file of data"), at_work(), open(path):
            pass
    # nor where the method names another place first: of those that were known none is forgotten
    monkeypatch.setenv(variable, str(tmp_path / "elsewhere"))
    with pytest.raises(ForbiddenError, match="open a file of data"), at_work():
        pd.read_csv(inside)


def run_in_shell(path):
    subprocess.run(f"cat '{path}'", shell=True, check=True)


@pytest.mark.parametrize(
    "name",
    [
        lambda path, _: subprocess.run(["cat", path], check=True),
        lambda path, _: subprocess.run(["cat", path.name], cwd=path.parent, check=True),
        lambda path, _: subprocess.run(["cat", "../data/table.csv"], cwd=path.parents[1] / "here", check=True),
        lambda path, _: run_in_shell(path),
        lambda path, _: os.system(f"cat {path}"),
        lambda path, _: os.posix_spawn("/bin/cat", ["cat", str(path)], os.environ),
        lambda path, other: os.link(path, other),
        lambda path, other: os.symlink(path, other),
        lambda path, other: path.rename(other),
    ],
)
def test_data_are_not_named_to_a_process_or_given_another_name(name, table, tmp_path, monkeypatch):
    folder = tmp_path / "data"
    folder.mkdir()
    (tmp_path / "here").mkdir()
    inside = table.rename(folder / "table.csv")
    monkeypatch.setenv("AUGBENCH_DATA", str(folder))
    with pytest.raises(ForbiddenError, match="name a file of data to the system"), at_work():
        name(inside, tmp_path / "other.csv")
    assert inside.exists()
    assert not (tmp_path / "other.csv").exists()


def test_processes_that_have_nothing_to_do_with_data_are_allowed(tmp_path, monkeypatch):
    for place in (tmp_path / "data", sys.prefix):
        monkeypatch.setenv("AUGBENCH_DATA", str(place))
        with at_work():
            environment = {**os.environ, "COLUMNS": "80"}
            subprocess.run([sys.executable, "-c", "pass"], check=True, env=environment)
            subprocess.run(["true", f"{tmp_path}/data-of-mine/x"], check=True, cwd=tmp_path)


def test_packages_below_a_place_of_data_can_be_imported(monkeypatch):
    monkeypatch.setenv("AUGBENCH_DATA", sys.prefix)
    with at_work(), open(np.__file__) as file:
        assert file.readline()


def test_a_table_of_ones_own_is_not_read(table):
    protect(read_table(table, "kind"))
    with pytest.raises(ForbiddenError, match=r"open a file of data: .*table\.csv"), at_work():
        pd.read_csv(table)


def test_a_store_is_neither_connected_to_nor_read(store):
    with pytest.raises(ForbiddenError, match="may be a store"), at_work():
        sqlite3.connect(store)
    with pytest.raises(ForbiddenError, match="may be a store"), at_work():
        store.read_bytes()
    with closing(sqlite3.connect(store)) as writer:
        writer.execute("PRAGMA journal_mode=WAL")
        writer.execute("INSERT INTO t VALUES (1)")
        writer.commit()
        with pytest.raises(ForbiddenError, match="may be a store"), at_work():
            store.with_name(f"{store.name}-wal").read_bytes()


def test_what_a_method_needs_is_allowed(tmp_path):
    with at_work(), closing(sqlite3.connect(":memory:")):
        (tmp_path / "own.npy").write_bytes(b"123")
        assert (tmp_path / "own.npy").read_bytes() == b"123"
        gc.collect()
        with open(__file__) as file:
            assert file.readline()


def test_what_was_written_during_the_run_is_not_read_once_that_is_forbidden(tmp_path, monkeypatch):
    before, during, after = (tmp_path / name for name in ("before", "during", "after"))
    for i, path in enumerate((before, during, after)):
        path.write_text("1")
        os.utime(path, (i + 0.5, i + 0.5))
    monkeypatch.setattr("augbench.bench.guard._GUARD.written", (1.0, 2.0))
    with at_work():
        assert before.read_text() == after.read_text() == "1"
        with open("/proc/self/status") as file:
            assert file.readline()
    for mode in ("r", "a+", "r+"):
        with pytest.raises(ForbiddenError, match="written to a file during the run"), at_work(), during.open(mode):
            pass
    with at_work():
        # nothing is read: a log
        with during.open("a") as log:
            log.write("a line")
        os.utime(during, (1.5, 1.5))
        # what was there is gone
        during.write_text("2")
        assert during.read_text() == "2"


@pytest.mark.parametrize("folder", ["", "/dev/shm"])
def test_the_times_of_a_file_cannot_be_set_back(folder, tmp_path, monkeypatch):
    if folder and not os.path.isdir(folder):
        pytest.skip("no shared memory")
    monkeypatch.setattr("augbench.bench.guard._GUARD.written", (time.time() - 100, time.time() + 100))
    with tempfile.NamedTemporaryFile("w", dir=folder or tmp_path) as file:
        os.utime(file.name, (1e9, 1e9))
        with pytest.raises(ForbiddenError, match="written to a file during the run"), at_work(), open(file.name):
            pass


def test_simulated_data_are_not_sampled():
    dataset = datasets.make("logistic-simulation", n_train=20, n_test=20)
    with pytest.raises(ForbiddenError, match="sample a simulated data set"), at_work():
        dataset.sample(np.random.default_rng(0), 0)
    assert isinstance(dataset.sample(np.random.default_rng(0), 0).train, Table)


def test_it_can_be_switched_off_for_the_self_test():
    with switched_off(), at_work():
        gc.get_objects()
    with pytest.raises(ForbiddenError), at_work():
        gc.get_objects()


CHEATS = '''
import gc
from contextlib import suppress
import numpy as np
from augbench import Adjuster, Augmenter, Detector

def look():
    with suppress(Exception):
        gc.get_objects()

class Augments(Augmenter):
    """Looks while it generates."""
    name = "augments"
    def _generate(self, X, y, counts, rng):
        look()
        codes = np.repeat(list(counts), list(counts.values()))
        return X.iloc[[np.flatnonzero(y == code)[0] for code in codes]], codes

class Built(Augments):
    """Looks while it is built."""
    name = "built"
    def __init__(self, sampling_strategy="auto", random_state=None):
        super().__init__(sampling_strategy, random_state)
        if SWITCH:
            look()
    def _generate(self, X, y, counts, rng):
        return X.iloc[:0], y[:0]

class Weighs(Adjuster):
    """Looks while it weighs."""
    name = "weighs"
    def sample_weight(self, y):
        look()

class Adjusts(Adjuster):
    """Looks while it adjusts."""
    name = "adjusts"
    def adjust(self, probabilities, y_train):
        look()
        return probabilities

class Fits(Detector):
    """Looks while it is fitted."""
    name = "fits"
    def _fit(self, X, y, series, rng):
        look()
        self.threshold_ = 1.0
    def _score(self, X, series):
        return np.ones(len(X))

class Scores(Fits):
    """Looks while it scores."""
    name = "scores"
    def _fit(self, X, y, series, rng):
        self.threshold_ = 1.0
    def _score(self, X, series):
        look()
        return np.ones(len(X))
'''


def test_every_call_of_a_method_is_watched(bench, tmp_path):
    (tmp_path / "cheats.py").write_text(CHEATS.replace("SWITCH", "False"))
    names = ["augments", "weighs", "adjusts", "fits", "scores"]
    options = ["--datasets", "breast-cancer", "--classifiers", "logistic-regression", "--scenario", "imbalance:count=9"]
    options += ["--draws", 1, "--no-controls", "--store", "s.sqlite", "--jobs", 1, "--no-site"]
    done = bench("run", "smoke", "--plugin", "cheats.py", "--methods", ",".join(names), *options)
    assert done.returncode == 1
    with closing(sqlite3.connect(tmp_path / "s.sqlite")) as connection:
        units = dict(connection.execute("SELECT method, error FROM units"))
    assert not units.pop("none")
    assert set(units) == set(names)
    for error in units.values():
        assert error == "ForbiddenError: a method may not search the objects in memory"


def test_a_method_that_looks_while_it_is_built_is_refused_before_anything_runs(bench, tmp_path):
    (tmp_path / "cheats.py").write_text(CHEATS.replace("SWITCH", "True"))
    done = bench("run", "smoke", "--plugin", "cheats.py", "--methods", "built", "--dry-run", "--store", "s.sqlite")
    assert done.returncode != 0
    assert "may not search the objects in memory" in done.stderr


def test_a_plugin_does_not_read_the_table_while_it_is_imported(bench, table, tmp_path):
    (tmp_path / "reader.py").write_text(
        "import pandas as pd\nfrom augbench import Augmenter\nROWS = pd.read_csv('table.csv')\n"
        "class Reader(Augmenter):\n    '''Reads.'''\n    name = 'reader'\n"
        "    def _generate(self, X, y, counts, rng):\n        return X.iloc[:0], y[:0]\n"
    )
    done = bench("run", "--data", "table.csv", "--target", "kind", "--plugin", "reader.py", "--dry-run")
    assert "a plugin, while it is imported, may not open a file of data" in done.stderr
