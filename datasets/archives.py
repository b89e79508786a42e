"""Taking one file out of a zip or tar archive that nobody vouches for."""

from __future__ import annotations

import gzip
import lzma
import tarfile
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from typing import IO

from ..errors import InputError

_CHUNK = 1 << 20

#: what a damaged archive raises; RuntimeError: an encrypted one
_DAMAGED = (
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    gzip.BadGzipFile,
    NotImplementedError,
    RuntimeError,
)


def extract(archive: Path, member: str, target: Path, limit: int) -> None:
    """Copy one file of an archive to a place that the archive has no say in.

    Parameters
    ----------
    archive : pathlib.Path
        A zip or tar archive, compressed or not.
    member : str
        Name of the file in it.
    target : pathlib.Path
        Where the copy goes.
    limit : int
        Most bytes that the file may have; the header is asked first, then the bytes are counted.

    Raises
    ------
    InputError
        It is no archive or damaged, a path in it leaves the archive, it has no such file or only a link of that name,
        or the file is larger than the limit. Nothing is left at `target`.
    """
    try:
        if zipfile.is_zipfile(archive):
            _from_zip(archive, member, target, limit)
        else:
            _from_tar(archive, member, target, limit)
    except BaseException as error:
        target.unlink(missing_ok=True)
        if isinstance(error, _DAMAGED):
            raise InputError("it is no whole archive") from None
        raise


def _from_zip(archive: Path, member: str, target: Path, limit: int) -> None:
    with zipfile.ZipFile(archive) as opened:
        _check_names(opened.namelist())
        if member not in opened.namelist():
            raise InputError(f"the archive has no file '{member}'")
        entry = opened.getinfo(member)
        if entry.is_dir() or (entry.external_attr >> 16) & 0o170000 == 0o120000:
            raise InputError(f"'{member}' in the archive is no file")
        _check_size(member, entry.file_size, limit)
        with opened.open(entry) as file:
            _copy(file, target, member, limit)


def _from_tar(archive: Path, member: str, target: Path, limit: int) -> None:
    with tarfile.open(archive) as opened:
        entries = {}
        total = 0
        # one by one: the archive may be a bomb by its number of files or by what stands before the wanted one
        for entry in opened:
            _check_names([entry.name])
            total += entry.size
            _check_size(entry.name, total, 4 * limit)
            entries[entry.name.removeprefix("./")] = entry
        if member not in entries:
            raise InputError(f"the archive has no file '{member}'")
        _check_size(member, entries[member].size, limit)
        file = opened.extractfile(entries[member]) if entries[member].isreg() else None
        if file is None:
            raise InputError(f"'{member}' in the archive is no file")
        with file:
            _copy(file, target, member, limit)


def _check_names(names: list[str]) -> None:
    """Refuse an archive that would write elsewhere: no honest one does."""
    for name in names:
        path = PurePosixPath(name.replace("\\", "/"))
        if path.is_absolute() or ".." in path.parts or (path.parts[:1] and path.parts[0].endswith(":")):
            raise InputError(f"the archive holds a path that leaves it, '{name}'")


def _check_size(member: str, size: int, limit: int) -> None:
    if size > limit:
        raise InputError(f"'{member}' in the archive has {size:,} bytes or more, the most allowed are {limit:,}")


def _copy(file: IO[bytes], target: Path, member: str, limit: int) -> None:
    """Copy and count: a header may lie."""
    count = 0
    with target.open("wb") as copy:
        while chunk := file.read(_CHUNK):
            count += len(chunk)
            _check_size(member, count, limit)
            copy.write(chunk)
