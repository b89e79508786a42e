"""Columns that only name the rows: numbers of rows, keys of records, text of which every row has its own."""

from __future__ import annotations

import re

import numpy as np

from .columns import Column

#: with fewer rows any column of numbers may be distinct by chance
FEWEST_ROWS = 20
#: how distinct the values of an id must be at least: records may come back
DISTINCT = 0.9
#: an integer that is nearly distinct without being one has at least so many digits, of which measured amounts often end
#: in 0 and rarely all have the same number
LARGE = 100_000
_ROUND = 0.25
_SAME_LENGTH = 0.6
_NAMED = re.compile(r"(^|[\W_])(id|ids|uid|udi|uuid|guid|key|index|nr|no)([\W_]|$)|^unnamed\W", flags=re.IGNORECASE)
_CAPITAL = re.compile(r"[a-z]I[dD]$")


def why_id(column: Column) -> str:
    """Return why a column seems to be an id, or an empty string.

    Parameters
    ----------
    column : Column
        Any column. Numbers with decimals are none: what is measured may well be distinct.

    Returns
    -------
    str
        What it does, e.g. ``"numbers the rows"``, to be read after its name.
    """
    present = column.codes[~column.missing]
    n = len(present)
    if n < FEWEST_ROWS or column.n_distinct < DISTINCT * n:
        return ""
    how = "is different in every row" if column.n_distinct == n else f"has {column.n_distinct:,} values in {n:,} rows"
    if column.values is None:
        return f"is text that {how}"
    values = column.values[~column.missing]
    if not np.isfinite(values).all() or not np.equal(np.mod(values, 1), 0).all():
        return ""
    steps = np.diff(values)
    if (steps == steps[0]).all():
        return "numbers the rows"
    if (steps > 0).all() or (steps < 0).all():
        return f"is a whole number that {'grows' if steps[0] > 0 else 'falls'} from row to row"
    if column.n_distinct == n and np.ptp(values) < 2 * n:
        return "holds the numbers of the rows in another order"
    if is_named(column.name) or _long_keys(values):
        return f"is a {'large ' if abs(np.median(values)) >= LARGE else ''}whole number that {how}"
    return ""


def is_named(name: str) -> bool:
    """Tell whether a column is called an id."""
    return bool(_NAMED.search(name) or _CAPITAL.search(name))


def _long_keys(values: np.ndarray) -> bool:
    """Tell large keys from measured amounts, which are rounded, or spread over several lengths."""
    digits = np.floor(np.log10(np.maximum(np.abs(values), 1))).astype(int)
    return bool(
        np.median(np.abs(values)) >= LARGE
        and np.mean(np.mod(values, 10) == 0) <= _ROUND
        and np.bincount(digits).max() >= _SAME_LENGTH * len(values)
    )
