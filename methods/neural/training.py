"""Training a stack of networks: batches, optimizer, curves, stopping. See `stack` for the shape of things.

Every replicate has its own random generators, for its initial weights, its batches and each kind of noise. They are
read in a fixed order, so that what a replicate draws depends on its seed alone.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from ...progress import report
from .stack import Batch, Noise, StackedNetwork, flatten, replicate

#: replicates trained in one stack at most; more gains nothing
STACK_WIDTH = 50
#: bytes that a stack may take: weights, optimizer, activations, random numbers. Part of what decides the last bits,
#: so it does not follow the memory that happens to be free.
STACK_BYTES = 512 * 2**20
#: random numbers are drawn for so many steps at once, and never more of them than this
STEPS_AHEAD, NUMBERS_AHEAD = 64, 2**22
#: a training curve has at most so many points
CURVE_POINTS = 200

Build = Callable[[Sequence[np.random.Generator]], StackedNetwork]


@dataclass(frozen=True)
class Schedule:
    """How long and with what a stack is trained.

    Attributes
    ----------
    steps : int
        Gradient steps, at most.
    batch_size : int
        Rows per step. Batches run through one permutation of the rows after the other, so a small training set stands
        in a batch more than once.
    learning_rate : float
    optimizer : {"adam", "rmsprop"}
        Adam with its usual constants, or RMSprop with Keras' (decay 0.9, epsilon 1e-7).
    patience : int
        Stop a replicate when its validation loss has not improved for so many checks, and keep its best weights; 0:
        train all steps.
    check_every : int
        Steps between two checks.
    early : int
        Also keep the weights after so many steps; 0: do not.
    dtype : {"float32", "float64"}
        float64 is the exact mode: alone or in a stack, a replicate agrees to 1e-12.
    device : str
        Where torch computes.
    """

    steps: int
    batch_size: int = 64
    learning_rate: float = 1e-3
    optimizer: str = "adam"
    patience: int = 0
    check_every: int = 100
    early: int = 0
    dtype: str = "float32"
    device: str = "cpu"


@dataclass
class TrainingSet:
    """What one replicate is trained on.

    Attributes
    ----------
    x : numpy.ndarray of shape (n, n_features)
        Encoded rows.
    y : numpy.ndarray of shape (n,), int
        Class codes; zeros where there are none.
    seed : int
        Of everything random in this replicate.
    name : str
        What it is, in training curves and messages.
    pool : numpy.ndarray of int, optional
        Row numbers that one epoch runs through; by default every row once. A row may stand there more than once.
    validation : numpy.ndarray of int, optional
        Row numbers that are kept out of `pool` and watched; needed for `Schedule.patience`.
    steps : int, optional
        This replicate's own step budget, instead of the schedule's. 0 leaves the network as it was initialised.
    """

    x: np.ndarray
    y: np.ndarray
    seed: int
    name: str = "network"
    pool: np.ndarray | None = None
    validation: np.ndarray | None = None
    steps: int | None = None

    def __post_init__(self) -> None:
        if self.pool is None:
            self.pool = np.arange(len(self.x))
        if len(self.pool) == 0:
            raise ValueError(f"{self.name}: there are no rows to train on")


@dataclass
class Trained:
    """One trained replicate.

    Attributes
    ----------
    name : str
        Of its training set.
    network : StackedNetwork
        Of one replicate.
    early : StackedNetwork or None
        The same after `Schedule.early` steps.
    history : pandas.DataFrame
        Columns ``model``, ``step`` and the parts of the loss: means over the steps since the row before; with
        `Schedule.patience` also ``validation``.
    steps : int
        Steps that the kept weights were trained for.
    diverged : bool
        The loss was no number at some step.
    """

    name: str
    network: StackedNetwork
    early: StackedNetwork | None
    history: pd.DataFrame
    steps: int
    diverged: bool


class _Rows:
    """Endless stream of row numbers of one replicate: one permutation of its pool after the other."""

    def __init__(self, rng: np.random.Generator, pool: np.ndarray) -> None:
        self._rng = rng
        self._pool = pool
        self._left = pool[:0]

    def take(self, count: int) -> np.ndarray:
        missing = count - len(self._left)
        if missing > 0:
            epochs = -(-missing // len(self._pool))
            new = self._rng.permuted(np.broadcast_to(self._pool, (epochs, len(self._pool))), axis=1)
            self._left = np.concatenate([self._left, new.reshape(-1)])
        taken, self._left = self._left[:count], self._left[count:]
        return taken


class _Source:
    """Hands out the batches of a chunk of replicates, random numbers drawn for many steps at once."""

    def __init__(self, sets: Sequence[TrainingSet], noises: dict[str, Noise], schedule: Schedule) -> None:
        self._schedule = schedule
        self._dtype = getattr(torch, schedule.dtype)
        self._rows = [_Rows(np.random.default_rng([1, one.seed]), one.pool) for one in sets]  # type: ignore[arg-type]
        self._offsets = np.cumsum([0, *(len(one.x) for one in sets[:-1])])
        joined = np.concatenate([np.asarray(one.x, dtype=schedule.dtype) for one in sets])
        self._x = torch.from_numpy(joined).to(schedule.device)
        self._y = torch.from_numpy(np.concatenate([np.asarray(one.y, dtype=np.int64) for one in sets]))
        self._y = self._y.to(schedule.device)
        self._noises = noises
        self._generators = {
            name: [np.random.default_rng([2 + k, one.seed]) for one in sets] for k, name in enumerate(noises)
        }
        numbers = len(sets) * sum(one.width * (1 if one.shared else schedule.batch_size) for one in noises.values())
        self._ahead = max(1, min(STEPS_AHEAD, NUMBERS_AHEAD // max(1, numbers)))

    def batches(self, steps: int) -> Iterator[Batch]:
        """Yield a batch for each of so many steps."""
        R, B = len(self._rows), self._schedule.batch_size
        for start in range(0, steps, self._ahead):
            count = min(self._ahead, steps - start)
            numbers = np.stack(
                [rows.take(count * B) + offset for rows, offset in zip(self._rows, self._offsets, strict=True)]
            )
            rows = torch.from_numpy(numbers.reshape(R, count, B)).to(self._schedule.device)
            drawn = {name: self._draw(name, noise, count) for name, noise in self._noises.items()}
            for step in range(count):
                flat = rows[:, step].reshape(-1)
                x = self._x.index_select(0, flat).view(R, B, -1).transpose(1, 2).contiguous()
                y = self._y.index_select(0, flat).view(R, B)
                yield Batch(x, y, {name: values[:, step] for name, values in drawn.items()})

    def _draw(self, name: str, noise: Noise, count: int) -> Tensor:
        """Return the next numbers of one kind, (R, count, width, batch)."""
        shape = (count, noise.width, 1 if noise.shared else self._schedule.batch_size)
        generators = self._generators[name]
        if noise.kind == "normal":
            values = np.empty((len(generators), *shape), dtype=self._schedule.dtype)
            for rng, out in zip(generators, values, strict=True):
                rng.standard_normal(dtype=self._schedule.dtype, out=out)  # type: ignore[call-overload]
            return torch.from_numpy(values).to(self._schedule.device)
        size = int(np.prod(shape))
        raw = np.stack([np.frombuffer(rng.bytes(size), dtype=np.uint8) for rng in generators])
        dropped = round(256 * noise.rate)
        keep = torch.from_numpy(raw.reshape(-1, *shape)).to(self._schedule.device) >= dropped
        return keep.to(self._dtype) * (256 / (256 - dropped))


class _Kept:
    """Copies of the weights that each replicate is to end with."""

    def __init__(self, network: StackedNetwork) -> None:
        self._network = network
        self._copies = [one.detach().clone() for one in network.parameters()]

    def keep(self, which: np.ndarray) -> None:
        """Copy the present weights of some replicates (a mask)."""
        with torch.no_grad():
            for copy, one in zip(self._copies, self._network.parameters(), strict=True):
                copy[which] = one.detach()[which]

    def restore(self) -> None:
        """Give every replicate the weights that were kept last."""
        with torch.no_grad():
            for copy, one in zip(self._copies, self._network.parameters(), strict=True):
                one.copy_(copy)


class _Plateau:
    """Watches each replicate's validation loss and keeps its best weights."""

    def __init__(self, network: StackedNetwork, kept: _Kept, sets: Sequence[TrainingSet], schedule: Schedule) -> None:
        self._network = network
        self._kept = kept
        self._patience = schedule.patience
        held = [one.validation if one.validation is not None else np.arange(0) for one in sets]
        if any(len(one) == 0 for one in held):
            raise ValueError("stopping on a plateau needs validation rows in every training set")
        R, longest = len(sets), max(map(len, held))
        x = np.zeros((R, sets[0].x.shape[1], longest), dtype=schedule.dtype)
        y = np.zeros((R, longest), dtype=np.int64)
        weight = np.zeros((R, longest), dtype=schedule.dtype)
        for r, (one, rows) in enumerate(zip(sets, held, strict=True)):
            x[r, :, : len(rows)] = one.x[rows].T
            y[r, : len(rows)] = one.y[rows]
            weight[r, : len(rows)] = 1
        to = schedule.device
        self._batch = Batch(
            torch.from_numpy(x).to(to),
            torch.from_numpy(y).to(to),
            still(network.noises(), R, longest, schedule),
            torch.from_numpy(weight).to(to),
        )
        self.best = np.full(R, np.inf)
        self.best_step = np.zeros(R, dtype=int)
        self.finished = np.zeros(R, dtype=bool)
        self.last_step = np.zeros(R, dtype=int)
        self._since = np.zeros(R, dtype=int)

    def check(self, step: int, ending: np.ndarray) -> np.ndarray:
        """Measure all, (R,); keep what is better; finish what is `ending`, or has not been better for long enough."""
        with torch.no_grad():
            loss = self._network.losses(self._batch)["loss"].cpu().numpy().astype(float)
        # an infinite best is beaten by any number; a NaN beats nothing
        better = ~self.finished & (loss < self.best - 1e-4 * np.abs(np.where(np.isfinite(self.best), self.best, 0)))
        self._kept.keep(better)
        self.best = np.where(better, loss, self.best)
        self.best_step = np.where(better, step, self.best_step)
        self._since = np.where(better, 0, self._since + 1)
        self.last_step = np.where(self.finished, self.last_step, step)
        self.finished |= ending | (self._since >= self._patience)
        return loss


