"""The generative-classifier filter: generated rows that look bad are rejected. Any augmenter can be wrapped."""

from __future__ import annotations

import inspect
import warnings
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.utils.class_weight import compute_sample_weight

from ..errors import InputError
from .contract import Augmenter, as_frame, validate_training_set
from .labels import ClassLabels
from .neural.encoder import TableEncoder

BAD = ("noise", "early-reconstruction")

#: the forest grows in rounds, each with noise of its own: on few rows a single set of bad rows decides too much
ROUNDS, TREES = 10, 10
#: real rows of one class that a round learns from; more cost time and teach little
CLASS_ROWS = 1000

#: parameter and attribute of an augmenter that shows what it made of the training rows early in its own training
#: rows that look bad and are kept all the same are warned of above this share
WORTH_SAYING = 0.1
KEEP_EARLY, EARLY = "keep_early", "early_reconstructions_"

Resampled = tuple[pd.DataFrame, np.ndarray]


class _OfTheWrapped:
    """A declared need that is the wrapped augmenter's; asked of the class it is the base's default."""

    def __init__(self, default: Any) -> None:
        self.default = default

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, instance: Any, owner: type) -> Any:
        return self.default if instance is None else getattr(instance.augmenter, self.name, self.default)


class _Prefixed(_OfTheWrapped):
    """Parameters of the wrapped augmenter, as the filter's nested parameters."""

    def __get__(self, instance: Any, owner: type) -> Any:
        return {f"augmenter__{name}": value for name, value in super().__get__(instance, owner).items()}


