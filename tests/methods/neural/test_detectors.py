"""The autoencoder detectors on data in which it is known what can be found."""

import pickle
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from augbench import InputError, datasets, methods
from augbench.methods.contract import pr_threshold
from sklearn.base import clone
from sklearn.metrics import roc_auc_score

pytest.importorskip("torch")

from augbench.methods.neural import detectors

ROW_WISE = ["autoencoder", "autoencoder-overcomplete"]
ALL = [*ROW_WISE, "lstm-autoencoder"]
MIX = np.random.default_rng(0).normal(size=(2, 6))


def make(name, seed=0, **params):
    return methods.make(name, {"steps": 60, **params}, random_state=seed)


def plane(n, rng):
    """Rows of six correlated columns: on a plane but for noise of a tenth of its spread."""
    return rng.normal(size=(n, 2)) @ MIX + 0.1 * rng.normal(size=(n, 6))


def table(n=400, k=40, seed=1, anomaly=1, null=False):
    """Anomalies have each column's spread but lie off the plane; with `null` they are as normal rows are."""
    rng = np.random.default_rng(seed)
    normal = plane(n, rng)
    odd = plane(k, rng) if null else rng.normal(size=(k, 6)) * normal.std(axis=0)
    order = rng.permutation(n + k)
    return pd.DataFrame(np.r_[normal, odd][order], columns=list("abcdef")), np.repeat([1 - anomaly, anomaly], [n, k])[
        order
    ]


def waves(n_series=24, length=60, seed=1, odd_from=45):
    """Two autoregressive columns of unit variance; from a row on, a series is white noise of the same variance."""
    rng = np.random.default_rng(seed)
    X = np.empty((n_series, length, 2))
    X[:, 0] = rng.normal(size=(n_series, 2))
    for t in range(1, length):
        X[:, t] = 0.95 * X[:, t - 1] + np.sqrt(1 - 0.95**2) * rng.normal(size=(n_series, 2))
    X[:, odd_from:] = rng.normal(size=(n_series, length - odd_from, 2))
    y = np.tile(np.arange(length) >= odd_from, n_series).astype(int)
    return pd.DataFrame(X.reshape(-1, 2), columns=["p", "q"]), y, np.repeat(np.arange(n_series), length)


def example(name, seed=1):
    """A training set for any of the detectors: X, y, series."""
    return waves(12, 40, seed, odd_from=32) if name.startswith("lstm") else (*table(150, 15, seed), None)


@pytest.mark.parametrize(("name", "steps"), [("autoencoder", 1000), ("autoencoder-overcomplete", 600)])
def test_rows_off_the_plane_are_found_and_nothing_is_found_where_nothing_is(name, steps):
    X, y = table(1000, 500, seed=2)
    fitted = make(name, steps=steps).fit(*table())
    assert roc_auc_score(y, fitted.score_samples(X)) > 0.95
    assert (fitted.predict(X) == y).mean() > 0.85
    assert fitted.predict_proba(X)[:, 1][y == 1].mean() > 0.7
    null, labels = table(1000, 500, seed=2, null=True)
    standard_error = np.sqrt((1000 + 500 + 1) / (12 * 1000 * 500))
    scores = make(name, steps=600).fit(*table(null=True)).score_samples(null)
    assert abs(roc_auc_score(labels, scores) - 0.5) < 3 * standard_error


@pytest.mark.parametrize("labels", [(1, 0), ("fine", "broken"), (True, False), (7, 3)])
def test_the_normal_class_is_the_frequent_one_whatever_it_is_called(labels):
    X, y = table()
    named = np.array(labels)[y]
    fitted = make("autoencoder-overcomplete", steps=300).fit(X, named)
    same = make("autoencoder-overcomplete", steps=300).fit(X, y)
    assert fitted.normal_class_ == labels[0]
    assert np.array_equal(fitted.score_samples(X), same.score_samples(X))
    assert np.array_equal(fitted.predict(X) == labels[1], same.predict(X) == 1)
    column = list(fitted.classes_).index(labels[1])
    assert roc_auc_score(y, fitted.predict_proba(X)[:, column]) > 0.9


