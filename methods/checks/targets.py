"""Augmenters: the classes, in whatever kind they are given."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from . import tables
from .kit import check, expect
from .rows import ask, binary_only, enough, expect_same
from .subject import Subject
from .tables import Training


@check("augmenter")
def check_labels(subject: Subject) -> None:
    """Labels come back in the dtype in which they were given, for every row, and of known classes only."""
    for dtype in ("int64", "int32", "uint8"):
        training = tables.numeric(enough(subject))
        training.y = training.y.astype(dtype)
        X, y = subject.resample(training, ask(training))
        expect(isinstance(y, np.ndarray), f"labels came back as {type(y).__name__}, not as an array")
        expect(y.shape == (len(X),), f"labels of shape {y.shape} came back for {len(X)} rows")
        expect(y.dtype == dtype, f"labels came back as {y.dtype}; they were {dtype}")
        expect(set(y.tolist()) <= {0, 1}, f"labels {sorted(set(y.tolist()) - {0, 1})} are of no class")


@check("augmenter")
def check_text_labels(subject: Subject) -> None:
    """Classes named by text give the same rows as codes, and text back."""
    for dtype in (str, object):
        names = np.array(["common", "rare"], dtype=dtype)
        _expect_same_rows_with(subject, lambda y, names=names: names[y], np.asarray, {"common": 0, "rare": 1})


@check("augmenter")
def check_series_target(subject: Subject) -> None:
    """A Series of labels, whatever its index, gives a Series of the same name and dtype, rows numbered from 0."""

    def given(y: np.ndarray) -> pd.Series:
        return pd.Series(y, index=np.arange(len(y))[::-1] * 2, name="target")

    def read(y: Any) -> np.ndarray:
        expect(isinstance(y, pd.Series), f"labels came back as {type(y).__name__}, not as a Series")
        expect(y.name == "target", f"the Series of labels came back with the name {y.name!r}; it was 'target'")
        expect(y.dtype == "int64", f"labels came back as {y.dtype}; they were int64")
        expect(list(y.index) == list(range(len(y))), "the rows of the Series of labels are not numbered from 0")
        return y.to_numpy()

    _expect_same_rows_with(subject, given, read, {0: 0, 1: 1})


@check("augmenter")
def check_categorical_target(subject: Subject) -> None:
    """Labels in a categorical give a categorical of the same categories, one that no row has included."""
    dtype = pd.CategoricalDtype(["common", "never", "rare"], ordered=True)

    def given(y: np.ndarray) -> pd.Categorical:
        return pd.Categorical(np.array(["common", "rare"])[y], dtype=dtype)

    def read(y: Any) -> np.ndarray:
        found = getattr(y, "dtype", type(y).__name__)
        expect(found == dtype, f"labels came back as {found!r}, not as {dtype!r}")
        return np.asarray(y)

    _expect_same_rows_with(subject, given, read, {"common": 0, "rare": 1})
    _expect_same_rows_with(subject, lambda y: pd.Series(given(y)), read, {"common": 0, "rare": 1})


@check("augmenter")
def check_absent_class(subject: Subject) -> None:
    """A class without rows, between the others, changes no row: scenarios and small draws leave such gaps."""
    _expect_same_rows_with(subject, lambda y: np.array([0, 2])[y], np.asarray, {0: 0, 2: 1})


@check("augmenter", unless=binary_only)
def check_absent_class_among_several(subject: Subject) -> None:
    """Codes with gaps between three classes are no trouble: new rows have the codes that were asked for."""
    training = tables.three_classes((1, 4, 9), smallest=enough(subject, 12))
    rows = {code: int(np.count_nonzero(training.y == code)) for code in (1, 4, 9)}
    _, y = subject.resample(training, {4: rows[4] + 10, 9: rows[9] + 20})
    found = sorted(set(np.asarray(y)[training.n :].tolist()))
    expect(found == [4, 9], f"new rows are of the classes {found}; rows of [4, 9] were asked for")


def _expect_same_rows_with(subject: Subject, given: Any, read: Any, codes: dict[Any, int]) -> None:
    """Check that labels of another kind give the rows that the codes 0 and 1 give, and labels of that kind.

    Parameters
    ----------
    subject : Subject
    given : callable
        Makes the labels from codes.
    read : callable
        Turns what comes back into an array of labels.
    codes : dict
        The code of each label.
    """
    plain = tables.numeric(enough(subject))
    counts = ask(plain)
    wanted, wanted_codes = subject.resample(plain.copy(), counts)
    training = Training.of(plain.X.copy(), given(plain.y))
    X, y = subject.resample(training, {label: counts[code] for label, code in codes.items()})
    labels = read(y)
    expect_same(subject, plain, X, wanted, "with the classes given in another way")
    found = [codes.get(label) for label in labels.tolist()]
    expect(found == np.asarray(wanted_codes).tolist(), "labels are others with the classes given in another way")
