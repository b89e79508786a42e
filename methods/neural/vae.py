"""One VAE for each class, and one VAE that is told the class: new rows are decoded from N(0, I)."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ...errors import InputError
from ..search import Choice, Range, Real
from .augmenter import (
    LATENT_DIMS,
    LEARNING_RATES,
    LIKELIHOODS,
    SteppedAugmenter,
    Task,
    balanced_pool,
    class_name,
    hidden_widths,
    hold_out,
    network_builder,
    warn_of_one_row,
)
from .checks import at_least, check_hidden, check_number

if TYPE_CHECKING:
    from .networks import Shape
    from .training import Build, Trained, TrainingSet

#: what tuning may try of beta
BETAS = Real(0.01, 4.0, log=True)


@dataclass(kw_only=True, eq=False, repr=False)
class VAEFamily(SteppedAugmenter):
    """Base of the augmenters whose network is a plain VAE: the parameters that all of them have.

    Parameters
    ----------
    latent_dim : int or "auto", default="auto"
        Latent dimensions; ``"auto"`` takes the published ones: 2, for images (over 200 encoded columns) 50.
    hidden : list of int or "auto", default="auto"
        Widths of the encoder's hidden layers, the decoder's in reverse; ``"auto"`` is two layers of 32, 64 or 256, by
        the number of encoded columns (up to 32, up to 128, more).
    beta : float, default=1.0
        Weight of the KL divergence; 1 is the evidence lower bound.
    normalise_beta : bool, default=False
        Multiply β by latent dimensions / number of the table's columns (Iser 2023).
    balance : bool, default=False
        Let every class that a network sees have the same share of its batches: rows of small classes are repeated.
    likelihood : {"gaussian", "bernoulli", "mse"}, default="gaussian"
        Of numeric columns: normal with a learned standard deviation per column, drawn from when rows are generated;
        Bernoulli for pixels; or the sum of squared errors. The last two give the mean. Categories are always drawn.
    numeric, steps, batch_size, learning_rate, patience, dtype, device, verbose, keep_early
        As in `SteppedAugmenter`.
    sampling_strategy, random_state
        As in `Augmenter`.
    """

    search_space: ClassVar[dict[str, Range]] = {
        "beta": BETAS,
        "latent_dim": LATENT_DIMS,
        "learning_rate": LEARNING_RATES,
    }

    latent_dim: Any = "auto"
    hidden: Any = "auto"
    beta: float = 1.0
    normalise_beta: bool = False
    balance: bool = False
    likelihood: str = "gaussian"

    def check_parameters(self) -> None:
        """Raise `InputError` for a parameter that has no sensible value."""
        super().check_parameters()
        if self.latent_dim != "auto":
            at_least(self, "latent_dim", 1)
        if self.likelihood not in LIKELIHOODS:
            raise InputError(f"likelihood must be one of {', '.join(LIKELIHOODS)}; found {self.likelihood!r}")
        check_number(self, "beta", least=0.0)
        check_hidden(self.hidden)

    def _shape(self, task: Task) -> tuple[Shape, float]:
        from .networks import Shape

        n_numeric, groups = task.encoder.layout
        width = task.encoder.width
        latent = self.latent_dim if self.latent_dim != "auto" else 50 if width > 200 else 2
        beta = self.beta * latent / task.X.shape[1] if self.normalise_beta else self.beta
        hidden = hidden_widths(self.hidden, width)
        return Shape(n_numeric, groups, latent, hidden, self.likelihood, self._n_conditions(task)), beta

    def _builder(self, shape: tuple[Shape, float]) -> Build:
        from . import networks

        return network_builder(networks.VAE, *shape)

    def _n_conditions(self, task: Task) -> int:
        """Return how many classes encoder and decoder are told, 0 for none."""
        return 0

    def _set(self, task: Task, pool: np.ndarray, name: str) -> TrainingSet:
        from .training import TrainingSet

        pool, held = hold_out(pool, self.patience, task.rng, name)
        return TrainingSet(task.values, task.codes, task.seed(), name, pool, held)

    def _reconstruct(self, task: Task, networks: list[Any]) -> tuple[np.ndarray, np.ndarray]:
        """Return the training rows as the network that is responsible for their class reconstructs them."""
        positions, values = [], []
        for rows, network in self._responsible(task, networks):
            mean, _ = network.posterior(task.values[rows], task.codes[rows])
            positions.append(rows)
            values.append(network.rows(mean, task.codes[rows]))
        return np.concatenate(positions), np.concatenate(values)

    @abstractmethod
    def _responsible(self, task: Task, networks: list[Any]) -> list[tuple[np.ndarray, Any]]:
        """Return which rows (positions) belong to which network."""


@dataclass(kw_only=True, eq=False, repr=False)
class VAE(VAEFamily):
    """One VAE per class ("Multi-VAE"); new rows are decoded from N(0, I).

    A variational autoencoder (Kingma & Welling 2014, β: Higgins et al. 2017) is trained on the rows of each class that
    gets new rows. Several classes and training sets are trained as one stack.

    Parameters
    ----------
    mix_in : float, default=0.0
        Share of rows of other classes in each class's training set (Iser 2023: 0.2), chosen at random; with `balance`
        the other classes give equally many.
    **others
        The parameters of `VAEFamily`.

    Examples
    --------
    >>> import pandas as pd
    >>> X = pd.DataFrame({"a": [0.0, 1.0, 2.0, 3.0, 4.0], "b": [1.0, 0.0, 1.0, 5.0, 6.0]})
    >>> method = VAE(steps=50, random_state=0)
    >>> X_new, y_new = method.fit_resample(X, np.array([0, 0, 0, 1, 1]))
    >>> len(X_new), y_new.tolist(), bool(X_new["a"][5] >= 3)
    (6, [0, 0, 0, 1, 1, 1], True)
    """

    search_space: ClassVar[dict[str, Range]] = {**VAEFamily.search_space, "mix_in": Real(0.0, 0.5)}

    mix_in: float = 0.0

    def check_parameters(self) -> None:
        """Raise `InputError` for a parameter that has no sensible value."""
        super().check_parameters()
        check_number(self, "mix_in", least=0.0)
        if self.mix_in >= 1:
            raise InputError(f"mix_in must be at least 0 and below 1; found {self.mix_in!r}")

    def _sets(self, task: Task) -> list[TrainingSet]:
        return [self._set(task, self._pool(task, code), class_name(task, code)) for code, _ in task.wanted]

    def n_networks(self, counts: dict[int, int]) -> int:
        """Return how many classes get new rows: each has a network."""
        return sum(count > 0 for count in counts.values())

    def _pool(self, task: Task, code: int) -> np.ndarray:
        """Return the rows that the network of one class is trained on."""
        own = task.rows_of(code)
        wanted = round(self.mix_in / (1 - self.mix_in) * len(own))
        others = np.flatnonzero(task.codes != code)
        if not wanted or not len(others):
            return own
        if self.balance:
            others = others[balanced_pool(task.codes[others], task.rng)]
        return np.concatenate([own, task.rng.choice(others, size=min(wanted, len(others)), replace=False)])

    def _sample(self, task: Task, trained: list[Trained]) -> tuple[np.ndarray, np.ndarray]:
        codes = np.concatenate([np.full(count, code) for code, count in task.wanted])
        values = []
        for (_, count), one in zip(task.wanted, trained, strict=True):
            network: Any = one.network
            z = task.rng.standard_normal((count, network.shape.latent_dim))
            means = network.rows(z, np.zeros(count))
            warn_of_one_row(means)
            values.append(network.observed(means, task.rng))
        return np.concatenate(values), codes

    def _responsible(self, task: Task, networks: list[Any]) -> list[tuple[np.ndarray, Any]]:
        return [(task.rows_of(code), network) for (code, _), network in zip(task.wanted, networks, strict=True)]


@dataclass(kw_only=True, eq=False, repr=False)
class CVAE(VAEFamily):
    """One conditional VAE: encoder and decoder are told the class; new rows are decoded from N(0, I) and their class.

    Sohn, Lee & Yan (2015). The class is a one-hot vector beside the row and beside the latent point.

    Parameters
    ----------
    **others
        The parameters of `VAEFamily`.
    """

    search_space: ClassVar[dict[str, Range]] = {
        **VAEFamily.search_space,
        "balance": Choice((False, True)),
    }

    def _n_conditions(self, task: Task) -> int:
        return len(task.classes)

    def _sets(self, task: Task) -> list[TrainingSet]:
        return [self._set(task, all_rows(task, balance=self.balance), "all classes")]

    def _sample(self, task: Task, trained: list[Trained]) -> tuple[np.ndarray, np.ndarray]:
        codes = np.concatenate([np.full(count, code) for code, count in task.wanted])
        network: Any = trained[0].network
        z = task.rng.standard_normal((len(codes), network.shape.latent_dim))
        return observed_rows(network, z, codes, task), codes

    def _responsible(self, task: Task, networks: list[Any]) -> list[tuple[np.ndarray, Any]]:
        return [(np.arange(len(task.codes)), networks[0])]


def observed_rows(network: Any, z: np.ndarray, codes: np.ndarray, task: Task) -> np.ndarray:
    """Decode latent points of all classes with one network, and draw rows from the likelihood."""
    means = network.rows(z, codes)
    for code, _ in task.wanted:
        warn_of_one_row(means[codes == code])
    return network.observed(means, task.rng)


def all_rows(task: Task, *, balance: bool) -> np.ndarray:
    """Return the positions that a network over all classes runs through."""
    return balanced_pool(task.codes, task.rng) if balance else np.arange(len(task.codes))
