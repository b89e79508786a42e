"""The predictive VAE and its published form: which rows are made, of what, and what the head learns."""

import pickle

import numpy as np
import pandas as pd
import pytest
from augbench.errors import InputError
from augbench.methods.neural import networks, training
from augbench.methods.neural.predictive import (
    PRESETS,
    PredictiveVAE,
    PredictiveVAEPublished,
    published_units,
    select_rows,
)
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, balanced_accuracy_score

BOTH = (PredictiveVAE, PredictiveVAEPublished)
SHORT = {PredictiveVAE: {"steps": 30}, PredictiveVAEPublished: {"epochs": 2}}
PARTS = ["model", "step", "loss", "reconstruction", "kl", "prediction", "accuracy"]
#: a mark on reconstructions, to be told from copies
MARK = 1000.0


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


def marked_reconstructions(monkeypatch):
    """Let the published network give its input, marked; scores rise evenly. Returns what it is asked."""
    calls = []

    def reconstruct(self, x, epsilon):
        calls.append((x, epsilon))
        return MARK + x, np.linspace(0, 1, len(x))

    monkeypatch.setattr(networks.PublishedPredictiveVAE, "reconstruct", reconstruct)
    return calls


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


# --- the published form


@pytest.mark.parametrize("minority", [0, 1])
@pytest.mark.parametrize(("rate", "reconstructed"), [(0.6, 33), (1.0, 40), (0.1, 10)])
def test_published_amounts_of_reconstructions_and_copies(monkeypatch, minority, rate, reconstructed):
    """60 new rows: 2s/(1 + 2s) are 32.7, 40 and 10."""
    calls = marked_reconstructions(monkeypatch)
    X, y = two_classes(minority=minority)
    method = PredictiveVAEPublished(
        selection_rate=rate, sampling_strategy={minority: 72, 1 - minority: 115}, random_state=0
    )
    new = new_rows(method, X, y, minority)
    assert len(new) == 60
    marked = (new > MARK / 2).all(axis=1)
    assert marked.sum() == reconstructed
    few, many = X[y == minority], X[y != minority]
    assert are_rows_of(new[~marked], few).all()
    # reconstructions are those of rows of both classes, as many of each went in
    source = (new[marked] - MARK).to_numpy()
    assert 0.2 < np.mean(source[:, 0] < 0.5) < 0.8
    for asked, _ in calls:
        assert are_rows_of(pd.DataFrame(asked), X).all()
        low = asked[:, 0] < 0.5
        assert low.sum() == (~low).sum() == len(many)
        assert len(np.unique(asked[low], axis=0)) == len(many)
        # in random order, since one epsilon is shared by neighbours
        assert 0.2 < low[: len(many)].mean() < 0.8
    copies = new_rows(method, X, y, 1 - minority)
    assert len(copies) == 25
    assert are_rows_of(copies, many).all()


def test_published_rows_are_no_copies_where_they_are_reconstructed():
    X, y = two_classes()
    method = PredictiveVAEPublished(preset="1,-0.5,0", sampling_strategy={1: 112, 0: 120}, random_state=0)
    new = new_rows(method, X, y, 1)
    known = are_rows_of(new, X[y == 1])
    assert known.sum() == 100 - round(1.2 / 2.2 * 100)
    assert not are_rows_of(new[~known], X).any()
    assert are_rows_of(new_rows(method, X, y, 0), X[y == 0]).all()


def test_published_selection_follows_the_score(monkeypatch):
    calls = marked_reconstructions(monkeypatch)
    X, y = two_classes()

    def chosen(**params):
        calls.clear()
        method = PredictiveVAEPublished(sampling_strategy={1: 52}, random_state=0, **params)
        new = new_rows(method, X, y, 1)
        source = {tuple(row) for row in new[(new > MARK / 2).all(axis=1)].to_numpy()}
        # rows of the minority were put in more than once: any of their scores may be meant
        (asked, _), *_ = calls
        return [
            np.flatnonzero([tuple(row) == one for row in MARK + asked]) / (len(asked) - 1) for one in sorted(source)
        ]

    assert all((scores >= 0.8).any() for scores in chosen(lower=0.8))
    assert all((scores <= 0.3).any() for scores in chosen(upper=0.3))
    assert all((np.abs(scores - 0.5) < 0.1).any() for scores in chosen(selection="uncertain"))
    assert not all((np.abs(scores - 0.5) < 0.1).any() for scores in chosen())


