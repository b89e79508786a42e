import numpy as np
import pandas as pd
import pytest
from augbench import Augmenter
from augbench.bench.evaluate import DrawCache, evaluate
from augbench.bench.plan import make_plan
from augbench.bench.plugins import load_plugin
from augbench.bench.prepare import MISSING, Part, Preparation
from augbench.bench.suite import validate_suite
from augbench.datasets import Table


def frame(**columns):
    return pd.DataFrame(columns)


def plan_of(methods=(), **changes):
    content = {
        "name": "mine",
        "draws": 1,
        "datasets": ["iris"],
        "classifiers": ["logistic-regression"],
        "scenarios": ["imbalance:count=12"],
        "methods": list(methods),
    }
    return make_plan(validate_suite(content | changes, "mine"))


def results_of(plan, cache=None):
    cache = cache or DrawCache()
    return {unit.method.id: evaluate(unit, cache) for unit in plan.units}


class TestPreparation:
    def test_gaps_get_the_training_median_and_a_category_of_their_own(self):
        train = frame(a=[1.0, np.nan, 3.0, 100.0], c=pd.Categorical(["u", None, "v", "u"]))
        fitted = Preparation.fit(train)
        done = fitted.complete(train)
        assert done["a"].tolist() == [1.0, 3.0, 3.0, 100.0]
        assert done["c"].tolist() == ["u", MISSING, "v", "u"]
        assert not done.isna().any(axis=None)

    def test_test_rows_never_move_it(self):
        train = frame(a=[1.0, 2.0, 3.0], c=pd.Categorical(["u", "v", "u"]))
        test = frame(a=[np.nan, 1e9], c=pd.Categorical(["w", "v"], categories=["v", "w"]))
        part = Part.of(Table(train, np.array([0, 1, 0])), Table(test, np.array([0, 1])))
        encoded = part.encoded("test", scaled=True)
        assert encoded[0].tolist() == [0.0, 0.0, 0.0]  # the median, and a category never seen
        assert encoded[1, 1:].tolist() == [0.0, 1.0]
        np.testing.assert_allclose(part.encoded("train", scaled=True)[:, 0].std(), 1.0)

    def test_an_empty_or_constant_training_column_is_no_trouble(self):
        train = frame(a=[np.nan, np.nan], b=[7.0, 7.0])
        encoded = Preparation.fit(train).encode(Preparation.fit(train).complete(train), scaled=True)
        np.testing.assert_array_equal(encoded, np.zeros((2, 2)))

    def test_scaling_equals_scikit_learns(self):
        from sklearn.preprocessing import OneHotEncoder, StandardScaler

        rng = np.random.default_rng(0)
        train = frame(a=rng.normal(3, 9, 50), b=rng.exponential(size=50), c=pd.Categorical(rng.choice(list("xyz"), 50)))
        test = frame(a=rng.normal(size=20), b=rng.normal(size=20), c=pd.Categorical(rng.choice(list("xyzw"), 20)))
        fitted = Preparation.fit(train)
        got = fitted.encode(fitted.complete(test), scaled=True)
        scaler = StandardScaler().fit(train[["a", "b"]])
        encoder = OneHotEncoder(handle_unknown="ignore", sparse_output=False).fit(train[["c"]])
        want = np.hstack([scaler.transform(test[["a", "b"]]), encoder.transform(test[["c"]])])
        np.testing.assert_allclose(got, want, atol=1e-12)


def test_every_method_sees_the_same_real_rows():
    plan = plan_of(["neighbours"], draws=2)
    results = results_of(plan)
    hashes = {tuple(draw.content_hash for draw in result.draws) for result in results.values()}
    assert len(hashes) == 1
    assert len(hashes.pop()) == 2
    assert len(results) >= 12


def test_a_result_depends_neither_on_the_cache_nor_on_what_was_computed_before():
    plan = plan_of(["smote"], classifiers=["random-forest"])
    first = results_of(plan)
    for unit in reversed(plan.units):
        again = evaluate(unit, DrawCache(budget=0))
        assert (
            again.draws[0].cells["random-forest"].scores == first[unit.method.id].draws[0].cells["random-forest"].scores
        )


