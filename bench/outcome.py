"""What a unit of work gives: scores and predictions by draw and classifier, failures, times."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

#: parts of a unit's seconds
IN_METHOD, IN_CLASSIFIER, IN_DECISION = "method", "classifier", "decision"


@dataclass
class CellResult:
    """One classifier on one draw.

    Attributes
    ----------
    scores : dict of str to float
        Metric to value.
    labels, labels_tuned : numpy.ndarray of shape (n_test,), uint8
        Predicted classes, by the default and by the tuned decision.
    probabilities : numpy.ndarray of shape (n_test, K), float32
    fit_seconds : float
        To fit and predict once, without the inner folds.
    error : str
        Why there is no score, or an empty string.
    tuned : dict
        What tuning chose, by ``method.NAME`` and ``classifier.NAME``, and ``trials``, how many there were; empty where
        the suite has none.
    """

    scores: dict[str, float] = field(default_factory=dict)
    labels: np.ndarray | None = None
    labels_tuned: np.ndarray | None = None
    probabilities: np.ndarray | None = None
    fit_seconds: float = 0.0
    error: str = ""
    tuned: dict[str, Any] = field(default_factory=dict)


@dataclass
class DrawResult:
    """One method on one draw.

    Attributes
    ----------
    training : pandas.DataFrame, optional
        Training curve, if the unit keeps it: columns ``model``, ``step`` and one for each part of the loss.
    effort : dict of str to float
        What the method's training took, see `methods.contract.Augmenter`; empty for one that trains nothing, of a
        tuned method the mean over the classifiers.
    sample : bytes, optional
        A few rows to look at, of the first draw only, see `samples`; of a tuned method those of the first classifier.
    """

    draw: int
    content_hash: str
    y_test: np.ndarray
    n_train: int
    n_generated: int = 0
    seconds: float = 0.0
    fidelity: dict[str, float] = field(default_factory=dict)
    effort: dict[str, float] = field(default_factory=dict)
    cells: dict[str, CellResult] = field(default_factory=dict)
    training: pd.DataFrame | None = None
    sample: bytes | None = None


@dataclass
class UnitResult:
    """What a worker hands back.

    Attributes
    ----------
    key : str
        The unit's.
    draws : list of DrawResult
        Empty if the unit failed as a whole.
    error : str
        The first failure, or an empty string.
    seconds : float
        Wall time of the unit.
    parts : dict of str to float
        The seconds of it spent in the method (`IN_METHOD`), in each classifier (``"classifier NAME"``) and in tuning
        the decision (`IN_DECISION`), inner folds included; the rest is the harness's own.
    peak_memory_mb : float
        Highest resident memory, in MiB, of the process while it computed the unit.
    host : str
        Name of the machine that computed it.
    machine : dict of str to str
        What `provenance.machine` says of it, where that is not the driver's.
    warnings : list of str
        What methods and classifiers warned of, each once.
    """

    key: str
    draws: list[DrawResult] = field(default_factory=list)
    error: str = ""
    seconds: float = 0.0
    parts: dict[str, float] = field(default_factory=dict)
    peak_memory_mb: float = 0.0
    host: str = ""
    machine: dict[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)


class Stopwatch:
    """Adds up the time of fitting and predicting, by what is fitted.

    Attributes
    ----------
    parts : dict of str to float
        As of `UnitResult`.
    """

    def __init__(self) -> None:
        self.parts: dict[str, float] = {}

    @contextmanager
    def work(self, part: str) -> Iterator[list[float]]:
        """Time a block as a part of the work; the list gets its seconds when the block ends."""
        seconds: list[float] = []
        start = time.perf_counter()
        try:
            yield seconds
        finally:
            seconds.append(time.perf_counter() - start)
            self.parts[part] = self.parts.get(part, 0.0) + seconds[0]


def describe(error: BaseException) -> str:
    """Return an error as one line."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}"[:500] if text else type(error).__name__
