"""What all pages share: the comparison, links between pages, the template environment."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from importlib import resources
from typing import TYPE_CHECKING, Any, NamedTuple

from .. import format as text
from ..comparison import Comparison
from ..details import DatasetDetail, dataset_detail
from ..figures import BAR_WIDTH
from ..results import Results, higher_is_better
from ..separation import Separation, separation
from ..tables import compare
from .downloads import Download, downloads_of

if TYPE_CHECKING:
    from jinja2 import Environment

#: Folder of style and scripts in the site, and the names of these in the templates.
ASSETS = "assets"
STATIC = ("style.css", "site.js", "shared.js", "index.js", "compare.js")
#: Inches that a figure is wide on a page, alone or beside another one; an inch is 96 pixels, 9 points are 12.
FIGURE_WIDTH, HALF_WIDTH = 11.6, 6.0


@dataclass(frozen=True)
class Page:
    """One file of the site.

    Attributes
    ----------
    path : str
        Where it lies in the site, with slashes.
    template : str
        Its template, which extends ``layout.html``.
    title : str
        Of the window and of the first heading.
    nav : str
        Its name in the navigation; empty for one that is reached from other pages.
    values : mapping
        What the template reads beside the values that all pages have.
    """

    path: str
    template: str
    title: str
    nav: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)

    @property
    def root(self) -> str:
        """The way from this page to the folder of the site: empty, or "../"."""
        return "../" * self.path.count("/")


class RealSample(NamedTuple):
    """What is to be known of the real rows that were kept of a draw, without their values."""

    n_rows: int
    images: bool


class Site:
    """All pages of one run by one metric; what several pages need is computed once.

    Parameters
    ----------
    results : Results
        What it shows.
    metric : str
        What the methods are compared by.
    main : Comparison, optional
        The comparison by this metric, where it is at hand.
    """

    def __init__(self, results: Results, metric: str, main: Comparison | None = None) -> None:
        self.results, self.metric = results, metric
        self.main: Comparison = main or compare(results, metric=metric)
        self.method_paths = _paths("method", map(str, self.main.table["method"]))
        self.dataset_paths = _paths("dataset", self.main.datasets)
        self.navigation: list[tuple[str, str]] = []

    @cached_property
    def details(self) -> dict[str, DatasetDetail]:
        """Every data set in detail."""
        return {name: dataset_detail(self.results, name, self.metric) for name in self.main.datasets}

    @cached_property
    def rows(self) -> dict[str, dict[str, Any]]:
        """The rows of the main table by method, best first."""
        return {str(row["method"]): {str(k): v for k, v in row.items()} for row in self.main.table.to_dict("records")}

    @cached_property
    def real_samples(self) -> dict[tuple[str, str], RealSample]:
        """The real rows that were kept, by data set and scenario: every page of a method asks for all of them."""
        samples, baseline = self.results.samples, self.main.baseline
        places = [(dataset, scenario) for one, dataset, scenario in samples if one == baseline]
        kept = ((place, samples[baseline, *place]) for place in places)
        return {place: RealSample(len(real.y), bool(real.shape)) for place, real in kept}

    @cached_property
    def separation(self) -> Separation | None:
        """All pairs of ranked methods; None where nothing is tested."""
        return separation(self.results, self.main)

    @cached_property
    def downloads(self) -> list[Download]:
        """The files for other programs."""
        return downloads_of(self.results, self.main, self.separation)

    @property
    def rising(self) -> bool:
        """Whether more of the metric is better."""
        return higher_is_better(self.metric)

    @property
    def controls(self) -> set[str]:
        """Names of the controls and adjusters, the baseline among them."""
        return {name for name, row in self.rows.items() if row["is_control"] or row["is_baseline"]}

    def render(self, page: Page) -> str:
        """Return the text of a page."""
        return self._environment.get_template(page.template).render(page=page, root=page.root, **page.values)

    def assets(self) -> dict[str, str]:
        """Return style and scripts by path."""
        return read_assets(*STATIC)

    @cached_property
    def _environment(self) -> Environment:
        environment = templates("augbench.leaderboard")
        environment.globals.update(
            site=self,
            comparison=self.main,
            suite=str(self.results.run.get("suite", "")),
            metric_name=text.metric_name(self.metric),
            scale_width=BAR_WIDTH,
        )
        return environment


def without_methods(command: str) -> str:
    """Return a command line of `bench run` without the methods that it names."""
    return re.sub(r" --methods[ =]('[^']*'|\S+)", "", command)


def templates(*packages: str) -> Environment:
    """Return the templates of packages, the first that has a name wins, with the filters that write numbers."""
    from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=ChoiceLoader([PackageLoader(package, "templates") for package in packages]),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters.update(
        signed=text.signed,
        number=text.plain_number,
        interval=text.interval,
        p=text.p_value,
        seconds=text.seconds,
        chance=text.probability,
        data=data_value,
    )
    return environment


def read_assets(*names: str) -> dict[str, str]:
    """Return style and scripts by path."""
    folder = resources.files("augbench.leaderboard.templates")
    return {f"{ASSETS}/{name}": (folder / name).read_text(encoding="utf-8") for name in names}


def data_value(value: float) -> Any:
    """Return what a cell is sorted by: the number, or nothing for NaN."""
    return value if value == value else ""


def slug(name: str) -> str:
    """Return a name as it may stand in a file name: lower-case letters, digits, dots and hyphens.

    Examples
    --------
    >>> slug("SMOTE (k=3)"), slug("../정상")
    ('smote-k-3', 'x')
    """
    return re.sub(r"[^a-z0-9.]+", "-", name.lower()).strip("-.") or "x"


def _paths(folder: str, names: Iterable[str]) -> dict[str, str]:
    """Return a path for each name; those that would share one are numbered in order of name."""
    taken: dict[str, str] = {}
    for name in sorted(names):
        base = slug(name)[:80]
        candidates = [base, *(f"{base}-{number}" for number in range(2, len(taken) + 3))]
        free = next(one for one in candidates if one not in taken)
        taken[free] = name
    return {name: f"{folder}/{base}.html" for base, name in taken.items()}
