"""What every augmenter promises, checked for each of them."""

import pickle

import numpy as np
import pandas as pd
import pytest
from augbench import methods
from augbench.errors import InputError
from sklearn.base import clone
from threadpoolctl import threadpool_limits

AUGMENTERS = [name for name in methods.GROUPS["all"] if methods.get(name).kind == "augmenter"]
ON_ANY_COLUMNS = [name for name in AUGMENTERS if not methods.get(name).numeric_only]
RANDOM = [name for name in AUGMENTERS if name != "constant-row"]


@pytest.fixture(autouse=True)
def _one_thread():
    with threadpool_limits(1):
        yield


def numeric_table(minority: int = 20, seed: int = 0, constant: bool = False) -> tuple[pd.DataFrame, np.ndarray]:
    rng = np.random.default_rng(seed)
    y = rng.permutation(np.repeat([0, 1], [60, minority]))
    X = rng.normal(size=(len(y), 3)) * [1, 100, 0.01] + [0, 1e4, 0.1]
    X[y == 1] += [0.8, 80, 0.008]
    if constant:
        X[:, 1] = 0.1
    return pd.DataFrame(X, columns=["a", "b", "c"]), y


def mixed_table(minority: int = 20, numeric: bool = True, text: bool = True) -> tuple[pd.DataFrame, np.ndarray]:
    X, y = numeric_table(minority)
    rng = np.random.default_rng(1)
    level = pd.Categorical(rng.choice(["low", "mid"], len(y)), categories=["low", "mid", "never"], ordered=True)
    digit = pd.Categorical(rng.choice([3, 1, 2], len(y)), categories=[3, 1, 2])
    X.insert(1, "level", level)
    X["digit"] = digit
    return X[([*"abc"] if numeric else []) + (["level", "digit"] if text else [])], y


def make(name: str, counts: dict[int, int], seed: int = 0):
    # a contract holds at any number of steps; float64: alone and among others the same rows
    known = methods.allowed_parameters(name)
    quick = {key: value for key, value in {"steps": 15, "dtype": "float64"}.items() if key in known}
    quick |= methods.get(name).checked_with
    return methods.make(name, quick, sampling_strategy=counts, random_state=seed)


@pytest.mark.parametrize("name", AUGMENTERS)
def test_original_rows_first_and_unchanged_counts_met_input_not_mutated(name):
    X, y = numeric_table()
    before, labels = X.copy(), y.copy()
    state = np.random.get_state()[1].copy()  # noqa: NPY002
    X_new, y_new = make(name, {1: 61}).fit_resample(X, y)
    assert np.array_equal(np.random.get_state()[1], state)  # noqa: NPY002
    pd.testing.assert_frame_equal(X, before)
    assert np.array_equal(y, labels)
    assert X_new.iloc[: len(X)].to_numpy().tobytes() == X.to_numpy().tobytes()
    assert np.array_equal(y_new[: len(y)], y)
    assert y_new.dtype == y.dtype
    assert list(X_new.index) == list(range(len(y_new)))
    assert list(X_new.dtypes) == list(X.dtypes)
    assert (np.bincount(y_new) == [60, 61]).all() or (not methods.get(name).exact_counts and 57 <= sum(y_new) <= 61)
    assert np.isfinite(X_new.to_numpy()).all()


@pytest.mark.parametrize("name", AUGMENTERS)
def test_seed_decides(name):
    X, y = numeric_table()
    one, again, other = (make(name, {1: 60}, seed).fit_resample(X, y)[0] for seed in (3, 3, 2**40))
    pd.testing.assert_frame_equal(one, again)
    assert one.equals(other) == (name not in RANDOM)


@pytest.mark.parametrize("name", AUGMENTERS)
def test_many_equals_one_by_one_and_keeps_errors(name):
    tables = [numeric_table(seed=1), numeric_table(1, seed=2), numeric_table(seed=3)]
    tables[1][0].iloc[0, 0] = np.nan
    many = make(name, {}).fit_resample_many(tables, [4, 5, 6], [{1: 50}] * 3)
    for (X, y), seed, result in zip(tables, (4, 5, 6), many, strict=True):
        if seed == 5:
            assert isinstance(result, ValueError)
        else:
            X_one, y_one = make(name, {1: 50}, seed).fit_resample(X, y)
            # one network alone and the same in a stack: equal up to rounding
            pd.testing.assert_frame_equal(result[0], X_one, rtol=1e-9 if name in methods.GROUPS["vae-family"] else 0)
            assert np.array_equal(result[1], y_one)


