from dataclasses import replace

from augbench.leaderboard.tables import compare
from augbench.selftest import failures


def survivors_only(results):
    """Compare as if a failed draw had the mean of those that went well."""
    scores = results.scores.copy()
    means = scores.groupby(["method", "dataset"])["macro_f1"].transform("mean")
    failed = (scores["status"] == "failed") & means.notna()
    scores.loc[failed, "macro_f1"] = means[failed]
    scores.loc[failed, "status"] = "ok"
    return compare(replace(results, scores=scores))


def test_failing_does_not_pay(bench, broken, monkeypatch):
    findings = list(failures.check(bench))
    assert len(findings) == 3 + len(failures.WAYS)
    assert broken(findings) == []

    # the same stores, and a comparison that a mean of survivors misleads
    monkeypatch.setattr(failures, "compare", survivors_only)
    wrong = broken(failures.check(bench))
    assert {one.claim for one in findings if "has the baseline's score" in one.claim} <= set(wrong)


def test_a_failure_that_is_scored_all_the_same_is_found(bench, broken, monkeypatch):
    def forgiving(results):
        scores = results.scores.set_index(["method", "dataset", "draw"])
        scores.loc["raise", ["macro_f1", "status"]] = scores.loc["harms", ["macro_f1", "status"]].to_numpy()
        return replace(results, scores=scores.reset_index())

    run = bench.run
    monkeypatch.setattr(bench, "run", lambda *args, **settings: forgiving(run(*args, **settings)))
    wrong = broken(failures.check(bench))
    assert wrong == ["a method that raises an error wherever it would do harm has the baseline's score in those draws"]
