"""A page for each method: what it does, what it gives on each data set and against each control, its rows, its cost."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from .. import format as text
from ..aggregate import draw_table
from ..contrast import Contrast, Design
from ..fidelity import Fidelity, fidelity_table
from ..figures import Scale
from ..plots import inline_svg
from ..plots_forest import forest, short
from .base import Page, Site, without_methods
from .made import rows_made, training
from .manifest import warnings_of
from .spent import costs, gaps

#: data sets on which it hurts that are named
WORST = 5
#: warnings that are not folded away
WARNINGS = 8


def pages(site: Site) -> Iterator[Page]:
    """Yield the overview of the methods and a page for each."""
    yield Page(
        path="methods.html", template="methods.html", title="Methods", nav="Methods", values={"board": _board(site)}
    )
    parts = _Parts(site)
    for name in site.rows:
        yield Page(path=site.method_paths[name], template="method.html", title=name, values=parts.of(name))


def _board(site: Site) -> dict[str, Any]:
    """Return the rows of the overview with their bars."""
    rows = list(site.rows.values())
    others = [row for row in rows if not row["is_baseline"]]
    scale = Scale.over([row[key] for row in others for key in ("low", "high", "delta")], site.rising)
    lines = [
        {"row": row, "bar": None if row["is_baseline"] else scale.bar(row["delta"], row["low"], row["high"])}
        for row in rows
    ]
    return {"lines": lines, "zero": scale.x(0)}


#: inches: what fits beside a table on a page of 1280 pixels
FOREST_WIDTH = 5.8
#: of fewer data sets the table says all
FEWEST_DRAWN = 3


class _Parts:
    """What the pages of all methods are made from, computed once."""

    def __init__(self, site: Site) -> None:
        self.site, self.results = site, site.results
        self.facts = self.results.methods.set_index("method").to_dict("index")
        self.scores = {str(name): rows for name, rows in self.results.scores.groupby("method")}
        self.lines: dict[str, dict[str, dict[Any, Any]]] = {
            dataset: {str(line["method"]): line for line in detail.table.to_dict("records")}
            for dataset, detail in site.details.items()
        }
        draws = draw_table(self.results.scores, site.metric, site.main.baseline)
        design = Design.of(self.results, self.results.scores, site.main.baseline)
        references = [name for name in site.rows if name in site.controls and name in draws.methods]
        self.contrasts = {name: Contrast(draws, name, design) for name in references}
        self.fidelity: Fidelity | None = fidelity_table(self.results, list(site.rows))
        self.warnings = warnings_of(self.results.run)
        self.sign = 1 if site.rising else -1

    def of(self, name: str) -> dict[str, Any]:
        """Return what the template of one method reads."""
        row = self.site.rows[name]
        sets = self._per_dataset(name)
        baseline = self.scores[self.site.main.baseline]
        return {
            "row": row,
            "about": self._about(name),
            "sets": sets,
            "forest": None if row["is_baseline"] else self._forest(name, sets),
            "hurts": None if row["is_baseline"] else self._hurts(name, sets),
            "controls": self._against_controls(name),
            "fidelity": self._fidelity(name),
            "made": rows_made(self.site, name, [one["dataset"] for one in sets if one["delta"] == one["delta"]]),
            "training": training(self.site, name),
            "costs": costs(self.scores[name], baseline),
            "gaps": gaps(self.site, self.scores[name]),
            "warnings": self.warnings.get(name, []),
            "most_warnings": WARNINGS,
        }

    def _about(self, name: str) -> dict[str, Any]:
        """Return what the method says of itself, and how it is run."""
        facts: Mapping[Any, Any] = self.facts[name]
        texts, citations, parameters = (
            facts[key] if isinstance(facts.get(key), list) else [] for key in ("text", "citations", "parameters")
        )
        row = self.site.rows[name]
        known = [
            ("kind", facts["kind"]),
            ("family", row["family"]),
            ("parameters", row["tuning"]),
            ("training", row["effort"]),
        ]
        return {
            "text": texts,
            "citations": citations,
            "parameters": parameters,
            "changed": [one for one in parameters if one["value"] != one["default"]],
            "command": _command(str(self.results.run.get("command", "")), name, str(facts.get("name") or "")),
            "facts": [(word, value) for word, value in known if value],
        }

    def _per_dataset(self, method: str) -> list[dict[str, Any]]:
        """Return the method's difference on every data set, the worst first; without a difference last."""
        found: list[dict[str, Any]] = []
        for dataset, lines in self.lines.items():
            found.append({"dataset": dataset, "test": self.site.details[dataset].test, **lines[method]})
        return sorted(found, key=lambda one: (bool(np.isnan(one["delta"])), self.sign * one["delta"], one["dataset"]))

    def _forest(self, name: str, sets: list[dict[str, Any]]) -> Any:
        drawn = [one for one in sets if not np.isnan(one["delta"])]
        if len(drawn) < FEWEST_DRAWN:
            return None
        unit, baseline = text.metric_name(self.site.metric), self.site.main.baseline
        label = (
            f"Difference of {name} to {baseline} in {unit} on each data set, with intervals: the table has the numbers"
        )
        rows = [{"name": one["dataset"], **one} for one in drawn]
        what = f"Δ {unit} to {short(baseline)}, points"
        return inline_svg(forest(rows, what, width=FOREST_WIDTH, rising=self.site.rising), label, "forest")

    def _hurts(self, name: str, sets: list[dict[str, Any]]) -> dict[str, Any]:
        """Return the data sets whose whole interval lies on the wrong side of 0, the worst first."""
        near = "high" if self.sign > 0 else "low"
        tested = [one for one in sets if not np.isnan(one[near])]
        worse = [one | {"loss": self._worst_class(name, one)} for one in tested if self.sign * one[near] < 0]
        return {"tested": len(tested), "worst": worse[:WORST], "more": max(0, len(worse) - WORST)}

    def _worst_class(self, name: str, one: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return the class whose accuracy falls most on a data set, before and after."""
        detail = self.site.details[one["dataset"]]
        plain = self.lines[one["dataset"]][self.site.main.baseline]
        falls = {column: one[column] - plain[column] for column in detail.recalls}
        falls = {column: fall for column, fall in falls.items() if fall < 0}
        if not falls:
            return None
        column = min(falls, key=lambda key: (falls[key], key))
        code = int(column.removeprefix("recall_"))
        label = detail.classes[code] if code < len(detail.classes) else f"class {code}"
        return {"name": label, "before": plain[column], "after": one[column]}

    def _against_controls(self, name: str) -> dict[str, Any] | None:
        """Return the difference to the baseline and to every control and adjuster."""
        found: list[dict[str, Any]] = []
        for control, contrast in self.contrasts.items():
            if control == name or name not in contrast.table.methods:
                continue
            test = contrast.overall(name)
            n = int(contrast.differences[name].notna().sum())
            if not n:
                continue
            found.append(
                {
                    "control": control,
                    "kind": _role(self.results.kind(control)),
                    "n": n,
                    "delta": 100 * test.mean,
                    "low": 100 * test.low,
                    "high": 100 * test.high,
                }
            )
        if not found:
            return None
        found.sort(key=lambda one: (self.sign * one["delta"], one["control"]))
        scale = Scale.over([one[key] for one in found for key in ("low", "high", "delta")], self.site.rising)
        for one in found:
            one["bar"] = scale.bar(one["delta"], one["low"], one["high"])
        return {"rows": found, "zero": scale.x(0)}

    def _fidelity(self, name: str) -> dict[str, Any] | None:
        """Return how real its rows are; None for a method that adds none."""
        found = self.fidelity
        if found is None or name not in found.table.index:
            return None
        lines = []
        for one in found.measures:
            value, reference = (
                float(table.loc[[name], one.name].iloc[-1]) for table in (found.table, found.references)
            )
            if np.isfinite(value):
                lines.append(
                    {
                        "header": one.header,
                        "value": one.write(value),
                        "real": one.write(reference),
                        "meaning": one.meaning.replace(" %", "\N{NO-BREAK SPACE}%"),
                    }
                )
        return {"lines": lines, "mark": found.marks.get(name), "n": int(found.n_datasets[name])} if lines else None


def _role(kind: str) -> str:
    """Return what a reference is: the baseline, an adjuster, or a trivial control that adds rows."""
    return kind if kind in ("baseline", "adjuster") else "control"


def _command(command: str, method: str, name: str) -> str:
    """Return the command line that runs a method instead of the run's methods; empty where there is none.

    `name` is what the command line calls it where it stands for itself; a method of a suite goes by its id.
    """
    if "," in method or not (name or command):
        return command
    if not command.startswith("bench run"):
        return f"bench run --methods {shlex.quote(name)}"
    return f"{without_methods(command)} --methods {shlex.quote(method)}"
