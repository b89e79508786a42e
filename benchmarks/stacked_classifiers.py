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


def before(name: str) -> Any:
    """Return the classifier that was used before, or None."""
    if name == "logistic-regression":
        return LogisticRegression(solver="newton-cholesky", max_iter=5000)
    if name == "mlp":
        return MLPClassifier((32,), learning_rate_init=0.005, tol=1e-3, n_iter_no_change=5, random_state=0)
    return None


def main(names: list[str]) -> None:
    """Print one line for each classifier, n and R."""
    known: dict[str, tuple[Any, Any]] = {
        "logistic-regression": (logistic.PenalisedLogisticRegression, logistic),
        "mlp": (networks.MLP, networks),
        "one-unit-network": (networks.OneUnitNetwork, networks),
    }
    print(f"{'classifier':20} {'n':>6} {'R':>3}  before    loop   stack  chosen   stack ×  chosen ×  chosen × before")
    for name in names or known:
        cls, module = known[name]
        limit = module.STACK_CELLS
        seeded = {} if name == "logistic-regression" else {"random_state": 0}
        for n in ROWS:
            if name == "mlp" and n > 5000:
                continue
            for n_sets in REPLICATES if n < 5000 else REPLICATES[:2]:
                sets = training_sets(n, n_sets)

                def stacked(cells: float, sets: list[TrainingSet] = sets) -> float:
                    module.STACK_CELLS = cells
                    try:
                        return seconds(lambda: cls.fit_stack([cls(**seeded) for _ in sets], sets))
                    finally:
                        module.STACK_CELLS = limit

                loop, stack, chosen = stacked(0), stacked(np.inf), stacked(limit)
                old = before(name)
                was = np.nan
                if old is not None:
                    some = sets[:3]
                    was = seconds(lambda: [old.fit(one.X, one.y) for one in some]) * n_sets / len(some)
                print(
                    f"{name:20} {n:6} {n_sets:3} {was:7.3f} {loop:7.3f} {stack:7.3f} {chosen:7.3f}"
                    f" {loop / stack:9.1f} {loop / chosen:9.1f} {was / chosen:16.1f}",
                    flush=True,
                )


if __name__ == "__main__":
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        main(sys.argv[1:])
