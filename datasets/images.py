"""Images as tables: MNIST, Fashion-MNIST, and a reader of their IDX format."""

from __future__ import annotations

import gzip
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from ..errors import InputError
from .contract import Table
from .filed import FiledDataset
from .sources import sources

_UNSIGNED_BYTE = 8
_ROWS = ("all", "test")


def read_idx(path: Path) -> np.ndarray:
    """Read an IDX file of bytes.

    Parameters
    ----------
    path : pathlib.Path
        Two zero bytes, the type of the values (8: unsigned byte), the number of dimensions, the size of each (four
        bytes, the highest first), then the values, the last dimension running fastest. Compressed if the name ends
        in ``.gz``.

    Returns
    -------
    numpy.ndarray of uint8
        The values, in the file's shape; read-only.

    Raises
    ------
    InputError
        The file cannot be read, is no IDX file of bytes, or is longer or shorter than its header says.
    """
    try:
        content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path} cannot be read: {error}") from None
    n_dimensions = content[3] if len(content) > 3 else 0
    start = 4 + 4 * n_dimensions
    if content[:3] != bytes([0, 0, _UNSIGNED_BYTE]) or n_dimensions == 0 or len(content) < start:
        raise InputError(f"{path}: no IDX file of bytes (it begins with {content[:4].hex(' ') or 'nothing'})")
    shape = [int.from_bytes(content[at : at + 4], "big") for at in range(4, start, 4)]
    expected = start + int(np.prod(shape, dtype=object))
    if len(content) != expected:
        raise InputError(f"{path}: the header announces {expected} bytes, there are {len(content)}")
    return np.frombuffer(content, dtype=np.uint8, offset=start).reshape(shape)


class MnistDataset(FiledDataset):
    """Handwritten digits, 28 by 28 pixels in columns p0..p783, row of the image by row, values 0 (paper) to 255 (ink).

    Parameters
    ----------
    rows : {"all", "test"}
        The 60,000 training digits followed by the 10,000 test digits, which the benchmark splits again for each draw;
        or the latter only, which need a seventh of the time and memory (all: 420 MiB as numbers).
    """

    name = "mnist"
    test_counts: tuple[int, ...] = (980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009)

    def __init__(self, rows: str = "all") -> None:
        if rows not in _ROWS:
            raise InputError(f"dataset '{self.name}': rows must be 'all' or 'test', not {rows!r}")
        self._source = sources()[self.name]
        if rows == "test":
            files = {path: sha256 for path, sha256 in self._source.files.items() if path.startswith("t10k-")}
            counts = self.test_counts
            self._source = replace(self._source, files=files, rows=sum(counts), class_counts=counts)

    def _read(self, paths: list[Path]) -> Table:
        arrays = [read_idx(path) for path in paths]
        pixels = np.concatenate([images.reshape(len(images), -1) for images in arrays[::2]])
        # each column in one piece: the benchmark goes through the table column by column
        values = np.asfortranarray(pixels).astype(np.float64)
        frame = pd.DataFrame(values, columns=[f"p{i}" for i in range(values.shape[1])])
        return Table(frame, np.concatenate(arrays[1::2]).astype(np.int64))


class FashionMnistDataset(MnistDataset):
    """Articles of clothing, in the form of MNIST (see there)."""

    name = "fashion-mnist"
    test_counts = (1000,) * 10
