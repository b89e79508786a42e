"""Leak canaries: methods that look for test rows gain nothing and are reported, and no preparation learns from them.

Each planted method is run twice: left alone, to show that it finds what it looks for and what that would be worth, and
as everybody's methods are run, with the audit.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..bench.guard import switched_off
from ..bench.prepare import Part, Preparation
from ..datasets.files import FileDataset
from ..leaderboard.results import Results
from ..leaderboard.tables import compare
from .claim import Finding
from .planted_leaks import ExtremeTestRows
from .workbench import Workbench

PLUGIN = "augbench.selftest.planted_leaks"
#: what a method that knows test rows gains at least, F1 points: the classes overlap, so that an honest one gains little
WORTH = 5.0
DRAWS = 6
TABLE = "planted-table"
FOREST = {"name": "random-forest", "params": {"n_estimators": 25}}
SIMULATED = {"name": "logistic-simulation", "params": {"n_train": 300, "n_test": 100}}


@dataclass(frozen=True)
class Canary:
    """A planted method that looks for test rows.

    Attributes
    ----------
    method : str
        Its name.
    words : str
        Where it looks.
    """

    method: str
    words: str


ON_THE_TABLE = (
    Canary("planted-searches-memory", "searches all objects in memory"),
    Canary("planted-reads-cache", "takes the rows that the harness keeps"),
    Canary("planted-walks-frames", "walks up the call stack"),
    Canary("planted-reads-file", "reads the data file"),
    Canary("planted-looks-aside", "takes rows of the other draws of its call"),
    Canary("planted-remembers", "remembers rows of earlier draws"),
    Canary("planted-adjusts-by-frames", "finds the true classes up the call stack, when it adjusts probabilities"),
)
BY_NAME = Canary("planted-loads-by-name", "makes the simulated draws itself, by the data set's name")
HONEST = ("planted-copies", "planted-looks-behind", "smote", "jitter", "class-weight")
#: further ones, which take longer
HONEST_NETWORKS = ("vae", "cvae", "autoencoder")


def check(bench: Workbench) -> Iterator[Finding]:
    """Put the claims to the test."""
    yield from _canaries(bench)
    yield from _by_name(bench)
    yield from _preparation(bench)
    yield from _stored_predictions(bench)


def _canaries(bench: Workbench) -> Iterator[Finding]:
    table = FileDataset(_write_table(bench), "y")
    canaries = [
        {"name": one.method, "params": {"path": str(table.path)} if one.method == "planted-reads-file" else {}}
        | {"id": one.method}
        for one in ON_THE_TABLE
    ]
    honest = [*HONEST, *({"name": one, "params": {"steps": 100}, "id": one} for one in bench.often((), HONEST_NETWORKS))]
    grid = {"datasets": [TABLE], "classifiers": [FOREST], "draws": DRAWS, "block": DRAWS // 2}
    with switched_off():
        alone = _run(bench, "leaks-alone", own={TABLE: table}, methods=canaries, **grid)
    watched = _run(bench, "leaks", own={TABLE: table}, methods=[*canaries, *honest], audit=True, **grid)
    for one in ON_THE_TABLE:
        yield from _findings(one, alone, watched)
    scores = watched.scores
    ran = [name for name in _names(honest) if (scores["method"] == name).any()]
    accused = sorted(set(scores.loc[scores["method"].isin(ran) & (scores["status"] == "failed"), "method"]))
    yield Finding(
        f"no honest method is accused ({', '.join(ran)})", "none", ", ".join(accused) or "none", bool(ran) and not accused
    )
    behind = scores[scores["method"] == "planted-looks-behind"]
    yield Finding(
        "a method that looks for gaps in the row labels, and for rows in memory behind the table that it is given, finds "
        "none",
        "0 rows",
        f"{behind['rows_seen'].sum():g} rows in {len(behind)} draws",
        len(behind) == DRAWS and bool((behind["rows_seen"] == 0).all()),
    )


def _write_table(bench: Workbench) -> str:
    """Write a table whose classes overlap, as a file; return its path."""
    rng = np.random.default_rng(9)
    y = rng.permutation(np.repeat([0, 1], [160, 80]))
    rows = pd.DataFrame(rng.normal(size=(240, 5)) + 0.4 * y[:, None], columns=list("abcde")).assign(y=y)
    path = bench.folder / f"{TABLE}.csv"
    rows.to_csv(path, index=False)
    return str(path)


def _by_name(bench: Workbench) -> Iterator[Finding]:
    params = {**SIMULATED["params"], "draws": DRAWS}
    grid = {"datasets": [SIMULATED], "classifiers": [FOREST], "draws": DRAWS, "scenarios": ["imbalance:count=20"]}
    methods = [{"name": BY_NAME.method, "params": params, "id": BY_NAME.method}]
    with switched_off():
        alone = _run(bench, "leaks-by-name-alone", methods=methods, **grid)
    yield from _findings(BY_NAME, alone, _run(bench, "leaks-by-name", methods=methods, **grid))


def _run(bench: Workbench, name: str, **settings: object) -> Results:
    # in this process, where the guard can be switched off
    return bench.run(name, plugins=[PLUGIN], jobs=1, **settings)


def _names(methods: Sequence[object]) -> list[str]:
    return [str(one["id"]) if isinstance(one, dict) else str(one) for one in methods]


def _findings(one: Canary, alone: Results, watched: Results) -> Iterator[Finding]:
    """Yield what a planted method gains when it is left alone, and when it is watched."""
    delta = _delta(alone, one.method)
    yield Finding(
        f"a method that {one.words} would gain by it, were it left alone",
        f"at least {WORTH:g} points",
        f"{delta:+.1f} points",
        delta >= WORTH,
    )
    delta = _delta(watched, one.method)
    rows = watched.scores[watched.scores["method"] == one.method]
    failed = rows["status"] == "failed"
    reasons = rows.loc[failed, "error"].unique()
    yield Finding(
        "it is reported, and gains nothing",
        f"failed in {DRAWS} of {DRAWS} draws, difference to the baseline 0",
        f"failed in {failed.sum()} of {len(rows)} draws{f' ({reasons[0]})' if len(reasons) else ''}, difference {delta:g}",
        bool(failed.all()) and len(rows) == DRAWS and delta == 0,
    )


def _delta(results: Results, method: str) -> float:
    return float(compare(results).table.set_index("method").loc[method, "delta"])


def _preparation(bench: Workbench) -> Iterator[Finding]:
    """Scaling, imputation and encoding are those of the training rows, whatever the test rows hold."""
    tame, extreme = (ExtremeTestRows(one).sample(np.random.default_rng(0), 0) for one in (False, True))
    first, second = (Part.of(one.train, one.test).preparation for one in (tame, extreme))
    leaked = Preparation.fit(pd.concat([extreme.train.X, extreme.test.X], ignore_index=True))
    for what, value in (
        ("imputed value", lambda one: f"{one.medians[1]:.4g}"),
        ("scale", lambda one: f"{one.scale[0]:.4g}"),
        ("columns of a category", lambda one: ", ".join(one.categories["colour"])),
    ):
        yield Finding(
            f"the {what} is that of the training rows when the test rows are extreme",
            f"{value(first)}; on all rows it would be another one",
            f"{value(second)}; on all rows {value(leaked)}",
            value(first) == value(second) != value(leaked),
        )
    same = all(
        np.array_equal(getattr(first, name), getattr(second, name)) for name in ("medians", "mean", "scale")
    ) and all(first.categories[name].equals(second.categories[name]) for name in first.categories)
    yield Finding("all that the preparation has learnt is the same, in every bit", "yes", "yes" if same else "no", same)


def _stored_predictions(bench: Workbench) -> Iterator[Finding]:
    """What is predicted for a row does not depend on the other test rows."""
    methods = ["constant-row", "class-weight"]
    shared = ExtremeTestRows.rows // 2
    stored = []
    for extreme in (False, True):
        id_ = "extreme" if extreme else "tame"
        results = _run(
            bench,
            f"leaks-{id_}",
            methods=methods,
            datasets=[{"name": ExtremeTestRows.name, "params": {"extreme": extreme}, "id": id_}],
            draws=DRAWS,
        )
        assert results.rows is not None
        rows = [results.rows(one, id_, "full", "logistic-regression") for one in ("none", *methods)]
        stored.append(np.array([one[draw].probabilities for one in rows for draw in sorted(one)]))
    first, second = (one[:, :shared] for one in stored)
    differing = int((first != second).any(axis=-1).sum())
    later = int((stored[0][:, shared:] != stored[1][:, shared:]).any(axis=-1).sum())
    predictions = first[..., 0].size
    yield Finding(
        f"what is predicted for a test row ({', '.join(('none', *methods))}) is the same beside tame and extreme ones; "
        "for the extreme ones themselves it is something else",
        f"0 of {3 * DRAWS * shared} predictions differ; of the extreme ones some",
        f"{differing} of {predictions} differ; {later} of the extreme ones",
        differing == 0 and predictions == 3 * DRAWS * shared and later > 0,
    )
