"""Reading a table from CSV, Parquet or ARFF into a frame; whatever goes wrong becomes one line for a person."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pandas as pd

from ..errors import InputError
from .csv_text import Dialect, dialect_of, with_decimal_points

#: cells of a CSV file that are missing; a word like None or null may be a category
MISSING = ["", "NA", "N/A", "NaN", "nan", "?"]

#: a declaration in an ARFF file: name, kind
_ATTRIBUTE = re.compile(r"""@attribute\s+('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[^\s{]+)\s*(.+)""", re.IGNORECASE)


def read_frame(path: Path, encoding: str = "") -> pd.DataFrame:
    """Read a table, chosen by the file's suffix.

    Parameters
    ----------
    path : pathlib.Path
        A ``.csv``, ``.tsv``, ``.parquet`` or ``.arff`` file. CSV cells are separated by comma, semicolon or tab, the
        first line names the columns, and a cell of `MISSING` is missing; decimals may be written with a comma where
        that cannot be misread (`with_decimal_points`).
    encoding : str
        Of a CSV file that is not Unicode, e.g. ``"cp949"``.

    Returns
    -------
    pandas.DataFrame
        At least one row; distinct column names, all of them strings.

    Raises
    ------
    InputError
        The file is missing, empty, of another kind, cannot be read, or names a column twice.
    """
    reader = _READERS.get(path.suffix.lower())
    if not path.exists():
        raise InputError(f"there is no file {path}")
    if path.is_dir():
        raise InputError(f"{path} is a folder: name the file in it")
    if reader is None:
        found = f"'{path.suffix}'" if path.suffix else "no suffix"
        raise InputError(f"{path} has {found}: the table must be a {', '.join(_READERS)} file")
    try:
        if path.stat().st_size == 0:
            raise InputError(f"{path} is empty")
        if encoding and reader is not _read_csv:
            raise InputError(f"{path}: only a CSV file has an encoding to choose; found --encoding {encoding}")
        frame = _read_csv(path, encoding) if reader is _read_csv else reader(path)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from None
    frame.columns = [str(column) for column in frame.columns]
    _check_names(path, list(frame.columns))
    if frame.empty:
        raise InputError(f"{path} has no rows")
    return frame.reset_index(drop=True)


def _check_names(path: Path, columns: list[str]) -> None:
    """Refuse column names that occur twice."""
    twice = [name for name, times in Counter(columns).items() if times > 1]
    if twice:
        named = ", ".join(f"'{name}'" for name in twice)
        raise InputError(f"{path} has more than one column {named}: rename them, so that every name occurs once")


def _unreadable(path: Path, kind: str, error: Exception) -> InputError:
    return InputError(f"{path} cannot be read as {kind}: {' '.join(str(error).split())}")


def _read_csv(path: Path, encoding: str = "") -> pd.DataFrame:
    dialect = dialect_of(path, encoding)
    frame = parse_csv(path, dialect, keep_default_na=False, na_values=MISSING, low_memory=False)
    return with_decimal_points(path, frame, dialect.separator)


def read_texts(path: Path, encoding: str = "") -> tuple[pd.DataFrame, Dialect]:
    """Return the cells of a CSV file as they are written, with the rows of `read_frame`, and how it is written."""
    dialect = dialect_of(path, encoding)
    frame = parse_csv(path, dialect, dtype=str, keep_default_na=False)
    frame.columns = [str(column) for column in frame.columns]
    return frame.reset_index(drop=True), dialect


def parse_csv(path: Path, dialect: Dialect, **options: Any) -> pd.DataFrame:
    """Read a CSV file by pandas; whatever is wrong with it becomes one line."""
    try:
        with path.open(encoding=dialect.encoding, newline="") as file:
            first = file.readline()
        header = next(csv.reader([first], delimiter=dialect.separator), [])
        _check_names(path, [name for name in header if name])
        frame = pd.read_csv(path, sep=dialect.separator, encoding=dialect.encoding, **options)
    except (pd.errors.ParserError, pd.errors.EmptyDataError, csv.Error, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise _unreadable(path, "CSV", error) from None
    if not isinstance(frame.index, pd.RangeIndex):
        raise InputError(f"{path}: the rows have more cells than the first line has names: name every column")
    return frame


def _read_parquet(path: Path) -> pd.DataFrame:
    import pyarrow
    from pyarrow import parquet

    try:
        table = parquet.ParquetFile(path).read()
        _check_names(path, list(table.column_names))
        return table.to_pandas()
    except pyarrow.ArrowException as error:
        raise _unreadable(path, "Parquet", error) from None


def _read_arff(path: Path) -> pd.DataFrame:
    # scikit-learn's copy of liac-arff: that of scipy sees quotes in the first row or never, and knows neither letters
    # beyond ASCII nor text nor sparse rows
    from sklearn.externals import _arff as arff

    kinds: dict[int, str] = {}
    try:
        with path.open(encoding="utf-8-sig") as file:
            read = arff.load(_plain_header(file, kinds))
    except UnicodeDecodeError:
        raise InputError(f"{path} is not UTF-8 text: save it in UTF-8") from None
    except (arff.ArffException, ValueError, IndexError) as error:
        raise _unreadable(path, "ARFF (numbers, nominal values, text)", error) from None
    names = [name for name, _ in read["attributes"]]
    frame = pd.DataFrame(read["data"], columns=range(len(names)))
    for i, (_, kind) in enumerate(read["attributes"]):
        if isinstance(kind, list):
            frame[i] = pd.Categorical(frame[i])
        elif kind != "STRING":
            frame[i] = pd.to_numeric(frame[i]).astype(float)
        elif kinds[i] == "date":
            with suppress(ValueError):  # in an unusual form it is text
                frame[i] = pd.to_datetime(frame[i])
    frame.columns = pd.Index(names)
    return frame


def _plain_header(lines: Iterable[str], kinds: dict[int, str]) -> Iterator[str]:
    """Yield the lines of an ARFF file, its declarations in the words that liac-arff knows: real, string, one space.

    The kinds of the attributes other than nominal ones, as declared, go to `kinds`, by position.
    """
    header, position = True, 0
    for line in lines:
        if header and line.strip().lower().startswith("@relation"):
            line = "@relation table\n"
        elif header and (found := _ATTRIBUTE.fullmatch(line.strip())):
            kind = found[2].split()[0].lower()
            if not kind.startswith("{"):
                kinds[position] = kind
            known = {"integer": "real", "date": "string"}.get(kind, found[2])
            position += 1
            line = f"@attribute {found[1]} {known}\n"
        header = header and not line.strip().lower().startswith("@data")
        yield line


_READERS: dict[str, Callable[[Path], pd.DataFrame]] = {
    ".csv": _read_csv,
    ".tsv": _read_csv,
    ".parquet": _read_parquet,
    ".arff": _read_arff,
}
