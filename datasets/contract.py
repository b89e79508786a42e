"""What a dataset is: facts known without loading it, and rows."""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from dataclasses import dataclass, field

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class Table:
    """Rows of a dataset.

    Attributes
    ----------
    X : pandas.DataFrame of shape (n_rows, n_features)
        Numeric columns are float64 (NaN = missing), all others have a categorical dtype; the index is 0..n_rows-1.
    y : numpy.ndarray of shape (n_rows,), int64
        Class codes 0..K-1, in the order of `DatasetInfo.classes`.
    posterior : numpy.ndarray of shape (n_rows, K), optional
        The true P(class | row), where it is known (simulated data).
    series : numpy.ndarray of shape (n_rows,), int64, optional
        The series that each row belongs to; rows of a series stand in the order of time. None: rows are independent.
    """

    X: pd.DataFrame
    y: np.ndarray
    posterior: np.ndarray | None = None
    series: np.ndarray | None = None

    def take(self, rows: np.ndarray) -> Table:
        """Return the rows with these positions, in this order, index renumbered from 0."""
        X = self.X.iloc[rows].reset_index(drop=True)
        return Table(
            X,
            self.y[rows],
            None if self.posterior is None else self.posterior[rows],
            None if self.series is None else self.series[rows],
        )


@dataclass(frozen=True)
class SimulatedDraw:
    """One fresh data set.

    Attributes
    ----------
    train, test : Table
        Both with their posterior.
    keep_order : dict of int to numpy.ndarray
        For a class: the order in which its training rows (positions in `train`) are kept when the class is reduced.
        Empty unless the published random stream fixes it (R seeds).
    """

    train: Table
    test: Table
    keep_order: dict[int, np.ndarray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # for who watches what methods do (`bench.guard`)
        sys.audit("augbench.simulated_draw")


@dataclass(frozen=True)
class DatasetInfo:
    """Facts about a dataset that are known without loading it.

    Attributes
    ----------
    name : str
        The id, e.g. ``"card"``.
    description : str
        One line.
    group : str
        ``"simulated"``, ``"bundled"``, ``"proben1"``, ``"images"``, ``"series"`` or ``"yours"``.
    classes : tuple of str
        The label of each class code.
    class_counts : tuple of int
        Rows of each class in the whole table; for simulated data the expected number in one training set.
    n_numeric, n_categorical : int
        Number of feature columns of each kind.
    content_hash : str
        Changes whenever the rows would change: a SHA-256 of the data, or of the generator and its parameters.
    licence, source, citation : str
        For people.
    missing : bool
        Whether any feature cell is missing.
    series : bool
        Whether the rows are time series (`Table.series` is set).
    positive : str
        Label of the class of interest, where a person named one; empty: the rarest.
    """

    name: str
    description: str
    group: str
    classes: tuple[str, ...]
    class_counts: tuple[int, ...]
    n_numeric: int
    n_categorical: int
    content_hash: str
    licence: str = ""
    source: str = ""
    citation: str = ""
    missing: bool = False
    series: bool = False
    positive: str = ""

    @property
    def n_rows(self) -> int:
        """Rows of the whole table (simulated: of one training set)."""
        return sum(self.class_counts)

    @property
    def class_of_interest(self) -> str:
        """Label of the class of interest: the one that was named, else the rarest, on a tie the last of them."""
        if self.positive:
            return self.positive
        return self.classes[max(code for code, n in enumerate(self.class_counts) if n == min(self.class_counts))]


class MissingDataError(Exception):
    """The data of a known dataset are not on this machine. The message says how to get them."""


class Dataset(ABC):
    """A named source of rows. Subclass `FiniteDataset` or `SimulatedDataset`."""

    @property
    @abstractmethod
    def info(self) -> DatasetInfo:
        """Facts known without loading."""


class FiniteDataset(Dataset):
    """One finite table, which the benchmark splits again for each draw."""

    def check_present(self) -> None:
        """Raise `MissingDataError` if the data are not on this machine; cheap. By default nothing is missing."""
        return None

    @abstractmethod
    def load(self) -> Table:
        """Read all rows.

        Raises
        ------
        MissingDataError
            The files are not here.
        InputError
            The files are here and wrong (checksum, counts).
        """


class SimulatedDataset(Dataset):
    """A known distribution: each draw is a fresh training set and a fresh test set."""

    @abstractmethod
    def sample(self, rng: np.random.Generator, draw: int) -> SimulatedDraw:
        """Sample one data set.

        Parameters
        ----------
        rng : numpy.random.Generator
            The draw's own generator; the only source of randomness (a dataset with an R seed ignores it).
        draw : int
            Number of the draw, from 0.
        """
