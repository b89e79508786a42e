"""Every built-in method passes the check kit; and what the kit does not ask of third parties."""

import numpy as np
import pandas as pd
import pytest
from augbench import methods
from augbench.errors import InputError
from augbench.methods.checks import checks_of, parametrize_with_checks

#: checks that take half a minute and more: `bench check all` runs them
LONG = {
    "check_declared_seconds": {*methods.GROUPS["vae-family"], *methods.GROUPS["generators"], "lstm-autoencoder"}
    - {"predictive-vae-published", "gaussian-copula"},
    # they fit a mixture to each column
    "check_many_columns": {*methods.GROUPS["generators"]},
}

AUGMENTERS = [name for name in methods.GROUPS["all"] if methods.get(name).kind == "augmenter"]


@parametrize_with_checks([*methods.GROUPS["all"]])
def test_every_method_keeps_the_promises_of_the_contract(method, check):
    if method.name in LONG.get(check.name, ()):
        pytest.skip("takes its time: bench check all")
    check(method)


# the filter asks its augmenter, and answers, by ways of its own
@parametrize_with_checks(["random-oversampling+gc"])
def test_the_filter_keeps_the_promises_of_the_contract(method, check, monkeypatch):
    if check.name != "check_worker_process":
        # a small forest does: the promises are not of quality
        monkeypatch.setattr("augbench.methods.filters.ROUNDS", 1)
    check(method)


def numeric_table(minority: int = 20, seed: int = 0) -> tuple[pd.DataFrame, np.ndarray]:
    rng = np.random.default_rng(seed)
    y = rng.permutation(np.repeat([0, 1], [60, minority]))
    return pd.DataFrame(rng.normal(size=(len(y), 3)) + 0.8 * y[:, None], columns=["a", "b", "c"]), y


def test_what_is_known_not_to_work_is_little_and_told():
    limits = {name: set(methods.get(name).known_limits) for name in methods.GROUPS["all"]}
    assert {name: found for name, found in limits.items() if found} == {
        "borderline-smote": {"check_duplicates_only"},
        "kmeans-smote": {"check_duplicates_only"},
        "predictive-vae-published": {"check_constant_column"},
    }
    assert all(len(checks_of(name)) >= 13 for name in methods.GROUPS["all"])


@pytest.mark.parametrize("name", AUGMENTERS)
def test_a_filter_of_it_declares_what_it_declares(name):
    plain, filtered = methods.make(name), methods.make(f"{name}+gc")
    for declared in ("min_per_class", "numeric_only", "binary_only", "exact_counts", "deterministic", "many_tolerance"):
        assert getattr(filtered, declared) == getattr(plain, declared)
    assert filtered.checked_with == {f"augmenter__{key}": value for key, value in plain.checked_with.items()}


@pytest.mark.parametrize("name", methods.names())
def test_roles_and_descriptions(name):
    method = methods.make(name, {})
    assert methods.describe(name).endswith(".")
    assert method.role == ("control" if name in methods.GROUPS["controls"] else "")


@pytest.mark.parametrize("name", ["smote", "vae", "smote+gc"])
def test_labels_of_any_kind_come_back_as_they_were_given(name):
    X, y = numeric_table()
    quick = {"steps": 5} if "steps" in methods.allowed_parameters(name) else {}
    names = np.array(["common", "rare"])[y]

    def resampled(labels, strategy):
        return methods.make(name, quick, sampling_strategy=strategy, random_state=0).fit_resample(X, labels)[1]

    truth = resampled(y == 1, {True: 30})
    assert truth.dtype == bool
    assert truth.sum() == 30
    listed = resampled(list(names), "auto")
    assert isinstance(listed, np.ndarray)
    assert (listed == "rare").sum() == 60
    called = resampled(names, lambda labels: {"rare": 5 + sum(labels == "rare")})
    assert (called == "rare").sum() == 25
    series = resampled(pd.Series(pd.Categorical(names), name="target"), "minority")
    assert (series.name, series.dtype, len(series)) == ("target", "category", 120)
    with pytest.raises(ValueError, match="y has 1 missing labels"):
        resampled([*names[:-1], None], "auto")
    with pytest.raises(ValueError, match=r"one label for each row; found shape \(80, 2\)"):
        resampled(np.c_[y, y], "auto")
    if methods.make(name).min_per_class > 1:
        few = np.repeat(["common", "rare"], [79, 1])
        with pytest.raises(ValueError, match="needs 2 rows of each class; class rare has 1"):
            resampled(few, "auto")


def test_a_column_name_that_occurs_twice_is_refused():
    X = pd.DataFrame(np.ones((4, 3)), columns=["a", "b", "a"])
    with pytest.raises(ValueError, match=r"column names must differ; more than once: a$"):
        methods.make("random-oversampling").fit_resample(X, np.array([0, 0, 0, 1]))


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (None, "must return a DataFrame and labels; it returned NoneType"),
        ((np.ones((2, 2)), [1, 1]), "it returned ndarray, list"),
        ((pd.DataFrame(np.ones((2, 3))), [1, 1]), "returned 3 columns; the training rows have 2"),
        ((pd.DataFrame(np.ones((2, 2))), [1]), "returned 2 rows and 1 labels"),
    ],
)
def test_what_is_no_table_and_labels_is_told(made, message):
    class Careless(methods.Augmenter):
        """Returns what it likes."""

        def _generate(self, X, y, counts, rng):
            return made

    with pytest.raises((TypeError, ValueError), match=message):
        Careless().fit_resample(pd.DataFrame(np.ones((4, 2))), np.array([0, 0, 0, 1]))


def test_a_code_of_no_class_is_told_where_labels_are_text():
    class Mistaken(methods.Augmenter):
        """Knows a third class."""

        def _generate(self, X, y, counts, rng):
            return X.iloc[:1], np.array([2])

    X, y = numeric_table()
    with pytest.raises(ValueError, match="class code 2 was returned; there are 0 to 1"):
        Mistaken().fit_resample(X, np.array(["common", "rare"])[y])


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
