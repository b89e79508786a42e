"""How a CSV file is written: its encoding, its separator, its decimal commas. Whatever is unclear is asked for."""

from __future__ import annotations

import codecs
import csv
import re
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import pandas as pd

from ..errors import InputError

#: encodings that tables are found in when they are not Unicode, with whose they are
FAMILIAR = {"cp949": "Korean", "cp1252": "Western European", "cp932": "Japanese", "gb18030": "Chinese"}
#: byte-order marks, longest first
MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
#: separators; where lines can be cut by more than one, the first that cuts all of them alike
SEPARATORS = ("\t", ";", ",")
#: lines from which the separator is seen
LINES = 50

_NUMBER = re.compile(r"[-+]?(\d+|\d{1,3}(\.\d{3})+)(,\d+)?([eE][-+]?\d+)?")
#: 1,234 may be a decimal, or a thousand
_UNCLEAR = re.compile(r"[-+]?[1-9]\d{0,2}(,\d{3})+")


@dataclass(frozen=True)
class Dialect:
    """How the cells of a file are written.

    Attributes
    ----------
    encoding : str
        As Python names it; ``"utf-8-sig"`` is UTF-8 with a byte-order mark.
    separator : str
        Between two cells.
    line_end : str
        Of the first line.
    """

    encoding: str
    separator: str
    line_end: str = "\n"


def dialect_of(path: Path, encoding: str = "") -> Dialect:
    """Return how a file is written.

    Parameters
    ----------
    path : pathlib.Path
        A ``.csv`` or ``.tsv`` file.
    encoding : str
        Its encoding; empty: Unicode, told by the byte-order mark, else UTF-8.

    Raises
    ------
    InputError
        There is no such encoding, or the file is not written in it; the message shows what the first line would be in
        others.
    """
    with path.open("rb") as file:
        start = file.read(4)
    chosen = encoding or next((name for mark, name in MARKS.items() if start.startswith(mark)), "utf-8")
    try:
        if codecs.lookup(chosen).name == "utf-8" and start.startswith(codecs.BOM_UTF8):
            chosen = "utf-8-sig"
        with path.open(encoding=chosen, newline="") as file:
            lines = list(islice(file, LINES))
            rest = "".join(lines)
            while rest:  # the first line may be plain where a later one is not
                if "\0" in rest:
                    raise InputError(
                        f"{path} holds bytes that are 0, so it is damaged or no {encoding or 'UTF-8'} text: save it as "
                        "CSV in UTF-8, or name its encoding, such as --encoding utf-16-le"
                    )
                rest = file.read(1 << 20)
    except LookupError:
        raise InputError(f"{path}: there is no encoding '{encoding}'; try {', '.join(FAMILIAR)}") from None
    except UnicodeError as error:
        raise InputError(f"{path} {_other_encodings(path, encoding, error)}") from None
    separator = "\t" if path.suffix.lower() == ".tsv" else _separator(lines)
    return Dialect(chosen, separator, "\r\n" if lines and lines[0].endswith("\r\n") else "\n")


def _other_encodings(path: Path, encoding: str, error: UnicodeError) -> str:
    """Return what is wrong and how the first line that is not plain would read in the familiar encodings."""
    what = f"is not text in the encoding {encoding}" if encoding else "is not UTF-8 text"
    content = path.read_bytes()
    line = next((one for one in content.splitlines() if not one.isascii()), b"")
    readings = []
    for name, whose in FAMILIAR.items():
        try:
            content.decode(name)
        except UnicodeDecodeError:
            continue
        readings.append(f"--encoding {name} ({whose}) would read '{line.decode(name).strip()[:40]}'")
    cure = f", or name its encoding: {'; '.join(readings)}" if readings else ""
    return f"{what} ({error}): save it as CSV in UTF-8{cure}"


def _separator(lines: list[str]) -> str:
    """Return the separator that cuts every line into as many cells as the first one; else the most frequent there."""
    if not lines:
        return ","
    for separator in SEPARATORS:
        try:
            widths = {len(row) for row in csv.reader(lines[: LINES - 1], delimiter=separator) if row}
        except csv.Error:
            continue
        if len(widths) == 1 and widths != {1}:
            return separator
    return max(",;\t", key=lines[0].count)


def with_decimal_points(path: Path, frame: pd.DataFrame, separator: str) -> pd.DataFrame:
    """Return the table with the columns of decimal commas as numbers.

    A comma is taken for a decimal one where the cells are not separated by commas and it can be nothing else: ``1,5``.
    If ``1,234`` is all there is, it could be a thousand.

    Raises
    ------
    InputError
        The commas are unclear, or the cells are separated by commas as well.
    """
    columns = decimal_columns(frame)
    if not columns:
        return frame
    texts = {name: frame[name].dropna().astype(str) for name in columns}
    if separator == ",":
        name, values = next(iter(texts.items()))
        example = values[values.str.contains(",")].iloc[0]
        raise InputError(f"{path}: column '{name}' has decimal commas ({example}): write 1.5 instead of 1,5")
    commas = {name: values[values.str.contains(",")] for name, values in texts.items()}
    if all(values.str.fullmatch(_UNCLEAR).all() for values in commas.values()):
        name, values = next(iter(commas.items()))
        raise InputError(
            f"{path}: column '{name}' has cells like {values.iloc[0]}, which may be a decimal or a thousand: write "
            f"{values.iloc[0].replace(',', '.')} or {values.iloc[0].replace(',', '')}"
        )
    numbers = {name: decimal_numbers(frame[name]) for name in columns}
    return frame.assign(**numbers)


def decimal_columns(frame: pd.DataFrame) -> list[str]:
    """Return the columns of text in which every cell is a number, some with a comma."""
    found = []
    for name in frame.columns:
        if pd.api.types.is_numeric_dtype(frame[name]):
            continue
        texts = frame[name].dropna().astype(str).str.strip()
        if len(texts) and texts.str.fullmatch(_NUMBER).all() and texts.str.contains(",").any():
            found.append(name)
    return found


def decimal_numbers(column: pd.Series) -> pd.Series:
    """Return a column of numbers written as ``1.234,5`` as float64."""
    plain = column.astype("string").str.strip().str.replace(".", "", regex=False).str.replace(",", ".", regex=False)
    return plain.astype("Float64").to_numpy(dtype=float, na_value=float("nan"))  # type: ignore[return-value]
