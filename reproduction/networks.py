"""Networks that only experiments need."""

from __future__ import annotations

from torch import Tensor

from ..methods.neural.networks import PublishedPredictiveVAE
from ..methods.neural.stack import Noise


class PublishedWithoutDropout(PublishedPredictiveVAE):
    """The predictive VAE of the slides before they add dropout; all else as in `PublishedPredictiveVAE`."""

    def noises(self) -> dict[str, Noise]:
        """Return ε alone."""
        return {"latent": super().noises()["latent"]}

    def _posterior(self, x: Tensor, noise: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        return super()._posterior(x, {})
