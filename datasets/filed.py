"""Datasets that are read from the files of one entry of the table of sources."""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path

from .contract import DatasetInfo, FiniteDataset, Table
from .fetch import locate
from .sources import Source


class FiledDataset(FiniteDataset):
    """A dataset of the table of sources, whose files `_read` understands.

    Attributes
    ----------
    _source : Source
        Its entry; set by the constructor of the subclass.
    """

    _source: Source

    @property
    def info(self) -> DatasetInfo:
        """Facts known without loading."""
        return self._source.info

    def check_present(self) -> None:
        """Raise `MissingDataError` if a file is not on this machine, `InputError` if it is another one."""
        for part in self._source.parts:
            locate(part)

    def load(self) -> Table:
        """Read all rows.

        Raises
        ------
        MissingDataError
            A file is not here.
        InputError
            A file is here and wrong (checksum, format, counts).
        """
        return self._source.check(self._read([locate(part) for part in self._source.parts]))

    @abstractmethod
    def _read(self, paths: list[Path]) -> Table:
        """Read the files, which are the right ones."""
