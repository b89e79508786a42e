"""The calls from Python: known answers, the same machinery as the command line, the types that were given."""

import subprocess
import sys
import textwrap
import warnings

import augbench
import numpy as np
import pandas as pd
import pytest

FAST = {"methods": ["smote"], "classifiers": ["logistic-regression"]}


def overlapping(n=3000, share=0.2, shift=0.6):
    """Return two overlapping classes: at 0.5 a logistic regression hardly ever says "bad", so macro F1 is low."""
    rng = np.random.default_rng(0)
    y = (rng.random(n) < share).astype(int)
    X = rng.normal(size=(n, 3))
    X[:, :2] += shift * y[:, None]
    return pd.DataFrame(X, columns=["a", "b", "c"]), np.where(y, "bad", "good")


def test_where_oversampling_only_moves_the_threshold_the_answer_says_so():
    found = augbench.compare(*overlapping(), **FAST, draws=15)
    verdicts = found.table.set_index("method")["verdict"]
    assert verdicts["smote"] == "as a control does"
    assert verdicts["random-oversampling"] == verdicts["threshold-tuned"] == "better"
    headline = found.answer.splitlines()[0]
    assert headline.startswith("No method helps on table beyond what a control does. smote (+")
    assert "is better than doing nothing ('none')" in headline
    assert "Without adding a row threshold-tuned (moving the decision threshold, +" in headline
    assert "smote, where the decision threshold is tuned with it and with none: " in found.answer
    assert "smote against threshold-tuned, the strongest control: −" in found.answer
    assert "the price: recall of 'good' 97" in found.answer
    assert len(found.scores) == 9 * 15


def test_permuted_labels_and_an_easy_balanced_table_have_the_answer_none():
    X, y = overlapping(1500)
    permuted = augbench.compare(X, np.random.default_rng(1).permutation(y), **FAST, draws=15)
    assert permuted.answer.startswith("No")
    assert "helps" not in set(permuted.table["verdict"])
    easy = np.repeat(["a", "b"], 200)
    X = pd.DataFrame(np.random.default_rng(2).normal(size=(400, 2)) + 3 * (easy == "b")[:, None], columns=["u", "v"])
    found = augbench.compare(X, easy, **FAST, draws=10)
    assert found.answer.startswith("No method is shown to help on table, of 8 methods compared, controls included.")


def test_the_call_is_the_command(bench, tmp_path):
    X, y = overlapping(200)
    X.assign(y=y).to_csv(tmp_path / "t.csv", index=False)
    read = pd.read_csv(tmp_path / "t.csv")
    assert bench("run", "--data", "t.csv", "--target", "y", "--methods", "smote", "--classifiers",
                 "logistic-regression", "--draws", "3", "--jobs", "1").returncode == 0  # fmt: skip
    with augbench.Store(tmp_path / "augbench-results" / "store.sqlite") as store:
        by_command = augbench.results_of(store)
    by_call = augbench.compare(read.drop(columns="y"), read["y"], **FAST, draws=3)
    methods = ["method", "classifier", "status"]
    # the splits are others (they follow the hash of the file), the grid is the same
    assert sorted(map(tuple, by_call.scores[methods].to_numpy())) == sorted(
        map(tuple, by_command.scores[methods].to_numpy())
    )
    assert by_call.results.run["seed"] == by_command.run["seed"]


def test_a_store_keeps_what_was_computed(tmp_path):
    X, y = overlapping(200)
    settings = {**FAST, "draws": 3, "store": tmp_path / "s.sqlite"}
    first = augbench.compare(X, y, **settings)
    with augbench.Store(tmp_path / "s.sqlite") as store:
        units = store.connection.execute("SELECT key, seconds FROM units").fetchall()
    again = augbench.compare(X, y, **settings, positive="good")
    with augbench.Store(tmp_path / "s.sqlite") as store:
        assert store.connection.execute("SELECT key, seconds FROM units").fetchall() == units
    pd.testing.assert_frame_equal(first.scores, again.scores)
    assert "by class: recall of 'bad'" in first.answer
    assert "by class: recall of 'good'" in again.answer
    without = augbench.compare(X, y, **FAST, draws=3).scores
    pd.testing.assert_series_equal(without["macro_f1"], first.scores["macro_f1"])


def test_a_time_is_kept():
    X, y = overlapping(150)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="time is up")  # on a busy machine
        found = augbench.compare(X, y, time="15s", classifiers=["logistic-regression"], draws=3)
    assert "none" in set(found.table["method"])
    assert "Left out: for want of time" in found.answer


