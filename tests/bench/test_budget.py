"""Equal budgets: the same gradient steps, or the same time, for each training set of every method."""

from types import SimpleNamespace

import numpy as np
import pytest
from augbench import Augmenter, Detector, InputError, methods
from augbench.bench import budget as budgets
from augbench.bench import job
from augbench.bench.budget import MOST, steps_in, within_budget
from augbench.bench.cli import app
from augbench.bench.estimate import Estimator
from augbench.bench.evaluate import DrawCache, evaluate
from augbench.bench.plan import make_plan, takes_steps
from augbench.bench.suite import Entry, validate_suite
from typer.testing import CliRunner


class Stepped(Augmenter):
    """Copies; one network for each class that gets rows."""

    seen: list  # (number of training rows, steps) of each training

    def __init__(self, steps=1000, sampling_strategy="auto", random_state=None):
        super().__init__(sampling_strategy=sampling_strategy, random_state=random_state)
        self.steps = steps

    def n_networks(self, counts):
        return len(counts)

    def _generate(self, X, y, counts, rng):
        self.seen.append((len(y), self.steps))
        codes = np.repeat(list(counts), list(counts.values()))
        return X.iloc[[np.flatnonzero(y == code)[0] for code in codes]], codes


class Watching(Detector):
    """Distance from the mean; counts steps."""

    seen: list

    def __init__(self, steps=1000, random_state=None):
        super().__init__(random_state=random_state)
        self.steps = steps

    def _fit(self, X, y, series, rng):
        self.seen.append(self.steps)
        self.mean_, self.threshold_ = X[y == self.normal_class_].mean(), 1.0

    def _score(self, X, series):
        return ((X - self.mean_) ** 2).sum(axis=1).to_numpy()


@pytest.fixture
def registered(monkeypatch):
    """Register a method class, with a list of what it sees, for one test; return its name."""
    monkeypatch.setattr(methods, "_METHODS", dict(methods._METHODS))
    monkeypatch.setattr(methods, "GROUPS", {key: list(value) for key, value in methods.GROUPS.items()})

    def register(cls):
        cls.seen = []
        name = f"planted-{cls.__name__.lower()}"
        methods.register(cls, name)
        return name

    return register


def unit_of(method, **changes):
    content = {
        "name": "mine",
        "draws": 2,
        "block": 2,
        "controls": False,
        "methods": [method],
        "datasets": ["iris"],
        "classifiers": ["logistic-regression"],
        "scenarios": ["few-shot:shots=6"],
    }
    return make_plan(validate_suite(content | changes, "mine")).units[-1]


@pytest.mark.parametrize("text", ["steps=1", "steps=300", "seconds=5", "seconds=0.25"])
def test_budgets_that_can_be_written(text):
    assert unit_of({"name": "vae"}, budget=text).budget == text


@pytest.mark.parametrize("text", ["steps=0", "steps=1.5", "steps", "seconds=0", "seconds=0.0", "seconds=-1", "rows=3"])
def test_budgets_that_cannot(text):
    message = rf"suite mine: budget: must be steps=N .* or seconds=S .*; found '{text}'"
    with pytest.raises(InputError, match=message):
        unit_of("vae", budget=text)


def test_steps_are_dealt_to_the_networks_and_folds_get_those_of_the_whole(registered):
    name = registered(Stepped)
    evaluate(unit_of(name, budget="steps=100"), DrawCache())
    # few-shot: all three classes get rows
    assert {steps for _, steps in Stepped.seen} == {33}
    assert len(Stepped.seen) == 2 * (1 + 3)
    assert {rows for rows, _ in Stepped.seen} == {18, 12}
    Stepped.seen.clear()
    evaluate(unit_of(name, budget="steps=100", scenarios=["imbalance:count=12"]), DrawCache())
    # the two other classes are of equal size
    assert {steps for _, steps in Stepped.seen} == {100}
    Stepped.seen.clear()
    evaluate(unit_of(name, budget="steps=2"), DrawCache())
    assert {steps for _, steps in Stepped.seen} == {1}


