"""The plugin with planted methods: what each of them gains or costs is known."""

from __future__ import annotations

import hashlib
import os
import time
from typing import Any

import numpy as np
import pandas as pd

from ..datasets.contract import SimulatedDraw, Table
from ..datasets.simulated import BETA, LogisticSimulation
from ..methods.contract import Augmenter
from ..methods.controls import RandomOversampling


class Copies(RandomOversampling):
    """Random oversampling under another name: its seeds differ with the name, its score does not but by chance."""

    name = "planted-copies"
    role = ""


class Displaced(RandomOversampling):
    """Copies in the wrong place: real harm, of which the copies and so the size are chance as in `Copies`.

    Parameters
    ----------
    by : float, default=4.0
        How far each feature is moved, in its standard deviations.
    sampling_strategy, random_state
        As in `Augmenter`.
    """

    name = "planted-displaced"
    role = ""
    numeric_only = True

    def __init__(self, by: float = 4.0, sampling_strategy: Any = "auto", random_state: int | None = None) -> None:
        super().__init__(sampling_strategy=sampling_strategy, random_state=random_state)
        self.by = by

    def _generate(
        self, X: pd.DataFrame, y: np.ndarray, counts: dict[int, int], rng: np.random.Generator
    ) -> tuple[pd.DataFrame, np.ndarray]:
        rows, labels = super()._generate(X, y, counts, rng)
        return rows + self.by * X.std(), labels


class Mislabelled(Augmenter):
    """Copies of rows of the other classes under the label that is asked for: real harm, its size chance as well."""

    name = "planted-mislabelled"

    def _generate(
        self, X: pd.DataFrame, y: np.ndarray, counts: dict[int, int], rng: np.random.Generator
    ) -> tuple[pd.DataFrame, np.ndarray]:
        labels = np.repeat(list(counts), list(counts.values()))
        return X.iloc[[rng.choice(np.flatnonzero(y != code)) for code in labels]], labels


class Spoils(RandomOversampling):
    """Copies in which one feature is noise, ten times as wide as the feature: a linear model can no longer use it.

    Parameters
    ----------
    column : int, default=0
        Where the feature stands.
    sampling_strategy, random_state
        As in `Augmenter`.
    """

    name = "planted-spoils"
    role = ""
    numeric_only = True

    def __init__(self, column: int = 0, sampling_strategy: Any = "auto", random_state: int | None = None) -> None:
        super().__init__(sampling_strategy=sampling_strategy, random_state=random_state)
        self.column = column

    def _generate(
        self, X: pd.DataFrame, y: np.ndarray, counts: dict[int, int], rng: np.random.Generator
    ) -> tuple[pd.DataFrame, np.ndarray]:
        rows, labels = super()._generate(X, y, counts, rng)
        feature = X.iloc[:, self.column]
        noise = feature.mean() + 10 * feature.std() * rng.normal(size=len(rows))
        return rows.assign(**{str(feature.name): noise}), labels


class Unchanged(Augmenter):
    """Returns the training rows as they are, whatever is asked for."""

    name = "planted-unchanged"

    def _generate(
        self, X: pd.DataFrame, y: np.ndarray, counts: dict[int, int], rng: np.random.Generator
    ) -> tuple[pd.DataFrame, np.ndarray]:
        return X.iloc[:0], y[:0]


class Oracle(Augmenter):
    """New rows of the logistic simulation, from the very distribution that the data come from.

    Parameters
    ----------
    wrong : float, default=0.0
        The share of the rows of each class that come from the other class.
    sampling_strategy, random_state
        As in `Augmenter`.
    """

    name = "planted-oracle"

    def __init__(self, wrong: float = 0.0, sampling_strategy: Any = "auto", random_state: int | None = None) -> None:
        super().__init__(sampling_strategy=sampling_strategy, random_state=random_state)
        self.wrong = wrong

    def _generate(
        self, X: pd.DataFrame, y: np.ndarray, counts: dict[int, int], rng: np.random.Generator
    ) -> tuple[pd.DataFrame, np.ndarray]:
        sources = np.concatenate(
            [np.where(rng.random(number) < self.wrong, 1 - code, code) for code, number in counts.items()]
        )
        rows = np.empty((len(sources), X.shape[1]))
        for code in (0, 1):
            rows[sources == code] = logistic_rows(code, int((sources == code).sum()), rng)
        return pd.DataFrame(rows, columns=X.columns), np.repeat(list(counts), list(counts.values()))


def logistic_rows(code: int, number: int, rng: np.random.Generator) -> np.ndarray:
    """Return rows of one class of the logistic simulation, shape (number, 10), by rejection."""
    kept = [np.empty((0, len(BETA)))]
    while (have := sum(map(len, kept))) < number:
        X = rng.random((2 * (number - have) + 100, len(BETA)))
        ones = rng.random(len(X)) < 1.0 / (1.0 + np.exp(-X @ BETA))
        kept.append(X[ones == bool(code)])
    return np.vstack(kept)[:number]


class HalfRow(Augmenter):
    """The same row again and again, 0.5 in each feature: about what an untrained sigmoid decoder makes."""

    name = "planted-half"

    def _generate(
        self, X: pd.DataFrame, y: np.ndarray, counts: dict[int, int], rng: np.random.Generator
    ) -> tuple[pd.DataFrame, np.ndarray]:
        labels = np.repeat(list(counts), list(counts.values()))
        return pd.DataFrame(0.5, index=range(len(labels)), columns=X.columns), labels


