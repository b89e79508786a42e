"""What a stack saves: `python benchmarks/stacked_training.py [--quick]` (four minutes; quick: one).

Prints, on one thread, the time of one replicate-step (one gradient step of one network, set-up included) of

- stacked: `training.train`, all replicates in one stack, as the methods use it;
- R = 1 looped: the same code, one training set at a time;
- plain loop: the same networks as ordinary `nn.Module` code, one after the other, written for speed: batches are index
  look-ups without a DataLoader, no loss is kept, and the fastest of torch's implementations of the optimizer is chosen;
- ctgan.TVAE: the same rows, steps, batch and widths, its data transformer not counted. Its encoding makes wider rows.

The four take turns, so that other work on the machine falls on all; medians are printed. Seconds are those of the
processor: on an idle machine, and with one thread, the same as those of the clock.

The plain loop's network has what torch gives it (initial weights, dropout, randn); what it computes is the same, as
tests/methods/neural/test_training.py shows with the same modules fed with the stack's batches.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from statistics import median
from typing import Any

import numpy as np
import torch
from augbench.methods.neural.networks import VAE, PublishedPredictiveVAE, Shape
from augbench.methods.neural.training import Schedule, TrainingSet, train
from torch import Tensor, nn
from torch.nn import functional

N_ROWS, N_COLUMNS = 320, 10


@dataclass(frozen=True)
class Case:
    """One line of the table: a network, its batch size and the speed-up it must reach."""

    name: str
    published: bool
    hidden: tuple[int, int]
    batch_size: int
    least: float | None

    @property
    def shape(self) -> Shape:
        """Return the shape of the network."""
        return Shape(N_COLUMNS, (), 2, self.hidden, "mse" if self.published else "gaussian")

    def schedule(self, steps: int) -> Schedule:
        """Return how it is trained."""
        if self.published:
            return Schedule(steps, self.batch_size, learning_rate=1e-4, optimizer="rmsprop")
        return Schedule(steps, self.batch_size)


CASES = [
    Case("published 10-10-2-10-10", True, (10, 10), 20, 25),
    Case("published 10-10-2-10-10", True, (10, 10), 160, 10),
    Case("VAE 64-64-2-64-64", False, (64, 64), 20, 9),
    Case("VAE 64-64-2-64-64", False, (64, 64), 64, None),
]


class PlainPublished(nn.Module):
    """`PublishedPredictiveVAE` as one would write it for one network."""

    def __init__(self, hidden: tuple[int, int]) -> None:
        super().__init__()
        first, second = hidden
        self.first, self.second = nn.Linear(N_COLUMNS, first), nn.Linear(first, second)
        self.mean, self.log_var = nn.Linear(second, 2), nn.Linear(second, 2)
        self.decoder = nn.Sequential(
            nn.Linear(2, second), nn.ReLU(), nn.Linear(second, first), nn.ReLU(), nn.Linear(first, N_COLUMNS)
        )
        self.head = nn.Linear(N_COLUMNS, 1)

    def loss(self, x: Tensor, y: Tensor) -> Tensor:
        """Return the loss of a batch."""
        hidden = torch.relu(self.second(functional.dropout(torch.relu(self.first(x)))))
        mean, log_var = self.mean(functional.dropout(hidden)), self.log_var(hidden)
        z = mean + log_var.exp() * (0.1 * torch.randn(2))
        row = torch.sigmoid(self.decoder(z))
        kl = -0.5 * (1 + log_var - mean.square() - log_var.exp()).mean()
        prediction = functional.binary_cross_entropy_with_logits(self.head(row)[:, 0], y)
        return functional.mse_loss(row, x) - 0.5 * kl + 0.1 * prediction


class PlainVAE(nn.Module):
    """`VAE` with a gaussian likelihood as one would write it for one network."""

    def __init__(self, hidden: tuple[int, int]) -> None:
        super().__init__()
        first, second = hidden
        self.encoder = nn.Sequential(nn.Linear(N_COLUMNS, first), nn.ReLU(), nn.Linear(first, second), nn.ReLU())
        self.mean, self.log_var = nn.Linear(second, 2), nn.Linear(second, 2)
        self.decoder = nn.Sequential(
            nn.Linear(2, second), nn.ReLU(), nn.Linear(second, first), nn.ReLU(), nn.Linear(first, N_COLUMNS)
        )
        self.log_sd = nn.Parameter(torch.full((N_COLUMNS,), float(np.log(0.3))))

    def loss(self, x: Tensor, y: Tensor) -> Tensor:
        """Return the loss of a batch."""
        hidden = self.encoder(x)
        mean, log_var = self.mean(hidden), self.log_var(hidden)
        out = self.decoder(mean + (0.5 * log_var).exp() * torch.randn_like(mean))
        log_sd = self.log_sd.clamp(min=float(np.log(0.01)))
        nll = 0.5 * ((x - out) * (-log_sd).exp()).square() + log_sd + 0.5 * float(np.log(2 * np.pi))
        kl = -0.5 * (1 + log_var - mean.square() - log_var.exp()).sum(dim=1)
        return nll.sum(dim=1).mean() + kl.mean()


def plain_network(case: Case) -> PlainPublished | PlainVAE:
    """Return the plain network of a case."""
    return PlainPublished(case.hidden) if case.published else PlainVAE(case.hidden)


def plain_optimizers(case: Case) -> dict[str, Callable[[nn.Module], torch.optim.Optimizer]]:
    """Return torch's implementations of the optimizer of a case."""
    if case.published:
        return {
            f"RMSprop(foreach={foreach})": lambda net, foreach=foreach: torch.optim.RMSprop(  # type: ignore[misc]
                net.parameters(), lr=1e-4, alpha=0.9, eps=1e-7, foreach=foreach
            )
            for foreach in (False, True)
        }
    return {
        "Adam(fused=True)": lambda net: torch.optim.Adam(net.parameters(), lr=1e-3, fused=True),
        "Adam(foreach=True)": lambda net: torch.optim.Adam(net.parameters(), lr=1e-3, foreach=True),
        "Adam(foreach=False)": lambda net: torch.optim.Adam(net.parameters(), lr=1e-3, foreach=False),
    }


