"""Inspections: what is planted is found, and what only looks like it is not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from augbench.datasets.hygiene import balance, inspect
from augbench.datasets.identifiers import is_named

N = 600
#: findings that say that a column is not what it seems
ABOUT_COLUMNS = {"leak", "mark", "id", "beside-marks"}


def noise(n=N, seed=0):
    """Two columns that have little to do with the class, and a class of 10 %."""
    rng = np.random.default_rng(seed)
    y = (rng.random(n) < 0.1).astype(np.int64)
    return pd.DataFrame({"a": rng.normal(size=n) + 0.5 * y, "b": rng.normal(size=n)}), y, rng


def found(X, y, kind):
    """The findings of one kind."""
    return [one for one in inspect(X, y, [str(k) for k in range(y.max() + 1)]).findings if one.kind == kind]


def about_columns(X, y):
    return [one for one in inspect(X, y, [str(k) for k in range(y.max() + 1)]).findings if one.kind in ABOUT_COLUMNS]


def test_a_clean_table_has_no_finding():
    X, y, rng = noise()
    X["c"] = pd.Categorical(rng.choice(["red", "blue"], N))
    result = inspect(X, y, ["no", "yes"])
    assert result.findings == ()
    assert (result.n_rows, result.n_numeric, result.n_categorical) == (N, 2, 1)
    assert result.class_counts == tuple(np.bincount(y))
    assert all(0.4 < value < 0.75 for value in result.strengths.values())
    assert inspect(X, y, ["no", "yes"]) == result


@pytest.mark.parametrize(
    ("counts", "expected"), [([5, 5], 1.0), ([7], 0.0), ([1, 1, 2], 1.5 / np.log2(3)), ([9, 1, 0], 0.295903)]
)
def test_balance_is_the_entropy_over_its_maximum(counts, expected):
    assert balance(counts) == pytest.approx(expected, abs=1e-6)


# -- ids ---------------------------------------------------------------------------------------------------------------


def plant_id(kind, rng):
    keys = rng.choice(np.arange(100_000, 999_999), N, replace=False)
    again = np.where(rng.random(N) < 0.05, keys[0], keys)
    return {
        "numbers": np.arange(N) + 1000,
        "growing": np.cumsum(rng.integers(1, 9, N)),
        "shuffled": rng.permutation(N),
        "keys": keys,
        "keys that come back": again,
        "with gaps": np.where(np.arange(N) % 50 == 7, np.nan, np.arange(N)),
        "text": [f"P{i:05d}" for i in rng.permutation(N)],
    }[kind]


@pytest.mark.parametrize("kind", ["numbers", "growing", "shuffled", "keys", "keys that come back", "with gaps", "text"])
def test_ids_are_found(kind):
    X, y, rng = noise()
    X["x"] = plant_id(kind, rng)
    (one,) = about_columns(X, y)
    assert (one.kind, one.severity, one.columns) == ("id", "warning", ("x",))
    assert "--drop x" in one.advice


def near_miss_of_id(kind, rng):
    return {
        "distinct measurements": rng.normal(50, 9, N),
        "sorted measurements": np.sort(rng.normal(50, 9, N)),
        "ages": rng.integers(18, 90, N),
        "amounts": np.round(rng.lognormal(8, 1, N)),
        "large rounded amounts": 1000 * np.round(rng.lognormal(7, 1, N)),
        "large amounts of any length": np.round(rng.lognormal(14, 2.5, N)),
        "years in order": np.sort(rng.integers(1990, 2020, N)),
        "names that come back": [f"town {i}" for i in rng.integers(0, 200, N)],
    }[kind]


@pytest.mark.parametrize(
    "kind",
    [
        "distinct measurements",
        "sorted measurements",
        "ages",
        "amounts",
        "large rounded amounts",
        "large amounts of any length",
        "years in order",
        "names that come back",
    ],
)
def test_what_only_looks_like_an_id_is_none(kind):
    X, y, rng = noise()
    X["x"] = near_miss_of_id(kind, rng)
    assert not about_columns(X, y)


def test_a_small_table_has_no_ids():
    X = pd.DataFrame({"x": range(12), "z": [0.1, 0.7] * 6})
    assert not found(X, np.arange(12) % 2, "id")


def test_nearly_distinct_whole_numbers_are_an_id_if_they_are_called_so():
    X, y, rng = noise()
    X["customer_id"] = rng.integers(0, 8000, N)
    X["amount"] = rng.permutation(X["customer_id"])
    assert [one.columns for one in found(X, y, "id")] == [("customer_id",)]


@pytest.mark.parametrize("name", ["id", "ID", "UDI", "Product ID", "customer_id", "customerId", "Unnamed: 0", "nr"])
def test_names_of_ids(name):
    assert is_named(name)


@pytest.mark.parametrize("name", ["paid", "humid", "acid", "identity", "note", "number", "idle", "grid"])
def test_names_that_only_hold_the_letters(name):
    assert not is_named(name)


def test_an_id_of_rows_sorted_by_class_is_serious():
    X, y, _ = noise()
    X["x"] = np.arange(N)
    (one,) = found(X, np.sort(y), "id")
    assert one.severity == "serious"
    assert "sorted by class" in one.message
    # each class had its own range of numbers, and the rows were shuffled since
    order = np.random.default_rng(1).permutation(N)
    (one,) = found(X.iloc[order], np.sort(y)[order], "id")
    assert one.severity == "serious"
    assert "sorted by class" not in one.message


# -- leaks -------------------------------------------------------------------------------------------------------------


def plant_leak(kind, y, rng):
    return {
        "the class": y,
        "its words": np.where(y == 1, "bad", "good"),
        "a threshold": y * 10 + rng.normal(size=len(y)),
        "codes": np.where(y == 1, rng.choice([3, 7, 9], len(y)), rng.choice([1, 2, 4, 8], len(y))),
        "a value or none": np.where(y == 1, rng.normal(size=len(y)), np.nan),
    }[kind]


@pytest.mark.parametrize("kind", ["the class", "its words", "a threshold", "codes", "a value or none"])
def test_leaks_are_found(kind):
    X, y, rng = noise()
    X["x"] = plant_leak(kind, y, rng)
    (one,) = found(X, y, "leak")
    assert (one.severity, one.columns) == ("serious", ("x",))
    assert "all others together" in one.message
    assert not found(X, y, "mark")


def test_two_leaks_do_not_hide_each_other():
    X, y, rng = noise()
    X["x"], X["z"] = plant_leak("codes", y, rng), plant_leak("a threshold", y, rng)
    assert [one.columns for one in found(X, y, "leak")] == [("x", "z")]


def test_a_leak_of_many_classes():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 8, N)
    X = pd.DataFrame({"a": rng.normal(size=N), "x": y + rng.uniform(0, 0.9, N)})
    assert [one.columns for one in found(X, y, "leak")] == [("x",)]


def test_a_strong_column_is_no_leak():
    X, y, rng = noise()
    X["x"] = 3.5 * y + rng.normal(size=N)
    result = inspect(X, y, ["0", "1"])
    assert result.strengths["x"] > 0.9
    assert result.findings == ()


def test_where_all_is_easy_one_column_is_no_leak():
    X, y, rng = noise()
    X["x"] = 10 * y + rng.normal(size=N)
    for name in "cdefg":
        X[name] = 3 * y + rng.normal(size=N)
    assert not found(X, y, "leak")
    assert found(X[["a", "b", "x"]], y, "leak")


# -- marks -------------------------------------------------------------------------------------------------------------


def test_marks_of_a_part_of_a_rare_class_are_found():
    X, y, rng = noise(4000)
    for i, name in enumerate(("heat", "wear", "power")):
        X[name] = ((y == 1) & (rng.integers(0, 4, 4000) == i)).astype(int)
    X["fee"] = np.where((y == 1) & (rng.random(4000) < 0.3), rng.lognormal(3, 1, 4000), 0.0)
    X["reason"] = np.where((y == 1) & (rng.random(4000) < 0.3), "broke", None)
    X["note"] = np.where((y == 1) & (rng.random(4000) < 0.3), "late", rng.choice(["fine", "good"], 4000))
    marked = found(X, y, "mark")
    assert {one.columns[0] for one in marked} == {"heat", "wear", "power", "fee", "reason", "note"}
    assert all(one.severity == "serious" for one in marked)
    words = " ".join(one.message for one in marked)
    for part in ("'heat' is 1", "'fee' is not 0", "'reason' has a value", "'note' is 'late'", "class '1'"):
        assert part in words


@pytest.mark.parametrize("precision", [0.5, 0.85])
def test_a_flag_that_is_often_wrong_is_no_mark(precision):
    X, y, rng = noise(4000)
    flag = (y == 1) & (rng.random(4000) < 0.4)
    wrong = rng.choice(np.flatnonzero(y == 0), int(flag.sum() * (1 - precision) / precision), replace=False)
    flag[wrong] = True
    X["x"] = flag.astype(int)
    assert not about_columns(X, y)


@pytest.mark.parametrize(("rows", "hits"), [(600, 6), (4000, 12)])
def test_few_hits_are_no_mark(rows, hits):
    """Too few in all, or too small a part of the class."""
    X, y, _ = noise(rows)
    X["x"] = 0
    X.loc[np.flatnonzero(y == 1)[:hits], "x"] = 1
    assert not about_columns(X, y)


def test_a_flag_of_the_frequent_class_is_no_mark():
    X, y, rng = noise(4000)
    X["x"] = ((y == 0) & (rng.random(4000) < 0.3)).astype(int)
    assert not about_columns(X, y)


def test_a_flag_of_one_of_ten_equal_classes_is_no_mark():
    rng = np.random.default_rng(0)
    y = np.arange(2000) % 10
    X = pd.DataFrame({"a": rng.normal(size=2000), "x": ((y == 3) & (rng.random(2000) < 0.5)).astype(int)})
    assert not about_columns(X, y)


def test_a_sparse_flag_beside_marks_is_named():
    X, y, rng = noise(4000)
    for i, name in enumerate(("heat", "wear")):
        X[name] = ((y == 1) & (rng.integers(0, 4, 4000) == i)).astype(int)
    X["random"] = (rng.random(4000) < 0.005).astype(int)
    X["far"] = rng.normal(size=4000)
    X["sparse"] = (rng.random(4000) < 0.005).astype(int)
    assert [one.columns for one in found(X, y, "beside-marks")] == [("random",)]
    # without marks a sparse flag is nothing
    assert not about_columns(X.drop(columns=["heat", "wear"]), y)


# -- rows --------------------------------------------------------------------------------------------------------------


def test_an_amount_with_a_stray_word_is_no_id():
    rng = np.random.default_rng(0)
    amounts = [f"{value:.2f}" for value in rng.normal(100, 10, 120)]
    amounts[7] = "unknown"
    grades = rng.choice(["1", "2", "3", "none"], 120)
    found = inspect(pd.DataFrame({"amount": amounts, "grade": grades}), np.arange(120) % 2, ["a", "b"]).findings
    (stray,) = (one for one in found if one.columns)
    assert stray.message == "column 'amount' holds numbers, but 1 of 120 cells is none, such as 'unknown'"
    assert stray.kind == "stray-words"
    assert "--drop" not in stray.advice


def test_duplicates_within_and_across_classes():
    X, y, _ = noise()
    twice = pd.concat([X, X.iloc[:30]], ignore_index=True)
    labels = np.concatenate([y, y[:20], 1 - y[20:30]])
    (same,) = found(twice, labels, "duplicates")
    assert (same.rows, same.severity) == (30, "warning")
    assert "30 rows of 630 (4.8 %)" in same.message
    assert "20 of them its class, too" in same.message
    (other,) = found(twice, labels, "contradictions")
    assert (other.rows, other.severity) == (10, "warning")
    # ids do not hide them
    twice["id"] = np.arange(len(twice))
    (same,) = found(twice, labels, "duplicates")
    assert same.rows == 30
    assert "--drop id" in same.advice


def test_few_duplicates_are_a_note_and_equal_cells_are_none():
    X, y, _ = noise()
    twice = pd.concat([X, X.iloc[:2]], ignore_index=True)
    (one,) = found(twice, np.concatenate([y, y[:2]]), "duplicates")
    assert (one.rows, one.severity) == (2, "note")
    half = X.assign(a=np.round(X["a"]))
    assert not found(half, y, "duplicates")


def test_missing_cells_are_equal_to_each_other_only():
    X = pd.DataFrame({"a": [np.nan, np.nan, 0.0, 1.0], "b": ["x", "x", None, "y"]})
    (one,) = found(X, np.array([0, 0, 1, 1]), "duplicates")
    assert one.rows == 1


def test_missing_and_constant():
    X, y, _ = noise()
    X.loc[:59, "b"] = np.nan
    X["one"], X["empty"], X["word"] = 3, None, "x"
    X["nearly"] = [4] * (N - 1) + [5]
    result = inspect(X, y, ["0", "1"], without_class=2)
    constant = {one.columns: one.severity for one in result.findings if one.kind == "constant"}
    assert constant == {("empty",): "note", ("one", "word"): "note"}
    gaps = [one for one in result.findings if one.kind == "missing"]
    assert [(one.columns, one.rows, one.severity) for one in gaps] == [((), 2, "warning"), (("b",), 60, "note")]
    assert result.missing == {"empty": N, "b": 60}


def test_small_classes():
    X, y, _ = noise()
    y[:3] = 2
    (one,) = found(X, y, "small-class")
    assert "class '2' has 3 rows" in one.message
    y[:12] = 2
    assert not found(X, y, "small-class")


def test_cells_of_any_kind():
    X, y, _ = noise(60)
    X["list"] = [[1, i % 5] for i in range(60)]
    X["date"] = pd.date_range("2020-01-01", periods=60)
    X["mixed"] = [1, "a", None, 2.5, True, "b"] * 10
    X["huge"] = [np.inf, -np.inf, 1e300, 0, 1, 2] * 10
    X["flag"] = pd.array([True, False, None] * 20, dtype="boolean")
    X["numbers"] = pd.Series([1, 2.5, None] * 20, dtype=object)
    result = inspect(X, y, ["0", "1"])
    assert result.n_numeric == 5
    assert [one.columns for one in result.findings if one.kind == "id"] == [("date",)]


def test_the_gravest_come_first():
    X, y, _ = noise()
    X["one"], X["no"], X["leak"] = 1, np.arange(N), y
    assert [one.severity for one in inspect(X, y, ["0", "1"]).findings] == ["serious", "warning", "note"]
