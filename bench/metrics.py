"""Scores of one set of predictions: all hard metrics from one confusion matrix, the rest from one sort per class."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..errors import InputError

#: probabilities are raised to this before the logarithm, so that one certain mistake costs 34.5 and not infinity
LOG_LOSS_FLOOR = 1e-15
#: bins of the calibration error
BINS = 15

MetricFunction = Callable[[np.ndarray, np.ndarray, np.ndarray], float]


@dataclass(frozen=True)
class Metric:
    """What a reader has to know of a metric.

    Attributes
    ----------
    description : str
        One line.
    higher_is_better : bool
        Which way is better; nothing is meant by it where there is a `target`.
    function : callable, optional
        A plugin's.
    of_rows : bool
        Whether it describes generated rows, see `fidelity`, and not predictions.
    target : float, optional
        What it is for rows that are like real ones, where neither more nor less is better.
    """

    description: str
    higher_is_better: bool = True
    function: MetricFunction | None = None
    of_rows: bool = False
    target: float | None = None

    @property
    def better(self) -> str:
        """Which values are better: "higher", "lower", or "near 0.5"."""
        if self.target is not None:
            return f"near {self.target:g}"
        return "higher" if self.higher_is_better else "lower"


def _of_rows(description: str, target: float | None = None) -> Metric:
    return Metric(description, higher_is_better=False, of_rows=True, target=target)


#: every metric but `recall_0`, `f1_0`, `recall_1`, ... (the recall and the F1 of each class, by its code)
METRICS: dict[str, Metric] = {
    "macro_f1": Metric("Mean of the classes' F1."),
    "weighted_f1": Metric("Mean of the classes' F1, weighted by their test rows."),
    "accuracy": Metric("Share of test rows that are right."),
    "balanced_accuracy": Metric("Mean of the classes' recalls."),
    "g_mean": Metric("Geometric mean of the classes' recalls."),
    "mcc": Metric("Matthews correlation coefficient (Gorodkin's for more than two classes)."),
    "recall_minority": Metric("Accuracy of the class with the fewest training rows."),
    "recall_majority": Metric("Accuracy of the class with the most training rows."),
    "auroc": Metric("Area under the ROC curve (more than two classes: mean over one class against the rest)."),
    "average_precision": Metric("Average precision of the minority class (more than two classes: mean over classes)."),
    "brier": Metric("Brier score: mean squared error of the probabilities.", higher_is_better=False),
    "log_loss": Metric("Mean negative log-probability of the true class.", higher_is_better=False),
    "calibration_error": Metric("Expected calibration error of the top class, 15 bins.", higher_is_better=False),
    "exact_copies": _of_rows("Share of generated rows that are equal to a training row."),
    "dcr_ratio": _of_rows("Median distance to the closest training row (DCR), over that of held-out rows.", 1),
    "dcr_closer": _of_rows("Chance that a generated row is closer to a training row than a held-out one is.", 0.5),
    "two_sample_accuracy": _of_rows("Two-sample test, generated against held-out rows: accuracy of 1-NN.", 0.5),
    "two_sample_auroc": _of_rows("Two-sample test by a quadratic discriminant, cross-validated AUROC.", 0.5),
    "wasserstein": _of_rows("1-Wasserstein distance to held-out rows in training sd, mean over numeric columns."),
    "total_variation": _of_rows("Total-variation distance to held-out rows, mean over categorical columns."),
    "correlation_error": _of_rows("Mean absolute difference of pairwise correlations to held-out rows."),
}
#: those of generated rows that are given for the training rows, too: what real rows differ by
REFERENCES = ("wasserstein", "total_variation", "correlation_error")
METRICS |= {f"{name}_real": _of_rows(f"The same as {name}, of the training rows.") for name in REFERENCES}


def names() -> list[str]:
    """Return the names of all metrics, those of plugins last."""
    return list(METRICS)


def describe(name: str) -> str:
    """Return one line about a metric."""
    return METRICS[name].description


def register(function: MetricFunction, name: str, description: str = "", higher_is_better: bool | None = None) -> None:
    """Add a metric, as a plugin does.

    Parameters
    ----------
    function : callable
        ``function(y_true, labels, probabilities) -> float``.
    name : str
        Its name.
    description : str, optional
        One line; without it the first line of the function's docstring.
    higher_is_better : bool, optional
        Without it the function's attribute of that name, or True.

    Raises
    ------
    InputError
        The name is taken, or `function` cannot be called.
    """
    if not callable(function):
        raise InputError(f"metric '{name}' must be a function; found {function!r}")
    if name in METRICS or re.fullmatch(r"recall_.*|f1_\d+", name):
        raise InputError(f"metric '{name}' exists already; choose another name")
    line = description or (inspect.getdoc(function) or "").partition("\n")[0]
    if higher_is_better is None:
        higher_is_better = bool(getattr(function, "higher_is_better", True))
    METRICS[name] = Metric(line, higher_is_better, function)


def plugin_metrics(y_true: np.ndarray, labels: np.ndarray, probabilities: np.ndarray) -> dict[str, float]:
    """Return the scores of the registered plugins' metrics."""
    return {
        name: float(metric.function(y_true, labels, probabilities))
        for name, metric in METRICS.items()
        if metric.function
    }


