"""Tuning: the same number of trials for everybody, judged on training rows alone."""

import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from augbench import Augmenter, Detector, InputError, methods
from augbench.bench import budget, classifiers, device, tuning
from augbench.bench.evaluate import DrawCache, evaluate
from augbench.bench.outcome import Stopwatch
from augbench.bench.plan import make_plan, method_instance
from augbench.bench.prepare import PreparedDraw
from augbench.bench.space import classifier_space, contains, defaults, method_space
from augbench.bench.suite import Entry, validate_suite
from augbench.methods.contract import pr_threshold
from augbench.methods.search import Choice, Real, Whole

optuna = pytest.importorskip("optuna")

LOGISTIC = {"name": "logistic-regression", "id": "logistic", "params": {"C": 1.0}}


class Shifted(Augmenter):
    """Copies; |level - 7| sevenths of them are of rows of other classes: harmful but for level = 7."""

    search_space = {"level": Whole(0, 12)}  # noqa: RUF012

    def __init__(self, level=0, sampling_strategy="auto", random_state=None):
        super().__init__(sampling_strategy=sampling_strategy, random_state=random_state)
        self.level = level

    def _generate(self, X, y, counts, rng):
        rows = []
        for code, n in counts.items():
            wrong = round(n * min(1, abs(self.level - 7) / 7))
            rows += [np.resize(np.flatnonzero(y != code), wrong), np.resize(np.flatnonzero(y == code), n - wrong)]
        return X.iloc[np.concatenate(rows)].reset_index(drop=True), np.repeat(list(counts), list(counts.values()))


class Spread(Detector):
    """Squared distance from the mean of the normal rows; with another power it is told wrongly."""

    search_space = {"sign": Choice((-1, 1))}  # noqa: RUF012

    def __init__(self, sign=-1, random_state=None):
        super().__init__(random_state=random_state)
        self.sign = sign

    def _fit(self, X, y, series, rng):
        self.mean_ = X[y == self.normal_class_].mean()
        self.threshold_ = pr_threshold(self._score(X, series), y != self.normal_class_)

    def _score(self, X, series):
        return np.exp(0.01 * self.sign * np.sqrt(((X - self.mean_) ** 2).sum(axis=1)).to_numpy())


@pytest.fixture
def registered(monkeypatch):
    """Register a method class for one test and return its name."""
    monkeypatch.setattr(methods, "_METHODS", dict(methods._METHODS))
    monkeypatch.setattr(methods, "GROUPS", {key: list(value) for key, value in methods.GROUPS.items()})

    def register(cls, name=None):
        methods.register(cls, name or f"planted-{cls.__name__.lower()}")
        return name or f"planted-{cls.__name__.lower()}"

    return register


def plan_of(names, **changes):
    content = {
        "name": "mine",
        "draws": 1,
        "block": 1,
        "controls": False,
        "methods": ["none", *names],
        "datasets": ["breast-cancer"],
        "classifiers": [LOGISTIC],
        "scenarios": ["imbalance:count=20"],
        "trials": 4,
    }
    return make_plan(validate_suite(content | changes, "mine"))


def unit_of(name, **changes):
    return next(unit for unit in plan_of([name] if name != "none" else [], **changes).units if unit.method.id == name)


def scores(result, classifier="logistic"):
    return [draw.cells[classifier].scores["macro_f1"] for draw in result.draws]


