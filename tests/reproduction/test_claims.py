"""Claims on a made-up run: our numbers are those of the leaderboard, pages say what the findings say."""

import re

import numpy as np
import pandas as pd
import pytest
from augbench.leaderboard import compare
from augbench.leaderboard.results import Results
from augbench.reproduction.claims import Measured, baselines, findings_of
from augbench.reproduction.experiment import Experiment
from augbench.reproduction.pages import Run, summary, write_pages
from augbench.reproduction.verdict import NOT_COMPARABLE, NOT_REPRODUCED, NOT_RUN, REPRODUCED

EVIL = "<script>alert('x')</script>&\"{{ 7 * 7 }}"
SHOTS = (5, 10, 20, 30, 50)


def made_up(seed=0, copies=0.0):
    """Scores of a run: none near the published baselines with `near` (another classifier is far), VAE +6 points."""
    rng = np.random.default_rng(seed)
    published = {5: 0.619, 10: 0.727, 20: 0.735, 30: 0.772, 50: 0.818}
    rows = []
    for shots in SHOTS:
        scenario = f"few-shot:shots={shots},generate={shots}"
        for classifier, offset in (("near", 0.0), ("far", -0.3)):
            for draw in range(8):
                base = published[shots] + offset + rng.normal(0, 0.02)
                for method, more in (("none", 0.0), ("vae", 0.06), ("vae+gc", 0.0), ("copies", copies)):
                    score = base + more + (rng.normal(0, 0.01) if method != "none" else 0)
                    rows.append((method, "thyroid", scenario, classifier, draw, score, score, "ok", 15, 2160))
    columns = ["method", "dataset", "scenario", "classifier", "draw", "weighted_f1", "macro_f1", "status"]
    scores = pd.DataFrame(rows, columns=[*columns, "n_train", "n_test"])
    facts = pd.DataFrame({"dataset": ["thyroid"], "fresh": [True]})
    return Results(scores, pd.DataFrame({"method": []}), facts, {"started": "2026-11-21"})


def experiment(**more):
    table = {
        "published": "iser2023_thyroid_fewshot.csv",
        "title": "Weighted F1",
        "source": EVIL,
        "label": "{shots_per_class} rows",
        "dataset": "thyroid",
        "scenario": "few-shot:shots={shots_per_class},generate={generated_per_class}",
        "columns": {"vae": "vae", "vae_gc": "vae+gc"},
        "classifiers": ["far", "near"],
    }
    part = {"name": "p", "suite": {"datasets": ["thyroid"], "classifiers": ["mlp"]}}
    content = {"name": "made-up", "title": "Made up", "question": EVIL, "parts": [part], "gains": [table]}
    return Experiment.model_validate(content | more)


@pytest.fixture(scope="module")
def findings():
    return findings_of(experiment(), {"p": made_up()})


def test_each_number_of_the_table_is_a_claim_and_the_closest_classifier_is_taken(findings):
    assert len(findings) == 12
    assert {one.classifier for one in findings} == {"near"}
    first = findings[0]
    assert (first.row, first.column, first.place[2]) == ("5 rows", "vae", "vae")
    assert first.published == pytest.approx(100 * (0.693 - 0.619))
    assert first.shown == "+7.4 (61.9 → 69.3)"


def test_our_numbers_are_those_of_the_leaderboard(findings):
    scenario = "few-shot:shots=10,generate=10"
    board = compare(made_up(), metric="weighted_f1", classifier="near", scenario=scenario)
    row = board.table.set_index("method").loc["vae"]
    ours = next(one.ours for one in findings if one.row == "10 rows" and one.column == "vae")
    assert (ours.mean, ours.low, ours.high) == pytest.approx((row["delta"], row["low"], row["high"]))
    assert ours.run_low < ours.low < ours.high < ours.run_high
    assert ours.n_draws == 8


