"""How scores and gains move with the number of shots, of generated rows, or of rows that are kept of a class.

A curve is a set of scenarios that differ in one value only. It is read off the names of the scenarios
(``few-shot:shots=5,generate=50``), and every point of it is a mean over the same data sets.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from .aggregate import draw_table
from .comparison import Comparison
from .contrast import Contrast, Design
from .results import Results

#: What may differ, by its name in a scenario, and how the axis is called.
AXES = {
    "shots": "real rows of each class (shots)",
    "generate": "generated rows of each class",
    "amount": "generated rows",
    "count": "rows kept of the reduced class",
    "keep": "share kept of the reduced class",
}
#: more lines in one figure cannot be told apart
MOST_LINES = 8


@dataclass(frozen=True)
class Curves:
    """One value that differs between scenarios that are otherwise the same.

    Attributes
    ----------
    axis : str
        Its name, a key of `AXES`.
    fixed : str
        What is the same in all of them, in words; empty if there is nothing to say.
    labels : tuple of str
        The values as they are written, smallest first.
    positions : tuple of float
        Where they stand on the axis: the values, or 0, 1, … where one of them is a word.
    datasets : tuple of str
        The data sets on which the baseline has a score in every one of the scenarios.
    left_out : tuple of str
        The data sets on which it has one in some of them only: they are in no point.
    table : pandas.DataFrame
        One row per method and value, best methods first: method, label, position, scenario, score (mean over data
        sets), delta, low, high (difference to the baseline and its interval), all in points, and n_datasets.
    """

    axis: str
    fixed: str
    labels: tuple[str, ...]
    positions: tuple[float, ...]
    datasets: tuple[str, ...]
    left_out: tuple[str, ...]
    table: pd.DataFrame

    @property
    def is_numeric(self) -> bool:
        """Whether the positions are the values."""
        return self.positions != tuple(range(len(self.positions)))

    def complete(self, method: str) -> bool:
        """Say whether a method has a score on every data set at every value."""
        rows = self.table[self.table["method"] == method]
        return bool((rows["n_datasets"] == len(self.datasets)).all())


def parse_scenario(name: str) -> tuple[str, dict[str, str]]:
    """Return kind and values of a scenario by its name; one that is not of this form has no values.

    Examples
    --------
    >>> parse_scenario("few-shot:shots=5,generate=50")
    ('few-shot', {'shots': '5', 'generate': '50'})
    >>> parse_scenario("mine: a, b")
    ('mine: a, b', {})
    """
    kind, _, rest = name.partition(":")
    parts = [part.partition("=") for part in rest.split(",")] if rest else []
    if any(not (key and equals and value) for key, equals, value in parts):
        return name, {}
    return kind, {key: value for key, _, value in parts}


def curves_of(results: Results, comparison: Comparison) -> list[Curves]:
    """Return every curve of a run: of each value that differs, one for each setting of the others.

    Parameters
    ----------
    results : Results
        The results.
    comparison : Comparison
        Gives metric, baseline, and the order of the methods.

    Returns
    -------
    list of Curves
        None of a single point, and none without a data set that all its points share.
    """
    parsed = {name: parse_scenario(name) for name in sorted(results.scores["scenario"].unique())}
    found = []
    for axis in AXES:
        families: dict[tuple[str, tuple[tuple[str, str], ...]], dict[str, str]] = {}
        for name, (kind, values) in parsed.items():
            value = _value(axis, kind, values)
            if value:
                rest = tuple(sorted((key, one) for key, one in values.items() if key != axis))
                families.setdefault((kind, rest), {})[name] = value
        for (kind, rest), members in sorted(families.items()):
            if len(set(members.values())) > 1:
                found.append(_curves(results, comparison, axis, _fixed(axis, kind, dict(rest)), members))
    return [one for one in found if one.datasets]


def _value(axis: str, kind: str, values: Mapping[str, str]) -> str:
    """Return the value of a scenario on an axis, what it is by default included; empty where it has none."""
    if axis == "generate" and kind == "few-shot":
        return values.get("generate", values.get("shots", ""))
    if axis == "amount" and kind in ("full", "imbalance"):
        return values.get("amount", "balance")
    return values.get(axis, "")


def _fixed(axis: str, kind: str, rest: Mapping[str, str]) -> str:
    """Return what is the same along a curve, in words."""
    words = {
        "shots": "{} shots",
        "generate": "{} generated rows of each class",
        "amount": "amount {}",
        "count": "{} rows kept",
        "keep": "share {} kept",
        "of": "of class {}",
        "rows": "trained on {} rows",
    }
    parts = [words.get(key, key + " {}").format(value) for key, value in rest.items()]
    if axis == "shots" and "generate" not in rest:
        parts.append("as many rows generated as there are shots")
    return ", ".join([*([] if kind == "few-shot" else [kind]), *parts])


def _number(value: str) -> float:
    """Return a value as a number, "2x" as 2; NaN for a word."""
    try:
        return float(value.removesuffix("x"))
    except ValueError:
        return float("nan")


def _curves(results: Results, main: Comparison, axis: str, fixed: str, members: Mapping[str, str]) -> Curves:
    """Compute the points of one curve; `members` is the value of each scenario."""
    numbers = {name: _number(value) for name, value in members.items()}
    # "balance" and "2x" have no common unit, nor have "2x" and "100"
    mixed = any(np.isnan(one) for one in numbers.values()) or len({one.endswith("x") for one in members.values()}) > 1
    order = sorted(members, key=lambda name: (np.isnan(numbers[name]), members[name].endswith("x"), numbers[name]))
    if axis != "amount" and mixed:
        order = sorted(members, key=lambda name: members[name])
    scores = results.scores
    own = scores[(scores["method"] == main.baseline) & scores[main.metric].notna()]
    have = [set(own.loc[own["scenario"] == name, "dataset"]) for name in order]
    shared, any_of = set.intersection(*have), set.union(*have)
    datasets = tuple(name for name in main.datasets if name in shared)
    rows = []
    for place, name in enumerate(order if datasets else []):
        position = float(place) if mixed else numbers[name]
        for row in _point(results, main, name, datasets):
            rows.append({"label": members[name], "position": position, "scenario": name, **row})
    columns = ["method", "label", "position", "scenario", "score", "delta", "low", "high", "n_datasets"]
    table = pd.DataFrame(rows, columns=columns)
    rank = {str(name): i for i, name in enumerate(main.table["method"])}
    table = table.sort_values("method", key=lambda names: names.map(rank), kind="stable").reset_index(drop=True)
    return Curves(
        axis=axis,
        fixed=fixed,
        labels=tuple(members[name] for name in order),
        positions=tuple(float(i) if mixed else numbers[name] for i, name in enumerate(order)),
        datasets=datasets,
        left_out=tuple(sorted(any_of - shared)),
        table=table,
    )


def _point(results: Results, main: Comparison, scenario: str, datasets: tuple[str, ...]) -> list[dict[str, object]]:
    """Return score, difference and interval of every method in one scenario, on some data sets."""
    scores = results.scores
    scores = scores[(scores["scenario"] == scenario) & scores["dataset"].isin(datasets)]
    draws = draw_table(scores, main.metric, main.baseline)
    contrast = Contrast(draws, main.baseline, Design.of(results, scores, main.baseline))
    rows: list[dict[str, object]] = []
    for method in draws.methods:
        test, own = contrast.overall(method), draws.scores[method].dropna()
        ends = (np.nan, np.nan) if method == main.baseline else (100 * test.low, 100 * test.high)
        rows.append(
            {
                "method": method,
                "score": 100 * float(own.mean()) if len(own) else np.nan,
                "delta": 100 * test.mean,
                "low": ends[0],
                "high": ends[1],
                "n_datasets": len(own),
            }
        )
    return rows


def drawn_methods(curves: Curves, comparison: Comparison, most: int = MOST_LINES) -> list[str]:
    """Return the methods whose lines are drawn: baseline, plain copies, the best methods, then the best controls.

    Parameters
    ----------
    curves : Curves
        Only methods with a score at every point are drawn.
    comparison : Comparison
        Gives the order, that of the leaderboard.
    most : int
        How many.

    Returns
    -------
    list of str
        Baseline and plain copies first.
    """
    table = comparison.table
    names = [str(name) for name in table["method"] if curves.complete(str(name))]
    controls = set(table.loc[table["is_control"] | table["is_baseline"], "method"])
    first = [name for name in (comparison.baseline, comparison.reference) if name in names]
    others = [name for name in names if name not in controls] + [name for name in names if name in controls]
    return list(dict.fromkeys([*first, *others]))[:most]
