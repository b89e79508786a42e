"""A store as a large suite would leave it, without fitting anything: made-up predictions, saved by `Store.save`.

Methods, data sets, plan, keys, draws, rows to look at and what the run says of itself are real; only what a classifier
would have predicted is drawn from a random stream.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd
from augbench.bench.inspections import inspect_datasets
from augbench.bench.outcome import CellResult, DrawResult, UnitResult
from augbench.bench.plan import Plan, Unit, make_plan
from augbench.bench.prepare import PreparedDraw
from augbench.bench.report import run_info
from augbench.bench.run import environment
from augbench.bench.samples import take_sample
from augbench.bench.scenario import make_draw
from augbench.bench.store import Store
from augbench.bench.suite import Suite, validate_suite
from augbench.datasets.contract import Dataset, DatasetInfo, FiniteDataset, Table
from augbench.provenance import digest

DRAWS, BLOCK = 20, 5
CLASSIFIERS = ("logistic-regression", "one-unit-network", "mlp", "random-forest", "hist-gradient-boosting")
#: of so many units one has a classifier that failed, one failed as a whole, one warned of something
CELL_FAILS, UNIT_FAILS, WARNS = 150, 2000, 40
#: every so many methods train something
NEURAL = 10


class GaussianTable(FiniteDataset):
    """A table of Gaussian classes of different size."""

    def __init__(self, number: int) -> None:
        rng = np.random.default_rng(number)
        n_classes, n_features = int(rng.integers(2, 5)), int(rng.integers(4, 12))
        counts = [int(n) for n in rng.integers(30, 160, n_classes)]
        y = np.repeat(np.arange(n_classes), counts)
        X = rng.normal(size=(len(y), n_features)) + rng.normal(size=(n_classes, n_features))[y]
        self._table = Table(pd.DataFrame(X, columns=[f"x{i}" for i in range(n_features)]), y)
        labels = tuple(f"class {code}" for code in range(n_classes))
        name = f"set-{number:03}"
        group = ("uci", "keel", "yours")[number % 3]
        hash_ = digest(["synthetic", number])
        self._info = DatasetInfo(name, f"the table {name}", group, labels, tuple(counts), n_features, 0, hash_)

    @property
    def info(self) -> DatasetInfo:
        """Facts known without loading."""
        return self._info

    def load(self) -> Table:
        """Return all rows."""
        return self._table


def make_suite(side: int, draws: int = DRAWS, name: str = "large") -> tuple[Suite, dict[str, Dataset]]:
    """Return a suite of so many methods and so many data sets, and the data sets.

    Parameters
    ----------
    side : int
        Number of methods (20 or more, the controls among them), and of data sets.
    draws : int
        Draws of each.
    name : str
        The suite's.
    """
    own: dict[str, Dataset] = {f"set-{number:03}": GaussianTable(number) for number in range(side)}
    neural = [{"name": "vae", "id": f"vae-{i:03}", "params": {"steps": 100 * (i + 1)}} for i in range(side // NEURAL)]
    rest = side - 8 - len(neural)  # 8 controls
    smote = [{"name": "smote", "id": f"smote-{i:03}", "params": {"k_neighbors": i + 1}} for i in range(rest)]
    content = {
        "name": name,
        "description": "a synthetic store: how the leaderboard copes with many results",
        "draws": draws,
        "block": BLOCK,
        "methods": [*smote, *neural],
        "datasets": list(own),
        "classifiers": list(CLASSIFIERS),
    }
    return validate_suite(content, name), own


@dataclass
class _Rows:
    """The real rows of one data set's draws: what all methods share."""

    plan: Plan
    dataset: Dataset
    draws: dict[int, PreparedDraw] = field(default_factory=dict)

    def draw(self, unit: Unit, index: int) -> PreparedDraw:
        if index not in self.draws:
            assert isinstance(self.dataset, FiniteDataset)
            drawn = make_draw(self.dataset, self.dataset.load(), unit.scenario, index, unit.seed, unit.test_fraction)
            self.draws[index] = PreparedDraw(drawn, unit.folds)
        return self.draws[index]

    @cached_property
    def real(self) -> bytes:
        return take_sample(self.draws[0])

    @cached_property
    def generated(self) -> bytes:
        train = self.draws[0].draw.train
        return take_sample(self.draws[0], train.X, train.y)


