"""Many classifiers at once: the same numbers as alone, to the last bit, and as scikit-learn's."""

import subprocess
import sys
import warnings

import numpy as np
import pytest
from augbench.bench import classifiers
from augbench.bench.classifiers import MLP, PenalisedLogisticRegression, fit_many, make
from augbench.bench.stacking import TrainingSet, padded_size, stacks
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from threadpoolctl import threadpool_limits

STACKED = ["logistic-regression", "one-unit-network", "mlp"]
EQUAL, UNEQUAL, BATCHES = [60] * 4, [50, 57, 64, 61], [403, 200, 201, 13]


@pytest.fixture(autouse=True)
def _one_thread():
    with threadpool_limits(1):
        yield


def training_set(n, k=2, columns=7, seed=0, weighted=False, apart=1.0):
    rng = np.random.default_rng(seed)
    y = rng.permutation(np.arange(n) % k)
    X = rng.normal(size=(n, columns)) + apart * np.eye(columns)[y]
    return TrainingSet(X, y, rng.exponential(size=n) if weighted else None)


def noise(one):
    """Return a training set of the same shape that has nothing in common with another."""
    rng = np.random.default_rng(99)
    return TrainingSet(1e3 * rng.normal(size=one.X.shape), rng.permutation(one.y), one.weight)


def build(name, n):
    return [make(name, {"max_epochs": 25} if name == "mlp" else {}, random_state=i) for i in range(n)]


def parameters(model):
    if isinstance(model, MLP):
        return np.concatenate([one.ravel() for one in [*model.coefs_, *model.intercepts_]])
    return np.append(model.coef_.ravel(), model.intercept_)


@pytest.mark.parametrize("name", STACKED)
@pytest.mark.parametrize("sizes", [EQUAL, UNEQUAL, BATCHES], ids=["equal", "unequal", "batches"])
@pytest.mark.parametrize("k", [2, 3])
@pytest.mark.parametrize("weighted", [False, True])
def test_alone_and_in_any_stack_are_the_same_bits(name, sizes, k, weighted):
    sets = [training_set(n, k, seed=i, weighted=weighted) for i, n in enumerate(sizes)]
    together = [one.outcome for one in fit_many(build(name, len(sets)), sets)]
    for i, one in enumerate(sets):
        alone = build(name, len(sets))[i].fit(one.X, one.y, one.weight)
        assert np.array_equal(parameters(alone), parameters(together[i]))
        assert np.array_equal(alone.predict_proba(one.X), together[i].predict_proba(one.X))
    # the others replaced by noise, and another order
    others = [sets[0], *map(noise, sets[1:])]
    among_noise = fit_many(build(name, len(sets)), others)[0].outcome
    assert np.array_equal(parameters(among_noise), parameters(together[0]))
    backwards = fit_many(build(name, len(sets))[::-1], sets[::-1])[::-1]
    for one, other in zip(together, backwards, strict=True):
        assert np.array_equal(parameters(one), parameters(other.outcome))


@pytest.mark.parametrize("name", STACKED)
def test_the_limit_of_a_stack_changes_no_bit(name, monkeypatch):
    module = sys.modules[type(make(name)).__module__]
    sets = [training_set(n, seed=i) for i, n in enumerate(UNEQUAL + BATCHES)]
    together = fit_many(build(name, len(sets)), sets)
    for limit in (0, 1000, np.inf):
        monkeypatch.setattr(module, "STACK_CELLS", limit)
        for one, other in zip(together, fit_many(build(name, len(sets)), sets), strict=True):
            assert np.array_equal(parameters(one.outcome), parameters(other.outcome))


@pytest.mark.parametrize("name", STACKED)
def test_one_that_cannot_be_fitted_leaves_the_others_alone(name):
    good = [training_set(60, seed=i) for i in range(3)]
    X, y = good[1].X, good[1].y
    broken = {
        "2 cells of X are missing": TrainingSet(np.where(np.arange(X.size).reshape(X.shape) < 2, np.nan, X), y),
        "all of class 1; a classifier needs two": TrainingSet(X, np.ones_like(y)),
        "weights must be finite numbers of 0 or more": TrainingSet(X, y, np.full(len(y), -1.0)),
        "shapes do not go together": TrainingSet(X, y[:-1]),
        "the training rows are none": TrainingSet(X[:0], y[:0]),
    }
    alone = [one.outcome for one in fit_many(build(name, 3), good)]
    fits = fit_many(build(name, 3 + len(broken)), [*good, *broken.values()])
    for one, other in zip(alone, fits, strict=False):
        assert np.array_equal(parameters(one), parameters(other.outcome))
    for message, fit in zip(broken, fits[3:], strict=True):
        assert isinstance(fit.outcome, ValueError)
        assert message in str(fit.outcome)


def test_seconds_are_shared_by_rows():
    fits = fit_many(build("mlp", 2), [training_set(100), training_set(300)])
    assert fits[1].seconds == pytest.approx(3 * fits[0].seconds)
    assert fits[0].seconds > 0


def test_a_stack_that_raises_is_fitted_one_by_one():
    class Fragile(LogisticRegression):
        """Cannot be stacked."""

        @classmethod
        def fit_stack(cls, models, sets):
            raise MemoryError

    fits = fit_many([Fragile(), Fragile()], [training_set(50), TrainingSet(np.zeros((3, 1)), np.zeros(3))])
    assert fits[0].outcome.coef_.shape == (1, 7)
    assert isinstance(fits[1].outcome, ValueError)
    bad = fit_many([MLP(hidden_units=0), MLP(hidden_units=0)], [training_set(50), training_set(50)])
    assert all("hidden_units must be 1 or more; found 0" in str(one.outcome) for one in bad)


