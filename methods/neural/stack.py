"""Layers with a replicate axis: R networks of one shape, trained as one.

Weights are (R, out, in), activations (R, width, batch). The batch stands *last*: the product of fifty 10 × 10 weights
with their 160 rows then takes a fifth of the time that it takes with the batch in the middle (MKL, one thread), and as
long for 64 × 64 weights. One network is R = 1 of the same code.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from ...threads import torch_threads


class Linear(nn.Module):
    """An affine map for each replicate.

    Parameters
    ----------
    generators : sequence of numpy.random.Generator
        One for each replicate; draws its initial weights (Glorot & Bengio 2010, uniform), biases are 0.
    n_in, n_out : int
        Widths.
    gates : int, default=1
        `n_out` is so many maps side by side, each drawn for its own fan-out (a recurrent layer's gates).
    """

    def __init__(self, generators: Sequence[np.random.Generator], n_in: int, n_out: int, gates: int = 1) -> None:
        super().__init__()
        limit = np.sqrt(6 / (n_in + n_out // gates))
        weight = np.stack([rng.uniform(-limit, limit, size=(n_in, n_out)) for rng in generators])
        self.weight = nn.Parameter(torch.from_numpy(weight).transpose(1, 2).contiguous())
        self.bias = nn.Parameter(torch.zeros(len(generators), n_out, 1, dtype=torch.float64))

    def forward(self, x: Tensor) -> Tensor:
        """Map (R, n_in, batch) to (R, n_out, batch)."""
        return torch.baddbmm(self.bias, self.weight, x)


class Hidden(nn.Module):
    """Layers of `Linear` and relu.

    Parameters
    ----------
    generators : sequence of numpy.random.Generator
        One for each replicate.
    n_in : int
        Width of the input.
    widths : sequence of int
        Width of each layer.
    """

    def __init__(self, generators: Sequence[np.random.Generator], n_in: int, widths: Sequence[int]) -> None:
        super().__init__()
        before = [n_in, *widths]
        self.layers = nn.ModuleList(Linear(generators, a, b) for a, b in zip(before, widths, strict=False))

    def forward(self, x: Tensor) -> Tensor:
        """Map (R, n_in, batch) to (R, widths[-1], batch)."""
        for layer in self.layers:
            x = torch.relu(layer(x))
        return x


@dataclass(frozen=True)
class Noise:
    """Random numbers that a network wants for each row of a batch.

    Attributes
    ----------
    width : int
        How many for each row.
    kind : {"normal", "keep"}
        Standard normal, or a dropout mask: 0, or 1/(1 - rate) for what is kept.
    rate : float
        Share that is dropped, in steps of 1/256.
    shared : bool
        One column for the whole batch.
    """

    width: int
    kind: str = "normal"
    rate: float = 0.5
    shared: bool = False


@dataclass
class Batch:
    """What one step is computed on.

    Attributes
    ----------
    x : torch.Tensor of shape (R, n_features, batch)
        Rows.
    y : torch.Tensor of shape (R, batch), int64
        Class codes.
    noise : dict of str to torch.Tensor of shape (R, width, batch)
        What `StackedNetwork.noises` asked for.
    weight : torch.Tensor of shape (R, batch), optional
        0 for padding rows.
    """

    x: Tensor
    y: Tensor
    noise: dict[str, Tensor] = field(default_factory=dict)
    weight: Tensor | None = None

    def mean(self, per_row: Tensor) -> Tensor:
        """Average (R, batch) over the rows, to (R,)."""
        if self.weight is None:
            return per_row.mean(dim=1)
        # where, not a product: what a padding row gives may be no number
        return torch.where(self.weight > 0, per_row, 0).sum(dim=1) / self.weight.sum(dim=1)


class StackedNetwork(nn.Module):
    """Base of the networks that `training.train` takes."""

    def noises(self) -> dict[str, Noise]:
        """Return what random numbers a training step needs, by name."""
        return {}

    def activations(self) -> int:
        """Return about how many numbers are kept for each row of a batch: as many as there are units."""
        return sum(one.shape[1] for one in self.parameters() if one.shape[-1] == 1)

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """Return the parts of the loss, each (R,); ``"loss"`` is what is minimised."""
        raise NotImplementedError


def flatten(network: nn.Module) -> Tensor:
    """Move all parameters and gradients of a network into one vector each.

    An optimizer's step is then a handful of operations, whatever the number of layers. The parameters stay where they
    are in the network, as views; gradients are added in place (set ``flat.grad`` to zero before each step).

    Returns
    -------
    torch.Tensor of shape (n_parameters,)
        With its `grad`.
    """
    parameters = list(network.parameters())
    flat = torch.cat([one.detach().reshape(-1) for one in parameters])
    flat.grad = torch.zeros_like(flat)
    start = 0
    for one in parameters:
        stop = start + one.numel()
        one.data = flat[start:stop].view_as(one)
        one.grad = flat.grad[start:stop].view_as(one)
        start = stop
    return flat


@contextmanager
def at_rest() -> Iterator[None]:
    """Compute without gradients, and on one thread."""
    with torch_threads(), torch.no_grad():
        yield


def gaussian_kl(mean: Tensor, log_var: Tensor) -> Tensor:
    """KL divergence of N(mean, exp(log_var)) from N(0, I), nats (Kingma & Welling 2014, appendix B).

    Parameters
    ----------
    mean, log_var : torch.Tensor of shape (R, latent_dim, batch)

    Returns
    -------
    torch.Tensor of shape (R, batch)
    """
    return -0.5 * (1 + log_var - mean.square() - log_var.exp()).sum(dim=1)


def gaussian_nll(x: Tensor, mean: Tensor, log_sd: Tensor) -> Tensor:
    """Negative log-density of independent normals, summed over the columns, nats: (R, width, batch) to (R, batch)."""
    return (0.5 * ((x - mean) * (-log_sd).exp()).square() + log_sd + 0.5 * np.log(2 * np.pi)).sum(dim=1)


def bernoulli_nll(x: Tensor, logits: Tensor) -> Tensor:
    """Cross-entropy of values in [0, 1] under Bernoulli logits, summed over the columns: to (R, batch)."""
    return functional.binary_cross_entropy_with_logits(logits, x, reduction="none").sum(dim=1)


def group_nll(x: Tensor, logits: Tensor, groups: Sequence[slice]) -> Tensor:
    """Cross-entropy of one-hot groups under softmax, summed over the groups: (R, width, batch) to (R, batch)."""
    parts = [(x[:, g] * torch.log_softmax(logits[:, g], dim=1)).sum(dim=1) for g in groups]
    return -torch.stack(parts).sum(dim=0)


def class_nll(logits: Tensor, y: Tensor) -> Tensor:
    """Cross-entropy of class codes: logits (R, K, batch) and codes (R, batch) to (R, batch)."""
    return functional.cross_entropy(logits, y, reduction="none")
