"""The metrics against scikit-learn, where it has them, and against their formulas, written out row by row.

The tables are random and small, so that classes are absent from the truth or from the predictions, scores are tied, and
predictions are constant. Probabilities are ratios of small whole numbers, which makes ties, and exact bins. And what a
run stores as scores is computed again from what it stores of each test row.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from math import log, nan, prod

import numpy as np

from ..bench.metrics import METRICS, hard_metrics, minority_class, probability_metrics
from .claim import Finding
from .workbench import Workbench

#: differences up to this are rounding
ROUNDING = 1e-12
BINS = 15
FLOOR = 1e-15
#: test rows of a draw
N_TEST = 200
#: metrics of predicted classes alone
OF_LABELS = (
    *("macro_f1", "weighted_f1", "accuracy", "balanced_accuracy", "g_mean", "mcc", "recall", "f1"),
    "recall_minority",
)
#: metrics of probabilities, and how far stored ones, of which about three digits are kept, may be off
OF_PROBABILITIES = ("auroc", "average_precision", "brier", "log_loss", "calibration_error")
STORED_DIGITS = 0.01
#: what scores are held against what was predicted
OF_STORED = ("classes at the usual decision", "classes at the tuned decision", "probabilities")


@dataclass(frozen=True)
class Case:
    """A table of predictions.

    Attributes
    ----------
    y, labels : numpy.ndarray of shape (n_rows,)
        True and predicted class codes.
    weights : numpy.ndarray of shape (n_rows, K)
        The probabilities, up to a factor of each row; of a random table whole numbers.
    counts : numpy.ndarray of shape (K,)
        Training rows of each class.
    """

    y: np.ndarray
    labels: np.ndarray
    weights: np.ndarray
    counts: np.ndarray

    @property
    def codes(self) -> range:
        """All class codes."""
        return range(len(self.counts))

    @property
    def probabilities(self) -> np.ndarray:
        """The weights of each row, divided by their sum."""
        return self.weights / self.weights.sum(axis=1, keepdims=True)

    @property
    def positive(self) -> int:
        """The code of the rarest class in training, of equals the last one."""
        return max(self.codes, key=lambda code: (-self.counts[code], code))

    @classmethod
    def random(cls, seed: int) -> Case:
        """Return a table; of three in turn one has constant predictions and one constant scores."""
        rng = np.random.default_rng(seed)
        k, n = int(rng.integers(2, 6)), int(rng.integers(2, 60))
        y = rng.choice(rng.permutation(k)[: rng.integers(1, k + 1)], n)
        labels = rng.choice(rng.permutation(k)[: 1 if seed % 3 == 0 else rng.integers(1, k + 1)], n)
        weights = rng.integers(0, 4, size=(1 if seed % 3 == 1 else n, k)) + np.zeros((n, 1), dtype=int)
        weights[weights.sum(axis=1) == 0] = 1
        return cls(y, labels, weights, rng.integers(1, 50, size=k))

    def traits(self) -> list[str]:
        """Return what is awkward about the table."""
        distinct = len(np.unique(self.weights, axis=0))
        found = {
            "a class without test rows": len(set(self.y)) < len(self.counts),
            "a class that is never predicted": len(set(self.labels)) < len(self.counts),
            "one class only": len(set(self.y)) == 1,
            "constant predictions": len(set(self.labels)) == 1,
            "tied scores": distinct < len(self.y),
            "constant scores": distinct == 1,
        }
        return [name for name, yes in found.items() if yes]


def check(bench: Workbench) -> Iterator[Finding]:
    """Put the claims to the test."""
    cases = [Case.random(seed) for seed in range(bench.often(300, 3000))]
    bench.say(f"scoring {len(cases)} tables")
    traits = [name for case in cases for name in case.traits()]
    how_often = {name: traits.count(name) for name in dict.fromkeys(traits)}
    yield Finding(
        "the tables are awkward ones",
        "each of 6 kinds at least 10 times",
        ", ".join(f"{name} {number}" for name, number in how_often.items()),
        len(how_often) == 6 and min(how_often.values()) >= 10,
    )
    ours = [scores_of(case) for case in cases]
    for source, functions in {"scikit-learn": SCIKIT_LEARN, "the formula": BY_HAND}.items():
        for name, function in functions.items():
            with warnings.catch_warnings():
                # of absent classes
                warnings.simplefilter("ignore")
                expected = [function(case) for case in cases]
            wrong = sum(not _same(one[name], other) for one, other in zip(ours, expected, strict=True))
            yield Finding(
                f"{name} is that of {source}", "0 tables differ", f"{wrong} of {len(cases)} differ", wrong == 0
            )
    yield from _stored(bench)
    untested = [
        name
        for name, metric in METRICS.items()
        if not metric.of_rows and metric.function is None and name not in SCIKIT_LEARN | BY_HAND
    ]
    yield Finding("every metric of predictions was put to the test", "all", ", ".join(untested) or "all", not untested)


def _stored(bench: Workbench) -> Iterator[Finding]:
    """Compute the scores of a run again, in which the baseline never predicts the class that has few rows."""
    datasets = ["logistic-simulation", "simulated-three-classes"]
    results = bench.run(
        "metrics-stored",
        methods=["random-oversampling"],
        datasets=[{"name": name, "id": name, "params": {"n_train": 400, "n_test": N_TEST}} for name in datasets],
        scenarios=["imbalance:count=5"],
        draws=5,
        folds=3,
    )
    assert results.rows is not None
    wrong: Counter[str] = Counter()
    number: Counter[str] = Counter()
    tables, absent = [], 0
    for place, part in results.scores.groupby(["method", "dataset", "scenario", "classifier"]):
        found = results.rows(*map(str, place))
        for row in part.to_dict("records"):
            one = found[row["draw"]]
            k = one.probabilities.shape[1]
            # the last class is the rarest of both data sets, or as rare as the other one: of it few rows were kept
            few = np.where(np.arange(k) == k - 1, 5, 100)
            # whole numbers, as the formulas ask
            weights = np.rint(1e12 * one.probabilities).astype(np.int64)
            case = Case(one.y_true, one.labels, weights, few)
            tables.append(len(case.y))
            absent += "a class that is never predicted" in case.traits()
            assert one.labels_tuned is not None
            tuned = replace(case, labels=one.labels_tuned)
            for kind, table, suffix, names, error in (
                (OF_STORED[0], case, "", OF_LABELS, ROUNDING),
                (OF_STORED[1], tuned, "_tuned", OF_LABELS, ROUNDING),
                (OF_STORED[2], case, "", OF_PROBABILITIES, STORED_DIGITS),
            ):
                for name in names:
                    expected = (SCIKIT_LEARN | BY_HAND)[name](table)
                    of_classes = [f"{name}_{code}{suffix}" for code in case.codes]
                    columns = of_classes if name in ("recall", "f1") else [f"{name}{suffix}"]
                    wrong[kind] += not _same([row[column] for column in columns], expected, error)
                    number[kind] += 1
    yield Finding(
        "all test rows of a run count, also where a class is never predicted",
        f"{N_TEST} test rows in each draw, some draws without any prediction of a class",
        f"{min(tables)} to {max(tables)} test rows, {absent} of {len(tables)} draws",
        set(tables) == {N_TEST} and absent > 0,
    )
    for kind in OF_STORED:
        about = f"0 scores differ{f' by {STORED_DIGITS} or more' if kind == OF_STORED[2] else ''}"
        words = f"{wrong[kind]} of {number[kind]} differ"
        yield Finding(f"the stored scores of {kind} are those of what was predicted", about, words, not wrong[kind])


def scores_of(case: Case) -> dict[str, float | list[float]]:
    """Return what the benchmark says, with the recalls and the F1 of all classes as lists."""
    hard = hard_metrics(case.y, case.labels, case.counts)
    of_classes = {name: [hard[f"{name}_{code}"] for code in case.codes] for name in ("recall", "f1")}
    return hard | probability_metrics(case.y, case.probabilities, minority_class(case.counts)) | of_classes


def _same(ours: float | list[float], expected: float | list[float], error: float = ROUNDING) -> bool:
    """Compare numbers; not a number is the same as itself."""
    return bool(np.allclose(ours, expected, rtol=0, atol=error, equal_nan=True))


def _sklearn_average(function: str, average: str | None) -> Callable[[Case], float]:
    from sklearn import metrics

    def score(case: Case) -> float:
        found: float = getattr(metrics, function)(
            case.y, case.labels, labels=list(case.codes), average=average, zero_division=0
        )
        return found

    return score


def _sklearn_plain(function: str) -> Callable[[Case], float]:
    from sklearn import metrics

    return lambda case: float(getattr(metrics, function)(case.y, case.labels))


def _sklearn_ranking(function: str) -> Callable[[Case], float]:
    """Return the mean over classes that have test rows; of two classes the one of interest."""
    from sklearn import metrics

    def score(case: Case) -> float:
        codes = [case.positive] if len(case.counts) == 2 else sorted(set(case.y))
        truths = [case.y == code for code in codes]
        if not all(truth.any() for truth in truths) or (function == "roc_auc_score" and len(set(case.y)) == 1):
            return nan
        areas = [
            getattr(metrics, function)(truth, case.probabilities[:, code])
            for truth, code in zip(truths, codes, strict=True)
        ]
        return float(np.mean(areas))

    return score


def _sklearn_brier(case: Case) -> float:
    from sklearn.metrics import brier_score_loss

    p = case.probabilities
    return float(brier_score_loss(case.y, p[:, 1] if p.shape[1] == 2 else p, labels=list(case.codes)))


def _sklearn_log_loss(case: Case) -> float:
    from sklearn.metrics import log_loss

    return float(log_loss(case.y, np.maximum(case.probabilities, FLOOR), labels=list(case.codes)))


SCIKIT_LEARN: dict[str, Callable[[Case], float]] = {
    "macro_f1": _sklearn_average("f1_score", "macro"),
    "weighted_f1": _sklearn_average("f1_score", "weighted"),
    "accuracy": _sklearn_plain("accuracy_score"),
    "balanced_accuracy": _sklearn_average("recall_score", "macro"),
    "mcc": _sklearn_plain("matthews_corrcoef"),
    "recall": _sklearn_average("recall_score", None),
    "f1": _sklearn_average("f1_score", None),
    "auroc": _sklearn_ranking("roc_auc_score"),
    "average_precision": _sklearn_ranking("average_precision_score"),
    "brier": _sklearn_brier,
    "log_loss": _sklearn_log_loss,
}


def _recalls(case: Case) -> list[float]:
    """Return the share of each class's rows that are right, 0 where it has none."""
    rows = list(zip(case.y, case.labels, strict=True))
    right = [sum(true == predicted == code for true, predicted in rows) for code in case.codes]
    return [right[code] / max(1, sum(true == code for true, _ in rows)) for code in case.codes]


