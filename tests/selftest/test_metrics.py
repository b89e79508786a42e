import numpy as np
import pytest
from augbench.selftest import metrics


def test_the_metrics_are_right(bench, broken):
    assert broken(metrics.check(bench)) == []


@pytest.fixture
def few(bench, monkeypatch):
    """Return a workbench with fewer tables: enough to find what is wrong in many."""
    monkeypatch.setattr(bench, "often", lambda usual, full: 60)
    return bench


def absent_classes_left_out(y, labels, counts):
    present = np.unique(y)
    scores = hard(y, labels, counts)
    return scores | {"macro_f1": np.mean([scores[f"f1_{code}"] for code in present])}


hard, soft = metrics.hard_metrics, metrics.probability_metrics


@pytest.mark.parametrize(
    ("function", "broken_one", "claims"),
    [
        ("hard_metrics", absent_classes_left_out, ["macro_f1 is that of scikit-learn"]),
        (
            # all scores a tie
            "probability_metrics",
            lambda y, p, positive: soft(y, p, positive) | {"auroc": 0.5},
            ["auroc is that of scikit-learn", "auroc is that of the formula"],
        ),
        (
            "probability_metrics",
            lambda y, p, positive: soft(y, p, positive) | {"log_loss": soft(y, p + 1e-9)["log_loss"]},
            ["log_loss is that of scikit-learn", "log_loss is that of the formula"],
        ),
    ],
)
def test_a_wrong_metric_is_found(few, broken, monkeypatch, function, broken_one, claims):
    monkeypatch.setattr(metrics, function, broken_one)
    assert broken(metrics.check(few)) == claims


def test_a_forgotten_metric_is_found(few, broken, monkeypatch):
    monkeypatch.setattr(metrics, "METRICS", metrics.METRICS | {"kappa": metrics.METRICS["mcc"]})
    assert broken(metrics.check(few)) == ["every metric of predictions was put to the test"]
