"""The table of sources (`sources*.toml`): what every finite data set is, and what its file must be."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pandas as pd

from ..errors import InputError, unknown_name
from ..provenance import digest
from .contract import DatasetInfo, Table
from .layout import Layout

ARCHIVES = (".zip", ".whl", ".tar.gz", ".tgz")


@dataclass(frozen=True)
class Source:
    """One entry of the table.

    Attributes
    ----------
    name, description, group, licence, source, citation : str
        As in `DatasetInfo`.
    rows, features : int
        Size of the table, once the columns of `Layout.drop` and the rows without a class are left out.
    classes : tuple of str
        Label of each class code.
    class_counts : tuple of int
        Rows of each class.
    sha256 : str
        Of the file, or of the arrays that a package carries; of a ``.gz`` file its uncompressed content, which stays
        the same when the file is compressed again (`packed`: of the file as it is). Empty where nobody states one: then
        the counts alone tell whether the file is the right one, and the hash of the file that is found enters the keys
        of the results.
    archive_sha256 : str
        Of the archive at the address, where it is stated. An archive that was packed again is accepted if the file in
        it is the right one, and refused if the file has no checksum of its own.
    size : int
        Bytes of the file, all files together; 0 where it is not known.
    file : str
        Path below ``AUGBENCH_DATA``, e.g. ``"proben1/card1.dt"``; empty for what a package carries. Of a set of
        several files: their folder.
    urls : tuple of str
        Where the file is downloaded from, the canonical address first; of several files, the addresses of their folder
        or of an archive that holds all of them. Empty where the user brings the file.
    member : str
        Name of the file inside the archive at `urls`; by default that of `file`.
    files : dict of str to str
        Of a set of several files: path below `file` to SHA-256, in the order in which they are read.
    alternative : dict
        Fields that differ where the same rows come as another file.
    package : str
        The installed package in which `file` lies.
    obtain : str
        Where a person gets a file that cannot be fetched.
    folder : bool
        Whether `file` is a folder that the user has, which is read where it lies and never copied.
    redistributable : bool
        Whether the licence allows to pass the data on.
    categorical : int
        How many of the features are categorical; the others are numeric.
    missing_cells : int
        How many cells of the features are missing; -1: some, nobody has counted them.
    series : bool
        Whether the rows are time series.
    block : int
        Of one long sequence: so many successive rows count as a series, so that neighbours in time stay together.
    packed : bool
        See `sha256`.
    verified : bool
        Whether the counts were seen in the file; otherwise they are those of the documentation.
    layout : Layout
        How the rows stand in the file.
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
    archive_sha256: str = ""
    size: int = 0
    file: str = ""
    urls: tuple[str, ...] = ()
    member: str = ""
    files: dict[str, str] = field(default_factory=dict)
    alternative: dict[str, Any] = field(default_factory=dict)
    package: str = ""
    obtain: str = ""
    folder: bool = False
    redistributable: bool = True
    categorical: int = 0
    missing_cells: int = 0
    series: bool = False
    block: int = 0
    packed: bool = False
    verified: bool = True
    layout: Layout = field(default_factory=Layout)

    def __post_init__(self) -> None:
        where = f"sources table, '{self.name}'"
        if len(self.classes) != len(self.class_counts) or sum(self.class_counts) != self.rows:
            raise InputError(f"{where}: the class counts do not fit the classes or the rows")
        if self.sha256 and self.files:
            raise InputError(f"{where}: there must be either 'sha256' or 'files', not both")
        if not self.sha256 and not self.files and self.verified:
            raise InputError(f"{where}: without 'sha256' or 'files' it cannot be 'verified'")
        if self.layout.codes and len(self.layout.codes) != len(self.classes):
            raise InputError(f"{where}: there are {len(self.layout.codes)} codes for {len(self.classes)} classes")

    @property
    def minority(self) -> str:
        """Label of the rarest class."""
        return self.classes[self.class_counts.index(min(self.class_counts))]

    @property
    def task(self) -> str:
        """``"binary"`` or ``"multiclass"``."""
        return "binary" if len(self.classes) == 2 else "multiclass"

    @property
    def inner(self) -> str:
        """Name of the file inside the archive at the address; empty where the address is the file itself."""
        if not any(url.endswith(ARCHIVES) for url in self.urls):
            return ""
        return self.member or PurePosixPath(self.file).name

    @property
    def parts(self) -> tuple[Source, ...]:
        """One entry for each file: this one, or those of a set of several files."""
        if not self.files:
            return (self,)
        packed = any(url.endswith(ARCHIVES) for url in self.urls)
        return tuple(
            replace(
                self,
                file=f"{self.file}/{path}",
                urls=self.urls if packed else tuple(f"{url}/{path}" for url in self.urls),
                member=path if packed else "",
                sha256=sha256,
                files={},
            )
            for path, sha256 in self.files.items()
        )

    @property
    def other(self) -> Source | None:
        """The entry of the same rows in another file, if there is one."""
        if not self.alternative:
            return None
        layout = replace(self.layout, **_frozen(self.alternative.get("layout", {})))
        changes = _frozen({key: value for key, value in self.alternative.items() if key != "layout"})
        return replace(self, **changes, layout=layout, alternative={})

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
            source=self.source or next(iter(self.urls), ""),
            citation=self.citation,
            missing=self.missing_cells != 0,
            series=self.series,
        )

    def reading(self) -> dict[str, Any]:
        """Return what, beside the files, decides the rows of a dataset with a `Layout`."""
        return {**asdict(self.layout), "classes": list(self.classes), "block": self.block}

    def check(self, table: Table) -> Table:
        """Return the table if it is what this entry says.

        Raises
        ------
        InputError
            The rows, the columns, their kinds, the class counts or the missing cells are others.
        """
        if table.X.shape != (self.rows, self.features):
            found = f"{table.X.shape[0]} rows and {table.X.shape[1]} features"
            raise InputError(
                f"dataset '{self.name}' has {found}, expected {self.rows} and {self.features}{self._doubt}"
            )
        counts = tuple(np.bincount(table.y, minlength=len(self.classes)).tolist())
        if counts != self.class_counts:
            raise InputError(
                f"dataset '{self.name}' has class counts {counts}, expected {self.class_counts}{self._doubt}"
            )
        categorical = sum(isinstance(dtype, pd.CategoricalDtype) for dtype in table.X.dtypes)
        if categorical != self.categorical:
            raise InputError(
                f"dataset '{self.name}' has {categorical} categorical columns, expected {self.categorical}{self._doubt}"
            )
        missing = int(table.X.isna().to_numpy().sum())
        if missing != self.missing_cells and not (self.missing_cells < 0 < missing):
            expected = self.missing_cells if self.missing_cells >= 0 else "some"
            raise InputError(f"dataset '{self.name}' has {missing} missing cells, expected {expected}{self._doubt}")
        return table

    @property
    def _doubt(self) -> str:
        return "" if self.verified else " (by its documentation: nobody had the file when the table was written)"


