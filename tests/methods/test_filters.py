import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from augbench import methods
from augbench.bench import identity, plan
from augbench.bench.suite import Entry
from augbench.errors import InputError
from augbench.methods import Augmenter
from augbench.methods.controls import RandomOversampling
from augbench.methods.filters import GenerativeClassifierFilter
from augbench.methods.neighbours import Adasyn, BorderlineSmote, Smote
from sklearn.base import clone

pytestmark = pytest.mark.filterwarnings("ignore:.gc. ")


def class_rows(code: int, n: int, rng: np.random.Generator) -> np.ndarray:
    """Rows of a class: two correlated columns, one narrow one that tells the class, one category that goes with it."""
    a, b = rng.standard_normal((2, n))
    return np.column_stack([a, 0.9 * a + 0.4 * b, 0.5 * rng.standard_normal(n) + 2 * code])


def table(sizes: dict[int, int], seed: int = 0, categories: bool = False) -> tuple[pd.DataFrame, np.ndarray]:
    rng = np.random.default_rng(seed)
    X = pd.DataFrame(np.vstack([class_rows(code, n, rng) for code, n in sizes.items()]), columns=["a", "b", "c"])
    y = np.repeat(list(sizes), list(sizes.values()))
    if categories:
        X["sign"] = pd.Categorical(np.where(X["a"] > 0, "plus", "minus"), categories=["minus", "plus", "never"])
    return X, y


class HalfGarbage(Augmenter):
    """Rows of the true class, but each with probability 0.5 garbage: uniform in the range, with the wrong sign."""

    def __init__(self, keep_early=False, wrong_early=None, sampling_strategy="auto", random_state=None):
        super().__init__(sampling_strategy, random_state)
        self.keep_early = keep_early
        self.wrong_early = wrong_early

    def _generate(self, X, y, counts, rng):
        labels = np.repeat(list(counts), list(counts.values()))
        good = np.vstack([class_rows(code, n, rng) for code, n in counts.items()])
        numeric = X[["a", "b", "c"]].to_numpy()
        bad = rng.random(len(labels)) < 0.5
        noise = rng.uniform(numeric.min(axis=0), numeric.max(axis=0), size=good.shape)
        new = pd.DataFrame(np.where(bad[:, None], noise, good), columns=["a", "b", "c"])
        if "sign" in X:
            right = np.where(new["a"] > 0, "plus", "minus")
            new["sign"] = np.where(bad, np.where(right == "plus", "minus", "plus"), right)
        return new, labels

    def fit_resample_many(self, tables, random_states, strategies):
        self.calls = getattr(self, "calls", 0) + 1
        if self.keep_early:
            self.early_reconstructions_ = [self._early(X, y) for X, y in tables]
            if self.wrong_early == "short":
                self.early_reconstructions_.pop()
        return super().fit_resample_many(tables, random_states, strategies)

    def _early(self, X, y):
        if self.wrong_early == "none":
            return None
        rng = np.random.default_rng(1)
        rows = np.flatnonzero(y == 1)
        values = rng.uniform(X.min(), X.max(), size=(len(rows), X.shape[1]))
        return pd.DataFrame(values, columns=X.columns, index=rows + (1000 if self.wrong_early == "index" else 0))


def garbage_share(method, X, y, wanted: int, seed: int) -> tuple[float, float]:
    """Return the share of garbage among new rows of class 1, with the filter and without it."""
    out = []
    for one in (method, method.augmenter):
        one = clone(one).set_params(random_state=seed, sampling_strategy={1: int(sum(y == 1)) + wanted})
        new = one.fit_resample(X, y)[0].iloc[len(y) :]
        out.append(off_the_class(new))
    return out[0], out[1]


def off_the_class(new: pd.DataFrame) -> float:
    """Return the share of rows of class 1 that its true density practically rules out, beyond 3 standard deviations."""
    far = np.column_stack([(new["b"] - 0.9 * new["a"]) / 0.4, (new["c"] - 2) / 0.5, new["a"]])
    return float((np.abs(far) > 3).any(axis=1).mean())


