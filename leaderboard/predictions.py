"""Predicted classes on test sets that are the same in every draw, and how scores vary with the rows of those."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from .bootstrap import CountMetric, RowBootstrap, count_metric

#: True class codes of a test set, shape (T,), and the number of classes.
Truth = tuple[npt.NDArray[np.integer], int]
#: Predicted class codes by number of draw, each of shape (T,).
Labels = Mapping[int, npt.NDArray[np.integer]]
#: Whose prediction, in which scenario, with which classifier, in which draw.
Place = tuple[str, str, str, int]


@dataclass(frozen=True)
class PredictedRows:
    """What was predicted for the test rows of a draw.

    Attributes
    ----------
    y_true, labels : numpy.ndarray of shape (T,)
        True and predicted class codes.
    probabilities : numpy.ndarray of shape (T, K)
        Their ratios are known to about 0.1 %: rows that lie closer are tied.
    labels_tuned : numpy.ndarray of shape (T,), optional
        Class codes that were predicted at the tuned decision, where there is one.
    """

    y_true: npt.NDArray[np.integer]
    labels: npt.NDArray[np.integer]
    probabilities: npt.NDArray[np.float64]
    labels_tuned: npt.NDArray[np.integer] | None = None


#: Test rows by draw: ``rows(method, dataset, scenario, classifier)``.
RowReader = Callable[[str, str, str, str], Mapping[int, PredictedRows]]


def from_labels(metric: str) -> CountMetric | None:
    """Return a metric as a function of class counts; None where predicted classes alone do not decide it."""
    return count_metric(metric.removesuffix("_tuned"))


class Predictions:
    """Predictions on fixed test sets, read when they are asked for and not before.

    Parameters
    ----------
    fixed : collection of (dataset, scenario)
        Where the test rows are the same in every draw; of one data set, also for all of these scenarios.
    truth : callable
        ``truth(dataset)``: see `Truth`.
    labels : callable
        ``labels(method, dataset, scenario, classifier, tuned)``: see `Labels`; with `tuned` those at the tuned
        threshold. Failed draws are left out.
    """

    def __init__(
        self,
        fixed: Collection[tuple[str, str]],
        truth: Callable[[str], Truth],
        labels: Callable[[str, str, str, str, bool], Labels],
    ) -> None:
        self.fixed = frozenset(fixed)
        self._truth = truth
        # a dozen cells of one method on one data set are read one after the other, each for many draws
        self._labels = lru_cache(maxsize=64)(labels)
        self._rows = lru_cache(maxsize=6)(self._make_rows)
        #: the resampled scores of a method on a data set: some 80 kB
        self._means = lru_cache(maxsize=1024)(self._mean)

    def replicates(self, metric: str, dataset: str, places: Collection[Place]) -> npt.NDArray[np.float64]:
        """Return scores on resamples of a data set's test rows, the same resamples whoever is asked for.

        Parameters
        ----------
        metric : str
            One that `from_labels` knows.
        dataset : str
            One of `fixed`.
        places : collection of Place
            What to average: the cells of a draw have the same weight.

        Returns
        -------
        numpy.ndarray of shape (samples, J)
            One column for each draw that occurs, in order.
        """
        return self._means(metric, dataset, tuple(sorted(places)))

    def _make_rows(self, dataset: str) -> RowBootstrap:
        y_true, n_classes = self._truth(dataset)
        return RowBootstrap(y_true, n_classes)

    def _mean(self, metric: str, dataset: str, places: tuple[Place, ...]) -> npt.NDArray[np.float64]:
        function = from_labels(metric)
        if function is None:
            raise ValueError(f"metric has to be one of predicted classes, found '{metric}'")
        rows, tuned = self._rows(dataset), metric.endswith("_tuned")
        draws = sorted({draw for *_, draw in places})
        column, counts = {draw: i for i, draw in enumerate(draws)}, np.zeros(len(draws))
        total: npt.NDArray[np.float64] | float = 0.0
        for cell in dict.fromkeys(place[:3] for place in places):
            method, scenario, classifier = cell
            labels = self._labels(method, dataset, scenario, classifier, tuned)
            own = [place[3] for place in places if place[:3] == cell]
            scores = rows.scores(np.stack([labels[draw] for draw in own]), function)[1]
            share = np.zeros((len(scores), len(draws)))
            share[:, [column[draw] for draw in own]] = scores
            counts[[column[draw] for draw in own]] += 1
            total = total + share
        return np.asarray(total / counts)
