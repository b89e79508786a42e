import numpy as np
import pandas as pd
import pytest
from augbench import InputError, Table, datasets
from augbench.bench.prepare import PreparedDraw
from augbench.bench.scenario import (
    Draw,
    Scenario,
    make_draw,
    parse_scenario,
    split_table,
)

COUNTS = np.array([40, 10, 25])


@pytest.mark.parametrize(
    "text", ["full", "imbalance:keep=0.05", "imbalance:count=20,of=setosa,amount=2x", "few-shot:shots=5,generate=7"]
)
def test_a_scenario_is_named_by_the_line_that_makes_it(text):
    assert parse_scenario(text).id == text
    assert parse_scenario(parse_scenario(text).id) == parse_scenario(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("imbalanc:count=3", ["unknown scenario", "did you mean 'imbalance'"]),
        ("imbalance", ["needs either 'keep'", "'count'"]),
        ("imbalance:keep=0.1,count=3", ["needs either"]),
        ("imbalance:keep=2", ["keep", "less than 1", "'2'"]),
        ("imbalance:count=1", ["count", "greater than or equal to 2"]),
        ("imbalance:keep", ["'keep' is not key=value"]),
        ("full:shots=3", ["'shots' does not go with kind 'full'"]),
        ("few-shot", ["needs 'shots'"]),
        ("few-shot:shots=3,amount=2x", ["'amount' does not go with kind 'few-shot'"]),
        ("full:amount=lots", ["amount", "'balance', a multiple such as '2x'"]),
        ("full:amount=0x", ["amount"]),
        ("full:rows=fake", ["rows", "real+synthetic"]),
        ("full:rowz=synthetic", ["unknown key 'rowz'", "did you mean 'rows'"]),
    ],
)
def test_a_wrong_scenario_is_explained(text, words):
    with pytest.raises(InputError) as caught:
        parse_scenario(text)
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("full", {1: 30, 2: 15}),
        ("full:amount=2x", {1: 20, 2: 50}),
        ("full:amount=0.25x", {1: 3, 2: 7}),
        ("full:amount=100", {1: 100, 2: 100}),
        ("full:rows=synthetic", {0: 40, 1: 40, 2: 40}),
        ("full:amount=1x,rows=synthetic", {0: 40, 1: 10, 2: 25}),
        ("few-shot:shots=5", {0: 5, 1: 5, 2: 5}),
        ("few-shot:shots=5,generate=30", {0: 30, 1: 30, 2: 30}),
    ],
)
def test_how_many_rows_are_wanted(text, wanted):
    assert parse_scenario(text).wanted(COUNTS) == wanted


def test_fixed_numbers_are_scaled_to_the_share_of_an_inner_fold():
    assert parse_scenario("few-shot:shots=5,generate=30").wanted(COUNTS, share=2 / 3) == {0: 20, 1: 20, 2: 20}
    assert parse_scenario("full").wanted(COUNTS, share=2 / 3) == {1: 30, 2: 15}


def draw_of(name, text, index=0, seed=0, **params):
    dataset = datasets.make(name, **params)
    table = dataset.load() if isinstance(dataset, datasets.FiniteDataset) else None
    return make_draw(dataset, table, parse_scenario(text), index, seed, 0.3)


def test_draws_depend_on_seed_and_number_and_on_the_chosen_rows_only():
    first = draw_of("wine", "imbalance:count=12")
    assert first.content_hash() == draw_of("wine", "imbalance:count=12").content_hash()
    # what is generated afterwards does not touch the real rows
    assert first.content_hash() == draw_of("wine", "imbalance:count=12,amount=2x").content_hash()
    others = [
        draw_of("wine", "imbalance:count=12", index=1),
        draw_of("wine", "imbalance:count=12", seed=1),
        draw_of("wine", "imbalance:count=13"),
    ]
    assert len({first.content_hash(), *(one.content_hash() for one in others)}) == 4


def test_splits_are_stratified_and_complete():
    table = datasets.make("breast-cancer").load()
    draw = draw_of("breast-cancer", "full")
    assert len(draw.train.y) + len(draw.test.y) == len(table.y)
    assert draw.test.y.mean() == pytest.approx(table.y.mean(), abs=0.01)
    assert len(draw.test.y) / len(table.y) == pytest.approx(0.3, abs=0.01)
    seen = pd.concat([draw.train.X, draw.test.X]).sort_values(list(table.X.columns), ignore_index=True)
    pd.testing.assert_frame_equal(seen, table.X.sort_values(list(table.X.columns), ignore_index=True))