@lru_cache(maxsize=1)
def sources() -> dict[str, Source]:
    """Return the table, by name."""
    folder = Path(__file__).parent
    table: dict[str, Source] = {}
    for path in (folder / "sources.toml", folder / "sources-keel.toml"):
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
        templates = raw.pop("template")
        table |= {name: entry(name, fields, templates) for name, fields in raw.items()}
    return table


def entry(name: str, fields: dict[str, Any], templates: dict[str, dict[str, Any]]) -> Source:
    """Build an entry from its fields and from those of the template that it is `like`.

    Raises
    ------
    InputError
        A field is unknown or missing, or the numbers do not fit together.
    """
    template = fields.get("like", "")
    if template and template not in templates:
        raise InputError(f"sources table, '{name}': {unknown_name('template', template, templates)}")
    merged = {**templates.get(template, {}), **{key: value for key, value in fields.items() if key != "like"}}
    layout = {**templates.get(template, {}).get("layout", {}), **fields.get("layout", {})}
    merged.pop("layout", None)
    try:
        return Source(name=name, **_frozen(merged), layout=Layout(**_frozen(layout)))
    except (TypeError, InputError) as error:
        raise InputError(f"sources table, '{name}': {error}") from None


def fetchable() -> Iterator[str]:
    """Yield the names of the datasets that can be downloaded."""
    for name, source in sources().items():
        if source.urls or (source.other and source.other.urls):
            yield name


def _frozen(fields: dict[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in fields.items()}