@pytest.mark.parametrize("name", ALL)
def test_what_the_threshold_is_set_on_is_not_trained_on(name):
    X, y, series = example(name)
    fitted = make(name, validation_share=0.3).fit(X, y, series)
    known = fitted.validation_scores_
    assert fitted.threshold_ == pr_threshold(*(known[column].to_numpy() for column in known))
    held = known.index[~known["is_anomaly"]]
    assert (known["is_anomaly"] == (y[known.index] == 1)).all()
    assert known["is_anomaly"].sum() == (y == 1).sum()
    assert len(held) == pytest.approx(0.3 * (y == 0).sum(), rel=0.2)
    # the held-out rows stand for all normal ones
    assert known["weight"][held].sum() == pytest.approx((y == 0).sum())
    assert (known["weight"][known["is_anomaly"]] == 1).all()
    # other values in these rows, of the same range: the network stays what it was, the threshold does not
    changed = X.copy()
    rng = np.random.default_rng(5)
    for column in X:
        values = X[column].to_numpy(copy=True)
        values[known.index] = rng.permutation(values[known.index])
        changed[column] = values
    again = make(name, validation_share=0.3).fit(changed, y, series)
    for one, other in zip(fitted.network_.parameters(), again.network_.parameters(), strict=True):
        assert np.array_equal(one.detach(), other.detach())
    assert again.threshold_ != fitted.threshold_


@pytest.mark.parametrize("name", ALL)
def test_alone_or_among_others(name):
    sets = [example(name, seed) for seed in (1, 2, 3)]
    tables, series = [one[:2] for one in sets], [one[2] for one in sets]
    together = make(name, dtype="float64").fit_many(tables, [4, 5, 6], series)
    for seed, one, (X, y, own) in zip([4, 5, 6], together, sets, strict=True):
        alone = make(name, seed, dtype="float64").fit(X, y, own)
        np.testing.assert_allclose(one.score_samples(X, own), alone.score_samples(X, own), rtol=1e-10, atol=1e-10)
        assert one.threshold_ == pytest.approx(alone.threshold_, rel=1e-9)
        assert one.random_state == seed
    # bit for bit, whatever the other tables hold: in float32 too
    rng = np.random.default_rng(0)
    noise = [(pd.DataFrame(rng.normal(size=X.shape) * 9, columns=X.columns), rng.permutation(y)) for X, y in tables]
    first = make(name).fit_many(tables, [4, 5, 6], series)[1]
    among = make(name).fit_many([noise[0], tables[1], noise[2]], [8, 5, 9], series)[1]
    X, _, own = sets[1]
    assert np.array_equal(first.score_samples(X, own), among.score_samples(X, own))
    assert first.threshold_ == among.threshold_
    pd.testing.assert_frame_equal(first.training_history_, among.training_history_)


def test_tables_of_different_width_and_bad_ones_share_a_call():
    X, y = table()
    bad = X.copy()
    bad.iloc[3, 2] = np.inf
    template = make("autoencoder")
    fitted = template.fit_many([(X, y), (bad, y), (X[["a", "b"]], y), (X, np.zeros(len(y)))], [1, 2, 3, 4])
    assert isinstance(fitted[1], ValueError)
    assert "infinite cells in: c" in str(fitted[1])
    assert isinstance(fitted[3], ValueError)
    assert not hasattr(template, "threshold_")
    alone = make("autoencoder", 3).fit(X[["a", "b"]], y)
    np.testing.assert_allclose(fitted[2].score_samples(X[["a", "b"]]), alone.score_samples(X[["a", "b"]]), rtol=1e-3)


def test_a_change_of_autocorrelation_is_seen_in_windows_only():
    # measured: 0.93 in windows, 0.50 row by row
    X, y, series = waves(odd_from=40)
    X_test, y_test, series_test = waves(seed=2, odd_from=40)
    lstm = make("lstm-autoencoder", window=6, code=4, steps=400, learning_rate=1e-2).fit(X, y, series)
    row_wise = make("autoencoder-overcomplete", steps=400).fit(X, y, series)
    assert roc_auc_score(y_test, lstm.score_samples(X_test, series_test)) > 0.9
    # rows of white noise are distributed as normal rows are: what is left is chance, wide since rows hang together
    assert abs(roc_auc_score(y_test, row_wise.score_samples(X_test)) - 0.5) < 0.1
    # the control: rows out of their order have nothing to find
    mixed = np.random.default_rng(0).permutation(len(y_test))
    assert abs(roc_auc_score(y_test[mixed], lstm.score_samples(X_test.iloc[mixed], series_test)) - 0.5) < 0.1