def _auroc(case: Case) -> float:
    """Return how often, of all pairs of a row of a class and another row, the first has the higher score."""
    if len(set(case.y)) == 1:
        return nan
    p, areas = case.probabilities, []
    for code in sorted(set(case.y)):
        pairs = [(a, b) for a in p[case.y == code, code] for b in p[case.y != code, code]]
        areas.append(sum((a > b) + (a == b) / 2 for a, b in pairs) / len(pairs))
    return sum(areas) / len(areas)


def _calibration_error(case: Case) -> float:
    """Sum up |right - confidence| over bins, each row's found with whole numbers."""
    bins = [0.0] * BINS
    for true, row in zip(case.y.tolist(), case.weights.tolist(), strict=True):
        top = row.index(max(row))
        # the smallest b with confidence <= b / BINS
        place = -(-BINS * row[top] // sum(row))
        bins[place - 1] += (top == true) - row[top] / sum(row)
    return sum(map(abs, bins)) / len(case.y)


BY_HAND: dict[str, Callable[[Case], float]] = {
    "g_mean": lambda case: prod(_recalls(case)) ** (1 / len(case.counts)),
    "recall_minority": lambda case: _recalls(case)[case.positive],
    "recall_majority": lambda case: _recalls(case)[case.counts.tolist().index(max(case.counts))],
    "auroc": _auroc,
    "log_loss": lambda case: (
        sum(-log(max(p[true], FLOOR)) for p, true in zip(case.probabilities, case.y, strict=True)) / len(case.y)
    ),
    "calibration_error": _calibration_error,
}
