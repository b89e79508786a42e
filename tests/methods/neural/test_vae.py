"""The methods of the VAE family: what they make, what they warn of, and scikit-learn's rules."""

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from augbench import methods
from augbench.errors import InputError
from augbench.methods.neural import networks, training
from augbench.methods.neural.vae import CVAE, VAE
from imblearn.pipeline import make_pipeline
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score

FAMILY = methods.GROUPS["vae-family"]
ON_ANY_COLUMNS = [name for name in FAMILY if not methods.get(name).numeric_only]
#: few steps; the published form counts epochs
QUICK = {name: {"epochs": 2} if name == "predictive-vae-published" else {"steps": 40} for name in FAMILY}


def make(name, **more):
    return methods.make(name, QUICK[name], **{"random_state": 0, **more})


def numeric_table(sizes=(40, 15), seed=0):
    rng = np.random.default_rng(seed)
    y = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    X = rng.random((len(y), 3)) * [1, 0.5, 0.2] + 0.3 * (y > 0)[:, None]
    return pd.DataFrame(X, columns=["a", "b", "c"]), y


def mixed_table(seed=0):
    X, y = numeric_table((40, 15, 10), seed)
    rng = np.random.default_rng(seed)
    X["whole"] = rng.integers(3, 30, len(y))
    X.insert(1, "level", pd.Categorical(rng.choice(["low", "mid"], len(y)), categories=["low", "mid", "never"]))
    X["word"] = rng.choice(["x", "y", "z"], len(y))
    return X, y


@pytest.mark.parametrize("name", FAMILY)
def test_counts_and_more_than_copies(name):
    X, y = numeric_table()
    X_new, y_new = make(name, sampling_strategy={0: 47, 1: 58}).fit_resample(X, y)
    assert np.bincount(y_new[len(y) :]).tolist() == [7, 43]
    pd.testing.assert_frame_equal(X_new.iloc[: len(y)], X)
    known = {tuple(row) for row in X.to_numpy()}
    new = [tuple(row) for row in X_new.iloc[len(y) :][y_new[len(y) :] == 1].to_numpy()]
    assert sum(row in known for row in new) < len(new) / 2
    assert len(set(new)) > 20


@pytest.mark.parametrize("name", ON_ANY_COLUMNS)
def test_no_value_outside_the_training_rows(name):
    X, y = mixed_table()
    X_new, y_new = make(name, sampling_strategy={0: 60, 1: 55, 2: 40}).fit_resample(X, y)
    new = X_new.iloc[len(y) :]
    assert np.bincount(y_new).tolist() == [60, 55, 40]
    assert X_new.dtypes.equals(X.dtypes)
    assert set(new["level"]) <= {"low", "mid"}
    assert set(new["word"]) <= {"x", "y", "z"}
    for column in ("a", "b", "c", "whole"):
        assert new[column].between(X[column].min(), X[column].max()).all()
    assert (new["whole"] % 1 == 0).all()
    rows = X.astype(str).agg("|".join, axis=1)
    assert not new.astype(str).agg("|".join, axis=1).isin(rows).any()


@pytest.mark.parametrize("name", ON_ANY_COLUMNS)
def test_categories_alone(name):
    X, y = mixed_table()
    X_new, y_new = make(name, sampling_strategy={1: 40}).fit_resample(X[["level", "word"]], y)
    assert len(y_new) == 65 + 25
    assert set(X_new["word"]) == {"x", "y", "z"}


@pytest.mark.parametrize("name", FAMILY)
def test_is_a_scikit_learn_citizen(name):
    X, y = numeric_table()
    method = make(name, batch_size=7)
    twin = clone(method)
    assert twin.get_params() == method.get_params()
    assert twin.set_params(batch_size=9).batch_size == 9
    assert method.batch_size == 7
    assert twin != method
    assert "batch_size=7" in repr(method)
    first = method.fit_resample(X, y)[0]
    fitted = pickle.loads(pickle.dumps(method))
    pd.testing.assert_frame_equal(fitted.training_history_, method.training_history_)
    pd.testing.assert_frame_equal(fitted.fit_resample(X, y)[0], first)
    pd.testing.assert_frame_equal(clone(method).fit_resample(X, y)[0], first)
    pipeline = make_pipeline(make(name), LogisticRegression())
    assert (cross_val_score(pipeline, X, y, cv=2, error_score="raise") > 0.4).all()
    assert set(pipeline.fit(X, y).predict(X)) <= {0, 1}
    pipeline.set_params(**{f"{type(method).__name__.lower()}__batch_size": 5})
    assert pipeline[0].batch_size == 5