def test_equal_rows_stay_on_one_side():
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.integers(0, 4, size=(600, 3)).astype(float), columns=list("abc"))
    X["d"] = pd.Categorical(rng.choice(["u", "v"], 600))
    y = rng.integers(0, 2, 600)
    for seed in range(5):
        part = split_table(Table(X, y), [0.7, 0.3], np.random.default_rng(seed))
        sides = X.assign(part=part).groupby(list("abcd"), observed=True)["part"].nunique()
        assert sides.max() == 1
        assert part.mean() == pytest.approx(0.3, abs=0.05)


def test_the_real_set_with_most_duplicates_is_split_clean(data_folder, monkeypatch):
    monkeypatch.setenv("AUGBENCH_DATA", str(data_folder))
    draw = draw_of("gene", "full")
    train = set(map(tuple, draw.train.X.to_numpy()))
    assert not any(tuple(row) in train for row in draw.test.X.to_numpy())
    # the control: a plain random split does put equal rows on both sides
    table = datasets.make("gene").load()
    mixed = np.random.default_rng(0).permutation(len(table.y))
    train = set(map(tuple, table.X.to_numpy()[mixed[:2000]]))
    assert any(tuple(row) in train for row in table.X.to_numpy()[mixed[2000:]])


def test_few_shot_tests_on_one_fixed_part_and_draws_new_shots():
    one, two = (draw_of("digits", "few-shot:shots=5", index=i) for i in range(2))
    np.testing.assert_array_equal(one.test.X, two.test.X)
    assert np.bincount(one.train.y).tolist() == [5] * 10
    assert not one.train.X.equals(two.train.X)
    three = draw_of("digits", "few-shot:shots=2")
    np.testing.assert_array_equal(one.test.X, three.test.X)


def test_simulated_draws_are_fresh_on_both_sides():
    one, two = (draw_of("simulated-rings", "full", index=i, n_train=200, n_test=200) for i in range(2))
    assert not one.train.X.equals(two.train.X)
    assert not one.test.X.equals(two.test.X)


def test_the_fraction_is_truncated_as_in_the_published_code():
    draw = draw_of("logistic-simulation", "imbalance:keep=0.0005")
    counts = np.bincount(draw.train.y)
    full = np.bincount(draw_of("logistic-simulation", "full").train.y)
    assert counts[1] in (19, 20)
    assert counts[0] == pytest.approx(full[0], rel=0.02)


def test_the_published_rows_are_kept_for_an_r_seed():
    from augbench.datasets.simulated import published_logistic_data

    published = published_logistic_data(50)
    dataset = datasets.make("logistic-simulation", seed="R:50")
    draw = make_draw(dataset, None, parse_scenario("imbalance:keep=0.0005"), 0, 9, 0.3)
    kept = draw.train.X[draw.train.y == 1].to_numpy()
    np.testing.assert_array_equal(kept, published.X_train[np.sort(published.kept)])
    np.testing.assert_array_equal(draw.test.X, published.X_test)


@pytest.mark.parametrize(
    ("text", "words"),
    [("few-shot:shots=200", "200 are wanted"), ("imbalance:count=500", "500 are wanted"), ("imbalance:keep=0.01", "2")],
)
def test_too_few_rows_is_said(text, words):
    with pytest.raises(ValueError, match=words):
        draw_of("iris", text)


def test_an_unknown_class_gets_the_nearest_one():
    with pytest.raises(InputError, match="did you mean 'setosa'"):
        draw_of("iris", "imbalance:count=5,of=setoza")


def test_a_table_takes_rows_in_order():
    table = Table(pd.DataFrame({"a": [1.0, 2.0, 3.0]}), np.array([0, 1, 0]), np.eye(3))
    taken = table.take(np.array([2, 0]))
    assert taken.X["a"].tolist() == [3.0, 1.0]
    assert taken.X.index.tolist() == [0, 1]
    assert taken.posterior is not None
    assert Scenario(kind="full").selection() == {"kind": "full", "of": "minority"}


def series_table(n_series=20, length=30, seed=0):
    """Series of which the last rows are of class 1; a third of them has rows of the rare class 2."""
    rng = np.random.default_rng(seed)
    series = np.repeat(np.arange(n_series), length)
    y = np.tile(np.arange(length) >= 0.7 * length, n_series).astype(np.int64)
    y[(series % 3 == 0) & (np.tile(np.arange(length), n_series) > length - 3)] = 2
    return Table(pd.DataFrame(rng.normal(size=(len(y), 2)), columns=["a", "b"]), y, series=series)


