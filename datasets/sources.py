"""The table of sources (`sources.toml`): what every finite data set is, and what its file must be."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from ..errors import InputError
from ..provenance import digest
from .contract import DatasetInfo, Table


@dataclass(frozen=True)
class Source:
    """One entry of the table.

    Attributes
    ----------
    name, description, group, licence, source, citation : str
        As in `DatasetInfo`.
    rows, features : int
        Size of the table.
    classes : tuple of str
        Label of each class code.
    class_counts : tuple of int
        Rows of each class.
    sha256 : str
        Of the file, or of the arrays that a package carries; of a ``.gz`` file its uncompressed content, which stays
        the same when the file is compressed again.
    file : str
        Path below ``AUGBENCH_DATA``, e.g. ``"proben1/card1.dt"``; empty for what a package carries. Of a set of
        several files: their folder.
    url : str
        Where the file is downloaded from; of several files, the address of their folder.
    member : str
        Name of the file inside the zip archive at `url`; empty where `url` is the file itself.
    files : dict of str to str
        Of a set of several files: path below `file` to SHA-256, in the order in which they are read.
    categorical : int
        How many of the features are categorical; the others are numeric.
    series : bool
        Whether the rows are time series.
    """

    name: str
    description: str
    group: str
    rows: int
    features: int
    classes: tuple[str, ...]
    class_counts: tuple[int, ...]
    licence: str
    source: str
    citation: str
    sha256: str = ""
    file: str = ""
    url: str = ""
    member: str = ""
    files: dict[str, str] = field(default_factory=dict)
    categorical: int = 0
    series: bool = False

    def __post_init__(self) -> None:
        if len(self.classes) != len(self.class_counts) or sum(self.class_counts) != self.rows:
            raise InputError(f"sources table, '{self.name}': the class counts do not fit the classes or the rows")
        if bool(self.sha256) == bool(self.files):
            raise InputError(f"sources table, '{self.name}': there must be either 'sha256' or 'files'")

    @property
    def parts(self) -> tuple[Source, ...]:
        """One entry for each file: this one, or those of a set of several files."""
        if not self.files:
            return (self,)
        return tuple(
            replace(self, file=f"{self.file}/{path}", url=f"{self.url}/{path}", sha256=sha256, files={})
            for path, sha256 in self.files.items()
        )

    @property
    def info(self) -> DatasetInfo:
        """What people and the plan are told."""
        return DatasetInfo(
            name=self.name,
            description=self.description,
            group=self.group,
            classes=self.classes,
            class_counts=self.class_counts,
            n_numeric=self.features - self.categorical,
            n_categorical=self.categorical,
            content_hash=digest(list(self.files.items())) if self.files else self.sha256,
            licence=self.licence,
            source=self.source or self.url,
            citation=self.citation,
            series=self.series,
        )

    def check(self, table: Table) -> Table:
        """Return the table if it is what this entry says.

        Raises
        ------
        InputError
            The rows, the columns or the class counts are others.
        """
        if table.X.shape != (self.rows, self.features):
            found = f"{table.X.shape[0]} rows and {table.X.shape[1]} features"
            raise InputError(f"dataset '{self.name}' has {found}, expected {self.rows} and {self.features}")
        counts = tuple(np.bincount(table.y, minlength=len(self.classes)).tolist())
        if counts != self.class_counts:
            raise InputError(f"dataset '{self.name}' has class counts {counts}, expected {self.class_counts}")
        return table


@lru_cache(maxsize=1)
def sources() -> dict[str, Source]:
    """Return the table, by name."""
    raw = tomllib.loads(Path(__file__).with_name("sources.toml").read_text(encoding="utf-8"))
    return {name: _entry(name, fields) for name, fields in raw.items()}


def _entry(name: str, fields: dict[str, object]) -> Source:
    frozen = {key: tuple(value) if isinstance(value, list) else value for key, value in fields.items()}
    try:
        return Source(name=name, **frozen)  # type: ignore[arg-type]
    except TypeError as error:
        raise InputError(f"sources table, '{name}': {error}") from None