@pytest.mark.parametrize(("rows", "at_most"), [(200, 0.05), (20, 0.1), (5, 0.25)])
def test_most_of_the_planted_garbage_is_rejected(rows, at_most):
    X, y = table({0: 300, 1: rows})
    method = GenerativeClassifierFilter(HalfGarbage(), candidates=3.0)
    shares = np.mean([garbage_share(method, X, y, 200, seed) for seed in range(3)], axis=0)
    assert shares[1] > 0.35
    assert shares[0] < at_most


def test_rejected_rows_are_mostly_the_garbage_and_good_rows_are_mostly_kept():
    X, y = table({0: 300, 1: 200})
    method = GenerativeClassifierFilter(HalfGarbage(), sampling_strategy={1: 400}, random_state=0)
    method.fit_resample(X, y)
    assert 0.4 < method.rejected_share_ < 0.75
    good = GenerativeClassifierFilter(RandomOversampling(), sampling_strategy={1: 400}, random_state=0)
    good.fit_resample(X, y)
    assert good.rejected_share_ < 0.05


def test_a_category_that_does_not_fit_the_row_is_seen():
    X, y = table({0: 300, 1: 100}, categories=True)

    class Flipped(HalfGarbage):
        """Good numbers, half of the signs flipped."""

        def _generate(self, X, y, counts, rng):
            labels = np.repeat(list(counts), list(counts.values()))
            new = pd.DataFrame(class_rows(1, len(labels), rng), columns=["a", "b", "c"])
            flip = rng.random(len(new)) < 0.5
            new["sign"] = np.where((new["a"] > 0) ^ flip, "plus", "minus")
            return new, labels

    def wrong(frame):
        return float(((frame["a"] > 0) != (frame["sign"] == "plus")).mean())

    settings = {"sampling_strategy": {1: 300}, "random_state": 0}
    X_new, _ = GenerativeClassifierFilter(Flipped(), replace=0.5, candidates=3.0, **settings).fit_resample(X, y)
    X_all, _ = Flipped(**settings).fit_resample(X, y)
    assert X_new.dtypes.equals(X.dtypes)
    assert set(X_new["sign"]) == {"minus", "plus"}
    assert wrong(X_all.iloc[len(y) :]) > 0.4
    assert wrong(X_new.iloc[len(y) :]) < 0.2


def test_the_class_counts():
    X, y = table({0: 200, 1: 200})

    class Swapped(HalfGarbage):
        """Rows of class 0 and class 1, half and half, all said to be of class 1."""

        def _generate(self, X, y, counts, rng):
            parts = [class_rows(code, counts[1], rng) for code in (0, 1)]
            values = np.where(rng.random((counts[1], 1)) < 0.5, *parts)
            return pd.DataFrame(values, columns=["a", "b", "c"]), np.ones(counts[1], dtype=int)

    settings = {"sampling_strategy": {1: 400}, "random_state": 0}
    kept = GenerativeClassifierFilter(Swapped(), candidates=3.0, **settings).fit_resample(X, y)[0].iloc[400:]
    plain = Swapped(**settings).fit_resample(X, y)[0].iloc[400:]
    assert (plain["c"] < 1).mean() > 0.4
    assert (kept["c"] < 1).mean() < 0.1


def test_whole_numbers_alone_do_not_make_a_row_look_real():
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"count": rng.poisson(30, 300).astype(float)})
    y = np.repeat([0, 1], [200, 100])

    class Spread(HalfGarbage):
        """Whole numbers, half of them far too large."""

        def _generate(self, X, y, counts, rng):
            bad = rng.random(counts[1]) < 0.5
            values = np.where(bad, rng.integers(55, 90, counts[1]), rng.poisson(30, counts[1])).astype(float)
            return pd.DataFrame({"count": values}), np.ones(counts[1], dtype=int)

    method = GenerativeClassifierFilter(Spread(), candidates=4.0, sampling_strategy={1: 200}, random_state=0)
    X_new, _ = method.fit_resample(X, y)
    assert (X_new["count"].iloc[300:] >= 55).mean() < 0.05


