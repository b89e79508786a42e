"""What moves the decision threshold only: gains at 0.5, none at the tuned threshold.

With one class reduced, a model that ranks rows as Bayes' rule does decides too rarely for that class at 0.5. Correcting
the threshold, the prior or the weights, or copying rows, repairs this; none of it adds anything that tuning the
threshold on the training rows does not.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..leaderboard.tables import compare
from .claim import Finding, mean_near
from .gain import simulation
from .truth import macro_f1_at_best_threshold
from .workbench import Workbench

MOVERS = ("random-oversampling", "class-weight", "prior-shift", "threshold-tuned")
#: enough rows of the reduced class for its direction to be learned, and few against the 10,000 of the other one
ROWS, COUNT = 20_000, 1000
#: what the threshold at 0.5 costs at least, in points of macro F1
COSTS = 5.0
#: points of macro F1 that matter to nobody
EQUIVALENT = 0.5


def check(bench: Workbench) -> Iterator[Finding]:
    """Put the claims to the test."""
    results = bench.run(
        "threshold",
        methods=list(MOVERS),
        datasets=[simulation(ROWS)],
        scenarios=[f"imbalance:count={COUNT}"],
        folds=3,
        draws=bench.often(30, 100),
        block=5,
    )
    scores = results.scores
    yield mean_near(
        "the baseline at its tuned threshold has the macro F1 of Bayes' rule at the threshold that is best for such rows",
        scores.loc[scores["method"] == "none", "macro_f1_tuned"],
        macro_f1_at_best_threshold(COUNT / (ROWS / 2)),
    )
    usual = compare(results).table.set_index("method")
    tuned = compare(results, metric="macro_f1_tuned").table.set_index("method")
    for method in MOVERS:
        gain = usual.loc[method, "delta"]
        yield Finding(
            f"{method} gains at the threshold of 0.5", f"more than {COSTS:g} points", f"{gain:+.1f}", bool(gain > COSTS)
        )
        low, high = tuned.loc[method, ["low", "high"]]
        yield Finding(
            f"{method} and the baseline tie at the tuned threshold",
            f"within ±{EQUIVALENT:g} points",
            f"[{low:+.2f}, {high:+.2f}]",
            bool(low > -EQUIVALENT and high < EQUIVALENT),
        )
    words = usual["verdict"]
    yield Finding(
        "none of them is said to help",
        "another word",
        ", ".join(sorted(set(words[list(MOVERS)]))),
        "helps" not in set(words[list(MOVERS)]),
    )
