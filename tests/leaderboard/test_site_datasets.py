"""Pages of data sets: facts, classes, methods with the interval that fits, accuracy of each class."""

from __future__ import annotations

import html
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from augbench.leaderboard.details import dataset_detail
from augbench.leaderboard.results import Results
from augbench.leaderboard.site import render_site

EVIL = "<script>alert('x')</script>&\""


def with_facts(results, **facts):
    """The data sets with what a run of this version knows of them."""
    datasets = results.datasets.copy()
    counts = {"glass": [70, 76, 17, 13, 9, 29], "wine": [59, 71, 48]}
    datasets["class_counts"] = [counts.get(name, []) for name in datasets["dataset"]]
    datasets["n_categorical"] = [2 if name == "card" else 0 for name in datasets["dataset"]]
    datasets["licence"], datasets["citation"] = "CC BY 4.0", "Fisher (1936)"
    datasets["source"] = "https://example.org/?a=1&b=2"
    return Results(results.scores, results.methods, datasets.assign(**facts), results.run)


def words(markup):
    """The text that a reader sees."""
    return html.unescape(" ".join(re.sub(r"<[^>]*>", " ", markup).split()))


def section(page, anchor):
    return page.partition(f'aria-labelledby="{anchor}"')[2].partition("</section>")[0]


@pytest.fixture(scope="module")
def results(synthetic):
    return with_facts(synthetic.results(n_draws=3))


@pytest.fixture(scope="module")
def pages(results):
    return render_site(results)


def test_facts_licence_source_and_citation(pages):
    page = pages["dataset/glass.html"]
    text = words(page)
    assert "group proben1 rows 214 features 9 classes 6 largest to smallest class 8.44 : 1" in text
    assert "licence CC BY 4.0" in text
    assert "Cite: Fisher (1936)" in text
    assert '<a href="https://example.org/?a=1&amp;b=2" rel="noreferrer">' in page
    assert "of them categorical 2" in words(pages["dataset/card.html"])


def test_only_an_address_of_the_web_becomes_a_link(synthetic):
    scores = synthetic.results(1, 1, failures=False)
    for source in ("javascript:alert(1)", "data:text/html,x", "augbench"):
        page = render_site(with_facts(scores, source=source))["dataset/breast-cancer.html"]
        assert f"source {source}" in words(page)
        assert f'href="{source}' not in page


def test_classes_stand_the_rarest_first_and_the_minority_is_marked(pages):
    part = section(pages["dataset/glass.html"], "classes")
    rows = re.findall(r'<tr( class="minority")?><th scope="row">(class \d).*?data-v="(\d+)"', part, flags=re.S)
    assert [(name, int(n)) for _, name, n in rows] == [
        ("class 4", 9), ("class 3", 13), ("class 2", 17), ("class 5", 29), ("class 0", 70), ("class 1", 76)
    ]  # fmt: skip
    assert [bool(mark) for mark, *_ in rows] == [True] + [False] * 5
    assert ">4.2\xa0%<" in part
    assert 'style="--w:100.0%"' in part
    # without counts there is no bar, rather than an empty one
    assert 'id="classes"' not in pages["dataset/iris.html"]


def test_no_class_of_equal_ones_is_the_minority(synthetic):
    even = with_facts(synthetic.results(1, 1, failures=False), class_counts=[[50, 50]])
    part = section(render_site(even)["dataset/breast-cancer.html"], "classes")
    assert "minority" not in part
    assert "majority" not in part


def test_accuracy_of_classes_the_minority_first_and_the_baseline_on_top(results, pages):
    part = section(pages["dataset/glass.html"], "accuracy")
    assert re.findall(r">(class \d)<", part) == [f"class {code}" for code in (4, 3, 2, 5, 0, 1)]
    first = part.partition("<tbody>")[2].partition("</tr>")[0]
    assert words(first).split()[0].endswith("none") or ">none</a>" in first
    scores = results.scores
    own = scores[(scores["method"] == "none") & (scores["dataset"] == "glass")]
    assert float(re.search(r'data-v="([^"]+)"', first)[1]) == pytest.approx(100 * own["recall_4"].mean())
    # what is coloured is the difference to the baseline
    assert "gain" not in first
    assert "loss" not in first
    assert "heat gain" in part