def test_verdicts_follow_the_numbers(findings):
    words = {(one.row, one.column): one.verdict.word for one in findings}
    assert words["5 rows", "vae"] == REPRODUCED
    assert words["50 rows", "vae"] == NOT_REPRODUCED  # −0.3 was printed, ours is +6
    assert words["5 rows", "vae gc"] == NOT_REPRODUCED
    assert words["100 rows", "vae"] == NOT_RUN
    nothing = findings_of(experiment(), {})
    assert {one.verdict.word for one in nothing} == {NOT_RUN}
    far = made_up()
    far = Results(far.scores[far.scores["classifier"] == "far"], far.methods, far.datasets, far.run)
    assert {one.verdict.word for one in findings_of(experiment(), {"p": far})} == {NOT_COMPARABLE, NOT_RUN}


def level(label, method, printed):
    columns = {"5": "baseline", "5v": "vae"}
    return {
        "label": label,
        "published": "iser2023_thyroid_fewshot.csv",
        "where": {"shots_per_class": "5"},
        "column": columns[printed],
        "scale": 100,
        "metric": "weighted_f1",
        "dataset": "thyroid",
        "scenario": "few-shot:shots=5,generate=5",
        "classifier": "near",
        "method": method,
    }


@pytest.mark.parametrize(("copies", "named"), [(0.08, True), (0.0, False)])
def test_a_control_that_does_as_well_is_named(copies, named):
    claim = {"label": "gain", "first": "a", "second": "b", "controls": ["copies"], "unpaired": True}
    one = experiment(gains=[], levels=[level("a", "none", "5"), level("b", "vae", "5v")], differences=[claim])
    *levels, difference = findings_of(one, {"p": made_up(copies=copies)})
    assert [found.verdict.word for found in levels] == [REPRODUCED, REPRODUCED]
    assert difference.verdict.word == REPRODUCED
    assert difference.published == pytest.approx(7.4)
    assert ("no better than copies" in difference.verdict.why) == named
    assert difference.words.startswith("Gain: +7.40 (61.9 → 69.3) was printed; ours is +")
    assert (
        "A trivial method does as well, so that the gain is no merit of this one: copies (+8" in difference.words
    ) == named
    assert "two data sets" not in difference.words  # more than chance: 7.4 points, runs vary by some 5


def test_expectations_are_about_better_and_worse_over_data_sets(tmp_path):
    run = made_up()
    vae = run.scores["method"] == "vae"
    again = [run.scores.assign(dataset=f"d{i}", macro_f1=run.scores["macro_f1"] + 0.001 * i * vae) for i in range(4)]
    scores = pd.concat(again).assign(brier=lambda table: 1 - table["macro_f1"])
    several = Results(scores, run.methods, pd.DataFrame({"dataset": [f"d{i}" for i in range(4)]}), {})
    fixed = {"source": "s", "expected": "gain", "classifier": "near", "method": "vae", "part": "p"}
    claims = [fixed | {"label": metric, "metric": metric} for metric in ("macro_f1", "brier")]
    found = findings_of(experiment(gains=[], expectations=claims), {"p": several})
    assert [one.verdict.word for one in found] == [REPRODUCED, REPRODUCED]
    assert found[0].ours.mean == pytest.approx(found[1].ours.mean)
    assert found[0].ours.n_draws == 4
    write_pages({"made-up": Run(experiment(), {"p": several}, found, quick=False, sites={})}, tmp_path / "site")
    page = (tmp_path / "site" / "made-up.html").read_text()
    assert '<th scope="col">metric</th>' in page
    assert '<th scope="col">method</th>' not in page


def test_pages_say_what_the_findings_say_and_nothing_of_it_is_markup(findings, tmp_path):
    run = Run(experiment(), {"p": made_up()}, findings, quick=True, sites={"p": "../made-up/p/index.html"})
    index = write_pages({"made-up": run}, tmp_path / "site")
    page = (tmp_path / "site" / "made-up.html").read_text()
    assert "<script>alert" not in page
    assert "{{ 7 * 7 }}" in page
    assert summary(findings) in page
    assert '<th scope="col">method</th>' in page
    body = page.partition('aria-label="Table: Weighted F1"')[2].partition("</tbody>")[0]
    assert body.count("<tr>") - 1 == len(findings)
    shown = [re.sub(r"<[^>]+>", "", one) for one in re.findall(r'<span class="verdict[^>]*>.*?</span>', body)]
    assert shown == [one.verdict.word for one in findings]
    assert "<svg" in page
    assert "is no evidence" in page
    assert "All 5 rows can be compared" in page
    table = pd.read_csv(tmp_path / "site" / "downloads" / "made-up.csv")
    assert table["ours_mean"].to_numpy() == pytest.approx([one.ours.mean for one in findings], nan_ok=True)
    listed = index.read_text()
    assert listed.count("not run") > 5
    assert re.search(r'<th scope="row"><a href="made-up.html">Made up</a><br><code>made-up</code></th>', listed)
    again = {path: path.read_bytes() for path in (tmp_path / "site").rglob("*") if path.is_file()}
    write_pages({"made-up": run}, tmp_path / "site")
    assert all(path.read_bytes() == content for path, content in again.items())


