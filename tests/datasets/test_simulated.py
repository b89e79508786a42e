import hashlib

import numpy as np
import pandas as pd
import pytest
from augbench.datasets import SimulatedDataset, Table, make
from augbench.datasets.simulated import (
    LogisticSimulation,
    MixedSimulation,
    RingsSimulation,
    ThreeClassSimulation,
    published_logistic_data,
)
from augbench.errors import InputError

PUBLISHED = {  # SPEC section 4, seed 50
    "X_train": "40f014a25c4598a1d117d445c36d456e9b3744257c0162dab1d04e7e94604242",
    "y_train": "4091c17ef689b5caec9a7e5c98623faff0f108e194b4760b5130203f4ed8efc6",
    "X_test": "ef6107cdf00b52ac6e2b69ffd1cb8e1f92df1ddc3cc4b88f574bcc19335b4128",
    "y_test": "0b14819067e3c174beac059a3ddad60bfeb030395dbe42835f24731338c5795d",
    "kept": "93ec882e8459525381666f5345b323a5083663a98b811a68bd2acf08b165e21a",
    "oversampled": "e9d1926ea79a0df5a8283d73d721c70a9beaeb2396080c73f1bc8300dbf78152",
}
SIMULATED = [LogisticSimulation, RingsSimulation, MixedSimulation, ThreeClassSimulation]


@pytest.fixture(scope="module")
def published():
    return published_logistic_data(50)


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_bytes(published, name: str) -> None:
    array = getattr(published, name)
    little = np.ascontiguousarray(array, dtype="<f8" if array.dtype.kind == "f" else "<i8")
    assert hashlib.sha256(little.tobytes()).hexdigest() == PUBLISHED[name]


def test_published_counts(published) -> None:
    assert (published.y_test == 0).sum() == 9996
    assert len(published.kept) == 20
    assert (published.y_train[published.kept] == 1).all()
    assert len(published.oversampled) == published.y_train.sum()
    assert published.oversampled.max() < 20


def test_r_seed_gives_the_published_draw(published) -> None:
    dataset = make("logistic-simulation", seed="R:50")
    assert isinstance(dataset, SimulatedDataset)
    draw = dataset.sample(np.random.default_rng(9), 0)
    np.testing.assert_array_equal(draw.train.X.to_numpy(), published.X_train)
    np.testing.assert_array_equal(draw.test.y, published.y_test)
    np.testing.assert_array_equal(draw.keep_order[1][:20], published.kept)
    assert sorted(draw.keep_order[1]) == np.flatnonzero(published.y_train == 1).tolist()


def test_r_draw_is_the_next_seed() -> None:
    later = LogisticSimulation(500, 100, seed="R:50").sample(np.random.default_rng(0), 3)
    other = published_logistic_data(53, keep=0.1, n_train=500, n_test=100)
    np.testing.assert_array_equal(later.train.X.to_numpy(), other.X_train)
    np.testing.assert_array_equal(later.keep_order[1][: len(other.kept)], other.kept)


def test_a_repeated_draw_is_that_of_the_seed() -> None:
    repeated = LogisticSimulation(300, 10, seed="R:7", repeat=True)
    first, third = (repeated.sample(np.random.default_rng(draw), draw) for draw in (0, 2))
    once = LogisticSimulation(300, 10, seed="R:7").sample(np.random.default_rng(0), 0)
    for one in (first, third):
        np.testing.assert_array_equal(one.train.X.to_numpy(), once.train.X.to_numpy())
        np.testing.assert_array_equal(one.keep_order[1], once.keep_order[1])


def test_scale_moves_the_features_only() -> None:
    whole = LogisticSimulation(300, 10, seed="R:1").sample(np.random.default_rng(0), 0).train
    half = LogisticSimulation(300, 10, scale=0.5, seed="R:1").sample(np.random.default_rng(0), 0).train
    np.testing.assert_array_equal(half.X.to_numpy(), whole.X.to_numpy() / 2)
    moved = LogisticSimulation(300, 10, scale=2, shift=-1, seed="R:1").sample(np.random.default_rng(0), 0).train
    np.testing.assert_array_equal(moved.X.to_numpy(), 2 * whole.X.to_numpy() - 1)
    np.testing.assert_array_equal(moved.posterior, whole.posterior)
    np.testing.assert_array_equal(half.y, whole.y)
    np.testing.assert_array_equal(half.posterior, whole.posterior)


def test_bayes_scores_of_the_logistic_simulation() -> None:
    from sklearn.metrics import log_loss, roc_auc_score

    test = LogisticSimulation(2, 1_000_000).sample(np.random.default_rng(1), 0).test
    right = test.posterior.argmax(axis=1) == test.y
    assert 100 * right.mean() == pytest.approx(73.674, abs=0.15)
    assert 100 * right[test.y == 1].mean() == pytest.approx(73.674, abs=0.25)
    assert 100 * right[test.y == 0].mean() == pytest.approx(73.674, abs=0.25)
    assert roc_auc_score(test.y, test.posterior[:, 1]) == pytest.approx(0.81497, abs=0.0015)
    assert log_loss(test.y, test.posterior) == pytest.approx(0.52496, abs=0.0015)


