"""Training a stack of networks: batches, optimizer, curves, stopping. See `stack` for the shape of things.

Every replicate has its own random generators, for its initial weights, its batches and each kind of noise. They are
read in a fixed order, so that what a replicate draws depends on its seed alone.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from ...progress import report
from ...threads import torch_threads
from .batches import Source, still
from .stack import Batch, StackedNetwork, flatten

#: replicates trained in one stack at most; more gains nothing
STACK_WIDTH = 50
#: bytes that a stack may take: weights, optimizer, activations, random numbers. Part of what decides the last bits,
#: so it does not follow the memory that happens to be free.
STACK_BYTES = 512 * 2**20
#: validation rows are measured so many at a time, so that a replicate's loss does not depend on how many others have
VALIDATION_ROWS = 64
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
    steps, taken : int
        Steps that the kept weights were trained for, and steps that were taken: more, if training stopped on a plateau.
    pool : numpy.ndarray of int
        That of its training set.
    diverged : bool
        The loss was no number at some step, or a weight is none.
    """

    name: str
    network: StackedNetwork
    early: StackedNetwork | None
    history: pd.DataFrame
    steps: int
    taken: int
    pool: np.ndarray
    diverged: bool


class _Kept:
    """Copies of the weights that each replicate is to end with."""

    def __init__(self, network: StackedNetwork) -> None:
        self._network = network
        self._copies = [one.detach().clone() for one in network.parameters()]

    def keep(self, which: np.ndarray) -> None:
        """Copy the present weights of some replicates (a mask)."""
        if not which.any():
            return
        with torch.no_grad():
            for copy, one in zip(self._copies, self._network.parameters(), strict=True):
                copy[which] = one.detach()[which]

    def finite(self) -> np.ndarray:
        """Return which replicates have no weight that is infinite or no number, (R,)."""
        return np.logical_and.reduce([copy.isfinite().flatten(1).all(dim=1).cpu().numpy() for copy in self._copies])

    def split(self, build: Build) -> list[StackedNetwork]:
        """Return the replicates, with what was kept last, as networks of one replicate each on the CPU."""
        ones = []
        for r in range(len(self._copies[0])):
            one = build([np.random.default_rng(0)])
            for mine, copy in zip(one.parameters(), self._copies, strict=True):
                mine.data = copy[r : r + 1].clone().cpu()
            ones.append(one)
        return ones


class _Plateau:
    """Watches each replicate's validation loss and keeps its best weights."""

    def __init__(self, network: StackedNetwork, kept: _Kept, sets: Sequence[TrainingSet], schedule: Schedule) -> None:
        self._network = network
        self._kept = kept
        self._patience = schedule.patience
        held = [one.validation if one.validation is not None else np.arange(0) for one in sets]
        if any(len(one) == 0 for one in held):
            raise ValueError("stopping on a plateau needs validation rows in every training set")
        blocks = range(0, max(map(len, held)), VALIDATION_ROWS)
        self._batches = [
            _padded(network, sets, [rows[a : a + VALIDATION_ROWS] for rows in held], schedule) for a in blocks
        ]
        R = len(sets)
        self.losses: dict[int, np.ndarray] = {}
        self.best = np.full(R, np.inf)
        self.best_step = np.zeros(R, dtype=int)
        self.finished = np.array([one.steps == 0 for one in sets])
        self.last_step = np.zeros(R, dtype=int)
        self._since = np.zeros(R, dtype=int)

    def check(self, step: int, due: np.ndarray, ending: np.ndarray) -> None:
        """Measure what is `due`; keep what is better; finish what is `ending`, or has not been better for long."""
        due = due & ~self.finished
        loss = np.where(due, self._measure(), np.nan)
        # an infinite best is beaten by any number; a NaN beats nothing
        better = loss < self.best - 1e-4 * np.abs(np.where(np.isfinite(self.best), self.best, 0))
        self._kept.keep(better)
        self.losses[step] = loss
        self.best = np.where(better, loss, self.best)
        self.best_step = np.where(better, step, self.best_step)
        self._since = np.where(better, 0, self._since + due)
        self.last_step = np.where(due, step, self.last_step)
        self.finished |= due & (ending | (self._since >= self._patience))

    def _measure(self) -> np.ndarray:
        """Return each replicate's mean loss over its validation rows, (R,)."""
        totals, counts = [], []
        with torch.no_grad():
            for batch in self._batches:
                assert batch.weight is not None
                counts.append(batch.weight.sum(dim=1))
                # a batch without a row of this replicate has no mean
                totals.append(torch.where(counts[-1] > 0, self._network.losses(batch)["loss"] * counts[-1], 0))
        # one after the other: nothing is added but zeros for a replicate whose rows have ended
        return (sum(totals[1:], totals[0]) / sum(counts[1:], counts[0])).cpu().numpy().astype(float)


