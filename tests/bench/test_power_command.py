"""`bench power` on the stores of small real runs."""

import re

import pytest
from augbench import Store
from augbench.bench.report import results_of
from augbench.bench.suite import validate_suite
from augbench.leaderboard import compare
from augbench.leaderboard.power import power_of

from .stored import command, compute

FAST = {"draws": 3, "block": 3, "folds": 0, "methods": ["smote"], "classifiers": ["logistic-regression"]}
SUITES = {
    "over-data-sets": FAST | {"datasets": ["iris", "wine"], "scenarios": ["imbalance:count=12"]},
    "splits": FAST | {"datasets": ["iris"], "scenarios": ["imbalance:count=12"]},
    "fixed-rows": FAST | {"datasets": ["digits"], "scenarios": ["few-shot:shots=5,generate=5"]},
    "one-draw": FAST | {"draws": 1, "datasets": ["iris", "wine"], "scenarios": ["imbalance:count=12"]},
}


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """A store with a run of each suite."""
    store = tmp_path_factory.mktemp("power") / "store.sqlite"
    for name, suite in SUITES.items():
        compute(store, validate_suite({"name": name, **suite}, name))
    return store


def asked(path, suite, *args, **settings):
    """What the command prints, and what the calculation says."""
    code, output = command("power", suite, "--store", path, *args)
    assert code == 0
    with Store(path) as store:
        return output, power_of(results_of(store, suite), **{"effect": 1.0, **settings})


def test_over_data_sets(path):
    output, found = asked(path, "over-data-sets", "--effect", 5, effect=5.0)
    assert output.splitlines()[0] == found.sentence
    assert re.match(r"To see \+5\.00 points with probability 80 %: (more than )?\d+ data sets with 3 draws", output)
    assert "The run had 2 data sets with 3 draws, which can show nothing" in output
    assert "Worked out for smote (the only one, controls aside)" in output
    assert f"corrected for {found.family} comparisons" in output
    spread = found.typical
    assert re.search(rf"^smote +{spread.fixed:.2f} +{spread.draw:.2f} +.*nothing$", output, re.MULTILINE)
    chance = found.table(spread).loc[50, 100]
    assert re.search(rf"^50 .*{100 * chance:.0f} % +\S", output, re.MULTILINE)
    assert "left out: threshold-tuned: not applicable on any data set" in output
    # all the methods of the leaderboard, and no other number of comparisons than its own
    with Store(path) as store:
        assert found.family == compare(results_of(store, "over-data-sets")).family


@pytest.mark.parametrize("suite", ["splits", "fixed-rows"])
def test_on_one_data_set(path, suite):
    output, found = asked(path, suite, "--family", 1, "--method", "smote", family=1, method="smote")
    assert output.splitlines()[0] == found.sentence
    assert "draws of this data set" in output
    assert "(as asked)" in output
    assert "comparisons" not in output
    assert "data sets needed" not in output
    assert found.typical.shared_rows == (suite == "fixed-rows")


def test_what_is_asked_changes_the_answer(path):
    few, _ = asked(path, "over-data-sets", "--effect", 30, "--family", 1, effect=30.0)
    many, _ = asked(path, "over-data-sets", "--effect", 30, effect=30.0)
    needed = [int(re.search(r"80 %: (\d+) data sets", one).group(1)) for one in (few, many)]
    assert needed[0] < needed[1]
    copies, found = asked(
        path, "over-data-sets", "--baseline", "random-oversampling", baseline="random-oversampling"
    )  # fmt: skip
    assert copies.splitlines()[0] == found.sentence
    assert "its difference to random-oversampling varies" in copies


def test_below_half_a_point_it_is_said_that_the_word_will_be_another(path):
    words = "call it equivalent where its interval is within ±0.5 points"
    assert words in asked(path, "splits", "--effect", 0.4, effect=0.4)[0]
    assert words not in asked(path, "splits", "--effect", 0.5, effect=0.5)[0]


def test_a_suite_may_be_named_by_its_file(path, tmp_path):
    file = tmp_path / "anything.toml"
    file.write_text(
        'name = "splits"\nmethods = ["smote"]\ndatasets = ["iris"]\nclassifiers = ["logistic-regression"]\n'
    )
    assert command("power", file, "--store", path) == command("power", "splits", "--store", path)


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["splits", "--effect", 0], "the effect has to be a number of points above 0 and up to 100, found 0"),
        (["splits", "--effect", -1], "above 0 and up to 100, found -1"),
        (["one-draw"], "the run has one draw only"),
        (["other"], "unknown suite in store"),
        (["splits", "--baseline", "nothing"], "unknown method 'nothing'"),
        (["splits", "--method", "smoet"], "did you mean 'smote'"),
        (["splits", "--method", "threshold-tuned"], "nothing can be said: not applicable"),
    ],
)
def test_errors_are_a_line(path, args, message):
    code, output = command("power", *args, "--store", path)
    assert code == 2
    assert message in output
    assert "\n" not in output.strip()


def test_no_store(tmp_path):
    assert command("power", "--store", tmp_path / "none.sqlite") == (
        2,
        f"error: there is no store {tmp_path / 'none.sqlite'}: fill one with 'bench run', or name it with --store",
    )


def test_the_help_teaches():
    code, output = command("power", "--help")
    assert code == 0
    words = " ".join(output.split())
    assert all(one in words for one in ("between data sets", "between draws", "bench power quick --effect 1.0"))
