from dataclasses import replace

from augbench.selftest import threshold


def test_a_threshold_tuned_on_the_test_rows_is_seen(bench, broken, monkeypatch):
    assert broken(threshold._chance(bench)) == []

    def hindsight(results):
        rows = results.rows("none", "chance", "full", "logistic-regression")
        best = [threshold._best_in_hindsight(one.y_true, one.probabilities) for _, one in sorted(rows.items())]
        return replace(results, scores=results.scores.sort_values("draw").assign(macro_f1_tuned=best))

    run = bench.run
    monkeypatch.setattr(bench, "run", lambda *args, **settings: hindsight(run(*args, **settings)))
    assert len(broken(threshold._chance(bench))) == 1
