"""What the adapters share: which rows a model learns, how rows of a class are had from it, and what that took."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from ...errors import InputError
from ...progress import report
from ..contract import Augmenter
from ..neural.checks import at_least
from .isolation import isolated, require
from .tables import PackageTable

PER_CLASS, CLASS_COLUMN = "per-class", "class-column"

#: a further try asks for at most so many rows for each row that is wanted (what sdv does)
MOST_PER_ROW = 10


@dataclass
class Fitted:
    """A trained model of a package.

    Attributes
    ----------
    draw : callable
        ``draw(n, text)`` gives n rows, with the class column if it was in the training rows; `text` is the class that
        the rows should have, or None. A package that cannot be asked for a class gives rows of any.
    history : pandas.DataFrame, optional
        Its training curve: columns ``step`` and the parts of the loss.
    """

    draw: Callable[[int, str | None], pd.DataFrame]
    history: pd.DataFrame | None = None


@dataclass
class Work:
    """What a call took, added up over its models (see `Augmenter.effort_`)."""

    steps: int = 0
    epochs: int = 0
    rows: int = 0
    generated: int = 0
    kept: int = 0


@dataclass(kw_only=True, eq=False, repr=False)
class PackageGenerator(Augmenter):
    """Base of the generators of other packages: their models, trained and sampled as the packages do it.

    A subclass trains a model of its package (`_train`). Every model runs under a seed of its own with the global random
    states set and put back (`isolation.isolated`), so that its rows are, bit for bit, those of the package called by
    hand after ``random.seed(s); numpy.random.seed(s); torch.manual_seed(s)``, with s from `seeds_`, on the rows of
    `tables.PackageTable`; sdv's synthesizers have a sampling seed of their own (see `sdv_package`).

    Parameters
    ----------
    conditional : {"per-class", "class-column"}, default="per-class"
        One model for each class that gets new rows, trained on the rows of that class; or one model of all rows, with
        the class as one more discrete column, that is asked for rows of the class: those with another class are thrown
        away. The default was measured (below).
    max_tries : int, default=100
        How often a model is asked for the rows of a class. The first try asks for as many as are wanted, a further one
        for what the tries so far suggest, at most `MOST_PER_ROW` times the rows wanted.
    sampling_strategy, random_state
        As in `Augmenter`; `random_state` may also be a generator or a `numpy.random.RandomState`.

    Attributes
    ----------
    seeds_ : list of int
        The seed of each model of the last call, in the order of the classes that get rows:
        ``numpy.random.default_rng(random_state).integers(2**32, size=n_models)``.

    Raises
    ------
    ValueError
        In `fit_resample`: rows of a class are still missing after `max_tries` tries (with one model of all rows a rare
        class may hardly ever come; nothing is put in its place), or the package refused the training rows.

    Notes
    -----
    Why one model per class is the default of all: `benchmarks/generators_conditional.py`, five real sets with 20 rows
    of the rarest class, macro F1 of logistic regression and a random forest, the packages' default budgets. Per class
    minus class column, mean and 95 % interval over the sets: gaussian-copula +0.035 [-0.004, +0.074], tvae +0.050
    [-0.058, +0.158], ctgan +0.011 [-0.012, +0.035]; no interval excludes 0. What decides is that a model per class
    always delivers: with the class as a column tvae made not one row of the rare class in 327,000 on two of the five
    sets (10 of 25 fits failed) and kept under 1 % of its rows on a third, and ctgan, though asked for the class, kept
    17 to 23 %. It is not slower either: ctgan took 9 to 22 s against 11 to 23 s, one model for each class that gets
    rows; only with many rare classes does one model of all rows save time.
    """

    requires: ClassVar[tuple[str, ...]] = ()
    family: ClassVar[str] = "generators"
    #: a mixture model of a column takes two rows
    min_per_class: ClassVar[int] = 2

    conditional: str = PER_CLASS
    max_tries: int = 100
    sampling_strategy: Any = "auto"
    random_state: Any = None

    def check_parameters(self) -> None:
        """Raise `InputError` for a parameter that has no sensible value."""
        at_least(self, "max_tries", 1)
        if self.conditional not in (PER_CLASS, CLASS_COLUMN):
            raise InputError(f"conditional must be '{PER_CLASS}' or '{CLASS_COLUMN}'; found {self.conditional!r}")

    @abstractmethod
    def _train(self, rows: pd.DataFrame, discrete: list[str], seed: int) -> Fitted:
        """Train one model; runs inside `isolated`."""

    def _device(self) -> str:
        return "cpu"

    def _epochs_of(self, n_rows: int) -> int:
        """Return how many epochs a model of so many rows gets."""
        return 0

    def _steps_of(self, n_rows: int) -> int:
        """Return how many gradient steps a model of so many rows gets."""
        return 0

    def _generate(
        self, X: pd.DataFrame, y: np.ndarray, counts: dict[int, int], rng: np.random.Generator
    ) -> tuple[pd.DataFrame, np.ndarray]:
        self.check_parameters()
        require(self.requires, self._device())
        table = PackageTable(X, y)
        asked = [{label: n} for label, n in counts.items()] if self.conditional == PER_CLASS else [counts]
        self.seeds_ = [int(seed) for seed in rng.integers(2**32, size=len(asked))]
        work, histories, made = Work(), [], []
        for i, (part, seed) in enumerate(zip(asked, self.seeds_, strict=True)):
            alone = next(iter(part)) if self.conditional == PER_CLASS else None
            name = "all rows" if alone is None else f"class {alone}"
            report(f"{type(self).__name__}, {name}", i, len(asked))
            rows, discrete = (table.frame, table.discrete) if alone is None else table.of_class(alone)
            with isolated(seed, self._device()):
                fitted = self._train_or_say(rows, discrete, seed, name)
                for label, n in part.items():
                    # counts may be numpy integers, which sdv does not take
                    made.append(self._rows(fitted, table, label, int(n), work))
            work.steps += self._steps_of(len(rows))
            work.epochs += self._epochs_of(len(rows))
            work.rows += len(rows)
            if fitted.history is not None:
                fitted.history.insert(0, "model", name)
                histories.append(fitted.history)
        self.training_history_ = pd.concat(histories, ignore_index=True) if histories else None
        self.effort_ = {
            "steps": work.steps,
            "epochs": work.epochs / len(asked),
            "rows": work.rows,
            "networks": self.n_networks(counts),
            "yield": float(work.kept / work.generated),
        }
        new = table.back(pd.concat(made, ignore_index=True))
        return new, np.repeat(np.array(list(counts), dtype=y.dtype), list(counts.values()))

    def _train_or_say(self, rows: pd.DataFrame, discrete: list[str], seed: int, name: str) -> Fitted:
        """Train; what a package says of the rows becomes one line that names the model."""
        try:
            return self._train(rows, discrete, seed)
        except (ValueError, ArithmeticError, LookupError, AssertionError) as error:
            what = " ".join(str(error).split()) or "no reason given"
            raise ValueError(f"{type(self).__name__} of {name}: {type(error).__name__}: {what}") from error

    def _rows(self, fitted: Fitted, table: PackageTable, label: Any, count: int, work: Work) -> pd.DataFrame:
        """Ask a model for rows of a class until there are as many as are wanted, at most `max_tries` times."""
        text = table.class_text[label] if self.conditional == CLASS_COLUMN else None
        kept: list[pd.DataFrame] = []
        got, generated, ask = 0, 0, count
        for _ in range(self.max_tries):
            rows = fitted.draw(ask, text)
            good = table.usable(rows, label if text is not None else None)
            kept.append(rows[good])
            generated += len(rows)
            got += int(good.sum())
            if got >= count:
                break
            rate = max(got, 1) / max(generated, 1)
            ask = min(MOST_PER_ROW * count, int(np.ceil((count - got) / rate)))
        if got < count:
            instead = "" if text is None else f", or use conditional='{PER_CLASS}'"
            raise ValueError(
                f"{type(self).__name__} made {got} of the {count} rows asked for of class {label} with "
                f"max_tries={self.max_tries} ({generated} rows generated); raise it{instead}"
            )
        work.generated += generated
        work.kept += count
        return pd.concat(kept, ignore_index=True).iloc[:count]


@dataclass(kw_only=True, eq=False, repr=False)
class NetworkGenerator(PackageGenerator):
    """Base of the generators that train networks.

    Parameters
    ----------
    epochs : int, default=300
        Passes over the training rows, the packages' default. Of a GAN an epoch is ``max(rows // batch_size, 1)`` steps
        (the last rows are left out), of a TVAE ``ceil(rows / batch_size)``: up to 500 rows, one.
    batch_size : int, default=500
        Rows per step, the packages' default. GANs draw them with replacement, so that there may be fewer.
    steps : int, optional
        Gradient steps of each model, in the place of `epochs`: as many whole epochs as are needed for them. A GAN's
        step is one of its generator and `discriminator_steps` of its discriminator.
    embedding_dim : int, default=128
        Width of the noise that a row is made from.
    device : str, default="cpu"
        Where torch trains: ``"cpu"``, ``"cuda"`` or ``"cuda:N"``.
    conditional, max_tries, sampling_strategy, random_state
        As in `PackageGenerator`.
    """

    #: seconds: of a model, and of each of its steps (5 to 30 columns, one core)
    seconds_per_model: ClassVar[float] = 1.0
    seconds_per_step: ClassVar[float] = 0.03
    #: the names that the package gives to its losses -> ours
    losses: ClassVar[dict[str, str]] = {}
    #: parameters that the package's model takes beside those that all of them take
    own: ClassVar[tuple[str, ...]] = ()

    epochs: int = 300
    batch_size: int = 500
    steps: int | None = None
    embedding_dim: int = 128
    device: str = "cpu"

    def check_parameters(self) -> None:
        """Raise `InputError` for a parameter that has no sensible value."""
        super().check_parameters()
        for name in ("epochs", "batch_size", "embedding_dim"):
            at_least(self, name, 1)
        if self.steps is not None:
            at_least(self, "steps", 1)
        kind, _, number = str(self.device).partition(":")
        if not (self.device in ("cpu", "cuda") or (kind == "cuda" and number.isdigit())):
            raise InputError(f"device must be 'cpu', 'cuda' or 'cuda:N'; found {self.device!r}")

    def n_networks(self, counts: dict[int, int]) -> int:
        """Return how many models are trained for one training set; a GAN's two networks count as one."""
        return len(counts) if self.conditional == PER_CLASS else 1

    def expected_seconds(self, n_rows: int, n_classes: int) -> float:
        """Guess the seconds that one training set takes, for estimates before anything was measured."""
        models = n_classes if self.conditional == PER_CLASS else 1
        return models * (self.seconds_per_model + self.seconds_per_step * self._steps_of(-(-n_rows // models)))

    @abstractmethod
    def _steps_per_epoch(self, n_rows: int) -> int:
        """Return how many gradient steps an epoch takes."""

    def _device(self) -> str:
        return self.device

    def _epochs_of(self, n_rows: int) -> int:
        return self.epochs if self.steps is None else -(-self.steps // self._steps_per_epoch(n_rows))

    def _steps_of(self, n_rows: int) -> int:
        return self._epochs_of(n_rows) * self._steps_per_epoch(n_rows)

    def _settings(self, n_rows: int) -> dict[str, Any]:
        """Return the arguments of the package's model of so many rows."""
        return {
            "epochs": self._epochs_of(n_rows),
            "batch_size": self.batch_size,
            "embedding_dim": self.embedding_dim,
            "enable_gpu": self.device != "cpu",
        } | {name: getattr(self, name) for name in self.own}

    def _history(self, losses: pd.DataFrame, n_rows: int) -> pd.DataFrame:
        """Return a package's losses with a column ``step``, gradient steps done.

        A GAN keeps the last step of each epoch, a TVAE every step.
        """
        every = self._steps_of(n_rows) // max(len(losses), 1)
        history = losses[list(self.losses)].rename(columns=self.losses).astype(float).reset_index(drop=True)
        history.insert(0, "step", every * np.arange(1, len(history) + 1))
        return history