@pytest.mark.parametrize("name", ["vae", "latent-noise"])
def test_every_form_of_random_state(name):
    X, y = numeric_table()

    def rows(state):
        return make(name, random_state=state).fit_resample(X, y)[0].to_numpy()

    one = rows(3)
    assert np.array_equal(one, rows(np.random.default_rng(3)))
    assert np.array_equal(one, rows(np.random.SeedSequence(3)))
    assert np.array_equal(one, rows(np.int64(3)))
    legacy = [np.random.RandomState(3) for _ in range(2)]
    assert np.array_equal(rows(legacy[0]), rows(legacy[1]))
    assert not np.array_equal(rows(legacy[0]), rows(legacy[1])[::-1])
    assert not np.array_equal(rows(None), rows(None))
    # a generator goes on: the second call gives other rows
    method = make(name, random_state=np.random.default_rng(3))
    assert np.array_equal(method.fit_resample(X, y)[0], one)
    assert not np.array_equal(method.fit_resample(X, y)[0], one)


@pytest.mark.parametrize("name", FAMILY)
def test_many_tables_as_one_stack_equal_each_alone(name):
    tables = [numeric_table(sizes, seed) for seed, sizes in enumerate([(40, 15), (20, 20), (60, 11)])]
    strategies = [{0: 50, 1: 30}, {0: 25, 1: 33}, {0: 70, 1: 12}]
    method = make(name, dtype="float64")
    stacked = method.fit_resample_many(tables, [4, 5, 6], strategies)
    histories = method.training_histories_
    for i, (X, y) in enumerate(tables):
        alone = make(name, dtype="float64", random_state=4 + i, sampling_strategy=strategies[i])
        X_one, y_one = alone.fit_resample(X, y)
        np.testing.assert_allclose(stacked[i][0], X_one, rtol=0, atol=1e-10)
        assert np.array_equal(stacked[i][1], y_one)
        pd.testing.assert_frame_equal(histories[i], alone.training_history_, rtol=1e-9)


def test_labels_may_be_words_and_rows_an_array():
    X, y = numeric_table()
    words = np.array(["many", "few"])[y]
    method = VAE(steps=30, random_state=0, sampling_strategy={"few": 40})
    X_new, y_new = method.fit_resample(X.to_numpy(), words)
    assert X_new.shape == (80, 3)
    assert (y_new[55:] == "few").all()
    assert set(method.training_history_["model"]) == {"class few"}


def test_training_history_of_every_network():
    X, y = numeric_table((30, 20, 10))
    method = VAE(steps=30, random_state=0)
    method.fit_resample(X, y)
    history = method.training_history_
    assert history.columns.tolist() == ["model", "step", "loss", "reconstruction", "kl"]
    assert history.groupby("model")["step"].max().to_dict() == {"class 1": 30, "class 2": 30}
    # training does something
    assert history.groupby("model")["loss"].last().lt(history.groupby("model")["loss"].first()).all()
    assert not hasattr(clone(method), "training_history_")


def test_divergence_warns_and_fails_its_own_table_only(monkeypatch):
    tables = [numeric_table(seed=seed) for seed in range(3)]
    method = VAE(steps=40, random_state=0)
    whole = method.fit_resample_many(tables, [1, 2, 3], [{1: 30}] * 3)
    original = VAE._set

    def planted(self, task, pool, name):
        made = original(self, task, pool, name)
        if task.X.equals(tables[1][0]):
            made.x[pool[0]] = np.inf
        return made

    monkeypatch.setattr(VAE, "_set", planted)
    with pytest.warns(UserWarning, match=r"training diverged \(the loss was not a number\): class 1$"):
        done = method.fit_resample_many(tables, [1, 2, 3], [{1: 30}] * 3)
    assert isinstance(done[1], ValueError)
    assert str(done[1]) == "training diverged (the loss was not a number): class 1"
    for i in (0, 2):
        pd.testing.assert_frame_equal(done[i][0], whole[i][0], check_exact=True)


