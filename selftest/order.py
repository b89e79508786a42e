"""What stands where decides nothing: methods, data sets, classifiers, blocks, workers; nor columns and rows of a table.

Of the first ones not a bit of any score may change. The columns and rows of one's own table are part of its content,
from which seeds and splits are derived, so that another order of them is another set of draws: means over draws may
differ by what draws differ by. With splits and seeds held fixed, another order of the columns is the same arithmetic in
another order, up to rounding.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from ..datasets.contract import DatasetInfo
from ..datasets.files import FrameDataset
from ..leaderboard.results import KEYS, metric_columns
from .claim import Finding
from .workbench import Workbench

SUITE: dict[str, Any] = {
    "methods": ["random-oversampling", "smote", "threshold-tuned"],
    "datasets": [{"name": "simulated-mixed", "params": {"n_train": 300, "n_test": 200}}, "breast-cancer"],
    "classifiers": ["logistic-regression", "mlp", {"name": "random-forest", "params": {"n_estimators": 10}}],
    "scenarios": ["imbalance:count=10", "few-shot:shots=8"],
    "draws": 3,
    "block": 2,
    "folds": 2,
}
#: standard errors by which two means over draws may differ
ERRORS = 3.0
#: what the same sums in another order may change of a log-loss: some digits more than a double has
ROUNDING = 1e-9


def check(bench: Workbench) -> Iterator[Finding]:
    """Put the claims to the test."""
    yield from _grid(bench)
    yield from _own_table(bench)


def _grid(bench: Workbench) -> Iterator[Finding]:
    """Permute what a suite lists, and who computes it."""
    reference = _scores(bench, "order", jobs=1)
    # the others in worker processes: this one keeps the draws that it has made
    turned = {name: SUITE[name][::-1] for name in ("methods", "datasets", "classifiers", "scenarios")}
    others: dict[str, dict[str, Any]] = {
        "two worker processes instead of this one": {},
        "methods in reverse order, and one of them left out": {"methods": turned["methods"][:-1]},
        "data sets, scenarios and classifiers in reverse order": {
            key: turned[key] for key in ("datasets", "scenarios", "classifiers")
        },
        "draws computed one by one, not in blocks of two": {"block": 1},
    }
    for number, (words, changes) in enumerate(others.items()):
        scores = _scores(bench, f"order-{number}", jobs=2, **changes)
        asked = ["none", *(SUITE | changes)["methods"]]
        expected = reference[reference.index.isin(asked, level="method")]
        # a score that is missing in one of them only differs
        same, there = expected.reindex_like(scores) == scores, expected.notna().to_numpy().sum()
        yield Finding(
            f"{words}: every score the same, in every bit",
            f"{there} scores, 0 differ",
            f"{scores.notna().to_numpy().sum()} scores, {there - same.to_numpy().sum()} differ",
            bool(same.to_numpy().sum() == there == scores.notna().to_numpy().sum() > 0),
        )


def _scores(bench: Workbench, name: str, *, jobs: int, **changes: Any) -> pd.DataFrame:
    """Return every score of the suite, ordered by what it is of."""
    scores = bench.run(name, jobs=jobs, **(SUITE | changes)).scores
    return scores.set_index(list(KEYS))[sorted(metric_columns(scores))].sort_index()


class SameDraws(FrameDataset):
    """A table that is split, and seeded, as another one is that has as many rows.

    Parameters
    ----------
    X, y, name
        As of `FrameDataset`.
    content_hash : str
        Of the other one.
    """

    def __init__(self, X: pd.DataFrame, y: pd.Series, name: str, content_hash: str) -> None:
        super().__init__(X, y, name)
        self._hash = content_hash

    @property
    def info(self) -> DatasetInfo:
        """Its facts, but for the hash."""
        return replace(super().info, content_hash=self._hash)


def _table() -> tuple[pd.DataFrame, pd.Series]:
    """Return a table with numbers and categories, and two classes of different sizes that overlap."""
    rng = np.random.default_rng(0)
    y = pd.Series(np.repeat(["no", "yes"], [150, 50]), name="y")
    shift = (y == "yes").to_numpy()
    X = pd.DataFrame(rng.normal(size=(200, 4)) + 0.7 * shift[:, None], columns=list("abcd"))
    X["colour"] = pd.Categorical(np.where(rng.random(200) < 0.3 + 0.4 * shift, "red", "blue"))
    return X, y


def _own_table(bench: Workbench) -> Iterator[Finding]:
    """Permute the columns and the rows of a table."""
    X, y = _table()
    turned = X[X.columns[::-1]]
    shuffled = np.random.default_rng(1).permutation(len(X))
    plain = FrameDataset(X, y, "as-it-is")
    own = {
        "as-it-is": plain,
        "columns": FrameDataset(turned, y, "columns"),
        "rows": FrameDataset(X.iloc[shuffled].reset_index(drop=True), y.iloc[shuffled].reset_index(drop=True), "rows"),
    }
    draws = bench.often(30, 200)
    settings: dict[str, Any] = {"methods": ["random-oversampling"], "draws": draws, "jobs": 1}
    scores = bench.run("order-table", own=own, datasets=list(own), **settings).scores
    scores = scores.set_index(["dataset", "method", "draw"])
    by_method = {name: scores.loc[name].pivot_table(index="method", columns="draw", values="macro_f1") for name in own}
    first = by_method["as-it-is"]
    for name in ("columns", "rows"):
        other = by_method[name]
        difference = other.mean(axis=1) - first.mean(axis=1)
        error = ((other.var(axis=1) + first.var(axis=1)) / draws) ** 0.5
        worst = float((difference / error).abs().max())
        yield Finding(
            f"{name} of one's own table in another order are other draws: the mean macro F1 of {len(error)} methods "
            f"over {draws} draws is the same up to chance",
            f"at most {ERRORS:g} standard errors apart",
            f"{worst:.1f} ({100 * difference.abs().max():.2f} points)",
            worst <= ERRORS and not other.equals(first),
        )
    same = {"same-draws": SameDraws(turned, y, "same-draws", plain.info.content_hash)}
    exact = bench.run("order-columns", own=same, datasets=list(same), **settings).scores.set_index(["method", "draw"])
    expected = scores.loc["as-it-is"].reindex(exact.index)
    differing = int((exact["macro_f1"] != expected["macro_f1"]).sum())
    loss = float((exact["log_loss"] - expected["log_loss"]).abs().max())
    yield Finding(
        "columns in another order, the splits and seeds held fixed: the baseline and copies decide the same",
        f"0 of {len(exact)} macro F1 differ, log-losses by less than {ROUNDING:g}",
        f"{differing} differ, log-losses by {loss:.1g}",
        differing == 0 and loss < ROUNDING,
    )
