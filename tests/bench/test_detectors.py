"""Detectors in the harness: fitted once for each draw, in the place of every classifier, on the same draws."""

import itertools

import numpy as np
import pandas as pd
import pytest
from augbench import Detector, methods
from augbench.bench.evaluate import DrawCache, evaluate
from augbench.bench.plan import make_plan
from augbench.bench.plugins import load_plugin
from augbench.bench.suite import validate_suite
from augbench.datasets import DatasetInfo, FiniteDataset, Table
from augbench.methods.contract import pr_threshold
from sklearn.metrics import roc_auc_score

NAMES = (f"planted-detector-{i}" for i in itertools.count())
CLASSIFIERS = ["logistic-regression", {"name": "random-forest", "params": {"n_estimators": 5}}]


class Distance(Detector):
    """Squared Mahalanobis distance from the normal rows."""

    def _fit(self, X, y, series, rng):
        normal = X[y == self.normal_class_].to_numpy()
        self.mean_ = normal.mean(axis=0)
        self.inverse_ = np.linalg.inv(np.cov(normal.T) + 1e-6 * np.eye(normal.shape[1]))
        self.threshold_ = pr_threshold(self._score(X, series), y != self.normal_class_)
        self.training_history_ = pd.DataFrame({"model": "distance", "step": [0, 1], "loss": [2.0, float(len(y))]})

    def _score(self, X, series):
        centred = X.to_numpy() - self.mean_
        return np.einsum("ij,jk,ik->i", centred, self.inverse_, centred)


