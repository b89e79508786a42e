"""Scenarios: what is done to the training rows, how many rows are generated, and the draws that follow.

A draw depends on the suite's seed, the dataset, the part of the scenario that chooses rows, and its number: never on
the method. So every method sees the same rows, bit for bit.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from ..datasets.contract import Dataset, DatasetInfo, FiniteDataset, SimulatedDataset, Table
from ..errors import InputError, unknown_name
from ..provenance import digest


class Scenario(BaseModel):
    """What is done to the training rows, and how much is generated.

    Attributes
    ----------
    kind : {"full", "imbalance", "few-shot"}
        All training rows; one class reduced; k rows of each class.
    keep : float, optional
        imbalance: the fraction of the class that is kept, in (0, 1); the number of rows is truncated.
    count : int, optional
        imbalance: the number of rows of the class that are kept.
    of : str, default="minority"
        imbalance: label of the reduced class; ``"minority"`` is the rarest class of the dataset (the last one, if
        several are).
    shots : int, optional
        few-shot: rows kept of each class.
    generate : int, optional
        few-shot: rows generated of each class; by default as many as shots.
    amount : "balance", "2x" or int, default="balance"
        full and imbalance: new rows. ``"balance"`` raises every class to the size of the largest; ``"2x"`` adds two
        new rows for each row of every class but the largest; an integer adds that many to every class but the largest.
    rows : {"real+synthetic", "synthetic"}, default="real+synthetic"
        What the classifier is trained on. With ``"synthetic"`` rows are generated for every class. The baseline and
        the adjusters, which generate nothing, are trained on the real rows in both cases; a detector is not run with
        ``"synthetic"``.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["full", "imbalance", "few-shot"]
    keep: float | None = Field(default=None, gt=0, lt=1)
    count: int | None = Field(default=None, ge=2)
    of: str = "minority"
    shots: int | None = Field(default=None, ge=2)
    generate: int | None = Field(default=None, ge=1)
    amount: str | int = "balance"
    rows: Literal["real+synthetic", "synthetic"] = "real+synthetic"

    @field_validator("amount")
    @classmethod
    def _check_amount(cls, value: str | int) -> str | int:
        text = str(value)
        if text == "balance":
            return text
        if text.isdecimal() and int(text) > 0:
            return int(text)
        if text.endswith("x") and text[:-1].replace(".", "", 1).isdecimal() and float(text[:-1]) > 0:
            return text
        raise ValueError(f"must be 'balance', a multiple such as '2x', or a number of rows above 0 (found {value!r})")

    @model_validator(mode="after")
    def _check_kind(self) -> Scenario:
        allowed = {"full": set(), "imbalance": {"keep", "count", "of"}, "few-shot": {"shots", "generate"}}[self.kind]
        allowed |= {"rows"} if self.kind == "few-shot" else {"amount", "rows"}
        stray = sorted(self.model_fields_set - allowed - {"kind"})
        if stray:
            raise ValueError(f"'{stray[0]}' does not go with kind '{self.kind}', which takes {sorted(allowed)}")
        if self.kind == "imbalance" and (self.keep is None) == (self.count is None):
            raise ValueError("kind 'imbalance' needs either 'keep' (a fraction) or 'count' (a number of rows)")
        if self.kind == "few-shot" and self.shots is None:
            raise ValueError("kind 'few-shot' needs 'shots' (rows per class)")
        return self

    @property
    def id(self) -> str:
        """The scenario's name, e.g. ``imbalance:count=20``; `parse_scenario` reads it back."""
        values = self.model_dump(exclude_defaults=True, exclude={"kind"})
        return self.kind + (":" + ",".join(f"{key}={value}" for key, value in values.items()) if values else "")

    def selection(self) -> dict[str, object]:
        """Return the part that decides which rows are drawn, whatever is generated afterwards."""
        return self.model_dump(include={"kind", "keep", "count", "of", "shots"}, exclude_none=True)

    def reduced_class(self, info: DatasetInfo) -> int:
        """Return the code of the class that an imbalance scenario reduces."""
        if self.of == "minority":
            counts = info.class_counts
            return max(code for code, count in enumerate(counts) if count == min(counts))
        if self.of not in info.classes:
            raise unknown_name(f"class of dataset {info.name}", self.of, info.classes)
        return info.classes.index(self.of)

    def training_counts(self, counts: list[int], info: DatasetInfo) -> list[int]:
        """Return how many rows of each class are kept out of `counts` available ones.

        Raises
        ------
        ValueError
            There are too few; the message is the reason why the scenario does not apply.
        """
        kept = list(counts)
        if self.kind == "few-shot":
            assert self.shots is not None
            for code, count in enumerate(counts):
                if count < self.shots:
                    raise ValueError(f"class '{info.classes[code]}' has {count} training rows, {self.shots} are wanted")
            kept = [self.shots] * len(counts)
        elif self.kind == "imbalance":
            code = self.reduced_class(info)
            have = counts[code]
            want = self.count if self.count is not None else math.floor(self.keep * have)  # type: ignore[operator]
            if want > have:
                raise ValueError(f"class '{info.classes[code]}' has {have} training rows, {want} are wanted")
            kept[code] = want
        for code, count in enumerate(kept):
            if count < 2:
                raise ValueError(
                    f"class '{info.classes[code]}' would have {count} training rows, at least 2 are needed"
                )
        return kept

    def wanted(self, counts: np.ndarray, share: float = 1.0) -> dict[int, int]:
        """Return how many new rows each class gets.

        Parameters
        ----------
        counts : numpy.ndarray of shape (K,)
            Training rows of each class.
        share : float, default=1.0
            For an inner fold: its share of the training rows, by which fixed numbers are scaled.

        Returns
        -------
        dict of int to int
            Class code to number of new rows, classes that get none left out.
        """
        largest = int(counts.max())
        if self.kind == "few-shot":
            new = np.full(len(counts), math.ceil((self.generate or self.shots or 0) * share))
        else:
            if self.amount == "balance":
                new = largest - counts if self.rows != "synthetic" else np.full(len(counts), largest)
            elif isinstance(self.amount, int):
                new = np.full(len(counts), math.ceil(self.amount * share))
            else:
                new = np.ceil(counts * float(self.amount[:-1])).astype(int)
            if self.amount != "balance" and self.rows != "synthetic":
                new = np.where(counts == largest, 0, new)
        return {code: int(count) for code, count in enumerate(new) if count > 0}


