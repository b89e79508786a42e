"""Faces with attributes, from a folder that the user has: the layout of CelebA. Nothing is downloaded."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from pathlib import Path

import numpy as np
import pandas as pd

from ..errors import InputError, unknown_name
from ..provenance import digest, package_versions
from .contract import DatasetInfo, FiniteDataset, MissingDataError, Table
from .fetch import cache_folder, data_folder, how_to_get
from .sources import sources

#: where the table of attributes may lie in the folder: as CelebA has it, and as Kaggle has it
ATTRIBUTES = ("list_attr_celeba.txt", "Anno/list_attr_celeba.txt", "list_attr_celeba.csv")
#: where the images may lie; Kaggle's archive has the folder in a folder of the same name
IMAGES = ("img_align_celeba/img_align_celeba", "img_align_celeba")
_LARGEST_SIDE = 512


@dataclass(frozen=True)
class Attributes:
    """Some rows of a table of attributes.

    Attributes
    ----------
    path : pathlib.Path
        The table.
    names : tuple of str
        Its attributes.
    files : tuple of str
        The image of each row.
    values : numpy.ndarray of shape (n_rows, n_attributes), int8
        1 where the face has the attribute, else -1.
    """

    path: Path
    names: tuple[str, ...]
    files: tuple[str, ...]
    values: np.ndarray

    def codes(self, name: str) -> np.ndarray:
        """Return 1 for the rows with an attribute and 0 for the others, int64.

        Raises
        ------
        InputError
            There is no such attribute, or all rows have it, or none.
        """
        if name not in self.names:
            raise InputError(f"{self.path}: {unknown_name('attribute', name, self.names)}")
        found = (self.values[:, self.names.index(name)] == 1).astype(np.int64)
        if len(np.unique(found)) < 2:
            which = "all" if found.any() else "none"
            raise InputError(f"{self.path}: {which} of the first {len(found)} images have '{name}': take more rows")
        return found


def read_attributes(path: Path, rows: int) -> Attributes:
    """Read the first rows of a table of attributes.

    Parameters
    ----------
    path : pathlib.Path
        ``.csv``: a head ``image_id,…`` and a line for each image. Else CelebA's text: the number of images, the names
        of the attributes, then a line for each image, all between spaces. Values are -1 and 1.
    rows : int
        At most so many.

    Raises
    ------
    InputError
        The file cannot be read, or is no such table; the message names the line.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            lines = csv.reader(file) if path.suffix == ".csv" else (line.split() for line in file)
            return _parsed(path, lines, rows)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path} cannot be read: {error}") from None


def _parsed(path: Path, lines: Iterator[list[str]], rows: int) -> Attributes:
    text = path.suffix != ".csv"
    announced = next(lines, []) if text else []
    if text and not (len(announced) == 1 and announced[0].isdecimal()):
        raise InputError(f"{path}, line 1: expected the number of images, found '{' '.join(announced)[:40]}'")
    head = next(lines, [])
    names = tuple(head if text else head[1:])
    if not names:
        raise InputError(f"{path}, line {1 + text}: expected the names of the attributes, found nothing")
    files, values = [], []
    for number, cells in enumerate(islice(lines, rows), 2 + text):
        if len(cells) != len(names) + 1 or not set(cells[1:]) <= {"-1", "1"}:
            raise InputError(f"{path}, line {number}: expected a file name and {len(names)} values -1 or 1")
        files.append(cells[0])
        values.append([int(cell) for cell in cells[1:]])
    expected = min(rows, int(announced[0])) if text else 1
    if len(files) < expected:
        raise InputError(f"{path}: the first line announces {expected} images or more, there are {len(files)}")
    return Attributes(path, names, tuple(files), np.array(values, dtype=np.int8))


def read_image(path: Path, size: int, *, colour: bool) -> np.ndarray:
    """Read an image: the square in its middle, brought to a size.

    Parameters
    ----------
    path : pathlib.Path
        A file that Pillow reads.
    size : int
        Height and width of the result.
    colour : bool
        Whether it has three planes, red, green and blue; else one of grey.

    Returns
    -------
    numpy.ndarray of uint8, shape (planes, size, size)

    Raises
    ------
    InputError
        There is no such file, or it is broken.
    """
    from PIL import Image

    if not path.is_file():
        raise InputError(f"there is no image {path}, which the table of attributes lists")
    try:
        with Image.open(path) as opened:
            image = opened.convert("RGB" if colour else "L")
    # a broken PNG is a SyntaxError
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise InputError(f"{path} cannot be read as an image: {error}") from None
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    square = image.crop((left, top, left + side, top + side))
    pixels = np.asarray(square.resize((size, size), Image.Resampling.BILINEAR))
    return pixels.transpose(2, 0, 1) if colour else pixels[None]


