"""The predictive VAE: which rows are made, of what, what its head learns, and scikit-learn's rules for both forms."""

import pickle

import numpy as np
import pandas as pd
import pytest
from augbench.errors import InputError
from augbench.methods.neural import networks, training
from augbench.methods.neural.predictive import (
    PredictiveVAE,
    PredictiveVAEPublished,
    select_rows,
)
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, balanced_accuracy_score

BOTH = (PredictiveVAE, PredictiveVAEPublished)
SHORT = {PredictiveVAE: {"steps": 30}, PredictiveVAEPublished: {"epochs": 2}}
PARTS = ["model", "step", "loss", "reconstruction", "kl", "prediction", "accuracy"]
#: distance between the latent means of two rows
APART = 1000.0


def two_classes(many=90, few=12, minority=1, seed=0):
    """Rows in [0, 1]: the majority below 0.4 in every column, the minority above 0.6."""
    rng = np.random.default_rng(seed)
    y = rng.permutation(np.repeat([1 - minority, minority], [many, few]))
    return pd.DataFrame(0.4 * rng.random((len(y), 4)) + 0.6 * (y == minority)[:, None], columns=list("abcd")), y


def three_classes(sizes=(120, 40, 60), seed=0):
    """Clusters far apart in two numbers, and a category that mostly goes with the class."""
    rng = np.random.default_rng(seed)
    y = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    centres = np.array([[0.0, 0.0], [10.0, 0.0], [5.0, 9.0]])
    X = pd.DataFrame(centres[y] + rng.standard_normal((len(y), 2)), columns=["a", "b"])
    X.insert(1, "hue", pd.Categorical(np.array(["red", "blue", "grey"])[np.where(rng.random(len(y)) < 0.9, y, 0)]))
    return X, y, centres


def new_rows(method, X, y, label):
    X_new, y_new = method.fit_resample(X, y)
    pd.testing.assert_frame_equal(X_new.iloc[: len(y)], X)
    assert np.array_equal(y_new[: len(y)], y)
    return X_new.iloc[len(y) :][y_new[len(y) :] == label]


def are_rows_of(rows, X):
    known = {tuple(row) for row in X.to_numpy()}
    return np.array([tuple(row) in known for row in rows.to_numpy()])


def trained_sets(monkeypatch):
    """The training sets handed to `train` from now on."""
    seen = []
    original = training.train

    def spy(build, sets, schedule):
        seen.extend(sets)
        return original(build, sets, schedule)

    monkeypatch.setattr(training, "train", spy)
    return seen


# --- the choice of rows


def test_window_takes_scores_between_the_quantiles_only():
    rng = np.random.default_rng(0)
    scores = rng.permutation(np.linspace(0, 1, 201) ** 3)
    found = select_rows(scores, 60, "window", (0.2, 0.7), np.random.default_rng(1))
    inside = (scores >= np.quantile(scores, 0.2)) & (scores <= np.quantile(scores, 0.7))
    assert inside[found].all()
    assert len(set(found)) == 60
    # at random: from all over the window, and not the same rows for another generator
    assert scores[found].min() < np.quantile(scores, 0.25)
    assert scores[found].max() > np.quantile(scores, 0.65)
    other = select_rows(scores, 60, "window", (0.2, 0.7), np.random.default_rng(2))
    assert set(found) != set(other)
    everything = select_rows(scores, inside.sum(), "window", (0.2, 0.7), rng)
    assert set(everything) == set(np.flatnonzero(inside))
    more = select_rows(scores, 500, "window", (0.2, 0.7), rng)
    assert len(more) == 500
    assert inside[more].all()


def test_uncertain_takes_the_scores_closest_to_a_half():
    scores = np.random.default_rng(0).random(100)
    found = select_rows(scores, 17, "uncertain", (0.9, 1.0), np.random.default_rng(0))
    assert len(set(found)) == 17
    left = np.setdiff1d(np.arange(100), found)
    assert np.abs(scores[found] - 0.5).max() < np.abs(scores[left] - 0.5).min()
    # each twice before one is taken three times, the most uncertain first
    more = select_rows(np.array([0.1, 0.6, 0.45]), 7, "uncertain", (0.0, 1.0), np.random.default_rng(0))
    assert np.bincount(more).tolist() == [2, 2, 3]


