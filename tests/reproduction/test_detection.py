"""Alarms on test rows: counts against hand-made ones, the best threshold against all, the page of a run."""

import itertools
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from augbench.bench.cli import app
from augbench.bench.report import results_of
from augbench.bench.store import Store
from augbench.leaderboard.predictions import PredictedRows
from augbench.leaderboard.results import Results
from augbench.reproduction import experiment as experiments
from augbench.reproduction import findings_of
from augbench.reproduction.claims import Measured
from augbench.reproduction.detection import ON_TEST, Alarms, Confusion, alarms_of, printed_confusion, with_alarms
from augbench.reproduction.detection_figures import MOST_POINTS, curve_figure, error_figure
from augbench.reproduction.detection_sections import detection_sections
from augbench.reproduction.experiment import Experiment, published_table
from augbench.reproduction.verdict import NOT_COMPARABLE, NOT_RUN, Ours, judge_level
from sklearn.metrics import average_precision_score, f1_score, precision_score, recall_score, roc_auc_score
from typer.testing import CliRunner


def alarms(error, is_event, alarm=None):
    error = np.array(error, dtype=float)
    return Alarms(np.array(is_event, dtype=bool), error, error > 1 if alarm is None else np.array(alarm, dtype=bool))


def test_counts_and_rates_are_those_of_the_table():
    one = alarms([0.2, 0.4, 3.0, 2.0, 0.9, 5.0, 1.5], [0, 0, 0, 1, 1, 1, 0]).confusion
    assert one == Confusion(found=2, missed=1, false_alarms=2, passed=2)
    assert (one.events, one.event_recall, one.event_precision) == (3, 2 / 3, 0.5)
    assert one.event_f1 == pytest.approx(2 * (2 / 3) * 0.5 / (2 / 3 + 0.5))
    assert one.false_alarms_per_event == pytest.approx(2 / 3)
    nothing = alarms([0.1, 0.2, 0.3], [0, 1, 1]).confusion
    assert (nothing.event_recall, nothing.event_precision, nothing.event_f1) == (0, 0, 0)
    assert np.isnan(Confusion(0, 0, 5, 5).false_alarms_per_event)


def test_the_published_counts_give_the_published_rates():
    one = printed_confusion(published_table("rare_event_autoencoder.csv").iloc[0])
    assert (one.found, one.events, one.false_alarms) == (9, 41, 177)
    assert 100 * one.event_recall == pytest.approx(21.951, abs=1e-3)
    assert 100 * one.event_precision == pytest.approx(4.839, abs=1e-3)
    ours = Ours(22.0, 21, 23, 20, 24, 10)
    assert judge_level(21.95, ours, other_data=True).word == NOT_COMPARABLE
    assert judge_level(21.95, replace(ours, n_draws=1), other_data=True).word == NOT_RUN


def best_of_all(one):
    """Try an alarm for the highest k rows for every k that parts no tie; return the best F1 and its fewest alarms."""
    found = []
    for cut in np.unique(one.error):
        alarm = one.error >= cut
        found.append((2 * (alarm & one.is_event).sum() / (alarm.sum() + one.is_event.sum()), -alarm.sum()))
    f1 = max(value for value, _ in found)
    return f1, -max(number for value, number in found if value > f1 - 1e-12)


@pytest.mark.parametrize("seed", range(30))
def test_the_threshold_of_the_test_rows_is_the_best_of_all(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(4, 60))
    error = np.round(rng.lognormal(0, 1, n), int(rng.integers(0, 3)))  # many ties, also at 0
    is_event = np.r_[True, False, rng.random(n - 2) < 0.3]
    one = alarms(error, is_event)
    best = one.set_on_test_rows()
    f1, number = best_of_all(one)
    assert best.confusion.event_f1 == pytest.approx(f1)
    assert best.confusion.event_f1 >= one.confusion.event_f1
    assert best.alarm.sum() == number
    assert best.threshold == one.error[best.alarm].min()
    np.testing.assert_array_equal(best.alarm, one.error >= best.threshold)


def test_rows_that_rounding_has_tied_are_parted_as_they_were_in_the_run():
    # both sides of the threshold were stored as 1
    one = alarms([1, 1, 1, 0.5], [1, 1, 0, 0], [1, 1, 0, 0])
    assert one.confusion.event_f1 == 1
    assert one.set_on_test_rows().confusion.event_f1 == 1
    # without what the run decided they would have to go together
    assert alarms([1, 1, 1, 0.5], [1, 1, 0, 0], [0, 0, 0, 0]).set_on_test_rows().confusion.event_f1 == 0.8


