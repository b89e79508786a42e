import subprocess
import sys

import numpy as np
import pytest
from augbench import methods
from augbench.errors import InputError
from augbench.methods import Adjuster, Augmenter


@pytest.fixture
def registry(monkeypatch):
    monkeypatch.setattr(methods, "_METHODS", dict(methods._METHODS))
    monkeypatch.setattr(methods, "GROUPS", {key: list(value) for key, value in methods.GROUPS.items()})
    return methods


def test_groups_cover_the_specification():
    assert methods.GROUPS["controls"] == [
        "none",
        "random-oversampling",
        "jitter",
        "constant-row",
        "uniform-noise",
        "class-weight",
        "prior-shift",
        "threshold-tuned",
    ]
    assert methods.GROUPS["neighbours"] == ["smote", "borderline-smote", "svm-smote", "kmeans-smote", "adasyn"]
    assert methods.GROUPS["all"] == methods.names()


def test_import_is_cheap():
    code = (
        "import sys, augbench.methods as m; m.names(); print([x for x in ('sklearn', 'imblearn') if x in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"


def test_wrong_names_get_the_nearest():
    with pytest.raises(InputError, match="unknown method 'smoet': did you mean 'smote'"):
        methods.make("smoet")
    with pytest.raises(
        InputError, match=r"unknown parameter of method 'smote' 'k_neighbor': did you mean 'k_neighbors'"
    ):
        methods.make("smote", {"k_neighbor": 3})
    with pytest.raises(InputError, match="method 'none' has no parameters; found 'k'"):
        methods.make("none", {"k": 3})
    with pytest.raises(InputError, match="unknown parameter"):
        methods.make("smote", {"random_state": 3})


def test_make_passes_parameters():
    assert methods.make("smote", {"k_neighbors": 3}, random_state=7).get_params() == {
        "k_neighbors": 3,
        "random_state": 7,
        "sampling_strategy": "auto",
    }


def test_register(registry):
    class Mine(Adjuster):
        """Mine."""

    registry.register(Mine, "mine")
    assert registry.get("mine") is Mine
    assert registry.describe("mine") == "Mine."
    assert registry.names()[-1] == registry.GROUPS["all"][-1] == "mine"
    for taken in ("mine", "smote", "controls"):
        with pytest.raises(InputError, match="exists already"):
            registry.register(Mine, taken)
    with pytest.raises(InputError, match="must be a subclass"):
        registry.register(dict, "other")


def test_unknown_attribute():
    with pytest.raises(AttributeError):
        methods.nothing  # noqa: B018


def test_baseline():
    none = methods.make("none")
    p = np.array([[0.2, 0.8]])
    assert methods.get("none").kind == "baseline"
    assert none.sample_weight(np.array([0, 1])) is None
    assert none.adjust(p, np.array([0, 1])) is p
    assert issubclass(methods.get("smote"), Augmenter)
