"""A suite that fits the time: what is chosen first, what is left out and why, and what happens when the time is up."""

import time

import numpy as np
import pandas as pd
import pytest
from augbench.bench import sizing, time_limit
from augbench.bench.display import Quiet
from augbench.bench.engine import InProcess
from augbench.bench.estimate import Estimator
from augbench.bench.limits import parse_time
from augbench.bench.plan import make_plan
from augbench.bench.run import Progress, execute, units_to_run
from augbench.bench.sizing import CHEAP, CORE, SLOW, Costs, Fixed, size_suite
from augbench.bench.store import Store
from augbench.bench.suite import Entry, load_suite
from augbench.bench.time_limit import Limit, shown_plan
from augbench.datasets.files import FrameDataset
from augbench.errors import InputError


def table(n=200):
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(n, 3)), columns=["a", "b", "c"])
    return FrameDataset(X, pd.Series(np.arange(n) % 4 == 0, name="y"))


def suite(**changes):
    quick = load_suite("quick").model_copy(update={"datasets": (Entry(name="table"),), "name": "table"})
    return quick.model_copy(update=changes)


@pytest.fixture
def costs(monkeypatch):
    """Costs without a clock: a fit takes 10 ms, of random-forest 100 ms, SMOTE's kin 1 ms, all slow methods 1 s."""

    def measure(suite, dataset, methods):
        names = [entry.id for entry in suite.classifiers]
        fits = {name: 0.1 if name == "random-forest" else 0.01 for name in names}
        ids = [entry.id for entry in methods]
        rows = {one: 1.0 if one in SLOW else 0.001 for one in ids}
        return Costs(list(suite.classifiers), fits, fits, rows, {}, set(ids))

    monkeypatch.setattr(sizing, "measure", measure)


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("10m", 600), ("2h", 7200), ("1.5m", 90), (" 3 M ", 180)])
def test_times(text, seconds):
    assert parse_time(text) == seconds


@pytest.mark.parametrize("text", ["", "10", "m", "0m", "-3m", "10 minutes", "1d"])
def test_what_is_no_time(text):
    with pytest.raises(InputError, match="write a number with s, m or h, such as 90s, 10m or 2h"):
        parse_time(text)


def ids(found):
    return [entry.id for entry in found.suite.methods]


def test_more_time_buys_more_and_nothing_is_lost_silently(costs):
    found = [size_suite(suite(), table(), seconds, 1, Fixed()) for seconds in (1, 30, 120, 600, 20_000)]
    assert ids(found[0]) == list(CORE)
    assert found[0].suite.draws == 5
    assert [entry.id for entry in found[0].suite.classifiers] == ["logistic-regression"]
    work = [len(one.suite.methods) * len(one.suite.classifiers) * one.suite.draws for one in found]
    assert work == sorted(set(work))
    assert ids(found[-1]) == [*CORE, *CHEAP, *SLOW]
    assert found[-1].suite.draws == 50
    assert found[-1].left_out == ()
    for one in found[1:]:
        assert one.seconds <= 20_000
        told = " ".join(one.left_out)
        assert all(name in told for name in (*CHEAP, *SLOW) if name not in ids(one))
    assert found[2].left_out[0].startswith("for want of time, ")
    assert found[1].seconds <= 30
    assert found[2].seconds <= 120


def test_two_processes_do_more_in_the_same_time(costs):
    one, two = (size_suite(suite(), table(), 120, n, Fixed()) for n in (1, 2))
    assert len(two.suite.methods) * two.suite.draws > len(one.suite.methods) * one.suite.draws


def test_what_a_person_fixed_stays(costs):
    own = suite(methods=(Entry(name="vae"),), draws=7, classifiers=(Entry(name="random-forest"),))
    found = size_suite(own, table(), 1, 1, Fixed(methods=True, classifiers=True, draws=True))
    assert found.suite.draws == 7
    assert [entry.id for entry in found.suite.classifiers] == ["random-forest"]
    assert set(ids(found)) == {"none", "random-oversampling", "threshold-tuned", "class-weight", "vae"}
    bare = size_suite(own, table(), 1, 1, Fixed(methods=True, controls=False))
    assert set(ids(bare)) == {"none", "vae"}


def test_parameters_of_the_suite_are_kept(costs):
    found = size_suite(suite(), table(), 10_000, 1, Fixed())
    (vae,) = [entry for entry in found.suite.methods if entry.id == "vae"]
    assert vae.params == {"steps": 1000}


def test_what_cannot_run_is_left_out_with_the_reason(costs, monkeypatch):
    mixed = FrameDataset(table().load().X.assign(d=list("uv") * 100), pd.Series(np.arange(200) % 4 == 0))
    found = size_suite(suite(), mixed, 20_000, 1, Fixed())
    assert not {"borderline-smote", "adasyn", "kmeans-smote", "svm-smote"} & set(ids(found))
    (line,) = found.left_out
    assert line.startswith("borderline-smote, adasyn, kmeans-smote, svm-smote: takes numeric columns only")
    monkeypatch.setattr(sizing, "missing_requirement", lambda one: "" if one.family == "controls" else "needs torch")
    found = size_suite(suite(), table(), 20_000, 1, Fixed())
    assert set(ids(found)) < {*CORE, *CHEAP} - {"smote"}
    assert any(line.endswith(": needs torch") and "vae" in line for line in found.left_out)


