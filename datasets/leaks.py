"""Columns that give the class away: one alone predicts it, or a value of one stands in rows of a rare class only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from .columns import Column

#: a column leaks if alone it has at least this balanced accuracy, and all others together miss this much more
LEAKING = 0.98
SHORT_OF = 0.03
#: a mark: nearly all rows with it are of one rare class, of which it stands in a share and a number of rows; rare is a
#: class with at most this share of the rows, and at most that share of the largest class (of ten digits none is rare)
PRECISION = 0.95
RARE = 0.2
RARE_TO_LARGEST = 0.25
FEWEST_ROWS = 10
LEAST_SHARE = 0.05
#: columns with at most so many distinct values are read as categories
FEW_LEVELS = 50
#: what single columns are tried on: rows in all, cells in all, folds
_ROWS = 4000
_CELLS = 500_000
_FOLDS = 3


@dataclass(frozen=True)
class Mark:
    """A property of a column that stands (nearly) only in rows of one rare class.

    Attributes
    ----------
    column, words : str
        The column and the property, e.g. ``"is 1"`` or ``"is missing"``.
    code : int
        The class.
    hits, rows : int
        Rows of that class with the property, and all rows with it.
    share : float
        Part of the class that has it.
    """

    column: str
    words: str
    code: int
    hits: int
    rows: int
    share: float


def class_sample(y: np.ndarray, n_columns: int) -> tuple[np.ndarray, np.ndarray]:
    """Choose rows on which single columns are tried: of rare classes all, of others as many as each can have.

    Parameters
    ----------
    y : numpy.ndarray of shape (n_rows,)
        Class codes.
    n_columns : int
        The more columns, the fewer rows.

    Returns
    -------
    rows, fold : numpy.ndarray
        Positions, in order, and a fold for each, stratified by class; the same every time.
    """
    rng = np.random.default_rng(0)
    room = min(_ROWS, max(500, _CELLS // max(1, n_columns)))
    counts = np.sort(np.bincount(y)[np.unique(y)])
    for i, count in enumerate(counts):
        # what small classes leave is shared by the large ones
        most = room // (len(counts) - i)
        if count >= most:
            break
        room -= count
    fold_of = np.full(len(y), -1)
    for code in np.unique(y):
        chosen = rng.permutation(np.flatnonzero(y == code))[: max(most, _FOLDS)]
        fold_of[chosen] = (np.arange(len(chosen)) + code) % _FOLDS
    rows = np.flatnonzero(fold_of >= 0)
    return rows, fold_of[rows]


def strength(column: Column, y: np.ndarray, rows: np.ndarray, fold: np.ndarray) -> float:
    """Return the balanced accuracy of predicting the class from one column alone, cross-validated.

    Few distinct values, and text, are looked up (a value never seen is a miss); many numbers go through a tree with
    two leaves for each class. Classes weigh the same.

    Parameters
    ----------
    column : Column
        The column.
    y : numpy.ndarray of shape (n_rows,)
        Class codes.
    rows, fold : numpy.ndarray
        What `class_sample` returned.
    """
    codes, labels = column.codes[rows], y[rows]
    if column.n_distinct <= 1 and not column.missing.any():
        return 1 / len(np.unique(y))
    look_up = column.values is None or column.n_distinct <= FEW_LEVELS
    found = np.empty(len(rows), dtype=np.int64)
    for k in range(_FOLDS):
        train, test = fold != k, fold == k
        predict = _looked_up if look_up else _tree
        found[test] = predict(codes[train], labels[train], codes[test])
    return balanced_accuracy(labels, found)


def balanced_accuracy(y: np.ndarray, found: np.ndarray) -> float:
    """Return the mean over the classes of the share of rows that are right."""
    return float(np.mean([np.mean(found[y == code] == code) for code in np.unique(y)]))


def _looked_up(codes: np.ndarray, y: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Predict the class that is most over-represented at a value; -1 for values that were never seen."""
    size = max(int(codes.max(initial=-1)), int(wanted.max(initial=-1))) + 2
    counts = np.zeros((size, int(y.max()) + 1))
    np.add.at(counts, (codes + 1, y), 1)
    seen = counts.sum(axis=1) > 0
    counts /= np.maximum(counts.sum(axis=0), 1)
    return np.where(seen, counts.argmax(axis=1), -1)[wanted + 1]