def test_a_sure_event_has_an_infinite_error_and_is_drawn():
    probabilities = np.array([[0.0, 1.0], [0.5, 0.5], [0.8, 0.2], [1.0, 0.0]])
    one = Alarms.of(PredictedRows(np.array([1, 1, 0, 0]), np.array([1, 0, 0, 0]), probabilities), 1)
    np.testing.assert_allclose(one.error, [np.inf, 1, 0.25, 0])
    assert one.confusion == Confusion(1, 1, 0, 2)
    assert one.set_on_test_rows().confusion == Confusion(2, 0, 0, 2)
    for figure in (error_figure({"d": one}, ("fine", "broken")), curve_figure({"d": one})):
        low, high = figure.axes[0].get_ylim()
        assert np.isfinite([low, high]).all()
    # the class of events may be the first
    swapped = Alarms.of(PredictedRows(np.array([0, 0, 1, 1]), np.array([0, 1, 1, 1]), probabilities[:, ::-1]), 0)
    np.testing.assert_allclose(swapped.error, one.error)
    assert swapped.confusion == one.confusion


def test_where_no_row_has_an_alarm_there_is_no_threshold():
    one = alarms([0.1, 0.2], [0, 1], [0, 0])
    assert one.threshold == np.inf
    with pytest.raises(ValueError, match="one kind only"):
        alarms([0.1, 0.2], [0, 0]).set_on_test_rows()


def test_the_curve_is_precision_and_recall_at_each_error():
    rng = np.random.default_rng(1)
    one = alarms(np.round(rng.lognormal(0, 1, 50), 1), rng.random(50) < 0.3)
    curve = one.curve()
    assert curve["threshold"].tolist() == sorted(set(one.error))
    for threshold, precision, recall in curve.itertuples(index=False):
        alarm = one.error >= threshold
        assert precision == pytest.approx(precision_score(one.is_event, alarm))
        assert recall == pytest.approx(recall_score(one.is_event, alarm))


def test_figures_draw_few_points_and_the_same_ones():
    rng = np.random.default_rng(2)
    is_event = np.arange(20000) < 400
    many = alarms(rng.lognormal(is_event, 1), is_event)
    figure = error_figure({"d": many}, ("fine", "broken"))
    strips = [line.get_ydata() for line in figure.axes[0].lines if len(line.get_ydata()) > 10]
    assert [len(strip) for strip in strips] == [3 * MOST_POINTS] * 2
    again = error_figure({"d": many}, ("fine", "broken"))
    drawn = [[line.get_xydata() for line in one.axes[0].lines] for one in (figure, again)]
    assert all(np.array_equal(a, b, equal_nan=True) for a, b in zip(*drawn, strict=True))
    # the marks are those of all rows: threshold 1, and the one that was set on them
    assert {line.get_ydata()[0] for line in figure.axes[0].lines if line.get_label().startswith("threshold")} == {
        1.0,
        many.set_on_test_rows().threshold,
    }


def made_up(methods=("none", "autoencoder"), without_events=()):
    """Results whose predictions are made up: errors of events are higher, those of the detector less so."""
    truth = {draw: np.zeros(300, int) for draw in range(5)}
    rows, predicted = [], {}
    for draw, method in itertools.product(range(5), methods):
        rng = np.random.default_rng([draw, len(method)])
        if draw not in without_events:
            truth[draw][:20] = 1
        p = 1 / (1 + np.exp(-rng.normal(2 * truth[draw] - 2 - (method != "none"), 1)))
        predicted[method, draw] = PredictedRows(truth[draw], (p > 0.5).astype(int), np.column_stack([1 - p, p]))
        rows.append((method, "d", "full", "c", draw, 0.5, "ok", 700, 300))
    columns = ["method", "dataset", "scenario", "classifier", "draw", "macro_f1", "status", "n_train", "n_test"]
    kinds = pd.DataFrame({"method": methods, "kind": ["baseline" if one == "none" else "detector" for one in methods]})
    facts = pd.DataFrame({"dataset": ["d"], "class_counts": [[930, 70]], "classes": [["fine", "broken"]]})

    def reader(method, dataset, scenario, classifier):
        assert (dataset, scenario, classifier) == ("d", "full", "c")
        return {draw: one for (name, draw), one in predicted.items() if name == method}

    return Results(pd.DataFrame(rows, columns=columns), kinds, facts, {}, rows=reader)


def claim(**more):
    content = {
        "name": "made-up", "title": "Made up", "question": "?", "detection": "rare_event_autoencoder.csv",
        "parts": [{"name": "p", "suite": {"datasets": ["iris"], "classifiers": ["mlp"]}}],
    }  # fmt: skip
    return Experiment.model_validate(content | more)


