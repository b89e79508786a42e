"""Tables whose form an entry of the table of sources declares: one reader for each format, one dataset for all."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ..errors import InputError
from ..provenance import digest
from .contract import DatasetInfo, MissingDataError, Table
from .fetch import found_sha256, is_here
from .filed import FiledDataset
from .layout import Layout
from .readers import read_frame
from .sources import Source, sources


class TabularDataset(FiledDataset):
    """A dataset of the table of sources that its `Layout` describes.

    Numeric columns become float64, the others categorical with their values, as text, in order; a missing cell stays
    missing. Class codes follow the order that the table declares.

    Parameters
    ----------
    name : str
        Its name in the table of sources.
    """

    def __init__(self, name: str) -> None:
        self._source = sources()[name]

    @property
    def info(self) -> DatasetInfo:
        """Facts known without loading.

        The content hash covers the files and how they are read. Of a file without a stated checksum it covers the one
        that is found here, so that results on another file are never taken for results on this one.
        """
        source = self._source
        other = source.other
        if other is not None and not other.sha256 and not is_here(source) and is_here(other):
            files = [found_sha256(other)]
        else:
            files = [part.sha256 or found_sha256(part) for part in source.parts]
        return replace(source.info, content_hash=digest([files, source.reading()]))

    def _read(self, paths: list[Path]) -> Table:
        found = self._source
        other = found.other
        if other is not None and paths[0].name == Path(other.file).name:
            found = other
        return read_rows(found, paths)


def read_rows(source: Source, paths: list[Path]) -> Table:
    """Read the files of an entry, which are the right ones.

    Parameters
    ----------
    source : Source
        The entry.
    paths : list of pathlib.Path
        Its files, in the order of `Source.parts`.

    Returns
    -------
    Table
        The rows, not yet compared with the table (`Source.check`).

    Raises
    ------
    MissingDataError
        The format needs a package that is not installed.
    InputError
        A file is not in the declared form.
    """
    layout = source.layout
    frame = pd.concat([_frame(path, layout) for path in paths], ignore_index=True)
    where = f"dataset '{source.name}', {paths[0]}"
    target = layout.target or str(frame.columns[-1])
    for name in (target, *layout.drop, *([layout.letters] if layout.letters else [])):
        if name not in frame.columns:
            raise InputError(f"{where}: there is no column '{name}'; there are {', '.join(map(str, frame.columns))}")
    labelled = frame[target].notna()
    if int((~labelled).sum()) != layout.unlabelled:
        raise InputError(
            f"{where}: {int((~labelled).sum())} rows have no class in '{target}', expected {layout.unlabelled}"
        )
    frame = frame[labelled].reset_index(drop=True)
    y = _codes(where, frame[target], layout.codes or source.classes)
    X = _features(frame.drop(columns=[target, *layout.drop]), layout)
    series = np.arange(len(y), dtype=np.int64) // source.block if source.block else None
    return Table(X, y, series=series)


def _codes(where: str, labels: pd.Series, codes: tuple[str, ...]) -> np.ndarray:
    """Return the class codes of the labels of a file."""
    code = {label: k for k, label in enumerate(codes)}
    texts = [_text(label) for label in labels]
    strange = sorted(set(texts) - set(codes))
    if strange:
        raise InputError(f"{where}: class '{strange[0]}' is none of {', '.join(codes)}")
    return np.array([code[label] for label in texts], dtype=np.int64)


def _text(value: object) -> str:
    """Return a value as text, whole numbers without decimals."""
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    return str(value).strip()


def _features(frame: pd.DataFrame, layout: Layout) -> pd.DataFrame:
    """Give every column its kind: float64 or categorical."""
    if layout.letters:
        words = frame.pop(layout.letters).str.strip()
        letters = pd.DataFrame([list(word) for word in words])
        frame[[f"{layout.letters}{i + 1}" for i in range(letters.shape[1])]] = letters
    columns = {}
    for name in frame.columns:
        column = frame[name]
        numeric = pd.api.types.is_numeric_dtype(column)
        if layout.is_nominal(str(name), numeric):
            texts = column.astype(object).map(_text, na_action="ignore")
            texts = texts.where(~texts.isin(layout.missing))
            columns[str(name)] = pd.Series(pd.Categorical(texts, categories=sorted(texts.dropna().unique())))
        else:
            columns[str(name)] = column.astype(np.float64)
    return pd.DataFrame(columns)


def _frame(path: Path, layout: Layout) -> pd.DataFrame:
    """Read one file; whatever goes wrong is one line."""
    try:
        frame = _READERS[layout.format](path, layout)
    except (MissingDataError, InputError):
        raise
    except (
        pd.errors.ParserError,
        pd.errors.EmptyDataError,
        OSError,
        ValueError,
        KeyError,
        zipfile.BadZipFile,
    ) as error:
        raise InputError(f"{path} cannot be read as {layout.format}: {' '.join(str(error).split())}") from None
    names: tuple[Any, ...] = layout.columns or tuple(frame.columns)
    if len(names) != frame.shape[1]:
        raise InputError(f"{path} has {frame.shape[1]} columns, expected {len(names)}")
    frame.columns = pd.Index([name if isinstance(name, str) else f"x{name + 1}" for name in names])
    return frame


def _read_csv(path: Path, layout: Layout) -> pd.DataFrame:
    return pd.read_csv(
        path,
        sep=r"\s+" if layout.format == "words" else layout.separator,
        header=0 if layout.header else None,
        skiprows=0 if layout.header else layout.skip,
        # single letters may stand for a missing base and for a class: they are taken out after the split
        na_values=[] if layout.letters else ["", *layout.missing],
        keep_default_na=False,
        skipinitialspace=True,
        low_memory=False,
        float_precision="round_trip",
        encoding="utf-8-sig",
    )


def _read_arff(path: Path, layout: Layout) -> pd.DataFrame:
    return read_frame(path)


def _read_xls(path: Path, layout: Layout) -> pd.DataFrame:
    if find_spec("xlrd") is None:
        raise MissingDataError(f"{path} needs a reader of Excel files: pip install 'xlrd>=2.0.1'")
    return pd.read_excel(path, engine="xlrd", header=None, skiprows=layout.skip)


def _read_npz(path: Path, layout: Layout) -> pd.DataFrame:
    """Read the cache of imbalanced-learn's `fetch_datasets`: ``data`` (n_rows, n_features) and ``label``."""
    with np.load(path, allow_pickle=False) as arrays:
        frame = pd.DataFrame(np.asarray(arrays["data"], dtype=np.float64))
        return frame.assign(label=np.asarray(arrays["label"]).ravel())


_READERS: dict[str, Callable[[Path, Layout], pd.DataFrame]] = {
    "csv": _read_csv,
    "words": _read_csv,
    "arff": _read_arff,
    "xls": _read_xls,
    "npz": _read_npz,
}