def _tree(codes: np.ndarray, y: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Predict by a small tree over ranks, which 32 bits hold where they do not hold large ids."""
    from sklearn.tree import DecisionTreeClassifier

    leaves = max(4, 2 * len(np.unique(y)))
    tree = DecisionTreeClassifier(max_leaf_nodes=leaves, class_weight="balanced", random_state=0)
    ranks = np.where(codes < 0, np.nan, codes)[:, None]
    return tree.fit(ranks, y).predict(np.where(wanted < 0, np.nan, wanted)[:, None])


def strength_together(columns: Sequence[Column], y: np.ndarray, rows: np.ndarray, fold: np.ndarray) -> float:
    """Return the balanced accuracy of a forest on several columns together, cross-validated as `strength`."""
    from sklearn.ensemble import RandomForestClassifier

    if not columns:
        return 0.0
    X = np.column_stack([one.codes[rows] for one in columns])
    labels = y[rows]
    found = np.empty(len(rows), dtype=np.int64)
    for k in range(_FOLDS):
        forest = RandomForestClassifier(30, class_weight="balanced", min_samples_leaf=2, random_state=0)
        found[fold == k] = forest.fit(X[fold != k], labels[fold != k]).predict(X[fold == k])
    return balanced_accuracy(labels, found)


def leaking(
    columns: Sequence[Column], strengths: dict[str, float], y: np.ndarray, rows: np.ndarray, fold: np.ndarray
) -> tuple[list[str], float]:
    """Return the columns that alone predict the class where the others do not, and what the others reach.

    Where the others do nearly as well the classes are easy to tell apart, and a column that does it alone is no leak.

    Parameters
    ----------
    columns : sequence of Column
        All of them.
    strengths : dict of str to float
        `strength` of each, by name.
    y, rows, fold
        As for `strength`.
    """
    suspects = [one.name for one in columns if strengths[one.name] >= LEAKING]
    if not suspects:
        return [], 0.0
    together = strength_together([one for one in columns if one.name not in suspects], y, rows, fold)
    least = min(strengths[name] for name in suspects)
    return (suspects, together) if together <= least - SHORT_OF else ([], together)


def marks(column: Column, y: np.ndarray) -> list[Mark]:
    """Return the properties of a column that stand (nearly) only in rows of one rare class.

    Looked at are each of few distinct values, any value but the most frequent one (where that fills half of the rows),
    a missing value and a present one.
    """
    sizes = np.bincount(y)
    rare = sizes <= min(RARE * len(y), RARE_TO_LARGEST * sizes.max())
    if not rare.any():
        return []
    found = []
    for words, rows in _properties(column):
        hits = np.bincount(y[rows], minlength=len(sizes))
        total = int(hits.sum())
        code = int(hits.argmax())
        share = hits[code] / sizes[code]
        if rare[code] and hits[code] >= max(FEWEST_ROWS, PRECISION * total) and share >= LEAST_SHARE:
            found.append(Mark(column.name, words, code, int(hits[code]), total, float(share)))
    return found


def _properties(column: Column) -> Iterator[tuple[str, np.ndarray]]:
    """Yield what a row may have of a column, in words, with the rows that have it."""
    missing = column.missing
    if missing.any() and not missing.all():
        yield "is missing", np.flatnonzero(missing)
        yield "has a value", np.flatnonzero(~missing)
    counts = np.bincount(column.codes[~missing], minlength=1)
    mode = int(counts.argmax())
    if column.n_distinct <= FEW_LEVELS:
        for code in np.flatnonzero((counts >= FEWEST_ROWS) & (counts < len(missing) / 2)):
            yield f"is {_shown(column, int(code))}", np.flatnonzero(column.codes == code)
    elif counts[mode] >= len(missing) / 2:
        yield f"is not {_shown(column, mode)}", np.flatnonzero((column.codes != mode) & ~missing)


def _shown(column: Column, code: int) -> str:
    """Return a distinct value for people."""
    value = column.distinct[code]
    return f"{value:g}" if column.values is not None else f"'{value}'"