@pytest.mark.parametrize("patience", [0, 2])
def test_a_learning_rate_beyond_sense_is_reported(patience):
    X, y = numeric_table()
    with (
        pytest.warns(UserWarning, match="training diverged"),
        pytest.raises(ValueError, match=r"training diverged \(the loss was not a number\): class 1"),
    ):
        VAE(steps=200, learning_rate=1e6, random_state=0, patience=patience).fit_resample(X, y)


@pytest.mark.parametrize("patience", [0, 3])
def test_collapsed_posterior_is_reported(patience):
    X, y = numeric_table((40, 20))
    with pytest.warns(UserWarning, match=r"posterior collapsed \(KL below 0.01 nats\) in 1 of 1 networks: class 1"):
        VAE(steps=400, beta=1e3, random_state=0, patience=patience).fit_resample(X, y)


def test_rows_that_are_one_row_are_reported(monkeypatch):
    X, y = numeric_table((40, 20))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        VAE(steps=300, beta=0.1, random_state=0).fit_resample(X, y)
    original = networks.VAE.rows

    def all_alike(self, z, y):
        return 0.5 + 1e-4 * original(self, z, y)

    monkeypatch.setattr(networks.VAE, "rows", all_alike)
    with pytest.warns(UserWarning, match=r"all generated rows of a class lie within 0.001 of each other"):
        VAE(steps=300, beta=0.1, random_state=0).fit_resample(X, y)


def test_patience_holds_rows_out_and_stops():
    X, y = numeric_table((40, 30))
    method = VAE(steps=1200, patience=2, learning_rate=1e-2, random_state=0)
    method.fit_resample(X, y)
    history = method.training_history_
    assert history["validation"].notna().any()
    assert history["step"].max() < 1200
    X, y = numeric_table((40, 1))
    with pytest.raises(ValueError, match=r"class 1: stopping on a plateau \(patience=2\) needs 2 rows; found 1"):
        method.fit_resample(X, y)


@pytest.mark.parametrize("patience", [0, 1])
def test_early_reconstructions(patience):
    X, y = mixed_table()
    # classes that get no rows have no network of their own
    for cls, classes in ((VAE, [1, 2]), (CVAE, [0, 1, 2])):
        method = cls(steps=60, keep_early=True, patience=patience, learning_rate=0.05, random_state=0)
        method.fit_resample(X, y)
        (early,) = method.early_reconstructions_
        assert sorted(early.index) == np.flatnonzero(np.isin(y, classes)).tolist()
        assert early.dtypes.equals(X.dtypes)


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"steps": 0}, "steps must be a whole number, at least 1; found 0"),
        ({"batch_size": 2.5}, "batch_size must be a whole number, at least 1; found 2.5"),
        ({"patience": -1}, "patience must be a whole number, at least 0; found -1"),
        ({"latent_dim": 0}, "latent_dim must be a whole number, at least 1; found 0"),
        ({"learning_rate": 0}, "learning_rate must be above 0; found 0"),
        ({"dtype": "float16"}, "dtype must be 'float32' or 'float64'; found 'float16'"),
        ({"numeric": "standard"}, "numeric must be 'minmax' or 'quantile'; found 'standard'"),
        ({"likelihood": "poisson"}, "likelihood must be one of gaussian, bernoulli, mse; found 'poisson'"),
        ({"beta": -1}, "beta must be 0 or more; found -1"),
        ({"beta": np.nan}, "beta must be 0 or more; found nan"),
        ({"hidden": []}, r"hidden must be 'auto' or a list of widths above 0; found \[\]"),
        ({"mix_in": 1}, "mix_in must be at least 0 and below 1; found 1"),
    ],
)
def test_parameters_are_checked(params, words):
    X, y = numeric_table()
    with pytest.raises(InputError, match=words):
        VAE(**params).fit_resample(X, y)