def test_costs_are_measured_on_a_part_of_a_large_table():
    large = table(8000)
    methods = [Entry(name=name) for name in ("none", "smote", "vae")]
    start = time.monotonic()
    found = sizing.measure(suite(classifiers=(Entry(name="logistic-regression"),)), large, methods)
    assert time.monotonic() - start < 60
    assert found.classifiers["logistic-regression"] > 0
    assert found.rows["smote"] > 0
    assert found.rows["vae"] > found.rows["smote"]
    assert "none" not in found.augmenters
    assert found.draw("smote", ["logistic-regression"], 3) > found.draw("none", ["logistic-regression"], 3)


# -- when the time is up ---------------------------------------------------------------------------------------------


def tiny(draws=3):
    own = {"table": table()}
    entries = {"methods": (Entry(name="smote"),), "classifiers": (Entry(name="logistic-regression"),)}
    return make_plan(suite(**entries, controls=False, draws=draws, block=1, folds=0), own), own


def limit(seconds, left):
    return Limit(seconds, time.monotonic() + left, (), {})


def run(plan, own, store, limit):
    todo, done, failed = units_to_run(plan.units, store, retry_failed=False)
    progress = Progress(len(plan.units), done, failed)
    execute(plan, todo, InProcess(own), store, progress, Quiet(), limit)
    return progress


def test_no_unit_is_started_when_the_time_is_up_and_the_next_run_goes_on(tmp_path):
    plan, own = tiny()
    with Store(tmp_path / "s.sqlite", write=True) as store:
        assert run(plan, own, store, limit(10, -1)).done == 0
        with pytest.raises(InputError, match="the baseline 'none' was not reached within 10 s"):
            shown_plan(plan, own, limit(10, -1), store.statuses())
        assert run(plan, own, store, limit(600, 600)).done == len(plan.units) == 6


def test_a_unit_that_would_take_too_long_is_not_started_and_shorter_ones_are(tmp_path, monkeypatch):
    plan, own = tiny()
    monkeypatch.setattr(Estimator, "is_guess", lambda self, unit: False)
    monkeypatch.setattr(Estimator, "seconds", lambda self, unit: 1000.0 if unit.method.id == "smote" else 0.0)
    with Store(tmp_path / "s.sqlite", write=True) as store:
        run(plan, own, store, limit(60, 60))
        statuses = store.statuses()
        assert {unit.method.id for unit in plan.units if unit.key in statuses} == {"none"}
        shown, words = shown_plan(plan, own, limit(60, 0), statuses)
    assert shown is plan
    assert words == "time is up (1 min 00 s): 3 units of 6 are left"


def test_the_leaderboard_shows_the_draws_that_all_methods_have(tmp_path):
    plan, own = tiny()
    with Store(tmp_path / "s.sqlite", write=True) as store:
        first = {unit.key for unit in plan.units[:3]}  # two methods on draw 0, one on draw 1
        part = type(plan)(plan.suite, plan.units[:3], [], plan.methods, plan.infos, plan.fresh)
        run(part, own, store, None)
        shown, words = shown_plan(plan, own, limit(60, 0), store.statuses())
    assert shown.suite.draws == 1
    assert {unit.key for unit in shown.units} < first
    assert words.endswith("3 units of 6 are left")


def test_the_same_request_finds_the_same_suite_again(tmp_path, costs, monkeypatch):
    from augbench.bench.console import Places
    from augbench.bench.report import run_info

    places, own = Places(tmp_path / "s.sqlite", None), {"table": table()}
    chosen, first = time_limit.sized(suite(), own, "1m", Fixed(), places, 1)
    plan = make_plan(chosen, own)
    with Store(places.store, write=True) as store:
        store.save_run(plan, run_info(plan, "bench run") | first.info(chosen))
    monkeypatch.setattr(time_limit, "size_suite", lambda *args: pytest.fail("sized again"))
    again, second = time_limit.sized(suite(), own, "60s", Fixed(), places, 1)
    assert [unit.key for unit in make_plan(again, own).units] == [unit.key for unit in plan.units]
    assert second.left_out == first.left_out != ()
    monkeypatch.undo()


@pytest.mark.parametrize(
    ("own", "changes", "words"),
    [
        ({}, {}, "--time sizes a run of your own table"),
        ({"table": table()}, {"trials": 5}, "does not know what --tune 5 costs"),
        ({"table": table()}, {"budget": "steps=5"}, "does not know what --budget steps=5 costs"),
    ],
)
def test_what_has_no_time(tmp_path, own, changes, words):
    from augbench.bench.console import Places

    with pytest.raises(InputError, match=words):
        time_limit.sized(suite(**changes), own, "1m", Fixed(), Places(tmp_path / "s.sqlite", None), 1)
