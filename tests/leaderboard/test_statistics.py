"""Statistics against published examples, brute force and scipy; under the null they are in `test_null`."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from augbench.leaderboard import statistics as st
from scipy import stats
from statsmodels.stats.multitest import multipletests

# Demšar (2006), table 6: AUC of C4.5, C4.5+m, C4.5+cf, C4.5+m+cf. C4.5+cf on voting is .97501 (see SPEC, section 6).
DEMSAR = np.array(
    [
        [0.763, 0.768, 0.771, 0.798],
        [0.599, 0.591, 0.590, 0.569],
        [0.954, 0.971, 0.968, 0.967],
        [0.628, 0.661, 0.654, 0.657],
        [0.882, 0.888, 0.886, 0.898],
        [0.936, 0.931, 0.916, 0.931],
        [0.661, 0.668, 0.609, 0.685],
        [0.583, 0.583, 0.563, 0.625],
        [0.775, 0.838, 0.866, 0.875],
        [1.000, 1.000, 1.000, 1.000],
        [0.940, 0.962, 0.965, 0.962],
        [0.619, 0.666, 0.614, 0.669],
        [0.972, 0.981, 0.97501, 0.975],
        [0.957, 0.978, 0.946, 0.970],
    ]
)


def test_demsar_ranks_friedman_and_iman_davenport():
    found = st.friedman(DEMSAR)
    np.testing.assert_allclose(found.ranks, [3.143, 2.000, 2.893, 1.964], atol=5e-4)
    assert found.chi2 == pytest.approx(9.2786, abs=5e-5)
    assert found.f == pytest.approx(3.6863, abs=5e-5)
    assert found.f_p == pytest.approx(stats.f.sf(3.6863, 3, 39), rel=1e-3)
    assert found.f_p < 0.05
    assert st.nemenyi_critical_difference(4, 14) == pytest.approx(1.2536, abs=5e-5)


def test_demsar_wilcoxon_rank_sums_and_p():
    difference = np.round(DEMSAR[:, 1] - DEMSAR[:, 0], 6)
    ranks = stats.rankdata(np.abs(difference))
    split = ranks[difference == 0].sum() / 2
    assert ranks[difference > 0].sum() + split == 93
    assert ranks[difference < 0].sum() + split == 12
    p = st.wilcoxon_signed_rank(difference)
    assert p == pytest.approx(brute_force_wilcoxon(difference), abs=1e-12)
    assert p < 0.05


def brute_force_wilcoxon(difference):
    """All sign patterns of the differences, zeros ranked and split."""
    difference = np.asarray(difference)
    ranks = stats.rankdata(np.abs(difference))[difference != 0]
    observed = abs((np.sign(difference) * stats.rankdata(np.abs(difference))).sum())
    signs = np.array(list(product([-1, 1], repeat=len(ranks))))
    if not len(ranks):
        return 1.0
    return min(1.0, 2 * float((signs @ ranks >= observed - 1e-9).mean()))


@pytest.mark.parametrize("seed", range(12))
def test_wilcoxon_against_brute_force_with_ties_and_zeros(seed):
    rng = np.random.default_rng(seed)
    difference = rng.integers(-3, 5, size=rng.integers(1, 11)) / 10
    assert st.wilcoxon_signed_rank(difference) == pytest.approx(brute_force_wilcoxon(difference), abs=1e-12)


@pytest.mark.parametrize("n", [1, 5, 14, 50])
def test_wilcoxon_against_scipy_without_ties(n):
    difference = np.random.default_rng(n).normal(0.3, 1, n)
    assert st.wilcoxon_signed_rank(difference) == pytest.approx(
        stats.wilcoxon(difference, zero_method="zsplit", method="exact").pvalue, abs=1e-9
    )


def test_wilcoxon_of_many_differences_is_sampled_and_repeats():
    difference = np.random.default_rng(0).normal(0.1, 1, 250)
    p = st.wilcoxon_signed_rank(difference)
    assert p == st.wilcoxon_signed_rank(difference)
    assert p == pytest.approx(stats.wilcoxon(difference, method="asymptotic").pvalue, abs=0.01)


def test_wilcoxon_edges():
    assert np.isnan(st.wilcoxon_signed_rank([]))
    assert st.wilcoxon_signed_rank([0, 0, 0]) == 1
    assert st.wilcoxon_signed_rank([1e-9, -1e-9]) == 1
    with pytest.raises(ValueError, match="NaN"):
        st.wilcoxon_signed_rank([1, np.nan])
    for n in (1, 2, 6, 8, 14):
        assert st.wilcoxon_signed_rank(np.arange(1, n + 1)) == pytest.approx(st.smallest_reachable_p(n))


def test_holm_worked_by_hand_and_missing_comparisons():
    # Demšar (2006), section 3.2.2: z-tests of the same example against C4.5: p = .016, .019, .607.
    np.testing.assert_allclose(st.holm([0.016, 0.019, 0.607]), [0.048, 0.048, 0.607])
    np.testing.assert_allclose(st.holm([0.04, np.nan, 0.01]), [0.04, np.nan, 0.02])
    assert np.isnan(st.holm([np.nan, np.nan])).all()
    for wrong, message in (([[0.1, 0.2]], "one-dimensional"), ([0.1, 5.0], "between 0 and 1, found 0.1 to 5")):
        with pytest.raises(ValueError, match=message):
            st.holm(wrong)


@pytest.mark.parametrize("seed", range(5))
def test_holm_against_statsmodels(seed):
    p = np.round(np.random.default_rng(seed).beta(0.5, 3, 12), 2)  # with ties
    np.testing.assert_allclose(st.holm(p), multipletests(p, method="holm")[1])


def test_demsar_holm_from_his_z_statistics():
    ranks = st.friedman(DEMSAR).ranks
    z = (ranks[0] - ranks[1:]) / np.sqrt(4 * 5 / (6 * 14))
    p = 2 * stats.norm.sf(np.abs(z))
    np.testing.assert_allclose(sorted(p), [0.016, 0.019, 0.607], atol=2e-3)
    assert (st.holm(p) < 0.05).sum() == 2


def test_t_interval_and_paired_t_against_scipy():
    values = np.random.default_rng(3).normal(1, 2, 9)
    low, high = st.t_interval(values)
    reference = stats.ttest_1samp(values, 0)
    assert (low, high) == pytest.approx(tuple(reference.confidence_interval()))
    assert st.paired_t(values).p == pytest.approx(reference.pvalue)
    assert np.isnan(st.t_interval([1.0])).all()


@pytest.mark.parametrize("test", [st.paired_t, lambda values: st.corrected_resampled_t(values, 1 / 3)])
def test_equal_differences_are_a_tie_or_no_test(test):
    """On a small test part scores lie on a lattice: two equal differences would be an interval of width 0 and p = 0."""
    for values in ([0.04, 0.04], [-0.04] * 3, [0.1 + 0.2, 0.3, 0.3]):
        found = test(values)
        assert found.mean == pytest.approx(np.mean(values))
        assert np.isnan([found.low, found.high, found.t, found.p]).all()
    tied = test([0.0, 0.0, 0.0])
    assert (tied.mean, tied.low, tied.high, tied.p) == (0, 0, 0, 1)
    assert np.isnan(st.t_interval([2.0, 2.0])).all()
    assert st.t_interval([0.0, 0.0]) == (0, 0)


def test_corrected_t_by_hand():
    found = st.corrected_resampled_t([1.0, 2.0, 3.0, 4.0], 1 / 3)
    variance = 5 / 3 * (1 / 4 + 1 / 3)
    assert found.t == pytest.approx(2.5 / np.sqrt(variance))
    assert found.p == pytest.approx(2 * stats.t.sf(found.t, 3))
    assert st.corrected_resampled_t([1, 2, 3], 0).p == pytest.approx(st.paired_t([1, 2, 3]).p)
    with pytest.raises(ValueError, match="ratio"):
        st.corrected_resampled_t([1, 2], np.nan)


def test_partial_conjunction():
    assert st.partial_conjunction_count([0.001, 0.001, 0.001]) == 3
    assert st.partial_conjunction_count([0.001, 0.04, 0.3]) == 1  # 2 × .04 > .05
    assert st.partial_conjunction_count([0.04, 0.04, 0.04]) == 0  # 3 × .04 > .05, though .04 alone is not
    assert st.partial_conjunction_count([]) == 0


def test_bayesian_signed_rank():
    far = st.bayesian_signed_rank([3.0] * 10)
    assert far.better > 0.99
    none = st.bayesian_signed_rank(np.linspace(-0.1, 0.1, 10))
    assert none.equivalent > 0.99
    values = np.random.default_rng(1).normal(0.4, 1, 12)
    ahead, behind = st.bayesian_signed_rank(values), st.bayesian_signed_rank(-values)
    assert ahead.better == pytest.approx(behind.worse, abs=0.01)
    assert ahead == st.bayesian_signed_rank(values)
    assert ahead.better + ahead.equivalent + ahead.worse == pytest.approx(1)


def test_average_ranks_round_and_refuse_gaps():
    np.testing.assert_array_equal(st.average_ranks([[0.5, 0.5 + 1e-9, 0.4]]), [[1.5, 1.5, 3]])
    np.testing.assert_array_equal(st.average_ranks([[0.5, 0.6]], higher_is_better=False), [[1, 2]])
    with pytest.raises(ValueError, match="NaN"):
        st.average_ranks([[0.5, np.nan]])
    assert st.friedman(np.ones((5, 3))).chi2_p == 1
    assert st.friedman([[1, 2, 3]] * 4).f_p == 0


def test_corrected_t_under_correlated_draws():
    """Draws with correlation n_test / (n_test + n_train), which the correction is made for; the plain t fails there."""
    rng, ratio, draws = np.random.default_rng(1), 1 / 3, 10
    correlation = ratio / (1 + ratio)
    shared = rng.normal(size=(3000, 1)) * np.sqrt(correlation)
    table = shared + rng.normal(size=(3000, draws)) * np.sqrt(1 - correlation)
    corrected = np.mean([st.corrected_resampled_t(d, ratio).p <= 0.05 for d in table])
    plain = np.mean([st.paired_t(d).p <= 0.05 for d in table])
    assert 0.03 <= corrected <= 0.07
    assert plain > 0.2
