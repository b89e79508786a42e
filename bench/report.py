"""From a store to the leaderboard: the only place where results and their presentation meet."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from ..leaderboard.results import Results
from .plan import Plan
from .store import Store


def run_info(plan: Plan, command: str) -> dict[str, Any]:
    """Return what the store keeps of a run beside its units."""
    suite = plan.suite
    return {
        "description": suite.description,
        "seed": suite.seed,
        "draws": suite.draws,
        "test_fraction": suite.test_fraction,
        "folds": suite.folds,
        "methods": plan.method_rows(),
        "datasets": plan.dataset_rows(),
        "classifiers": [entry.id for entry in plan.units[0].classifiers] if plan.units else [],
        "command": command,
    }


def results_of(store: Store, suite: str | None = None) -> Results:
    """Return the results of the newest run of a store, or of the newest run of one suite."""
    run = store.find_run(suite)
    info = run["info"]
    versions = store.environment(run["id"])
    totals = store.totals(run["id"])
    return Results(
        scores=store.scores(run["id"], info["classifiers"], info["draws"]),
        methods=pd.DataFrame(info["methods"]),
        datasets=pd.DataFrame(info["datasets"]),
        run={
            "suite": run["suite"],
            "started": run["started"],
            "seconds": totals["seconds"],
            "python": versions.pop("python", ""),
            "platform": versions.pop("platform", ""),
            "versions": versions,
            "units_done": run["done"],
            "units_failed": run["failed"],
            **{key: info[key] for key in ("description", "seed", "draws", "command")},
        },
    )


def write_leaderboard(results: Results, folder: Path) -> Path:
    """Write the leaderboard page and return its path."""
    from ..leaderboard.html import write_html

    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "leaderboard.html"
    write_html(results, path)
    return path
