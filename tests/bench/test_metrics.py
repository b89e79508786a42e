import numpy as np
import pytest
import sklearn.metrics as sk
from augbench.bench import metrics
from augbench.bench.metrics import hard_metrics, minority_class, plugin_metrics, probability_metrics
from augbench.errors import InputError
from hypothesis import given, settings
from hypothesis import strategies as st
from imblearn.metrics import geometric_mean_score

seeds = st.integers(0, 2**32 - 1)


def random_case(seed):
    """Labels with absent classes and constant predictions, probabilities with ties."""
    rng = np.random.default_rng(seed)
    k, n = int(rng.integers(2, 6)), int(rng.integers(1, 60))
    y = rng.choice(rng.permutation(k)[: rng.integers(1, k + 1)], n)
    labels = rng.choice(rng.permutation(k)[: rng.integers(1, k + 1)], n)
    p = rng.integers(1, 4, size=(n, k)).astype(float)
    return y, labels, p / p.sum(axis=1, keepdims=True), k


@given(seeds)
@settings(max_examples=150, deadline=None)
@pytest.mark.filterwarnings("ignore")
def test_hard_metrics_equal_scikit_learn(seed):
    y, labels, _, k = random_case(seed)
    codes = list(range(k))
    scores = hard_metrics(y, labels, np.arange(1, k + 1))
    for average, name in (("macro", "macro_f1"), ("weighted", "weighted_f1")):
        assert scores[name] == pytest.approx(sk.f1_score(y, labels, labels=codes, average=average, zero_division=0))
    recalls = sk.recall_score(y, labels, labels=codes, average=None, zero_division=0)
    assert [scores[f"recall_{code}"] for code in codes] == pytest.approx(recalls)
    assert scores["balanced_accuracy"] == pytest.approx(recalls.mean())
    assert scores["g_mean"] == pytest.approx(np.prod(recalls) ** (1 / k))
    assert scores["accuracy"] == pytest.approx(sk.accuracy_score(y, labels))
    assert scores["mcc"] == pytest.approx(sk.matthews_corrcoef(y, labels), abs=1e-12)
    assert [scores[f"f1_{code}"] for code in codes] == pytest.approx(
        sk.f1_score(y, labels, labels=codes, average=None, zero_division=0)
    )
    assert scores["recall_minority"] == scores["recall_0"]
    assert scores["recall_majority"] == scores[f"recall_{k - 1}"]
    if len(np.unique(y)) == k:
        assert scores["balanced_accuracy"] == pytest.approx(sk.balanced_accuracy_score(y, labels))
        assert scores["g_mean"] == pytest.approx(geometric_mean_score(y, labels, labels=codes, average="multiclass"))


@given(seeds)
@settings(max_examples=150, deadline=None)
@pytest.mark.filterwarnings("ignore")
def test_probability_metrics_equal_scikit_learn(seed):
    y, _, p, k = random_case(seed)
    scores = probability_metrics(y, p)
    codes = list(range(k))
    assert scores["log_loss"] == pytest.approx(sk.log_loss(y, p, labels=codes))
    assert scores["brier"] == pytest.approx(sk.brier_score_loss(y, p if k > 2 else p[:, 1], labels=codes))
    present = np.unique(y)
    if len(present) == 1:
        assert np.isnan(scores["auroc"])
        return
    against = [1] if k == 2 else present
    areas = [sk.roc_auc_score(y == code, p[:, code]) for code in against]
    assert scores["auroc"] == pytest.approx(np.mean(areas))
    precisions = [sk.average_precision_score(y == code, p[:, code]) for code in against]
    assert scores["average_precision"] == pytest.approx(np.mean(precisions))


def test_average_precision_of_either_class():
    rng = np.random.default_rng(0)
    y, p1 = rng.integers(0, 2, 50), rng.random(50)
    p = np.column_stack([1 - p1, p1])
    assert probability_metrics(y, p, positive=0)["average_precision"] == pytest.approx(
        sk.average_precision_score(y == 0, p[:, 0])
    )
    assert probability_metrics(y, p, positive=0)["auroc"] == pytest.approx(sk.roc_auc_score(y, p1))