def sets_of(method, X, y, monkeypatch):
    """The training sets that a method hands to `train`."""
    seen = []
    original = training.train

    def spy(build, sets, schedule):
        seen.extend(sets)
        return original(build, sets, schedule)

    monkeypatch.setattr(training, "train", spy)
    method.fit_resample(X, y)
    return seen


def test_mix_in_and_balance(monkeypatch):
    X, y = numeric_table((60, 8, 24))
    (few, some) = sets_of(VAE(steps=1, mix_in=0.2, random_state=0), X, y, monkeypatch)
    assert np.bincount(y[few.pool]).tolist()[1] == 8
    assert len(few.pool) == 10
    assert np.bincount(y[some.pool]).tolist()[2] == 24
    assert len(some.pool) == 30
    (everything,) = sets_of(CVAE(steps=1, balance=True, random_state=0), X, y, monkeypatch)
    assert np.bincount(y[everything.pool]).tolist() == [60, 60, 60]
    assert set(everything.pool) == set(range(92))


CENTRES = np.array([[0.0, 0.0], [4.0, 2.5], [0.0, 4.0]])
COVARIANCES = np.array([[[0.25, 0.0], [0.0, 0.16]], [[0.25, 0.15], [0.15, 0.18]], [[0.16, -0.12], [-0.12, 0.18]]])


@pytest.mark.parametrize("cls", [VAE, CVAE])
def test_a_known_mixture_comes_back(cls):
    """Class 0 is a mixture of two normals (0.3 and 0.7), class 1 a third.

    Tolerances, for 4,000 new rows of each class. Each class as a whole: mean within 0.25 standard deviations,
    covariance within 20 % (Frobenius norm). Inside the mixture a continuous decoder builds a bridge between the two
    components: at most 12 % of the rows are on it (farther than 3 standard deviations from both); the components'
    shares are within 0.05, their means within 0.5 standard deviations, their covariances within 60 %.
    """
    rng = np.random.default_rng(0)
    component = np.repeat([0, 1, 2], [210, 490, 500])
    X = np.array([rng.multivariate_normal(CENTRES[k], COVARIANCES[k]) for k in component])
    y = (component == 2).astype(int)
    many = {0: 4700, 1: 4500}
    method = cls(hidden=[64, 64], steps=4000, batch_size=100, learning_rate=2e-3, random_state=0)
    X_new, y_new = method.set_params(sampling_strategy=many).fit_resample(pd.DataFrame(X), y)
    new, label = X_new.to_numpy()[len(y) :], y_new[len(y) :]

    def assert_like(rows, mean, covariance, mean_within, covariance_within):
        assert (np.abs(rows.mean(axis=0) - mean) < mean_within * np.sqrt(np.diag(covariance))).all()
        assert np.linalg.norm(np.cov(rows.T) - covariance) < covariance_within * np.linalg.norm(covariance)

    whole = 0.3 * CENTRES[0] + 0.7 * CENTRES[1]
    between = sum(
        share * (COVARIANCES[k] + np.outer(CENTRES[k] - whole, CENTRES[k] - whole)) for k, share in ((0, 0.3), (1, 0.7))
    )
    assert_like(new[label == 0], whole, between, 0.25, 0.2)
    assert_like(new[label == 1], CENTRES[2], COVARIANCES[2], 0.25, 0.2)
    mixed = new[label == 0]
    offset = mixed[:, None] - CENTRES[:2]
    distance = np.sqrt(np.einsum("nki,kij,nkj->nk", offset, np.linalg.inv(COVARIANCES[:2]), offset))
    near = distance.min(axis=1) < 3
    assert near.mean() > 0.88
    found = distance.argmin(axis=1)
    assert np.mean(found[near] == 0) == pytest.approx(0.3, abs=0.05)
    for k in range(2):
        assert_like(mixed[near & (found == k)], CENTRES[k], COVARIANCES[k], 0.5, 0.6)
