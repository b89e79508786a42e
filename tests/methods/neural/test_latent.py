"""Where the latent samplers put their points, and what they decode."""

import numpy as np
import pandas as pd
import pytest
from augbench.methods.neural.latent import (
    LatentExtrapolation,
    LatentExtrapolationNoise,
    LatentInterpolation,
    LatentInterpolationNoise,
    LatentNoise,
    LatentSampler,
)
from augbench.methods.neural.networks import VAE

ALL = [LatentNoise, LatentInterpolation, LatentExtrapolation, LatentInterpolationNoise, LatentExtrapolationNoise]
WITH_NEIGHBOURS = ALL[1:]
SIZES = (30, 12, 7)
WANTED = {0: 40, 1: 36, 2: 28}


def table(sizes=SIZES, seed=0):
    rng = np.random.default_rng(seed)
    y = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    return pd.DataFrame(rng.random((len(y), 3)) + 0.4 * y[:, None], columns=["a", "b", "c"]), y


@pytest.fixture
def run(monkeypatch):
    """Run a sampler; return what it saw: the task, posteriors, latent points and codes, and the new rows."""

    def go(cls, sizes=SIZES, wanted=WANTED, **params):
        seen = {}
        sample, rows = cls._sample, VAE.rows

        def spy_sample(self, task, trained):
            seen["task"], seen["network"] = task, trained[0].network
            seen["mean"], seen["sd"] = trained[0].network.posterior(task.values, task.codes)
            return sample(self, task, trained)

        def spy_rows(self, z, y):
            seen["z"], seen["codes"] = z.copy(), y.copy()
            return rows(self, z, y)

        with monkeypatch.context() as patch:
            patch.setattr(LatentSampler, "_sample", spy_sample)
            patch.setattr(VAE, "rows", spy_rows)
            X, y = table(sizes)
            params = {"steps": 60, "likelihood": "mse", "random_state": 0, **params}
            X_new, y_new = cls(sampling_strategy=wanted, **params).fit_resample(X, y)
        seen["new"], seen["labels"] = X_new.to_numpy()[len(y) :], y_new[len(y) :]
        return seen

    return go


def nearest_of_class(mean, rows, k):
    """For each of some rows the k nearest others of them, by brute force."""
    distance = np.linalg.norm(mean[rows][:, None] - mean[rows], axis=2)
    np.fill_diagonal(distance, np.inf)
    return [rows[order[:k]] for order in distance.argsort(axis=1)]


@pytest.mark.parametrize("cls", ALL)
def test_labels_are_kept_and_counts_met(run, cls):
    seen = run(cls)
    assert np.bincount(seen["labels"]).tolist() == [10, 24, 21]
    assert np.array_equal(seen["labels"], seen["codes"])