def parse_scenario(text: str) -> Scenario:
    """Read a scenario from one line such as ``imbalance:keep=0.05,amount=2x`` or ``few-shot:shots=5``.

    Raises
    ------
    InputError
        The line is no scenario; the message says what is allowed.
    """
    kind, _, rest = text.partition(":")
    values: dict[str, object] = {"kind": kind}
    for pair in filter(None, rest.split(",")):
        key, equals, value = pair.partition("=")
        if not equals:
            raise InputError(
                f"scenario '{text}': '{pair}' is not key=value; try imbalance:count=20 or few-shot:shots=5"
            )
        values[key.strip()] = value.strip()
    kinds = ["full", "imbalance", "few-shot"]
    if kind not in kinds:
        raise unknown_name("scenario", kind, kinds)
    try:
        return Scenario.model_validate(values)
    except ValueError as error:
        raise InputError(f"scenario '{text}': {validation_message(error, Scenario)}") from None


def validation_message(error: ValueError, model: type[BaseModel] | None = None) -> str:
    """Turn pydantic's report into one line: the key, what is wrong, what was found."""
    problems = error.errors()  # type: ignore[attr-defined]
    # a misspelt key is the likely cause of a missing one
    first = min(problems, key=lambda problem: problem["type"] != "extra_forbidden")
    where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in first["loc"]).lstrip(".")
    if first["type"] == "extra_forbidden":
        valid = model.model_fields if model is not None else {}
        error_text = str(unknown_name("key", str(first["loc"][-1]), valid)) if valid else f"unknown key '{where}'"
        return f"{where}: {error_text}" if len(first["loc"]) > 1 else error_text
    message = first["msg"].removeprefix("Value error, ").replace("a valid tuple", "an array, in [ ]")
    # our own messages say what they found
    found = "" if first["type"] in ("value_error", "missing") else f" (found {first['input']!r})"
    return f"{where}: {message}{found}" if where else message


@dataclass(frozen=True)
class Draw:
    """One training/test pair.

    Attributes
    ----------
    index : int
        Number of the draw, from 0.
    train, test : Table
        Real rows, incomplete as they are in the dataset.
    seed : str
        Hash from which everything random in this draw is derived (`derive_seed`).
    """

    index: int
    train: Table
    test: Table
    seed: str

    def content_hash(self) -> str:
        """Return a SHA-256 of all rows, labels and series, in order."""
        sha = hashlib.sha256()
        for table in (self.train, self.test):
            sha.update(pd.util.hash_pandas_object(table.X, index=False).to_numpy().tobytes())
            sha.update(np.ascontiguousarray(table.y, dtype="<i8").tobytes())
            if table.series is not None:
                sha.update(np.ascontiguousarray(table.series, dtype="<i8").tobytes())
        return sha.hexdigest()


def derive_seed(*parts: object) -> int:
    """Return a 32-bit seed from a hash of the parts."""
    return int(digest([str(part) for part in parts])[:8], 16)


def equal_row_groups(X: pd.DataFrame) -> np.ndarray:
    """Return a group number for each row, the same for equal rows."""
    return pd.factorize(pd.util.hash_pandas_object(X, index=False))[0]


