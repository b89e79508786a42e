"""What the neural augmenters share: training sets out, trained networks in, new rows of the table back."""

from __future__ import annotations

import warnings
from abc import abstractmethod
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd

from ...errors import InputError
from ...progress import listening
from ..contract import Augmenter, as_frame, validate_training_set
from ..labels import ClassLabels
from ..search import Choice, Real
from .checks import at_least, check_training, require_torch
from .encoder import TableEncoder

if TYPE_CHECKING:
    # torch is loaded when something is trained, so that listing and planning need it as little as an import does
    from .training import Build, Schedule, Trained, TrainingSet

#: a network's posterior counts as collapsed below this KL divergence, nats per row
COLLAPSED_KL = 0.01
#: generated rows of a class that lie this close together, in units of the columns' ranges, count as one row
ONE_ROW = 1e-3
#: share of the training rows that is held out where training stops on a plateau
VALIDATION_SHARE = 0.2

#: a step of one small network among others, seconds; images take fifty times as long
SECONDS_PER_STEP = 2e-4

LIKELIHOODS = ("gaussian", "bernoulli", "mse")

#: what tuning may try of the parameters that most networks have; the number of steps is a matter of budget
LATENT_DIMS, LEARNING_RATES = Choice(("auto", 4, 8, 16)), Real(1e-4, 1e-2, log=True)


@dataclass
class Task:
    """One training set of a call of `fit_resample_many`, encoded.

    Attributes
    ----------
    X : pandas.DataFrame
        The training rows.
    labels : ClassLabels
        Their classes.
    counts : dict
        New rows wanted of each class.
    rng : numpy.random.Generator
        Of this training set.
    encoder : TableEncoder
        Fitted to it.
    values : numpy.ndarray of shape (n_rows, width)
        Its rows, encoded.
    classes : numpy.ndarray of shape (K,)
        The codes of its classes (see `ClassLabels`), sorted.
    codes : numpy.ndarray of shape (n_rows,)
        The position of each row's class in `classes`.
    candidates : int
        Rows that were decoded so that some of them could be kept; 0 where all are kept.
    """

    X: pd.DataFrame
    labels: ClassLabels
    counts: dict[int, int]
    rng: np.random.Generator
    encoder: TableEncoder
    values: np.ndarray
    classes: np.ndarray
    codes: np.ndarray
    candidates: int = 0

    @property
    def wanted(self) -> list[tuple[int, int]]:
        """Position in `classes` and number of new rows of each class that gets some."""
        return [(int(np.searchsorted(self.classes, code)), count) for code, count in self.counts.items()]

    def name_of(self, code: int) -> str:
        """Return how a class, given by its position in `classes`, is called in curves and messages."""
        return f"class {self.labels.name(self.classes[code])}"

    def rows_of(self, code: int) -> np.ndarray:
        """Return the positions of the rows of one class."""
        return np.flatnonzero(self.codes == code)

    def seed(self) -> int:
        """Return a seed for one network."""
        return int(self.rng.integers(2**63))


