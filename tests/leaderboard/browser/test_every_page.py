"""Every kind of page: accessible, inside its window, valid, silent, and nothing leaves."""

from __future__ import annotations

import posixpath

import pytest
from augbench.leaderboard.results import Results
from augbench.leaderboard.site import render_site, write_site

#: WCAG 2.2 AA; without reading style sheets again, which a page from a file may not
OPTIONS = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]},
    "preload": False,
}
#: One page of each folder has the others' template; these have failures, many classes, or nothing to show.
CHOSEN = {"method": ("svm-smote", "none", "adasyn"), "dataset": ("glass", "simulated-logistic")}


def representative(folder):
    """Return a page of each kind: every page at the top, and some of each folder below."""
    found = [path.name for path in sorted(folder.glob("*.html"))]
    for inner in sorted(path for path in folder.iterdir() if path.is_dir() and list(path.glob("*.html"))):
        pages = sorted(path.stem for path in inner.glob("*.html"))
        wanted = [name for name in CHOSEN.get(inner.name, ()) if name in pages] or pages[:1]
        found += [f"{inner.name}/{name}.html" for name in wanted]
    return found


@pytest.fixture(scope="module")
def axe():
    return pytest.importorskip("axe_playwright_python.sync_playwright", reason="no axe-playwright-python").Axe()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_pages_are_accessible_and_fit(site_page, site, axe, width, scheme):
    page, wrong = None, []
    for path in representative(site):
        if page is None:
            page = site_page(site, path, width=width, scheme=scheme)
        else:
            page.goto((site / path).resolve().as_uri())
        page.evaluate('document.querySelectorAll("details").forEach((one) => { one.open = true; })')
        found = axe.run(page, options=OPTIONS).response["violations"]
        wrong += [(path, one["id"], [node["html"][:200] for node in one["nodes"][:3]]) for one in found]
        wide = page.evaluate("document.documentElement.scrollWidth")
        if wide > width:
            wrong.append((path, "wider than the window", wide))
        small = page.evaluate(
            """() => [...document.querySelectorAll("body *")].filter((one) => [...one.childNodes].some((node) =>
                 node.nodeType === 3 && node.data.trim()) && one.checkVisibility() && !(one instanceof SVGElement)
                 && parseFloat(getComputedStyle(one).fontSize) < 11.99).map((one) => one.outerHTML.slice(0, 120))"""
        )
        if small:
            wrong.append((path, "text below 12 px", small))
    assert not wrong


@pytest.mark.parametrize("metric", ["macro_f1", "regret_macro_f1"])
def test_pages_are_valid_html(results, metric):
    parsers = pytest.importorskip("tinyhtml5.parser")
    for path, markup in render_site(results, metric).items():
        if posixpath.splitext(path)[1] == ".html":
            parser = parsers.HTMLParser()
            parser.parse(markup)
            assert not parser.errors, (path, parser.errors[:3])


def test_a_long_name_is_broken_and_neither_covers_the_next_cell_nor_widens_the_page(site_page, results, tmp_path):
    name = "a method with-a-name of many words and one_that_goes_on_and_on_without_any_place_to_break"

    def long(value):
        return name if value in ("smote", "card") else value

    scores = results.scores.assign(**{key: results.scores[key].map(long) for key in ("method", "dataset")})
    folder = write_site(Results(scores, results.methods, results.datasets, {"suite": "s" * 80}), tmp_path / "s").parent
    for path in ("index.html", "cost.html", "tests.html", "compare.html", "manifest.html"):
        for width in (1280, 390):
            page = site_page(folder, path, width)
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (path, width)
            covered = page.evaluate(
                """() => [...document.querySelectorAll("tbody th:first-child")].filter((cell) => {
                     const text = document.createRange();
                     text.selectNodeContents(cell);
                     return cell.checkVisibility() && text.getBoundingClientRect().right
                       > cell.getBoundingClientRect().right + 1; }).map((cell) => cell.textContent)"""
            )
            assert not covered, (path, width)


def test_an_anchor_opens_a_page_as_no_anchor_does(site_page, site):
    page, anchored = (site_page(site, f"compare.html{anchor}") for anchor in ("", "#main"))
    assert "points" in anchored.inner_text("#status")
    assert anchored.inner_text("main") == page.inner_text("main")


def test_a_printed_page_is_light_and_has_every_column(site_page, site):
    paper = 1030  # A4 on its side
    for path in representative(site):
        page = site_page(site, path, width=paper, scheme="dark")
        page.emulate_media(media="print", color_scheme="dark")
        assert page.evaluate("getComputedStyle(document.querySelector('h1')).color") == "rgb(29, 33, 38)"
        assert page.evaluate("document.documentElement.scrollWidth") <= paper, path
        assert page.locator(".controls:visible, nav:visible").count() == 0
        cut = page.evaluate(
            """() => [...document.querySelectorAll("th, td, svg")].filter((one) => one.checkVisibility()
                 && one.getBoundingClientRect().right > innerWidth).map((one) => one.outerHTML.slice(0, 100))"""
        )
        assert not cut, path


def test_a_column_is_as_wide_as_a_word_of_its_name(site_page, results, tmp_path):
    classes = results.datasets["classes"].where(results.datasets["dataset"] != "wine")
    datasets = results.datasets.assign(classes=[["vehicle-nonfloat", "a", "b"] if c != c else c for c in classes])
    folder = write_site(Results(results.scores, results.methods, datasets, results.run), tmp_path / "s").parent
    page = site_page(folder, "dataset/wine.html", width=390)
    lines = """() => ["vehicle-", "nonfloat"].map((word) => {
      const head = [...document.querySelectorAll(".matrix thead th")].find((one) => one.textContent.includes(word));
      const words = document.createTreeWalker(head, NodeFilter.SHOW_TEXT).nextNode();
      const range = document.createRange();
      range.setStart(words, words.data.indexOf(word));
      range.setEnd(words, words.data.indexOf(word) + word.length);
      return range.getClientRects().length; })"""
    assert page.evaluate(lines) == [1, 1]
