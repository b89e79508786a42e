"""The index: the finding, the table of all methods, the heat matrix."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .. import format as text
from ..budget import budget_of, given_in, tuning_of
from ..comparison import Comparison
from ..figures import Scale, full_heat, heat
from ..results import Results, higher_is_better
from ..verdict import VERDICTS
from .base import Page, Site
from .columns import columns
from .data import choices

#: What the index says of a run; the manifest says the rest.
_BRIEF = (
    *("suite", "date", "seed", "draws", "data sets", "scenarios", "classifiers"),
    *("parameters of methods", "budget of generative methods"),
)


def pages(site: Site) -> Iterator[Page]:
    """Yield the index."""
    main = site.main
    rows = list(site.rows.values())
    shown = columns(main)
    yield Page(
        path="index.html",
        template="index.html",
        title="Does augmentation help, and is the gain real?",
        nav="Leaderboard",
        values={
            "mark": f"{site.results.run.get('mark', '')} {site.metric}",
            "board": board(main),
            "columns": shown,
            "filters": filters(site),
            "run": [(name, value) for name, value in run_line(site.results) if name in _BRIEF],
            "matrix": matrix(main),
            "budgets": [row for row in rows if row["effort"] or (row["tuning"] and main.table["tuning"].nunique() > 1)],
            "unranked": _unranked(rows),
            "failures": [row for row in rows if row["n_failed"]],
            "verdicts": {word: meaning for word, meaning in VERDICTS.items() if word in set(main.table["verdict"])},
        },
    )


def board(comparison: Comparison) -> dict[str, Any]:
    """Return the rows of a table with what is drawn in them."""
    table = comparison.table
    others = table[~table["is_baseline"]]
    scale = Scale.over([*others["low"], *others["high"], *others["delta"]], higher_is_better(comparison.metric))
    rows = []
    for row in table.to_dict("records"):
        bar = None if row["is_baseline"] else scale.bar(row["delta"], row["low"], row["high"])
        rows.append({str(key): value for key, value in row.items()} | {"bar": bar, "tone": _tone(row)})
    return {"rows": rows, "zero": scale.x(0)}


def filters(site: Site) -> dict[str, list[tuple[str, str]]]:
    """Return what a reader may choose by the name of the choice: pairs of value and name, none where nothing varies."""
    results, main = site.results, site.main
    inside = results.datasets["dataset"].isin(results.scores["dataset"].unique())
    found = {
        "group": _pairs(results.datasets.loc[inside, "group"]),
        "family": _pairs(main.table["family"]),
        "scenario": _pairs(results.scores["scenario"]),
        "classifier": _pairs(results.scores["classifier"]),
        "metric": [(name, text.metric_name(name)) for name in choices(site)],
    }
    return {name: pairs for name, pairs in found.items() if len(pairs) > 1}


def _pairs(values: Iterable[Any]) -> list[tuple[str, str]]:
    return [(name, name) for name in sorted({str(value) for value in values} - {""})]


def _unranked(rows: Iterable[Mapping[str, Any]]) -> dict[str, list[str]]:
    """Return why methods are not ranked, each reason with the methods that share it."""
    found: dict[str, list[str]] = {}
    for row in rows:
        if math.isnan(row["mean_rank"]):
            where = f" ({', '.join(row['not_applicable'])})" if row["not_applicable"] else ""
            found.setdefault(f"{row['note']}{where}", []).append(row["method"])
    return found


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
        ("parameters of methods", tuning_of(run, scores, given_in(results.methods))),
        ("budget of generative methods", budget_of(run)),
        ("audit", _audit(results)),
    ]
    return [(name, str(value)) for name, value in line if value not in (None, "")]


def _units(run: Mapping[str, Any]) -> str | None:
    """Return "1,120 done, 12 failed"."""
    if run.get("units_done") is None:
        return None
    failed = int(run.get("units_failed") or 0)
    return f"{int(run['units_done']):,} done" + (f", {failed:,} failed" if failed else "")


def _audit(results: Results) -> str | None:
    """Say what was computed again where nothing is true but the training rows, and what came of it."""
    if "audit" not in results.run:
        return None
    if not (audit := results.run["audit"]):
        return "none: methods were watched, and nothing was computed again (bench run --audit)"
    # (what failed otherwise has nothing to compare with; a method that an audit failed has failed on all data sets)
    scores = results.scores[(results.scores["status"] == "ok") | results.scores["method"].isin(audit["failed"])]
    pairs = set(scores[["method", "dataset"]].itertuples(index=False, name=None))
    done = {tuple(pair) for pair in audit["audited"]}
    audited = [pair for pair in pairs if pair in done or pair[0] in audit["failed"]]
    again = (
        f"two draws each of {len(audited)} of {len(pairs)} pairs of method and data set were computed again from their "
    )
    parts = [
        f"{again}training rows alone",
        "; ".join(f"{method} {why}" for method, why in audit["failed"].items()) or "nothing differs",
        *(f"not audited: {', '.join(methods)} ({why})" for why, methods in audit["skipped"].items()),
    ]
    return "; ".join(parts)


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
    # of what the two ends of the scale have: a loss first, which of log loss, say, is more
    signs = "−+" if better else "+−"
    return {"datasets": list(deltas.columns), "rows": rows, "full": full, "signs": signs, "controls": controls}
