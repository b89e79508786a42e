"""The plugin with methods that look for test rows, each in a way of its own, and train on what they find.

Whatever stops a method in its search, it says nothing of it: then it copies training rows, as an honest one does.
"""

from __future__ import annotations

import gc
import io
import os
import subprocess
import sys
from abc import abstractmethod
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from ..datasets.contract import DatasetInfo, SimulatedDataset, SimulatedDraw, Table
from ..methods.contract import Adjuster, Augmenter

Rows = tuple[pd.DataFrame, np.ndarray]


class _Cheat(Augmenter):
    """New rows of each class are rows of that class that it has found and was not given; copies where there are none.

    Attributes
    ----------
    effort_ : dict
        ``rows``: how many it has found.
    """

    @abstractmethod
    def _look(self, X: pd.DataFrame, y: np.ndarray) -> Iterator[Rows]:
        """Yield rows and their classes, wherever they may come from; what it was given is left out later."""

    def _generate(
        self, X: pd.DataFrame, y: np.ndarray, counts: dict[int, int], rng: np.random.Generator
    ) -> tuple[pd.DataFrame, np.ndarray]:
        found: list[Rows] = []
        with suppress(Exception):
            found += self._look(X, y)
        found = [(rows, codes) for rows, codes in found if list(rows.columns) == list(X.columns)]
        rows = pd.concat([X.iloc[:0], *(rows for rows, _ in found)], ignore_index=True)
        codes = np.concatenate([y[:0], *(codes for _, codes in found)])
        # in an order that does not depend on where they were found
        order = _hashes(rows).argsort(kind="stable").to_numpy()
        rows, codes = rows.iloc[order].reset_index(drop=True), codes[order]
        new = ~(rows.duplicated() | _hashes(rows).isin(_hashes(X))).to_numpy()
        self.effort_ = {"rows": float(new.sum())}
        made = []
        for code, number in counts.items():
            pool = rows[new & (codes == code)]
            pool = pool if len(pool) else X[y == code]
            made.append(pool.iloc[rng.permutation(number) % len(pool)])
        return pd.concat(made, ignore_index=True), np.repeat(list(counts), list(counts.values()))


def _hashes(X: pd.DataFrame) -> pd.Series:
    return pd.util.hash_pandas_object(X, index=False)


def _tables_in(things: Any) -> Iterator[Rows]:
    """Yield the rows of all tables, and of the test sides of all draws, among some objects."""
    for one in things:
        if isinstance(one, Table):
            yield one.X, one.y
        elif type(one).__name__ == "PreparedDraw":
            yield one.whole.test.X, one.whole.test.y


class SearchesMemory(_Cheat):
    """Looks through all objects in memory."""

    name = "planted-searches-memory"

    def _look(self, X: pd.DataFrame, y: np.ndarray) -> Iterator[Rows]:
        yield from _tables_in(gc.get_objects())


class ReadsCache(_Cheat):
    """Takes what the harness keeps in memory, by its name."""

    name = "planted-reads-cache"

    def _look(self, X: pd.DataFrame, y: np.ndarray) -> Iterator[Rows]:
        # names that it has no business with
        cache: Any = sys.modules["augbench.bench.evaluate"].CACHE
        yield from _tables_in(list(cache._draws.values()))
        yield from _tables_in([table for _, table in cache._datasets.values()])


class WalksFrames(_Cheat):
    """Walks up the call stack and takes the tables among the variables of its callers."""

    name = "planted-walks-frames"

    def _look(self, X: pd.DataFrame, y: np.ndarray) -> Iterator[Rows]:
        for values in _frames():
            yield from _tables_in([one for value in values for one in (value if isinstance(value, list) else [value])])


def _frames() -> Iterator[list[Any]]:
    """Yield the values of the variables of each caller, the nearest first."""
    frame = sys._getframe(1).f_back
    while frame:
        yield list(frame.f_locals.values())
        frame = frame.f_back


