"""Measure how often each test of the leaderboard is wrong where nothing differs, and how often each interval covers.

    python benchmarks/null_simulation.py [SHARE] > benchmarks/null_simulation.txt

`SHARE` of the repetitions, 1 unless told (some minutes on one core). Each line is a case: the rate, its Monte Carlo
error, and what is wanted: 3 to 7 % false positives at .05, or 93 to 97 % coverage. Where theory says that a rate is
elsewhere the line says so beforehand, by another wanted range and a reason: nothing is tuned until it fits.

The cases with classifiers draw tables from two Gaussian classes. Two methods are truly equal where one sees one half of
the columns and the other the other half, and both halves have the same distribution ("halves": given a table they
differ, over tables they do not), or where they differ by nothing but a seed ("seeds": not even given a table).
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from augbench.leaderboard import compare
from augbench.leaderboard import statistics as st
from augbench.leaderboard.bootstrap import COUNT_METRICS, RowBootstrap, two_way_test
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.naive_bayes import GaussianNB
from sklearn.tree import DecisionTreeClassifier

#: false positives at .05, coverage of 95 %, an error rate that is only bounded
RATE, COVERAGE, BOUND = (0.03, 0.07), (0.93, 0.97), (0.0, 0.06)
#: columns of each half of a table
HALF = 6
MACRO_F1 = COUNT_METRICS["macro_f1"]


@dataclass(frozen=True)
class Case:
    """One line: `simulate` returns what is counted, once per repetition."""

    name: str
    simulate: Callable[[np.random.Generator], float]
    wanted: tuple[float, float] = RATE
    runs: int = 4000
    note: str = ""

    def rate(self, runs: int, seed: int = 0) -> float:
        """Return the mean over so many repetitions."""
        rng = np.random.default_rng([seed, *self.name.encode()])
        return float(np.mean([self.simulate(rng) for _ in range(runs)]))


def covers(low: float, high: float, truth: float = 0.0) -> bool:
    """Say whether an interval holds the truth."""
    return bool(low <= truth <= high)


# -- over data sets ----------------------------------------------------------------------------------------------------


def wilcoxon(n: int, kind: str = "normal") -> Callable[[np.random.Generator], float]:
    """Signed-rank test on n independent mean differences, symmetric around 0."""
    return lambda rng: st.wilcoxon_signed_rank(differences(rng, n, kind), decimals=12) <= 0.05


def differences(rng: np.random.Generator, size: int | tuple[int, ...], kind: str = "normal") -> np.ndarray:
    """Draw differences with expectation 0: normal, heavy-tailed, or skewed (a few data sets gain much)."""
    if kind == "heavy":
        return rng.standard_t(3, size)
    return rng.exponential(size=size) - 1 if kind == "skewed" else rng.normal(size=size)


def wilcoxon_size(n: int) -> float:
    """Return the exact rate of the signed-rank test: the largest p of at most .05 that it can reach."""
    weights = np.ones(1)
    for rank in range(1, n + 1):
        weights = np.convolve(weights, np.concatenate([[1], np.zeros(rank - 1), [1]])) / 2
    return float(max([p for p in 2 * np.cumsum(weights) if p <= 0.05], default=0.0))


def t_interval(n: int, kind: str = "normal") -> Callable[[np.random.Generator], float]:
    """t-interval over n data sets."""
    return lambda rng: covers(*st.t_interval(differences(rng, n, kind)))


def signed_rank_interval(n: int) -> Callable[[np.random.Generator], float]:
    """Hodges and Lehmann's interval, which the resolution is made from."""
    return lambda rng: covers(*st.signed_rank_interval(differences(rng, n)))


def friedman(n: int, k: int, iman: bool = True) -> Callable[[np.random.Generator], float]:
    """Omnibus test over n data sets and k equal methods."""

    def simulate(rng: np.random.Generator) -> float:
        found = st.friedman(rng.normal(size=(n, k)))
        return (found.f_p if iman else found.chi2_p) <= 0.05

    return simulate


def nemenyi(n: int, k: int) -> Callable[[np.random.Generator], float]:
    """Any pair outside the critical difference, all methods equal."""

    def simulate(rng: np.random.Generator) -> float:
        found = st.critical_difference(pd.DataFrame(rng.normal(size=(n, k))))
        return len(found.groups) != 1 or len(found.groups[0]) != k

    return simulate


