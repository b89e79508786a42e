import numpy as np
import pytest
from augbench.bench.fidelity import closest_distances, fidelity
from scipy.spatial.distance import cdist


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_closest_distances(rng):
    a, b = rng.normal(size=(30, 4)), rng.normal(size=(50, 4))
    np.testing.assert_allclose(closest_distances(a, b), cdist(a, b).min(axis=1))
    assert (closest_distances(b[:10], b) == 0).all()


def test_real_rows_look_real(rng):
    X = rng.normal(size=(900, 3))
    one = np.ones(300, dtype=int)
    scores = fidelity(X[:300], one, X[300:600], one, X[600:], one, rng)
    assert scores["exact_copies"] == 0
    assert scores["dcr_ratio"] == pytest.approx(1, abs=0.15)
    assert scores["two_sample_accuracy"] == pytest.approx(0.5, abs=0.08)


def test_copies_and_a_constant_row_are_told_apart(rng):
    X = rng.normal(size=(400, 3))
    y = np.ones(200, dtype=int)
    new = X[rng.integers(20, size=200)]
    scores = fidelity(X[:200], y, new, y, X[200:], y, rng)
    assert (scores["exact_copies"], scores["dcr_ratio"]) == (1, 0)
    constant = fidelity(X[:200], y, np.full((200, 3), 9.0), y, X[200:], y, rng)
    assert constant["exact_copies"] == 0
    assert constant["dcr_ratio"] > 5
    assert constant["two_sample_accuracy"] == 1


def test_far_rows_are_told_apart_and_classes_are_averaged(rng):
    X_train, X_test = rng.normal(size=(2, 40, 2))
    y = np.repeat([0, 1], 20)
    new = np.vstack([X_train[:10], X_test[20:30] + 100])
    scores = fidelity(X_train, y, new, np.repeat([0, 1], 10), X_test, y, rng)
    assert scores["exact_copies"] == 0.5
    usual = np.median(cdist(X_test[20:], X_train[20:]).min(axis=1))
    far = np.median(cdist(new[10:], X_train[20:]).min(axis=1))
    assert scores["dcr_ratio"] == pytest.approx((0 + far / usual) / 2)


def test_copies_of_another_class_and_negative_zero_count(rng):
    X = np.array([[0.0, 1.0], [2.0, 3.0]])
    scores = fidelity(
        X, np.array([0, 1]), np.array([[-0.0, 1.0], [5.0, 5.0]]), np.array([1, 1]), X, np.array([0, 1]), rng
    )
    assert scores["exact_copies"] == 0.5


def test_class_absent_from_the_test_rows(rng):
    X = rng.normal(size=(20, 2))
    scores = fidelity(X, np.ones(20), X + 1, np.ones(20), X, np.zeros(20), rng)
    assert np.isnan(scores["dcr_ratio"])
    assert np.isnan(scores["two_sample_accuracy"])
    assert scores["exact_copies"] == 0


def test_one_row_classes_and_duplicates(rng):
    one = np.ones(1, dtype=int)
    scores = fidelity(np.zeros((1, 2)), one, np.ones((1, 2)), one, np.full((1, 2), 3.0), one, rng)
    assert scores["dcr_ratio"] == pytest.approx(1 / 3)
    assert np.isnan(scores["two_sample_accuracy"])
    same = fidelity(np.zeros((1, 2)), one, np.ones((1, 2)), one, np.zeros((1, 2)), one, rng)
    assert np.isnan(same["dcr_ratio"])


def test_nothing_generated(rng):
    X, y = np.zeros((3, 2)), np.zeros(3, dtype=int)
    assert all(np.isnan(value) for value in fidelity(X, y, X[:0], y[:0], X, y, rng).values())


def test_the_seed_decides():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(3, 700, 2)), np.zeros(700, dtype=int)
    one, again = (fidelity(X[0], y, X[1], y, X[2], y, np.random.default_rng(5)) for _ in range(2))
    assert one == again