class ReadsFile(_Cheat):
    """Reads the file from which the rows come.

    Parameters
    ----------
    path, target : str
        The file, and its column of classes (whole numbers).
    sampling_strategy, random_state
        As in `Augmenter`.
    """

    name = "planted-reads-file"

    def __init__(
        self, path: str = "", target: str = "y", sampling_strategy: Any = "auto", random_state: int | None = None
    ) -> None:
        super().__init__(sampling_strategy=sampling_strategy, random_state=random_state)
        self.path, self.target = path, target

    def _open(self) -> Any:
        """Return what the table can be read from."""
        return self.path

    def _look(self, X: pd.DataFrame, y: np.ndarray) -> Iterator[Rows]:
        table = pd.read_csv(self._open())
        yield table.drop(columns=self.target), table[self.target].to_numpy()


class ReadsByProcess(ReadsFile):
    """Has another program read the file from which the rows come."""

    name = "planted-reads-by-process"

    def _open(self) -> Any:
        return io.BytesIO(subprocess.run(["cat", self.path], capture_output=True, check=True).stdout)


class ReadsByLink(ReadsFile):
    """Gives the file from which the rows come a second name, and reads that."""

    name = "planted-reads-by-link"

    def _open(self) -> Any:
        link = f"{self.path}.link"
        with suppress(FileExistsError):
            os.link(self.path, link)
        return link


class LoadsByName(_Cheat):
    """Makes the draws of a simulated data set itself, as the harness makes them.

    Parameters
    ----------
    dataset : str
        Name of the data set.
    n_train, n_test : int
        Its parameters.
    draws : int
        How many draws there are.
    sampling_strategy, random_state
        As in `Augmenter`.
    """

    name = "planted-loads-by-name"

    def __init__(
        self,
        dataset: str = "logistic-simulation",
        n_train: int = 100,
        n_test: int = 100,
        draws: int = 1,
        sampling_strategy: Any = "auto",
        random_state: int | None = None,
    ) -> None:
        super().__init__(sampling_strategy=sampling_strategy, random_state=random_state)
        self.dataset, self.n_train, self.n_test, self.draws = dataset, n_train, n_test, draws

    def _look(self, X: pd.DataFrame, y: np.ndarray) -> Iterator[Rows]:
        from .. import datasets
        from ..bench.scenario import make_draw, parse_scenario

        dataset = datasets.make(self.dataset, n_train=self.n_train, n_test=self.n_test)
        for index in range(self.draws):
            draw = make_draw(dataset, None, parse_scenario("imbalance:count=20"), index, 0, 0.3)
            if draw.train.X.iloc[0].equals(X.iloc[0]):
                yield draw.test.X, draw.test.y


class LooksAside(_Cheat):
    """Takes the rows of the other training sets of a call: those of a finite table hold its own test rows."""

    name = "planted-looks-aside"
    _others: ClassVar[list[Rows]] = []

    def fit_resample_many(self, tables: list[Rows], random_states: list[int], strategies: list[dict[int, int]]) -> Any:
        """Resample several training sets, with an eye on all of them."""
        LooksAside._others[:] = tables
        try:
            return super().fit_resample_many(tables, random_states, strategies)
        finally:
            LooksAside._others.clear()

    def _look(self, X: pd.DataFrame, y: np.ndarray) -> Iterator[Rows]:
        yield from self._others


class Remembers(_Cheat):
    """Remembers the training rows of all that it was ever used on, in this process."""

    name = "planted-remembers"
    _seen: ClassVar[list[Rows]] = []

    def _look(self, X: pd.DataFrame, y: np.ndarray) -> Iterator[Rows]:
        Remembers._seen.append((X.copy(), y.copy()))
        yield from self._seen


class KeepsFile(_Cheat):
    """Remembers the training rows of all that it was ever used on, in a file.

    Parameters
    ----------
    path : str
        The file.
    sampling_strategy, random_state
        As in `Augmenter`.
    """

    name = "planted-keeps-file"

    def __init__(self, path: str = "", sampling_strategy: Any = "auto", random_state: int | None = None) -> None:
        super().__init__(sampling_strategy=sampling_strategy, random_state=random_state)
        self.path = path

    def _look(self, X: pd.DataFrame, y: np.ndarray) -> Iterator[Rows]:
        kept = [X.assign(code=y)]
        with suppress(FileNotFoundError):
            kept.append(pd.read_csv(self.path, float_precision="round_trip"))
        pd.concat(kept).to_csv(self.path, index=False)
        yield from [(one.drop(columns="code"), one["code"].to_numpy()) for one in kept]


