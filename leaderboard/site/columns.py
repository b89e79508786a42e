"""The columns of the table of methods: header, meaning, and how a value is written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from .. import format as text
from ..comparison import Comparison
from ..results import higher_is_better
from ..tables import SHOWN

#: When a column is shown: always, with the p-values only (the whole run by its main metric), or with the whole run.
ALWAYS, CONFIRMATORY, WHOLE = "", "confirmatory", "whole"


@dataclass(frozen=True)
class Column:
    """One column.

    Attributes
    ----------
    key : str
        Its name for scripts, links and CSV.
    head, meaning : str
        Header, and what it says, in full sentences.
    value : callable
        From a row of the table to the number that it is sorted by; None where it is not sorted.
    write : callable
        From that number to text; None for columns that the template draws: the interval, the verdict, what failed.
    when : str
        `ALWAYS`, `CONFIRMATORY` or `WHOLE`.
    """

    key: str
    head: str
    meaning: str
    value: Callable[[Mapping[Any, Any]], Any] | None = None
    write: Callable[[Any], str] | None = None
    when: str = ALWAYS

    @property
    def numeric(self) -> bool:
        """Whether it is set flush right."""
        return self.key not in ("method", "interval", "verdict")

    @property
    def of_all(self) -> bool:
        """Whether it is a mean over data sets that is read down the column: that of fewer sets is another thing."""
        return self.key == "score" or self.key in SHOWN

    def data(self, row: Mapping[Any, Any]) -> str | None:
        """Return what a cell is sorted by as text, empty for NaN; None where the column has no number."""
        if self.value is None or not self.numeric:
            return None
        value = self.value(row)
        return f"{value:.10g}" if value == value else ""

    def text(self, row: Mapping[Any, Any]) -> str:
        """Return what stands in a cell."""
        return self.write(self.value(row)) if self.value and self.write else ""


def columns(comparison: Comparison) -> list[Column]:
    """Return the columns of a comparison that have anything to show, in order."""
    table = comparison.table
    found = [*_differences(comparison), *_scores(comparison)]
    if "seconds" in table.columns:
        found.append(_column("seconds", "cost", f"{_COST} {comparison.times_sentence}".strip(), text.seconds, WHOLE))
    if table["n_failed"].any():
        meaning = "Scores that failed: each counts as a tie with the baseline. Open a number to see the messages."
        found.append(Column("n_failed", "failed", meaning, lambda row: row["n_failed"]))
    return [one for one in found if one.key not in table.columns or _any(table[one.key])]


def _any(values: Any) -> bool:
    return bool(values.notna().any())


def _column(key: str, head: str, meaning: str, write: Callable[[Any], str], when: str = ALWAYS) -> Column:
    return Column(key, head, meaning, lambda row: row[key], write, when)


_COST = "Time of fitting the method and making its rows, the mean over draws; a classifier's training is not in it."


def _differences(comparison: Comparison) -> list[Column]:
    """Return the columns that compare with the baseline and with copies."""
    baseline, metric = comparison.baseline, text.metric_name(comparison.metric)
    whole = (
        "Two-sided, corrected by Holm over all methods compared with the same reference, so the chance of one or more "
        "false findings in the column stays below 5 %. The page Compare has it uncorrected, too."
    )
    found = [Column("method", "method", "Its name; the page behind it says what it does.")]
    if "tied_rank" in comparison.table.columns:
        meaning = (
            "Place in the order of Δ, shared by methods that no test tells apart (all pairs, Holm): within a rank the "
            "order is chance."
        )
        found.append(_column("tied_rank", "rank", meaning, _whole_number, CONFIRMATORY))
    found += [
        _column(
            "delta",
            "Δ",
            f"Difference to {baseline} in points: 1 point is .01 of {metric}. Every method has the same draws, so "
            "differences are paired; they are averaged over draws, classifiers and scenarios, then over data sets.",
            text.signed,
        ),
        Column(
            "interval",
            "95 % interval",
            f"Of Δ: {comparison.interval_test}. It depends on the method and {baseline} only, never on which other "
            "methods take part. The thin line is 0.",
        ),
        Column(
            "verdict",
            "verdict",
            "What the tests say: the first of the words explained below whose rule fits. bench selftest words measures "
            "how often each word is wrong.",
            when=CONFIRMATORY,
        ),
        Column(
            "wtl", "W/T/L", "Data sets on which the method is better (won), equal to six decimals (tied), worse (lost)."
        ),
        _column(
            "mean_rank",
            "mean rank",
            "Rank within each data set, 1 is best, averaged over data sets. Only methods with a result, or a failure, "
            "in every draw are ranked.",
            text.plain_number,
        ),
        _column("p_baseline_holm", f"p, {baseline}", f"p against {baseline}. {whole}", text.p_value, CONFIRMATORY),
    ]
    if comparison.reference:
        meaning = f"p against {comparison.reference}, plain copies. {whole}"
        found.append(_column("p_copies_holm", "p, copies", meaning, text.p_value, CONFIRMATORY))
    found.append(
        _column(
            "delta_tuned",
            "Δ tuned",
            "The same difference when every method's decision is tuned on out-of-fold training rows. A gain that goes "
            "away here came from moving the threshold.",
            text.signed,
        )
    )
    return found


def _scores(comparison: Comparison) -> list[Column]:
    """Return the columns of scores, that of the metric first, and the posterior of a difference."""
    metric = comparison.metric
    scores = {
        "macro_f1": "Mean of the classes' F1, in percent.",
        "weighted_f1": "F1 of the classes weighted by their rows, in percent.",
        "recall_minority": "Accuracy (recall) of the smallest class, in percent.",
        "recall_majority": "Accuracy (recall) of the largest class, in percent.",
    }
    heads = {"recall_minority": "minority", "recall_majority": "majority"}
    name = text.metric_name(metric)
    less = "" if higher_is_better(metric) else " Less is better."
    meaning = f"Mean {name} over data sets, in points (hundredths).{less}"
    # the only metric that is no share of 1: 13 is no log loss that anyone has seen
    name += " × 100" if metric.startswith("log_loss") else ""
    found = [Column("score", name, meaning, lambda row: row[metric], text.plain_number)]
    found += [
        _column(one, heads.get(one, text.metric_name(one)), scores[one], text.plain_number)
        for one in SHOWN
        if one != metric
    ]
    meaning = (
        "Bayesian signed-rank test: how sure it is, in percent, that over data sets like these most of the differences "
        "(averaged in pairs) lie above +0.5 points, within ±0.5 points, or below −0.5 points. Not the chance of a gain "
        "on a new data set; and it asks less than the corrected p-values."
    )
    if _any(comparison.table["p_better"]):
        found.append(Column("posterior", "better / same / worse", meaning, when=CONFIRMATORY))
    return found


def _whole_number(value: float) -> str:
    return f"{value:.0f}" if value == value else text.NOTHING
