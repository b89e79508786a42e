"""The contract of detectors: what the base class checks, and where the threshold lies."""

import numpy as np
import pandas as pd
import pytest
from augbench import Detector, methods
from augbench.methods.contract import pr_threshold
from sklearn.base import clone
from sklearn.metrics import f1_score, roc_auc_score


class Distance(Detector):
    """Squared Mahalanobis distance from the normal rows."""

    def _fit(self, X, y, series, rng):
        normal = X[y == self.normal_class_].to_numpy()
        self.mean_ = normal.mean(axis=0)
        self.inverse_ = np.linalg.inv(np.cov(normal.T) + 1e-9 * np.eye(normal.shape[1]))
        self.threshold_ = pr_threshold(self._score(X, series), y != self.normal_class_)

    def _score(self, X, series):
        centred = X.to_numpy() - self.mean_
        return np.einsum("ij,jk,ik->i", centred, self.inverse_, centred)


def table(anomaly=1, n=200, seed=0):
    rng = np.random.default_rng(seed)
    y = np.where(np.arange(n) < n // 10, anomaly, 1 - anomaly)
    X = rng.normal(size=(n, 3)) * np.where(y == anomaly, 6.0, 1.0)[:, None]
    return pd.DataFrame(X, columns=list("abc")), y


@pytest.mark.parametrize("anomaly", [0, 1])
def test_the_rare_class_gets_the_high_probabilities_whatever_its_code(anomaly):
    X, y = table(anomaly)
    fitted = Distance(random_state=0).fit(X, y)
    assert fitted.normal_class_ == 1 - anomaly
    p = fitted.predict_proba(X)
    np.testing.assert_allclose(p.sum(axis=1), 1)
    scores = fitted.score_samples(X)
    assert roc_auc_score(y == anomaly, p[:, anomaly]) == roc_auc_score(y == anomaly, scores) > 0.95
    assert np.array_equal(fitted.predict(X) == anomaly, scores > fitted.threshold_)
    assert f1_score(y, fitted.predict(X), pos_label=anomaly) > 0.85


def test_a_tie_makes_the_lower_code_normal():
    X = table(n=10)[0]
    assert Distance().fit(X, np.repeat([3, 2], 5)).normal_class_ == 2


def test_probabilities_at_the_threshold_and_at_the_ends():
    class Column(Distance):
        """The column itself."""

        def _fit(self, X, y, series, rng):
            self.threshold_ = 0.3

        def _score(self, X, series):
            return X.iloc[:, 0].to_numpy()

    X, y = np.array([[0.0], [0.3], [0.1], [1e300], [np.inf], [5e-324], [1.0]]), np.array([0, 0, 0, 0, 1, 0, 1])
    fitted = Column().fit(np.zeros((7, 1)), y)
    p = fitted.predict_proba(X)[:, 1]
    np.testing.assert_allclose(p, [0, 0.5, 0.25, 1, 1, 0, 1 / 1.3], atol=1e-15)
    assert p[1] == 0.5
    assert (np.diff(p[np.argsort(X[:, 0])]) >= 0).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"series": np.zeros(3)}, "X has 200 rows and series has 3"),
        ({"y": np.zeros(200, dtype=int)}, "takes two classes; found 1"),
        ({"y": np.arange(200) % 3}, "takes two classes; found 3"),
        ({"y": np.zeros(5, dtype=int)}, "X has 200 rows and y has 5"),
        ({"X": table()[0].replace(table()[0].iloc[3, 1], np.nan)}, "infinite cells in: b"),
    ],
)
def test_training_sets_that_are_refused(change, message):
    X, y = table()
    with pytest.raises(ValueError, match=message):
        Distance().fit(**({"X": X, "y": y} | change))


def test_needs_that_are_declared():
    class Windows(Distance):
        """On windows."""

        needs_series = True
        min_per_class = 30

    X, y = table()
    with pytest.raises(ValueError, match="needs 30 rows of each class; class 1 has 20"):
        Windows().fit(X, y, np.zeros(200))
    X, y = table(n=400)
    with pytest.raises(ValueError, match="needs the series that each row belongs to"):
        Windows().fit(X, y)
    fitted = Windows().fit(X, y, np.zeros(400))
    with pytest.raises(ValueError, match="needs the series"):
        fitted.predict_proba(X)
    with pytest.raises(ValueError, match="X has 2 columns, the training rows had 3"):
        fitted.predict_proba(X[["a", "b"]], np.zeros(400))


