"""Failing must not pay: a method that fails where it would have done harm is not judged by the draws that went well.

A fickle method does good in some draws and harm in the others. Its variants do the same good, and fail, each in its
own way, where it would have harmed. The mean of what they scored looks good; what counts is the mean over all draws,
the baseline's score standing in for each failure.
"""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from ..bench.limits import UnitLimits
from ..leaderboard.results import Results
from ..leaderboard.tables import compare
from .claim import Finding
from .workbench import Workbench

#: what a variant does where it would harm, by the parameter of `planted.Fickle`
WAYS = {
    "raise": "raises an error",
    "hang": "takes longer than the limit",
    "die": "takes its process down",
    "half": "returns half of the rows asked for",
    "change": "changes a training row",
    "gap": "returns a row with a missing cell",
}
EVERYWHERE = "fails-everywhere"
#: a unit takes a fraction of a second; a loaded machine may take ten times as long
SECONDS = 10.0
#: a mean of a few numbers between -100 and 100, computed in another order
ROUNDING = 1e-9


def check(bench: Workbench) -> Iterator[Finding]:
    """Put the claims to the test."""
    results = bench.run(
        "failures",
        limits=UnitLimits(seconds=SECONDS),
        methods=[
            {"name": "planted-fickle", "id": "harms"},
            *({"name": "planted-fickle", "id": way, "params": {"instead": way}} for way in WAYS),
            {"name": "planted-fickle", "id": EVERYWHERE, "params": {"instead": "raise", "share": 1.0}},
        ],
        datasets=[{"name": "logistic-simulation", "params": {"n_train": 200, "n_test": 400}}, "breast-cancer"],
        scenarios=["imbalance:count=15"],
        draws=5,
        # a draw a unit: the time limit and a dead process cost the whole unit
        block=1,
    )
    draws = results.scores.pivot(index=["dataset", "draw"], columns="method", values="macro_f1")
    gains = 100 * (draws["harms"] - draws["none"])
    harmed = gains < 0
    yield Finding(
        "a fickle method does harm in some draws and good in the others, of each data set",
        "both",
        f"harm in {int(harmed.sum())} of {len(harmed)} draws, {gains[harmed].mean():+.2f} points; else "
        f"{gains[~harmed].mean():+.2f}",
        bool((harmed.groupby("dataset").nunique() == 2).all()),
    )
    yield from _with_failures(results, gains, harmed)


def _with_failures(results: Results, gains: pd.Series, harmed: pd.Series) -> Iterator[Finding]:
    """Yield what the comparison makes of each way to fail."""
    expected = _over_datasets(gains.mask(harmed, 0.0))
    survivors = _over_datasets(gains[~harmed])
    comparison = compare(results)
    table = comparison.table.set_index("method")
    status = results.scores.set_index(["method", "dataset", "draw"])["status"]
    for way, words in WAYS.items():
        failed = (status[way] == "failed").reindex(harmed.index)
        found = float(table["delta"][way])
        yield Finding(
            f"a method that {words} wherever it would do harm has the baseline's score in those draws",
            f"{int(harmed.sum())} failures, difference {expected:+.4f} (without the failed draws: {survivors:+.4f})",
            f"{int(failed.sum())} failures, difference {found:+.4f}",
            failed.equals(harmed) and abs(found - expected) < ROUNDING and survivors > expected + ROUNDING,
        )
    row, baseline = table.loc[EVERYWHERE], table.loc["none"]
    yield Finding(
        "a method that fails in every draw is called failed, and ranks with the baseline",
        f"failed, difference 0, mean rank {baseline['mean_rank']:g}",
        f"{row['verdict']}, difference {row['delta']:g}, mean rank {row['mean_rank']:g}",
        bool(row["verdict"] == "failed" and row["delta"] == 0 and row["mean_rank"] == baseline["mean_rank"]),
    )
    lines = [one for one in comparison.warnings if one.startswith("Sensitivity to failures")]
    yield Finding(
        "the leaderboard says that the order would be another one if each failure took the worst score of its draw",
        "one line",
        f"{len(lines)}: {' '.join(lines)}",
        len(lines) == 1,
    )


def _over_datasets(values: pd.Series) -> float:
    """Average draws within a data set, then data sets."""
    return float(values.groupby("dataset").mean().mean())
