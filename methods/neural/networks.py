"""The variational autoencoders, as stacks: plain and conditional, predictive, and the predictive one as published."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from .stack import (
    Batch,
    Hidden,
    Linear,
    Noise,
    StackedNetwork,
    at_rest,
    bernoulli_nll,
    class_nll,
    gaussian_kl,
    gaussian_nll,
    group_nll,
)

#: a column's learned standard deviation does not fall below this share of its range
LEAST_LOG_SD = float(np.log(0.01))


@dataclass(frozen=True)
class Shape:
    """What decides the shape of a VAE.

    Attributes
    ----------
    n_numeric : int
        Numeric columns, scaled to [0, 1]; they come first.
    groups : tuple of int
        Widths of the one-hot groups that follow.
    latent_dim : int
        Latent dimensions.
    hidden : tuple of int
        Widths of the encoder's hidden layers; the decoder has them in reverse.
    likelihood : {"gaussian", "bernoulli", "mse"}
        Of the numeric columns: normal with a learned standard deviation for each column (as in TVAE; Rybkin et al.
        2021), Bernoulli (pixels), or the plain sum of squared errors.
    n_conditions : int
        Classes that encoder and decoder are told (CVAE), else 0.
    """

    n_numeric: int
    groups: tuple[int, ...]
    latent_dim: int
    hidden: tuple[int, ...]
    likelihood: str = "gaussian"
    n_conditions: int = 0

    @property
    def width(self) -> int:
        """Columns of an encoded row."""
        return self.n_numeric + sum(self.groups)

    @property
    def slices(self) -> list[slice]:
        """Where the one-hot groups stand."""
        ends = self.n_numeric + np.cumsum([0, *self.groups])
        return [slice(int(a), int(b)) for a, b in pairwise(ends)]


class VAE(StackedNetwork):
    """Variational autoencoder (Kingma & Welling 2014) with a weight on the KL divergence (Higgins et al. 2017).

    Loss: negative log-likelihood of the row, in nats, plus β times KL(q(z|x) ‖ N(0, I)); a mean over the batch.

    Parameters
    ----------
    generators : sequence of numpy.random.Generator
        One for each replicate.
    shape : Shape
    beta : float
    """

    def __init__(self, generators: Sequence[np.random.Generator], shape: Shape, beta: float) -> None:
        super().__init__()
        self.shape = shape
        self.beta = beta
        told = shape.n_conditions
        self.encoder = Hidden(generators, shape.width + told, shape.hidden)
        self.mean = Linear(generators, shape.hidden[-1], shape.latent_dim)
        self.log_var = Linear(generators, shape.hidden[-1], shape.latent_dim)
        self.decoder = Hidden(generators, shape.latent_dim + told, shape.hidden[::-1])
        self.output = Linear(generators, shape.hidden[0], shape.width)
        if shape.likelihood == "gaussian":
            start = torch.full((len(generators), shape.n_numeric, 1), float(np.log(0.3)), dtype=torch.float64)
            self.log_sd = nn.Parameter(start)

    def noises(self) -> dict[str, Noise]:
        """Return the noise of the latent sample."""
        return {"latent": Noise(self.shape.latent_dim)}

    def encode(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and log-variance of q(z|x), (R, latent_dim, batch)."""
        hidden = self.encoder(self._tell(x, y))
        return self.mean(hidden), self.log_var(hidden)

    def decode(self, z: Tensor, y: Tensor) -> Tensor:
        """Return what the output layer gives for z of shape (R, latent_dim, batch)."""
        return self.output(self.decoder(self._tell(z, y)))

    def reconstruction(self, x: Tensor, out: Tensor) -> Tensor:
        """Return the negative log-likelihood of rows given the decoder's output, nats, (R, batch)."""
        n = self.shape.n_numeric
        loss = torch.zeros_like(x[:, 0])
        if n and self.shape.likelihood == "gaussian":
            loss = gaussian_nll(x[:, :n], out[:, :n], self.log_sd.clamp(min=LEAST_LOG_SD))
        elif n and self.shape.likelihood == "bernoulli":
            loss = bernoulli_nll(x[:, :n], out[:, :n])
        elif n:
            loss = (x[:, :n] - torch.sigmoid(out[:, :n])).square().sum(dim=1)
        return loss + group_nll(x, out, self.shape.slices) if self.shape.groups else loss

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """Return loss, reconstruction and KL divergence, (R,)."""
        mean, log_var = self.encode(batch.x, batch.y)
        z = mean + (0.5 * log_var).exp() * batch.noise["latent"]
        reconstruction = batch.mean(self.reconstruction(batch.x, self.decode(z, batch.y)))
        kl = batch.mean(gaussian_kl(mean, log_var))
        return {"loss": reconstruction + self.beta * kl, "reconstruction": reconstruction, "kl": kl}

    def rows(self, z: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Decode latent points of one replicate to the mean of their rows.

        Parameters
        ----------
        z : numpy.ndarray of shape (n, latent_dim)
        y : numpy.ndarray of shape (n,)
            Class codes (a CVAE's condition).

        Returns
        -------
        numpy.ndarray of shape (n, width)
            Numeric columns in the network's range, and a probability for each category.
        """
        n = self.shape.n_numeric
        with at_rest():
            out = self.decode(*self._from_numpy(z, y))
            if self.shape.likelihood != "gaussian":
                out[:, :n] = torch.sigmoid(out[:, :n])
            for group in self.shape.slices:
                out[:, group] = torch.softmax(out[:, group], dim=1)
        return out[0].T.numpy().astype(float)

    def observed(self, means: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Draw rows from the likelihood of the numeric columns, given their means; only a gaussian one is drawn."""
        if self.shape.likelihood != "gaussian":
            return means
        n = self.shape.n_numeric
        sd = self.log_sd.detach().clamp(min=LEAST_LOG_SD).exp()[0, :, 0].numpy().astype(float)
        return np.hstack([means[:, :n] + sd * rng.standard_normal((len(means), n)), means[:, n:]])

    def posterior(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return mean and standard deviation of q(z|x) for rows of one replicate, (n, latent_dim) each."""
        with at_rest():
            mean, log_var = self.encode(*self._from_numpy(x, y))
        return mean[0].T.numpy().astype(float), (0.5 * log_var[0].T).exp().numpy().astype(float)

    def _tell(self, x: Tensor, y: Tensor) -> Tensor:
        if not self.shape.n_conditions:
            return x
        told = functional.one_hot(y, self.shape.n_conditions).transpose(1, 2).to(x.dtype)
        return torch.cat([x, told], dim=1)

    def _from_numpy(self, values: np.ndarray, y: np.ndarray) -> tuple[Tensor, Tensor]:
        dtype = self.output.weight.dtype
        return torch.from_numpy(np.ascontiguousarray(values.T)).to(dtype)[None], torch.from_numpy(y.astype(np.int64))[
            None
        ]


class PredictiveVAE(VAE):
    """A VAE whose decoded row goes through a prediction head.

    Loss: w_rec · mean squared error + w_kl · KL + w_pred · cross-entropy of the head.

    Parameters
    ----------
    generators : sequence of numpy.random.Generator
    shape : Shape
        Its likelihood is ``"mse"``.
    weights : tuple of float
        (w_rec, w_kl, w_pred).
    n_classes : int
    """

    def __init__(
        self,
        generators: Sequence[np.random.Generator],
        shape: Shape,
        weights: tuple[float, float, float],
        n_classes: int,
    ) -> None:
        super().__init__(generators, shape, beta=weights[1])
        self.weights = weights
        self.head = Linear(generators, shape.width, n_classes)

    def row(self, z: Tensor, y: Tensor) -> Tensor:
        """Return decoded rows: numeric columns in (0, 1), and probabilities of the categories."""
        out = self.decode(z, y)
        if not self.shape.groups:
            return torch.sigmoid(out)
        parts = [torch.sigmoid(out[:, : self.shape.n_numeric])]
        parts += [torch.softmax(out[:, group], dim=1) for group in self.shape.slices]
        return torch.cat(parts, dim=1)

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """Return loss, reconstruction, KL divergence, cross-entropy and accuracy of the head, (R,)."""
        mean, log_var = self.encode(batch.x, batch.y)
        z = mean + (0.5 * log_var).exp() * batch.noise["latent"]
        row = self.row(z, batch.y)
        scores = self.head(row)
        with at_rest():
            # argmax takes longer than all the rest
            right = scores.gather(1, batch.y[:, None])[:, 0] >= scores.amax(dim=1)
        squared = (batch.x - row).square().mean(dim=1)
        return self._total(batch, squared, gaussian_kl(mean, log_var), class_nll(scores, batch.y), right)

    def _total(self, batch: Batch, squared: Tensor, kl: Tensor, nll: Tensor, right: Tensor) -> dict[str, Tensor]:
        """Return the parts of the loss from those of each row, (R, batch) each."""
        reconstruction, divergence, prediction = batch.mean(squared), batch.mean(kl), batch.mean(nll)
        w_rec, w_kl, w_pred = self.weights
        return {
            "loss": w_rec * reconstruction + w_kl * divergence + w_pred * prediction,
            "reconstruction": reconstruction,
            "kl": divergence,
            "prediction": prediction,
            "accuracy": batch.mean(right.to(nll.dtype)),
        }

    def probabilities(self, rows: np.ndarray) -> np.ndarray:
        """Return what the head of one replicate predicts for encoded rows: (n, width) to (n, n_classes)."""
        with at_rest():
            return torch.softmax(self.head(self._from_numpy(rows, np.zeros(len(rows)))[0]), dim=1)[0].T.numpy()


class PublishedPredictiveVAE(PredictiveVAE):
    """The predictive VAE of the sources, with its quirks (SPEC section 7).

    Two hidden layers of relu with dropout .5 after each; the log-variance comes from the second layer *before* its
    dropout; z = mean + exp(log_var) · ε, so that exp(log_var) stands where the standard deviation belongs, with ε ~
    N(0, 0.1²) and one ε shared by all rows of a batch; two decoder layers and a sigmoid; a head of one sigmoid
    unit. The KL term is the mean over the latent dimensions, so a negative weight rewards it.

    Parameters
    ----------
    generators : sequence of numpy.random.Generator
    shape : Shape
        Numeric columns only, two hidden layers.
    weights : tuple of float
        (w_rec, w_kl, w_pred).
    """

    #: standard deviation of ε
    EPSILON = 0.1

    def __init__(
        self, generators: Sequence[np.random.Generator], shape: Shape, weights: tuple[float, float, float]
    ) -> None:
        super().__init__(generators, shape, weights, n_classes=1)

    def noises(self) -> dict[str, Noise]:
        """Return ε and the two dropout masks."""
        first, second = self.shape.hidden
        return {
            "latent": Noise(self.shape.latent_dim, shared=True),
            "dropout 1": Noise(first, "keep"),
            "dropout 2": Noise(second, "keep"),
        }

    def _posterior(self, x: Tensor, noise: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        first, second = self.encoder.layers
        before = torch.relu(first(x))
        before = before * noise["dropout 1"] if noise else before
        hidden = torch.relu(second(before))
        kept = hidden * noise["dropout 2"] if noise else hidden
        return self.mean(kept), self.log_var(hidden)

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """Return loss, reconstruction, KL divergence, cross-entropy and accuracy of the head, (R,)."""
        mean, log_var = self._posterior(batch.x, batch.noise)
        row = self.row(mean + log_var.exp() * self.EPSILON * batch.noise["latent"], batch.y)
        score = self.head(row).squeeze(1)
        nll = functional.softplus(score) - score * batch.y
        kl = gaussian_kl(mean, log_var) / self.shape.latent_dim
        return self._total(batch, (batch.x - row).square().mean(dim=1), kl, nll, (score > 0) == batch.y)

    def reconstruct(self, x: np.ndarray, epsilon: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return decoded rows and the head's scores of one replicate.

        Parameters
        ----------
        x : numpy.ndarray of shape (n, width)
        epsilon : numpy.ndarray of shape (n, latent_dim)
            Standard normal.

        Returns
        -------
        rows : numpy.ndarray of shape (n, width)
        scores : numpy.ndarray of shape (n,)
            Predicted probability of the second class.
        """
        with at_rest():
            rows, y = self._from_numpy(x, np.zeros(len(x)))
            noise, _ = self._from_numpy(epsilon, np.zeros(len(x)))
            mean, log_var = self._posterior(rows, {})
            decoded = self.row(mean + log_var.exp() * self.EPSILON * noise, y)
            scores = torch.sigmoid(self.head(decoded))
        return decoded[0].T.numpy().astype(float), scores[0, 0].numpy().astype(float)