def test_all_takes_any():
    scores = np.linspace(0, 1, 50)
    found = select_rows(scores, 50, "all", (0.4, 0.6), np.random.default_rng(0))
    assert sorted(found) == list(range(50))
    some = select_rows(scores, 20, "all", (0.4, 0.6), np.random.default_rng(0))
    assert len(set(some)) == 20
    assert scores[some].min() < 0.3
    assert scores[some].max() > 0.7
    more = select_rows(scores, 400, "all", (0.4, 0.6), np.random.default_rng(0))
    assert len(more) == 400
    assert set(more) == set(range(50))


# --- the predictive VAE put right


def predictive(**params):
    return PredictiveVAE(**{"steps": 500, "learning_rate": 1e-2, "random_state": 0, **params})


def test_rows_of_three_classes_on_mixed_columns_are_like_their_own():
    X, y, centres = three_classes()
    method = predictive(w_rec=10.0, sampling_strategy={0: 320, 1: 240, 2: 260})
    X_new, y_new = method.fit_resample(X, y)
    new, labels = X_new.iloc[len(y) :], y_new[len(y) :]
    assert np.bincount(labels).tolist() == [200, 200, 200]
    assert X_new.dtypes.equals(X.dtypes)
    distance = np.linalg.norm(new[["a", "b"]].to_numpy()[:, None] - centres, axis=2)
    hues = np.array(["red", "blue", "grey"])
    for c in range(3):
        assert np.mean(distance[labels == c].argmin(axis=1) == c) > 0.95
        assert np.mean(new["hue"][labels == c] == hues[c]) > 0.75
    (network,) = method.networks_
    encoded = method.encoder_.encode(new)
    assert np.mean(network.probabilities(encoded).argmax(axis=1) == labels) > 0.9


def test_new_rows_are_draws_from_the_posteriors_of_the_class_each_row_as_often(monkeypatch):
    asked = []
    rows = networks.PredictiveVAE.rows

    def posterior(self, x, y):
        return np.repeat(APART * np.arange(len(x))[:, None], 2, axis=1), np.full((len(x), 2), [2.0, 5.0])

    def spy(self, z, y):
        asked.append((z, y))
        return rows(self, z, y)

    monkeypatch.setattr(networks.PredictiveVAE, "posterior", posterior)
    monkeypatch.setattr(networks.PredictiveVAE, "rows", spy)
    X, y, _ = three_classes((60, 20, 10))
    predictive(steps=2, sampling_strategy={0: 60, 1: 120, 2: 110}).fit_resample(X, y)
    assert len(asked) == 2
    for c, (z, codes) in zip((1, 2), asked, strict=True):
        source = np.round(z[:, 0] / APART).astype(int)
        assert len(z) == 100
        assert (codes == c).all()
        assert np.bincount(source, minlength=len(y)).tolist() == [
            100 // np.count_nonzero(y == c) if label == c else 0 for label in y
        ]
        assert (z - APART * source[:, None]).std(axis=0) == pytest.approx([2.0, 5.0], rel=0.25)


@pytest.mark.parametrize(("rate", "candidates"), [(0.6, 74), (1.0, 44)])
@pytest.mark.parametrize("selection", ["all", "window", "uncertain"])
def test_selection_looks_at_the_score_of_the_wanted_class(monkeypatch, selection, rate, candidates):
    decoded = []

    def probabilities(self, rows):
        decoded.append(rows)
        return np.stack([rows[:, 0], rows[:, 1]], axis=1)

    def rows(self, z, y):
        return np.random.default_rng(len(z) + y[0]).random((len(z), 4))

    monkeypatch.setattr(networks.PredictiveVAE, "probabilities", probabilities)
    monkeypatch.setattr(networks.PredictiveVAE, "rows", rows)
    X, y = two_classes(many=60, few=20)
    method = predictive(
        steps=2, selection=selection, selection_rate=rate, lower=0.5, upper=0.9, sampling_strategy={0: 104, 1: 64}
    )
    for c in range(2):
        decoded.clear()
        new = new_rows(method, X, y, c)
        made = decoded[c]
        assert len(new) == 44
        # a window of 0.4 of the candidates has to hold enough of them
        window = 1 + int(np.ceil(44 / (rate * 0.4)))
        assert len(made) == {"all": 44, "uncertain": candidates, "window": window}[selection]
        table = method.encoder_.decode(made)
        found = are_rows_of(table, new)
        scores = made[:, c]
        if selection == "all":
            assert found.all()
        elif selection == "window":
            assert found.sum() == 44
            assert (scores[found] >= np.quantile(scores, 0.5)).all()
            assert (scores[found] <= np.quantile(scores, 0.9)).all()
        else:
            assert set(np.flatnonzero(found)) == set(np.abs(scores - 0.5).argsort()[:44])


