"""The section on how real generated rows are."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from augbench.bench.fidelity import NAMES
from augbench.errors import InputError
from augbench.leaderboard import compare
from augbench.leaderboard.fidelity import MEASURES, REAL, fidelity_table
from augbench.leaderboard.results import OF_ROWS, higher_is_better, metric_columns
from augbench.leaderboard.site import render_site


@pytest.fixture(scope="module")
def measured(synthetic):
    """The made-up run with fidelity for augmenters: copies copy, SMOTE does not apply to one data set."""
    results = synthetic.results(n_datasets=3, n_draws=2, failures=False)
    scores = results.scores.copy()
    adds = scores["method"].isin(["random-oversampling", "smote", "vae"])
    scores.loc[adds, "exact_copies"] = np.where(scores.loc[adds, "method"] == "random-oversampling", 1.0, 0.0)
    scores.loc[adds, "dcr_ratio"] = scores.loc[adds, "method"].map(
        {"random-oversampling": 0, "smote": 0.4, "vae": 0.05}
    )
    scores.loc[adds, "two_sample_auroc"] = 0.8
    scores.loc[adds, "wasserstein"] = np.where(scores.loc[adds, "dataset"] == "breast_cancer", 0.5, 0.2)
    scores.loc[adds, "wasserstein_real"] = np.where(scores.loc[adds, "dataset"] == "breast_cancer", 0.4, 0.1)
    gone = (scores["method"] == "smote") & (scores["dataset"] == "breast_cancer")
    scores.loc[gone, "status"] = "not applicable"
    scores.loc[gone, metric_columns(scores)] = np.nan
    return replace(results, scores=scores)


def test_names_are_those_of_the_bench():
    assert set(OF_ROWS) == set(NAMES)
    assert {one.name for one in MEASURES} | {one.real for one in MEASURES if isinstance(one.real, str)} == set(NAMES)
    assert not higher_is_better("wasserstein")


def test_means_over_data_sets_beside_what_real_rows_give(measured):
    found = fidelity_table(measured, ["vae", "none", "smote", "random-oversampling"])
    assert found.table.index.tolist() == [REAL, "vae", "smote", "random-oversampling"]
    assert [one.name for one in found.measures] == ["exact_copies", "dcr_ratio", "two_sample_auroc", "wasserstein"]
    np.testing.assert_allclose(found.table.loc[REAL], [0, 1, 0.5, (0.4 + 0.1 + 0.1) / 3])
    np.testing.assert_allclose(found.table.loc["vae"], [0, 0.05, 0.8, 0.3])
    # on the data sets of the method
    np.testing.assert_allclose(found.table.loc["smote", "wasserstein"], 0.2)
    np.testing.assert_allclose(found.references.loc["smote", "wasserstein"], 0.1)
    assert found.n_datasets["smote"] == 2
    assert found.marks == {"vae": "nearly copies", "random-oversampling": "mostly copies"}


def test_draws_that_are_there_for_more_classifiers_do_not_weigh_more(measured):
    scores = measured.scores.copy()
    one = (scores["dataset"] == "card") & (scores["draw"] == 0) & (scores["method"] == "vae")
    scores.loc[one, "wasserstein"] = 0.8
    full = fidelity_table(replace(measured, scores=scores), ["vae"]).table.loc["vae", "wasserstein"]
    scores.loc[one & (scores["classifier"] != "logistic"), "wasserstein"] = np.nan
    assert fidelity_table(replace(measured, scores=scores), ["vae"]).table.loc["vae", "wasserstein"] == pytest.approx(
        full
    )


def test_the_page_has_the_table_only_where_rows_were_generated(measured, synthetic):
    page = render_site(measured)["cost.html"]
    section = page.split('id="fidelity"')[1].split("</section>")[0]
    names = re.findall(r'<th scope="row">([\w -]+?)\s*<', section)
    assert names[0] == REAL
    assert set(names[1:]) == {"random-oversampling", "smote", "vae"}
    row = section.split('<th scope="row">smote')[1].split("</tr>")[0]
    assert "on 2 of 3 data sets" in row
    assert re.findall(r">([^<>]+)</td>", row) == ["0 %", "0.40", "0.80", "0.20"]
    assert 'title="real rows on the same data sets: 0.10"' in row
    assert "⚠ mostly copies" in section.split('<th scope="row">random-oversampling')[1].split("</tr>")[0]
    assert "⚠" not in row
    assert 'id="fidelity"' not in "".join(render_site(synthetic.results(2, 2)).values())


def test_a_metric_of_rows_orders_no_methods(measured):
    with pytest.raises(InputError, match=r"wasserstein describes generated rows, and the baseline 'none' has none"):
        compare(measured, metric="wasserstein")
    # but methods that generate can be compared with each other
    rows = [("a", "d", 0, 0.3), ("b", "d", 0, 0.5), ("a", "e", 0, 0.3), ("b", "e", 0, 0.4)]
    table = pd.DataFrame(rows, columns=["method", "dataset", "draw", "wasserstein"])
    found = compare(table, metric="wasserstein", baseline="b").table
    assert found["method"].tolist() == ["a", "b"]
    assert found["gain_baseline"].iloc[0] > 0
