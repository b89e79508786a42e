"""Cases of `benchmarks/null_simulation.py`, fewer repetitions: what is wrong too often, or covers too rarely, fails.

The whole, with more repetitions and cases, is printed in ``benchmarks/null_simulation.txt``.
"""

from __future__ import annotations

import numpy as np
import pytest
from augbench.benchmarks import null_models as null
from augbench.benchmarks.null_simulation import Case
from augbench.leaderboard import statistics as st

#: what is simulated, how often
CASES = {
    "wilcoxon, 6": (null.wilcoxon(6), 3000),
    "wilcoxon, 14": (null.wilcoxon(14), 3000),
    "wilcoxon, heavy": (null.wilcoxon(14, "heavy"), 3000),
    "friedman": (null.friedman(14, 5), 3000),
    "friedman, few": (null.friedman(6, 4), 3000),
    "nemenyi": (null.nemenyi(14, 4), 800),
    "fresh": (null.fresh_t(5), 300),
    "resampled, corrected": (null.resampled_t(200, 10, "halves", "bayes"), 200),
    "two-way": (null.two_way(5, 100, 0.5), 300),
    "two-way, rare": (null.two_way(10, 300, 0.1), 150),
    "two-way, seeds": (null.two_way(10, 300, 0.2, "seeds", "tree"), 120),
}
INTERVALS = {
    "t, 5": (null.t_interval(5), 4000),
    "t, 14": (null.t_interval(14), 4000),
    "signed-rank, 14": (null.signed_rank_interval(14), 3000),
    "ranks, 8": (null.rank_interval(8, (0.0,) * 6), 250),
    "ranks, 14, apart": (null.rank_interval(14, (0, 0.5, 1, 1.5, 2, 2.5)), 400),
    "two-way, draws": (null.components(5, 200, 1, 1, 1), 1000),
    "two-way, rows": (null.components(10, 100, 0.02, 1, 0.5), 1000),
    "two-way, both": (null.components(10, 100, 0.3, 1, 1), 1000),
}
FAMILIES = {
    "holm": (null.holm_family(14, 10), 400),
    "all pairs": (null.all_pairs(14, 6), 200),
    "leaderboard": (null.whole_table(14, 8), 20),
    "conjunction, 0": (null.conjunction(3, 0), 800),
    "conjunction, 1": (null.conjunction(4, 1), 800),
    "parts of a data set": (null.mixed(200, 5, 2, "halves", "bayes"), 60),
    "sure of nothing": (null.signed_rank_posterior(14, 0.5), 200),
}


def rate(simulate, runs):
    """The rate, and twice its error."""
    found = Case("test", simulate).rate(runs)
    return found, 2 * np.sqrt(max(found * (1 - found), 0.01) / runs)


@pytest.mark.parametrize("name", CASES)
def test_false_positives(name):
    found, error = rate(*CASES[name])
    assert 0.03 - error <= found <= 0.07 + error


@pytest.mark.parametrize("name", INTERVALS)
def test_coverage(name):
    found, error = rate(*INTERVALS[name])
    assert 0.93 - error <= found <= 0.97 + error


@pytest.mark.parametrize("name", FAMILIES)
def test_families_are_wrong_in_at_most_one_of_twenty(name):
    found, error = rate(*FAMILIES[name])
    assert found <= 0.05 + error


def test_the_simulation_sees_a_wrong_test():
    """Splits of one table by the plain t, rows in common by the plain t, uncorrected families."""
    assert rate(null.resampled_t(200, 10, "halves", "lda", corrected=False), 50)[0] > 0.15

    def plain(rng):
        table = rng.normal(0, 0.02, (10, 1)) + rng.normal(0, 1, 100) + rng.normal(0, 0.5, (10, 100))
        found = st.paired_t(table.mean(axis=1))
        return null.covers(found.low, found.high)

    assert rate(plain, 500)[0] < 0.8

    def uncorrected(rng):
        gains = rng.normal(size=(10, 14)) - rng.normal(size=14)
        return min(st.wilcoxon_signed_rank(one) for one in gains) <= 0.05

    assert rate(uncorrected, 150)[0] > 0.15