def minority_class(train_counts: np.ndarray) -> int:
    """Return the code of the class with the fewest training rows (at least one); on a tie the highest code."""
    counts = np.asarray(train_counts)
    present = np.flatnonzero(counts)
    return int(present[::-1][counts[present[::-1]].argmin()])


def hard_metrics(y_true: np.ndarray, labels: np.ndarray, train_counts: np.ndarray) -> dict[str, float]:
    """Score predicted classes.

    A class without test rows has recall and F1 0 and stays in every mean over classes, so the divisor is always K;
    weighted F1 gives it weight 0. Any 0/0 is 0.

    Parameters
    ----------
    y_true, labels : numpy.ndarray of shape (n_rows,)
        True and predicted class codes.
    train_counts : numpy.ndarray of shape (K,)
        Training rows of each class; they name the minority and the majority.

    Returns
    -------
    dict of str to float
        macro_f1, weighted_f1, accuracy, balanced_accuracy, g_mean, mcc, recall_minority, recall_majority, recall_0 to
        recall_{K-1} and f1_0 to f1_{K-1}.

    Examples
    --------
    >>> scores = hard_metrics(np.array([0, 0, 0, 1]), np.array([0, 0, 1, 1]), np.array([30, 10]))
    >>> scores["accuracy"], scores["recall_minority"]
    (0.75, 1.0)
    """
    counts = np.asarray(train_counts)
    n_classes = len(counts)
    flat = np.asarray(y_true, dtype=np.int64) * n_classes + np.asarray(labels, dtype=np.int64)
    confusion = np.bincount(flat, minlength=n_classes**2).reshape(n_classes, n_classes).astype(float)
    right, true, predicted = confusion.diagonal(), confusion.sum(axis=1), confusion.sum(axis=0)
    n = true.sum()
    recall = right / np.maximum(true, 1)
    f1 = 2 * right / np.maximum(true + predicted, 1)
    spread = np.sqrt((n**2 - (true**2).sum()) * (n**2 - (predicted**2).sum()))
    scores = {
        "macro_f1": f1.mean(),
        "weighted_f1": f1 @ true / n,
        "accuracy": right.sum() / n,
        "balanced_accuracy": recall.mean(),
        "g_mean": recall.prod() ** (1 / n_classes),
        "mcc": (right.sum() * n - true @ predicted) / spread if spread else 0.0,
        "recall_minority": recall[minority_class(counts)],
        "recall_majority": recall[counts.argmax()],
    }
    for code in range(n_classes):
        scores |= {f"recall_{code}": recall[code], f"f1_{code}": f1[code]}
    return {name: float(value) for name, value in scores.items()}


