"""Terminal, page and exports: what is shown, that it is escaped, that it fits."""

from __future__ import annotations

import html.parser
import os
import posixpath
import re

import numpy as np
import pandas as pd
import pytest
from augbench.errors import InputError
from augbench.leaderboard import compare, plain, to_latex, write_scores, write_site
from augbench.leaderboard import format as text
from augbench.leaderboard.export import escape_latex, latex_table
from augbench.leaderboard.figures import Scale, full_heat, heat
from augbench.leaderboard.results import Results
from augbench.leaderboard.site import render_site

EVIL = "<script>alert('x')</script>&\"_%"


@pytest.fixture(scope="module")
def results(synthetic):
    return synthetic.results(n_draws=3)


@pytest.fixture(scope="module")
def site(results):
    return render_site(results)


@pytest.fixture(scope="module")
def pages(site):
    return {path: text for path, text in site.items() if path.endswith(".html")}


@pytest.fixture(scope="module")
def page(site):
    return "".join(site.values())


@pytest.mark.parametrize("width", [60, 80, 100, 120])
def test_terminal_fits_and_cuts_no_number(results, width):
    shown = plain(compare(results), width)
    assert max(map(len, shown.splitlines())) <= width
    table = shown.split("\n\n")[1]
    rows = table.splitlines()[2:]
    assert len(rows) == 14
    if width >= 80:
        assert not any("…" in re.sub(r"\d…[+−]?\d", "", row[24:]) for row in rows)
        assert all(header in table for header in ("W/T/L", "rank", "verdict"))
    assert "No clusters found" in " ".join(shown.split())
    assert "\x1b" not in shown


def test_terminal_of_a_minimal_table():
    scores = pd.DataFrame({"method": ["none", "a"], "dataset": "d", "draw": 0, "macro_f1": [0.5, 0.6]})
    assert "+10.00" in plain(compare(scores), 80)


def test_site_fetches_nothing_has_no_broken_link_and_is_the_same_twice(results, site, pages):
    assert render_site(results) == site
    ids = {path: set(re.findall(r'\sid="([^"]+)"', markup)) for path, markup in pages.items()}
    for path, markup in pages.items():
        for target in re.findall(r'(?:src|href)="([^"]*)"', markup):
            if target == "data:,":
                continue
            file, _, anchor = target.partition("#")
            there = posixpath.normpath(posixpath.join(posixpath.dirname(path), file)) if file else path
            assert there in site, (path, target)
            assert not anchor or anchor in ids[there], (path, target)
    everything = "".join(site.values())
    assert "http" not in everything.replace("http://www.w3.org", "")
    assert "@import" not in everything
    assert "url(" not in everything.replace("url(#", "")


class Checker(html.parser.HTMLParser):
    """Collects tags that are left open, ids and the tables' row lengths."""

    VOID = frozenset({"meta", "link", "line", "circle", "br", "input"})

    def __init__(self):
        super().__init__()
        self.open, self.ids, self.wrong = [], [], []

    def handle_starttag(self, tag, attrs):
        self.ids += [value for name, value in attrs if name == "id"]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.wrong.append((tag, self.getpos()))

    def handle_startendtag(self, tag, attrs):
        pass


def test_pages_are_well_formed(pages):
    for path, markup in pages.items():
        checker = Checker()
        checker.feed(markup)
        assert not checker.wrong, path
        assert not checker.open, path
        assert len(checker.ids) == len(set(checker.ids)), path


def test_every_table_has_as_many_cells_in_each_row(page):
    for table in re.findall(r"<table.*?</table>", page, flags=re.S):
        widths = {len(re.findall(r"<t[hd][ >]", row)) for row in re.findall(r"<tr.*?</tr>", table, flags=re.S)}
        assert len(widths) == 1


def test_page_says_what_happened(results, page):
    main = compare(results)
    for words in (main.finding.split(",")[0], "No clusters found", "not applicable", "not run", "partly failed"):
        assert words in page
    assert "Bayes' rule reaches a macro F1 of 73.7" in page.replace("&#39;", "'")
    assert "few-shot-20" in page
    assert "scikit-learn 1.9.0" in page
    for name in main.table["method"]:
        assert f">{name}<" in page