def test_by_hand():
    scores = hard_metrics(np.array([0, 0, 0, 1, 1, 2]), np.array([0, 0, 1, 1, 0, 0]), np.array([5, 3, 3]))
    # F1: 2*2/(3+4), 2*1/(2+2), 0
    assert scores["macro_f1"] == pytest.approx((4 / 7 + 1 / 2 + 0) / 3)
    assert scores["weighted_f1"] == pytest.approx((3 * 4 / 7 + 2 / 2) / 6)
    assert scores["g_mean"] == 0
    assert scores["recall_majority"] == pytest.approx(2 / 3)
    assert scores["recall_minority"] == 0


def test_absent_class_keeps_its_place_in_the_divisor():
    scores = hard_metrics(np.array([0, 0]), np.array([0, 0]), np.array([5, 3]))
    assert (scores["accuracy"], scores["macro_f1"], scores["balanced_accuracy"]) == (1, 0.5, 0.5)
    assert scores["recall_1"] == scores["recall_minority"] == scores["mcc"] == 0


def test_one_class_in_the_test_rows():
    p = np.array([[0.9, 0.1], [0.2, 0.8]])
    scores = probability_metrics(np.array([0, 0]), p)
    assert np.isnan(scores["auroc"])
    assert np.isnan(scores["average_precision"])
    assert scores["brier"] == pytest.approx((0.01 + 0.64) / 2)


def test_certain_mistake_has_a_finite_log_loss():
    scores = probability_metrics(np.array([0, 1]), np.array([[0.0, 1.0], [0.0, 1.0]]))
    assert scores["log_loss"] == pytest.approx(-np.log(1e-15) / 2)


def test_calibration_error_by_hand():
    # bins of width 1/15: (.5333, .6] holds two rows (accuracy .5, confidence .575), (.9333, 1] one (accuracy 1)
    p1 = np.array([0.55, 0.6, 0.95])
    scores = probability_metrics(np.array([1, 0, 1]), np.column_stack([1 - p1, p1]))
    assert scores["calibration_error"] == pytest.approx((2 * 0.075 + 0.05) / 3)


def test_a_calibrated_forecast_has_a_small_error():
    rng = np.random.default_rng(0)
    p1 = rng.random(50_000)
    y = (rng.random(50_000) < p1).astype(int)
    assert probability_metrics(y, np.column_stack([1 - p1, p1]))["calibration_error"] < 0.01


@pytest.mark.parametrize(("counts", "code"), [([5, 3], 1), ([3, 5], 0), ([4, 4], 1), ([4, 0, 2, 2], 3)])
def test_minority_class(counts, code):
    assert minority_class(np.array(counts)) == code


def test_every_metric_is_described():
    y, p = np.array([0, 1, 1]), np.array([[0.6, 0.4], [0.3, 0.7], [0.8, 0.2]])
    scores = hard_metrics(y, p.argmax(axis=1), np.array([1, 2])) | probability_metrics(y, p)
    assert {name for name in scores if name not in ("recall_0", "recall_1", "f1_0", "f1_1")} == {
        name for name in metrics.names() if not metrics.METRICS[name].of_rows
    }
    assert metrics.METRICS["macro_f1"].higher_is_better
    assert not metrics.METRICS["brier"].higher_is_better
    assert all(metrics.describe(name).endswith(".") for name in metrics.names())


def test_register(monkeypatch):
    monkeypatch.setattr(metrics, "METRICS", dict(metrics.METRICS))

    def error_rate(y_true, labels, probabilities):
        """Share of wrong rows.

        And more.
        """
        return np.mean(y_true != labels)

    error_rate.higher_is_better = False
    metrics.register(error_rate, "error-rate")
    assert metrics.METRICS["error-rate"].description == "Share of wrong rows."
    assert not metrics.METRICS["error-rate"].higher_is_better
    assert plugin_metrics(np.array([0, 1]), np.array([1, 1]), np.eye(2)) == {"error-rate": 0.5}
    for name in ("error-rate", "macro_f1", "recall_7", "f1_7"):
        with pytest.raises(InputError, match="exists already"):
            metrics.register(error_rate, name)
    with pytest.raises(InputError, match="must be a function"):
        metrics.register(3, "three")