def holm_family(n: int, k: int) -> Callable[[np.random.Generator], float]:
    """Any of k equal methods significant against one baseline after Holm's correction."""

    def simulate(rng: np.random.Generator) -> float:
        gains = (rng.normal(size=(n, k)) - rng.normal(size=(n, 1))) / 100
        return st.holm([st.wilcoxon_signed_rank(one) for one in gains.T]).min() <= 0.05

    return simulate


def all_pairs(n: int, k: int) -> Callable[[np.random.Generator], float]:
    """Any pair of k equal methods separated in the win matrix."""
    return lambda rng: st.win_matrix(pd.DataFrame(rng.normal(size=(n, k)) / 100)).n_separated > 0


def rank_interval(n: int, gaps: tuple[float, ...]) -> Callable[[np.random.Generator], float]:
    """Share of mean-rank intervals that hold the expected rank, methods this far apart (0: all equal)."""
    levels = np.asarray(gaps)
    from scipy.stats import norm

    beaten = norm.cdf((levels[None, :] - levels[:, None]) / np.sqrt(2))
    truth = 1 + beaten.sum(axis=1) - 0.5

    def simulate(rng: np.random.Generator) -> float:
        ranks = st.average_ranks(rng.normal(size=(n, len(levels))) + levels)
        low, high = st.rank_intervals(ranks, samples=1000).T
        return float(np.mean((low <= truth) & (truth <= high)))

    return simulate


def signed_rank_posterior(n: int, rope: float) -> Callable[[np.random.Generator], float]:
    """Bayesian signed-rank test sure of a difference (one probability above 95 %) where there is none."""

    def simulate(rng: np.random.Generator) -> float:
        found = st.bayesian_signed_rank(rng.normal(size=n), rope, samples=2000)
        return max(found.better, found.worse) > 0.95

    return simulate


def conjunction(n: int, real: int) -> Callable[[np.random.Generator], float]:
    """Partial conjunction counts more data sets than the `real` ones that have a large effect, each with a t-test."""

    def simulate(rng: np.random.Generator) -> float:
        draws = rng.normal(size=(n, 8))
        draws[:real] += 5
        return st.partial_conjunction_count([st.paired_t(one).p for one in draws]) > real

    return simulate


def whole_table(n: int, k: int) -> Callable[[np.random.Generator], float]:
    """Any verdict but "no difference shown" in a leaderboard of k equal methods, effects that differ by data set."""
    names = ["none", "random-oversampling", *(f"m{i}" for i in range(k - 2))]

    def simulate(rng: np.random.Generator) -> float:
        scores = 0.5 + rng.normal(0, 0.02, (n, 1, k)) + rng.normal(0, 0.01, (n, 2, k))
        index = pd.MultiIndex.from_product([range(n), range(2), names], names=["dataset", "draw", "method"])
        table = compare(pd.DataFrame({"macro_f1": scores.ravel()}, index=index).reset_index()).table
        return not set(table["verdict"]) <= {"baseline", "no difference shown", "too few data sets"}

    return simulate


# -- on one data set ---------------------------------------------------------------------------------------------------


def classes(rng: np.random.Generator, n: int, minority: float, shift: float = 0.5) -> tuple[np.ndarray, np.ndarray]:
    """Draw a table of two Gaussian classes; both halves of the columns have the same distribution."""
    y = (np.arange(n) < round(n * minority)).astype(int)
    return rng.normal(size=(n, 2 * HALF)) + shift * y[:, None], y


def macro_f1(y: np.ndarray, labels: np.ndarray) -> float:
    """Return macro F1 of two classes (scikit-learn's takes longer than the fit)."""
    f1 = [2 * np.sum((y == c) & (labels == c)) / max(1, np.sum(y == c) + np.sum(labels == c)) for c in (0, 1)]
    return float(np.mean(f1))


def fitted(model: str, seed: int) -> LinearDiscriminantAnalysis | GaussianNB | DecisionTreeClassifier:
    """Return a classifier."""
    if model == "tree":
        return DecisionTreeClassifier(min_samples_leaf=5, max_features=2, random_state=seed)
    return GaussianNB() if model == "bayes" else LinearDiscriminantAnalysis(solver="lsqr", shrinkage=0.1)