@dataclass(kw_only=True, eq=False, repr=False)
class NeuralAugmenter(Augmenter):
    """Base of the augmenters that train networks: all training sets of a call are trained as stacks.

    A subclass says what networks a training set needs (`_shape`, `_builder`, `_sets`) and how they give new rows
    (`_sample`). Constructors are those of dataclasses, so that a subclass lists its own parameters only.

    Parameters
    ----------
    batch_size : int, default=32
        Rows per step.
    learning_rate : float, default=1e-3
        The optimizer's step size.
    dtype : {"float32", "float64"}, default="float32"
        float64 is the exact mode.
    device : str, default="cpu"
        Where torch trains, e.g. ``"cuda"``.
    verbose : bool, default=False
        Show a progress bar.
    sampling_strategy, random_state
        As in `Augmenter`; `random_state` may also be a generator or a `numpy.random.RandomState`.

    Attributes
    ----------
    effort_, efforts_
        As in `Augmenter`.
    training_histories_ : list of pandas.DataFrame or None
        For each training set of the last call the training curves of its networks: columns ``model``, ``step`` and the
        parts of the loss, means over the steps since the row before.
    training_history_ : pandas.DataFrame
        The same after `fit_resample`.
    encoder_ : TableEncoder
        After `fit_resample`: how its rows became the networks' columns.
    networks_ : list of torch.nn.Module
        After `fit_resample`: its trained networks (see `networks`).
    early_reconstructions_ : list of pandas.DataFrame or None
        With ``keep_early=True``: the training rows of classes that a network was trained on, as it reconstructed them
        after a tenth of the steps; the index is their position.
    """

    requires: ClassVar[tuple[str, ...]] = ("torch",)
    family: ClassVar[str] = "vae"
    #: one network alone and the same among others: rounding, which training amplifies; of float64, see `checked_with`
    many_tolerance: ClassVar[float] = 1e-9
    checked_with: ClassVar[dict[str, Any]] = {"dtype": "float64"}
    optimizer: ClassVar[str] = "adam"

    batch_size: int = 32
    learning_rate: float = 1e-3
    dtype: str = "float32"
    device: str = "cpu"
    verbose: bool = False
    sampling_strategy: Any = "auto"
    random_state: Any = None

    def fit_resample(self, X: pd.DataFrame, y: np.ndarray) -> tuple[pd.DataFrame, np.ndarray]:
        """Return the training rows followed by new ones; see `Augmenter.fit_resample`."""
        made = self._resample([(X, y)], [np.random.default_rng(self.random_state)], [self.sampling_strategy])[0]
        if isinstance(made, BaseException):
            raise made
        self.training_history_ = self.training_histories_[0]
        self.effort_ = self.efforts_[0] or {}
        if self._trained:
            self.encoder_, self.networks_ = self._trained[0]
        return made

    def fit_resample_many(
        self, tables: list[tuple[pd.DataFrame, np.ndarray]], random_states: list[int], strategies: list[dict[int, int]]
    ) -> list[tuple[pd.DataFrame, np.ndarray] | BaseException]:
        """Resample several training sets, all their networks trained as stacks; see `Augmenter.fit_resample_many`.

        In float32 a training set gives the same rows alone and among others up to the rounding that training
        amplifies; with ``dtype="float64"`` up to about 1e-12. The same list gives the same bits.
        """
        return self._resample(tables, [np.random.default_rng(seed) for seed in random_states], strategies)

    def check_parameters(self) -> None:
        """Raise `InputError` for a parameter that has no sensible value."""
        check_training(self)

    def expected_seconds(self, n_rows: int, n_classes: int) -> float:
        """Guess the seconds that one training set takes, for estimates before anything was measured."""
        # all classes but the largest get rows
        networks = self.n_networks(dict.fromkeys(range(max(1, n_classes - 1)), 1))
        return SECONDS_PER_STEP * networks * self._steps(n_rows)

    def n_networks(self, counts: dict[int, int]) -> int:
        """Return how many networks are trained for one training set when these classes get new rows."""
        return 1 if any(counts.values()) else 0

    @abstractmethod
    def _steps(self, n_rows: int) -> int:
        """Return how many gradient steps a network gets."""

    def _generate(
        self, X: pd.DataFrame, y: np.ndarray, counts: dict[int, int], rng: np.random.Generator
    ) -> tuple[pd.DataFrame, np.ndarray]:
        raise NotImplementedError("neural augmenters write _sample")

    @abstractmethod
    def _shape(self, task: Task) -> Hashable:
        """Return what decides the shape of a task's networks: tasks of equal shape share stacks."""

    @abstractmethod
    def _builder(self, shape: Any) -> Build:
        """Return what builds a stack of networks of this shape."""

    @abstractmethod
    def _sets(self, task: Task) -> list[TrainingSet]:
        """Return the training set of each network that a task needs."""

    @abstractmethod
    def _sample(self, task: Task, trained: list[Trained]) -> tuple[np.ndarray, np.ndarray]:
        """Return new rows, encoded, and the codes of their classes: ``counts`` rows of each class."""

    def _reconstruct(self, task: Task, networks: list[Any]) -> tuple[np.ndarray, np.ndarray]:
        """Return positions of training rows, and these rows (encoded) as their networks reconstruct them."""
        raise InputError(f"{type(self).__name__} has no early reconstructions")

    def _encode(self, X: pd.DataFrame) -> TableEncoder:
        return TableEncoder().fit(X)

    def _decode(self, task: Task, values: np.ndarray) -> pd.DataFrame:
        """Return encoded rows as rows of the table."""
        return task.encoder.decode(values, task.rng)

    def _schedule(self) -> Schedule:
        from .training import Schedule

        # the training sets have their own numbers of steps
        return Schedule(
            steps=0,
            batch_size=self.batch_size,
            learning_rate=self.learning_rate,
            optimizer=self.optimizer,
            dtype=self.dtype,
            device=self.device,
        )

    def _resample(
        self, tables: Sequence[tuple[Any, Any]], rngs: list[np.random.Generator], strategies: Sequence[Any]
    ) -> list[Any]:
        self.check_parameters()
        schedule = self._schedule()
        results: list[Any] = [None] * len(tables)
        tasks: dict[int, Task] = {}
        for i, ((X, y), rng, strategy) in enumerate(zip(tables, rngs, strategies, strict=True)):
            try:
                task = self._task(X, y, rng, strategy)
                if task.counts:
                    tasks[i] = task
                else:
                    results[i] = (task.X.copy(), task.labels.followed_by([]))
            except ValueError as error:
                results[i] = error
        trained = self._train(tasks, schedule)
        self._trained = [(task.encoder, [one.network for one in trained[i]]) for i, task in tasks.items()]
        self.training_histories_ = [
            pd.concat([one.history for one in trained[i]], ignore_index=True) if i in trained else None
            for i in range(len(tables))
        ]
        self.early_reconstructions_: list[pd.DataFrame | None] = [None] * len(tables)
        self.efforts_: list[dict[str, float] | None] = [None] * len(tables)
        for i, task in tasks.items():
            try:
                results[i] = self._finish(task, trained[i])
                self.efforts_[i] = self._effort(task, trained[i])
                if schedule.early:
                    rows, values = self._reconstruct(task, [one.early for one in trained[i]])
                    decoded = self._decode(task, values).set_axis(task.X.columns, axis=1)
                    self.early_reconstructions_[i] = decoded.set_axis(rows, axis=0)
            except ValueError as error:
                results[i] = error
        return results

    def _effort(self, task: Task, trained: list[Trained]) -> dict[str, float]:
        """Return what one training set took."""
        kept = sum(task.counts.values())
        return training_effort(trained, self.batch_size) | {"yield": float(kept / (task.candidates or kept))}

    def _task(self, X: Any, y: Any, rng: np.random.Generator, strategy: Any) -> Task:
        frame, labels = as_frame(X), ClassLabels(y)
        validate_training_set(self, frame, labels.values)
        self.sampling_strategy_, counts = labels.wanted(strategy, self._sampling_type)
        encoder = self._encode(frame)
        classes, codes = np.unique(labels.codes, return_inverse=True)
        return Task(frame, labels, counts, rng, encoder, encoder.encode(frame), classes, codes)

    def _train(self, tasks: dict[int, Task], schedule: Schedule) -> dict[int, list[Trained]]:
        """Train the networks of all tasks, those of equal shape together."""
        require_torch(self.device)
        from .training import train

        together: dict[Hashable, list[tuple[int, TrainingSet]]] = {}
        for i, task in tasks.items():
            together.setdefault(self._shape(task), []).extend((i, one) for one in self._sets(task))
        trained: dict[int, list[Trained]] = {i: [] for i in tasks}
        with progress_bar(type(self).__name__, shown=self.verbose):
            for shape, sets in together.items():
                done = train(self._builder(shape), [one for _, one in sets], schedule)
                for (i, _), one in zip(sets, done, strict=True):
                    trained[i].append(one)
        _warn_of_collapse([one for all_ in trained.values() for one in all_])
        return trained

    def _finish(self, task: Task, trained: list[Trained]) -> tuple[pd.DataFrame, np.ndarray]:
        """Turn what networks give into the training rows followed by new ones."""
        diverged = [one.name for one in trained if one.diverged]
        if diverged:
            raise ValueError(f"training diverged (the loss was not a number): {', '.join(diverged)}")
        values, codes = self._sample(task, trained)
        for code, count in task.wanted:
            made = int(np.count_nonzero(codes == code))
            if made != count:
                raise ValueError(f"made {made} of the {count} rows asked for of {task.name_of(code)}")
        new = self._decode(task, values).set_axis(task.X.columns, axis=1)
        return pd.concat([task.X, new], ignore_index=True), task.labels.followed_by(task.classes[codes])


