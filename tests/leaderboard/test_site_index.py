"""The index, Compare and the data for their scripts, as text."""

from __future__ import annotations

import dataclasses
import gzip
import json
import re

import numpy as np
import pandas as pd
import pytest
from augbench.leaderboard.results import Results
from augbench.leaderboard.site import compare, data, index, render_site
from augbench.leaderboard.site.base import Site
from augbench.leaderboard.site.columns import columns

PREFIX, SUFFIX = "var augbenchResults = ", ";\n"


@pytest.fixture(scope="module")
def results(synthetic):
    return synthetic.results(n_draws=3)


@pytest.fixture(scope="module")
def site(results):
    return Site(results, "macro_f1")


@pytest.fixture(scope="module")
def page(site):
    return site.render(next(index.pages(site)))


def parsed(script):
    assert script.startswith(PREFIX)
    assert script.endswith(SUFFIX)
    return json.loads(script.removeprefix(PREFIX).removesuffix(SUFFIX))


def test_a_mean_over_fewer_data_sets_is_marked_and_explained(synthetic):
    run = synthetic.results(n_draws=2)
    comparison = Site(run, "macro_f1").main
    partial = set(comparison.table.loc[comparison.table["state"] == "partial", "method"])
    page = render_site(run)["index.html"]
    board = page.partition('class="sortable board"')[2].partition("</tbody>")[0]
    rows = {re.search(r'html">([^<]+)</a>', row)[1]: row for row in board.split('<tr class="')[1:]}
    assert partial
    assert {name for name, row in rows.items() if "†" in row} == partial
    assert "†: a mean over fewer data sets" in page
    assert "†" not in render_site(synthetic.results(n_draws=2, failures=False))["index.html"]


def test_the_answer_comes_first_then_run_warnings_filters_table_and_matrix(page, site):
    marks = (
        site.main.finding[:30],
        'class="run"',
        'class="warnings"',
        'id="controls"',
        'class="sortable board"',
        'id="matrix"',
    )
    places = [page.index(mark) for mark in marks]
    assert places == sorted(places)
    # what was run with what is on the manifest
    assert "Linux x86_64" not in page
    assert "processes" not in page


def test_every_column_of_the_table_is_explained_in_words_and_in_its_header(page, site):
    heads = re.findall(r'data-key="[^"]+".*?<abbr title="([^"]+)">(.*?)</abbr>', page)
    explained = page.partition('id="how"')[2]
    assert len(heads) == len(columns(site.main)) > 12
    for title, head in heads[1:]:
        assert f"<dt>{head}</dt>" in explained
        assert title.replace(" %", "\u00a0%") in explained


def test_filters_are_native_hidden_without_a_script_and_only_where_something_varies(page, site):
    form = re.search(r"<form.*?</form>", page, flags=re.S)[0]
    assert " hidden>" in form.partition("\n")[0]
    assert re.findall(r'<select name="(\w+)"', form) == ["group", "family", "scenario", "classifier", "metric"]
    assert '<option value="few-shot-20">few-shot-20</option>' in form
    # what is chosen at the start is what the table shows
    assert form.index('value="macro_f1"') < form.index('value="weighted_f1"') < form.index('value="auroc"')
    plain = Results.from_frame(
        site.results.scores[["method", "dataset", "draw", "macro_f1"]].drop_duplicates(["method", "dataset", "draw"])
    )
    assert index.filters(Site(plain, "macro_f1")) == {}


def test_shared_ranks_stand_where_they_are_known(site):
    without = dataclasses.replace(site.main, table=site.main.table.drop(columns="tied_rank", errors="ignore"))
    assert "tied_rank" not in [column.key for column in columns(without)]
    places = [1.0, 1.0, 3.0, *[np.nan] * (len(site.main.table) - 3)]
    ranked = dataclasses.replace(site.main, table=site.main.table.assign(tied_rank=places))
    (rank,) = [column for column in columns(ranked) if column.key == "tied_rank"]
    rows = ranked.table.to_dict("records")
    assert [rank.text(row) for row in rows[:4]] == ["1", "1", "3", "–"]
    assert [rank.data(row) for row in rows[2:4]] == ["3", ""]
    assert rank.when == "confirmatory"


def test_a_metric_of_which_less_is_better_is_coloured_as_a_gain_where_it_falls(results):
    scores = results.scores.assign(brier=1 - results.scores["macro_f1"])
    lower = Site(dataclasses.replace(results, scores=scores), "brier")
    best = index.board(lower.main)["rows"][0]
    assert best["delta"] < 0
    assert best["bar"].shape == "up"
    page = lower.render(next(index.pages(lower)))
    assert ">brier</abbr>" in page
    # the scale of the matrix has the same colours as its cells
    assert re.findall(r'heat (loss|gain)" style="--s:1"[^>]*>(.)', page) == [("loss", "+"), ("gain", "−")]


