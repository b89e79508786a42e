"""Simulated data sets whose posterior P(class | row) is known; its argmax is the Bayes rule, the ceiling of a score."""

from __future__ import annotations

import re
from abc import abstractmethod
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from ..errors import InputError
from ..provenance import digest, source_hash
from . import rstream
from .contract import DatasetInfo, SimulatedDataset, SimulatedDraw, Table
from .rstream import RStream

#: coefficients of the published logistic simulation
BETA = np.array([1.0, 1.5, 2.0, 2.5, 0.0, -1.0, -1.5, -2.0, -2.5, 0.0])


def _logistic(x: np.ndarray) -> np.ndarray:
    """Return 1 / (1 + exp(-x)), as the published code computes it."""
    return 1.0 / (1.0 + np.exp(-x))


def _numeric_frame(X: np.ndarray) -> pd.DataFrame:
    """Return the columns of an array, named x1, x2, ..."""
    return pd.DataFrame(X, columns=[f"x{i + 1}" for i in range(X.shape[1])])


def _checked_sizes(**sizes: int) -> None:
    """Refuse sizes that are no integers from 2."""
    for name, value in sizes.items():
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 2:
            raise InputError(f"{name} must be an integer from 2, not {value!r}")


def _counts(n: int, shares: tuple[float, ...]) -> tuple[int, ...]:
    """Return the expected number of rows of each class; the largest class takes what rounding leaves."""
    counts = [round(n * share) for share in shares]
    counts[int(np.argmax(shares))] += n - sum(counts)
    return tuple(counts)


class _FreshRows(SimulatedDataset):
    """What the simulated sets share: sizes, facts, and two independent tables per draw."""

    name: str
    description: str
    classes: tuple[str, ...] = ("0", "1")
    n_numeric: int
    n_categorical: int = 0

    def __init__(self, n_train: int, n_test: int, **params: Any) -> None:
        _checked_sizes(n_train=n_train, n_test=n_test)
        self.n_train, self.n_test = int(n_train), int(n_test)
        self._params = {"n_train": self.n_train, "n_test": self.n_test, **params}

    @abstractmethod
    def _class_shares(self) -> tuple[float, ...]:
        """Return P(class) of each class."""

    @abstractmethod
    def _table(self, rng: np.random.Generator, n: int) -> Table:
        """Sample `n` rows with their posterior."""

    @cached_property
    def info(self) -> DatasetInfo:
        """Facts known without sampling."""
        code = source_hash(__name__, rstream.__name__)
        return DatasetInfo(
            name=self.name,
            description=self.description,
            group="simulated",
            classes=self.classes,
            class_counts=_counts(self.n_train, self._class_shares()),
            n_numeric=self.n_numeric,
            n_categorical=self.n_categorical,
            content_hash=digest({"name": self.name, "params": self._params, "code": code}),
            licence="none needed: simulated",
            source="augbench",
        )

    def sample(self, rng: np.random.Generator, draw: int) -> SimulatedDraw:
        """Sample a training table and an independent test table."""
        return SimulatedDraw(self._table(rng, self.n_train), self._table(rng, self.n_test))


def _labelled(X: pd.DataFrame, p: np.ndarray, rng: np.random.Generator) -> Table:
    """Draw the labels of a two-class set from P(1 | row)."""
    y = (rng.random(len(p)) < p).astype(np.int64)
    return Table(X, y, np.column_stack([1.0 - p, p]))


