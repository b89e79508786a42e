"""Fit classifiers one by one and as stacks, and print the seconds side by side.

    python benchmarks/stacked_classifiers.py [logistic-regression mlp one-unit-network]

One thread. R training sets of n rows and 10 columns, two classes; the best of some repetitions. "before" is what was
used before there were stacks (scikit-learn's), "loop" our code fitted to one set after the other, "stack" one call of
`fit_stack` that may put all of them together (`STACK_CELLS` without limit), "chosen" the same with the limit as it is.
The constants `STACK_CELLS` in bench/logistic.py and bench/networks.py come from here.
"""

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from augbench.bench import logistic, networks
from augbench.bench.stacking import TrainingSet
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from threadpoolctl import threadpool_limits

ROWS = (50, 200, 1000, 5000, 20000)
REPLICATES = (5, 20, 50)
COLUMNS = 10
#: seconds after which a size is not measured again
LONG = 1.0


def training_sets(n: int, n_sets: int) -> list[TrainingSet]:
    """Return sets of n rows of two overlapping classes."""
    rng = np.random.default_rng(0)
    y = np.arange(n) % 2
    return [TrainingSet(rng.normal(size=(n, COLUMNS)) + 0.3 * y[:, None], y) for _ in range(n_sets)]


def seconds(work: Callable[[], object]) -> float:
    """Return the shortest time of up to five calls."""
    best = np.inf
    for _ in range(5):
        start = time.perf_counter()
        work()
        took = time.perf_counter() - start
        best = min(best, took)
        if took > LONG:
            break
    return best


def measured(cls: Any, module: Any, sets: list[TrainingSet], cells: float) -> float:
    """Return the seconds of `fit_stack` with a limit of cells for one stack."""
    seeded = {} if cls is logistic.PenalisedLogisticRegression else {"random_state": 0}
    limit, module.STACK_CELLS = module.STACK_CELLS, cells
    try:
        return seconds(lambda: cls.fit_stack([cls(**seeded) for _ in sets], sets))
    finally:
        module.STACK_CELLS = limit


def before(name: str, sets: list[TrainingSet]) -> float:
    """Return the seconds of the classifier that was used before, from the first three sets; NaN if there was none."""
    if name == "logistic-regression":
        old: Any = LogisticRegression(solver="newton-cholesky", max_iter=5000)
    elif name == "mlp":
        old = MLPClassifier((32,), learning_rate_init=0.005, tol=1e-3, n_iter_no_change=5, random_state=0)
    else:
        return np.nan
    return seconds(lambda: [old.fit(one.X, one.y) for one in sets[:3]]) * len(sets) / 3


def main(names: list[str]) -> None:
    """Print one line for each classifier, n and R."""
    known: dict[str, tuple[Any, Any]] = {
        "logistic-regression": (logistic.PenalisedLogisticRegression, logistic),
        "mlp": (networks.MLP, networks),
        "one-unit-network": (networks.OneUnitNetwork, networks),
    }
    print(
        f"{'classifier':20} {'n':>6} {'R':>3}  before    loop   stack  chosen  loop/stack  loop/chosen  before/chosen"
    )
    for name in names or known:
        cls, module = known[name]
        for n in ROWS:
            for n_sets in REPLICATES:
                if n * n_sets > (100_000 if name == "mlp" else 1_000_000):
                    continue
                sets = training_sets(n, n_sets)
                loop, stack, chosen = (measured(cls, module, sets, c) for c in (0, np.inf, module.STACK_CELLS))
                was = before(name, sets)
                print(
                    f"{name:20} {n:6} {n_sets:3} {was:7.3f} {loop:7.3f} {stack:7.3f} {chosen:7.3f}"
                    f" {loop / stack:11.1f} {loop / chosen:11.1f} {was / chosen:13.1f}",
                    flush=True,
                )


if __name__ == "__main__":
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        main(sys.argv[1:])
