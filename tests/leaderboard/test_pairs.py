"""All pairs: wins, separation, resolution, shared ranks, intervals of ranks; and what must not depend on what."""

from __future__ import annotations

from itertools import combinations, product

import numpy as np
import pandas as pd
import pytest
from augbench.errors import InputError
from augbench.leaderboard import compare
from augbench.leaderboard import statistics as st
from augbench.leaderboard.pairs import WinMatrix

from .test_tables import noise


def table(gains, n=14, spread=0.01, seed=0):
    rng = np.random.default_rng(seed)
    values = 0.6 + np.asarray(gains) + rng.normal(0, spread, (n, len(gains)))
    return pd.DataFrame(values, columns=[f"m{i}" for i in range(len(gains))])


def test_wins_by_hand_for_scores_and_losses():
    scores = pd.DataFrame({"a": [0.9, 0.8, 0.7, 0.5], "b": [0.8, 0.8 + 1e-9, 0.6, 0.6]})
    found = st.win_matrix(scores)
    assert [found.wins.at["a", "b"], found.ties.at["a", "b"], found.losses.at["a", "b"]] == [2, 1, 1]
    assert found.delta.at["a", "b"] == pytest.approx(2.5)
    losses = st.win_matrix(scores, higher_is_better=False)
    assert [losses.wins.at["a", "b"], losses.losses.at["a", "b"]] == [1, 2]
    assert losses.delta.at["a", "b"] == pytest.approx(-2.5)
    with pytest.raises(ValueError, match="NaN"):
        st.win_matrix(scores.mask(scores == 0.5))


def test_p_is_the_signed_rank_test_and_holm_runs_over_all_pairs():
    scores = table([0, 0.01, 0.02, 0.05])
    found = st.win_matrix(scores)
    pairs = list(combinations(scores.columns, 2))
    p = [st.wilcoxon_signed_rank(scores[a] - scores[b]) for a, b in pairs]
    assert [found.p.at[a, b] for a, b in pairs] == p
    np.testing.assert_allclose([found.p_holm.at[b, a] for a, b in pairs], st.holm(p))
    assert found.n_pairs == 6
    assert found.n_separated == sum(st.holm(p) <= 0.05)
    assert found.n_separated > 0
    assert np.isnan(np.diag(found.p)).all()
    assert found.n_adjacent == 3
    assert found.n_adjacent_separated == sum(
        found.p_holm.at[a, b] <= 0.05 for a, b in pairs if int(b[1]) - int(a[1]) == 1
    )


@pytest.mark.parametrize("seed", range(6))
def test_signed_rank_interval_is_what_the_test_does_not_reject(seed):
    rng = np.random.default_rng(seed)
    d = rng.normal(0.3, 1, rng.integers(6, 16))
    for level in (0.9, 0.95):
        low, high = st.signed_rank_interval(d, level)
        for shift, inside in ((low + 1e-6, True), (low - 1e-6, False), (high - 1e-6, True), (high + 1e-6, False)):
            assert (st.wilcoxon_signed_rank(d - shift, decimals=12) > 1 - level) is inside


def test_signed_rank_interval_edges():
    assert st.signed_rank_interval([1.0, 2.0, 3.0, 4.0, 5.0]) == (-np.inf, np.inf)  # no p below .0625
    assert np.isnan(st.signed_rank_interval([])).all()
    many = np.random.default_rng(0).normal(size=400)
    assert np.ptp(st.signed_rank_interval(many)) == pytest.approx(np.ptp(st.t_interval(many)), rel=0.1)


def test_resolution_is_the_gain_that_would_just_be_shown():
    scores = table([0, 0])
    found = st.win_matrix(scores)
    centred = scores["m0"] - scores["m1"]
    low, high = st.signed_rank_interval(centred)
    centred -= (low + high) / 2
    assert found.resolution == pytest.approx(100 * (high - low) / 2)
    for factor, shown in ((1.001, True), (0.999, False)):
        moved = centred + factor * found.resolution / 100
        assert (st.wilcoxon_signed_rank(moved, decimals=12) <= 0.05) is shown
    # more pairs, more to show; more data sets, less to show
    assert st.win_matrix(table([0] * 6)).resolution > found.resolution
    assert st.win_matrix(table([0, 0], n=40)).resolution < found.resolution
    assert st.win_matrix(table([0] * 6, n=6)).resolution == np.inf


def separated(names, *apart):
    """A win matrix in which just these pairs are told apart."""
    p = pd.DataFrame(1.0, index=names, columns=names)
    for a, b in apart:
        p.loc[a, b] = p.loc[b, a] = 0.01
    return WinMatrix(tuple(names), p, p, p, p, p, p, p, 10, 0.05)


def test_ranks_are_shared_where_nothing_separates():
    names = list("abcde")
    assert separated(names).shared_ranks() == dict.fromkeys(names, 1)
    assert separated(names, "ad").shared_ranks() == {"a": 1, "b": 1, "c": 1, "d": 4, "e": 4}
    assert separated(names, *combinations(names, 2)).shared_ranks() == {n: i for i, n in enumerate(names, 1)}
    # the last is told apart from the first but not from its neighbour: a rank of its own all the same
    assert separated(list("abc"), "ac").shared_ranks() == {"a": 1, "b": 1, "c": 3}


def test_no_two_methods_of_a_shared_rank_are_told_apart():
    found = compare(noise(["none", *"abcdef"], 14, 3, gains=[0, 0.001, 0.02, 0.021, 0.04, 0.041, 0.08]))
    ranks = found.table.set_index("method")["tied_rank"]
    assert 1 < ranks.nunique() < 7
    for a, b in combinations(found.ranked, 2):
        if ranks[a] == ranks[b]:
            assert not found.pairs.separated.at[a, b]
        else:
            assert ranks[a] < ranks[b]
    assert found.pairs.methods == tuple(found.table["method"])


