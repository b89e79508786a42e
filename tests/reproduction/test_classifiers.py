"""The convolutional network of the image experiments."""

import numpy as np
import pytest
from augbench.errors import InputError
from augbench.reproduction.classifiers import ConvolutionalNetwork


def bars(n, rng):
    """Return images of one bright bar, lying or standing, anywhere, on noise; and which."""
    y = np.arange(n) % 2
    images = rng.uniform(0, 60, size=(n, 12, 12))
    for image, standing, at in zip(images, y, rng.integers(12, size=n), strict=True):
        image[:, at] += 150 * standing
        image[at] += 150 * (1 - standing)
    return images.reshape(n, -1), y


def test_shapes_are_told_apart_wherever_they_lie():
    rng = np.random.default_rng(0)
    X, y = bars(600, rng)
    new, truth = bars(100, rng)
    network = ConvolutionalNetwork(steps=200, random_state=0).fit(X, np.array(["a", "b"])[y])
    assert (network.predict(new) == np.array(["a", "b"])[truth]).mean() > 0.85
    p = network.predict_proba(new)
    assert p.shape == (100, 2)
    np.testing.assert_allclose(p.sum(axis=1), 1)


def test_the_seed_decides_and_nothing_else_random_is_touched():
    torch = pytest.importorskip("torch")
    X, y = bars(20, np.random.default_rng(1))
    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    first, again, other = (
        ConvolutionalNetwork(steps=5, random_state=seed).fit(X, y).predict_proba(X) for seed in (1, 1, 2)
    )
    assert (torch.random.get_rng_state() == before).all()
    assert (first == again).all()
    assert (first != other).any()


def test_brightness_of_a_whole_set_does_not_matter_and_weights_do():
    X, y = bars(40, np.random.default_rng(2))
    plain = ConvolutionalNetwork(steps=5, random_state=0).fit(X, y).predict_proba(X)
    brighter = ConvolutionalNetwork(steps=5, random_state=0).fit(3 * X + 7, y).predict_proba(3 * X + 7)
    np.testing.assert_allclose(plain, brighter, atol=1e-4)
    weight = np.where(y == 0, 1.0, 0.0)
    one_sided = ConvolutionalNetwork(steps=60, random_state=0).fit(X, y, sample_weight=weight + 1e-9)
    assert (one_sided.predict(X) == 0).mean() > 0.9


@pytest.mark.parametrize("columns", [30, 81])
def test_what_is_no_square_image_is_refused(columns):
    with pytest.raises(InputError, match=f"found {columns} columns"):
        ConvolutionalNetwork().fit(np.zeros((4, columns)), np.array([0, 1, 0, 1]))
