"""What the published result rests on, shown by the benchmark itself (SPEC section 7)."""

import numpy as np
from augbench.bench.engine import Processes
from augbench.bench.plan import make_plan
from augbench.bench.suite import validate_suite


def test_oversampling_gives_69_7_and_a_constant_row_beats_it():
    """200 draws of the logistic simulation with 20 positives, logistic regression, in at most a minute."""
    suite = validate_suite(
        {
            "name": "claims",
            "seed": 70815,
            "draws": 200,
            "block": 10,
            "controls": False,
            "methods": ["none", "random-oversampling", "constant-row"],
            "datasets": ["logistic-simulation"],
            "classifiers": ["logistic-regression"],
            "scenarios": ["imbalance:count=20"],
            "folds": 0,
        },
        "claims",
    )
    plan = make_plan(suite)
    engine = Processes(2, {}, [])
    try:
        wanted = [unit for unit in plan.units if unit.method.id != "none"]
        results = [(unit.method.id, future.result()) for unit, future in [(u, engine.submit(u)) for u in wanted]]
    finally:
        engine.stop()
    accuracy = {}
    for method, result in results:
        assert not result.error
        for draw in result.draws:
            assert draw.n_generated == draw.n_train - 40
            accuracy.setdefault(method, {})[draw.draw] = 100 * draw.cells["logistic-regression"].scores["accuracy"]
    copies, constant = (
        np.array([accuracy[name][i] for i in range(200)]) for name in ("random-oversampling", "constant-row")
    )
    assert abs(copies.mean() - 69.7) <= 0.3
    assert 1.5 <= copies.std(ddof=1) <= 2.2
    assert (constant - copies).mean() > 2.0
    # no rule does better than the posterior
    assert constant.max() < 75.0
