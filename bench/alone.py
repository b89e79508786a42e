"""Times measured alone: of every cell one unit is computed again while nothing else is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd

from .device import requirements

if TYPE_CHECKING:
    from .engine import Engine
    from .plan import Plan, Unit
    from .store import Store

#: how times were measured
ALONE, SHARED, UNKNOWN = "alone", "shared", ""
_CELL = ["method", "dataset", "scenario"]


def units_to_time(units: Sequence[Unit], store: Store) -> list[Unit]:
    """Return a stored unit of every method, data set and scenario of which none was computed by a single worker."""
    workers = store.workers_of_units()
    cells: dict[tuple[str, str, str], list[Unit]] = {}
    for unit in units:
        if unit.key in workers:
            cells.setdefault((unit.method.id, unit.dataset.id, unit.scenario.id), []).append(unit)
    with_curves = store.units_with_training()
    return [
        replace(stored[0], keep_training=stored[0].key in with_curves)
        for stored in cells.values()
        if all(workers[unit.key] != 1 for unit in stored)
    ]


def warm_up(engine: Engine, plan: Plan, units: Sequence[Unit]) -> None:
    """Let a worker load what the methods need, by a unit for each such set of packages: that is no method's cost."""
    needed = {tuple(requirements(plan.methods[unit.method.id])): unit for unit in reversed(units)}
    for unit in needed.values():
        engine.submit(unit).exception()


def keep_alone(scores: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """Leave out times that were measured beside other units, where every cell has one that was not.

    Parameters
    ----------
    scores : pandas.DataFrame
        As of `Store.scores`.

    Returns
    -------
    scores : pandas.DataFrame
        With seconds and fit_seconds NaN where they are left out.
    measured : str
        `ALONE`, `SHARED` or, where the store does not say, `UNKNOWN`.
    """
    stored = scores["workers"].notna()
    alone = stored & (scores["workers"] == 1)
    cells = alone[stored].groupby([scores.loc[stored, name] for name in _CELL], observed=True).any()
    if cells.all():
        return scores.assign(**{name: scores[name].where(alone) for name in ("seconds", "fit_seconds")}), ALONE
    return scores, SHARED if (scores["workers"] > 1).any() else UNKNOWN
