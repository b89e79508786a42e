import numpy as np
import pandas as pd
import pytest
from augbench.bench import metrics
from augbench.bench.fidelity import (
    NAMES,
    closest_distances,
    correlation_error,
    fidelity,
    total_variation,
    two_sample_auroc,
    wasserstein,
)
from scipy.spatial.distance import cdist
from scipy.stats import wasserstein_distance
from sklearn.discriminant_analysis import QuadraticDiscriminantAnalysis
from sklearn.metrics import roc_auc_score


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_closest_distances(rng):
    a, b = rng.normal(size=(30, 4)), rng.normal(size=(50, 4))
    np.testing.assert_allclose(closest_distances(a, b), cdist(a, b).min(axis=1))
    assert (closest_distances(b[:10], b) == 0).all()


def test_real_rows_look_real(rng):
    X = rng.normal(size=(900, 3))
    one = np.ones(300, dtype=int)
    scores = fidelity(X[:300], one, X[300:600], one, X[600:], one, rng)
    assert scores["exact_copies"] == 0
    assert scores["dcr_ratio"] == pytest.approx(1, abs=0.15)
    assert scores["two_sample_accuracy"] == pytest.approx(0.5, abs=0.08)


def test_copies_and_a_constant_row_are_told_apart(rng):
    X = rng.normal(size=(400, 3))
    y = np.ones(200, dtype=int)
    new = X[rng.integers(20, size=200)]
    scores = fidelity(X[:200], y, new, y, X[200:], y, rng)
    assert (scores["exact_copies"], scores["dcr_ratio"]) == (1, 0)
    constant = fidelity(X[:200], y, np.full((200, 3), 9.0), y, X[200:], y, rng)
    assert constant["exact_copies"] == 0
    assert constant["dcr_ratio"] > 5
    assert constant["two_sample_accuracy"] == 1


def test_far_rows_are_told_apart_and_classes_are_averaged(rng):
    X_train, X_test = rng.normal(size=(2, 40, 2))
    y = np.repeat([0, 1], 20)
    new = np.vstack([X_train[:10], X_test[20:30] + 100])
    scores = fidelity(X_train, y, new, np.repeat([0, 1], 10), X_test, y, rng)
    assert scores["exact_copies"] == 0.5
    usual = np.median(cdist(X_test[20:], X_train[20:]).min(axis=1))
    far = np.median(cdist(new[10:], X_train[20:]).min(axis=1))
    assert scores["dcr_ratio"] == pytest.approx((0 + far / usual) / 2)


def test_copies_of_another_class_and_negative_zero_count(rng):
    X = np.array([[0.0, 1.0], [2.0, 3.0]])
    scores = fidelity(
        X, np.array([0, 1]), np.array([[-0.0, 1.0], [5.0, 5.0]]), np.array([1, 1]), X, np.array([0, 1]), rng
    )
    assert scores["exact_copies"] == 0.5


def test_class_absent_from_the_test_rows(rng):
    X = rng.normal(size=(20, 2))
    scores = fidelity(X, np.ones(20), X + 1, np.ones(20), X, np.zeros(20), rng)
    assert np.isnan(scores["dcr_ratio"])
    assert np.isnan(scores["two_sample_accuracy"])
    assert scores["exact_copies"] == 0


def test_one_row_classes_and_duplicates(rng):
    one = np.ones(1, dtype=int)
    scores = fidelity(np.zeros((1, 2)), one, np.ones((1, 2)), one, np.full((1, 2), 3.0), one, rng)
    assert scores["dcr_ratio"] == pytest.approx(1 / 3)
    assert np.isnan(scores["two_sample_accuracy"])
    same = fidelity(np.zeros((1, 2)), one, np.ones((1, 2)), one, np.zeros((1, 2)), one, rng)
    assert np.isnan(same["dcr_ratio"])
    # and beside a class that allows it, such a class counts for nothing
    two = np.array([1, 2])
    both = fidelity(np.zeros((2, 2)), two, np.ones((2, 2)), two, np.array([[3.0, 3.0], [0.0, 0.0]]), two, rng)
    assert both["dcr_ratio"] == pytest.approx(1 / 3)


