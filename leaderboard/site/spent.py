"""What a method takes, and where it fails."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from .. import format as text
from ..budget import number
from .base import Site

#: column of the scores, what it is called, what it means, how it is written
_MEASURES: tuple[tuple[str, str, str, Callable[[float], str]], ...] = (
    ("seconds", "time of the method", "To fit the method and to make the rows of one draw.", text.seconds),
    ("steps", "gradient steps", "Summed over the networks of one draw.", number),
    ("epochs", "epochs", "Passes over the training rows, the mean over the networks of one draw.", number),
    ("rows_seen", "training rows", "Training rows of the networks of one draw, summed.", number),
    ("networks", "networks", "Networks trained for one draw.", number),
    ("yield", "yield", "Rows kept as a share of the rows generated.", lambda share: f"{100 * share:.0f} %"),
    ("n_generated", "rows generated", "Rows added to the training rows of one draw.", number),
    ("fit_seconds", "fit of the classifier", "To fit one classifier on the rows and to predict once.", text.seconds),
)


def costs(scores: pd.DataFrame, baseline: pd.DataFrame) -> list[dict[str, Any]]:
    """Return what a method takes: the mean over data sets, the least and the most of them, and what the baseline takes.

    Parameters
    ----------
    scores, baseline : pandas.DataFrame
        The scores of the method, and those of the baseline.

    Returns
    -------
    list of dict
        A line for each measure that says anything of the method.
    """
    lines = []
    for column, name, meaning, write in _MEASURES:
        means = _means(scores, column)
        if means.empty or (column != "seconds" and not means.any()):
            continue
        plain = _means(baseline, column) if column in ("seconds", "fit_seconds") else pd.Series(dtype=float)
        lines.append(
            {
                "name": name,
                "meaning": meaning,
                "mean": write(float(means.mean())),
                "least": write(float(means.min())),
                "least_on": str(means.idxmin()),
                "most": write(float(means.max())),
                "most_on": str(means.idxmax()),
                "baseline": write(float(plain.mean())) if len(plain) else "",
                "several": write(float(means.min())) != write(float(means.max())),
            }
        )
    return lines


def _means(scores: pd.DataFrame, column: str) -> pd.Series:
    """Return the mean of each data set over what was computed."""
    if column not in scores.columns:
        return pd.Series(dtype=float)
    ok = scores[scores["status"] == "ok"]
    return ok.groupby("dataset")[column].mean().astype(float).replace([np.inf, -np.inf], np.nan).dropna()


def gaps(site: Site, scores: pd.DataFrame) -> list[dict[str, Any]]:
    """Return what kept a method from having a score: state, message, how many scores, on which data sets."""
    lines = []
    for state in ("failed", "not applicable", "not run"):
        rows = scores[scores["status"] == state]
        for message, group in sorted(rows.groupby("error"), key=lambda one: (-len(one[1]), str(one[0]))):
            names = sorted(map(str, group["dataset"].unique()))
            lines.append(
                {
                    "state": state,
                    "message": str(message) or "no message",
                    "count": len(group),
                    "datasets": [(name, site.dataset_paths.get(name, "")) for name in names],
                }
            )
    return lines
