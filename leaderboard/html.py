"""The leaderboard as one self-contained HTML file: nothing is fetched, tables are readable without JavaScript."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from . import format as text
from .budget import budget_of, tuning_of
from .comparison import Comparison
from .details import DatasetDetail, dataset_detail
from .export import replace_file
from .fidelity import Fidelity, fidelity_table
from .figures import BAR_WIDTH, Scale, full_heat, heat
from .results import Results, as_results, higher_is_better
from .tables import compare
from .verdict import VERDICTS, count_of


def write_html(results: Results | pd.DataFrame, path: str | Path, metric: str = "macro_f1") -> Path:
    """Write the leaderboard as one HTML file.

    Parameters
    ----------
    results : Results or pandas.DataFrame
        Results, or a plain table of scores.
    path : str or pathlib.Path
        The file. An old one stays as it is until the new one is complete.
    metric : str, default="macro_f1"
        What the methods are compared by.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    InputError
        Where the results cannot be compared or the file cannot be written.
    """
    return replace_file(Path(path), to_html(as_results(results), metric).encode())


def to_html(results: Results, metric: str = "macro_f1") -> str:
    """Return the page. The same results give the same bytes."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    loader = PackageLoader("augbench.leaderboard", "templates")
    environment = Environment(
        loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=StrictUndefined
    )
    environment.filters.update(
        signed=text.signed, number=text.plain_number, p=text.p_value, seconds=text.seconds, chance=text.probability
    )
    main = compare(results, metric=metric)
    return environment.get_template("leaderboard.html").render(
        suite=str(results.run.get("suite", "")),
        mark=page_mark(results, metric),
        comparison=main,
        board=_board(main),
        scale_width=BAR_WIDTH,
        run=_run_line(results),
        subsets=_subsets(results, main),
        fidelity=_fidelity(results, main),
        matrix=_matrix(main),
        datasets=[_dataset(dataset_detail(results, name, metric)) for name in main.datasets],
        unranked=[row for row in main.table.to_dict("records") if math.isnan(row["mean_rank"])],
        failures=[row for row in main.table.to_dict("records") if row["n_failed"]],
        warnings=_warnings(results.run),
        verdicts={word: meaning for word, meaning in VERDICTS.items() if word in set(main.table["verdict"])},
        versions=_versions(results.run),
        command=str(results.run.get("command", "")),
    )


def page_mark(results: Results, metric: str = "macro_f1") -> str:
    """Return what tells, in the head of a page, of which results it is."""
    return f"{results.run.get('mark', '')} {metric}"


def _board(comparison: Comparison) -> dict[str, Any]:
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


def _run_line(results: Results) -> list[tuple[str, str]]:
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


def _versions(run: Mapping[str, Any]) -> str:
    """Return the versions of the packages in one line."""
    return ", ".join(f"{name} {version}" for name, version in sorted(dict(run.get("versions") or {}).items()))


def _warnings(run: Mapping[str, Any]) -> dict[str, list[tuple[int, str]]]:
    """Return for each method its warnings: (number of units, message)."""
    found: dict[str, list[tuple[int, str]]] = {}
    for one in run.get("warnings") or []:
        for method, units in one["methods"].items():
            found.setdefault(method, []).append((units, one["message"]))
    return found


def _subsets(results: Results, main: Comparison) -> list[dict[str, Any]]:
    """Return a table per classifier and per scenario, where there is more than one of them."""
    subsets = []
    for kind in ("classifier", "scenario"):
        names = sorted(results.scores[kind].unique())
        for name in names if len(names) > 1 else []:
            if not _baseline_has(results, main, kind, name):
                continue
            part = compare(results, main.metric, main.baseline, **{kind: name})
            scope = f"{count_of(part.n_datasets, 'data set')} × {count_of(part.n_draws, 'draw')}"
            subsets.append({"kind": kind, "name": name, "scope": scope, "board": _board(part)})
    return subsets


def _baseline_has(results: Results, main: Comparison, kind: str, name: str) -> bool:
    """Say whether the baseline has any score in a subset."""
    scores = results.scores
    rows = (scores["method"] == main.baseline) & (scores["status"] == "ok") & (scores[kind] == name)
    return bool(scores.loc[rows, main.metric].notna().any())


def _matrix(comparison: Comparison) -> dict[str, Any]:
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


def _fidelity(results: Results, main: Comparison) -> dict[str, Any] | None:
    """Return the table of how real generated rows are, written out; None where no row was generated."""
    found: Fidelity | None = fidelity_table(results, [str(name) for name in main.table["method"]])
    if found is None:
        return None
    controls = dict(zip(main.table["method"], main.table["is_control"], strict=True))
    rows = []
    for name in map(str, found.table.index):
        values, references = (table.T[name].to_dict() for table in (found.table, found.references))
        cells = [
            {
                "value": values[one.name],
                "shown": one.write(values[one.name]),
                "title": f"real rows on the same data sets: {one.write(references[one.name])}",
            }
            for one in found.measures
        ]
        n = int(found.n_datasets[name])
        scope = f"on {n} of {count_of(main.n_datasets, 'data set')}" if n < main.n_datasets else ""
        facts = {"mark": found.marks.get(name), "scope": scope, "control": bool(controls.get(name, False))}
        rows.append({"name": name, "cells": cells, **facts})
    return {"measures": found.measures, "real": rows[0], "rows": rows[1:]}


def _dataset(detail: DatasetDetail) -> dict[str, Any]:
    """Return the details of a data set with its bars."""
    table = detail.table
    scale = Scale.over([*table["low"], *table["high"], *table["delta"]])
    rows = []
    for row in table.to_dict("records"):
        bar = scale.bar(row["delta"], row["low"], row["high"])
        rows.append({"row": row, "bar": bar, "recalls": [row[name] for name in detail.recalls]})
    names = [_class_name(detail.classes, name) for name in detail.recalls]
    grave = dict.fromkeys(one["words"] for one in detail.findings if one["severity"] != "note")
    return {
        "detail": detail,
        "mark": ", ".join(grave),
        "rows": rows,
        "zero": scale.x(0),
        "classes": names,
        "facts": _facts(detail),
    }


def _class_name(classes: list[str], column: str) -> str:
    number = int(column.removeprefix("recall_"))
    return classes[number] if number < len(classes) else f"class {number}"


def _facts(detail: DatasetDetail) -> str:
    """Return what is known of a data set in one line."""
    facts = detail.facts
    parts = [str(facts["group"])] if facts["group"] else []
    for name, word in (("n_rows", "rows"), ("n_features", "features")):
        if facts[name] is not None and not pd.isna(facts[name]):  # type: ignore[call-overload]
            parts.append(f"{int(facts[name]):,} {word}")  # type: ignore[call-overload]
    if detail.recalls:
        parts.append(f"{len(detail.recalls)} classes")
    parts += [
        f"{facts[name]} {word}"
        for name, word in (("n_train", "to train on"), ("n_test", "to test on"))
        if name in facts
    ]
    return " · ".join(parts)
