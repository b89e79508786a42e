"""What a page says of detectors: confusion tables, what a threshold set on test rows pretends, errors by class."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from ..leaderboard.format import NOTHING, interval, plain_number, signed
from ..leaderboard.plots import inline_svg
from ..leaderboard.results import BASELINE, Results
from .claims import Measured
from .detection import COUNTS, ON_TEST, Alarms, Confusion, alarms_of, event_class, printed_confusion, with_alarms
from .detection_figures import curve_figure, error_figure
from .experiment import Experiment, published_table
from .sections import Drawing, Section
from .verdict import Ours

#: a method that lets pass fewer normal rows than this share of its false alarms has an alarm everywhere
ALARMED = 0.02
#: Name of a line, then where its scores stand: data set, scenario, classifier, method.
Line = tuple[str, tuple[str, str, str, str]]


def detection_sections(experiment: Experiment, results: Mapping[str, Results]) -> list[Section]:
    """Return the sections of an experiment with detectors.

    Parameters
    ----------
    experiment : Experiment
        One with a table of printed counts (`detection`).
    results : mapping of str to Results
        Those of its parts that were run, by name of the part.

    Returns
    -------
    list of Section
        Confusion tables; thresholds; ranking; then for each data set a draw in figures. Nothing where nothing was run.
    """
    measured = Measured({name: with_alarms(one) for name, one in results.items()})
    lines = [line for one in results.values() for line in _lines(one)]
    lines = [(name, place) for name, place in lines if _known(measured, place)]
    if not lines:
        return []
    figures = [section for one in results.values() for section in _drawn(one)]
    return [_confusion(experiment, measured, lines), _thresholds(measured, lines), _ranking(measured, lines), *figures]


def _lines(results: Results) -> Iterator[Line]:
    """Yield what is listed: on each data set the baseline with each classifier, and each detector once."""
    scores = results.scores
    classifiers = list(dict.fromkeys(scores["classifier"]))
    places = scores[["dataset", "scenario"]].drop_duplicates().itertuples(index=False)
    for dataset, scenario in places:
        if event_class(results, dataset) is None:
            continue
        for method in sorted(scores.loc[scores["dataset"] == dataset, "method"].unique()):
            if results.kind(method) == "detector":
                yield f"{_where(dataset, scenario)}: {method}", (dataset, scenario, classifiers[0], method)
        for classifier in classifiers:
            yield f"{_where(dataset, scenario)}: {classifier}", (dataset, scenario, classifier, BASELINE)


def _where(dataset: str, scenario: str) -> str:
    return dataset if scenario == "full" else f"{dataset}, {scenario}"


def _level(measured: Measured, place: tuple[str, str, str, str], metric: str) -> Ours:
    return measured.level(*place, metric)


def _known(measured: Measured, place: tuple[str, str, str, str]) -> bool:
    return not np.isnan(_level(measured, place, "events").mean)


def _confusion(experiment: Experiment, measured: Measured, lines: list[Line]) -> Section:
    rows = []
    for _, row in published_table(experiment.detection).iterrows():
        one = printed_confusion(row)
        rates = [plain_number(100 * value) for value in (one.event_recall, one.event_precision, one.event_f1)]
        passed = f"{one.passed:,}" if row["pred0_true0"] else NOTHING
        counts = [*map(str, (one.events, one.found, one.missed, one.false_alarms)), passed]
        counts.append(plain_number(one.false_alarms_per_event))
        rows.append((f"published ({row['source']}, other data)", *counts, *rates, NOTHING))
    for name, place in lines:
        # levels are in hundredths, counts are not
        counts = [plain_number(_level(measured, place, metric).mean / 100) for metric in COUNTS]
        recall, precision, f1 = (_level(measured, place, f"event_{key}") for key in ("recall", "precision", "f1"))
        rates = [plain_number(one.mean) for one in (recall, precision, f1)]
        rows.append((name, *counts, *rates, _span(f1)))
    everywhere = [
        name
        for name, place in lines
        if _level(measured, place, "passed").mean < ALARMED * _level(measured, place, "false_alarms").mean
    ]
    more = (f"An alarm for nearly every row, so that the threshold tells nothing: {'; '.join(everywhere)}.",)
    return Section(
        title="Confusion tables of the test rows",
        text=(
            "Of a detector at the threshold that its training rows gave, of a classifier at a probability of one half. "
            "Means over draws; recall, precision and F1 are those of the events, in percent, with the 95 % interval of "
            "F1. False alarms per event count all events, found or not.",
            *(more if everywhere else ()),
        ),
        head=(
            *("data set and method", "events", "found", "missed", "false alarms", "passed", "false alarms per event"),
            *("recall", "precision", "F1", "interval"),
        ),
        rows=tuple(rows),
    )


def _span(ours: Ours) -> str:
    return NOTHING if np.isnan(ours.low) else f"{plain_number(ours.low)} to {plain_number(ours.high)}"


def _thresholds(measured: Measured, lines: list[Line]) -> Section:
    rows = []
    for name, (dataset, scenario, classifier, method) in lines:
        cells = []
        for one in (method, method + ON_TEST):
            found, alarms, f1 = (
                measured.level(dataset, scenario, classifier, one, metric).mean
                for metric in ("found", "false_alarms", "event_f1")
            )
            cells += [plain_number(found / 100), plain_number(alarms / 100), plain_number(f1)]
        gain = measured.gain(dataset, scenario, classifier, method + ON_TEST, "event_f1", method)
        rows.append((name, *cells, signed(gain.mean), interval(gain.low, gain.high)))
    return Section(
        title="What a threshold that is set on test rows pretends",
        text=(
            "The same predictions twice: first as above, then with the threshold that is best for these very test "
            "rows, which nobody can know when it is needed. The difference of F1, in points, is pretence; "
            "with its 95 % interval. In no draw is it below 0: what counts is its size.",
        ),
        head=(
            *("data set and method", "found", "false alarms", "F1"),
            *("found, on test rows", "false alarms, on test rows", "F1, on test rows", "pretended", "interval"),
        ),
        rows=tuple(rows),
    )


def _ranking(measured: Measured, lines: list[Line]) -> Section:
    rows = []
    for name, place in lines:
        share = _level(measured, place, "events").mean
        rows.append((name, plain_number(share / 100), *_both(measured, place)))
    return Section(
        title="How well rows are ranked, whatever the threshold",
        text=("Average precision of the events and area under the ROC curve, in percent, with 95 % intervals.",),
        head=("data set and method", "events", "average precision", "interval", "AUROC", "interval of it"),
        rows=tuple(rows),
    )


def _both(measured: Measured, place: tuple[str, str, str, str]) -> Iterator[str]:
    for metric in ("average_precision", "auroc"):
        ours = _level(measured, place, metric)
        yield from (plain_number(ours.mean), _span(ours))


def _drawn(results: Results) -> Iterator[Section]:
    """Yield for each data set and scenario the first draw that all detectors have, in figures and numbers."""
    classifier = str(results.scores["classifier"].iloc[0])
    places = results.scores[["dataset", "scenario"]].drop_duplicates().itertuples(index=False)
    for dataset, scenario in places:
        by_method = {
            method: alarms_of(results, method, dataset, scenario, classifier)
            for method in sorted(results.scores["method"].unique())
            if results.kind(method) == "detector"
        }
        by_method = {method: draws for method, draws in by_method.items() if draws}
        common = sorted(set.intersection(*(set(draws) for draws in by_method.values()))) if by_method else []
        if common:
            alarms = {method: draws[common[0]] for method, draws in by_method.items()}
            yield _one_draw(results, dataset, scenario, alarms, common[0])


def _one_draw(results: Results, dataset: str, scenario: str, alarms: Mapping[str, Alarms], draw: int) -> Section:
    classes = results.datasets.loc[results.datasets["dataset"] == dataset, "classes"].iloc[0]
    event = event_class(results, dataset) or 0
    names = (str(classes[1 - event]), str(classes[event]))
    where, prefix = _where(dataset, scenario), f"detect-{dataset}-{scenario.partition(':')[0]}"
    rows = []
    for method, one in alarms.items():
        other = one.set_on_test_rows()
        for words, place, confusion in (
            ("from training rows", 1.0, one.confusion),
            ("set on test rows", other.threshold, other.confusion),
        ):
            rows.append((f"{method}, threshold {words}", f"{place:.3g}", *_cells(confusion)))
    return Section(
        title=f"{where}: errors by class in one draw",
        text=(
            f"Test rows of draw {draw}: {len(next(iter(alarms.values())).error):,}. The error of a row is how badly it "
            "is reconstructed, in units of the threshold in use: 1 and below passes. Other draws differ, see the "
            "intervals above.",
        ),
        figures=(
            Drawing(
                inline_svg(error_figure(alarms, names), f"Errors by class on {where}", f"{prefix}-errors"),
                "Errors of normal rows (dots) and events (dashes), of each a random part; beside them the median "
                "and the quartiles of all. Lines: the threshold in use, and dotted the one set on test rows.",
            ),
            Drawing(
                inline_svg(curve_figure(alarms), f"Precision and recall on {where}", f"{prefix}-curve"),
                "Precision and recall (dashed) of the events against the threshold. Upright lines as above; the level "
                "line is the precision of an alarm for every row.",
            ),
        ),
        head=("detector", "threshold", "found", "missed", "false alarms", "passed", "recall", "precision", "F1"),
        rows=tuple(rows),
    )


def _cells(confusion: Confusion) -> tuple[str, ...]:
    counts = (confusion.found, confusion.missed, confusion.false_alarms, confusion.passed)
    rates = (confusion.event_recall, confusion.event_precision, confusion.event_f1)
    return (*(f"{count:,}" for count in counts), *(plain_number(100 * rate) for rate in rates))
