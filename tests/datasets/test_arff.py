"""ARFF files as Weka and OpenML write them: quotes, missing cells, text, dates, sparse rows, other alphabets."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from augbench.datasets.files import read_table
from augbench.datasets.readers import read_frame
from augbench.errors import InputError


def written(tmp_path, text, encoding="utf-8"):
    path = tmp_path / "t.arff"
    path.write_text(text, encoding=encoding)
    return path


def test_values_are_quoted_where_they_need_it_only(tmp_path):
    # the first row has no quotes
    text = "@relation r\n@attribute job {clerk,'no job',\"it's\"}\n@attribute y {a,b}\n@data\n"
    frame = read_frame(written(tmp_path, text + "clerk,a\n'no job',b\n?,a\n\"it's\",b\n"))
    assert frame["job"].tolist()[:2] == ["clerk", "no job"]
    assert frame["job"].isna().tolist() == [False, False, True, False]
    assert frame["job"][3] == "it's"
    assert frame["y"].tolist() == ["a", "b", "a", "b"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_other_alphabets(tmp_path, encoding):
    text = "@relation 표 하나\n@attribute Größe REAL\n@attribute 직업 {사무,öde}\n@attribute y {a,b}\n@data\n"
    path = written(tmp_path, text + "1,사무,a\n2,öde,b\n5,öde,a\n4,사무,b\n", encoding)
    X = read_table(path, "y").load().X
    assert list(X.columns) == ["Größe", "직업"]
    assert X["직업"].tolist() == ["사무", "öde", "öde", "사무"]
    latin = tmp_path / "latin.arff"
    latin.write_bytes(text.replace("표 하나", "t").replace("직업", "j").replace("사무", "ä").encode("latin-1"))
    with pytest.raises(InputError, match="not UTF-8"):
        read_frame(latin)


def test_sparse_rows_text_and_decimals_in_a_column_of_integers(tmp_path):
    text = "% by hand\n@RELATION r\n@ATTRIBUTE\tn\tINTEGER\n@Attribute 'a b'{p,q}\n@attribute s string\n@DATA\n"
    frame = read_frame(written(tmp_path, text + "{0 1.5, 2 'x, y'}\n% a remark\n{1 q, 2 z}\n"))
    assert list(frame.columns) == ["n", "a b", "s"]
    np.testing.assert_array_equal(frame["n"], [1.5, 0.0])
    assert frame["a b"].tolist() == ["p", "q"]  # what a sparse row leaves out is the first value
    assert frame["s"].tolist() == ["x, y", "z"]


def test_dates_are_dates(tmp_path):
    text = "@relation r\n@attribute d date 'yyyy-MM-dd'\n@attribute y {a,b}\n@data\n"
    path = written(tmp_path, text + "2020-01-01,a\n2020-01-02,b\n?,a\n2020-01-04,b\n")
    assert read_frame(path)["d"][0] == pd.Timestamp("2020-01-01")
    with pytest.raises(InputError, match="dates or times: leave it out with --drop d"):
        read_table(path, "y")


@pytest.mark.parametrize("row", ["1", "1,c", "x,a", "1,a,2", "{5 a}"])
def test_a_row_that_does_not_fit_is_one_line(tmp_path, row):
    path = written(tmp_path, f"@relation r\n@attribute x real\n@attribute y {{a,b}}\n@data\n1,a\n{row}\n")
    with pytest.raises(InputError, match="cannot be read as ARFF") as error:
        read_frame(path)
    assert "\n" not in str(error.value)
    assert "line 6" in str(error.value)