class Wide(FiniteDataset):
    """Rare rows that are spread wider; the code of the rare class can be chosen."""

    def __init__(self, rare=1, series=False, n=400):
        rng = np.random.default_rng(3)
        y = np.where(np.arange(n) % 10 == 0, rare, 1 - rare)
        X = rng.normal(size=(n, 3)) * np.where(y == rare, 3.0, 1.0)[:, None]
        self.table = Table(pd.DataFrame(X, columns=list("abc")), y, series=np.arange(n) // 40 if series else None)
        counts = tuple(np.bincount(y).tolist())
        self._info = DatasetInfo("wide", "Wide.", "yours", ("p", "q"), counts, 3, 0, f"{rare}{series}", series=series)

    @property
    def info(self):
        return self._info

    def load(self):
        return self.table


@pytest.fixture
def registered(monkeypatch):
    """Register a detector class for one test and return its name."""
    monkeypatch.setattr(methods, "_METHODS", dict(methods._METHODS))
    monkeypatch.setattr(methods, "GROUPS", {key: list(value) for key, value in methods.GROUPS.items()})

    def register(cls):
        name = next(NAMES)
        methods.register(cls, name)
        return name

    return register


def plan_of(names, dataset=None, **changes):
    content = {
        "name": "mine",
        "draws": 3,
        "block": 3,
        "controls": False,
        "methods": ["none", *names],
        "datasets": ["wide"],
        "classifiers": CLASSIFIERS,
    }
    own = {"wide": dataset or Wide()}
    return make_plan(validate_suite(content | changes, "mine"), own), own


def results_of(names, dataset=None, change_unit=lambda unit: unit, **changes):
    plan, own = plan_of(names, dataset, **changes)
    cache = DrawCache()
    cache.own.update(own)
    return {unit.method.id: evaluate(change_unit(unit), cache) for unit in plan.units}, cache, plan


@pytest.mark.parametrize("rare", [0, 1])
def test_it_finds_the_rare_class_whatever_its_code(registered, rare):
    name = registered(Distance)
    results, cache, plan = results_of([name], Wide(rare))
    unit = next(unit for unit in plan.units if unit.method.id == name)
    assert results[name].error == ""
    for none, draw in zip(results["none"].draws, results[name].draws, strict=True):
        assert none.content_hash == draw.content_hash
        assert list(draw.cells) == list(none.cells)
        assert (draw.n_generated, draw.fidelity) == (0, {})
        real = cache.draw(unit, draw.draw).whole
        alone = Distance().fit(real.train.X, real.train.y)
        p = alone.predict_proba(real.test.X)
        for cell in draw.cells.values():
            np.testing.assert_array_equal(cell.probabilities, p.astype(np.float32))
            assert np.array_equal(cell.labels, alone.predict(real.test.X))
            assert cell.scores["auroc"] == pytest.approx(roc_auc_score(real.test.y == rare, p[:, rare]))
            assert cell.scores["auroc"] > 0.8 > none.cells["logistic-regression"].scores["auroc"]
            assert "macro_f1_tuned" in cell.scores
        assert draw.seconds > 0


def test_its_decision_is_tuned_on_rows_that_it_was_not_fitted_to(registered):
    """A detector whose threshold is nonsense is put right by the tuned decision."""

    class Deaf(Distance):
        def _fit(self, X, y, series, rng):
            super()._fit(X, y, series, rng)
            self.threshold_ = 1e6

    name, fair = registered(Deaf), registered(Distance)
    results, _, _ = results_of([name, fair])
    for draw, other in zip(results[name].draws, results[fair].draws, strict=True):
        scores, fair_scores = (one.cells["logistic-regression"].scores for one in (draw, other))
        assert scores["recall_minority"] == 0
        assert scores["recall_minority_tuned"] > 0.3
        assert scores["auroc"] == pytest.approx(fair_scores["auroc"])


def test_all_draws_go_into_one_call_and_all_folds_into_another(registered):
    calls = []

    class Stacked(Distance):
        def fit_many(self, tables, random_states, series=None):
            calls.append([len(y) for _, y in tables])
            assert len(set(random_states)) == len(tables)
            return super().fit_many(tables, random_states, series)

    results, _, _ = results_of([registered(Stacked)], folds=3)
    assert [len(call) for call in calls] == [3, 9]
    assert max(calls[1]) < min(calls[0])
    assert not any(result.error for result in results.values())


def test_a_draw_that_fails_leaves_the_others_alone(registered):
    class Fussy(Distance):
        def fit_many(self, tables, random_states, series=None):
            fitted = super().fit_many(tables, random_states, series)
            return [RuntimeError("boom"), *fitted[1:]] if len(tables) == 3 else fitted

    class FussyOnFolds(Distance):
        def _fit(self, X, y, series, rng):
            if len(y) < 250:
                raise RuntimeError("too few")
            super()._fit(X, y, series, rng)

    whole, folds, good = registered(Fussy), registered(FussyOnFolds), registered(Distance)
    results, _, _ = results_of([whole, folds, good])
    assert results[whole].error == "RuntimeError: boom"
    cells = [draw.cells["logistic-regression"] for draw in results[whole].draws]
    assert [cell.error for cell in cells] == ["RuntimeError: boom", "", ""]
    assert cells[0].scores == {}
    fair = [draw.cells["logistic-regression"] for draw in results[good].draws]
    assert cells[1].scores == fair[1].scores
    for cell, other in zip((d.cells["logistic-regression"] for d in results[folds].draws), fair, strict=True):
        assert cell.scores["auroc"] == other.scores["auroc"]
        assert not any(key.endswith("_tuned") for key in cell.scores)


@pytest.mark.parametrize(
    ("hook", "body", "message"),
    [
        ("_score", lambda self, X, series: np.full(len(X), np.nan), "negative or no numbers"),
        ("_score", lambda self, X, series: np.zeros(len(X) + 1), "gave scores of shape"),
        ("_score", lambda self, X, series: -np.ones(len(X)), "negative"),
        ("_fit", lambda self, X, y, series, rng: None, "set threshold_ to None"),
        ("_fit", lambda self, X, y, series, rng: (_ for _ in ()).throw(SystemExit(3)), "SystemExit: 3"),
        ("predict_proba", lambda self, X, series=None: np.ones((len(X), 3)), "probabilities of shape"),
        ("predict_proba", lambda self, X, series=None: np.full((len(X), 2), np.nan), "not numbers"),
        ("fit_many", lambda self, tables, seeds, series=None: [], "returned 0 detectors for 3 training sets"),
    ],
)
def test_hostile_detectors_fail_with_a_message(registered, hook, body, message):
    def _fit(self, X, y, series, rng):
        self.threshold_ = 1.0

    hooks = {"_fit": _fit, "_score": lambda self, X, series: np.ones(len(X)), hook: body}
    name = registered(type("Hostile", (Detector,), hooks))
    results, _, _ = results_of([name])
    assert message in results[name].error
    assert results["none"].error == ""
    assert all(message in cell.error for draw in results[name].draws for cell in draw.cells.values())


def test_what_it_writes_into_its_input_reaches_nobody(registered):
    class Writing(Distance):
        def _fit(self, X, y, series, rng):
            super()._fit(X, y, series, rng)
            X.iloc[:, :] = 7.0
            y[:] = 0

        def _score(self, X, series):
            scores = super()._score(X, series)
            X.iloc[:, :] = 7.0
            return scores

    name = registered(Writing)
    plan, own = plan_of([name, "smote"])
    untouched = results_of(["smote"])[0]
    cache = DrawCache()
    cache.own.update(own)
    for unit in sorted(plan.units, key=lambda unit: unit.method.id != name):
        result = evaluate(unit, cache)
        if unit.method.id != name:
            for one, other in zip(result.draws, untouched[unit.method.id].draws, strict=True):
                assert one.content_hash == other.content_hash
                assert one.cells["logistic-regression"].scores == other.cells["logistic-regression"].scores


def test_series_reach_it(registered):
    seen = []

    class Windows(Distance):
        needs_series = True

        def _fit(self, X, y, series, rng):
            seen.append(series)
            super()._fit(X, y, series, rng)

    name = registered(Windows)
    results, cache, plan = results_of([name], Wide(series=True))
    assert results[name].error == ""
    unit = next(unit for unit in plan.units if unit.method.id == name)
    for index in range(3):
        assert np.array_equal(seen[index], cache.draw(unit, index).whole.train.series)


def test_where_it_does_not_apply(registered):
    class Windows(Distance):
        needs_series = True

    name, plain = registered(Windows), registered(Distance)

    def reasons(dataset, scenarios, datasets=("wide",)):
        plan, _ = plan_of([name, plain], dataset, scenarios=list(scenarios), datasets=list(datasets))
        return {(one.method, one.scenario): (one.status, one.reason) for one in plan.exclusions}

    said = reasons(Wide(), ["full", "full:rows=synthetic"])
    assert said[name, "full"] == ("not applicable", "needs time series; the rows of this dataset are independent")
    assert "synthetic rows only" in said[plain, "full:rows=synthetic"][1]
    assert (plain, "full") not in said
    said = reasons(Wide(series=True), ["full", "imbalance:count=5"])
    assert said == {(name, "imbalance:count=5"): ("not applicable", "needs unbroken series: only the scenario full")}
    said = reasons(None, ["full"], ["iris"])
    assert said[plain, "full"][1] == "takes two classes; there are 3"


def test_training_curves_are_kept_when_asked(registered):
    from dataclasses import replace

    from augbench import Augmenter

    class Curved(Augmenter):
        """Copies, with a curve of all but the first."""

        def fit_resample_many(self, tables, random_states, strategies):
            results = super().fit_resample_many(tables, random_states, strategies)
            self.training_histories_ = [None] + [
                pd.DataFrame({"model": "copies", "step": [0], "loss": [float(len(y))]}) for _, y in tables[1:]
            ]
            return results

        def _generate(self, X, y, counts, rng):
            codes = np.repeat(list(counts), list(counts.values()))
            return X.iloc[np.zeros(len(codes), dtype=int)], codes

    detector, augmenter = registered(Distance), registered(Curved)
    kept, _, _ = results_of([detector, augmenter, "smote"], change_unit=lambda unit: replace(unit, keep_training=True))
    for draw in kept[detector].draws:
        assert draw.training["loss"].tolist() == [2.0, draw.n_train]
    assert kept[augmenter].draws[0].training is None
    assert [draw.training["loss"].item() for draw in kept[augmenter].draws[1:]] == [kept["none"].draws[1].n_train] * 2
    assert all(draw.training is None for draw in kept["smote"].draws)
    dropped, _, _ = results_of([detector, augmenter])
    assert all(draw.training is None for name in (detector, augmenter) for draw in dropped[name].draws)


def test_a_detector_from_a_file_runs_to_the_leaderboard(bench, tmp_path):
    path = tmp_path / "far.py"
    path.write_text(
        "import numpy as np\nfrom augbench import Detector\n\n\nclass FarAway(Detector):\n"
        "    '''Distance from the mean of the normal rows.'''\n\n"
        "    numeric_only = True\n\n"
        "    def _fit(self, X, y, series, rng):\n"
        "        self.mean_ = X[y == self.normal_class_].mean()\n"
        "        self.threshold_ = float(np.median(self._score(X, series)))\n\n"
        "    def _score(self, X, series):\n"
        "        return np.sqrt(((X - self.mean_) ** 2).sum(axis=1).to_numpy())\n"
    )
    assert load_plugin(str(path)) == ["far-away"]
    listed = bench("run", "smoke", "--plugin", path, "--methods", "far-away", "--jobs", 2)
    assert listed.returncode == 0, listed.stderr
    row = next(line for line in listed.stdout.splitlines() if line.strip().startswith("far-away"))
    assert "failed" not in row
