import subprocess
import sys

import pytest
from augbench import datasets
from augbench.datasets import GROUPS, make, names, register
from augbench.datasets.bundled import BundledDataset
from augbench.errors import InputError


@pytest.fixture(autouse=True)
def _unchanged_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datasets, "_FACTORIES", dict(datasets._FACTORIES))
    monkeypatch.setattr(datasets, "GROUPS", {group: list(members) for group, members in GROUPS.items()})


def test_names_and_groups_agree() -> None:
    # what plugins of other tests have brought stands in a group of its own
    ours = {group: members for group, members in GROUPS.items() if group != "yours"}
    assert {group: len(members) for group, members in ours.items()} == {
        "simulated": 4,
        "bundled": 4,
        "proben1": 8,
        "images": 3,
        "published": 1,
        "series": 3,
        "uci": 7,
        "credit": 8,
        "bankruptcy": 6,
        "imbalanced": 3,
        "imblearn": 27,
        "keel": 121,
    }
    assert len(names()) == len(set(names()))
    for group, members in ours.items():
        for name in members:
            info = make(name).info
            assert (info.name, info.group) == (name, group)
            assert info.description
            assert len(info.content_hash) == 64
            assert len(info.classes) == len(info.class_counts) >= 2


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: make("crad"), "unknown dataset 'crad': did you mean 'card'"),
        (lambda: make("simulated-rings", n_trian=5), "no parameter 'n_trian': did you mean 'n_train'"),
        (lambda: make("simulated-rings", n_trian=5), "it takes n_train, n_test, offset"),
        (lambda: make("iris", n=5), "'iris' has no parameter 'n': it takes none"),
        (lambda: register(BundledDataset, "iris"), "'iris' is already registered"),
        (lambda: register(BundledDataset, " "), "needs a name"),
        (lambda: register(3, "three"), "must be a Dataset class or a function, not 3"),  # type: ignore[arg-type]
    ],
)
def test_refused(call, words: str) -> None:
    with pytest.raises(InputError, match=words):
        call()


def test_register_a_plugin() -> None:
    register(BundledDataset, "any-bundled", "plugins")
    assert "any-bundled" in names()
    assert make("any-bundled", name="wine").info.name == "wine"
    with pytest.raises(InputError, match="needs the parameter 'name'"):
        make("any-bundled")
    register(lambda: {}, "not-a-dataset")  # type: ignore[arg-type, return-value]
    with pytest.raises(InputError, match="returned dict, not a Dataset"):
        make("not-a-dataset")


def test_import_is_cheap() -> None:
    code = (
        "import sys, augbench.datasets\n"
        "print([m for m in ('sklearn', 'scipy', 'pooch', 'requests', 'rich', 'augbench.methods', 'augbench.bench')"
        " if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "[]"
