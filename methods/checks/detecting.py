"""Detectors: scores, the threshold, and the probabilities and classes that follow from them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from . import tables
from .kit import check, expect
from .rows import enough, numeric_only
from .subject import Subject, isolated
from .tables import Training
from .tables_at_the_edge import expect_refusal, takes_one_row

#: share of a score by which it may differ between two ways of computing the same
SAME = 1e-6


def series_needed(subject: Subject) -> str:
    """Return why a check without series does not apply."""
    return "needs series (needs_series)" if subject.declares("needs_series") else ""


def _rows(subject: Subject) -> Training:
    """Return training rows whose rare class lies further out."""
    training = tables.numeric(enough(subject))
    rare = training.y == 1
    training.X[rare] = training.X.mean().to_numpy() + 4 * (training.X[rare] - training.X.mean()).to_numpy()
    return training


def _scores(subject: Subject, training: Training) -> np.ndarray:
    fitted = subject.fit(training)
    with isolated():
        return fitted.score_samples(training.X, training.series)


def _same(found: np.ndarray, wanted: np.ndarray) -> bool:
    """Tell whether scores are the same up to rounding: the layout in memory may change the order of a sum."""
    return bool(np.allclose(found, wanted, rtol=SAME, atol=0))


@check("detector")
def check_scores(subject: Subject) -> None:
    """A score for each row, 0 or more; of rows that were never seen as well."""
    training, other = _rows(subject), tables.numeric(enough(subject), seed=1)
    fitted = subject.fit(training)
    for rows in (training, other):
        with isolated():
            scores = fitted.score_samples(rows.X, rows.series)
        expect(np.shape(scores) == (rows.n,), f"scores of shape {np.shape(scores)} for {rows.n} rows")
        expect((scores >= 0).all(), f"{int((~(scores >= 0)).sum())} of {rows.n} scores are not 0 or more")


@check("detector")
def check_threshold(subject: Subject) -> None:
    """Fitting sets a threshold that is finite and above 0, and the classes; the larger class is the normal one."""
    training = _rows(subject)
    for codes in ([0, 1], [1, 0], [0, 2]):
        given = Training.of(training.X, np.array(codes)[training.y])
        fitted = subject.fit(given)
        threshold = fitted.threshold_
        expect(np.isfinite(threshold) and threshold > 0, f"threshold_ is {threshold}")
        found = np.asarray(fitted.classes_).tolist()
        expect(found == sorted(codes), f"classes_ are {found}; the rows are of {sorted(codes)}")
        expect(fitted.normal_class_ == codes[0], f"normal_class_ is {fitted.normal_class_}; most rows are {codes[0]}")


@check("detector")
def check_decisions(subject: Subject) -> None:
    """Probabilities sum to 1 and rise with the score; rows above the threshold are called anomalous."""
    training = _rows(subject)
    fitted = subject.fit(training)
    with isolated():
        scores = fitted.score_samples(training.X, training.series)
        probabilities = fitted.predict_proba(training.X, training.series)
        predicted = fitted.predict(training.X, training.series)
    expect(probabilities.shape == (training.n, 2), f"probabilities of shape {probabilities.shape}")
    expect(np.allclose(probabilities.sum(axis=1), 1), "rows of probabilities do not sum to 1")
    rising = np.diff(probabilities[np.argsort(scores, kind="stable"), 1]) >= -1e-12
    expect(rising.all(), "the probability of the anomalous class falls where the score rises")
    called = np.asarray(predicted) == 1
    expect(
        np.array_equal(called, scores > fitted.threshold_), "rows above the threshold are not those called anomalous"
    )


@check("detector")
def check_text_classes(subject: Subject) -> None:
    """Classes named by text, or in a categorical, give the same scores, and text back."""
    training = _rows(subject)
    wanted = _scores(subject, training)
    names = np.array(["common", "rare"])[training.y]
    for y in (names, pd.Series(names, index=np.arange(training.n)[::-1]), pd.Categorical(names)):
        given = Training.of(training.X, y)
        fitted = subject.fit(given)
        with isolated():
            scores, predicted = (f(given.X, given.series) for f in (fitted.score_samples, fitted.predict))
        expect(_same(scores, wanted), "scores differ with the classes given in another way")
        unknown = set(np.asarray(predicted)) - {"common", "rare"}
        expect(not unknown, f"predicted {sorted(map(str, unknown))}, which are no classes")


@check("detector")
def check_array_and_index(subject: Subject) -> None:
    """An array, and a frame with any index, give the same scores as a frame."""
    training = _rows(subject)
    wanted = _scores(subject, training)
    odd = training.X.set_axis(np.arange(training.n)[::-1] // 2, axis=0)
    for X in (training.X.to_numpy(), odd):
        found = _scores(subject, Training.of(X, training.y))
        expect(_same(found, wanted), "scores differ for the same numbers as an array or with another index")


@check("detector", unless=numeric_only)
def check_unseen_category(subject: Subject) -> None:
    """Categorical columns are taken, and a row to be scored may lack a category (one never seen in training)."""
    training = tables.mixed(enough(subject))
    fitted = subject.fit(training)
    rows = training.X.copy()
    rows.loc[:4, "level"] = None
    with isolated():
        scores = fitted.score_samples(rows, training.series)
    expect(np.isfinite(scores).all(), "scores of rows with an unseen category are not finite")


@check("detector")
def check_unusual_columns(subject: Subject) -> None:
    """A constant column, a single column and a thousand columns are no trouble."""
    constant = _rows(subject)
    constant.X["b"] = 0.1
    one, many = (tables.numeric(enough(subject), columns=columns) for columns in (1, 1000))
    for training in (constant, one, many):
        scores = _scores(subject, training)
        shape = f"{training.X.shape[1]} columns"
        expect(np.isfinite(scores).all(), f"scores of training rows are not finite ({shape})")


@check("detector")
def check_fewest_anomalies(subject: Subject) -> None:
    """With as few rows of a class as are declared (min_per_class) it can be fitted."""
    fewest = subject.declares("min_per_class")
    for rows in sorted({fewest, max(2, fewest)}):
        _scores(subject, tables.numeric(rows))


@check("detector", unless=takes_one_row)
def check_fewer_anomalies_refused(subject: Subject) -> None:
    """Fewer rows of a class than it declares are refused, and the message says how many there are."""
    fewest = subject.declares("min_per_class")
    training = tables.numeric(fewest - 1)
    expect_refusal(lambda: subject.fit(training), (str(fewest), str(fewest - 1)), f"{fewest - 1} rows of a class")


@check("detector")
def check_two_classes_only(subject: Subject) -> None:
    """One class, or three, are refused: a score has one direction."""
    three = tables.three_classes(smallest=enough(subject))
    one = Training.of(three.X, np.zeros(three.n, dtype=int))
    for training, found in ((one, "1"), (three, "3")):
        expect_refusal(lambda given=training: subject.fit(given), ("two classes", found), f"{found} classes")


@check("detector")
def check_other_columns_refused(subject: Subject) -> None:
    """Rows to be scored that have another number of columns than the training rows are refused."""
    training = _rows(subject)
    fitted = subject.fit(training)
    fewer = training.X[["a", "b"]]
    expect_refusal(lambda: fitted.score_samples(fewer, training.series), ("2", "3"), "a column too few")


@check("detector", unless=lambda subject: "" if subject.declares("needs_series") else "needs no series")
def check_series_needed(subject: Subject) -> None:
    """Without the series that it needs, or with one of another length, it refuses to be fitted and to score."""
    training = _rows(subject)
    fitted = subject.fit(training)
    for series in (None, training.series[:-1]):
        given = Training(training.X, training.y, series)
        expect_refusal(lambda given=given: subject.fit(given), ("series",), "fitting without its series")
        expect_refusal(
            lambda given=given: fitted.score_samples(given.X, given.series), ("series",), "scoring without its series"
        )


@check("detector", unless=series_needed)
def check_rows_scored_alone(subject: Subject) -> None:
    """A row's score does not depend on the rows that are scored beside it: test rows teach nothing."""
    training = _rows(subject)
    fitted = subject.fit(training)
    with isolated():
        together = fitted.score_samples(training.X)
        alone = np.concatenate([fitted.score_samples(training.X.iloc[i : i + 1]) for i in range(10)])
    expect(_same(together[:10], alone), "a row gets another score when it is scored alone")