class TestSearch:
    SPACE = {"x": Real(0.01, 100.0, log=True), "c": Choice(("auto", 1, True)), "n": Whole(1, 9)}  # noqa: RUF012
    START = {"x": 1.0, "c": "auto", "n": 5}  # noqa: RUF012

    @staticmethod
    def objective(changes):
        x, c, n = changes.get("x", 1.0), changes.get("c", "auto"), changes.get("n", 5)
        return 10 - abs(np.log10(x) - 1) - 3 * (c is not True) - abs(n - 8)

    def test_it_finds_what_is_better_and_is_the_same_again(self):
        found = tuning.search(self.SPACE, self.START, self.objective, 60, seed=5)
        assert found.values["c"] is True
        assert abs(found.values["n"] - 8) <= 1
        assert 4 < found.values["x"] < 25
        assert found.changes == found.values
        assert found.score == self.objective(found.values) > 9
        assert tuning.search(self.SPACE, self.START, self.objective, 60, seed=5) == found
        assert tuning.search(self.SPACE, self.START, self.objective, 60, seed=6).values != found.values

    def test_the_first_trial_changes_nothing_and_wins_ties(self):
        asked = []
        found = tuning.search(self.SPACE, self.START, lambda changes: asked.append(changes) or 0.5, 7, seed=0)
        assert asked[0] == {}
        assert len(asked) == found.trials == 7
        assert (found.changes, found.values, found.score) == ({}, self.START, 0.5)

    def test_one_trial_is_the_defaults(self):
        assert tuning.search(self.SPACE, self.START, self.objective, 1, seed=0).changes == {}

    def test_a_start_outside_its_range_is_tried_too(self):
        start = self.START | {"n": 200}
        found = tuning.search(self.SPACE, start, lambda changes: 1.0 if not changes else 0.0, 5, seed=0)
        assert (found.changes, found.values["n"]) == ({}, 200)

    def test_equal_parameters_are_not_asked_for_twice_and_count(self):
        asked, ticks = [], []
        space, start = {"c": Choice((1, 2))}, {"c": 1}
        found = tuning.search(space, start, lambda c: asked.append(c) or 0.0, 9, 0, lambda: ticks.append(1))
        assert 1 <= len(asked) <= 2
        assert len(ticks) == found.trials == 9

    def test_nothing_to_tune_is_no_trial(self):
        found = tuning.search({}, {}, lambda changes: pytest.fail("asked"), 9, seed=0)
        assert found.record() == {"trials": 0}

    @pytest.mark.parametrize("bad", [ValueError("no good"), float("nan")])
    def test_failing_trials_are_never_chosen(self, bad):
        def objective(changes):
            if changes.get("n", 5) > 3:
                if isinstance(bad, float):
                    return bad
                raise bad
            return 0.2

        found = tuning.search(self.SPACE, self.START, objective, 30, seed=1)
        assert found.values["n"] <= 3
        assert found.error is None
        assert found.record()["failed_trials"] == found.failed > 0

    def test_if_all_fail_the_first_reason_is_there(self):
        def objective(changes):
            raise ValueError("first" if not changes else "later")

        found = tuning.search(self.SPACE, self.START, objective, 3, seed=1)
        assert str(found.error) == "first"
        assert found.changes == {}
        assert found.record() == self.START | {"trials": 3, "failed_trials": 3}


def test_a_planted_parameter_is_found_and_helps_on_the_test_rows(registered):
    name = registered(Shifted)
    tuned = evaluate(unit_of(name, trials=15), DrawCache())
    plain = evaluate(unit_of(name, trials=0), DrawCache())
    [cell] = [draw.cells["logistic"] for draw in tuned.draws]
    assert cell.tuned["method.level"] == 7
    assert cell.tuned["trials"] == 15
    assert scores(tuned)[0] > scores(plain)[0] + 0.05
    assert plain.draws[0].cells["logistic"].tuned == {}
    # what is stored of the draw is of the tuned method
    assert tuned.draws[0].n_generated == plain.draws[0].n_generated > 0


