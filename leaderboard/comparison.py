"""What a comparison is: the outcome that terminal, HTML page and exports are made from."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from .answer import Answer
from .pairs import MOST_IN_DIAGRAM, CriticalDifference, WinMatrix, critical_difference
from .ranks import Friedman

#: how times were measured, by what a run says of it
TIMES = {
    "alone": "Times were measured alone: one unit of work at a time, after a first use of each method.",
    "during the run": "Times were measured during the run: beside other workers, if there were any, and with the first "
    "use of a library. bench run --cost-alone measures them alone.",
}


@dataclass(frozen=True)
class Comparison:
    """One leaderboard: a tidy table and what belongs to it. Differences are in points (hundredths of the metric).

    Attributes
    ----------
    metric, baseline : str
        What is compared, and with what.
    reference : str or None
        The second reference, plain copies, where it was run.
    classifier, scenario : str or None
        The subset that was asked for; None is all.
    datasets : tuple of str
        The data sets; their number is D.
    n_draws : int
        The most draws that any data set has.
    confirmatory : bool
        False for a secondary metric or a subset: then there are no p-values.
    test : str
        Name of the test behind intervals and p-values.
    table : pandas.DataFrame
        One row per method, best first, unranked ones last. Columns: method, kind, family, description, is_baseline,
        is_control, state, note, n_datasets, untested, delta, low, high, wins, ties, losses, mean_rank, rank_low,
        rank_high (bootstrap over data sets), tied_rank (the place, shared where nothing separates: see
        :meth:`~augbench.leaderboard.pairs.WinMatrix.shared_ranks`; NaN if exploratory), p_baseline, p_baseline_holm,
        delta_copies, low_copies, high_copies, p_copies, p_copies_holm, macro_f1, weighted_f1,
        recall_minority, recall_majority, delta_tuned, low_tuned, high_tuned, seconds, n_scores, n_failed, messages,
        not_applicable, p_better, p_equivalent, p_worse, shown_better, shown_worse, gain_baseline, gain_copies, verdict,
        effort (what training took, in words), steps, tuning (how parameters were chosen).
    deltas : pandas.DataFrame of shape (methods, data sets)
        Difference to the baseline in points, in the order of the table.
    states : pandas.DataFrame of shape (methods, data sets)
        In words: see :func:`~augbench.leaderboard.aggregate.state_words`.
    omnibus : Friedman or None
        The omnibus test over ranked methods; None in an exploratory comparison.
    finding, omnibus_text : str
        One sentence each.
    budget : str
        How parameters were chosen and what generative methods were given, for the whole run; empty if nothing is known.
    times : str
        How times were measured, a key of `TIMES`; empty if nothing is known.
    warnings, footnotes : tuple of str
        What the reader has to know.
    answer : Answer or None
        The answer in words, where there is one data set and all of it was compared by the confirmatory metric.
    pairs : WinMatrix or None
        Every ranked method against every other, in the order of the table; None in an exploratory comparison.
    """

    metric: str
    baseline: str
    reference: str | None
    classifier: str | None
    scenario: str | None
    datasets: tuple[str, ...]
    n_draws: int
    confirmatory: bool
    test: str
    table: pd.DataFrame
    deltas: pd.DataFrame
    states: pd.DataFrame
    omnibus: Friedman | None
    finding: str
    omnibus_text: str
    budget: str
    times: str
    warnings: tuple[str, ...]
    footnotes: tuple[str, ...]
    answer: Answer | None = None
    pairs: WinMatrix | None = None

    @property
    def interval_test(self) -> str:
        """What the intervals of the table come from: `test` without the test that gives p-values alone."""
        return self.test.replace(" and Wilcoxon signed-rank test", "")

    @property
    def n_datasets(self) -> int:
        """D, the number of units."""
        return len(self.datasets)

    @property
    def ranked(self) -> list[str]:
        """The methods that have a mean rank: those with a result, or a failure, in every draw; best first."""
        return [str(name) for name in self.table.loc[self.table["mean_rank"].notna(), "method"]]

    @property
    def diagram(self) -> CriticalDifference | None:
        """The critical-difference diagram; None if exploratory, on one data set, for 1 method or more than 12."""
        if not self.confirmatory or self.n_datasets < 2 or not 2 <= len(self.ranked) <= MOST_IN_DIAGRAM:
            return None
        return critical_difference(self.deltas.loc[self.ranked].T / 100)

    @property
    def family(self) -> int:
        """How many methods were tested against the baseline."""
        return int(self.table["p_baseline"].notna().sum())

    @property
    def times_sentence(self) -> str:
        """How times were measured, in a sentence; empty if nothing is known."""
        return TIMES.get(self.times, "")
