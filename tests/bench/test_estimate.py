"""Estimates of time: from a guess, corrected by what was measured before and by what this run measures."""

from types import SimpleNamespace

import pytest
from augbench.bench.estimate import Estimator, makespan, measured_before
from augbench.bench.evaluate import UnitResult
from augbench.bench.plan import make_plan
from augbench.bench.store import Store
from augbench.bench.suite import validate_suite

#: two classifiers whose cost grows with the rows
FOREST = tuple(SimpleNamespace(name=name) for name in ("random-forest", "mlp"))


class Neural:
    requires = ("torch",)

    def expected_seconds(self, n_rows, n_classes):
        return n_rows * n_classes / 10


def plan(methods=None, classifiers=None):
    suite = SimpleNamespace(
        classifiers=FOREST if classifiers is None else classifiers, folds=3, test_fraction=0.2, trials=0, budget=""
    )
    sizes = {"iris": 50, "wine": 50, "large": 30_000, "simulated": 50}
    infos = {
        name: SimpleNamespace(name=name, class_counts=(rows,) * 3, classes=("x", "y", "z"))
        for name, rows in sizes.items()
    }
    neural = {"vae": Neural(), "cvae": Neural(), "hookless": SimpleNamespace(requires=("torch",))}
    methods = {name: SimpleNamespace() for name in ("smote", "adasyn")} | neural | (methods or {})
    methods["none"] = SimpleNamespace(kind="baseline")
    return SimpleNamespace(suite=suite, infos=infos, methods=methods, fresh={"simulated"})


def unit(method="smote", dataset="iris", draws=2, scenario="full"):
    return SimpleNamespace(
        method=SimpleNamespace(id=method),
        dataset=SimpleNamespace(id=dataset),
        scenario=SimpleNamespace(id=scenario),
        draws=tuple(range(draws)),
    )


def learned(estimator, *measured):
    """Let an estimator learn units with their seconds."""
    for one, seconds in measured:
        estimator.learn(one, seconds)
    estimator.fit()
    return estimator


def test_estimates_come_from_the_same_cell_then_the_method_and_the_dataset_then_its_size():
    guess = Estimator(plan(), [])
    assert guess.is_guess(unit())
    assert guess.seconds(unit(dataset="large")) > 20 * guess.seconds(unit())
    estimator = Estimator(plan(), [("smote", "iris", "full", 2, 4.0), ("none", "iris", "full", 2, 2.0)])
    assert not estimator.is_guess(unit("adasyn", "wine"))
    assert estimator.seconds(unit()) == 4.0
    assert estimator.seconds(unit("adasyn")) == pytest.approx(3.0)
    # another dataset: the guess, scaled by what the guess was wrong by
    assert estimator.seconds(unit("adasyn", "wine")) == pytest.approx(3.0)
    ratio = guess.seconds(unit(dataset="large")) / guess.seconds(unit())
    assert estimator.seconds(unit("adasyn", "large")) == pytest.approx(3.0 * ratio)
    # and of a method that was measured elsewhere by what it took beside the others
    assert estimator.seconds(unit(dataset="wine")) == pytest.approx(4.0)
    # of another dataset nothing is known, its size included
    assert Estimator(plan(), [("smote", "elsewhere", "full", 2, 4.0)]).is_guess(unit())
    # smote takes twice the time of none, and everything on wine five times that of iris
    learned(estimator, (unit(), 4.0), (unit(dataset="wine"), 20.0))
    assert estimator.seconds(unit("none", "wine", draws=1)) == pytest.approx(5.0)
    assert estimator.seconds(unit("none", "iris", draws=1)) == pytest.approx(1.0)


def test_what_a_run_measures_corrects_what_was_measured_before():
    before = [
        (method, dataset, "full", 2, 100.0) for method in ("smote", "none", "vae") for dataset in ("iris", "wine")
    ]
    estimator = Estimator(plan(), before)
    # the machine is ten times as fast today; of the vae, which may have had other parameters, nothing follows
    learned(estimator, (unit(), 10.0))
    assert estimator.seconds(unit("none", "wine")) == pytest.approx(10.0)
    assert estimator.seconds(unit("vae", "wine")) == pytest.approx(100.0)
    learned(estimator, (unit("vae"), 1000.0))
    assert estimator.seconds(unit("vae", "wine")) == pytest.approx(1000.0)
    assert estimator.seconds(unit("none", "wine")) == pytest.approx(10.0)


def test_the_guess_follows_the_rows_that_are_trained_on():
    guess = Estimator(plan(), [])
    large = {name: guess.seconds(unit(name, "large", scenario="imbalance:count=20")) for name in ("none", "smote")}
    assert large["none"] < 0.8 * large["smote"]
    # a class less
    assert large["none"] < 0.8 * guess.seconds(unit("none", "large"))
    assert guess.seconds(unit("none", "large", scenario="few-shot:shots=5")) < 0.1 * large["none"]
    assert guess.seconds(unit("none", "iris", scenario="few-shot:shots=5")) == pytest.approx(
        guess.seconds(unit("none", "large", scenario="few-shot:shots=5"))
    )


def test_the_last_of_several_workers_decides_when_a_run_ends():
    assert makespan([5, 1, 1], 2) == 5
    assert makespan([1, 1, 5], 2) == 6
    assert makespan([1, 2, 3], 1) == 6
    assert makespan([1, 2], 16) == 2
    assert makespan([], 2) == 0