class FacesDataset(FiniteDataset):
    """Faces from a folder in CelebA's layout; the class is whether a face has an attribute.

    Columns are p0, p1, …: the grey pixels row by row, 0 (black) to 255; in colour r0, …, g0, …, b0, …. The rows are
    the first ones of the table of attributes. Without the folder the facts are those of the whole of CelebA, brought
    to the number of rows.

    Parameters
    ----------
    folder : str
        Holds ``img_align_celeba/`` and ``list_attr_celeba.txt`` (or Kaggle's ``.csv``); by default ``faces`` below
        ``AUGBENCH_DATA`` or in the cache.
    attribute : str
        The class: a name in the head of the table of attributes.
    size : int
        Height and width in pixels: the square in the middle of an image is brought to it.
    rows : int
        At most so many.
    colour : bool
        Three planes, or one of grey.
    """

    name = "faces"

    def __init__(
        self, folder: str = "", attribute: str = "Smiling", size: int = 32, rows: int = 5000, colour: bool = False
    ) -> None:
        for what, value, most in (("size", size, _LARGEST_SIDE), ("rows", rows, 10**6)):
            if isinstance(value, bool) or not isinstance(value, int) or not 2 <= value <= most:
                raise InputError(f"dataset 'faces': {what} must be a whole number from 2 to {most}, not {value!r}")
        if not isinstance(colour, bool):
            raise InputError(f"dataset 'faces': colour must be true or false, not {colour!r}")
        self.folder, self.attribute, self.size, self.rows, self.colour = folder, attribute, size, rows, colour

    @property
    def columns(self) -> list[str]:
        """Names of the pixels."""
        return [f"{plane}{i}" for plane in ("rgb" if self.colour else "p") for i in range(self.size**2)]

    @property
    def info(self) -> DatasetInfo:
        """Facts known without loading; a folder that is wrong counts as none here."""
        return self._info

    @cached_property
    def _info(self) -> DatasetInfo:
        source = sources()[self.name]
        settings = [self.attribute, self.size, self.rows, self.colour]
        try:
            table = read_attributes(self._attributes(), self.rows)
            codes = table.codes(self.attribute)
            images = self._images()
        except (MissingDataError, InputError):
            with_it = round(self.rows * source.class_counts[1] / source.rows) if self.attribute == "Smiling" else 0
            with_it = with_it or self.rows // 2
            counts, content = (self.rows - with_it, with_it), digest(["absent", *settings])
        else:
            counts = (int((codes == 0).sum()), int(codes.sum()))
            hashes = [[name, _sha256(images / name)] for name in table.files]
            # another version may decode a JPEG to other pixels
            content = digest([settings, hashes, codes.tolist(), package_versions(["pillow"])])
        return replace(
            source.info,
            classes=(f"not {self.attribute}", self.attribute),
            class_counts=counts,
            n_numeric=len(self.columns),
            content_hash=content,
        )

    def check_present(self) -> None:
        """Raise `MissingDataError` if there is no folder, `InputError` if it is another one; images are not looked at.

        Raises
        ------
        MissingDataError
            There is no folder.
        InputError
            It has no images, no table of attributes, or no such attribute.
        """
        self._images()
        read_attributes(self._attributes(), self.rows).codes(self.attribute)

    def load(self) -> Table:
        """Read the images; errors as of `check_present`, and of `read_image`."""
        table = read_attributes(self._attributes(), self.rows)
        codes, images = table.codes(self.attribute), self._images()
        pixels = np.empty((len(codes), len(self.columns)), order="F")
        for row, name in enumerate(table.files):
            pixels[row] = read_image(images / name, self.size, colour=self.colour).reshape(-1)
        return Table(pd.DataFrame(pixels, columns=self.columns), codes)

    def _root(self) -> Path:
        if self.folder:
            places = [Path(self.folder).expanduser()]
        else:
            places = [place / self.name for place in (data_folder(), cache_folder()) if place is not None]
        for place in places:
            if place.is_dir():
                return place
        named = f"there is no folder {places[0]}; " if self.folder else ""
        raise MissingDataError(
            f"the data of 'faces' are not on this machine: {named}{how_to_get(sources()[self.name])}"
        )

    def _attributes(self) -> Path:
        root = self._root()
        for name in ATTRIBUTES:
            if (root / name).is_file():
                return root / name
        raise InputError(f"{root} has no table of attributes: expected one of {', '.join(ATTRIBUTES)}")

    def _images(self) -> Path:
        root = self._root()
        for name in IMAGES:
            if (root / name).is_dir():
                return root / name
        raise InputError(f"{root} has no folder of images: expected {IMAGES[-1]}")


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return "absent"
