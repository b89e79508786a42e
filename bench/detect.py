"""What detectors predict: fitted to all draws of a unit at once, in the place of a classifier."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from ..methods.contract import Detector
from .cells import Prediction
from .guard import at_work
from .outcome import IN_METHOD, Stopwatch
from .plan import Unit
from .prepare import Part, PreparedDraw
from .scenario import derive_seed


def detect(
    unit: Unit, method: Detector, prepared: list[PreparedDraw], watch: Stopwatch
) -> tuple[list[Prediction], list[pd.DataFrame | None]]:
    """Fit a detector to all draws of a block by one call, to their inner folds by another.

    Returns
    -------
    predictions : list of Prediction
        One for each draw.
    curves : list of pandas.DataFrame or None
        Training curve of each whole draw, if the detector has one and the unit keeps it.
    """
    fitted, whole, seconds = _fit(unit, method, [(one, one.whole, "whole") for one in prepared], watch)
    inner = [(one, part, f"fold {k}") for one in prepared for k, (part, _) in enumerate(one.inner)]
    _, held_out, _ = _fit(unit, method, inner, watch)
    rest = iter(held_out)
    predictions = [
        Prediction(p, [next(rest) for _ in one.inner], cost)
        for one, p, cost in zip(prepared, whole, seconds, strict=True)
    ]
    for prediction, one in zip(predictions, fitted, strict=True):
        prediction.effort = dict(getattr(one, "effort_", {}))
    curves = [getattr(one, "training_history_", None) if unit.keep_training else None for one in fitted]
    return predictions, [curve if isinstance(curve, pd.DataFrame) else None for curve in curves]


def detect_wholes(unit: Unit, method: Detector, prepared: list[PreparedDraw]) -> list[np.ndarray | BaseException]:
    """Fit a detector to the draws only; return what it predicts for their test rows."""
    return _fit(unit, method, [(one, one.whole, "whole") for one in prepared], Stopwatch())[1]


def detect_inner(unit: Unit, method: Detector, one: PreparedDraw, watch: Stopwatch) -> list[np.ndarray | BaseException]:
    """Fit a detector to the inner folds of a draw only; return what it predicts for the rows that each holds out."""
    return _fit(unit, method, [(one, part, f"fold {k}") for k, (part, _) in enumerate(one.inner)], watch)[1]


def _fit(
    unit: Unit, method: Detector, parts: list[tuple[PreparedDraw, Part, str]], watch: Stopwatch
) -> tuple[list[Detector | BaseException], list[np.ndarray | BaseException], list[float]]:
    """Return the fitted detectors, what each predicts for its part's test rows, and each one's share of the seconds."""
    if not parts:
        return [], [], []
    # copies: what a method writes into its input must reach nobody else
    tables = [(part.train.X.copy(), part.train.y.copy()) for _, part, _ in parts]
    series = [None if part.train.series is None else part.train.series.copy() for _, part, _ in parts]
    seeds = [derive_seed(one.draw.seed, name, unit.method.id) for one, _, name in parts]
    with watch.work(IN_METHOD) as fitting, at_work():
        fitted = method.fit_many(tables, seeds, series)
    if len(fitted) != len(parts):
        raise ValueError(f"fit_many returned {len(fitted)} detectors for {len(parts)} training sets")
    rows = sum(len(part.train.y) for _, part, _ in parts)
    predicted, seconds = [], []
    for (_, part, _), one in zip(parts, fitted, strict=True):
        with watch.work(IN_METHOD) as predicting, at_work():
            predicted.append(one if isinstance(one, BaseException) else _probabilities(one, part))
        seconds.append(fitting[0] * len(part.train.y) / rows + predicting[0])
    return fitted, predicted, seconds


def _probabilities(detector: Any, part: Part) -> np.ndarray | BaseException:
    """Return the probabilities of a part's test rows, shape (n_test, 2), or the exception."""
    X, series = part.test.X.copy(), None if part.test.series is None else part.test.series.copy()
    try:
        probabilities = np.asarray(detector.predict_proba(X, series), dtype=float)
        if probabilities.shape != (len(X), 2):
            raise ValueError(f"probabilities of shape {probabilities.shape} for {len(X)} rows of two classes")
        if not np.isfinite(probabilities).all():
            raise ValueError("predicted probabilities that are not numbers")
        return probabilities
    except (Exception, SystemExit) as error:
        return error
