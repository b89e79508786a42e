"""A check of datasets, of augbench and of plugins: whether they are what they say.

>>> from augbench.datasets import make
>>> check_dataset(make("iris"))

On the command line: ``bench datasets check NAME``. In a plugin's tests, of every dataset that it registers::

    from augbench.datasets.checks import parametrize_datasets

    @parametrize_datasets(["my-table"])
    def test_datasets(check):
        check()
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from ..errors import InputError
from .contract import Dataset, DatasetInfo, FiniteDataset, MissingDataError, SimulatedDataset, Table


def check_dataset(dataset: str | Dataset) -> None:
    """Check that a dataset keeps the contract.

    What is known without loading holds for the rows: class counts (of simulated data their number only), numbers of
    numeric and categorical columns, missing cells only where `info.missing`; every class has rows. Columns are float64
    or categorical and finite, classes int64, the index counts from 0, series and posterior fit. Loading twice, and
    loading by another instance of the same name, gives the same rows, and the facts do not change by it.

    Parameters
    ----------
    dataset : str or Dataset
        A registered name, or a dataset.

    Raises
    ------
    MissingDataError
        The files are not on this machine.
    InputError
        The first promise that is broken: one line that names the dataset, what was found and what is expected.
    """
    from . import make

    first = make(dataset) if isinstance(dataset, str) else dataset
    second = make(dataset) if isinstance(dataset, str) else dataset
    if not isinstance(first, FiniteDataset | SimulatedDataset):
        raise InputError(f"{first!r} is neither a FiniteDataset nor a SimulatedDataset")
    if isinstance(first, FiniteDataset):
        first.check_present()
    info = first.info
    if isinstance(dataset, str) and info.name != dataset:
        raise InputError(f"dataset '{dataset}': info.name is '{info.name}', expected the name that it is registered by")
    _check_info(info)
    tables = [_rows(one) for one in (first, second, first)]
    for table in tables[0]:
        _check_table(info, table)
    if isinstance(first, FiniteDataset):
        _check_counts(info, tables[0][0])
    hashes = {tuple(table_hash(table) for table in loaded) for loaded in tables}
    if len(hashes) > 1:
        raise _broken(info, "loading it twice gives other rows: it must not draw from a random state of its own")
    if first.info != info or second.info != info:
        raise _broken(info, "info changes once the rows have been loaded")


def _rows(dataset: Dataset) -> list[Table]:
    if isinstance(dataset, FiniteDataset):
        return [dataset.load()]
    assert isinstance(dataset, SimulatedDataset)
    draw = dataset.sample(np.random.default_rng(0), 0)
    return [draw.train, draw.test]


def table_hash(table: Table) -> str:
    """Return the SHA-256 of all rows of a table: columns with their kinds, cells, classes, series, posterior."""
    sha = hashlib.sha256()
    for name in table.X.columns:
        column = table.X[name]
        sha.update(f"{name}\0{column.dtype}\0".encode())
        if isinstance(column.dtype, pd.CategoricalDtype):
            sha.update("\0".join(map(str, column.cat.categories)).encode())
            sha.update(column.cat.codes.to_numpy().astype("<i8").tobytes())
        else:
            # every missing cell is the same, whatever its bits
            values = column.to_numpy(dtype="<f8", copy=True)
            values[np.isnan(values)] = np.nan
            sha.update(values.tobytes())
    for array, kind in ((table.y, "<i8"), (table.series, "<i8"), (table.posterior, "<f8")):
        sha.update(b"|" if array is None else np.ascontiguousarray(array, dtype=kind).tobytes())
    return sha.hexdigest()


def _broken(info: DatasetInfo, what: str) -> InputError:
    return InputError(f"dataset '{info.name}': {what}")


def _check_info(info: DatasetInfo) -> None:
    for key in ("name", "description", "group", "content_hash"):
        value = getattr(info, key)
        if not isinstance(value, str) or not value.strip() or "\n" in value:
            raise _broken(info, f"info.{key} must be one line of text, found {value!r}")
    if len(info.classes) < 2 or len(set(info.classes)) != len(info.classes):
        raise _broken(info, f"info.classes must be two or more different labels, found {info.classes}")
    if len(info.class_counts) != len(info.classes) or min(info.class_counts) < 1:
        raise _broken(info, f"info.class_counts must have a positive number for each class, found {info.class_counts}")


def _check_table(info: DatasetInfo, table: Table) -> None:
    X, y = table.X, table.y
    n_rows = len(X)
    if not X.index.equals(pd.RangeIndex(n_rows)):
        raise _broken(info, "the index of X must count the rows from 0")
    if not X.columns.is_unique or not all(isinstance(name, str) for name in X.columns):
        raise _broken(info, f"the columns of X must have different names, all of them text; found {list(X.columns)}")
    categorical = [name for name in X.columns if isinstance(X[name].dtype, pd.CategoricalDtype)]
    strange = [name for name in X.columns if name not in categorical and X[name].dtype != np.float64]
    if strange:
        raise _broken(info, f"column '{strange[0]}' is {X[strange[0]].dtype}, expected float64 or a categorical dtype")
    found = (X.shape[1] - len(categorical), len(categorical))
    if found != (info.n_numeric, info.n_categorical):
        raise _broken(
            info,
            f"there are {found[0]} numeric and {found[1]} categorical columns, "
            f"info says {info.n_numeric} and {info.n_categorical}",
        )
    numeric = X[[name for name in X.columns if name not in categorical]].to_numpy()
    if np.isinf(numeric).any():
        raise _broken(info, "X has infinite cells")
    missing = int(X.isna().to_numpy().sum())
    if missing and not info.missing:
        raise _broken(info, f"X has {missing} missing cells, and info.missing is False")
    if not isinstance(y, np.ndarray) or y.dtype != np.int64 or y.shape != (n_rows,):
        raise _broken(info, f"y must be an int64 array of shape ({n_rows},), found {getattr(y, 'dtype', type(y))}")
    if n_rows == 0 or y.min() < 0 or y.max() >= len(info.classes):
        raise _broken(info, f"the codes in y must be 0 to {len(info.classes) - 1}")
    _check_beside(info, table, n_rows)


def _check_beside(info: DatasetInfo, table: Table, n_rows: int) -> None:
    """Check series and posterior."""
    if (table.series is not None) != info.series:
        raise _broken(info, f"info.series is {info.series}, and the table {'lacks' if info.series else 'has'} series")
    if table.series is not None and (table.series.dtype != np.int64 or table.series.shape != (n_rows,)):
        raise _broken(info, f"series must be an int64 array of shape ({n_rows},)")
    posterior = table.posterior
    if posterior is not None:
        fits = posterior.shape == (n_rows, len(info.classes))
        if not fits or not np.allclose(posterior.sum(axis=1), 1) or posterior.min() < 0:
            raise _broken(info, "posterior must have a row of probabilities, which sum to 1, for each row")


def check_rows(info: DatasetInfo, table: Table) -> None:
    """Check that the rows of a finite dataset are what its facts say; raise `InputError` where they are not."""
    _check_table(info, table)
    _check_counts(info, table)


def _check_counts(info: DatasetInfo, table: Table) -> None:
    counts = tuple(np.bincount(table.y, minlength=len(info.classes)).tolist())
    if counts != tuple(info.class_counts):
        raise _broken(info, f"the class counts are {counts}, info says {tuple(info.class_counts)}")


def present(names: Iterable[str] | None = None) -> list[str]:
    """Return the datasets, of all registered ones or of some, whose data are on this machine; cheap where it can be."""
    from . import make
    from . import names as all_names

    found = []
    for name in all_names() if names is None else names:
        dataset = make(name)
        try:
            if isinstance(dataset, FiniteDataset):
                dataset.check_present()
        except MissingDataError:
            continue
        found.append(name)
    return found


def parametrize_datasets(datasets: Iterable[str | Dataset]) -> Any:
    """Return a pytest decorator: one test, with the argument ``check``, for each dataset; absent data are skipped."""
    import pytest

    def run(dataset: str | Dataset) -> None:
        try:
            check_dataset(dataset)
        except MissingDataError as error:
            pytest.skip(str(error))

    listed = list(datasets)
    ids = [one if isinstance(one, str) else one.info.name for one in listed]
    return pytest.mark.parametrize("check", [partial(run, one) for one in listed], ids=ids)