def test_whole_series_stay_together_and_rare_classes_come_to_every_part():
    table = series_table()
    for seed in range(20):
        part = split_table(table, [0.5, 0.25, 0.25], np.random.default_rng(seed))
        assert (pd.Series(part).groupby(table.series).nunique() == 1).all()
        assert np.bincount(part) / len(part) == pytest.approx([0.5, 0.25, 0.25], abs=0.1)
        for number in range(3):
            assert (np.bincount(table.y[part == number], minlength=3) > 0).all()
    # the control: dealt as independent rows, every series is torn apart
    torn = split_table(Table(table.X, table.y), [0.5, 0.25, 0.25], np.random.default_rng(0))
    assert (pd.Series(torn).groupby(table.series).nunique() > 1).all()


def test_series_that_share_rows_stay_together():
    table = series_table()
    X = table.X.copy()
    X.iloc[35] = X.iloc[3 * 30 + 5]  # series 1 and 3
    X.iloc[36] = X.iloc[7 * 30]  # and 7
    linked = Table(X, table.y, series=table.series)
    for seed in range(20):
        part = split_table(linked, [0.5, 0.5], np.random.default_rng(seed))
        assert len(set(part[np.isin(table.series, [1, 3, 7])])) == 1


class OwnSeries(datasets.FiniteDataset):
    def __init__(self, table):
        self.table = table

    @property
    def info(self):
        counts = tuple(np.bincount(self.table.y).tolist())
        return datasets.DatasetInfo("own", "", "yours", ("a", "b", "c"), counts, 2, 0, "0" * 64, series=True)

    def load(self):
        return self.table


@pytest.mark.parametrize("text", ["full", "imbalance:count=9", "few-shot:shots=4"])
def test_draws_and_folds_of_series(text):
    table = series_table()
    own = OwnSeries(table)
    draw = make_draw(own, table, parse_scenario(text), 0, 0, 0.3)
    assert not set(draw.train.series) & set(draw.test.series)
    # in the order of the table, which is that of time
    place = {tuple(row): number for number, row in enumerate(table.X.to_numpy())}
    for side in (draw.train, draw.test):
        places = [place[tuple(row)] for row in side.X.to_numpy()]
        assert places == sorted(places)
        assert side.series.tolist() == table.series[places].tolist()
    inner = PreparedDraw(draw, 3).inner
    assert len(inner) == 3
    for part, held_out in inner:
        assert not set(part.train.series) & set(part.test.series)
        assert part.test.series.tolist() == draw.train.series[held_out].tolist()


def test_one_series_cannot_be_split():
    table = series_table(n_series=1)
    with pytest.raises(ValueError, match="no rows are left to test on: all series share equal rows, or there is only"):
        make_draw(OwnSeries(table), table, parse_scenario("full"), 0, 0, 0.3)


def test_the_hash_of_a_draw_covers_the_series():
    table = series_table()
    bare = Table(table.X, table.y)
    other = Table(table.X, table.y, series=table.series + 1)
    assert len({Draw(0, one, bare, "").content_hash() for one in (bare, table, other)}) == 3


def test_hashes_of_draws_stay_what_they_were():
    # as stored by earlier versions: results in people's stores hang on them
    assert (
        draw_of("wine", "imbalance:count=12").content_hash()
        == "ec32ecc8a269d7394cba443215503aa430be49f3df28d63b983adafff42d621f"
    )
    assert (
        draw_of("digits", "few-shot:shots=5", index=1).content_hash()
        == "be3c8a69c3889e77a8b89461dba5710a456db015d7d07c06ea726b71a1d04a81"
    )


@pytest.mark.parametrize(("name", "low", "high"), [("skab", 0.31, 0.40), ("ai4i", 0.02, 0.05)])
def test_real_series_have_sane_shares_on_both_sides(name, low, high, data_folder, monkeypatch):
    monkeypatch.setenv("AUGBENCH_DATA", str(data_folder))
    dataset = datasets.make(name)
    try:
        table = dataset.load()
    except datasets.MissingDataError as error:
        pytest.skip(str(error))
    for index in range(10):
        draw = make_draw(dataset, table, parse_scenario("full"), index, 0, 0.3)
        assert not set(draw.train.series) & set(draw.test.series)
        assert len(draw.test.y) / len(table.y) == pytest.approx(0.3, abs=0.05)
        assert low < draw.train.y.mean() < high
        assert low < draw.test.y.mean() < high
    train = set(map(tuple, draw.train.X.to_numpy()))
    assert not any(tuple(row) in train for row in draw.test.X.to_numpy())
    for part, held_out in PreparedDraw(draw, 3).inner:
        assert not set(part.train.series) & set(part.test.series)
        assert 0.6 * table.y.mean() < draw.train.y[held_out].mean() < 1.6 * table.y.mean()
