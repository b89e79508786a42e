"""The interval on a fixed test set, against formulas, scikit-learn and brute force; and where it is used."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from augbench.bench.metrics import hard_metrics
from augbench.leaderboard import Predictions, Results, compare
from augbench.leaderboard import statistics as st
from augbench.leaderboard.bootstrap import RowBootstrap, count_metric, two_way_test
from augbench.leaderboard.details import dataset_detail
from augbench.leaderboard.t_tests import t_test_of
from sklearn.metrics import f1_score


def labels_of(y, share, draws, rng, k=3):
    """Right with a probability that each row has for itself, else any class."""
    own = share + rng.uniform(-0.3, 0.3, len(y))
    return np.where(rng.random((draws, len(y))) < own, y, rng.integers(0, k, (draws, len(y))))


@pytest.fixture
def drawn():
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1, 2], [60, 30, 10])
    return y, labels_of(y, 0.7, 6, rng), labels_of(y, 0.6, 6, rng)


@pytest.mark.parametrize(
    "metric", ["macro_f1", "weighted_f1", "accuracy", "balanced_accuracy", "g_mean", "recall_2", "f1_0"]
)
def test_count_metrics_are_those_of_the_bench(drawn, metric):
    y, one, _ = drawn
    rows = RowBootstrap(y, 4, samples=5)  # a class that does not occur counts as 0
    own, resampled = rows.scores(one, count_metric(metric))
    expected = [hard_metrics(y, labels, np.array([9, 5, 3, 2]))[metric] for labels in one]
    np.testing.assert_allclose(own, expected, rtol=1e-12)
    for weights, scores in zip(rows.weights.astype(int), resampled, strict=True):
        chosen = np.repeat(np.arange(len(y)), weights)
        again = [hard_metrics(y[chosen], labels[chosen], np.array([9, 5, 3, 2]))[metric] for labels in one]
        np.testing.assert_allclose(scores, again, rtol=1e-5)


def test_a_metric_of_probabilities_is_none_of_counts(drawn):
    y, one, two = drawn
    assert count_metric("auroc") is None
    with pytest.raises(ValueError, match="'auroc'"):
        st.two_way_bootstrap(y, one, two, "auroc")
    with pytest.raises(ValueError, match="same draws"):
        st.two_way_bootstrap(y, one, two[:3])
    with pytest.raises(ValueError, match=r"\(J, 100\)"):
        st.two_way_bootstrap(y, one[:, :50], two[:, :50])


def test_rows_are_drawn_within_their_class(drawn):
    y, *_ = drawn
    rows = RowBootstrap(y, samples=200)
    for code, count in enumerate(np.bincount(y)):
        assert (rows.weights[:, y == code].sum(axis=1) == count).all()
    assert rows.weights.mean() == 1
    # the variance of a multinomial count: 1 − 1/n
    assert rows.weights[:, y == 0].var() == pytest.approx(1 - 1 / 60, rel=0.05)


def test_many_rows_in_groups_give_the_same_interval(monkeypatch):
    rng = np.random.default_rng(4)
    y = np.repeat([0, 1], [3000, 120])
    one, two = labels_of(y, 0.7, 5, rng, 2), labels_of(y, 0.66, 5, rng, 2)
    in_groups = RowBootstrap(y)
    sizes = np.bincount(in_groups.units)
    assert len(sizes) == 962 + 100
    assert {tuple(np.unique(y[in_groups.units == unit])) for unit in (0, 961, 962, 1061)} == {(0,), (1,)}
    found = st.two_way_bootstrap(y, one, two, samples=4000)
    monkeypatch.setattr("augbench.leaderboard.bootstrap.MOST_UNITS", 5000)
    by_row = st.two_way_bootstrap(y, one, two, samples=4000)
    assert found.mean == by_row.mean
    assert found.high - found.low == pytest.approx(by_row.high - by_row.low, rel=0.05)
    rows = RowBootstrap(y)
    assert len(rows.weights.T) == 3120


def test_the_mean_is_that_of_the_draws_and_the_seed_decides_the_rest(drawn):
    y, one, two = drawn
    found = st.two_way_bootstrap(y, one, two)
    expected = np.mean(
        [f1_score(y, a, average="macro") - f1_score(y, b, average="macro") for a, b in zip(one, two, strict=True)]
    )
    assert found.mean == pytest.approx(expected)
    assert found == st.two_way_bootstrap(y, one, two)
    assert found != st.two_way_bootstrap(y, one, two, seed=1)
    assert found.low < found.mean < found.high
    other = st.two_way_bootstrap(y, two, one)
    assert (other.low, other.high, other.p) == pytest.approx((-found.high, -found.low, found.p))
    shuffled = np.random.default_rng(1).permutation(6)
    assert st.two_way_bootstrap(y, one[shuffled], two[shuffled]).low == pytest.approx(found.low)


def test_accuracy_against_the_formula_of_obuchowski_and_rockette(drawn):
    """For a mean over rows the covariance of two draws is known: stratified, within classes, over n − 1 less one."""
    y, one, two = drawn
    difference = (one == y).astype(float) - (two == y)
    draws, rows = difference.shape
    shared = np.zeros((draws, draws))
    for code in range(3):
        own = difference[:, y == code]
        shared += np.cov(own, ddof=0) * own.shape[1] / rows**2
    c = max(0, shared[~np.eye(draws, dtype=bool)].mean())
    between = difference.mean(axis=1).var(ddof=1) / draws
    df = (between + c) ** 2 / (between**2 / (draws - 1))
    found = st.two_way_bootstrap(y, one, two, "accuracy", samples=20_000)
    assert found.df == pytest.approx(df, rel=0.1)
    assert (found.high - found.mean) == pytest.approx(
        t_test_of(found.mean, np.sqrt(between + c), df).high - found.mean, rel=0.05
    )


def test_rows_in_common_widen_the_interval():
    """Hard rows that one method always gets right: certain for these rows, not for new ones."""
    rng = np.random.default_rng(2)
    y = np.zeros(60, dtype=int)
    y[30:] = 1
    easy = rng.random(60) < 0.6
    one = np.where(rng.random((8, 60)) < 0.95, y, 1 - y)
    two = np.where(easy & (rng.random((8, 60)) < 0.98), y, np.where(rng.random(60) < 0.5, y, 1 - y))
    both = st.two_way_bootstrap(y, one, two)
    draws = [f1_score(y, a, average="macro") - f1_score(y, b, average="macro") for a, b in zip(one, two, strict=True)]
    rows_given = st.paired_t(draws)
    assert both.mean == pytest.approx(rows_given.mean)
    assert both.high - both.low > 2 * (rows_given.high - rows_given.low)


def test_without_spread_there_is_no_interval(drawn):
    y, one, _ = drawn
    same = st.two_way_bootstrap(y, one, one)
    assert (same.mean, same.low, same.high, same.p) == (0, 0, 0, 1)
    assert np.isnan(st.two_way_bootstrap(y, one[:1], one[1:2]).low)
    assert np.isnan(two_way_test([0.1, 0.1, 0.1], np.full((5, 3), 0.1)).low)


# -- where it is used --------------------------------------------------------------------------------------------------


def few_shot(scenarios=("few-shot:shots=5",), draws=6, failed=(), asked=None):
    """Results of three methods on one data set with one test set, two classifiers."""
    rng = np.random.default_rng(3)
    y = np.repeat([0, 1], [60, 20])
    rows, stored = [], {}
    for method, share in (("none", 0.7), ("smote", 0.78), ("jitter", 0.7)):
        for scenario in scenarios:
            for classifier in ("lr", "rf"):
                labels = labels_of(y, share, draws, rng, 2)
                kept = {draw: one for draw, one in enumerate(labels) if (method, draw) not in failed}
                stored[method, scenario, classifier] = kept
                for draw in range(draws):
                    f1 = f1_score(y, kept[draw], average="macro") if draw in kept else np.nan
                    status = "ok" if draw in kept else "failed"
                    rows.append((method, "d", scenario, classifier, draw, f1, 1 - f1, status, 10, len(y)))
    columns = ["method", "dataset", "scenario", "classifier", "draw", "macro_f1", "log_loss", "status"]
    scores = pd.DataFrame(rows, columns=[*columns, "n_train", "n_test"])

    def labels(method, dataset, scenario, classifier, tuned):
        if asked is not None:
            asked.append((method, dataset, scenario, classifier))
        return stored[method, scenario, classifier]

    fixed = {("d", one) for one in scenarios if one.startswith("few-shot")}
    predictions = Predictions(fixed, lambda dataset: (y, 2), labels)
    results = Results(scores, pd.DataFrame({"method": []}), pd.DataFrame({"dataset": []}), {}, predictions)
    return results, y, stored


def test_a_fixed_test_set_has_its_interval_and_says_so():
    results, y, stored = few_shot()
    found = compare(results, classifier="lr")
    assert found.test == "two-way bootstrap over draws and test rows (one test set for all draws)"
    row = found.table.set_index("method").loc["smote"]
    one, two = (np.stack(list(stored[name, "few-shot:shots=5", "lr"].values())) for name in ("smote", "none"))
    expected = st.two_way_bootstrap(y, one, two)
    assert (row["low"], row["high"]) == pytest.approx((100 * expected.low, 100 * expected.high), rel=1e-5)
    whole = compare(results)
    assert whole.table.set_index("method").loc["smote", "p_baseline"] < 0.05
    assert dataset_detail(results, "d").test == whole.test


def test_what_predicted_classes_do_not_decide_has_the_rows_as_they_are():
    results, *_ = few_shot()
    found = compare(results, metric="log_loss", classifier="lr")
    assert found.test == "paired t-test over draws, on these test rows alone"
    rows = results.scores[results.scores["classifier"] == "lr"].pivot(index="draw", columns="method", values="log_loss")
    expected = st.paired_t(rows["smote"] - rows["none"])
    row = found.table.set_index("method").loc["smote"]
    assert (row["low"], row["high"]) == pytest.approx((100 * expected.low, 100 * expected.high))


def test_without_predictions_it_is_the_test_of_a_split_table():
    results, *_ = few_shot()
    bare = Results(results.scores, results.methods, results.datasets, {})
    assert compare(bare).test == "corrected resampled t-test (Nadeau–Bengio)"


def test_a_failed_draw_is_a_tie_on_every_resample():
    results, y, stored = few_shot(failed=[("smote", 0), ("smote", 1)])
    row = compare(results, classifier="lr").table.set_index("method").loc["smote"]
    labels = {name: dict(stored[name, "few-shot:shots=5", "lr"]) for name in ("smote", "none")}
    own = [labels["smote"].get(draw, labels["none"][draw]) for draw in range(6)]
    expected = st.two_way_bootstrap(y, np.stack(own), np.stack([labels["none"][draw] for draw in range(6)]))
    assert (row["delta"], row["low"]) == pytest.approx((100 * expected.mean, 100 * expected.low), rel=1e-5)


def test_predictions_are_read_only_where_they_are_needed():
    asked = []
    results, *_ = few_shot(asked=asked)
    many = pd.concat([results.scores.assign(dataset=f"d{i}") for i in range(6)])
    fixed = {(f"d{i}", "few-shot:shots=5") for i in range(6)}
    predictions = Predictions(fixed, results.predictions._truth, results.predictions._labels)
    compare(Results(many, results.methods, pd.DataFrame({"dataset": []}), {}, predictions))
    assert asked == []  # six data sets: the interval is over data sets
    compare(results)
    assert len(asked) == len(set(asked)) == 6


def test_scenarios_with_and_without_a_fixed_test_set_have_a_test_each():
    results, *_ = few_shot(("few-shot:shots=5", "full"))
    found = compare(results)
    assert found.test.startswith("corrected resampled t-test (Nadeau–Bengio) and two-way bootstrap")
    both = found.table.set_index("method").loc["smote"]
    parts = [
        compare(results, scenario=one).table.set_index("method").loc["smote"] for one in ("full", "few-shot:shots=5")
    ]
    assert both["delta"] == pytest.approx(np.mean([part["delta"] for part in parts]))
    # errors are added as if the parts erred together
    widths = [part["high"] - part["low"] for part in parts]
    assert min(widths) < both["high"] - both["low"] <= max(widths)


def test_a_scenario_that_is_still_to_come_takes_no_interval_away():
    results, *_ = few_shot()
    waiting = results.scores[results.scores["scenario"] == results.scores["scenario"].iloc[0]].assign(scenario="full")
    waiting[["macro_f1", "n_train", "n_test"]] = np.nan
    scores = pd.concat([results.scores, waiting.assign(status="not run", error="not run yet")])
    going_on = Results(scores, results.methods, results.datasets, {}, results.predictions)
    now, done = (compare(one) for one in (going_on, results))
    assert now.test == done.test
    columns = ["low", "high", "delta"]
    pd.testing.assert_frame_equal(now.table[columns], done.table[columns])
    assert not any("n_train" in line for line in now.warnings)


def test_another_method_never_changes_an_interval():
    results, *_ = few_shot()
    part = results.scores[results.scores["method"] != "jitter"]
    fewer = Results(part, results.methods, results.datasets, {}, results.predictions)
    columns = ["method", "delta", "low", "high", "p_baseline"]
    expected = compare(results).table
    expected = expected[expected["method"] != "jitter"][columns].reset_index(drop=True)
    pd.testing.assert_frame_equal(compare(fewer).table[columns], expected)
