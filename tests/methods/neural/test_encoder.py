import pickle
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from augbench.errors import InputError
from augbench.methods.neural.encoder import NUMERIC, TableEncoder
from hypothesis import given, settings
from hypothesis import strategies as st

finite = st.floats(-1e300, 1e300, allow_nan=False, allow_infinity=False)
number_columns = {
    "float64": finite,
    "float32": st.floats(-(2.0**100), 2.0**100, width=32),
    "int64": st.integers(-(2**63), 2**63 - 1),
    "int8": st.integers(-128, 127),
    "uint8": st.integers(0, 255),
    "Int64": st.integers(-(2**40), 2**40),
    "Float64": st.floats(-1e9, 1e9),
    "bool": st.booleans(),
    "boolean": st.booleans(),
}
words = st.sampled_from(["a", "b", "c", "", "ä"])
text_columns = {"object": words, "string": words, "category": st.sampled_from([3, 1, 2])}
COLUMNS = number_columns | text_columns


@st.composite
def tables(draw, kinds=tuple(COLUMNS), gaps=False):
    n = draw(st.integers(1, 12))
    dtypes = draw(st.lists(st.sampled_from(kinds), max_size=5))
    columns = []
    for dtype in dtypes:
        cells = draw(st.lists(COLUMNS[dtype], min_size=n, max_size=n))
        if gaps:
            cells = [
                None if missing else cell
                for cell, missing in zip(cells, draw(st.lists(st.booleans(), min_size=n, max_size=n)), strict=True)
            ]
        columns.append(pd.Series(cells, dtype=dtype))
    X = pd.DataFrame(dict(enumerate(columns)), index=range(n))
    X.columns = draw(st.lists(st.sampled_from(["x", "y", 0, 1]), min_size=len(dtypes), max_size=len(dtypes)))
    return X


def assert_same(decoded, X, numeric_tolerance=1e-9):
    assert list(decoded.columns) == list(X.columns)
    assert list(decoded.dtypes) == list(X.dtypes)
    for j in range(X.shape[1]):
        got, was = decoded.iloc[:, j], X.iloc[:, j]
        assert got.isna().equals(was.isna())
        if pd.api.types.is_numeric_dtype(was.dtype):
            a, b = (one.to_numpy(dtype=float, na_value=np.nan) for one in (got, was))
            scale = np.nanmax(np.abs(b)) if not np.isnan(b).all() else 1.0
            np.testing.assert_allclose(a, b, rtol=0, atol=numeric_tolerance * scale)
            if scale <= 2**40 and pd.api.types.is_integer_dtype(was.dtype):
                assert got.equals(was)
        else:
            assert got.equals(was)


@settings(deadline=None)
@given(tables(), st.sampled_from(NUMERIC))
def test_the_training_rows_come_back(X, numeric):
    before = X.copy()
    encoder = TableEncoder(numeric).fit(X)
    encoded = encoder.encode(X)
    assert encoded.shape == (len(X), encoder.width)
    assert encoded.dtype == np.float64
    n_numeric, sizes = encoder.layout
    assert encoder.width == n_numeric + sum(sizes)
    assert [group.stop - group.start for group in encoder.groups] == list(sizes)
    assert all(np.array_equal(encoded[:, group].sum(axis=1), np.ones(len(X))) for group in encoder.groups)
    if numeric != "standard":
        assert encoded.min(initial=0.0) >= 0
        assert encoded.max(initial=0.0) <= 1
    assert_same(encoder.decode(encoded), X)
    assert_same(encoder.decode(encoded, np.random.default_rng(0)), X)
    pd.testing.assert_frame_equal(X, before)


@settings(deadline=None)
@given(tables(("float64", "Int64", "boolean", "object", "string", "category"), gaps=True), st.sampled_from(NUMERIC))
def test_gaps_come_back(X, numeric):
    encoder = TableEncoder(numeric, missing="mask").fit(X)
    encoded = encoder.encode(X)
    assert np.isfinite(encoded).all()
    assert_same(encoder.decode(encoded), X)


@settings(deadline=None)
@given(tables(), st.sampled_from(NUMERIC), st.integers(0, 1000))
def test_whatever_is_decoded_lies_in_the_training_rows_range_and_categories(X, numeric, seed):
    encoder = TableEncoder(numeric).fit(X)
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(20, encoder.width)) * 3
    values[:, encoder.layout[0] :] = np.abs(values[:, encoder.layout[0] :])
    decoded = encoder.decode(values, rng)
    assert list(decoded.dtypes) == list(X.dtypes)
    for j in range(X.shape[1]):
        got, was = decoded.iloc[:, j], X.iloc[:, j]
        if pd.api.types.is_numeric_dtype(was.dtype):
            assert got.min() >= was.min() or was.dtype == "int64"
            assert got.max() <= was.max() or was.dtype == "int64"
        else:
            assert set(got) <= set(was)