def _padded(
    network: StackedNetwork, sets: Sequence[TrainingSet], rows: Sequence[np.ndarray], schedule: Schedule
) -> Batch:
    """Return some rows of each training set as one batch at rest, filled up with rows of weight 0."""
    R, size = len(sets), VALIDATION_ROWS
    x = np.zeros((R, sets[0].x.shape[1], size), dtype=schedule.dtype)
    y = np.zeros((R, size), dtype=np.int64)
    weight = np.zeros((R, size), dtype=schedule.dtype)
    for r, (one, numbers) in enumerate(zip(sets, rows, strict=True)):
        x[r, :, : len(numbers)] = one.x[numbers].T
        y[r, : len(numbers)] = one.y[numbers]
        weight[r, : len(numbers)] = 1
    x_, y_, weight_ = (torch.from_numpy(values).to(schedule.device) for values in (x, y, weight))
    return Batch(x_, y_, still(network.noises(), R, size, schedule), weight_)


class _Curves:
    """Keeps the parts of the loss of every step."""

    def __init__(self, steps: int) -> None:
        self._steps = steps
        self._values: Tensor | None = None
        self._names: list[str] = []
        self._count = 0

    def add(self, parts: dict[str, Tensor]) -> None:
        """Keep the parts of one step, each (R,)."""
        with torch.no_grad():
            if self._values is None:
                self._names = list(parts)
                self._values = parts["loss"].new_empty(self._steps, len(parts), len(parts["loss"]))
            torch.stack(tuple(parts.values()), out=self._values[self._count])
        self._count += 1

    def of(self, r: int, until: int) -> tuple[list[str], np.ndarray]:
        """Return the names of the parts, and one replicate's values in its first steps, (until, parts)."""
        if self._values is None:
            return [], np.empty((0, 0))
        return self._names, self._values[:until, :, r].cpu().numpy().astype(float)


