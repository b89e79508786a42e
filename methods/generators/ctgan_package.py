"""CTGAN and TVAE of the package ctgan (Xu et al. 2019, "Modeling tabular data using conditional GAN").

Found in ctgan 0.12.1, and taken into account here:

- `CTGAN.sample` with a condition always conditions on the first discrete column; the class stands first (`tables`).
- Tables of 500 rows and more are transformed by as many processes as there are cores; `isolation` keeps them in one.
- Mixtures and their components are drawn under seeds that rdt derives from column names and the first five rows: the
  global seeds decide the networks, the batches and the samples only.
- A column that is constant gets a mixture of no width, and comes back with rounding errors: it is set to its value.
- `TVAE` cannot be asked for a class; with ``conditional="class-column"`` its rows of other classes are thrown away.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import pandas as pd

from ...errors import InputError
from ..neural.checks import at_least, check_number
from ..search import Choice, Range, Real
from .base import Fitted, NetworkGenerator
from .tables import CLASS

#: what the package calls the losses of a GAN -> ours
GAN_LOSSES = {"Generator Loss": "generator", "Discriminator Loss": "discriminator"}

GAN_SEARCH: dict[str, Range] = {
    "embedding_dim": Choice((32, 64, 128)),
    "generator_lr": Real(5e-5, 2e-3, log=True),
    "discriminator_lr": Real(5e-5, 2e-3, log=True),
}
TVAE_SEARCH: dict[str, Range] = {
    "embedding_dim": Choice((16, 32, 64, 128)),
    "l2scale": Real(1e-6, 1e-3, log=True),
    "loss_factor": Real(0.5, 5.0, log=True),
}


@dataclass(kw_only=True, eq=False, repr=False)
class GANGenerator(NetworkGenerator):
    """Base of the GANs of both packages.

    Parameters
    ----------
    generator_lr, discriminator_lr : float, default=2e-4
        Step sizes (Adam).
    discriminator_steps : int, default=1
        Steps of the discriminator for each of the generator.
    pac : int, default=10
        Rows that the discriminator sees as one; `batch_size` is a multiple of it, and even.
    **others
        The parameters of `NetworkGenerator`.
    """

    search_space: ClassVar[dict[str, Range]] = GAN_SEARCH
    checked_with: ClassVar[dict[str, Any]] = {"steps": 3, "batch_size": 100}
    declared_seconds: ClassVar[float] = 120.0
    losses: ClassVar[dict[str, str]] = GAN_LOSSES
    seconds_per_step: ClassVar[float] = 0.03
    own: ClassVar[tuple[str, ...]] = ("generator_lr", "discriminator_lr", "discriminator_steps", "pac")

    generator_lr: float = 2e-4
    discriminator_lr: float = 2e-4
    discriminator_steps: int = 1
    pac: int = 10

    def check_parameters(self) -> None:
        """Raise `InputError` for a parameter that has no sensible value."""
        super().check_parameters()
        at_least(self, "pac", 1)
        at_least(self, "discriminator_steps", 1)
        check_number(self, "generator_lr", above=0.0)
        check_number(self, "discriminator_lr", above=0.0)
        if self.batch_size % 2 or self.batch_size % self.pac:
            raise InputError(f"batch_size must be even and a multiple of pac={self.pac}; found {self.batch_size}")

    def _steps_per_epoch(self, n_rows: int) -> int:
        return max(n_rows // self.batch_size, 1)


@dataclass(kw_only=True, eq=False, repr=False)
class TVAEGenerator(NetworkGenerator):
    """Base of the TVAEs of both packages.

    Parameters
    ----------
    l2scale : float, default=1e-5
        Weight decay (Adam).
    loss_factor : float, default=2.0
        Weight of the reconstruction error against the KL divergence.
    **others
        The parameters of `NetworkGenerator`.
    """

    search_space: ClassVar[dict[str, Range]] = TVAE_SEARCH
    checked_with: ClassVar[dict[str, Any]] = {"steps": 5}
    declared_seconds: ClassVar[float] = 30.0
    losses: ClassVar[dict[str, str]] = {"Loss": "loss"}
    seconds_per_step: ClassVar[float] = 0.005
    own: ClassVar[tuple[str, ...]] = ("l2scale", "loss_factor")

    l2scale: float = 1e-5
    loss_factor: float = 2.0

    def check_parameters(self) -> None:
        """Raise `InputError` for a parameter that has no sensible value."""
        super().check_parameters()
        check_number(self, "l2scale", least=0.0)
        check_number(self, "loss_factor", above=0.0)

    def _steps_per_epoch(self, n_rows: int) -> int:
        return -(-n_rows // self.batch_size)


@dataclass(kw_only=True, eq=False, repr=False)
class CTGAN(GANGenerator):
    """CTGAN of the package ctgan: a conditional GAN for mixed columns, numbers by their mixture component.

    With ``conditional="class-column"`` the generator is asked for the class (`condition_column`).

    Parameters
    ----------
    **others
        The parameters of `GANGenerator`; all defaults are the package's.
    """

    requires: ClassVar[tuple[str, ...]] = ("ctgan", "rdt", "torch")

    def _train(self, rows: pd.DataFrame, discrete: list[str], seed: int) -> Fitted:
        import ctgan

        model = ctgan.CTGAN(**self._settings(len(rows)))
        model.fit(rows, discrete)

        def draw(n: int, text: str | None) -> pd.DataFrame:
            return model.sample(n) if text is None else model.sample(n, CLASS, text)

        return Fitted(draw, self._history(model.loss_values, len(rows)))


@dataclass(kw_only=True, eq=False, repr=False)
class TVAE(TVAEGenerator):
    """TVAE of the package ctgan: a variational autoencoder for mixed columns, numbers by their mixture component.

    Parameters
    ----------
    **others
        The parameters of `TVAEGenerator`; all defaults are the package's.
    """

    requires: ClassVar[tuple[str, ...]] = ("ctgan", "rdt", "torch")

    def _train(self, rows: pd.DataFrame, discrete: list[str], seed: int) -> Fitted:
        import ctgan

        model = ctgan.TVAE(**self._settings(len(rows)))
        model.fit(rows, discrete)
        return Fitted(lambda n, text: model.sample(n), self._history(model.loss_values, len(rows)))
