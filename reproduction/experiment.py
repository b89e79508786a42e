"""Experiments: what a source printed, the grid that repeats it, and which number stands beside which."""

from __future__ import annotations

import tomllib
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, model_validator

from ..bench.scenario import validation_message
from ..bench.suite import Entry, Suite, validate_suite
from ..errors import InputError, unknown_name

#: The order in which they are listed: that of the sources.
ORDER = (
    "logistic-simulation",
    "proben1",
    "thyroid-few-shot",
    "mnist-few-shot",
    "mnist-generated-only",
    "mnist-2000-generated",
    "mnist-latent",
    "rare-event-autoencoder",
    "known-results",
)


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Part(_Model):
    """One grid of an experiment.

    Attributes
    ----------
    name : str
        Its name; the suite is called ``reproduce-EXPERIMENT-NAME``.
    suite : dict
        As in a suite's file.
    quick : dict
        What ``--quick`` puts in the place of that: small enough for a minute, no evidence.
    optional : bool
        Whether it is no failure that the data are not on this machine.
    """

    name: str
    suite: dict[str, Any]
    quick: dict[str, Any] = Field(default_factory=dict)
    optional: bool = False


class Gains(_Model):
    """A published table with a column for the baseline and one for each method.

    Names may hold the columns of a published row in braces, such as ``"few-shot:shots={shots_per_class}"``.

    Attributes
    ----------
    published : str
        The file in ``reproduction/published``.
    where : dict of str to str
        Its rows: the values of some columns; empty: all of them.
    title, source : str
        What it is, and where it was printed.
    label : str
        What the page calls a row.
    metric : str
        What was printed, as a metric of ours.
    scale : float
        What a printed number is multiplied by to be in points.
    dataset, scenario : str
        Where ours stands.
    baseline_column, baseline : str
        The published column and our method.
    columns : dict of str to str
        For each other published column our method.
    rename : dict of str to dict
        For a published column, what its values are called in our names.
    classifiers : list of str
        Those that are tried.
    by : list of str
        Columns that make a group of rows: the classifier whose baseline comes closest is chosen for each group.
    """

    published: str
    where: dict[str, str] = Field(default_factory=dict)
    title: str
    source: str
    label: str
    metric: str = "weighted_f1"
    scale: float = 100.0
    dataset: str
    scenario: str = "full"
    baseline_column: str = "baseline"
    baseline: str = "none"
    columns: dict[str, str]
    rename: dict[str, dict[str, str]] = Field(default_factory=dict)
    classifiers: tuple[str, ...]
    by: tuple[str, ...] = ()

    @property
    def rows(self) -> list[dict[str, str]]:
        """The published rows, column by column."""
        rows = published_table(self.published).to_dict("records")
        return [
            {str(key): str(value) for key, value in row.items()}
            for row in rows
            if all(row[key] == value for key, value in self.where.items())
        ]

    def names(self, row: dict[str, str]) -> dict[str, str]:
        """Return what may stand in braces, for a row of the published table."""
        return {key: self.rename.get(key, {}).get(value, value) for key, value in row.items()}


class Level(_Model):
    """A single published figure.

    Attributes
    ----------
    published : str
        The file in ``reproduction/published``.
    where : dict of str to str
        The row: the values of some columns.
    column : str
        The column; ``"total"``, ``"recall_0"`` and ``"recall_1"`` are computed from the row's counts, and so are the
        ``"event_…"`` of `detection`.
    label : str
        What the page calls it.
    metric, dataset, scenario, classifier, method : str
        Ours.
    scale : float
        What the printed number is multiplied by to be in points.
    exact : bool
        Whether our data set is the very one of the source.
    other_data : bool
        Whether the data of the source cannot be had, so that ours only stands beside it.
    """

    published: str
    where: dict[str, str]
    column: str
    label: str
    metric: str = "accuracy"
    dataset: str
    scenario: str = "full"
    classifier: str
    method: str = "none"
    scale: float = 1.0
    exact: bool = False
    other_data: bool = False


class Difference(_Model):
    """A published difference of two of the levels: what the source claims.

    Attributes
    ----------
    label : str
        What the page calls it.
    first, second : str
        Labels of two levels; the claim is that the second is higher.
    controls : list of str
        Trivial methods of ours: those that do as well are named.
    unpaired : bool
        Whether the two figures are of different data sets.
    """

    label: str
    first: str
    second: str
    controls: tuple[str, ...] = ()
    unpaired: bool = False


class Expectation(_Model):
    """A difference between two of our methods that the literature leads to expect.

    Attributes
    ----------
    label : str
        The claim.
    source : str
        Who makes it.
    expected : {"gain", "no gain", "loss"}
        In terms of better and worse.
    metric, classifier, method, baseline : str
        What is compared.
    part, dataset : str
        Where: over all data sets of the part, or on one.
    each : list of str
        Data sets of the part: the same is claimed of each, too.
    instead : str
        What the baseline is replaced by where the claim is about data, not about methods: for each data set of the part
        another one, whose name is this text with the data set's in braces, ``"{dataset}-smote-first"``, as it is
        scored with no method at all. Above 0: it scores higher than `method` on the data set itself.
    """

    label: str
    source: str
    expected: Literal["gain", "no gain", "loss"]
    metric: str
    classifier: str
    method: str
    baseline: str = "none"
    part: str
    dataset: str = ""
    each: tuple[str, ...] = ()
    instead: str = ""

    def spread(self) -> list[Expectation]:
        """Return the claim, then that on each of its data sets."""
        more = [self.model_copy(update={"dataset": name, "label": f"{self.label}: {name}"}) for name in self.each]
        return [self, *more]


