"""Leak canaries: methods that look for test rows gain nothing and are reported, and no preparation learns from them.

Each planted method is run twice: left alone, to show that it finds what it looks for and what that would be worth, and
with the guard of every run and the audit of `bench run --audit`, without which a method is not caught that finds rows
in what it remembers, on the call stack, in a cache or among the other tables of its call.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

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
SIZES = {"n_train": 300, "n_test": 100}

#: planted methods -> where they look for test rows
CANARIES = {
    "planted-searches-memory": "searches all objects in memory",
    "planted-reads-cache": "takes the rows that the harness keeps",
    "planted-walks-frames": "walks up the call stack",
    "planted-reads-file": "reads the data file",
    "planted-reads-by-process": "has another program read the data file",
    "planted-reads-by-link": "gives the data file a second name and reads that",
    "planted-looks-aside": "takes rows of the other draws of its call",
    "planted-remembers": "remembers rows of earlier draws",
    "planted-keeps-file": "keeps rows of earlier draws in a file",
    "planted-adjusts-by-frames": "finds the classes of test rows up the call stack, when it adjusts probabilities",
}
FROM_FILE = ("planted-reads-file", "planted-reads-by-process", "planted-reads-by-link")
BY_NAME = "planted-loads-by-name"
BEHIND = "planted-looks-behind"
HONEST = ["planted-copies", BEHIND, "smote", "jitter", "class-weight"]
#: further ones, which take longer
NETWORKS = ["vae", "cvae", "autoencoder"]


def check(bench: Workbench) -> Iterator[Finding]:
    """Put the claims to the test."""
    yield from _canaries(bench)
    yield from _by_name(bench)
    yield from _preparation()
    yield from _predictions(bench)


def _canaries(bench: Workbench) -> Iterator[Finding]:
    """Plant methods on a table whose splits are redrawn."""
    table = FileDataset(_write_table(bench.folder), "y")
    params: dict[str, Any] = {name: {"steps": 100} for name in NETWORKS}
    params |= {name: {"path": str(table.path)} for name in FROM_FILE}
    params["planted-keeps-file"] = {"path": str(bench.folder / "kept.csv")}
    honest = HONEST + (NETWORKS if bench.full else [])
    methods = [{"name": name, "id": name, "params": params.get(name, {})} for name in [*CANARIES, *honest]]
    grid = {"datasets": [TABLE], "classifiers": [FOREST], "draws": DRAWS, "block": DRAWS // 2}
    own = {TABLE: table}
    with switched_off():
        alone = _run(bench, "leaks-alone", own=own, methods=methods[: len(CANARIES)], **grid)
    watched = _run(bench, "leaks", own=own, methods=methods, audit=True, **grid)
    for name, words in CANARIES.items():
        yield from judged(name, words, alone, watched)
    scores = watched.scores[watched.scores["method"].isin(honest)]
    scored = set(scores.loc[scores["status"] == "ok", "method"])
    accused = set(scores.loc[scores["status"] == "failed", "method"])
    yield Finding(
        f"no honest method is accused ({', '.join(sorted(scored | accused))})",
        "none",
        ", ".join(sorted(accused)) or "none",
        set(HONEST) <= scored and not accused,
    )
    behind = scores[scores["method"] == BEHIND]
    yield Finding(
        "a method that looks for gaps in row labels, and in memory behind the table that it is given, finds no row",
        "0 rows",
        f"{behind['rows_seen'].sum():g} rows in {len(behind)} draws",
        len(behind) == DRAWS and bool((behind["rows_seen"] == 0).all()),
    )


def _write_table(folder: Path) -> Path:
    """Write a table whose classes overlap, as a file; return its path."""
    rng = np.random.default_rng(9)
    y = rng.permutation(np.repeat([0, 1], [160, 80]))
    path = folder / f"{TABLE}.csv"
    rows = rng.normal(size=(len(y), 5)) + 0.4 * y[:, None]
    pd.DataFrame(rows, columns=list("abcde")).assign(y=y).to_csv(path, index=False)
    return path


def _by_name(bench: Workbench) -> Iterator[Finding]:
    """Plant a method on a simulated data set, of which there is no file."""
    methods = [{"name": BY_NAME, "id": BY_NAME, "params": {**SIZES, "draws": DRAWS}}]
    grid = {
        "datasets": [{"name": "logistic-simulation", "params": SIZES}],
        "classifiers": [FOREST],
        "draws": DRAWS,
        "scenarios": ["imbalance:count=20"],
    }
    with switched_off():
        alone = _run(bench, "leaks-by-name-alone", methods=methods, **grid)
    words = "makes the draws of a simulated data set itself, by its name"
    yield from judged(BY_NAME, words, alone, _run(bench, "leaks-by-name", methods=methods, **grid))


def _run(bench: Workbench, name: str, **settings: Any) -> Results:
    # in this process, where the guard can be switched off
    return bench.run(name, plugins=[PLUGIN], jobs=1, **settings)


def judged(method: str, words: str, alone: Results, watched: Results) -> Iterator[Finding]:
    """Yield what a planted method gains when it is left alone, and what becomes of it when it is watched."""
    delta = _delta(alone, method)
    yield Finding(
        f"a method that {words} would gain by it, were it left alone",
        f"at least {WORTH:g} points",
        f"{delta:+.1f} points",
        delta >= WORTH,
    )
    delta = _delta(watched, method)
    rows = watched.scores[watched.scores["method"] == method]
    failed = rows["status"] == "failed"
    why = "".join(f" ({reason})" for reason in rows.loc[failed, "error"].unique()[:1])
    yield Finding(
        "it is reported, and gains nothing",
        f"failed in {DRAWS} of {DRAWS} draws, difference to the baseline 0",
        f"failed in {failed.sum()} of {len(rows)} draws{why}, difference {delta:g}",
        bool(failed.all()) and len(rows) == DRAWS and delta == 0,
    )


def _delta(results: Results, method: str) -> float:
    table = compare(results).table.set_index("method")
    return float(table["delta"][method])


def _preparation() -> Iterator[Finding]:
    """Fit scaling, imputation and encoding beside tame and beside extreme test rows."""
    tame, extreme = (ExtremeTestRows(one).sample(np.random.default_rng(0), 0) for one in (False, True))
    first, second = (Part.of(one.train, one.test).preparation for one in (tame, extreme))
    leaked = Preparation.fit(pd.concat([extreme.train.X, extreme.test.X], ignore_index=True))
    for what, of in (
        ("value that fills a gap", lambda one: f"{one.medians[1]:.4g}"),
        ("scale of a column", lambda one: f"{one.scale[0]:.4g}"),
        ("set of known categories", lambda one: ", ".join(one.categories["colour"])),
    ):
        yield Finding(
            f"the {what} is the same beside extreme test rows as beside tame ones",
            f"{of(first)}; fitted on all rows it would be another",
            f"{of(second)}; fitted on all rows {of(leaked)}",
            of(first) == of(second) != of(leaked),
        )


def _predictions(bench: Workbench) -> Iterator[Finding]:
    """Predict the same rows beside tame and beside extreme ones."""
    methods = ["none", "constant-row", "class-weight"]
    stored = []
    for extreme in (False, True):
        id_ = f"extreme={extreme}"
        datasets = [{"name": ExtremeTestRows.name, "params": {"extreme": extreme}, "id": id_}]
        results = _run(bench, f"leaks-{id_}", methods=methods, datasets=datasets, draws=DRAWS)
        assert results.rows is not None
        rows = [results.rows(one, id_, "full", "logistic-regression") for one in methods]
        stored.append([one[draw].probabilities for one in rows for draw in range(DRAWS)])
    differs = (np.array(stored[0]) != np.array(stored[1])).any(axis=-1)
    shared, others = np.split(differs, 2, axis=1)
    yield Finding(
        f"what is predicted for a row ({', '.join(methods)}) does not depend on the test rows beside it",
        f"0 of {shared.size} predictions differ; of those for the extreme rows themselves all",
        f"{shared.sum()} of {shared.size} differ; {others.sum()} of {others.size}",
        not shared.any() and bool(others.all()),
    )
