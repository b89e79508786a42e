"""A page for each data set: facts, findings, every method with the interval that fits it, accuracy of each class."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from .. import format as text
from ..aggregate import draw_table
from ..details import DatasetDetail
from ..figures import Scale, full_heat, heat
from ..results import higher_is_better
from .base import Page, Site

#: more classes than this are folded away
MOST_CLASSES = 12
#: addresses that become links
_LINKS = ("https://", "http://")


def pages(site: Site) -> Iterator[Page]:
    """Yield the overview of the data sets and a page for each."""
    facts = site.results.datasets.set_index("dataset").to_dict("index")
    scores = dict(iter(site.results.scores.groupby("dataset")))
    sets = {name: _dataset(site, detail, facts[name], scores[name]) for name, detail in site.details.items()}
    yield Page(
        path="datasets.html", template="datasets.html", title="Data sets", nav="Data sets", values={"datasets": sets}
    )
    for name, one in sets.items():
        yield Page(path=site.dataset_paths[name], template="dataset.html", title=name, values={"set": one})


def _dataset(site: Site, detail: DatasetDetail, facts: Mapping[Any, Any], scores: pd.DataFrame) -> dict[str, Any]:
    """Return what the pages read of a data set."""
    classes = _classes(detail, facts)
    grave = dict.fromkeys(one["words"] for one in detail.findings if one["severity"] != "note")
    return {
        "detail": detail,
        "mark": ", ".join(grave),
        "facts": _facts(detail, facts, classes),
        "source": _source(facts),
        "citation": _text(facts.get("citation")),
        "classes": classes,
        "folded": len(classes) > MOST_CLASSES,
        "kind": "rows of one training set, expected" if facts.get("fresh") else "rows of the whole table",
        **_methods(site, detail, scores),
        "heat": _heat(site, detail, classes),
    }


def _text(value: Any) -> str:
    """Return a text, nothing for what a table of an older run lacks."""
    return value if isinstance(value, str) else ""


def _source(facts: Mapping[Any, Any]) -> dict[str, str]:
    """Return the source: an address only where it is one that a browser should follow."""
    source = _text(facts.get("source"))
    return {"text": source, "link": source if source.startswith(_LINKS) else ""}


def _classes(detail: DatasetDetail, facts: Mapping[Any, Any]) -> list[dict[str, Any]]:
    """Return the classes, the rarest first, with their shares; in the order of their codes where no count is known."""
    codes = range(max(len(detail.classes), len(detail.recalls)))
    counts = facts.get("class_counts")
    known = list(counts) if isinstance(counts, list | tuple | np.ndarray) and len(counts) == len(codes) else []
    total, most = sum(known), max(known, default=0)
    found: list[dict[str, Any]] = []
    for code in codes:
        n = int(known[code]) if known else 0
        found.append(
            {
                "code": code,
                "name": detail.classes[code] if code < len(detail.classes) else f"class {code}",
                "n": n,
                "share": f"{100 * n / total:.1f} %".replace(" ", "\N{NO-BREAK SPACE}") if total else "",
                "width": round(100 * n / most, 2) if most else 0.0,
            }
        )
    found.sort(key=lambda one: (one["n"], one["code"]))
    for one in found:
        one["minority"] = bool(known) and one["n"] == found[0]["n"] < most
        one["majority"] = bool(known) and one["n"] == most > found[0]["n"]
        one["counted"] = bool(known)
    return found


def _facts(detail: DatasetDetail, facts: Mapping[Any, Any], classes: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Return what is known of a data set as pairs of name and value."""
    pairs = [("group", _text(facts.get("group")))]
    for key, word in (("n_rows", "rows"), ("n_features", "features")):
        if _known(facts.get(key)):
            pairs.append((word, f"{int(facts[key]):,}"))
    if _known(facts.get("n_categorical")) and facts["n_categorical"]:
        pairs.append(("of them categorical", f"{int(facts['n_categorical']):,}"))
    if facts.get("missing") is True:
        pairs.append(("missing cells", "yes"))
    if facts.get("series") is True:
        pairs.append(("rows are", "time series"))
    pairs.append(("classes", str(len(classes)) if classes else ""))
    if classes and classes[0]["counted"] and classes[0]["n"]:
        ratio = classes[-1]["n"] / classes[0]["n"]
        pairs.append(("largest to smallest class", f"{ratio:.3g} : 1" if ratio < 1000 else f"{ratio:,.0f} : 1"))
    pairs.append(("class of interest", _text(facts.get("class_of_interest"))))
    pairs += [
        (word, str(detail.facts[name]))
        for name, word in (("n_train", "training rows"), ("n_test", "test rows"))
        if name in detail.facts
    ]
    pairs.append(("licence", _text(facts.get("licence"))))
    return [(name, value) for name, value in pairs if value]


def _known(value: Any) -> bool:
    return value is not None and not pd.isna(value)


def _methods(site: Site, detail: DatasetDetail, scores: pd.DataFrame) -> dict[str, Any]:
    """Return the rows of the methods with bars and regret, and how many lie wholly above and below 0."""
    table = detail.table
    scale = Scale.over([*table["low"], *table["high"], *table["delta"]])
    regret = _regret(scores, site.main.baseline)
    rows = [
        {
            "row": row,
            "bar": scale.bar(row["delta"], row["low"], row["high"], higher_is_better(site.metric)),
            "regret": regret.get(row["method"], math.nan),
        }
        for row in table.to_dict("records")
    ]
    above, below = int((table["low"] > 0).sum()), int((table["high"] < 0).sum())
    better, worse = (above, below) if higher_is_better(site.metric) else (below, above)
    return {
        "rows": rows,
        "zero": scale.x(0),
        "has_regret": bool(regret),
        "any_failed": bool(table["state"].str.contains("failed").any()),
        "better": better,
        "worse": worse,
    }


def _regret(scores: pd.DataFrame, baseline: str) -> dict[str, float]:
    """Return by how many points of macro F1 each method stays below Bayes' rule; empty where the truth is not known."""
    name = "regret_macro_f1"
    own = scores["method"] == baseline
    if name not in scores.columns or not scores.loc[own, name].notna().any():
        return {}
    means = 100 * draw_table(scores, name, baseline).scores.iloc[0]
    return {str(method): float(value) for method, value in means.items()}


def _heat(site: Site, detail: DatasetDetail, classes: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Return the accuracy of each class, methods × classes, the rarest class first, coloured by what changes."""
    columns = [(one, f"recall_{one['code']}") for one in classes if f"recall_{one['code']}" in detail.recalls]
    if not columns:
        return None
    table = detail.table.set_index("method")
    names = [name for _, name in columns]
    values = table[names].to_numpy(dtype=float)
    changes = values - table.loc[site.main.baseline, names].to_numpy(dtype=float)
    full = full_heat(changes.ravel())
    rows = []
    for method, own, change in zip(map(str, table.index), values, changes, strict=True):
        cells = []
        for value, difference in zip(own, change, strict=True):
            side, strength = heat(float(difference), full)
            cells.append(
                {"value": float(value), "side": side, "strength": strength, "title": text.signed(float(difference), 1)}
            )
        rows.append({"method": method, "cells": cells, "state": table.at[method, "state"]})
    # the baseline first: what the others are coloured by
    rows.sort(key=lambda one: one["method"] != site.main.baseline)
    return {"classes": [one for one, _ in columns], "rows": rows, "full": full}
