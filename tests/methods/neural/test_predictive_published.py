"""The predictive VAE as published: amounts, sources, epsilon, units, presets (SPEC section 7)."""

import numpy as np
import pandas as pd
import pytest
from augbench.methods.neural import networks, training
from augbench.methods.neural.predictive import PRESETS, PredictiveVAEPublished, published_units
from sklearn.base import clone

PARTS = ["model", "step", "loss", "reconstruction", "kl", "prediction", "accuracy"]
#: a mark on reconstructions, to be told from copies
MARK = 1000.0


def two_classes(many=90, few=12, minority=1, seed=0):
    """Rows in [0, 1]: the majority below 0.4 in every column, the minority above 0.6."""
    rng = np.random.default_rng(seed)
    y = rng.permutation(np.repeat([1 - minority, minority], [many, few]))
    return pd.DataFrame(0.4 * rng.random((len(y), 4)) + 0.6 * (y == minority)[:, None], columns=list("abcd")), y


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


def test_published_takes_two_classes_of_numbers_only():
    X, y = two_classes()
    with pytest.raises(ValueError, match=r"two classes|2 classes"):
        PredictiveVAEPublished().fit_resample(X, np.arange(len(y)) % 3)
    with pytest.raises(ValueError, match="word"):
        PredictiveVAEPublished().fit_resample(X.assign(word="x"), y)


def test_published_network_and_its_first_step(monkeypatch):
    """RMSprop with a decay of 0.9 moves a weight by rate / sqrt(0.1) at its first step."""
    seen = trained_sets(monkeypatch)
    X, y = two_classes(many=70)
    method = PredictiveVAEPublished(hidden=7, latent_dim=3, dtype="float64", random_state=0)
    method.fit_resample(X, y)
    (network,) = method.networks_
    assert network.shape == networks.Shape(4, (), 3, (7, 7), "mse")
    start = networks.PublishedPredictiveVAE([np.random.default_rng([0, seen[0].seed])], network.shape, (0, 0, 1))
    moved = (network.head.weight - start.head.weight).abs().detach().numpy()
    np.testing.assert_allclose(moved, 1e-4 / np.sqrt(0.1), rtol=1e-3)
