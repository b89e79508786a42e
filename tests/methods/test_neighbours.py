import numpy as np
import pandas as pd
import pytest
from augbench.errors import InputError
from augbench.methods.neighbours import Adasyn, BorderlineSmote, KMeansSmote, Smote, SvmSmote
from augbench.methods.samplers import ImblearnSampler
from imblearn import over_sampling
from imblearn.over_sampling.base import BaseOverSampler
from sklearn.neighbors import NearestNeighbors


class Shuffles(BaseOverSampler):
    def _fit_resample(self, X, y):
        return X[::-1], y[::-1]


class Bare:
    """Not imbalanced-learn's, without sampling_strategy and random_state; seven rows too many."""

    def fit_resample(self, X, y):
        few = X[y == 1]
        return np.vstack([X, few, few[:7]]), np.concatenate([y, np.ones(len(few) + 7, dtype=int)])


def table(minority=20, seed=0, shift=0.8):
    rng = np.random.default_rng(seed)
    y = np.repeat([0, 1], [80, minority])
    X = rng.normal(size=(len(y), 3)) * [1, 1000, 0.001]
    X[y == 1] += shift * np.array([1, 1000, 0.001])
    return pd.DataFrame(X, columns=["a", "b", "c"]), y


def standardised(X):
    return ((X - X.mean()) / X.std(ddof=0)).to_numpy()


def drawn_seed(seed):
    return int(np.random.default_rng(seed).integers(2**32))


@pytest.mark.parametrize(
    ("method", "raw"),
    [
        (Smote(), over_sampling.SMOTE),
        (BorderlineSmote(), over_sampling.BorderlineSMOTE),
        (SvmSmote(), over_sampling.SVMSMOTE),
    ],
)
def test_equals_imbalanced_learn_on_standardised_columns(method, raw):
    X, y = table(shift=2.2)
    ours = method.set_params(sampling_strategy={1: 70}, random_state=5).fit_resample(X, y)[0].iloc[100:]
    theirs = raw(sampling_strategy={1: 70}, random_state=drawn_seed(5)).fit_resample(standardised(X), y)[0][100:]
    np.testing.assert_allclose(ours, theirs * X.std(ddof=0).to_numpy() + X.mean().to_numpy())


def test_units_do_not_matter():
    X, y = table()
    one = Smote(sampling_strategy={1: 70}, random_state=0).fit_resample(X, y)[0]
    scaled = Smote(sampling_strategy={1: 70}, random_state=0).fit_resample(X * [7, 1e-5, 300] + 3, y)[0]
    np.testing.assert_allclose(scaled, one * [7, 1e-5, 300] + 3)


@pytest.mark.parametrize("method", [Adasyn(), KMeansSmote()])
def test_rows_are_a_choice_of_what_imbalanced_learn_makes(method):
    X, y = table(12, seed=3)
    new = method.set_params(sampling_strategy={1: 45}, random_state=1).fit_resample(X, y)[0].iloc[92:]
    Z = standardised(X)
    own = Z[80:]
    Z_new = ((new - X.mean()) / X.std(ddof=0)).to_numpy()
    # each lies on a segment between two rows of the class
    first, second = (a.ravel() for a in np.meshgrid(range(12), range(12)))
    d = own[second] - own[first]
    along = np.einsum("nij,ij->ni", Z_new[:, None] - own[first], d) / np.maximum((d**2).sum(axis=1), 1e-300)
    gap = np.linalg.norm(Z_new[:, None] - own[first] - along.clip(0, 1)[..., None] * d, axis=2).min(axis=1)
    assert gap.max() < 1e-9


def test_smote_rows_lie_between_neighbours_of_the_same_class():
    X, y = table()
    k = 3
    Z = standardised(X)[80:]
    new = Smote(k, {1: 70}, 0).fit_resample(X, y)[0].iloc[100:]
    Z_new = ((new - X.mean()) / X.std(ddof=0)).to_numpy()
    neighbours = NearestNeighbors(n_neighbors=k + 1).fit(Z).kneighbors(Z, return_distance=False)[:, 1:]
    start, end = np.repeat(Z, k, axis=0), Z[neighbours.ravel()]
    length = np.linalg.norm(end - start, axis=1)
    detour = np.linalg.norm(Z_new[:, None] - start, axis=2) + np.linalg.norm(Z_new[:, None] - end, axis=2) - length
    assert detour.min(axis=1).max() < 1e-9


def test_smote_chooses_its_variant():
    method = Smote()
    assert method.choose_class([0], []) is over_sampling.SMOTE
    assert method.choose_class([0], [1]) is over_sampling.SMOTENC
    assert method.choose_class([], [0, 1]) is over_sampling.SMOTEN


