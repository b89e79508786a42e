"""The pages of reproduced experiments: an index, and one page each, in the style of the leaderboard."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd

from ..leaderboard.format import NOTHING, plain_number
from ..leaderboard.plots import inline_svg
from ..leaderboard.results import Results
from ..leaderboard.site import INDEX, write_files
from ..leaderboard.site.base import Page, read_assets, templates
from .claims import Finding, arithmetic, baselines
from .curves import epochs_section, losses_section
from .detection_sections import detection_sections
from .experiment import Experiment, Gains, known_experiments, load_experiment
from .figures import gains_figure, levels_figure
from .latent_sections import latent_facts, latent_sections
from .latent_store import Swept
from .sections import Drawing, Section
from .verdict import NOT_COMPARABLE, NOT_REPRODUCED, NOT_RUN, REPRODUCED, RULES, UNDECIDED

_LEVELS = "The scores themselves: ours as a line with 95 % intervals, the published ones as open circles."
_DIFFERENCES = "The difference to the baseline: ours with its 95 % interval, the published one as an open circle."
WORDS = (REPRODUCED, NOT_REPRODUCED, UNDECIDED, NOT_COMPARABLE, NOT_RUN)


@dataclass(frozen=True)
class Run:
    """An experiment that was run.

    Attributes
    ----------
    experiment : Experiment
        What it is.
    results : mapping of str to Results
        Of its parts, by name.
    findings : list of Finding
        Its claims.
    quick : bool
        Whether it is the small version.
    sites : mapping of str to str
        For each part the way from the page to its full leaderboard.
    latent : tuple of Swept
        Its latent sweeps, with what is stored of each.
    """

    experiment: Experiment
    results: Mapping[str, Results]
    findings: list[Finding]
    quick: bool
    sites: Mapping[str, str]
    latent: tuple[Swept, ...] = ()


def summary(findings: list[Finding]) -> str:
    """Return what became of published figures, and of what was expected beforehand, in a sentence each."""
    printed = [one for one in findings if not np.isnan(one.published)]
    expected = [one for one in findings if np.isnan(one.published)]
    groups = (("published figure", printed), ("expectation", expected))
    return " ".join(_became(name, group) for name, group in groups if group)


def _became(name: str, findings: list[Finding]) -> str:
    counts = Counter(one.verdict.word for one in findings)
    known = len(findings) - counts[NOT_RUN]
    parts = [f"{counts[word]} {word}" for word in WORDS[:-1] if counts[word]]
    gone = f" Not run: {counts[NOT_RUN]} more." if counts[NOT_RUN] else ""
    return f"Of {known} {name}{'' if known == 1 else 's'}: {', '.join(parts) or 'nothing'}.{gone}"


def write_pages(runs: Mapping[str, Run], folder: Path) -> Path:
    """Write the index and the page of each experiment that was run; return the index.

    Raises
    ------
    InputError
        The folder holds something else, or a file cannot be written.
    """
    pages = [_index(runs), *(_page(run) for run in runs.values())]
    environment = templates("augbench.reproduction", "augbench.leaderboard")
    environment.filters["span"] = _span
    navigation = [("Experiments", INDEX), *((page.nav, page.path) for page in pages[1:])]
    environment.globals.update(site=SimpleNamespace(navigation=navigation), suite="")
    files = {
        page.path: environment.get_template(page.template).render(page=page, root=page.root, **page.values)
        for page in pages
    }
    tables = {f"downloads/{name}.csv": _table(run.findings).to_csv(index=False) for name, run in runs.items()}
    return write_files(files | read_assets("style.css", "site.js") | tables, folder)


def _span(low: float, high: float) -> str:
    """Return the ends of a range of levels."""
    return NOTHING if np.isnan(low) else f"{plain_number(low)} to {plain_number(high)}"


def _index(runs: Mapping[str, Run]) -> Page:
    lines = []
    for name in dict.fromkeys([*known_experiments(), *runs]):
        run = runs.get(name)
        experiment = run.experiment if run else load_experiment(name)
        counts = Counter(one.verdict.word for one in run.findings) if run else Counter()
        lines.append(
            {
                "name": name,
                "title": experiment.title,
                "question": experiment.question,
                "path": f"{name}.html" if run else "",
                "counts": [counts[word] for word in WORDS],
                "draws": max((one.ours.n_draws for one in run.findings), default=0) if run else 0,
            }
        )
    quick = any(run.quick for run in runs.values())
    values = {"experiments": lines, "words": WORDS, "rules": RULES, "quick": quick}
    return Page(INDEX, "experiments.html", "Reproduction", values=values)


def _page(run: Run) -> Page:
    experiment = run.experiment
    used = {
        "gain": bool(experiment.gains or experiment.differences),
        "level": bool(experiment.levels),
        "expectation": bool(experiment.expectations or experiment.latent),
    }
    return Page(
        f"{experiment.name}.html",
        "experiment.html",
        experiment.title,
        nav=experiment.name,
        values={
            "experiment": experiment,
            "summary": summary(run.findings),
            "words": [one.words for one in run.findings if one.words],
            "run": _facts(run),
            "quick": run.quick,
            "tables": _tables(run),
            "sections": _sections(run),
            "arithmetic": arithmetic(experiment.counts) if experiment.counts else [],
            "parts": [_part(run, part.name) for part in experiment.parts],
            "rules": {name: rule for name, rule in RULES.items() if used[name]},
            "csv": f"downloads/{experiment.name}.csv",
        },
    )


def _facts(run: Run) -> list[tuple[str, str]]:
    """Return what the page says of the run in a line."""
    trained = latent_facts(run.latent)
    dates = [str(results.run.get("started", ""))[:10] for results in run.results.values()]
    seconds = sum(float(results.run.get("seconds") or 0) for results in run.results.values())
    seconds += float(trained.get("seconds", 0))
    scores = [results.scores["status"] for results in run.results.values()]
    counts = {word: sum(int((one == word).sum()) for one in scores) for word in ("ok", "failed")}
    facts = [
        ("date", next(iter(dates), trained.get("date", ""))),
        ("compute time of all processes", f"{seconds / 3600:.1f} h" if seconds > 5400 else f"{seconds / 60:.0f} min"),
        ("networks", trained.get("networks", "")),
        ("scores", f"{counts['ok']:,}" if scores else ""),
        ("failed", f"{counts['failed']:,}" if scores else ""),
    ]
    return [(name, value) for name, value in facts if value]


def _tables(run: Run) -> list[dict[str, Any]]:
    sources = {table.title: table.source for table in run.experiment.gains}
    tables = []
    for number, (title, group) in enumerate(groupby(run.findings, key=lambda one: one.table)):
        findings = list(group)
        signed = not np.isnan([one.published_baseline for one in findings]).all() or np.isnan(findings[0].published)
        gains = title in sources
        levels, differences = (levels_figure(findings), gains_figure(findings)) if gains else (None, None)
        tables.append(
            {
                "id": f"table-{number}",
                "title": title,
                "source": sources.get(title, ""),
                "findings": findings,
                "statement": _comparable(findings) if gains else "",
                "signed": signed,
                "row_name": "published row" if gains else "figure",
                "classifiers": sorted({one.classifier for one in findings} - {""}),
                "column_name": ("method" if gains else "metric") if len({one.column for one in findings}) > 1 else "",
                "has_baseline": not np.isnan([one.baseline.mean for one in findings]).all(),
                "figures": [
                    Drawing(inline_svg(figure, f"{title}, {what}: the table has the numbers", f"{what}{number}"), text)
                    for what, figure, text in (("levels", levels, _LEVELS), ("differences", differences, _DIFFERENCES))
                    if figure
                ],
            }
        )
    return tables


def _sections(run: Run) -> list[Section]:
    """Return what the page shows beside the claims."""
    sections = [_baselines(one, run.results) for one in run.experiment.gains if len(one.classifiers) > 1]
    sections += [epochs_section(one, run.results) for one in run.experiment.epochs]
    if run.experiment.detection:
        sections += detection_sections(run.experiment, run.results)
    sections.append(losses_section(run.results))
    sections += [one for swept in run.latent for one in latent_sections(swept, swept.sweep.name)]
    return [one for one in sections if one]


def _baselines(table: Gains, results: Mapping[str, Results]) -> Section | None:
    """Return the baselines of all classifiers that were tried; None where nothing was run."""
    rows = baselines(table, results)
    if not rows:
        return None
    return Section(
        f"{table.title}: the baseline with every classifier",
        text=("Without augmentation, in points. The source names no classifier.",),
        head=("published row", "published", *table.classifiers),
        rows=tuple(
            (label, plain_number(printed), *(plain_number(one) for one in ours)) for label, printed, ours in rows
        ),
    )


def _comparable(findings: list[Finding]) -> str:
    """Return which rows of a published table can be compared: those whose baseline is one that ours has."""
    known = [one for one in findings if one.verdict.word != NOT_RUN]
    rows = list(dict.fromkeys(one.row for one in known))
    fitting = list(dict.fromkeys(one.row for one in known if one.verdict.word != NOT_COMPARABLE))
    if not rows:
        return "No row was run."
    if len(fitting) == len(rows):
        return f"All {len(rows)} rows can be compared: their baselines are such as ours."
    named = f": {'; '.join(fitting)}" if fitting else ""
    return f"{len(fitting)} of {len(rows)} rows can be compared, their baselines are such as ours{named}."


def _part(run: Run, name: str) -> dict[str, str]:
    results = run.results.get(name)
    if results is None:
        return {"name": name, "path": "", "what": "not run"}
    scores = results.scores
    names = {key: scores[key].nunique() for key in ("method", "dataset", "scenario", "classifier", "draw")}
    what = " × ".join(f"{number} {key}{'' if number == 1 else 's'}" for key, number in names.items())
    return {"name": name, "path": run.sites.get(name, ""), "what": what}


def _table(findings: list[Finding]) -> pd.DataFrame:
    """Return the claims as a plain table."""
    return pd.DataFrame(
        [
            {
                "table": one.table,
                "row": one.row,
                "column": one.column,
                "dataset": one.place[0],
                "scenario": one.place[1],
                "method": one.place[2],
                "classifier": one.classifier,
                "published": one.published,
                "published_level": one.published_level,
                "published_baseline": one.published_baseline,
                **{
                    f"ours_{key}": getattr(one.ours, key)
                    for key in ("mean", "low", "high", "run_low", "run_high", "n_draws")
                },
                "our_baseline": one.baseline.mean,
                "verdict": one.verdict.word,
                "why": one.verdict.why,
            }
            for one in findings
        ]
    )