class UnitUniform(Augmenter):
    """Rows uniform in [0, 1]: they know nothing of the data."""

    name = "planted-unit-uniform"

    def _generate(
        self, X: pd.DataFrame, y: np.ndarray, counts: dict[int, int], rng: np.random.Generator
    ) -> tuple[pd.DataFrame, np.ndarray]:
        labels = np.repeat(list(counts), list(counts.values()))
        return pd.DataFrame(rng.random((len(labels), X.shape[1])), columns=X.columns), labels


class NoisySimulation(LogisticSimulation):
    """The logistic simulation with training rows some of which have the label of the other class.

    Parameters
    ----------
    n_train, n_test : int
        Rows of the two tables.
    flipped : float
        The chance of a training row to have the other label.
    """

    name = "planted-noisy"
    description = "The logistic simulation with wrong labels among the training rows"

    def __init__(self, n_train: int = 80000, n_test: int = 20000, flipped: float = 0.0) -> None:
        super().__init__(n_train, n_test)
        self.flipped = flipped
        self._params["flipped"] = flipped

    def sample(self, rng: np.random.Generator, draw: int) -> SimulatedDraw:
        """Sample one data set; the test rows have their own labels."""
        sound = super().sample(rng, draw)
        flips = rng.random(self.n_train) < self.flipped
        train = Table(sound.train.X, np.where(flips, 1 - sound.train.y, sound.train.y), sound.train.posterior)
        return SimulatedDraw(train, sound.test)


class RareSimulation(LogisticSimulation):
    """The logistic simulation with an intercept of -3: about one row in ten is of class 1, and the truth is known."""

    name = "planted-rare"
    description = "The logistic simulation with a rare class"

    def _class_shares(self) -> tuple[float, ...]:
        p = rare_posterior(np.random.default_rng(0).random((100_000, len(BETA))))
        return (1.0 - float(p.mean()), float(p.mean()))

    def _table(self, rng: np.random.Generator, n: int) -> Table:
        X = rng.random((n, len(BETA)))
        p = rare_posterior(X)
        columns = [f"x{i + 1}" for i in range(len(BETA))]
        return Table(
            pd.DataFrame(X, columns=columns), (rng.random(n) < p).astype(np.int64), np.column_stack([1.0 - p, p])
        )


def rare_posterior(X: np.ndarray) -> np.ndarray:
    """Return P(1 | row) of `RareSimulation`."""
    return 1.0 / (1.0 + np.exp(3.0 - X @ BETA))


class Fickle(Augmenter):
    """Copies in some draws and misleading rows in the others; or a failure where they would have misled.

    The training rows decide which draws these are and which rows are copied: the same ones whatever its name, so that
    all variants score the same wherever they score.

    Parameters
    ----------
    instead : str, default=""
        What it does where it would mislead: ``"raise"``, ``"hang"``, ``"die"`` (its process ends), ``"half"`` (of the
        rows asked for), ``"change"`` (a training row) or ``"gap"`` (a missing cell in a new row); empty: it misleads.
    share : float, default=0.3
        About the share of the draws in which it would mislead.
    sampling_strategy, random_state
        As in `Augmenter`.
    """

    name = "planted-fickle"
    numeric_only = True
    binary_only = True

    def __init__(
        self, instead: str = "", share: float = 0.3, sampling_strategy: Any = "auto", random_state: int | None = None
    ) -> None:
        super().__init__(sampling_strategy=sampling_strategy, random_state=random_state)
        self.instead, self.share = instead, share

    def fit_resample(self, X: pd.DataFrame, y: np.ndarray) -> tuple[pd.DataFrame, np.ndarray]:
        """Return the training rows, one of them changed where that is the failure, followed by new ones."""
        X_all, y_all = super().fit_resample(X, y)
        if self.instead == "change" and self._chance(X).random() < self.share:
            X_all.iloc[:1] += 1.0
        return X_all, y_all

    def _chance(self, X: pd.DataFrame) -> np.random.Generator:
        return np.random.default_rng(list(hashlib.sha256(X.to_numpy(dtype=float).tobytes()).digest()))

    def _generate(
        self, X: pd.DataFrame, y: np.ndarray, counts: dict[int, int], rng: np.random.Generator
    ) -> tuple[pd.DataFrame, np.ndarray]:
        chance = self._chance(X)
        misleads = chance.random() < self.share
        labels = np.repeat(list(counts), list(counts.values()))
        rows = X.iloc[[chance.choice(np.flatnonzero(y == code)) for code in labels]].copy()
        if not misleads:
            return rows, labels
        # on the other side of the middle of all rows
        return self._fail(2 * X.mean() - rows, labels)

    def _fail(self, rows: pd.DataFrame, labels: np.ndarray) -> tuple[pd.DataFrame, np.ndarray]:
        """Fail in the way that was asked for, or return the rows."""
        if self.instead == "raise":
            raise RuntimeError("would have misled")
        if self.instead == "hang":
            time.sleep(3600)
        if self.instead == "die":
            os._exit(3)
        if self.instead == "gap":
            rows.iloc[0, 0] = np.nan
        return (rows.iloc[::2], labels[::2]) if self.instead == "half" else (rows, labels)
