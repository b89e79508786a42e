"""How CSV files are found to be written: byte-order marks, encodings, separators, decimal commas."""

import numpy as np
import pytest
from augbench.datasets import read_table
from augbench.datasets.csv_text import Dialect, dialect_of
from augbench.datasets.readers import read_frame, read_texts
from augbench.errors import InputError

KOREAN = [
    "나이;Größe;소득 만원;색;상태",
    "20;1,50;310;빨강;정상",
    "31;1,62;250;파랑;정상",
    "44;1,7;120;빨강;불량",
    "52;1,8;90;;불량",
]


def write(tmp_path, lines, encoding="utf-8", mark=b"", end="\r\n"):
    path = tmp_path / "t.csv"
    path.write_bytes(mark + (end.join(lines) + end).encode(encoding))
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_korean_and_german_headers_with_semicolons_and_decimal_commas(tmp_path, encoding):
    dataset = read_table(write(tmp_path, KOREAN, encoding), "상태")
    table = dataset.load()
    assert list(table.X.columns) == ["나이", "Größe", "소득 만원", "색"]
    assert table.X["Größe"].tolist() == [1.5, 1.62, 1.7, 1.8]
    assert table.X["색"].isna().tolist() == [False, False, False, True]
    assert dataset.info.classes == ("불량", "정상")
    assert (dataset.info.n_numeric, dataset.info.n_categorical) == (3, 1)


def test_another_encoding_is_shown_and_then_read(tmp_path):
    plain = [line.replace("Größe", "키") for line in KOREAN]
    path = write(tmp_path, plain, "cp949")
    with pytest.raises(
        InputError, match=r"not UTF-8 text .* --encoding cp949 \(Korean\) would read '나이;키;소득 만원;색;상태'"
    ):
        read_table(path, "상태")
    with pytest.raises(InputError, match="there is no encoding 'cp9499'"):
        read_table(path, "상태", encoding="cp9499")
    with pytest.raises(InputError, match="not text in the encoding ascii"):
        read_table(path, "상태", encoding="ascii")
    read = read_table(path, "상태", encoding="cp949")
    assert list(read.load().X.columns) == ["나이", "키", "소득 만원", "색"]
    german = write(tmp_path, ["Größe,Farbe,y", "1,grün,0", "2,blau,0", "3,grün,1", "1,blau,1"], "latin-1")
    with pytest.raises(InputError, match=r"--encoding cp1252 \(Western European\) would read 'Größe,Farbe,y'"):
        read_table(german, "y")
    assert set(read_table(german, "y", encoding="latin-1").load().X["Farbe"]) == {"grün", "blau"}


def test_a_broken_byte_far_below_is_found(tmp_path):
    lines = ["a,b", *(f"{i},{i % 2}" for i in range(300)), "1,ü"]
    with pytest.raises(InputError, match="not UTF-8 text"):
        read_frame(write(tmp_path, lines, "latin-1"))


def test_zero_bytes_are_refused_where_pandas_would_cut_the_cell(tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes(b"a,b,y\n" + b"1,red,0\n2,blue,1\n" * 40 + b"3,re\0d,0\n")
    with pytest.raises(InputError, match="bytes that are 0"):
        read_frame(path)
    path.write_bytes("a,b,y\n1,red,0\n2,blue,1\n".encode("utf-16-le"))  # without a mark
    with pytest.raises(InputError, match="--encoding utf-16-le"):
        read_frame(path)
    assert read_frame(path, "utf-16-le")["b"].tolist() == ["red", "blue"]


def test_an_encoding_is_of_csv_only(tmp_path):
    path = tmp_path / "t.parquet"
    path.write_bytes(b"PAR1")
    with pytest.raises(InputError, match="only a CSV file has an encoding"):
        read_frame(path, "cp949")


@pytest.mark.parametrize(
    ("lines", "separator", "n_columns"),
    [
        (["Größe, in cm;Gewicht, in kg;y", "1,5;2,5;a", "1,6;2,7;b"], ";", 3),
        (["a;b", "1,5;2,5", "1,7;2,1"], ";", 2),
        (["a,b", '"x;y",2', "z,3"], ",", 2),
        (["a\tb", "1,5\t2", "1,6\t3"], "\t", 2),
        (['"a,b",c', '"1,2",3', '"1,3",3'], ",", 2),
    ],
)
def test_separators(tmp_path, lines, separator, n_columns):
    path = write(tmp_path, lines, end="\n")
    assert dialect_of(path) == Dialect("utf-8", separator, "\n")
    assert len(read_texts(path)[0].columns) == n_columns


@pytest.mark.parametrize(
    ("cells", "numbers"),
    [
        (["1,5", "2", "-0,25"], [1.5, 2.0, -0.25]),
        (["1.234,5", "12,0", "7"], [1234.5, 12.0, 7.0]),
        (["0,123", "1,234", "2,345"], [0.123, 1.234, 2.345]),
        (["1,5e3", "2,0", "NA"], [1500.0, 2.0, np.nan]),
    ],
)
def test_decimal_commas_that_can_be_nothing_else(tmp_path, cells, numbers):
    path = write(tmp_path, ["a;y", *(f"{cell};{i}" for i, cell in enumerate(cells))])
    np.testing.assert_array_equal(read_frame(path)["a"], numbers)


def test_commas_that_may_be_thousands_are_asked_for_unless_another_column_tells(tmp_path):
    unclear = ["a;b", "1,234;x", "12,500;y"]
    with pytest.raises(
        InputError, match=r"column 'a' has cells like 1,234, which may be a decimal or a thousand: write 1\.234"
    ):
        read_frame(write(tmp_path, unclear))
    told = ["a;b", "1,234;0,5", "12,500;0,25"]
    assert read_frame(write(tmp_path, told))["a"].tolist() == [1.234, 12.5]


def test_text_with_commas_stays_text(tmp_path):
    frame = read_frame(write(tmp_path, ["a;b", "1,5 kg;1", "2,5 kg;2"]))
    assert frame["a"].tolist() == ["1,5 kg", "2,5 kg"]


def test_the_class_of_interest_is_the_rarest_or_the_one_that_is_named(tmp_path):
    lines = ["a,kind", *(f"{i % 7},{'good' if i > 4 else 'bad'}" for i in range(20))]
    path = write(tmp_path, lines)
    assert read_table(path, "kind").info.class_of_interest == "bad"
    named = read_table(path, "kind", positive="good").info
    assert named.class_of_interest == "good"
    assert named.content_hash == read_table(path, "kind").info.content_hash
    with pytest.raises(InputError, match="unknown class 'goods': did you mean 'good'"):
        read_table(path, "kind", positive="goods")
