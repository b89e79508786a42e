"""Figures of training on the pages of experiments, on a made-up run."""

import numpy as np
import pandas as pd
import pytest
from augbench.leaderboard.results import Results
from augbench.reproduction.curves import epochs_section, losses_section
from augbench.reproduction.experiment import Epochs

FIGURE = Epochs(
    title="Epoch by epoch",
    dataset="d",
    scenario="full",
    classifiers={"one": 1, "seven": 7, "forty": 40},
    methods=("none", "vae", "absent"),
    metrics=("accuracy", "brier"),
)


def results(training=()):
    rows = [
        {"method": method, "dataset": "d", "scenario": "full", "classifier": classifier, "draw": draw, "status": "ok",
         "accuracy": 0.6 + more + better + 0.01 * (draw - 2), "macro_f1": 0.5, "brier": 0.3 - more}
        for method, better in (("none", 0.0), ("vae", 0.1))
        for classifier, more in (("one", 0.0), ("seven", 0.05))
        for draw in range(5)
    ]  # fmt: skip
    facts = pd.DataFrame({"dataset": ["d"], "fresh": [True]})
    return Results(pd.DataFrame(rows), pd.DataFrame({"method": []}), facts, {}, training=pd.DataFrame(training))


def test_a_line_for_each_method_that_was_run_and_a_panel_for_each_metric():
    section = epochs_section(FIGURE, {"p": results()})
    assert section.head == ("metric and method", "1 epoch", "7 epochs")
    assert section.rows == (
        ("accuracy, none", "60.00", "65.00"),
        ("accuracy, vae", "70.00", "75.00"),
        ("brier, none", "30.00", "25.00"),
        ("brier, vae", "30.00", "25.00"),
    )
    markup = str(section.figures[0].markup)
    assert "absent" not in markup
    assert markup.count(">vae<") == 1
    assert epochs_section(FIGURE, {}) is None


def test_what_was_not_run_leaves_its_own_cell_empty():
    whole = results()
    scores = whole.scores[(whole.scores["method"] != "vae") | (whole.scores["classifier"] != "one")]
    section = epochs_section(FIGURE, {"p": Results(scores, whole.methods, whole.datasets, {})})
    assert section.head == ("metric and method", "1 epoch", "7 epochs")
    assert section.rows[:2] == (("accuracy, none", "60.00", "65.00"), ("accuracy, vae", "–", "75.00"))


def test_the_loss_of_each_network_where_it_was_run_first():
    curves = [
        {"method": method, "dataset": dataset, "scenario": "full", "draw": 0, "model": model, "step": step,
         "loss": loss / step + offset, "kl": np.nan if method == "ae" else 1.0}
        for method in ("vae", "ae")
        for dataset, offset in (("d", 0.0), ("e", 100.0))
        for model, loss in (("class 0", 1.0), ("class 1", 3.0))
        for step in (1, 10)
    ]  # fmt: skip
    section = losses_section({"p": results(), "q": results(curves)})
    assert section.head == ("network, at its last step", "step", "loss", "kl")
    assert section.rows == (("vae", "10", "0.200", "1.000"), ("ae", "10", "0.200", ""))
    assert losses_section({"p": results()}) is None


def test_values_that_are_no_numbers_are_left_out():
    curves = [
        {"method": "vae", "dataset": "d", "scenario": "full", "draw": 0, "model": "m", "step": step, "loss": loss}
        for step, loss in ((1, 1.0), (2, np.inf), (3, 0.5))
    ]
    section = losses_section({"p": results(curves)})
    assert section.rows[0][:3] == ("vae", "3", "0.500")
    assert "inf" not in str(section.figures[0].markup).lower().replace("info", "")


def test_a_loss_that_left_all_bounds_is_a_power_of_ten():
    curves = [
        {"method": "vae", "dataset": "d", "scenario": "full", "draw": 0, "model": "m", "step": step, "loss": loss}
        for step, loss in ((1, 1.0), (2, -3.7755e16))
    ]
    assert losses_section({"p": results(curves)}).rows[0][2] == "-3.8e+16"


def test_a_loss_that_diverges_is_named_and_not_drawn():
    curves = [
        {"method": method, "dataset": "d", "scenario": "full", "draw": 0, "model": "m", "step": step, "loss": loss}
        for method, losses in (("calm", (1.0, 0.5)), ("wild", (1.0, 3e18)))
        for step, loss in enumerate(losses, 1)
    ]
    section = losses_section({"p": results(curves)})
    assert "Not drawn, since the loss diverges: wild." in section.figures[0].caption
    assert ">wild<" not in str(section.figures[0].markup)
    assert [row[0] for row in section.rows] == ["calm", "wild"]


@pytest.mark.parametrize("known", [True, False])
def test_published_levels_lie_over_ours(known):
    from augbench.reproduction.claims import findings_of
    from augbench.reproduction.figures import levels_figure

    from .test_claims import experiment, made_up

    findings = findings_of(experiment(), {"p": made_up()} if known else {})
    figure = levels_figure(findings)
    if not known:
        assert figure is None
        return
    axes = figure.axes[0]
    lines = {line.get_label(): line.get_ydata() for line in axes.lines}
    assert list(lines["published"]) == pytest.approx([69.3, 77.8, 75.3, 78.6, 81.5])
    own = [one for one in findings if one.column == "vae" and one.ours.known]
    levels = np.array([one.level.mean for one in own])
    assert levels == pytest.approx([one.baseline.mean + one.ours.mean for one in own])
    drawn = [line.get_ydata() for line in axes.lines if np.allclose(line.get_ydata(), levels)]
    assert drawn