def test_the_comparison_has_pairs_only_where_there_are_p_values():
    scores = noise(["none", *"abc"], 8, 3).assign(auroc=0.7)
    whole = compare(scores)
    assert whole.pairs.n_pairs == 6
    assert whole.diagram.n_datasets == 8
    table = whole.table
    assert (table["rank_low"] <= table["mean_rank"]).all()
    assert (table["mean_rank"] <= table["rank_high"]).all()
    part = compare(scores, datasets=["d00", "d01"])
    assert part.pairs is None
    assert part.diagram is None
    assert part.table["tied_rank"].isna().all()
    assert part.table["rank_low"].notna().all()


def test_on_one_data_set_pairs_have_the_test_of_its_draws():
    scores = noise(["none", "a", "b"], 1, 10, gains=[0, 0.001, 0.05])
    found = compare(scores)
    rows = scores.pivot(index="draw", columns="method", values="macro_f1")
    expected = st.corrected_resampled_t(rows["b"] - rows["a"], 1 / 3)
    assert found.pairs.p.at["b", "a"] == pytest.approx(expected.p)
    bonferroni = st.corrected_resampled_t(rows["b"] - rows["a"], 1 / 3, 1 - 0.05 / 3)
    assert found.pairs.resolutions.at["a", "b"] == pytest.approx(50 * (bonferroni.high - bonferroni.low))
    assert found.pairs.separated.at["a", "b"]
    assert found.diagram is None
    assert np.isnan(compare(noise(["none", "a"], 1, 2)).pairs.resolution)


def test_critical_difference_groups_by_hand():
    ranks = pd.DataFrame([[4, 3, 2, 1]] * 20, columns=list("abcd"), dtype=float)
    found = st.critical_difference(ranks)
    assert found.methods == tuple("abcd")
    assert found.ranks == (1, 2, 3, 4)
    # CD = 1.049: neighbours are within, two places apart are not
    assert found.critical_difference == pytest.approx(1.0488, abs=5e-4)
    assert found.groups == (("a", "b"), ("b", "c"), ("c", "d"))
    assert st.critical_difference(ranks, higher_is_better=False).methods == tuple("dcba")
    assert st.critical_difference(pd.concat([ranks] * 3)).groups == ()
    for wrong in (pd.concat([ranks] * 4, axis=1), ranks[["a"]], ranks.iloc[:1]):
        with pytest.raises(InputError, match="critical-difference diagram"):
            st.critical_difference(wrong)


def test_rank_intervals_against_all_resamples():
    """Three data sets have 27 resamples: the quantiles of those."""
    ranks = np.array([[1.0, 2, 3], [2, 1, 3], [1, 3, 2]])
    means = np.array([ranks[list(chosen)].mean(axis=0) for chosen in product(range(3), repeat=3)])
    found = st.rank_intervals(ranks, samples=20_000)
    # t(2) at 97.5 % is 4.30, times √(3/2): so far out lie only the ends
    np.testing.assert_allclose(found, np.stack([means.min(axis=0), means.max(axis=0)], axis=1))
    assert np.isnan(st.rank_intervals(ranks[:1])).all()
    many = np.random.default_rng(0).normal(size=(60, 5)).argsort(axis=1).argsort(axis=1) + 1.0
    low, high = st.rank_intervals(many).T
    for i in range(5):
        assert (low[i], high[i]) == pytest.approx(st.t_interval(many[:, i]), abs=0.06)


@pytest.mark.parametrize("seed", range(3))
def test_a_subset_of_methods_is_the_submatrix(seed):
    scores = table([0, 0.01, 0.0, 0.02, 0.03], seed=seed)
    whole = st.win_matrix(scores)
    for kept in (["m0", "m3"], ["m4", "m1", "m2"]):
        part = st.win_matrix(scores[kept])
        for name in ("wins", "ties", "losses", "delta", "p"):
            pd.testing.assert_frame_equal(getattr(part, name), getattr(whole, name).loc[kept, kept])


@pytest.mark.parametrize("seed", range(3))
def test_relabelling_and_reordering_change_nothing(seed):
    rng = np.random.default_rng(seed)
    scores = noise(["none", "random-oversampling", *"abcd"], 9, 2, seed)
    names = dict(zip("abcd", rng.permutation([f"x{i}" for i in range(4)]), strict=True))
    sets = dict(zip(sorted(scores["dataset"].unique()), rng.permutation([f"s{i}" for i in range(9)]), strict=True))
    other = scores.replace({"method": names, "dataset": sets}).sample(frac=1, random_state=seed)
    before, after = compare(scores), compare(other)
    numbers = ["delta", "low", "high", "mean_rank", "rank_low", "rank_high", "tied_rank", "p_baseline_holm"]
    numbers += ["p_copies_holm", "p_better", "p_equivalent", "p_worse", "wins", "losses"]
    expected = before.table.set_index("method").rename(index=names)[numbers]
    pd.testing.assert_frame_equal(after.table.set_index("method").loc[expected.index, numbers], expected)
    assert after.pairs.resolution == pytest.approx(before.pairs.resolution)
    assert after.omnibus.f_p == pytest.approx(before.omnibus.f_p)
    renamed = before.pairs.p.rename(index=names, columns=names)
    pd.testing.assert_frame_equal(after.pairs.p.loc[renamed.index, renamed.columns], renamed)