@pytest.mark.parametrize("cls", [LatentInterpolation, LatentExtrapolation])
def test_without_a_step_every_row_is_a_reconstruction_and_each_as_often(run, cls):
    seen = run(cls, alpha=0.0, wanted={1: 12 + 24, 2: 7 + 25})
    task = seen["task"]
    for code, count, times in ((1, 24, [2] * 12), (2, 25, [3] * 3 + [4] * 4)):
        rows = task.rows_of(code)
        points = seen["z"][seen["codes"] == code]
        source = [int(np.flatnonzero((seen["mean"][rows] == point).all(axis=1))[0]) for point in points]
        assert sorted(np.bincount(source, minlength=len(rows)).tolist()) == times
        expected = task.encoder.decode(seen["network"].rows(seen["mean"][rows[source]], np.full(count, code)))
        np.testing.assert_allclose(seen["new"][seen["labels"] == code], expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("cls", WITH_NEIGHBOURS)
@pytest.mark.parametrize("alpha", [0.3, 1.0])
def test_points_are_on_the_line_to_one_of_the_nearest_of_the_class(run, cls, alpha):
    still = {"noise": 0.0} if cls in (LatentInterpolationNoise, LatentExtrapolationNoise) else {}
    seen = run(cls, alpha=alpha, n_neighbors=3, **still)
    sign = 1 if cls in (LatentInterpolation, LatentInterpolationNoise) else -1
    used = set()
    for code in range(3):
        rows = seen["task"].rows_of(code)
        lines = {
            (i, int(k)): seen["mean"][i] + sign * alpha * (seen["mean"][k] - seen["mean"][i])
            for i, near in zip(rows, nearest_of_class(seen["mean"], rows, 3), strict=True)
            for k in near
        }
        places = np.array(list(lines.values()))
        for point in seen["z"][seen["codes"] == code]:
            distance = np.abs(places - point).max(axis=1)
            assert distance.min() < 1e-12
            used.add(list(lines)[int(distance.argmin())])
    # more than one neighbour of a row is used
    assert len(used) > len({i for i, _ in used})
    if alpha == 1 and sign == 1:
        # all the way: the neighbour itself
        means = seen["mean"]
        assert all((np.abs(means - point).max(axis=1) < 1e-12).any() for point in seen["z"])


def test_k_is_at_most_the_rows_of_the_class_minus_one(run):
    seen = run(LatentInterpolation, sizes=(20, 2), wanted={1: 12}, alpha=1.0, n_neighbors=5)
    one, other = seen["mean"][seen["task"].rows_of(1)]
    assert sorted(map(tuple, seen["z"])) == sorted([tuple(one)] * 5 + [tuple(other)] * 5)


def test_noise_is_the_posteriors_and_its_own(run):
    seen = run(LatentNoise, noise=0.5, wanted={0: 6030}, steps=400)
    rows = seen["task"].rows_of(0)
    mean, sd = seen["mean"][rows], seen["sd"][rows]
    # each of the 30 rows 200 times: a mixture of normals of which all moments are known
    np.testing.assert_allclose(seen["z"].mean(axis=0), mean.mean(axis=0), atol=0.06)
    np.testing.assert_allclose(seen["z"].var(axis=0), mean.var(axis=0) + (sd**2 + 0.25).mean(axis=0), rtol=0.06)
    still = run(LatentNoise, noise=0.0, wanted={0: 6030}, steps=400)
    np.testing.assert_allclose(still["z"].var(axis=0), mean.var(axis=0) + (sd**2).mean(axis=0), rtol=0.06)


@pytest.mark.parametrize(("cls", "sign"), [(LatentInterpolationNoise, 1), (LatentExtrapolationNoise, -1)])
def test_noise_on_top_of_a_step(run, cls, sign):
    # two rows in the class: the neighbour is the other one, so all of them move to two known points
    seen = run(cls, sizes=(20, 2), wanted={1: 4002}, alpha=0.5, noise=0.2, steps=200)
    one, other = seen["mean"][seen["task"].rows_of(1)]
    points = np.array([one + sign * 0.5 * (other - one), other + sign * 0.5 * (one - other)])
    np.testing.assert_allclose(seen["z"].mean(axis=0), points.mean(axis=0), atol=0.03)
    np.testing.assert_allclose(seen["z"].var(axis=0), points.var(axis=0) + 0.04, rtol=0.1, atol=0.002)


@pytest.mark.parametrize("cls", WITH_NEIGHBOURS)
def test_a_class_of_one_row_is_refused(cls):
    X, y = table((20, 1))
    with pytest.raises(ValueError, match=f"{cls.__name__} needs 2 rows of each class; class 1 has 1$"):
        cls(steps=5).fit_resample(X, y)


def test_noise_works_from_one_row():
    X, y = table((20, 1))
    X_new, y_new = LatentNoise(steps=20, random_state=0).fit_resample(X, y)
    assert np.bincount(y_new).tolist() == [20, 20]
    assert len(X_new.iloc[21:].drop_duplicates()) > 1


@pytest.mark.parametrize("name", ["alpha", "noise"])
def test_parameters_are_checked(name):
    X, y = table()
    with pytest.raises(ValueError, match=f"{name} must be 0 or more; found -1"):
        LatentInterpolationNoise(**{name: -1}).fit_resample(X, y)
    with pytest.raises(ValueError, match="n_neighbors must be a whole number, at least 1; found 0"):
        LatentInterpolationNoise(n_neighbors=0).fit_resample(X, y)