@pytest.mark.parametrize(
    ("threshold", "scores", "message"),
    [
        (None, None, "set threshold_ to None"),
        (0.0, None, "set threshold_ to 0.0"),
        (np.nan, None, "set threshold_ to nan"),
        (np.inf, None, "set threshold_ to inf"),
        (1.0, lambda n: np.full(n, np.nan), "200 of 200 scores are negative or no numbers"),
        (1.0, lambda n: np.r_[-1.0, np.zeros(n - 1)], "1 of 200 scores are negative"),
        (1.0, lambda n: np.zeros(n - 1), r"scores of shape \(199,\) for 200 rows"),
        (1.0, lambda n: np.zeros((n, 2)), r"scores of shape \(200, 2\) for 200 rows"),
    ],
)
def test_broken_hooks_are_said(threshold, scores, message):
    class Broken(Detector):
        """Broken."""

        def _fit(self, X, y, series, rng):
            if threshold is not None:
                self.threshold_ = threshold

        def _score(self, X, series):
            return scores(len(X))

    X, y = table()
    with pytest.raises(ValueError, match=message):
        Broken().fit(X, y).predict_proba(X)


def test_many_equals_one_by_one_and_keeps_errors():
    tables = [table(seed=1), table(seed=2), table(seed=3)]
    tables[1][0].iloc[0, 0] = np.inf
    template = Distance()
    many = template.fit_many(tables, [1, 2, 3], [None] * 3)
    assert isinstance(many[1], ValueError)
    assert not hasattr(template, "threshold_")
    for i in (0, 2):
        alone = clone(template).set_params(random_state=i + 1).fit(*tables[i])
        assert many[i].random_state == i + 1
        assert np.array_equal(many[i].predict_proba(tables[i][0]), alone.predict_proba(tables[i][0]))


def test_a_detector_registers(monkeypatch):
    monkeypatch.setattr(methods, "_METHODS", dict(methods._METHODS))
    monkeypatch.setattr(methods, "GROUPS", {"all": list(methods.GROUPS["all"])})
    methods.register(Distance, "distance")
    assert methods.get("distance").kind == "detector"


class TestThreshold:
    def test_it_is_the_best_of_all_cuts(self):
        rng = np.random.default_rng(0)
        for _ in range(50):
            n = int(rng.integers(4, 40))
            is_anomaly = rng.permutation(np.arange(n) < rng.integers(1, n))
            scores = np.round(rng.random(n) + is_anomaly * 0.5, 1)
            weight = rng.choice([1.0, 3.0], n)
            cuts = [c for c in np.unique(scores) if c > 0]
            best = max(f1_score(is_anomaly, scores >= c, sample_weight=weight) for c in cuts)
            got = pr_threshold(scores, is_anomaly, weight)
            assert f1_score(is_anomaly, scores > got, sample_weight=weight) == pytest.approx(best)
            highest = max(c for c in cuts if f1_score(is_anomaly, scores >= c, sample_weight=weight) > best - 1e-12)
            lower = max([c for c in np.unique(scores) if c < highest], default=0.0)
            assert got == pytest.approx((highest + lower) / 2)

    def test_the_prevalence_moves_it(self):
        # two of the ten held-out normal rows lie above the lower anomaly: that costs little at the prevalence of the
        # sample, and much when each stands for a hundred
        scores = np.r_[np.linspace(0.1, 0.4, 8), 0.6, 0.7, 0.5, 0.9]
        is_anomaly = np.r_[np.zeros(10, bool), True, True]
        assert pr_threshold(scores, is_anomaly) == pytest.approx(0.8)
        is_anomaly[9] = True
        assert pr_threshold(scores, is_anomaly) == pytest.approx(0.45)
        assert pr_threshold(scores, is_anomaly, np.where(is_anomaly, 1, 100.0)) == pytest.approx(0.65)

    def test_equal_scores(self):
        mixed = np.array([True, False, False])
        assert pr_threshold(np.full(3, 0.6), mixed) == pytest.approx(0.3)
        assert 0 < pr_threshold(np.zeros(3), mixed) < 1e-300
        # rows with the score 0 cannot be called anomalous, even where that would be best
        assert pr_threshold(np.array([0, 0, 0.4]), np.array([True, True, False])) == pytest.approx(0.2)
        assert np.isfinite(pr_threshold(np.array([np.inf, 0.1, 0.2]), mixed))

    @pytest.mark.parametrize(
        ("scores", "is_anomaly", "weight", "message"),
        [
            ([np.nan, 1], [True, False], None, "1 of 2 scores are negative or no numbers"),
            ([-1, 1], [True, False], None, "1 of 2 scores are negative"),
            ([1, 1], [True, True], None, "found one kind only"),
            ([1, 1], [True, False], [1, 0], "found one kind only"),
            ([1, 1], [True], None, "lengths differ: 2 scores, 1 labels"),
        ],
    )
    def test_what_is_refused(self, scores, is_anomaly, weight, message):
        with pytest.raises(ValueError, match=message):
            pr_threshold(np.array(scores), np.array(is_anomaly), weight)
