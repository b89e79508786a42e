"""What a leaderboard is made from: a table of scores, and what is known of its methods, data sets and run."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from pandas.api.types import is_numeric_dtype

from ..errors import InputError, unknown_name

if TYPE_CHECKING:
    from .predictions import Predictions, RowReader
    from .samples import Sample

#: What a row of the scores is about. `scenario` and `classifier` may be missing.
KEYS = ("method", "dataset", "scenario", "classifier", "draw")
STATUSES = ("ok", "failed", "not applicable", "not run")
#: Columns that are no metric.
FACTS = (
    *(*KEYS, "status", "error", "n_train", "n_generated", "n_test", "alone", "seconds", "fit_seconds"),
    *("steps", "epochs", "rows_seen", "networks", "yield", "tuned"),
)
#: Metrics of generated rows, see `fidelity`: a method that adds none has none, so that they order nothing.
OF_ROWS = (
    *("exact_copies", "dcr_ratio", "dcr_closer", "two_sample_accuracy", "two_sample_auroc"),
    *("wasserstein", "total_variation", "correlation_error"),
    *("wasserstein_real", "total_variation_real", "correlation_error_real"),
)
#: Metrics for which less is better; add the name of your own.
LOWER_IS_BETTER = {
    *("brier", "log_loss", "calibration_error", "regret_accuracy", "regret_macro_f1"),
    *("exact_copies", "wasserstein", "total_variation", "correlation_error"),
}
#: Metrics that are shares: a value outside [0, 1] is a mistake, most likely percentages.
SHARES = ("macro_f1", "weighted_f1", "accuracy", "balanced_accuracy", "g_mean", "recall_minority", "recall_majority")
BASELINE = "none"
COPIES = "random-oversampling"
#: Kind and role of the controls, for tables that come without a methods table.
KNOWN_CONTROLS = {
    "none": ("baseline", "control"),
    "random-oversampling": ("augmenter", "control"),
    "jitter": ("augmenter", "control"),
    "constant-row": ("augmenter", "control"),
    "uniform-noise": ("augmenter", "control"),
    "class-weight": ("adjuster", "control"),
    "prior-shift": ("adjuster", "control"),
    "threshold-tuned": ("adjuster", "control"),
}


def higher_is_better(metric: str) -> bool:
    """Say whether more of this metric is better."""
    return metric.removesuffix("_tuned") not in LOWER_IS_BETTER


def metric_columns(scores: pd.DataFrame) -> list[str]:
    """Return the columns of a scores table that are metrics: numeric and not one of the known facts."""
    return [name for name in scores.columns if name not in FACTS and is_numeric_dtype(scores[name])]


def scores_hash(scores: pd.DataFrame) -> str:
    """Return the SHA-256 of a scores table: of its keys, states and metrics, in no matter which order.

    What computing took is no part of it: the same scores have the same hash wherever, and however often, they were
    computed.
    """
    metrics = sorted(metric_columns(scores))
    # numbers of names in alphabetical order: of a million rows the names themselves would take much memory
    names = {key: pd.factorize(scores[key].astype(str), sort=True) for key in (*KEYS, "status")}
    order = np.lexsort([codes for codes, _ in reversed(names.values())])
    sha = hashlib.sha256("\n".join(metrics).encode())
    for codes, known in names.values():
        sha.update("\n".join(known).encode())
        sha.update(codes[order].astype("<i4").tobytes())
    for name in metrics:
        values = scores[name].to_numpy(dtype="<f8", na_value=np.nan)[order]
        values[np.isnan(values)] = np.nan
        sha.update(values.tobytes())
    return sha.hexdigest()


@dataclass(frozen=True)
class Results:
    """All that a leaderboard reads.

    Parameters
    ----------
    scores : pandas.DataFrame
        One row per method × dataset × scenario × classifier × draw. Needed: method, dataset, draw and one metric.
        Filled in where missing: scenario "full", classifier "any", status "ok", error "".
    methods : pandas.DataFrame
        method, kind, role, family, description, text (list of paragraphs), citations (list of str), name (what a
        command line takes), parameters (list of dicts with name, value, default, meaning).
    datasets : pandas.DataFrame
        dataset, group, description, classes (list of str), class_counts (list of int), class_of_interest (its label),
        n_rows, n_features, n_categorical, missing (any cell), series, licence, source (address), citation, fresh
        (every draw a fresh data set), findings (list of dicts with severity, words, message and advice: what is to be
        known of the rows).
    run : mapping
        suite, seed, draws, started, seconds, versions and so on; all of them may be missing.
    predictions : Predictions, optional
        Predicted classes on test sets that are the same in every draw, read when they are asked for. Where a data set
        has such test sets and this is missing, its draws are taken for splits of a table.
    training : pandas.DataFrame
        Training curves, one of each method, dataset and scenario: columns method, dataset, scenario, draw, model, step,
        and the parts of the loss. Empty where none were kept.
    samples : mapping
        By (method, dataset, scenario) a few rows that the method made; of the baseline the real ones. May be empty.
    rows : callable, optional
        ``rows(method, dataset, scenario, classifier)`` reads what was predicted for each test row, by draw.

    Raises
    ------
    InputError
        Where columns are missing, a row is there twice or does not say what it is of, a status is unknown or a share is
        not between 0 and 1.
    """

    scores: pd.DataFrame
    methods: pd.DataFrame
    datasets: pd.DataFrame
    run: Mapping[str, Any]
    predictions: Predictions | None = None
    training: pd.DataFrame = field(default_factory=pd.DataFrame)
    samples: Mapping[tuple[str, str, str], Sample] = field(default_factory=dict)
    rows: RowReader | None = None

    def __post_init__(self) -> None:
        scores = _checked_scores(self.scores)
        object.__setattr__(self, "scores", scores)
        object.__setattr__(self, "methods", _with_rows(self.methods, "method", scores, _unknown_method))
        object.__setattr__(self, "datasets", _with_rows(self.datasets, "dataset", scores, _unknown_dataset))

    @classmethod
    def from_frame(cls, scores: pd.DataFrame, run: Mapping[str, Any] | None = None) -> Results:
        """Build results from anybody's table of scores: controls are known by their names, all else is a method."""
        return cls(scores, pd.DataFrame({"method": []}), pd.DataFrame({"dataset": []}), run or {})

    @cached_property
    def places(self) -> dict[str, dict[str, npt.NDArray[np.intp]]]:
        """Where the scores of each method, and of each data set, stand in their table: asked for once for each."""
        return {key: places_of(self.scores, key) for key in ("method", "dataset")}

    def kind(self, method: str) -> str:
        """Return the kind of a method: baseline, augmenter, adjuster or detector."""
        return str(self._method(method, "kind"))

    def is_control(self, method: str) -> bool:
        """Say whether a method is a control or an adjuster: what a gain has to beat before it counts."""
        return self._method(method, "role") == "control" or self.kind(method) == "adjuster"

    def is_fresh(self, dataset: str) -> bool:
        """Say whether every draw of a data set is a fresh simulated one."""
        return bool(self.datasets.loc[self.datasets["dataset"] == dataset, "fresh"].iloc[0])

    def findings(self, dataset: str) -> list[dict[str, Any]]:
        """Return what an inspection found in a data set, the gravest first."""
        found = self.datasets.loc[self.datasets["dataset"] == dataset, "findings"].iloc[0]
        return list(found) if isinstance(found, list) else []

    def _method(self, method: str, column: str) -> Any:
        return self.methods.loc[self.methods["method"] == method, column].iloc[0]


