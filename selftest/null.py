"""Nothing to find: methods that differ by their random numbers only, again and again, through the whole pipeline.

Each null run is a pair of methods that both copy rows at random, under two names, on the same draws: which of them
scores higher is chance. The share of pairs that a test calls different has to be what the test states.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pandas as pd

from ..datasets.files import FrameDataset
from ..leaderboard.comparison import Comparison
from ..leaderboard.results import Results, metric_columns
from ..leaderboard.tables import compare
from ..leaderboard.verdict import ALPHA
from .claim import Finding, mean_near, share_within
from .workbench import Workbench

#: sizes of the data sets: small, so that a run takes a moment
SMALL = {"n_train": 200, "n_test": 400}
SIMULATED = ("logistic-simulation", "simulated-rings")
#: a class of 15 rows, raised to the size of the other one
SCENARIO = "imbalance:count=15"
#: methods that are compared at a time, where more than two are
FAMILY = 4
#: pairs and families, at least: were a test dead, 0 of 72 would still agree with 5 %
ENOUGH = 75


def check(bench: Workbench) -> Iterator[Finding]:
    """Put the claims to the test."""
    yield from _unchanged(bench)
    yield from _noise(bench)
    yield from _over_datasets(bench)
    yield from _on_one_dataset(bench)


def _unchanged(bench: Workbench) -> Iterator[Finding]:
    """Show that a method that adds nothing has the baseline's scores, in every bit."""
    results = bench.run(
        "null-unchanged",
        own={f"balanced-{seed}": _balanced(seed) for seed in range(3)},
        methods=["planted-unchanged"],
        datasets=[f"balanced-{seed}" for seed in range(3)],
        classifiers=["logistic-regression", "random-forest"],
        draws=3,
        folds=3,
    )
    tables = [results.scores[results.scores["method"] == name] for name in ("none", "planted-unchanged")]
    keys = ["dataset", "scenario", "classifier", "draw"]
    ours, theirs = (one.set_index(keys)[metric_columns(results.scores)].sort_index() for one in tables)
    shared = ours.columns[ours.notna().all() & theirs.notna().all()]
    differing = int((ours[shared] != theirs[shared]).sum().sum())
    yield Finding(
        f"a method that returns the training rows as they are has the baseline's scores ({len(shared)} metrics)",
        "0 scores differ",
        f"{differing} of {ours[shared].size} scores differ",
        differing == 0 and ours[shared].size > 0,
    )
    word = compare(results).table.set_index("method").loc["planted-unchanged", "verdict"]
    yield Finding("and the leaderboard calls it so", "equivalent", str(word), str(word) == "equivalent")


def _balanced(seed: int, apart: float = 1.0) -> FrameDataset:
    """Return a table with as many rows of either class, so that no new ones are asked for, and classes so far apart."""
    rng = np.random.default_rng(seed)
    y = np.repeat(["no", "yes"], 60)
    X = pd.DataFrame(rng.normal(size=(120, 4)) + apart * (y == "yes")[:, None], columns=list("abcd"))
    return FrameDataset(X, pd.Series(y, name="y"), f"balanced-{seed}")


def copies(number: int) -> list[dict[str, str]]:
    """Return methods for a suite that are the same but for their names, and so their seeds."""
    return [{"name": "planted-copies", "id": f"copies-{i}"} for i in range(number)]


def pairs_of(results: Results) -> Iterator[Results]:
    """Yield the results of two copies at a time, the first of which is the baseline."""
    ids = [name for name in results.methods["method"] if str(name).startswith("copies-")]
    yield from _groups_of(results, ids, 2)


def _groups_of(results: Results, ids: list[str], size: int) -> Iterator[Results]:
    scores = dict(iter(results.scores.groupby("method", observed=True)))
    for i in range(0, len(ids) - size + 1, size):
        members = ids[i : i + size]
        part = pd.concat([scores[one] for one in members], ignore_index=True)
        yield replace(results, scores=part, methods=results.methods[results.methods["method"].isin(members)])


