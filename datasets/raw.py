"""A file as it stands, to be looked at: nothing of it is refused that can be read at all."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from ..errors import InputError, unknown_name
from .csv_text import dialect_of
from .readers import MISSING, read_frame

#: with more classes the target is hardly one
_MOST_CLASSES = 50
_READ_BY_KIND = (".csv", ".tsv", ".parquet", ".arff")


@dataclass(frozen=True)
class RawTable:
    """A table as it stands in a file.

    Attributes
    ----------
    X : pandas.DataFrame of shape (n_rows, n_features)
        Columns of any type, constant and empty ones among them.
    y : numpy.ndarray of shape (n_rows,), int64
        Class codes.
    classes : tuple of str
        The label of each code.
    without_class : int
        Rows of the file that are left out here, because their class is missing.
    """

    X: pd.DataFrame
    y: np.ndarray
    classes: tuple[str, ...]
    without_class: int = 0


def read_raw(
    path: str | Path, target: str, drop: Iterable[str] = (), *, header: bool = True, encoding: str = ""
) -> RawTable:
    """Read a file to look at it.

    Parameters
    ----------
    path : str or pathlib.Path
        A table that `read_frame` reads, or a text file of any suffix with cells between commas, semicolons, tabs or
        spaces.
    target : str
        The column of the class.
    drop : iterable of str
        Columns to leave out.
    header : bool
        Whether the first line names the columns; otherwise they are called 1, 2, 3 and so on.
    encoding : str
        Of a text file that is not Unicode.

    Raises
    ------
    InputError
        The file cannot be read, a named column does not exist, or the target holds fewer than 2 or more than 50
        classes.
    """
    path = Path(path)
    by_kind = header and path.suffix.lower() in _READ_BY_KIND
    frame = read_frame(path, encoding) if by_kind else _read_text(path, header, encoding)
    columns = list(frame.columns)
    for name in (target, *drop):
        if name not in columns:
            kind = "target column" if name == target else "column to drop"
            hint = "; if its first line holds no names, add --no-header" if header and _any_number(columns) else ""
            raise InputError(f"{path}: {unknown_name(kind, name, columns)}{hint}")
    known = frame[target].notna().to_numpy()
    y, classes = _classes(path, frame.loc[known, target])
    X = frame.loc[known].drop(columns=[target, *drop]).reset_index(drop=True)
    if X.shape[1] == 0:
        raise InputError(f"{path} has no column beside the target '{target}'")
    return RawTable(X, y, classes, int((~known).sum()))


def _any_number(names: Iterable[str]) -> bool:
    """Tell whether one of the names is a number with decimals or a sign: a value rather than a name."""
    return any(not name.isdecimal() and not np.isnan(pd.to_numeric(name, errors="coerce")) for name in names)


def _read_text(path: Path, header: bool, encoding: str) -> pd.DataFrame:
    if not path.is_file():
        raise InputError(f"there is no file {path}")
    try:
        chosen = dialect_of(path, encoding).encoding
        with path.open(encoding=chosen) as file:
            first = file.readline()
        best = max(",;\t", key=first.count)
        frame = pd.read_csv(
            path,
            sep=best if best in first else r"\s+",
            header=0 if header else None,
            skipinitialspace=True,
            keep_default_na=False,
            na_values=MISSING,
            encoding=chosen,
            low_memory=False,
        )
    except InputError:
        raise
    except (OSError, pd.errors.ParserError, pd.errors.EmptyDataError, ValueError) as error:
        raise InputError(f"{path} cannot be read as a table: {' '.join(str(error).split())}") from None
    frame.columns = [str(name) if header else str(i + 1) for i, name in enumerate(frame.columns)]
    if frame.empty:
        raise InputError(f"{path} has no rows")
    return frame


def _classes(path: Path, column: pd.Series) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return class codes and labels, numbers in their order, whole ones without decimals."""
    where = f"{path}: target '{column.name}'"
    texts = column.map(lambda value: str(int(value)) if isinstance(value, float) and value.is_integer() else str(value))
    numbers = pd.to_numeric(texts, errors="coerce")
    labels = sorted(texts.unique(), key=lambda label: (numbers[texts == label].iloc[0], label))
    if len(labels) < 2:
        raise InputError(f"{where} has {len(labels)} classes: there must be at least 2")
    if len(labels) > _MOST_CLASSES:
        raise InputError(
            f"{where} has {len(labels)} distinct values in {len(texts)} rows, more than {_MOST_CLASSES}: it looks "
            "continuous or like an id; name a column that holds classes"
        )
    return pd.Categorical(texts, categories=labels).codes.astype(np.int64), tuple(labels)