@dataclass(kw_only=True, eq=False, repr=False)
class SteppedAugmenter(NeuralAugmenter):
    """Base of the augmenters that train for a number of steps, or until nothing improves, on scaled columns.

    Parameters
    ----------
    numeric : {"minmax", "quantile"}, default="minmax"
        How numeric columns are brought to [0, 1].
    steps : int, default=6000
        Gradient steps (Adam), as published.
    patience : int, default=0
        Stop a network when its loss on a held-out fifth of its rows, decoded from the posterior's mean, has not
        improved for so many checks (one every sixtieth of the steps), and keep its best weights; 0: train all steps on
        all rows.
    keep_early : bool, default=False
        Keep the rows as reconstructed after a tenth of the steps, for the filter ``+gc``.
    batch_size, learning_rate, dtype, device, verbose, sampling_strategy, random_state
        As in `NeuralAugmenter`.
    """

    checked_with: ClassVar[dict[str, Any]] = {"steps": 15, "dtype": "float64"}

    numeric: str = "minmax"
    steps: int = 6000
    patience: int = 0
    keep_early: bool = False

    def check_parameters(self) -> None:
        """Raise `InputError` for a parameter that has no sensible value."""
        super().check_parameters()
        at_least(self, "steps", 1)
        at_least(self, "patience", 0)
        if self.numeric not in ("minmax", "quantile"):
            raise InputError(f"numeric must be 'minmax' or 'quantile'; found {self.numeric!r}")

    def _steps(self, n_rows: int) -> int:
        return self.steps

    def _encode(self, X: pd.DataFrame) -> TableEncoder:
        return TableEncoder(numeric=self.numeric).fit(X)

    def _schedule(self) -> Schedule:
        return replace(
            super()._schedule(),
            steps=self.steps,
            patience=self.patience,
            check_every=max(1, self.steps // 60),
            early=max(1, self.steps // 10) if self.keep_early else 0,
        )


def training_effort(trained: list[Trained], batch_size: int) -> dict[str, float]:
    """Return steps, epochs, rows and networks of one training set, as `Augmenter` documents them."""
    return {
        "steps": float(sum(one.taken for one in trained)),
        "epochs": float(np.mean([one.taken * batch_size / len(one.pool) for one in trained])),
        "rows": float(sum(len(np.unique(one.pool)) for one in trained)),
        "networks": float(len(trained)),
    }


def warn_of_one_row(rows: np.ndarray) -> None:
    """Warn if the rows that a decoder gave for one class are about the same; the noise of a likelihood not counted."""
    if len(rows) > 1 and rows.shape[1] and np.ptp(rows, axis=0).max() < ONE_ROW:
        warnings.warn(f"all generated rows of a class lie within {ONE_ROW} of each other", stacklevel=2)


def class_name(task: Task, code: int) -> str:
    """Return how the network of one class is called in curves and messages."""
    return task.name_of(code)


def balanced_pool(codes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return row positions in which every class stands equally often: small classes are repeated."""
    largest = np.bincount(codes).max()
    pool = []
    for code in np.unique(codes):
        rows = np.flatnonzero(codes == code)
        whole, rest = divmod(int(largest), len(rows))
        pool += [np.tile(rows, whole), rng.permutation(rows)[:rest]]
    return np.concatenate(pool)


def each_equally_often(n: int, count: int, rng: np.random.Generator) -> np.ndarray:
    """Return `count` positions out of n, each as often as any other, up to one time."""
    rounds = np.broadcast_to(np.arange(n), (-(-count // n), n))
    return rng.permuted(rounds, axis=1).reshape(-1)[:count]


def hold_out(pool: np.ndarray, patience: int, rng: np.random.Generator, name: str) -> tuple[np.ndarray, Any]:
    """Split a pool into rows to train on and rows to watch, if training stops on a plateau.

    Raises
    ------
    ValueError
        There is only one row.
    """
    if not patience:
        return pool, None
    rows = rng.permutation(np.unique(pool))
    if len(rows) < 2:
        raise ValueError(f"{name}: stopping on a plateau (patience={patience}) needs 2 rows; found {len(rows)}")
    held = rows[: max(1, round(VALIDATION_SHARE * len(rows)))]
    return pool[~np.isin(pool, held)], held


def _warn_of_collapse(trained: list[Trained]) -> None:
    """Warn of networks whose posterior is the prior: then every row decodes to about the same distribution."""
    known = [one for one in trained if "kl" in one.history and len(one.history)]
    names = [one.name for one in known if one.history["kl"].iloc[-1] < COLLAPSED_KL]
    if names:
        shown = ", ".join(sorted(set(names))[:3])
        warnings.warn(
            f"posterior collapsed (KL below {COLLAPSED_KL} nats) in {len(names)} of {len(known)} networks: {shown}",
            stacklevel=3,
        )


@contextmanager
def progress_bar(title: str, *, shown: bool) -> Iterator[None]:
    """Show a bar on the terminal while something trains."""
    if not shown:
        yield
        return
    from rich.progress import Progress

    with Progress() as bar:
        task = bar.add_task(title)

        def update(what: str, done: int, total: int) -> None:
            bar.update(task, completed=done, total=total, description=f"{title}: {what}")

        with listening(update):
            yield


def hidden_widths(hidden: Any, width: int) -> tuple[int, ...]:
    """Return the widths of the hidden layers; ``"auto"`` follows the columns of an encoded row."""
    if hidden != "auto":
        return tuple(int(one) for one in hidden)
    return (32, 32) if width <= 32 else (64, 64) if width <= 128 else (256, 256)


def network_builder(build: Callable[..., Any], *args: Any) -> Build:
    """Return a `Build` for a network class whose first argument is the generators."""
    return lambda generators: build(generators, *args)