class LogisticSimulation(_FreshRows):
    """The published logistic simulation: ten U(0, 1) predictors, P(1 | x) = logistic(x · β), no intercept.

    β = (1, 1.5, 2, 2.5, 0, -1, -1.5, -2, -2.5, 0). The coefficients cancel in pairs, so the classes are equally
    frequent, and the Bayes rule has accuracy 73.674 % in either class, AUC 0.81497 and log-loss 0.52496.

    Parameters
    ----------
    n_train, n_test : int
        Rows of the two tables; 80,000 and 20,000 as published.
    scale, shift : float
        The rows are given out as ``scale * x + shift`` (labels and posterior as before): 0.5 and 0 halve the features,
        1 and -0.5 centre them, √12 and -√3 standardise them. A linear artefact that lives on the
        features' centre being 0.5 does not survive 0.5.
    seed : str, optional
        ``"R:50"``: draw `d` is what R's ``set.seed(50 + d)`` gives in the published order of calls, whatever the
        draw's own generator. By default every draw is fresh.
    repeat : bool
        With an R seed: every draw is that of the seed itself, so that draws differ by what is random in methods alone.

    Raises
    ------
    InputError
        A size is no integer from 2, `scale` is not positive, `shift` is no number, or `seed` is not of the form
        ``"R:50"``.

    Examples
    --------
    >>> draw = LogisticSimulation(n_train=1000, n_test=100, seed="R:50").sample(np.random.default_rng(0), draw=0)
    >>> draw.train.X.shape, draw.test.posterior.shape
    ((1000, 10), (100, 2))
    """

    name = "logistic-simulation"
    description = "Ten U(0,1) predictors, logistic response, half of the rows in each class (published simulation)"
    n_numeric = 10

    def __init__(
        self,
        n_train: int = 80000,
        n_test: int = 20000,
        scale: float = 1.0,
        seed: str | None = None,
        shift: float = 0.0,
        repeat: bool = False,
    ) -> None:
        if isinstance(scale, bool) or not isinstance(scale, int | float) or not 0 < scale < np.inf:
            raise InputError(f"scale must be a positive number, not {scale!r}")
        if isinstance(shift, bool) or not isinstance(shift, int | float) or not np.isfinite(shift):
            raise InputError(f"shift must be a number, not {shift!r}")
        if repeat and seed is None:
            raise InputError("repeat needs a seed: fresh draws are never the same")
        super().__init__(n_train, n_test, scale=float(scale), seed=seed, shift=float(shift), repeat=bool(repeat))
        self.repeat = bool(repeat)
        self.scale, self.shift = float(scale), float(shift)
        self.seed = seed
        self._r_seed = None if seed is None else _r_seed(seed)

    def _class_shares(self) -> tuple[float, ...]:
        return (0.5, 0.5)

    def _table(self, rng: np.random.Generator, n: int) -> Table:
        X = rng.random((n, len(BETA)))
        return _labelled(_numeric_frame(X * self.scale + self.shift), _logistic(X @ BETA), rng)

    def _r_table(self, stream: RStream, n: int) -> Table:
        X, p, y = _published_rows(stream, n)
        return Table(_numeric_frame(X * self.scale + self.shift), y, np.column_stack([1.0 - p, p]))

    def sample(self, rng: np.random.Generator, draw: int) -> SimulatedDraw:
        """Sample one data set; with an R seed, `keep_order[1]` is the order in which R keeps the rows of class 1."""
        if self._r_seed is None:
            return super().sample(rng, draw)
        stream = RStream(self._r_seed + (0 if self.repeat else draw))
        train = self._r_table(stream, self.n_train)
        test = self._r_table(stream, self.n_test)
        ones = np.flatnonzero(train.y == 1)
        return SimulatedDraw(train, test, {1: ones[stream.sample(len(ones))]} if len(ones) else {})


def _r_seed(seed: str) -> int:
    """Return the number in ``"R:50"``."""
    found = re.fullmatch(r"R:(-?\d{1,9})", seed) if isinstance(seed, str) else None
    if found is None:
        raise InputError(f'seed must be of the form "R:50" (an R seed), not {seed!r}')
    return int(found[1])


