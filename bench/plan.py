"""The plan: a suite, resolved into units of work, each with a hash of all that decides its result."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .. import datasets as dataset_registry
from .. import methods as method_registry
from ..datasets.contract import Dataset, DatasetInfo, FiniteDataset, MissingDataError, SimulatedDataset
from ..errors import InputError, unknown_name
from ..methods import documentation
from ..methods.contract import Augmenter, Detector
from ..methods.samplers import ImblearnSampler, load_sampler
from ..provenance import digest, package_versions, source_hash
from . import classifiers as classifier_registry
from . import metrics as metric_registry
from .device import CPU, check_package, missing_requirement
from .guard import at_work
from .identity import classifier_hash, code_identity, method_hash
from .scenario import Scenario
from .space import check_spaces
from .suite import Entry, Suite

#: the code of ours that decides a score, beside the method, the dataset and the classifier
HARNESS = tuple(
    f"augbench.bench.{name}"
    for name in (
        "augment",
        "cells",
        "classifiers",
        "detect",
        "evaluate",
        "fidelity",
        "guard",
        "logistic",
        "metrics",
        "networks",
        "outcome",
        "prepare",
        "scenario",
        "stacking",
        "threshold",
    )
)


@dataclass(frozen=True)
class Unit:
    """A unit of work: everything `evaluate` needs, small enough to be sent to a worker.

    Attributes
    ----------
    key : str
        SHA-256 of all that decides the result.
    definitions : dict of str to str
        The hashes that the key is made of, by what they define (``"method:smote"``): two stores that differ in one
        of them must not be mixed.
    keep_training : bool
        Whether the training curves of neural methods are kept; no part of the key, since no score depends on it.
    threads, trials, budget
        As in `Suite`; a unit whose method has nothing that a budget decides has none.
    """

    key: str
    method: Entry
    dataset: Entry
    scenario: Scenario
    draws: tuple[int, ...]
    classifiers: tuple[Entry, ...]
    seed: int
    test_fraction: float
    folds: int
    definitions: dict[str, str]
    keep_training: bool = False
    threads: int = 1
    trials: int = 0
    budget: str = ""

    @property
    def title(self) -> str:
        """One line for people."""
        last = f"–{self.draws[-1]}" if len(self.draws) > 1 else ""
        return f"{self.method.id} · {self.dataset.id} · {self.scenario.id} · draws {self.draws[0]}{last}"


@dataclass(frozen=True)
class Exclusion:
    """Cells that are in the grid and are not run, with the reason."""

    method: str
    dataset: str
    scenario: str
    status: str  # "not applicable" or "not run"
    reason: str


@dataclass(frozen=True)
class Plan:
    """A resolved suite: units in the order in which they are run, and what was left out.

    Attributes
    ----------
    methods : dict of str to object
        Every method by its id, as it was built (a filtered method follows the one that it wraps).
    entries : dict of str to Entry
        What the suite says of each, by the same id.
    """

    suite: Suite
    units: list[Unit]
    exclusions: list[Exclusion]
    methods: dict[str, Any]
    infos: dict[str, DatasetInfo]
    fresh: set[str]
    entries: dict[str, Entry] = field(default_factory=dict)

    def method_rows(self) -> list[dict[str, Any]]:
        """Return what the leaderboard shows of each method."""
        return [
            {
                "method": id_,
                "kind": method.kind,
                "role": method.role,
                "family": method.family,
                "description": _description(method),
                **_documented(self.entries[id_], method),
            }
            for id_, method in self.methods.items()
        ]

    def dataset_rows(self) -> list[dict[str, Any]]:
        """Return what the leaderboard shows of each dataset."""
        return [
            {
                "dataset": id_,
                "group": info.group,
                "description": info.description,
                "classes": list(info.classes),
                "class_of_interest": info.class_of_interest,
                "n_rows": info.n_rows,
                "n_features": info.n_numeric + info.n_categorical,
                "n_categorical": info.n_categorical,
                "class_counts": list(info.class_counts),
                **{key: getattr(info, key) for key in ("licence", "source", "citation", "missing", "series")},
                "fresh": id_ in self.fresh,
                "content_hash": info.content_hash,
            }
            for id_, info in self.infos.items()
        ]


def _description(method: Any) -> str:
    """Return what a method says of itself in one line; most say it in the docstring."""
    own = getattr(method, "description", None)
    return own if isinstance(own, str) else documentation.unmarked(first_line(type(method)))


def _documented(entry: Entry, method: Any) -> dict[str, Any]:
    """Return what a method's page says of it: text, citations, the line that names it, parameters with their values."""
    classes = [method.sampler_class] if entry.sampler else [type(method)]
    if isinstance(inner := getattr(method, "augmenter", None), Augmenter):
        classes.insert(0, type(inner))
    paragraphs = [one for cls in classes for one in documentation.plain_text(cls)[:2]]
    known = [] if entry.sampler else [vars(one) for one in documentation.parameters(entry.name)]
    unknown = [{"name": name, "default": "", "meaning": ""} for name in entry.params] if entry.sampler else []
    return {
        "text": [one for one in paragraphs if one != _description(method)],
        "citations": list(dict.fromkeys(one for cls in classes for one in documentation.citations(cls))),
        "name": entry.name or entry.sampler,
        "parameters": [
            one
            | {"meaning": documentation.unmarked(one["meaning"])}
            | {"value": repr(entry.params[one["name"]]) if one["name"] in entry.params else one["default"]}
            for one in known + unknown
        ],
    }