def split_groups(groups: np.ndarray, y: np.ndarray, shares: list[float], rng: np.random.Generator) -> np.ndarray:
    """Deal rows into parts: stratified by class, rows of one group always together.

    Parameters
    ----------
    groups : numpy.ndarray of shape (n_rows,)
        Group of each row. A group counts under the class of its first row.
    y : numpy.ndarray of shape (n_rows,)
        Class codes.
    shares : list of float
        Share of each part, summing to 1.
    rng : numpy.random.Generator
        Decides which groups go where.

    Returns
    -------
    numpy.ndarray of shape (n_rows,)
        The part of each row.
    """
    _, first, inverse, sizes = np.unique(groups, return_index=True, return_inverse=True, return_counts=True)
    group_class = y[first]
    edges = np.cumsum(shares)[:-1]
    part_of_group = np.zeros(len(first), dtype=int)
    for code in np.unique(group_class):
        members = rng.permutation(np.flatnonzero(group_class == code))
        middle = np.cumsum(sizes[members]) - sizes[members] / 2
        part_of_group[members] = np.searchsorted(edges, middle / sizes[members].sum(), side="right")
    return part_of_group[inverse]


def linked_series(X: pd.DataFrame, series: np.ndarray) -> np.ndarray:
    """Return a group number for each row: its series, together with all series that share an equal row with it."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    number = np.unique(series, return_inverse=True)[1]
    rows = equal_row_groups(X) + number.max() + 1
    links = coo_array((np.ones(len(rows)), (number, rows)), shape=(rows.max() + 1, rows.max() + 1))
    return connected_components(links, directed=False)[1][number]


def split_table(table: Table, shares: list[float], rng: np.random.Generator) -> np.ndarray:
    """Deal the rows of a table into parts, so that neither equal rows nor the rows of a series are separated.

    Independent rows are stratified by class. A series holds rows of several classes; it counts under the rarest class
    that occurs in it, so that series with rare rows come to every part. The shares of the classes in a part then depend
    on the series that it got, and are only roughly those of the whole.

    Parameters
    ----------
    table : Table
        The rows.
    shares, rng
        See `split_groups`.

    Returns
    -------
    numpy.ndarray of shape (n_rows,)
        The part of each row.
    """
    if table.series is None:
        return split_groups(equal_row_groups(table.X), table.y, shares, rng)
    groups = linked_series(table.X, table.series)
    rarity = np.argsort(np.argsort(-np.bincount(table.y), kind="stable"))  # 0 for the most frequent class
    rarest = np.zeros(groups.max() + 1, dtype=int)
    np.maximum.at(rarest, groups, rarity[table.y])
    return split_groups(groups, rarest[groups], shares, rng)


def make_draw(
    dataset: Dataset, table: Table | None, scenario: Scenario, index: int, seed: int, test_fraction: float
) -> Draw:
    """Make one draw of a dataset under a scenario.

    Parameters
    ----------
    dataset : Dataset
        Where the rows come from.
    table : Table or None
        The loaded table of a finite dataset.
    scenario : Scenario
        Chooses the training rows.
    index : int
        Number of the draw.
    seed : int
        Seed of the suite.
    test_fraction : float
        Share of the rows of a finite table that are tested on.

    Raises
    ------
    ValueError
        The scenario asks for more rows than there are, or the series cannot be dealt to two sides.
    """
    info = dataset.info
    root = digest([seed, info.content_hash, scenario.selection(), index])
    keep_order: dict[int, np.ndarray] = {}
    if isinstance(dataset, SimulatedDataset):
        fresh = dataset.sample(np.random.default_rng(derive_seed(root, "data")), index)
        rows_from, test, keep_order = fresh.train, fresh.test, fresh.keep_order
        pool = np.arange(len(rows_from.y))
    else:
        assert isinstance(dataset, FiniteDataset)
        assert table is not None
        # few-shot: one fixed test part per dataset and suite seed; else a new split for each draw
        split_seed = derive_seed(seed, info.content_hash, "test") if scenario.kind == "few-shot" else derive_seed(root)
        shares = [1 - test_fraction, test_fraction]
        part = split_table(table, shares, np.random.default_rng(split_seed))
        # the rows to choose from are not copied: of a large table few may be kept
        rows_from, pool, test = table, np.flatnonzero(part == 0), table.take(np.flatnonzero(part == 1))
        if len(test.y) == 0:
            raise ValueError("no rows are left to test on: all series share equal rows, or there is only one")
    labels = rows_from.y[pool]
    counts = np.bincount(labels, minlength=len(info.classes))
    kept = scenario.training_counts(counts.tolist(), info)
    rng = np.random.default_rng(derive_seed(root, "rows"))
    chosen = []
    for code, (have, want) in enumerate(zip(counts, kept, strict=True)):
        rows = np.flatnonzero(labels == code)
        if want < have:
            rows = keep_order[code][:want] if code in keep_order else rng.permutation(rows)[:want]
        chosen.append(rows)
    rows = pool[np.sort(np.concatenate(chosen))]
    return Draw(index, rows_from if len(rows) == len(rows_from.y) else rows_from.take(rows), test, root)
