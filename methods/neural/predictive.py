"""The predictive VAE: as the sources wrote it, and put right."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd

from ...errors import InputError, unknown_name
from ..search import Range, Real
from .augmenter import (
    LATENT_DIMS,
    LEARNING_RATES,
    NeuralAugmenter,
    SteppedAugmenter,
    Task,
    balanced_pool,
    each_equally_often,
    hidden_widths,
    hold_out,
    network_builder,
    warn_of_one_row,
)
from .checks import at_least, check_hidden, check_number
from .encoder import as_dtype

if TYPE_CHECKING:
    from .networks import Shape
    from .training import Build, Trained, TrainingSet

SELECTIONS = ("all", "window", "uncertain")

#: (w_rec, w_kl, w_pred) of the sources' runs, and whether the VAE is trained at all (vae_flag)
PRESETS: dict[str, tuple[tuple[float, float, float], bool]] = {
    "untrained": ((0.0, 0.0, 1.0), False),
    "0,0,1": ((0.0, 0.0, 1.0), True),
    "1,-0.5,0.1": ((1.0, -0.5, 0.1), True),
    "1,-0.5,0": ((1.0, -0.5, 0.0), True),
    "1,-0.5,1": ((1.0, -0.5, 1.0), True),
}


def select_rows(
    scores: np.ndarray, count: int, selection: str, window: tuple[float, float], rng: np.random.Generator
) -> np.ndarray:
    """Choose `count` candidates by the head's score.

    Parameters
    ----------
    scores : numpy.ndarray of shape (n,)
        Predicted probability of the wanted class.
    count : int
        How many; more than qualify: some are taken twice.
    selection : {"all", "window", "uncertain"}
        At random; at random between two quantiles of the scores; or those with a score closest to 0.5.
    window : tuple of float
        The two quantiles.
    rng : numpy.random.Generator
        Chooses.

    Returns
    -------
    numpy.ndarray of shape (count,)
        Positions.
    """
    if selection == "uncertain":
        order = np.argsort(np.abs(scores - 0.5), kind="stable")
        return np.resize(order, count) if count > len(order) else order[:count]
    if selection == "window":
        low, high = np.quantile(scores, window)
        candidates = np.flatnonzero((scores >= low) & (scores <= high))
    else:
        candidates = np.arange(len(scores))
    return rng.choice(candidates, size=count, replace=count > len(candidates))


@dataclass(kw_only=True, eq=False, repr=False)
class PredictiveVAE(SteppedAugmenter):
    """A VAE with a prediction head: decoded rows are to keep what tells the classes apart.

    One VAE over all classes; its decoded row goes through a softmax head. Loss: w_rec · mean squared error + w_kl · KL
    + w_pred · cross-entropy of the head. A new row of a class is decoded from the posterior of one of the class's own
    rows (each row as often as any other) and keeps its label. This is the sources' idea put right: standard
    parameterisation, sd = exp(log_var / 2), KL with its proper sign, any number of classes, mixed columns.

    Parameters
    ----------
    w_rec : float, default=1.0
        Weight of the squared error, a mean over the columns, which lie in [0, 1].
    w_kl : float, default=0.001
        Weight of the KL divergence, a sum over latent dimensions: small, since the squared error is a small mean.
    w_pred : float, default=0.1
        Weight of the head's cross-entropy, nats.
    selection : {"all", "window", "uncertain"}, default="all"
        Which decoded candidates are kept: any, those between two quantiles of the head's probability of the wanted
        class, or those whose probability is closest to 0.5.
    lower, upper : float, default=0.0, 1.0
        The quantiles of ``"window"``.
    selection_rate : float, default=0.6
        Rows kept for each candidate decoded; ``"all"`` decodes no more than are kept.
    latent_dim : int or "auto", default="auto"
        Latent dimensions; ``"auto"`` is 2, for images (over 200 encoded columns) 50.
    hidden : list of int or "auto", default="auto"
        Widths of the encoder's hidden layers, the decoder's in reverse; ``"auto"`` is two layers of 32, 64 or 256, by
        the number of encoded columns (up to 32, up to 128, more).
    balance : bool, default=True
        Let every class have the same share of the batches: else the head learns the majority class alone.
    **others
        The parameters of `SteppedAugmenter`.
    """

    search_space: ClassVar[dict[str, Range]] = {
        "w_kl": Real(1e-4, 0.1, log=True),
        "w_pred": Real(0.01, 1.0, log=True),
        "latent_dim": LATENT_DIMS,
        "learning_rate": LEARNING_RATES,
    }

    w_rec: float = 1.0
    w_kl: float = 0.001
    w_pred: float = 0.1
    selection: str = "all"
    lower: float = 0.0
    upper: float = 1.0
    selection_rate: float = 0.6
    latent_dim: Any = "auto"
    hidden: Any = "auto"
    balance: bool = True

    def check_parameters(self) -> None:
        """Raise `InputError` for a parameter that has no sensible value."""
        super().check_parameters()
        if self.latent_dim != "auto":
            at_least(self, "latent_dim", 1)
        for name in ("w_rec", "w_kl", "w_pred"):
            check_number(self, name, least=0.0)
        check_hidden(self.hidden)
        check_selection(self, SELECTIONS)

    def _shape(self, task: Task) -> tuple[Shape, tuple[float, float, float], int]:
        from .networks import Shape

        n_numeric, groups = task.encoder.layout
        latent = self.latent_dim if self.latent_dim != "auto" else 50 if task.encoder.width > 200 else 2
        shape = Shape(n_numeric, groups, latent, hidden_widths(self.hidden, task.encoder.width), "mse")
        return shape, (self.w_rec, self.w_kl, self.w_pred), len(task.classes)

    def _builder(self, shape: Any) -> Build:
        from .networks import PredictiveVAE as Network

        return network_builder(Network, *shape)

    def _sets(self, task: Task) -> list[TrainingSet]:
        from .training import TrainingSet

        pool = balanced_pool(task.codes, task.rng) if self.balance else np.arange(len(task.codes))
        pool, held = hold_out(pool, self.patience, task.rng, "all classes")
        return [TrainingSet(task.values, task.codes, task.seed(), "all classes", pool, held)]

    def _sample(self, task: Task, trained: list[Trained]) -> tuple[np.ndarray, np.ndarray]:
        network: Any = trained[0].network
        mean, sd = network.posterior(task.values, task.codes)
        made = []
        for code, count in task.wanted:
            rows = task.rows_of(code)
            share = 1.0 if self.selection == "all" else self.selection_rate
            if self.selection == "window":
                # one more: the ends of a window are rows
                candidates = 1 + int(np.ceil(count / (share * (self.upper - self.lower))))
            else:
                candidates = int(np.ceil(count / share))
            task.candidates += candidates
            i = rows[each_equally_often(len(rows), candidates, task.rng)]
            z = mean[i] + sd[i] * task.rng.standard_normal(mean[i].shape)
            values = network.rows(z, task.codes[i])
            warn_of_one_row(values)
            scores = network.probabilities(values)[:, code]
            made.append(values[select_rows(scores, count, self.selection, (self.lower, self.upper), task.rng)])
        return np.concatenate(made), np.concatenate([np.full(count, code) for code, count in task.wanted])

    def _reconstruct(self, task: Task, networks: list[Any]) -> tuple[np.ndarray, np.ndarray]:
        mean, _ = networks[0].posterior(task.values, task.codes)
        return np.arange(len(mean)), networks[0].rows(mean, task.codes)


@dataclass(kw_only=True, eq=False, repr=False)
class PredictiveVAEPublished(NeuralAugmenter):
    """The predictive VAE as the sources wrote it, quirks kept: to check their figures, not to be recommended.

    What the published code does (SPEC section 7): the minority class is oversampled to the majority's size; the
    network of `networks.PublishedPredictiveVAE` is trained on both classes, columns as they are (only a column that
    leaves [0, 1], where its sigmoid ends and the published data lie, is brought there by its range); rows of *both*
    classes are reconstructed and *all* labelled as the minority; as many copies of majority rows go with them. Of the
    new minority rows the published amounts make 2s/(1 + 2s) reconstructions, s the selection rate, and the rest copies.
    ε is drawn once per 32 rows, the batch of Keras' predict.

    Of two classes of equal size the first counts as the minority. With the preset ``"untrained"`` (the published result
    was obtained with it) every reconstruction is about 0.5 in every column, whatever the data.

    Parameters
    ----------
    preset : {"untrained", "0,0,1", "1,-0.5,0.1", "1,-0.5,0", "1,-0.5,1"}, default="0,0,1"
        Weights (w_rec, w_kl, w_pred); the weight -0.5 *rewards* the KL divergence. ``"untrained"`` is vae_flag = 0.
    epochs : int, default=1
        Passes over the oversampled rows, RMSprop at 1e-4 with batches of 160.
    hidden, latent_dim : int, default=10, 2
        Width of every hidden layer, and latent dimensions; the slides also use 20.
    selection : {"window", "uncertain"}, default="window"
        Reconstructions between two quantiles of the head's score, or those closest to 0.5.
    lower, upper : float, default=0.0, 1.0
        The quantiles.
    selection_rate : float, default=0.6
        s, the share of the reconstructions that is kept.
    batch_size, learning_rate : int, float, default=160, 1e-4
    dtype, device, verbose, sampling_strategy, random_state
        As in `NeuralAugmenter`.
    """

    numeric_only: ClassVar[bool] = True
    binary_only: ClassVar[bool] = True
    optimizer: ClassVar[str] = "rmsprop"
    known_limits: ClassVar[dict[str, str]] = {
        "check_constant_column": "what the published sigmoid gives is left as it is, and that is no constant"
    }
    #: rows of one call of Keras' predict
    PREDICT_BATCH: ClassVar[int] = 32

    preset: str = "0,0,1"
    epochs: int = 1
    hidden: int = 10
    latent_dim: int = 2
    selection: str = "window"
    lower: float = 0.0
    upper: float = 1.0
    selection_rate: float = 0.6
    batch_size: int = 160
    learning_rate: float = 1e-4

    def check_parameters(self) -> None:
        """Raise `InputError` for a parameter that has no sensible value."""
        super().check_parameters()
        if not isinstance(self.preset, str) or self.preset not in PRESETS:
            raise unknown_name("preset", str(self.preset), PRESETS)
        for name in ("epochs", "hidden", "latent_dim"):
            at_least(self, name, 1)
        check_selection(self, SELECTIONS[1:])

    def _shape(self, task: Task) -> tuple[Shape, tuple[float, float, float]]:
        from .networks import Shape

        shape = Shape(task.X.shape[1], (), self.latent_dim, (self.hidden, self.hidden), "mse")
        return shape, PRESETS[self.preset][0]

    def _builder(self, shape: Any) -> Build:
        from .networks import PublishedPredictiveVAE

        return network_builder(PublishedPredictiveVAE, *shape)

    def _steps(self, n_rows: int) -> int:
        # twice the majority, which is nearly all of the rows
        return self.epochs * -(-2 * n_rows // self.batch_size) if PRESETS[self.preset][1] else 0

    def _units(self, X: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
        """Return the offset and the scale that bring each column to where the network has it."""
        return published_units(X)

    def _minority(self, task: Task) -> int:
        return int(np.bincount(task.codes).argmin())

    def _sets(self, task: Task) -> list[TrainingSet]:
        from .training import TrainingSet

        # the minority is the second class
        codes = (task.codes == self._minority(task)).astype(int)
        few, many = np.flatnonzero(codes), np.flatnonzero(codes == 0)
        pool = np.concatenate([many, task.rng.choice(few, size=len(many))])
        steps = self.epochs * -(-len(pool) // self.batch_size) if PRESETS[self.preset][1] else 0
        low, scale = self._units(task.X)
        rows = (task.X.to_numpy(dtype=float) - low) / scale
        return [TrainingSet(rows, codes, task.seed(), "both classes", pool, steps=steps)]

    def _sample(self, task: Task, trained: list[Trained]) -> tuple[np.ndarray, np.ndarray]:
        network: Any = trained[0].network
        minority = self._minority(task)
        low, scale = self._units(task.X)
        originals = task.X.to_numpy(dtype=float)
        rows = (originals - low) / scale
        few, many = task.rows_of(minority), np.flatnonzero(task.codes != minority)
        made = []
        for code, count in task.wanted:
            own = task.rows_of(code)
            share = 2 * self.selection_rate / (1 + 2 * self.selection_rate)
            generated = round(share * count) if code == minority else 0
            copies = originals[task.rng.choice(own, size=count - generated)]
            source = task.rng.permutation(np.concatenate([many, task.rng.choice(few, size=len(many))]))
            batches = -(-len(source) // self.PREDICT_BATCH)
            epsilon = task.rng.standard_normal((batches, self.latent_dim)).repeat(self.PREDICT_BATCH, axis=0)
            values, scores = network.reconstruct(rows[source], epsilon[: len(source)])
            task.candidates += len(values) + len(copies)
            if generated:
                warn_of_one_row(values)
            chosen = select_rows(scores, generated, self.selection, (self.lower, self.upper), task.rng)
            # what the sigmoid gives is not clipped to the training range
            made.append(np.concatenate([copies, values[chosen] * scale + low]))
        return np.concatenate(made), np.concatenate([np.full(count, code) for code, count in task.wanted])

    def _decode(self, task: Task, values: np.ndarray) -> pd.DataFrame:
        # not encoded, and so in the table's units already
        return pd.DataFrame({j: as_dtype(values[:, j], dtype) for j, dtype in enumerate(task.X.dtypes)})


def published_units(X: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Return the offset and the scale of each column: 0 and 1, but the minimum and the range where it leaves [0, 1]."""
    low, high = X.min().to_numpy(dtype=float), X.max().to_numpy(dtype=float)
    inside = (low >= 0) & (high <= 1)
    return np.where(inside, 0.0, low), np.where(inside | (high == low), 1.0, high - low)


def check_selection(method: Any, allowed: tuple[str, ...]) -> None:
    """Raise `InputError` for a selection of rows that makes no sense."""
    if method.selection not in allowed:
        raise InputError(f"selection must be one of {', '.join(allowed)}; found {method.selection!r}")
    if not 0 <= method.lower < method.upper <= 1:
        raise InputError(f"quantiles must have 0 <= lower < upper <= 1; found {method.lower} and {method.upper}")
    if not 0 < method.selection_rate <= 1:
        raise InputError(f"selection_rate must be above 0 and at most 1; found {method.selection_rate!r}")
