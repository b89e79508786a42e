import pickle
import warnings
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from augbench.datasets import read_table
from augbench.errors import InputError

N = 60


def good_frame() -> pd.DataFrame:
    """Every type of column that is allowed."""
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "size": rng.normal(size=N).round(3),
            "count": rng.integers(0, 9, N),
            "flag": rng.random(N) < 0.5,
            "colour": rng.choice(["red", "green", "blue"], N),
            "kind": np.repeat([10, 9, 2], [30, 20, 10]),
        }
    )


def write(frame: pd.DataFrame, path: Path) -> Path:
    if path.suffix == ".parquet":
        frame.to_parquet(path)
    elif path.suffix == ".arff":
        path.write_text(arff_text(frame))
    else:
        frame.to_csv(path, index=False, sep="\t" if path.suffix == ".tsv" else ",")
    return path


def arff_text(frame: pd.DataFrame) -> str:
    lines = ["@relation t"]
    for name in frame:
        nominal = name in ("colour", "kind", "flag")
        levels = ",".join(sorted(set(frame[name].dropna().astype(str))))
        lines.append(f"@attribute {name} {'{' + levels + '}' if nominal else 'numeric'}")
    return "\n".join([*lines, "@data", frame.to_csv(index=False, header=False, na_rep="?")])


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".parquet", ".arff"])
def test_all_formats_give_the_same_rows(tmp_path: Path, suffix: str) -> None:
    frame = good_frame()
    dataset = read_table(write(frame, tmp_path / f"mine{suffix}"), "kind")
    info, table = dataset.info, dataset.load()
    assert (info.name, info.group, info.missing) == ("mine", "yours", False)
    assert info.classes == ("2", "9", "10")  # numbers in the order of numbers, without .0
    assert info.class_counts == (10, 20, 30)
    assert table.y.tolist() == [2] * 30 + [1] * 20 + [0] * 10
    assert list(table.X.columns) == ["size", "count", "flag", "colour"]
    np.testing.assert_array_equal(table.X["size"], frame["size"])
    assert list(table.X["colour"].cat.categories) == ["blue", "green", "red"]
    assert table.X["colour"].astype(str).tolist() == frame["colour"].tolist()
    expected = (2, 2) if suffix == ".arff" else (3, 1)
    assert (info.n_numeric, info.n_categorical) == expected
    if suffix != ".arff":
        assert table.X["flag"].tolist() == frame["flag"].astype(float).tolist()


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_csv_separators(tmp_path: Path, separator: str) -> None:
    path = tmp_path / "t.csv"
    good_frame().to_csv(path, index=False, sep=separator)
    assert read_table(path, "kind").info.n_numeric == 3


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".arff"])
def test_missing_feature_cells(tmp_path: Path, suffix: str) -> None:
    frame = good_frame()
    frame["flag"] = frame["flag"].astype(object)
    frame.loc[3, ["size", "colour", "flag"]] = None
    dataset = read_table(write(frame, tmp_path / f"t{suffix}"), "kind")
    assert dataset.info.missing
    assert dataset.load().X.loc[3].isna().tolist() == [True, False, True, True]
    assert dataset.load().X.isna().to_numpy().sum() == 3