def test_nothing_generated(rng):
    X, y = np.zeros((3, 2)), np.zeros(3, dtype=int)
    assert all(np.isnan(value) for value in fidelity(X, y, X[:0], y[:0], X, y, rng).values())


def test_the_seed_decides():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(3, 700, 2)), np.zeros(700, dtype=int)
    one, again = (fidelity(X[0], y, X[1], y, X[2], y, np.random.default_rng(5)) for _ in range(2))
    np.testing.assert_equal(one, again)
    assert (
        one["two_sample_accuracy"]
        != fidelity(X[0], y, X[1], y, X[2], y, np.random.default_rng(6))["two_sample_accuracy"]
    )


def three(rng, n=300, d=4):
    """Training, other and held-out rows of one class with correlated columns, and their labels."""
    X = rng.normal(size=(3, n, d)) + rng.normal(size=(3, n, 1))
    return (*(X / np.sqrt(2)), np.zeros(n, dtype=int))


def one_hot(codes, n):
    return (np.asarray(codes)[:, None] == np.arange(n)).astype(float)


def test_every_name_is_described_and_the_other_way_round():
    assert set(NAMES) == {name for name, one in metrics.METRICS.items() if one.of_rows}
    assert metrics.METRICS["two_sample_auroc"].better == "near 0.5"
    assert metrics.METRICS["wasserstein"].better == "lower"
    assert metrics.METRICS["macro_f1"].better == "higher"


def test_wasserstein_is_scipys(rng):
    for n, m in ((7, 7), (5, 12), (1, 9), (300, 41)):
        a, b = rng.normal(size=(n, 3)), rng.exponential(size=(m, 3))
        expected = [wasserstein_distance(a[:, j], b[:, j]) for j in range(3)]
        np.testing.assert_allclose(wasserstein(a, b), expected, atol=1e-12)


def test_two_sample_auroc_is_scikit_learns_quadratic_discriminant(rng):
    a, b = rng.normal(size=(60, 5)), rng.normal(0.2, 1.4, size=(60, 5))
    both = np.vstack([a, b])
    first, second = np.split((both - both.mean(axis=0)) / both.std(axis=0), 2)
    areas = []
    for fold in range(3):
        held = np.arange(60) // 20 == fold
        model = QuadraticDiscriminantAnalysis(reg_param=0.1)
        model.fit(np.vstack([first[~held], second[~held]]), np.repeat([0, 1], 40))
        rows = np.vstack([first[held], second[held]])
        areas.append(roc_auc_score(np.repeat([0, 1], 20), model.decision_function(rows)))
    assert two_sample_auroc(a, b) == pytest.approx(np.mean(areas), abs=1e-9)


@pytest.mark.parametrize(("n", "d"), [(6, 4), (30, 60), (200, 3)])
def test_samples_of_one_distribution_cannot_be_told_apart(rng, n, d):
    areas = [two_sample_auroc(*rng.normal(size=(2, n, d))) for _ in range(200)]
    assert np.mean(areas) == pytest.approx(0.5, abs=3.5 * np.std(areas) / np.sqrt(200))


def test_total_variation_of_known_shares():
    first = np.hstack([one_hot([0, 0, 1, 1], 3), one_hot([0, 0, 0, 0], 1)])
    # the last row has a category that was not seen in training, in both columns
    second = np.hstack([one_hot([0, 2, 2, 9], 3), one_hot([0, 0, 0, 9], 1)])
    np.testing.assert_allclose(total_variation(first, second, np.array([0, 3])), [0.75, 0.25])


