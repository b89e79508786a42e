"""Compare in a browser: any pair, planned or not, and its address."""

from __future__ import annotations

import csv

import pytest
from augbench.leaderboard import compare
from augbench.leaderboard import format as text


def facts(page):
    return dict(
        page.evaluate(
            '[...document.querySelectorAll("#facts div")].map((one) => [...one.children].map((x) => x.textContent))'
        )
    )


def rows(page):
    return page.evaluate(
        '[...document.querySelectorAll("#sets tbody tr")].map((row) => [...row.cells].map((x) => x.innerText.trim()))'
    )


def test_a_planned_pair_has_its_p_values(site_page, site, results):
    table = compare(results).table.set_index("method")
    for other, family in (("none", "baseline"), ("random-oversampling", "copies")):
        page = site_page(site, f"compare.html#a=smote&b={other}")
        row = table.loc["smote"]
        found = facts(page)
        assert found["p, corrected by Holm"] == text.p_value(row[f"p_{family}_holm"])
        assert found["p, uncorrected"] == text.p_value(row[f"p_{family}"])
        low, high = (row["low"], row["high"]) if family == "baseline" else (row["low_copies"], row["high_copies"])
        assert f"95 % interval {text.interval(low, high)}." in page.locator("#status").inner_text()
    assert not page.locator("#all").is_visible()


def test_a_picked_pair_has_differences_and_an_interval_and_no_p_value(site_page, site, results):
    page = site_page(site)
    page.goto(page.url.replace("index.html", "compare.html"))
    page.select_option("[name=a]", "kmeans-smote")
    page.select_option("[name=b]", "adasyn")
    assert list(facts(page)) == ["won / tied / lost"]
    assert "not planned" in page.locator("#why").inner_text()
    shown = {row[0].splitlines()[0]: row for row in rows(page)}
    assert len(shown) == 8
    assert shown["glass"][2:4] == ["–", "–"]
    assert "kmeans-smote: failed; adasyn: not applicable" in shown["glass"][0]
    with_both = sum(row[3] != "–" for row in shown.values())
    assert f"over {with_both} data sets" in page.locator("#status").inner_text()
    assert with_both < 8
    deltas = compare(results).deltas
    for name in ("iris", "wine"):
        difference = deltas.loc["kmeans-smote", name] - deltas.loc["adasyn", name]
        assert shown[name][3] == text.signed(difference)
    page.select_option("[name=b]", "none")
    page.select_option("[name=scenario]", "full")
    assert list(facts(page)) == ["won / tied / lost"]
    assert "subset" in page.locator("#why").inner_text()
    assert "kmeans-smote" in page.locator("#status").inner_text()


def test_swapping_turns_every_sign(site_page, site):
    page = site_page(site, "compare.html#a=smote&b=jitter")
    before = {row[0]: row[3] for row in rows(page)}
    page.click("#swap")
    turned = str.maketrans("+−", "−+")
    assert {row[0]: row[3] for row in rows(page)} == {name: one.translate(turned) for name, one in before.items()}


def test_a_planned_pair_the_other_way_round_is_the_same_test(site_page, site, results):
    row = compare(results).table.set_index("method").loc["smote"]
    page = site_page(site, "compare.html#a=none&b=smote")
    assert facts(page)["p, corrected by Holm"] == text.p_value(row["p_baseline_holm"])
    assert f"95 % interval {text.interval(-row['high'], -row['low'])}." in page.locator("#status").inner_text()


def test_the_address_holds_the_pair(site_page, site):
    page = site_page(site, "compare.html")
    page.select_option("[name=a]", "svm-smote")
    page.select_option("[name=b]", "jitter")
    page.select_option("[name=metric]", "auroc")
    page.click("#sets th:nth-child(4) button")
    page.wait_for_function('location.hash.includes("metric=auroc")')
    state = page.url.partition("#")[2]
    assert state == "a=svm-smote&b=jitter&metric=auroc&sort=3.down"
    again = site_page(site, f"compare.html#{state}")
    assert rows(again) == rows(page)
    assert again.locator("#status").inner_text() == page.locator("#status").inner_text()
    again.click("button[type=reset]")
    assert again.locator("[name=b]").input_value() == "none"


def test_the_same_method_twice_is_said_so(site_page, site):
    page = site_page(site, "compare.html#a=smote&b=smote")
    assert "choose two" in page.locator("#status").inner_text()
    assert "p, uncorrected" not in facts(page)


def test_csv_of_a_pair(site_page, site):
    page = site_page(site, "compare.html#a=smote&b=jitter")
    with page.expect_download() as download:
        page.click("#csv")
    found = list(csv.reader(download.value.path().read_text(encoding="utf-8-sig").splitlines()))
    assert found[0][:4] == ["dataset", "smote", "jitter", "difference"]
    assert len(found) == 9
    for line in found[1:]:
        assert float(line[3]) == pytest.approx(float(line[1]) - float(line[2]), abs=1e-6)


def test_without_scripts_every_method_stands_against_the_baseline(site_page, site):
    page = site_page(site, "compare.html", javascript=False)
    assert not page.locator("#controls").is_visible()
    assert not page.locator("#pair").is_visible()
    assert page.locator("#all table tbody tr").count() == 14
    assert "Without JavaScript" in page.locator("noscript").inner_text()