def test_the_chosen_parameters_evaluated_as_a_suite_of_their_own_give_the_same_scores():
    unit = unit_of("smote", classifiers=[{"name": "one-unit-network", "id": "unit"}], trials=6)
    tuned = evaluate(unit, DrawCache())
    chosen = tuned.draws[0].cells["unit"].tuned
    # seven epochs are far too few
    assert chosen["classifier.epochs"] != 7
    params = {name: chosen[f"classifier.{name}"] for name in ("epochs", "learning_rate")}
    by_hand = unit_of(
        "smote",
        methods=["none", {"name": "smote", "id": "smote", "params": {"k_neighbors": chosen["method.k_neighbors"]}}],
        classifiers=[{"name": "one-unit-network", "id": "unit", "params": params}],
        trials=0,
    )
    again = evaluate(by_hand, DrawCache())
    assert again.draws[0].cells["unit"].scores == tuned.draws[0].cells["unit"].scores


class Landmine:
    """A test part that must not be looked at."""

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        raise AssertionError(f"tuning looked at the test rows ({name})")


@pytest.mark.parametrize("name", ["none", "smote", "threshold-tuned", "planted-spread"])
def test_test_rows_never_reach_the_objective(registered, name):
    registered(Spread)
    unit = unit_of(name)
    drawn = DrawCache().draw(unit, 0).draw
    mined = PreparedDraw(replace(drawn, test=Landmine()), unit.folds)
    with pytest.raises(AssertionError, match="looked at the test rows"):
        _ = mined.whole
    [[found]] = tuning.tune(replace(unit, classifiers=unit.classifiers), [mined], [{}], Stopwatch())
    [[same]] = tuning.tune(unit, [PreparedDraw(drawn, unit.folds)], [{}], Stopwatch())
    assert found == same
    # logistic regression is fixed here, so that none and threshold-tuned have nothing to tune
    assert found.trials == (4 if name in ("smote", "planted-spread") else 0)


def test_methods_and_baselines_get_the_same_number_of_trials_for_each_classifier(registered, monkeypatch):
    judged = []
    predict_inner, offsets = tuning.predict_inner, tuning.tune_offsets
    monkeypatch.setattr(
        tuning, "predict_inner", lambda *args: judged.append((args[0].method.id, args[2].id)) or predict_inner(*args)
    )
    monkeypatch.setattr(tuning, "tune_offsets", lambda *args: judged.append("offsets") or offsets(*args))
    entries = ["logistic-regression", {"name": "one-unit-network", "id": "unit", "params": {"epochs": 2}}]
    names = ["smote", "class-weight", "threshold-tuned", "random-oversampling", registered(Shifted)]
    plan = plan_of(names, classifiers=entries, trials=5, datasets=["iris"], scenarios=["imbalance:count=12"])
    cache = DrawCache()
    for unit in plan.units:
        result = evaluate(unit, cache)
        assert result.error == ""
        assert {id_: cell.tuned["trials"] for id_, cell in result.draws[0].cells.items()} == {
            "logistic-regression": 5,
            "unit": 5,
        }
    for name in ("none", *names):
        for id_ in ("logistic-regression", "unit"):
            assert judged.count((name, id_)) == 5
    # by the decision that it is scored by
    assert judged.count("offsets") == 2 * 5


def test_a_detector_is_tuned_once_for_all_classifiers(registered, monkeypatch):
    judged = []
    detect_inner = tuning.detect_inner
    monkeypatch.setattr(tuning, "detect_inner", lambda *args: judged.append(args[1].sign) or detect_inner(*args))
    unit = unit_of(registered(Spread), classifiers=["logistic-regression", "random-forest"], draws=2, block=2, trials=8)
    result = evaluate(unit, DrawCache())
    assert sorted(judged) == [-1, -1, 1, 1]
    for draw in result.draws:
        first, second = draw.cells.values()
        assert first.tuned == second.tuned
        assert (first.tuned["method.sign"], first.tuned["trials"]) == (1, 8)
        assert first.scores == second.scores
        assert first.scores["auroc"] > 0.5


