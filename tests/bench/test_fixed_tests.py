"""Predictions on test sets that are the same in every draw, read back from a store."""

import sqlite3
import subprocess
import zlib

import numpy as np
import pytest
from augbench.bench.predictions import unpack_labels, unpack_predictions
from augbench.bench.report import results_of
from augbench.bench.store import Store
from augbench.errors import InputError
from augbench.leaderboard import compare
from augbench.leaderboard.bootstrap import two_way_bootstrap
from sklearn.metrics import f1_score

from ..conftest import BENCH

SUITE = """
draws = 4
methods = ["smote"]
datasets = ["wine"]
classifiers = ["logistic-regression", { name = "random-forest", params = { n_estimators = 5 } }]
scenarios = ["few-shot:shots=5", "full"]
"""


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fixed")
    (folder / "suite.toml").write_text(SUITE)
    subprocess.run([*BENCH, "run", "suite.toml", "--jobs", "1", "--quiet"], cwd=folder, check=True, timeout=300)
    return folder / "augbench-results" / "store.sqlite"


@pytest.fixture
def results(store):
    with Store(store) as reader:
        return results_of(reader)


def test_only_few_shot_scenarios_have_one_test_set(results):
    assert results.predictions.fixed == {("wine", "few-shot:shots=5")}


def test_labels_and_truth_give_the_stored_scores(results):
    truth, n_classes = results.predictions._truth("wine")
    assert n_classes == 3
    scores = results.scores[results.scores["scenario"] == "few-shot:shots=5"]
    assert set(scores["n_test"]) == {len(truth)}
    for column, tuned in (("macro_f1", False), ("macro_f1_tuned", True)):
        if column not in scores:
            continue
        for row in scores.to_dict("records"):
            place = (row["method"], "wine", row["scenario"], row["classifier"], tuned)
            labels = results.predictions._labels(*place)[row["draw"]]
            assert f1_score(truth, labels, average="macro") == pytest.approx(row[column]), place


def test_labels_alone_are_those_of_the_whole(store):
    with sqlite3.connect(store) as connection:
        blobs = [blob for (blob,) in connection.execute("SELECT data FROM predictions LIMIT 20")]
    for blob in blobs:
        whole = unpack_predictions(blob)
        np.testing.assert_array_equal(unpack_labels(blob), whole["labels"])
        tuned = whole["labels"] if whole["labels_tuned"] is None else whole["labels_tuned"]
        np.testing.assert_array_equal(unpack_labels(blob, tuned=True), tuned)


def test_the_comparison_is_the_two_way_bootstrap_of_those_labels(results):
    found = compare(results, scenario="few-shot:shots=5", classifier="random-forest(n_estimators=5)")
    assert found.test == "two-way bootstrap over draws and test rows (one test set for all draws)"
    truth, _ = results.predictions._truth("wine")
    place = ("wine", "few-shot:shots=5", "random-forest(n_estimators=5)", False)
    labels = [results.predictions._labels(name, *place) for name in ("smote", "none")]
    expected = two_way_bootstrap(truth, *(np.stack([one[draw] for draw in range(4)]) for one in labels))
    row = found.table.set_index("method").loc["smote"]
    assert row["delta"] == pytest.approx(100 * expected.mean)
    assert (row["low"], row["high"]) == pytest.approx((100 * expected.low, 100 * expected.high), rel=1e-5)
    # half of the cells are split anew: each part has its own test
    assert " and " in compare(results).test


def test_a_store_that_is_gone_was_read_before(store, tmp_path):
    copy = tmp_path / "store.sqlite"
    copy.write_bytes(store.read_bytes())
    with Store(copy) as reader:
        kept, read_late = results_of(reader, keep=True), results_of(reader)
    copy.unlink()
    assert np.isfinite(compare(kept, scenario="few-shot:shots=5").table["low"]).all()
    with pytest.raises(InputError, match="there is no store"):
        compare(read_late, scenario="few-shot:shots=5")


def test_test_sets_that_differ_are_refused(store, tmp_path):
    copy = tmp_path / "store.sqlite"
    copy.write_bytes(store.read_bytes())
    with sqlite3.connect(copy) as connection:
        query = "SELECT d.content_hash FROM draws d JOIN units u ON u.id = d.unit WHERE u.scenario LIKE 'few-shot%'"
        one = connection.execute(query + " AND d.draw = 2").fetchone()[0]
        blob = connection.execute("SELECT y_test FROM truth WHERE content_hash = ?", [one]).fetchone()[0]
        other = zlib.compress(zlib.decompress(blob)[::-1])
        connection.execute("UPDATE truth SET y_test = ? WHERE content_hash = ?", [other, one])
    with Store(copy) as reader, pytest.raises(InputError, match="2 different test sets of wine"):
        compare(results_of(reader), scenario="few-shot:shots=5")
