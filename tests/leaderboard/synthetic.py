"""A realistic made-up run: what a leaderboard has to cope with, without running a model."""

from __future__ import annotations

import numpy as np
import pandas as pd
from augbench.leaderboard import Results

METHODS = [
    ("none", "baseline", "control", "control", "the training rows as they are"),
    ("random-oversampling", "augmenter", "control", "control", "copies of minority rows"),
    ("jitter", "augmenter", "control", "control", "copies plus Gaussian noise"),
    ("constant-row", "augmenter", "control", "control", "every new row is the midpoint of the ranges"),
    ("uniform-noise", "augmenter", "control", "control", "new rows uniform in the ranges"),
    ("class-weight", "adjuster", "control", "control", "balanced class weights"),
    ("prior-shift", "adjuster", "control", "control", "probabilities corrected for the prior"),
    ("threshold-tuned", "adjuster", "control", "control", "decision tuned by cross-validation"),
    ("smote", "augmenter", "", "neighbour", "interpolation between neighbours"),
    ("borderline-smote", "augmenter", "", "neighbour", "SMOTE at the border of the classes"),
    ("svm-smote", "augmenter", "", "neighbour", "SMOTE at the support vectors"),
    ("kmeans-smote", "augmenter", "", "neighbour", "SMOTE within clusters"),
    ("adasyn", "augmenter", "", "neighbour", "more rows where it is hard"),
    ("vae", "augmenter", "", "VAE", "one VAE per class"),
]
GAINS = [0, 2.0, 2.1, 1.6, -1.5, 2.2, 1.7, 2.6, 2.6, 3.4, 2.2, 1.9, 2.4, 0.3]
SETS = ["breast_cancer", "card", "diabetes", "digits", "glass", "iris", "simulated-logistic", "wine"]
CLASSES = [2, 2, 2, 10, 6, 3, 2, 3]


def results(
    n_datasets: int = 8, n_draws: int = 5, seed: int = 1, failures: bool = True, spread: float = 1.2
) -> Results:
    """Build the run: 14 methods, up to 8 data sets, 2 scenarios, 3 classifiers, some failed and not applicable."""
    rng = np.random.default_rng(seed)
    rows = []
    for d, dataset in enumerate(SETS[:n_datasets]):
        level = rng.uniform(0.55, 0.85)
        for scenario in ("full", "few-shot-20"):
            for c, classifier in enumerate(("logistic", "random-forest", "hist-gradient-boosting")):
                for draw in range(n_draws):
                    luck = level - 0.1 * (scenario != "full") + 0.02 * c + rng.normal(0, 0.02)
                    for (method, *_), gain in zip(METHODS, GAINS, strict=True):
                        score = np.clip(luck + gain / 100 + rng.normal(0, spread / 100), 0, 1)
                        rows.append(_row(method, dataset, scenario, classifier, draw, score, CLASSES[d], rng))
    scores = pd.DataFrame(rows)
    if failures:
        _break(scores)
    methods = pd.DataFrame(METHODS, columns=["method", "kind", "role", "family", "description"])
    datasets = pd.DataFrame(
        {
            "dataset": SETS[:n_datasets],
            "group": ["bundled", "proben1", "proben1", "bundled", "proben1", "bundled", "simulated", "bundled"][
                :n_datasets
            ],
            "description": [f"the {name} data" for name in SETS[:n_datasets]],
            "classes": [[f"class {i}" for i in range(k)] for k in CLASSES[:n_datasets]],
            "n_rows": [569, 690, 768, 1797, 214, 150, 80000, 178][:n_datasets],
            "n_features": [30, 15, 8, 64, 9, 4, 10, 13][:n_datasets],
            "fresh": [name.startswith("simulated") for name in SETS[:n_datasets]],
        }
    )
    run = {
        "suite": "quick",
        "description": "every control and the neighbour family on small tables",
        "seed": 0,
        "draws": n_draws,
        "started": "2026-11-21T09:30:00+00:00",
        "seconds": 214.3,
        "jobs": 2,
        "versions": {"augbench": "0.1.0", "numpy": "2.4.1", "scikit-learn": "1.9.0", "imbalanced-learn": "0.14.0"},
        "python": "3.11.9",
        "platform": "Linux x86_64",
        "command": "bench run quick",
        "units_done": 1120,
        "units_failed": 12,
    }
    return Results(scores, methods, datasets, run)