def test_scores_get_the_figures_of_both_thresholds():
    results = made_up()
    scores = with_alarms(results).scores.set_index(["method", "draw"])
    assert len(scores) == 2 * len(results.scores)
    for method, draw in itertools.product(("none", "autoencoder"), range(5)):
        rows = results.rows(method, "d", "full", "c")[draw]
        row, best = scores.loc[(method, draw)], scores.loc[(method + ON_TEST, draw)]
        assert row["event_f1"] == pytest.approx(f1_score(rows.y_true, rows.labels))
        assert row["found"] + row["missed"] == row["events"] == 20
        assert row["found"] + row["missed"] + row["false_alarms"] + row["passed"] == 300
        f1, number = best_of_all(alarms_of(results, method, "d", "full", "c")[draw])
        assert best["event_f1"] == pytest.approx(f1)
        assert best["found"] + best["false_alarms"] == number
        assert np.isnan(best["macro_f1"])
    # nothing else has changed
    pd.testing.assert_frame_equal(
        with_alarms(results).scores.iloc[: len(results.scores)][list(results.scores)], results.scores
    )


def test_what_is_pretended_is_the_paired_difference_of_the_two():
    results = made_up()
    scores = with_alarms(results).scores
    f1 = scores.pivot(index="draw", columns="method", values="event_f1")
    expected = 100 * (f1["autoencoder" + ON_TEST] - f1["autoencoder"])
    common = {"source": "s", "expected": "gain", "metric": "event_f1", "classifier": "c", "part": "p", "each": ["d"]}
    names = {"method": "autoencoder" + ON_TEST, "baseline": "autoencoder", "label": "pretended"}
    over, one = findings_of(claim(expectations=[common | names]), {"p": results})
    assert (over.row, one.row) == ("pretended", "pretended: d")
    assert one.ours.mean == pytest.approx(expected.mean())
    # the corrected resampled t-test: 5 draws, 300 rows to test on for 700 to train on
    half = 2.7764 * np.sqrt(expected.var(ddof=1) * (1 / 5 + 300 / 700))
    assert one.ours.high - one.ours.mean == pytest.approx(half, rel=1e-4)
    assert one.verdict.word == ("reproduced" if expected.mean() > half else "undecided")


def test_a_draw_without_events_is_left_out_for_everybody():
    results = made_up(without_events=(1,))
    enriched = with_alarms(results)
    gone = enriched.scores[enriched.scores["draw"] == 1]
    assert gone[["event_f1", "events", "false_alarms_per_event"]].isna().all(axis=None)
    measured = Measured({"p": enriched})
    for method in ("none", "autoencoder", "autoencoder" + ON_TEST):
        assert measured.level("d", "full", "c", method, "event_f1").n_draws == 4
    assert measured.level("d", "full", "c", "none", "events").mean == 2000  # in hundredths
    section = detection_sections(claim(), {"p": made_up(without_events=(0,))})[-1]
    assert "Test rows of draw 1: 300." in section.text[0]


def test_without_predictions_or_events_nothing_is_shown():
    unread = replace(made_up(), rows=None)
    assert with_alarms(unread).scores["event_f1"].isna().all()
    assert detection_sections(claim(), {"p": unread}) == []
    assert detection_sections(claim(), {"p": made_up(without_events=range(5))}) == []
    three = made_up()
    three.datasets.at[0, "class_counts"] = [900, 50, 50]
    assert alarms_of(three, "none", "d", "full", "c") == {}


def test_tables_of_the_page_hold_the_means():
    results = made_up()
    confusion, thresholds, ranking, drawn = detection_sections(claim(), {"p": results})
    scores = with_alarms(results).scores.groupby("method")[["found", "false_alarms", "event_f1"]].mean()
    published, detector, peer = confusion.rows
    assert published[:5] == ("published (ranjan-2019, other data)", "41", "9", "32", "177")
    assert (detector[0], peer[0]) == ("d: autoencoder", "d: c")
    assert detector[2] == f"{scores.loc['autoencoder', 'found']:.1f}"
    assert peer[4] == f"{scores.loc['none', 'false_alarms']:.1f}"
    test_tuned = scores.loc["autoencoder" + ON_TEST]
    assert thresholds.rows[0][4:7] == tuple(
        f"{value:.1f}" for value in (test_tuned["found"], test_tuned["false_alarms"], 100 * test_tuned["event_f1"])
    )
    first = alarms_of(results, "autoencoder", "d", "full", "c")[0]
    assert drawn.rows[0][2:5] == tuple(
        str(getattr(first.confusion, key)) for key in ("found", "missed", "false_alarms")
    )
    assert len(ranking.rows) == 2
    for section in (confusion, thresholds, ranking, drawn):
        assert {len(row) for row in section.rows} == {len(section.head)}