@pytest.mark.parametrize("name", AUGMENTERS)
def test_works_at_the_declared_minimum_or_says_why_not(name):
    cls = methods.get(name)
    done = 0
    for seed in range(8):
        X, y = numeric_table(cls.min_per_class, seed)
        try:
            done += len(make(name, {1: 40}, seed).fit_resample(X, y)[1]) >= 90
        except ValueError as error:
            assert "danger" in str(error) or "noise" in str(error)  # noqa: PT017
    assert done >= 1
    if cls.min_per_class > 1:
        X, y = numeric_table(1)
        with pytest.raises(ValueError, match="needs 2 rows of each class; class 1 has 1"):
            make(name, {1: 40}).fit_resample(X, y)


@pytest.mark.parametrize("name", [name for name in AUGMENTERS if not methods.get(name).binary_only])
def test_the_majority_and_several_classes_may_be_asked_for(name):
    rng = np.random.default_rng(0)
    y = np.repeat([0, 2, 5], [40, 20, 12])
    X = pd.DataFrame(rng.normal(size=(len(y), 2)) + y[:, None] * 0.2)
    y_new = make(name, {0: 80, 5: 40}).fit_resample(X, y)[1][len(y) :]
    assert set(y_new) == {0, 5}
    if methods.get(name).exact_counts:
        assert np.bincount(y_new).tolist() == [40, 0, 0, 0, 0, 28]


@pytest.mark.parametrize("name", AUGMENTERS)
def test_nothing_asked_gives_a_copy(name):
    X, y = numeric_table()
    X_new, y_new = make(name, {0: 60, 1: 20}).fit_resample(X, y)
    pd.testing.assert_frame_equal(X_new, X)
    assert X_new is not X
    assert np.array_equal(y_new, y)


@pytest.mark.parametrize("name", AUGMENTERS)
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_missing_and_infinite_cells_are_refused(name, value):
    X, y = numeric_table()
    X.loc[3, "b"] = value
    with pytest.raises(ValueError, match=r"missing \(NaN\) or infinite cells in: b$"):
        make(name, {1: 40}).fit_resample(X, y)


# what a published sigmoid gives is left as it is
@pytest.mark.parametrize("name", [name for name in AUGMENTERS if name != "predictive-vae-published"])
def test_constant_column(name):
    X, y = numeric_table(constant=True)
    new = make(name, {1: 60}).fit_resample(X, y)[0].iloc[len(y) :]
    np.testing.assert_allclose(new["b"], 0.1, rtol=1e-12)


@pytest.mark.parametrize("name", AUGMENTERS)
def test_array_with_integer_column_names(name):
    X, y = numeric_table()
    one = make(name, {1: 50}).fit_resample(X.to_numpy(), y)[0]
    other = make(name, {1: 50}).fit_resample(X, y)[0]
    assert np.array_equal(one.to_numpy(), other.to_numpy())


@pytest.mark.parametrize("name", ON_ANY_COLUMNS)
@pytest.mark.parametrize("numeric", [True, False])
def test_categories_and_dtypes_are_kept(name, numeric):
    X, y = mixed_table(numeric=numeric)
    X_new, y_new = make(name, {0: 70, 1: 60}).fit_resample(X, y)
    assert np.bincount(y_new).tolist() == [70, 60]
    assert X_new.dtypes.equals(X.dtypes)
    assert list(X_new.columns) == list(X.columns)
    pd.testing.assert_frame_equal(X_new.iloc[: len(X)], X)
    assert not X_new.isna().any(axis=None)
    assert set(X_new["level"]) <= {"low", "mid"}


@pytest.mark.parametrize("name", [name for name in AUGMENTERS if methods.get(name).numeric_only])
def test_numeric_only_methods_name_the_categorical_columns(name):
    X, y = mixed_table()
    with pytest.raises(ValueError, match="takes numeric columns only; categorical: level, digit"):
        make(name, {1: 50}).fit_resample(X, y)


