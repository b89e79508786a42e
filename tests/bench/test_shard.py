"""A run in parts: every unit in one of them, the same parts everywhere, and merged what one run gives."""

import itertools
import re

import pytest
from augbench.bench.estimate import Estimator, longest_first
from augbench.bench.plan import make_plan
from augbench.bench.shard import Shard, parse_shard
from augbench.bench.suite import load_suite, validate_suite
from augbench.errors import InputError

from .conftest import fingerprint


@pytest.fixture(scope="module")
def plan():
    suite = load_suite("quick").model_dump(exclude_defaults=True) | {"methods": ["smote", "vae", "ctgan"]}
    return make_plan(validate_suite(suite, "quick"))


@pytest.mark.parametrize("of", [1, 2, 7, 1000])
def test_every_unit_is_in_one_part_and_each_method_in_as_many_as_it_has_blocks(plan, of):
    parts = [Shard(number, of).units(plan) for number in range(1, of + 1)]
    keys = [unit.key for part in parts for unit in part]
    assert sorted(keys) == sorted(unit.key for unit in plan.units)
    cells = {}
    for number, part in enumerate(parts):
        for unit in part:
            cells.setdefault((unit.method.id, unit.dataset.id, unit.scenario.id), []).append(number)
    assert all(len(set(numbers)) == min(len(numbers), of) for numbers in cells.values())
    if of == 7:
        # and not all of them in the first ones
        assert max(map(len, parts)) < 2 * min(map(len, parts))


def test_what_a_machine_lacks_moves_no_other_unit(plan):
    names = [entry.id for entry in plan.suite.datasets]
    fewer = make_plan(plan.suite.model_copy(update={"datasets": plan.suite.datasets[1:]}))
    for number in (1, 2, 3):
        here = [unit.key for unit in Shard(number, 3).units(plan) if unit.dataset.id != names[0]]
        assert [unit.key for unit in Shard(number, 3).units(fewer)] == here


@pytest.mark.parametrize("text", ["", "3", "0/2", "3/2", "a/b", "1/2/3", "-1/2"])
def test_what_is_no_part_is_named(text):
    with pytest.raises(InputError, match=re.escape(f"--shard {text}: write K/N")):
        parse_shard(text)


def test_the_longest_units_of_a_dataset_come_first_and_like_ones_keep_their_order(plan):
    estimator = Estimator(plan, ())
    ordered = longest_first(plan.units, estimator)
    assert sorted(unit.key for unit in ordered) == sorted(unit.key for unit in plan.units)
    names = [unit.dataset.id for unit in plan.units]
    assert [unit.dataset.id for unit in ordered] == sorted(names, key=names.index)
    first = [unit for unit in ordered if unit.dataset.id == names[0]]
    assert [unit.method.id for unit in first].index("ctgan") < [unit.method.id for unit in first].index("smote")
    seconds = list(map(estimator.seconds, first))
    assert all(later < 2 * earlier for earlier, later in itertools.pairwise(seconds))
    like = [unit for unit in ordered if unit.method.id == "smote"]
    assert like == [unit for unit in plan.units if unit.method.id == "smote"]


def test_parts_that_were_computed_apart_are_merged_into_the_same_scores(bench, tmp_path, tiny_suite):
    options = ("--controls", "--jobs", 1)
    whole = bench("run", tiny_suite, *options, "--no-site", "--store", "whole.sqlite")
    assert whole.returncode == 0, whole.stderr
    for number in (1, 2):
        run = bench("run", tiny_suite, *options, "--shard", f"{number}/2")
        assert run.returncode == 0, run.stderr
        assert f"shard {number}/2 of suite tiny" in run.stdout
        assert "bench merge" in run.stdout
    folder = tmp_path / "augbench-results"
    parts = [folder / f"shard-{number}-of-2.sqlite" for number in (1, 2)]
    # a part goes on like any run
    assert "0 to compute" in bench("run", tiny_suite, *options, "--shard", "2/2").stdout
    merged = bench("merge", folder / "store.sqlite", *parts)
    assert merged.returncode == 0, merged.stderr
    assert fingerprint(folder / "store.sqlite") == fingerprint(tmp_path / "whole.sqlite")
    # and the whole run is there
    assert "0 to compute" in bench("run", tiny_suite, *options, "--no-site").stdout
