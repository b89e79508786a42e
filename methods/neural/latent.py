"""Sampling in latent space: one VAE over all classes; a new row starts from a training row and keeps its label."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from sklearn.neighbors import NearestNeighbors

from ...errors import InputError
from .augmenter import Task, at_least, each_equally_often
from .vae import VAEFamily, all_rows

if TYPE_CHECKING:
    from .training import Trained, TrainingSet


@dataclass(kw_only=True, eq=False, repr=False)
class LatentSampler(VAEFamily):
    """Base of the latent-space samplers (DeVries & Taylor 2017; Iser 2023).

    A new row of a class starts from row i of that class (each row as often as any other), at the mean μ_i of its
    posterior. Interpolation and extrapolation move it to μ_i ± α (μ_k − μ_i), k one of the K nearest rows of the same
    class in latent space. Noise starts from a draw z_i of the posterior and adds ε ~ N(0, σ²I). The class is that of
    row i.

    Parameters
    ----------
    alpha : float, default=0.5
        Step towards the neighbour (interpolation) or away from it (extrapolation).
    noise : float, default=0.5
        σ, the standard deviation of ε; the latent prior has 1.
    n_neighbors : int, default=5
        K, at most the rows of the class minus one.
    **others
        The parameters of `VAEFamily`.
    """

    #: +1 towards the neighbour, -1 away from it, 0 for no neighbour
    direction: ClassVar[int] = 0
    noisy: ClassVar[bool] = False

    alpha: float = 0.5
    noise: float = 0.5
    n_neighbors: int = 5

    def check_parameters(self) -> None:
        """Raise `InputError` for a parameter that has no sensible value."""
        super().check_parameters()
        at_least(self, "n_neighbors", 1)
        for name in ("alpha", "noise"):
            if not getattr(self, name) >= 0:
                raise InputError(f"{name} must be 0 or more; found {getattr(self, name)!r}")

    def _sets(self, task: Task) -> list[TrainingSet]:
        return [self._set(task, all_rows(task, balance=self.balance), "all classes")]

    def _sample(self, task: Task, trained: list[Trained]) -> tuple[np.ndarray, np.ndarray]:
        network: Any = trained[0].network
        mean, sd = network.posterior(task.values, task.codes)
        points, codes = [], []
        for code, count in task.wanted:
            rows = task.rows_of(code)
            points.append(self._points(mean[rows], sd[rows], count, task.rng))
            codes.append(np.full(count, code))
        joined = np.concatenate(codes)
        return network.rows(np.concatenate(points), joined, task.rng), joined

    def _points(self, mean: np.ndarray, sd: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
        """Return `count` latent points that start from the rows of one class, given their posteriors (n, d)."""
        n = len(mean)
        i = each_equally_often(n, count, rng)
        z = mean[i]
        if self.direction:
            if n < 2:
                raise ValueError(f"{type(self).__name__} needs 2 rows of each class that gets new ones")
            k = min(self.n_neighbors, n - 1)
            # without arguments a row is not its own neighbour, also where rows are equal
            neighbours = NearestNeighbors(n_neighbors=k).fit(mean).kneighbors(return_distance=False)
            chosen = neighbours[i, rng.integers(k, size=count)]
            z = z + self.direction * self.alpha * (mean[chosen] - z)
        elif self.noisy:
            z = z + sd[i] * rng.standard_normal(z.shape)
        return z + self.noise * rng.standard_normal(z.shape) if self.noisy else z

    def _responsible(self, task: Task, networks: list[Any]) -> list[tuple[np.ndarray, Any]]:
        return [(np.arange(len(task.codes)), networks[0])]


class LatentNoise(LatentSampler):
    """One VAE over all classes; a new row decodes a training row's latent point plus noise."""

    noisy: ClassVar[bool] = True


class LatentInterpolation(LatentSampler):
    """One VAE over all classes; a new row decodes a point between a training row and a neighbour of its class."""

    direction: ClassVar[int] = 1
    min_per_class: ClassVar[int] = 2


class LatentExtrapolation(LatentSampler):
    """One VAE over all classes; a new row decodes a point beyond a training row, away from a neighbour of its class."""

    direction: ClassVar[int] = -1
    min_per_class: ClassVar[int] = 2


class LatentInterpolationNoise(LatentInterpolation):
    """Latent interpolation between neighbours of a class, with noise added."""

    noisy: ClassVar[bool] = True


class LatentExtrapolationNoise(LatentExtrapolation):
    """Latent extrapolation away from a neighbour of the class, with noise added."""

    noisy: ClassVar[bool] = True
