"""From rows of scores to one number per method and data set, with the failure policy of the leaderboard.

The policy, draw by draw:

- *ok*: the method's score.
- *failed*: the method raised, ran out of time or memory, or has no number where the baseline has one. The draw takes
  the baseline's score *before* anything is averaged, so it counts as a tie: failing neither pays nor hides.
- *not applicable*: known beforehand not to fit (say, too few rows). The draw is left out of every comparison of that
  method. The method is compared on what is left and is not ranked.
- *not run*: no result yet, or no row at all. Left out too; the method is listed, unranked and without p-values.
- Draws in which the baseline itself has no score are left out for everybody, and counted. A data set on which nobody
  has a number (regret where the truth is unknown) takes no part.

Draws are averaged first, then the cells (scenario × classifier) of a data set, all with the same weight. The unit of
every test is the data set.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ..errors import InputError, unknown_name
from .results import OF_ROWS, higher_is_better

#: One row of a draw table: everything about a score but the method.
DRAW = ["dataset", "scenario", "classifier", "draw"]
CELL = ["dataset", "scenario", "classifier"]


@dataclass(frozen=True)
class DrawTable:
    """One metric, draw by draw, after the failure policy.

    Attributes
    ----------
    metric, baseline : str
        What was averaged, and whose score a failed draw takes.
    values : pandas.DataFrame of shape (draws, methods)
        Indexed by dataset, scenario, classifier, draw; NaN where a draw is left out.
    states : pandas.DataFrame of shape (draws, methods)
        "ok", "failed", "not applicable" or "not run".
    dropped : int
        Draws left out for everybody because the baseline has no score there.
    """

    metric: str
    baseline: str
    values: pd.DataFrame
    states: pd.DataFrame
    dropped: int

    @property
    def datasets(self) -> list[str]:
        """The data sets, in order of name."""
        return [str(name) for name in self.values.index.unique("dataset")]

    @property
    def methods(self) -> list[str]:
        """The methods, in order of name."""
        return [str(name) for name in self.values.columns]

    @cached_property
    def scores(self) -> pd.DataFrame:
        """Mean score, data sets × methods."""
        return _means(self.values)

    def differences(self, other: str) -> pd.DataFrame:
        """Mean paired difference of every method to `other`, data sets × methods, over the draws that both have."""
        return _means(self.values.sub(self.values[other], axis=0))

    def draws_of(self, methods: Sequence[str], dataset: str, scenarios: Collection[str] | None = None) -> pd.Index:
        """Return the draws of one data set that all of the methods have; of these scenarios alone, where given."""
        return self._part(dataset, scenarios)[list(dict.fromkeys(methods))].dropna().index

    def _part(self, dataset: str, scenarios: Collection[str] | None) -> pd.DataFrame:
        """Return the values of one data set, in these scenarios."""
        if dataset not in self._parts:
            self._parts[dataset] = self.values.loc[[dataset]]
        values = self._parts[dataset]
        if scenarios is None:
            return values
        return values[values.index.get_level_values("scenario").isin(list(scenarios))]

    def draw_differences(
        self, method: str, other: str, dataset: str, scenarios: Collection[str] | None = None
    ) -> npt.NDArray[np.float64]:
        """Return the paired difference of each draw of one data set, its cells averaged; shape (draws,).

        The mean is that of `differences`: where a cell lacks draws, it is the deviations from the cells' means that are
        averaged by draw, so that a gap in a cell is no spread between draws.
        """
        key = (method, other, dataset, None if scenarios is None else frozenset(scenarios))
        if key not in self._differences:
            found = self._draw_differences(method, other, self._part(dataset, scenarios))
            self._differences.update({(name, *key[1:]): one for name, one in found.items()})
        return self._differences[key]

    @cached_property
    def _differences(self) -> dict[Any, npt.NDArray[np.float64]]:
        """What was asked for: a test, its verdict and its page ask for the same."""
        return {}

    @cached_property
    def _parts(self) -> dict[str, pd.DataFrame]:
        """The values of the data sets that were asked for: finding them takes longer than what is done with them."""
        return {}

    def _draw_differences(self, method: str, other: str, values: pd.DataFrame) -> dict[str, npt.NDArray[np.float64]]:
        """Return the differences of a method, and of all that share the same draws with the other: one grouping."""
        own, others = map(list(values.columns).index, (method, other))
        has = values.notna().to_numpy()
        both = has & has[:, [others]]
        draws = both[:, own]
        # the method is one of these columns, the other need not be
        difference = values.loc[draws, (both == draws[:, None]).all(axis=0)].sub(values.loc[draws, other], axis=0)
        cells = difference.groupby(level=["scenario", "classifier"])
        deviations = (difference - cells.transform("mean")).groupby(level="draw").mean()
        means = cells.mean()
        return {
            str(name): np.asarray(deviations[name] - deviations[name].mean() + means[name].mean(), dtype=float)
            for name in difference.columns
        }

    def n_cells(self, method: str, other: str, dataset: str, scenarios: Collection[str]) -> int:
        """Return how many scenarios × classifiers of one data set both methods have any draw of."""
        return len({place[1:3] for place in self.draws_of((method, other), dataset, scenarios)})

    def complete(self, method: str) -> bool:
        """Say whether a method has a result, or failed, in every draw: only then it is ranked."""
        return bool(self.states[method].isin(["ok", "failed"]).all())

    def worst_case(self) -> DrawTable:
        """Return the table in which a failed draw takes the worst score of any method there, not the baseline's."""
        ok = self.values.where(self.states == "ok")
        worst = ok.min(axis=1) if higher_is_better(self.metric) else ok.max(axis=1)
        values = self.values.mask(self.states == "failed", worst, axis=0)
        return DrawTable(self.metric, self.baseline, values, self.states, self.dropped)


