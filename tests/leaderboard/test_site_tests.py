"""The page of the tests: pairs, ranks, resolution, sensitivity to failures, the critical-difference diagram."""

from __future__ import annotations

import html
import io
import re

import numpy as np
import pandas as pd
import pytest
from augbench.leaderboard import Results, compare, render_site
from augbench.leaderboard.plots_ranks import critical_difference_figure
from augbench.leaderboard.separation import separation
from augbench.leaderboard.site.tests import MOST_IN_MATRIX


def made_up(n_datasets=14, levels=(0, 0, 4, 8), seed=0, prefix="m"):
    """Methods that differ by so many points from the first one, which is the baseline."""
    rng = np.random.default_rng(seed)
    base = rng.uniform(0.5, 0.8, n_datasets)
    rows = [
        ("none" if i == 0 else f"{prefix}{i}", f"data {d}", draw, base[d] + level / 100 + rng.normal(0, 0.004))
        for i, level in enumerate(levels)
        for d in range(n_datasets)
        for draw in range(2)
    ]
    return pd.DataFrame(rows, columns=["method", "dataset", "draw", "macro_f1"])


@pytest.fixture(scope="module")
def scores():
    return made_up()


@pytest.fixture(scope="module")
def main(scores):
    return compare(scores)


@pytest.fixture(scope="module")
def found(scores, main):
    return separation(Results.from_frame(scores), main)


@pytest.fixture(scope="module")
def files(scores):
    return render_site(scores)


def words(markup):
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", markup)).split())


def test_what_is_told_apart_is_counted(found, files):
    assert found.ranks["method"].tolist() == ["m3", "m2", *found.ranks["method"].tolist()[2:]]
    assert found.matrix.n_separated == 5
    assert found.ranks["shared"].tolist() == [1, 2, 3, 3]
    page = words(files["tests.html"])
    assert "5 of 6 pairs of methods are told apart" in page
    assert "2 of 3 methods differ from the next" in page
    smallest = found.matrix.delta.abs().where(found.matrix.separated).min().min()
    assert found.smallest == pytest.approx(smallest)
    assert 3 < found.smallest < 5
    assert f"The smallest difference that was told apart is {smallest:.2f} points" in page
    assert f"from a difference of {found.matrix.resolution:.2g} points on" in page
    assert compare(made_up()).omnibus_text in page


def test_the_matrix_has_wins_and_corrected_p_of_every_pair(found, files):
    (table,) = re.findall(r'<table class="matrix wins">.*?</table>', files["tests.html"], flags=re.S)
    rows = re.findall(r"<tr.*?</tr>", table, flags=re.S)
    assert len(rows) == 5
    cells = re.findall(r"<td.*?</td>", rows[1], flags=re.S)
    matrix = found.matrix
    expected = [
        f"{matrix.wins.at['m3', other]}/{matrix.ties.at['m3', other]}/{matrix.losses.at['m3', other]}"
        for other in matrix.methods[1:]
    ]
    assert [words(cell).split()[0] for cell in cells[1:]] == expected == ["14/0/0"] * 3
    assert all("<b" in cell for cell in cells[1:])
    # none and m1 do not differ
    assert "<b" not in re.findall(r"<td.*?</td>", rows[4], flags=re.S)[2]


def test_all_pairs_can_be_had_as_a_file(found, files):
    back = pd.read_csv(io.StringIO(files["downloads/pairs.csv"]), float_precision="round_trip")
    pd.testing.assert_frame_equal(back, found.pairs(), check_dtype=False)
    assert len(back) == 6
    assert (back["wins"] + back["ties"] + back["losses"] == 14).all()
    assert 'href="downloads/pairs.csv"' in files["tests.html"]


def test_so_few_data_sets_that_nothing_can_be_shown():
    page = words(render_site(made_up(n_datasets=4))["tests.html"])
    assert "0 of 6 pairs" in page
    assert "None could be: the smallest p that 4 data sets can give is .750 after the correction." in page
    assert "cannot tell half of the pairs apart, however large" in page


