"""Every method against one other: differences, intervals and p-values, over data sets or on a single one."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd

from .aggregate import DrawTable
from .bootstrap import two_way_test
from .predictions import Place, Predictions, from_labels
from .results import Results
from .statistics import TTest, corrected_resampled_t, paired_t, partial_conjunction_count, t_interval
from .statistics import wilcoxon_signed_rank as wilcoxon
from .t_tests import combined_t

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
        Test rows divided by training rows, the mean over the baseline's draws in scenarios whose test rows are drawn
        anew; NaN where unknown.
    fixed : mapping of str to frozenset of str
        The scenarios of a data set in which every draw has the same test rows.
    redrawn : mapping of str to frozenset of str
        Its other scenarios.
    predictions : Predictions, optional
        What was predicted on fixed test rows.
    """

    fresh: Mapping[str, bool]
    ratios: Mapping[str, float]
    fixed: Mapping[str, frozenset[str]] = field(default_factory=dict)
    redrawn: Mapping[str, frozenset[str]] = field(default_factory=dict)
    predictions: Predictions | None = None

    @classmethod
    def of(cls, results: Results, scores: pd.DataFrame, baseline: str) -> Design:
        """Read the design off the baseline's scores: where it has none (yet), nothing is compared."""
        rows = scores[(scores["method"] == baseline) & (scores["status"] == "ok")]
        known = results.predictions.fixed if results.predictions is not None else frozenset()
        places = {(str(d), str(s)) for d, s in rows[["dataset", "scenario"]].drop_duplicates().itertuples(index=False)}
        names = [str(name) for name in scores["dataset"].unique()]
        fixed, redrawn = (
            {name: found for name in names if (found := frozenset(s for d, s in part if d == name))}
            for part in (places & known, places - known)
        )
        ratios: dict[str, float] = {}
        if {"n_test", "n_train"} <= set(scores.columns):
            rows = rows[[(d, s) not in known for d, s in zip(rows["dataset"], rows["scenario"], strict=True)]]
            ratio = rows["n_test"].astype(float) / rows["n_train"].astype(float).where(rows["n_train"] > 0)
            ratios = {str(k): float(v) for k, v in ratio.groupby(rows["dataset"]).mean().items()}
        return cls({name: results.is_fresh(name) for name in names}, ratios, fixed, redrawn, results.predictions)

    def test_name(self, dataset: str, metric: str = "macro_f1") -> str:
        """Name the test that fits one data set, and a metric."""
        names = []
        if self.redrawn.get(dataset) or dataset not in self.fixed:
            fresh = self.fresh.get(dataset, False)
            names.append(
                "paired t-test over independent draws" if fresh else "corrected resampled t-test (Nadeau–Bengio)"
            )
        if dataset in self.fixed:
            both = "two-way bootstrap over draws and test rows (one test set for all draws)"
            names.append(both if from_labels(metric) else "paired t-test over draws, on these test rows alone")
        return " and ".join(names)

    def unknown(self, dataset: str) -> bool:
        """Say whether too little is known of a data set for an interval: its draws share rows, but how many."""
        drawn = bool(self.redrawn.get(dataset)) or dataset not in self.fixed
        return drawn and not self.fresh.get(dataset, False) and np.isnan(self.ratios.get(dataset, np.nan))


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

        Below `FEWEST_DRAWS` draws there is neither interval nor p. Where some of its scenarios have fixed test rows and
        others have not, each part has its own test, see `combined_t`.
        """
        differences = self.table.draw_differences(method, self.other, dataset)
        if len(differences) == 0:
            return _NOTHING
        mean = float(differences.mean())
        if len(differences) < FEWEST_DRAWS or self.design.unknown(dataset):
            return TTest(mean, np.nan, np.nan, np.nan, np.nan, 0)
        fixed, redrawn = (part.get(dataset) for part in (self.design.fixed, self.design.redrawn))
        if not fixed:
            return self._redrawn(method, dataset, None)
        if not redrawn:
            return self._fixed(method, dataset, fixed)
        parts = {redrawn: self._redrawn, fixed: self._fixed}
        cells = {part: self.table.n_cells(method, self.other, dataset, part) for part in parts}
        tests = [test(method, dataset, part) for part, test in parts.items() if cells[part]]
        return combined_t(tests, [n for n in cells.values() if n])

    def _redrawn(self, method: str, dataset: str, scenarios: Collection[str] | None) -> TTest:
        """Test over draws that each have test rows of their own."""
        differences = self.table.draw_differences(method, self.other, dataset, scenarios)
        if self.design.fresh.get(dataset, False):
            return paired_t(differences)
        return corrected_resampled_t(differences, self.design.ratios[dataset])

    def _fixed(self, method: str, dataset: str, scenarios: Collection[str]) -> TTest:
        """Test over draws that share their test rows: over new rows too, where the predicted classes are known."""
        differences = self.table.draw_differences(method, self.other, dataset, scenarios)
        metric, predictions = self.table.metric, self.design.predictions
        if predictions is None or from_labels(metric) is None or len(differences) < 2:
            return paired_t(differences)
        pair = (method, self.other)
        own, others = (self._places(one, dataset, scenarios, pair) for one in pair)
        resampled = predictions.replicates(metric, dataset, own) - predictions.replicates(metric, dataset, others)
        return two_way_test(differences, resampled)

    def _places(self, one: str, dataset: str, scenarios: Collection[str], pair: tuple[str, str]) -> list[Place]:
        """Return whose predictions stand for a method in each draw that both of a pair have: failed, the baseline's."""
        index = self.table.draws_of(pair, dataset, scenarios)
        states = self.table.states[one].reindex(index)
        names = np.where(states == "ok", one, self.table.baseline)
        return [(str(name), str(s), str(c), int(d)) for name, (_, s, c, d) in zip(names, index, strict=True)]

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