def test_the_score_of_a_row_is_its_mean_over_all_windows_that_hold_it():
    X, y, series = waves(10, 30, odd_from=24)
    lstm = make("lstm-autoencoder", window=4, dtype="float64").fit(X, y, series)
    own = np.r_[np.zeros(7), np.ones(2), np.full(4, 2.0)]  # one of them shorter than the window
    rows = X.iloc[: len(own)]
    # standardised by the normal rows that were trained on
    known = lstm.validation_scores_.index
    trained = X.to_numpy()[np.setdiff1d(np.arange(len(X)), known)]
    values = (rows.to_numpy() - trained.mean(axis=0)) / trained.std(axis=0)
    windows = [[0, 1, 2, 3], [1, 2, 3, 4], [2, 3, 4, 5], [3, 4, 5, 6], [7, 7, 7, 8], [9, 10, 11, 12]]
    errors = [[] for _ in own]
    for window in windows:
        for row, error in zip(window, lstm.network_.errors(values[window].reshape(1, -1))[0], strict=True):
            errors[row].append(error)
    expected = [np.mean(one) for one in errors]
    np.testing.assert_allclose(lstm.score_samples(rows, own), expected, rtol=1e-9)
    shuffled = np.argsort(np.r_[np.arange(0, 26, 2)[:7], 1, 5, 3, 7, 9, 11], kind="stable")
    np.testing.assert_allclose(lstm.score_samples(rows.iloc[shuffled], own[shuffled]), np.array(expected)[shuffled])


def test_series_without_one_whole_window_of_normal_rows():
    X, y, series = waves(10, 12, odd_from=6)
    assert np.isfinite(make("lstm-autoencoder", window=10).fit(X, y, series).score_samples(X, series)).all()
    with pytest.raises(ValueError, match="needs the series"):
        make("lstm-autoencoder").fit(X, y)


def test_series_are_held_out_whole_where_they_are_known():
    X, y, series = waves()
    for name in ("autoencoder", "lstm-autoencoder"):
        known = make(name, steps=5).fit(X, y, series).validation_scores_
        held = known.index[~known["is_anomaly"]]
        assert len(set(series[held])) == 6
        assert len(held) == (np.isin(series, series[held]) & (y == 0)).sum()


def test_categories_that_never_go_together():
    rng = np.random.default_rng(0)

    def draw(n, k):
        hue = rng.choice(["red", "green", "blue"], n + k)
        partner = pd.Series(hue).map({"red": "A", "green": "B", "blue": "C"}).to_numpy()
        partner[n:] = pd.Series(hue[n:]).map({"red": "B", "green": "C", "blue": "A"})
        X = pd.DataFrame({"hue": pd.Categorical(hue), "size": rng.normal(size=n + k), "partner": partner})
        return X, np.repeat([0, 1], [n, k])

    fitted = make("autoencoder", steps=600, code=3).fit(*draw(300, 20))
    X, y = draw(300, 100)
    assert roc_auc_score(y, fitted.score_samples(X)) > 0.95
    new = pd.DataFrame({"hue": pd.Categorical(["black"]), "size": [0.0], "partner": ["A"]})
    assert fitted.score_samples(new)[0] > np.median(fitted.score_samples(X)[y == 0])


@pytest.mark.parametrize("name", ROW_WISE)
@pytest.mark.parametrize("counts", [(2, 2), (2, 1), (1, 1), (3, 2)])
def test_very_few_rows(name, counts):
    X, y = table()
    rows = np.r_[np.flatnonzero(y == 0)[: counts[0]], np.flatnonzero(y == 1)[: counts[1]]]
    p = make(name).fit(X.iloc[rows], y[rows]).predict_proba(X)
    assert np.isfinite(p).all()
    assert p[:, 1].std() > 0
    if counts[0] < 3:
        with pytest.raises(ValueError, match="needs 2 rows to train on"):
            make(name, patience=1).fit(X.iloc[rows], y[rows])


def test_a_column_that_is_constant_in_normal_rows():
    X, y = table()
    X["alarm"] = np.where(y == 1, 1.0, 0.0)
    X["still"] = 3.0
    # nothing else is wrong with the rows of class 1
    X.loc[y == 1, list("abcdef")] = plane((y == 1).sum(), np.random.default_rng(3))
    scores = make("autoencoder", steps=600).fit(X, y).score_samples(X)
    assert roc_auc_score(y, scores) > 0.99


def test_far_rows_and_chunks(monkeypatch):
    X, y = table()
    fitted = make("autoencoder").fit(X, y)
    scores = fitted.score_samples(X)
    far = pd.DataFrame(np.full((1, 6), 1e300), columns=X.columns)
    assert scores.max() < fitted.score_samples(far)[0] < np.inf
    assert fitted.score_samples(X.iloc[:0]).shape == (0,)
    np.testing.assert_allclose(fitted.score_samples(X.iloc[5:9]), scores[5:9], rtol=1e-4)
    monkeypatch.setattr(detectors, "CHUNK", 40)
    np.testing.assert_allclose(fitted.score_samples(X), scores, rtol=1e-4)