@pytest.mark.parametrize("sizes", [{0: 40, 1: 2}, {0: 30, 2: 2, 5: 9}, {1: 1, 3: 20}])
@pytest.mark.parametrize("categories", [False, True])
def test_counts_asked_for_are_met_and_the_training_rows_come_first(sizes, categories):
    X, y = table(sizes, categories=categories)
    before = X.copy()
    wanted = {code: n + 7 * (code + 1) for code, n in sizes.items()}
    method = GenerativeClassifierFilter(HalfGarbage(), sampling_strategy=wanted, random_state=0)
    X_new, y_new = method.fit_resample(X, y)
    assert {int(code): int(n) for code, n in zip(*np.unique(y_new, return_counts=True), strict=True)} == wanted
    pd.testing.assert_frame_equal(X_new.iloc[: len(X)], before)
    pd.testing.assert_frame_equal(X, before)
    assert np.array_equal(y_new[: len(y)], y)


def test_rows_stand_in_the_order_in_which_they_came_and_come_from_the_augmenter():
    X, y = table({0: 100, 1: 30})
    filtered = GenerativeClassifierFilter(HalfGarbage(), sampling_strategy={1: 60}, random_state=5)
    kept = filtered.fit_resample(X, y)[0].iloc[130:]
    made = HalfGarbage(sampling_strategy={1: 90}, random_state=5).fit_resample(X, y)[0].iloc[130:]
    positions = [np.flatnonzero((made.to_numpy() == row).all(axis=1)).tolist() for row in kept.to_numpy()]
    assert all(len(one) == 1 for one in positions)
    assert positions == sorted(positions)


def test_too_few_good_rows_are_filled_up_with_the_best_with_a_warning():
    X, y = table({0: 100, 1: 30})
    method = GenerativeClassifierFilter(HalfGarbage(), threshold=1.0, sampling_strategy={1: 60}, random_state=0)
    with pytest.warns(UserWarning, match=r"\+gc: over 10% of the rows kept look bad"):
        best = method.fit_resample(X, y)[0].iloc[130:]
    assert method.rejected_share_ > 0.9
    plain = HalfGarbage(sampling_strategy={1: 60}, random_state=0).fit_resample(X, y)[0].iloc[130:]
    assert off_the_class(best) < off_the_class(plain) / 2
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        method.set_params(threshold=0.0).fit_resample(X, y)
    assert method.rejected_share_ == 0


def test_the_augmenter_is_asked_once_and_many_are_as_one_by_one():
    tables = [table({0: 40, 1: 9}, seed) for seed in range(4)]
    tables[1][0].iloc[0, 0] = np.nan
    strategies = [{1: 30}, {1: 30}, {1: 5}, {1: 20}]
    method = GenerativeClassifierFilter(HalfGarbage())
    many = method.fit_resample_many(tables, [3, 4, 5, 6], strategies)
    assert method.augmenter_.calls == 1
    assert isinstance(many[1], ValueError)
    assert "missing (NaN)" in str(many[1])
    assert isinstance(many[2], ValueError)
    assert np.isnan(method.rejected_shares_).tolist() == [False, True, True, False]
    for i in (0, 3):
        X, y = tables[i]
        alone = GenerativeClassifierFilter(HalfGarbage(), sampling_strategy=strategies[i], random_state=3 + i)
        X_one, y_one = alone.fit_resample(X, y)
        pd.testing.assert_frame_equal(many[i][0], X_one)
        assert np.array_equal(many[i][1], y_one)
        assert alone.rejected_share_ == method.rejected_shares_[i]
    other = clone(alone).set_params(random_state=99).fit_resample(*tables[3])[0]
    assert not other.equals(X_one)