def still(noises: dict[str, Noise], R: int, size: int, schedule: Schedule) -> dict[str, Tensor]:
    """Return the noise of a network at rest: normals 0, everything kept."""
    dtype = getattr(torch, schedule.dtype)
    return {
        name: (torch.zeros if noise.kind == "normal" else torch.ones)(
            R, noise.width, 1 if noise.shared else size, dtype=dtype, device=schedule.device
        )
        for name, noise in noises.items()
    }


@dataclass
class _Curve:
    """Collects the parts of the loss: sums on the device, a row every few steps."""

    every: int
    diverged: np.ndarray
    steps: list[int] = field(default_factory=list)
    rows: list[dict[str, np.ndarray]] = field(default_factory=list)
    _sum: Tensor | None = None
    _count: int = 0

    def add(self, parts: dict[str, Tensor], step: int, *, last: bool) -> None:
        values = torch.stack([one.detach() for one in parts.values()])
        self._sum = values if self._sum is None else self._sum + values
        self._count += 1
        if step % self.every and not last:
            return
        means = (self._sum / self._count).cpu().numpy().astype(float)
        self.steps.append(step)
        self.rows.append(dict(zip(parts, means, strict=True)))
        self.diverged |= ~np.isfinite(means).all(axis=0)
        self._sum, self._count = None, 0

    def of(self, r: int, name: str, validation: dict[int, np.ndarray], until: int) -> pd.DataFrame:
        """Return one replicate's curve, up to step `until`."""
        frame = pd.DataFrame([{key: values[r] for key, values in row.items()} for row in self.rows])
        frame.insert(0, "step", self.steps)
        frame.insert(0, "model", name)
        if validation:
            checks = pd.DataFrame(
                {"step": list(validation), "validation": [values[r] for values in validation.values()]}
            )
            frame = frame.merge(checks, on="step", how="outer").assign(model=name)
        return frame if until is None else frame[frame["step"] <= until].reset_index(drop=True)


