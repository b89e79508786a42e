"""What a method is: an augmenter (adds rows), an adjuster (changes weights, probabilities or the decision), a detector.

A detector replaces the classifier: it learns what normal rows are like, and scores how far a row is from that.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from imblearn.over_sampling.base import BaseOverSampler
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.metrics import precision_recall_curve
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted

from .labels import ClassLabels
from .search import Range


def column_positions(X: pd.DataFrame) -> tuple[list[int], list[int]]:
    """Return the positions of the numeric columns and those of the categorical (all other) columns."""
    is_numeric = [pd.api.types.is_numeric_dtype(dtype) for dtype in X.dtypes]
    return [j for j, yes in enumerate(is_numeric) if yes], [j for j, yes in enumerate(is_numeric) if not yes]


def as_frame(X: pd.DataFrame | np.ndarray) -> pd.DataFrame:
    """Return a frame with its rows numbered from 0, and an array as a frame of numbers."""
    if not isinstance(X, pd.DataFrame):
        return pd.DataFrame(np.asarray(X, dtype=float))
    numbered = isinstance(X.index, pd.RangeIndex) and X.index.start == 0 and X.index.step == 1
    return X if numbered else X.reset_index(drop=True)


def validate_training_set(method: Augmenter | Detector, X: pd.DataFrame, y: np.ndarray) -> None:
    """Check training rows against what a method declares that it needs.

    Raises
    ------
    ValueError
        Lengths that differ, a column name that occurs twice, a missing or infinite cell, too few rows of a class, a
        text column in a numeric method, or more than two classes in a binary one.
    """
    name = type(method).__name__
    check_classification_targets(y)
    if len(X) != len(y):
        raise ValueError(f"X has {len(X)} rows and y has {len(y)}")
    if not X.columns.is_unique:
        twice = X.columns[X.columns.duplicated()].unique().astype(str)
        raise ValueError(f"column names must differ; more than once: {', '.join(twice)}")
    numeric, categorical = column_positions(X)
    names = X.columns[categorical].astype(str)
    if method.numeric_only and categorical:
        raise ValueError(f"{name} takes numeric columns only; categorical: {', '.join(names)}")
    bad = [j for j in numeric if not np.isfinite(X.iloc[:, j].to_numpy(dtype=float)).all()]
    bad += [j for j in categorical if X.iloc[:, j].isna().any()]
    if bad:
        raise ValueError(f"missing (NaN) or infinite cells in: {', '.join(X.columns[bad].astype(str))}")
    codes, rows = np.unique(y, return_counts=True)
    if method.binary_only and len(codes) != 2:
        raise ValueError(f"{name} takes two classes; found {len(codes)}")
    if rows.min() < method.min_per_class:
        raise ValueError(
            f"{name} needs {method.min_per_class} rows of each class; class {codes[rows.argmin()]} has {rows.min()}"
        )


class Augmenter(BaseOverSampler):
    """Base of the methods that add rows: an imbalanced-learn over-sampler with its needs declared.

    A subclass writes `_generate` and, where the defaults do not fit, the class attributes. The first line of its
    docstring is what `bench list methods` shows.

    Parameters
    ----------
    sampling_strategy : str, dict or callable, default="auto"
        As in imbalanced-learn. The benchmark always passes a dict {class code: rows wanted in total}.
    random_state : int or None
        Seed of all that is random in the method; no global random state is ever read or written.

    Attributes
    ----------
    effort_ : dict of str to float, optional
        What the last `fit_resample` took, of a method that trains something: ``steps`` (gradient steps, summed over
        its networks), ``epochs`` (passes over the training rows, mean over its networks), ``rows`` (training rows that
        its networks saw, summed), ``networks``, and ``yield`` (rows kept as a share of the rows generated).
    efforts_ : list of (dict or None)
        The same for each training set of the last `fit_resample_many`.
    training_history_ : pandas.DataFrame, optional
        Training curve, if the method has one: columns ``model``, ``step`` and one for each part of the loss.
    training_histories_ : list of (pandas.DataFrame or None)
        The same for each training set of the last `fit_resample_many`.
    """

    kind: ClassVar[str] = "augmenter"
    #: "control" for the methods that expose a false gain
    role: ClassVar[str] = ""
    family: ClassVar[str] = "other"
    #: every class needs this many training rows
    min_per_class: ClassVar[int] = 1
    numeric_only: ClassVar[bool] = False
    binary_only: ClassVar[bool] = False
    #: False if the method may miss the asked-for number of rows slightly by its definition (ADASYN rounds)
    exact_counts: ClassVar[bool] = True
    #: True if there is nothing random in the method: another seed gives the same rows
    deterministic: ClassVar[bool] = False
    #: difference allowed between rows made alone and among others, as a share of the column's largest number
    many_tolerance: ClassVar[float] = 0.0
    #: parameters that tuning may change, and over what
    search_space: ClassVar[dict[str, Range]] = {}
    #: parameters under which the check kit runs a method whose defaults are slow; the contract holds under any
    checked_with: ClassVar[dict[str, Any]] = {}
    #: seconds that the method, with its defaults, may take on the check kit's standard table (200 rows, 5 columns)
    declared_seconds: ClassVar[float] = 60.0
    #: checks of the check kit that the method is known to fail, with the reason why that is as it should be
    known_limits: ClassVar[dict[str, str]] = {}
    #: imbalanced-learn validates parameters against this; subclasses validate their own
    _parameter_constraints: ClassVar[dict[str, Any]] = {}

    def __init__(self, sampling_strategy: Any = "auto", random_state: int | None = None) -> None:
        super().__init__(sampling_strategy=sampling_strategy)
        self.random_state = random_state

    def fit_resample(self, X: pd.DataFrame, y: np.ndarray) -> tuple[pd.DataFrame, np.ndarray]:
        """Return the training rows followed by new ones.

        Parameters
        ----------
        X : pandas.DataFrame of shape (n_rows, n_features)
            Complete training rows: float64 columns and categorical columns, nothing missing. An array is taken as
            all-numeric.
        y : numpy.ndarray, pandas.Series or pandas.Categorical of shape (n_rows,)
            Classes: the benchmark passes codes (whole numbers); text and categories are turned into codes for
            `_generate`, and back.

        Returns
        -------
        X_resampled : pandas.DataFrame of shape (n_rows + n_new, n_features)
            The rows of `X`, first and unchanged, then the new ones; columns, dtypes and categories as in `X`, the rows
            numbered from 0.
        y_resampled : as `y`, of shape (n_rows + n_new,)
            Their classes, in the kind and dtype in which they were given; a list gives an array.

        Raises
        ------
        ValueError
            A missing or infinite cell, too few rows of a class, or a text column in a numeric method.
        """
        frame, labels = as_frame(X), ClassLabels(y)
        validate_training_set(self, frame, labels.values)
        self.sampling_strategy_, counts = labels.wanted(self.sampling_strategy, self._sampling_type)
        if not counts:
            return frame.copy(), labels.followed_by([])
        made = self._generate(frame, labels.codes, counts, np.random.default_rng(self.random_state))
        if not (isinstance(made, tuple) and len(made) == 2 and isinstance(made[0], pd.DataFrame)):
            kinds = [type(part).__name__ for part in (made if isinstance(made, tuple) else (made,))]
            raise TypeError(f"_generate must return a DataFrame and labels; it returned {', '.join(kinds)}")
        X_new, y_new = made
        if X_new.shape[1] != frame.shape[1]:
            raise ValueError(f"_generate returned {X_new.shape[1]} columns; the training rows have {frame.shape[1]}")
        if len(X_new) != len(y_new):
            raise ValueError(f"_generate returned {len(X_new)} rows and {len(y_new)} labels")
        X_new = X_new.set_axis(frame.columns, axis=1).astype(frame.dtypes.to_dict())
        return pd.concat([frame, X_new], ignore_index=True), labels.followed_by(y_new)

    def fit_resample_many(
        self, tables: list[tuple[pd.DataFrame, np.ndarray]], random_states: list[int], strategies: list[dict[int, int]]
    ) -> list[tuple[pd.DataFrame, np.ndarray] | BaseException]:
        """Resample several training sets; the default is a loop, a neural method trains them as one stack.

        Parameters
        ----------
        tables : list of (X, y)
            Training sets, each as in `fit_resample`.
        random_states : list of int
            One seed for each training set.
        strategies : list of dict
            One `sampling_strategy` for each training set.

        Returns
        -------
        list
            For each training set what `fit_resample` gives for it alone, or the exception that it raised.
        """
        results: list[tuple[pd.DataFrame, np.ndarray] | BaseException] = []
        self.efforts_: list[dict[str, float] | None] = []
        self.training_histories_: list[pd.DataFrame | None] = []
        for (X, y), seed, strategy in zip(tables, random_states, strategies, strict=True):
            one = clone(self).set_params(random_state=seed, sampling_strategy=strategy)
            try:
                results.append(one.fit_resample(X, y))
            except (Exception, SystemExit) as error:
                results.append(error)
            self.efforts_.append(getattr(one, "effort_", None))
            self.training_histories_.append(getattr(one, "training_history_", None))
        return results

    def n_networks(self, counts: dict[int, int]) -> int:
        """Return how many networks are trained for one training set when these classes get new rows; 0: none are."""
        return 0

    @abstractmethod
    def _generate(
        self, X: pd.DataFrame, y: np.ndarray, counts: dict[int, int], rng: np.random.Generator
    ) -> tuple[pd.DataFrame, np.ndarray]:
        """Make the new rows: `counts[c]` rows of each class c in `counts`, as a frame with the columns of `X`.

        Rows are numbered from 0 in `X`, and classes are whole numbers in `y`, whatever was given to `fit_resample`.
        """

    def _fit_resample(self, X: Any, y: Any) -> Any:
        raise NotImplementedError("augbench's augmenters write _generate")


class Adjuster(BaseEstimator):
    """Base of the methods that add no row: they change the classifier's weights, probabilities or decision."""

    kind: ClassVar[str] = "adjuster"
    role: ClassVar[str] = ""
    family: ClassVar[str] = "other"
    min_per_class: ClassVar[int] = 1
    numeric_only: ClassVar[bool] = False
    binary_only: ClassVar[bool] = False
    search_space: ClassVar[dict[str, Range]] = {}
    checked_with: ClassVar[dict[str, Any]] = {}
    declared_seconds: ClassVar[float] = 60.0
    known_limits: ClassVar[dict[str, str]] = {}
    #: True: the decision that was tuned on out-of-fold training rows replaces the default one
    tuned_decision: ClassVar[bool] = False

    def sample_weight(self, y: np.ndarray) -> np.ndarray | None:
        """Return a weight for each training row (shape (n_rows,)), or None for equal weights."""
        return None

    def adjust(self, probabilities: np.ndarray, y_train: np.ndarray) -> np.ndarray:
        """Change predicted probabilities, shape (n_rows, K), given the training labels; rows still sum to 1."""
        return probabilities


