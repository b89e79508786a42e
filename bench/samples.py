"""A few real and a few generated rows of the first draw, kept so that people can look at them.

The baseline's unit keeps real training rows, that of an augmenter generated ones: both of the same classes and columns,
since only the real rows decide which. Nothing here decides a score.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ..leaderboard.samples import Sample
from .prepare import Part, PreparedDraw
from .scenario import derive_seed
from .store_opening import damaged_store
from .stored_text import BrokenRowError, reading_rows

if TYPE_CHECKING:
    from .store import Store

#: the draw of which rows are kept
DRAW = 0
#: classes, the rarest ones, and rows of each
CLASSES, ROWS = 5, 40
#: of wide tables fewer rows: about so many cells of a class, but not fewer rows than this
CELLS, FEWEST = 16_000, 8
#: encoded columns, the first ones
COLUMNS = 1000
#: so far from the mean, in standard deviations, a half-precision number reaches
FARTHEST = 60_000.0
#: names of columns that are pixels: row and column, or the number
_PIXELS = re.compile(r"pixel_(\d+)_(\d+)|(?:p|pixel)_?(\d+)")


def take_sample(one: PreparedDraw, X: pd.DataFrame | None = None, y: np.ndarray | None = None) -> bytes:
    """Return a sample of the generated rows of a draw, or without them of its training rows, compressed.

    Parameters
    ----------
    one : PreparedDraw
        The draw.
    X : pandas.DataFrame, optional
        Completed rows that a method added.
    y : numpy.ndarray, optional
        Their class codes.

    Returns
    -------
    bytes
        See `unpack_sample`.
    """
    part = one.whole
    real = X is None or y is None
    X, y = (part.train.X, part.train.y) if X is None or y is None else (X, y)
    width = len(part.preparation.numeric) + sum(map(len, part.preparation.categories.values()))
    most = int(np.clip(CELLS // max(1, min(width, COLUMNS)), FEWEST, ROWS))
    rng = np.random.default_rng(derive_seed(one.draw.seed, "sample"))
    rows = np.concatenate([_some(np.flatnonzero(y == code), most, rng) for code in _classes(part)])
    encoded = part.preparation.encode(X.iloc[rows], scaled=True)[:, :COLUMNS]
    arrays = {"X": np.clip(encoded, -FARTHEST, FARTHEST).astype("<f2"), "y": y[rows].astype(np.uint8)}
    if real:
        # one-hot columns are as they are
        ones = np.ones(width - len(part.preparation.numeric))
        scale = np.concatenate([part.preparation.scale, ones])
        mean = np.concatenate([part.preparation.mean, 0 * ones])
        shape = image_shape(list(map(str, part.train.X.columns))) or ()
        arrays |= {"mean": mean[:COLUMNS].astype("<f4"), "scale": scale[:COLUMNS].astype("<f4")}
        arrays |= {"shape": np.array(shape, dtype="<u2")}
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


def unpack_sample(data: bytes) -> Sample:
    """Return the sample of `take_sample`."""
    with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
        found = {name: arrays[name] for name in arrays.files}
    nothing = np.empty(0)
    return Sample(
        X=found["X"].astype(float),
        y=found["y"].astype(int),
        mean=found.get("mean", nothing).astype(float),
        scale=found.get("scale", nothing).astype(float),
        shape=tuple(map(int, found.get("shape", ()))),
    )


def image_shape(columns: list[str]) -> tuple[int, int] | None:
    """Return height and width of the image whose pixels, row by row, are these columns; None where they are none.

    Examples
    --------
    >>> image_shape(["pixel_0_0", "pixel_0_1", "pixel_1_0", "pixel_1_1", "pixel_2_0", "pixel_2_1"])
    (3, 2)
    >>> image_shape(["p0", "p1", "p2", "p3"]), image_shape(["p0", "p1", "p2"])
    ((2, 2), None)
    """
    found = [_PIXELS.fullmatch(name) for name in columns]
    if not columns or len(columns) > COLUMNS or not all(found):
        return None
    places = [[int(number) for number in one.groups() if number is not None] for one in found if one]
    last = places[-1]
    side = round(len(columns) ** 0.5)
    height, width = (last[0] + 1, last[1] + 1) if len(last) == 2 else (side, side)
    expected = (
        [[i, j] for i in range(height) for j in range(width)] if len(last) == 2 else [[i] for i in range(side**2)]
    )
    return (height, width) if places == expected and min(height, width) > 1 else None


class StoredSamples(Mapping[tuple[str, str, str], Sample]):
    """The samples of a run by method, data set and scenario; unpacked when they are asked for."""

    def __init__(self, packed: Mapping[tuple[str, str, str], bytes], path: Path | str = "") -> None:
        self._packed, self._path = packed, Path(path)

    def __getitem__(self, key: tuple[str, str, str]) -> Sample:
        packed = self._packed[key]
        try:
            with reading_rows():
                return unpack_sample(packed)
        except BrokenRowError as error:
            raise damaged_store(self._path, error) from error

    def __iter__(self) -> Iterator[tuple[str, str, str]]:
        return iter(self._packed)

    def __len__(self) -> int:
        return len(self._packed)


def read_samples(store: Store, run: int) -> StoredSamples:
    """Return the samples of a run of a store."""
    query = """SELECT ru.method, ru.dataset, ru.scenario, s.data FROM run_units ru
               JOIN units u ON u.key = ru.key JOIN samples s ON s.unit = u.id
               WHERE ru.run = ? AND s.draw = ? ORDER BY ru.position"""
    rows = store.connection.execute(query, [run, DRAW])
    return StoredSamples({(m, d, s): data for m, d, s, data in rows}, store.path)


def _classes(part: Part) -> list[int]:
    """Return the rarest classes of the training rows, the rarest first."""
    counts = np.bincount(part.train.y)
    order = np.argsort(counts, kind="stable")
    return [int(code) for code in order if counts[code]][:CLASSES]


def _some(rows: np.ndarray, most: int, rng: np.random.Generator) -> np.ndarray:
    return rows if len(rows) <= most else np.sort(rng.choice(rows, most, replace=False))
