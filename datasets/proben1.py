"""PROBEN1 (Prechelt 1994): eight classification problems in its `.dt` format."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from ..errors import InputError, unknown_name
from .contract import Table
from .filed import FiledDataset
from .sources import sources

_HEADER = (
    "bool_in",
    "real_in",
    "bool_out",
    "real_out",
    "training_examples",
    "validation_examples",
    "test_examples",
)


def read_dt(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Read a PROBEN1 file whose outputs are one of n.

    Parameters
    ----------
    path : pathlib.Path
        Seven header lines (``bool_in=0``, ...), then one row per line: the inputs, then the outputs.

    Returns
    -------
    X : numpy.ndarray of shape (n_rows, n_inputs), float64
        The inputs.
    y : numpy.ndarray of shape (n_rows,), int64
        Number of the output that is 1.

    Raises
    ------
    InputError
        The file cannot be read, or its body is not what its header says.
    """
    try:
        lines = path.read_text(encoding="ascii").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read as a PROBEN1 file ({error})") from None
    header = _header(path, lines[: len(_HEADER)])
    body = [line.split() for line in lines[len(_HEADER) :] if line.strip()]
    rows = header["training_examples"] + header["validation_examples"] + header["test_examples"]
    if len(body) != rows:
        raise InputError(f"{path}: the header announces {rows} rows, the body has {len(body)}")
    n_inputs = header["bool_in"] + header["real_in"]
    width = n_inputs + header["bool_out"] + header["real_out"]
    for number, row in enumerate(body, start=len(_HEADER) + 1):
        if len(row) != width:
            raise InputError(f"{path}, line {number}: the header announces {width} values, there are {len(row)}")
    try:
        values = np.array(body, dtype=np.float64).reshape(rows, width)
    except ValueError as error:
        raise InputError(f"{path}: a value is no number ({error})") from None
    outputs = values[:, n_inputs:]
    if not (np.isin(outputs, (0.0, 1.0)).all() and (outputs.sum(axis=1) == 1.0).all()):
        raise InputError(f"{path}: the outputs of a row must be one 1 and otherwise 0")
    return values[:, :n_inputs], outputs.argmax(axis=1).astype(np.int64)


def _header(path: Path, lines: list[str]) -> dict[str, int]:
    """Return the seven counts at the top of a file."""
    counts = {}
    for expected, line in zip(_HEADER, [*lines, *[""] * len(_HEADER)], strict=False):
        key, _, value = line.partition("=")
        if key.strip() != expected or not value.strip().isdigit():
            raise InputError(f"{path}: no PROBEN1 file (expected a line '{expected}=<number>', found '{line[:40]}')")
        counts[expected] = int(value)
    return counts


class Proben1Dataset(FiledDataset):
    """One problem of PROBEN1, in the order of its first permutation (``card1.dt``).

    The inputs are numeric as PROBEN1 encodes them (nominal attributes one of n, missing cells by extra inputs), named
    x1, x2, ...

    Parameters
    ----------
    name : str
        ``"card"``, ``"diabetes"``, ``"gene"``, ``"glass"``, ``"horse"``, ``"thyroid"``, ``"cancer"`` or ``"heart"``.
    """

    def __init__(self, name: str) -> None:
        known = {key: entry for key, entry in sources().items() if entry.group == "proben1"}
        if name not in known:
            raise unknown_name("PROBEN1 dataset", name, known)
        self._source = known[name]

    def _read(self, paths: list[Path]) -> Table:
        [path] = paths
        X, y = read_dt(path)
        return Table(pd.DataFrame(X, columns=[f"x{i + 1}" for i in range(X.shape[1])]), y)
