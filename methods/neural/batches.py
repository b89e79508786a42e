"""The batches of a stack: rows and random numbers of each replicate, drawn for many steps at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from .stack import Batch, Noise

if TYPE_CHECKING:
    from .training import Schedule, TrainingSet

#: rows and random numbers are taken for so many steps at once, and never more numbers than this
STEPS_AHEAD, NUMBERS_AHEAD = 64, 2**22


class Rows:
    """Endless stream of row numbers of one replicate: one permutation of its pool after the other.

    Parameters
    ----------
    rng : numpy.random.Generator
    pool : numpy.ndarray of int
        Row numbers, at least one.
    """

    def __init__(self, rng: np.random.Generator, pool: np.ndarray) -> None:
        self._rng = rng
        self._pool = pool
        self._left = pool[:0]

    def take(self, count: int) -> np.ndarray:
        """Return the next `count` row numbers; they do not depend on how many are taken at once."""
        missing = count - len(self._left)
        if missing > 0:
            epochs = -(-missing // len(self._pool))
            new = self._rng.permuted(np.broadcast_to(self._pool, (epochs, len(self._pool))), axis=1)
            self._left = np.concatenate([self._left, new.reshape(-1)])
        taken, self._left = self._left[:count], self._left[count:]
        return taken


class Source:
    """Hands out the batches of a stack.

    Parameters
    ----------
    sets : sequence of TrainingSet
        One for each replicate.
    noises : dict of str to Noise
        What random numbers the network wants.
    schedule : Schedule
    """

    def __init__(self, sets: Sequence[TrainingSet], noises: dict[str, Noise], schedule: Schedule) -> None:
        self._schedule = schedule
        self._dtype = getattr(torch, schedule.dtype)
        self._rows = [Rows(np.random.default_rng([1, one.seed]), one.pool) for one in sets]  # type: ignore[arg-type]
        self._offsets = np.cumsum([0, *(len(one.x) for one in sets[:-1])])
        joined = np.concatenate([np.asarray(one.x, dtype=schedule.dtype) for one in sets])
        self._x = torch.from_numpy(joined).to(schedule.device)
        self._y = torch.from_numpy(np.concatenate([np.asarray(one.y, dtype=np.int64) for one in sets]))
        self._y = self._y.to(schedule.device)
        self._noises = noises
        self._generators = {
            name: [np.random.default_rng([2 + k, one.seed]) for one in sets] for k, name in enumerate(noises)
        }
        per_row = joined.shape[1] + sum(one.width for one in noises.values() if not one.shared)
        numbers = len(sets) * schedule.batch_size * per_row
        self._ahead = max(1, min(STEPS_AHEAD, NUMBERS_AHEAD // max(1, numbers)))

    def batches(self, steps: int) -> Iterator[Batch]:
        """Yield a batch for each of so many steps."""
        R, B = len(self._rows), self._schedule.batch_size
        for start in range(0, steps, self._ahead):
            count = min(self._ahead, steps - start)
            taken = [rows.take(count * B) + offset for rows, offset in zip(self._rows, self._offsets, strict=True)]
            numbers = np.stack(taken).reshape(R, count, B).swapaxes(0, 1).reshape(-1)
            rows = torch.from_numpy(numbers).to(self._schedule.device)
            x = self._x.index_select(0, rows).view(count, R, B, -1).transpose(2, 3).contiguous()
            y = self._y.index_select(0, rows).view(count, R, B)
            drawn = {name: self._draw(name, noise, count) for name, noise in self._noises.items()}
            for step in range(count):
                yield Batch(x[step], y[step], {name: values[step] for name, values in drawn.items()})

    def _draw(self, name: str, noise: Noise, count: int) -> Tensor:
        """Return the next numbers of one kind, (count, R, width, batch)."""
        size = 1 if noise.shared else self._schedule.batch_size
        generators = self._generators[name]
        if noise.kind == "normal":
            values = np.empty((len(generators), count, noise.width, size), dtype=self._schedule.dtype)
            for rng, out in zip(generators, values, strict=True):
                rng.standard_normal(dtype=self._schedule.dtype, out=out)  # type: ignore[call-overload]
            return torch.from_numpy(values).to(self._schedule.device).transpose(0, 1).contiguous()
        # bytes come in fours: each step takes whole ones, so that the stream is the same however many steps are drawn
        bytes_ = -(-noise.width * size // 4) * 4
        raw = np.stack([np.frombuffer(rng.bytes(count * bytes_), dtype=np.uint8) for rng in generators])
        raw = raw.reshape(len(generators), count, bytes_)[:, :, : noise.width * size].swapaxes(0, 1)
        dropped = round(256 * noise.rate)
        keep = torch.from_numpy(np.ascontiguousarray(raw)).to(self._schedule.device) >= dropped
        return keep.view(count, -1, noise.width, size).to(self._dtype) * (256 / (256 - dropped))


def still(noises: dict[str, Noise], R: int, size: int, schedule: Schedule) -> dict[str, Tensor]:
    """Return the noise of a network at rest: normals 0, everything kept."""
    dtype = getattr(torch, schedule.dtype)
    return {
        name: (torch.zeros if noise.kind == "normal" else torch.ones)(
            R, noise.width, 1 if noise.shared else size, dtype=dtype, device=schedule.device
        )
        for name, noise in noises.items()
    }