def test_failures_as_the_worst_score_can_change_places():
    scores = made_up(levels=(0, -1, 0.3))
    # a method that fails where it is poor
    fails = (scores["method"] == "m2") & scores["dataset"].isin([f"data {d}" for d in range(9)])
    scores["status"] = np.where(fails, "failed", "ok")
    scores.loc[fails, "macro_f1"] = np.nan
    found = separation(Results.from_frame(scores), compare(scores))
    assert found.n_failed == 18
    ranks = found.ranks.set_index("method")
    assert ranks.at["m2", "worst_rank"] > ranks.at["m2", "mean_rank"]
    assert found.n_moved == int(ranks["moved"].sum()) > 0
    page = words(render_site(scores)["tests.html"])
    assert "18 failed draws of ranked methods count as ties" in page
    assert f"{found.n_moved} of 3 would change places" in page
    assert "if failures were worst" in page
    assert "No draw of a ranked method failed" in words(render_site(made_up())["tests.html"])


def test_the_diagram_is_drawn_to_scale(found, files):
    assert found.diagram is not None
    axes = critical_difference_figure(found.diagram).axes[0]
    texts = [text.get_text() for text in axes.texts]
    for name, rank in zip(found.diagram.methods, found.diagram.ranks, strict=True):
        assert any(name in one and f"{rank:.2f}" in one for one in texts)
    line, ruler = axes.lines[0], next(one for one in axes.lines[1:] if len(set(one.get_ydata())) == 1)
    inches = np.ptp(line.get_xdata()) / (len(found.diagram.methods) - 1)
    assert np.ptp(ruler.get_xdata()) == pytest.approx(found.diagram.critical_difference * inches)
    bars = [one for one in axes.lines if one.get_linewidth() == 3]
    assert len(bars) == len(found.diagram.groups)
    assert "Critical difference" in files["tests.html"]


def test_of_too_many_methods_the_diagram_leaves_controls_out_and_never_by_result(synthetic):
    results = synthetic.results(n_datasets=3, n_draws=2, failures=False)
    found = separation(results, compare(results))
    assert len(found.ranks) == 14
    assert set(found.diagram.methods) == {
        *("none", "random-oversampling", "smote", "borderline-smote"),
        *("svm-smote", "kmeans-smote", "adasyn", "vae"),
    }
    assert "too many" in found.diagram_note
    many = made_up(n_datasets=3, levels=range(14))
    found = separation(Results.from_frame(many), compare(many))
    assert found.diagram is None
    assert "14 ranked methods are too many" in words(render_site(many)["tests.html"])


def test_an_exploratory_metric_has_no_p_anywhere(scores):
    files = render_site(scores.assign(g_mean=scores["macro_f1"]), metric="g_mean")
    page = words(files["tests.html"])
    assert "Nothing is tested here" in page
    assert "corrected" not in page
    assert "downloads/pairs.csv" not in files
    assert "pairs.csv" not in files["manifest.html"]


def test_one_data_set_is_tested_over_its_draws():
    rng = np.random.default_rng(0)
    rows = [
        (method, "d", draw, 0.6 + gain + rng.normal(0, 0.002), 100, 50)
        for method, gain in (("none", 0), ("a", 0.05), ("b", 0.1))
        for draw in range(10)
    ]
    scores = pd.DataFrame(rows, columns=["method", "dataset", "draw", "macro_f1", "n_train", "n_test"])
    page = words(render_site(scores)["tests.html"])
    assert "3 of 3 pairs of methods are told apart" in page
    assert "corrected resampled t-test" in page
    assert "needs two data sets or more" in page
    assert "nan" not in page.replace("Nan", "")


def test_a_large_matrix_is_cut_and_the_file_is_whole():
    scores = made_up(n_datasets=3, levels=np.linspace(0, 9, MOST_IN_MATRIX + 3))
    files = render_site(scores)
    (table,) = re.findall(r'<table class="matrix wins">.*?</table>', files["tests.html"], flags=re.S)
    assert table.count("<tr") == MOST_IN_MATRIX + 1
    k = MOST_IN_MATRIX + 3
    assert files["downloads/pairs.csv"].count("\n") == k * (k - 1) // 2 + 1
