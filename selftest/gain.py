"""A gain that is known: rows from the true distribution, and what theory says of logistic regression.

In the logistic simulation the truth is known: ten uniform features, and the probability of class 1 as a formula. Bayes'
rule is right in 73.67 % of the cases and nothing can be better. What logistic regression loses to it on n rows follows
from the normal distribution of its estimate (Fisher's information), with no code of the harness. Then one class is
reduced to 20 rows, and a planted oracle adds rows that it draws from the true distribution: all must be as if none had
been taken away. A random forest learns from them what no control gives it: there the leaderboard has to say so.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ..leaderboard.details import dataset_detail
from ..leaderboard.tables import compare
from .claim import Finding, by_draw, mean_near, row_of
from .truth import CEILING, expected_regret
from .workbench import Workbench

#: logistic regression by maximum likelihood, as near as the penalty lets it
UNPENALISED = [{"name": "logistic-regression", "params": {"C": 1e8}}]
#: training rows for which theory is held against what is measured
SIZES = (1000, 2000, 4000)
#: training rows that are as good as infinitely many
MANY = 200_000


def simulation(n_train: int, n_test: int = 20_000) -> dict[str, object]:
    """Return an entry of a suite: the logistic simulation with so many rows."""
    return {
        "name": "logistic-simulation",
        "id": f"logistic-{n_train}",
        "params": {"n_train": n_train, "n_test": n_test},
    }


def check(bench: Workbench) -> Iterator[Finding]:
    """Put the claims to the test."""
    yield from _theory(bench)
    yield from _oracle(bench)
    yield from _beside_controls(bench)


def _theory(bench: Workbench) -> Iterator[Finding]:
    """Hold the baseline's regret on sets of several sizes against theory."""
    draws = bench.often(100, 400)
    datasets = [simulation(n) for n in SIZES]
    results = bench.run("gain-theory", methods=[], datasets=datasets, classifiers=UNPENALISED, draws=draws, block=10)
    regrets = results.scores.groupby("dataset", observed=True)["regret_accuracy"]
    for n in SIZES:
        words = f"the regret of logistic regression on {n:,} rows is that of theory"
        yield mean_near(words, regrets.get_group(f"logistic-{n}"), expected_regret(n))
    many = bench.run(
        "gain-ceiling", methods=[], datasets=[simulation(MANY, 100_000)], classifiers=UNPENALISED, draws=20, block=1
    ).scores
    yield mean_near("the accuracy of Bayes' rule is that of the exact computation", many["bayes_accuracy"], CEILING)
    yield mean_near(f"on {MANY:,} rows logistic regression reaches it", many["accuracy"], CEILING)
    yield mean_near("but for what theory leaves", many["regret_accuracy"], expected_regret(MANY))


def _oracle(bench: Workbench) -> Iterator[Finding]:
    """Let rows from the true distribution replace those that were taken away."""
    results = bench.run(
        "gain-oracle",
        methods=["planted-oracle"],
        datasets=[simulation(2000)],
        classifiers=UNPENALISED,
        scenarios=["imbalance:count=20", "full"],
        draws=bench.often(50, 200),
        block=5,
    )
    few, full = (
        by_draw(replace(results, scores=results.scores[results.scores["scenario"] == name]), "accuracy")
        for name in ("imbalance:count=20", "full")
    )
    lost = (full["none"] - few["none"]).mean()
    claim = f"taking rows away costs {100 * lost:.1f} points; of it rows from the true distribution leave"
    yield mean_near(claim, full["none"] - few["planted-oracle"], 0.0)
    row = row_of(compare(results, scenario="imbalance:count=20"), "planted-oracle")
    yield Finding(
        "and the leaderboard's interval says so",
        "above 0 points of macro F1",
        f"[{row['low']:.1f}, {row['high']:.1f}]",
        bool(row["low"] > 0),
    )


def _beside_controls(bench: Workbench) -> Iterator[Finding]:
    """Let rows from the true distribution compete with every control."""
    results = bench.run(
        "gain-controls",
        methods=["planted-oracle"],
        controls=True,
        datasets=[simulation(1000, 4000)],
        classifiers=[{"name": "random-forest", "params": {"n_estimators": 25}}],
        scenarios=["imbalance:count=20"],
        folds=3,
        draws=10,
        block=5,
    )
    row = row_of(compare(results), "planted-oracle")
    yield Finding(
        "what the leaderboard says of them beside all controls", "helps", row["verdict"], row["verdict"] == "helps"
    )
    table = dataset_detail(results, "logistic-1000").table
    marked = ", ".join(table.loc[table["not_above"], "method"]) or "none"
    yield Finding(
        "and its page of the data set marks no method as no better than a control", "none", marked, marked == "none"
    )