def test_all_trials_fail_or_some_do(registered):
    class Picky(Shifted):
        """Copies; fails for the default level."""

        def _generate(self, X, y, counts, rng):
            if self.level < self.least:
                raise ValueError(f"level {self.level} is too low")
            return super()._generate(X, y, counts, rng)

    class Never(Picky):
        least = 99

    class Sometimes(Picky):
        least = 1

    never = evaluate(unit_of(registered(Never)), DrawCache())
    cell = never.draws[0].cells["logistic"]
    assert never.error == cell.error == "ValueError: level 0 is too low"
    assert cell.scores == {}
    assert cell.tuned == {"method.level": 0, "trials": 4, "failed_trials": 4}
    sometimes = evaluate(unit_of(registered(Sometimes)), DrawCache())
    cell = sometimes.draws[0].cells["logistic"]
    assert sometimes.error == ""
    assert cell.tuned["method.level"] >= 1
    assert cell.tuned["failed_trials"] >= 1


def test_trials_warn_of_nothing_and_the_chosen_method_does(registered):
    class Loud(Shifted):
        """Copies; warns."""

        def _generate(self, X, y, counts, rng):
            import warnings

            warnings.warn(f"level {self.level}", stacklevel=2)
            return super()._generate(X, y, counts, rng)

    result = evaluate(unit_of(registered(Loud), trials=10), DrawCache())
    assert result.warnings == [f"level {result.draws[0].cells['logistic'].tuned['method.level']}"]


def test_a_draw_without_inner_folds_keeps_what_the_suite_gives_and_says_so():
    few = {"scenarios": ["few-shot:shots=2"], "draws": 2, "block": 2, "datasets": ["iris"]}
    result = evaluate(unit_of("smote", **few), DrawCache())
    plain = evaluate(unit_of("smote", trials=0, **few), DrawCache())
    assert [text for text in result.warnings if "tuning" in text] == [
        "tuning: a class has too few training rows for inner folds; what the suite gives is used"
    ]
    assert [draw.cells["logistic"].tuned for draw in result.draws] == [{"trials": 0}] * 2
    assert scores(result) == scores(plain)


def test_what_stands_once_for_a_draw_is_the_mean_over_the_classifiers(registered, monkeypatch):
    levels = {"logistic": 7, "unit": 3}

    def search(space, start, objective, trials, seed, tick):
        level = levels["unit" if "classifier.epochs" in space else "logistic"]
        return tuning.Found({"method.level": level}, {"method.level": level}, 0.5, trials)

    monkeypatch.setattr(tuning, "search", search)
    entries = [LOGISTIC, {"name": "one-unit-network", "id": "unit"}]
    name = registered(Shifted)
    [draw] = evaluate(unit_of(name, classifiers=entries), DrawCache()).draws
    assert [cell.tuned["method.level"] for cell in draw.cells.values()] == [7, 3]
    parts = []
    for level in (7, 3):
        one = {"name": name, "id": name, "params": {"level": level}}
        parts += evaluate(unit_of(name, methods=["none", one], trials=0), DrawCache()).draws
    # the seed of the rows does not depend on their number
    for key, value in draw.fidelity.items():
        # without categorical columns there is no total variation
        assert value == pytest.approx(np.mean([part.fidelity[key] for part in parts]), nan_ok=True)
    assert sum(np.isfinite(list(draw.fidelity.values()))) > 5