def first_line(cls: type) -> str:
    """Return the first line of a class's docstring."""
    return (inspect.getdoc(cls) or "").partition("\n")[0]


def expand(kind: str, entries: Iterable[Entry], registry: Any, own: Iterable[str] = ()) -> list[Entry]:
    """Replace groups by their members, unless one's `own` has the name; a name that stands twice counts once."""
    expanded: dict[str, Entry] = {}
    for entry in entries:
        if entry.name in registry.GROUPS and entry.name not in own:
            members = [Entry(name=name) for name in registry.GROUPS[entry.name]]
        elif entry.name and entry.name not in [*own, *registry.names()]:
            raise unknown_name(f"{kind} or group", entry.name, [*registry.names(), *registry.GROUPS])
        else:
            members = [entry]
        for member in members:
            if expanded.setdefault(member.id, member) != member:
                raise InputError(f"two {kind}s are called '{member.id}'; give each its own id")
    return list(expanded.values())


def method_instance(entry: Entry) -> Any:
    """Build a method from its entry in a suite."""
    with at_work():
        if entry.sampler:
            return ImblearnSampler.from_class(entry.sampler, **entry.params)
        return method_registry.make(entry.name, entry.params)


def takes_steps(entry: Entry) -> bool:
    """Tell whether a method's length of training can be set: whether it has the parameter `steps`."""
    return not entry.sampler and "steps" in method_registry.allowed_parameters(entry.name)


def dataset_instance(entry: Entry) -> Dataset:
    """Build a dataset from its entry in a suite."""
    return dataset_registry.make(entry.name, **entry.params)


def not_applicable(method: Any, info: DatasetInfo, scenario: Scenario, counts: list[int], folds: int) -> str:
    """Return why a method cannot be used on training sets with these class counts, or an empty string."""
    if isinstance(method, Detector):
        if scenario.rows == "synthetic":
            # on the real rows it would only repeat what it gives where they are kept
            return "adds no rows, and the scenario trains on synthetic rows only"
        if method.needs_series and not info.series:
            return "needs time series; the rows of this dataset are independent"
        if method.needs_series and scenario.kind != "full":
            return "needs unbroken series: only the scenario full"
    if folds == 0 and getattr(method, "tuned_decision", False):
        return "the suite has folds = 0, so nothing is tuned"
    if method.numeric_only and info.n_categorical:
        return f"takes numeric columns only; {info.n_categorical} of the columns are categorical"
    if method.binary_only and len(info.classes) != 2:
        return f"takes two classes; there are {len(info.classes)}"
    if min(counts) < method.min_per_class:
        rarest = info.classes[counts.index(min(counts))]
        return f"needs {method.min_per_class} rows of each class; class '{rarest}' has {min(counts)}"
    return ""