def train(build: Build, sets: Sequence[TrainingSet], schedule: Schedule) -> list[Trained]:
    """Train one network for each training set, as stacks of at most `STACK_WIDTH`.

    Parameters
    ----------
    build : callable
        Given a generator for each replicate, makes the network.
    sets : sequence of TrainingSet
        All with the same number of columns; their numbers of rows may differ.
    schedule : Schedule
        The same for all.

    Returns
    -------
    list of Trained
        One for each training set, in order.

    Notes
    -----
    All arithmetic runs on one thread. The same list of sets gives the same bits on any machine of one kind, and what
    is in one set never moves a bit of another's network. The number of sets does, in the last bits of float32.
    """
    if not sets:
        return []
    width = stack_width(build, sets, schedule)
    chunks = [sets[start : start + width] for start in range(0, len(sets), width)]
    done: list[Trained] = []
    with _one_thread():
        for number, chunk in enumerate(chunks):
            done += _train_chunk(build, chunk, schedule, number, len(chunks))
    return done


def stack_width(build: Build, sets: Sequence[TrainingSet], schedule: Schedule) -> int:
    """Return how many replicates go into one stack: as many as fit `STACK_BYTES`, at most `STACK_WIDTH`."""
    one = build([np.random.default_rng(0)])
    weights = sum(parameter.numel() for parameter in one.parameters())
    # parameters, gradients, two moments, kept copies; a row's activations are about as many as there are units
    units = sum(parameter.shape[1] for parameter in one.parameters() if parameter.shape[-1] == 1) + sets[0].x.shape[1]
    rows = max(len(each.x) for each in sets) * sets[0].x.shape[1]
    held = max((len(each.validation) for each in sets if each.validation is not None), default=0)
    numbers = 8 * weights + 6 * units * (schedule.batch_size + held) + rows
    return int(np.clip(STACK_BYTES // (numbers * np.dtype(schedule.dtype).itemsize), 1, STACK_WIDTH))


@contextmanager
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _optimizer(flat: Tensor, schedule: Schedule) -> torch.optim.Optimizer:
    if schedule.optimizer == "adam":
        return torch.optim.Adam([flat], lr=schedule.learning_rate, fused=True)
    if schedule.optimizer == "rmsprop":
        return torch.optim.RMSprop([flat], lr=schedule.learning_rate, alpha=0.9, eps=1e-7)
    raise ValueError(f"optimizer must be 'adam' or 'rmsprop', not {schedule.optimizer!r}")


def _train_chunk(
    build: Build, sets: Sequence[TrainingSet], schedule: Schedule, number: int, chunks: int
) -> list[Trained]:
    """Train one stack."""
    network = build([np.random.default_rng([0, one.seed]) for one in sets])
    network.to(dtype=getattr(torch, schedule.dtype), device=schedule.device)
    flat = flatten(network)
    assert flat.grad is not None
    optimizer = _optimizer(flat, schedule)
    ends = np.array([schedule.steps if one.steps is None else one.steps for one in sets])
    total = int(ends.max())
    curve = _Curve(max(1, total // CURVE_POINTS), np.zeros(len(sets), dtype=bool))
    kept = _Kept(network)
    plateau = _Plateau(network, kept, sets, schedule) if schedule.patience else None
    validation: dict[int, np.ndarray] = {}
    early: list[StackedNetwork] | None = None
    for step, batch in enumerate(_Source(sets, network.noises(), schedule).batches(total), start=1):
        parts = network.losses(batch)
        flat.grad.zero_()
        # the sum over replicates leaves each one's gradient its own
        parts["loss"].sum().backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        curve.add(parts, step, last=step == total)
        if step == schedule.early:
            early = split(network, build, len(sets))
        if step % 50 == 0 or step == total:
            report("training", number * total + step, chunks * total)
        ending = ends == step
        if plateau is None:
            if ending.any():
                kept.keep(ending)
        elif ending.any() or step % schedule.check_every == 0:
            validation[step] = plateau.check(step, ending)
            if plateau.finished.all():
                break
    kept.restore()
    names = [one.name for one, bad in zip(sets, curve.diverged, strict=True) if bad]
    if names:
        warnings.warn(f"training diverged (the loss was not a number): {', '.join(names[:5])}", stacklevel=2)
    if plateau is not None:
        ends = plateau.last_step
    return [
        Trained(
            sets[r].name,
            one,
            early[r] if early else None,
            curve.of(r, sets[r].name, validation, int(ends[r])),
            int(ends[r] if plateau is None else plateau.best_step[r]),
            bool(curve.diverged[r]),
        )
        for r, one in enumerate(split(network, build, len(sets)))
    ]


def split(network: StackedNetwork, build: Build, R: int) -> list[StackedNetwork]:
    """Return the replicates of a stack as networks of one replicate each, on the CPU."""
    blank = [np.random.default_rng(0)]
    ones = [replicate(network, r, lambda: build(blank)) for r in range(R)]
    return [one.cpu() for one in ones]  # type: ignore[misc]