def test_the_same_result_in_whatever_process(tmp_path):
    """A worker that hashes strings otherwise, and has computed nothing before."""
    content = {
        **{"name": "mine", "draws": 2, "block": 2, "trials": 6, "controls": False, "methods": ["smote"]},
        **{"datasets": ["iris"], "classifiers": ["logistic-regression"], "scenarios": ["imbalance:count=12"]},
    }
    script = (
        "from augbench.bench.suite import validate_suite\n"
        "from augbench.bench.plan import make_plan\n"
        "from augbench.bench.evaluate import evaluate\n"
        f"unit = make_plan(validate_suite({content!r}, 'mine')).units[-1]\n"
        "print([(name, c.tuned, c.scores) for draw in evaluate(unit).draws for name, c in draw.cells.items()])\n"
    )
    # the same kernels: on another kind of processor the last bits are others
    blas = {name: value for name, value in os.environ.items() if name.startswith("OPENBLAS_")}
    env = {"PYTHONHASHSEED": "2", "PATH": "", **blas, "OMP_NUM_THREADS": "1"}
    run = subprocess.run(
        [sys.executable, "-c", script], env=env, capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert run.stderr == ""
    cache = DrawCache()
    results = [evaluate(unit, cache) for unit in make_plan(validate_suite(content, "mine")).units]
    here = [(name, c.tuned, c.scores) for draw in results[-1].draws for name, c in draw.cells.items()]
    assert run.stdout.strip() == repr(here)
    assert {one[1]["trials"] for one in here} == {6}


class TestSuite:
    def test_tuning_without_folds_is_refused(self):
        with pytest.raises(InputError, match=r"trials: tuning needs inner folds; found trials = 4 with folds = 0"):
            plan_of([], folds=0)
        with pytest.raises(InputError, match="trials"):
            plan_of([], trials=-1)

    def test_without_optuna_nothing_is_run(self, monkeypatch):
        monkeypatch.setattr(device, "_is_importable", lambda name: name != "optuna")
        with pytest.raises(InputError, match=r"tuning \(trials = 4\) needs optuna.*pip install optuna.*extra 'tune'"):
            plan_of([])
        assert plan_of([], trials=0).units

    def test_keys_know_of_tuning_only_where_there_is_any(self, monkeypatch):
        keys = [unit_of("smote", trials=trials).key for trials in (0, 4, 5)]
        assert len(set(keys)) == 3
        from augbench.bench import plan

        hashed, name = plan.source_hash, "augbench.bench.tuning"
        monkeypatch.setattr(plan, "source_hash", lambda *names: hashed(*names) + "changed" * (name in names))
        assert unit_of("smote", trials=0).key == keys[0]
        assert unit_of("smote", trials=4).key != keys[1]

    def test_what_the_suite_sets_is_not_tuned(self):
        cls = methods.get("latent-noise")
        assert "noise" in cls.search_space
        entry = Entry(name="latent-noise", params={"noise": 0.1})
        assert set(cls.search_space) - set(method_space(entry, cls)) == {"noise"}
        assert classifier_space(Entry(**LOGISTIC)) == {}

    def test_a_budget_takes_the_length_of_training_out_of_the_space(self, registered):
        class Long(Shifted):
            search_space = {"steps": Whole(1, 9), "level": Whole(0, 9)}  # noqa: RUF012

        entry = Entry(name="x")
        assert set(method_space(entry, Long())) == {"steps", "level"}
        assert set(method_space(entry, Long(), "steps=5")) == {"level"}

    @pytest.mark.parametrize(
        ("space", "message"),
        [
            ({"levle": Whole(0, 9)}, "parameter in the search space of method 'planted-wrong' 'levle'.*level"),
            ({"level": (0, 9)}, "'level' must be Whole or Real .* found \\(0, 9\\)"),
            ({"level": Whole(9, 0)}, "low <= high"),
            ({"level": Real(0.0, 1.0, log=True)}, "above 0 with log"),
            ({"level": Choice(())}, "at least one value"),
        ],
    )
    def test_a_space_that_makes_no_sense_is_refused_before_anything_runs(self, registered, space, message):
        name = registered(type("Wrong", (Shifted,), {"search_space": space}))
        with pytest.raises(InputError, match=message):
            plan_of([name])
        assert plan_of([name], trials=0).units

    def test_a_plugins_classifier_declares_its_space(self, monkeypatch):
        from sklearn.naive_bayes import GaussianNB

        class Tunable(GaussianNB):
            """Naive Bayes."""

            search_space = {"var_smoothing": Real(1e-9, 1.0, log=True)}  # noqa: RUF012

        monkeypatch.setattr(classifiers, "_CLASSIFIERS", dict(classifiers._CLASSIFIERS))
        monkeypatch.setattr(classifiers, "GROUPS", {"all": []})
        classifiers.register(Tunable, "tunable")
        result = evaluate(unit_of("none", classifiers=["tunable"], datasets=["iris"], scenarios=["full"]), DrawCache())
        assert result.draws[0].cells["tunable"].tuned["trials"] == 4
        assert 1e-9 <= result.draws[0].cells["tunable"].tuned["classifier.var_smoothing"] <= 1.0


def bounds(over):
    return over.values if isinstance(over, Choice) else (over.low, over.high)


#: parameters whose default lies outside their range, and why
OUTSIDE: dict[tuple[str, str], str] = {}
TUNABLE = [name for name in [*methods.names(), "smote+gc", "latent-noise+gc"] if name not in ("none",)]


@pytest.mark.parametrize("name", TUNABLE)
def test_every_search_space_is_of_parameters_that_can_be_set(name):
    method = methods.make(name)
    space = method.search_space
    assert set(space) <= set(methods.allowed_parameters(name))
    assert len(space) <= 4
    # the length of training is a matter of budget
    assert not {"steps", "epochs", "device", "dtype"} & set(space)
    start = defaults(method, space)
    for parameter, over in space.items():
        assert contains(over, start[parameter]) != ((name, parameter) in OUTSIDE)
        for value in bounds(over):
            built = methods.make(name, {parameter: value})
            assert defaults(built, [parameter]) == {parameter: value}


def test_the_methods_that_have_parameters_worth_tuning_declare_them():
    with_space = {name for name in methods.names() if methods.get(name).search_space}
    assert with_space >= {"jitter", *methods.GROUPS["neighbours"], *methods.GROUPS["detectors"]}
    assert set(methods.GROUPS["vae-family"]) - with_space == {"predictive-vae-published"}
    assert method_instance(Entry(name="latent-noise+gc")).search_space == methods.get("latent-noise").search_space
    # of the method, not the filter's own parameter of the same name
    assert defaults(methods.make("latent-noise+gc", {"noise": 0.3, "gc_noise": 0.9}), ["noise"]) == {"noise": 0.3}


@pytest.mark.parametrize("name", [name for name in classifiers.names() if classifiers.search_space(name)])
def test_every_classifier_builds_and_fits_at_the_ends_of_its_ranges(name):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 3))
    y = (X[:, 0] > 0).astype(int)
    space = classifiers.search_space(name)
    start = defaults(classifiers.make(name), space)
    for parameter, over in space.items():
        assert contains(over, start[parameter])
        for value in bounds(over):
            model = classifiers.make(name, {parameter: value}, random_state=0)
            assert np.isfinite(model.fit(X, y).predict_proba(X)).all()


def test_all_five_classifiers_have_something_to_tune():
    ours = ["logistic-regression", "one-unit-network", "mlp", "random-forest", "hist-gradient-boosting"]
    assert all(classifiers.search_space(name) for name in ours)


def test_tuning_within_a_budget_of_steps(registered):
    seen = []

    class Stepped(Shifted):
        """Copies; notes its steps."""

        def __init__(self, level=0, steps=1000, sampling_strategy="auto", random_state=None):
            super().__init__(level, sampling_strategy, random_state)
            self.steps = steps

        def n_networks(self, counts):
            return 2

        def _generate(self, X, y, counts, rng):
            seen.append(self.steps)
            return super()._generate(X, y, counts, rng)

    unit = unit_of(registered(Stepped), budget="steps=50")
    assert budget.within_budget(unit, [DrawCache().draw(unit, 0)]) == [{"steps": 25}]
    cell = evaluate(unit, DrawCache()).draws[0].cells["logistic"]
    assert set(seen) == {25}
    assert "method.steps" not in cell.tuned
    assert pd.Series(cell.tuned).index.tolist() == ["method.level", "inner_macro_f1", "trials"]