def write_store(store: Store, side: int) -> int:
    """Fill a store; return the number of scores.

    Parameters
    ----------
    store : Store
        An empty one, open for writing.
    side : int
        See `make_suite`.
    """
    suite, own = make_suite(side)
    plan = make_plan(suite, own)
    found = inspect_datasets(plan, own, store)
    store.save_run(plan, run_info(plan, "bench run large.toml", found))
    versions = environment(plan)
    methods = list(plan.methods)
    gains = dict(zip(methods, np.random.default_rng(0).normal(0.01, 0.015, len(methods)), strict=True))
    rows: dict[str, _Rows] = {}
    for number, unit in enumerate(plan.units):
        if unit.dataset.id not in rows:
            # units come data set by data set
            rows = {unit.dataset.id: _Rows(plan, own[unit.dataset.name])}
        result = _result(unit, number, rows[unit.dataset.id], gains[unit.method.id])
        store.save(unit, result, versions)
    return int(store.connection.execute("SELECT count(*) FROM scores").fetchone()[0])


def _result(unit: Unit, number: int, rows: _Rows, gain: float) -> UnitResult:
    rng = np.random.default_rng(number)
    seconds = float(rng.gamma(2, 0.5))
    if number % UNIT_FAILS == UNIT_FAILS - 1:
        return UnitResult(unit.key, [], "RuntimeError: no rows could be made", seconds, {"method": seconds}, 300.0)
    draws = [_draw(unit, index, rows, gain, rng) for index in unit.draws]
    result = UnitResult(unit.key, draws, "", seconds, {"method": 0.9 * seconds}, 300.0)
    if number % CELL_FAILS == CELL_FAILS - 1:
        result.error = "ValueError: a class has too few rows"
        draws[0].cells[unit.classifiers[0].id] = CellResult(error=result.error)
    if number % WARNS == WARNS - 1:
        result.warnings = ["ConvergenceWarning: lbfgs failed to converge after 100 iterations"]
    return result


def _draw(unit: Unit, index: int, rows: _Rows, gain: float, rng: np.random.Generator) -> DrawResult:
    prepared = rows.draw(unit, index)
    y, n_classes = prepared.draw.test.y, len(rows.dataset.info.classes)
    none, neural = unit.method.id == "none", unit.method.name == "vae"
    n_train = len(prepared.draw.train.y)
    result = DrawResult(index, prepared.content_hash, y.astype(np.uint8), n_train, 0 if none else n_train // 2)
    result.seconds = 0.0 if none else float(rng.gamma(2, 0.05))
    result.effort = {"steps": 100.0, "epochs": 20.0, "rows": 3200.0, "networks": float(n_classes)} if neural else {}
    if index == 0:
        result.sample = rows.real if none else rows.generated
    luck = np.random.default_rng([index, len(y), n_train]).normal(0, 0.02)
    for place, entry in enumerate(unit.classifiers):
        logits = rng.normal(size=(len(y), n_classes)).astype(np.float32)
        logits[np.arange(len(y)), y] += 1.5
        odds = np.exp(logits)
        score = float(np.clip(0.65 + 0.03 * place + luck + gain + rng.normal(0, 0.02), 0, 1))
        result.cells[entry.id] = CellResult(
            {"macro_f1": score},
            logits.argmax(axis=1).astype(np.uint8),
            None,
            odds / odds.sum(axis=1, keepdims=True),
            0.02,
        )
    return result
