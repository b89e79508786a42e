"""Anomaly detectors: autoencoders that learn normal rows, and score a row by how badly they reconstruct it."""

from __future__ import annotations

import warnings
from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd
from sklearn.base import clone

from ...errors import InputError
from ..contract import Detector, pr_threshold
from ..search import Choice, Range, Whole
from .augmenter import (
    LEARNING_RATES,
    SECONDS_PER_STEP,
    VALIDATION_SHARE,
    network_builder,
    progress_bar,
    training_effort,
)
from .checks import at_least, check_hidden, check_training, require_torch
from .encoder import TableEncoder
from .windows import held_out, windows_of, windows_within

if TYPE_CHECKING:
    # as in `augmenter`: torch is loaded when something is trained
    from .autoencoders import AutoencoderShape
    from .training import Build, Trained, TrainingSet

#: numbers that a network reconstructs at once when it scores
CHUNK = 2**20
#: share of the rows that are watched, and inputs at most, where training stops on a plateau
WATCHED_SHARE, WATCHED = VALIDATION_SHARE, 1000
#: standardised numbers are cut off here, so that their squares stay finite in float32
FAR = 1e6
#: a threshold that flags more than this share of the held-out normal rows is warned of
ALL_FLAGGED = 0.5
#: the narrowest hidden layer that is chosen: a few units of relu cannot carry what a narrow row holds
LEAST_HIDDEN = 8
#: normal rows that spread less than this share of all training rows' spread count as constant
LEAST_SPREAD = 1e-6


@dataclass
class Task:
    """What one detector is trained on.

    Attributes
    ----------
    values : numpy.ndarray of shape (n_rows, width)
        All training rows, encoded and standardised.
    series : numpy.ndarray of shape (n_rows,) or None
        Which series each row belongs to.
    normal, held : numpy.ndarray of int
        The normal rows, and those of them that are kept out of training.
    set : TrainingSet
        What the network is trained on.
    """

    values: np.ndarray
    series: np.ndarray | None
    normal: np.ndarray
    held: np.ndarray
    set: TrainingSet


