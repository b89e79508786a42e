"""What neural methods say they took: steps, epochs, rows, networks, and the share of rows that was kept."""

import numpy as np
import pandas as pd
import pytest
from augbench import methods

CLASSES, COUNTS = (40, 12, 8), {1: 28, 2: 32}
FAMILY = [name for name in methods.GROUPS["vae-family"] if name != "predictive-vae-published"]


@pytest.fixture
def table():
    rng = np.random.default_rng(0)
    y = np.repeat(np.arange(len(CLASSES)), CLASSES)
    return pd.DataFrame(rng.normal(size=(len(y), 3)) + y[:, None], columns=list("abc")), y


def made(name, table, **params):
    method = methods.make(name, params, random_state=0)
    method.fit_resample(*table)
    return method


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", FAMILY)
def test_steps_and_networks_are_those_that_were_trained(name, table):
    method = made(name, table, steps=20)
    networks = len(method.networks_)
    assert networks == (2 if name == "vae" else 1)
    assert method.n_networks(COUNTS) == networks
    assert method.n_networks({1: 28}) == 1
    assert method.n_networks({}) == 0
    assert method.effort_["networks"] == networks
    assert method.effort_["steps"] == 20 * networks
    assert method.effort_["yield"] == 1.0


def test_epochs_and_rows_of_one_network_per_class(table):
    effort = made("vae", table, steps=30, batch_size=10).effort_
    # classes of 12 and 8 rows
    assert effort["rows"] == 20
    assert effort["epochs"] == pytest.approx((300 / 12 + 300 / 8) / 2)
    assert made("cvae", table, steps=30, batch_size=10).effort_["epochs"] == pytest.approx(300 / 60)


@pytest.mark.filterwarnings("ignore")
def test_on_a_plateau_the_steps_are_those_that_were_taken(table):
    method = made("vae", table, steps=1200, patience=1)
    taken = method.training_history_.groupby("model")["step"].max()
    assert method.effort_["steps"] == taken.sum() < 2400
    # a fifth of the rows is held out
    assert method.effort_["rows"] == (12 - 2) + (8 - 2)


@pytest.mark.filterwarnings("ignore")
def test_rows_that_were_decoded_and_not_kept_count(table):
    method = made("predictive-vae", table, steps=20, selection="uncertain", selection_rate=0.25)
    assert method.effort_["yield"] == pytest.approx(0.25)


@pytest.mark.filterwarnings("ignore")
def test_each_table_of_a_call_has_its_own_and_one_that_fails_has_none(table):
    method = methods.make("vae", {"steps": 20})
    X, y = table
    results = method.fit_resample_many(
        [table, (X, y), (X.assign(a=np.nan), y), (X, y)], [0, 1, 2, 3], [{1: 40, 2: 40}, {2: 20}, {1: 40}, {1: 12}]
    )
    assert isinstance(results[2], ValueError)
    assert [one and one["steps"] for one in method.efforts_] == [40, 20, None, None]


@pytest.mark.filterwarnings("ignore")
def test_the_filter_passes_it_on_with_the_share_that_looks_good(table):
    method = made("vae+gc", table, steps=20)
    assert method.n_networks(COUNTS) == 2
    assert method.effort_["steps"] == 40
    assert method.effort_["yield"] == pytest.approx(1 - method.rejected_share_)
    assert 0 < method.rejected_share_ < 1
    method.fit_resample_many([table, table], [0, 1], [{1: 40}, {1: 40, 2: 40}])
    assert [one["steps"] for one in method.efforts_] == [20, 40]
    assert [one["yield"] for one in method.efforts_] == pytest.approx(1 - np.array(method.rejected_shares_))
    # what trains nothing has a yield alone
    assert set(made("smote+gc", table).effort_) == {"yield"}


def test_a_detector_says_it_too(table):
    X, y = table
    detector = methods.make("autoencoder", {"steps": 30, "batch_size": 10}, random_state=0).fit(X, (y > 0).astype(int))
    # 40 normal rows, a quarter kept for the threshold
    assert detector.effort_ == {"steps": 30, "networks": 1, "rows": 30, "epochs": 10}