def test_the_test_is_named_and_simulated_data_have_a_ceiling_and_a_regret(results, pages):
    assert "corrected resampled t-test" in words(section(pages["dataset/wine.html"], "methods"))
    assert "regret" not in pages["dataset/wine.html"]
    part = section(pages["dataset/simulated-logistic.html"], "methods")
    assert "paired t-test over independent draws" in words(part)
    assert "Bayes' rule reaches a macro F1 of 73.7" in words(part)
    scores = results.scores
    own = scores[(scores["method"] == "smote") & (scores["dataset"] == "simulated-logistic")]
    row = next(row for row in part.split("<tr") if ">smote</a>" in row)
    assert float(re.findall(r'data-v="([^"]*)"', row)[-1]) == pytest.approx(100 * own["regret_macro_f1"].mean())


def test_what_is_no_better_than_the_best_control_is_marked(synthetic):
    found = synthetic.results(failures=False)
    for dataset in ("wine", "iris"):
        detail = dataset_detail(found, dataset)
        table = detail.table.set_index("method")
        controls = [method for method in table.index if found.is_control(method)]
        best = table.loc[controls, "delta"].idxmax()
        assert detail.best_control == best
        below = {m for m in table.index if m not in controls and table.loc[m, "delta"] <= table.loc[best, "delta"]}
        assert set(table.index[table["not_above"]]) == below
        assert below, "adasyn and the VAE, at least"
        page = render_site(found)[f"dataset/{dataset}.html"]
        # and one that explains the mark
        assert page.count(f"no better than {best}") == len(below)
    # of a metric where less is better
    costs = found.scores.assign(log_loss=1 - found.scores["macro_f1"])
    turned = dataset_detail(replace(found, scores=costs), "iris", "log_loss")
    assert set(turned.table.loc[turned.table["not_above"], "method"]) == below
    assert turned.best_control == best


def test_failed_and_not_applicable_are_words_not_numbers(pages):
    row = next(
        row for row in section(pages["dataset/glass.html"], "methods").split("<tr") if ">kmeans-smote</a>" in row
    )
    assert ">failed<" in row
    row = next(row for row in section(pages["dataset/digits.html"], "methods").split("<tr") if ">adasyn</a>" in row)
    assert ">not applicable<" in row
    assert "counts as a tie" in words(pages["dataset/glass.html"])
    assert "counts as a tie" not in words(section(pages["dataset/card.html"], "how"))


def test_the_overview_counts_methods_on_each_side(pages):
    page = pages["datasets.html"]
    for name in ("glass", "wine"):
        part = section(pages[f"dataset/{name}.html"], "methods")
        sides = [len(re.findall(rf'class="interval {side}"', part)) for side in ("up", "down")]
        row = next(row for row in page.split("<tr>") if f">{name}</a>" in row)
        assert [int(value) for value in re.findall(r'data-v="([^"]*)"', row)[-2:]] == sides


def test_many_classes_are_folded_and_scroll(synthetic):
    n = 60
    rng = np.random.default_rng(0)
    recalls = {f"recall_{code}": rng.uniform(0.4, 0.6, 8) for code in range(n)}
    scores = pd.DataFrame({"method": ["none", "a"] * 4, "dataset": "many", "draw": np.arange(8) // 2, "macro_f1": 0.5})
    facts = {"dataset": ["many"], "classes": [[f"class number {i}" for i in range(n)]],
             "class_counts": [list(range(10, 10 + n))]}  # fmt: skip
    made = Results(scores.assign(**recalls), pd.DataFrame({"method": []}), pd.DataFrame(facts), {})
    page = render_site(made)["dataset/many.html"]
    part = section(page, "classes")
    assert "<summary>60 classes, from" in part
    heat = section(page, "accuracy")
    assert len(re.findall(r'<th scope="col" class="num">', heat)) == n
    assert heat.index('role="region"') < heat.index("<table")


def test_markup_in_every_text_of_a_data_set_is_escaped(synthetic):
    base = synthetic.results(2, 1, failures=False)
    evil = dict.fromkeys(("description", "group", "licence", "source", "citation", "class_of_interest"), EVIL)
    finding = {"severity": "warning", "words": EVIL, "message": EVIL, "advice": EVIL}
    made = with_facts(base, **evil, classes=[[EVIL] * 2] * 2, class_counts=[[1, 2]] * 2, findings=[[finding]] * 2)
    page = render_site(made)["dataset/card.html"]
    assert "<script>" not in page
    escaped = html.escape("<script>")
    for anchor in ("findings", "classes", "accuracy"):
        assert escaped in section(page, anchor), anchor
    assert page.count(escaped) > 10


def test_what_an_older_run_does_not_know_is_left_out(synthetic):
    page = render_site(synthetic.results(1, 1, failures=False))["dataset/breast-cancer.html"]
    text = words(page)
    assert "licence" not in text
    assert "Cite" not in text
    assert "None" not in text
    assert "nan" not in text
