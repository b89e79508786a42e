"""Every method against one other: differences, intervals and p-values, over data sets or on a single one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from .aggregate import DrawTable
from .results import Results
from .statistics import TTest, corrected_resampled_t, paired_t, partial_conjunction_count, t_interval
from .statistics import wilcoxon_signed_rank as wilcoxon

#: Below so many draws of a data set nothing is tested on it: two draws can agree by chance.
FEWEST_DRAWS = 3

_NOTHING = TTest(np.nan, np.nan, np.nan, np.nan, np.nan, 0)


@dataclass(frozen=True)
class Design:
    """What decides which test fits a data set.

    Attributes
    ----------
    fresh : mapping of str to bool
        Whether every draw of a data set is a fresh simulated one.
    ratios : mapping of str to float
        Test rows divided by training rows, the mean over the baseline's draws; NaN where unknown.
    """

    fresh: Mapping[str, bool]
    ratios: Mapping[str, float]

    @classmethod
    def of(cls, results: Results, scores: pd.DataFrame, baseline: str) -> Design:
        """Read the design off the baseline's rows."""
        rows = scores[(scores["method"] == baseline) & (scores["status"] == "ok")]
        names = [str(name) for name in scores["dataset"].unique()]
        ratios: dict[str, float] = {}
        if {"n_test", "n_train"} <= set(scores.columns):
            ratio = rows["n_test"].astype(float) / rows["n_train"].astype(float).where(rows["n_train"] > 0)
            ratios = {str(k): float(v) for k, v in ratio.groupby(rows["dataset"]).mean().items()}
        return cls({name: results.is_fresh(name) for name in names}, ratios)

    def test_name(self, dataset: str) -> str:
        """Name the test that fits one data set."""
        if self.fresh.get(dataset, False):
            return "paired t-test over independent draws"
        return "corrected resampled t-test (Nadeau–Bengio)"


@dataclass(frozen=True)
class Contrast:
    """All methods against `other`, in shares (not points).

    Attributes
    ----------
    table : DrawTable
        The scores.
    other : str
        The reference.
    design : Design
        Which test fits which data set.
    """

    table: DrawTable
    other: str
    design: Design

    @cached_property
    def differences(self) -> pd.DataFrame:
        """Mean differences, data sets × methods; NaN where one of the two has nothing."""
        return self.table.differences(self.other)

    def on_dataset(self, method: str, dataset: str) -> TTest:
        """Test one method on one data set over its draws; no interval where the rows per part are not known.

        Below `FEWEST_DRAWS` draws there is neither interval nor p.
        """
        differences = self.table.draw_differences(method, self.other, dataset)
        if len(differences) == 0:
            return _NOTHING
        fresh, ratio = self.design.fresh.get(dataset, False), self.design.ratios.get(dataset, np.nan)
        if len(differences) < FEWEST_DRAWS or (not fresh and np.isnan(ratio)):
            return TTest(float(differences.mean()), np.nan, np.nan, np.nan, np.nan, 0)
        return paired_t(differences) if fresh else corrected_resampled_t(differences, ratio)

    def untested(self, method: str) -> str:
        """Return why a method has no p on a single data set, as a verdict; empty where it has or could have one."""
        if len(self.table.datasets) != 1:
            return ""
        dataset = self.table.datasets[0]
        if len(self.table.draw_differences(method, self.other, dataset)) < FEWEST_DRAWS:
            return "too few draws"
        test = self.on_dataset(method, dataset)
        return "too few distinct draws" if np.isnan(test.p) and test.df else ""

    def overall(self, method: str) -> TTest:
        """Mean over data sets with its t-interval and the signed-rank p; with a single data set, the test on that."""
        if len(self.table.datasets) == 1:
            return self.on_dataset(method, self.table.datasets[0])
        values = self.differences[method].dropna().to_numpy(dtype=float)
        if len(values) == 0:
            return _NOTHING
        low, high = t_interval(values)
        return TTest(float(values.mean()), low, high, np.nan, wilcoxon(values), len(values) - 1)

    def conjunction(self, method: str, alpha: float = 0.05) -> tuple[float, float]:
        """Return on how many of 2 to 5 data sets, at least, the method is higher, and lower; NaN elsewhere.

        Each direction is tested at α/2 with one-sided p-values.
        """
        names = self.differences[method].dropna().index
        if not 2 <= len(names) <= 5:
            return np.nan, np.nan
        tests = [self.on_dataset(method, str(name)) for name in names]
        if all(np.isnan(test.p) for test in tests):
            return np.nan, np.nan
        higher, lower = ([_one_sided(test, sign) for test in tests] for sign in (1, -1))
        return partial_conjunction_count(higher, alpha / 2), partial_conjunction_count(lower, alpha / 2)


def _one_sided(test: TTest, sign: int) -> float:
    """Return the one-sided p in a direction; 1 where nothing could be tested, which shows nothing."""
    if np.isnan(test.p):
        return 1.0
    return test.p / 2 if sign * test.mean > 0 else 1 - test.p / 2
