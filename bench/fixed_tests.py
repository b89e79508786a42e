"""Predicted classes of a run where every draw has the same test rows: few-shot scenarios of finite data sets."""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InputError
from ..leaderboard.predictions import Labels, Predictions, Truth
from .predictions import unpack_labels
from .store_opening import damaged_store
from .stored_text import BrokenRowError, reading_rows

if TYPE_CHECKING:
    from .store import Store

_BLOBS = """SELECT p.draw, p.data FROM run_units ru JOIN units u ON u.key = ru.key JOIN predictions p ON p.unit = u.id
            WHERE ru.run = ? AND ru.method = ? AND ru.dataset = ? AND ru.scenario = ? AND p.classifier = ?"""
_TRUTH = """SELECT DISTINCT d.draw, t.y_test FROM run_units ru JOIN units u ON u.key = ru.key
            JOIN draws d ON d.unit = u.id JOIN truth t ON t.content_hash = d.content_hash
            WHERE ru.run = ? AND ru.dataset = ? AND ru.scenario = ?"""


def fixed_scenarios(info: Mapping[str, Any], scores: Any) -> frozenset[tuple[str, str]]:
    """Return the (dataset, scenario) of a run in which every draw has the same test rows.

    `scenario.make_draw` decides that: a few-shot scenario of a finite data set has one test part per suite seed, all
    else is split, or simulated, anew for each draw.

    Parameters
    ----------
    info : mapping
        What the store keeps of the run.
    scores : pandas.DataFrame
        Its scores: which scenarios there are.
    """
    fresh = {one["dataset"] for one in info["datasets"] if one.get("fresh")}
    places = scores[["dataset", "scenario"]].drop_duplicates().itertuples(index=False)
    return frozenset((str(d), str(s)) for d, s in places if str(s).startswith("few-shot") and d not in fresh)


def stored_predictions(
    store: Store, run: int, info: Mapping[str, Any], scores: Any, keep: bool = False
) -> Predictions | None:
    """Return the predictions of a run on fixed test sets; None if it has no such test sets.

    Parameters
    ----------
    store : Store
        The store, which may be closed before anything is read.
    run : int
        The run's id.
    info, scores
        See `fixed_scenarios`.
    keep : bool
        Read the file into memory now: the store is about to be deleted.
    """
    fixed = fixed_scenarios(info, scores)
    if not fixed:
        return None
    classes = {one["dataset"]: len(one["classes"]) for one in info["datasets"]}
    reader = _Reader(store.path, run, fixed, classes)
    if keep:
        reader.memory = sqlite3.connect(":memory:")
        store.connection.backup(reader.memory)
    return Predictions(fixed, reader.truth, reader.labels)


class _Reader:
    """Reads from a store, which is opened for each reading: no file stays open."""

    def __init__(self, path: Path, run: int, fixed: frozenset[tuple[str, str]], classes: Mapping[str, int]) -> None:
        self.path, self.run, self.fixed, self.classes = path, run, fixed, classes
        self.memory: sqlite3.Connection | None = None

    def truth(self, dataset: str) -> Truth:
        """Return the class codes of the test rows.

        Raises
        ------
        InputError
            They are not the same in all draws: the store is damaged, or was put together from runs that differ.
        """
        scenarios = sorted(scenario for name, scenario in self.fixed if name == dataset)
        blobs = {blob for one in scenarios for _, blob in self._rows(_TRUTH, dataset, one)}
        with self._unpacking():
            found = {zlib.decompress(blob) for blob in blobs}
        if len(found) != 1:
            raise InputError(
                f"store {self.path} has {len(found)} different test sets of {dataset} in its few-shot scenarios, "
                "where all draws should have the same one: run the suite again in a new store"
            )
        return np.frombuffer(found.pop(), dtype=np.uint8), self.classes[dataset]

    def labels(self, method: str, dataset: str, scenario: str, classifier: str, tuned: bool) -> Labels:
        """Return the predicted class codes by draw."""
        rows = self._rows(_BLOBS, method, dataset, scenario, classifier)
        with self._unpacking():
            return {int(draw): unpack_labels(blob, tuned) for draw, blob in rows}

    @contextmanager
    def _unpacking(self) -> Iterator[None]:
        try:
            with reading_rows():
                yield
        except BrokenRowError as error:
            raise damaged_store(self.path, error) from error

    def _rows(self, query: str, *place: str) -> list[tuple[int, bytes]]:
        from .store import Store

        if self.memory is not None:
            return list(self.memory.execute(query, [self.run, *place]))
        with Store(self.path) as store:
            return list(store.connection.execute(query, [self.run, *place]))