def test_sdmetrics_gives_the_same(rng):
    """Where sdmetrics defines the same quantity: total variation, correlation of numbers, share of new rows."""
    pytest.importorskip("sdmetrics")
    from sdmetrics.column_pairs import CorrelationSimilarity
    from sdmetrics.single_column import TVComplement
    from sdmetrics.single_table import NewRowSynthesis

    real, new = rng.choice(4, size=200, p=[0.4, 0.3, 0.2, 0.1]), rng.choice(4, size=150)
    ours = total_variation(one_hot(new, 4), one_hot(real, 4), np.array([0]))
    np.testing.assert_allclose(ours, [1 - TVComplement.compute(pd.Series(real), pd.Series(new))], atol=1e-6)
    a, b, training, y = three(rng, 100, 2)
    b[:, 1] = rng.permutation(b[:, 1])
    pair = CorrelationSimilarity.compute(pd.DataFrame(a, columns=["a", "b"]), pd.DataFrame(b, columns=["a", "b"]))
    assert correlation_error(b, a, np.arange(2)) == pytest.approx(2 * (1 - pair))
    mixed = np.vstack([training[:30], b[:50]])
    columns = {"a": {"sdtype": "numerical"}, "b": {"sdtype": "numerical"}}
    unseen = NewRowSynthesis.compute(
        pd.DataFrame(training, columns=["a", "b"]),
        pd.DataFrame(mixed, columns=["a", "b"]),
        {"columns": columns},
        numerical_match_tolerance=0.0,
    )
    copies = fidelity(training, y, mixed, y[:80], a, y, rng)["exact_copies"]
    assert copies == pytest.approx(1 - unseen) == 30 / 80


def test_other_real_rows_score_as_real_ones(rng):
    train, new, test, y = three(rng)
    scores = fidelity(train, y, new, y, test, y, rng)
    assert scores["two_sample_auroc"] == pytest.approx(0.5, abs=0.08)
    assert scores["dcr_closer"] == pytest.approx(0.5, abs=0.08)
    for name in ("wasserstein", "correlation_error"):
        assert scores[name] < 0.12
        assert scores[f"{name}_real"] < 0.12
    assert np.isnan(scores["total_variation"])


def test_a_shift_of_one_column_is_a_wasserstein_distance(rng):
    train, _, test, y = three(rng)
    before = fidelity(train, y, test, y, test, y, rng)
    after = fidelity(train, y, test + np.eye(4)[0], y, test, y, rng)
    assert before["wasserstein"] == 0
    assert after["wasserstein"] == pytest.approx(1 / 4)
    assert after["wasserstein_real"] == pytest.approx(before["wasserstein_real"])
    assert after["correlation_error"] == pytest.approx(0, abs=1e-12)
    assert after["two_sample_auroc"] > 0.75


def test_permuted_columns_have_the_marginals_and_not_the_correlations(rng):
    train, _, test, y = three(rng)
    permuted = np.column_stack([rng.permutation(column) for column in test.T])
    scores = fidelity(train, y, permuted, y, test, y, rng)
    assert scores["wasserstein"] == pytest.approx(0, abs=1e-12)
    assert scores["correlation_error"] == pytest.approx(0.5, abs=0.1)
    assert scores["two_sample_auroc"] > 0.7


def test_copies_of_all_training_rows_give_the_reference(rng):
    train, _, test, y = three(rng, 80)
    scores = fidelity(train, y, train, y, test, y, rng)
    assert (scores["exact_copies"], scores["dcr_ratio"], scores["dcr_closer"]) == (1, 0, 1)
    for name in ("wasserstein", "correlation_error"):
        assert scores[name] == pytest.approx(scores[f"{name}_real"])


def test_rows_from_far_away_are_never_closer(rng):
    train, new, test, y = three(rng)
    scores = fidelity(train, y, new + 50, y, test, y, rng)
    assert scores["dcr_closer"] == 0
    assert scores["two_sample_auroc"] == 1
    # duplicates among the real rows: the median is 0, the chance is still known
    same = fidelity(train, y, new, y, train, y, rng)
    assert np.isnan(same["dcr_ratio"])
    assert same["dcr_closer"] == 0