def _history(name: str, parts: list[str], values: np.ndarray, losses: dict[int, float]) -> pd.DataFrame:
    """Return a training curve: means over a few steps each, and the validation losses by step, if any."""
    starts = np.arange(0, len(values), -(-len(values) // CURVE_POINTS) or 1)
    ends = np.append(starts[1:], len(values))[: len(starts)]
    means = np.add.reduceat(values, starts, axis=0) / (ends - starts)[:, None] if len(starts) else values
    history = pd.DataFrame(means, columns=parts)
    history.insert(0, "step", ends)
    if losses:
        checks = pd.DataFrame({"step": list(losses), "validation": list(losses.values())})
        history = history.merge(checks, on="step", how="outer")
    history.insert(0, "model", name)
    return history


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
    is in one set, and how many rows it has, never moves a bit of another's network. The number of sets does, in the
    last bits of float32; it also follows from the largest set whether all fit one stack.
    """
    if not sets:
        return []
    width = stack_width(build, sets, schedule)
    chunks = [sets[start : start + width] for start in range(0, len(sets), width)]
    done: list[Trained] = []
    with torch_threads():
        for number, chunk in enumerate(chunks):
            done += _train_chunk(build, chunk, schedule, number, len(chunks))
    return done


def stack_width(build: Build, sets: Sequence[TrainingSet], schedule: Schedule) -> int:
    """Return how many replicates go into one stack: as many as fit `STACK_BYTES`, at most `STACK_WIDTH`."""
    one = build([np.random.default_rng(0)])
    weights = sum(parameter.numel() for parameter in one.parameters())
    # parameters, gradients, two moments, kept copies
    units = one.activations() + sets[0].x.shape[1]
    rows = max(len(each.x) for each in sets) * sets[0].x.shape[1]
    held = max((len(each.validation) for each in sets if each.validation is not None), default=0)
    steps = max(schedule.steps if each.steps is None else each.steps for each in sets)
    numbers = 8 * weights + 6 * units * schedule.batch_size + rows + held * sets[0].x.shape[1] + 6 * steps
    return int(np.clip(STACK_BYTES // (numbers * np.dtype(schedule.dtype).itemsize), 1, STACK_WIDTH))


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
    # seeded with ones, the backward pass leaves each replicate's gradient its own
    ones = torch.ones(len(sets), dtype=flat.dtype, device=flat.device)
    optimizer = _optimizer(flat, schedule)
    ends = np.array([schedule.steps if one.steps is None else one.steps for one in sets])
    total = int(ends.max())
    curves = _Curves(total)
    kept = _Kept(network)
    early = _Kept(network) if schedule.early else None
    plateau = _Plateau(network, kept, sets, schedule) if schedule.patience else None
    for step, batch in enumerate(Source(sets, network.noises(), schedule).batches(total), start=1):
        parts = network.losses(batch)
        flat.grad.zero_()
        parts["loss"].backward(ones)
        optimizer.step()
        curves.add(parts)
        if step % 50 == 0 or step == total:
            report("training", number * total + step, chunks * total)
        ending = ends == step
        if early is not None and step <= schedule.early:
            early.keep(np.minimum(ends, schedule.early) == step)
        if plateau is None:
            kept.keep(ending)
        elif ending.any() or step % schedule.check_every == 0:
            plateau.check(step, ending | (step % schedule.check_every == 0), ending)
            # early weights are those of the same step, whatever the others do
            if plateau.finished.all() and step >= schedule.early:
                break
    unfinished: Sequence[StackedNetwork | None] = early.split(build) if early is not None else [None] * len(sets)
    finite = kept.finite()
    done = [
        _trained(one, r, final, unfinished[r], curves, int(ends[r]), plateau)
        for r, (one, final) in enumerate(zip(sets, kept.split(build), strict=True))
    ]
    for one, good in zip(done, finite, strict=True):
        one.diverged |= not good
    names = [one.name for one in done if one.diverged]
    if names:
        warnings.warn(f"training diverged (the loss was not a number): {', '.join(names[:5])}", stacklevel=2)
    return done


def _trained(
    one: TrainingSet,
    r: int,
    network: StackedNetwork,
    early: StackedNetwork | None,
    curves: _Curves,
    end: int,
    plateau: _Plateau | None,
) -> Trained:
    """Put together what became of replicate `r`."""
    steps, losses = end, {}
    if plateau is not None:
        end, steps = int(plateau.last_step[r]), int(plateau.best_step[r])
        losses = {step: float(loss[r]) for step, loss in plateau.losses.items() if np.isfinite(loss[r])}
    parts, values = curves.of(r, end)
    assert one.pool is not None
    # without a finite validation loss the first weights were kept
    diverged = not np.isfinite(values).all() or (plateau is not None and not losses and end > 0)
    history = _history(one.name, parts, values, losses)
    return Trained(one.name, network, early, history, steps, end, one.pool, bool(diverged))