def test_no_guard_is_needed_with_one_job(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        textwrap.dedent(
            """
            import augbench, numpy as np
            X = np.random.default_rng(0).normal(size=(80, 2))
            y = np.arange(80) % 4 == 0
            found = augbench.compare(X, y, methods=["smote"], classifiers=["logistic-regression"], draws=3)
            print(found.answer.splitlines()[0])
            """
        )
    )
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 1
    assert done.stdout.startswith("No")
    assert [path.name for path in tmp_path.iterdir()] == ["script.py"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda X, y: {"X": X.iloc[:50]}, "X has 50 rows and y has 200"),
        (lambda X, y: {"methods": ["smoet"]}, "unknown method or group 'smoet'"),
        (lambda X, y: {"drwas": 3}, "unknown key 'drwas': did you mean 'draws'"),
        (lambda X, y: {"datasets": ["iris"]}, "has no setting 'datasets'"),
        (lambda X, y: {"positive": "bda"}, "unknown class 'bda': did you mean 'bad'"),
        (lambda X, y: {"X": X.assign(d=1)}, "column 'd' holds one value only: leave it out"),
        (lambda X, y: {"X": X.set_axis(["a", "a", "b"], axis=1)}, "more than one column 'a'"),
        (lambda X, y: {"X": X["a"]}, "an array with rows and columns"),
        (lambda X, y: {"y": np.zeros((200, 2))}, "y has to have one class for each row"),
        (lambda X, y: {"time": "soon"}, "write a number with s, m or h"),
    ],
)
def test_bad_input_is_one_line(change, words):
    X, y = overlapping(200)
    given = {"X": X, "y": y, **FAST, "draws": 3} | change(X, y)
    with pytest.raises(augbench.InputError, match=words) as error:
        augbench.compare(**given)
    assert "\n" not in str(error.value)


def test_stored_results_are_sent_to_the_leaderboard():
    X, y = overlapping(200)
    results = augbench.compare(X, y, **FAST, draws=3).results
    with pytest.raises(augbench.InputError, match=r"stored results go to augbench\.leaderboard\.compare"):
        augbench.compare(results, None)


# -- augment ---------------------------------------------------------------------------------------------------------


def mixed(n=80):
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"size": rng.normal(size=n), 7: rng.integers(0, 5, n), "colour": rng.choice(["u", "v"], n)})
    X.loc[3, "size"] = np.nan
    X.index = rng.permutation(n)
    return X, pd.Series(np.where(np.arange(n) % 4 == 0, 2.0, 5.0), index=X.index, name="kind")


def test_augment_returns_the_types_that_it_was_given():
    X, y = mixed()
    X_new, y_new, generated = augbench.augment(X, y, method="smote", random_state=1)
    assert (generated.sum(), (~generated).sum()) == (40, 80)
    pd.testing.assert_frame_equal(X_new[~generated], X.reset_index(drop=True))
    pd.testing.assert_series_equal(y_new[~generated], y.reset_index(drop=True))
    assert X_new.dtypes.astype(str).tolist() == ["float64", "int64", "object"]
    assert set(y_new[generated]) == {2.0}
    assert X_new[generated].notna().all().all()
    again = augbench.augment(X, y, method="smote", random_state=1)
    pd.testing.assert_frame_equal(again.X, X_new)
    assert not augbench.augment(X, y, random_state=2).X.equals(X_new)


def test_augment_of_arrays_and_categories():
    X, y = np.random.default_rng(0).normal(size=(40, 2)), np.arange(40) % 4 == 0
    found = augbench.augment(X, y, "jitter", shrinkage=0.0)
    assert isinstance(found.X, np.ndarray)
    np.testing.assert_array_equal(found.X[:40], X)
    assert found.y.dtype == bool
    assert found.y[found.generated].all()
    assert {tuple(row) for row in found.X[found.generated].round(9)} <= {tuple(row) for row in X[y].round(9)}
    labels = pd.Categorical(np.where(y, "bad", "good"), categories=["good", "bad", "other"])
    assert list(augbench.augment(X, labels).y.categories) == ["good", "bad", "other"]


def test_a_table_without_rows_is_told_so():
    X, y = mixed()
    for call in (augbench.compare, augbench.augment):
        with pytest.raises(augbench.InputError, match="table has no rows"):
            call(X[:0], y[:0])


def test_augment_amounts():
    X, y = mixed()
    assert augbench.augment(X, y, amount=7).generated.sum() == 7
    assert augbench.augment(X, y, amount="2x").generated.sum() == 40
    assert augbench.augment(X, y, counts={5.0: 3, 2: 1}).generated.sum() == 4
    assert set(augbench.augment(X, y, amount=3, positive=5.0).y[-3:]) == {5.0}


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"method": "class-weight"}, "adds no rows: it is an adjuster"),
        ({"method": "smote", "neighbours": 3}, "unknown parameter of method 'smote'"),
        ({"counts": {"3": 4}}, "unknown class '3'"),
    ],
)
def test_augment_refuses(settings, words):
    with pytest.raises(augbench.InputError, match=words):
        augbench.augment(*mixed(), **settings)


def test_the_examples_of_the_calls_are_true():
    import doctest

    from augbench.bench import api, limits, shard

    for module in (api, limits, shard):
        tried = doctest.testmod(module, extraglobs={"pd": pd})
        assert (tried.attempted > 0, tried.failed) == (True, 0)
