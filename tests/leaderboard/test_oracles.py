"""The statistics against published examples and against three libraries that have some of them."""

from __future__ import annotations

import contextlib
import io
import warnings

import numpy as np
import pandas as pd
import pytest
from augbench.leaderboard import statistics as st
from sklearn.datasets import make_moons
from sklearn.model_selection import RepeatedStratifiedKFold, cross_val_score
from sklearn.svm import SVC

from .test_statistics import DEMSAR

NAMES = ["C4.5", "C4.5+m", "C4.5+cf", "C4.5+m+cf"]
#: baycomp's documentation: ten folds on sonar, accuracy of naive Bayes and of J48 in per cent
NBC = [94.203, 92.754, 95.652, 91.176, 92.647, 91.176, 92.647, 92.647, 86.765, 91.176]
J48 = [92.754, 92.754, 89.855, 89.706, 95.588, 89.706, 95.588, 94.118, 91.176, 92.647]


def without_ties(n, k, seed=0):
    return pd.DataFrame(np.random.default_rng(seed).normal(size=(n, k)), columns=[f"m{i}" for i in range(k)])


def test_scikit_learns_grid_search_example():
    """Its page "Statistical comparison of models using grid search" prints these, one-sided p for RBF over linear."""
    X, y = make_moons(noise=0.352, random_state=1, n_samples=100)
    folds = RepeatedStratifiedKFold(n_splits=10, n_repeats=10, random_state=0)
    rbf, linear = (
        cross_val_score(SVC(kernel=kernel, random_state=0), X, y, scoring="roc_auc", cv=folds)
        for kernel in ("rbf", "linear")
    )
    found = st.corrected_resampled_t(rbf - linear, 10 / 90)
    assert round(found.t, 3) == 0.750
    assert round(found.p / 2, 3) == 0.227
    assert round(st.paired_t(rbf - linear).t, 3) == 2.611
    assert round(st.student_posterior(found, 0.0).better, 3) == 0.773
    region = st.student_posterior(found, 0.01)
    assert [round(one, 3) for one in (region.worse, region.equivalent, region.better)] == [0.068, 0.432, 0.500]


def test_baycomps_documented_example():
    found = st.corrected_resampled_t(np.subtract(J48, NBC), 1 / 9)
    certain = st.student_posterior(found, 0.0)
    assert (certain.worse, certain.better) == pytest.approx((0.4145119975061462, 0.5854880024938538))
    region = st.student_posterior(found, 0.5)
    assert (region.worse, region.equivalent, region.better) == pytest.approx(
        (0.28584464173791002, 0.2691518716880249, 0.44500348657406508)
    )


def test_baycomp_on_one_data_set():
    baycomp = pytest.importorskip("baycomp")
    x, y = np.random.default_rng(1).normal(80, 3, (2, 50))
    # ten folds, five runs: without `runs` baycomp takes 50 folds, a trap of its own
    expected = baycomp.two_on_single(x, y, rope=0.4, runs=5)
    found = st.student_posterior(st.corrected_resampled_t(y - x, 1 / 9), 0.4)
    assert (found.worse, found.equivalent, found.better) == pytest.approx(expected)


@pytest.mark.parametrize("rope", [0.3, 1.0])
def test_baycomp_on_many_data_sets(rope):
    baycomp = pytest.importorskip("baycomp")
    x, y = np.random.default_rng(2).normal(0, 1, (2, 16))
    expected = baycomp.SignedRankTest.probs(x, y, rope, nsamples=20_000, random_state=0)
    found = st.bayesian_signed_rank(y - x, rope)
    assert (found.worse, found.equivalent, found.better) == pytest.approx(expected, abs=0.015)


def test_scikit_posthocs_on_nemenyi():
    posthocs = pytest.importorskip("scikit_posthocs")
    p = posthocs.posthoc_nemenyi_friedman(pd.DataFrame(DEMSAR, columns=NAMES))
    ranks = st.friedman(DEMSAR).ranks
    for alpha in (0.05, 0.1, 0.25):
        far = np.abs(ranks[:, None] - ranks[None, :]) >= st.nemenyi_critical_difference(4, 14, alpha)
        np.testing.assert_array_equal(far, p.to_numpy() <= alpha)
    # at .05 none differ, at .1 the two pruned without a cut-off and the two with m are apart
    shown = st.critical_difference(pd.DataFrame(DEMSAR, columns=NAMES))
    assert shown.groups == (("C4.5+m+cf", "C4.5+m", "C4.5+cf", "C4.5"),)


def test_scikit_posthocs_on_all_pairs():
    """Exact there too where there are no ties."""
    posthocs = pytest.importorskip("scikit_posthocs")
    scores = without_ties(14, 5)
    long = scores.melt(var_name="method", value_name="score")
    for adjust, mine in (("holm", "p_holm"), (None, "p")):
        p = posthocs.posthoc_wilcoxon(long, val_col="score", group_col="method", p_adjust=adjust)
        found = getattr(st.win_matrix(scores), mine).fillna(1.0)
        np.testing.assert_allclose(found, p.loc[found.index, found.columns], atol=1e-9)


def test_autorank_on_ranks_friedman_and_the_critical_difference():
    autorank = pytest.importorskip("autorank")
    for table in (DEMSAR, without_ties(20, 6, 3).to_numpy()):
        frame = pd.DataFrame(table, columns=[f"m{i}" for i in range(table.shape[1])])
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            expected = autorank.autorank(frame, alpha=0.05, verbose=False, force_mode="nonparametric")
        found = st.critical_difference(frame)
        assert dict(zip(found.methods, found.ranks, strict=True)) == pytest.approx(
            expected.rankdf["meanrank"].to_dict()
        )
        # it has q from a table of three decimals
        assert found.critical_difference == pytest.approx(expected.cd, rel=1e-4)
    # scipy's chi-square has a correction for ties, Demšar's has not: compared on the table without ties
    assert found.omnibus.chi2_p == pytest.approx(expected.pvalue)
