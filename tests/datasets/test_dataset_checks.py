"""The check finds what is wrong with a data set, and nothing where nothing is."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from augbench import datasets
from augbench.datasets import DatasetInfo, FiniteDataset, MissingDataError, Table, names
from augbench.datasets.checks import check_dataset, parametrize_datasets, present, table_hash
from augbench.errors import InputError

INFO = DatasetInfo("mine", "a table", "yours", ("a", "b"), (2, 1), 1, 1, "h", missing=True)


def good() -> Table:
    X = pd.DataFrame({"u": [1.0, np.nan, 3.0], "v": pd.Categorical(["x", "y", None])})
    return Table(X, np.array([0, 1, 0]))


class Mine(FiniteDataset):
    def __init__(self, info: DatasetInfo = INFO, loads: object = good) -> None:
        self._info, self._loads = info, loads

    @property
    def info(self) -> DatasetInfo:
        return self._info

    def load(self) -> Table:
        return self._loads()  # type: ignore[operator, no-any-return]


def test_nothing_wrong() -> None:
    check_dataset(Mine())


@parametrize_datasets(["iris", "simulated-mixed", Mine()])
def test_the_pytest_helper(check) -> None:
    check()


def test_the_pytest_helper_skips_what_is_absent(cache) -> None:
    (mark,) = [parametrize_datasets(["card"]).mark]
    (check,) = mark.args[1]
    with pytest.raises(pytest.skip.Exception, match="bench datasets fetch card"):
        check()
    with pytest.raises(MissingDataError):
        check_dataset("card")
    assert "iris" in present()
    assert present(["card", "wine"]) == ["wine"]


def changed(**columns: object):
    return lambda: replace(good(), X=good().X.assign(**columns))


@pytest.mark.parametrize(
    ("info", "loads", "words"),
    [
        ({}, lambda: replace(good(), y=np.array([0, 1, 1])), r"class counts are \(1, 2\), info says \(2, 1\)"),
        ({}, lambda: replace(good(), y=np.array([0, 1, 2])), "codes in y must be 0 to 1"),
        ({}, lambda: replace(good(), y=np.array([0.0, 1, 0])), "y must be an int64 array"),
        ({}, changed(u=[1, 2, 3]), "column 'u' is int64, expected float64"),
        ({}, changed(v=["a", "b", "c"]), "column 'v' is object, expected float64|column 'v' is str"),
        ({}, changed(u=[1, np.inf, 3.0]), "infinite cells"),
        ({}, changed(w=[1.0, 2, 3]), "2 numeric and 1 categorical columns, info says 1 and 1"),
        ({"missing": False}, good, "X has 2 missing cells, and info.missing is False"),
        ({"classes": ("a", "a")}, good, "different labels"),
        ({"class_counts": (3, 0)}, good, "a positive number for each class"),
        ({"content_hash": ""}, good, "info.content_hash must be one line of text"),
        ({"series": True}, good, "the table lacks series"),
        ({}, lambda: replace(good(), series=np.zeros(3, dtype=np.int64)), "the table has series"),
        ({}, lambda: replace(good(), posterior=np.ones((3, 2))), "posterior must have a row of probabilities"),
        ({}, lambda: replace(good(), X=good().X.set_index(np.array([3, 4, 5]))), "index of X must count the rows"),
        ({}, changed(u=np.random.default_rng().normal(size=3)), None),
    ],
)
def test_what_is_wrong_is_found(info: dict, loads: object, words: str | None) -> None:
    if words is None:  # the same wrong rows each time: nothing to find
        check_dataset(Mine(INFO, loads))
        return
    with pytest.raises(InputError, match=f"dataset 'mine': .*({words})"):
        check_dataset(Mine(replace(INFO, **info), loads))


def test_rows_that_change_from_load_to_load() -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(InputError, match="'mine': loading it twice gives other rows"):
        check_dataset(Mine(INFO, lambda: changed(u=rng.normal(size=3))()))


def test_a_name_that_is_not_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datasets, "_FACTORIES", {**datasets._FACTORIES, "yours": Mine})
    with pytest.raises(InputError, match=r"dataset 'yours': info.name is 'mine'"):
        check_dataset("yours")


def test_every_cell_is_part_of_the_hash() -> None:
    tables = [
        good(),
        replace(good(), y=np.array([0, 0, 1])),
        changed(u=[1.0, 2.0, 3.0])(),
        changed(v=pd.Categorical(["x", "x", None], categories=["x", "y"]))(),
        replace(good(), X=good().X.rename(columns={"u": "t"})),
        replace(good(), series=np.array([0, 0, 1])),
    ]
    assert len({table_hash(table) for table in tables}) == len(tables)
    assert table_hash(good()) == table_hash(good())


@pytest.mark.parametrize("name", [name for name in names() if name.startswith(("simulated", "logistic"))])
def test_simulated_sets(name: str) -> None:
    check_dataset(name)
