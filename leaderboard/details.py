"""One data set in detail: every method's difference with the interval that fits, and the accuracy of each class."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from .aggregate import draw_table, state_words
from .contrast import Contrast, Design
from .results import Results, higher_is_better


@dataclass(frozen=True)
class DatasetDetail:
    """What there is to say about one data set.

    Attributes
    ----------
    dataset : str
        Its name.
    facts : dict
        group, description, n_rows, n_features, n_train, n_test.
    findings : list of dict
        What an inspection of its rows found, see `Results`.
    classes : list of str
        Names of the classes, in the order of the columns recall_0, recall_1, ….
    test : str
        Name of the test behind the intervals.
    ceiling : float
        Macro F1 of Bayes' rule in points, the mean over draws; NaN where the truth is unknown.
    table : pandas.DataFrame
        One row per method: method, state, score, delta, low, high, the accuracy of each class, minority, majority, all
        in points; and not_above, of a method that is no control and scores no higher than a control does.
    recalls : list of str
        Those columns of the table that are the accuracy of a class.
    best_control : str
        The control or adjuster, the baseline among them, that scores best.
    """

    dataset: str
    facts: dict[str, object]
    findings: list[dict[str, Any]]
    classes: list[str]
    test: str
    ceiling: float
    table: pd.DataFrame
    recalls: list[str]
    best_control: str = ""


def dataset_detail(results: Results, dataset: str, metric: str = "macro_f1", baseline: str = "none") -> DatasetDetail:
    """Return the details of one data set, means over its scenarios and classifiers.

    Parameters
    ----------
    results : Results
        The results.
    dataset : str
        A data set on which the baseline has a score.
    metric, baseline : str
        As in :func:`~augbench.leaderboard.tables.compare`.

    Returns
    -------
    DatasetDetail
        Facts and table; best method first.
    """
    scores = results.scores.iloc[results.places["dataset"].get(dataset, [])]
    draws = draw_table(scores, metric, baseline)
    contrast = Contrast(draws, baseline, Design.of(results, scores, baseline))
    words = state_words(draws)[dataset]
    rows = []
    for method in draws.methods:
        test = contrast.on_dataset(method, dataset)
        ends = (np.nan, np.nan) if method == baseline else (100 * test.low, 100 * test.high)
        rows.append((method, words[method], 100 * test.mean, *ends))
    absent = sorted(set(results.places["method"]) - set(draws.methods))
    rows += [(method, "not run", np.nan, np.nan, np.nan) for method in absent]
    table = pd.DataFrame(rows, columns=["method", "state", "delta", "low", "high"])
    table["score"] = table["method"].map(100 * draws.scores.T[dataset])
    own = scores.loc[scores["method"] == baseline]
    recalls = [name for name in _recall_columns(scores) if own[name].notna().any()]
    for name in recalls:
        table[name] = table["method"].map(100 * draw_table(scores, name, baseline).scores.T[dataset])
    table = table.sort_values(["delta", "method"], ascending=[False, True], kind="stable").reset_index(drop=True)
    gain = (1 if higher_is_better(metric) else -1) * table["delta"].fillna(-np.inf)
    control = table["method"].map(results.is_control) | (table["method"] == baseline)
    best = int(gain.where(control, -np.inf).to_numpy().argmax())
    table["not_above"] = ~control & table["delta"].notna() & (gain <= gain.iloc[best])
    facts = results.datasets.set_index("dataset").loc[dataset]
    classes = facts["classes"]
    ceiling = scores["bayes_macro_f1"].mean() if "bayes_macro_f1" in scores.columns else np.nan
    return DatasetDetail(
        dataset=dataset,
        facts={key: facts[key] for key in ("group", "description", "n_rows", "n_features")} | _sizes(own),
        findings=results.findings(dataset),
        classes=[str(name) for name in classes] if isinstance(classes, list | tuple | np.ndarray) else [],
        test=contrast.design.test_name(dataset, metric),
        ceiling=100 * float(ceiling),
        table=table,
        recalls=recalls,
        best_control=str(table["method"].iloc[best]),
    )


def _recall_columns(scores: pd.DataFrame) -> list[str]:
    """Return recall_0, recall_1, … in order of number."""
    numbers = [int(found[1]) for name in scores.columns if (found := re.fullmatch(r"recall_(\d+)", str(name)))]
    return [f"recall_{number}" for number in sorted(numbers)]


def _sizes(rows: pd.DataFrame) -> dict[str, object]:
    """Return the range of training and test rows over the baseline's draws."""
    sizes: dict[str, object] = {}
    for name in ("n_train", "n_test"):
        if name in rows.columns and rows[name].notna().any():
            low, high = int(rows[name].min()), int(rows[name].max())
            sizes[name] = f"{low:,}" if low == high else f"{low:,} to {high:,}"
    return sizes