class TestLogisticRegression:
    """Oracle: scikit-learn's newton-cholesky, carried to the end."""

    @pytest.mark.parametrize("apart", [0.0, 2.0, 20.0], ids=["random", "usual", "separable"])
    @pytest.mark.parametrize("n", [6, 40, 300, 2500])
    @pytest.mark.parametrize("weighted", [False, True])
    @pytest.mark.parametrize("C", [0.01, 1.0, 30.0])
    def test_coefficients_are_scikit_learns(self, apart, n, weighted, C, monkeypatch):
        monkeypatch.setattr(PenalisedLogisticRegression, "_fit_lbfgs", None)
        sets = [training_set(n, columns=9, seed=i, weighted=weighted, apart=apart) for i in range(3)]
        for one, fit in zip(sets, fit_many([PenalisedLogisticRegression(C=C) for _ in sets], sets), strict=True):
            exact = LogisticRegression(C=C, solver="newton-cholesky", tol=1e-14, max_iter=1000)
            with warnings.catch_warnings():
                # it warns when rounding stops it first
                warnings.simplefilter("ignore")
                exact.fit(one.X, one.y, one.weight)
            np.testing.assert_allclose(fit.outcome.coef_, exact.coef_, rtol=0, atol=1e-8)
            np.testing.assert_allclose(fit.outcome.intercept_, exact.intercept_, rtol=0, atol=1e-8)
            np.testing.assert_allclose(fit.outcome.predict_proba(one.X), exact.predict_proba(one.X), atol=1e-9)

    def test_class_weights_of_a_rare_class(self):
        one = training_set(500)
        y = np.where(np.arange(500) < 4, 1, 0)
        weight = np.where(y == 1, 500 / 8, 500 / 992)
        ours = PenalisedLogisticRegression().fit(one.X, y, weight)
        theirs = LogisticRegression(solver="newton-cholesky", tol=1e-14, max_iter=500, class_weight="balanced")
        np.testing.assert_allclose(ours.coef_, theirs.fit(one.X, y).coef_, rtol=0, atol=1e-8)

    def test_where_newton_has_no_step_another_solver_has_and_the_others_keep_theirs(self):
        sets = [training_set(60, seed=i) for i in range(3)]
        sets[1] = TrainingSet(np.repeat(sets[1].X[:, :1], 7, axis=1), sets[1].y)
        models = [PenalisedLogisticRegression(C=np.inf) for _ in sets]
        fits = [one.outcome for one in fit_many(models, sets)]
        for i in (0, 2):
            alone = PenalisedLogisticRegression(C=np.inf).fit(sets[i].X, sets[i].y)
            assert np.array_equal(parameters(alone), parameters(fits[i]))
        assert np.isfinite(parameters(fits[1])).all()


class TestMLP:
    @pytest.mark.parametrize("k", [2, 4])
    @pytest.mark.parametrize("weighted", [False, True])
    def test_it_is_scikit_learns_from_the_same_first_weights(self, k, weighted):
        """One batch an epoch, so that the shuffling changes the order of sums only."""
        one = training_set(150, k=k, weighted=weighted)
        start = MLP(max_epochs=0, random_state=3).fit(one.X, one.y)

        class FromStart(MLPClassifier):
            def _init_coef(self, fan_in, fan_out, dtype):
                layer = int(fan_in != 7)
                return start.coefs_[layer].copy(), start.intercepts_[layer].copy()

        settings = {"learning_rate_init": 0.005, "tol": 1e-3, "n_iter_no_change": 5, "random_state": 0}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            theirs = FromStart((32,), **settings).fit(one.X, one.y, one.weight)
        ours = MLP(random_state=3).fit(one.X, one.y, one.weight)
        assert len(ours.loss_curve_) == theirs.n_iter_ > 20
        np.testing.assert_allclose(ours.loss_curve_, theirs.loss_curve_, rtol=1e-6)
        np.testing.assert_allclose(ours.predict_proba(one.X), theirs.predict_proba(one.X), atol=1e-6)

    def test_first_weights_are_glorots(self):
        start = MLP(max_epochs=0, random_state=3).fit(training_set(50).X, training_set(50).y)
        for values, fan in ((start.coefs_[0], 39), (start.coefs_[1], 33), (start.intercepts_[0], 39)):
            limit = np.sqrt(6 / fan)
            assert (np.abs(values) <= limit).all()
            assert np.abs(values).max() > 0.8 * limit

    def test_it_stops_by_its_own_loss_whatever_the_others_do(self):
        easy, hard = training_set(100, apart=9.0), training_set(100, apart=0.2)
        models = [MLP(random_state=0, max_epochs=60) for _ in range(2)]
        short, long = (one.outcome.loss_curve_ for one in fit_many(models, [easy, hard]))
        assert len(short) < len(long) <= 60
        best = np.minimum.accumulate(short)
        assert (short[-6:] > best[-7:-1] - 1e-3).all()


def test_sizes_and_stacks():
    for n in range(1, 5000):
        assert n <= padded_size(n) <= n * 9 / 8
        assert padded_size(padded_size(n)) == padded_size(n)
    assert stacks(["a"] * 5, [3, 3, 3, 9, 1], 6) == [[0, 1], [2], [3], [4]]
    assert stacks(["a", "b"], [1, 1], np.inf) == [[0], [1]]
    assert stacks([], [], 1) == []


def test_no_torch_is_needed():
    code = "import sys, augbench.bench.evaluate; print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "False"


def test_every_stacked_classifier_is_tested_here():
    assert [name for name in classifiers.GROUPS["all"] if hasattr(type(make(name)), "fit_stack")] == STACKED
