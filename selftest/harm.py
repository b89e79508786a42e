"""Harm that is known: wrong labels among the training rows, and rows of the wrong class among those that are added.

Of the training rows a share has the label of the other class; or the oracle adds rows of which a share comes from it.
What logistic regression tends to on such rows, and how often it is wrong on sound ones, is computed from the formula of
the simulation, with no code of the harness.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..leaderboard.posterior import ROPE
from ..leaderboard.tables import compare
from .claim import Finding, by_draw, mean_near, row_of
from .gain import UNPENALISED, simulation
from .truth import CEILING, accuracy_with_flipped_labels, accuracy_with_wrong_rows
from .workbench import Workbench

#: shares of the added rows that are of the other class
WRONG = (0.25, 0.5, 0.75)
#: rows of the reduced class that are left: few, so that what is learned is learned from the added ones
COUNT = 20
ROWS = 20_000


#: shares of the training rows that have the other label, and how many rows there are
FLIPPED = (0.1, 0.25, 0.4)
FEW_ROWS = 2000


def check(bench: Workbench) -> Iterator[Finding]:
    """Put the claims to the test."""
    yield from _flipped_labels(bench)
    yield from _wrong_rows(bench)


def _flipped_labels(bench: Workbench) -> Iterator[Finding]:
    """Learn from wrong labels."""
    sizes = {"n_train": FEW_ROWS, "n_test": ROWS}
    datasets = [
        {"name": "planted-noisy", "id": f"flipped-{share:g}", "params": {**sizes, "flipped": share}}
        for share in FLIPPED
    ]
    draws = bench.often(50, 200)
    results = bench.run("harm-flipped", methods=[], datasets=datasets, classifiers=UNPENALISED, draws=draws, block=10)
    regrets = results.scores.groupby("dataset", observed=True)["regret_accuracy"]
    for share in FLIPPED:
        yield mean_near(
            f"{100 * share:.0f} % wrong labels on {FEW_ROWS:,} training rows cost, in accuracy, what was computed",
            regrets.get_group(f"flipped-{share:g}"),
            CEILING - accuracy_with_flipped_labels(share, FEW_ROWS),
        )


def _wrong_rows(bench: Workbench) -> Iterator[Finding]:
    """Add rows of the wrong class."""
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
        yield Finding(
            f"what the leaderboard says of {100 * share:.0f} % wrong rows beside 0 %", expected, word, word == expected
        )
