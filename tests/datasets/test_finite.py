from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from augbench.datasets import FiniteDataset, bundled, make
from augbench.datasets.proben1 import Proben1Dataset, read_dt
from augbench.datasets.sources import Source, sources
from augbench.errors import InputError

FACTS = {  # SOURCES.md: rows, inputs, rows of each class in the order of the outputs
    "card": (690, 51, (307, 383)),
    "diabetes": (768, 8, (268, 500)),
    "gene": (3175, 120, (762, 765, 1648)),
    "glass": (214, 9, (70, 76, 17, 13, 9, 29)),
    "horse": (364, 58, (224, 88, 52)),
    "thyroid": (7200, 21, (166, 368, 6666)),
    "cancer": (699, 9, (458, 241)),
    "heart": (920, 35, (411, 509)),
}
LABELS = {"card": (0, "granted"), "diabetes": (0, "diabetic"), "thyroid": (2, "normal"), "cancer": (1, "malignant")}


def make_finite(name: str) -> FiniteDataset:
    dataset = make(name)
    assert isinstance(dataset, FiniteDataset)
    return dataset


@pytest.mark.parametrize("name", FACTS)
@pytest.mark.usefixtures("real_data")
def test_proben1_facts(name: str) -> None:
    rows, inputs, counts = FACTS[name]
    dataset = make_finite(name)
    table = dataset.load()
    assert table.X.shape == (rows, inputs)
    assert list(table.X.columns) == [f"x{i}" for i in range(1, inputs + 1)]
    assert (table.X.dtypes == np.float64).all()
    assert table.y.dtype == np.int64
    assert tuple(np.bincount(table.y)) == counts == dataset.info.class_counts
    assert (dataset.info.n_numeric, dataset.info.n_categorical, dataset.info.group) == (inputs, 0, "proben1")


@pytest.mark.parametrize(("name", "expected"), LABELS.items())
def test_class_order(name: str, expected: tuple[int, str]) -> None:
    assert make(name).info.classes[expected[0]] == expected[1]


@pytest.mark.usefixtures("real_data")
def test_first_row_of_card_is_refused() -> None:
    table = make_finite("card").load()
    assert table.X.iloc[0, :6].tolist() == [1, 0, 0, 0, 1, 0.178571]
    assert table.y[0] == 1


@pytest.mark.usefixtures("real_data")
def test_equal_rows() -> None:
    assert len(make_finite("gene").load().X.drop_duplicates()) == 2990
    thyroid = make_finite("thyroid").load()
    assert 7200 - len(thyroid.X.assign(y=thyroid.y).drop_duplicates()) == 71


DT = (
    "bool_in=0\nreal_in=2\nbool_out=2\nreal_out=0\ntraining_examples=2\nvalidation_examples=1\ntest_examples=1\n"
    "0.5 1 1 0\n0.25 0 0 1\n1 1 0 1\n0 0 1 0\n"
)


def test_read_dt(tmp_path: Path) -> None:
    path = tmp_path / "a.dt"
    path.write_text(DT)
    X, y = read_dt(path)
    assert X.tolist() == [[0.5, 1], [0.25, 0], [1, 1], [0, 0]]
    assert y.tolist() == [0, 1, 1, 0]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("test_examples=1", "test_examples=2", "announces 5 rows, the body has 4"),
        ("real_in=2", "real_in=3", "line 8.*announces 5 values, there are 4"),
        ("0.25 0 0 1", "0.25 0 1 1", "one 1 and otherwise 0"),
        ("0.25", "?", "no number"),
        ("bool_in=0", "a,b,c", "bool_in=<number>.*'a,b,c'"),
        ("0.25", "é", "cannot be read"),
        (DT, "", "no PROBEN1 file"),
    ],
)
def test_bad_dt(tmp_path: Path, old: str, new: str, words: str) -> None:
    path = tmp_path / "a.dt"
    path.write_text(DT.replace(old, new), encoding="utf-8")
    with pytest.raises(InputError, match=words) as error:
        read_dt(path)
    assert str(path) in str(error.value)


@pytest.mark.parametrize("name", ["breast-cancer", "wine", "digits", "iris"])
def test_bundled(name: str) -> None:
    dataset = make_finite(name)
    info, table = dataset.info, dataset.load()
    assert table.X.shape == (info.n_rows, info.n_numeric)
    assert tuple(np.bincount(table.y)) == info.class_counts
    assert (table.X.dtypes == np.float64).all()
    assert table.X.index.equals(pd.RangeIndex(info.n_rows))


def test_bundled_with_other_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(bundled._LOADERS, "iris", "load_wine")
    with pytest.raises(InputError, match=r"'iris' of the installed scikit-learn has SHA-256"):
        make_finite("iris").load()


def test_table_check_names_what_differs() -> None:
    table = make_finite("iris").load()
    source = sources()["iris"]
    with pytest.raises(InputError, match="149 rows and 4 features, expected 150 and 4"):
        source.check(table.take(np.arange(149)))
    with pytest.raises(InputError, match=r"class counts \(51, 49, 50\)"):
        source.check(table.take(np.r_[0, 0:50, 51:150]))


def test_every_source_is_complete() -> None:
    for source in sources().values():
        assert isinstance(source, Source)
        # no checksum is stated of imbalanced-learn's sets, of the paper breaks, and of a folder
        unstated = source.group == "imblearn" or source.name in ("paper-breaks", "faces")
        assert {len(part.sha256) for part in source.parts} == {0 if unstated else 64}
        assert len(source.archive_sha256) in (0, 64)
        assert source.licence
        assert source.source
        assert source.citation
        assert bool(source.file) == (source.group != "bundled")
        ways = [source.group == "bundled", bool(source.package), bool(source.obtain), bool(source.urls or source.other)]
        assert sum(ways) == 1, source.name
        if source.group == "proben1":
            assert source.urls[0].endswith(f"/{source.name}/{Path(source.file).name}")


def test_addresses_of_several_files_and_of_archives() -> None:
    skab = sources()["skab"].parts
    assert len({part.urls for part in skab}) == len({part.sha256 for part in skab}) == 34
    assert skab[16].file == "timeseries/skab/valve2/0.csv"
    assert skab[16].urls[0] == (
        "https://raw.githubusercontent.com/waico/SKAB/b2c0d46c2971dcbfe71e26087b6d231998bb91c2/data/valve2/0.csv"
    )
    assert sources()["mnist"].parts[0].urls[0] == (
        "https://ossci-datasets.s3.amazonaws.com/mnist/train-images-idx3-ubyte.gz"
    )
    assert sources()["ai4i"].inner == "ai4i2020.csv"
    assert [part.inner for part in sources()["ann-thyroid"].parts] == ["ann-train.data", "ann-test.data"]
    assert sources()["imblearn-abalone-19"].inner == "x27data.npz"
    assert sources()["card"].inner == ""


def test_unknown_problem() -> None:
    with pytest.raises(InputError, match=r"unknown PROBEN1 dataset 'crad': did you mean 'card'"):
        Proben1Dataset("crad")
    with pytest.raises(InputError, match=r"unknown bundled dataset 'iriss': did you mean 'iris'"):
        bundled.BundledDataset("iriss")