def plain_loop(case: Case, sets: list[TrainingSet], steps: int, optimizer: str) -> None:
    """Train one plain network after the other."""
    for one in sets:
        network = plain_network(case)
        step_of = plain_optimizers(case)[optimizer](network)
        x, y = torch.from_numpy(one.x).float(), torch.from_numpy(one.y).float()
        order = torch.cat([torch.randperm(len(x)) for _ in range(-(-steps * case.batch_size // len(x)))])
        for batch in order[: steps * case.batch_size].split(case.batch_size):
            step_of.zero_grad()
            network.loss(x[batch], y[batch]).backward()
            step_of.step()


def tvae_seconds(case: Case, one: TrainingSet, steps: int) -> tuple[float, int]:
    """Return the seconds of TVAE's training, without its data transformer, and the width of the rows it made."""
    # neither ctgan nor its types need be installed
    tvae: Any = import_module("ctgan.synthesizers.tvae")
    spent = 0.0

    class Timed(tvae.DataTransformer):
        def fit(self, *args: object) -> None:
            nonlocal spent
            start = time.process_time()
            super().fit(*args)
            spent += time.process_time() - start

        def transform(self, *args: object) -> object:
            nonlocal spent
            start = time.process_time()
            values = super().transform(*args)
            spent += time.process_time() - start
            return values

    epochs = max(1, round(steps * case.batch_size / N_ROWS))
    model = tvae.TVAE(2, case.hidden, case.hidden[::-1], batch_size=case.batch_size, epochs=epochs, enable_gpu=False)
    original, tvae.DataTransformer = tvae.DataTransformer, Timed
    try:
        start = time.process_time()
        model.fit(one.x)
        seconds = time.process_time() - start - spent
    finally:
        tvae.DataTransformer = original
    return seconds * steps / (epochs * N_ROWS / case.batch_size), model.transformer.output_dimensions


def training_sets(replicates: int) -> list[TrainingSet]:
    """Return training sets of 320 rows: columns in [0, 1], a class that depends on all of them."""
    rng = np.random.default_rng(0)
    sets = []
    for r in range(replicates):
        x = rng.random((N_ROWS, N_COLUMNS))
        y = (x.sum(axis=1) + rng.normal(size=N_ROWS) > N_COLUMNS / 2).astype(int)
        sets.append(TrainingSet(x, y, seed=r))
    return sets


def timed(action: Callable[[], object]) -> float:
    """Return the seconds that an action takes."""
    start = time.process_time()
    action()
    return time.process_time() - start


def measure(case: Case, replicates: int, steps: int, repetitions: int, tvae: bool) -> None:
    """Print the line of one case."""
    sets = training_sets(replicates)
    schedule = case.schedule(steps)
    weights = (1.0, -0.5, 0.1)

    def build(generators: Sequence[np.random.Generator]) -> VAE:
        if case.published:
            return PublishedPredictiveVAE(generators, case.shape, weights)
        return VAE(generators, case.shape, 1.0)

    few = sets[:2]
    warm = {
        name: min(timed(partial(plain_loop, case, few, 50, name)) for _ in range(3)) for name in plain_optimizers(case)
    }
    optimizer = min(warm, key=warm.__getitem__)
    train(build, sets, case.schedule(20))
    runs: dict[str, Callable[[], float]] = {
        "stacked": lambda: timed(lambda: train(build, sets, schedule)) / replicates,
        "R = 1 looped": lambda: timed(lambda: [train(build, [one], schedule) for one in few]) / len(few),
        "plain loop": lambda: timed(lambda: plain_loop(case, few, steps, optimizer)) / len(few),
    }
    width = 0
    if tvae:
        width = tvae_seconds(case, sets[0], 20)[1]
        runs["ctgan.TVAE"] = lambda: tvae_seconds(case, sets[0], steps)[0]
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(repetitions):
        for name, run in runs.items():
            seconds[name].append(run() / steps)
    print(f"\n{case.name}, {case.batch_size} rows a batch, {replicates} replicates, {steps} steps")
    stacked = median(seconds["stacked"])
    for name, values in seconds.items():
        note = f"  {optimizer}" if name == "plain loop" else f"  {width} columns" if name == "ctgan.TVAE" else ""
        ratio = f"{median(values) / stacked:6.1f} x"
        print(f"  {name:13s} {1e6 * median(values):9.2f} us a replicate-step {ratio}{note}")
    ratios = [plain / mine for plain, mine in zip(seconds["plain loop"], seconds["stacked"], strict=True)]
    wanted = "" if case.least is None else f"; wanted: {case.least:g} x or more"
    print(f"  plain loop / stacked, by repetition: {', '.join(f'{one:.1f}' for one in ratios)}{wanted}")


def main() -> None:
    """Read the arguments and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--replicates", type=int, default=50)
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="300 steps, 3 repetitions")
    arguments = parser.parse_args()
    steps, repetitions = (300, 3) if arguments.quick else (arguments.steps, arguments.repetitions)
    torch.set_num_threads(1)
    torch.manual_seed(0)
    try:
        print(f"torch {torch.__version__}, ctgan {version('ctgan')}, one thread")
        with_tvae = True
    except PackageNotFoundError:
        with_tvae = False
        print(f"torch {torch.__version__}, one thread; ctgan is not installed: no line for TVAE")
    for case in CASES:
        measure(case, arguments.replicates, steps, repetitions, with_tvae)


if __name__ == "__main__":
    main()