def test_question_mark_is_missing(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("a,b,y\n1,u,0\n?,?,0\n3,v,1\n5,v,1\n")
    table = read_table(path, "y").load()
    assert table.X["a"].dtype == np.float64
    assert table.X.isna().sum().tolist() == [1, 1]


def test_nullable_and_category_columns(tmp_path: Path) -> None:
    frame = good_frame()
    frame["count"] = frame["count"].astype("Int64").mask(frame["count"] == 3)
    frame["level"] = pd.Categorical((np.arange(N) % 3).astype(str))
    table = read_table(write(frame, tmp_path / "t.parquet"), "kind").load()
    assert table.X["count"].dtype == np.float64
    assert table.X["count"].isna().sum() == frame["count"].isna().sum() > 0
    assert list(table.X["level"].cat.categories) == ["0", "1", "2"]


def test_decimals_are_numbers(tmp_path: Path) -> None:
    frame = pd.DataFrame({"price": [Decimal(f"{i * i % 101}.25") for i in range(60)] + [None] * 20, "y": [0, 1] * 40})
    frame.to_parquet(tmp_path / "t.parquet")
    prices = read_table(tmp_path / "t.parquet", "y").load().X["price"]
    assert prices.dtype == np.float64
    assert prices[9] == 81.25
    assert prices.isna().sum() == 20


def test_numbers_with_a_stray_word_are_told_from_free_text(tmp_path: Path) -> None:
    y = ["a", "b"] * 60
    many = pd.DataFrame({"x": [*(f"{i * i}.5" for i in range(119)), "unknown"], "y": y})
    found = "column 'x' holds numbers, but 1 of 120 cells is none, such as 'unknown'; make those empty, or "
    check_error(lambda: read_table(write(many, tmp_path / "many.csv"), "y"), [f"{found}leave it out with --drop x"])
    few = pd.DataFrame({"x": [*([1, 2, 3] * 39), "-", "-", "n. a."], "y": y})
    with pytest.warns(UserWarning, match="'x' is read as categories: it holds numbers, but 3 of 120 cells are none"):
        info = read_table(write(few, tmp_path / "few.csv"), "y").info
    assert info.n_categorical == 1
    codes = pd.DataFrame({"x": ["1", "2", "3"] * 40, "y": y})
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # text in a Parquet file is meant as text
        assert read_table(write(codes, tmp_path / "codes.parquet"), "y").info.n_categorical == 1
    written = pd.DataFrame({"x": [f"{i * i}.5" for i in range(120)], "y": y})
    check_error(lambda: read_table(write(written, tmp_path / "w.parquet"), "y"), ["holds numbers written as text"])


def test_content_hash(tmp_path: Path) -> None:
    frame = good_frame().assign(other=lambda f: f["count"] % 2)
    first = read_table(write(frame, tmp_path / "a.csv"), "kind")
    copy = read_table(write(frame, tmp_path / "b.csv"), "kind")
    assert first.info.content_hash == copy.info.content_hash
    others = [read_table(first.path, "other"), read_table(first.path, "kind", drop=["other"])]
    frame.loc[0, "size"] += 1
    others.append(read_table(write(frame, tmp_path / "c.csv"), "kind"))
    assert len({one.info.content_hash for one in [first, *others]}) == 4
    order = [read_table(first.path, "kind", drop=d).info.content_hash for d in (["size", "flag"], ["flag", "size"])]
    assert order[0] == order[1]


def test_pickle_carries_no_rows_and_notices_a_change(tmp_path: Path) -> None:
    path = write(good_frame(), tmp_path / "t.csv")
    dataset = read_table(path, "kind")
    sent = pickle.dumps(dataset)
    assert len(sent) < 2000
    pd.testing.assert_frame_equal(pickle.loads(sent).load().X, dataset.load().X)
    path.write_text(path.read_text() + path.read_text().splitlines()[-1] + "\n")
    with pytest.raises(InputError, match="has changed since the run was planned"):
        pickle.loads(sent).load()


def test_real_tables(real_data: Path) -> None:
    bankruptcy = read_table(real_data / "bankruptcy" / "5year.arff", "class").info
    assert (bankruptcy.class_counts, bankruptcy.n_numeric, bankruptcy.missing) == ((5500, 410), 64, True)
    card = read_table(real_data / "credit" / "UCI_Credit_Card.csv", "default.payment.next.month", drop=["ID"]).info
    assert (card.class_counts, card.n_numeric, card.n_categorical) == ((23364, 6636), 23, 0)


def test_numbers_that_are_codes_are_read_as_categories(tmp_path: Path) -> None:
    codes = [10115, 20095, None] * (N // 3)
    path = write(good_frame().assign(postcode=codes, branch=range(N)), tmp_path / "t.csv")
    plain, coded = (
        read_table(path, "kind", ["branch"]),
        read_table(path, "kind", ["branch"], categorical="postcode,kind"),
    )
    assert plain.load().X["postcode"].dtype == np.float64
    assert coded.load().X["postcode"].cat.categories.tolist() == ["10115", "20095"]
    assert coded.load().X["postcode"].isna().sum() == N // 3
    assert coded.info.n_categorical == plain.info.n_categorical + 1
    assert coded.info.content_hash != plain.info.content_hash
    with pytest.raises(InputError, match="'branch' looks like free text"):
        read_table(path, "kind", categorical=["branch"])


def test_row_numbers_are_warned_of(tmp_path: Path) -> None:
    frame = good_frame()
    frame.insert(0, "Id", np.arange(1, N + 1))
    path = write(frame, tmp_path / "t.csv")
    with pytest.warns(UserWarning, match=r"'Id' only numbers the rows.*--drop Id"):
        read_table(path, "kind")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read_table(path, "kind", drop=["Id"])


def with_column(name: str, values: object) -> Callable[[pd.DataFrame], pd.DataFrame]:
    return lambda frame: frame.assign(**{name: values})


def with_cell(name: str, value: object) -> Callable[[pd.DataFrame], pd.DataFrame]:
    def change(frame: pd.DataFrame) -> pd.DataFrame:
        frame[name] = frame[name].astype(object)
        frame.loc[[1, 2], name] = value
        return frame

    return change


BAD_TABLES = {
    "missing class": (with_cell("kind", None), ["target 'kind' has 2 missing cells in 60 rows", "remove those rows"]),
    "one class": (with_column("kind", "a"), ["target 'kind' has only one class, 'a'"]),
    "continuous": (with_column("kind", np.arange(N) / 7), ["60 distinct values in 60 rows", "looks continuous"]),
    "one row": (with_column("kind", ["a"] * 59 + ["b"]), ["class 'b' has one row only", "merge it"]),
    "infinite": (
        with_cell("size", np.inf),
        ["infinite values, or beyond 1e100, in column 'size' (2 cells)", "--drop size"],
    ),
    "constant": (with_column("const", 7), ["column 'const' holds one value only: leave it out with --drop const"]),
    "without value": (with_column("void", np.nan), ["column 'void' has no value at all", "--drop void"]),
    "several": (
        lambda frame: frame.assign(a=1, b="x", void=np.nan),
        ["column 'void' has no value at all and columns 'a', 'b' hold one value only", "--drop void --drop a --drop b"],
    ),
    "free text": (
        with_column("comment", [f"word {i}" for i in range(N - 1)] + ["word 0"]),
        ["column 'comment' looks like free text (59 distinct values in 60 rows): leave it out with --drop comment"],
    ),
    "name with a space": (with_column("my col", 1), ["--drop 'my col'"]),
}


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
@pytest.mark.parametrize("case", BAD_TABLES)
def test_bad_tables(tmp_path: Path, case: str, suffix: str) -> None:
    change, parts = BAD_TABLES[case]
    path = write(change(good_frame()), tmp_path / f"mine{suffix}")
    check_error(lambda: read_table(path, "kind"), [str(path), *parts])


@pytest.mark.parametrize(
    ("values", "word"),
    [
        (pd.date_range("2020-01-01", periods=N), "dates or times"),
        (list(pd.date_range("2020-01-01", periods=N).date), "dates or times"),
        (pd.timedelta_range("1h", periods=N), "dates or times"),
        ([[i, 2] for i in range(N)], "lists or records"),
    ],
)
def test_bad_parquet_columns(tmp_path: Path, values: object, word: str) -> None:
    path = write(good_frame().assign(when=values), tmp_path / "t.parquet")
    check_error(lambda: read_table(path, "kind"), [f"column 'when' holds {word}", "--drop when"])


@pytest.mark.parametrize(
    ("target", "drop", "parts"),
    [
        ("knid", [], ["unknown target column 'knid'", "did you mean 'kind'"]),
        ("kind", ["colur"], ["unknown column to drop 'colur'", "did you mean 'colour'"]),
        ("kind", ["kind"], ["'kind' is the target and cannot be dropped"]),
        ("kind", ["size", "count", "flag", "colour"], ["no feature column left"]),
    ],
)
def test_bad_columns(tmp_path: Path, target: str, drop: list[str], parts: list[str]) -> None:
    path = write(good_frame(), tmp_path / "t.csv")
    check_error(lambda: read_table(path, target, drop), [str(path), *parts])


BAD_FILES = {
    "a.csv": (b"", "is empty"),
    "b.csv": (b"a,b,y\n", "has no rows"),
    "c.csv": (b"a,y\n1,\xff\xfe\n", "not UTF-8 text"),
    "d.csv": (b"a,y\n1,2\n1,2,3,4\n", "cannot be read as CSV"),
    "e.csv": (b"a,y\n1,2,3\n4,5,6\n", "more cells than the first line has names"),
    "f.csv": (b"a,a,b,y\n1,2,3,0\n", "more than one column 'a'"),
    "g.csv": (b'a,"b\n1,2\n', "cannot be read as CSV"),
    "h.xlsx": (b"PK", "'.xlsx': the table must be a .csv, .tsv, .parquet, .arff file"),
    "noending": (b"x", "no suffix"),
    "i.parquet": (b"PAR1 not really", "cannot be read as Parquet"),
    "j.arff": (b"@relation t\n@attribute s relational\n@data\n1\n", "cannot be read as ARFF"),
    "k.arff": (b"a,b\n1,2\n", "cannot be read as ARFF"),
    "l.arff": (b"@relation t\n@attribute a numeric\n@attribute a numeric\n@data\n1,2\n", "name a at line 3"),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_bad_files(tmp_path: Path, name: str) -> None:
    content, part = BAD_FILES[name]
    path = tmp_path / name
    path.write_bytes(content)
    check_error(lambda: read_table(path, "y"), [str(path), part])


def test_no_such_file(tmp_path: Path) -> None:
    check_error(lambda: read_table(tmp_path / "absent.csv", "y"), ["there is no file", "absent.csv"])
    check_error(lambda: read_table(tmp_path, "y"), ["is a folder"])


def test_duplicate_parquet_columns(tmp_path: Path) -> None:
    import pyarrow
    from pyarrow import parquet

    table = pyarrow.table([[1, 2], [3, 4], [0, 1]], names=["a", "a", "y"])
    parquet.write_table(table, tmp_path / "t.parquet")
    check_error(lambda: read_table(tmp_path / "t.parquet", "y"), ["more than one column 'a'", "rename"])


def check_error(call: Callable[[], object], parts: list[str]) -> None:
    with pytest.raises(InputError) as error:
        call()
    message = str(error.value)
    assert "\n" not in message
    for part in parts:
        assert part in message
