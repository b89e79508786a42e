"""Files as they stand, read to be looked at."""

from __future__ import annotations

import pytest
from augbench.datasets.raw import read_raw
from augbench.errors import InputError


def test_a_file_is_taken_as_it_stands(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("a,b,c\n1,5,x\n2,5,y\n3,5,\n4,5,x\n")
    raw = read_raw(path, "c", ["a"])
    assert (list(raw.X.columns), raw.y.tolist(), raw.classes, raw.without_class) == (["b"], [0, 1, 0], ("x", "y"), 1)


@pytest.mark.parametrize("separator", [",", ";", "\t", "  "])
def test_a_file_without_header(tmp_path, separator):
    path = tmp_path / "t.data"
    path.write_text("\n".join(separator.join(row) for row in (("1.5", "a", "10"), ("?", "b", "9"), ("2", "a", "10"))))
    raw = read_raw(path, "3", header=False)
    assert raw.classes == ("9", "10")
    assert raw.X["1"].isna().tolist() == [False, True, False]


def test_a_file_without_header_in_another_encoding(tmp_path):
    path = tmp_path / "t.data"
    path.write_bytes("1;Köln;a\n2;Bonn;b\n".encode("cp1252"))
    with pytest.raises(InputError, match="--encoding cp1252"):
        read_raw(path, "3", header=False)
    assert read_raw(path, "3", header=False, encoding="cp1252").X["2"].tolist() == ["Köln", "Bonn"]


@pytest.mark.parametrize(
    ("text", "target", "said"),
    [
        ("a,b\n1,2\n3,4\n", "z", "unknown target column 'z'"),
        ("1.5,b\n1,2\n3,4\n", "2", "add --no-header"),
        ("a,b\n1,2\n3,2\n", "b", "1 classes: there must be at least 2"),
        ("a,b\n" + "".join(f"1,{i}\n" for i in range(60)), "b", "60 distinct values in 60 rows"),
        ("b\n1\n2\n", "b", "no column beside the target"),
    ],
)
def test_what_cannot_be_inspected(tmp_path, text, target, said):
    path = tmp_path / "t.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=said):
        read_raw(path, target)