class GenerativeClassifierFilter(Augmenter):
    """Any augmenter NAME, with a classifier that rejects generated rows that look bad.

    The augmenter is asked for more rows than wanted. A forest learns to tell the real training rows from as many bad
    ones, and of each class the rows that it takes for real are kept, in the order in which they came. Are they too few,
    the best of the rejected ones fill up, with a warning [1]_.

    Bad rows are noised originals: numbers with Gaussian noise (rounded where the column is whole), and some categories
    replaced. For a VAE on images they are its own reconstructions early in its training. The forest sees the class as
    further columns, and each class with the same weight, so that a row has to look right for its class; of a class with
    a handful of rows it sees what is no row at all, hardly what is a row of another class. Its trees are extremely
    randomised: their borders are smooth, where those of a random forest cling to the few rows there are and let twice
    as much of planted garbage pass.

    Parameters
    ----------
    augmenter : Augmenter
        What makes the rows. Its `random_state` and `sampling_strategy` are set from those of the filter.
    bad : {"noise", "early-reconstruction"}, default="noise"
        Where bad rows come from. "early-reconstruction" needs an augmenter with the parameter `keep_early`, which
        leaves the attribute `early_reconstructions_`: for each table None or a frame, whose index says of which
        training rows, by position, its rows are the reconstructions.
    noise : float, default=0.5
        Standard deviation of the noise, in those of the columns.
    replace : float, default=0.3
        Probability that a categorical cell of a noised row is drawn anew from the column's categories.
    candidates : float, default=2.0
        Rows asked of the augmenter for each row wanted; at least 1.
    threshold : float, default=0.5
        A row is kept if the forest's probability that it is real is at least this.
    sampling_strategy, random_state
        As in `Augmenter`.

    Attributes
    ----------
    rejected_share_ : float
        Share of the candidates that looked bad, after `fit_resample`.
    rejected_shares_ : list of float
        The same for each table, after `fit_resample_many`; NaN where nothing was asked for or it failed.
    augmenter_ : Augmenter
        The augmenter as it was used.

    Raises
    ------
    InputError
        A parameter has a value that is not allowed, or bad rows are asked for that the augmenter does not keep.

    References
    ----------
    .. [1] Iser (2023), the slides "Generative classifier (GC)" on which the project builds.

    Examples
    --------
    >>> from augbench.methods.neighbours import Smote
    >>> X = pd.DataFrame({"a": [0.0, 1.0, 2.0, 3.0, 9.0, 9.5]})
    >>> method = GenerativeClassifierFilter(Smote(), random_state=0)
    >>> X_new, y_new = method.fit_resample(X, np.array([0, 0, 0, 0, 1, 1]))
    >>> y_new.tolist(), bool((X_new["a"][6:] >= 9).all())
    ([0, 0, 0, 0, 1, 1, 1, 1], True)
    """

    role: ClassVar[Any] = _OfTheWrapped("")
    family: ClassVar[Any] = _OfTheWrapped("other")
    min_per_class: ClassVar[Any] = _OfTheWrapped(1)
    numeric_only: ClassVar[Any] = _OfTheWrapped(False)
    binary_only: ClassVar[Any] = _OfTheWrapped(False)
    exact_counts: ClassVar[Any] = _OfTheWrapped(True)
    deterministic: ClassVar[Any] = _OfTheWrapped(False)
    many_tolerance: ClassVar[Any] = _OfTheWrapped(0.0)
    checked_with: ClassVar[Any] = _Prefixed({})
    declared_seconds: ClassVar[Any] = _OfTheWrapped(60.0)
    known_limits: ClassVar[Any] = _OfTheWrapped({})
    #: packages that it needs beside augbench's own
    requires: ClassVar[Any] = _OfTheWrapped(())

    def __init__(
        self,
        augmenter: Augmenter,
        bad: str = "noise",
        noise: float = 0.5,
        replace: float = 0.3,
        candidates: float = 2.0,
        threshold: float = 0.5,
        sampling_strategy: Any = "auto",
        random_state: int | None = None,
    ) -> None:
        super().__init__(sampling_strategy=sampling_strategy, random_state=random_state)
        self.augmenter = augmenter
        self.bad = bad
        self.noise = noise
        self.replace = replace
        self.candidates = candidates
        self.threshold = threshold

    @property
    def description(self) -> str:
        """What the wrapped augmenter says of itself, and that it is filtered, in one line."""
        first = (inspect.getdoc(self.augmenter) or "").partition("\n")[0]
        return f"{first.removesuffix('.')}; rows that look bad to a classifier are rejected."

    def expected_seconds(self, n_rows: int, n_classes: int) -> float:
        """Guess the seconds that one training set takes, for estimates before anything was measured."""
        guess = getattr(self.augmenter, "expected_seconds", None)
        return 0.3 + (guess(n_rows, n_classes) if guess else 0.0)

    def check_parameters(self) -> None:
        """Raise `InputError` for a parameter whose value is not allowed; done before any work."""
        if not isinstance(self.augmenter, Augmenter):
            raise InputError(f"augmenter must be an augbench.Augmenter; found {self.augmenter!r}")
        if self.bad not in BAD:
            raise InputError(f"bad must be one of {', '.join(BAD)}; found {self.bad!r}")
        for name, low, high in (("noise", 0, np.inf), ("replace", 0, 1), ("candidates", 1, 1000), ("threshold", 0, 1)):
            value = getattr(self, name)
            if not (isinstance(value, int | float) and low <= value <= high):
                raise InputError(f"{name} must be a number from {low} to {high}; found {value!r}")
        if self.bad == "early-reconstruction" and KEEP_EARLY not in self.augmenter.get_params(deep=False):
            raise InputError(
                f"bad='early-reconstruction' needs an augmenter with the parameter {KEEP_EARLY}; "
                f"{type(self.augmenter).__name__} has none (use bad='noise')"
            )

    def fit_resample(self, X: pd.DataFrame, y: np.ndarray) -> Resampled:
        """Return the training rows followed by new ones; see `Augmenter.fit_resample`."""
        self.check_parameters()
        # checked here, what is wrong with the rows is said in the name of the method that needs them
        validate_training_set(self.augmenter, as_frame(X), ClassLabels(y).values)
        return super().fit_resample(X, y)

    def fit_resample_many(
        self, tables: list[Resampled], random_states: list[int], strategies: list[dict[int, int]]
    ) -> list[Resampled | BaseException]:
        """Resample several training sets; the augmenter is asked once, for the candidates of all of them.

        Parameters and returns are as in `Augmenter.fit_resample_many`.
        """
        ones = [
            clone(self).set_params(random_state=seed, sampling_strategy=strategy)
            for seed, strategy in zip(random_states, strategies, strict=True)
        ]
        candidates = self._ask(tables, random_states, strategies)
        results: list[Resampled | BaseException] = []
        for (X, y), one, made in zip(tables, ones, candidates, strict=True):
            one._candidates, one._many = made, True
            try:
                results.append(one.fit_resample(X, y))
            except (Exception, SystemExit) as error:
                results.append(error)
        _warn_of_filling([one.filled_ for one in ones if hasattr(one, "filled_")])
        self.rejected_shares_ = [getattr(one, "rejected_share_", np.nan) for one in ones]
        return results

    def _ask(self, tables: list[Resampled], random_states: list[Any], strategies: list[Any]) -> list[Any]:
        """Return for each table the augmenter's answer and its bad rows (or None), or the exception that it raised."""
        self.check_parameters()
        self.augmenter_ = clone(self.augmenter)
        if self.bad == "early-reconstruction":
            self.augmenter_.set_params(**{KEEP_EARLY: True})
        answers: list[Any] = []
        enlarged: dict[int, dict[int, int]] = {}
        coded: list[Resampled] = []
        for number, ((X, y), strategy) in enumerate(zip(tables, strategies, strict=True)):
            try:
                labels = ClassLabels(y)
                enlarged[number] = self._enlarged(labels, strategy)
                coded.append((X, labels.codes))
                answers.append(None)
            except ValueError as error:
                answers.append(error)
        chosen = list(enlarged)
        if chosen:
            made = self.augmenter_.fit_resample_many(coded, [random_states[i] for i in chosen], list(enlarged.values()))
            early = self._early(len(chosen))
            curves = getattr(self.augmenter_, "training_histories_", None)
            if curves is not None:
                kept = dict(zip(chosen, curves, strict=True))
                self.training_histories_ = [kept.get(i) for i in range(len(tables))]
            for i, answer, bad in zip(chosen, made, early, strict=True):
                answers[i] = answer if isinstance(answer, BaseException) else (*answer, bad)
        return answers

    def _enlarged(self, labels: ClassLabels, strategy: Any) -> dict[int, int]:
        """Return the sampling strategy for the augmenter, by code: rows of each class in total, with all candidates."""
        _, counts = labels.wanted(strategy, self._sampling_type)
        return {
            code: int(np.count_nonzero(labels.codes == code)) + int(np.ceil(self.candidates * count))
            for code, count in counts.items()
        }

    def _early(self, tables: int) -> list[Any]:
        """Return for each table its early reconstructions, or None where bad rows are noised originals."""
        if self.bad == "noise":
            return [None] * tables
        early = getattr(self.augmenter_, EARLY, None)
        if early is None or len(early) != tables:
            raise ValueError(
                f"bad='early-reconstruction': {type(self.augmenter_).__name__} left no attribute {EARLY} with "
                f"{tables} entries"
            )
        return list(early)

    def _generate(self, X: pd.DataFrame, y: np.ndarray, counts: dict[int, int], rng: np.random.Generator) -> Resampled:
        answer = self.__dict__.pop("_candidates", None)
        if answer is None:
            strategy = {code: int(np.count_nonzero(y == code)) + count for code, count in counts.items()}
            [answer] = self._ask([(X, y)], [self.random_state], [strategy])
        if isinstance(answer, BaseException):
            raise answer
        X_all, y_all, early = answer
        new, labels = X_all.iloc[len(y) :], np.asarray(y_all)[len(y) :]
        # the augmenter may draw from the same seed
        rng = np.random.default_rng(rng.integers(2**63, size=4))
        scores = self._scores(X, y, (new, labels), early, rng)
        self.rejected_share_ = float(np.mean(scores < self.threshold))
        kept = self._choose(labels, scores, counts)
        return new.iloc[kept], labels[kept]

    def _scores(
        self, X: pd.DataFrame, y: np.ndarray, new: Resampled, early: pd.DataFrame | None, rng: np.random.Generator
    ) -> np.ndarray:
        """Return the probability that each new row is a real one, shape (n_new,)."""
        if self.bad == "noise":
            originals, labels = X, y
        else:
            originals, labels = self._reconstructed(X, y, early)
        codes = np.unique(labels)
        encoder = TableEncoder("standard", clip=False).fit(X)
        scored = _with_class(encoder.encode(new[0].set_axis(X.columns, axis=1)), new[1], codes)
        scores = np.zeros(len(scored))
        for _ in range(ROUNDS):
            rows = np.concatenate([_some(np.flatnonzero(labels == code), rng) for code in codes])
            real = encoder.encode(originals.iloc[rows])
            bad = self._noised(encoder, real, rng) if early is None else encoder.encode(early.iloc[rows])
            inputs = _with_class(np.vstack([real, bad]), np.tile(labels[rows], 2), codes)
            weights = compute_sample_weight("balanced", np.tile(labels[rows], 2))
            trees = ExtraTreesClassifier(TREES, min_samples_leaf=2, random_state=int(rng.integers(2**32)))
            trees.fit(inputs, np.repeat([1, 0], len(rows)), sample_weight=weights)
            scores += trees.predict_proba(scored)[:, 1] / ROUNDS
        return scores

    def _reconstructed(self, X: pd.DataFrame, y: np.ndarray, early: pd.DataFrame | None) -> Resampled:
        """Return the training rows, and their classes, of which there are early reconstructions."""
        if early is None:
            raise ValueError("bad='early-reconstruction': the augmenter kept no reconstructions of this table")
        if not (pd.api.types.is_integer_dtype(early.index.dtype) and early.index.isin(range(len(X))).all()):
            raise ValueError(f"the index of {EARLY} must hold positions of training rows, 0 to {len(X) - 1}")
        return X.iloc[early.index], y[early.index]

    def _noised(self, encoder: TableEncoder, real: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return a noised row for each encoded real one."""
        values = real.copy()
        n_rows, n_numeric = len(real), encoder.layout[0]
        values[:, :n_numeric] += self.noise * rng.standard_normal((n_rows, n_numeric))
        for group in encoder.groups:
            size = group.stop - group.start
            drawn = np.eye(size)[rng.integers(size, size=n_rows)]
            values[:, group] = np.where(rng.random((n_rows, 1)) < self.replace, drawn, values[:, group])
        # there and back: whole numbers stay whole, else their fractions would tell the bad rows
        return encoder.encode(encoder.decode(values))

    def _choose(self, labels: np.ndarray, scores: np.ndarray, counts: dict[int, int]) -> np.ndarray:
        """Return the positions of the rows to keep: for each class the first good ones, else the best."""
        kept, filled = [], 0
        self.filled_ = (0, 0)
        for code, asked in counts.items():
            rows = np.flatnonzero(labels == code)
            if len(rows) < (asked if self.exact_counts else 0.9 * asked):
                raise ValueError(
                    f"{type(self.augmenter).__name__} made {len(rows)} candidates of class {code}; {asked} rows are "
                    "asked for"
                )
            good = scores[rows] >= self.threshold
            # stable: the good ones first, as they came; then the others, the best first
            order = np.lexsort((np.where(good, 0.0, -scores[rows]), ~good))[:asked]
            filled += int(np.count_nonzero(~good[order]))
            kept.append(rows[np.sort(order)])
        self.filled_ = (filled, sum(counts.values()))
        if not self.__dict__.pop("_many", False):
            _warn_of_filling([self.filled_])
        return np.concatenate(kept)


def _warn_of_filling(filled: list[tuple[int, int]]) -> None:
    """Warn once for all tables of a call, given (rows that look bad, all rows) of each."""
    bad = sum(one for one, _ in filled)
    if bad > WORTH_SAYING * sum(rows for _, rows in filled):
        warnings.warn(
            f"+gc: over {WORTH_SAYING:.0%} of the rows kept look bad, since too few look good: train the augmenter "
            "longer, raise gc_candidates or lower gc_threshold",
            stacklevel=3,
        )


def _some(rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return rows if len(rows) <= CLASS_ROWS else np.sort(rng.choice(rows, CLASS_ROWS, replace=False))


def _with_class(encoded: np.ndarray, labels: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Append the class as one-hot columns."""
    return np.hstack([encoded, labels[:, None] == codes])
