"""What a run says of its data sets before it computes anything: each is inspected once and kept with the run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..datasets.contract import Dataset, FiniteDataset
from ..provenance import digest, imported_modules, source_hash
from .console import count, err
from .outcome import describe
from .plan import Plan, dataset_instance
from .store import Store
from .suite import Entry

#: findings of one data set that are printed, and lines in all
_MOST_FINDINGS = 3
_MOST_LINES = 10

#: what this process has inspected, by `_key`
_INSPECTED: dict[str, list[dict[str, Any]]] = {}


def inspect_datasets(plan: Plan, own: Mapping[str, Dataset], store: Store) -> dict[str, dict[str, Any]]:
    """Return what inspections found in the data sets of a plan.

    Simulated data sets, and those that are not here, are left out. What the store holds of the same rows, found by the
    same code, is not computed again.

    Parameters
    ----------
    plan : Plan
        The plan.
    own : mapping
        One's own tables, by the name they have in the suite.
    store : Store
        Where earlier runs are.

    Returns
    -------
    dict
        By data set: ``key``, which changes with the rows and the rules, and ``findings``, each as a dict.

    Raises
    ------
    InputError
        The rows of a data set are not what it says of them: a plugin that was never checked.
    """
    entries = {unit.dataset.id: unit.dataset for unit in plan.units if unit.dataset.id not in plan.fresh}
    known = {one["key"]: one["findings"] for run in store.runs() for one in run["info"].get("hygiene", {}).values()}
    known.update(_INSPECTED)
    found = {}
    for id_, entry in entries.items():
        key = _key(plan.infos[id_].content_hash)
        findings = known.get(key)
        if findings is None:
            findings = _inspect(entry, own)
        if findings is not None:
            _INSPECTED[key] = findings
            found[id_] = {"key": key, "findings": findings}
    return found


def _key(content_hash: str) -> str:
    rules = "augbench.datasets.hygiene"
    return digest([content_hash, source_hash(rules, *imported_modules(rules, "augbench.datasets"))])


def _inspect(entry: Entry, own: Mapping[str, Dataset]) -> list[dict[str, Any]] | None:
    from ..datasets.checks import check_rows
    from ..datasets.hygiene import inspect

    try:
        dataset = own.get(entry.name) or dataset_instance(entry)
        assert isinstance(dataset, FiniteDataset)
        table = dataset.load()
    except Exception as error:
        _warn(entry, error)
        return None
    check_rows(dataset.info, table)
    try:
        return [one.as_dict() for one in inspect(table.X, table.y, dataset.info.classes).findings]
    except Exception as error:
        _warn(entry, error)
        return None


def _warn(entry: Entry, error: Exception) -> None:
    """Say that a data set was not inspected; of a file that is wrong the units say what there is to say."""
    err.print(f"warning: dataset {entry.id} could not be inspected: {describe(error)}", markup=False)


def print_findings(found: Mapping[str, Mapping[str, Any]]) -> None:
    """Print a line for each data set with a finding of substance."""
    lines = []
    for id_, one in found.items():
        grave = [finding["message"] for finding in one["findings"] if finding["severity"] != "note"]
        if grave:
            more = len(grave) - _MOST_FINDINGS
            rest = f"; and {count(more, 'more finding')}" if more > 0 else ""
            lines.append(f"dataset {id_}: {'; '.join(grave[:_MOST_FINDINGS])}{rest}")
    for line in lines[:_MOST_LINES]:
        err.print(f"warning: {line}", markup=False)
    if len(lines) > _MOST_LINES:
        others = count(len(lines) - _MOST_LINES, "more dataset")
        err.print(f"warning: {others} with findings: see the leaderboard", markup=False)