def test_scales():
    X = pd.DataFrame({"a": [0.0, 10.0, 20.0, 1000.0], "same": 7.25})
    places = {numeric: TableEncoder(numeric).fit(X).encode(X) for numeric in NUMERIC}
    np.testing.assert_allclose(places["minmax"][:, 0], [0, 0.01, 0.02, 1])
    np.testing.assert_allclose(places["quantile"][:, 0], [0, 1 / 3, 2 / 3, 1])
    np.testing.assert_allclose(places["standard"][:, 0], (X["a"] - X["a"].mean()) / X["a"].std(ddof=0))
    assert [places[numeric][0, 1] for numeric in NUMERIC] == [0.5, 0.5, 0.0]
    for numeric in NUMERIC:
        decoded = TableEncoder(numeric).fit(X).decode(np.array([[-9.0, -9.0], [9.0, 9.0]]))
        assert decoded["a"].tolist() == [0, 1000]
        assert decoded["same"].tolist() == [7.25, 7.25]
    free = TableEncoder("standard", clip=False).fit(X).decode(np.array([[9.0, 9.0]]))
    np.testing.assert_allclose(free["a"], np.rint(X["a"].mean() + 9 * X["a"].std(ddof=0)))
    assert free["same"].tolist() == [7.25]


def test_without_clipping_small_dtypes_keep_their_limits():
    X = pd.DataFrame({"byte": np.array([0, 100], dtype="int8"), "flag": [False, True], "maybe": [False, True]})
    X["maybe"] = X["maybe"].astype("boolean")
    decoded = TableEncoder("standard", clip=False).fit(X).decode(np.array([[9.0] * 3, [-9.0] * 3]))
    assert decoded.to_numpy().tolist() == [[127, True, True], [-128, False, False]]
    assert decoded.dtypes.equals(X.dtypes)


def test_quantiles_of_a_skewed_column_of_many_rows_are_even():
    values = np.random.default_rng(0).lognormal(size=5000)
    X = pd.DataFrame({"a": values})
    encoder = TableEncoder("quantile").fit(X)
    encoded = encoder.encode(X)
    assert np.abs(np.sort(encoded[:, 0]) - np.linspace(0, 1, 5000)).max() < 2e-3
    np.testing.assert_allclose(encoder.decode(encoded)["a"], values, atol=1e-9)


def test_whole_numbers_stay_whole_and_others_do_not():
    X = pd.DataFrame(
        {"whole": [1.0, 4.0, 9.0], "other": [1.0, 4.0, 9.5], "int": [1, 4, 9], "flag": [True, False, True]}
    )
    decoded = TableEncoder().fit(X).decode(np.full((1, 4), 0.4))
    assert decoded.iloc[0].tolist() == [4.0, 4.4, 4, False]
    assert list(decoded.dtypes) == list(X.dtypes)


def test_categories_keep_order_and_only_those_that_occur():
    level = pd.Categorical(["mid", "low", "mid"], categories=["never", "low", "mid", "high"], ordered=True)
    X = pd.DataFrame({"level": level, "text": ["b", "a", "b"]})
    encoder = TableEncoder().fit(X)
    assert encoder.layout == (0, (2, 2))
    decoded = encoder.decode(np.array([[0.9, 0.1, 0.0, 5.0], [0.0, 0.0, 0.0, 0.0]]))
    assert decoded["level"].dtype == X["level"].dtype
    assert decoded["level"].tolist() == ["low", "low"]
    assert decoded["text"].tolist() == ["b", "a"]
    other = pd.DataFrame({"level": level.from_codes([0, 2, 3], dtype=level.dtype), "text": ["a", "z", "b"]})
    assert encoder.encode(other).tolist() == [[0, 0, 1, 0], [0, 1, 0, 0], [0, 0, 0, 1]]


