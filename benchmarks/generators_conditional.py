"""One model per class, or one of all rows? `python benchmarks/generators_conditional.py [--draws N] [METHOD ...]`.

Trains every generator of other packages both ways (`conditional`) on real sets whose rarest class was cut to 20 rows
(imbalance:count=20, every class brought to the size of the largest), and prints for each set the macro F1 on real test
rows, the mean of logistic regression and a random forest, without new rows ("none") and with those of either way; the
seconds of the processor that the rows took; and the share of generated rows that were kept. Then for each method the
difference per class − class column over sets and draws, paired: its mean, the 95 % t-interval over the sets' means, and
on how many sets it is above 0. A fit that ends without all its rows is counted, and scored as without new rows.

Needs the extra ``generators`` and, for the sets of PROBEN1, AUGBENCH_DATA. The three GANs take ten seconds a model:
about ten minutes with two draws; the others one minute with five.
"""

from __future__ import annotations

import argparse
import time
import warnings

import numpy as np
from augbench import datasets, methods
from augbench.bench.prepare import Part
from augbench.bench.scenario import make_draw, parse_scenario
from augbench.datasets.contract import FiniteDataset
from augbench.leaderboard.statistics import t_interval
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score

SETS = ("breast-cancer", "wine", "iris", "diabetes", "heart")
WAYS = ("per-class", "class-column")
SCENARIO = parse_scenario("imbalance:count=20")


def score(part: Part, X: np.ndarray, y: np.ndarray) -> float:
    """Return the macro F1 on the test rows, the mean of two classifiers."""
    fitted = [LogisticRegression(max_iter=2000), RandomForestClassifier(200, random_state=0)]
    test = part.encoded("test", scaled=True)
    return float(np.mean([f1_score(part.test.y, one.fit(X, y).predict(test), average="macro") for one in fitted]))


def run(name: str, way: str, part: Part, seed: int) -> tuple[float, float, float]:
    """Return macro F1, seconds of the processor, and the share of rows kept; NaN scores where rows are missing."""
    counts = np.bincount(part.train.y)
    wanted = {code: int(counts.max()) for code in range(len(counts))}
    method = methods.make(name, {"conditional": way}, sampling_strategy=wanted, random_state=seed)
    start = time.process_time()
    try:
        X, y = method.fit_resample(part.train.X, part.train.y)
    except ValueError as error:
        print(f"    {name}, {way}: {error}", flush=True)
        return np.nan, time.process_time() - start, np.nan
    seconds = time.process_time() - start
    return score(part, part.preparation.encode(X, scaled=True), y), seconds, method.effort_["yield"]


def main() -> None:
    """Print the table of each method."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("methods", nargs="*", default=methods.GROUPS["generators"])
    parser.add_argument("--draws", type=int, default=2)
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    parts: dict[str, list[Part]] = {}
    for dataset in SETS:
        made = datasets.make(dataset)
        assert isinstance(made, FiniteDataset)
        draws = [make_draw(made, made.load(), SCENARIO, i, 1, 0.3) for i in range(args.draws)]
        parts[dataset] = [Part.of(one.train, one.test) for one in draws]
    base = {
        name: [score(one, one.encoded("train", scaled=True), one.train.y) for one in some]
        for name, some in parts.items()
    }
    for name in args.methods:
        print(f"\n{name:16s} {'none':>7s}" + "".join(f"{way:>15s} {'s':>6s} {'kept':>5s}" for way in WAYS), flush=True)
        differences, failed = [], dict.fromkeys(WAYS, 0)
        for dataset in SETS:
            table = np.array([[run(name, w, one, i) for i, one in enumerate(parts[dataset])] for w in WAYS])
            missing = np.isnan(table[:, :, 0])
            for way, some in zip(WAYS, missing, strict=True):
                failed[way] += int(some.sum())
            f1 = np.where(missing, np.array(base[dataset])[None, :], table[:, :, 0])
            differences.append(float((f1[0] - f1[1]).mean()))
            kept = [np.nanmean(row) if not np.isnan(row).all() else np.nan for row in table[:, :, 2]]
            line = "".join(f"{f1[i].mean():15.3f} {table[i, :, 1].mean():6.1f} {kept[i]:5.2f}" for i in (0, 1))
            print(f"  {dataset:14s} {np.mean(base[dataset]):7.3f}{line}", flush=True)
        low, high = t_interval(differences)
        above = sum(one > 0 for one in differences)
        print(
            f"  per class − class column: {np.mean(differences):+.3f} [{low:+.3f}, {high:+.3f}], above 0 on {above} of "
            f"{len(SETS)} sets; rows missing: {failed}",
            flush=True,
        )


if __name__ == "__main__":
    main()
