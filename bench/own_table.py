"""One's own table, as the options of ``bench run`` name it."""

from __future__ import annotations

import warnings
from pathlib import Path

from ..datasets.contract import Dataset
from ..datasets.files import read_table
from ..errors import InputError
from .console import err


def own_table(data: Path | None, target: str | None, drop: list[str] | None) -> dict[str, Dataset]:
    """Return the table by its name, or nothing if none is named; what reading it warns of is printed.

    Raises
    ------
    InputError
        The options do not go together, or the file cannot be read.
    """
    if data is None:
        if target or drop:
            raise InputError("--target and --drop describe your own table: name it with --data FILE")
        return {}
    if target is None:
        raise InputError(f"--data {data} needs --target COLUMN, the column to predict")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        table = read_table(data, target, tuple(drop or ()))
    for one in caught:
        err.print(f"warning: {one.message}", markup=False)
    return {table.info.name: table}
