"""What is wrong with a table before any method sees it: sizes, missing cells, duplicates, ids, leaks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from .columns import Column, read_columns, stray_words
from .findings import Finding, by_severity, drop_options, listed, number_of, percent
from .identifiers import is_named, why_id
from .leaks import Mark, class_sample, leaking, marks, strength

#: share of the rows from which on repeated rows touch the scores
MANY_DUPLICATES = 0.01
#: rows below which a class is small: most methods look for 5 neighbours, in the training part alone
SMALL_CLASS = 10
#: an id with which the class is met so often (balanced accuracy, cross-validated) gives it away
_TELLING = 0.9
#: a column of text with so few distinct values may be of categories that are called by numbers
_FEW_LEVELS = 20


@dataclass(frozen=True)
class Inspection:
    """What was found in a table.

    Attributes
    ----------
    n_rows, n_numeric, n_categorical : int
        Its size: rows, columns of numbers, other columns.
    classes : tuple of str
        Label of each class.
    class_counts : tuple of int
        Rows of each class.
    missing : dict of str to int
        Missing cells of the columns that have any, most first.
    strengths : dict of str to float
        Balanced accuracy with which each column alone predicts the class (cross-validated), highest first.
    findings : tuple of Finding
        The gravest first.
    """

    n_rows: int
    n_numeric: int
    n_categorical: int
    classes: tuple[str, ...]
    class_counts: tuple[int, ...]
    missing: dict[str, int]
    strengths: dict[str, float]
    findings: tuple[Finding, ...]

    @property
    def balance(self) -> float:
        """Entropy of the class shares over its maximum: 1 where classes are equally frequent, near 0 where one is all.

        H / log K with H = −Σ p log p (Shannon 1948); classes without a row count in K.
        """
        return balance(self.class_counts)

    @property
    def n_columns(self) -> int:
        """Feature columns."""
        return self.n_numeric + self.n_categorical


def balance(counts: Sequence[int]) -> float:
    """Return the normalised entropy of class counts, see `Inspection.balance`; 0 for a single class.

    Examples
    --------
    >>> balance([50, 50])
    1.0
    >>> round(balance([99, 1]), 3)
    0.081
    """
    shares = np.array([count for count in counts if count > 0]) / max(1, sum(counts))
    if len(shares) < 2:
        return 0.0
    return float(-(shares * np.log(shares)).sum() / np.log(len(counts)))


def inspect(X: pd.DataFrame, y: np.ndarray, classes: Sequence[str], without_class: int = 0) -> Inspection:
    """Look a table over.

    Parameters
    ----------
    X : pandas.DataFrame of shape (n_rows, n_features)
        Columns of any type, as they stand in a file or as a dataset loads them.
    y : numpy.ndarray of shape (n_rows,), int64
        Class codes 0..K-1.
    classes : sequence of str
        Label of each code.
    without_class : int
        Rows that were left out because their class is missing.

    Returns
    -------
    Inspection
        The same for the same table: where rows are sampled, the generator is fixed.

    Examples
    --------
    >>> table = pd.DataFrame({"no": range(40), "x": [0.5, 1.5] * 20})
    >>> [(one.kind, one.columns) for one in inspect(table, np.arange(40) % 2, ["a", "b"]).findings][-1]
    ('duplicates', ())
    """
    columns = read_columns(X)
    counts = np.bincount(y, minlength=len(classes))
    rows, fold = class_sample(y, len(columns))
    strengths = {one.name: strength(one, y, rows, fold) for one in columns}
    strays = _stray_words(columns)
    amounts = {name for one in strays for name in one.columns}
    ids = {one.name: why for one in columns if one.name not in amounts and (why := why_id(one))}
    rest = [one for one in columns if one.name not in ids]
    leaks, others = leaking(rest, strengths, y, rows, fold)
    found = [
        *_leaks(leaks, strengths, others),
        *_marks([one for one in rest if one.name not in leaks], y, classes),
        *(_id(one, ids[one.name], strengths[one.name], y) for one in columns if one.name in ids),
        *strays,
        *_repeats([one for one in rest if one.n_distinct > 1], y, list(ids)),
        *_constants(columns),
        *_missing(columns, without_class),
        *_small_classes(counts, classes),
    ]
    missing = {one.name: int(one.missing.sum()) for one in columns if one.missing.any()}
    n_numeric = sum(one.values is not None for one in columns)
    return Inspection(
        n_rows=len(y),
        n_numeric=n_numeric,
        n_categorical=len(columns) - n_numeric,
        classes=tuple(classes),
        class_counts=tuple(counts.tolist()),
        missing=dict(sorted(missing.items(), key=lambda item: -item[1])),
        strengths=dict(sorted(strengths.items(), key=lambda item: -item[1])),
        findings=tuple(by_severity(found)),
    )


def _leaks(names: list[str], strengths: dict[str, float], others: float) -> list[Finding]:
    """Return one finding for the columns that alone predict the class."""
    if not names:
        return []
    reached = f", all others together {others:.2f}" if others else ""
    least = min(strengths[name] for name in names)
    verb = "predict" if len(names) > 1 else "predicts"
    message = f"{listed(names)} alone {verb} the class (balanced accuracy {least:.3f}{reached})"
    advice = f"is it known before the class is? If not: {drop_options(names)}"
    return [Finding("leak", "serious", tuple(names), message, advice)]


def _marks(columns: list[Column], y: np.ndarray, classes: Sequence[str]) -> list[Finding]:
    """Return a finding for each column with a mark, and one for the sparse columns that stand among such columns."""
    found = []
    for column in columns:
        best: Mark | None = max(marks(column, y), key=lambda one: one.hits, default=None)
        if best is not None:
            message = (
                f"{best.hits:,} of the {number_of(best.rows, 'row')} where '{best.column}' {best.words} are of class "
                f"'{classes[best.code]}' ({percent(best.share, 0)} of that class)"
            )
            advice = f"is it known before the class is? If not: {drop_options([best.column])}"
            found.append(Finding("mark", "serious", (best.column,), message, advice, best.rows))
    marked = {one.columns[0] for one in found}
    return [*found, *_beside(columns, marked)]


def _beside(columns: list[Column], marked: set[str]) -> list[Finding]:
    """Return the sparse two-valued columns next to two or more marked ones: one group of flags, most likely.

    AI4I's random failures are such a one: 1 of its 19 rows has failed, so that no count can show that it leaks.
    """
    if len(marked) < 2:
        return []
    names = [one.name for one in columns]
    found = []
    for i, column in enumerate(columns):
        near = marked & set(names[max(0, i - 1) : i + 2])
        sparse = column.n_distinct == 2 and np.bincount(column.codes[~column.missing]).min() <= 0.05 * len(column.codes)
        if sparse and near and column.name not in marked:
            message = f"column '{column.name}' is sparse, too, and stands beside {listed(sorted(near))}"
            advice = f"if they were noted together: {drop_options([column.name])}"
            found.append(Finding("beside-marks", "warning", (column.name,), message, advice))
    return found


def _id(column: Column, why: str, strength: float, y: np.ndarray) -> Finding:
    """Return the finding of an id; grave where the class can be read from it."""
    name, steps = column.name, np.diff(column.codes)
    by_class = np.count_nonzero(np.diff(y)) == len(np.unique(y)) - 1
    in_order = column.values is not None and bool((steps > 0).all() or (steps < 0).all())
    telling = strength >= _TELLING or (by_class and in_order)
    tells = ""
    if telling:
        sorted_by = "the rows are sorted by class, so that " if by_class and in_order else ""
        tells = f"; {sorted_by}it gives the class away (balanced accuracy {strength:.2f})"
    seems = "it looks like an id" + (" or free text" if column.values is None else "")
    message = f"column '{name}' {why}: {'an id' if is_named(name) else seems}{tells}"
    return Finding("id", "serious" if telling else "warning", (name,), message, f"leave it out: {drop_options([name])}")


def _stray_words(columns: list[Column]) -> list[Finding]:
    """Return a finding for each column of many numbers with a few words among them, which make it text."""
    found = []
    for column in columns:
        if column.values is not None or column.n_distinct <= _FEW_LEVELS:
            continue
        text = pd.Series([str(column.distinct[code]) for code in column.codes if code >= 0])
        words = stray_words(text)
        if words is not None and len(words):
            message = (
                f"column '{column.name}' holds numbers, but {len(words):,} of {number_of(len(text), 'cell')} "
                f"{'is' if len(words) == 1 else 'are'} none, such as '{words.iloc[0]}'"
            )
            found.append(Finding("stray-words", "warning", (column.name,), message, "make those cells empty"))
    return found


def equal_rows(columns: Sequence[Column]) -> np.ndarray:
    """Return a number for each row, the same for rows with equal values: random weights, summed modulo 2^64."""
    rng = np.random.default_rng(0)
    total = np.zeros(len(columns[0].codes), dtype=np.uint64)
    for column in columns:
        # odd, so that no two values of a column coincide
        weight = rng.integers(0, 2**63, dtype=np.uint64) * np.uint64(2) + np.uint64(1)
        total += (column.codes + 1).astype(np.uint64) * weight
    return pd.factorize(total)[0]


def _repeats(columns: list[Column], y: np.ndarray, ids: list[str]) -> list[Finding]:
    """Return the findings of rows with equal features; ids are no features here."""
    if not columns:
        return []
    group = equal_rows(columns)
    by_class = pd.DataFrame({"group": group, "y": y}).value_counts(sort=False)
    sizes = by_class.groupby(level="group").agg(["sum", "max", "size"])
    many = max(1.0, MANY_DUPLICATES * len(y))
    found = []
    repeated = len(y) - len(sizes)
    if repeated:
        same = len(y) - len(by_class)
        too = f", {same:,} of them its class, too" if same < repeated else ""
        message = (
            f"{number_of(repeated, 'row')} of {len(y):,} ({percent(repeated / len(y))}) "
            f"{'repeats' if repeated == 1 else 'repeat'} the features of an earlier row{too}; "
            f"{len(sizes):,} are distinct"
        )
        once = f", once the ids are left out ({drop_options(ids)})" if ids else ""
        advice = f"bench run keeps equal rows on one side of every split{once}; they count as often as they stand there"
        severity = "warning" if repeated >= many else "note"
        found.append(Finding("duplicates", severity, (), message, advice, repeated))
    mixed = sizes[sizes["size"] > 1]
    if len(mixed):
        lost = int((mixed["sum"] - mixed["max"]).sum())
        message = (
            f"{number_of(len(mixed), 'group')} of equal rows with more than one class: whatever a model says, "
            f"{number_of(lost, 'row')} ({percent(lost / len(y), 2)}) will be wrong"
        )
        severity = "warning" if lost >= many else "note"
        advice = "look whether a column is missing, or labels are wrong"
        found.append(Finding("contradictions", severity, (), message, advice, lost))
    return found


def _constants(columns: list[Column]) -> list[Finding]:
    """Return the findings of columns without information."""
    found = []
    for words, few in (("no value at all", 0), ("one value only", 1)):
        names = tuple(one.name for one in columns if one.n_distinct == few)
        if names:
            message = f"{listed(names)} {'have' if len(names) > 1 else 'has'} {words}"
            advice = f"bench run --data refuses a table with such a column: {drop_options(names)}"
            found.append(Finding("constant", "note", names, message, advice))
    return found


def _missing(columns: list[Column], without_class: int) -> list[Finding]:
    """Return the findings of missing cells, and of rows without a class."""
    found = []
    if without_class:
        message = f"{number_of(without_class, 'row')} without a class, left out here"
        advice = "bench run --data refuses them: remove those rows, or fill in their class"
        found.append(Finding("missing", "warning", (), message, advice, without_class))
    holed = {one.name: int(one.missing.sum()) for one in columns if one.missing.any() and one.n_distinct > 0}
    if holed:
        names = sorted(holed, key=lambda name: -holed[name])
        cells, size = sum(holed.values()), len(columns) * len(columns[0].codes)
        message = f"{number_of(cells, 'missing cell')} ({percent(cells / size)}) in {listed(names)}"
        advice = "bench run fills them in from the training rows (median; a category of its own)"
        found.append(Finding("missing", "note", tuple(names), message, advice, cells))
    return found


def _small_classes(counts: np.ndarray, classes: Sequence[str]) -> list[Finding]:
    """Return a finding for the classes with very few rows."""
    small = [(label, int(count)) for label, count in zip(classes, counts, strict=True) if count < SMALL_CLASS]
    if not small:
        return []
    message = "few rows: " + ", ".join(f"class '{label}' has {number_of(count, 'row')}" for label, count in small)
    refused = "bench run --data refuses a class of one row; " if min(counts) < 2 else ""
    advice = f"{refused}merge or remove such classes, or read their scores with care"
    return [Finding("small-class", "note", (), message, advice, sum(count for _, count in small))]
