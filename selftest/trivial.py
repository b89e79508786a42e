"""Rows without knowledge: they gain where the features' centre happens to be 0.5, and nowhere else.

Planted-half adds the same row again and again, 0.5 in each feature; planted-unit-uniform adds rows uniform in [0, 1].
The sets: the logistic simulation (centred at 0.5), the same with its features halved, and rings that no line separates;
one class is reduced to 20 rows. The published headline rests on this: an untrained decoder emits about 0.5, and "0.5
minus the mean of class 0" points along the direction of Bayes' rule of the logistic simulation.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ..leaderboard.details import dataset_detail
from ..leaderboard.tables import compare
from .claim import Finding, row_of
from .workbench import Workbench

METHODS = ("planted-half", "planted-unit-uniform")
SIZES = {"n_train": 4000, "n_test": 4000}
#: a linear set whose centre is 0.5, the same with its features halved, and one that no line separates
CENTRED = {"name": "logistic-simulation", "id": "centred", "params": SIZES}
HALVED = {"name": "logistic-simulation", "id": "halved", "params": {**SIZES, "scale": 0.5}}
RINGS = {"name": "simulated-rings", "id": "rings", "params": SIZES}


def check(bench: Workbench) -> Iterator[Finding]:
    """Put the claims to the test."""
    results = bench.run(
        "trivial",
        methods=list(METHODS),
        controls=True,
        datasets=[CENTRED, HALVED, RINGS],
        scenarios=["imbalance:count=20"],
        folds=3,
        draws=bench.often(20, 60),
        block=5,
    )
    for dataset, gains in (("centred", True), ("halved", False), ("rings", False)):
        found = compare(results, baseline="random-oversampling", datasets=[dataset])
        for method in METHODS:
            row = row_of(found, method)
            yield Finding(
                f"{method} against plain copies, on the {dataset} set",
                "a gain" if gains else "a loss",
                f"{row['delta']:+.1f} points [{row['low']:.1f}, {row['high']:.1f}]",
                bool(row["low"] > 0 if gains else row["high"] < 0),
            )
        detail = dataset_detail(results, dataset)
        of_set = results.scores[results.scores["dataset"] == dataset]
        scores = of_set.groupby("method", observed=True)["macro_f1"].mean()
        best = scores.drop(list(METHODS)).max()
        marked = set(detail.table.loc[detail.table["not_above"], "method"])
        expected = {method for method in METHODS if scores[method] <= best}
        yield Finding(
            f"on the {dataset} set what is no better than the best control ({detail.best_control}) is marked",
            ", ".join(sorted(expected)) or "none",
            ", ".join(sorted(marked)) or "none",
            marked == expected,
        )
        alone = results.datasets["dataset"] == dataset
        here = replace(results, scores=of_set, datasets=results.datasets[alone])
        words = {row_of(compare(here), method)["verdict"] for method in METHODS}
        yield Finding(
            f"on the {dataset} set alone both are better than the baseline, and said to be no better than a control",
            "as a control does",
            ", ".join(sorted(words)),
            words == {"as a control does"},
        )