def test_early_reconstructions_are_the_bad_rows():
    X, y = table({0: 300, 1: 200})
    settings = {"sampling_strategy": {1: 400}, "random_state": 0}
    method = GenerativeClassifierFilter(HalfGarbage(), "early-reconstruction", candidates=3.0, **settings)
    kept = method.fit_resample(X, y)[0].iloc[500:]
    assert off_the_class(kept) < 0.1
    assert not method.augmenter.keep_early
    noised = clone(method).set_params(bad="noise").fit_resample(X, y)[0].iloc[500:]
    assert not kept.equals(noised)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ("none", "kept no reconstructions of this table"),
        ("short", "left no attribute early_reconstructions_ with 1 entries"),
        ("index", "must hold positions of training rows, 0 to 49"),
    ],
)
def test_early_reconstructions_that_are_not_there_are_named(wrong, words):
    X, y = table({0: 40, 1: 10})
    with pytest.raises(ValueError, match=words):
        GenerativeClassifierFilter(HalfGarbage(wrong_early=wrong), "early-reconstruction").fit_resample(X, y)


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"bad": "ugly"}, "bad must be one of noise, early-reconstruction; found 'ugly'"),
        ({"noise": -1}, "noise must be a number from 0 to inf; found -1"),
        ({"candidates": 0.5}, "candidates must be a number from 1 to 1000; found 0.5"),
        ({"threshold": "high"}, "threshold must be a number from 0 to 1; found 'high'"),
        ({"bad": "early-reconstruction"}, "needs an augmenter with the parameter keep_early; Smote has none"),
    ],
)
def test_wrong_parameters_are_refused_in_code_and_in_a_suite(parameters, words):
    X, y = table({0: 40, 1: 10})
    with pytest.raises(InputError, match=words):
        GenerativeClassifierFilter(Smote(), **parameters).fit_resample(X, y)
    with pytest.raises(InputError, match=rf"method 'smote\+gc': .*{words}"):
        methods.make("smote+gc", {f"gc_{key}": value for key, value in parameters.items()})


@pytest.mark.parametrize("name", [name for name in methods.names() if methods.get(name).kind == "augmenter"])
def test_every_augmenter_can_be_wrapped(name):
    cls = methods.get(name)
    for package in getattr(cls, "requires", ()):
        pytest.importorskip(package)
    X, y = table({0: 60, 5: 20} if cls.binary_only else {0: 60, 2: 25, 5: 20}, categories=not cls.numeric_only)
    params = {"steps": 20} if "steps" in methods.allowed_parameters(name) else {}
    state = np.random.get_state()[1].copy()  # noqa: NPY002
    for asked in (0, 10):
        method = methods.make(f"{name}+gc", params, sampling_strategy={5: 20 + asked}, random_state=2**40)
        X_new, y_new = method.fit_resample(X, y)
        assert np.bincount(y_new)[[0, 5]].tolist() == [60, 20 + asked]
        assert X_new.dtypes.equals(X.dtypes)
        pd.testing.assert_frame_equal(X_new.iloc[: len(X)], X)
    assert np.array_equal(np.random.get_state()[1], state)  # noqa: NPY002
    numbers = X[["a", "b", "c"]].to_numpy()
    X_array, _ = method.fit_resample(numbers, y)
    assert X_array.shape == (len(y) + 10, 3)


def test_needs_are_those_of_the_wrapped_method():
    method = GenerativeClassifierFilter(BorderlineSmote())
    assert (method.min_per_class, method.numeric_only, method.family, method.role) == (2, True, "neighbours", "")
    assert not GenerativeClassifierFilter(Adasyn()).exact_counts
    assert GenerativeClassifierFilter(RandomOversampling()).role == "control"
    X, y = table({0: 40, 1: 1})
    with pytest.raises(ValueError, match="Smote needs 2 rows of each class; class 1 has 1"):
        GenerativeClassifierFilter(Smote()).fit_resample(X, y)
    X, y = table({0: 40, 1: 5}, categories=True)
    with pytest.raises(ValueError, match="BorderlineSmote takes numeric columns only; categorical: sign"):
        method.fit_resample(X, y)


def test_is_an_estimator_with_a_nested_one():
    method = GenerativeClassifierFilter(Smote(), noise=0.7, random_state=1)
    method.set_params(augmenter__k_neighbors=2)
    twin = pickle.loads(pickle.dumps(clone(method)))
    assert twin.get_params()["augmenter__k_neighbors"] == 2
    assert twin.noise == 0.7
    X, y = table({0: 40, 1: 10})
    pd.testing.assert_frame_equal(method.fit_resample(X, y)[0], twin.fit_resample(X, y)[0])
    fitted = pickle.loads(pickle.dumps(method))
    assert fitted.rejected_share_ == method.rejected_share_


