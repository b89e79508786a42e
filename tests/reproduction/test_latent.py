"""One network of a latent sweep: what is measured of it, and the sharpness of images."""

import numpy as np
import pandas as pd
import pytest
from augbench.errors import InputError
from augbench.reproduction import latent
from augbench.reproduction.experiment import LatentSweep
from augbench.reproduction.latent import Images, Space, ends_of, fit, one_of_each, split, vote
from augbench.reproduction.sharpness import sharpness
from scipy import ndimage
from sklearn.datasets import load_digits


def sweep(**more):
    settings = {
        "name": "digits",
        "title": "Digits",
        "dataset": {"name": "digits"},
        "rows": 150,
        "held_out": 60,
        "seeds": 1,
        "betas": [0.5, 4],
        "dims": [2],
        "judged_beta": 0.5,
        "params": {"likelihood": "bernoulli", "steps": 300, "learning_rate": 0.01, "hidden": [16]},
        "strips": ["2", "7"],
    }
    return LatentSweep.model_validate(settings | more)


@pytest.fixture(scope="module")
def images():
    X, y = load_digits(return_X_y=True)
    return Images(pd.DataFrame(np.rint(X * 255 / 16)), y, tuple("0123456789"))


@pytest.fixture(scope="module")
def found(images):
    return fit(sweep(), images, 0.5, 2, 0)


def test_sharpness_of_known_images():
    grey = np.full((1, 1, 9, 9), 90)
    assert sharpness(grey).tolist() == [0.0]
    board = 255.0 * (np.indices((9, 9)).sum(axis=0) % 2)[None, None]
    blurred = ndimage.gaussian_filter(board, 1, axes=(2, 3))
    assert sharpness(blurred)[0] < 0.1 * sharpness(board)[0]
    assert sharpness(board / 2)[0] == pytest.approx(sharpness(board)[0] / 4)
    # a straight edge: its Laplacian is 1 and -1 in the two columns beside it, 0 elsewhere
    edge = np.zeros((1, 1, 4, 8))
    edge[..., 4:] = 255
    assert sharpness(edge)[0] == pytest.approx(2 / 8)
    # three equal planes are one of grey
    np.testing.assert_allclose(sharpness(np.repeat(board, 3, axis=1)), sharpness(board))


def test_the_ends_of_a_strip_are_the_reconstructions_of_its_two_rows(images, found):
    train, held = split(sweep(), images, 0)
    space = Space(latent._trained(sweep(), train, 0.5, 2, 0), images.shape)
    mean, sd = space.posterior(held.X)
    rebuilt = space.images(mean)
    for number, label in enumerate(sweep().strips):
        ends = list(ends_of(held, label))
        assert held.y[ends].tolist() == [int(label)] * 2
        np.testing.assert_array_equal(found.strips[number][[0, -1]], rebuilt[ends])
        np.testing.assert_array_equal(found.ends[number], held.X.to_numpy()[ends].reshape(2, 1, 8, 8))
        middle = space.images(mean[ends].mean(axis=0, keepdims=True))
        np.testing.assert_array_equal(found.strips[number][latent.STEPS // 2], middle[0])
    # the same numbers by their definitions
    np.testing.assert_allclose(found.kl, (0.5 * (mean**2 + sd**2 - 1) - np.log(sd)).sum(axis=1))
    gaps = (rebuilt.reshape(60, -1) - held.X.to_numpy()) / 255
    np.testing.assert_allclose(found.error, np.square(gaps).mean(axis=1))
    ratio = sharpness(rebuilt).mean() / sharpness(held.X.to_numpy().reshape(60, 1, 8, 8)).mean()
    assert found.sharper("rebuilt") == pytest.approx(100 * ratio)
    assert found.active == 2


def test_training_shows(images, found):
    untrained = fit(sweep(params={"likelihood": "bernoulli", "steps": 1, "hidden": [16]}), images, 0.5, 2, 0)
    assert found.error.mean() < 0.7 * untrained.error.mean()
    assert found.neighbours > 0.25
    assert 0.4 < found.neighbours_pca < 0.9
    assert found.sharper("rebuilt") < 50


def test_a_seed_draws_the_same_rows_for_every_beta_and_other_seeds_draw_others(images, found):
    other = fit(sweep(), images, 4, 2, 0)
    np.testing.assert_array_equal(found.real, other.real)
    np.testing.assert_array_equal(found.ends, other.ends)
    assert not np.array_equal(found.rebuilt, other.rebuilt)
    assert found.y.tolist() != split(sweep(), images, 1)[1].y.tolist()
    numbered = Images(pd.DataFrame({"row": range(len(images.y))}), images.y, images.classes)
    train, held = split(sweep(), numbered, 0)
    assert len(set(train.X["row"]) | set(held.X["row"])) == 210
    with pytest.raises(InputError, match="digits: digits has 1797 rows, 1860 are needed"):
        split(sweep(rows=1800), images, 0)


def test_the_same_arguments_give_the_same_bits(images, found):
    again = fit(sweep(), images, 0.5, 2, 0)
    for name in ("mean", "kl", "rebuilt", "drawn", "strips"):
        np.testing.assert_array_equal(getattr(again, name), getattr(found, name))


def test_a_pixel_beyond_its_training_range_counts_as_its_end(images):
    train, held = split(sweep(), images, 0)
    train.X[5] = np.minimum(train.X[5], 3.0)
    space = Space(latent._trained(sweep(), train, 0.5, 2, 0), images.shape)
    mild, wild = held.X.copy(), held.X.copy()
    mild[5], wild[5] = 3.0, 255.0
    np.testing.assert_array_equal(space.posterior(wild)[0], space.posterior(mild)[0])


def test_votes_and_the_order_of_pictures():
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1], 20)
    apart = rng.normal(size=(40, 2)) + 50 * y[:, None]
    assert vote(apart, y, apart + 0.1, y) == 1.0
    assert vote(apart, y, apart + 0.1, 1 - y) == 0.0
    assert one_of_each(np.array([1, 1, 0, 0, 2, 1]), 5).tolist() == [2, 0, 4, 3, 1]


@pytest.mark.filterwarnings("ignore:training diverged")
def test_what_is_no_image_or_no_class_is_said(images):
    assert [Images(pd.DataFrame(np.zeros((1, n))), np.zeros(1), ()).shape for n in (64, 192)] == [(1, 8, 8), (3, 8, 8)]
    with pytest.raises(InputError, match="10 columns are no square image"):
        _ = Images(pd.DataFrame(np.zeros((1, 10))), np.zeros(1), ()).shape
    with pytest.raises(InputError, match="strip of class 'x' needs two held-out rows; there are 0"):
        ends_of(images, "x")
    with pytest.raises(ValueError, match=r"judged_beta must be one of the betas, \(0\.5, 4\.0\); found 1\.0"):
        sweep(judged_beta=1)
    with pytest.raises(InputError, match=r"digits, β = 0\.5, 2 dimensions, seed 0: .*training diverged"):
        fit(sweep(params={"steps": 40, "learning_rate": 1e30}), images, 0.5, 2, 0)
