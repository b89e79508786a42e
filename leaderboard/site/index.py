"""The index: the finding, the table of all methods, the heat matrix."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from .. import format as text
from ..budget import budget_of, tuning_of
from ..comparison import Comparison
from ..figures import Scale, full_heat, heat
from ..results import Results, higher_is_better
from ..verdict import VERDICTS
from .base import Page, Site


def pages(site: Site) -> Iterator[Page]:
    """Yield the index."""
    main = site.main
    rows = list(site.rows.values())
    yield Page(
        path="index.html",
        template="index.html",
        title="Does augmentation help, and is the gain real?",
        nav="Leaderboard",
        values={
            "mark": f"{site.results.run.get('mark', '')} {site.metric}",
            "board": board(main),
            "run": run_line(site.results),
            "matrix": matrix(main),
            "unranked": [row for row in rows if math.isnan(row["mean_rank"])],
            "failures": [row for row in rows if row["n_failed"]],
            "verdicts": {word: meaning for word, meaning in VERDICTS.items() if word in set(main.table["verdict"])},
        },
    )


def board(comparison: Comparison) -> dict[str, Any]:
    """Return the rows of a table with what is drawn in them."""
    table = comparison.table
    others = table[~table["is_baseline"]]
    scale = Scale.over([*others["low"], *others["high"], *others["delta"]])
    rows = []
    for row in table.to_dict("records"):
        bar = None if row["is_baseline"] else scale.bar(row["delta"], row["low"], row["high"])
        rows.append({str(key): value for key, value in row.items()} | {"bar": bar, "tone": _tone(row)})
    return {
        "rows": rows,
        "scale": scale,
        "zero": scale.x(0),
        "has": {name: bool(table[name].notna().any()) for name in table.columns if table[name].dtype.kind == "f"},
        "reference": comparison.reference,
        "confirmatory": comparison.confirmatory,
        "any_failed": bool(table["n_failed"].any()),
        "budgets": bool((table["effort"] != "").any()),
        # where they do not, the head of the page says all
        "tunings_differ": table["tuning"].nunique() > 1,
    }


def _tone(row: Mapping[Any, Any]) -> str:
    """Return the class of a row: baseline, control or method, and whether it is ranked."""
    tone = "baseline" if row["is_baseline"] else "control" if row["is_control"] else "method"
    return tone + (" unranked" if math.isnan(row["mean_rank"]) else "")


def run_line(results: Results) -> list[tuple[str, str]]:
    """Return what is known of the run as pairs of name and value."""
    run, scores = results.run, results.scores
    line = [
        ("suite", run.get("suite")),
        ("date", str(run["started"])[:10] if run.get("started") else None),
        ("seed", run.get("seed")),
        ("draws", run.get("draws", int(scores["draw"].nunique()))),
        ("data sets", int(scores["dataset"].nunique())),
        ("scenarios", ", ".join(sorted(scores["scenario"].unique()))),
        ("classifiers", ", ".join(sorted(scores["classifier"].unique()))),
        ("compute time of all processes", text.seconds(float(run["seconds"])) if "seconds" in run else None),
        ("processes", run.get("jobs")),
        ("units", _units(run)),
        ("Python", run.get("python")),
        ("platform", run.get("platform")),
        ("device", run.get("device")),
        ("parameters of methods", tuning_of(run, scores)),
        ("budget of generative methods", budget_of(run)),
    ]
    return [(name, str(value)) for name, value in line if value not in (None, "")]


def _units(run: Mapping[str, Any]) -> str | None:
    """Return "1,120 done, 12 failed"."""
    if run.get("units_done") is None:
        return None
    failed = int(run.get("units_failed") or 0)
    return f"{int(run['units_done']):,} done" + (f", {failed:,} failed" if failed else "")


def matrix(comparison: Comparison) -> dict[str, Any]:
    """Return the heat matrix, methods × data sets."""
    deltas = comparison.deltas.drop(index=comparison.baseline)
    full = full_heat(deltas.to_numpy().ravel())
    better = higher_is_better(comparison.metric)
    best = (deltas if better else -deltas).round(4).max().where(lambda top: top > 0)
    rows = []
    values = deltas.to_numpy(dtype=float)
    for i, method in enumerate(map(str, deltas.index)):
        cells = []
        for j, dataset in enumerate(map(str, deltas.columns)):
            value = float(values[i, j])
            side, strength = heat(value, full, better)
            top = best[dataset]
            cells.append(
                {
                    "value": value,
                    "side": side,
                    "strength": strength,
                    "state": comparison.states.at[method, dataset],
                    "best": bool(round(value if better else -value, 4) == top),
                }
            )
        rows.append({"method": method, "cells": cells})
    controls = dict(zip(comparison.table["method"], comparison.table["is_control"], strict=True))
    return {"datasets": list(deltas.columns), "rows": rows, "full": full, "controls": controls}
