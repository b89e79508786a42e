"""What a run predicted for each test row, read from its store when it is asked for."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..leaderboard.predictions import PredictedRows
from .predictions import unpack_predictions
from .stored_text import reading_rows

_ROWS = """SELECT p.draw, t.y_test, p.data FROM run_units ru JOIN units u ON u.key = ru.key
           JOIN predictions p ON p.unit = u.id JOIN draws d ON d.unit = u.id AND d.draw = p.draw
           JOIN truth t ON t.content_hash = d.content_hash
           WHERE ru.run = ? AND ru.method = ? AND ru.dataset = ? AND ru.scenario = ? AND p.classifier = ?
           ORDER BY p.draw"""


@dataclass(frozen=True)
class StoredRows:
    """Reads the test rows of one run; the store is opened for each reading, so that no file stays open.

    Attributes
    ----------
    path : Path
        The store.
    run : int
        The run's id.
    """

    path: Path
    run: int

    def __call__(self, method: str, dataset: str, scenario: str, classifier: str) -> dict[int, PredictedRows]:
        """Return the test rows by draw, failed draws left out."""
        from .store import Store

        rows = {}
        with Store(self.path) as store, reading_rows():
            for draw, truth, blob in store.connection.execute(_ROWS, [self.run, method, dataset, scenario, classifier]):
                predicted = unpack_predictions(blob)
                labels, probabilities = predicted["labels"], predicted["probabilities"]
                assert labels is not None
                assert probabilities is not None
                y = np.frombuffer(zlib.decompress(truth), np.uint8)
                rows[int(draw)] = PredictedRows(y, labels, probabilities, predicted["labels_tuned"])
        return rows
