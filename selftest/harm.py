"""Harm that is known: rows of the wrong class among those that are added.

The oracle adds rows of which a share comes from the other class. What logistic regression tends to on such rows, and
how often it is wrong on sound ones, is computed from the formula of the simulation, with no code of the harness.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..leaderboard.posterior import ROPE
from ..leaderboard.tables import compare
from .claim import Finding, by_draw, mean_near, row_of
from .gain import UNPENALISED, simulation
from .truth import CEILING, accuracy_with_wrong_rows
from .workbench import Workbench

#: shares of the added rows that are of the other class
WRONG = (0.25, 0.5, 0.75)
#: rows of the reduced class that are left: few, so that what is learned is learned from the added ones
COUNT = 20
ROWS = 20_000


def check(bench: Workbench) -> Iterator[Finding]:
    """Put the claims to the test."""
    results = bench.run(
        "harm",
        methods=[
            {"name": "planted-oracle", "id": f"wrong-{share:g}", "params": {"wrong": share}} for share in (0.0, *WRONG)
        ],
        datasets=[simulation(ROWS)],
        classifiers=UNPENALISED,
        scenarios=[f"imbalance:count={COUNT}"],
        draws=bench.often(20, 100),
        block=5,
    )
    regrets = by_draw(results, "regret_accuracy")
    # of the rows labelled 1 a few are the real ones
    costs = {share: CEILING - accuracy_with_wrong_rows(share * (1 - 2 * COUNT / ROWS), ROWS) for share in WRONG}
    for share, cost in costs.items():
        yield mean_near(
            f"{100 * share:.0f} % of the added rows from the other class cost, in accuracy, what was computed",
            regrets[f"wrong-{share:g}"],
            cost,
        )
    found = compare(results, baseline="wrong-0")
    for share, cost in costs.items():
        # with as many rows of either class, what is lost in accuracy is about what is lost in macro F1
        expected = "harms" if cost > ROPE / 100 else "equivalent"
        word = row_of(found, f"wrong-{share:g}")["verdict"]
        yield Finding(f"what the leaderboard says of {100 * share:.0f} % beside none", expected, word, word == expected)
