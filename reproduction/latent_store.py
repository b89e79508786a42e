"""What a latent sweep keeps: a file for each network, named by a hash of all that decides what is in it."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import get_type_hints

import numpy as np

from ..bench.device import missing_requirement
from ..bench.identity import code_identity, method_hash
from ..bench.plan import dataset_instance, method_instance
from ..bench.suite import Entry
from ..datasets.contract import FiniteDataset, MissingDataError
from ..errors import InputError
from ..leaderboard.export import replace_file
from ..provenance import digest, package_versions, source_hash
from .experiment import LatentSweep
from .latent import Fit, Images

#: the method whose network it is, and the code that decides what is kept of it
METHOD = "latent-noise"
_CODE = ("augbench.reproduction.latent", "augbench.reproduction.sharpness")
_SCALARS = (float, int, str)


@dataclass(frozen=True)
class Place:
    """A network of a sweep and its file.

    Attributes
    ----------
    beta, dim, seed : number
        Which one.
    path : pathlib.Path
        Where it is, or will be.
    key : str
        SHA-256 of all that decides what is in it.
    """

    beta: float
    dim: int
    seed: int
    path: Path
    key: str

    @property
    def title(self) -> str:
        """One line for people."""
        return f"β = {self.beta:g} · {self.dim} dimensions · seed {self.seed}"


@dataclass(frozen=True)
class Swept:
    """A sweep and what is stored of it.

    Attributes
    ----------
    sweep : LatentSweep
        What it is.
    fits : list of Fit
        In the order of dimension, β and seed.
    absent : str
        Why there is nothing: the images are not here.
    classes : tuple of str
        Labels of the classes.
    """

    sweep: LatentSweep
    fits: list[Fit]
    absent: str = ""
    classes: tuple[str, ...] = ()


def dataset_of(sweep: LatentSweep) -> FiniteDataset:
    """Return the dataset of a sweep.

    Raises
    ------
    InputError
        There is none of the name, or it is simulated.
    """
    dataset = dataset_instance(sweep.dataset)
    if not isinstance(dataset, FiniteDataset):
        raise InputError(f"{sweep.name}: dataset '{sweep.dataset.id}' is simulated and has no images")
    return dataset


def absence(sweep: LatentSweep) -> str:
    """Return why a sweep cannot be run: no data, no torch; an empty string where it can."""
    try:
        dataset_of(sweep).check_present()
    except MissingDataError as error:
        return f"{sweep.dataset.id}: {error}"
    missing = missing_requirement(method_instance(_entry(sweep, 1.0, 1)))
    return f"{METHOD} {missing}" if missing else ""


def load_images(sweep: LatentSweep) -> Images:
    """Return all rows of the dataset of a sweep; errors as of `Dataset.load`."""
    dataset = dataset_of(sweep)
    table = dataset.load()
    return Images(table.X, table.y, dataset.info.classes)


def places(sweep: LatentSweep, folder: Path) -> list[Place]:
    """Return every network of a sweep, seed by seed, so that a part of them can be looked at early."""
    keys = _keys(sweep)
    return [
        Place(beta, dim, seed, folder / f"{_stem(sweep, beta, dim, key)}-s{seed}.npz", key)
        for seed in range(sweep.seeds)
        for (beta, dim), key in keys.items()
    ]


def stored(sweep: LatentSweep, folder: Path) -> list[Fit]:
    """Return what is stored of a sweep, whatever the number of seeds; damaged files are passed over."""
    found = []
    for (beta, dim), key in _keys(sweep).items():
        for path in folder.glob(f"{_stem(sweep, beta, dim, key)}-s*.npz"):
            try:
                found.append(read_fit(path, key))
            except InputError:
                continue
    return sorted(found, key=lambda one: (one.dim, one.beta, one.seed))


def sweeps_in(sweeps: tuple[LatentSweep, ...], folder: Path) -> list[Swept]:
    """Return sweeps with what is stored of each."""
    found = []
    for sweep in sweeps:
        fits = stored(sweep, folder)
        found.append(Swept(sweep, fits, "" if fits else absence(sweep), dataset_of(sweep).info.classes))
    return found


def write_fit(place: Place, fit: Fit) -> None:
    """Keep what was found of a network; raises `InputError` where the file cannot be written."""
    buffer = io.BytesIO()
    arrays = {field.name: np.asarray(getattr(fit, field.name)) for field in fields(Fit)}
    np.savez_compressed(buffer, key=np.asarray(place.key), **arrays)  # type: ignore[arg-type]
    replace_file(place.path, buffer.getvalue())


def read_fit(path: Path, key: str) -> Fit:
    """Read what was kept of a network.

    Raises
    ------
    InputError
        There is no such file, it is damaged, or it holds something else.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            found = {name: arrays[name] for name in arrays.files}
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile, zlib.error) as error:
        raise InputError(f"{path} is damaged or no file of a network: {error}") from None
    kept = str(found.pop("key", ""))
    kinds = get_type_hints(Fit)
    if kept != key or set(found) != set(kinds):
        raise InputError(f"{path} holds something else than its name says: key {kept[:16] or 'none'}")
    return Fit(**{name: found[name].item() if kind in _SCALARS else found[name] for name, kind in kinds.items()})


def lacking(listed: list[Place]) -> Iterator[tuple[Place, str]]:
    """Yield the networks whose file is not there or damaged, with what is wrong with it, else an empty string."""
    for place in listed:
        if not place.path.is_file():
            yield place, ""
            continue
        try:
            read_fit(place.path, place.key)
        except InputError as error:
            yield place, str(error)


def _entry(sweep: LatentSweep, beta: float, dim: int) -> Entry:
    return Entry(name=METHOD, params={**sweep.params, "beta": beta, "latent_dim": dim})


def _stem(sweep: LatentSweep, beta: float, dim: int, key: str) -> str:
    return f"{sweep.name}-b{beta:g}-d{dim}-{key[:16]}"


def _keys(sweep: LatentSweep) -> dict[tuple[float, int], str]:
    """Return for each β and dimension the hash of what decides its files, the seed left out."""
    dataset = dataset_of(sweep)
    common = {
        "code": source_hash(*_CODE),
        "packages": package_versions(),
        "dataset": [dataset.info.content_hash, code_identity(type(dataset))],
        "rows": [sweep.rows, sweep.held_out, list(sweep.strips)],
    }
    found = {}
    for dim in sweep.dims:
        for beta in sweep.betas:
            entry = _entry(sweep, beta, dim)
            found[beta, dim] = digest(common | {"method": method_hash(entry, method_instance(entry))})
    return found
