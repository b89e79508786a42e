"""Published figures beside ours: each claim of an experiment with its numbers and its verdict."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
import pandas as pd

from ..bench.metrics import METRICS
from ..errors import InputError
from ..leaderboard.aggregate import draw_table
from ..leaderboard.contrast import Contrast, Design
from ..leaderboard.format import interval, metric_name, plain_number, signed
from ..leaderboard.results import Results, higher_is_better
from ..leaderboard.t_tests import TTest, corrected_resampled_t, paired_t
from .detection import RATES, printed_confusion, with_alarms
from .experiment import Difference, Expectation, Experiment, Gains, Level, published_table
from .verdict import (
    FEWEST_DRAWS,
    SMALLEST,
    Ours,
    Verdict,
    judge_expectation,
    judge_gain,
    judge_level,
    one_run,
)

NOTHING = Ours(np.nan, np.nan, np.nan)
EXPECTED = "What is expected beforehand"
EXACT = "On the very data of the source, over starts of the network"
OTHER = "Of other data: ours stands beside it"


@dataclass(frozen=True)
class Finding:
    """A published figure and ours.

    Attributes
    ----------
    table : str
        The title of the table that it belongs to.
    row, column : str
        Where it stands there.
    published : float
        In points: a level, or a difference to the published baseline.
    published_level, published_baseline : float
        What was printed, in points; NaN where the claim is no difference.
    ours, baseline : Ours
        Our difference (or level), and the level of our baseline.
    level : Ours
        Of a difference to a published baseline: the level of our method.
    words : str
        Of a published difference of two levels: what became of it, in sentences.
    classifier : str
        The classifier that was taken.
    verdict : Verdict
        By the rule.
    shown : str
        The published figure as text.
    place : tuple of str
        Our data set, scenario and method.
    """

    table: str
    row: str
    column: str
    published: float
    published_level: float
    published_baseline: float
    ours: Ours
    baseline: Ours
    classifier: str
    verdict: Verdict
    shown: str
    place: tuple[str, str, str]
    level: Ours = NOTHING
    words: str = ""


def findings_of(experiment: Experiment, results: Mapping[str, Results]) -> list[Finding]:
    """Return every claim of an experiment with its verdict.

    Parameters
    ----------
    experiment : Experiment
        The experiment.
    results : mapping of str to Results
        Those of its parts that were run, by name of the part.

    Returns
    -------
    list of Finding
        In the order of the tables. What was not run is there too, and said so.
    """
    if experiment.detection:
        results = {name: with_alarms(one) for name, one in results.items()}
    source = Measured(results)
    found = [one for table in experiment.gains for one in _gains(table, source)]
    levels = {level.label: _level(level, source) for level in experiment.levels}
    found += levels.values()
    by_label = {level.label: level for level in experiment.levels}
    found += [_difference(one, by_label, levels, source) for one in experiment.differences]
    return found + [_expectation(one, source) for claim in experiment.expectations for one in claim.spread()]


class Measured:
    """Our figures, looked up by place over the parts of an experiment."""

    def __init__(self, results: Mapping[str, Results]) -> None:
        self.results = results
        self.contrast = cache(self._contrast)

    def level(self, dataset: str, scenario: str, classifier: str, method: str, metric: str) -> Ours:
        """Return the level of a method, over draws."""
        contrast = self.contrast(dataset, scenario, classifier, method, metric, "none")
        if contrast is None or method not in contrast.table.methods:
            return NOTHING
        values = contrast.table.values[method].dropna().to_numpy(dtype=float)
        if len(values) == 0:
            return NOTHING
        design = contrast.design
        if design.fresh.get(dataset, False) or dataset in design.fixed or design.unknown(dataset):
            test = paired_t(values)
        else:
            test = corrected_resampled_t(values, design.ratios[dataset])
        ours = _ours(test, values)
        return ours if _may_leave_0_to_1(metric) else ours.clipped(0, 100)

    def gain(self, dataset: str, scenario: str, classifier: str, method: str, metric: str, baseline: str) -> Ours:
        """Return the paired difference of a method to a baseline, over draws."""
        contrast = self.contrast(dataset, scenario, classifier, method, metric, baseline)
        if contrast is None or not {method, baseline} <= set(contrast.table.methods):
            return NOTHING
        values = contrast.table.draw_differences(method, baseline, dataset)
        return _ours(contrast.on_dataset(method, dataset), values) if len(values) else NOTHING

    def classifier(self, classifier: str, *methods: str) -> str:
        """Return the classifier that decided over methods; empty where all are detectors, which take its place."""
        tables = [one.methods for one in self.results.values()]
        kinds = {kind for table in tables for kind in table.loc[table["method"].isin(methods), "kind"]}
        return "" if kinds == {"detector"} else classifier

    def _contrast(
        self, dataset: str, scenario: str, classifier: str, method: str, metric: str, baseline: str
    ) -> Contrast | None:
        """Return the comparison at one place; None where it was not run."""
        for results in self.results.values():
            scores = results.scores
            here = (scores["dataset"] == dataset) & (scores["scenario"] == scenario)
            here &= (scores["classifier"] == classifier) & scores["method"].isin({method, baseline, "none"})
            if not (here & (scores["method"] == method)).any():
                continue
            own = scores[here]
            try:
                table = draw_table(own, metric, "none")
            except InputError:
                return None
            return Contrast(table, baseline, Design.of(results, own, "none"))
        return None


def _may_leave_0_to_1(metric: str) -> bool:
    # (recall and F1 of a class are no names of METRICS)
    return metric in ("mcc", "brier", "log_loss") or (metric in METRICS and METRICS[metric].of_rows)


def _ours(test: TTest, values: npt.NDArray[np.float64]) -> Ours:
    """Return a test over draws in points."""
    return Ours(100 * test.mean, 100 * test.low, 100 * test.high, *one_run(100 * values), len(values))


def _gains(table: Gains, source: Measured) -> Iterator[Finding]:
    """Yield a finding for each number of a published table but those of the baseline."""
    rows = table.rows
    groups: dict[tuple[str, ...], list[dict[str, str]]] = {}
    for row in rows:
        groups.setdefault(tuple(row[key] for key in table.by), []).append(row)
    chosen = {key: _closest(table, members, source) for key, members in groups.items()}
    for row in rows:
        classifier = chosen[tuple(row[key] for key in table.by)]
        names = table.names(row)
        dataset, scenario = table.dataset.format(**names), table.scenario.format(**names)
        level = table.scale * float(row[table.baseline_column])
        baseline = source.level(dataset, scenario, classifier, table.baseline, table.metric)
        for column, pattern in table.columns.items():
            method = pattern.format(**names)
            value = table.scale * float(row[column])
            ours = source.gain(dataset, scenario, classifier, method, table.metric, table.baseline)
            yield Finding(
                table=table.title,
                row=table.label.format(**row),
                column=column.replace("_", " "),
                published=value - level,
                published_level=value,
                published_baseline=level,
                ours=ours,
                baseline=baseline,
                classifier=classifier,
                verdict=judge_gain(value - level, level, ours, baseline),
                shown=f"{signed(value - level, 1)} ({plain_number(level)} → {plain_number(value)})",
                place=(dataset, scenario, method),
                level=source.level(dataset, scenario, classifier, method, table.metric),
            )


def baselines(table: Gains, results: Mapping[str, Results]) -> list[tuple[str, float, list[float]]]:
    """Return for each published row its label, its baseline, and ours with each classifier that was tried, in points.

    Rows that stand several times in the table, with other parameters of a method, are listed once, and those that were
    not run not at all.
    """
    source = Measured(results)
    found: dict[tuple[str, str], tuple[str, float, list[float]]] = {}
    for row in table.rows:
        names = table.names(row)
        place = table.dataset.format(**names), table.scenario.format(**names)
        ours = [source.level(*place, one, table.baseline, table.metric).mean for one in table.classifiers]
        if not np.isnan(ours).all():
            label = table.label.format(**row) if place not in found else found[place][0]
            found[place] = (label, table.scale * float(row[table.baseline_column]), ours)
    return list(found.values())


def _closest(table: Gains, rows: list[dict[str, str]], source: Measured) -> str:
    """Return the classifier whose baseline is closest to the published one, the mean over rows; else the first."""
    distances = {}
    for classifier in table.classifiers:
        gaps = []
        for row in rows:
            names = table.names(row)
            place = (table.dataset.format(**names), table.scenario.format(**names))
            ours = source.level(*place, classifier, table.baseline, table.metric)
            gaps.append(abs(ours.mean - table.scale * float(row[table.baseline_column])))
        distances[classifier] = np.nanmean(gaps) if not np.isnan(gaps).all() else np.inf
    return min(distances, key=lambda name: distances[name])


def _level(level: Level, source: Measured) -> Finding:
    """Return the finding of a single figure."""
    published = level.scale * printed_value(level)
    ours = source.level(level.dataset, level.scenario, level.classifier, level.method, level.metric)
    return Finding(
        table=EXACT if level.exact else OTHER if level.other_data else "Levels, over draws",
        row=level.label,
        column=metric_name(level.metric),
        published=published,
        published_level=published,
        published_baseline=np.nan,
        ours=ours,
        baseline=NOTHING,
        classifier=source.classifier(level.classifier, level.method),
        verdict=judge_level(published, ours, other_data=level.other_data),
        shown=f"{published:.5g}",
        place=(level.dataset, level.scenario, level.method),
    )


def _difference(
    claim: Difference, levels: Mapping[str, Level], findings: Mapping[str, Finding], source: Measured
) -> Finding:
    """Return the finding of a published difference of two levels, and which control does as well."""
    first, second = levels[claim.first], levels[claim.second]
    published = findings[claim.second].published - findings[claim.first].published
    place = (second.dataset, second.scenario, second.classifier)
    ours = source.gain(*place, second.method, second.metric, first.method)
    baseline = source.level(*place, first.method, first.metric)
    verdict = judge_gain(published, findings[claim.first].published, ours, baseline)
    as_good: dict[str, str] = {}
    as_may_be: dict[str, str] = {}
    for control in claim.controls:
        over = source.gain(*place, second.method, second.metric, control)
        if over.known and not over.low > 0:
            group = as_good if over.high < SMALLEST else as_may_be
            group[control] = signed(source.gain(*place, control, second.metric, first.method).mean)
    # two independent runs differ by √2 times what one run varies by
    chance = np.sqrt(2) * (baseline.run_high - baseline.run_low) / 2
    by_chance = claim.unpaired and abs(published) < chance
    shown = f"{signed(published)} ({findings[claim.first].shown} → {findings[claim.second].shown})"
    label, between = claim.label[:1].upper() + claim.label[1:], interval(ours.low, ours.high)
    words = [f"{label}: {shown} was printed; ours is {signed(ours.mean)} ({between})."]
    if by_chance:
        words.append(
            f"The printed figures are of two data sets, and such differ by up to {plain_number(chance)} by chance."
        )
    for group, why in ((as_good, "no better than"), (as_may_be, "not shown to be better than")):
        if group:
            named = ", ".join(f"{control} ({gain})" for control, gain in group.items())
            verdict = Verdict(verdict.word, f"{verdict.why}; {why} {named}")
            if group is as_good and ours.low > 0:
                words.append(f"A trivial method does as well, so that the gain is no merit of this one: {named}.")
    return Finding(
        table="What is claimed",
        row=claim.label,
        column=metric_name(second.metric),
        published=published,
        published_level=findings[claim.second].published,
        published_baseline=findings[claim.first].published,
        ours=ours,
        baseline=baseline,
        classifier=second.classifier,
        verdict=verdict,
        shown=shown,
        place=(second.dataset, second.scenario, second.method),
        words=" ".join(words) if ours.known else "",
    )


def _expectation(claim: Expectation, source: Measured) -> Finding:
    """Return the finding of an expected difference over the data sets of a part."""
    ours = NOTHING
    if claim.part in source.results:
        ours = _over_replaced(claim, source) if claim.instead else _over_datasets(claim, source.results[claim.part])
    return Finding(
        table=EXPECTED,
        row=claim.label,
        column=metric_name(claim.metric),
        published=np.nan,
        published_level=np.nan,
        published_baseline=np.nan,
        ours=ours,
        baseline=NOTHING,
        classifier=source.classifier(claim.classifier, claim.method, claim.baseline),
        verdict=judge_expectation(claim.expected, ours),
        shown=f"{claim.expected} ({claim.source})",
        place=(claim.dataset or f"{ours.n_draws} data sets", "all", claim.method),
    )


def _over_datasets(claim: Expectation, part: Results) -> Ours:
    """Return the difference of two methods over the data sets of a part, above 0 where the first is better."""
    scores = part.scores[part.scores["classifier"] == claim.classifier]
    scores = scores[scores["dataset"] == claim.dataset] if claim.dataset else scores
    try:
        table = draw_table(scores, claim.metric, "none")
    except InputError:
        return NOTHING
    if not {claim.method, claim.baseline} <= set(table.methods):
        return NOTHING
    contrast = Contrast(table, claim.baseline, Design.of(part, scores, "none"))
    test, n = contrast.overall(claim.method), int(contrast.differences[claim.method].notna().sum())
    if len(contrast.table.datasets) == 1:
        n = len(contrast.table.draw_differences(claim.method, claim.baseline, contrast.table.datasets[0]))
    sign = 1 if higher_is_better(claim.metric) else -1
    low, high = sorted((100 * sign * test.low, 100 * sign * test.high))
    return Ours(100 * sign * test.mean, low, high, n_draws=n)


def _over_replaced(claim: Expectation, source: Measured) -> Ours:
    """Return how much higher the replaced data sets score than the method on the data sets themselves."""
    gains = []
    for dataset in source.results[claim.part].scores["dataset"].unique():
        honest = source.level(dataset, "full", claim.classifier, claim.method, claim.metric)
        other = source.level(claim.instead.format(dataset=dataset), "full", claim.classifier, "none", claim.metric)
        if honest.known and other.known:
            gains.append(other.mean - honest.mean)
    if len(gains) < FEWEST_DRAWS:
        return NOTHING
    test = paired_t(gains)
    return Ours(test.mean, test.low, test.high, n_draws=len(gains))


def printed_value(level: Level) -> float:
    """Return a published figure, from its file; totals and recalls from the counts that were printed.

    Raises
    ------
    InputError
        Not one row fits, or the value is no number.
    """
    table = published_table(level.published)
    rows = table[np.all([table[key] == value for key, value in level.where.items()], axis=0)]
    if len(rows) != 1:
        raise InputError(f"{level.published} has {len(rows)} rows for {level.where}: one is wanted")
    row = rows.iloc[0]
    if level.column in ("total", "recall_0", "recall_1"):
        return confusion_rates(row)[level.column]
    try:
        if level.column in RATES:
            return 100 * float(getattr(printed_confusion(row), level.column))
        return float(row[level.column])
    except (KeyError, ValueError):
        raise InputError(f"{level.published}: no number in column '{level.column}' for {level.where}") from None


def confusion_rates(row: pd.Series) -> dict[str, float]:
    """Return total accuracy and the recall of each class, in percent, from the counts of a printed table."""
    zero_right, zero_wrong, one_wrong, one_right = (
        float(row[key]) for key in ("pred0_true0", "pred1_true0", "pred0_true1", "pred1_true1")
    )
    total = zero_right + zero_wrong + one_wrong + one_right
    return {
        "total": 100 * (zero_right + one_right) / total,
        "recall_0": 100 * zero_right / (zero_right + zero_wrong),
        "recall_1": 100 * one_right / (one_right + one_wrong),
    }


def arithmetic(name: str) -> list[dict[str, str]]:
    """Check the figures printed under confusion tables against the tables' own counts.

    Parameters
    ----------
    name : str
        A file of ``reproduction/published`` with counts and ``total_printed``.

    Returns
    -------
    list of dict
        For each table: its setting, what was printed, the total, both recalls, and a verdict in words.
    """
    lines = []
    for _, row in published_table(name).iterrows():
        if not (row["pred0_true0"] and row["total_printed"]):
            continue
        printed, rates = float(row["total_printed"]), confusion_rates(row)
        names = {"total": "the total", "recall_0": "the recall of class 0", "recall_1": "the recall of class 1"}
        near = [words for key, words in names.items() if abs(rates[key] - printed) < 0.006]
        lines.append(
            {
                "source": row["source"],
                "setting": row["setting"],
                "printed": plain_number(printed, 2),
                **{key: plain_number(rates[key], 2) for key in rates},
                "says": f"is {near[0]}" if near else "is none of them",
            }
        )
    return lines
