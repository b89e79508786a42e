"""The experiments that come with augbench: each claim has its place in a grid, each figure its file."""

import numpy as np
import pandas as pd
import pytest
from augbench import datasets
from augbench import methods as registry
from augbench.bench.plugins import load_all
from augbench.bench.reproduce_command import PLUGINS
from augbench.errors import InputError
from augbench.reproduction import known_experiments, load_experiment
from augbench.reproduction.claims import arithmetic, printed_value
from augbench.reproduction.detection import ON_TEST
from augbench.reproduction.experiment import Experiment, published_table


@pytest.fixture(scope="module", autouse=True)
def _methods():
    load_all(PLUGINS)


@pytest.mark.parametrize("name", known_experiments())
def test_every_claim_has_its_place_in_a_grid(name):
    experiment = load_experiment(name)
    places = set()
    for suite in experiment.suites.values():
        assert {one.name.removesuffix("+gc") for one in suite.methods} <= set(registry.names())
        assert {one.name for one in suite.datasets} <= set(datasets.names())
        methods = {"none", *(one.id for one in suite.methods)}
        if suite.controls:
            methods |= {"random-oversampling", "constant-row", "uniform-noise"}
        for dataset in suite.datasets:
            for scenario in suite.scenarios:
                for classifier in suite.classifiers:
                    places |= {(dataset.id, scenario.id, classifier.id, method) for method in methods}
    for table in experiment.gains:
        assert table.rows
        for row in table.rows:
            names = table.names(row)
            where = (table.dataset.format(**names), table.scenario.format(**names))
            for method in (table.baseline, *table.columns.values()):
                for classifier in table.classifiers:
                    assert (*where, classifier, method.format(**names)) in places
            assert table.label.format(**row)
    levels = {level.label: level for level in experiment.levels}
    for level in levels.values():
        assert (level.dataset, level.scenario, level.classifier, level.method) in places
        assert (0 if level.other_data else 50) < level.scale * printed_value(level) < 100
    for claim in experiment.differences:
        second = levels[claim.second]
        for method in (levels[claim.first].method, *claim.controls):
            assert (second.dataset, second.scenario, second.classifier, method) in places
    for figure in experiment.epochs:
        for method in figure.methods:
            for classifier in figure.classifiers:
                assert (figure.dataset, figure.scenario, classifier, method) in places
    for claim in experiment.expectations:
        suite = experiment.suites[claim.part]
        assert claim.classifier in {one.id for one in suite.classifiers}
        names = {"none", *(one.id for one in suite.methods)}
        assert suite.controls or {one.removesuffix(ON_TEST) for one in (claim.method, claim.baseline)} <= names
        assert {one.dataset for one in claim.spread()} <= {"", *(one.id for one in suite.datasets)}
        if claim.instead:
            others = [claim.instead.format(dataset=one.id) for one in suite.datasets]
            assert sum((other, "full", claim.classifier, "none") in places for other in others) >= 5


@pytest.mark.parametrize("name", known_experiments())
def test_the_quick_version_is_a_part_of_the_names(name):
    experiment = load_experiment(name)
    for part in experiment.parts:
        whole, quick = experiment.suite(part), experiment.suite(part, quick=True)
        assert quick.draws <= whole.draws
        for field in ("datasets", "classifiers", "scenarios", "methods"):
            assert {one.id for one in getattr(quick, field)} <= {one.id for one in getattr(whole, field)}


def test_published_tables_are_as_printed():
    assert published_table("iser2023_proben1.csv").shape == (18, 7)
    assert published_table("iser2023_mnist_fewshot.csv").shape == (13, 8)
    with pytest.raises(InputError, match=r"published table 'x\.csv'"):
        published_table("x.csv")


def test_the_normalised_beta_of_proben1_is_the_printed_one():
    experiment = load_experiment("proben1")
    rows = [(table, row) for table in experiment.gains[:2] for row in table.rows if row["beta"].startswith("norm=")]
    assert len(rows) == 6
    for table, row in rows:
        wanted = table.columns["vae"].format(**table.names(row))
        betas = [
            one.params.get("beta", 1.0)
            * (
                2 / (registered.info.n_numeric + registered.info.n_categorical)
                if one.params.get("normalise_beta")
                else 1
            )
            for suite in experiment.suites.values()
            for registered in (datasets.make(entry.name) for entry in suite.datasets if entry.id == row["dataset"])
            for one in suite.methods
            if one.id == wanted
        ]
        assert betas == [pytest.approx(float(row["beta"].removeprefix("norm=")), abs=0.001)], row["dataset"]


def test_the_slides_print_recalls_as_accuracy():
    says = {
        one["setting"]: (one["printed"], one["total"], one["says"]) for one in arithmetic("logistic_simulation.csv")
    }
    assert says["logistic regression on all 80000 training rows"] == ("73.09", "73.72", "is the recall of class 1")
    assert says["logistic regression on down- then over-sampled rows"][2] == "is the recall of class 1"
    assert says["1-unit FFN on oversampled rows"][2] == "is the total"


def test_a_figure_that_is_not_there_is_said_so():
    level = load_experiment("logistic-simulation").levels[0]
    with pytest.raises(InputError, match="has 0 rows"):
        printed_value(level.model_copy(update={"where": {"source": "nobody"}}))
    with pytest.raises(InputError, match="no number in column 'note'"):
        printed_value(level.model_copy(update={"column": "note"}))


def test_experiments_with_a_wrong_key_are_refused():
    with pytest.raises(InputError, match="experiment 'proben'"):
        load_experiment("proben")
    with pytest.raises(ValueError, match="gain"):
        Experiment.model_validate({"name": "x", "title": "x", "question": "x", "parts": [], "gain": []})


def test_relabelled_rows_are_real_ones_of_every_class_and_undersampling_keeps_as_many_of_each():
    from augbench.reproduction.methods import RandomUndersampling, Relabelled

    X = pd.DataFrame({"a": np.arange(40.0)})
    y = np.repeat([0, 1], [30, 10])
    rows, labels = Relabelled(random_state=0).fit_resample(X, y)
    new = rows["a"].to_numpy()[40:]
    assert (labels[40:] == 1).all()
    assert set(new) <= set(X["a"])
    assert 4 <= (new < 30).sum() <= 16
    weights = RandomUndersampling().sample_weight(y)
    assert [weights[y == code].sum() for code in (0, 1)] == [10, 10]
    assert set(weights) == {0.0, 1.0}