class Epochs(_Model):
    """A figure of scores over the length of a classifier's training.

    Attributes
    ----------
    title : str
        Heading and caption.
    dataset, scenario : str
        Where.
    classifiers : dict of str to int
        For each classifier of the grid its number of epochs.
    methods : list of str
        The lines.
    metrics : list of str
        The panels.
    """

    title: str
    dataset: str
    scenario: str
    classifiers: dict[str, int]
    methods: tuple[str, ...]
    metrics: tuple[str, ...]


class LatentSweep(_Model):
    """Networks over latent dimension and β, whose latent spaces and pictures are looked at.

    Attributes
    ----------
    name, title : str
        Its name in files, and its heading.
    dataset : Entry
        Images as rows.
    rows, held_out : int
        Rows that a network is trained on and rows that it is looked at with; each seed draws its own.
    seeds : int
        Networks of each β and dimension.
    betas, dims : list of number
        β and latent dimensions: the grid.
    over : {"beta", "dim"}
        What its figures have along the axis.
    judged_beta : float
        The β at which claims of a single β are judged: one of them.
    params : dict
        Further parameters of the method ``latent-noise``, whose network it is.
    strips : list of str
        Classes of which pictures between two images are shown.
    photos : bool
        Whether high pixel values are light; else they are ink.
    optional : bool
        The user brings the images: where they are not here, that is said, and is no failure.
    quick : dict
        What ``--quick`` puts in the place of that.
    """

    name: str
    title: str
    dataset: Entry
    rows: int = Field(ge=2)
    held_out: int = Field(ge=2)
    seeds: int = Field(ge=1)
    betas: tuple[float, ...] = Field(min_length=1)
    dims: tuple[int, ...] = Field(min_length=1)
    over: Literal["beta", "dim"] = "beta"
    judged_beta: float
    params: dict[str, Any] = Field(default_factory=dict)
    strips: tuple[str, ...] = ()
    photos: bool = False
    optional: bool = False
    quick: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _judged(self) -> LatentSweep:
        if self.judged_beta not in self.betas:
            raise ValueError(f"judged_beta must be one of the betas, {self.betas}; found {self.judged_beta}")
        return self

    @property
    def small(self) -> LatentSweep:
        """What ``--quick`` runs."""
        return LatentSweep.model_validate(self.model_dump() | self.quick)


class Experiment(_Model):
    """What ``bench reproduce NAME`` repeats.

    Attributes
    ----------
    name, title, question : str
        For people.
    unknown : list of str
        What the source does not say, and what was taken instead.
    hours : str
        How long it took on two cores.
    parts : list of Part
        The grids; may be empty.
    latent : list of LatentSweep
        Networks whose latent spaces are looked at.
    gains, levels, differences, expectations
        What is compared.
    epochs : list of Epochs
        Figures of training.
    counts : str
        A published file with the counts of confusion tables, whose printed figures are checked against them.
    detection : str
        A published file with the counts of a confusion table of rare events: the page shows ours beside it, and what
        thresholds do, see `detection`.
    """

    name: str
    title: str
    question: str
    unknown: tuple[str, ...] = ()
    hours: str = ""
    parts: tuple[Part, ...] = ()
    latent: tuple[LatentSweep, ...] = ()
    gains: tuple[Gains, ...] = ()
    levels: tuple[Level, ...] = ()
    differences: tuple[Difference, ...] = ()
    expectations: tuple[Expectation, ...] = ()
    epochs: tuple[Epochs, ...] = ()
    counts: str = ""
    detection: str = ""

    def suite(self, part: Part, quick: bool = False) -> Suite:
        """Return the grid of a part."""
        name = suite_name(self.name, part.name) + ("-quick" if quick else "")
        content = part.suite | (part.quick if quick else {})
        return validate_suite({"name": name, "description": self.title, **content}, f"of experiment {self.name}")

    @cached_property
    def suites(self) -> dict[str, Suite]:
        """The grids by name of the part."""
        return {part.name: self.suite(part) for part in self.parts}


def suite_name(experiment: str, part: str) -> str:
    """Return the name under which a part stands in the store."""
    return f"reproduce-{experiment}-{part}"


def known_experiments() -> dict[str, Path]:
    """Return the experiments: name → file, in the order of the sources."""
    folder = Path(str(files("augbench.reproduction.experiments")))
    found = {path.stem: path for path in folder.glob("*.toml")}
    rank = {name: i for i, name in enumerate(ORDER)}
    return {name: found[name] for name in sorted(found, key=lambda name: (rank.get(name, len(rank)), name))}


def load_experiment(name: str) -> Experiment:
    """Read an experiment.

    Raises
    ------
    InputError
        There is no such experiment, or its file is not valid.
    """
    known = known_experiments()
    if name not in known:
        raise unknown_name("experiment", name, known)
    content = tomllib.loads(known[name].read_text(encoding="utf-8"))
    try:
        return Experiment.model_validate({"name": name, **content})
    except ValueError as error:
        raise InputError(f"experiment {name}: {validation_message(error)}") from None


def published_table(name: str) -> pd.DataFrame:
    """Return a published table as it was printed: every value as text.

    Raises
    ------
    InputError
        There is no such table.
    """
    folder = Path(str(files("augbench.reproduction.published")))
    if not (folder / name).is_file():
        raise unknown_name("published table", name, [path.name for path in sorted(folder.glob("*.csv"))])
    return pd.read_csv(folder / name, dtype=str, keep_default_na=False)
