"""What moves the decision threshold only: gains at 0.5, none at the tuned threshold.

On a set with a rare class, whose truth is known, logistic regression ranks rows as Bayes' rule does and decides too
rarely for that class at 0.5. Correcting the threshold, the prior or the weights, or copying rows, repairs this; none of
it adds anything that tuning the threshold on the training rows does not.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from ..bench.metrics import hard_metrics
from ..bench.threshold import decide, tune_offsets
from ..datasets.files import FrameDataset
from ..leaderboard.posterior import ROPE
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
COPIES = "planted-copies"
ROWS = 20_000
#: standard errors that are more than chance
ERRORS = 3.0


def check(bench: Workbench) -> Iterator[Finding]:
    """Put the claims to the test."""
    results = bench.run(
        "threshold",
        methods=[*MOVERS, COPIES],
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
            f"within ±{ROPE:g} points",
            f"[{row['low']:+.2f}, {row['high']:+.2f}]",
            bool(row["low"] > -ROPE and row["high"] < ROPE),
        )
    word = row_of(found, COPIES)["verdict"]
    yield Finding(
        "what copies under a name that is no control's gain at 0.5, a control gains, too",
        "as a control does",
        word,
        word == "as a control does",
    )
    yield from _chance(bench)


def _chance(bench: Workbench) -> Iterator[Finding]:
    """Tune the threshold where the classes are chance: whoever sees the test rows finds a good one even there."""
    rng = np.random.default_rng(0)
    y = pd.Series(np.repeat(["no", "yes"], 100), name="y")
    table = FrameDataset(pd.DataFrame(rng.normal(size=(200, 4)), columns=list("abcd")), y, "chance")
    results = bench.run("threshold-chance", own={"chance": table}, methods=[], datasets=["chance"], folds=3, draws=30)
    tuned = by_draw(results, "macro_f1_tuned")["none"]
    assert results.rows is not None
    rows = results.rows("none", "chance", "full", "logistic-regression")
    told = pd.Series({draw: _best_in_hindsight(one.y_true, one.probabilities) for draw, one in rows.items()})
    short = told - tuned
    least = ERRORS * float(short.std()) / len(short) ** 0.5
    yield Finding(
        "where the classes are chance the tuned threshold is not the one that happens to fit the test rows",
        f"below {100 * told.mean():.1f} points, to which that one comes, by more than chance ({100 * least:.1f})",
        f"{100 * tuned.mean():.1f} points",
        bool(short.mean() > least > 0),
    )


def _best_in_hindsight(y: np.ndarray, probabilities: np.ndarray) -> float:
    """Return the macro F1 of two classes at a threshold that is tuned on the very rows."""
    labels = decide(probabilities, tune_offsets(y, probabilities))
    return hard_metrics(y, labels, np.ones(2))["macro_f1"]