class Detector(ClassifierMixin, BaseEstimator):
    r"""Base of the methods that replace the classifier: anomaly detectors for two classes.

    A subclass writes `_fit` (which sets `threshold_`) and `_score`. The class with most training rows is the normal
    one. Probabilities are the score `s` on the scale of the threshold `t`: :math:`p = s / (s + t)`, which is monotone
    in the score and 0.5 at the threshold; beyond that they claim nothing.

    Parameters
    ----------
    random_state : int or None
        Seed of all that is random in the method; no global random state is ever read or written.

    Attributes
    ----------
    classes_ : numpy.ndarray of shape (2,)
        Class codes of the training rows.
    normal_class_ : int
        The class with most training rows; on a tie the lower code.
    threshold_ : float
        Above 0, set by `_fit`; rows with a higher score are predicted to be anomalous.
    training_history_ : pandas.DataFrame, optional
        Training curve, if the method has one: columns ``model``, ``step`` and one for each part of the loss.
    """

    kind: ClassVar[str] = "detector"
    role: ClassVar[str] = ""
    family: ClassVar[str] = "detectors"
    #: every class needs this many training rows
    min_per_class: ClassVar[int] = 1
    numeric_only: ClassVar[bool] = False
    #: a score has one direction
    binary_only: ClassVar[bool] = True
    #: True: rows mean something in their order only, `series` must be given
    needs_series: ClassVar[bool] = False
    search_space: ClassVar[dict[str, Range]] = {}
    checked_with: ClassVar[dict[str, Any]] = {}
    declared_seconds: ClassVar[float] = 60.0
    known_limits: ClassVar[dict[str, str]] = {}
    #: difference allowed between scores of a detector fitted alone and among others, as a share of the largest
    many_tolerance: ClassVar[float] = 0.0

    def __init__(self, random_state: int | None = None) -> None:
        self.random_state = random_state

    def fit(self, X: pd.DataFrame, y: np.ndarray, series: np.ndarray | None = None) -> Detector:
        """Learn what normal rows are like, and where the threshold lies.

        Parameters
        ----------
        X : pandas.DataFrame of shape (n_rows, n_features)
            Complete training rows: float64 columns and categorical columns, nothing missing. An array is taken as
            all-numeric.
        y : numpy.ndarray of shape (n_rows,)
            Class codes, of two classes.
        series : numpy.ndarray of shape (n_rows,), optional
            The series that each row belongs to; rows of a series stand in the order of time.

        Returns
        -------
        Detector
            Itself.

        Raises
        ------
        ValueError
            As `validate_training_set`; `series` missing though needed, or of another length than `X`; a threshold that
            is no finite number above 0.
        """
        frame, y, series = self._start(X, y, series)
        self._fit(frame, y, series, np.random.default_rng(self.random_state))
        self._check_threshold()
        return self

    def fit_many(
        self,
        tables: list[tuple[pd.DataFrame, np.ndarray]],
        random_states: list[int],
        series: list[np.ndarray | None] | None = None,
    ) -> list[Detector | BaseException]:
        """Fit a detector to each of several training sets; the default is a loop, a neural one trains one stack.

        Parameters
        ----------
        tables, random_states, series : list
            For each training set (X, y) as in `fit`, the seed, and the series of its rows or None.

        Returns
        -------
        list
            For each training set the detector that `fit` gives for it alone, or the exception that it raised.
        """
        fitted: list[Detector | BaseException] = []
        all_series = series if series is not None else [None] * len(tables)
        for (X, y), seed, one_series in zip(tables, random_states, all_series, strict=True):
            one = clone(self).set_params(random_state=seed)
            try:
                fitted.append(one.fit(X, y, one_series))
            except (Exception, SystemExit) as error:
                fitted.append(error)
        return fitted

    def score_samples(self, X: pd.DataFrame, series: np.ndarray | None = None) -> np.ndarray:
        """Return how anomalous each row is.

        Parameters
        ----------
        X : pandas.DataFrame of shape (n_rows, n_features)
            Rows as in `fit`, but a category that was not seen in training may be missing.
        series : numpy.ndarray of shape (n_rows,), optional
            As in `fit`.

        Returns
        -------
        numpy.ndarray of shape (n_rows,), float64
            0 or more, higher = more anomalous; infinity is allowed.

        Raises
        ------
        ValueError
            Another number of columns than in training, or scores that are not one number of 0 or more for each row.
        """
        check_is_fitted(self, "threshold_")
        frame = as_frame(X)
        if frame.shape[1] != self.n_features_in_:
            raise ValueError(f"X has {frame.shape[1]} columns, the training rows had {self.n_features_in_}")
        scores = np.asarray(self._score(frame, self._checked_series(frame, series)), dtype=float)
        if scores.shape != (len(frame),):
            raise ValueError(f"{type(self).__name__} gave scores of shape {scores.shape} for {len(frame)} rows")
        _check_scores(scores)
        return scores

    def predict_proba(self, X: pd.DataFrame, series: np.ndarray | None = None) -> np.ndarray:
        """Return s / (s + threshold_) in the column of the anomalous class; shape (n_rows, 2), as `classes_`."""
        scores = self.score_samples(X, series)
        # the limits: a score of 0 gives 0, an infinite one gives 1
        with np.errstate(over="ignore", divide="ignore"):
            anomalous = np.where(scores > 0, 1 / (1 + self.threshold_ / scores), 0.0)
        column = int(self.classes_[0] == self.normal_class_)
        probabilities = np.empty((len(scores), 2))
        probabilities[:, column], probabilities[:, 1 - column] = anomalous, 1 - anomalous
        return probabilities

    def predict(self, X: pd.DataFrame, series: np.ndarray | None = None) -> np.ndarray:
        """Return the more probable class of each row, shape (n_rows,); a row at the threshold gets the lower code."""
        return self.classes_[self.predict_proba(X, series).argmax(axis=1)]

    @abstractmethod
    def _fit(self, X: pd.DataFrame, y: np.ndarray, series: np.ndarray | None, rng: np.random.Generator) -> None:
        """Learn from the training rows and set `threshold_`; `classes_` and `normal_class_` are there already."""

    @abstractmethod
    def _score(self, X: pd.DataFrame, series: np.ndarray | None) -> np.ndarray:
        """Return one number for each row, 0 or more, higher = more anomalous."""

    def _start(self, X: Any, y: Any, series: Any) -> tuple[pd.DataFrame, np.ndarray, np.ndarray | None]:
        """Check training rows, and set what is known before `_fit`: classes, the normal one, number of columns."""
        frame, y = as_frame(X), np.asarray(y)
        validate_training_set(self, frame, y)
        series = self._checked_series(frame, series)
        self.classes_, counts = np.unique(y, return_counts=True)
        if len(counts) != 2:
            raise ValueError(f"a detector takes two classes; found {len(counts)}")
        self.n_features_in_ = frame.shape[1]
        # argmax takes the first of equals: the lower code
        self.normal_class_ = self.classes_[counts.argmax()]
        return frame, y, series

    def _check_threshold(self) -> None:
        threshold = getattr(self, "threshold_", None)
        if threshold is None or not (np.isfinite(threshold) and threshold > 0):
            raise ValueError(f"{type(self).__name__} set threshold_ to {threshold}: it must be a finite number above 0")

    def _checked_series(self, X: pd.DataFrame, series: np.ndarray | None) -> np.ndarray | None:
        if series is None:
            if self.needs_series:
                raise ValueError(f"{type(self).__name__} needs the series that each row belongs to; found none")
            return None
        if len(series) != len(X):
            raise ValueError(f"X has {len(X)} rows and series has {len(series)}")
        return np.asarray(series)


