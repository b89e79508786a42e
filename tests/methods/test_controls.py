import numpy as np
import pandas as pd
import pytest
from augbench.methods.adjusters import ClassWeight, PriorShift, ThresholdTuned
from augbench.methods.controls import ConstantRow, Jitter, RandomOversampling, UniformNoise
from imblearn.over_sampling import RandomOverSampler
from scipy import stats
from sklearn.utils.class_weight import compute_sample_weight


@pytest.fixture
def table():
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1], [50, 10])
    X = pd.DataFrame(rng.normal(size=(60, 3)) @ rng.normal(size=(3, 3)), columns=["a", "b", "c"])
    X["kind"] = pd.Categorical(rng.choice(["x", "y"], 60, p=[0.3, 0.7]), categories=["x", "y", "z"])
    return X, y


def new_rows(method, table, counts):
    X, y = table
    X_new, y_new = method.set_params(sampling_strategy=counts).fit_resample(X, y)
    return X_new.iloc[len(y) :], y_new[len(y) :]


def test_copies_are_uniform_over_the_rows_of_the_class(table):
    new, labels = new_rows(RandomOversampling(random_state=0), table, {1: 10_010})
    assert (labels == 1).all()
    counts = new.groupby(list(new.columns), observed=True).size()
    own = table[0][table[1] == 1]
    assert set(counts.index) == set(own.itertuples(index=False, name=None))
    assert stats.chisquare(counts).pvalue > 0.001


def test_constant_row_is_the_midpoint_of_all_rows(table):
    X, _ = table
    new, _ = new_rows(ConstantRow(), table, {0: 52, 1: 15})
    assert len(new) == 7
    for column in "abc":
        np.testing.assert_allclose(new[column], (X[column].min() + X[column].max()) / 2)
    assert set(new["kind"]) == {"y"}


def test_uniform_noise_fills_the_range_of_all_rows(table):
    X, _ = table
    new, _ = new_rows(UniformNoise(random_state=0), table, {1: 5010})
    for column in "abc":
        low, high = X[column].min(), X[column].max()
        assert stats.kstest(new[column], "uniform", (low, high - low)).pvalue > 0.001
    share = new["kind"].value_counts(normalize=True)
    assert abs(share["x"] - 0.5) < 0.05
    assert share["z"] == 0


def test_jitter_is_the_smoothed_bootstrap_of_imbalanced_learn(table):
    X, y = table
    X = X[["a", "b", "c"]]
    ours, _ = new_rows(Jitter(random_state=0), (X, y), {1: 20_010})
    sampler = RandomOverSampler(sampling_strategy={1: 20_010}, random_state=0, shrinkage=1.0)
    theirs = sampler.fit_resample(X, y)[0].iloc[60:]
    for column in X:
        assert stats.ks_2samp(ours[column], theirs[column]).pvalue > 0.001
    own = X[y == 1]
    noise = (4 / (5 * 60)) ** (1 / 7) * own.std(ddof=0)
    np.testing.assert_allclose(ours.cov(), own.cov(ddof=0) + np.diag(noise**2), rtol=0.05, atol=0.05)


def test_jitter_without_shrinkage_copies_and_keeps_categories_with_their_row(table):
    X, y = table
    plain, _ = new_rows(Jitter(0.0, random_state=0), table, {1: 40})
    own = set(X[y == 1].itertuples(index=False, name=None))
    assert set(plain.itertuples(index=False, name=None)) <= own
    noisy, _ = new_rows(Jitter(1e-6, random_state=0), table, {1: 40})
    assert noisy["kind"].tolist() == plain["kind"].tolist()
    assert np.allclose(noisy[["a", "b", "c"]], plain[["a", "b", "c"]], atol=1e-4)
    with pytest.raises(ValueError, match="shrinkage must be 0 or more"):
        new_rows(Jitter(-1.0), table, {1: 40})


def test_class_weight_is_balanced():
    y = np.array([0, 0, 0, 3, 3, 5])
    np.testing.assert_allclose(ClassWeight().sample_weight(y), compute_sample_weight("balanced", y))


def test_prior_shift():
    rng = np.random.default_rng(0)
    y = np.repeat([0, 2], [30, 10])
    p = rng.dirichlet(np.ones(3), size=5)
    p[:, 1] = 0
    p /= p.sum(axis=1, keepdims=True)
    before = p.copy()
    q = PriorShift().adjust(p, y)
    assert np.array_equal(p, before)
    np.testing.assert_allclose(q.sum(axis=1), 1)
    np.testing.assert_allclose(q[:, 2] / q[:, 0], 3 * p[:, 2] / p[:, 0])
    assert (q[:, 1] == 0).all()
    certain = np.array([[0.0, 1.0, 0.0]])
    assert np.array_equal(PriorShift().adjust(certain, y), certain)


def test_threshold_tuned_declares_itself():
    assert ThresholdTuned.tuned_decision
    assert ThresholdTuned.min_per_class == 3