def test_uncertain_rows_are_less_sure_than_any():
    X, y = overlapping()

    def doubt(selection):
        method = predictive(selection=selection, selection_rate=0.3, w_pred=1.0, sampling_strategy={1: 800})
        new = new_rows(method, X, y, 1)
        return np.abs(method.networks_[0].probabilities(method.encoder_.encode(new))[:, 1] - 0.5).mean()

    assert doubt("uncertain") < 0.7 * doubt("all")


def overlapping(sizes=(1200, 400), seed=0):
    """Two normals in three columns, 1.8 standard deviations apart."""
    rng = np.random.default_rng(seed)
    y = rng.permutation(np.repeat([0, 1], sizes))
    return pd.DataFrame(rng.standard_normal((len(y), 3)) + 1.04 * y[:, None], columns=list("abc")), y


def head_and_logistic(method, X, y):
    """What the head predicts, and a logistic regression on the head's own input."""
    (network,) = method.networks_
    mean, _ = network.posterior(method.encoder_.encode(X), y)
    rows = network.rows(mean, y)
    weights = "balanced" if method.balance else None
    other = LogisticRegression(C=1e4, max_iter=2000, class_weight=weights).fit(rows, y)
    return network.probabilities(rows).argmax(axis=1), other.predict(rows)


@pytest.mark.parametrize(("balance", "score"), [(True, balanced_accuracy_score), (False, accuracy_score)])
def test_the_head_is_as_good_as_a_logistic_regression_on_its_input(balance, score):
    X, y = overlapping()
    method = predictive(balance=balance, w_pred=1.0, steps=1000, learning_rate=5e-3, batch_size=200)
    method.fit_resample(X, y)
    mine, other = head_and_logistic(method, X, y)
    assert score(y, other) > 0.78
    assert score(y, mine) > score(y, other) - 0.02
    # the majority is preferred only where the batches have more of it
    assert np.mean(mine == 1) == pytest.approx(np.mean(other == 1), abs=0.08)
    assert (np.mean(mine == 1) > 0.26) == balance


def test_without_weight_the_head_stays_as_it_was():
    X, y = overlapping()
    method = predictive(w_pred=0.0)
    method.fit_resample(X, y)
    (network,) = method.networks_
    assert (network.head.bias == 0).all()
    mine, other = head_and_logistic(method, X, y)
    assert balanced_accuracy_score(y, other) > 0.7
    assert method.training_history_["prediction"].iloc[-1] > 0.55
    assert balanced_accuracy_score(y, mine) < 0.65


@pytest.mark.parametrize("weights", [(1.0, 0.001, 0.1), (2.0, 0.5, 0.3), (0.0, 0.0, 1.0)])
def test_loss_is_the_weighted_sum_of_its_parts(weights):
    X, y, _ = three_classes()
    w_rec, w_kl, w_pred = weights
    method = predictive(steps=200, w_rec=w_rec, w_kl=w_kl, w_pred=w_pred, dtype="float64")
    method.fit_resample(X, y)
    history = method.training_history_
    assert history.columns.tolist() == PARTS
    total = w_rec * history["reconstruction"] + w_kl * history["kl"] + w_pred * history["prediction"]
    np.testing.assert_allclose(history["loss"], total, rtol=1e-12)
    assert history["loss"].iloc[-1] < history["loss"].iloc[0]
    assert history["accuracy"].between(0, 1).all()


def test_balance_decides_what_a_batch_is_drawn_from(monkeypatch):
    seen = trained_sets(monkeypatch)
    X, y, _ = three_classes((60, 20, 25))
    for balance in (True, False):
        predictive(steps=1, balance=balance).fit_resample(X, y)
    assert np.bincount(y[seen[0].pool]).tolist() == [60, 60, 60]
    assert set(seen[0].pool) == set(range(105))
    assert seen[1].pool.tolist() == list(range(105))
    assert np.array_equal(seen[0].y, y)