def places_of(scores: pd.DataFrame, key: str) -> dict[str, npt.NDArray[np.intp]]:
    """Return where the rows of each method, or of each data set, stand in a table of scores."""
    return {str(name): np.asarray(rows) for name, rows in scores.groupby(key).indices.items()}


def as_results(data: Results | pd.DataFrame) -> Results:
    """Return results as they are, and a plain table of scores as results."""
    return data if isinstance(data, Results) else Results.from_frame(data)


_UNDOCUMENTED: dict[str, Any] = {"text": [], "citations": [], "name": "", "parameters": []}


def _unknown_method(name: str) -> dict[str, Any]:
    kind, role = KNOWN_CONTROLS.get(name, ("augmenter", ""))
    return {"method": name, "kind": kind, "role": role, "family": "", "description": "", **_UNDOCUMENTED}


def _unknown_dataset(name: str) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "group": "",
        "description": "",
        "classes": [],
        "class_counts": [],
        "class_of_interest": "",
        "n_rows": None,
        "n_features": None,
        "n_categorical": None,
        "missing": None,
        "series": False,
        **dict.fromkeys(("licence", "source", "citation"), ""),
        "fresh": False,
        "findings": [],
    }
    return {"dataset": name, **facts}


def _with_rows(table: pd.DataFrame, key: str, scores: pd.DataFrame, default: Any) -> pd.DataFrame:
    """Return the table with a row for every name in the scores and every column, defaults where nothing is known."""
    if key not in table.columns:
        raise InputError(
            f"the {key}s table has no column '{key}': found {', '.join(map(str, table.columns)) or 'none'}"
        )
    known = {str(row[key]): row for row in table.to_dict("records")}
    names = [*known, *(name for name in scores[key].unique() if name not in known)]
    rows = [{**default(name), **{str(k): v for k, v in known.get(name, {}).items()}} for name in names]
    return pd.DataFrame(rows, columns=list({**default(""), **dict.fromkeys(table.columns)}))


def _checked_scores(scores: pd.DataFrame) -> pd.DataFrame:
    """Return a copy with the columns that may be missing filled in; raise where the rest is not right."""
    missing = [name for name in ("method", "dataset", "draw") if name not in scores.columns]
    if missing:
        found = ", ".join(map(str, scores.columns)) or "none"
        raise InputError(f"the scores table has no column {', '.join(map(repr, missing))}: found {found}")
    if scores.empty:
        raise InputError("the scores table has no rows: run something first")
    scores = scores.reset_index(drop=True).copy()
    for name in ("method", "dataset", "draw"):
        if scores[name].isna().any():
            first = int(scores[name].isna().to_numpy().argmax())
            raise InputError(
                f"column '{name}' has {int(scores[name].isna().sum())} gaps, the first in row {first}: fill it in"
            )
    for name, value in {"scenario": "full", "classifier": "any", "status": "ok", "error": ""}.items():
        scores[name] = scores[name].fillna(value) if name in scores.columns else value
    for name in ("method", "dataset", "scenario", "classifier", "error"):
        scores[name] = scores[name].astype(str)
    if not metric_columns(scores):
        raise InputError("the scores table has no metric: add a numeric column such as 'macro_f1'")
    for status in scores["status"].unique():
        if status not in STATUSES:
            raise unknown_name("status", str(status), STATUSES)
    twice = scores.duplicated(list(KEYS))
    if twice.any():
        row = ", ".join(f"{key} {scores.loc[twice, key].iloc[0]}" for key in KEYS)
        raise InputError(f"the scores table has {int(twice.sum())} rows twice, the first is {row}")
    for name in SHARES:
        if name in scores.columns and ((scores[name] < -1e-9) | (scores[name] > 1 + 1e-9)).any():
            raise InputError(
                f"column '{name}' has values outside 0 to 1: give shares, not percentages (of a store: it is damaged, "
                "see 'bench store check')"
            )
    return scores
