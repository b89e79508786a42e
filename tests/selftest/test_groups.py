"""The self-test holds on this code, sees what is broken, and says so: by its table, its page and its exit code."""

from __future__ import annotations

import html
import itertools
import re
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from augbench.bench.plugins import load_plugin
from augbench.bench.writer_lock import WriterLock
from augbench.leaderboard import compare
from augbench.leaderboard.t_tests import paired_t
from augbench.selftest import GROUPS, Finding, Workbench, groups, run_groups
from augbench.selftest.claim import mean_near, share_within
from augbench.selftest.groups import Group
from augbench.selftest.page import summary, write_page
from augbench.selftest.planted import Displaced, Mislabelled, Spoils, logistic_rows
from augbench.selftest.truth import (
    CEILING,
    accuracy_with_flipped_labels,
    accuracy_with_wrong_rows,
    expected_regret,
    rare_macro_f1,
)
from augbench.selftest.workbench import PLANTED
from scipy.special import expit

from ..bench.stored import command


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("selftest")


def bench_in(folder):
    return Workbench(folder, jobs=1, say=lambda _: None)


@pytest.mark.parametrize("name", ["gain", "harm", "trivial", "threshold"])
def test_every_claim_holds(name, folder):
    (found,) = run_groups(bench_in(folder), [name])
    assert len(found.findings) >= 6
    assert [one for one in found.findings if not one.passed] == []