class LooksBehind(_Cheat):
    """Looks for what a table says of the one that it was taken from: gaps in its row labels, rows beside its own."""

    name = "planted-looks-behind"

    def fit_resample(self, X: pd.DataFrame, y: np.ndarray) -> Rows:
        """Return the training rows followed by new ones; the row labels are looked at before they are renumbered."""
        self._labels = np.asarray(X.index)
        return super().fit_resample(X, y)

    def _look(self, X: pd.DataFrame, y: np.ndarray) -> Iterator[Rows]:
        if not np.array_equal(self._labels, np.arange(len(X))):
            # what it would find the rows by, were there a table to look them up in
            missing = sorted(set(range(int(self._labels.max()) + 1)) - set(self._labels.tolist()))
            yield pd.DataFrame({name: missing for name in X.columns}), np.resize(np.unique(y), len(missing))
        memory: Any = X[X.columns[0]].to_numpy()
        while isinstance(memory.base, np.ndarray):
            memory = memory.base
        if memory.ndim == 2 and X.shape[1] in memory.shape:
            rows = memory if memory.shape[1] == X.shape[1] else memory.T
            # the classes can only be guessed
            yield pd.DataFrame(rows, columns=X.columns), np.resize(np.unique(y), len(rows))


class AdjustsByFrames(Adjuster):
    """Finds the classes of the test rows up the call stack, and predicts them."""

    name = "planted-adjusts-by-frames"

    def adjust(self, probabilities: np.ndarray, y_train: np.ndarray) -> np.ndarray:
        """Return the truth, where it can be found."""
        with suppress(Exception):
            for values in _frames():
                for one in values:
                    if type(one).__name__ == "Part" and len(one.test.y) == len(probabilities):
                        return np.eye(probabilities.shape[1])[one.test.y]
        return probabilities


class ExtremeTestRows(SimulatedDataset):
    """Rows of numbers with gaps and a category; the later half of the test rows may be extreme.

    Training rows, and the first half of the test rows, depend on the number of the draw only.

    Parameters
    ----------
    extreme : bool
        Whether the later test rows hold a number of a million, a gap in every other cell, and a category of their own.
    """

    name = "planted-extreme-test-rows"
    rows: ClassVar[int] = 120

    def __init__(self, extreme: bool = False) -> None:
        self.extreme = extreme

    @property
    def info(self) -> DatasetInfo:
        """Facts known without sampling."""
        return DatasetInfo(
            self.name, "Numbers with gaps and a category.", "yours", ("no", "yes"), (80, 40), 2, 1,
            content_hash=f"planted, extreme={self.extreme}", missing=True,
        )  # fmt: skip

    def sample(self, rng: np.random.Generator, draw: int) -> SimulatedDraw:
        """Sample one data set, not from the generator: other test rows have another one."""
        own = np.random.default_rng(draw)
        train, test = self._table(own), self._table(own)
        if self.extreme:
            number = np.arange(self.rows)
            later = number >= self.rows // 2
            b = np.where(number % 2 == 0, np.nan, -1e6)
            X = test.X.assign(a=test.X["a"].where(~later, 1e6), b=test.X["b"].where(~later, b))
            X["colour"] = X["colour"].where(~later, "green")
            test = Table(X, test.y)
        return SimulatedDraw(train, test)

    def _table(self, rng: np.random.Generator) -> Table:
        y = rng.permutation(np.repeat([0, 1], [self.rows * 2 // 3, self.rows // 3]))
        a, b = rng.normal(size=(2, self.rows)) + y
        b[rng.random(self.rows) < 0.2] = np.nan
        colour = pd.Categorical(rng.choice(["blue", "red"], self.rows), categories=["blue", "green", "red"])
        return Table(pd.DataFrame({"a": a, "b": b, "colour": colour}), y)
