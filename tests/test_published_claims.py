"""What the published result rests on, shown by the benchmark itself (SPEC section 7)."""

import numpy as np
import pandas as pd
from augbench.bench.classifiers import OneUnitNetwork
from augbench.bench.engine import Processes
from augbench.bench.plan import make_plan
from augbench.bench.suite import validate_suite
from augbench.datasets.simulated import LogisticSimulation
from augbench.methods import PredictiveVAEPublished


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
    # three standard errors of the difference between two means of 200 draws, deviation 1.84; the draws are others
    # whenever the code of the simulation is
    assert abs(copies.mean() - 69.7) <= 0.55
    assert 1.5 <= copies.std(ddof=1) <= 2.2
    assert (constant - copies).mean() > 2.0
    # no rule does better than the posterior
    assert constant.max() < 75.0


def _gains(n_draws, scale, with_constant):
    """Return points of accuracy over copies, per paired draw: of the published method untrained, of a constant row.

    The published set-up: 20 rows of class 1 kept and copied up to their first number; 0.6 of all rows generated as
    class 1, as many copies of class 0; a one-unit network trained for 7 epochs on the 176,000 rows.
    """
    sim = LogisticSimulation()
    gains = []
    for draw in range(n_draws):
        rng = np.random.default_rng([1932, draw])
        data = sim.sample(rng, draw)
        X, y = scale * data.train.X.to_numpy(), data.train.y
        zeros, ones = X[y == 0], int(np.count_nonzero(y))
        kept = rng.permutation(X[y == 1])[:20]
        copies = kept[rng.integers(20, size=ones)]
        new = round(0.6 * len(y))
        method = PredictiveVAEPublished(
            preset="untrained", random_state=draw, sampling_strategy={0: len(zeros) + new, 1: ones + new}
        )
        rows, labels = method.fit_resample(pd.DataFrame(np.vstack([zeros, kept])), np.repeat([0, 1], [len(zeros), 20]))
        training = {
            "copies": (np.vstack([zeros, copies]), np.repeat([0, 1], [len(zeros), ones])),
            "published": (rows.to_numpy(), labels),
        }
        if with_constant:
            more = zeros[rng.integers(len(zeros), size=new)]
            constant = np.full((new, 10), 0.5 * scale)
            training["constant"] = (
                np.vstack([zeros, more, copies, constant]),
                np.repeat([0, 1], [len(zeros) + new, ones + new]),
            )
        accuracy = {}
        for name, (rows, labels) in training.items():
            network = OneUnitNetwork(random_state=draw).fit(rows, labels)
            accuracy[name] = 100 * (network.predict(scale * data.test.X.to_numpy()) == data.test.y).mean()
        gains.append([value - accuracy["copies"] for value in accuracy.values()][1:])
    return np.array(gains)


def test_the_published_predictive_vae_gains_untrained_and_a_constant_row_gains_as_much():
    """40 paired draws; with the features halved the same method loses: it is where 0.5 lies that decides.

    SPEC section 7 says +1.9 ± 0.5, about -4, and +2.3 to +2.8 for the constant row. Two other seeds with 100 draws each
    gave +2.26 and +2.31 (standard error 0.17), and +2.53 and +2.59 for the constant row.
    """
    gains = _gains(40, 1.0, with_constant=True)
    published, constant = gains.mean(axis=0)
    error = gains[:, 0].std(ddof=1) / np.sqrt(len(gains))
    assert error < 0.25
    assert 1.4 - 2 * error <= published <= 2.4 + 2 * error
    assert constant >= published
    assert 2.2 <= constant <= 2.9
    assert -5 < _gains(12, 0.5, with_constant=False).mean() < -3
