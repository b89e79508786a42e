"""Where nothing differs: one repetition of each simulation in `null_simulation`, as a function of a generator.

The tables with classifiers are two Gaussian classes. Two methods are truly equal where one sees one half of the columns
and the other the other half, and both halves have the same distribution ("halves": given a table they differ, over
tables they do not), or where they differ by nothing but a seed ("seeds": not even given a table).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from augbench.leaderboard import compare
from augbench.leaderboard import statistics as st
from augbench.leaderboard.bootstrap import COUNT_METRICS, RowBootstrap, two_way_test
from augbench.leaderboard.t_tests import combined_t
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.naive_bayes import GaussianNB
from sklearn.tree import DecisionTreeClassifier

#: columns of each half of a table
HALF = 6
MACRO_F1 = COUNT_METRICS["macro_f1"]


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
    """Any verdict of a difference in a leaderboard of k equal methods, effects that differ by data set."""
    names = ["none", "random-oversampling", *(f"m{i}" for i in range(k - 2))]

    def simulate(rng: np.random.Generator) -> float:
        scores = 0.5 + rng.normal(0, 0.02, (n, 1, k)) + rng.normal(0, 0.01, (n, 2, k))
        index = pd.MultiIndex.from_product([range(n), range(2), names], names=["dataset", "draw", "method"])
        table = compare(pd.DataFrame({"macro_f1": scores.ravel()}, index=index).reset_index()).table
        return not set(table["verdict"]) <= {"baseline", "equivalent", "no difference shown", "too few data sets"}

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


def split_differences(rng: np.random.Generator, table: tuple, draws: int, equal: str, model: str) -> list[float]:
    """Return differences in macro F1 over repeated stratified splits of one table, a quarter to test on."""
    X, y = table
    found = []
    for _ in range(draws):
        test = np.concatenate([rng.permutation(np.flatnonzero(y == c))[: (y == c).sum() // 4] for c in (0, 1)])
        train = np.setdiff1d(np.arange(len(y)), test)
        both = predictions(rng, (X[train], y[train]), X[test], equal, model)
        found.append(macro_f1(y[test], both[0]) - macro_f1(y[test], both[1]))
    return found


def resampled_t(n: int, draws: int, equal: str, model: str, corrected: bool = True) -> Callable:
    """t-test over repeated stratified splits of one table, a quarter to test on; macro F1."""

    def simulate(rng: np.random.Generator) -> float:
        found = split_differences(rng, classes(rng, n, 0.25), draws, equal, model)
        return (st.corrected_resampled_t(found, 1 / 3) if corrected else st.paired_t(found)).p <= 0.05

    return simulate


def mixed(n: int, draws: int, few_shot_cells: int, equal: str, model: str) -> Callable:
    """Combine repeated splits of one table with few-shot draws that are tested on a fixed half of its rows.

    The few-shot cells (5, 10, … rows of each class) share the test rows and the pool that their training rows are from.
    """

    def simulate(rng: np.random.Generator) -> float:
        X, y = classes(rng, n, 0.25)
        found = [st.corrected_resampled_t(split_differences(rng, (X, y), draws, equal, model), 1 / 3)]
        own = [rng.permutation(np.flatnonzero(y == c)) for c in (0, 1)]
        test = np.concatenate([rows[: len(rows) // 2] for rows in own])
        rows, scores, resampled = RowBootstrap(y[test], 2, 400), [], []
        for cell in range(few_shot_cells):
            chosen = [
                np.concatenate([rng.permutation(r[len(r) // 2 :])[: 5 * 2**cell] for r in own]) for _ in range(draws)
            ]
            both = [predictions(rng, (X[train], y[train]), X[test], equal, model) for train in chosen]
            one, two = (rows.scores(np.array(labels), MACRO_F1) for labels in zip(*both, strict=True))
            scores.append(one[0] - two[0])
            resampled.append(one[1] - two[1])
        found.append(two_way_test(np.mean(scores, axis=0), np.mean(resampled, axis=0)))
        return combined_t(found, [1, few_shot_cells]).p <= 0.05

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
            found.append(macro_f1(y[test], both[0]) - macro_f1(y[test], both[1]))
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


def auroc_on_fixed_rows(draws: int, rows: int, minority: float, reference: int = 300) -> Callable:
    """Paired t over draws on fixed rows, AUROC: coverage of the expected difference on these very rows.

    That expectation is the mean over so many draws more.
    """
    from scipy.stats import rankdata

    def simulate(rng: np.random.Generator) -> float:
        X, y = classes(rng, rows, minority)
        n_rare = y.sum()

        def difference() -> float:
            few, labels = classes(rng, 10, 0.5)
            sums = []
            for own in (slice(0, HALF), slice(HALF, None)):
                model = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=0.1).fit(few[:, own], labels)
                sums.append(rankdata(model.decision_function(X[:, own]))[y == 1].sum())
            return float(sums[0] - sums[1]) / (n_rare * (rows - n_rare))

        found = st.paired_t([difference() for _ in range(draws)])
        return covers(found.low, found.high, float(np.mean([difference() for _ in range(reference)])))

    return simulate


def components(draws: int, rows: int, draw: float, row: float, both: float) -> Callable[[np.random.Generator], float]:
    """Two-way interval of a plain mean with known variances: of draws, of rows, of their combination."""

    def simulate(rng: np.random.Generator) -> float:
        table = rng.normal(0, draw, (draws, 1)) + rng.normal(0, row, rows) + rng.normal(0, both, (draws, rows))
        weights = rng.multinomial(rows, np.full(rows, 1 / rows), size=300) / rows
        found = two_way_test(table.mean(axis=1), weights @ table.T)
        return covers(found.low, found.high)

    return simulate