def test_a_budget_wins_over_the_steps_of_the_suite(registered):
    name = registered(Stepped)
    evaluate(unit_of({"name": name, "id": name, "params": {"steps": 7}}, budget="steps=99"), DrawCache())
    assert {steps for _, steps in Stepped.seen} == {33}


def test_draws_with_other_steps_are_trained_apart_and_come_back_in_order(registered, monkeypatch):
    unit = unit_of(registered(Stepped), budget="steps=60", draws=3, block=3)
    monkeypatch.setattr(budgets, "_networks", lambda unit, method, one: (2, 1, 2)[one.draw.index])
    cache = DrawCache()
    assert within_budget(unit, [cache.draw(unit, i) for i in range(3)]) == [{"steps": n} for n in (30, 60, 30)]
    result = evaluate(unit, cache)
    assert [steps for rows, steps in Stepped.seen if rows == 18] == [30, 30, 60]
    assert [draw.draw for draw in result.draws] == [0, 1, 2]
    plain = evaluate(unit_of("planted-stepped", draws=3, block=3), cache)
    assert [draw.cells for draw in result.draws] != []
    for one, other in zip(result.draws, plain.draws, strict=True):
        # the rows do not depend on the steps here
        assert one.cells["logistic-regression"].scores == other.cells["logistic-regression"].scores


def test_a_detector_has_one_network(registered):
    unit = unit_of(registered(Watching), budget="steps=50", datasets=["breast-cancer"])
    evaluate(unit, DrawCache())
    assert set(Watching.seen) == {50}


def test_methods_that_train_nothing_run_as_they_are_and_keep_their_keys(registered):
    takes = [name for name in methods.names() if takes_steps(Entry(name=name))]
    assert set(takes) >= {"vae", "cvae", "predictive-vae", "latent-noise", *methods.GROUPS["detectors"]}
    assert not {"smote", "none", "jitter", "predictive-vae-published"} & set(takes)
    assert takes_steps(Entry(name="vae+gc"))
    assert not takes_steps(Entry(name="smote+gc"))
    assert not takes_steps(Entry(sampler="imblearn.over_sampling.SMOTE"))
    assert unit_of("smote", budget="steps=100").key == unit_of("smote").key
    keys = {unit_of("vae", budget=text).key for text in ("", "steps=100", "steps=200", "seconds=1")}
    assert len(keys) == 4