def _available_counts(dataset: Dataset, test_fraction: float) -> list[int]:
    """Return how many training rows of each class a draw has before the scenario takes its choice."""
    counts = dataset.info.class_counts
    if isinstance(dataset, SimulatedDataset):
        return list(counts)
    return [int(np.floor(count * (1 - test_fraction))) for count in counts]


def _check_no_twins(datasets: dict[str, Dataset]) -> None:
    """Raise where two datasets are the same: with the same draws, they would count as two in every test."""
    seen: dict[str, str] = {}
    for id_, dataset in datasets.items():
        # (of files that are not here it is not known)
        if not _absence(dataset) and (first := seen.setdefault(dataset.info.content_hash, id_)) != id_:
            rows = f"datasets '{first}' and '{id_}' have the same rows"
            raise InputError(f"{rows}: every test would take one for two. Leave one out")


def make_plan(suite: Suite, own_datasets: dict[str, Dataset] | None = None) -> Plan:
    """Resolve a suite.

    Parameters
    ----------
    suite : Suite
        The grid.
    own_datasets : dict, optional
        Datasets that are not registered, by the id they have in the suite: one's own tables.

    Raises
    ------
    InputError
        A name or parameter does not exist, or two datasets are the same.
    """
    own = own_datasets or {}
    method_entries = _method_entries(suite)
    methods = {entry.id: method_instance(entry) for entry in method_entries}
    classifiers = tuple(expand("classifier", suite.classifiers, classifier_registry))
    datasets = {
        entry.id: (entry, own[entry.name] if entry.name in own else dataset_instance(entry))
        for entry in expand("dataset", suite.datasets, dataset_registry, own)
    }
    _check_no_twins({id_: dataset for id_, (_, dataset) in datasets.items()})
    common = _common_code(classifiers)
    if suite.trials:
        check_package("optuna", f"tuning (trials = {suite.trials})")
        check_spaces({entry.id: (entry, methods[entry.id]) for entry in method_entries}, classifiers)
    budgets = {entry.id: suite.budget if takes_steps(entry) else "" for entry in method_entries}
    settings = {budget: _settings_hash(suite, budget) for budget in budgets.values()}
    method_hashes = {entry.id: method_hash(entry, methods[entry.id]) for entry in method_entries}
    units: list[Unit] = []
    exclusions: list[Exclusion] = []
    for dataset_entry, dataset in datasets.values():
        absent = _absence(dataset)
        dataset_hash = _dataset_hash(dataset)
        for scenario in suite.scenarios:
            # what all units of the cell share: of a large suite there are tens of thousands
            scenario_hash = digest(scenario.model_dump())
            place = {f"dataset:{dataset_entry.id}": dataset_hash, f"scenario:{scenario.id}": scenario_hash}
            reasons = _reasons(absent, dataset, scenario, methods, suite)
            for id_, (status, reason) in reasons.items():
                if status:
                    exclusions.append(Exclusion(id_, dataset_entry.id, scenario.id, status, reason))
            for first in range(0, suite.draws, suite.block):
                draws = tuple(range(first, min(first + suite.block, suite.draws)))
                for method_entry in method_entries:
                    if reasons[method_entry.id][0]:
                        continue
                    definitions = common | {
                        f"method:{method_entry.id}": method_hashes[method_entry.id],
                        **place,
                        "settings": settings[budgets[method_entry.id]],
                    }
                    units.append(
                        Unit(
                            key=digest({"draws": list(draws), "definitions": definitions}),
                            method=method_entry,
                            dataset=dataset_entry,
                            scenario=scenario,
                            draws=draws,
                            classifiers=classifiers,
                            seed=suite.seed,
                            test_fraction=suite.test_fraction,
                            folds=suite.folds,
                            definitions=definitions,
                            threads=suite.threads,
                            trials=suite.trials,
                            budget=budgets[method_entry.id],
                        )
                    )
    return Plan(
        suite,
        units,
        exclusions,
        methods,
        {id_: dataset.info for id_, (_, dataset) in datasets.items()},
        {id_ for id_, (_, dataset) in datasets.items() if isinstance(dataset, SimulatedDataset)},
        {entry.id: entry for entry in method_entries},
    )


