import time
import warnings

import numpy as np
import pytest
from augbench.bench import classifiers
from augbench.bench.classifiers import OneUnitNetwork, PenalisedLogisticRegression, aligned_probabilities, make
from augbench.errors import InputError
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits


@pytest.fixture(autouse=True)
def _one_thread():
    """As in a run; on a busy machine the threads of gradient boosting wait for each other."""
    with threadpool_limits(1):
        yield


def table(n=150, k=2, seed=0):
    rng = np.random.default_rng(seed)
    y = np.arange(n) % k
    return rng.normal(size=(n, 4)) + 2 * np.eye(4)[y], y


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", classifiers.names())
@pytest.mark.parametrize("k", [2, 3])
def test_every_classifier(name, k):
    X, y = table(k=k)
    state = np.random.get_state()[1].copy()  # noqa: NPY002
    params = {"epochs": 300, "learning_rate": 0.02} if name == "one-unit-network" else {}
    one, again = (make(name, params, random_state=2**40).fit(X, y, sample_weight=np.ones(len(y))) for _ in range(2))
    assert np.array_equal(np.random.get_state()[1], state)  # noqa: NPY002
    p = aligned_probabilities(one, X, k)
    assert p.shape == (len(y), k)
    np.testing.assert_allclose(p.sum(axis=1), 1)
    assert np.array_equal(p, aligned_probabilities(again, X, k))
    assert (p.argmax(axis=1) == y).mean() > 0.75
    clone(one)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", classifiers.names())
def test_weights_count(name):
    X, y = table()
    params = {"epochs": 100, "learning_rate": 0.02} if name == "one-unit-network" else {}
    plain, weighted = (
        make(name, params, random_state=0).fit(X, y, sample_weight=weight).predict_proba(X)[:, 1].mean()
        for weight in (None, np.where(y == 1, 9.0, 1.0))
    )
    assert weighted > plain


def test_logistic_regression_is_scikit_learns_and_converges():
    for k, columns in ((2, 4), (3, 4), (2, 120)):
        X, y = table(k=k)
        X = np.hstack([X, np.random.default_rng(1).normal(size=(len(X), columns - 4))])
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            ours = PenalisedLogisticRegression().fit(X, y)
        theirs = LogisticRegression(tol=1e-10, max_iter=5000).fit(X, y)
        np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), atol=2e-3)
        assert np.array_equal(ours.predict(X), theirs.predict(X))


def test_one_unit_network_first_step_by_hand():
    X, y = table(60)
    untrained = OneUnitNetwork(epochs=0, random_state=3).fit(X, y)
    limit = np.sqrt(6 / 5)
    assert (np.abs(untrained.coef_) <= limit).all()
    assert untrained.intercept_ == [0]
    weight = np.linspace(0.5, 1.5, 60)
    trained = OneUnitNetwork(epochs=1, random_state=3).fit(X, y, weight)
    p = 1 / (1 + np.exp(-(X @ untrained.coef_)[:, 0]))
    gradient = np.append(((p - y) * weight) @ X, ((p - y) * weight).sum()) / 60
    step = 1e-3 * gradient / (np.sqrt(0.1 * gradient**2) + 1e-7)
    np.testing.assert_allclose(trained.coef_[:, 0], untrained.coef_[:, 0] - step[:-1])
    np.testing.assert_allclose(trained.intercept_, -step[-1:])


def test_one_unit_network_trained_long_is_unpenalised_logistic_regression():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 2))
    y = (rng.random(400) < 1 / (1 + np.exp(-X @ [1.0, -0.5]))).astype(int)
    network = OneUnitNetwork(epochs=1500, random_state=0, learning_rate=2e-3, batch_size=400).fit(X, y)
    exact = LogisticRegression(C=np.inf).fit(X, y)
    np.testing.assert_allclose(network.coef_[:, 0], exact.coef_[0], atol=0.02)


def test_one_unit_network_wants_raw_columns_two_classes_and_no_time():
    assert not OneUnitNetwork.scaled
    assert getattr(make("logistic-regression"), "scaled", True)
    with pytest.raises(ValueError, match="all of class 4"):
        OneUnitNetwork().fit(np.zeros((3, 1)), np.array([4, 4, 4]))
    X = np.random.default_rng(0).random((80_000, 10))
    start = time.perf_counter()
    OneUnitNetwork(random_state=0).fit(X, (X[:, 0] > 0.5).astype(int))
    assert time.perf_counter() - start < 5  # 0.12 s on an idle core


def test_absent_classes_have_probability_zero():
    X, y = table()
    p = aligned_probabilities(make("logistic-regression").fit(X, np.where(y == 1, 3, 1)), X, 5)
    assert p.shape == (len(y), 5)
    assert (p[:, [0, 2, 4]] == 0).all()
    np.testing.assert_allclose(p.sum(axis=1), 1)


def test_registry(monkeypatch):
    monkeypatch.setattr(classifiers, "_CLASSIFIERS", dict(classifiers._CLASSIFIERS))
    monkeypatch.setattr(classifiers, "GROUPS", {"all": list(classifiers.GROUPS["all"])})
    assert make("mlp", {"hidden_units": 8}).hidden_units == 8
    assert make("random-forest", {"n_estimators": 7}, random_state=3).get_params()["random_state"] == 3
    with pytest.raises(InputError, match="unknown classifier 'forest': did you mean 'random-forest'"):
        make("forest")
    with pytest.raises(InputError, match="unknown parameter of classifier 'random-forest' 'n_tree'"):
        make("random-forest", {"n_tree": 3})
    with pytest.raises(InputError, match="unknown parameter"):
        make("random-forest", {"random_state": 3})

    class Mine(LogisticRegression):
        """Mine.

        More.
        """

    classifiers.register(Mine, "mine")
    assert classifiers.names()[-1] == "mine"
    assert classifiers.describe("mine") == "Mine."
    assert isinstance(make("mine", {"C": 2.0}, random_state=1), Mine)
    with pytest.raises(InputError, match="exists already"):
        classifiers.register(Mine, "mlp")

    class Layers(Mine):
        def __init__(self, sizes=()):
            self.sizes = sizes

    classifiers.register(Layers, "layers")
    assert make("layers", {"sizes": [8, 4]}).sizes == (8, 4)
    with pytest.raises(InputError, match="must be a class"):
        classifiers.register(3, "three")


@pytest.mark.parametrize(
    ("name", "params", "words"),
    [
        ("mlp", {"batch_size": 0}, "batch_size must be 1 or more; found 0"),
        ("mlp", {"max_epochs": -1}, "max_epochs must be 0 or more; found -1"),
        ("mlp", {"hidden_units": 2.5}, "hidden_units must be 1 or more; found 2.5"),
        ("one-unit-network", {"epochs": -3}, "epochs must be 0 or more; found -3"),
    ],
)
def test_networks_refuse_numbers_that_train_nothing(name, params, words):
    X, y = np.arange(8.0)[:, None], np.repeat([0, 1], 4)
    with pytest.raises(ValueError, match=words):
        classifiers.make(name, params, random_state=0).fit(X, y)