def test_registry_makes_filtered_methods_by_name():
    method = methods.make("smote+gc", {"k_neighbors": 2, "gc_noise": 0.8, "gc_candidates": 4}, random_state=3)
    assert isinstance(method.augmenter, Smote)
    assert (method.augmenter.k_neighbors, method.noise, method.candidates, method.random_state) == (2, 0.8, 4, 3)
    assert methods.get("smote+gc") is GenerativeClassifierFilter
    assert methods.describe("smote+gc") == method.description
    assert methods.describe("smote+gc").startswith("SMOTE; SMOTE-NC")
    assert methods.allowed_parameters("smote+gc") == [
        "k_neighbors",
        "gc_bad",
        "gc_noise",
        "gc_replace",
        "gc_candidates",
        "gc_threshold",
    ]


@pytest.mark.parametrize(
    ("name", "params", "words"),
    [
        ("smoet+gc", {}, "unknown method 'smoet': did you mean 'smote'"),
        ("class-weight+gc", {}, r"'class-weight\+gc': \+gc filters the rows of an augmenter; .* is an adjuster"),
        ("none+gc", {}, "'none' is a baseline"),
        ("autoencoder+gc", {}, "'autoencoder' is a detector"),
        ("smote+gc+gc", {}, r"'smote\+gc' is a filtered method"),
        ("smote+gc", {"gc_nose": 1}, r"of method 'smote\+gc' 'gc_nose': did you mean 'gc_noise'"),
        ("smote+gc", {"noise": 1}, "did you mean 'gc_noise'"),
        ("smote+gc", {"gc_augmenter": 1}, "unknown parameter"),
        ("smote+gc", {"gc_random_state": 1}, "unknown parameter"),
    ],
)
def test_registry_refuses(name, params, words):
    with pytest.raises(InputError, match=words):
        methods.make(name, params)


def test_no_method_may_take_the_ending():
    with pytest.raises(InputError, match=r"the ending \+gc is that of the filter"):
        methods.register(HalfGarbage, "half+gc")


def method_hash(name: str, **params) -> str:
    entry = Entry(name=name, id="same", params=params)
    return identity.method_hash(entry, plan.method_instance(entry))


def test_the_key_covers_the_wrapped_method_the_parameters_and_the_encoder():
    keys = [
        method_hash("smote"),
        method_hash("smote+gc"),
        method_hash("jitter+gc"),
        method_hash("smote+gc", gc_noise=0.6),
        method_hash("smote+gc", k_neighbors=3),
    ]
    assert len(set(keys)) == 5
    assert method_hash("smote+gc") == keys[1]
    code = identity._method_code(methods.make("smote+gc"))
    assert {f"augbench.methods.{name}" for name in ("filters", "neighbours", "samplers", "neural.encoder")} <= set(code)
    assert "imbalanced-learn" in code
    assert not any("neural" in name for name in identity._method_code(methods.make("smote")))


def test_the_key_of_a_neural_method_covers_what_it_imports_late_and_its_packages():
    pytest.importorskip("torch")
    code = identity._method_code(methods.make("vae+gc"))
    assert {f"augbench.methods.neural.{name}" for name in ("vae", "networks", "training", "encoder")} <= set(code)
    assert code["torch"] != "absent"


def test_a_vae_shows_its_early_reconstructions_to_the_filter():
    pytest.importorskip("torch")
    X, y = table({0: 60, 1: 30})
    params = {"steps": 40, "gc_bad": "early-reconstruction"}
    method = methods.make("cvae+gc", params, sampling_strategy={1: 50}, random_state=0)
    assert len(method.fit_resample(X, y)[0]) == 110
    assert len(method.augmenter_.early_reconstructions_[0]) == 90


def test_through_the_command_line(bench, tmp_path):
    suite = tmp_path / "filtered.toml"
    suite.write_text(
        'draws = 2\nblock = 1\ndatasets = ["wine"]\nclassifiers = ["logistic-regression"]\nfolds = 0\n'
        'scenarios = ["imbalance:count=12"]\ncontrols = false\n'
        'methods = ["smote+gc", {name = "uniform-noise+gc", id = "strict", params = {gc_threshold = 1.0}}]\n'
    )
    run = bench("run", suite, "--jobs", 2)
    assert run.returncode == 0, run.stderr
    assert "smote+gc" in run.stdout
    assert "strict" in run.stdout
    assert "NAME+gc" in bench("list", "methods").stdout
    wrong = bench("run", suite, "--methods", "smoet+gc")
    assert wrong.returncode == 2
    assert "did you mean 'smote'" in wrong.stderr