def test_markup_is_escaped_everywhere(results):
    scores = results.scores.replace(
        {"method": {"smote": EVIL}, "dataset": {"wine": EVIL}, "classifier": {"logistic": EVIL}}
    )
    scores = scores.replace({"scenario": {"full": EVIL}})
    scores.loc[scores["status"] == "failed", "error"] = EVIL
    scores.loc[scores["status"] == "not applicable", "error"] = EVIL
    methods = results.methods.replace({"method": {"smote": EVIL}})
    methods["description"] = methods["family"] = EVIL
    datasets = results.datasets.replace({"dataset": {"wine": EVIL}})
    datasets["description"] = datasets["group"] = EVIL
    datasets["classes"] = [[EVIL] * 10] * len(datasets)
    run = {name: EVIL for name in ("suite", "description", "started", "command", "python", "platform", "seed", "draws")}
    evil = Results(scores, methods, datasets, run | {"versions": {EVIL: EVIL}})
    page = "".join(text for path, text in render_site(evil).items() if not path.endswith(".csv"))
    assert "<script>alert" not in page
    assert "<script>" not in page
    assert "&lt;script&gt;alert" in page
    checker = Checker()
    checker.feed(page)
    assert not checker.wrong
    latex = to_latex(compare(evil))
    assert r"\textless{}script\textgreater{}" in latex
    assert not re.search(r"(?<!\\)[_%&](?![ ])", latex.split(r"\midrule")[1].replace(" & ", " "))


def test_rich_markup_in_names_is_shown_as_it_is():
    scores = pd.DataFrame({"method": ["none", "[red]a[/red]"], "dataset": "d", "draw": 0, "macro_f1": [0.5, 0.6]})
    assert "[red]a[/red]" in plain(compare(scores), 80)


@pytest.mark.parametrize(("n_datasets", "n_draws"), [(1, 1), (1, 4), (2, 2)])
def test_page_of_small_runs(synthetic, n_datasets, n_draws):
    page = "".join(render_site(synthetic.results(n_datasets, n_draws, failures=False)).values())
    assert "nan" not in re.sub(r"<style>.*?</style>", "", page, flags=re.S).lower().replace("finance", "")


def test_page_of_a_minimal_table_and_of_the_baseline_alone(tmp_path):
    scores = pd.DataFrame({"method": ["none", "a"], "dataset": "d", "draw": 0, "macro_f1": [0.5, 0.6]})
    assert "+10.00" in write_site(scores, tmp_path / "new" / "a").read_text()
    assert "nothing to compare yet" in write_site(scores.iloc[:1], tmp_path / "b").read_text()