def test_smotenc_equals_imbalanced_learn():
    X, y = table()
    Z = pd.DataFrame(standardised(X), columns=X.columns)
    kinds = pd.Categorical(np.random.default_rng(1).choice(["u", "v", "w"], 100))
    X["kind"], Z["kind"] = kinds, kinds
    ours = Smote(sampling_strategy={1: 70}, random_state=5).fit_resample(X, y)[0].iloc[100:]
    raw = over_sampling.SMOTENC("auto", sampling_strategy={1: 70}, random_state=drawn_seed(5))
    theirs = raw.fit_resample(Z, y)[0].iloc[100:]
    assert ours["kind"].tolist() == theirs["kind"].tolist()
    np.testing.assert_allclose(ours["b"], theirs["b"] * X["b"].std(ddof=0) + X["b"].mean())


@pytest.mark.parametrize("rows", [2, 3, 4, 6])
@pytest.mark.parametrize("method", [Smote(), KMeansSmote(), Adasyn(), BorderlineSmote(), SvmSmote()])
def test_few_rows(method, rows):
    X, y = table(rows, seed=2, shift=0.2)
    made = method.set_params(sampling_strategy={1: 80}, random_state=0)
    try:
        assert abs(made.fit_resample(X, y)[1].sum() - 80) <= 8
    except ValueError as error:
        assert "danger" in str(error) or "noise" in str(error) or "No clusters" in str(error)  # noqa: PT017


def test_no_row_in_danger_is_an_error():
    X, y = table(shift=50)
    with pytest.raises(
        ValueError, match="returned 0 of the 50 rows asked for of class 1: no row of that class is in dang"
    ):
        BorderlineSmote(sampling_strategy={1: 70}, random_state=0).fit_resample(X, y)
    with pytest.raises(ValueError, match="ADASYN: Not any neigbours belong to the majority"):
        Adasyn(sampling_strategy={1: 70}, random_state=0).fit_resample(X, y)


def test_no_cluster_is_an_error():
    X, y = table(6, shift=0)
    method = KMeansSmote(cluster_balance_threshold="auto", sampling_strategy={1: 70}, random_state=0)
    with pytest.raises(ValueError, match="KMeansSMOTE: No clusters found with sufficient samples of class 1"):
        method.fit_resample(X, y)


def test_svm_smote_meets_the_count_where_imbalanced_learn_does_not():
    X, y = table(4, seed=1)
    raw = over_sampling.SVMSMOTE(sampling_strategy={1: 70}, random_state=drawn_seed(0), k_neighbors=3)
    assert np.sum(raw.fit_resample(standardised(X), y)[1]) < 70
    assert np.sum(SvmSmote(sampling_strategy={1: 70}, random_state=0).fit_resample(X, y)[1]) == 70


def test_any_sampler_by_its_path():
    X, y = table()
    for path in ("imblearn.over_sampling:SMOTE", "imblearn.over_sampling.SMOTE"):
        method = ImblearnSampler.from_class(path, k_neighbors=50).set_params(random_state=4, sampling_strategy={1: 40})
        named = Smote(50, {1: 40}, 4)
        assert method.sampler_class is over_sampling.SMOTE
        pd.testing.assert_frame_equal(method.fit_resample(X, y)[0], named.fit_resample(X, y)[0])


def test_samplers_that_do_more_than_add_are_refused(monkeypatch):
    X, y = table()
    monkeypatch.setattr("augbench.methods.samplers.load_sampler", lambda path: {"s": Shuffles, "b": Bare}.get(path))
    with pytest.raises(ValueError, match="Shuffles removed or changed training rows; augbench compares samplers that"):
        ImblearnSampler.from_class("s").set_params(sampling_strategy={1: 40}).fit_resample(X, y)
    made = ImblearnSampler.from_class("b").set_params(sampling_strategy={1: 40}, random_state=0).fit_resample(X, y)
    assert np.sum(made[1]) == 40
    with pytest.raises(ValueError, match=r"returned 27 of the 30 rows asked for of class 1$"):
        ImblearnSampler.from_class("b").set_params(sampling_strategy={1: 50}).fit_resample(X, y)


def test_cleaning_samplers_are_refused():
    X, y = table(shift=0.3)
    method = ImblearnSampler.from_class("imblearn.combine:SMOTEENN").set_params(sampling_strategy={1: 80})
    with pytest.raises(ValueError, match="SMOTEENN removed or changed training rows"):
        method.fit_resample(X, y)


@pytest.mark.parametrize("path", ["imblearn.over_sampling:Smoet", "nowhere.at:All", "math:sqrt", "SMOTE"])
def test_wrong_paths(path):
    with pytest.raises(InputError, match=f"sampler '{path}' (cannot be imported|is no class)"):
        ImblearnSampler.from_class(path)


def test_wrong_parameter():
    with pytest.raises(InputError, match=r"sampler imblearn.over_sampling:SMOTE has no parameter 'k'; it has "):
        ImblearnSampler.from_class("imblearn.over_sampling:SMOTE", k=3)
