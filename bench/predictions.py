"""Per-row predictions as small blobs."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

import numpy as np

from .metrics import LOG_LOSS_FLOOR

if TYPE_CHECKING:
    from .evaluate import CellResult


def pack_predictions(cell: CellResult) -> bytes:
    """Compress per-row predictions: labels as bytes, probabilities as float16 log-ratios to the first class.

    Log-ratios keep their relative precision (about 0.1 %) for rare and for almost certain classes alike.
    """
    assert cell.probabilities is not None
    assert cell.labels is not None
    # the floor of the log-loss, so that it can be computed again
    logs = np.log(np.clip(cell.probabilities.astype(float), LOG_LOSS_FLOOR, None))
    ratios = (logs[:, 1:] - logs[:, :1]).astype("<f2")
    tuned = cell.labels if cell.labels_tuned is None else cell.labels_tuned
    header = np.array([cell.probabilities.shape[1], cell.labels_tuned is not None], dtype=np.uint8)
    columns = np.ascontiguousarray(ratios.T)
    return zlib.compress(header.tobytes() + cell.labels.tobytes() + tuned.tobytes() + columns.tobytes(), 3)


def unpack_predictions(data: bytes) -> dict[str, np.ndarray | None]:
    """Return ``labels``, ``labels_tuned`` (or None) and ``probabilities``, shape (n, K), of `pack_predictions`."""
    raw = zlib.decompress(data)
    n_classes, has_tuned = raw[0], bool(raw[1])
    n = (len(raw) - 2) // (2 + 2 * (n_classes - 1))
    labels, tuned = (np.frombuffer(raw, np.uint8, n, 2 + start) for start in (0, n))
    ratios = np.frombuffer(raw, "<f2", n * (n_classes - 1), 2 + 2 * n).reshape(n_classes - 1, n).T.astype(float)
    logs = np.hstack([np.zeros((n, 1)), ratios])
    weights = np.exp(logs - logs.max(axis=1, keepdims=True))
    return {
        "labels": labels,
        "labels_tuned": tuned if has_tuned else None,
        "probabilities": weights / weights.sum(axis=1, keepdims=True),
    }


def unpack_labels(data: bytes, tuned: bool = False) -> np.ndarray:
    """Return the predicted classes of `pack_predictions` alone; tuned ones where there are any."""
    raw = zlib.decompress(data)
    n = (len(raw) - 2) // (2 * raw[0])
    return np.frombuffer(raw, np.uint8, n, 2 + (n if tuned else 0))
