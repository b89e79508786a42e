"""Nothing to find: methods that differ by their random numbers only, again and again, through the whole pipeline.

Each null run is a pair of methods that both copy rows at random, under two names, on the same draws: which of them
scores higher is chance. The share of pairs that a test calls different has to be what the test states. A test that
never finds anything would pass that: beside some of the copies, in the same runs, there is a method that does harm,
and the same tests have to find it. Splits of one table share its chance, which copies do not show: there, of two
columns that mean the same, each method of a pair spoils one.
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
#: methods that the omnibus test compares at a time
FAMILY = 4
#: the same for Holm's correction: of so many, without it, some would differ in one family of four
LARGE_FAMILY = 10
#: pairs and families, at least: were a test dead, 0 of 72 would still agree with 5 %
ENOUGH = 75
#: harmful methods, each beside copies of its own, and how many of them a test has to find: all but one. The harm is
#: planted so large (about two standard deviations of its chance, and more) that a sound test misses one in a hundred;
#: one that finds half of them passes once in a hundred times
HARMFUL, MISSED = 10, 1


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
        methods=copies(2 * n_pairs) + _harmful("planted-displaced"),
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
    # exact where differences are symmetric; what is twice too small shows here, hardly at .05
    yield share_within(
        "Wilcoxon's test gives copies a p below one half", sum(row["p_baseline"] < 0.5 for row in rows), n_pairs, 0.5
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
    large = [compare(one, baseline=_first(one)) for one in _groups_of(results, ids, LARGE_FAMILY)]
    yield share_within(
        f"of {LARGE_FAMILY - 1} copies, corrected by Holm, any is said to be better or worse than the first one",
        sum(bool((one.table["p_baseline_holm"] < ALPHA).any()) for one in large),
        len(large),
        ALPHA,
        at_most=True,
    )
    yield from _harm_over_datasets(results)


def _harm_over_datasets(results: Results) -> Iterator[Finding]:
    """Let the same tests find what is there."""
    rows = [_other(one) for one in _beside_copies(results, 1)]
    families = _beside_copies(results, FAMILY - 1)
    corrected = [one.table[one.table["method"] == f"harmful-{i}"].iloc[0] for i, one in enumerate(families)]
    yield _found("Wilcoxon's test finds harm", rows, [row["p_baseline"] < ALPHA for row in rows])
    yield _found("the 95 % interval lies below 0 where there is harm", rows, [row["high"] < 0 for row in rows])
    yield _found(
        f"the omnibus test finds a difference among {FAMILY - 1} copies and a harmful method",
        corrected,
        [one.omnibus is not None and one.omnibus.f_p < ALPHA for one in families],
    )
    yield _found(
        f"of {FAMILY - 2} copies and a harmful method, corrected by Holm, that one is said to be worse",
        corrected,
        [bool(row["p_baseline_holm"] < ALPHA) for row in corrected],
    )


def _harmful(name: str) -> list[dict[str, str]]:
    """Return methods for a suite that do harm."""
    return [{"name": name, "id": f"harmful-{i}"} for i in range(HARMFUL)]


def _beside_copies(results: Results, number: int) -> list[Comparison]:
    """Compare every harmful method, and copies, with the first of so many copies."""
    ids = [
        name for i in range(HARMFUL) for name in (*(f"copies-{number * i + j}" for j in range(number)), f"harmful-{i}")
    ]
    return [compare(one, baseline=_first(one)) for one in _groups_of(results, ids, number + 1)]


def _found(claim: str, rows: list[pd.Series], hits: list[bool]) -> Finding:
    """Count in how many comparisons a method is found to be worse, of which these are the rows."""
    found = sum(hit and row["delta"] < 0 for hit, row in zip(hits, rows, strict=True))
    mean = sum(row["delta"] for row in rows) / len(rows)
    words = f"{found} of {len(hits)} ({mean:+.1f} points)"
    return Finding(claim, f"at least {HARMFUL - MISSED} of {HARMFUL}", words, bool(found >= HARMFUL - MISSED))


def _on_one_dataset(bench: Workbench) -> Iterator[Finding]:
    """Test on one data set, where the unit is the draw, the test row, or both."""
    n_pairs = bench.often(ENOUGH, 400)
    simulated: dict[str, object] = {"name": SIMULATED[0], "params": SMALL}
    # copies differ by their own chance, which splits of one table do not share: `_on_splits` asks more of that test
    designs: dict[str, tuple[str | dict[str, object], str, str, int, bool]] = {
        "fresh draws of simulated data": (simulated, SCENARIO, "displaced", n_pairs, False),
        "a fixed test set": ("breast-cancer", "few-shot:shots=5", "mislabelled", n_pairs, True),
        "splits redrawn from one table": ("breast-cancer", "imbalance:count=20", "mislabelled", 0, True),
    }
    for words, (dataset, scenario, harmful, pairs, at_most) in designs.items():
        methods = copies(max(2 * pairs, HARMFUL)) + _harmful(f"planted-{harmful}")
        name = f"null-{words.split()[-1]}"
        results = bench.run(name, methods=methods, datasets=[dataset], scenarios=[scenario], draws=10)
        beside = _beside_copies(results, 1)
        rows = [_other(one) for one in beside]
        test = f"on {words}, the {beside[0].test}"
        yield _found(f"{test} finds harm", rows, [row["p_baseline"] < ALPHA for row in rows])
        if pairs:
            found = [_other(compare(pair, baseline=_first(pair))) for pair in pairs_of(results)]
            hits = sum(row["p_baseline"] < ALPHA for row in found)
            yield share_within(f"{test} finds a difference between copies", hits, pairs, ALPHA, at_most=at_most)
    yield from _on_splits(bench, n_pairs)


def _on_splits(bench: Workbench, n_tables: int) -> Iterator[Finding]:
    """Redraw splits of tables with two columns that mean the same, of which each method spoils one.

    On new rows no column is better; on the rows of a table one is, by chance, and all splits share this chance: without
    the correction the test takes it for a difference in a third of the tables and more.
    """
    tables = {f"twins-{seed}": _twins(seed) for seed in range(n_tables)}
    spoiling = [{"name": "planted-spoils", "id": f"spoils-{column}", "params": {"column": column}} for column in (0, 1)]
    results = bench.run("null-splits", own=tables, methods=spoiling, datasets=list(tables), draws=10)
    scores = results.scores[results.scores["method"] != "none"]
    methods = results.methods[results.methods["method"] != "none"]
    found = [
        compare(replace(results, scores=own, methods=methods), baseline="spoils-0")
        for _, own in scores.groupby("dataset", observed=True)
    ]
    yield share_within(
        f"on splits redrawn from one table, the {found[0].test} finds a difference between methods that spoil either "
        "of two columns that mean the same",
        sum(_other(one)["p_baseline"] < ALPHA for one in found),
        n_tables,
        ALPHA,
        at_most=True,
    )


def _twins(seed: int) -> FrameDataset:
    """Return a table with two columns of the same distribution, and 180 and 60 rows of two classes."""
    rng = np.random.default_rng(seed)
    y = np.repeat(["no", "yes"], [180, 60])
    X = pd.DataFrame(rng.normal(size=(len(y), 2)) + (y == "yes")[:, None], columns=["one", "other"])
    return FrameDataset(X, pd.Series(y, name="y"), f"twins-{seed}")


def _first(results: Results) -> str:
    return str(results.methods["method"].iloc[0])


def _other(comparison: Comparison) -> pd.Series:
    """Return the row of the method that is not the baseline."""
    return comparison.table[~comparison.table["is_baseline"]].iloc[0]
