"""New rows for a whole table, in its owner's types and words: what `bench augment` and `augbench.augment` share."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from ..datasets.contract import DatasetInfo, FiniteDataset, Table
from ..datasets.files import label_of
from ..errors import InputError, unknown_name
from .augment import checked_addition
from .device import missing_requirement
from .outcome import describe
from .plan import method_instance, not_applicable
from .prepare import Part
from .scenario import Scenario, parse_scenario
from .suite import Entry

#: said wherever rows are handed out
WARNING = (
    "use generated rows for training only: split first, augment the training rows, and test on real rows that were "
    "kept apart. A score on rows of this table, or on a split of it, would be a fraud: new rows are made from all rows"
)


def wanted_rows(
    info: DatasetInfo, amount: str | int = "balance", counts: Mapping[str, int] | None = None, positive: str = ""
) -> dict[int, int]:
    """Return how many rows each class gets.

    Parameters
    ----------
    info : DatasetInfo
        Of the table.
    amount : str or int
        As in a scenario: ``"balance"`` (every class becomes as large as the largest), ``"2x"``, or a number of rows for
        every class but the largest.
    counts : mapping of str to int, optional
        Instead of `amount`: rows to add, by the label of the class.
    positive : str
        If given, this class alone gets rows.

    Raises
    ------
    InputError
        There is no such class, a number is below 1, or no class would get any row.
    """
    for label in [*(counts or {}), *([positive] if positive else [])]:
        if label not in info.classes:
            raise InputError(f"{info.name}: {unknown_name('class', label, info.classes)}")
    if counts:
        for label, n in counts.items():
            if n < 1:
                raise InputError(f"class '{label}' cannot get {n} rows: give a number of rows to add, at least 1")
        return {info.classes.index(label): n for label, n in counts.items()}
    scenario = parse_scenario(f"full:amount={amount}")
    sizes = np.array(info.class_counts)
    if positive and amount != "balance":
        code = info.classes.index(positive)
        n = int(np.ceil(sizes[code] * float(str(amount)[:-1]))) if str(amount).endswith("x") else int(amount)
        return {code: n}
    wanted = scenario.wanted(sizes)
    if positive:
        wanted = {code: n for code, n in wanted.items() if info.classes[code] == positive}
    if not wanted:
        raise InputError(
            f"{info.name}: {f'class {positive!r} is the largest' if positive else 'all classes have the same size'}: "
            "balancing adds no row; say how many with an amount (2x or a number) or with counts by class"
        )
    return wanted


def generate(entry: Entry, dataset: FiniteDataset, wanted: dict[int, int], seed: int) -> tuple[Table, list[str]]:
    """Make new rows from all rows of a table, as the benchmark makes them from training rows.

    Parameters
    ----------
    entry : Entry
        The method.
    dataset : FiniteDataset
        The table; missing cells are filled in for the method.
    wanted : dict of int to int
        Class code to number of new rows.
    seed : int
        The same seed gives the same rows.

    Returns
    -------
    rows : Table
        The new rows only, nothing missing but the category ``prepare.MISSING``.
    messages : list of str
        What the method warned of.

    Raises
    ------
    InputError
        The method adds no rows, lacks a package, does not fit the table, or failed.
    """
    method = method_instance(entry)
    if method.kind != "augmenter":
        whats = {
            "baseline": "leaves the rows as they are",
            "adjuster": "is an adjuster, which changes weights or decisions",
            "detector": "is a detector, which replaces the classifier",
        }
        what = whats.get(method.kind, f"is of the kind {method.kind}")
        raise InputError(f"method '{entry.id}' adds no rows: it {what}; name an augmenter (bench list methods)")
    table, info = dataset.load(), dataset.info
    reason = missing_requirement(method) or not_applicable(
        method, info, Scenario(kind="full"), list(info.class_counts), folds=2
    )
    if reason:
        raise InputError(f"method '{entry.id}' does not fit {info.name}: {reason}")
    part = Part.of(table, table)
    strategy = {code: info.class_counts[code] + n for code, n in wanted.items()}
    with threadpool_limits(1), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        outcome = method.fit_resample_many([(part.train.X.copy(), table.y.copy())], [seed], [strategy])[0]
    if not isinstance(outcome, BaseException):
        outcome = checked_addition(method, part, outcome, wanted)
    if isinstance(outcome, BaseException):
        raise InputError(f"method '{entry.id}' failed on {info.name}: {describe(outcome)}")
    assert outcome.X is not None
    assert outcome.y is not None
    return Table(outcome.X, outcome.y), list(dict.fromkeys(" ".join(str(one.message).split()) for one in caught))


def is_whole(column: pd.Series) -> bool:
    """Tell whether a column of numbers has whole numbers only."""
    values = column.dropna().astype(float)
    return bool((values == values.round()).all())


def is_boolean(column: pd.Series) -> bool:
    """Tell whether a column holds true and false only."""
    return bool(
        pd.api.types.is_bool_dtype(column) or column.dropna().map(lambda v: isinstance(v, bool | np.bool_)).all()
    )


def in_types_of(new: pd.Series, original: pd.Series) -> pd.Series:
    """Return generated values in the type of the owner's column.

    Numbers of a column of whole numbers are rounded; true and false are cut at a half; a category is given back as the
    value that it stands for, the category of missing cells as a missing cell.
    """
    if isinstance(new.dtype, pd.CategoricalDtype):
        known = {label_of(value): value for value in original.dropna().unique()}
        return pd.Series([known.get(text) for text in new], dtype=original.dtype, name=original.name)
    values = new.to_numpy(dtype=float)
    example = next(iter(original.dropna()), None)
    if isinstance(example, Decimal):
        digits = Decimal(1).scaleb(int(example.as_tuple().exponent))
        return pd.Series([Decimal(value).quantize(digits) for value in values], dtype=object, name=original.name)
    if is_boolean(original):
        return pd.Series(values >= 0.5, name=original.name).astype(original.dtype)
    if is_whole(original):
        values = np.rint(values)
        dtype = getattr(original.dtype, "numpy_dtype", original.dtype)
        if isinstance(dtype, np.dtype) and dtype.kind in "iu":
            values = np.clip(values, np.iinfo(dtype).min, np.iinfo(dtype).max)
    return pd.Series(values, name=original.name).astype(original.dtype)


def in_texts_of(new: pd.Series, original: pd.Series, texts: pd.Series) -> pd.Series:
    """Return generated values as the owner of a CSV file writes them.

    Parameters
    ----------
    new, original : pandas.Series
        The generated values, and the column as it was read.
    texts : pandas.Series
        The column as it is written.
    """
    if isinstance(new.dtype, pd.CategoricalDtype):
        present = original.notna()
        known = dict(zip(original[present].map(label_of), texts[present], strict=True))
        return pd.Series([known.get(text, "") for text in new.astype(str)], dtype=object)
    values = in_types_of(new, original)
    if is_boolean(original):
        written = {
            bool(value): text for value, text in zip(original[::-1], texts[::-1], strict=True) if pd.notna(value)
        }
        return values.map(lambda value: written.get(bool(value), str(bool(value))))
    written_so = texts[original.notna()]
    if is_whole(original) and not written_so.str.contains(r"[.,eE]").any():
        return values.map(lambda value: str(int(value)))
    comma = bool(written_so.str.contains(",").any())
    return values.map(lambda value: repr(float(value)).replace(".", ",") if comma else repr(float(value)))


def values_of_classes(y: np.ndarray, target: pd.Series) -> dict[int, Any]:
    """Return for each class code the first value of the owner's column that stands for it."""
    _, first = np.unique(y, return_index=True)
    return {int(y[i]): target.iloc[i] for i in first}
