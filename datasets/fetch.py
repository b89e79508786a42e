"""Finding data files on this machine, and downloading them when asked: never silently while loading."""

from __future__ import annotations

import gzip
import hashlib
import os
import shutil
import tempfile
import zipfile
import zlib
from functools import lru_cache
from pathlib import Path
from typing import Any

from ..errors import InputError, unknown_name
from .contract import MissingDataError
from .sources import Source, sources

_TIMEOUT_S = 30  # without a byte from the server

#: what a damaged gzip file or zip archive raises, beside OSError
_DAMAGED = (EOFError, zlib.error, zipfile.BadZipFile, KeyError, RuntimeError)


def data_folder() -> Path | None:
    """Return the folder that ``AUGBENCH_DATA`` names, which is only ever read; None where it is not set."""
    value = os.environ.get("AUGBENCH_DATA", "")
    return Path(value).expanduser() if value else None


def cache_folder() -> Path:
    """Return where downloads are kept: ``AUGBENCH_CACHE``, else the user's cache folder of this system."""
    value = os.environ.get("AUGBENCH_CACHE", "")
    if value:
        return Path(value).expanduser()
    from platformdirs import user_cache_path

    return Path(user_cache_path("augbench"))


def locate(source: Source) -> Path:
    """Find the file of a dataset: first below ``AUGBENCH_DATA``, then in the cache.

    Parameters
    ----------
    source : Source
        The entry of the table of sources; of a set of several files one of its `parts`.

    Returns
    -------
    pathlib.Path
        A file with the right SHA-256.

    Raises
    ------
    MissingDataError
        The file is in neither folder.
    InputError
        A file is there, and it is another one or cannot be read.
    """
    for folder in (data_folder(), cache_folder()):
        if folder is not None and (folder / source.file).is_file():
            path = folder / source.file
            _check(path, source)
            return path
    raise MissingDataError(
        f"the data of '{source.name}' are not on this machine: fetch it with: bench datasets fetch {source.name}, "
        f"or point AUGBENCH_DATA at a folder that holds {source.file}"
    )


def fetch(name: str, progress: bool = False) -> Path:
    """Download the files of a dataset into the cache, unless they are already on this machine.

    Parameters
    ----------
    name : str
        Name of the dataset.
    progress : bool
        Show a progress bar on standard error.

    Returns
    -------
    pathlib.Path
        The file, checked; of a set of several files their folder (where some lie below ``AUGBENCH_DATA`` and some in
        the cache, that of the last one).

    Raises
    ------
    InputError
        There is no such dataset, nothing to fetch for it, or the download failed; then nothing of that file is left
        behind.
    """
    table = sources()
    if name not in table:
        raise unknown_name("dataset with a file", name, [key for key, entry in table.items() if entry.file])
    if not table[name].file:
        raise InputError(f"dataset '{name}' comes with scikit-learn: there is nothing to fetch")
    source = table[name]
    for part in source.parts:
        path = download(part, progress)
    return path.parents[part.file.count("/")] / source.file


def download(source: Source, progress: bool = False) -> Path:
    """Do what `fetch` does, for an entry that need not be in the table (see there)."""
    try:
        return locate(source)
    except MissingDataError:
        pass
    except InputError:
        folder = data_folder()
        if folder is not None and (folder / source.file).is_file():
            raise  # a wrong file in the folder that is never written would go on hiding the right one
    target = cache_folder() / source.file
    try:
        return _retrieve(source, target, progress)
    except OSError as error:  # everything of `requests` is an OSError
        raise InputError(f"cannot download '{source.name}' from {source.url}: {_reason(error)}") from None


def _retrieve(source: Source, target: Path, progress: bool) -> Path:
    """Download to a temporary folder beside the target, check the file, and only then give it its name."""
    import pooch

    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".fetch-") as folder:
        got = Path(folder) / target.name
        bar: Any = _RichBar(source.file) if progress else False
        try:
            get = pooch.HTTPDownloader(progressbar=bar, timeout=_TIMEOUT_S, chunk_size=1 << 16)
            get(source.url, str(got), None)
        finally:
            if progress:
                bar.close()
        try:
            if source.member:
                got = _extract(got, source.member)
            found = _content_sha256(got)
        except (gzip.BadGzipFile, *_DAMAGED):
            found = ""
        if found != source.sha256:
            raise InputError(
                f"the file at {source.url} is not the expected one for '{source.name}' (its SHA-256 is not "
                f"{source.sha256}): nothing was kept; try again, or point AUGBENCH_DATA at a folder with {source.file}"
            )
        os.replace(got, target)
    return target


def _extract(archive: Path, member: str) -> Path:
    """Take one file out of a zip archive, to a name beside it."""
    path = archive.with_name(f"{archive.name}.member")
    with zipfile.ZipFile(archive) as opened, opened.open(member) as file, path.open("wb") as copy:
        shutil.copyfileobj(file, copy)
    return path


def _reason(error: Exception) -> str:
    """Return what went wrong in a few words, on one line."""
    import requests

    if isinstance(error, requests.HTTPError) and error.response is not None:
        return f"the server answered {error.response.status_code} {error.response.reason}"
    if isinstance(error, requests.Timeout):
        return f"the server did not answer within {_TIMEOUT_S} s"
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return "the connection broke before the whole file had come; try again"
    if isinstance(error, requests.ConnectionError):
        return "the server cannot be reached"
    return " ".join(str(error).split())


class _RichBar:
    """The progress bar that pooch asks for (`total`, `update`, `reset`, `close`), drawn by rich."""

    def __init__(self, label: str) -> None:
        from rich.console import Console
        from rich.progress import Progress

        self.total = 0
        self._progress = Progress(console=Console(stderr=True))
        self._task = self._progress.add_task(label, total=None)
        self._progress.start()

    def update(self, count: int) -> None:
        """Add so many bytes; pooch counts the last chunk as a full one, which is cut here."""
        done = self._progress.tasks[0].completed + count
        self._progress.update(self._task, completed=min(done, self.total or done), total=self.total or None)

    def reset(self) -> None:
        """Start again: pooch calls this before it sets the bar to its total."""
        self._progress.reset(self._task)

    def close(self) -> None:
        """Leave the bar as it is."""
        self._progress.stop()


def _check(path: Path, source: Source) -> None:
    """Refuse a file with another SHA-256 than the table's."""
    try:
        state = path.stat()
        found = f"SHA-256 {_sha256(str(path), state.st_size, state.st_mtime_ns)}"
    except (gzip.BadGzipFile, *_DAMAGED) as error:
        found = f"no whole gzip file ({error})"
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from None
    if found != f"SHA-256 {source.sha256}":
        raise InputError(
            f"{path} is not the expected file of '{source.name}': {found}, expected {source.sha256}"
            f"{' (uncompressed)' if path.suffix == '.gz' else ''}; "
            f"put the right file there, or remove it and run: bench datasets fetch {source.name}"
        )


@lru_cache(maxsize=256)
def _sha256(path: str, size: int, mtime_ns: int) -> str:
    """Return the SHA-256 of a file; size and time are there for the memory of results only."""
    return _content_sha256(Path(path))


def _content_sha256(path: Path) -> str:
    """Return the SHA-256 of a file, of a ``.gz`` file that of its uncompressed content."""
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
