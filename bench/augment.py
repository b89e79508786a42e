"""The rows that an augmenter adds to every draw of a unit, checked."""

from __future__ import annotations

from dataclasses import dataclass, field
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd

from .guard import at_work
from .outcome import IN_METHOD, Stopwatch
from .plan import Unit
from .prepare import Part, PreparedDraw
from .scenario import derive_seed


@dataclass(frozen=True)
class Addition:
    """The rows that a method adds to a part, completed like the real ones."""

    X: pd.DataFrame | None = None
    y: np.ndarray | None = None

    def training_set(self, part: Part, *, scaled: bool, synthetic_only: bool) -> tuple[np.ndarray, np.ndarray]:
        """Return the encoded rows and labels that a classifier is trained on."""
        real = part.encoded("train", scaled=scaled)
        if self.X is None or self.y is None:
            return real, part.train.y
        new = part.preparation.encode(self.X, scaled=scaled)
        if synthetic_only:
            return new, self.y
        return np.vstack([real, new]), np.concatenate([part.train.y, self.y])


@dataclass
class Augmented:
    """What an augmenter made of one draw.

    Attributes
    ----------
    whole : Addition or BaseException
        For all training rows.
    inner : list
        The same for each inner fold.
    seconds : float
        What the rows for the whole draw took: its share of the block.
    training : pandas.DataFrame, optional
        Training curve of the whole draw, if the method has one and the unit keeps it.
    effort : dict of str to float
        What the training for the whole draw took, if the method says so.
    """

    whole: Addition | BaseException = field(default_factory=Addition)
    inner: list[Addition | BaseException] = field(default_factory=list)
    seconds: float = 0.0
    training: pd.DataFrame | None = None
    effort: dict[str, float] = field(default_factory=dict)


def augment(unit: Unit, method: Any, prepared: list[PreparedDraw], watch: Stopwatch) -> list[Augmented]:
    """Let an augmenter make rows for all draws of a block, and for their inner folds."""
    wholes = [(one, one.whole, "whole") for one in prepared]
    inner = [(one, part, f"fold {k}") for one in prepared for k, (part, _) in enumerate(one.inner)]
    with watch.work(IN_METHOD) as seconds:
        made = _resample(unit, method, wholes)
    # before the next call writes over them
    curves, efforts = _curves(unit, method, len(prepared)), _efforts(method, len(prepared))
    with watch.work(IN_METHOD):
        made_inner = iter(_resample(unit, method, inner))
    share = seconds[0] / len(prepared)
    return [
        Augmented(first, [next(made_inner) for _ in one.inner], share, curve, effort)
        for one, first, curve, effort in zip(prepared, made, curves, efforts, strict=True)
    ]


def augment_wholes(unit: Unit, method: Any, prepared: list[PreparedDraw]) -> list[Addition | BaseException]:
    """Let an augmenter make rows for the draws only, as `augment` does."""
    return _resample(unit, method, [(one, one.whole, "whole") for one in prepared])


def augment_inner(unit: Unit, method: Any, one: PreparedDraw) -> list[Addition | BaseException]:
    """Let an augmenter make rows for the inner folds of a draw only: nothing of its test part is looked at."""
    return _resample(unit, method, [(one, part, f"fold {k}") for k, (part, _) in enumerate(one.inner)])


def _curves(unit: Unit, method: Any, n_draws: int) -> list[pd.DataFrame | None]:
    curves = getattr(method, "training_histories_", None)
    if not unit.keep_training or not isinstance(curves, list) or len(curves) != n_draws:
        return [None] * n_draws
    return [curve if isinstance(curve, pd.DataFrame) else None for curve in curves]


def _efforts(method: Any, n_draws: int) -> list[dict[str, float]]:
    efforts = getattr(method, "efforts_", None)
    if not isinstance(efforts, list) or len(efforts) != n_draws:
        return [{} for _ in range(n_draws)]
    return [
        # what is no number says nothing
        {str(k): float(v) for k, v in (one or {}).items() if isinstance(v, Real) and np.isfinite(float(v))}
        for one in efforts
    ]


def _resample(unit: Unit, method: Any, parts: list[tuple[PreparedDraw, Part, str]]) -> list[Addition | BaseException]:
    tables, seeds, strategies, wanted = [], [], [], []
    for one, part, name in parts:
        counts = np.bincount(part.train.y)
        new = unit.scenario.wanted(counts, part.share)
        # copies: what a method writes into its input must reach neither other methods nor our check
        tables.append((part.train.X.copy(), part.train.y.copy()))
        seeds.append(derive_seed(one.draw.seed, name, unit.method.id))
        strategies.append({code: int(counts[code]) + count for code, count in new.items()})
        wanted.append(new)
    if not tables:
        return []
    with at_work():
        made = method.fit_resample_many(tables, seeds, strategies)
    return [
        outcome if isinstance(outcome, BaseException) else checked_addition(method, part, outcome, new)
        for (_, part, _), outcome, new in zip(parts, made, wanted, strict=True)
    ]


def checked_addition(
    method: Any, part: Part, outcome: tuple[pd.DataFrame, np.ndarray], wanted: dict[int, int]
) -> Addition | BaseException:
    """Check what a method returned, and keep the new rows."""
    X, y = outcome
    n = len(part.train.y)
    if not _begins_with(X, y, part):
        return ValueError("the training rows did not come back first and unchanged")
    new = X.iloc[n:].reset_index(drop=True)
    labels = np.asarray(y[n:])
    got = {int(code): int(count) for code, count in zip(*np.unique(labels, return_counts=True), strict=True)}
    for code in sorted(set(wanted) | set(got)):
        asked, given = wanted.get(code, 0), got.get(code, 0)
        # a method that rounds by its definition may miss by a tenth
        if given != asked and (method.exact_counts or not 0.9 * asked <= given <= 1.1 * asked):
            return ValueError(f"returned {given} of the {asked} rows asked for of class {code}")
    if not np.isfinite(part.preparation.numeric_values(new)).all():
        return ValueError("generated rows have missing or infinite cells")
    return Addition(new, labels) if len(new) else Addition()


def _begins_with(X: pd.DataFrame, y: np.ndarray, part: Part) -> bool:
    """Tell whether the training rows come first and unchanged."""
    n = len(part.train.y)
    if len(X) < n or not np.array_equal(y[:n], part.train.y) or not X.columns.equals(part.train.X.columns):
        return False
    if part.preparation.categorical:
        return X.iloc[:n].equals(part.train.X)
    return np.array_equal(X.to_numpy()[:n], part.train.X.to_numpy())
