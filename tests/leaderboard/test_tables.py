"""From scores to the table: the failure policy by hand, verdicts, properties, small designs."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from augbench.errors import InputError
from augbench.leaderboard import Results, compare
from augbench.leaderboard.aggregate import draw_table
from augbench.leaderboard.contrast import Contrast, Design
from augbench.leaderboard.details import dataset_detail
from augbench.leaderboard.export import to_latex
from augbench.leaderboard.site import render_site
from augbench.leaderboard.terminal import plain
from hypothesis import given, settings
from hypothesis import strategies as hs

INTERVAL = ["method", "delta", "low", "high"]


def frame(rows, columns=("method", "dataset", "draw", "macro_f1")):
    return pd.DataFrame(rows, columns=list(columns))


def noise(methods, n_datasets, n_draws, seed=0, gains=None):
    """Scores of a few methods with a common level per draw."""
    rng = np.random.default_rng(seed)
    rows = []
    for dataset in range(n_datasets):
        for draw in range(n_draws):
            level = rng.uniform(0.5, 0.8)
            for i, method in enumerate(methods):
                gain = 0 if gains is None else gains[i]
                rows.append((method, f"d{dataset:02}", draw, level + gain + rng.normal(0, 0.01), 300, 100))
    return frame(rows, ["method", "dataset", "draw", "macro_f1", "n_train", "n_test"])


def row_of(comparison, method):
    return comparison.table.set_index("method").loc[method]


def test_failed_draw_takes_the_baselines_score_before_averaging():
    scores = frame(
        [
            ("none", "a", 0, 0.50, "ok", ""),
            ("none", "a", 1, 0.70, "ok", ""),
            ("new", "a", 0, np.nan, "failed", "boom"),
            ("new", "a", 1, 0.80, "ok", ""),
            ("none", "b", 0, 0.40, "ok", ""),
            ("new", "b", 0, np.nan, "failed", "boom"),
        ],
        ["method", "dataset", "draw", "macro_f1", "status", "error"],
    )
    found = row_of(compare(scores), "new")
    # a: (0 + .10) / 2 = .05; b: 0, a tie; mean .025.
    assert found["delta"] == pytest.approx(2.5)
    assert (found["wins"], found["ties"], found["losses"]) == (1, 1, 0)
    assert found["macro_f1"] == pytest.approx(100 * ((0.5 + 0.8) / 2 + 0.4) / 2)
    assert found["n_failed"] == 2
    assert found["messages"] == (("boom", 2),)
    assert found["state"] == "complete"
    assert not np.isnan(found["mean_rank"])
    states = compare(scores).states.loc["new"]
    assert states.to_dict() == {"a": "partly failed", "b": "failed"}


def test_a_missing_metric_is_a_failure_only_where_the_baseline_has_it():
    scores = frame([("none", "a", 0, 0.5), ("new", "a", 0, np.nan), ("none", "b", 0, np.nan), ("new", "b", 0, np.nan)])
    table = draw_table(Results.from_frame(scores).scores, "macro_f1", "none")
    assert table.datasets == ["a"]
    assert table.states["new"].tolist() == ["failed"]
    assert table.values["new"].tolist() == [0.5]


def test_worst_case_takes_the_worst_score():
    scores = frame([("none", "a", 0, 0.5), ("new", "a", 0, np.nan), ("bad", "a", 0, 0.2)])
    table = draw_table(Results.from_frame(scores).scores, "macro_f1", "none")
    assert table.worst_case().values["new"].tolist() == [0.2]


def test_cells_weigh_the_same_whatever_their_draws():
    rows = [("none", "a", "x", draw, 0.5) for draw in range(3)] + [("none", "a", "y", 0, 0.5)]
    rows += [("new", "a", "x", draw, 0.6) for draw in range(3)] + [("new", "a", "y", 0, 0.5)]
    scores = frame(rows, ["method", "dataset", "classifier", "draw", "macro_f1"])
    assert row_of(compare(scores), "new")["delta"] == pytest.approx(5.0)


def test_not_applicable_is_compared_on_the_rest_and_not_ranked():
    scores = noise(["none", "new", "other"], 7, 3)
    scores["status"] = np.where((scores["method"] == "new") & (scores["dataset"] == "d00"), "not applicable", "ok")
    scores.loc[scores["status"] != "ok", "macro_f1"] = np.nan
    found = row_of(compare(scores), "new")
    assert found["n_datasets"] == 6
    assert found["not_applicable"] == ("d00",)
    assert np.isnan(found["mean_rank"])
    assert found["p_baseline"] > 0
    assert "not applicable" in found["note"]
    assert compare(scores).table["method"].iloc[-1] == "new"


@pytest.mark.parametrize("how", ["status", "no row"])
def test_not_run_is_listed_without_rank_and_p(how):
    scores = noise(["none", "new", "other"], 7, 3)
    gone = (scores["method"] == "new") & (scores["dataset"] == "d00") & (scores["draw"] == 1)
    if how == "status":
        scores["status"] = np.where(gone, "not run", "ok")
        scores.loc[gone, "macro_f1"] = np.nan
    else:
        scores = scores[~gone]
    comparison = compare(scores)
    found = row_of(comparison, "new")
    assert found["verdict"] == "incomplete"
    assert np.isnan(found["mean_rank"])
    assert np.isnan(found["p_baseline"])
    assert comparison.family == 1
    assert comparison.states.loc["new", "d00"] == "partly not run"


def test_data_sets_that_are_not_here_are_named_with_the_way_to_get_them():
    scores = noise(["none", "new"], 9, 3)
    assert not [line for line in compare(scores).warnings if "Not run" in line]
    scores["status"], scores["error"] = "ok", ""
    for names, status, error in (
        (["d01"], "not run", "fetch it with: bench datasets fetch d01"),
        (["d02", "d05"], "not applicable", "too few rows"),
    ):
        gone = scores["dataset"].isin(names)
        scores.loc[gone, ["status", "error"]] = status, error
        scores.loc[gone, "macro_f1"] = np.nan
    comparison = compare(scores)
    assert comparison.n_datasets == 6
    assert comparison.warnings[-2:] == (
        "Not run on d01: fetch it with: bench datasets fetch d01",
        "Not applicable on d02, d05: too few rows",
    )
    many = noise(["none", "new"], 9, 3)
    gone = many["dataset"] != "d00"
    many["status"] = np.where(gone, "not run", "ok")
    many["error"] = np.where(gone, "fetch " + many["dataset"], "")
    many.loc[gone, "macro_f1"] = np.nan
    (line,) = [line for line in compare(many).warnings if "Not run" in line]
    assert line.startswith("Not run on 8 data sets (d01, d02,")
    assert line.endswith("the first: Not run on d01: fetch d01")


def test_draws_without_the_baseline_are_left_out_and_counted():
    scores = noise(["none", "new"], 3, 4)
    scores.loc[(scores["method"] == "none") & (scores["draw"] == 0) & (scores["dataset"] == "d00"), "macro_f1"] = np.nan
    comparison = compare(scores)
    assert "no score in 1 of 12 draws" in comparison.warnings[0]
    assert row_of(comparison, "new")["state"] == "complete"


def test_a_method_that_failed_everywhere():
    scores = noise(["none", "new", "other"], 8, 2)
    scores.loc[scores["method"] == "new", "macro_f1"] = np.nan
    found = row_of(compare(scores), "new")
    assert found["verdict"] == "failed"
    assert found["delta"] == 0
    assert found["ties"] == 8
    assert found["p_baseline"] == 1
    assert found["n_failed"] == found["n_scores"] == 16


def test_all_tied():
    scores = noise(["none"], 8, 2)
    same = pd.concat([scores.assign(method=name) for name in ("none", "random-oversampling", "new")])
    comparison = compare(same)
    found = row_of(comparison, "new")
    assert (found["wins"], found["ties"], found["losses"]) == (0, 8, 0)
    assert found["mean_rank"] == 2
    assert (found["low"], found["high"], found["p_baseline"]) == (0, 0, 1)
    assert comparison.omnibus.f_p == 1
    assert found["verdict"] == "equivalent"
    assert comparison.finding.endswith("; 1 is equivalent to the baseline, within ±0.5 points.")


def test_verdicts():
    names = ["none", "random-oversampling", "threshold-tuned", "really", "like-copies", "bad", "idle"]
    scores = noise(names, 14, 4, gains=[0, 0.02, 0.03, 0.06, 0.02, -0.03, 0])
    table = compare(scores).table.set_index("method")["verdict"]
    assert table.to_dict() == {
        "none": "baseline",
        "random-oversampling": "better",
        "threshold-tuned": "better",
        "really": "helps",
        "like-copies": "as a control does",
        "bad": "harms",
        "idle": "equivalent",
    }
    assert "shown to beat plain copies" in compare(scores).finding
    # One adjuster more that does as well takes the word away.
    extra = scores[scores["method"] == "really"].assign(method="class-weight")
    assert row_of(compare(pd.concat([scores, extra])), "really")["verdict"] == "as a control does"
    # Without any control there is nothing that "helps" could be told from.
    assert row_of(compare(scores[scores["method"].isin(["none", "really"])]), "really")["verdict"] == "better"


def test_a_method_for_some_data_sets_only_is_neither_counted_nor_tested_as_if_for_all():
    scores = noise(["none", "random-oversampling", "whole", "part"], 2, 3, gains=[0, 0.02, 0.01, 0.2])
    scores["status"], scores["error"] = "ok", ""
    gone = (scores["method"] == "part") & (scores["dataset"] == "d01")
    failed = (scores["method"] == "part") & (scores["dataset"] == "d00") & (scores["draw"] == 0)
    scores.loc[gone, ["status", "error"]] = "not applicable", "too few rows"
    scores.loc[failed, ["status", "error"]] = "failed", "boom"
    scores.loc[gone | failed, "macro_f1"] = np.nan
    comparison = compare(scores)
    part = row_of(comparison, "part")
    assert part["verdict"] == "too few data sets"
    assert (part["n_failed"], part["n_scores"]) == (1, 3)  # what does not apply is no score
    assert comparison.finding.startswith("0 of 1 method")  # part is above copies, on one of the two
    assert comparison.omnibus_text == "No omnibus test: on 2 data sets its F distribution is no guide."


def test_an_omnibus_test_that_finds_something_does_not_say_which():
    assert compare(noise(["none", *"abc"], 8, 3, gains=[0, 0.04, 0.08, 0.12])).omnibus_text.endswith(
        "differ (not which)."
    )


def test_too_few_data_sets_are_called_so():
    comparison = compare(noise(["none", "random-oversampling", *"abcdef"], 7, 3, gains=[0, 0, *[0.1] * 6]))
    assert row_of(comparison, "a")["verdict"] == "too few data sets"
    assert any("smallest p that 7 data sets can give" in line for line in comparison.warnings)
    assert "cannot show it" in comparison.finding


def test_one_data_set_uses_the_test_of_its_draws():
    scores = noise(["none", "new"], 1, 10, gains=[0, 0.02])
    comparison = compare(scores)
    assert "corrected resampled" in comparison.test
    corrected = row_of(comparison, "new")
    datasets = pd.DataFrame({"dataset": ["d00"], "fresh": [True]})
    fresh = compare(Results(scores, pd.DataFrame({"method": []}), datasets, {}))
    assert "paired t" in fresh.test
    plain = row_of(fresh, "new")
    assert plain["high"] - plain["low"] < corrected["high"] - corrected["low"]
    assert plain["delta"] == corrected["delta"]
    assert corrected["p_baseline"] < 0.05
    bare = compare(scores.drop(columns=["n_train", "n_test"]))
    assert np.isnan(row_of(bare, "new")["low"])
    assert any("n_train and n_test" in line for line in bare.warnings)


def one_set(differences, *more):
    """One data set: the baseline, and for each list of differences a method "m0", "m1", … that has them."""
    rows = []
    for i, values in enumerate([[0.0] * len(differences), differences, *more]):
        name = f"m{i - 1}" if i else "none"
        rows += [(name, "a", draw, 0.5 + value, 300, 100) for draw, value in enumerate(values)]
    return frame(rows, ["method", "dataset", "draw", "macro_f1", "n_train", "n_test"])


def test_draws_that_do_not_differ_are_not_tested():
    comparison = compare(one_set([0.04] * 4, [0.03, 0.05, 0.04, 0.04], [0.0] * 4))
    found, tested, tie = (row_of(comparison, f"m{i}") for i in range(3))
    assert found["verdict"] == "too few distinct draws"
    assert np.isnan([found["low"], found["high"], found["p_baseline"], found["p_baseline_holm"]]).all()
    assert tested["verdict"] == "better"
    # two tests, not three
    assert tested["p_baseline_holm"] == pytest.approx(2 * tested["p_baseline"])
    assert tie[["delta", "low", "high", "p_baseline", "ties"]].tolist() == [0, 0, 0, 1, 1]
    assert tie["verdict"] == "equivalent"
    assert "1 of 3 are shown" not in comparison.finding
    assert compare(one_set([0.04] * 4)).finding == (
        "1 of 1 method scores higher than the baseline (none) on 1 data set × 4 draws, but no test was possible."
    )
    assert plain(comparison).count("too few distinct draws") == 1
    assert r"m0 & +4.00 & -- & 1/0/0" in to_latex(comparison)
    assert 'class="verdict v-too-few-distinct-draws"' in "".join(
        render_site(Results.from_frame(one_set([0.04] * 4))).values()
    )


@pytest.mark.parametrize("differences", [[0.04, 0.04], [0.04, 0.0400001], [0.0, 0.0], [0.1]])
def test_no_verdict_below_three_draws_of_one_data_set(differences):
    comparison = compare(one_set(differences))
    found = row_of(comparison, "m0")
    assert found["verdict"] == "too few draws"
    # two draws that nearly agree have a narrow interval, far from 0
    assert np.isnan([found["low"], found["high"], found["p_baseline"]]).all()
    assert (found["wins"], found["ties"]) == ((1, 0) if differences[0] else (0, 1))
    assert "but no test was possible: too few draws." in comparison.finding
    assert comparison.warnings


def test_a_data_set_without_a_test_does_not_count_as_shown():
    parts = [one_set([0.05, 0.06, 0.055, 0.052]), one_set([0.05] * 4).assign(dataset="b")]
    found = row_of(compare(pd.concat(parts)), "m0")
    assert (found["shown_better"], found["shown_worse"]) == (1, 0)
    both = row_of(compare(pd.concat([parts[0], parts[0].assign(dataset="b")])), "m0")
    assert both["shown_better"] == 2


def test_the_finding_says_that_no_controls_were_run():
    scores = noise(["none", "random-oversampling", "new"], 14, 3, gains=[0, 0, 0.05])
    assert "1 does better than every trivial control and adjuster" in compare(scores).finding
    alone = compare(scores[scores["method"] != "random-oversampling"]).finding
    assert "every trivial control" not in alone
    assert "1 of 1 method is shown to beat the baseline" in alone
    assert "no controls were run" in alone


def test_two_data_sets_and_one_draw():
    few = row_of(compare(noise(["none", "new"], 2, 10, gains=[0, 0.05])), "new")
    assert few["shown_better"] == 2
    assert few["shown_worse"] == 0
    assert few["p_baseline"] == 0.5
    once = compare(noise(["none", "new"], 1, 1))
    assert np.isnan(row_of(once, "new")["low"])
    assert any("One draw" in line for line in once.warnings)


def test_secondary_metrics_and_subsets_have_intervals_only():
    scores = noise(["none", "random-oversampling", "new"], 8, 3).assign(log_loss=lambda t: 1 - t["macro_f1"])
    whole, loss = compare(scores), compare(scores, metric="log_loss")
    part = compare(scores, datasets=[f"d{i:02}" for i in range(7)])
    for exploratory in (loss, part):
        table = exploratory.table
        assert table[["p_baseline", "p_baseline_holm", "p_copies", "p_copies_holm", "p_better"]].isna().all().all()
        assert set(table["verdict"]) == {"baseline", "exploratory"}
        assert table["low"].notna().all()
    # A loss is better when it is smaller: the same wins, ranks and order.
    columns = ["method", "wins", "losses", "mean_rank"]
    pd.testing.assert_frame_equal(loss.table[columns], whole.table[columns])
    assert compare(scores, classifier="any").confirmatory  # all there is: no subset


@settings(max_examples=15, deadline=None)
@given(seed=hs.integers(0, 1000), n_datasets=hs.integers(1, 5), kept=hs.sets(hs.sampled_from("abcd"), min_size=1))
def test_a_subset_of_methods_keeps_differences_and_intervals(seed, n_datasets, kept):
    scores = noise(["none", "random-oversampling", *"abcd"], n_datasets, 3, seed)
    whole = compare(scores)
    part = compare(scores[scores["method"].isin({"none", *kept})])
    expected = whole.table[whole.table["method"].isin(part.table["method"])][INTERVAL].reset_index(drop=True)
    pd.testing.assert_frame_equal(part.table[INTERVAL], expected)
    pd.testing.assert_frame_equal(part.deltas, whole.deltas.loc[part.deltas.index])


def test_row_order_and_names_change_nothing():
    scores = noise(["none", *"abc"], 6, 3)
    shuffled = scores.sample(frac=1, random_state=1)
    pd.testing.assert_frame_equal(compare(scores).table, compare(shuffled).table)
    renamed = scores.replace({"method": {"a": "z"}, "dataset": {"d00": "zz"}})
    before, after = row_of(compare(scores), "a"), row_of(compare(renamed), "z")
    for name in ("delta", "low", "high", "p_baseline_holm", "mean_rank"):
        assert before[name] == pytest.approx(after[name])


def test_unit_is_the_data_set_under_the_null():
    """With effects that differ between data sets but are 0 on average, intervals cover 0 in 93 to 97 %."""
    rng = np.random.default_rng(0)
    covered = []
    for _ in range(60):
        effects = rng.normal(0, 0.03, size=(10, 20))  # data sets × methods
        names = [f"m{i:02}" for i in range(20)]
        rows = []
        for i, draw in np.ndindex(10, 2):
            rows.append(("none", f"d{i:02}", draw, 0.5))
            values = 0.5 + effects[i] + rng.normal(0, 0.01, 20)
            rows += [(name, f"d{i:02}", draw, value) for name, value in zip(names, values, strict=True)]
        draws = draw_table(Results.from_frame(frame(rows)).scores, "macro_f1", "none")
        contrast = Contrast(draws, "none", Design({}, {}))
        covered += [test.low <= 0 <= test.high for test in map(contrast.overall, names)]
    assert 0.93 <= np.mean(covered) <= 0.97


def test_tuned_column_and_details(synthetic):
    results = synthetic.results(n_datasets=4, n_draws=3)
    table = compare(results).table.set_index("method")
    assert table.loc["smote", "delta_tuned"] > 0
    detail = dataset_detail(results, "digits")
    assert len(detail.recalls) == len(detail.classes) == 10
    assert detail.table.loc[detail.table["method"] == "adasyn", "state"].item() == "not applicable"
    assert np.isnan(detail.ceiling)
    assert dataset_detail(results, "card").recalls == ["recall_0", "recall_1"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.drop(columns="draw"), "no column 'draw'"),
        (lambda t: t.drop(columns=["macro_f1", "n_train", "n_test"]), "no metric"),
        (lambda t: t.iloc[:0], "no rows"),
        (lambda t: t.assign(status="okay"), "unknown status 'okay'"),
        (lambda t: pd.concat([t, t]), "rows twice"),
        (lambda t: t.assign(method=t["method"].where(t["draw"] > 0)), "column 'method' has 4 gaps, the first in row 0"),
        (lambda t: t.assign(draw=t["draw"].where(t["method"] != "a")), "column 'draw' has 4 gaps"),
        (lambda t: t.assign(macro_f1=t["macro_f1"] * 100), "not percentages"),
        (lambda t: t[t["method"] != "none"], "unknown method 'none'"),
        (lambda t: t.assign(macro_f1=t["macro_f1"].where(t["method"] != "none")), "nothing to compare with"),
    ],
)
def test_bad_tables_are_refused_in_one_line(change, message):
    with pytest.raises(InputError, match=message) as found:
        compare(change(noise(["none", "a"], 2, 2)))
    assert "\n" not in str(found.value)


def test_names_that_do_not_exist():
    scores = noise(["none", "a"], 2, 2)
    for asked in ({"metric": "macro_f2"}, {"classifier": "anny"}, {"datasets": ["d0"]}, {"baseline": "non"}):
        with pytest.raises(InputError, match="did you mean"):
            compare(scores, **asked)


def test_import_is_cheap():
    late = ("scipy", "statsmodels", "jinja2", "rich")
    code = f"import augbench.leaderboard, sys; print([name for name in {late} if name in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.strip() == "[]"


def test_only_where_there_are_p_values_does_a_comparison_name_their_test():
    scores = noise(["none", "a"], 8, 3)
    whole, subset = compare(scores), compare(scores, datasets=["d00", "d01", "d02"])
    assert whole.test == "t-interval and Wilcoxon signed-rank test over 8 data sets"
    assert whole.interval_test == "t-interval over 8 data sets"
    assert subset.test == subset.interval_test == "t-interval over 3 data sets"


@pytest.mark.parametrize("scenarios", [None, ["full"], []])
@pytest.mark.parametrize("other", ["none", "smote", "svm-smote", "vae"])
def test_draw_differences_are_those_of_each_pair_alone(synthetic, other, scenarios):
    scores = synthetic.results(n_draws=3).scores
    # pairs that share few draws, in one cell or in all of them: no two of these methods lack the same
    gone = (scores["method"] == "smote") & (scores["draw"] == 1) & (scores["classifier"] == "logistic")
    gone |= (scores["method"] == "adasyn") & (scores["draw"] == 2)
    scores.loc[gone, "status"] = "not run"
    draws = draw_table(scores, "macro_f1", "none")
    for dataset in ("iris", "glass", "wine"):
        for method in draws.methods:
            pair = draws.values.loc[[dataset], list({method, other})].dropna()
            if scenarios is not None:
                pair = pair[pair.index.get_level_values("scenario").isin(scenarios)]
            difference = pair[method] - pair[other]
            cells = difference.groupby(level=["scenario", "classifier"])
            deviations = (difference - cells.transform("mean")).groupby(level="draw").mean()
            wanted = deviations - deviations.mean() + cells.mean().mean()
            found = draws.draw_differences(method, other, dataset, scenarios)
            np.testing.assert_array_equal(found, wanted.to_numpy(dtype=float))