class Clock:
    """A clock that moves only when something is done."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


@pytest.mark.parametrize("start", [0.0, 2.0])
@pytest.mark.parametrize("cost", [0.2, 0.01, 1e-4])
def test_the_steps_of_a_time_are_found_by_measurement(start, cost):
    clock, runs = Clock(), []

    def train(steps):
        # the first run loads libraries
        clock.now += start + steps * cost + (5 if not runs else 0)
        runs.append(steps)
        return True

    found = steps_in(10.0, train, clock)
    assert found == pytest.approx((10.0 - start) / cost, rel=1e-3, abs=1)
    assert found >= 1
    # measuring takes no longer than training
    assert clock.now < 5 + 10 + len(runs) * start


def test_a_time_that_cannot_be_kept_or_filled():
    clock = Clock()

    def slow(steps):
        clock.now += 30 + steps
        return True

    assert steps_in(10.0, slow, clock) == 1
    assert steps_in(10.0, lambda steps: True, clock) == MOST
    # what fails is run as it is, and tells why
    assert steps_in(10.0, lambda steps: False, clock) == 1


def test_seconds_are_those_of_a_training_set_in_its_stack(registered):
    clock = Clock()

    class Stacked(Stepped):
        """Copies; all tables cost as much as one and a half."""

        def fit_resample_many(self, tables, random_states, strategies):
            clock.now += 0.5 + 1.5 * self.steps * 0.001
            return super().fit_resample_many(tables, random_states, strategies)

    unit = unit_of(registered(Stacked), budget="seconds=2")
    cache = DrawCache()
    prepared = [cache.draw(unit, index) for index in unit.draws]
    found = within_budget(unit, prepared, clock)
    assert found == [found[0]] * 2
    assert found[0]["steps"] == pytest.approx((2 * 2 - 0.5) / 0.0015, rel=1e-3)
    # only whole draws are trained for it
    assert {rows for rows, _ in Stacked.seen} == {18}


def test_a_run_within_seconds_is_trained_for_the_steps_that_were_found(registered, monkeypatch):
    monkeypatch.setattr(budgets, "steps_in", lambda seconds, train, clock: round(100 * seconds))
    evaluate(unit_of(registered(Stepped), budget="seconds=1.5"), DrawCache())
    assert {steps for _, steps in Stepped.seen} == {300}


def test_a_method_that_fails_within_seconds_says_why(registered):
    class Broken(Stepped):
        """Fails."""

        def _generate(self, X, y, counts, rng):
            raise ValueError("no rows today")

    result = evaluate(unit_of(registered(Broken), budget="seconds=5"), DrawCache())
    assert result.error == "ValueError: no rows today"


def test_estimates_follow_budgets_and_trials():
    class Costly:
        steps = 1000

        def expected_seconds(self, n_rows, n_classes):
            return 40.0

        def n_networks(self, counts):
            return len(counts)

    def seconds(method="costly", trials=0, budget=""):
        classifiers = tuple(SimpleNamespace(name=name) for name in ("mlp", "random-forest"))
        suite = SimpleNamespace(classifiers=classifiers, folds=3, test_fraction=0.2, trials=trials, budget=budget)
        info = SimpleNamespace(class_counts=(50, 50, 50), classes=("x", "y", "z"))
        known = {
            "costly": Costly(),
            "costly+gc": SimpleNamespace(augmenter=Costly(), n_networks=len),
            "smote": object(),
        }
        plan = SimpleNamespace(suite=suite, infos={"iris": info}, methods=known, fresh=set())
        unit = SimpleNamespace(
            method=SimpleNamespace(id=method),
            dataset=SimpleNamespace(id="iris"),
            scenario=SimpleNamespace(id="full"),
            draws=(0,),
        )
        # what was measured under other settings tells nothing
        history = [] if not trials and not budget else [(method, "iris", "full", 1, 1e9)]
        return Estimator(plan, history).seconds(unit)

    fits = seconds("smote")
    assert seconds() == pytest.approx(fits + 4 * 40)
    # two networks of 1,000 steps each cost 40 seconds
    assert seconds(budget="steps=500") == pytest.approx(fits + 4 * 10)
    assert seconds("costly+gc", budget="steps=500") == pytest.approx(fits + 4 * 10)
    assert seconds(budget="seconds=3") == pytest.approx(fits + 4 * 3)
    assert seconds("smote", budget="seconds=3") == fits
    assert seconds("smote", trials=20) == pytest.approx(fits * (20 * 3 + 4) / 4)
    assert seconds(trials=20) == pytest.approx((fits / 4 + 2 * 40) * (20 * 3 + 4))


def test_the_command_line_passes_both_on(monkeypatch):
    taken = []
    monkeypatch.setattr(job, "run_suite", lambda suite, *others: taken.append(suite))
    for options in ([], ["--tune", "7", "--budget", "seconds=2.5"]):
        assert CliRunner().invoke(app, ["run", "smoke", *options]).exit_code == 0
    assert [(suite.trials, suite.budget) for suite in taken] == [(0, ""), (7, "seconds=2.5")]
    refused = CliRunner().invoke(app, ["run", "smoke", "--budget", "steps=many"])
    assert isinstance(refused.exception, InputError)
    assert "budget: must be steps=N" in str(refused.exception)
