"""Where the time of a run went: by method, data set, classifier and the harness itself, and what memory it took."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from .outcome import IN_CLASSIFIER, IN_DECISION, IN_METHOD
from .stored_text import reading_rows

if TYPE_CHECKING:
    from .store import Store

#: parts of a unit's seconds, as columns
PARTS = ["methods", "classifiers", "decision", "harness"]
_FACTS = ["method", "dataset", "scenario", "draws", "status", "seconds", "peak_memory_mb", "host", "workers"]


def unit_times(store: Store, run: int) -> pd.DataFrame:
    """Return what every stored unit of a run took.

    Parameters
    ----------
    store : Store
        The store.
    run : int
        The run's id.

    Returns
    -------
    pandas.DataFrame
        One row per unit, in the order of the plan. Columns are method, dataset, scenario, draws (number), status,
        seconds, peak_memory_mb (of the process that computed it), host, workers (that computed at the time; 0: not
        known), those of `PARTS` (seconds; NaN for a unit of an older store), and ``"classifier NAME"`` (seconds) for
        each classifier.
    """
    kept = "u.parts, u.workers" if store.keeps_parts else "'{}', 0"
    query = f"""SELECT u.method, u.dataset, u.scenario, json_array_length(u.draws), u.status, u.seconds,
                       u.peak_memory_mb, u.host, {kept}
                FROM run_units ru JOIN units u ON u.key = ru.key WHERE ru.run = ? ORDER BY ru.position"""
    rows = []
    with reading_rows():
        for *facts, text, workers in store.connection.execute(query, [run]):
            parts = _seconds_by_part(json.loads(text), facts[5])
            rows.append(dict(zip(_FACTS, [*facts, workers], strict=True)) | parts)
    table = pd.DataFrame(rows)
    return table.reindex(columns=[*_FACTS, *PARTS, *sorted(set(table.columns) - {*_FACTS, *PARTS})])


def _seconds_by_part(parts: dict[str, float], seconds: float) -> dict[str, float]:
    """Return the columns of a unit's parts; the harness has what is left."""
    classifiers = {name: spent for name, spent in parts.items() if name.startswith(f"{IN_CLASSIFIER} ")}
    if not parts:
        # not known, or nothing was fitted
        return dict.fromkeys(PARTS, np.nan)
    spent = [parts.get(IN_METHOD, 0.0), sum(classifiers.values()), parts.get(IN_DECISION, 0.0)]
    return dict(zip(PARTS, [*spent, seconds - sum(spent)], strict=True)) | classifiers


def sums_by(table: pd.DataFrame, name: str) -> pd.DataFrame:
    """Return seconds, those of `PARTS` and the highest memory, by method, dataset or host; the longest first."""
    groups = table.groupby(name, sort=False)
    found = groups[["seconds", *PARTS]].sum(min_count=1)
    found["peak_memory_mb"] = groups["peak_memory_mb"].max()
    return found.sort_values("seconds", ascending=False, kind="stable")


def classifier_seconds(table: pd.DataFrame) -> pd.Series:
    """Return the seconds of every classifier, the longest first."""
    columns = [name for name in table.columns if name.startswith(f"{IN_CLASSIFIER} ")]
    found = table[columns].sum()
    found.index = found.index.str.removeprefix(f"{IN_CLASSIFIER} ")
    return found.sort_values(ascending=False, kind="stable")