def _means(values: pd.DataFrame) -> pd.DataFrame:
    """Average draws within a cell, then the cells of a data set."""
    return values.groupby(level=CELL, sort=True).mean().groupby(level="dataset", sort=True).mean()


def draw_table(scores: pd.DataFrame, metric: str, baseline: str) -> DrawTable:
    """Arrange one metric by draw and method and apply the failure policy.

    Parameters
    ----------
    scores : pandas.DataFrame
        The checked scores of a :class:`~augbench.leaderboard.results.Results`.
    metric : str
        A numeric column.
    baseline : str
        The method whose score stands in for a failed draw.

    Returns
    -------
    DrawTable
        Values and states.

    Raises
    ------
    InputError
        Where there is no such metric or baseline, or the baseline has no score at all.
    """
    if metric not in scores.columns:
        raise unknown_name("metric", metric, [str(name) for name in scores.select_dtypes("number").columns])
    if baseline not in set(scores["method"]):
        raise unknown_name("method", baseline, scores["method"].unique())
    measured = scores.groupby("dataset")[metric].transform("count") > 0
    scores = scores[measured]
    values = scores.pivot(index=DRAW, columns="method", values=metric).astype(float).replace([np.inf, -np.inf], np.nan)
    states = scores.pivot(index=DRAW, columns="method", values="status").fillna("not run")
    states = states.mask((states == "ok") & values.isna(), "failed")
    usable = states[baseline] == "ok" if baseline in states.columns else pd.Series(False, index=states.index)
    if not usable.any():
        if metric in OF_ROWS:
            raise InputError(
                f"{metric} describes generated rows, and the baseline '{baseline}' has none: no method can be compared "
                "with it; the page and 'bench export' show it"
            )
        raise InputError(f"the baseline '{baseline}' has no {metric} in any draw: there is nothing to compare with")
    values, states = values[usable], states[usable]
    values = values.where(states == "ok")
    values = values.mask(states == "failed", values[baseline], axis=0)
    return DrawTable(metric, baseline, values, states, int((~usable).sum()))


def state_words(table: DrawTable) -> pd.DataFrame:
    """Sum up the draws of each method and data set in words, methods × data sets.

    "ok"; "failed" where every draw failed, "partly failed" where some did; "not applicable" and "not run" where all
    draws are so, "partly not applicable" and "partly not run" where some are.
    """
    words = pd.DataFrame("ok", index=table.values.columns, columns=table.datasets)
    for state in ("failed", "not applicable", "not run"):
        share = (table.states == state).groupby(level="dataset").mean().T
        words = words.mask(share > 0, f"partly {state}").mask(share == 1, state)
    return words
