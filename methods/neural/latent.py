"""Sampling in latent space: one VAE over all classes; a new row starts from a training row and keeps its label."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from sklearn.neighbors import NearestNeighbors

from ..search import Range, Real, Whole
from .augmenter import LATENT_DIMS, Task, each_equally_often
from .checks import at_least, check_number
from .vae import BETAS, VAEFamily, all_rows, observed_rows

if TYPE_CHECKING:
    from .training import Trained, TrainingSet

#: what tuning may try of the noise
NOISES = Real(0.05, 1.0)


@dataclass(kw_only=True, eq=False, repr=False)
class LatentSampler(VAEFamily):
    """Base of the latent-space samplers (DeVries & Taylor 2017; Iser 2023).

    A new row of a class starts from row i of that class (each row as often as any other), at the mean μ_i of its
    posterior. Interpolation and extrapolation move it to μ_i ± α (μ_k − μ_i), k one of the K nearest rows of the same
    class in latent space. Noise alone starts from a draw z_i of the posterior; noise is z + ε, ε ~ N(0, σ²I). The class
    is that of row i.

    Parameters
    ----------
    **others
        The parameters of `VAEFamily`.
    """

    def _sets(self, task: Task) -> list[TrainingSet]:
        return [self._set(task, all_rows(task, balance=self.balance), "all classes")]

    def _sample(self, task: Task, trained: list[Trained]) -> tuple[np.ndarray, np.ndarray]:
        network: Any = trained[0].network
        mean, sd = network.posterior(task.values, task.codes)
        points, codes = [], []
        for code, count in task.wanted:
            rows = task.rows_of(code)
            i = each_equally_often(len(rows), count, task.rng)
            points.append(self._points(mean[rows], sd[rows], i, task.rng))
            codes.append(np.full(count, code))
        joined = np.concatenate(codes)
        return observed_rows(network, np.concatenate(points), joined, task), joined

    @abstractmethod
    def _points(self, mean: np.ndarray, sd: np.ndarray, i: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return a latent point for each start i, given the posteriors (n, d) of one class's rows."""

    def _responsible(self, task: Task, networks: list[Any]) -> list[tuple[np.ndarray, Any]]:
        return [(np.arange(len(task.codes)), networks[0])]


@dataclass(kw_only=True, eq=False, repr=False)
class LatentNoise(LatentSampler):
    """One VAE over all classes; a new row decodes a training row's latent point plus noise.

    Parameters
    ----------
    noise : float, default=0.5
        σ, the standard deviation of ε (the α of N(0, α) in Iser 2023); the latent prior has 1.
    **others
        The parameters of `VAEFamily`.
    """

    search_space: ClassVar[dict[str, Range]] = {**VAEFamily.search_space, "noise": NOISES}

    noise: float = 0.5

    def check_parameters(self) -> None:
        """Raise `InputError` for a parameter that has no sensible value."""
        super().check_parameters()
        check_number(self, "noise", least=0.0)

    def _points(self, mean: np.ndarray, sd: np.ndarray, i: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        z = mean[i] + sd[i] * rng.standard_normal((len(i), mean.shape[1]))
        return z + self.noise * rng.standard_normal(z.shape)


@dataclass(kw_only=True, eq=False, repr=False)
class LatentInterpolation(LatentSampler):
    """One VAE over all classes; a new row decodes a point between a training row and a neighbour of its class.

    Parameters
    ----------
    alpha : float, default=0.5
        α, the step towards the neighbour (of the extrapolating classes: away from it).
    n_neighbors : int, default=5
        K, at most the rows of the class minus one.
    **others
        The parameters of `VAEFamily`.
    """

    min_per_class: ClassVar[int] = 2
    #: +1 towards the neighbour, -1 away from it
    direction: ClassVar[int] = 1
    search_space: ClassVar[dict[str, Range]] = {
        "beta": BETAS,
        "latent_dim": LATENT_DIMS,
        "alpha": Real(0.1, 1.0),
        "n_neighbors": Whole(1, 10),
    }

    alpha: float = 0.5
    n_neighbors: int = 5

    def check_parameters(self) -> None:
        """Raise `InputError` for a parameter that has no sensible value."""
        super().check_parameters()
        at_least(self, "n_neighbors", 1)
        check_number(self, "alpha", least=0.0)

    def _points(self, mean: np.ndarray, sd: np.ndarray, i: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        k = min(self.n_neighbors, len(mean) - 1)
        # without arguments a row is not its own neighbour, also where rows are equal
        neighbours = NearestNeighbors(n_neighbors=k).fit(mean).kneighbors(return_distance=False)
        chosen = neighbours[i, rng.integers(k, size=len(i))]
        return mean[i] + self.direction * self.alpha * (mean[chosen] - mean[i])


@dataclass(kw_only=True, eq=False, repr=False)
class LatentExtrapolation(LatentInterpolation):
    """One VAE over all classes; a new row decodes a point beyond a training row, away from a neighbour of its class.

    Parameters
    ----------
    **others
        The parameters of `LatentInterpolation`.
    """

    direction: ClassVar[int] = -1


@dataclass(kw_only=True, eq=False, repr=False)
class LatentInterpolationNoise(LatentInterpolation):
    """Latent interpolation between neighbours of a class, with noise added.

    Parameters
    ----------
    noise : float, default=0.5
        σ, the standard deviation of ε; the latent prior has 1.
    **others
        The parameters of `LatentInterpolation`.
    """

    search_space: ClassVar[dict[str, Range]] = {
        "beta": BETAS,
        "latent_dim": LATENT_DIMS,
        "alpha": Real(0.1, 1.0),
        "noise": NOISES,
    }

    noise: float = 0.5

    def check_parameters(self) -> None:
        """Raise `InputError` for a parameter that has no sensible value."""
        super().check_parameters()
        check_number(self, "noise", least=0.0)

    def _points(self, mean: np.ndarray, sd: np.ndarray, i: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        z = super()._points(mean, sd, i, rng)
        return z + self.noise * rng.standard_normal(z.shape)


@dataclass(kw_only=True, eq=False, repr=False)
class LatentExtrapolationNoise(LatentInterpolationNoise):
    """Latent extrapolation away from a neighbour of the class, with noise added.

    Parameters
    ----------
    **others
        The parameters of `LatentInterpolationNoise`.
    """

    direction: ClassVar[int] = -1
