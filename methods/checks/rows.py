"""Augmenters: the rows that come back."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype

from . import tables
from .kit import CheckFailed, check, expect
from .subject import Resampled, Subject
from .tables import Training

#: share by which a method that rounds by its definition may miss the number of rows asked for
ROUNDING = 0.1
#: rows are the same if they differ by less than this share of the largest number in the column
SAME = 1e-9


def numeric_only(subject: Subject) -> str:
    """Return why a check of categorical columns does not apply."""
    return "takes numeric columns only (numeric_only)" if subject.declares("numeric_only") else ""


def binary_only(subject: Subject) -> str:
    """Return why a check of several classes does not apply."""
    return "takes two classes only (binary_only)" if subject.declares("binary_only") else ""


def enough(subject: Subject, rows: int = 20) -> int:
    """Return a number of rows for a small class that the method can work with."""
    return max(rows, subject.declares("min_per_class"))


def ask(training: Training, more: int = 41) -> dict[int, int]:
    """Return the counts that ask for so many new rows of class 1, with codes 0 and 1."""
    zeros, ones = np.bincount(training.y)
    return {0: int(zeros), 1: int(ones) + more}


def wrong_counts(subject: Subject, labels: Any, asked: dict[Any, int]) -> str:
    """Return what is wrong with the numbers of new rows, given their labels and the rows asked for."""
    values, counts = np.unique(np.asarray(labels), return_counts=True)
    got = dict(zip(values.tolist(), counts.tolist(), strict=True))
    slack = 0.0 if subject.declares("exact_counts") else ROUNDING
    for label in [*asked, *(one for one in got if one not in asked)]:
        wanted, made = asked.get(label, 0), got.get(label, 0)
        if abs(made - wanted) > slack * wanted:
            return f"returned {made} of the {wanted} rows asked for of class {label}"
    return ""


def made_of(training: Training, resampled: Resampled, asked: int = 41) -> pd.DataFrame:
    """Return the new rows, checked for being there (how many exactly is for another check) and for their cells."""
    new = resampled[0].iloc[training.n :]
    expect(len(new) >= asked / 2, f"made {len(new)} of the {asked} rows asked for")
    message = unsound_cells(new)
    expect(not message, message)
    return new


def unsound_cells(new: pd.DataFrame) -> str:
    """Return which columns of new rows have missing or infinite cells."""
    bad = [str(name) for name, column in new.items() if _unsound(column)]
    return f"new rows have missing or infinite cells in: {', '.join(bad)}" if bad else ""


def _unsound(column: pd.Series) -> bool:
    if is_numeric_dtype(column):
        return not np.isfinite(column.to_numpy(dtype=float)).all()
    return bool(column.isna().any())


@check("augmenter")
def check_original_rows(subject: Subject) -> None:
    """The training rows come back first and unchanged, bit for bit, with their labels."""
    _expect_originals(subject, tables.numeric(enough(subject)))


@check("augmenter", unless=numeric_only)
def check_original_rows_with_categories(subject: Subject) -> None:
    """The training rows come back first and unchanged from a table with categorical columns too."""
    _expect_originals(subject, tables.mixed(enough(subject)))


def _expect_originals(subject: Subject, training: Training) -> None:
    before = training.copy()
    X, y = subject.resample(training, ask(before))
    expect(len(X) >= before.n, f"{len(X)} rows came back of {before.n} training rows")
    for j, name in enumerate(before.X):
        same = np.array_equal(X.iloc[: before.n, j].to_numpy(), before.X[name].to_numpy())
        expect(same, f"the training rows did not come back first and unchanged: column {name}")
    kept = np.array_equal(np.asarray(y)[: before.n], before.y)
    expect(kept, "the labels of the training rows did not come back first and unchanged")


@check("augmenter")
def check_counts(subject: Subject) -> None:
    """As many new rows as were asked for, of the class that was asked for."""
    training = tables.numeric(enough(subject))
    _, y = subject.resample(training, ask(training))
    message = wrong_counts(subject, np.asarray(y)[training.n :], {1: 41})
    expect(not message, message)


@check("augmenter")
def check_counts_of_the_majority(subject: Subject) -> None:
    """New rows may be asked of the larger class too, and of both at once (scenarios with synthetic rows only do)."""
    training = tables.numeric(enough(subject))
    zeros, ones = np.bincount(training.y)
    for more in ({0: 61}, {0: 62, 1: 41}):
        counts = {0: int(zeros) + more.get(0, 0), 1: int(ones) + more.get(1, 0)}
        _, y = subject.resample(training, counts)
        message = wrong_counts(subject, np.asarray(y)[training.n :], more)
        expect(not message, message)


@check("augmenter", unless=binary_only)
def check_counts_of_several_classes(subject: Subject) -> None:
    """With three classes two of them may grow, and the third stays as it is."""
    training = tables.three_classes(smallest=enough(subject, 12))
    rows = np.bincount(training.y)
    _, y = subject.resample(training, {0: int(rows[0]) + 40, 2: int(rows[2]) + 28})
    message = wrong_counts(subject, np.asarray(y)[training.n :], {0: 40, 2: 28})
    expect(not message, message)


@check("augmenter")
def check_nothing_asked(subject: Subject) -> None:
    """Asked for no row, it gives a copy of the training rows, in memory of its own."""
    training = tables.numeric(enough(subject))
    X, y = subject.resample(training, ask(training, 0))
    expect(len(X) == training.n == len(y), f"asked for no new row, it returned {len(X) - training.n}")
    shared = np.shares_memory(X.to_numpy(), training.X.to_numpy()) or np.shares_memory(np.asarray(y), training.y)
    expect(not shared, "what came back shares its memory with the training rows")


@check("augmenter")
def check_finite(subject: Subject) -> None:
    """No generated cell is missing or infinite, whatever the scale of the columns."""
    for factor in (1.0, 1e8):
        training = tables.numeric(enough(subject))
        training.X["a"] *= factor
        X, _ = subject.resample(training, ask(training))
        message = unsound_cells(X.iloc[training.n :])
        expect(not message, message)


@check("augmenter")
def check_columns(subject: Subject) -> None:
    """The columns keep their names and their order, of whatever kind the names are."""
    for names in (["b", "a", "a b"], [10, 2, 30], ["größe", ("pair", 1), 3]):
        training = tables.numeric(enough(subject))
        training.X.columns = pd.Index(names, tupleize_cols=False)
        X, _ = subject.resample(training, ask(training))
        expect(list(X.columns) == names, f"columns came back as {list(X.columns)}; they were {names}")


@check("augmenter")
def check_dtypes(subject: Subject) -> None:
    """Columns of whole numbers and of single precision keep their dtype."""
    training = tables.numeric(enough(subject))
    X = training.X
    training.X = pd.DataFrame(
        {"whole": (X["a"] * 3).round().astype("int64"), "short": X["c"].astype("float32"), "b": X["b"]}
    )
    dtypes = training.X.dtypes.to_dict()
    X, _ = subject.resample(training, ask(training))
    for j, (name, dtype) in enumerate(dtypes.items()):
        expect(X.dtypes.iloc[j] == dtype, f"column {name} came back as {X.dtypes.iloc[j]}; it was {dtype}")


@check("augmenter", unless=numeric_only)
def check_categories(subject: Subject) -> None:
    """Categorical columns keep their categories and order, new rows have categories seen in training only."""
    minority = enough(subject)
    for training in (tables.mixed(minority), tables.mixed(minority, numbers=False)):
        dtypes = training.X.dtypes.to_dict()
        seen = {name: set(training.X[name]) for name in ("level", "digit")}
        X, y = subject.resample(training, ask(training))
        made_of(training, (X, y))
        for name, known in seen.items():
            expect(X[name].dtype == dtypes[name], f"column {name} came back as {X[name].dtype}, not {dtypes[name]!r}")
            unseen = set(X[name].iloc[training.n :].dropna()) - known
            expect(not unseen, f"new rows have the categories {sorted(map(str, unseen))}, never seen in column {name}")


@check("augmenter")
def check_index(subject: Subject) -> None:
    """The caller's index, of text or with duplicates, changes no row; the rows come back numbered from 0."""
    plain = tables.numeric(enough(subject))
    wanted, _ = subject.resample(plain.copy(), ask(plain))
    for index in ([f"row {i}" for i in range(plain.n)], np.arange(plain.n) // 3, np.arange(plain.n)[::-1]):
        training = plain.copy()
        training.X.index = pd.Index(index)
        X, _ = subject.resample(training, ask(plain))
        numbered = list(X.index) == list(range(len(X)))
        expect(numbered, f"the index came back as {list(X.index[:2])} ... {list(X.index[-2:])}, not 0 to {len(X) - 1}")
        expect_same(subject, plain, X, wanted, "with another index on the training rows")


@check("augmenter")
def check_array(subject: Subject) -> None:
    """An array of numbers gives the same rows as a frame."""
    training = tables.numeric(enough(subject))
    wanted, _ = subject.resample(training.copy(), ask(training))
    X, _ = subject.resample(Training.of(training.X.to_numpy(), training.y), ask(training))
    expect_same(subject, training, X, wanted, "given as an array instead of a frame")


def expect_same(subject: Subject, training: Training, found: Any, wanted: Any, when: str) -> None:
    """Check that the same numbers came back; silent for a method that does not repeat itself (another check says so).

    Raises
    ------
    CheckFailed
        They differ, and the method gives the same rows when it is asked the same twice.
    """
    if _equal(found, wanted):
        return
    again, _ = subject.resample(training.copy(), ask(training))
    if _equal(again, wanted):
        raise CheckFailed(f"the rows differ {when}")


def _equal(one: Any, other: Any) -> bool:
    """Tell whether numbers are the same up to rounding: the layout in memory may change the order of a sum."""
    a, b = np.asarray(one, dtype=float), np.asarray(other, dtype=float)
    return a.shape == b.shape and bool((np.abs(a - b) <= SAME * np.abs(b).max(axis=0, initial=0.0)).all())
