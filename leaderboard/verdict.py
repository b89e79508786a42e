"""The words of the leaderboard: one verdict per method, the sentence of finding, warnings and footnotes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from .contrast import FEWEST_DRAWS
from .format import metric_name
from .posterior import ROPE
from .ranks import Friedman
from .results import higher_is_better
from .statistics import smallest_reachable_p

ALPHA = 0.05
#: data sets that one warning names
MOST_NAMED = 8

#: over two data sets an interval is narrow by luck only
FEWEST_DATASETS = 3

#: The rule: every verdict and what it says, in the order in which they are asked; the first that fits is the word.
VERDICTS = {
    "baseline": "what all else is compared with",
    "incomplete": "some of its cells were not run: listed, not ranked, not tested",
    "failed": "failed in every draw",
    "not applicable": "applies to none of the data sets",
    "exploratory": "a secondary metric or a subset: intervals only, no p-values, no verdict",
    "too few draws": "with fewer than 3 draws of a single data set there is neither interval nor test",
    "too few distinct draws": "the difference is the same in every draw of a single data set: no spread to test "
    "it against. Run more draws, or test on more rows",
    "equivalent": f"the 95 % interval against the baseline lies wholly within ±{ROPE} points, over one data set or at "
    f"least {FEWEST_DATASETS}, and no draw failed: a difference, significant or not, that is too small to matter. Of "
    "this method alone, not corrected for how many there are",
    "harms": "worse than the baseline (Holm p < .05)",
    "helps": "better than the baseline (Holm p < .05), and its 95 % interval against every trivial control and every "
    "adjuster lies above 0",
    "as a control does": "better than the baseline (Holm p < .05), but not shown to be better than every trivial "
    "control and adjuster",
    "better": "a control or adjuster that is better than the baseline (Holm p < .05), or a method where no control "
    "was run that could do as well",
    "too few data sets": "not significant, and could not be: with so few data sets and so many methods no corrected p "
    "can reach .05. Read the interval",
    "no difference shown": "the data sets do not show a difference to the baseline; that is not a proof of none",
}

#: Iman and Davenport's F is simulated to hold from so few data sets on (``benchmarks/null_simulation.py``)
FEWEST_OMNIBUS = 6

FOOTNOTES = (
    "A failed draw takes the baseline's score before anything is averaged: it counts as a tie, and the column 'failed' "
    "counts it.",
    "Not applicable, not run and failed are three things. Where a method does not apply it is compared on the rest and "
    "is not ranked; where it was not run it is listed, neither ranked nor tested.",
    "Draws are averaged first, then scenarios and classifiers; the unit of every interval and test is the data set.",
    "Holm's correction runs over all methods compared with the same reference. Mean ranks, their intervals "
    "and corrected p-values depend on which methods take part; differences and their intervals do not.",
)


def verdict(row: pd.Series, confirmatory: bool, controls: list[float], family: int) -> str:
    """Return the verdict on one method.

    Parameters
    ----------
    row : pandas.Series
        Its row of the table so far.
    confirmatory : bool
        Whether p-values are allowed at all.
    controls : list of float
        Lower end of the interval of the method against each trivial control and adjuster.
    family : int
        How many methods are tested against the baseline.

    Returns
    -------
    str
        One of the keys of `VERDICTS`.
    """
    if row["is_baseline"]:
        return "baseline"
    if row["state"] in ("incomplete", "failed", "not applicable"):
        return str(row["state"])
    if not confirmatory:
        return "exploratory"
    if row["untested"]:
        return str(row["untested"])
    # a failed draw is a tie with the baseline by decree: it narrows the interval, and is no evidence of a tie
    enough = row["n_datasets"] == 1 or row["n_datasets"] >= FEWEST_DATASETS
    if row["low"] > -ROPE and row["high"] < ROPE and enough and not row["n_failed"]:
        return "equivalent"
    if not row["p_baseline_holm"] < ALPHA:
        # a method that applies to one of several data sets has no test at all
        short = (row["n_datasets"] >= 2 or np.isnan(row["low"])) and smallest_reachable_p(
            row["n_datasets"]
        ) * family > ALPHA
        return "too few data sets" if short else "no difference shown"
    if row["gain_baseline"] < 0:
        return "harms"
    if row["is_control"] or not controls:
        return "better"
    return "helps" if all(low > 0 for low in controls) else "as a control does"


def count_of(number: int, word: str) -> str:
    """Return "1 draw", "2 draws"."""
    return f"{number:,} {word}" if number == 1 else f"{number:,} {word}s"


def sentence(table: pd.DataFrame, baseline: str, reference: str | None, n_datasets: int, n_draws: int) -> str:
    """Say in one sentence what was found, and what so many data sets can show.

    The sentence is about the methods that are neither baseline, control nor adjuster, against plain copies where those
    were run; where there are no such methods, about the controls against the baseline.
    """
    scope = f"{count_of(n_datasets, 'data set')} × {count_of(n_draws, 'draw')}"
    tested = table[~table["is_baseline"] & ~table["state"].isin(["incomplete", "not applicable"])]
    if tested.empty:
        return f"Only the baseline was run in full, on {scope}: there is nothing to compare yet."
    methods = tested[~tested["is_control"]]
    group, noun = (methods, "method") if len(methods) else (tested, "control")
    against = "copies" if len(methods) and reference else "baseline"
    target = "plain copies" if against == "copies" else f"the baseline ({baseline})"
    # a gain on some of the data sets is none on all of them
    whole = group[group["state"] != "partial"]
    group = whole if n_datasets > 1 and len(whole) else group
    gains, corrected = group[f"gain_{against}"], group[f"p_{against}_holm"]
    shown, higher = int(((corrected < ALPHA) & (gains > 0)).sum()), int((gains > 0).sum())
    total, family = count_of(len(group), noun), int(table[f"p_{against}"].notna().sum())
    best_p = min(1.0, smallest_reachable_p(n_datasets) * family)
    if n_datasets >= 2 and best_p > ALPHA:
        verb = "scores" if 1 in (higher, len(group)) else "score"
        return (
            f"{higher} of {total} {verb} higher than {target} on {scope}, but so few data sets cannot show it: "
            f"with {count_of(family, 'comparison')} no corrected p can get below {best_p:.2g}."
        )
    if n_datasets == 1 and corrected.isna().all():
        verb = "scores" if 1 in (higher, len(group)) else "score"
        why = ": too few draws" if n_draws < FEWEST_DRAWS else ""
        return f"{higher} of {total} {verb} higher than {target} on {scope}, but no test was possible{why}."
    text = f"{shown} of {total} {'is' if 1 in (shown, len(group)) else 'are'} shown to beat {target} on {scope}"
    helps = int((group["verdict"] == "helps").sum())
    if len(methods) and not _controls_were_run(table):
        text += "; no controls were run, so a trivial method may do as well"
    elif len(methods):
        text += f"; {helps or 'none'} {'does' if helps == 1 else 'do'} better than every trivial control and adjuster"
    if equal := int((group["verdict"] == "equivalent").sum()):
        text += f"; {equal} {'is' if equal == 1 else 'are'} equivalent to the baseline, within ±{ROPE} points"
    return text + "."


def exploratory_sentence(table: pd.DataFrame, metric: str, baseline: str) -> str:
    """Say what the intervals of a subset or a secondary metric show, which no p-value backs."""
    name = metric_name(metric)
    others = table[~table["is_baseline"] & table["low"].notna()]
    if others.empty:
        return f"Exploratory, by {name}: no interval is possible here, and there are no p-values."
    ends = (1 if higher_is_better(metric) else -1) * others[["low", "high"]]
    better, worse = int((ends.min(axis=1) > 0).sum()), int((ends.max(axis=1) < 0).sum())
    return (
        f"Exploratory, by {name}: of {count_of(len(others), 'method')}, controls included, {better} lie with "
        f"their 95 % interval wholly on the better side of {baseline} and {worse} on the worse; no p-values, nothing "
        "corrected."
    )


def _controls_were_run(table: pd.DataFrame) -> bool:
    """Say whether any trivial control or adjuster was run in full, the baseline aside."""
    others = table[table["is_control"] & ~table["is_baseline"]]
    return bool((~others["state"].isin(["incomplete", "not applicable"])).any())


def power_warnings(n_datasets: int, n_draws: int, family: int) -> list[str]:
    """Say what so few data sets or draws cannot show."""
    lines = []
    if n_datasets == 1:
        lines.append("One data set: intervals and p-values are about new draws of this data set, not about new data.")
        if n_draws < 2:
            lines.append("One draw: no interval and no test are possible.")
        elif n_draws < FEWEST_DRAWS:
            lines.append(f"{count_of(n_draws, 'draw')}: no interval and no test below {FEWEST_DRAWS} draws.")
        return lines
    smallest = smallest_reachable_p(n_datasets)
    if family and smallest * family > ALPHA:
        lines.append(
            f"The smallest p that {n_datasets} data sets can give is {smallest:.2g}; after Holm's correction over "
            f"{count_of(family, 'comparison')} it is {min(1.0, smallest * family):.2g}, so nothing can be significant "
            "at .05. Read the intervals."
        )
    if n_datasets <= 5:
        lines.append(
            f"{n_datasets} data sets are few: see the interval of each data set, and on how many of them, at least, an "
            "effect is shown (partial conjunction)."
        )
    return lines


def data_warning(findings: Mapping[str, list[dict[str, Any]]]) -> list[str]:
    """Say in one line which data sets have findings that touch what their scores mean; no line if none has.

    Parameters
    ----------
    findings : mapping
        Of each data set, its findings; notes do not count.
    """
    named = []
    for dataset, found in findings.items():
        words = dict.fromkeys(one["words"] for one in found if one["severity"] != "note")
        if words:
            named.append(f"{dataset} ({', '.join(words)})")
    if not named:
        return []
    more = f" and {len(named) - MOST_NAMED} more" if len(named) > MOST_NAMED else ""
    return [f"Look at the data: {', '.join(named[:MOST_NAMED])}{more}; 'bench datasets inspect' says more."]


def omnibus_line(test: Friedman | None) -> str:
    """Return the omnibus test in one line."""
    if test is None:
        return "No omnibus test: it needs two data sets and two ranked methods."
    k, n = test.n_methods, test.n_datasets
    f = "∞" if test.f == float("inf") else f"{test.f:.2f}"
    if n < FEWEST_OMNIBUS:
        return f"No omnibus test: on {n} data sets its F distribution is no guide."
    meaning = "the methods differ (not which)" if test.f_p < ALPHA else "no difference between the methods is shown"
    return (
        f"Friedman test over {k} ranked methods and {n} data sets: χ²({k - 1}) = {test.chi2:.2f}, Iman–Davenport "
        f"F({k - 1}, {(k - 1) * (n - 1)}) = {f}, {p_text(test.f_p)}: {meaning}."
    )


def p_text(p: float) -> str:
    """Return "p = .031" or "p < .001"."""
    return "p < .001" if p < 0.001 else "p = " + f"{p:.3f}".removeprefix("0")