def test_published_epsilon_is_one_for_each_32_rows(monkeypatch):
    calls = marked_reconstructions(monkeypatch)
    X, y = two_classes(many=500, few=20)
    PredictiveVAEPublished(latent_dim=3, random_state=0).fit_resample(X, y)
    ((rows, epsilon),) = calls
    assert epsilon.shape == (1000, 3)
    assert len(rows) == 1000
    assert (epsilon == epsilon[np.arange(1000) // 32 * 32]).all()
    drawn = epsilon[::32]
    assert len(np.unique(drawn)) == drawn.size == 96
    # standard normal: the network itself makes it 0.1
    assert abs(drawn.mean()) < 0.35
    assert 0.8 < drawn.std() < 1.25


@pytest.mark.parametrize("minority", [0, 1])
def test_published_training_set(monkeypatch, minority):
    seen = trained_sets(monkeypatch)
    X, y = two_classes(many=200, few=15, minority=minority)
    PredictiveVAEPublished(random_state=0).fit_resample(X, y)
    (one,) = seen
    np.testing.assert_array_equal(one.x, X.to_numpy())
    # the head's "1" is the minority
    assert np.array_equal(one.y, y == minority)
    times = np.bincount(one.pool, minlength=len(y))
    assert (times[y != minority] == 1).all()
    assert times[y == minority].sum() == 200
    # drawn, not dealt
    assert times[y == minority].std() > 1


@pytest.mark.parametrize(("many", "epochs", "steps"), [(160, 3, 6), (161, 3, 9), (30, 4, 4), (200, 1, 3)])
def test_published_number_of_steps(many, epochs, steps):
    X, y = two_classes(many=many)
    method = PredictiveVAEPublished(epochs=epochs, random_state=0)
    method.fit_resample(X, y)
    assert method.training_history_["step"].max() == steps


@pytest.mark.parametrize("preset", PRESETS)
def test_published_presets(monkeypatch, preset):
    seen = trained_sets(monkeypatch)
    calls = []
    original = networks.PublishedPredictiveVAE.reconstruct

    def spy(self, x, epsilon):
        calls.append((x, epsilon))
        return original(self, x, epsilon)

    monkeypatch.setattr(networks.PublishedPredictiveVAE, "reconstruct", spy)
    X, y = two_classes(many=300)
    method = PredictiveVAEPublished(preset=preset, epochs=3, dtype="float64", random_state=0)
    new = new_rows(method, X, y, 1)
    new = new[~are_rows_of(new, X)]
    assert len(new) == round(1.2 / 2.2 * 288)
    (network,) = method.networks_
    shape = networks.Shape(4, (), 2, (10, 10), "mse")
    weights = PRESETS[preset][0]
    start = networks.PublishedPredictiveVAE([np.random.default_rng([0, seen[0].seed])], shape, weights)
    same = [bool((a == b).all()) for a, b in zip(network.parameters(), start.parameters(), strict=True)]
    if preset == "untrained":
        assert all(same)
        assert len(method.training_history_) == 0
        assert new.to_numpy().min() > 0.35
        assert new.to_numpy().max() < 0.65
        assert are_rows_of(new, pd.DataFrame(original(start, *calls[0])[0])).all()
        return
    assert not any(same[:4])
    history = method.training_history_
    assert history.columns.tolist() == PARTS
    # the name says the weights
    w_rec, w_kl, w_pred = (float(one) for one in preset.split(","))
    total = w_rec * history["reconstruction"] + w_kl * history["kl"] + w_pred * history["prediction"]
    np.testing.assert_allclose(history["loss"], total, rtol=1e-12)
    assert history["step"].max() == 12


def test_published_units():
    X = pd.DataFrame(
        {
            "inside": [0.2, 0.3, 0.9],
            "all of it": [0.0, 1.0, 0.5],
            "above": [0.5, 1.5, 0.6],
            "below": [-0.5, 0.5, 0.2],
            "constant": [7.0, 7.0, 7.0],
            "constant inside": [0.4, 0.4, 0.4],
        }
    )
    low, scale = published_units(X)
    assert low.tolist() == [0, 0, 0.5, -0.5, 7, 0]
    assert scale.tolist() == [1, 1, 1, 1, 1, 1]
    low, scale = published_units(10 * X)
    assert low.tolist() == [2, 0, 5, -5, 70, 4]
    assert scale == pytest.approx([7, 10, 10, 10, 1, 1])


def test_published_rows_come_back_in_the_units_of_the_table(monkeypatch):
    seen = trained_sets(monkeypatch)
    X, y = two_classes(many=200)
    plain = PredictiveVAEPublished(preset="untrained", random_state=0)
    first = plain.fit_resample(X, y)[0]
    stretched = X.assign(c=100 * X["c"] - 7, d=3.0)
    other = clone(plain).fit_resample(stretched, y)[0].iloc[len(y) :]
    np.testing.assert_array_equal(seen[1].x[:, :2], X[["a", "b"]])
    assert seen[1].x[:, 2].min() == 0
    assert seen[1].x[:, 2].max() == 1
    assert (seen[1].x[:, 3] == 0).all()
    made = ~are_rows_of(first.iloc[len(y) :], X)
    middle = 100 * (X["c"].min() + X["c"].max()) / 2 - 7
    width = 100 * np.ptp(X["c"])
    assert other["c"][made].between(middle - 0.15 * width, middle + 0.15 * width).all()
    copies = other[~made]
    known = stretched[y == 1]
    gap = np.abs(copies.to_numpy()[:, None] - known.to_numpy()).max(axis=2).min(axis=1)
    assert gap.max() < 1e-12 * width


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
        assert np.mean(new["hue"][labels == c] == hues[c]) > 0.6
    (network,) = method.networks_
    encoded = method.encoder_.encode(new)
    assert np.mean(network.probabilities(encoded).argmax(axis=1) == labels) > 0.9


def test_new_rows_are_draws_from_the_posteriors_of_the_class_each_row_as_often(monkeypatch):
    asked = []
    rows = networks.PredictiveVAE.rows

    def posterior(self, x, y):
        return np.repeat(MARK * np.arange(len(x))[:, None], 2, axis=1), np.full((len(x), 2), [2.0, 5.0])

    def spy(self, z, y, rng):
        asked.append((z, y, rng))
        return rows(self, z, y, rng)

    monkeypatch.setattr(networks.PredictiveVAE, "posterior", posterior)
    monkeypatch.setattr(networks.PredictiveVAE, "rows", spy)
    X, y, _ = three_classes((60, 20, 10))
    predictive(steps=2, sampling_strategy={0: 60, 1: 120, 2: 110}).fit_resample(X, y)
    assert len(asked) == 2
    for c, (z, codes, rng) in zip((1, 2), asked, strict=True):
        source = np.round(z[:, 0] / MARK).astype(int)
        assert len(z) == 100
        assert rng is None
        assert (codes == c).all()
        assert np.bincount(source, minlength=len(y)).tolist() == [
            100 // np.count_nonzero(y == c) if label == c else 0 for label in y
        ]
        assert (z - MARK * source[:, None]).std(axis=0) == pytest.approx([2.0, 5.0], rel=0.25)


@pytest.mark.parametrize(("rate", "candidates"), [(0.6, 74), (1.0, 44)])
@pytest.mark.parametrize("selection", ["all", "window", "uncertain"])
def test_selection_looks_at_the_score_of_the_wanted_class(monkeypatch, selection, rate, candidates):
    decoded = []

    def probabilities(self, rows):
        decoded.append(rows)
        return np.stack([rows[:, 0], rows[:, 1]], axis=1)

    def rows(self, z, y, rng):
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
        assert len(made) == (44 if selection == "all" else candidates)
        table = method.encoder_.decode(made)
        found = are_rows_of(table, new)
        scores = made[:, c]
        if selection == "all":
            assert found.all()
        elif selection == "window":
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

    assert doubt("uncertain") < 0.5 * doubt("all")


def overlapping(sizes=(1200, 400), seed=0):
    """Two normals in three columns, 1.8 standard deviations apart."""
    rng = np.random.default_rng(seed)
    y = rng.permutation(np.repeat([0, 1], sizes))
    return pd.DataFrame(rng.standard_normal((len(y), 3)) + 1.04 * y[:, None], columns=list("abc")), y


def head_and_logistic(method, X, y):
    """What the head predicts, and a logistic regression on the head's own input."""
    (network,) = method.networks_
    mean, _ = network.posterior(method.encoder_.encode(X), y)
    rows = network.rows(mean, y, None)
    weights = "balanced" if method.balance else None
    other = LogisticRegression(C=1e4, max_iter=2000, class_weight=weights).fit(rows, y)
    return network.probabilities(rows).argmax(axis=1), other.predict(rows)


@pytest.mark.parametrize(("balance", "score"), [(True, balanced_accuracy_score), (False, accuracy_score)])
def test_the_head_is_as_good_as_a_logistic_regression_on_its_input(balance, score):
    X, y = overlapping()
    method = predictive(balance=balance, w_pred=1.0, batch_size=100)
    method.fit_resample(X, y)
    mine, other = head_and_logistic(method, X, y)
    assert score(y, other) > 0.78
    assert score(y, mine) > score(y, other) - 0.025
    # the majority is preferred only where the batches have more of it
    assert np.mean(mine == 1) == pytest.approx(np.mean(other == 1), abs=0.06)
    assert (np.mean(mine == 1) > 0.28) == balance


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
    ({"selection": "windows"}, "selection must be one of all, window, uncertain; found 'windows'"),
    ({"latent_dim": 0}, "latent_dim must be a whole number, at least 1; found 0"),
    ({"batch_size": 0}, "batch_size must be a whole number, at least 1; found 0"),
]


@pytest.mark.parametrize(
    ("cls", "params", "words"),
    [(cls, *case) for cls in BOTH for case in SELECTION_ERRORS]
    + [
        (PredictiveVAE, {"w_kl": -1e-3}, "w_rec, w_kl and w_pred must be 0 or more; found 1.0, -0.001, 0.1"),
        (PredictiveVAE, {"w_rec": -1}, "must be 0 or more; found -1"),
        (PredictiveVAE, {"w_pred": -1}, "must be 0 or more; found 1.0, 0.001, -1"),
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


def test_published_takes_two_classes_of_numbers_only():
    X, y, _ = three_classes((30, 20, 10))
    with pytest.raises(ValueError, match="two classes|2 classes"):
        PredictiveVAEPublished().fit_resample(X[["a", "b"]], y)
    with pytest.raises(ValueError, match="hue"):
        PredictiveVAEPublished().fit_resample(X, np.minimum(y, 1))
