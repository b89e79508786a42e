"""Augmenters: tables that are allowed and unusual, and tables that must be refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from . import tables
from .kit import CheckFailed, check, expect, one_line
from .rows import ask, enough, expect_same, made_of
from .subject import Subject
from .tables import Training

#: rows of the smallest class may leave a method nothing to work with in one table, not in all of these
TRIES = 8
#: how far from its value a constant column may be generated, as a share of that value: rounding, there and back
ROUNDING_ERROR = 1e-9
#: what stands where no method may look
CANARY = 7.7e5


def takes_one_row(subject: Subject) -> str:
    """Return why a check below the smallest number of rows does not apply."""
    return "takes classes of one row (min_per_class = 1)" if subject.declares("min_per_class") <= 1 else ""


def takes_categories(subject: Subject) -> str:
    """Return why a check of the refusal of categorical columns does not apply."""
    return "" if subject.declares("numeric_only") else "takes categorical columns"


def expect_refusal(run: Any, words: tuple[str, ...], of_what: str) -> None:
    """Check that something is refused with a ValueError of one line that holds some words."""
    try:
        run()
    except ValueError as error:
        expect("\n" not in str(error), f"{of_what}: the error has several lines: {one_line(error)}")
        lacking = [word for word in words if word.lower() not in str(error).lower()]
        expect(not lacking, f"{of_what}: the error says nothing of {', '.join(lacking)}: {one_line(error)}")
    except Exception as error:
        raise CheckFailed(f"{of_what}: refused with {one_line(error)}, not with a ValueError") from error
    else:
        raise CheckFailed(f"{of_what}: accepted")


@check("augmenter")
def check_fewest_rows(subject: Subject) -> None:
    """With as few rows of a class as are declared (min_per_class; most scenarios have 2) rows are made.

    Of several tables one may be refused, in a ValueError of one line, where its rows allow nothing.
    """
    fewest = subject.declares("min_per_class")
    for rows in sorted({fewest, max(2, fewest)}):
        refused = []
        for seed in range(TRIES):
            training = tables.numeric(rows, seed=seed)
            try:
                made_of(training, subject.resample(training, ask(training, 20), seed), 20)
            except ValueError as error:
                expect("\n" not in str(error), f"an error of several lines with {rows} rows: {one_line(error)}")
                refused.append(one_line(error))
            else:
                break
        few = "1 row" if rows == 1 else f"{rows} rows"
        expect(len(refused) < TRIES, f"made nothing of {few} of a class, in {TRIES} tables: {refused[-1:]}")


@check("augmenter", unless=takes_one_row)
def check_fewer_rows_refused(subject: Subject) -> None:
    """Fewer rows of a class than it declares are refused, and the message says how many there are."""
    fewest = subject.declares("min_per_class")
    training = tables.numeric(fewest - 1)
    expect_refusal(
        lambda: subject.resample(training, ask(training)),
        (str(fewest), str(fewest - 1)),
        f"{fewest - 1} rows of a class, where {fewest} are needed",
    )


@check("augmenter")
def check_constant_column(subject: Subject) -> None:
    """A constant column is no trouble, and stays constant."""
    training = tables.numeric(enough(subject))
    training.X["b"] = 0.1
    new = made_of(training, subject.resample(training, ask(training)))
    off = float(np.abs(new["b"].astype(float) / 0.1 - 1).max())
    expect(off <= ROUNDING_ERROR, f"new rows miss the value of a constant column by up to {off:.2g} of it")


@check("augmenter")
def check_one_column(subject: Subject) -> None:
    """A single column is enough."""
    training = tables.numeric(enough(subject), columns=1)
    made_of(training, subject.resample(training, ask(training)))


@check("augmenter")
def check_many_columns(subject: Subject) -> None:
    """A thousand columns, many more than rows, are no trouble."""
    training = tables.numeric(enough(subject), columns=1000)
    made_of(training, subject.resample(training, ask(training)))


@check("augmenter")
def check_duplicates_only(subject: Subject) -> None:
    """A table of copies only, all rows of the small class the same and in the other class too, is no trouble."""
    minority = enough(subject)
    rng = np.random.default_rng(0)
    y = tables.labels(minority, 60, rng)
    rows = np.array([[0.0, 1.0, 5.0], [1.0, 0.0, 5.0], [2.0, 2.0, 5.0], [1.0, 1.0, 6.0]])
    X = pd.DataFrame(np.where(y[:, None] == 1, rows[3], rows[np.arange(len(y)) % 4]), columns=list("abc"))
    training = Training.of(X, y)
    made_of(training, subject.resample(training, ask(training)))


@check("augmenter", "detector")
def check_missing_cells_refused(subject: Subject) -> None:
    """Missing and infinite cells are refused, and the message names the column (the benchmark fills gaps before)."""
    for value in (np.nan, np.inf, -np.inf):
        training = tables.numeric(enough(subject))
        training.X.loc[3, "b"] = value
        expect_refusal(lambda given=training: _use(subject, given), ("b", "infinite"), f"a cell that is {value}")
    if not subject.declares("numeric_only"):
        training = tables.mixed(enough(subject))
        training.X.loc[3, "level"] = None
        expect_refusal(lambda: _use(subject, training), ("level", "missing"), "a missing category")


@check("augmenter", "detector", unless=takes_categories)
def check_categories_refused(subject: Subject) -> None:
    """Categorical columns, where it takes numbers only, are refused by name."""
    training = tables.mixed(enough(subject))
    expect_refusal(lambda: _use(subject, training), ("level", "digit"), "categorical columns")


@check("augmenter", "detector")
def check_lengths_refused(subject: Subject) -> None:
    """Rows and labels of different number are refused."""
    training = tables.numeric(enough(subject))
    training.X = training.X.iloc[:-1]
    expect_refusal(lambda: _use(subject, training), (str(training.n), str(training.n - 1)), "a label too many")


@check("augmenter")
def check_other_rows_unseen(subject: Subject) -> None:
    """Nothing of the rows that lie behind the training rows in memory gets into new ones: test rows stay unseen.

    The training rows are a view of a larger table. (That the benchmark hands out no such view is tested of the
    benchmark.)
    """
    plain = tables.numeric(enough(subject))
    behind = np.full((plain.n, plain.X.shape[1]), CANARY)
    values = np.vstack([plain.X.to_numpy(), behind])
    whole = pd.DataFrame(values, columns=plain.X.columns, copy=False)
    view = Training.of(whole.iloc[: plain.n], np.concatenate([plain.y, 1 - plain.y])[: plain.n])
    wanted, _ = subject.resample(plain.copy(), ask(plain))
    X, _ = subject.resample(view, ask(plain))
    seen = int(np.isclose(X.iloc[plain.n :].to_numpy(dtype=float), CANARY, rtol=0.1).any(axis=1).sum())
    expect(not seen, f"{seen} new rows hold values of rows that were not given")
    expect_same(subject, plain, X, wanted, "with other rows behind the training rows in memory")


def _use(subject: Subject, training: Training) -> None:
    if subject.kind == "detector":
        subject.fit(training)
    else:
        subject.resample(training, {0: int(np.sum(training.y == 0)), 1: int(np.sum(training.y == 1)) + 41})