def test_the_harness_scores_as_a_plain_scikit_learn_script_does():
    """The oracle: no augmentation, logistic regression, by hand on the very rows of the draw."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import f1_score
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    plan = plan_of()
    unit = next(unit for unit in plan.units if unit.method.id == "none")
    cache = DrawCache()
    scores = evaluate(unit, cache).draws[0].cells["logistic-regression"].scores
    draw = cache.draw(unit, 0).draw
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=10_000, tol=1e-8)).fit(
        draw.train.X, draw.train.y
    )
    assert scores["macro_f1"] == pytest.approx(f1_score(draw.test.y, model.predict(draw.test.X), average="macro"))


def test_synthetic_only_trains_on_generated_rows_alone():
    plan = plan_of(controls=False, methods=["none", "constant-row"], scenarios=["full:rows=synthetic"])
    results = results_of(plan)
    constant = results["constant-row"].draws[0]
    assert constant.n_generated == 3 * constant.n_train // 3
    # one and the same row for all classes: the classifier knows nothing
    assert constant.cells["logistic-regression"].scores["balanced_accuracy"] == pytest.approx(1 / 3, abs=0.01)
    # the baseline is the real rows
    assert results["none"].draws[0].cells["logistic-regression"].scores["accuracy"] > 0.85


def test_few_shot_adds_the_asked_number_of_each_class():
    plan = plan_of(["smote"], scenarios=["few-shot:shots=5,generate=7"])
    draw = results_of(plan)["smote"].draws[0]
    assert (draw.n_train, draw.n_generated) == (15, 21)


def test_prior_shift_changes_the_decision_and_not_the_order():
    plan = plan_of(datasets=["breast-cancer"], scenarios=["imbalance:count=8"])
    results = {name: r.draws[0].cells["logistic-regression"].scores for name, r in results_of(plan).items()}
    assert results["prior-shift"]["auroc"] == results["none"]["auroc"]
    assert results["prior-shift"]["recall_minority"] > results["none"]["recall_minority"]
    # what only moves the threshold ties at the tuned threshold
    for name in ("prior-shift", "threshold-tuned"):
        assert results[name]["macro_f1_tuned"] == pytest.approx(results["none"]["macro_f1_tuned"], abs=0.02)
    assert results["threshold-tuned"]["macro_f1"] == results["none"]["macro_f1_tuned"]


def test_the_bayes_ceiling_of_each_draw_is_there():
    rings = {"name": "simulated-rings", "params": {"n_train": 500, "n_test": 500}}
    scores = results_of(plan_of(datasets=[rings]))["none"].draws[0].cells["logistic-regression"].scores
    assert scores["bayes_accuracy"] > scores["accuracy"]
    assert scores["regret_accuracy"] == pytest.approx(scores["bayes_accuracy"] - scores["accuracy"])


def test_warnings_are_collected_and_not_printed(plugin, capsys, recwarn):
    load_plugin(str(plugin("import warnings; warnings.warn('look here'); return X.iloc[:0], y[:0]", "warning-method")))
    result = results_of(plan_of(["warning-method"]))["warning-method"]
    assert any("look here" in text for text in result.warnings)
    assert "look here" not in "".join(capsys.readouterr())


class TestFailures:
    """A failure is a result with its message; it is never scored under the method's name."""

    @pytest.mark.parametrize(
        ("body", "message"),
        [
            ("raise RuntimeError('boom')", "RuntimeError: boom"),
            ("return X.iloc[:0], y[:0]", "returned 0 of the"),
            ("n = sum(counts.values()) - 1; return X.iloc[[0] * n], np.repeat(list(counts)[0], n)", "returned"),
            ("return X.iloc[[0] * counts[2]] * np.nan, np.repeat(2, counts[2])", "missing or infinite"),
            ("raise MemoryError", "MemoryError"),
        ],
    )  # fmt: skip
    def test_a_broken_method(self, plugin, body, message):
        name = f"broken-{abs(hash(body))}"
        load_plugin(str(plugin(body, name)))
        result = results_of(plan_of([name]))[name]
        assert message in result.error
        cell = result.draws[0].cells["logistic-regression"]
        assert message in cell.error
        assert cell.scores == {}

    def test_a_draw_that_fails_leaves_the_others_alone(self, plugin):
        body = """
        if self.random_state % 2:
            raise ValueError('odd seed')
        return X[y == 2].iloc[[0] * counts[2]], np.repeat(2, counts[2])
        """
        load_plugin(str(plugin(body, "odd-seed")))
        result = results_of(plan_of(["odd-seed"], draws=8, block=8, scenarios=["imbalance:count=2"]))["odd-seed"]
        failed = [bool(draw.cells["logistic-regression"].error) for draw in result.draws]
        assert 0 < sum(failed) < 8
        assert "odd seed" in result.error

    def test_a_method_that_changes_the_training_rows(self):
        from augbench import methods

        class Changing(Augmenter):
            """Changes the originals."""

            def fit_resample(self, X, y):
                return X * 2, y

            def _generate(self, X, y, counts, rng):
                raise NotImplementedError

        methods.register(Changing, "changing-rows")
        result = results_of(plan_of(["changing-rows"]))["changing-rows"]
        assert "did not come back first and unchanged" in result.error
