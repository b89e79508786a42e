"""The autoencoders of the detectors, as stacks: a dense one, and one of LSTM layers over windows of a series."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from .stack import Batch, Hidden, Linear, StackedNetwork, at_rest


@dataclass(frozen=True)
class AutoencoderShape:
    """What decides the shape of an autoencoder.

    Attributes
    ----------
    width : int
        Columns of an encoded row.
    hidden : tuple of int
        Widths of the layers before the code, in reverse after it; may be empty.
    code : int
        Width of the code.
    window : int
        Consecutive rows that are seen together (LSTM), else 1.
    """

    width: int
    hidden: tuple[int, ...]
    code: int
    window: int = 1


class SquaredErrorNetwork(StackedNetwork):
    """Base of the autoencoders: the loss is the mean squared error over all numbers of an input."""

    shape: AutoencoderShape

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """Return the loss, (R,)."""
        return {"loss": batch.mean((batch.x - self(batch.x)).square().mean(dim=1))}

    def errors(self, x: np.ndarray) -> np.ndarray:
        """Return the mean squared errors of the rows in inputs of one replicate.

        Parameters
        ----------
        x : numpy.ndarray of shape (n, window · width)

        Returns
        -------
        numpy.ndarray of shape (n, window)
        """
        one = next(self.parameters())
        with at_rest():
            rows = torch.from_numpy(np.ascontiguousarray(x.T)).to(one.dtype)[None]
            squared = (rows - self(rows)).square()[0].T.numpy().astype(float)
        return squared.reshape(len(x), self.shape.window, self.shape.width).mean(axis=2)


class Autoencoder(SquaredErrorNetwork):
    """Dense layers of relu down (or up) to a linear code, and back to a linear output.

    Parameters
    ----------
    generators : sequence of numpy.random.Generator
        One for each replicate.
    shape : AutoencoderShape
        With a window of 1.
    """

    def __init__(self, generators: Sequence[np.random.Generator], shape: AutoencoderShape) -> None:
        super().__init__()
        self.shape = shape
        last = shape.hidden[-1] if shape.hidden else shape.width
        first = shape.hidden[0] if shape.hidden else shape.code
        self.encoder = Hidden(generators, shape.width, shape.hidden)
        self.code = Linear(generators, last, shape.code)
        self.decoder = Hidden(generators, shape.code, shape.hidden[::-1])
        self.output = Linear(generators, first, shape.width)

    def forward(self, x: Tensor) -> Tensor:
        """Reconstruct (R, width, batch)."""
        out: Tensor = self.output(self.decoder(self.code(self.encoder(x))))
        return out


class LSTM(nn.Module):
    """A long short-term memory layer for each replicate (Hochreiter & Schmidhuber 1997, forget gate: Gers et al. 2000).

    Gates stand in torch's order: input, forget, cell, output. The forget gate's bias starts at 1 (Jozefowicz et al.
    2015), states at 0.

    Parameters
    ----------
    generators : sequence of numpy.random.Generator
        One for each replicate.
    n_in, n_out : int
        Widths.
    """

    def __init__(self, generators: Sequence[np.random.Generator], n_in: int, n_out: int) -> None:
        super().__init__()
        self.n_out = n_out
        self.input = Linear(generators, n_in, 4 * n_out, gates=4)
        self.recurrent = Linear(generators, n_out, 4 * n_out, gates=4)
        with at_rest():
            self.input.bias[:, n_out : 2 * n_out] = 1

    def forward(self, steps: Sequence[Tensor]) -> list[Tensor]:
        """Map one (R, n_in, batch) for each step to one (R, n_out, batch) for each step."""
        R, _, batch = steps[0].shape
        hidden = cell = steps[0].new_zeros(R, self.n_out, batch)
        states = []
        # what does not wait for the step before is one product for all steps
        for given in self.input(torch.cat(list(steps), dim=2)).split(batch, dim=2):
            gates = given + self.recurrent(hidden)
            i, f, g, o = gates.chunk(4, dim=1)
            cell = torch.sigmoid(f) * cell + torch.sigmoid(i) * torch.tanh(g)
            hidden = torch.sigmoid(o) * torch.tanh(cell)
            states.append(hidden)
        return states


class LSTMAutoencoder(SquaredErrorNetwork):
    """LSTM layers read a window; the last one's last state, repeated for each step, is what others write it from.

    As in Ranjan, "LSTM autoencoder for extreme rare event classification in Keras" (2019), with tanh for relu. The
    layers are ``*hidden, code`` and the same in reverse; a linear map gives each step's row.

    Parameters
    ----------
    generators : sequence of numpy.random.Generator
        One for each replicate.
    shape : AutoencoderShape
        Inputs are windows, flattened row after row: window · width columns.
    """

    def __init__(self, generators: Sequence[np.random.Generator], shape: AutoencoderShape) -> None:
        super().__init__()
        self.shape = shape
        down = (*shape.hidden, shape.code)
        up = down[::-1]
        self.encoder = nn.ModuleList(LSTM(generators, a, b) for a, b in zip((shape.width, *down), down, strict=False))
        self.decoder = nn.ModuleList(LSTM(generators, a, b) for a, b in zip((shape.code, *up), up, strict=False))
        self.output = Linear(generators, up[-1], shape.width)

    def activations(self) -> int:
        """Return about how many numbers are kept for each window of a batch: the units' of each step."""
        return self.shape.window * super().activations()

    def forward(self, x: Tensor) -> Tensor:
        """Reconstruct (R, window · width, batch)."""
        steps = list(x.split(self.shape.width, dim=1))
        for layer in self.encoder:
            steps = layer(steps)
        steps = [steps[-1]] * self.shape.window
        for layer in self.decoder:
            steps = layer(steps)
        batch = x.shape[2]
        return torch.cat(self.output(torch.cat(steps, dim=2)).split(batch, dim=2), dim=1)