def test_categories_and_mixed_pairs(rng):
    n = 200
    y = np.zeros(n, dtype=int)

    def table(codes, numbers):
        return np.hstack([numbers[:, None], one_hot(codes, 3), one_hot(np.zeros(n, dtype=int), 1)])

    codes = [rng.integers(3, size=n) for _ in range(3)]
    X = [table(c, (c == 1) + rng.normal(0, 0.5, n)) for c in codes]
    like = fidelity(X[0], y, X[1], y, X[2], y, rng, [3, 1])
    assert like["total_variation"] < 0.1
    assert like["correlation_error"] < 0.12
    # the category no longer goes with the number
    broken = table(codes[1], rng.permutation(X[1][:, 0]))
    assert fidelity(X[0], y, broken, y, X[2], y, rng, [3, 1])["correlation_error"] > 0.3
    # only one category: a third of the mass is right in the first column, all of it in the second
    one = table(np.zeros(n, dtype=int), X[1][:, 0])
    share = (codes[2] == 0).mean()
    assert fidelity(X[0], y, one, y, X[2], y, rng, [3, 1])["total_variation"] == pytest.approx((1 - share) / 2)


def test_pairs_within_a_category_do_not_count():
    codes = np.array([0, 1, 2, 0, 1, 2])
    both = [one_hot(codes, 3), one_hot(np.array([0, 0, 0, 1, 1, 2]), 3)]
    assert np.isnan(correlation_error(both[1], both[0], np.array([0, 0, 0])))
    assert correlation_error(both[1], both[0], np.array([0, 1, 2])) > 0


def test_a_column_that_only_generated_rows_hold_constant_has_no_correlations(rng):
    test = three(rng, 200, 3)[2]
    new = test.copy()
    new[:, 0] = 0.7
    expected = np.abs(np.corrcoef(test.T)[0, 1:]).sum() * 2 / 6
    assert correlation_error(new, test, np.arange(3)) == pytest.approx(expected)
    # and one that is constant in the real rows takes no part
    assert np.isnan(correlation_error(test, np.ones_like(test), np.arange(3)))


def test_columns_that_are_constant_in_training_are_left_out_of_wasserstein(rng):
    train, new, test, y = three(rng)
    for X in (train, test):
        X[:, 0] = 0.0
    new[:, 0] = 1e6
    assert fidelity(train, y, new, y, test, y, rng)["wasserstein"] < 0.12
    all_constant = fidelity(train * 0, y, new, y, test * 0, y, rng)
    assert np.isnan(all_constant["wasserstein"])
    assert np.isnan(all_constant["correlation_error"])


@pytest.mark.parametrize("d", [1, 3, 500])
@pytest.mark.parametrize("n", [1, 2, 5, 40])
def test_few_rows_and_any_number_of_columns_give_numbers_without_a_warning(rng, n, d, recwarn):
    train, new, test, y = three(rng, n, d)
    scores = fidelity(train, y, new, y, test, y, rng)
    assert list(scores) == list(NAMES)
    # a single training row varies in no column
    assert np.isfinite(scores["wasserstein"]) == (n > 1)
    assert np.isfinite(scores["two_sample_auroc"]) == (n >= 5)
    assert np.isfinite(scores["correlation_error"]) == (n >= 5 and d > 1)
    assert not recwarn.list


def test_the_reference_does_not_depend_on_the_method(rng):
    train, new, test, y = three(rng, 900, 130)
    y = np.arange(900) % 2
    found = [
        fidelity(train, y, rows, y[: len(rows)], test, y, np.random.default_rng(3)) for rows in (new, new[:40] + 1)
    ]
    for name in ("wasserstein_real", "correlation_error_real"):
        assert found[0][name] == found[1][name]
    assert found[0]["wasserstein"] != found[1]["wasserstein"]