def test_a_plateau_stops_training():
    X, y, series = waves()
    for name in ("autoencoder", "lstm-autoencoder"):
        fitted = make(name, steps=120, patience=2, learning_rate=0.05).fit(X, y, series)
        history = fitted.training_history_
        assert list(history.columns) == ["model", "step", "loss", "validation"]
        assert set(history["model"]) == {"class 0"}
        assert history["step"].max() < 120
    free = make("autoencoder", steps=120).fit(X, y, series).training_history_
    assert list(free.columns) == ["model", "step", "loss"]
    assert free["step"].max() == 120
    assert free["loss"].iloc[-1] < free["loss"].iloc[0]


def test_divergence_is_an_exception():
    X, y = table()
    with pytest.warns(UserWarning, match="diverged"):
        fitted = make("autoencoder", learning_rate=1e18).fit_many([(X, y), (X, y)], [1, 2])
    assert [type(one) for one in fitted] == [ValueError, ValueError]
    with pytest.warns(UserWarning, match="diverged"), pytest.raises(ValueError, match="training diverged"):
        make("autoencoder", learning_rate=1e18).fit(X, y)


@pytest.mark.parametrize("name", ALL)
def test_a_citizen_of_scikit_learn(name):
    X, y, series = example(name)
    before, state = X.copy(), np.random.get_state()[1].copy()  # noqa: NPY002
    detector = make(name, hidden=[7], code=3, validation_share=0.5)
    copied = clone(detector)
    assert copied.get_params() == detector.get_params()
    assert copied.set_params(steps=20).steps == 20
    fitted = detector.fit(X, y, series)
    assert fitted is detector
    again = pickle.loads(pickle.dumps(fitted))
    assert np.array_equal(again.predict_proba(X, series), fitted.predict_proba(X, series))
    # the seed decides, in all forms that numpy takes
    assert fitted.threshold_ == make(name, hidden=(7,), code=3, validation_share=0.5).fit(X, y, series).threshold_
    assert fitted.threshold_ != clone(detector).set_params(random_state=1).fit(X, y, series).threshold_
    for seed in (None, np.random.default_rng(0), np.random.RandomState(0)):
        assert clone(detector).set_params(random_state=seed, steps=3).fit(X, y, series).threshold_ > 0
    pd.testing.assert_frame_equal(X, before)
    assert np.array_equal(np.random.get_state()[1], state)  # noqa: NPY002


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"steps": 0}, "steps must be a whole number, at least 1; found 0"),
        ({"window": 0}, "window must be a whole number"),
        ({"code": 0}, "code must be a whole number"),
        ({"hidden": 5}, "hidden must be 'auto' or a list of widths above 0; found 5"),
        ({"hidden": [3, 0]}, "hidden must be"),
        ({"learning_rate": 0}, "learning_rate must be above 0"),
        ({"validation_share": 1}, "validation_share must lie between 0 and 1; found 1"),
        ({"dtype": "half"}, "dtype must be"),
    ],
)
def test_parameters_without_sense(params, words):
    X, y, series = example("lstm-autoencoder")
    with pytest.raises(InputError, match=words):
        make("lstm-autoencoder", **params).fit(X, y, series)


def test_torch_is_loaded_to_train_only():
    code = (
        "import sys; from augbench import methods; "
        f"[methods.describe(name) for name in {ALL}]; methods.make('autoencoder'); print('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "False"
    assert methods.GROUPS["detectors"] == ALL


def test_skab(data_folder, monkeypatch):
    monkeypatch.setenv("AUGBENCH_DATA", str(data_folder))
    if "skab" not in datasets.names():
        pytest.skip("the dataset is not there yet")
    whole = datasets.make("skab").load()
    train = whole.take(np.flatnonzero(whole.series < 6))
    test = whole.take(np.flatnonzero((whole.series >= 6) & (whole.series < 9)))
    for name in ("autoencoder-overcomplete", "lstm-autoencoder"):
        fitted = make(name, steps=80).fit(train.X, train.y, train.series)
        assert fitted.normal_class_ == 0
        p = fitted.predict_proba(test.X, test.series)
        assert np.isfinite(p).all()
        assert fitted.training_history_["loss"].iloc[-1] < 0.9 * fitted.training_history_["loss"].iloc[0]
