"""Estimates of time: what was measured of one kind of method says nothing of the other kind."""

from types import SimpleNamespace

import pytest
from augbench.bench.estimate import Estimator

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
    sizes = {"iris": 150, "wine": 150, "large": 80_000, "simulated": 150}
    infos = {name: SimpleNamespace(n_rows=rows, classes=("x", "y", "z")) for name, rows in sizes.items()}
    neural = {"vae": Neural(), "cvae": Neural(), "hookless": SimpleNamespace(requires=("torch",))}
    methods = {name: SimpleNamespace() for name in ("none", "smote", "adasyn")} | neural | (methods or {})
    return SimpleNamespace(suite=suite, infos=infos, methods=methods, fresh={"simulated"})


def unit(method="smote", dataset="iris", draws=2):
    return SimpleNamespace(
        method=SimpleNamespace(id=method),
        dataset=SimpleNamespace(id=dataset),
        scenario=SimpleNamespace(id="full"),
        draws=tuple(range(draws)),
    )


def test_estimates_come_from_the_same_cell_then_the_dataset_then_its_size():
    guess = Estimator(plan(), [])
    assert guess.is_guess(unit())
    assert guess.seconds(unit(dataset="large")) > 20 * guess.seconds(unit())
    estimator = Estimator(plan(), [("smote", "iris", "full", 2, 4.0), ("none", "iris", "full", 2, 2.0)])
    assert not estimator.is_guess(unit("adasyn", "wine"))
    assert estimator.seconds(unit()) == 4.0
    assert estimator.seconds(unit("adasyn")) == pytest.approx(3.0)
    # another dataset: the guess, scaled by what the guess was wrong by
    assert estimator.seconds(unit(dataset="wine")) == pytest.approx(3.0)
    ratio = guess.seconds(unit(dataset="large")) / guess.seconds(unit())
    assert estimator.seconds(unit(dataset="large")) == pytest.approx(3.0 * ratio)
    estimator.learn(unit(dataset="wine"), 20.0)
    assert estimator.seconds(unit("none", "wine", draws=1)) == pytest.approx(10.0)


def test_neural_methods_and_the_others_are_kept_apart():
    guess = Estimator(plan(), [])
    slow = Estimator(plan(), [("vae", "iris", "full", 2, 900.0)])
    assert slow.seconds(unit()) == guess.seconds(unit())
    assert slow.is_guess(unit())
    fast = Estimator(plan(), [("smote", "iris", "full", 2, 0.1), ("gone", "iris", "full", 2, 0.1)])
    for method in ("vae", "hookless"):
        assert fast.seconds(unit(method)) == guess.seconds(unit(method))
        assert fast.is_guess(unit(method))
    # of the same kind: where a method does not tell its cost
    assert slow.seconds(unit("hookless")) == pytest.approx(900.0)
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
    # 80,000 rows take them 0.1 s (`bench reproduce logistic-simulation`), a forest some 20 s
    assert guess.seconds(unit(dataset="large", draws=1)) < 10
    assert Estimator(plan(), []).seconds(unit(dataset="large", draws=1)) > 60
