"""What was spent on each method, in words: the training of generative methods, and the tuning of parameters."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pandas as pd

from .verdict import count_of

#: columns of the scores that say what training took, and what one of each is called
EFFORT = {"steps": "step", "epochs": "epoch", "rows_seen": "row", "networks": "network"}
#: column of the scores: rows kept as a share of the rows generated
YIELD = "yield"
#: column of the scores: JSON of what was tuned, or an empty string
TUNED = "tuned"
DEFAULTS = "defaults"
#: methods with parameters of their own that are named
MOST_NAMED = 6
#: what stands there where nothing was tuned: too few rows for inner folds, or nothing that has a range
NOT_TUNED = ("", "{}", '{"trials": 0}')
#: from this share on all generated rows count as kept
ALL_KEPT = 0.995

_BUDGETS = {
    "steps": "{} gradient steps a training set",
    "seconds": "{} seconds of training a training set",
}


def effort_of(rows: pd.DataFrame) -> str:
    """Say what training took: "500 steps · 25 epochs · 160 rows · 2 networks · yield 43 %".

    Parameters
    ----------
    rows : pandas.DataFrame
        The scores of one method.

    Returns
    -------
    str
        Means over the draws of a data set, and their range where they differ between data sets; empty for a method that
        trains nothing.
    """
    parts = []
    for column, word in EFFORT.items():
        means = _means(rows, column)
        if len(means):
            low, high = number(means.min()), number(means.max())
            if high == "0":
                continue
            parts.append(f"{low} {word}{'' if low == '1' else 's'}" if low == high else f"{low}–{high} {word}s")
    kept = _means(rows, YIELD)
    if len(kept) and kept.min() < ALL_KEPT:
        low, high = (
            f"{100 * value:.0f}" if value >= 0.095 else f"{100 * value:.2g}" for value in (kept.min(), kept.max())
        )
        parts.append(f"yield {low} %" if low == high else f"yield {low}–{high} %")
    return " · ".join(parts)


def _means(rows: pd.DataFrame, column: str) -> pd.Series:
    """Return the mean of each data set that has a number."""
    if column not in rows.columns:
        return pd.Series(dtype=float)
    return rows.groupby("dataset")[column].mean().dropna()


def number(value: float) -> str:
    """Return "2.5", "7,500", "160 k" or "1.2 M"."""
    if value < 9.95:
        return f"{value:.2g}"
    if value < 99_999.5:
        return f"{value:,.0f}"
    return f"{value / 1e3:.3g} k" if value < 999_500 else f"{value / 1e6:.3g} M"


def given_of(parameters: Any) -> str:
    """Return the parameters that are not at their defaults: "steps = 1000, beta = 0.5", or nothing.

    Parameters
    ----------
    parameters : list of dict
        As a run keeps them of a method: name, value, default; anything else is a table from elsewhere.
    """
    known = parameters if isinstance(parameters, list) else []
    return ", ".join(f"{one['name']} = {one['value']}" for one in known if one["value"] != one["default"])


def tuning_of(run: Mapping[str, Any], rows: pd.DataFrame | None = None, given: str = "") -> str:
    """Say how parameters were chosen: "defaults", "steps = 1000" or "tuned with 20 trials".

    Parameters
    ----------
    run : mapping
        Its `trials` counts; a table of scores from elsewhere has none, and nothing is said.
    rows : pandas.DataFrame, optional
        The scores of one method: it has the defaults if none of them was tuned. Without them, of the run.
    given : str
        What `given_of` returned, or what it amounts to for all methods.

    Returns
    -------
    str
        The words, or nothing.
    """
    if "trials" not in run:
        return ""
    trials = int(run["trials"] or 0)
    tuned = rows is None or (TUNED in rows.columns and not rows[TUNED].fillna("").isin(NOT_TUNED).all())
    found = [f"tuned with {count_of(trials, 'trial')}"] if trials and tuned else []
    return "; ".join([*([given] if given else []), *found]) or DEFAULTS


def given_in(methods: pd.DataFrame) -> str:
    """Say which methods of a run have other parameters than their defaults: "given for vae, cvae", or nothing."""
    if "parameters" not in methods.columns:
        return ""
    names = [str(one.method) for one in methods.itertuples(index=False) if given_of(one.parameters)]
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return f"given for {', '.join(names[:MOST_NAMED])}{more}, else {DEFAULTS}" if names else ""


def budget_of(run: Mapping[str, Any]) -> str:
    """Say what every generative method was given: "equal: 300 gradient steps a training set", or nothing."""
    text = str(run.get("budget") or "")
    found = re.fullmatch(r"(\w+)=([\d.]+)", text)
    if not found:
        return text
    name, amount = found.groups()
    words = _BUDGETS[name].format(amount) if name in _BUDGETS else text
    return f"equal: {words if float(amount) != 1 else words.replace('s ', ' ', 1)}"


def statement(run: Mapping[str, Any], scores: pd.DataFrame | None = None, given: str = "") -> str:
    """Say for a whole run how parameters were chosen and what budget there was, as sentences."""
    tuning, budget = tuning_of(run, scores, given), budget_of(run)
    lines = [f"Parameters of methods: {tuning}."] if tuning else []
    return " ".join([*lines, f"Budget of generative methods: {budget}."] if budget else lines)