def test_a_metric_that_the_baseline_does_not_have_cannot_be_chosen(results):
    scores = results.scores.assign(odd=np.where(results.scores["method"] == "none", np.nan, 0.5), empty=np.nan)
    odd = Site(dataclasses.replace(results, scores=scores), "macro_f1")
    chosen = {value for value, _ in index.filters(odd)["metric"]}
    assert chosen <= set(data.site_data(odd)["metrics"])
    assert {"macro_f1", "auroc"} <= chosen
    assert not {"odd", "empty"} & chosen


def test_blocks_give_back_the_mean_of_every_cell(results, site):
    found = data.site_data(site)
    sums: dict[tuple[str, str, str], list[float]] = {}
    method = found["methods"].index("smote")
    for d, s, c, draws, values, _, absent in found["metrics"]["macro_f1"]["blocks"]:
        assert method not in dict(absent)
        place = (found["datasets"][d], found["scenarios"][s], found["classifiers"][c])
        sums.setdefault(place, [0, 0])
        sums[place] = [sums[place][0] + draws * values[method] / found["scale"], sums[place][1] + draws]
    own = results.scores[results.scores["method"] == "smote"]
    expected = own.groupby(["dataset", "scenario", "classifier"])["macro_f1"].mean()
    assert len(sums) == len(expected)
    for place, value in expected.items():
        assert sums[place][0] / sums[place][1] == pytest.approx(value, abs=1e-9)


def test_draws_that_lack_a_method_are_a_block_of_their_own():
    rows = [(m, "d", draw, 0.5 + 0.1 * draw, "ok") for m in ("none", "a") for draw in range(3)]
    scores = pd.DataFrame(rows, columns=["method", "dataset", "draw", "macro_f1", "status"])
    scores.loc[4, ["macro_f1", "status"]] = [np.nan, "not applicable"]
    found = data.site_data(Site(Results.from_frame(scores), "macro_f1"))
    a, scale = found["methods"].index("a"), found["scale"]
    blocks = {block[3]: block for block in found["metrics"]["macro_f1"]["blocks"]}
    assert blocks[2][4][a] == round(0.6 * scale)
    assert (blocks[1][4][a], blocks[1][6]) == (None, [[a, data.CODES["not applicable"]]])


def test_data_for_scripts_can_hold_no_markup(results):
    evil = "</script><!--\u2028&"
    scores = results.scores.replace({"method": {"smote": evil}, "dataset": {"wine": evil}, "scenario": {"full": evil}})
    site = Site(Results.from_frame(scores), "macro_f1")
    script = data.script(site)
    assert not re.search("[<>&\u2028]", script)
    found = parsed(script)
    assert evil in found["methods"]
    assert evil in found["datasets"]
    assert evil in found["scenarios"]


def test_what_may_be_chosen_leaves_out_single_classes_and_generated_rows(results):
    scores = results.scores.assign(f1_0=0.5, wasserstein=0.1)
    assert data.choices(Site(dataclasses.replace(results, scores=scores), "auroc")) == [
        *("auroc", "macro_f1", "weighted_f1", "recall_minority", "recall_majority", "accuracy", "regret_macro_f1"),
    ]


def test_only_planned_comparisons_have_p_values(site):
    found = data.site_data(site)
    table = site.main.table.set_index("method")
    assert found["confirmatory"]
    for name, one in zip(found["methods"], found["against"], strict=True):
        assert set(one) == {"baseline", "copies"}
        assert one["baseline"]["low"] == pytest.approx(table.loc[name, "low"], abs=1e-6, nan_ok=True)
    assert found["against"][found["methods"].index("vae")]["baseline"]["holm"] == "–"
    secondary = data.site_data(Site(site.results, "auroc"))
    assert not secondary["confirmatory"]
    assert {one["baseline"]["p"] for one in secondary["against"]} == {"–"}


def test_compare_shows_every_method_against_the_baseline_without_a_script(site):
    (made,) = compare.pages(site)
    page = site.render(made)
    assert "Without JavaScript" in re.search(r"<noscript>.*?</noscript>", page, flags=re.S)[0]
    table = re.search(r"<table class=\"sortable board\">.*?</table>", page, flags=re.S)[0]
    assert [f">{name}<" in table for name in site.rows] == [True] * len(site.rows)
    assert "<option selected>borderline-smote</option>" in page
    assert (
        list(compare.pages(Site(Results.from_frame(site.results.scores.query("method == 'none'")), "macro_f1"))) == []
    )


def test_twenty_methods_on_thirty_data_sets_stay_small(synthetic):
    big = Site(synthetic.grid(20, 30, n_draws=2), "macro_f1")
    page = big.render(next(index.pages(big))).encode()
    assert len(page) < 300_000
    assert len(gzip.compress(page)) < 60_000
    assert page.count(b"<td") > 20 * 30


def test_the_data_are_a_file_of_the_site_and_the_same_twice(results):
    files = render_site(results)
    assert parsed(files[data.PATH])["methods"][0] == "borderline-smote"
    assert render_site(results)[data.PATH] == files[data.PATH]
    for name in ("index.html", "compare.html"):
        sources = re.findall(r'<script src="([^"]+)"', files[name])
        assert sources[:3] == ["assets/site.js", "assets/results.js", "assets/shared.js"]
