"""Classifiers that only experiments need."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin

from ..errors import InputError

#: test images that pass at once
_CHUNK = 2000


class ConvolutionalNetwork(ClassifierMixin, BaseEstimator):
    """A small convolutional network for square grey images whose pixels stand in columns, row by row.

    Two layers of 3 × 3 convolutions, each followed by relu and 2 × 2 max-pooling, then dropout of one half and a
    softmax layer: the "Simple MNIST convnet" of Keras' examples with half of the channels. Adam, a fixed number of
    steps, whatever the rows. Pixels are brought to [0, 1] by the range of all training pixels, not column by column: a
    pixel that is paper in all of a few training images has no scale of its own.

    Parameters
    ----------
    steps : int, default=500
        Gradient steps.
    batch_size : int, default=32
        Images per step.
    learning_rate : float, default=2e-3
        Adam's step size.
    random_state : int, optional
        Seed of the first weights, the batches and the dropout.

    Attributes
    ----------
    classes_ : numpy.ndarray of shape (K,)
        Class codes of the training rows.

    Raises
    ------
    InputError
        By `fit`, where the number of columns is no square, or below 100.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> y = np.arange(40) % 2
    >>> X = rng.uniform(size=(40, 144)) + (np.arange(144) < 72) * y[:, None]
    >>> network = ConvolutionalNetwork(steps=60, random_state=0).fit(X, y)
    >>> float((network.predict(X) == y).mean())
    1.0
    """

    scaled: ClassVar[bool] = False

    def __init__(
        self, steps: int = 500, batch_size: int = 32, learning_rate: float = 2e-3, random_state: int | None = None
    ) -> None:
        self.steps = steps
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.random_state = random_state

    def fit(self, X: np.ndarray, y: np.ndarray, sample_weight: np.ndarray | None = None) -> Self:
        """Fit to images X of shape (n, side²) and class codes y of shape (n,), weighted by `sample_weight`."""
        import torch

        side = round(X.shape[1] ** 0.5)
        if side**2 != X.shape[1] or side < 10:
            raise InputError(f"ConvolutionalNetwork takes square images of 10 × 10 or more; found {X.shape[1]} columns")
        self.classes_, codes = np.unique(y, return_inverse=True)
        self._low, self._high = float(X.min()), float(X.max())
        rng = np.random.default_rng(self.random_state)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(int(rng.integers(2**63)))
            self._network = _network(side, len(self.classes_))
            images, targets = self._images(X), torch.from_numpy(codes)
            weight = None if sample_weight is None else torch.from_numpy(np.asarray(sample_weight, dtype=np.float32))
            loss_of = torch.nn.CrossEntropyLoss(reduction="none")
            optimizer = torch.optim.Adam(self._network.parameters(), lr=self.learning_rate)
            order = np.concatenate([rng.permutation(len(X)) for _ in range(-(-self.steps * self.batch_size // len(X)))])
            for step in range(self.steps):
                rows = torch.from_numpy(order[step * self.batch_size : (step + 1) * self.batch_size])
                losses = loss_of(self._network(images[rows]), targets[rows])
                loss = losses.mean() if weight is None else (losses * weight[rows]).sum() / weight[rows].sum()
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
        self._network.eval()
        return self

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """Return probabilities of shape (n, len(classes_))."""
        import torch

        with torch.no_grad():
            parts = [self._network(self._images(X[at : at + _CHUNK])).double() for at in range(0, len(X), _CHUNK)]
            return torch.cat(parts).softmax(1).numpy()

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return the most probable class of each row."""
        return self.classes_[self.predict_proba(X).argmax(axis=1)]

    def _images(self, X: np.ndarray) -> Any:
        import torch

        side = round(X.shape[1] ** 0.5)
        span = (self._high - self._low) or 1.0
        values = ((np.asarray(X) - self._low) / span).astype(np.float32)
        return torch.from_numpy(values.reshape(-1, 1, side, side))


def _network(side: int, n_classes: int) -> Any:
    from torch import nn

    left = ((side - 2) // 2 - 2) // 2
    return nn.Sequential(
        nn.Conv2d(1, 16, 3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Dropout(0.5), nn.Linear(32 * left**2, n_classes),
    )  # fmt: skip


def register(registries: Any) -> None:
    """Register what stands here, as a plugin does."""
    registries["augbench.classifiers"].register(ConvolutionalNetwork, "convolutional-network")