def predictions(
    rng: np.random.Generator, train: tuple[np.ndarray, np.ndarray], X: np.ndarray, equal: str, model: str
) -> tuple[np.ndarray, np.ndarray]:
    """Return what two equal methods predict, see above."""
    columns = (slice(0, HALF), slice(HALF, None)) if equal == "halves" else (slice(None), slice(None))
    seeds = rng.integers(2**31, size=2)
    first, second = (
        fitted(model, int(seed)).fit(train[0][:, own], train[1]).predict(X[:, own])
        for own, seed in zip(columns, seeds, strict=True)
    )
    return first, second


def resampled_t(n: int, draws: int, equal: str, model: str, corrected: bool = True) -> Callable:
    """t-test over repeated stratified splits of one table, a quarter to test on; macro F1."""

    def simulate(rng: np.random.Generator) -> float:
        X, y = classes(rng, n, 0.25)
        found = []
        for _ in range(draws):
            test = np.concatenate([rng.permutation(np.flatnonzero(y == c))[: (y == c).sum() // 4] for c in (0, 1)])
            train = np.setdiff1d(np.arange(n), test)
            both = predictions(rng, (X[train], y[train]), X[test], equal, model)
            found.append(np.subtract(*(macro_f1(y[test], one) for one in both)))
        return (st.corrected_resampled_t(found, 1 / 3) if corrected else st.paired_t(found)).p <= 0.05

    return simulate


def fresh_t(draws: int) -> Callable[[np.random.Generator], float]:
    """Paired t over draws that are fresh tables, real classifiers."""

    def simulate(rng: np.random.Generator) -> float:
        found = []
        for _ in range(draws):
            X, y = classes(rng, 160, 0.25)
            order = rng.permutation(160)
            train, test = order[:120], order[120:]
            both = predictions(rng, (X[train], y[train]), X[test], "halves", "bayes")
            found.append(np.subtract(*(macro_f1(y[test], one) for one in both)))
        return st.paired_t(found).p <= 0.05

    return simulate


def few_shot(
    rng: np.random.Generator, draws: int, rows: int, minority: float, equal: str, model: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """One test set; in each draw five rows of each class to train on: true classes, and what both methods predict."""
    X, y = classes(rng, rows, minority)
    both = []
    for _ in range(draws):
        train = classes(rng, 10, 0.5)
        both.append(predictions(rng, train, X, equal, model))
    return y, np.array([one for one, _ in both]), np.array([two for _, two in both])


def two_way(draws: int, rows: int, minority: float, equal: str = "halves", model: str = "bayes") -> Callable:
    """Two-way bootstrap: draws and rows both new, macro F1."""

    def simulate(rng: np.random.Generator) -> float:
        y, one, two = few_shot(rng, draws, rows, minority, equal, model)
        return st.two_way_bootstrap(y, one, two, samples=400).p <= 0.05

    return simulate


def two_way_percentiles(
    draws: int, rows: int, minority: float, equal: str = "halves", model: str = "bayes"
) -> Callable:
    """Percentiles of resampling draws and rows at once, which the leaderboard does not use."""

    def simulate(rng: np.random.Generator) -> float:
        y, one, two = few_shot(rng, draws, rows, minority, equal, model)
        bootstrap = RowBootstrap(y, 2, 400)
        resampled = bootstrap.scores(one, MACRO_F1)[1] - bootstrap.scores(two, MACRO_F1)[1]
        weights = rng.multinomial(draws, np.full(draws, 1 / draws), size=400)
        return not covers(*np.quantile((weights * resampled).sum(axis=1) / draws, [0.025, 0.975]))

    return simulate


def plain_t_on_fixed_rows(draws: int, rows: int, minority: float) -> Callable:
    """Paired t over draws, read as if it were about new test rows too."""

    def simulate(rng: np.random.Generator) -> float:
        y, one, two = few_shot(rng, draws, rows, minority, "halves", "bayes")
        found = [macro_f1(y, a) - macro_f1(y, b) for a, b in zip(one, two, strict=True)]
        return st.paired_t(found).p <= 0.05

    return simulate


def components(draws: int, rows: int, draw: float, row: float, both: float) -> Callable[[np.random.Generator], float]:
    """Two-way interval of a plain mean with known variances: of draws, of rows, of their combination."""

    def simulate(rng: np.random.Generator) -> float:
        table = rng.normal(0, draw, (draws, 1)) + rng.normal(0, row, rows) + rng.normal(0, both, (draws, rows))
        weights = rng.multinomial(rows, np.full(rows, 1 / rows), size=300) / rows
        found = two_way_test(table.mean(axis=1), weights @ table.T)
        return covers(found.low, found.high)

    return simulate


def cases() -> Iterator[tuple[str, list[Case]]]:
    """Return all cases, by section."""
    conservative = "discrete: the exact rate is {:.4f}, no test on ranks can do better"
    yield (
        "Wilcoxon signed-rank over D data sets",
        [
            Case(
                f"D = {n}",
                wilcoxon(n),
                (wilcoxon_size(n) - 0.01, wilcoxon_size(n) + 0.01),
                note=conservative.format(wilcoxon_size(n)),
            )
            for n in (5, 6, 7, 8, 9, 10, 14, 30)
        ]
        + [
            Case("D = 14, heavy tails (t with 3 df)", wilcoxon(14, "heavy")),
            Case("D = 14, skewed", wilcoxon(14, "skewed"), (0.03, 0.12), note="tests symmetry around 0, not the mean"),
        ],
    )
    yield (
        "t-interval over D data sets: coverage",
        [Case(f"D = {n}", t_interval(n), COVERAGE) for n in (3, 5, 8, 14, 30)]
        + [
            Case("D = 14, heavy tails (t with 3 df)", t_interval(14, "heavy"), COVERAGE),
            Case("D = 14, skewed", t_interval(14, "skewed"), (0.88, 0.97), note="skewness 2: known to be short"),
        ],
    )
    yield (
        "Hodges–Lehmann interval, coverage",
        [Case(f"D = {n}", signed_rank_interval(n), (0.94, 0.975)) for n in (8, 14, 30)],
    )
    yield (
        "Omnibus",
        [
            Case("Iman–Davenport, k = 5, D = 6", friedman(6, 5)),
            Case("Iman–Davenport, k = 5, D = 14", friedman(14, 5)),
            Case("Iman–Davenport, k = 20, D = 30", friedman(30, 20)),
            Case("Friedman's chi-square, k = 5, D = 6 (not used for the verdict)", friedman(6, 5, False), (0, 0.07)),
        ],
    )
    yield (
        "Families: any false positive",
        [
            Case("Holm, 10 methods against one, D = 14", holm_family(14, 10), BOUND, 2000, "at most .05"),
            Case("Holm, 10 methods against one, D = 30", holm_family(30, 10), BOUND, 2000, "at most .05"),
            Case("win matrix, all pairs of 6, D = 14", all_pairs(14, 6), BOUND, 1000, "at most .05"),
            Case("win matrix, all pairs of 6, D = 30", all_pairs(30, 6), BOUND, 1000, "at most .05"),
            Case("Nemenyi's critical difference, k = 4, D = 14", nemenyi(14, 4)),
            Case("Nemenyi's critical difference, k = 10, D = 14", nemenyi(14, 10)),
            Case("any verdict of a leaderboard of 8, D = 14", whole_table(14, 8), BOUND, 250, "at most .05"),
            Case("partial conjunction, 0 of 3 real", conjunction(3, 0), BOUND, note="Bonferroni: at most .05"),
            Case("partial conjunction, 1 of 4 real", conjunction(4, 1), BOUND, note="Bonferroni: at most .05"),
        ],
    )
    yield (
        "Bootstrap intervals of mean ranks: coverage",
        [Case(f"6 equal methods, D = {n}", rank_interval(n, (0.0,) * 6), COVERAGE, 1500) for n in (5, 8, 14, 30)]
        + [
            Case(
                f"6 methods half a deviation apart, D = {n}", rank_interval(n, (0, 0.5, 1, 1.5, 2, 2.5)), COVERAGE, 1500
            )
            for n in (8, 14, 30)
        ],
    )
    yield (
        "Bayesian signed-rank: sure (> 95 %) of a difference that is not there",
        [
            Case(
                "D = 14, no region", signed_rank_posterior(14, 0.0), (0, 0.12), 600, "two-sided 10 % is its own reading"
            ),
            Case("D = 14, region of half a deviation", signed_rank_posterior(14, 0.5), BOUND, 600),
        ],
    )
    yield (
        "One table, 10 splits, corrected resampled t (Nadeau–Bengio), real classifiers",
        [
            Case("halves, linear discriminant, 200 rows", resampled_t(200, 10, "halves", "lda"), runs=1000),
            Case("halves, linear discriminant, 600 rows", resampled_t(600, 10, "halves", "lda"), runs=800),
            Case("halves, naive Bayes, 200 rows", resampled_t(200, 10, "halves", "bayes"), runs=800),
            Case("halves, tree, 200 rows", resampled_t(200, 10, "halves", "tree"), runs=800),
            Case(
                "seeds, tree, 200 rows",
                resampled_t(200, 10, "seeds", "tree"),
                (0, 0.03),
                800,
                "draws hardly correlated there: the correction is too much",
            ),
            Case(
                "halves, linear discriminant, 200 rows, without correction",
                resampled_t(200, 10, "halves", "lda", False),
                (0.2, 1),
                600,
                "why it is needed",
            ),
        ],
    )
    yield (
        "Fresh tables, paired t over draws, real classifiers",
        [Case(f"J = {n}", fresh_t(n), runs=1200) for n in (3, 5, 10)],
    )
    yield (
        "One fixed test set, two-way bootstrap, few-shot classifiers",
        [
            Case("J = 5, 100 rows, half of them rare", two_way(5, 100, 0.5), runs=1500),
            Case("J = 5, 300 rows, 60 rare", two_way(5, 300, 0.2), runs=1500),
            Case("J = 10, 300 rows, 30 rare", two_way(10, 300, 0.1), runs=1000),
            Case("J = 20, 300 rows, 30 rare", two_way(20, 300, 0.1), runs=600),
            Case("J = 10, 60 rows, 6 rare", two_way(10, 60, 0.1), runs=1500),
            Case("J = 10, 1000 rows, 50 rare", two_way(10, 1000, 0.05), runs=400),
            Case("seeds, tree, J = 10, 300 rows", two_way(10, 300, 0.2, "seeds", "tree"), runs=800),
            Case(
                "percentiles of both at once, J = 5, 300 rows (not used)",
                two_way_percentiles(5, 300, 0.2),
                (0, 0.2),
                800,
                "draws are too few for percentiles",
            ),
            Case(
                "percentiles of both at once, seeds, tree, J = 10 (not used)",
                two_way_percentiles(10, 300, 0.2, "seeds", "tree"),
                (0, 0.2),
                800,
                "counts the combined chance three times",
            ),
            Case(
                "paired t over draws, J = 20, 300 rows, 30 rare",
                plain_t_on_fixed_rows(20, 300, 0.1),
                (0, 0.5),
                600,
                "why it is not used for labels: it is about these rows alone",
            ),
        ],
    )
    yield (
        "The same on a plain mean with known variances: coverage",
        [
            Case("J = 5, draws dominate", components(5, 200, 1, 1, 1), COVERAGE, 3000),
            Case("J = 10, rows dominate", components(10, 100, 0.02, 1, 0.5), COVERAGE, 3000),
            Case("J = 10, both matter", components(10, 100, 0.3, 1, 1), COVERAGE, 3000),
            Case(
                "J = 10, only the combination",
                components(10, 100, 0, 0, 1),
                (0.93, 1),
                3000,
                "a covariance below 0 is taken as 0",
            ),
        ],
    )


def main() -> None:
    """Print every case."""
    share = float(sys.argv[1]) if len(sys.argv) > 1 else 1.0
    start, outside = time.perf_counter(), 0
    for section, found in cases():
        print(f"\n{section}")
        for case in found:
            runs = max(20, round(case.runs * share))
            rate = case.rate(runs)
            error = 1.96 * np.sqrt(max(rate * (1 - rate), 1e-4) / runs)
            low, high = case.wanted
            good = low - error <= rate <= high + error if share < 1 else low <= rate <= high
            outside += not good
            mark = "ok     " if good else "OUTSIDE"
            print(f"  {mark} {case.name:66} {rate:.4f} ± {error:.4f}  wanted {low:.3f} to {high:.3f}  {case.note}")
            sys.stdout.flush()
    print(f"\n{outside} cases outside; {time.perf_counter() - start:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