def test_early_reconstructions_are_those_of_every_row():
    X, y, centres = three_classes()
    method = predictive(steps=2000, w_rec=10.0, keep_early=True)
    method.fit_resample(X, y)
    (early,) = method.early_reconstructions_
    assert early.index.tolist() == list(range(len(y)))
    distance = np.linalg.norm(early[["a", "b"]].to_numpy()[:, None] - centres, axis=2)
    assert np.mean(distance.argmin(axis=1) == y) > 0.8


# --- scikit-learn's rules


@pytest.mark.parametrize("cls", BOTH)
def test_every_form_of_random_state(cls):
    X, y = two_classes()

    def rows(state):
        return cls(**SHORT[cls], random_state=state).fit_resample(X, y)[0].to_numpy()

    one = rows(3)
    assert np.array_equal(one, rows(3))
    assert not np.array_equal(one, rows(4))
    assert np.array_equal(one, rows(np.random.default_rng(3)))
    assert np.array_equal(rows(np.random.RandomState(3)), rows(np.random.RandomState(3)))
    assert not np.array_equal(rows(None), rows(None))
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    rows(None)
    assert np.array_equal(before, np.random.get_state()[1])  # noqa: NPY002


@pytest.mark.parametrize("cls", BOTH)
def test_clone_set_params_and_pickle(cls):
    X, y = two_classes()
    method = cls(**SHORT[cls], selection="uncertain", selection_rate=0.4, lower=0.1, random_state=0)
    first = method.fit_resample(X, y)[0]
    assert clone(method).get_params() == method.get_params()
    assert method.get_params()["selection_rate"] == 0.4
    assert not hasattr(clone(method), "networks_")
    again = pickle.loads(pickle.dumps(method))
    pd.testing.assert_frame_equal(again.training_history_, method.training_history_)
    for other in (clone(method), again):
        pd.testing.assert_frame_equal(other.fit_resample(X, y)[0], first, check_exact=True)
    changed = clone(method).set_params(selection="window", lower=0.7)
    assert (changed.selection, changed.lower, method.lower) == ("window", 0.7, 0.1)
    assert not changed.fit_resample(X, y)[0].equals(first)


SELECTION_ERRORS = [
    ({"lower": 0.5, "upper": 0.5}, "quantiles must have 0 <= lower < upper <= 1; found 0.5 and 0.5"),
    ({"lower": 0.7, "upper": 0.2}, "found 0.7 and 0.2"),
    ({"lower": -0.1}, "found -0.1 and 1.0"),
    ({"upper": 1.1}, "found 0.0 and 1.1"),
    ({"lower": np.nan}, "found nan and 1.0"),
    ({"selection_rate": 0}, "selection_rate must be above 0 and at most 1; found 0"),
    ({"selection_rate": 1.5}, "selection_rate must be above 0 and at most 1; found 1.5"),
    ({"selection": "windows"}, "window, uncertain; found 'windows'"),
    ({"latent_dim": 0}, "latent_dim must be a whole number, at least 1; found 0"),
    ({"batch_size": 0}, "batch_size must be a whole number, at least 1; found 0"),
]


@pytest.mark.parametrize(
    ("cls", "params", "words"),
    [(cls, *case) for cls in BOTH for case in SELECTION_ERRORS]
    + [
        (PredictiveVAE, {"w_kl": -1e-3}, "w_kl must be 0 or more; found -0.001"),
        (PredictiveVAE, {"w_rec": -1}, "must be 0 or more; found -1"),
        (PredictiveVAE, {"w_pred": -1}, "w_pred must be 0 or more; found -1"),
        (PredictiveVAE, {"steps": 0}, "steps must be a whole number, at least 1; found 0"),
        (PredictiveVAEPublished, {"epochs": 0}, "epochs must be a whole number, at least 1; found 0"),
        (PredictiveVAEPublished, {"hidden": 0}, "hidden must be a whole number, at least 1; found 0"),
        (PredictiveVAEPublished, {"preset": "untraind"}, "unknown preset 'untraind': did you mean 'untrained'"),
        (PredictiveVAEPublished, {"preset": "0,0,2"}, "unknown preset '0,0,2': did you mean '0,0,1'"),
    ],
)
def test_parameters_are_checked(cls, params, words):
    X, y = two_classes()
    with pytest.raises(InputError, match=words):
        cls(**params).fit_resample(X, y)