def _published_rows(stream: RStream, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return X (filled by column), P(1 | x) and y, in the published order of calls."""
    X = np.ascontiguousarray(stream.runif(n * len(BETA)).reshape(len(BETA), n).T)
    p = _logistic(X @ BETA)
    return X, p, stream.rbinom(p)


@dataclass(frozen=True)
class PublishedData:
    """The very data of one published run.

    Attributes
    ----------
    X_train, X_test : numpy.ndarray of shape (n_rows, 10), float64
    y_train, y_test : numpy.ndarray of shape (n_rows,), int64
    kept : numpy.ndarray of shape (int(keep * n1),), int64
        Positions in `X_train` of the class-1 rows that are kept, in R's order.
    oversampled : numpy.ndarray of shape (n1,), int64
        Positions in `kept` of the random copies that replace the n1 rows of class 1: the rows are
        ``X_train[kept[oversampled]]``.
    """

    X_train: np.ndarray
    y_train: np.ndarray
    X_test: np.ndarray
    y_test: np.ndarray
    kept: np.ndarray
    oversampled: np.ndarray


def published_logistic_data(
    seed: int, keep: float = 0.0005, n_train: int = 80000, n_test: int = 20000
) -> PublishedData:
    """Return the data of the published logistic simulation for an R seed.

    Parameters
    ----------
    seed : int
        R's seed; 50 is the published run.
    keep : float
        The share of class 1 that is kept; R truncates the number of rows.
    n_train, n_test : int
        Rows of the two tables.

    Raises
    ------
    InputError
        `keep` is outside (0, 1], or no row of class 1 would be kept.

    Examples
    --------
    >>> data = published_logistic_data(50, keep=0.01, n_train=1000, n_test=10)
    >>> data.X_train.shape, len(data.kept), len(data.oversampled) == int(data.y_train.sum())
    ((1000, 10), 4, True)
    """
    _checked_sizes(n_train=n_train, n_test=n_test)
    if not 0 < keep <= 1:
        raise InputError(f"keep must lie in (0, 1], not {keep!r}")
    stream = RStream(seed)
    X_train, _, y_train = _published_rows(stream, n_train)
    X_test, _, y_test = _published_rows(stream, n_test)
    ones = np.flatnonzero(y_train == 1)
    n_kept = int(keep * len(ones))
    if n_kept == 0:
        raise InputError(f"keep={keep} leaves none of the {len(ones)} rows of class 1: keep more, or sample more rows")
    kept = ones[stream.sample(len(ones), n_kept)]
    stream.sample(n_train - len(ones) + n_kept)  # the published code shuffles the reduced set and never uses it
    oversampled = stream.sample(n_kept, len(ones), replace=True)
    return PublishedData(X_train, y_train, X_test, y_test, kept, oversampled)


class RingsSimulation(_FreshRows):
    r"""Concentric rings off the centre: nothing that moves a line or a threshold helps.

    Six predictors, U(0, 1) each. With r the distance of (x1, x2) from (0.3, 0.35),

    .. math:: P(1 \mid x) = \mathrm{logistic}(6 \sin(2 \pi r / 0.4) - \mathrm{offset});

    x3 to x6 carry nothing. The midpoint of the ranges lies in a ring of class 0 (r = 0.25), so that rows made there
    and labelled 1, which help in the logistic simulation, are wrong here.

    Parameters
    ----------
    n_train, n_test : int
        Rows of the two tables.
    offset : float
        Makes class 1 rarer: 0 gives about a half, 3 (the default) about a third.
    """

    name = "simulated-rings"
    description = "Rings around a point off the centre, in two of six uniform predictors"
    n_numeric = 6

    def __init__(self, n_train: int = 4000, n_test: int = 4000, offset: float = 3.0) -> None:
        super().__init__(n_train, n_test, offset=float(offset))
        self.offset = float(offset)

    def _p(self, x1: np.ndarray, x2: np.ndarray) -> np.ndarray:
        r = np.hypot(x1 - 0.3, x2 - 0.35)
        return _logistic(6.0 * np.sin(2.0 * np.pi * r / 0.4) - self.offset)

    def _class_shares(self) -> tuple[float, ...]:
        middle = (np.arange(400) + 0.5) / 400
        share = float(self._p(middle[:, None], middle[None, :]).mean())
        return (1.0 - share, share)

    def _table(self, rng: np.random.Generator, n: int) -> Table:
        X = rng.random((n, self.n_numeric))
        return _labelled(_numeric_frame(X), self._p(X[:, 0], X[:, 1]), rng)


#: columns of the mixed set: level -> (probability, effect on the logit, slope of x1)
_MIXED: dict[str, dict[str, tuple[float, float, float]]] = {
    "colour": {"blue": (0.5, 0.0, 1.5), "green": (0.3, 0.5, -1.5), "red": (0.2, 1.0, 0.0)},
    "region": {"east": (0.4, -0.5, 0.0), "north": (0.3, 0.0, 0.0), "south": (0.2, 0.5, 0.0), "west": (0.1, 1.5, 0.0)},
    "channel": {"office": (0.5, 0.0, 0.0), "online": (0.5, 0.0, 0.0)},
}


class MixedSimulation(_FreshRows):
    r"""Numeric and categorical columns with an interaction, class 1 rare.

    x1 to x4 are N(0, 1); colour, region and channel are drawn independently with fixed probabilities. With
    a(level) an effect and b(colour) the slope of x1 (1.5, -1.5, 0: the sign depends on the colour),

    .. math:: \mathrm{logit} P(1 \mid x) = \mathrm{intercept} + a(colour) + a(region) + b(colour) x_1 + x_2.

    x3, x4 and channel carry nothing.

    Parameters
    ----------
    n_train, n_test : int
        Rows of the two tables.
    intercept : float
        Makes class 1 rarer; -3.5 (the default) gives about 1 in 10.
    """

    name = "simulated-mixed"
    description = "Four normal and three categorical predictors with an interaction; class 1 is rare"
    n_numeric = 4
    n_categorical = 3

    def __init__(self, n_train: int = 4000, n_test: int = 4000, intercept: float = -3.5) -> None:
        super().__init__(n_train, n_test, intercept=float(intercept))
        self.intercept = float(intercept)

    def _class_shares(self) -> tuple[float, ...]:
        """Integrate over the levels exactly, over the normal part by Gauss-Hermite quadrature."""
        nodes, weights = np.polynomial.hermite_e.hermegauss(100)
        share = 0.0
        for levels in product(*(column.values() for column in _MIXED.values())):
            probability = float(np.prod([level[0] for level in levels]))
            shift = self.intercept + sum(level[1] for level in levels)
            spread = np.hypot(1.0, sum(level[2] for level in levels))
            share += probability * float(weights @ _logistic(shift + spread * nodes)) / np.sqrt(2.0 * np.pi)
        return (1.0 - share, share)

    def _table(self, rng: np.random.Generator, n: int) -> Table:
        X = _numeric_frame(rng.standard_normal((n, self.n_numeric)))
        logit = self.intercept + X["x2"].to_numpy()
        for name, column in _MIXED.items():
            probability, effect, slope = (np.array(part) for part in zip(*column.values(), strict=True))
            code = rng.choice(len(column), size=n, p=probability)
            logit = logit + effect[code] + slope[code] * X["x1"].to_numpy()
            X[name] = pd.Categorical.from_codes(code, categories=pd.Index(list(column)))
        return _labelled(X, _logistic(logit), rng)


#: of each class: its share, and its components as (weight, mean, standard deviation)
_MIXTURES: tuple[tuple[float, tuple[tuple[float, tuple[float, ...], float], ...]], ...] = (
    (0.80, ((0.6, (0.0, 0.0, 0.0, 0.0), 1.0), (0.4, (3.0, 3.0, 0.0, 0.0), 1.0))),
    (0.15, ((0.5, (3.0, 0.0, 1.0, 0.0), 0.8), (0.5, (0.0, 3.0, -1.0, 0.0), 0.8))),
    (0.05, ((0.5, (1.5, 1.5, 1.5, 1.0), 0.6), (0.3, (-2.0, 1.0, 0.0, 1.0), 0.6), (0.2, (5.0, 1.0, 0.0, -1.0), 0.6))),
)


@lru_cache(maxsize=1)
def _components() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return class, joint weight, mean and standard deviation of every mixture component."""
    flat = [(k, share * w, mean, sd) for k, (share, parts) in enumerate(_MIXTURES) for w, mean, sd in parts]
    owner, weight, mean, sd = zip(*flat, strict=True)
    return np.array(owner), np.array(weight), np.array(mean), np.array(sd)


class ThreeClassSimulation(_FreshRows):
    r"""Three unbalanced classes, each a mixture of spherical Gaussians in four dimensions.

    Class k has share π_k (0.80, 0.15, 0.05) and components j with weight w, mean m and standard deviation s, so

    .. math:: P(k \mid x) \propto \pi_k \sum_j w_{kj} \, s_{kj}^{-4} \exp(-\|x - m_{kj}\|^2 / 2 s_{kj}^2).

    The modes of a class lie on different sides of the other classes: a row between two modes of its class is usually
    not of that class.

    Parameters
    ----------
    n_train, n_test : int
        Rows of the two tables.
    """

    name = "simulated-three-classes"
    description = "Three classes (80, 15 and 5 %), each a mixture of two or three Gaussians in four dimensions"
    classes = ("common", "uncommon", "rare")
    n_numeric = 4

    def __init__(self, n_train: int = 4000, n_test: int = 4000) -> None:
        super().__init__(n_train, n_test)

    def _class_shares(self) -> tuple[float, ...]:
        return tuple(share for share, _ in _MIXTURES)

    def _table(self, rng: np.random.Generator, n: int) -> Table:
        owner, weight, mean, sd = _components()
        component = rng.choice(len(weight), size=n, p=weight)
        X = mean[component] + sd[component, None] * rng.standard_normal((n, self.n_numeric))
        return Table(_numeric_frame(X), owner[component].astype(np.int64), _mixture_posterior(X))


def _mixture_posterior(X: np.ndarray) -> np.ndarray:
    """Return P(class | row), computed from log densities so that no row is out of reach."""
    owner, weight, mean, sd = _components()
    squared = ((X[:, None, :] - mean[None, :, :]) ** 2).sum(axis=2)
    log_density = np.log(weight) - X.shape[1] * np.log(sd) - squared / (2.0 * sd**2)
    density = np.exp(log_density - log_density.max(axis=1, keepdims=True))
    posterior = density @ (owner[:, None] == np.arange(len(_MIXTURES)))
    return posterior / posterior.sum(axis=1, keepdims=True)