def probability_metrics(y_true: np.ndarray, probabilities: np.ndarray, positive: int = 1) -> dict[str, float]:
    """Score predicted probabilities.

    Definitions: AUROC with ties counted half, for K > 2 the mean over the classes that have test rows, each against the
    rest; average precision as the step sum over thresholds, without interpolation; Brier as in scikit-learn, for two
    classes the mean of (p - y)², for more the sum of squares over the classes (range 0 to 2); log-loss with
    probabilities raised to 1e-15; calibration error of the most probable class in 15 bins of equal width [1]_.

    Parameters
    ----------
    y_true : numpy.ndarray of shape (n_rows,)
        Class codes.
    probabilities : numpy.ndarray of shape (n_rows, K)
        Rows sum to 1.
    positive : int, default=1
        For two classes: the code whose average precision is taken, see `minority_class`.

    Returns
    -------
    dict of str to float
        auroc, average_precision, brier, log_loss, calibration_error; the first two are NaN if all test rows are of one
        class (average precision: if there is no positive test row).

    References
    ----------
    .. [1] C. Guo, G. Pleiss, Y. Sun, K. Q. Weinberger, "On calibration of modern neural networks", ICML 2017.

    Examples
    --------
    >>> p = np.array([0.1, 0.6, 0.4, 0.8])
    >>> scores = probability_metrics(np.array([0, 0, 1, 1]), np.column_stack([1 - p, p]))
    >>> scores["auroc"], round(scores["brier"], 4)
    (0.75, 0.1925)
    """
    y = np.asarray(y_true, dtype=np.int64)
    p = np.asarray(probabilities, dtype=float)
    n, n_classes = p.shape
    of_truth = p[np.arange(n), y]
    if n_classes == 2:
        areas = [_ranking(y == positive, p[:, positive])]
        brier = float(np.mean((1 - of_truth) ** 2))
    else:
        areas = [_ranking(y == code, p[:, code]) for code in np.unique(y)]
        brier = float(np.mean((p**2).sum(axis=1) - 2 * of_truth + 1))
    return {
        "auroc": float(np.mean([area for area, _ in areas])),
        "average_precision": float(np.mean([precision for _, precision in areas])),
        "brier": brier,
        "log_loss": float(-np.log(np.maximum(of_truth, LOG_LOSS_FLOOR)).mean()),
        "calibration_error": _calibration_error(y, p),
    }


def _ranking(positive: np.ndarray, scores: np.ndarray) -> tuple[float, float]:
    """Return the area under the ROC curve and the average precision, from one sort."""
    n, n_positive = len(scores), int(np.count_nonzero(positive))
    if n_positive == 0:
        return float("nan"), float("nan")
    order = np.argsort(-scores)
    ordered = scores[order]
    # the last row of each group of tied scores
    last = np.append(np.flatnonzero(ordered[1:] != ordered[:-1]), n - 1)
    hits = np.cumsum(positive[order])[last]
    gained = np.diff(hits, prepend=0)
    precision = float((gained * (hits / (last + 1))).sum() / n_positive)
    if n_positive == n:
        return float("nan"), precision
    misses = last + 1 - hits
    area = (np.diff(misses, prepend=0) * (hits - gained / 2)).sum() / (n_positive * (n - n_positive))
    return float(area), precision


def _calibration_error(y: np.ndarray, p: np.ndarray) -> float:
    """Return the mean over bins of |accuracy - mean confidence|, weighted by their rows; bins are (low, high]."""
    top = p.argmax(axis=1)
    confidence = p[np.arange(len(p)), top]
    bins = np.clip(np.ceil(confidence * BINS).astype(np.int64) - 1, 0, BINS - 1)
    gap = np.bincount(bins, weights=(top == y) - confidence, minlength=BINS)
    return float(np.abs(gap).sum() / len(p))