def test_writing_leaves_no_part_behind(results, tmp_path, monkeypatch):
    index = write_site(results, tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}

    def full(*_args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    with pytest.raises(InputError, match="No space left"):
        write_site(results, tmp_path)
    assert index in before
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_a_site_replaces_an_older_one_whole_and_nothing_else(results, tmp_path):
    write_site(results, tmp_path / "site")
    fewer = Results.from_frame(results.scores[results.scores["method"].isin(["none", "smote"])])
    write_site(fewer, tmp_path / "site")
    left = {path.relative_to(tmp_path / "site").as_posix() for path in (tmp_path / "site").rglob("*.html")}
    assert left == {path for path in render_site(fewer) if path.endswith(".html")}
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.html").write_text("mine")
    with pytest.raises(InputError, match="holds other files"):
        write_site(results, tmp_path / "thesis")
    assert (tmp_path / "thesis" / "chapter.html").read_text() == "mine"


def test_a_site_of_something_else_is_refused_and_left_as_it_is(results, tmp_path):
    theirs = {"index.html": "<title>docs</title>", "guide/a.html": "mine", "assets/logo.png": "mine"}
    for keep in (theirs, {"assets/logo.png": "mine", "a.html": "mine"}):
        folder = tmp_path / str(len(keep))
        for name, words in keep.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(words)
        with pytest.raises(InputError, match="holds other files"):
            write_site(results, folder)
        found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
        assert found == set(keep)


def test_a_site_that_was_not_written_to_its_end_is_written_again(results, tmp_path, monkeypatch):
    put = os.replace
    done = []

    def full(source, target):
        if done:
            raise OSError(28, "No space left on device")
        done.append(target)
        put(source, target)

    monkeypatch.setattr("os.replace", full)
    with pytest.raises(InputError, match="No space left"):
        write_site(results, tmp_path)
    monkeypatch.undo()
    assert write_site(results, tmp_path).is_file()


def test_names_that_make_the_same_file_name_have_pages_of_their_own():
    scores = pd.DataFrame({"method": ["none", "a b", "A/B", "../a"], "dataset": "정상", "draw": 0, "macro_f1": 0.5})
    pages = render_site(scores)
    assert {"method/a-b.html", "method/a-b-2.html", "method/a.html", "dataset/x.html"} <= set(pages)


def test_scores_go_out_and_come_back(results, tmp_path):
    for name, read in (("s.csv", pd.read_csv), ("s.parquet", pd.read_parquet)):
        back = read(write_scores(results, tmp_path / name))
        assert len(back) == len(results.scores)
        pd.testing.assert_frame_equal(
            compare(back).table[["method", "delta"]], compare(results.scores).table[["method", "delta"]]
        )
    with pytest.raises(InputError, match=r"\.csv or \.parquet"):
        write_scores(results, tmp_path / "s.xlsx")


def test_latex_has_no_command_that_needs_another_encoding():
    assert escape_latex('the "best" method') == "the ''best'' method"


def test_latex_has_a_row_per_method(results):
    latex = to_latex(compare(results))
    assert latex.count(r" \\") == 15
    assert r"\toprule" in latex


def test_a_table_that_is_longer_than_a_page_is_broken_across_pages():
    rows = [[f"m_{i}", "1"] for i in range(50)]
    short, long = (
        latex_table(["Method", "n"], rows[:9], "lr", "A & B"),
        latex_table(["Method", "n"], rows, "lr", "A & B"),
    )
    assert r"\begin{table}" in short
    assert "longtable" not in short
    assert long.startswith(r"\begin{longtable}{lr}" + "\n" + r"\caption{A \& B} \\")
    assert long.index(r"\endhead") < long.index(r"m\_0 & 1 \\")
    assert long.count(r" \\") == 52
    assert r"\begin{table}" not in long


def test_latex_of_another_metric_has_its_column(results):
    comparison = compare(results, metric="recall_minority")
    _, head, *rows = to_latex(comparison).split(r"\toprule")[1].split("\n")
    of_metric = [part.strip() for part in head.split("&")].index(text.metric_name("recall_minority"))
    shown = next(row for row in rows if row.startswith("smote &")).split("&")[of_metric].strip()
    assert shown == text.plain_number(comparison.table.set_index("method").at["smote", "recall_minority"])
    assert r"\begin{tabular}{lrrrrrrrrl}" in to_latex(comparison)


def test_numbers_as_text():
    assert text.signed(1.234) == "+1.23"
    assert text.signed(-0.004) == "0.00"
    assert text.signed(np.nan) == text.NOTHING
    assert [text.p_value(p) for p in (0.0001, 0.0312, 1.0)] == ["< .001", ".031", "1"]
    assert [text.seconds(s) for s in (0.0001, 0.0124, 1.44, 32, 600, 7200)] == [
        "< 1 ms",
        "12 ms",
        "1.4 s",
        "32 s",
        "10.0 min",
        "2.0 h",
    ]
    assert text.metric_name("macro_f1_tuned") == "macro F1, tuned decision"


def test_figures():
    scale = Scale.over([-1, 2, 3, 2, 500])
    assert scale.high < 500
    assert scale.bar(2, 1, 500).cut
    assert scale.bar(2, 1, 3).shape == "up"
    assert scale.bar(0, -1, 1).shape == "open"
    assert scale.bar(np.nan, 1, 2) is None
    assert heat(5, 5) == ("gain", 1.0)
    assert heat(5, 5, higher_is_better=False) == ("loss", 1.0)
    assert heat(np.nan, 5) == ("", 0.0)
    assert full_heat([np.nan]) == 2.0


def test_a_plain_table_in_which_a_method_has_no_row_on_a_data_set_has_all_pages():
    rows = [(m, d, i) for m in ("none", "a", "b") for d in "xyz" for i in range(4) if (m, d) != ("b", "y")]
    scores = pd.DataFrame(rows, columns=["method", "dataset", "draw"]).assign(macro_f1=lambda t: 0.5 + 0.01 * t["draw"])
    pages = render_site(scores)
    assert re.search(r">y</a>.*?not run", pages["method/b.html"], flags=re.S)
    assert re.search(r">b</a>.*?not run", pages["dataset/y.html"], flags=re.S)


def test_another_metric_has_a_finding_and_its_own_column():
    rows = [(m, d, i) for m in ("none", "better", "worse", "same") for d in "wxyz" for i in range(4)]
    scores = pd.DataFrame(rows, columns=["method", "dataset", "draw"])
    noise = np.random.default_rng(0).normal(0, 0.01, len(scores))
    scores["log_loss"] = scores["method"].map({"none": 0.5, "better": 0.3, "worse": 0.8, "same": 0.5}) + noise
    found = compare(scores, "log_loss")
    assert "by log loss: of 3 methods" in found.finding
    assert "on the better side of none" in found.finding
    counts = [
        int(one) for one in re.findall(r"controls included, (\d+) lie .* and (\d+) on the worse", found.finding)[0]
    ]
    assert counts == [1, 1]
    header = next(line for line in plain(found, 100).splitlines() if "method" in line and "verdict" in line)
    assert "log loss" in header
    assert "log loss × 100</abbr>" in render_site(scores, "log_loss")["index.html"]
    assert "80." in next(line for line in plain(found, 100).splitlines() if line.strip().startswith("worse"))
    # where nothing can be said, that is said
    assert "no interval is possible" in compare(scores[scores["dataset"] == "w"], "log_loss").finding
