"""What an inspection found in a data set, on the page and in the terminal."""

from __future__ import annotations

import dataclasses
import re

import pytest
from augbench.leaderboard import compare, plain
from augbench.leaderboard.results import Results
from augbench.leaderboard.site import render_site
from augbench.leaderboard.verdict import data_warning

LEAK = {"severity": "serious", "words": "gives the class away", "message": "column '<b>x' alone", "advice": "--drop x"}
TWICE = {"severity": "warning", "words": "duplicate rows", "message": "30 rows repeat", "advice": "keep them together"}
GAPS = {"severity": "note", "words": "missing cells", "message": "9 missing cells", "advice": "nothing"}


@pytest.fixture(scope="module")
def results(synthetic):
    return synthetic.results(n_datasets=3, n_draws=3)


def with_findings(results: Results, **found) -> Results:
    datasets = results.datasets.copy()
    datasets["findings"] = [found.get(name, []) for name in datasets["dataset"]]
    return dataclasses.replace(results, datasets=datasets)


def main_of(page: str) -> str:
    return re.sub(r"\s+", " ", page.partition("<main")[2])


def test_findings_stand_in_the_terminal_and_on_the_page(results):
    shown = with_findings(results, card=[LEAK, TWICE, GAPS], diabetes=[GAPS])
    line = "Look at the data: card (gives the class away, duplicate rows); 'bench datasets inspect' says more."
    assert line in compare(shown).warnings
    assert f"! {line}" in " ".join(plain(compare(shown), 200).split("\n"))
    site = render_site(shown)
    assert line in site["index.html"].partition("<section")[0].replace("&#39;", "'")
    overview = main_of(site["datasets.html"])
    assert overview.count("⚠") == 1
    assert "⚠ gives the class away, duplicate rows" in overview
    card = main_of(site["dataset/card.html"])
    assert "<b>gives the class away:</b> column &#39;&lt;b&gt;x&#39; alone → --drop x." in card
    assert "<b>duplicate rows:</b> 30 rows repeat → keep them together." in card
    # a note is said without more ado
    assert "<li>9 missing cells.</li>" in card
    assert "<li>9 missing cells.</li>" in main_of(site["dataset/diabetes.html"])


def test_without_findings_nothing_is_said(results):
    shown = with_findings(results, card=[GAPS])
    assert not any("Look at the data" in line for line in compare(shown).warnings)
    assert "Look at the data" not in "".join(render_site(results).values())
    assert compare(results).warnings == compare(shown).warnings


def test_many_data_sets_are_cut_and_counted():
    (line,) = data_warning({f"d{i}": [TWICE] for i in range(11)})
    assert "d7 (duplicate rows) and 3 more;" in line


def test_a_data_set_that_is_not_compared_is_not_named(results):
    shown = with_findings(results, card=[TWICE])
    assert not any("Look at the data" in line for line in compare(shown, datasets=["diabetes"]).warnings)
