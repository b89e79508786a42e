"""The calls from Python: a comparison on one's own table, and its rows augmented. Both work in a notebook."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from ..datasets.contract import Dataset
from ..datasets.files import FrameDataset, label_of
from ..errors import InputError
from ..leaderboard.comparison import Comparison
from ..leaderboard.results import Results
from ..leaderboard.tables import compare as compare_results
from .augmenting import generate, in_types_of, values_of_classes, wanted_rows
from .console import Places, out
from .display import display_on
from .engine import make_engine
from .job import Manner
from .plan import make_plan
from .report import results_of, run_info
from .run import Progress, execute, packages_to_load, units_to_run
from .sizing import Fixed
from .store import Store
from .suite import Entry, Suite, load_suite, validate_suite
from .time_limit import Limit, shown_plan, sized

#: the name that a table in memory has on the leaderboard
NAME = "table"


@dataclass(frozen=True)
class Compared:
    """What `compare` found.

    Attributes
    ----------
    results : Results
        Everything; `augbench.leaderboard` makes tables, pages and exports of it.
    comparison : Comparison
        The leaderboard by macro F1.
    """

    results: Results
    comparison: Comparison

    @property
    def table(self) -> pd.DataFrame:
        """The leaderboard, a row per method, best first; the columns are those of `Comparison`."""
        return self.comparison.table

    @property
    def answer(self) -> str:
        """The answer in words: the first line says which methods help, the others what that rests on."""
        return str(self.comparison.answer or self.comparison.finding)

    @property
    def scores(self) -> pd.DataFrame:
        """Every score, a row per method, classifier and draw."""
        return self.results.scores

    def __str__(self) -> str:
        return self.answer


class Augmented(NamedTuple):
    """What `augment` returns: rows, classes, and which rows are new."""

    X: Any
    y: Any
    generated: np.ndarray


def compare(
    X: Any,
    y: Any,
    *,
    methods: Iterable[str | Mapping[str, Any]] | None = None,
    time: str | None = None,
    positive: Any = None,
    store: str | Path | None = None,
    jobs: int = 1,
    progress: bool = False,
    **settings: Any,
) -> Compared:
    """Find out which methods help on one's own table, as ``bench run --data`` does.

    Parameters
    ----------
    X : pandas.DataFrame or array of shape (n_rows, n_features)
        Numbers, and text or categories; cells may be missing. An array of objects may hold text.
    y : array-like of shape (n_rows,)
        The classes: text, numbers or categories.
    methods : iterable of str or dict, optional
        Names or groups (``bench list methods``), or entries of a suite with parameters; the controls always run. By
        default those of the suite quick, or with `time` as many as fit.
    time : str, optional
        ``"90s"``, ``"10m"``, ``"2h"``: methods, classifiers and draws are chosen for so much time. With a `store` the
        same call goes on where the time was up.
    positive : object, optional
        The class of interest; by default the rarest.
    store : str or pathlib.Path, optional
        A file that keeps every result, so that the same call computes nothing again; by default nothing is kept.
    jobs : int, default=1
        Worker processes; 0 is one for each core. With more than one, a script (no notebook) needs
        ``if __name__ == "__main__":``.
    progress : bool, default=False
        Show how it goes on.
    **settings
        Keys of a suite: ``classifiers``, ``draws``, ``scenarios``, ``seed``, ``folds``, ``controls``, ``device``, ….

    Returns
    -------
    Compared
        With ``.answer`` (words), ``.table`` and ``.scores`` (frames).

    Raises
    ------
    InputError
        The table does not fit the benchmark, or a name or setting is wrong.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> import augbench
    >>> X, y = make_classification(400, n_features=5, weights=[0.85], random_state=0)
    >>> found = augbench.compare(X, y, methods=["smote"], classifiers=["logistic-regression"], draws=3)
    >>> found.answer.splitlines()[0].startswith("No")
    True
    >>> sorted(found.table["method"])[:3]
    ['class-weight', 'constant-row', 'jitter']
    """
    if isinstance(X, Results):
        raise InputError("augbench.compare takes a table, X and y: stored results go to augbench.leaderboard.compare")
    dataset = _dataset(X, y, "" if positive is None else label_of(positive))
    own: dict[str, Dataset] = {NAME: dataset}
    suite = _suite(methods, settings)
    manner = Manner(jobs).of(suite)
    with tempfile.TemporaryDirectory(prefix="augbench-") as folder:
        places = Places(Path(store) if store is not None else Path(folder) / "store.sqlite", None)
        limit = None
        if time is not None:
            fixed = Fixed(methods is not None, "classifiers" in settings, "draws" in settings, suite.controls)
            suite, limit = sized(suite, own, time, fixed, places, manner.processes)
        left = _run(suite, own, places, limit, manner, progress)
        if left:
            how = "the same call goes on" if store is not None else "with a store, the same call would go on"
            warnings.warn(f"{left}; {how}", UserWarning, stacklevel=2)
        with Store(places.store) as reader:
            results = results_of(reader, suite.name, keep=store is None)
    return Compared(results, compare_results(results))


def augment(
    X: Any,
    y: Any,
    method: str = "smote",
    *,
    amount: str | int = "balance",
    counts: Mapping[Any, int] | None = None,
    positive: Any = None,
    random_state: int = 0,
    **params: Any,
) -> Augmented:
    """Add rows to training rows by one method.

    Only ever give it training rows: split first. A score on rows of an augmented table, or on a split of it, would be a
    fraud, since new rows are made from all rows.

    Parameters
    ----------
    X : pandas.DataFrame or array of shape (n_rows, n_features)
        As in `compare`.
    y : array-like of shape (n_rows,)
        The classes.
    method : str
        An augmenter (``bench list methods``).
    amount : str or int, default="balance"
        ``"balance"`` makes every class as large as the largest; ``"2x"`` adds two rows for each row of the others; a
        number adds so many to each of the others.
    counts : mapping, optional
        Instead: class to number of rows to add.
    positive : object, optional
        Add rows to this class only.
    random_state : int, default=0
        The same seed gives the same rows.
    **params
        Parameters of the method.

    Returns
    -------
    X, y : of the types given, of shape (n_rows + n_new, …)
        The rows given, first and unchanged, then the new ones; numbered from 0 where they are frames. A column of whole
        numbers gets whole numbers.
    generated : numpy.ndarray of shape (n_rows + n_new,), bool
        Which rows are new.

    Raises
    ------
    InputError
        The table does not fit, the method adds no rows, lacks a package, or failed.

    Examples
    --------
    >>> import augbench
    >>> X = pd.DataFrame({"size": [1, 2, 3, 4, 7, 9], "colour": ["red", "red", "blue", "blue", "red", "blue"]})
    >>> y = ["good", "good", "good", "good", "bad", "bad"]
    >>> X_new, y_new, generated = augbench.augment(X, y, method="smote", random_state=0)
    >>> y_new[generated].tolist(), X_new["size"].dtype.name, len(X_new)
    (['bad', 'bad'], 'int64', 8)
    """
    dataset = _dataset(X, y)
    by_label = {label_of(one): n for one, n in (counts or {}).items()}
    only = "" if positive is None else label_of(positive)
    wanted = wanted_rows(dataset.info, amount, by_label, only)
    made, messages = generate(Entry(name=method, id=method, params=params), dataset, wanted, random_state)
    for message in messages:
        warnings.warn(message, UserWarning, stacklevel=2)
    frame, target = _frame(X), _target(y)
    new = {name: in_types_of(made.X[str(name)], frame[name]) for name in frame.columns}
    values = values_of_classes(dataset.load().y, target)
    labels = pd.Series([values[int(code)] for code in made.y], dtype=target.dtype)
    whole = pd.DataFrame(
        {name: pd.concat([frame[name], new[name]], ignore_index=True) for name in frame.columns}, columns=frame.columns
    )
    classes = pd.concat([target, labels], ignore_index=True).rename(getattr(y, "name", None))
    generated = np.arange(len(whole)) >= len(frame)
    return Augmented(
        whole if isinstance(X, pd.DataFrame) else whole.to_numpy(),
        classes if isinstance(y, pd.Series) else classes.array if isinstance(y, pd.Categorical) else classes.to_numpy(),
        generated,
    )


def _suite(methods: Iterable[str | Mapping[str, Any]] | None, settings: dict[str, Any]) -> Suite:
    """Return the suite quick on the table, with what was set."""
    quick = load_suite("quick")
    for key in ("name", "datasets", "description"):
        if key in settings:
            raise InputError(f"augbench.compare has no setting '{key}': it runs on the table that it is given")
    changes = {"name": NAME, "datasets": [NAME], "description": "A table in memory", "scenarios": ["full"], **settings}
    if methods is not None:
        known = {entry.id: entry.model_dump(exclude_defaults=True) for entry in quick.methods}
        asked = [methods] if isinstance(methods, str) else list(methods)
        changes["methods"] = [known.get(one, one) if isinstance(one, str) else dict(one) for one in asked]
    return validate_suite(quick.model_dump(exclude_defaults=True) | changes, "quick with these settings")


def _run(
    suite: Suite, own: dict[str, Dataset], places: Places, limit: Limit | None, manner: Manner, progress: bool
) -> str:
    """Compute what the store lacks; return what is left when the time is up, in words."""
    plan = make_plan(suite, own)
    if not plan.units:
        raise InputError("; ".join(dict.fromkeys(f"{one.dataset}: {one.reason}" for one in plan.exclusions)))
    more = limit.info(suite) if limit else {}
    with Store(places.store, write=True) as store:
        todo, done, failed = units_to_run(plan.units, store, retry_failed=False)
        store.save_run(plan, run_info(plan, "augbench.compare") | more)
        if todo:
            engine = make_engine(manner.processes, len(todo), own, [], manner.limits, packages_to_load(plan, todo))
            try:
                with display_on(out, quiet=not progress) as display:
                    execute(plan, todo, engine, store, Progress(len(plan.units), done, failed), display, limit)
            finally:
                engine.stop()
        if limit is None:
            return ""
        shown, left = shown_plan(plan, own, limit, store.statuses())
        if shown is not plan:
            store.save_run(shown, run_info(shown, "augbench.compare") | more)
        return left


def _frame(X: Any) -> pd.DataFrame:
    """Return the features as a frame with its rows numbered from 0."""
    if isinstance(X, pd.DataFrame):
        return X.reset_index(drop=True)
    values = np.asarray(X)
    if values.ndim != 2:
        raise InputError(f"X has to be a frame, or an array with rows and columns; found shape {values.shape}")
    return pd.DataFrame(values).infer_objects()


def _target(y: Any) -> pd.Series:
    if isinstance(y, pd.Series):
        return y.reset_index(drop=True)
    if isinstance(y, pd.Categorical):
        return pd.Series(y)
    values = np.asarray(y)
    if values.ndim != 1:
        raise InputError(f"y has to have one class for each row; found shape {values.shape}")
    return pd.Series(values)


def _dataset(X: Any, y: Any, positive: str = "") -> FrameDataset:
    frame, target = _frame(X), _target(y)
    if len(frame) != len(target):
        raise InputError(f"X has {len(frame)} rows and y has {len(target)}")
    frame.columns = [str(name) for name in frame.columns]
    twice = frame.columns[frame.columns.duplicated()]
    if len(twice):
        raise InputError(f"X has more than one column '{twice[0]}': every name has to occur once")
    return FrameDataset(frame, target.rename("y"), NAME, positive)
