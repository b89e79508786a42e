"""The generators of other packages: their rows are the packages' own, and nothing of their running is left behind."""

import logging
import os
import random
import subprocess
import sys
import threading
import warnings
from textwrap import dedent

import numpy as np
import pandas as pd
import pytest
from augbench import methods
from augbench.errors import InputError
from augbench.methods.generators.isolation import isolated
from sklearn.base import clone

NAMES = methods.GROUPS["generators"]
CTGAN, SDV = ["ctgan", "tvae"], ["gaussian-copula", "copula-gan", "sdv-tvae", "sdv-ctgan"]
GANS = ["ctgan", "copula-gan", "sdv-ctgan"]
SYNTHESIZERS = {
    "gaussian-copula": "GaussianCopulaSynthesizer",
    "copula-gan": "CopulaGANSynthesizer",
    "sdv-tvae": "TVAESynthesizer",
    "sdv-ctgan": "CTGANSynthesizer",
}

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


@pytest.fixture(autouse=True)
def _packages(request):
    name = getattr(request.node, "callspec", None) and request.node.callspec.params.get("name")
    for package in ["ctgan"] if name in CTGAN else ["ctgan", "sdv"]:
        pytest.importorskip(package)


@pytest.fixture
def _one_thread():
    """As many threads for the package called by hand as its adapter gives it: sums of floats depend on it."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def table(rare: int = 12, mixed: bool = True, common: int = 40) -> tuple[pd.DataFrame, np.ndarray]:
    rng = np.random.default_rng(0)
    y = rng.permutation(np.repeat([0, 1], [common, rare]))
    X = pd.DataFrame(rng.normal(size=(len(y), 2)) + 2 * y[:, None], columns=["a", "b"])
    if mixed:
        X.insert(1, "colour", np.where(rng.random(len(y)) < 0.3 + 0.4 * y, "red", "blue"))
    return X, y


def make(name: str, counts: dict, seed=5, **params):
    return methods.make(name, methods.get(name).checked_with | params, sampling_strategy=counts, random_state=seed)


def seed_globally(seed: int) -> None:
    import torch

    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002
    torch.manual_seed(seed)


def global_states() -> list:
    import torch

    return [random.getstate(), np.random.get_state()[1].tobytes(), torch.get_rng_state().numpy().tobytes()]  # noqa: NPY002


def packages_own_rows(name: str, rows: pd.DataFrame, discrete: list[str], seed: int, n: int, value=None):
    """Call the package by hand, as its documentation says, with its global seeds set: n rows of class `value`."""
    settings = {"enable_gpu": False}
    if name in GANS:
        settings |= {"epochs": 3, "batch_size": 100}
    elif "tvae" in name:
        settings |= {"epochs": 5}
    seed_globally(seed)
    if name in CTGAN:
        import ctgan

        model = getattr(ctgan, name.upper())(**settings)
        model.fit(rows, discrete)
        return model.sample(n) if value is None else model.sample(n, "class", value)
    from sdv import single_table
    from sdv.metadata import Metadata
    from sdv.sampling import Condition

    metadata = Metadata.detect_from_dataframes({"rows": rows})
    for column in rows.columns:
        sdtype = "categorical" if column in discrete else "numerical"
        metadata.update_column(column, table_name="rows", sdtype=sdtype)
    metadata.remove_primary_key("rows")
    settings = {} if name == "gaussian-copula" else settings
    synthesizer = getattr(single_table, SYNTHESIZERS[name])(metadata, **settings)
    synthesizer.fit({"rows": rows})
    synthesizer._set_random_state(seed)
    if value is None:
        return synthesizer.sample(n)["rows"]
    return synthesizer.sample_from_conditions([Condition(num_rows=n, column_values={"class": value})])["rows"]


@pytest.mark.usefixtures("_one_thread")
@pytest.mark.parametrize("mixed", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_rows_are_those_of_the_package_with_its_global_seeds_set_by_hand(name, mixed):
    X, y = table(mixed=mixed)
    method = make(name, {0: 47, 1: 40}, conditional="per-class")
    before = global_states()
    X_new, y_new = method.fit_resample(X, y)
    assert global_states() == before
    new = X_new.iloc[len(X) :].reset_index(drop=True)
    assert method.seeds_ == np.random.default_rng(5).integers(2**32, size=2).tolist()
    for label, seed, n in zip((0, 1), method.seeds_, (7, 28), strict=True):
        plain = X[y == label].reset_index(drop=True).set_axis([f"x{j}" for j in range(X.shape[1])], axis=1)
        own = packages_own_rows(name, plain, ["x1"] if mixed else [], seed, n)
        mine = new[y_new[len(X) :] == label].reset_index(drop=True)
        pd.testing.assert_frame_equal(mine, own.set_axis(X.columns, axis=1), check_exact=True)


@pytest.mark.usefixtures("_one_thread")
@pytest.mark.parametrize("name", ["ctgan", "gaussian-copula"])
def test_rows_asked_for_by_class_are_those_of_the_package(name):
    X, y = table()
    params = {} if name == "gaussian-copula" else {"steps": 3}
    method = make(name, {1: 30}, conditional="class-column", **params)
    X_new, _ = method.fit_resample(X, y)
    plain = X.set_axis(["x0", "x1", "x2"], axis=1)
    plain.insert(0, "class", y.astype(str))
    own = packages_own_rows(name, plain, ["class", "x1"], method.seeds_[0], 18, "1")
    own = own[own["class"] == "1"].drop(columns="class")
    assert len(own) >= 3
    first = X_new.iloc[len(X) : len(X) + len(own)].reset_index(drop=True)
    pd.testing.assert_frame_equal(
        first, own.set_axis(X.columns, axis=1).reset_index(drop=True), check_exact=True, check_dtype=False
    )


@pytest.mark.parametrize("name", SDV)
def test_one_seed_one_table_and_no_row_twice(name):
    X, y = table(mixed=False)
    one, again, other = (make(name, {0: 60, 1: 60}, seed).fit_resample(X, y)[0] for seed in (1, 1, 2))
    pd.testing.assert_frame_equal(one, again)
    new = one.iloc[len(X) :]
    assert not new.equals(other.iloc[len(X) :])
    # what a second try under sdv's fixed seed would give
    assert not new["a"].round(12).duplicated().mean() > 0.5


@pytest.mark.parametrize("name", GANS)
def test_gan_steps_and_efforts(name):
    X, y = table(rare=20, common=230)
    method = make(name, {0: 240, 1: 90}, steps=5, batch_size=100, conditional="per-class")
    method.fit_resample(X, y)
    # two steps an epoch for the 230 rows, one for the 20
    assert method.effort_ == {"steps": 6 + 5, "epochs": 4.0, "rows": 250, "networks": 2, "yield": 1.0}
    assert method.n_networks({0: 10, 1: 70}) == 2
    history = method.training_history_
    assert list(history.columns) == ["model", "step", "generator", "discriminator"]
    assert history["step"].tolist() == [2, 4, 6, 1, 2, 3, 4, 5]
    assert history["model"].unique().tolist() == ["class 0", "class 1"]


@pytest.mark.parametrize("name", ["tvae", "sdv-tvae"])
def test_tvae_steps_and_efforts(name):
    X, y = table(rare=20, common=230)
    method = make(name, {1: 90}, steps=None, epochs=3, batch_size=8)
    method.fit_resample(X, y)
    assert method.effort_ == {"steps": 9, "epochs": 3.0, "rows": 20, "networks": 1, "yield": 1.0}
    assert method.training_history_["step"].tolist() == list(range(1, 10))
    assert list(method.training_history_.columns) == ["model", "step", "loss"]


def test_a_copula_trains_no_network():
    X, y = table()
    method = make("gaussian-copula", {1: 40})
    method.fit_resample(X, y)
    assert method.effort_ == {"steps": 0, "epochs": 0.0, "rows": 12, "networks": 0, "yield": 1.0}
    assert method.n_networks({1: 40}) == 0
    assert method.training_history_ is None


@pytest.mark.parametrize("name", ["ctgan", "sdv-ctgan"])
def test_rows_of_other_classes_are_thrown_away_and_the_yield_is_told(name):
    X, y = table()
    method = make(name, {1: 52}, conditional="class-column")
    _, y_new = method.fit_resample(X, y)
    assert np.bincount(y_new).tolist() == [40, 52]
    assert 0 < method.effort_["yield"] < 1
    assert method.effort_["networks"] == 1


def test_tries_are_bounded_and_what_came_is_told():
    X, y = table()
    words = (
        r"^TVAE made \d+ of the 200 rows asked for of class 1 with max_tries=1 \(200 rows generated\); raise it, or use"
    )
    with pytest.raises(ValueError, match=words):
        make("tvae", {1: 212}, conditional="class-column", max_tries=1).fit_resample(X, y)


def test_ctgan_is_asked_for_the_class_and_not_for_a_level_of_another_column(monkeypatch):
    from ctgan.data_sampler import DataSampler

    condition = DataSampler.generate_cond_from_condition_column_info
    asked = []

    def recorded(self, info, batch):
        made = condition(self, info, batch)
        # ctgan 0.12 numbers the levels of all discrete columns, and takes every column to begin at 0
        asked.append((info["discrete_column_id"], int(info["value_id"]), int(made[0].argmax())))
        return made

    monkeypatch.setattr(DataSampler, "generate_cond_from_condition_column_info", recorded)
    X, y = table()
    make("ctgan", {0: 60, 1: 60}, conditional="class-column", steps=3).fit_resample(X, y)
    assert {column for column, _, _ in asked} == {0}
    assert {level for _, level, _ in asked} == {0, 1}
    assert all(level == given for _, level, given in asked)


def odd_table() -> tuple[pd.DataFrame, np.ndarray]:
    X, y = table(rare=14)
    rng = np.random.default_rng(3)
    level = pd.Categorical(rng.choice([3, 1], len(y)), categories=[3, 1, 9], ordered=True)
    columns = {
        0: X["a"].astype("float32"),
        "class": level,
        "x0": X["b"] > 0,
        "tiny": rng.integers(100, 128, len(y)).astype("int8"),
        "same": np.full(len(y), 0.1),
        "text": np.where(y == 1, "1", "one,\ttwo"),
    }
    X = pd.concat([pd.Series(values) for values in columns.values()], axis=1)
    X["alike"] = [1 if one else "1" for one in rng.random(len(y)) < 0.5]
    return X.set_axis([*columns, "x1"], axis=1), y


@pytest.mark.parametrize("name", NAMES)
def test_names_dtypes_categories_and_constants(name):
    X, y = odd_table()
    X_new, _ = make(name, {1: 40}, conditional="per-class").fit_resample(X, y)
    assert list(X_new.dtypes) == list(X.dtypes)
    assert list(X_new.columns) == list(X.columns)
    new = X_new.iloc[len(X) :]
    assert (new["same"] == 0.1).all()
    assert (new["text"] == "1").all()
    assert set(new["class"]) <= {3, 1}
    assert {type(value) for value in new.iloc[:, -1]} <= {int, str}
    assert new["tiny"].between(0, 127).all()
    assert not new.isna().any(axis=None)


@pytest.mark.parametrize("conditional", ["per-class", "class-column"])
@pytest.mark.parametrize("name", NAMES)
def test_two_rows_of_each_class_one_column_labels_of_text(name, conditional):
    X = pd.DataFrame({"a": [0.0, 1.0, 5.0, 6.0]})
    y = np.array(["no", "no", "yes", "yes"])
    X_new, y_new = make(name, {"yes": 9}, conditional=conditional).fit_resample(X, y)
    assert y_new[4:].tolist() == ["yes"] * 7
    assert np.isfinite(X_new["a"]).all()


def test_seed_states_and_settings_come_back_after_an_error(monkeypatch):
    import ctgan
    import torch

    def fail(self, *args):
        np.random.rand()  # noqa: NPY002
        torch.rand(1)
        random.random()
        raise ValueError("no\nreason")

    monkeypatch.setattr(ctgan.TVAE, "fit", fail)
    X, y = table()
    torch.set_num_threads(2)
    before = [*global_states(), os.environ.get("TORCHINDUCTOR_CACHE_DIR"), logging.root.manager.disable]
    streams = sys.stdout, sys.stderr
    with pytest.raises(ValueError, match="TVAE of class 1: ValueError: no reason"):
        make("tvae", {1: 40}).fit_resample(X, y)
    after = [*global_states(), os.environ.get("TORCHINDUCTOR_CACHE_DIR"), logging.root.manager.disable]
    assert after == before
    assert torch.get_num_threads() == 2
    assert (sys.stdout, sys.stderr) == streams
    torch.set_num_threads(1)


def test_warnings_are_given_once_and_deprecations_dropped(monkeypatch, capfd):
    import ctgan

    fit = ctgan.TVAE.fit

    def noisy(self, *args):
        print("on stdout")
        print("on stderr", file=sys.stderr)
        logging.getLogger("rdt").critical("in a log")
        for _ in range(3):
            warnings.warn("the same again", RuntimeWarning, stacklevel=1)
        warnings.warn("old", DeprecationWarning, stacklevel=1)
        return fit(self, *args)

    monkeypatch.setattr(ctgan.TVAE, "fit", noisy)
    X, y = table()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        make("tvae", {1: 40}).fit_resample(X, y)
    assert [(one.category, str(one.message)) for one in caught] == [(RuntimeWarning, "the same again")]
    assert capfd.readouterr() == ("", "")


def test_nothing_is_printed_written_or_sent(tmp_path):
    """In a fresh process and home, all six, both ways; for 500 rows and more ctgan by itself starts processes."""
    code = dedent(
        """
        import socket
        sent = []
        def refuse(*args, **kwargs):
            sent.append(args)
            raise OSError("no network")
        socket.socket.connect = socket.socket.connect_ex = socket.create_connection = socket.getaddrinfo = refuse
        import numpy as np, pandas as pd
        from augbench import methods
        rng = np.random.default_rng(0)
        y = np.repeat([0, 1], [250, 260])
        X = pd.DataFrame({"a": rng.normal(size=510) + y, "text": rng.choice(["u", "v"], 510)})
        for name in methods.GROUPS["generators"]:
            quick = methods.get(name).checked_with
            make = lambda **params: methods.make(name, quick | params, sampling_strategy={0: 253}, random_state=0)
            make(conditional="per-class").fit_resample(X[["a"]], y)
            try:
                make(conditional="class-column", max_tries=2).fit_resample(X, y)
            except ValueError as error:
                assert "rows asked for" in str(error), error
        assert not sent, sent
        """
    )
    places = ["home", "cache", "config", "data", "state", "tmp", "work"]
    for place in places:
        (tmp_path / place).mkdir()
    kept = {key: value for key, value in os.environ.items() if key in ("PATH", "LANG", "PYTHONPATH", "VIRTUAL_ENV")}
    where = {f"XDG_{one.upper()}_HOME": str(tmp_path / one) for one in ("cache", "config", "data", "state")}
    where |= {"HOME": str(tmp_path / "home"), "TMPDIR": str(tmp_path / "tmp")}
    ended = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path / "work",
        env=kept | where | {"OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
    assert [str(one) for one in tmp_path.rglob("*") if one.name not in places] == []


def test_listing_and_making_need_no_package():
    code = "import sys; from augbench import methods\n"
    code += "for name in methods.GROUPS['generators']: methods.make(name); methods.describe(name)\n"
    code += "print([one for one in ('torch', 'ctgan', 'sdv', 'rdt', 'copulas') if one in sys.modules])"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == "[]"


@pytest.mark.parametrize("name", NAMES)
def test_without_the_package_it_says_what_to_type(name, monkeypatch):
    monkeypatch.setattr("augbench.methods.generators.isolation.find_spec", lambda package: None)
    X, y = table()
    package = "ctgan" if name in CTGAN else "sdv"
    with pytest.raises(InputError, match=rf"needs {package}.*: pip install {package}.*\(extra 'generators'\)"):
        make(name, {1: 40}).fit_resample(X, y)


@pytest.mark.parametrize("name", NAMES)
def test_is_an_estimator_and_works_behind_the_filter(name):
    X, y = table(rare=20)
    method = make(name, {1: 30})
    assert clone(method).get_params() == method.get_params()
    quick = methods.get(name).checked_with
    filtered = methods.make(f"{name}+gc", quick, sampling_strategy={1: 30}, random_state=0)
    assert np.bincount(filtered.fit_resample(X, y)[1]).tolist() == [40, 30]


@pytest.mark.parametrize(
    ("name", "params", "words"),
    [
        ("ctgan", {"batch_size": 15}, "batch_size must be even and a multiple of pac=10; found 15"),
        ("ctgan", {"generator_lr": 0}, "generator_lr must be above 0; found 0"),
        ("copula-gan", {"default_distribution": "t"}, "default_distribution must be one of norm, .*; found 't'"),
        ("gaussian-copula", {"default_distribution": 1}, "default_distribution must be one of"),
        ("gaussian-copula", {"epochs": 5}, "epochs"),
        ("sdv-tvae", {"steps": 0}, "steps must be a whole number, at least 1; found 0"),
        ("tvae", {"epochs": 1.5}, "epochs must be a whole number, at least 1; found 1.5"),
        ("tvae", {"device": "gpu"}, "device must be 'cpu', 'cuda' or 'cuda:N'; found 'gpu'"),
        ("tvae", {"loss_factor": -1}, "loss_factor must be above 0; found -1"),
        ("sdv-ctgan", {"max_tries": 0}, "max_tries must be a whole number, at least 1; found 0"),
        ("sdv-ctgan", {"conditional": "both"}, "conditional must be 'per-class' or 'class-column'; found 'both'"),
    ],
)
def test_a_value_that_makes_no_sense_is_refused(name, params, words):
    with pytest.raises(InputError, match=words):
        methods.make(name, params)


def test_other_threads_print_while_a_package_is_muted(capsys):
    """A display of progress goes on; the package's own words do not show."""
    with isolated(0):
        print("the package's")
        sys.stderr.writelines(["the package's\n"])
        other = threading.Thread(target=lambda: print("the display's", file=sys.stderr))
        other.start()
        other.join()
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("", "the display's\n")