@pytest.mark.parametrize("name", methods.names())
def test_is_an_estimator(name):
    method = methods.make(name, {})
    twin = clone(method)
    assert repr(twin.get_params()) == repr(method.get_params())
    assert type(pickle.loads(pickle.dumps(method))) is type(method)
    assert methods.describe(name).endswith(".")
    assert method.role == ("control" if name in methods.GROUPS["controls"] else "")


@pytest.mark.parametrize("name", AUGMENTERS)
def test_a_pickled_copy_makes_the_same_rows(name):
    X, y = numeric_table()
    method = make(name, {1: 50})
    copy = pickle.loads(pickle.dumps(method))
    pd.testing.assert_frame_equal(method.fit_resample(X, y)[0], copy.fit_resample(X, y)[0])


@pytest.mark.parametrize("name", AUGMENTERS)
def test_dtypes_of_numbers_are_kept(name):
    X, y = numeric_table()
    X = pd.DataFrame({"whole": (X["a"] * 3).round().astype("int64"), "short": X["c"].astype("float32"), "b": X["b"]})
    X_new, _ = make(name, {1: 50}).fit_resample(X, y)
    assert X_new.dtypes.equals(X.dtypes)
    pd.testing.assert_frame_equal(X_new.iloc[: len(X)], X)


@pytest.mark.parametrize("name", ["vae", "vae+gc", "predictive-vae-published", "smote+gc"])
def test_seeds_in_every_form(name):
    X, y = numeric_table()
    known = methods.allowed_parameters(name)
    quick = {"steps": 5} if "steps" in known else {}
    made = []
    for form in (None, 3, np.int64(3), np.random.default_rng(3), np.random.RandomState(3), np.random.SeedSequence(3)):
        X_new, y_new = methods.make(name, quick, sampling_strategy={1: 30}, random_state=form).fit_resample(X, y)
        assert np.bincount(y_new).tolist() == [60, 30]
        made.append(X_new)
    pd.testing.assert_frame_equal(made[1], made[2])


@pytest.mark.parametrize(
    ("name", "params", "words"),
    [
        ("vae", {"steps": 0}, "steps must be a whole number, at least 1; found 0"),
        ("vae", {"learning_rate": "x"}, "learning_rate must be above 0; found 'x'"),
        ("cvae", {"beta": float("nan")}, "beta must be 0 or more; found nan"),
        ("cvae", {"device": "cudaa"}, "device must be 'cpu', 'cuda' or 'cuda:N'; found 'cudaa'"),
        ("predictive-vae", {"hidden": 10}, "hidden must be 'auto' or a list of widths above 0; found 10"),
        ("predictive-vae", {"hidden": [0]}, r"hidden must be 'auto' or a list of widths above 0; found \[0\]"),
        ("predictive-vae", {"w_kl": -1}, "w_kl must be 0 or more; found -1"),
        ("predictive-vae-published", {"preset": "untraned"}, "untrained"),
        ("predictive-vae-published", {"selection": "all"}, "selection must be one of window, uncertain; found 'all'"),
        ("latent-noise", {"alpha": 1}, "parameter of method 'latent-noise' 'alpha'|alpha"),
        ("latent-interpolation", {"noise": 1}, "noise"),
        ("predictive-vae-published", {"steps": 5}, "steps"),
        ("autoencoder", {"steps": -1}, "steps must be a whole number, at least 1; found -1"),
        ("predictive-vae-published+gc", {"gc_bad": "early-reconstruction"}, "keep_early"),
    ],
)
def test_a_value_that_makes_no_sense_is_refused_when_the_method_is_made(name, params, words):
    with pytest.raises(InputError, match=words):
        methods.make(name, params)


def test_without_torch_a_method_says_what_to_type(monkeypatch):
    monkeypatch.setattr("augbench.methods.neural.checks.find_spec", lambda name: None)
    X, y = numeric_table()
    for name in ("vae", "autoencoder"):
        method = methods.make(name)
        with pytest.raises(InputError, match="need torch: pip install torch"):
            method.fit(X, y) if name == "autoencoder" else method.fit_resample(X, y)