def _method_entries(suite: Suite) -> list[Entry]:
    """Return the methods of a suite, groups resolved, the baseline and the controls first."""
    listed = list(suite.methods)
    if suite.controls:
        listed = [Entry(name=name) for name in method_registry.GROUPS["controls"]] + listed
    elif "none" not in [entry.id for entry in listed]:
        listed.insert(0, Entry(name="none"))
    filtered = [entry.name for entry in listed if entry.name.endswith(method_registry.FILTER)]
    method_entries = expand("method", listed, method_registry, own=filtered)
    for entry in method_entries:
        if entry.id == "none" and entry.name != "none":
            raise InputError(f"method {entry.name or entry.sampler} cannot have the id 'none': that is the baseline")
    return [_on_device(entry, suite.device) for entry in method_entries]


def _common_code(classifiers: Iterable[Entry]) -> dict[str, str]:
    """Return the hashes of the code and packages here that all methods have in common, by what they define."""
    common = {"harness": source_hash(*HARNESS), "packages": digest(package_versions())}
    common |= {f"classifier:{entry.id}": classifier_hash(entry) for entry in classifiers}
    for name, metric in metric_registry.METRICS.items():
        if metric.function is not None:
            common[f"metric:{name}"] = source_hash(inspect.getfile(metric.function))
    return common


def differing_code(unit: Unit, own: Dataset | None = None) -> list[str]:
    """Return what a unit's key is made of and is something else here: code or packages have changed since.

    Names are those of `Unit.definitions`; one that is not known here differs. `own` is the dataset, if it is one's own.
    """
    dataset = own or dataset_instance(unit.dataset)
    here = _common_code(unit.classifiers) | {
        f"method:{unit.method.id}": method_hash(unit.method, method_instance(unit.method)),
        f"dataset:{unit.dataset.id}": _dataset_hash(dataset),
        "settings": _settings_hash(unit, unit.budget),
    }
    return sorted(name for name, value in here.items() if unit.definitions.get(name) != value)


def _dataset_hash(dataset: Dataset) -> str:
    return digest([dataset.info.content_hash, code_identity(type(dataset))])


def _settings_hash(suite: Suite | Unit, budget: str) -> str:
    """Return the hash of how a suite evaluates; the code of tuning and of budgets counts only where there are any."""
    settings: list[Any] = [suite.seed, suite.test_fraction, suite.folds]
    if suite.threads > 1:
        settings += [{"threads": suite.threads}]
    if budget:
        settings += [budget, source_hash("augbench.bench.budget")]
    if suite.trials:
        code = source_hash("augbench.bench.tuning", "augbench.bench.space")
        settings += [{"trials": suite.trials}, code, package_versions(["optuna"])]
    return digest(settings)


def _on_device(entry: Entry, device: str) -> Entry:
    """Set the device of a method that can choose one; on the CPU, the default, nothing is set and keys stay."""
    cls = load_sampler(entry.sampler) if entry.sampler else method_registry.get(entry.name)
    if device == CPU or "device" in entry.params or "device" not in inspect.signature(cls).parameters:
        return entry
    return entry.model_copy(update={"params": entry.params | {"device": device}})


def _absence(dataset: Dataset) -> str:
    """Return why the data are not here, or an empty string."""
    try:
        if isinstance(dataset, FiniteDataset):
            dataset.check_present()
    except MissingDataError as error:
        return str(error)
    return ""


def _reasons(
    absent: str, dataset: Dataset, scenario: Scenario, methods: dict[str, Any], suite: Suite
) -> dict[str, tuple[str, str]]:
    """Return for each method (status, reason); an empty status where the cell is run."""
    if absent:
        return {id_: ("not run", absent) for id_ in methods}
    try:
        counts = scenario.training_counts(_available_counts(dataset, suite.test_fraction), dataset.info)
    except InputError:
        raise
    except ValueError as error:
        return {id_: ("not applicable", str(error)) for id_ in methods}
    return {id_: _reason(method, dataset.info, scenario, counts, suite) for id_, method in methods.items()}


def _reason(method: Any, info: DatasetInfo, scenario: Scenario, counts: list[int], suite: Suite) -> tuple[str, str]:
    if reason := not_applicable(method, info, scenario, counts, suite.folds):
        return "not applicable", reason
    if reason := missing_requirement(method):
        return "not run", reason
    return "", ""
