"""Methods that only experiments need: they take a claim apart, and are none that anyone should use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd

from ..methods.contract import Adjuster, Augmenter
from ..methods.neural.augmenter import network_builder
from ..methods.neural.predictive import PredictiveVAEPublished

if TYPE_CHECKING:
    from ..methods.neural.training import Build


class Relabelled(Augmenter):
    """Rows of every class, drawn with replacement from the classes at equal shares, all called the wanted class.

    What a generator does that reconstructs rows of both classes perfectly and labels them all as one.

    Examples
    --------
    >>> X = pd.DataFrame({"a": [0.0, 1.0, 2.0, 3.0]})
    >>> X_new, y_new = Relabelled(random_state=0).fit_resample(X, np.array([0, 0, 0, 1]))
    >>> y_new.tolist()
    [0, 0, 0, 1, 1, 1]
    """

    family: ClassVar[str] = "experiments"

    def _generate(
        self, X: pd.DataFrame, y: np.ndarray, counts: dict[int, int], rng: np.random.Generator
    ) -> tuple[pd.DataFrame, np.ndarray]:
        total = sum(counts.values())
        codes = rng.choice(np.unique(y), size=total)
        rows = np.empty(total, dtype=np.intp)
        for code in np.unique(y):
            own, members = codes == code, np.flatnonzero(y == code)
            rows[own] = members[rng.integers(len(members), size=int(own.sum()))]
        return X.iloc[rows], np.repeat(list(counts), list(counts.values()))


class PredictiveVaeAsWritten(PredictiveVAEPublished):
    """The published predictive VAE on columns as they are, wherever they lie: its sigmoid ends in [0, 1] all the same.

    With features that are centred or standardised the untrained decoder's 0.5 is no longer their centre.
    """

    family: ClassVar[str] = "experiments"

    def _units(self, X: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
        return np.zeros(X.shape[1]), np.ones(X.shape[1])


class PredictiveVaeWithoutDropout(PredictiveVAEPublished):
    """The published predictive VAE as the slides first draw it, without dropout."""

    family: ClassVar[str] = "experiments"

    def _builder(self, shape: Any) -> Build:
        from .networks import PublishedWithoutDropout

        return network_builder(PublishedWithoutDropout, *shape)


class RandomUndersampling(Adjuster):
    """Rows of the larger classes left out at random until all classes are as rare as the rarest: weights of 0 and 1.

    The rows come in no order that knows the class, so the choice is the same for a training set of the same labels.

    Examples
    --------
    >>> RandomUndersampling().sample_weight(np.array([0, 0, 0, 1])).sum()
    2.0
    """

    family: ClassVar[str] = "experiments"

    def sample_weight(self, y: np.ndarray) -> np.ndarray:
        """Return 1 for as many rows of each class as the rarest has, 0 for the others; shape (n_rows,)."""
        rng = np.random.default_rng(len(y))
        counts = np.bincount(y)
        fewest = counts[counts > 0].min()
        weights = np.zeros(len(y))
        for code in np.flatnonzero(counts):
            weights[rng.permutation(np.flatnonzero(y == code))[:fewest]] = 1.0
        return weights
