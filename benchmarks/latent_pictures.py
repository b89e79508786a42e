"""Pictures of what a VAE learns: latent space by class, an interpolation strip, both for several β, and generated rows.

    python benchmarks/latent_pictures.py mnist OUT     # needs the data: AUGBENCH_DATA, or `bench datasets fetch mnist`
    python benchmarks/latent_pictures.py thyroid OUT

It needs matplotlib (pip install -c constraints.txt matplotlib). One VAE over all classes with two latent dimensions, as
in Iser (2023). For images each row of the strip walks from one digit to another; the last picture shows digits decoded
from N(0, I) by one VAE per class with 50 latent dimensions.
"""

from __future__ import annotations

import argparse
from itertools import pairwise
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from augbench import datasets
from augbench.methods import VAE, LatentInterpolation
from matplotlib.axes import Axes

BETAS = (0.1, 0.5, 1.0, 4.0, 16.0)


def rows_of(name: str, limit: int) -> tuple[pd.DataFrame, np.ndarray, tuple[str, ...]]:
    """Return at most `limit` rows of a dataset, their codes, and the names of the classes."""
    dataset = datasets.make(name)
    assert isinstance(dataset, datasets.FiniteDataset)
    table = dataset.load()
    chosen = np.random.default_rng(0).permutation(len(table.y))[:limit]
    X = table.X.iloc[chosen].reset_index(drop=True)
    return X.fillna(X.median(numeric_only=True)), table.y[chosen], dataset.info.classes


def fitted(X: pd.DataFrame, y: np.ndarray, beta: float, steps: int, *, image: bool) -> LatentInterpolation:
    """Train one VAE over all classes with two latent dimensions."""
    method = LatentInterpolation(
        latent_dim=2,
        beta=beta,
        steps=steps,
        batch_size=64,
        likelihood="bernoulli" if image else "gaussian",
        balance=not image,
        random_state=0,
        verbose=True,
        sampling_strategy={int(code): int(np.count_nonzero(y == code)) + 1 for code in np.unique(y)},
    )
    method.fit_resample(X, y)
    return method


def latent_space(axis: Axes, method: LatentInterpolation, X: pd.DataFrame, y: np.ndarray, title: str) -> None:
    """Draw the posterior means of the rows, coloured by class."""
    mean, _ = method.networks_[0].posterior(method.encoder_.encode(X), y)
    # the rarest class last, or it is hidden
    for code in np.argsort(-np.bincount(y)):
        own = mean[y == code]
        axis.scatter(own[:, 0], own[:, 1], s=2 if len(y) > 3000 else 6, alpha=0.5, color=f"C{code}", label=str(code))
    axis.set_title(title)


def strips(method: LatentInterpolation, X: pd.DataFrame, y: np.ndarray, pairs: list[tuple[int, int]]) -> np.ndarray:
    """Return decoded rows between two rows, one of each class of a pair, columns to [0, 1]; (pairs, 11, columns)."""
    network, encoder = method.networks_[0], method.encoder_
    mean, _ = network.posterior(encoder.encode(X), y)
    walks = []
    for a, b in pairs:
        # the row in the middle of its class stands for it
        ends = []
        for code in (a, b):
            own = mean[y == code]
            ends.append(own[np.square(own - np.median(own, axis=0)).sum(axis=1).argmin()])
        way = np.linspace(0, 1, 11)[:, None]
        z = (1 - way) * ends[0] + way * ends[1]
        walks.append(encoder.decode(network.rows(z, np.zeros(len(z)))).to_numpy(dtype=float))
    return (np.stack(walks) - X.to_numpy().min(axis=0)) / np.maximum(np.ptp(X.to_numpy(), axis=0), 1e-12)


def main() -> None:
    """Draw everything."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset")
    parser.add_argument("out", type=Path)
    parser.add_argument("--steps", type=int, default=6000)
    parser.add_argument("--rows", type=int, default=10000)
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    X, y, classes = rows_of(asked.dataset, asked.rows)
    side = int(np.sqrt(X.shape[1]))
    image = side * side == X.shape[1] and X.shape[1] >= 64
    methods = [fitted(X, y, beta, asked.steps, image=image) for beta in BETAS]

    figure, axes = plt.subplots(1, len(BETAS), figsize=(4 * len(BETAS), 4), layout="constrained")
    for axis, method in zip(axes, methods, strict=True):
        kl = method.training_history_["kl"].iloc[-1]
        latent_space(axis, method, X, y, f"β = {method.beta}, KL = {kl:.2f} nats")
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(
        handles, [classes[int(label)] for label in labels], loc="outside lower center", ncols=10, markerscale=5
    )
    figure.savefig(asked.out / f"{asked.dataset}-latent.png", dpi=80)

    codes = np.argsort(np.bincount(y))
    pairs = [(int(a), int(b)) for a, b in pairwise(codes)][:5]
    figure, axes = plt.subplots(1, len(BETAS), figsize=(4.5 * len(BETAS), 3.2), layout="constrained")
    for axis, method in zip(axes, methods, strict=True):
        walk = strips(method, X, y, pairs)
        if image:
            tiles = walk.reshape(len(pairs), -1, side, side)
            axis.imshow(np.block([list(row) for row in tiles]), cmap="gray_r", vmin=0, vmax=1)
            axis.axis("off")
        else:
            axis.imshow(walk[0].T, aspect="auto", vmin=0, vmax=1)
            axis.set(xlabel=f"{classes[pairs[0][0]]} → {classes[pairs[0][1]]}", ylabel="column")
        axis.set_title(f"β = {method.beta}")
    figure.savefig(asked.out / f"{asked.dataset}-interpolation.png", dpi=80)

    if image:
        per_class = VAE(
            latent_dim=50, beta=0.5, likelihood="bernoulli", steps=asked.steps, random_state=0, verbose=True
        )
        per_class.set_params(sampling_strategy={c: int(np.count_nonzero(y == c)) + 10 for c in range(len(classes))})
        made, _ = per_class.fit_resample(X, y)
        tiles = made.to_numpy()[len(X) :].reshape(len(classes), 10, side, side)
        plt.imsave(
            asked.out / f"{asked.dataset}-generated.png", np.block([[t for t in row] for row in tiles]), cmap="gray_r"
        )


if __name__ == "__main__":
    main()
