"""Data sets that commit the pitfall of resampling before the split."""

import numpy as np
import pytest
from augbench import datasets
from augbench.bench.plugins import load_all
from augbench.bench.reproduce_command import PLUGINS
from augbench.datasets.checks import check_dataset
from augbench.errors import InputError
from augbench.reproduction.datasets import ResampledFirst


@pytest.fixture(scope="module", autouse=True)
def _plugins():
    load_all(PLUGINS)


@pytest.mark.parametrize("by", ["smote", "random-oversampling"])
def test_both_classes_have_one_size_and_the_rows_are_those_of_the_method(by):
    made = datasets.make("resampled-first", of="breast-cancer", by=by)
    table, base = made.load(), datasets.make("breast-cancer").load()
    assert np.bincount(table.y).tolist() == [357, 357] == list(made.info.class_counts)
    own = {tuple(row) for row in base.X.to_numpy()}
    new = [tuple(row) not in own for row in table.X.to_numpy()]
    assert sum(new) == (357 - 212 if by == "smote" else 0)
    assert list(table.X.columns) == list(base.X.columns)
    assert made.load().X.equals(table.X)


def test_it_passes_the_check_of_datasets():
    check_dataset(ResampledFirst(of="breast-cancer"))


def test_what_cannot_be_resampled_is_refused():
    with pytest.raises(InputError, match="two classes, not 'iris'"):
        ResampledFirst("iris")
    with pytest.raises(InputError, match="not 'logistic-simulation'"):
        ResampledFirst("logistic-simulation")
    with pytest.raises(InputError, match="by must be one of smote"):
        ResampledFirst("breast-cancer", "jitter")
