"""Cost against quality: which methods no other method beats in both."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from .comparison import Comparison
from .results import higher_is_better


def pareto_front(cost: npt.ArrayLike, gain: npt.ArrayLike) -> npt.NDArray[np.bool_]:
    """Say which points no other point beats: none costs no more and gains no less, with one of the two strictly.

    Parameters
    ----------
    cost, gain : array-like of shape (n,)
        Less cost is better, more gain is better. A point where one of the two is NaN is on no front and beats none.

    Returns
    -------
    numpy.ndarray of shape (n,), bool
        Points that are equal in both stand on the front together.

    Examples
    --------
    >>> pareto_front([1, 2, 2, 3], [0, 5, 4, 5]).tolist()
    [True, True, False, False]
    """
    costs, gains = np.asarray(cost, dtype=float), np.asarray(gain, dtype=float)
    if costs.shape != gains.shape or costs.ndim != 1:
        raise ValueError(f"cost and gain have to be of the same length, found shapes {costs.shape} and {gains.shape}")
    no_worse = (costs[None, :] <= costs[:, None]) & (gains[None, :] >= gains[:, None])
    better = (costs[None, :] < costs[:, None]) | (gains[None, :] > gains[:, None])
    return ~(no_worse & better).any(axis=1) & np.isfinite(costs) & np.isfinite(gains)


def cost_table(comparison: Comparison) -> pd.DataFrame:
    """Return what every method costs and gives, cheapest first.

    Parameters
    ----------
    comparison : Comparison
        The comparison.

    Returns
    -------
    pandas.DataFrame
        method, seconds (mean time of fitting and making rows, per draw), delta, low, high (points), is_baseline,
        is_control, on_front, beaten_by (a method that costs no more and gains no less: the one that gains most; empty
        on the front). Only methods with a cost and a difference on every data set: means over different data sets are
        not comparable. Costs and gains count to four decimals, so that float noise beats nobody.
    """
    table = comparison.table
    known = table["seconds"].notna() & table["delta"].notna() & (table["n_datasets"] == comparison.n_datasets)
    known &= table["state"] != "incomplete"
    shown = table.loc[known, ["method", "seconds", "delta", "low", "high", "is_baseline", "is_control"]].copy()
    gain = shown["delta"].round(4) * (1 if higher_is_better(comparison.metric) else -1)
    cost = shown["seconds"].round(4)
    shown["on_front"] = pareto_front(cost, gain)
    shown["beaten_by"] = [
        "" if front else _beater(shown["method"], cost, gain, place) for place, front in enumerate(shown["on_front"])
    ]
    order = pd.DataFrame({"cost": cost, "gain": -gain, "method": shown["method"]}).sort_values(
        ["cost", "gain", "method"], kind="stable"
    )
    return shown.loc[order.index].reset_index(drop=True)


def _beater(methods: pd.Series, cost: pd.Series, gain: pd.Series, place: int) -> str:
    """Return who costs no more than one method and gains no less: the one that gains most, then the cheapest."""
    own_cost, own_gain = cost.iloc[place], gain.iloc[place]
    better = (cost <= own_cost) & (gain >= own_gain) & ((cost < own_cost) | (gain > own_gain))
    found = pd.DataFrame({"gain": -gain[better], "cost": cost[better], "method": methods[better]})
    return str(found.sort_values(["gain", "cost", "method"])["method"].iloc[0])
