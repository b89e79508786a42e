"""The leaderboard: from a table of scores to statistics, tables, a page and exports.

It depends on data frames alone and never runs a model. What is named here is imported on first use.

Examples
--------
>>> import pandas as pd
>>> from augbench.leaderboard import compare
>>> rows = [("none", "a", 0, 0.70), ("smote", "a", 0, 0.72), ("none", "b", 0, 0.60), ("smote", "b", 0, 0.61)]
>>> compare(pd.DataFrame(rows, columns=["method", "dataset", "draw", "macro_f1"])).n_datasets
2
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .comparison import Comparison
    from .export import to_latex, write_scores
    from .pairs import CriticalDifference, WinMatrix, critical_difference, win_matrix
    from .power import power_of
    from .predictions import Predictions
    from .results import Results
    from .site import render_site, write_site
    from .tables import compare
    from .terminal import plain, render

__all__ = [
    "Comparison",
    "CriticalDifference",
    "Predictions",
    "Results",
    "WinMatrix",
    "compare",
    "critical_difference",
    "plain",
    "power_of",
    "render",
    "render_site",
    "to_latex",
    "win_matrix",
    "write_scores",
    "write_site",
]

_HOMES = {
    "Comparison": "comparison",
    "CriticalDifference": "pairs",
    "Predictions": "predictions",
    "Results": "results",
    "WinMatrix": "pairs",
    "compare": "tables",
    "critical_difference": "pairs",
    "plain": "terminal",
    "power_of": "power",
    "render": "terminal",
    "render_site": "site",
    "to_latex": "export",
    "win_matrix": "pairs",
    "write_scores": "export",
    "write_site": "site",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
