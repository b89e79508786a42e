"""Predicted classes of test sets that are the same in every draw, and how their scores vary with the test rows."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from .bootstrap import CountMetric, RowBootstrap, count_metric

#: Predicted classes by draw, each of shape (T,).
Labels = Mapping[int, npt.NDArray[np.integer]]


def from_labels(metric: str) -> CountMetric | None:
    """Return a metric as a function of class counts; None where predicted classes alone do not decide it."""
    return count_metric(metric.removesuffix("_tuned"))


class Predictions:
    """Predictions on fixed test sets, read where they are asked for and not before.

    Parameters
    ----------
    fixed : collection of (dataset, scenario)
        Where the test rows are the same in every draw, and for every scenario of the data set that is in here.
    truth : callable
        ``truth(dataset)``: true class codes of those rows, shape (T,).
    labels : callable
        ``labels(method, dataset, scenario, classifier, tuned)``: predicted class codes by draw; with `tuned` those at
        the tuned threshold. A draw without predictions is left out.
    """

    def __init__(
        self,
        fixed: Collection[tuple[str, str]],
        truth: Callable[[str], npt.NDArray[np.integer]],
        labels: Callable[[str, str, str, str, bool], Labels],
    ) -> None:
        self.fixed = frozenset(fixed)
        self._truth, self._labels = truth, labels
        self._rows: tuple[str, RowBootstrap] | None = None
        self._replicates: dict[tuple[str, str, str], pd.DataFrame] = {}

    def replicates(self, metric: str, method: str, dataset: str, cells: Collection[tuple[str, str]]) -> pd.DataFrame:
        """Return the scores of a method on resamples of the test rows, the same resamples for every method.

        Parameters
        ----------
        metric : str
            One for which `from_labels` returns something.
        method, dataset : str
            Of whom, on what.
        cells : collection of (scenario, classifier)
            Of which cells.

        Returns
        -------
        pandas.DataFrame of shape (cells × draws, samples)
            Indexed by scenario, classifier, draw.
        """
        found = {cell: self._cell(metric, method, dataset, cell) for cell in cells}
        table = pd.concat(found, names=["scenario", "classifier", "draw"])
        return table