def _noise(bench: Workbench) -> Iterator[Finding]:
    """Show that nothing is learned where there is nothing: rows on both sides of a split would be known again."""
    tables = {f"noise-{seed}": _balanced(seed, apart=0.0) for seed in range(bench.often(30, 100))}
    results = bench.run(
        "null-noise",
        own=tables,
        methods=["random-oversampling"],
        datasets=list(tables),
        classifiers=[{"name": "random-forest", "params": {"n_estimators": 20}}],
        scenarios=["imbalance:count=20"],
        draws=2,
    )
    means = results.scores.groupby(["method", "dataset"], observed=True)["balanced_accuracy"].mean()
    for method in ("none", "random-oversampling"):
        yield mean_near(
            f"a random forest that has learned noise ({method}) is right as often as chance, on {len(tables)} tables",
            means[method].to_numpy(),
            0.5,
        )


def _over_datasets(bench: Workbench) -> Iterator[Finding]:
    """Test where the unit is the data set."""
    n_pairs, n_datasets = bench.often(2 * ENOUGH, 500), 10
    results = bench.run(
        "null-datasets",
        methods=copies(2 * n_pairs),
        datasets=[
            {"name": name, "id": f"{name}-{i}", "params": {**SMALL, "n_train": SMALL["n_train"] + i}}
            for name in SIMULATED
            for i in range(n_datasets // len(SIMULATED))
        ],
        scenarios=[SCENARIO],
        draws=1,
    )
    rows = [_other(compare(pair, baseline=_first(pair))) for pair in pairs_of(results)]
    yield share_within(
        f"Wilcoxon's test over {n_datasets} data sets finds a difference between copies",
        sum(row["p_baseline"] < ALPHA for row in rows),
        n_pairs,
        ALPHA,
    )
    yield share_within(
        f"the 95 % interval over {n_datasets} data sets holds 0",
        sum(row["low"] <= 0 <= row["high"] for row in rows),
        n_pairs,
        0.95,
    )
    ids = [f"copies-{i}" for i in range(2 * n_pairs)]
    families = [compare(one, baseline=_first(one)) for one in _groups_of(results, ids, FAMILY)]
    yield share_within(
        f"the omnibus test (Iman and Davenport) finds a difference among {FAMILY} copies",
        sum(one.omnibus is not None and one.omnibus.f_p < ALPHA for one in families),
        len(families),
        ALPHA,
    )
    yield share_within(
        f"of {FAMILY - 1} copies, corrected by Holm, any is said to be better or worse than the first one",
        sum(bool((one.table["p_baseline_holm"] < ALPHA).any()) for one in families),
        len(families),
        ALPHA,
        at_most=True,
    )


def _on_one_dataset(bench: Workbench) -> Iterator[Finding]:
    """Test on one data set, where the unit is the draw, the test row, or both."""
    n_pairs = bench.often(ENOUGH, 400)
    designs = {
        "fresh draws of simulated data": ([{"name": SIMULATED[0], "params": SMALL}], SCENARIO, False),
        "splits redrawn from one table": (["breast-cancer"], "imbalance:count=20", True),
        "a fixed test set": (["breast-cancer"], "few-shot:shots=5", True),
    }
    for words, (datasets, scenario, at_most) in designs.items():
        name = f"null-{words.split()[0]}"
        results = bench.run(name, methods=copies(2 * n_pairs), datasets=datasets, scenarios=[scenario], draws=10)
        found = [compare(pair, baseline=_first(pair)) for pair in pairs_of(results)]
        rows = [_other(one) for one in found]
        yield share_within(
            f"on {words}, the {found[0].test} finds a difference between copies",
            sum(row["p_baseline"] < ALPHA for row in rows),
            n_pairs,
            ALPHA,
            at_most=at_most,
        )


def _first(results: Results) -> str:
    return str(results.methods["method"].iloc[0])


def _other(comparison: Comparison) -> pd.Series:
    """Return the row of the method that is not the baseline."""
    return comparison.table[~comparison.table["is_baseline"]].iloc[0]
