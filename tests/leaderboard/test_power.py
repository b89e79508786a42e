"""How many draws and data sets it takes: the spread is found again, the power is that of simulated leaderboards."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from augbench.errors import InputError
from augbench.leaderboard import Results, compare
from augbench.leaderboard.bootstrap import two_way_test
from augbench.leaderboard.power import (
    MOST_DATASETS,
    TARGET,
    Power,
    Spread,
    power_of,
    signed_rank_power,
    t_power,
)
from augbench.leaderboard.statistics import corrected_resampled_t, wilcoxon_signed_rank
from scipy import stats


def scores(n_datasets, n_draws, gains, between=1.2, draw=1.5, seed=0, baseline_draw=0.0):
    """Scores whose differences to the baseline vary by so many points between data sets and between draws."""
    rng = np.random.default_rng(seed)
    names = ["none", *gains]
    shape = (n_datasets, n_draws, len(names))
    own = rng.normal(0, draw, shape) * (np.arange(len(names)) > 0) + rng.normal(0, baseline_draw, shape)
    own += rng.normal(0, between, (n_datasets, 1, len(names))) * (np.arange(len(names)) > 0)
    values = 0.7 + rng.normal(0, 0.03, (n_datasets, n_draws, 1)) + (own + np.array([0.0, *gains.values()])) / 100
    index = pd.MultiIndex.from_product(
        [[f"d{i:03}" for i in range(n_datasets)], range(n_draws), names], names=["dataset", "draw", "method"]
    )
    return pd.DataFrame({"macro_f1": values.ravel()}, index=index).reset_index().assign(n_train=300, n_test=100)


def fresh(table):
    """The same, every draw a fresh data set."""
    datasets = pd.DataFrame({"dataset": table["dataset"].unique(), "fresh": True})
    return Results(table, pd.DataFrame({"method": []}), datasets, {})


def question(spread, n_datasets, n_draws, effect=1.0, family=1):
    """A question about a spread that is known."""
    return Power(effect, "none", family, n_datasets, n_draws, (spread,), spread, 1, {})


def within(hits, runs, rate):
    """Say whether a rate lies in the 99 % interval of a share."""
    interval = stats.binomtest(int(hits), runs).proportion_ci(0.99)
    return interval.low <= rate <= interval.high


def test_the_spread_is_split_into_data_sets_and_draws():
    found = power_of(scores(200, 4, {"m": 2.0}), 1.0).typical
    assert found.fixed == pytest.approx(1.2, abs=0.15)
    assert found.draw == pytest.approx(1.5, abs=0.1)
    # nothing but draws: what they leave is near 0 and never below
    alone = power_of(scores(200, 4, {"m": 2.0}, between=0.0), 1.0).typical
    assert 0 <= alone.fixed < 0.4
    # a difference has the chance of both: 1.5 of its own, and 1.5 of either score
    both = power_of(scores(200, 4, {"m": 2.0}, baseline_draw=1.5), 1.0).typical
    assert both.draw == pytest.approx(1.5 * np.sqrt(3), abs=0.15)


@pytest.mark.parametrize(("size", "n", "alpha"), [(0.9, 14, 0.05), (1.2, 8, 0.05), (1.2, 14, 0.005), (0.4, 40, 0.05)])
def test_the_signed_rank_power_is_that_of_the_test(size, n, alpha):
    rng = np.random.default_rng(7)
    runs = 1500
    hits = sum(wilcoxon_signed_rank(one, decimals=12) < alpha for one in rng.normal(size, 1, (runs, n)))
    assert within(hits, runs, signed_rank_power(size, n, alpha))


def test_without_an_effect_the_power_is_the_level_of_the_test():
    assert signed_rank_power(0.0, 14, 0.05) == pytest.approx(0.0494, abs=0.008)
    assert signed_rank_power(5.0, 5, 0.05) == 0.0  # 2 / 2^5 is above .05
    assert t_power(0.0, 9, 0.05) == pytest.approx(0.05, abs=1e-4)


@pytest.mark.parametrize("df", [2, 3.4, 19])
@pytest.mark.parametrize("alpha", [0.05, 0.005])
def test_the_t_power_is_the_noncentral_t(df, alpha):
    limit = stats.t.isf(alpha / 2, df)
    for size in (0.5, 2.0, 5.0):
        exact = stats.nct.sf(limit, df, size) + stats.nct.cdf(-limit, df, size)
        assert t_power(size, df, alpha) == pytest.approx(exact, abs=1e-4)
    assert t_power(60.0, df, alpha) == pytest.approx(1.0, abs=0.01)


def test_power_over_data_sets_is_the_share_of_leaderboards_that_find_the_effect():
    runs, spread = 100, Spread("m", 1.2, 1.5, 10)
    expected = question(spread, 10, 3, effect=1.5).chance(spread, 10, 3)
    assert 0.6 < expected < 0.95
    tables = [compare(scores(10, 3, {"m": 1.5}, seed=seed)).table for seed in range(runs)]
    hits = sum(bool((one["p_baseline_holm"] < 0.05).any()) for one in tables)
    assert within(hits, runs, expected)


def test_power_on_fresh_draws_of_one_data_set():
    runs, spread = 80, Spread("m", 0.0, 1.5, 1)
    expected = question(spread, 1, 12).chance(spread, 1, 12)
    tables = [compare(fresh(scores(1, 12, {"m": 1.0}, between=0.0, seed=seed))).table for seed in range(runs)]
    assert within(sum(bool((one["p_baseline_holm"] < 0.05).any()) for one in tables), runs, expected)


def test_power_on_splits_of_one_table_whose_draws_share_rows():
    """Draws that are correlated as Nadeau and Bengio suppose."""
    rng, runs, draws, ratio = np.random.default_rng(3), 1500, 10, 1 / 3
    spread = Spread("m", 1.5 * np.sqrt(ratio), 1.5, 1)
    values = 2.0 + rng.normal(0, spread.fixed, (runs, 1)) + rng.normal(0, 1.5, (runs, draws))
    hits = sum(corrected_resampled_t(one, ratio).p < 0.05 for one in values)
    assert within(hits, runs, question(spread, 1, draws, effect=2.0).chance(spread, 1, draws))


def test_power_on_test_rows_that_all_draws_share():
    rng, runs, draws, rows = np.random.default_rng(5), 400, 8, 100
    spread = Spread("m", 0.5, 1.0, 1, shared_rows=True)
    hits = 0
    for _ in range(runs):
        table = rng.normal(0, 0.5 * np.sqrt(rows), rows) + rng.normal(0, 1.0, (draws, 1)) + 1.6
        weights = rng.multinomial(rows, np.full(rows, 1 / rows), size=200) / rows
        hits += two_way_test(table.mean(axis=1), weights @ table.T).p < 0.05
    expected = question(spread, 1, draws, effect=1.6).chance(spread, 1, draws)
    # Hillis' degrees of freedom are those of an estimate
    assert hits / runs == pytest.approx(expected, abs=0.06)


@pytest.mark.parametrize("kind", ["fresh", "splits"])
def test_on_one_data_set_the_parts_add_up_to_the_tables_own_interval(kind):
    table = scores(1, 9, {"m": 1.0})
    data = fresh(table) if kind == "fresh" else Results.from_frame(table)
    spread = power_of(data, 1.0).typical
    row = compare(data).table.set_index("method").loc["m"]
    error = (row["high"] - row["low"]) / 2 / stats.t.ppf(0.975, 8)
    assert spread.of_mean(9) == pytest.approx(error)
    assert spread.df(9) == 8
    assert (spread.fixed == 0) == (kind == "fresh")
    if kind == "splits":
        assert spread.fixed == pytest.approx(spread.draw / np.sqrt(3))


def test_the_answer_says_how_roughly_few_data_sets_tell_the_spread():
    found = power_of(scores(5, 5, {"m": 1.0}), 1.0)
    low, high = found.range_needed
    needed = found.datasets_needed(found.typical, 5)
    assert low < needed < (high or MOST_DATASETS + 1)
    assert f"{needed} data sets with 5 draws each ({low} to " in found.sentence
    assert "since 5 data sets tell the spread no better" in found.sentence


def test_the_smallest_design_is_the_first_that_reaches_the_target():
    spread = Spread("m", 1.2, 1.5, 10)
    found = question(spread, 10, 5, family=4)
    needed = found.datasets_needed(spread, 5)
    chances = [found.chance(spread, n, 5) for n in range(2, needed + 1)]
    assert chances[-1] >= TARGET > max(chances[:-1])
    # more draws need fewer data sets, never more; beyond what differs between data sets they do not help
    by_draws = [found.datasets_needed(spread, n) for n in (1, 5, 1000)]
    assert by_draws == sorted(by_draws, reverse=True)
    assert found.datasets_needed(spread, 1000) == found.datasets_needed(Spread("m", 1.2, 0.0, 10), 1)
    assert found.draws_needed(spread) is None
    assert found.datasets_needed(spread.scaled(50), 5) is None
    assert found.chance(spread.scaled(50), MOST_DATASETS, 5) < TARGET
    many = question(spread, 25, 5)
    draws = many.draws_needed(spread)
    assert many.chance(spread, 25, draws) >= TARGET > many.chance(spread, 25, draws - 1)


@pytest.mark.parametrize("n_datasets", [1, 14])
def test_what_the_run_sees(n_datasets):
    spread = Spread("m", 0.4, 1.5, n_datasets)
    found = question(spread, n_datasets, 10, family=3)
    smallest = found.detectable(spread)
    assert found.chance(spread, n_datasets, 10, smallest) >= TARGET
    assert found.chance(spread, n_datasets, 10, smallest - 0.01) < TARGET
    assert f"sees +{smallest:.2f} points or more" in found.sentence
    # one method alone sees more
    assert replace(found, family=1).detectable(spread) < smallest
    if n_datasets > 1:
        blind = question(spread, 5, 10)
        assert np.isinf(blind.detectable(spread))
        assert "can show nothing: with 1 comparison no corrected p reaches .05" in blind.sentence


def test_the_table_has_the_run_s_own_design_and_the_needed_one_agrees():
    found = power_of(scores(9, 4, {"m": 1.0}), 1.5)
    shown = found.table(found.typical)
    assert shown.loc[4, 9] == found.chance(found.typical, 9, 4)
    needed = found.datasets_needed(found.typical, 4)
    assert all((chance >= TARGET) == (n >= needed) for n, chance in shown.loc[4].items())
    assert list(power_of(scores(1, 4, {"m": 1.0}), 1.5).table(found.typical).columns) == [1]


def test_few_data_sets_tell_the_spread_roughly():
    few, many = (power_of(scores(n, 4, {"m": 1.0}), 1.0) for n in (6, 100))
    assert few.range_needed[0] < few.datasets_needed(few.typical, 4) < (few.range_needed[1] or MOST_DATASETS + 1)
    low, high = many.range_needed
    assert high - low < (few.range_needed[1] or MOST_DATASETS + 1) - few.range_needed[0]


def test_it_is_worked_out_for_the_method_in_the_middle_of_those_that_are_no_controls():
    parts = [scores(30, 3, {name: 1.0}, between=sd, seed=i) for i, (name, sd) in enumerate(
        {"a": 0.5, "b": 2.0, "c": 1.0, "random-oversampling": 0.1}.items())]  # fmt: skip
    baseline = parts[0][parts[0]["method"] == "none"]
    both = ["dataset", "draw"]
    tables = [baseline]
    for one in parts:
        own, base = (one[(one["method"] == "none") == is_base].set_index(both) for is_base in (False, True))
        shifted = own["macro_f1"] - base["macro_f1"] + baseline.set_index(both)["macro_f1"]
        tables.append(own.assign(macro_f1=shifted).reset_index())
    whole = pd.concat(tables)
    found = power_of(whole, 1.0)
    assert [one.method for one in found.spreads] == ["random-oversampling", "a", "c", "b"]
    assert (found.typical.method, found.among, found.family) == ("c", 3, 4)
    assert found.alpha == 0.05 / 4
    asked = power_of(whole, 1.0, method="b", family=1)
    assert (asked.typical.method, asked.among, asked.alpha) == ("b", 0, 0.05)
    copies = power_of(whole, 1.0, baseline="random-oversampling")
    assert {one.method for one in copies.spreads} == {"a", "b", "c", "none"}


def test_methods_of_which_nothing_can_be_said_are_named():
    table = scores(7, 3, {"m": 1.0, "half": 1.0, "copy": 0.0})
    values = table.pivot(index=["dataset", "draw"], columns="method", values="macro_f1")
    copy = table["method"] == "copy"
    table.loc[copy, "macro_f1"] = values.stack().reindex(
        pd.MultiIndex.from_frame(table.loc[copy, ["dataset", "draw"]].assign(method="none"))
    ).to_numpy()  # fmt: skip
    table = table[~((table["method"] == "half") & (table["dataset"] == "d000"))]
    found = power_of(table, 1.0)
    assert found.left_out == {"half": "3 of 21 scores not run", "copy": "its difference does not vary"}
    assert [one.method for one in found.spreads] == ["m"]
    with pytest.raises(InputError, match="of 'half' nothing can be said: 3 of 21 scores not run"):
        power_of(table, 1.0, method="half")


def test_failures_and_data_sets_that_are_lacking_make_no_spread_look_small():
    table = scores(14, 4, {"m": 1.0, "fails": 1.0, "some": 1.0}).assign(status="ok", error="")
    failed = (table["method"] == "fails") & (table["draw"] > 0)
    absent = (table["method"] == "some") & (table["dataset"] >= "d007")
    table.loc[failed, ["status", "error"]] = ["failed", "boom"]
    table.loc[absent, "status"] = "not applicable"
    table.loc[failed | absent, "macro_f1"] = np.nan
    found = power_of(table, 1.0)
    assert [one.method for one in found.spreads] == ["m"]
    assert found.left_out["fails"].startswith("failed in some draws")
    assert found.left_out["some"].startswith("applies to some of the data sets only")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: power_of(scores(6, 3, {"m": 1.0}), 0.0), "above 0 and up to 100, found 0"),
        (lambda: power_of(scores(6, 3, {"m": 1.0}), float("nan")), "above 0 and up to 100, found nan"),
        (lambda: power_of(scores(6, 3, {"m": 1.0}), 1.0, family=0), "at least 1, found 0"),
        (lambda: power_of(scores(6, 3, {"m": 1.0}), 1.0, method="n"), "unknown method 'n'"),
        (lambda: power_of(scores(6, 3, {"m": 1.0}), 1.0, baseline="nothing"), "unknown method 'nothing'"),
        (lambda: power_of(scores(6, 1, {"m": 1.0}), 1.0), "one draw only.*--draws 2 or more"),
        (lambda: power_of(scores(1, 2, {"m": 1.0}), 1.0), "2 draws of one data set.*--draws 3 or more"),
        (lambda: power_of(scores(6, 3, {}), 1.0), "no method of the run can be compared"),
    ],
)
def test_what_cannot_be_told_is_said_in_a_line(make, message):
    with pytest.raises(InputError, match=message) as raised:
        make()
    assert "\n" not in str(raised.value)
