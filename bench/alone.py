"""Times measured alone: of every cell one unit is computed again while nothing else is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from .engine import Engine
    from .plan import Unit
    from .store import Store

#: how times were measured, for `leaderboard.comparison.TIMES`
ALONE, DURING_RUN = "alone", "during the run"
_CELL = ["method", "dataset", "scenario"]


def units_to_time(units: Sequence[Unit], store: Store | None, *, all_stored: bool = False) -> list[Unit]:
    """Return a stored unit of every method, data set and scenario that has none whose times were measured alone.

    One that failed only where there is no other: of such a draw the times may tell nothing. With `all_stored` as it
    will be when all of these units are stored.
    """
    results = store.units_with_results() if store else {}
    if all_stored:
        results = {unit.key: ("done", False) for unit in units} | results
    cells: dict[tuple[str, str, str], list[Unit]] = {}
    for unit in units:
        if unit.key in results:
            cells.setdefault((unit.method.id, unit.dataset.id, unit.scenario.id), []).append(unit)
    with_curves = store.units_with_training() if store else set()
    chosen = []
    for stored in cells.values():
        candidates = [unit for unit in stored if results[unit.key][0] == "done"] or stored
        if not any(results[unit.key][1] for unit in candidates):
            chosen.append(replace(candidates[0], keep_training=candidates[0].key in with_curves))
    return chosen


def warm_up(engine: Engine, units: Sequence[Unit]) -> None:
    """Compute a draw by each method first: what it loads once, beside its packages, is no cost of a draw."""
    for unit in {unit.method.id: unit for unit in reversed(units)}.values():
        engine.submit(replace(unit, draws=unit.draws[:1])).exception()


def keep_alone(scores: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """Leave out times that were not measured alone, where every cell with a score has one that was.

    Parameters
    ----------
    scores : pandas.DataFrame
        As of `Store.scores`.

    Returns
    -------
    scores : pandas.DataFrame
        With seconds and fit_seconds NaN where they are left out.
    measured : str
        `ALONE` or `DURING_RUN`.
    """
    if scores.empty:
        return scores, DURING_RUN
    scored = scores["status"] == "ok"
    alone = scores["alone"] == 1
    cells = alone[scored].groupby([scores.loc[scored, name] for name in _CELL], observed=True).any()
    if not len(cells) or not cells.all():
        return scores, DURING_RUN
    return scores.assign(**{name: scores[name].where(alone) for name in ("seconds", "fit_seconds")}), ALONE
