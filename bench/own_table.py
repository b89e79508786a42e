"""One's own table, as the options of ``bench run`` name it."""

from __future__ import annotations

import warnings
from pathlib import Path

from ..datasets.contract import Dataset, FiniteDataset
from ..datasets.files import read_table
from ..errors import InputError
from .console import count, err
from .guard import protect


def own_table(
    data: Path | None,
    target: str | None,
    drop: list[str] | None,
    categorical: list[str] | None = None,
    positive: str | None = None,
    encoding: str = "",
) -> dict[str, Dataset]:
    """Return the table by its name, or nothing if none is named; what reading it warns of is printed.

    Parameters
    ----------
    data, target, drop, categorical, positive, encoding
        As `read_table`; None where the option is not given.

    Raises
    ------
    InputError
        The options do not go together, or the file cannot be read.
    """
    if data is None:
        given = {
            "--target": target,
            "--drop": drop,
            "--categorical": categorical,
            "--positive": positive,
            "--encoding": encoding,
        }
        if stray := [option for option, value in given.items() if value]:
            raise InputError(f"{' and '.join(stray)}: only of your own table, name it with --data FILE")
        return {}
    if target is None:
        raise InputError(f"--data {data} needs --target COLUMN, the column to predict")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        table = read_table(
            data, target, drop or (), categorical=categorical or (), positive=positive or "", encoding=encoding
        )
    protect(table)
    for one in caught:
        err.print(f"warning: {one.message}", markup=False)
    return {table.info.name: table}


def describe(dataset: Dataset) -> str:
    """Return in one line how a table of one's own was understood."""
    info = dataset.info
    text = f"{info.n_rows:,} rows, {count(info.n_numeric, 'numeric column')}"
    if isinstance(dataset, FiniteDataset) and info.n_categorical:
        X = dataset.load().X
        read = [f"{name} ({X[name].cat.categories.size})" for name in X.columns if X[name].dtype == "category"]
        more = f" and {len(read) - 8} more" if len(read) > 8 else ""
        text += f", {len(read)} read as categories: {', '.join(read[:8])}{more}"
    gaps = int(dataset.load().X.isna().to_numpy().sum()) if isinstance(dataset, FiniteDataset) else 0
    text += f"; {gaps:,} missing cells, filled in from the training rows" if gaps else ""
    classes = ", ".join(f"{label} {n:,}" for label, n in zip(info.classes, info.class_counts, strict=True))
    why = "as asked" if info.positive else "the rarest"
    return f"table {info.name}: {text}; classes {classes}; of interest: '{info.class_of_interest}' ({why})"
