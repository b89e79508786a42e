"""From a store to the leaderboard: the only place where results and their presentation meet."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

import pandas as pd

from .. import __version__
from ..errors import InputError
from ..leaderboard.results import LOWER_IS_BETTER, Results, metric_columns
from ..provenance import MACHINE, digest
from .alone import keep_alone
from .fixed_tests import stored_predictions
from .metrics import METRICS
from .store import Store
from .stored_rows import StoredRows
from .stored_scores import read_parts
from .stored_text import storable

if TYPE_CHECKING:
    from .plan import Plan


class Warned(TypedDict):
    """A warning of methods or classifiers, with the number of units of each method that had it."""

    message: str
    methods: dict[str, int]


def run_info(plan: Plan, command: str, hygiene: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return what the store keeps of a run beside its units; `hygiene` is what `inspect_datasets` returned."""
    suite = plan.suite
    return {
        "description": suite.description,
        "seed": suite.seed,
        "draws": suite.draws,
        "test_fraction": suite.test_fraction,
        "folds": suite.folds,
        "methods": plan.method_rows(),
        "datasets": plan.dataset_rows(),
        "hygiene": dict(hygiene or {}),
        "classifiers": [entry.id for entry in plan.units[0].classifiers] if plan.units else [],
        "lower_is_better": [name for name, metric in METRICS.items() if not metric.higher_is_better],
        "command": storable(command),
        "trials": getattr(suite, "trials", 0),
        "budget": getattr(suite, "budget", ""),
    }


def distinct_warnings(store: Store, run: int) -> list[Warned]:
    """Return every distinct warning of a run's units, the most frequent first."""
    found: dict[str, Warned] = {}
    for method, messages in store.warnings(run):
        for message in messages:
            methods = found.setdefault(message, {"message": message, "methods": {}})["methods"]
            methods[method] = methods.get(method, 0) + 1
    return sorted(found.values(), key=lambda one: -sum(one["methods"].values()))


def results_of(store: Store, suite: str | None = None, keep: bool = False) -> Results:
    """Return the results of the newest run of a store, or of the newest run of one suite.

    Predictions are read from the store's file when they are asked for; `keep` reads the file into memory where there is
    something to ask for, for a store that is about to be deleted.
    """
    with _one_moment(store):
        return _results_of(store, suite, keep)


def score_parts(store: Store, suite: str | None = None) -> Generator[pd.DataFrame, None, None]:
    """Yield the scores of the run that `results_of` takes, the same rows and columns, in parts of some thousand rows.

    Raises
    ------
    InputError
        There is no such run, or it has no score at all.
    """
    with _one_moment(store):
        run = store.find_run(suite)
        parts = read_parts(store, run["id"], run["info"]["classifiers"], run["info"]["draws"])
        first = next(parts, pd.DataFrame())
        if not metric_columns(first):
            raise InputError(
                f"run {run['id']} of store {store.path} has no score yet: start the same 'bench run' again"
            )
        yield first
        yield from parts


@contextmanager
def _one_moment(store: Store) -> Iterator[None]:
    """Read a store as it is at one moment: of a unit that is stored between two queries half would be read."""
    store.connection.execute("BEGIN")
    try:
        yield
    finally:
        store.connection.rollback()


def _results_of(store: Store, suite: str | None, keep: bool) -> Results:
    run = store.find_run(suite)
    info = run["info"]
    # metrics of plugins, which need not be loaded to read a store
    LOWER_IS_BETTER.update(info.get("lower_is_better", []))
    versions = store.environment(run["id"])
    totals = store.totals(run["id"])
    scores, measured = keep_alone(store.scores(run["id"], info["classifiers"], info["draws"]))
    return Results(
        scores=scores,
        methods=pd.DataFrame(info["methods"]),
        # a run of an older augbench did not look at its data sets
        datasets=pd.DataFrame([{**one, "findings": _findings(info, one["dataset"])} for one in info["datasets"]]),
        training=store.first_curves(run["id"]),
        samples=store.samples(run["id"]),
        run={
            "suite": run["suite"],
            "started": run["started"],
            "seconds": totals["seconds"],
            "times": measured,
            **{name: versions.pop(name, "") for name in MACHINE},
            "versions": versions,
            "environments": _environments(store, run["id"]),
            "mark": digest(
                [
                    run["definition"],
                    run["done"],
                    run["failed"],
                    # the time of day may be set back, and what is computed again never takes just as long
                    totals["seconds"],
                    info.get("hygiene", {}),
                    __version__,
                    *_of_interest(info),
                    info.get("audit"),
                ]
            ),
            "units_done": run["done"],
            "units_failed": run["failed"],
            "warnings": distinct_warnings(store, run["id"]),
            **{key: info[key] for key in ("description", "seed", "draws", "test_fraction", "folds", "command")},
            # a run of an older augbench had the defaults
            "trials": info.get("trials", 0),
            "budget": info.get("budget", ""),
            "left_out": info.get("left_out", []),
            "audit": info.get("audit", {}),
        },
        predictions=stored_predictions(store, run["id"], info, scores, keep),
        # of a store that is about to be deleted nothing can be read later
        rows=None if keep else StoredRows(store.path, run["id"]),
    )


def _environments(store: Store, run: int) -> list[dict[str, Any]]:
    """Return for each machine and set of versions: what `MACHINE` names, units, versions.

    A process records the packages that it loaded: sets that agree where both know a package are one.
    """
    found: list[dict[str, Any]] = []
    for versions, units in store.environments(run):
        machine = {name: versions.pop(name, "") for name in MACHINE}
        for one in found:
            known = one["versions"]
            agrees = all(known.get(name, version) == version for name, version in versions.items())
            if agrees and all(one[name] == value for name, value in machine.items()):
                one["versions"] = known | versions
                one["units"] += units
                break
        else:
            found.append(machine | {"units": units, "versions": versions})
    return found


def _findings(info: Mapping[str, Any], dataset: str) -> list[dict[str, Any]]:
    return list(info.get("hygiene", {}).get(dataset, {}).get("findings", []))


def _of_interest(info: dict[str, Any]) -> list[str]:
    """Return the classes of interest: they change the page and no key."""
    return [str(one.get("class_of_interest", "")) for one in info["datasets"]]


def is_current(index: Path, results: Results, metric: str) -> bool:
    """Tell whether a site shows just these results."""
    from ..leaderboard.site import site_mark

    if not index.is_file():
        return False
    with index.open(encoding="utf-8", errors="replace") as file:
        return site_mark(results, metric) in file.read(2000)