def test_copies_do_not_differ_and_a_test_that_says_so_too_often_is_seen(folder, monkeypatch):
    # a fifth of the pairs: `bench selftest null` has them all
    monkeypatch.setattr(Workbench, "often", lambda self, usual, full: usual // 5)
    kept = []

    def keeping(results, **options):
        kept.append(compare(results, **options))
        return kept[-1]

    monkeypatch.setattr("augbench.selftest.null.compare", keeping)
    (found,) = run_groups(bench_in(folder), ["null"])
    assert failed(found) == []
    assert len(found.findings) == 19
    # what is compared is the same each time, and takes its time
    comparisons = itertools.cycle(kept)

    def careless(results, **options):
        comparison = next(comparisons)
        table = comparison.table.assign(p_baseline=comparison.table["p_baseline"] / 8)
        return replace(comparison, table=table.assign(low=table["low"] + 3.0))

    monkeypatch.setattr("augbench.selftest.null.compare", careless)
    (found,) = run_groups(bench_in(folder), ["null"])
    wrong = failed(found)
    assert any("Wilcoxon" in claim for claim in wrong)
    assert any("holds 0" in claim for claim in wrong)

    def dead(results, **options):
        comparison = next(comparisons)
        table = comparison.table.assign(p_baseline=1.0, p_baseline_holm=1.0, low=-100.0, high=100.0)
        return replace(comparison, table=table, omnibus=None)

    monkeypatch.setattr("augbench.selftest.null.compare", dead)
    (found,) = run_groups(bench_in(folder), ["null"])
    harm = [one.claim for one in found.findings if "at least 9 of 10" in one.expected]
    assert len(harm) == 7
    assert set(harm) <= set(failed(found))
    monkeypatch.undo()
    monkeypatch.setattr(Workbench, "often", lambda self, usual, full: usual // 5)
    monkeypatch.setattr("augbench.leaderboard.contrast.corrected_resampled_t", lambda values, _: paired_t(values))
    (found,) = run_groups(bench_in(folder), ["null"])
    assert ["two columns that mean the same" in claim for claim in failed(found)] == [True]


def failed(found):
    return [one.claim for one in found.findings if not one.passed]


def test_harmful_rows_are_what_they_are_said_to_be():
    rng = np.random.default_rng(0)
    X, y = pd.DataFrame(rng.normal(size=(300, 2)), columns=["a", "b"]), np.repeat([0, 1], [280, 20])
    displaced, mislabelled, spoilt = (
        one.fit_resample(X, y)[0].iloc[300:].to_numpy()
        for one in (Displaced(by=2.0, random_state=0), Mislabelled(random_state=0), Spoils(1, random_state=0))
    )
    assert len(displaced) == len(mislabelled) == len(spoilt) == 260
    minority, majority = X.to_numpy()[y == 1], X.to_numpy()[y == 0]
    moved = displaced - 2 * X.std().to_numpy()
    assert all(np.isclose(row, minority).all(axis=1).any() for row in moved)
    assert all((row == majority).all(axis=1).any() for row in mislabelled)
    assert np.isin(spoilt[:, 0], minority[:, 0]).all()
    assert spoilt[:, 1].std() == pytest.approx(10 * X["b"].std(), rel=0.1)


def test_an_oracle_that_is_none_is_seen(tmp_path, monkeypatch):
    """Rows of the class that was not asked for, under the oracle's name."""
    monkeypatch.setattr(Workbench, "often", lambda self, usual, full: usual // 5)
    monkeypatch.setattr("augbench.selftest.planted.logistic_rows", lambda code, *rest: logistic_rows(1 - code, *rest))
    (gain, harm) = run_groups(bench_in(tmp_path), ["gain", "harm"])
    assert any("rows from the true distribution leave" in claim for claim in failed(gain))
    assert len(failed(harm)) >= 3


def test_a_group_that_ends_with_an_error_has_failed_and_the_next_goes_on(tmp_path, monkeypatch):
    def broken(bench):
        yield Finding("first", "1", "1", True)
        raise ValueError("no such thing")

    monkeypatch.setattr("augbench.selftest.harm.check", broken)
    monkeypatch.setattr("augbench.selftest.gain.check", lambda bench: iter([Finding("second", "2", "2", True)]))
    harm, gain = run_groups(bench_in(tmp_path), ["harm", "gain"])
    assert not harm.passed
    assert "ValueError: no such thing" in harm.findings[-1].found
    assert gain.passed


def test_shares_and_means_are_held_against_the_truth():
    assert share_within("c", 5, 100, 0.05).passed
    assert not share_within("c", 15, 100, 0.05).passed
    assert not share_within("c", 0, 200, 0.05).passed
    assert share_within("c", 0, 200, 0.05, at_most=True).passed
    values = np.random.default_rng(0).normal(0.1, 0.01, 50)
    assert mean_near("c", values, 0.1).passed
    assert not mean_near("c", values, 0.11).passed


def test_the_truth_is_that_of_other_computations():
    rng = np.random.default_rng(5)
    X = rng.random((400_000, 10))
    p = expit(X @ np.array([1, 1.5, 2, 2.5, 0, -1, -1.5, -2, -2.5, 0]))
    assert np.maximum(p, 1 - p).mean() == pytest.approx(CEILING, abs=0.0008)
    # the best logistic fit to sound rows is the truth
    assert accuracy_with_wrong_rows(0.0, 10**7) == pytest.approx(CEILING, abs=0.0002)
    # that half of the labels are ones, which is given there, tells a little more
    assert 0.8 < (CEILING - accuracy_with_wrong_rows(0.0, 1000)) / expected_regret(1000) < 1.0
    # and to labels of which none, or every second one, is flipped
    assert CEILING - accuracy_with_flipped_labels(0.0, 1000) == pytest.approx(expected_regret(1000), rel=0.1)
    assert accuracy_with_flipped_labels(0.5, 1000) == pytest.approx(0.5, abs=0.02)
    # the regret falls with the rows
    assert expected_regret(1000) == pytest.approx(4 * expected_regret(4000), rel=0.1)
    y = rng.random(len(p)) < (rare := expit(X @ np.array([1, 1.5, 2, 2.5, 0, -1, -1.5, -2, -2.5, 0]) - 3))
    from sklearn.metrics import f1_score

    found = rare_macro_f1()
    assert f1_score(y, rare > 0.5, average="macro") == pytest.approx(found["half"], abs=0.004)
    assert f1_score(y, rare > rare.mean(), average="macro") == pytest.approx(found["balanced"], abs=0.004)
    assert max(f1_score(y, rare > t, average="macro") for t in (0.15, 0.2, 0.25)) == pytest.approx(
        found["best"], abs=0.004
    )


def test_the_page_shows_every_claim_and_escapes_it(tmp_path):
    findings = (Finding("a <claim>", "1", "1 & only", True), Finding("another", "2", "3", False))
    found = [Group("null", "Nothing", findings, 2.0)]
    assert (
        summary(found)
        == "1 of 2 claims does not hold. Not run: " + ", ".join([one for one in GROUPS if one != "null"]) + "."
    )
    page = write_page(found, tmp_path / "site", full=False).read_text()
    assert "a &lt;claim&gt;" in page
    assert "1 &amp; only" in page
    words = [html.unescape(one) for one in re.findall(r'<span class="word[^>]*>([^<]*)</span>', page)]
    assert words == ["holds", "does not hold"]
    assert "--full" in page
    assert "--full" not in re.sub(
        r"<footer.*", "", write_page(found, tmp_path / "site", full=True).read_text(), flags=re.S
    )


@contextmanager
def closing_lock(lock):
    yield
    lock.release()


def made(folder):
    folder.mkdir(parents=True)
    if folder.name == "short":
        (folder / "selftest.txt").touch()
    return folder


def test_the_command_prints_a_table_writes_a_page_and_ends_with_1_where_a_claim_does_not_hold(tmp_path, monkeypatch):
    monkeypatch.setattr(groups, "GROUPS", {"gain": GROUPS["gain"]})
    monkeypatch.setattr("augbench.selftest.gain.check", lambda bench: iter([Finding("one", "1", "1", True)]))
    code, output = command("selftest", "--out", tmp_path / "out")
    assert code == 0, output
    assert "All 1 claims hold." in output
    assert (tmp_path / "out" / "page" / "index.html").read_text().count("<tr>") == 2
    monkeypatch.setattr("augbench.selftest.gain.check", lambda bench: iter([Finding("one", "1", "2", False)]))
    code, output = command("selftest", "gain", "--out", tmp_path / "out")
    assert code == 1
    assert "does not hold" in output
    # a page of one group takes no other's place; nothing else is left, and nothing of anybody else's is removed
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"page", "page-gain"}
    with closing_lock(WriterLock(made(tmp_path / "busy" / "short") / "selftest")):
        code, output = command("selftest", "gain", "--out", tmp_path / "busy")
        assert code == 2
        assert "another self-test works in" in output
    (made(tmp_path / "mine" / "page-gain") / "notes.txt").touch()
    code, output = command("selftest", "gain", "--out", tmp_path / "mine")
    assert code == 2
    assert "it holds other files" in output
    assert not (tmp_path / "mine" / "short").exists()
    (tmp_path / "out" / "short").mkdir()
    code, output = command("selftest", "gain", "--out", tmp_path / "out")
    assert code == 2
    assert "is not of a self-test" in output
    assert (tmp_path / "out" / "short").is_dir()
    (tmp_path / "file").touch()
    code, output = command("selftest", "gain", "--out", tmp_path / "file")
    assert code == 2
    assert "cannot write into" in output
    code, output = command("selftest", "gian", "--out", tmp_path / "out")
    assert code == 2
    assert "gain" in output


def test_planted_methods_are_only_there_where_they_are_asked_for():
    load_plugin(PLANTED)
    code, output = command("run", "smoke", "--methods", "neighbours", "--dry-run")
    assert code == 0
    assert "planted" not in output