@pytest.fixture(scope="module")
def site(findings, tmp_path_factory):
    """Pages of an experiment with every kind of claim."""
    claim = {"label": "expected", "source": EVIL, "expected": "gain", "metric": "macro_f1", "part": "p"}
    more = {
        "unknown": [EVIL],
        "counts": "logistic_simulation.csv",
        "levels": [level("a", "none", "5"), level("b", "vae", "5v")],
        "differences": [{"label": "gain", "first": "a", "second": "b", "controls": ["copies"]}],
        "expectations": [claim | {"classifier": "near", "method": "vae"}],
    }
    whole = experiment(**more)
    run = Run(whole, {"p": made_up()}, findings_of(whole, {"p": made_up()}), quick=True, sites={})
    return write_pages({"made-up": run}, tmp_path_factory.mktemp("pages") / "site").parent


def test_pages_are_valid_html(site):
    parsers = pytest.importorskip("tinyhtml5.parser")
    for path in site.glob("*.html"):
        parser = parsers.HTMLParser()
        parser.parse(path.read_text())
        assert not parser.errors, (path, parser.errors[:3])


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_pages_are_accessible_and_fit(browser, site, width, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="no axe-playwright-python").Axe()
    context = browser.new_context(offline=True, viewport={"width": width, "height": 800}, color_scheme=scheme)
    left = []
    page = context.new_page()
    page.on("request", lambda request: request.url.startswith(("file:", "data:")) or left.append(request.url))
    options = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]}, "preload": False}
    for name in ("index.html", "made-up.html"):
        page.goto((site / name).as_uri())
        found = axe.run(page, options=options).response["violations"]
        assert not found, [(one["id"], one["nodes"][0]["html"][:200]) for one in found]
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    context.close()
    assert not left


def test_a_control_that_may_be_as_good_is_not_called_as_good():
    run = made_up()
    # 2 points above and below the gain of the other method, in turn
    swings = 0.06 + 0.02 * np.where(run.scores["draw"] % 2, 1, -1)
    noisy = run.scores["weighted_f1"] + (run.scores["method"] == "copies") * swings
    claim = {"label": "gain", "first": "a", "second": "b", "controls": ["copies"]}
    one = experiment(gains=[], levels=[level("a", "none", "5"), level("b", "vae", "5v")], differences=[claim])
    results = Results(run.scores.assign(weighted_f1=noisy.clip(0, 1)), run.methods, run.datasets, {})
    *_, difference = findings_of(one, {"p": results})
    assert "not shown to be better than copies (+" in difference.verdict.why
    assert "trivial" not in difference.words


def test_figures_of_two_data_sets_that_chance_explains_are_called_so():
    claim = {"label": "gain", "first": "a", "second": "b", "unpaired": True}
    levels = [level("a", "none", "5"), level("b", "vae", "5v")]
    one = experiment(gains=[], levels=levels, differences=[claim])
    run = made_up()
    rng = np.random.default_rng(3)
    # runs that vary by some 10 points from draw to draw, all methods together
    moved = run.scores.groupby("draw")["weighted_f1"].transform(lambda values: values + rng.normal(0, 0.06))
    wide = Results(run.scores.assign(weighted_f1=moved.clip(0, 1)), run.methods, run.datasets, {})
    *_, difference = findings_of(one, {"p": wide})
    assert "The printed figures are of two data sets, and such differ by up to" in difference.words


