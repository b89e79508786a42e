"""What moves the decision threshold only: gains at 0.5, none at the tuned threshold.

On a set with a rare class, whose truth is known, logistic regression ranks rows as Bayes' rule does and decides too
rarely for that class at 0.5. Correcting the threshold, the prior or the weights, or copying rows, repairs this; none of
it adds anything that tuning the threshold on the training rows does not.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..leaderboard.tables import compare
from .claim import Finding, by_draw, mean_near, row_of
from .gain import UNPENALISED
from .truth import rare_macro_f1
from .workbench import Workbench

#: what moves the threshold, and where to: see `rare_macro_f1`
MOVERS = {
    "random-oversampling": "balanced",
    "class-weight": "balanced",
    "prior-shift": "balanced",
    "threshold-tuned": "best",
}
ROWS = 20_000
#: points of macro F1 that matter to nobody
EQUIVALENT = 0.5


def check(bench: Workbench) -> Iterator[Finding]:
    """Put the claims to the test."""
    results = bench.run(
        "threshold",
        methods=list(MOVERS),
        datasets=[{"name": "planted-rare", "params": {"n_train": ROWS, "n_test": ROWS}}],
        classifiers=UNPENALISED,
        folds=3,
        draws=bench.often(20, 100),
        block=5,
    )
    truth = rare_macro_f1()
    usual = by_draw(results, "macro_f1")
    yield mean_near(
        "the baseline at its tuned threshold has the macro F1 of Bayes' rule at its best threshold",
        by_draw(results, "macro_f1_tuned")["none"],
        truth["best"],
    )
    for method, where in MOVERS.items():
        yield mean_near(
            f"{method} against the baseline, both at 0.5: what moving the threshold alone comes to",
            usual[method] - usual["none"],
            truth[where] - truth["half"],
        )
    tuned, found = compare(results, metric="macro_f1_tuned"), compare(results)
    for method in MOVERS:
        row = row_of(tuned, method)
        yield Finding(
            f"{method} and the baseline tie at the tuned threshold",
            f"within ±{EQUIVALENT:g} points",
            f"[{row['low']:+.2f}, {row['high']:+.2f}]",
            bool(row["low"] > -EQUIVALENT and row["high"] < EQUIVALENT),
        )
    words = sorted({row_of(found, method)["verdict"] for method in MOVERS})
    yield Finding("none of them is said to help", "another word", ", ".join(words), "helps" not in words)
