"""The loop that a user writes today: pipelines of imbalanced-learn through `cross_val_score`. See users_loop.py.

    python benchmarks/imblearn_loop.py DRAWS.npz SAMPLER... [--classifiers NAME...] [--folds 0] [--epochs 300]

It knows nothing of augbench: its time and memory are those of scikit-learn, imbalanced-learn and ctgan. DRAWS.npz has,
for each data set, ``NAME.X`` and ``NAME.y``, the training and test rows of all draws one below the other, and
``NAME.sizes``, a row for each draw: its numbers of training and test rows. For every sampler, data set and classifier
the draws are the splits of one `cross_val_score`, by macro F1; with folds, each draw's training rows are also
cross-validated among themselves. What a sampler took is printed as JSON.
"""

from __future__ import annotations

import argparse
import json
import resource
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from imblearn.base import BaseSampler
from imblearn.over_sampling import ADASYN, SMOTE, SVMSMOTE, BorderlineSMOTE, KMeansSMOTE, RandomOverSampler
from imblearn.pipeline import Pipeline
from sklearn.base import clone
from sklearn.cluster import MiniBatchKMeans
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler


class TVAESampler(BaseSampler):
    """A ctgan.TVAE, all settings but the epochs the package's own, for each class that gets rows, of that class's rows.

    Parameters
    ----------
    epochs : int, default=300
        The package's default.
    sampling_strategy
        As in imbalanced-learn.

    Attributes
    ----------
    spent : list of tuple
        Of all objects of the class: seconds and gradient steps of each call.
    """

    _sampling_type = "over-sampling"
    _parameter_constraints: ClassVar[dict[str, Any]] = {}
    spent: ClassVar[list[tuple[float, int]]] = []

    def __init__(self, epochs: int = 300, sampling_strategy: Any = "auto") -> None:
        super().__init__(sampling_strategy=sampling_strategy)
        self.epochs = epochs

    def _fit_resample(self, X: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        # torch is loaded where it is used, so that the other samplers do not pay for it
        from ctgan import TVAE

        start, steps = time.perf_counter(), 0
        rows, labels = [X], [y]
        for label, count in self.sampling_strategy_.items():
            if count:
                model = TVAE(epochs=self.epochs, enable_gpu=False)
                model.fit(X[y == label])
                rows.append(model.sample(count))
                labels.append(np.full(count, label))
                steps += len(model.loss_values)
        self.spent.append((time.perf_counter() - start, steps))
        return np.vstack(rows), np.concatenate(labels)


#: with the libraries' defaults; that of KMeansSMOTE for the threshold, half, is one that no cluster of a rare class has
SAMPLERS: dict[str, Callable[[], Any]] = {
    "none": lambda: "passthrough",
    "random-oversampling": lambda: RandomOverSampler(random_state=0),
    "smote": lambda: SMOTE(random_state=0),
    "borderline-smote": lambda: BorderlineSMOTE(random_state=0),
    "svm-smote": lambda: SVMSMOTE(random_state=0),
    "adasyn": lambda: ADASYN(random_state=0),
    "kmeans-smote": lambda: KMeansSMOTE(
        kmeans_estimator=MiniBatchKMeans(6, n_init=3, random_state=0), cluster_balance_threshold=0.05, random_state=0
    ),
    "tvae": TVAESampler,
}
#: with the settings that augbench's classifiers of these names have
CLASSIFIERS: dict[str, Any] = {
    "logistic-regression": LogisticRegression(max_iter=5000),
    "mlp": MLPClassifier((32,), learning_rate_init=0.005, tol=1e-3, n_iter_no_change=5, random_state=0),
    "random-forest": RandomForestClassifier(random_state=0),
}
#: X, y and the splits of a data set
Draws = tuple[np.ndarray, np.ndarray, list[tuple[np.ndarray, np.ndarray]]]


def read_draws(path: Path) -> dict[str, Draws]:
    """Return the data sets of a file, each draw as a split."""
    with np.load(path) as file:
        stored = dict(file)
    sets: dict[str, Draws] = {}
    for name in dict.fromkeys(key.rpartition(".")[0] for key in stored):
        splits, first = [], 0
        for n_train, n_test in stored[f"{name}.sizes"].tolist():
            middle, end = first + n_train, first + n_train + n_test
            splits.append((np.arange(first, middle), np.arange(middle, end)))
            first = end
        sets[name] = (stored[f"{name}.X"], stored[f"{name}.y"], splits)
    return sets


def score(sampler: str, classifier: str, draws: Draws, folds: int, epochs: int) -> np.ndarray:
    """Return macro F1 on the test rows of each draw, NaN where a fit failed."""
    X, y, splits = draws
    chosen = SAMPLERS[sampler]()
    if isinstance(chosen, TVAESampler):
        chosen.set_params(epochs=epochs)
    steps = [("scale", StandardScaler()), ("sample", chosen), ("classify", clone(CLASSIFIERS[classifier]))]
    pipeline = Pipeline(steps)
    for train, _ in splits if folds else []:
        cv = StratifiedKFold(folds, shuffle=True, random_state=0)
        cross_val_score(pipeline, X[train], y[train], cv=cv, scoring="f1_macro")
    return cross_val_score(pipeline, X, y, cv=splits, scoring="f1_macro")


def loop(
    samplers: list[str], classifiers: list[str], sets: dict[str, Draws], folds: int, epochs: int
) -> dict[str, Any]:
    """Return what all cells of some samplers took, and how good they were; the keys are those of users_loop.Cost."""
    spent = TVAESampler.spent
    spent.clear()
    scores: dict[str, list[np.ndarray]] = {sampler: [] for sampler in samplers}
    once, start, processor = 0.0, time.perf_counter(), time.process_time()
    for sampler in samplers:
        for draws in sets.values():
            for classifier in classifiers:
                before = len(spent)
                scores[sampler].append(score(sampler, classifier, draws, folds, epochs))
                if classifier == classifiers[0]:
                    once += sum(seconds for seconds, _ in spent[before:])
    seconds, processor = time.perf_counter() - start, time.process_time() - processor
    pooled = {sampler: np.concatenate(some) for sampler, some in scores.items()}
    return {
        "seconds": seconds,
        "processor": processor,
        "rows_seconds": sum(one for one, _ in spent),
        "rows_seconds_once": once,
        "steps": sum(steps for _, steps in spent),
        "macro_f1": {sampler: float(np.nanmean(some)) for sampler, some in pooled.items()},
        "cells": sum(len(some) for some in pooled.values()),
        "failed": sum(int(np.isnan(some).sum()) for some in pooled.values()),
    }


def resident() -> float:
    """Return the highest resident memory of this process so far, MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Run the loop and print what it took."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("draws", type=Path)
    parser.add_argument("samplers", nargs="+", choices=SAMPLERS)
    parser.add_argument("--classifiers", nargs="+", choices=CLASSIFIERS, default=list(CLASSIFIERS))
    parser.add_argument("--folds", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=300)
    asked = parser.parse_args()
    warnings.simplefilter("ignore")
    sets = read_draws(asked.draws)
    name, (X, y, splits) = next(iter(sets.items()))
    # what is imported or set up at the first use
    loop(asked.samplers, asked.classifiers, {name: (X, y, splits[:1])}, 0, 1)
    idle = resident()
    found = loop(asked.samplers, asked.classifiers, sets, asked.folds, asked.epochs)
    print(json.dumps(found | {"peak": resident(), "idle": idle}))


if __name__ == "__main__":
    main()