def test_ranges_of_a_share_end_at_all_and_none():
    run = made_up()
    near_all = 0.99 - 0.02 * (run.scores["draw"] % 2)
    results = Results(run.scores.assign(weighted_f1=near_all, mcc=near_all), run.methods, run.datasets, {})
    place = ("thyroid", "few-shot:shots=5,generate=5", "near", "none")
    share, other = (Measured({"p": results}).level(*place, metric) for metric in ("weighted_f1", "mcc"))
    assert share.run_high == 100 < other.run_high
    assert (share.mean, share.low, share.run_low) == (other.mean, other.low, other.run_low)


def test_the_summary_keeps_published_figures_and_expectations_apart(findings):
    claim = {"label": "expected", "source": "s", "expected": "gain", "metric": "macro_f1", "part": "p"}
    one = experiment(expectations=[claim | {"classifier": "near", "method": "vae"}])
    words = summary(findings_of(one, {"p": made_up()}))
    assert words.endswith(" Of 1 expectation: 1 reproduced.")
    assert words.startswith("Of 10 published figures: ")
    assert " Not run: 2 more. Of 1" in words


def test_the_page_names_the_rows_that_can_be_compared(tmp_path):
    run = made_up()
    far = run.scores["classifier"].eq("far") | run.scores["scenario"].isin(
        [f"few-shot:shots={n},generate={n}" for n in (5, 30, 50)]
    )
    moved = run.scores.assign(weighted_f1=(run.scores["weighted_f1"] - 0.3 * far).clip(lower=0))
    results = {"p": Results(moved, run.methods, run.datasets, {})}
    write_pages({"x": Run(experiment(), results, findings_of(experiment(), results), False, {})}, tmp_path / "site")
    page = (tmp_path / "site" / "made-up.html").read_text()
    assert "2 of 5 rows can be compared, their baselines are such as ours: 10 rows; 20 rows." in page


def test_the_baselines_of_all_classifiers_are_listed():
    (table,) = experiment().gains
    run = made_up()
    rows = baselines(table, {"p": run})
    assert [(label, printed) for label, printed, _ in rows][:2] == [("5 rows", 61.9), ("10 rows", 72.7)]
    assert len(rows) == len(SHOTS)  # 100 rows were not run
    own = run.scores.query("method == 'none' and scenario == 'few-shot:shots=5,generate=5'")
    means = 100 * own.groupby("classifier")["weighted_f1"].mean()
    assert rows[0][2] == pytest.approx([means["far"], means["near"]])
    assert baselines(table, {}) == []


def test_data_that_were_resampled_first_are_held_against_the_same_method_done_right():
    run = made_up()
    one = run.scores.query("classifier == 'near' and scenario == 'few-shot:shots=5,generate=5'")
    tables, facts = [], []
    for i in range(4):
        right = one[one["method"].isin(["none", "vae"])].assign(dataset=f"d{i}", scenario="full")
        wrong = right[right["method"] == "vae"].assign(dataset=f"d{i}-first", method="none")
        tables.append(pd.concat([right, wrong.assign(macro_f1=wrong["macro_f1"] + 0.03 + 0.01 * i)]))
        facts += [f"d{i}", f"d{i}-first"]
    scores = pd.concat(tables)
    own = Results(scores[scores["dataset"].str.len() == 2], run.methods, pd.DataFrame({"dataset": facts[::2]}), {})
    other = Results(scores[scores["dataset"].str.len() > 2], run.methods, pd.DataFrame({"dataset": facts[1::2]}), {})
    claim = {"label": "a", "source": "s", "expected": "gain", "metric": "macro_f1", "classifier": "near"}
    claim |= {"method": "vae", "part": "p", "instead": "{dataset}-first"}
    (found,) = findings_of(experiment(gains=[], expectations=[claim]), {"p": own, "q": other})
    # 3, 4, 5 and 6 points: 4.5 ± t(0.975, 3) · 1.291 / 2
    assert (found.ours.mean, found.ours.low, found.ours.high) == pytest.approx((4.5, 2.446, 6.554), abs=1e-3)
    assert found.verdict.word == REPRODUCED
    assert found.ours.n_draws == 4
    (alone,) = findings_of(experiment(gains=[], expectations=[claim]), {"p": own})
    assert alone.verdict.word == NOT_RUN
