"""Suites: a named grid of methods, datasets, scenarios and classifiers, read from TOML and validated."""

from __future__ import annotations

import re
import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from ..errors import InputError, unknown_name
from .device import DEVICE
from .scenario import Scenario, parse_scenario, validation_message

#: an equal budget of every method for one training set
BUDGET = re.compile(r"steps=0*[1-9]\d*|seconds=(?=.*[1-9])\d+(\.\d+)?")


class Entry(BaseModel):
    """A method, dataset or classifier of a suite.

    Attributes
    ----------
    name : str
        Its registered name.
    id : str
        The name that it has in this suite; by default the registered name with its parameters.
    params : dict
        Parameters that differ from the defaults.
    sampler : str
        Methods only: instead of a name, the class of any imbalanced-learn sampler, ``"package.module.Class"``.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = ""
    id: str = ""
    params: dict[str, Any] = Field(default_factory=dict)
    sampler: str = ""

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: Any) -> Any:
        return {"name": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _fill(self) -> Entry:
        if bool(self.name) == bool(self.sampler):
            raise ValueError("give 'name' (a registered name) or, for a method, 'sampler' (the path of a class)")
        if not self.id:
            name = self.name or self.sampler.rpartition(".")[2]
            inner = ",".join(f"{key}={value}" for key, value in self.params.items())
            object.__setattr__(self, "id", f"{name}({inner})" if inner else name)
        return self

    def with_params(self, params: dict[str, Any]) -> Entry:
        """Return the entry, of the same id, with other values of some parameters."""
        return self.model_copy(update={"params": self.params | params})


class Suite(BaseModel):
    """A grid, and how it is evaluated.

    Attributes
    ----------
    name, description : str
        For people.
    seed : int
        Root of all random numbers.
    draws : int
        Draws of each dataset × scenario.
    block : int
        Draws of one unit of work.
    test_fraction : float
        Share of the rows of a finite table that are tested on.
    folds : int
        Folds of the cross-validation, inside the training rows, that tunes the decision threshold (2 or more); 0 leaves
        the tuned metrics out and takes a third of the time.
    device : str
        Where neural methods are trained: ``"cpu"``, ``"cuda"`` or ``"cuda:N"``. Results of another device than the CPU
        have keys of their own.
    trials : int
        Trials of tuning, for every method and every baseline, of each draw and classifier (`tuning`); 0: the parameters
        given here and the defaults.
    threads : int
        Threads of each unit: BLAS, OpenMP and torch. Results of another number than one have keys of their own, since
        the last bits depend on it.
    budget : str
        ``"steps=N"`` or ``"seconds=S"``: what every method that trains something gets for one training set, whatever
        number of steps stands in its parameters (`budget`); empty: each method's own.
    controls : bool
        Whether the controls run beside whatever methods are named (they should).
    methods, datasets, classifiers : list of Entry
        Names, groups of names (``"neighbours"``, ``"proben1"``, ``"all"``) or tables with parameters.
    scenarios : list of Scenario
        Each crossed with each dataset.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    description: str = ""
    seed: int = Field(default=0, ge=0)
    draws: int = Field(default=10, ge=1)
    block: int = Field(default=5, ge=1)
    test_fraction: float = Field(default=0.3, gt=0, lt=1)
    folds: int = Field(default=3, ge=0)
    device: str = "cpu"
    threads: int = Field(default=1, ge=1)
    trials: int = Field(default=0, ge=0)
    budget: str = ""
    controls: bool = True
    methods: tuple[Entry, ...] = ()
    datasets: tuple[Entry, ...] = Field(min_length=1)
    classifiers: tuple[Entry, ...] = Field(min_length=1)
    scenarios: tuple[Scenario, ...] = (Scenario(kind="full"),)

    @field_validator("folds")
    @classmethod
    def _check_folds(cls, value: int) -> int:
        if value == 1:
            raise ValueError("must be 2 or more, or 0 for no tuning")
        return value

    @field_validator("device")
    @classmethod
    def _check_device(cls, value: str) -> str:
        if not DEVICE.fullmatch(value):
            raise ValueError("must be cpu, cuda or cuda:N, N the number of a GPU")
        return value

    @field_validator("budget")
    @classmethod
    def _check_budget(cls, value: str) -> str:
        if value and not BUDGET.fullmatch(value):
            raise ValueError(
                f"must be steps=N (N a whole number above 0) or seconds=S (S a number above 0); found '{value}'"
            )
        return value

    @field_validator("scenarios", mode="before")
    @classmethod
    def _read_scenarios(cls, value: Any) -> Any:
        if not isinstance(value, list | tuple):
            return value
        try:
            return [parse_scenario(one) if isinstance(one, str) else one for one in value]
        except InputError as error:
            raise ValueError(str(error)) from None

    @model_validator(mode="after")
    def _check_tuning(self) -> Suite:
        if self.trials and not self.folds:
            raise ValueError(f"trials: tuning needs inner folds; found trials = {self.trials} with folds = 0")
        return self

    @model_validator(mode="after")
    def _check_unique(self) -> Suite:
        for field in ("methods", "datasets", "classifiers", "scenarios"):
            ids = [one.id for one in getattr(self, field)]
            twice = sorted({one for one in ids if ids.count(one) > 1})
            if twice:
                raise ValueError(f"{field}: '{twice[0]}' stands twice; give each its own 'id'")
        return self


def builtin_suites() -> dict[str, Path]:
    """Return the suites that come with augbench: name → file."""
    folder = Path(str(files("augbench.bench.suites")))
    return {path.stem: path for path in sorted(folder.glob("*.toml"))}


def load_suite(name: str) -> Suite:
    """Read a suite by the name of a built-in one or the path of a TOML file.

    Raises
    ------
    InputError
        There is no such suite or file, or it is not valid: the message names the file and the line or key.
    """
    known = builtin_suites()
    path = known.get(name, Path(name))
    if name not in known and path.suffix != ".toml":
        raise unknown_name("suite", name, known)
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"suite file {path} does not exist") from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"suite file {path} cannot be read: {error}") from None
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"suite {path} is not valid TOML: {error}") from None
    return validate_suite({"name": path.stem, **content}, str(path))


def validate_suite(content: dict[str, Any], where: str) -> Suite:
    """Build a suite from plain values.

    Raises
    ------
    InputError
        A key or value is wrong; the message starts with `where` and names the key.
    """
    try:
        return Suite.model_validate(content)
    except ValueError as error:
        problems = error.errors()  # type: ignore[attr-defined]
        loc = min(problems, key=lambda problem: problem["type"] != "extra_forbidden")["loc"]
        models: dict[str, type[BaseModel]] = {
            "scenarios": Scenario,
            "methods": Entry,
            "datasets": Entry,
            "classifiers": Entry,
        }
        model = models.get(str(loc[0]), Suite) if len(loc) > 1 else Suite
        raise InputError(f"suite {where}: {validation_message(error, model)}") from None