def test_categories_are_drawn_by_their_weights():
    X = pd.DataFrame({"text": ["a", "b", "c"]})
    encoder = TableEncoder().fit(X)
    drawn = encoder.decode(np.tile([1.0, 0.0, 3.0], (4000, 1)), np.random.default_rng(1))["text"]
    assert "b" not in set(drawn)
    assert abs((drawn == "c").mean() - 0.75) < 0.03
    again = encoder.decode(np.tile([1.0, 0.0, 3.0], (4000, 1)), np.random.default_rng(1))["text"]
    assert drawn.equals(again)
    even = encoder.decode(np.zeros((4000, 3)), np.random.default_rng(1))["text"].value_counts(normalize=True)
    assert np.abs(even - 1 / 3).max() < 0.03
    tiny = encoder.decode(np.tile([0.0, 5e-324, 0.0], (50, 1)), np.random.default_rng(1))["text"]
    assert set(tiny) == {"b"}


def test_masks_stand_last_and_gaps_hold_the_mean():
    X = pd.DataFrame({"a": [0.0, np.nan, 4.0], "full": [1.0, 2.0, 3.0], "hue": ["red", None, "blue"], "gone": np.nan})
    encoder = TableEncoder(missing="mask").fit(X)
    assert encoder.layout == (3, (3, 2, 2))
    assert encoder.encode(X)[1].tolist() == [0.5, 0.5, 0.5, 0, 0, 1, 0, 1, 0, 1]
    decoded = encoder.decode(np.array([[0.5, 0.5, 0.5, 0, 0, 1, 0, 1, 1, 0], [0.5, 0.5, 0.5, 1, 0, 0, 1, 0, 1, 0]]))
    assert decoded["a"].isna().tolist() == [True, False]
    assert decoded["hue"].tolist() == [None, "blue"]
    assert decoded["gone"].isna().all()
    drawn = encoder.decode(np.tile([0.5, 0.5, 0.5, 1, 0, 0, 1, 3, 1, 0], (4000, 1)), np.random.default_rng(0))
    assert abs(drawn["a"].isna().mean() - 0.75) < 0.03
    assert TableEncoder(missing="mask").fit(X[["full"]]).layout == (1, ())


def test_errors_name_the_column():
    X = pd.DataFrame({"a": [0.0, 1.0], "hue": ["red", "blue"]})
    encoder = TableEncoder().fit(X)
    gap = X.assign(a=[np.nan, 1.0], hue=["red", None])
    with pytest.raises(ValueError, match=r"missing \(NaN\) cells in: a, hue; impute them first"):
        TableEncoder().fit(gap)
    with pytest.raises(ValueError, match=r"cells in: a, hue, which had none in the training rows"):
        encoder.encode(gap)
    with pytest.raises(ValueError, match="infinite cells in: a"):
        encoder.encode(X.assign(a=np.inf))
    with pytest.raises(ValueError, match="'when' has dtype datetime64"):
        TableEncoder().fit(X.assign(when=pd.Timestamp("2020-01-01")))
    with pytest.raises(ValueError, match="'c' has dtype complex128"):
        TableEncoder().fit(X.assign(c=1j))
    with pytest.raises(ValueError, match="no rows"):
        TableEncoder().fit(X.iloc[:0])
    with pytest.raises(ValueError, match="has the columns hue, a; the encoder learnt a, hue"):
        encoder.encode(X[["hue", "a"]])
    for values, words in (
        ([[np.nan, 1.0, 0.0]], "'a': a value to decode is not finite"),
        ([[0.5, 1.0, np.inf]], "'hue': a value to decode is not finite"),
        ([[0.5, 1.0, -0.5]], "'hue': a category has a negative weight, -0.5"),
        ([[0.5, 1.0]], r"shape \(n_rows, 3\); found \(1, 2\)"),
    ):
        with pytest.raises(ValueError, match=words):
            encoder.decode(np.array(values))
    for parameters in ({"numeric": "log"}, {"missing": "drop"}, {"clip": False}):
        with pytest.raises(InputError, match=next(iter(parameters))):
            TableEncoder(**parameters)


def test_nothing_to_decode_no_columns_and_pickles():
    X = pd.DataFrame({"a": [0.0, 1.0], "hue": pd.Categorical(["red", "blue"])})
    encoder = pickle.loads(pickle.dumps(TableEncoder("quantile").fit(X)))
    assert encoder.decode(np.zeros((0, 3)), np.random.default_rng(0)).dtypes.equals(X.dtypes)
    assert encoder.encode(X.iloc[:0]).shape == (0, 3)
    bare = pd.DataFrame(index=range(3))
    assert TableEncoder().fit(bare).decode(np.zeros((2, 0))).shape == (2, 0)


def test_torch_is_not_imported():
    code = "import sys, augbench.methods.neural.encoder; print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "False"