def _row(
    method: str, dataset: str, scenario: str, classifier: str, draw: int, score: float, k: int, rng: np.random.Generator
) -> dict[str, object]:
    row: dict[str, object] = {
        "method": method,
        "dataset": dataset,
        "scenario": scenario,
        "classifier": classifier,
        "draw": draw,
        "status": "ok",
        "error": "",
        "n_train": 400 if scenario == "full" else 40,
        "n_generated": 100,
        "n_test": 130,
        "seconds": float(rng.gamma(2, 0.01)),
        "fit_seconds": 0.02,
        "macro_f1": score,
        "weighted_f1": min(1.0, score + 0.05),
        "accuracy": min(1.0, score + 0.06),
        "recall_minority": max(0.0, score - 0.15),
        "recall_majority": min(1.0, score + 0.08),
        "macro_f1_tuned": float(np.clip(score + rng.normal(0, 0.01), 0, 1)) if method != "prior-shift" else score,
        "auroc": min(1.0, score + 0.1),
        "bayes_macro_f1": 0.737 if dataset.startswith("simulated") else np.nan,
        "bayes_accuracy": 0.737 if dataset.startswith("simulated") else np.nan,
        "regret_macro_f1": max(0.0, 0.737 - score) if dataset.startswith("simulated") else np.nan,
    }
    return row | {
        f"recall_{i}": float(np.clip(score + rng.normal(0, 0.08), 0, 1)) if i < k else np.nan for i in range(10)
    }


def _break(scores: pd.DataFrame) -> None:
    """Let some methods fail, some not apply, and one not be run on some data sets."""
    metrics = scores.columns[scores.columns.get_loc("macro_f1") :]

    def set_state(rows: pd.Series, status: str, error: str) -> None:
        scores.loc[rows, "status"] = status
        scores.loc[rows, "error"] = error
        scores.loc[rows, metrics] = np.nan

    method, dataset = scores["method"], scores["dataset"]
    set_state(
        (method == "kmeans-smote") & (dataset == "glass"), "failed", "RuntimeError: No clusters found with <10> samples"
    )
    set_state(
        (method == "svm-smote") & (dataset == "iris") & (scores["draw"] < 2),
        "failed",
        "ValueError: n_neighbors > n_samples",
    )
    set_state(
        (method == "adasyn") & dataset.isin(["digits", "glass"]),
        "not applicable",
        "needs 6 rows in every class, found 3",
    )
    set_state((method == "vae") & (dataset == "wine"), "not run", "")


def grid(n_methods: int, n_datasets: int, n_draws: int = 3, classifiers: tuple[str, ...] = ("a", "b", "c")) -> Results:
    """Build a large run without failures: `none`, copies and other methods, data sets of two groups, two scenarios."""
    names = ["none", "random-oversampling", *(f"method-{i:03}" for i in range(2, n_methods))]
    sets = [f"set-{i:03}" for i in range(n_datasets)]
    keys = pd.MultiIndex.from_product(
        [sets, ("full", "few-shot"), classifiers, range(n_draws), names],
        names=["dataset", "scenario", "classifier", "draw", "method"],
    )
    scores = keys.to_frame(index=False)
    rng = np.random.default_rng(4)
    gains = np.linspace(0, 0.05, n_methods)[pd.Categorical(scores["method"], names).codes]
    for metric in ("macro_f1", "weighted_f1", "recall_minority", "recall_majority", "auroc", "macro_f1_tuned"):
        scores[metric] = np.clip(0.7 + gains + rng.normal(0, 0.03, len(scores)), 0, 1)
    scores["n_train"], scores["n_test"], scores["seconds"] = 200, 100, 0.02
    groups = ["uci" if i % 2 else "keel" for i in range(n_datasets)]
    return Results(
        scores,
        pd.DataFrame({"method": names, "family": ["control"] * 2 + ["neighbour"] * (n_methods - 2)}),
        pd.DataFrame({"dataset": sets, "group": groups}),
        {"suite": "grid", "draws": n_draws},
    )