EXPERIMENT = """
title = "Small"
question = "Does it work?"
detection = "rare_event_autoencoder.csv"

[[parts]]
name = "cells"
[parts.suite]
draws = 3
folds = 0
controls = false
datasets = ["breast-cancer"]
classifiers = ["logistic-regression", "hist-gradient-boosting"]
methods = [{ name = "autoencoder", id = "autoencoder", params = { steps = 40 } }]

[[parts]]
name = "fraud"
optional = true
[parts.suite]
draws = 3
folds = 0
controls = false
datasets = ["credit-card-fraud"]
classifiers = ["logistic-regression"]
methods = ["autoencoder"]

[[levels]]
label = "events found"
published = "rare_event_autoencoder.csv"
where = { source = "ranjan-2019" }
column = "event_recall"
metric = "event_recall"
dataset = "breast-cancer"
classifier = "logistic-regression"
method = "autoencoder"
other_data = true

[[expectations]]
label = "pretended"
source = "s"
expected = "gain"
metric = "event_f1"
classifier = "logistic-regression"
method = "autoencoder, threshold set on test rows"
baseline = "autoencoder"
part = "cells"

[[expectations]]
label = "pretended there"
source = "s"
expected = "gain"
metric = "event_f1"
classifier = "logistic-regression"
method = "autoencoder, threshold set on test rows"
baseline = "autoencoder"
part = "fraud"
"""


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """The small experiment, run once: exit code, output, folder."""
    pytest.importorskip("torch")
    folder = tmp_path_factory.mktemp("small")
    (folder / "small.toml").write_text(EXPERIMENT)
    table = experiments.files("augbench.reproduction.published") / "rare_event_autoencoder.csv"
    (folder / "rare_event_autoencoder.csv").write_text(table.read_text())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(experiments, "files", lambda package: folder)
        patch.setenv("AUGBENCH_DATA", str(folder))
        patch.chdir(folder)
        found = CliRunner().invoke(app, ["reproduce", "small", "--jobs", "1"])
    return found.exit_code, found.output, folder / "augbench-reproduction"


def test_an_optional_grid_without_data_is_said_and_is_no_failure(ran):
    code, output, folder = ran
    assert code == 0, output
    assert "left out, which is no failure: credit-card-fraud" in output
    assert "grids left out" not in output
    assert "Not run: 1 more." in output
    page = (folder / "site" / "small.html").read_text()
    assert re.search(r"<li>fraud: not run\.</li>", page)


def test_the_page_of_a_run_has_tables_and_figures(ran):
    _, _, folder = ran
    page = (folder / "site" / "small.html").read_text()
    assert "the published figure is of other data" in page
    for title in (
        "Confusion tables",
        "What a threshold that is set on test rows pretends",
        "errors by class in one draw",
    ):
        assert title in page
    drawings = re.findall(r"<svg.*?</svg>", page, re.S)
    assert sum(name in one for one in drawings for name in ("Errors by class", "Precision and recall on")) == 2
    assert max(map(len, drawings)) < 150_000
    assert not re.search(r"mathdefault|\bnan\b", page)
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    # what nobody may do stands on no leaderboard
    board = (folder / "small" / "cells" / "index.html").read_text()
    assert "autoencoder" in board
    assert ON_TEST not in board


def test_stored_rows_give_the_stored_scores(ran):
    with Store(ran[2] / "small" / "store.sqlite") as store:
        results = results_of(store)
        assert results_of(store, keep=True).rows is None
    scores = results.scores
    assert set(scores["classifier"]) == {"logistic-regression", "hist-gradient-boosting"}
    for row in scores.to_dict("records"):
        rows = results.rows(row["method"], row["dataset"], row["scenario"], row["classifier"])[row["draw"]]
        assert len(rows.y_true) == row["n_test"]
        assert f1_score(rows.y_true, rows.labels) == pytest.approx(row["f1_1"])
        p = rows.probabilities[:, 1]
        assert roc_auc_score(rows.y_true, p) == pytest.approx(row["auroc"], abs=2e-3)
        event = int(np.bincount(rows.y_true)[1] < np.bincount(rows.y_true)[0])
        precision = average_precision_score(rows.y_true == event, rows.probabilities[:, event])
        assert precision == pytest.approx(row["average_precision"], abs=5e-3)


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_the_page_is_accessible_and_fits(browser, ran, width, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="no axe-playwright-python").Axe()
    context = browser.new_context(offline=True, viewport={"width": width, "height": 800}, color_scheme=scheme)
    page = context.new_page()
    page.goto((ran[2] / "site" / "small.html").as_uri())
    options = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]}, "preload": False}
    found = axe.run(page, options=options).response["violations"]
    assert not found, [(one["id"], one["nodes"][0]["html"][:200]) for one in found]
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    context.close()