@dataclass(kw_only=True, eq=False, repr=False)
class NeuralDetector(Detector):
    """Base of the autoencoder detectors: all training sets of a call are trained as stacks.

    Numeric columns are standardised by the normal rows that are trained on; categories are one-hot. The network learns
    normal rows only. The score of a row is its mean squared error over the encoded columns, the threshold the best F1
    of the anomalous class on training rows that the network was not trained on: `validation_share` of the normal ones,
    weighted so that they stand for all normal ones, and all anomalous ones.

    Parameters
    ----------
    hidden : list of int or "auto", default="auto"
        Widths of the layers before the code; the same stand after it in reverse.
    code : int or "auto", default="auto"
        Width of the code.
    steps : int, default=3000
        Gradient steps (Adam).
    batch_size : int, default=64
        Rows (or windows) per step.
    learning_rate : float, default=1e-3
        Adam's step size.
    patience : int, default=0
        Stop when the loss on a fifth of the rows that are trained on has not improved for so many checks (one every
        sixtieth of the steps), and keep the best weights; 0: train all steps on all of them.
    validation_share : float, default=0.25
        Share of the normal training rows that is kept for the threshold, at least one row; if series are given, whole
        series (see `windows.held_out`). A single normal row is both trained on and kept.
    dtype : {"float32", "float64"}, default="float32"
        float64 is the exact mode.
    device : str, default="cpu"
        Where torch trains, e.g. ``"cuda"``; scores are computed on the CPU.
    verbose : bool, default=False
        Show a progress bar.
    random_state : int, numpy.random.Generator, numpy.random.RandomState or None, default=None
        Of all that is random.

    Attributes
    ----------
    classes_, normal_class_, threshold_
        As in `Detector`.
    effort_ : dict of str to float
        As that of `Augmenter`, without ``yield``; for windows, ``rows`` counts windows.
    training_history_ : pandas.DataFrame
        Columns ``model``, ``step`` and ``loss``, the mean over the steps since the row before.
    validation_scores_ : pandas.DataFrame
        What the threshold was set on: columns ``score``, ``is_anomaly``, ``weight``.
    """

    requires: ClassVar[tuple[str, ...]] = ("torch",)
    #: as of the augmenters that train networks
    many_tolerance: ClassVar[float] = 1e-9
    checked_with: ClassVar[dict[str, Any]] = {"steps": 15, "dtype": "float64"}
    search_space: ClassVar[dict[str, Range]] = {
        "code": Choice(("auto", 2, 4, 8, 16)),
        "learning_rate": LEARNING_RATES,
    }

    hidden: Any = "auto"
    code: Any = "auto"
    steps: int = 3000
    batch_size: int = 64
    learning_rate: float = 1e-3
    patience: int = 0
    validation_share: float = 0.25
    dtype: str = "float32"
    device: str = "cpu"
    verbose: bool = False
    random_state: Any = None

    def check_parameters(self) -> None:
        """Raise `InputError` for a parameter that has no sensible value."""
        check_training(self)
        at_least(self, "steps", 1)
        at_least(self, "patience", 0)
        if self.code != "auto":
            at_least(self, "code", 1)
        if self.hidden not in ([], ()):
            check_hidden(self.hidden)
        if not 0 < self.validation_share < 1:
            raise InputError(f"validation_share must lie between 0 and 1; found {self.validation_share!r}")

    def expected_seconds(self, n_rows: int, n_classes: int) -> float:
        """Guess the seconds that one training set takes, for estimates before anything was measured."""
        return SECONDS_PER_STEP * self.steps

    def fit_many(
        self,
        tables: list[tuple[pd.DataFrame, np.ndarray]],
        random_states: list[int],
        series: list[np.ndarray | None] | None = None,
    ) -> list[Detector | BaseException]:
        """Fit a detector to each of several training sets, trained as stacks; see `Detector.fit_many`.

        In float32 a detector is the same alone and among others up to the rounding that training amplifies; with
        ``dtype="float64"`` up to about 1e-12. The same list gives the same bits.
        """
        self.check_parameters()
        fitted: list[Any] = []
        tasks: dict[int, Task] = {}
        all_series = series if series is not None else [None] * len(tables)
        for i, ((X, y), seed, own_series) in enumerate(zip(tables, random_states, all_series, strict=True)):
            one = clone(self).set_params(random_state=seed)
            try:
                tasks[i] = one._task(*one._start(X, y, own_series), np.random.default_rng(seed))
                fitted.append(one)
            except Exception as error:
                fitted.append(error)
        for i, trained in self._train(tasks).items():
            try:
                fitted[i]._learn(tasks[i], trained)
                fitted[i]._check_threshold()
            except Exception as error:
                fitted[i] = error
        return fitted

    def _fit(self, X: pd.DataFrame, y: np.ndarray, series: np.ndarray | None, rng: np.random.Generator) -> None:
        self.check_parameters()
        task = self._task(X, y, series, rng)
        self._learn(task, self._train({0: task})[0])

    def _score(self, X: pd.DataFrame, series: np.ndarray | None) -> np.ndarray:
        return self._errors(self._encode(X), series)

    @abstractmethod
    def _shape(self, width: int) -> AutoencoderShape:
        """Return the shape of the network for rows of so many encoded columns: equal shapes share stacks."""

    @abstractmethod
    def _builder(self, shape: Any) -> Build:
        """Return what builds a stack of networks of this shape."""

    def _places(self, rows: np.ndarray, series: np.ndarray | None) -> np.ndarray:
        """Return which rows stand together in each input that holds these rows only, (n, window)."""
        return rows[:, None]

    def _all_places(self, n_rows: int, series: np.ndarray | None) -> np.ndarray:
        """Return which rows stand together in each input, so that every row stands in one, (n, window)."""
        return self._places(np.arange(n_rows), series)

    def _task(self, X: pd.DataFrame, y: np.ndarray, series: np.ndarray | None, rng: np.random.Generator) -> Task:
        """Encode a training set, hold rows out, and say what the network is trained on."""
        from .training import TrainingSet

        normal = np.flatnonzero(y == self.normal_class_)
        held = held_out(normal, series, self.validation_share, rng)
        rows = normal[~np.isin(normal, held)] if len(normal) > len(held) else normal
        watched = held_out(rows, series, WATCHED_SHARE, rng) if self.patience else rows[:0]
        rows = rows[~np.isin(rows, watched)]
        name = f"class {self.normal_class_}"
        if len(rows) == 0:
            raise ValueError(f"{name}: stopping on a plateau (patience={self.patience}) needs 2 rows to train on")
        self.encoder_ = TableEncoder(numeric="standard").fit(X)
        self._standardise(self.encoder_.encode(X.iloc[rows]))
        values = self._encode(X)
        inputs = self._thinned(self._places(rows, series), self.steps * self.batch_size, rng)
        to_watch = self._thinned(self._places(watched, series), WATCHED, rng)
        x = values[np.concatenate([inputs, to_watch])].reshape(len(inputs) + len(to_watch), -1)
        pool = np.arange(len(inputs))
        validation = np.arange(len(inputs), len(x)) if len(to_watch) else None
        seed = int(rng.integers(2**63))
        training_set = TrainingSet(x, np.zeros(len(x), dtype=int), seed, name, pool, validation)
        return Task(values, series, normal, held, training_set)

    def _train(self, tasks: dict[int, Task]) -> dict[int, Trained]:
        """Train the networks of all tasks, those of equal shape together."""
        require_torch(self.device)
        from .training import Schedule, train

        schedule = Schedule(
            steps=self.steps,
            batch_size=self.batch_size,
            learning_rate=self.learning_rate,
            patience=self.patience,
            check_every=max(1, self.steps // 60),
            dtype=self.dtype,
            device=self.device,
        )
        together: dict[AutoencoderShape, list[int]] = {}
        for i, task in tasks.items():
            together.setdefault(self._shape(task.values.shape[1]), []).append(i)
        trained: dict[int, Trained] = {}
        with progress_bar(type(self).__name__, shown=self.verbose):
            for shape, members in together.items():
                done = train(self._builder(shape), [tasks[i].set for i in members], schedule)
                trained |= dict(zip(members, done, strict=True))
        return trained

    def _learn(self, task: Task, trained: Trained) -> None:
        """Keep a trained network, and set the threshold."""
        if trained.diverged:
            raise ValueError(f"training diverged (the loss was not a number): {task.set.name}")
        self.network_: Any = trained.network
        self.training_history_ = trained.history
        self.effort_ = training_effort([trained], self.batch_size)
        scores = self._errors(task.values, task.series)
        is_anomaly = np.ones(len(scores), dtype=bool)
        is_anomaly[task.normal] = False
        weight = is_anomaly.astype(float)
        weight[task.held] = len(task.normal) / len(task.held)
        columns = {"score": scores, "is_anomaly": is_anomaly, "weight": weight}
        self.validation_scores_ = pd.DataFrame(columns)[weight > 0]
        self.threshold_ = pr_threshold(*(self.validation_scores_[name].to_numpy() for name in columns))
        if np.average(scores[task.held] >= self.threshold_) > ALL_FLAGGED:
            warnings.warn(
                f"the threshold flags over {ALL_FLAGGED:.0%} of the held-out normal rows: the score hardly tells the "
                "classes apart",
                stacklevel=2,
            )

    def _standardise(self, encoded: np.ndarray) -> None:
        """Learn centre and spread of the numeric columns from encoded rows; categories stay 0 and 1."""
        n_numeric = self.encoder_.layout[0]
        self.centre_, self.spread_ = np.zeros(encoded.shape[1]), np.ones(encoded.shape[1])
        self.centre_[:n_numeric] = encoded[:, :n_numeric].mean(axis=0)
        spread = encoded[:, :n_numeric].std(axis=0)
        # what is constant in normal rows keeps the scale of all training rows: a change must still be seen
        self.spread_[:n_numeric] = np.where(spread > LEAST_SPREAD, spread, 1.0)

    def _encode(self, X: pd.DataFrame) -> np.ndarray:
        encoded = self.encoder_.encode(X, unseen_is_missing=True)
        return np.clip((encoded - self.centre_) / self.spread_, -FAR, FAR)

    def _errors(self, values: np.ndarray, series: np.ndarray | None) -> np.ndarray:
        """Return the mean squared error of each encoded row, averaged over the places where it stands."""
        n_rows, width = values.shape
        places = self._all_places(n_rows, series)
        size = max(1, CHUNK // max(1, width * places.shape[1]))
        parts = [places[start : start + size] for start in range(0, len(places), size)]
        errors = [self.network_.errors(values[part].reshape(len(part), -1)).ravel() for part in parts]
        total = np.bincount(places.ravel(), np.concatenate([np.empty(0), *errors]), minlength=n_rows)
        return total / np.bincount(places.ravel(), minlength=n_rows)

    @staticmethod
    def _thinned(places: np.ndarray, most: int, rng: np.random.Generator) -> np.ndarray:
        """Return at most so many inputs, chosen at random: no more than training can use need be held."""
        return places if len(places) <= most else places[np.sort(rng.permutation(len(places))[:most])]


@dataclass(kw_only=True, eq=False, repr=False)
class AutoencoderDetector(NeuralDetector):
    """Autoencoder of normal rows; a row that it reconstructs badly is an anomaly.

    As in Ranjan, "Extreme rare event classification using autoencoders in Keras" (2019). ``"auto"`` takes a hidden
    layer of half as many units as there are encoded columns, at least 8, and a code of a quarter, at least 2.

    Parameters
    ----------
    **others
        The parameters of `NeuralDetector`.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> plane = rng.normal(size=(200, 2)) @ rng.normal(size=(2, 6))
    >>> X = np.concatenate([plane, rng.normal(size=(10, 6)) * 2])
    >>> y = np.repeat(["fine", "broken"], [200, 10])
    >>> detector = AutoencoderDetector(steps=500, random_state=0).fit(X, y)
    >>> detector.predict(np.concatenate([plane[:2], 2 * np.eye(6)[:2]])).tolist()
    ['fine', 'fine', 'broken', 'broken']
    """

    def _shape(self, width: int) -> AutoencoderShape:
        return self._dense(width, max(LEAST_HIDDEN, width // 2), max(2, width // 4))

    def _dense(self, width: int, hidden: int, code: int) -> AutoencoderShape:
        from .autoencoders import AutoencoderShape

        widths = (hidden,) if self.hidden == "auto" else tuple(int(one) for one in self.hidden)
        return AutoencoderShape(width, widths, code if self.code == "auto" else self.code)

    def _builder(self, shape: Any) -> Build:
        from .autoencoders import Autoencoder

        return network_builder(Autoencoder, shape)


@dataclass(kw_only=True, eq=False, repr=False)
class OvercompleteAutoencoderDetector(AutoencoderDetector):
    """Autoencoder whose layers are wider than the row: it is meant to fit normal rows closely, and nothing else.

    A reader of Ranjan's text reports that this finds rare events "much better". Nothing but training keeps it from
    the identity, which reconstructs anomalies too. ``"auto"`` takes a hidden layer of twice as many units as there are
    encoded columns and a code of four times as many.

    Parameters
    ----------
    **others
        The parameters of `NeuralDetector`.
    """

    #: layers that grow with the row are slow with the kit's thousand columns
    checked_with: ClassVar[dict[str, Any]] = NeuralDetector.checked_with | {"hidden": [16], "code": 32}

    def _shape(self, width: int) -> AutoencoderShape:
        return self._dense(width, 2 * width, 4 * width)


@dataclass(kw_only=True, eq=False, repr=False)
class LSTMAutoencoderDetector(NeuralDetector):
    """LSTM autoencoder of windows of normal rows of a series; a row that it reconstructs badly is an anomaly.

    As in Ranjan, "LSTM autoencoder for extreme rare event classification in Keras" (2019), but without his shift of
    the labels: rows are scored as they are. It is trained on the windows that hold only normal rows that are not held
    out, and the score of a row is its mean squared error averaged over all windows that contain it, so the first and
    last rows of a series are averaged over fewer. A series that is shorter than the window is filled up in front with
    its first row. Windows take rows as they come: where a scenario has taken rows out, what is left counts as
    consecutive. ``"auto"`` takes no hidden layer and a code of a quarter of the numbers in a window, 2 to 32.

    Parameters
    ----------
    window : int, default=10
        Rows of a window.
    **others
        The parameters of `NeuralDetector`.
    """

    needs_series: ClassVar[bool] = True
    search_space: ClassVar[dict[str, Range]] = {**NeuralDetector.search_space, "window": Whole(4, 20)}

    window: int = 10

    def check_parameters(self) -> None:
        """Raise `InputError` for a parameter that has no sensible value."""
        super().check_parameters()
        at_least(self, "window", 1)

    def _shape(self, width: int) -> AutoencoderShape:
        from .autoencoders import AutoencoderShape

        hidden = () if self.hidden == "auto" else tuple(int(one) for one in self.hidden)
        code = int(np.clip(self.window * width // 4, 2, 32)) if self.code == "auto" else self.code
        return AutoencoderShape(width, hidden, code, self.window)

    def _builder(self, shape: Any) -> Build:
        from .autoencoders import LSTMAutoencoder

        return network_builder(LSTMAutoencoder, shape)

    def _places(self, rows: np.ndarray, series: np.ndarray | None) -> np.ndarray:
        assert series is not None
        return windows_within(series, np.isin(np.arange(len(series)), rows), self.window)

    def _all_places(self, n_rows: int, series: np.ndarray | None) -> np.ndarray:
        assert series is not None
        return windows_of(series, self.window)[0]
