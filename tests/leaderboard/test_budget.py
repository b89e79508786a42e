"""What was spent on a method, in words, and where it stands."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from augbench.leaderboard import compare, plain, to_latex
from augbench.leaderboard.budget import budget_of, effort_of, number, statement, tuning_of
from augbench.leaderboard.site import render_site


def rows(**columns):
    n = max(len(values) for values in columns.values())
    table = pd.DataFrame({name: values for name, values in columns.items()})
    return table.assign(dataset=[f"d{i % 2}" for i in range(n)])


@pytest.fixture(scope="module")
def trained(synthetic):
    """The made-up run, in which the VAE was trained, on some data sets for longer, and SMOTE was tuned."""
    results = synthetic.results(n_draws=3)
    scores = results.scores.copy()
    vae, smote = scores["method"] == "vae", scores["method"] == "smote"
    scores.loc[vae, "steps"] = np.where(scores.loc[vae, "dataset"] == "iris", 500, 2000)
    scores.loc[vae, ["epochs", "rows_seen", "networks", "yield"]] = [25.0, 64000, 1, 0.43]
    scores["tuned"] = np.where(vae | smote, json.dumps({"k_neighbors": 3}), "")
    return replace(results, scores=scores, run={**results.run, "trials": 20, "budget": "steps=300"})


def test_effort_in_words():
    even = {"steps": [500, 500], "epochs": [25.0, 25.0], "rows_seen": [160, 160], "networks": [2, 2]}
    assert effort_of(rows(**even, **{"yield": [1.0, 0.999]})) == "500 steps · 25 epochs · 160 rows · 2 networks"
    # means over the draws of a data set, a range over data sets
    uneven = rows(steps=[400, 1000, 600, 3000], networks=[1, 1, 1, 1])
    assert effort_of(uneven) == "500–2,000 steps · 1 network"
    assert effort_of(rows(steps=[1, 1], **{"yield": [0.5, 0.051]})) == "1 step · yield 5.1–50 %"
    assert effort_of(rows(steps=[np.nan, np.nan])) == ""
    assert effort_of(pd.DataFrame({"dataset": ["d"]})) == ""


def test_numbers_are_short():
    assert [number(value) for value in (0, 2.5, 25.4, 7500, 99999, 160000, 999600, 1.24e6)] == [
        *("0", "2.5", "25", "7,500", "99,999", "160 k", "1 M", "1.24 M")
    ]


def test_tuning_and_budget_in_words():
    assert [tuning_of(run) for run in ({}, {"trials": 0}, {"trials": 1}, {"trials": 20})] == [
        *("", "defaults", "tuned with 1 trial", "tuned with 20 trials")
    ]
    for values, words in (
        (["", ""], "defaults"),
        (["{}", np.nan], "defaults"),
        # what a store holds where there were too few rows for inner folds
        ([json.dumps({"trials": 0}), ""], "defaults"),
        (["", "{'C': 1}"], "tuned with 9 trials"),
    ):
        assert tuning_of({"trials": 9}, rows(tuned=values)) == words
    assert tuning_of({"trials": 0}, rows(tuned=["{'C': 1}"])) == "defaults"
    assert [budget_of({"budget": text}) for text in ("", "steps=300", "seconds=5", "steps=1", "epochs=3", "other")] == [
        "",
        "equal: 300 gradient steps a training set",
        "equal: 5 seconds of training a training set",
        "equal: 1 gradient step a training set",
        "equal: epochs=3",
        "other",
    ]
    assert statement({}) == ""
    assert statement({"trials": 0, "budget": "steps=300"}) == (
        "Parameters of methods: defaults. Budget of generative methods: equal: 300 gradient steps a training set."
    )


def test_a_run_in_which_nothing_could_be_tuned_does_not_claim_it(trained):
    untuned = replace(trained, scores=trained.scores.assign(tuned=json.dumps({"trials": 0})))
    assert "Parameters of methods: defaults." in " ".join(plain(compare(untuned), 100).split())
    page = "".join(render_site(untuned).values())
    assert "<dt>parameters of methods</dt><dd>defaults</dd>" in page
    assert "tuned with" not in page


def test_the_table_says_what_each_method_took(trained):
    table = compare(trained).table.set_index("method")
    assert table.loc["vae", "effort"] == "500–2,000 steps · 25 epochs · 64,000 rows · 1 network · yield 43 %"
    assert table.loc["vae", "tuning"] == table.loc["smote", "tuning"] == "tuned with 20 trials"
    assert (table.loc["none", "effort"], table.loc["none", "tuning"]) == ("", "defaults")


@pytest.mark.parametrize("width", [60, 100])
def test_the_terminal_says_it_within_its_width(trained, width):
    shown = plain(compare(trained), width)
    assert max(map(len, shown.splitlines())) <= width
    words = " ".join(shown.split())
    assert "Parameters of methods: tuned with 20 trials." in words
    assert "vae: 500–2,000 steps · 25 epochs · 64,000 rows · 1 network · yield 43 % · tuned with 20 trials" in words
    assert "smote: tuned with 20 trials" in words


def test_parameters_that_the_suite_gives_are_no_defaults(synthetic):
    run = synthetic.results(n_draws=2)
    parameter = {"name": "k", "value": "5", "default": "5", "meaning": ""}
    steps = parameter | {"name": "steps", "value": "1000", "default": "6000"}
    kept = [[steps, parameter] if name == "vae" else [parameter] for name in run.methods["method"]]
    given = replace(run, methods=run.methods.assign(parameters=kept), run={**run.run, "trials": 0, "budget": ""})
    comparison = compare(given)
    tuning = comparison.table.set_index("method")["tuning"]
    assert tuning["vae"] == "steps = 1000"
    assert tuning["smote"] == "defaults"
    assert comparison.budget == "Parameters of methods: given for vae, else defaults."
    assert "<dd>given for vae, else defaults</dd>" in render_site(given)["index.html"]
    tuned = compare(replace(given, run={**given.run, "trials": 20}, scores=run.scores.assign(tuned='{"trials": 20}')))
    assert tuned.table.set_index("method")["tuning"]["vae"] == "steps = 1000; tuned with 20 trials"


def test_the_page_says_it_beside_each_score(trained, synthetic):
    page = render_site(trained)["index.html"]
    assert "<dt>parameters of methods</dt><dd>tuned with 20 trials</dd>" in page
    assert "<dd>equal: 300 gradient steps a training set</dd>" in page
    budgets = page.partition('id="budgets"')[2].partition("</section>")[0]
    rows = {line.partition("</th>")[0]: line for line in budgets.split('<th scope="row">')}
    assert "500–2,000 steps" in rows["vae"]
    assert "tuned with 20 trials" in rows["vae"]
    assert "defaults" in rows["adasyn"]
    # nothing trained, nothing tuned: the head says all
    plain_run = synthetic.results(n_draws=3)
    page = "".join(render_site(replace(plain_run, run={**plain_run.run, "trials": 0, "budget": ""})).values())
    assert "<dt>parameters of methods</dt><dd>defaults</dd>" in page
    assert 'id="budgets"' not in page
    # of a table from elsewhere nothing is claimed
    assert "parameters of methods" not in "".join(render_site(plain_run).values())


def test_latex_says_it(trained, synthetic):
    latex = to_latex(compare(trained))
    caption = latex.split(r"\caption")[1]
    assert r"Training of one draw: vae 500--2,000 steps $\cdot$ 25 epochs" in caption
    assert "tuned with 20 trials" in caption
    assert all(line.count(" & ") == 8 for line in latex.splitlines() if line.endswith(r"\\"))
    assert "Training" not in to_latex(compare(synthetic.results(n_draws=2)))
