"""The manifest: what was run with what, what became of every cell, and how to run, extend and cite it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from ...provenance import MACHINE
from ..results import STATUSES, Results, scores_hash
from .base import Page, Site, without_methods
from .index import run_line

#: How a state of a cell is called on the page.
STATES = {"ok": "done", "failed": "failed", "not applicable": "not applicable", "not run": "not run"}
#: Facts of the run that have a section of their own.
ELSEWHERE = ("seed", "draws", "Python", "platform", "device")


def pages(site: Site) -> Iterator[Page]:
    """Yield the page."""
    run = site.results.run
    yield Page(
        path="manifest.html",
        template="manifest.html",
        title="Manifest",
        nav="Manifest",
        values={
            "run": [(name, value) for name, value in run_line(site.results) if name not in ELSEWHERE],
            "seeds": _seeds(run),
            "machines": _machines(run),
            "hashes": _hashes(site.results),
            "versions": sorted(dict(run.get("versions") or {}).items()),
            "command": str(run.get("command", "")),
            "with_own": without_methods(str(run.get("command", ""))),
            "version": str(dict(run.get("versions") or {}).get("augbench", "")),
            "scores_hash": scores_hash(site.results.scores),
            "states": list(STATES.values()),
            "cells": {key: _cells(site.results.scores, key) for key in ("method", "dataset")},
            "left_out": [str(one) for one in run.get("left_out") or ()],
            "downloads": site.downloads,
            "warnings": warnings_of(run),
        },
    )


def warnings_of(run: Mapping[str, Any]) -> dict[str, list[tuple[int, str]]]:
    """Return for each method its warnings: (number of units, message)."""
    found: dict[str, list[tuple[int, str]]] = {}
    for one in run.get("warnings") or []:
        for method, units in one["methods"].items():
            found.setdefault(method, []).append((units, one["message"]))
    return found


def _seeds(run: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return what decides the random numbers and the splits."""
    names = {"seed": "seed of all random numbers", "draws": "draws", "folds": "inner folds"}
    line = [(word, str(run[name])) for name, word in names.items() if run.get(name) is not None]
    if run.get("test_fraction") is not None:
        line.append(("test rows", f"{100 * float(run['test_fraction']):.0f} %"))
    return line


def _machines(run: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return a row for each kind of machine and set of versions that results were computed with."""
    known = run.get("environments")
    if known:
        return [dict(one) for one in known]
    if not run.get("platform") and not run.get("python"):
        return []
    one = {name: run.get(name, "") for name in MACHINE}
    return [one | {"units": run.get("units_done"), "versions": dict(run.get("versions") or {})}]


def _hashes(results: Results) -> list[dict[str, str]]:
    """Return the hash of the content of each data set, where it is known."""
    table = results.datasets
    if "content_hash" not in table.columns:
        return []
    named = zip(table["dataset"], table["content_hash"], table["group"], strict=True)
    return [{"dataset": str(d), "hash": str(h), "group": str(g)} for d, h, g in named if isinstance(h, str) and h]


def _cells(scores: pd.DataFrame, key: str) -> list[tuple[str, list[int], int]]:
    """Return (name, how many cells in each of `STATES`, all of them) for each method or data set, in order of name.

    A cell is one method on one data set in one scenario with one classifier in one draw.
    """
    counts = pd.crosstab(scores[key], scores["status"]).reindex(columns=list(STATUSES), fill_value=0)
    rows = zip(counts.index, counts.to_numpy().tolist(), strict=True)
    return [(str(name), numbers, sum(numbers)) for name, numbers in rows]