@pytest.mark.parametrize("kind", SIMULATED)
def test_table_form(kind: type) -> None:
    dataset = kind(n_train=300, n_test=200)
    info = dataset.info
    draw = dataset.sample(np.random.default_rng(0), 0)
    again = dataset.sample(np.random.default_rng(0), 5)
    for table, n in ((draw.train, 300), (draw.test, 200)):
        assert table.X.index.equals(pd.RangeIndex(n))
        assert table.y.dtype == np.int64
        assert table.posterior.shape == (n, len(info.classes))
        np.testing.assert_allclose(table.posterior.sum(axis=1), 1.0)
        assert sum(dtype == np.float64 for dtype in table.X.dtypes) == info.n_numeric
        assert sum(isinstance(dtype, pd.CategoricalDtype) for dtype in table.X.dtypes) == info.n_categorical
    assert draw.keep_order == {}
    pd.testing.assert_frame_equal(draw.train.X, again.train.X)  # only the generator decides
    assert not draw.train.X.iloc[:200].equals(draw.test.X)
    assert info.n_rows == 300
    assert (info.name, info.group) == (kind.name, "simulated")


@pytest.mark.parametrize("kind", SIMULATED)
def test_class_counts_are_the_expected_ones(kind: type) -> None:
    dataset = kind(n_train=200_000, n_test=2)
    found = np.bincount(dataset.sample(np.random.default_rng(4), 0).train.y)
    expected = np.array(dataset.info.class_counts)
    assert (np.abs(found - expected) < 5 * np.sqrt(expected)).all()


def worst_calibration(y: np.ndarray, posterior: np.ndarray) -> float:
    """Return the largest standardised gap between predicted and found frequency, over 20 bins of each class."""
    worst = 0.0
    for k in range(posterior.shape[1]):
        p = posterior[:, k]
        edges = np.quantile(p, np.linspace(0, 1, 21)[1:-1])
        bins = np.searchsorted(edges, p)
        for b in range(20):
            chosen = bins == b
            variance = (p[chosen] * (1 - p[chosen])).sum()
            if variance > 5:
                worst = max(worst, abs((y[chosen] == k).sum() - p[chosen].sum()) / np.sqrt(variance))
    return worst


def big_table(kind: type) -> Table:
    return kind(n_train=2, n_test=100_000).sample(np.random.default_rng(11), 0).test


@pytest.mark.parametrize("kind", SIMULATED)
def test_posterior_is_calibrated(kind: type) -> None:
    table = big_table(kind)
    assert worst_calibration(table.y, table.posterior) < 4.5


@pytest.mark.parametrize("kind", SIMULATED)
def test_calibration_check_notices_a_wrong_posterior(kind: type) -> None:
    table = big_table(kind)
    shuffled = table.posterior[np.random.default_rng(0).permutation(len(table.y))]
    assert worst_calibration(table.y, shuffled) > 20
    tilted = table.posterior**1.1
    assert worst_calibration(table.y, tilted / tilted.sum(axis=1, keepdims=True)) > 4.5


@pytest.mark.parametrize("kind", SIMULATED)
def test_posterior_says_all_that_the_features_say(kind: type) -> None:
    """Calibrated is not enough (the class shares are): no classifier on the features may beat the Bayes rule."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.metrics import log_loss

    draw = kind(n_train=20_000, n_test=20_000).sample(np.random.default_rng(2), 0)
    model = HistGradientBoostingClassifier(categorical_features="from_dtype", max_iter=60, random_state=0)
    learned = model.fit(draw.train.X, draw.train.y).predict_proba(draw.test.X)
    bayes = log_loss(draw.test.y, draw.test.posterior)
    shares = log_loss(draw.test.y, np.tile(np.bincount(draw.train.y) / 20_000, (20_000, 1)))
    assert bayes < log_loss(draw.test.y, learned) < (bayes + shares) / 2 + 0.02


def test_no_line_helps_on_rings() -> None:
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score

    draw = RingsSimulation(20_000, 20_000).sample(np.random.default_rng(0), 0)
    linear = LogisticRegression().fit(draw.train.X, draw.train.y).predict_proba(draw.test.X)[:, 1]
    assert roc_auc_score(draw.test.y, linear) < 0.55
    assert roc_auc_score(draw.test.y, draw.test.posterior[:, 1]) > 0.95
    near_midpoint = (draw.test.X[["x1", "x2"]] - 0.5).abs().max(axis=1) < 0.05
    assert draw.test.posterior[near_midpoint, 1].max() < 0.25


def test_rarer_with_offset() -> None:
    assert RingsSimulation(offset=6.0).info.class_counts[1] < RingsSimulation(offset=0.0).info.class_counts[1]
    assert MixedSimulation(intercept=-6.0).info.class_counts[1] < MixedSimulation().info.class_counts[1] / 3


def test_content_hash_follows_the_parameters() -> None:
    datasets = [
        LogisticSimulation(),
        LogisticSimulation(n_train=100),
        LogisticSimulation(scale=0.5),
        LogisticSimulation(seed="R:50"),
        RingsSimulation(),
        RingsSimulation(offset=1.0),
        MixedSimulation(),
    ]
    hashes = {dataset.info.content_hash for dataset in datasets}
    assert len(hashes) == len(datasets)
    assert RingsSimulation(offset=3).info.content_hash == RingsSimulation().info.content_hash


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: LogisticSimulation(n_train=1), "n_train must be an integer from 2, not 1"),
        (lambda: RingsSimulation(n_test=2.5), "n_test must be an integer from 2, not 2.5"),
        (lambda: LogisticSimulation(scale=0.0), "scale must be a positive number"),
        (lambda: LogisticSimulation(repeat=True), "repeat needs a seed"),
        (lambda: LogisticSimulation(shift=float("nan")), "shift must be a number"),
        (lambda: LogisticSimulation(seed="50"), "\"R:50\".*not '50'"),
        (lambda: LogisticSimulation(seed=50), '"R:50".*not 50'),
        (lambda: published_logistic_data(50, keep=0.0), "keep must lie"),
        (lambda: published_logistic_data(50, keep=0.0005, n_train=100, n_test=2), "leaves none of the"),
    ],
)
def test_bad_parameters(call, words: str) -> None:
    with pytest.raises(InputError, match=words):
        call()