def _check_scores(scores: np.ndarray) -> None:
    wrong = int(np.count_nonzero(~(scores >= 0)))
    if wrong:
        raise ValueError(f"{wrong} of {len(scores)} scores are negative or no numbers (NaN)")


def pr_threshold(scores: np.ndarray, is_anomaly: np.ndarray, weight: np.ndarray | None = None) -> float:
    """Return the threshold that maximises the F1 of the anomalous class on the precision-recall curve.

    Rows with a score above the threshold are called anomalous. It lies midway between the lowest score that is called
    so and the next lower score (0 if there is none). Of several thresholds with the same F1 the highest is taken: the
    fewest alarms. Equal scores are never parted; if all are equal, all rows are called anomalous, unless they are all
    0: a score of 0 is never called anomalous.

    Parameters
    ----------
    scores : numpy.ndarray of shape (n_rows,)
        0 or more, higher = more anomalous, of rows that the detector was not trained on.
    is_anomaly : numpy.ndarray of shape (n_rows,), bool
        Which rows are anomalous.
    weight : numpy.ndarray of shape (n_rows,), optional
        Of each row: n_normal / n_held_out for held-out normal rows makes precision that at the true prevalence.

    Returns
    -------
    float
        Above 0 and finite.

    Raises
    ------
    ValueError
        A score that is NaN or negative, lengths that differ, or rows of one kind only.

    Examples
    --------
    >>> pr_threshold(np.array([0.1, 0.2, 0.4, 0.9]), np.array([False, False, True, True]))
    0.3
    """
    scores, is_anomaly = np.asarray(scores, dtype=float), np.asarray(is_anomaly, dtype=bool)
    weight = np.ones(len(scores)) if weight is None else np.asarray(weight, dtype=float)
    if not len(scores) == len(is_anomaly) == len(weight):
        raise ValueError(f"lengths differ: {len(scores)} scores, {len(is_anomaly)} labels, {len(weight)} weights")
    _check_scores(scores)
    if not (weight[is_anomaly].sum() > 0 and weight[~is_anomaly].sum() > 0):
        raise ValueError("a threshold needs anomalous and normal rows, with weights above 0; found one kind only")
    scores = np.minimum(scores, np.finfo(float).max)
    precision, recall, cuts = precision_recall_curve(is_anomaly, scores, sample_weight=weight)
    total = precision[:-1] + recall[:-1]
    f1 = np.divide(2 * precision[:-1] * recall[:-1], total, out=np.zeros(len(cuts)), where=total > 0)
    f1[cuts == 0] = -1.0
    best = int(np.flatnonzero(f1 >= f1.max() - 1e-12)[-1])
    if cuts[best] == 0:
        return float(np.finfo(float).tiny)
    below = cuts[best - 1] if best else 0.0
    return float(max(below + (cuts[best] - below) / 2, np.finfo(float).tiny))