def test_only_what_is_like_the_plan_is_taken_from_a_store(tmp_path):
    def planned(**changes):
        suite = {"name": "mine", "draws": 4, "block": 2, "controls": False, "datasets": ["iris", "wine"],
                 "classifiers": ["logistic-regression"], "methods": ["smote"]}  # fmt: skip
        return make_plan(validate_suite(suite | changes, "mine"))

    rings = [{"name": "simulated-rings", "id": "rings", "params": {"n_train": 500}}]
    neighbours = {"name": "smote", "id": "smote", "params": {"k_neighbors": 3}}
    first = planned(datasets=["iris", *rings])
    with Store(tmp_path / "s.sqlite", write=True) as store:
        for number, unit_ in enumerate(first.units):
            store.save(unit_, UnitResult(unit_.key, seconds=float(number)), {})
        stored = {(unit_.method.id, unit_.dataset.id): 0.0 for unit_ in first.units}
        for number, unit_ in enumerate(first.units):
            stored[unit_.method.id, unit_.dataset.id] += number
        # of the very first unit nothing is known: its process died after 0 seconds
        draws = {cell: 2 if cell == ("none", "iris") else 4 for cell in stored}
        everything = sorted((*cell, "full", draws[cell], seconds) for cell, seconds in stored.items())
        assert sorted(measured_before(store, first)) == everything
        # another seed, other datasets, fewer methods
        assert sorted(measured_before(store, planned(seed=7, methods=["adasyn"]))) == everything
        assert measured_before(store, planned(classifiers=["logistic-regression", "mlp"])) == []
        none = [one for one in everything if one[0] == "none"]
        assert sorted(measured_before(store, planned(methods=[neighbours]))) == none
        larger = [rings[0] | {"params": {"n_train": 5000}}]
        iris = [one for one in everything if one[1] == "iris"]
        assert sorted(measured_before(store, planned(datasets=["iris", *larger]))) == iris


def test_neural_methods_and_the_others_are_kept_apart():
    guess = Estimator(plan(), [])
    slow = Estimator(plan(), [("vae", "iris", "full", 2, 900.0)])
    assert slow.seconds(unit()) == guess.seconds(unit())
    assert slow.is_guess(unit())
    fast = Estimator(plan(), [("smote", "iris", "full", 2, 0.1), ("gone", "iris", "full", 2, 0.1)])
    for method in ("vae", "hookless"):
        assert fast.seconds(unit(method)) == guess.seconds(unit(method))
        assert fast.is_guess(unit(method))
    # what one costs that tells it says nothing of one that does not
    assert slow.is_guess(unit("hookless"))
    # a method that is not in the plan is known by its name; a plugin's, that is not there now, counts for no kind
    stored = Estimator(plan(), [(name, "iris", "full", 2, 50.0) for name in ("latent-noise", "latent-noise+gc")])
    assert stored.seconds(unit("hookless")) == pytest.approx(50.0)
    assert stored.is_guess(unit())
    assert Estimator(plan(), [("gone", "iris", "full", 2, 0.1)]).is_guess(unit())


def test_a_method_may_tell_its_own_cost():
    guess = Estimator(plan(), [])
    fits = 2 * (1 + 3)
    # 120 of the 150 rows are trained on; a simulated set has test rows of its own
    assert guess.seconds(unit("vae")) == pytest.approx(fits * 120 * 3 / 10 + guess.seconds(unit("smote")))
    simulated = unit("vae", "simulated")
    assert guess.seconds(simulated) == pytest.approx(fits * 150 * 3 / 10 + guess.seconds(unit(dataset="simulated")))
    wrapped = Estimator(plan({"vae+gc": SimpleNamespace(requires=("torch",), augmenter=Neural())}), [])
    assert wrapped.seconds(unit("vae+gc")) == pytest.approx(guess.seconds(unit("vae")))
    # measured elsewhere: scaled for this method, not for another
    measured = Estimator(plan(), [("vae", "iris", "full", 2, 3 * guess.seconds(unit("vae")))])
    assert measured.seconds(unit("vae", "large")) == pytest.approx(3 * guess.seconds(unit("vae", "large")))
    assert not measured.is_guess(unit("vae", "large"))
    assert measured.seconds(unit("cvae")) == guess.seconds(unit("cvae"))
    assert measured.is_guess(unit("cvae"))


def test_a_plan_names_the_methods_of_which_nothing_was_measured(bench, plugin):
    body = "return X[y == 2].iloc[[0] * counts[2]], np.repeat(2, counts[2])"
    needs = "def expected_seconds(self, n_rows, n_classes):\n    return 5000.0 * (n_rows < 150) * (n_classes == 3)\n"
    path = plugin(body, "costly", needs=needs)
    args = ("run", "smoke", "--plugin", path, "--datasets", "iris", "--jobs", 1)
    assert bench(*args, "--methods", "smote", "--quiet").returncode == 0
    one = bench(*args, "--methods", "smote,costly", "--dry-run").stdout
    assert " h " in one
    assert "(a rough guess: nothing like it was measured yet)" in " ".join(one.split())
    more = bench(*args, "--methods", "smote,costly", "--draws", 3, "--dry-run").stdout
    assert "(from stored times; of costly a rough guess)" in " ".join(more.split())


def test_a_linear_classifier_on_many_rows_is_no_matter_of_hours():
    linear = tuple(SimpleNamespace(name=name) for name in ("logistic-regression", "one-unit-network"))
    guess = Estimator(plan(classifiers=linear), [])
    # 80,000 rows take them 0.1 s (`bench reproduce logistic-simulation`), a forest some seconds
    assert guess.seconds(unit(dataset="large", draws=1)) < 10
    assert Estimator(plan(), []).seconds(unit(dataset="large", draws=1)) > 20
