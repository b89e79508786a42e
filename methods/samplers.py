"""Any sampler of imbalanced-learn's kind as a method, behind one wrapper."""

from __future__ import annotations

import inspect
from importlib import import_module
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from ..errors import InputError
from .contract import Augmenter, column_positions

#: parameters that count neighbours among the rows of the class, and among all training rows
CLASS_NEIGHBOURS = ("k_neighbors", "n_neighbors")
ALL_NEIGHBOURS = ("m_neighbors",)

#: a sampler that rounds by its definition may give this share of the rows asked for
ROUNDING = 0.9


class ImblearnSampler(Augmenter):
    """Any imbalanced-learn sampler that only adds rows.

    The sampler sees numeric columns standardised (mean and standard deviation of the training rows), so that distances
    do not depend on units, and its new rows are mapped back. Without categorical columns it gets an array, else a
    frame whose categorical columns have a categorical dtype. It is told the rows wanted of each class and a seed, if it
    has the parameters `sampling_strategy` and `random_state`.

    Numbers of neighbours are "at most" values, the usual practice: `k_neighbors` and `n_neighbors` are lowered to the
    rows of the smallest augmented class minus one, `m_neighbors` to all training rows minus one. If the sampler gives
    more rows than were asked for, a random choice of them is kept.

    Parameters
    ----------
    sampler : str
        Where the class is: ``"package.module:Class"`` or ``"package.module.Class"``.
    params : dict, optional
        Its parameters, other than `sampling_strategy` and `random_state`.
    sampling_strategy, random_state
        As in `Augmenter`.

    Raises
    ------
    InputError
        The class cannot be imported, is no sampler, or lacks one of the parameters.
    ValueError
        In `fit_resample`: the sampler failed, gave too few rows, or removed or changed training rows.

    Examples
    --------
    >>> X = pd.DataFrame({"a": [0.0, 1.0, 2.0, 3.0, 4.0]})
    >>> method = ImblearnSampler.from_class("imblearn.over_sampling:SMOTE", k_neighbors=3)
    >>> X_new, y_new = method.set_params(random_state=0).fit_resample(X, np.array([0, 0, 0, 1, 1]))
    >>> len(X_new), bool(3 <= X_new["a"].iloc[5] <= 4)
    (6, True)
    """

    family: ClassVar[str] = "third-party"
    #: the sampler is asked a second time, for more, if the first answer was short but not empty
    asks_again: ClassVar[bool] = False

    def __init__(
        self,
        sampler: str = "imblearn.over_sampling:SMOTE",
        params: dict[str, Any] | None = None,
        sampling_strategy: Any = "auto",
        random_state: int | None = None,
    ) -> None:
        super().__init__(sampling_strategy=sampling_strategy, random_state=random_state)
        self.sampler = sampler
        self.params = params

    @classmethod
    def from_class(cls, sampler: str, **params: Any) -> ImblearnSampler:
        """Build the method for a sampler class named by its path; parameters are checked here."""
        method = cls(sampler=sampler, params=params)
        allowed = inspect.signature(method.sampler_class).parameters
        if not any(one.kind is one.VAR_KEYWORD for one in allowed.values()):
            for name in params:
                if name not in allowed:
                    raise InputError(f"sampler {sampler} has no parameter '{name}'; it has {', '.join(allowed)}")
        return method

    @property
    def sampler_class(self) -> type:
        """The class that makes the rows."""
        return load_sampler(self.sampler)

    def sampler_parameters(self, X: pd.DataFrame, y: np.ndarray, counts: dict[int, int]) -> dict[str, Any]:
        """Return the sampler's parameters for this training set, before neighbours are lowered."""
        return dict(self.params or {})

    def choose_class(self, numeric: list[int], categorical: list[int]) -> type:
        """Return the sampler class for a table with these numeric and categorical columns (by position)."""
        return self.sampler_class

    def _generate(
        self, X: pd.DataFrame, y: np.ndarray, counts: dict[int, int], rng: np.random.Generator
    ) -> tuple[pd.DataFrame, np.ndarray]:
        numeric, categorical = column_positions(X)
        encoding = _Standardised(X, numeric, categorical)
        make = self.choose_class(numeric, categorical)
        params = lower_neighbours(make, self.sampler_parameters(X, y, counts), y, counts)
        seed = int(rng.integers(2**32))
        new, labels = self._call(make, params, encoding.sampler_input, y, counts, seed)
        got = {code: int(np.count_nonzero(labels == code)) for code in counts}
        if self.asks_again and all(got.values()) and any(got[code] < asked for code, asked in counts.items()):
            more = {code: 1 + int(1.2 * asked * max(1.0, asked / got[code])) for code, asked in counts.items()}
            new, labels = self._call(make, params, encoding.sampler_input, y, more, seed)
        kept = self._choose(labels, counts, rng)
        return encoding.back(new, kept), labels[kept]

    def _call(
        self, make: type, params: dict[str, Any], X: Any, y: np.ndarray, counts: dict[int, int], seed: int
    ) -> tuple[Any, np.ndarray]:
        """Run the sampler; return the rows that it added, in its own units, and their labels."""
        accepted = inspect.signature(make).parameters
        if "sampling_strategy" in accepted:
            wanted = {code: int(np.count_nonzero(y == code)) + count for code, count in counts.items()}
            params = params | {"sampling_strategy": wanted}
        if "random_state" in accepted:
            params = params | {"random_state": seed}
        n = len(y)
        try:
            X_all, y_all = make(**params).fit_resample(X.copy(), y.copy())
        except (RuntimeError, ValueError) as error:
            raise ValueError(f"{make.__name__}: {' '.join(str(error).split())}") from error
        y_all = np.asarray(y_all)
        if len(y_all) < n or not np.array_equal(y_all[:n], y) or not _same_rows(X_all[:n], X):
            raise ValueError(
                f"{make.__name__} removed or changed training rows; augbench compares samplers that only add rows"
            )
        return X_all[n:], y_all[n:]

    def _choose(self, labels: np.ndarray, counts: dict[int, int], rng: np.random.Generator) -> np.ndarray:
        """Return positions of the rows to keep: for each class as many as were asked for, at random, order kept."""
        kept = []
        for code, asked in counts.items():
            rows = np.flatnonzero(labels == code)
            if len(rows) < (asked if self.exact_counts else max(1, ROUNDING * asked)):
                raise ValueError(
                    f"returned {len(rows)} of the {asked} rows asked for of class {code}" + self._why(rows)
                )
            kept.append(rows if len(rows) <= asked else np.sort(rng.choice(rows, size=asked, replace=False)))
        return np.concatenate(kept)

    def _why(self, rows: np.ndarray) -> str:
        """Return what explains that only these rows came, to stand after the message."""
        return ""


class SamplerAugmenter(ImblearnSampler):
    """Base of a method that is one imbalanced-learn sampler: name its class, list its parameters in the constructor.

    All that `ImblearnSampler` says of columns, neighbours and counts holds; `bench list methods` and tuning know the
    parameters. PLUGINS.md has an example.

    Parameters
    ----------
    sampling_strategy, random_state
        As in `Augmenter`.
    """

    sampler_class: ClassVar[type]

    def __init__(self, sampling_strategy: Any = "auto", random_state: int | None = None) -> None:
        Augmenter.__init__(self, sampling_strategy=sampling_strategy, random_state=random_state)

    def sampler_parameters(self, X: pd.DataFrame, y: np.ndarray, counts: dict[int, int]) -> dict[str, Any]:
        """Return the parameters of this object."""
        return {
            name: getattr(self, name)
            for name in self._get_param_names()
            if name not in ("sampling_strategy", "random_state")
        }


class _Standardised:
    """A training table in the units that distances are taken in, and the way back.

    Categorical columns become integer codes of categorical dtype, so that a sampler never has to compare labels.
    """

    def __init__(self, X: pd.DataFrame, numeric: list[int], categorical: list[int]) -> None:
        self.numeric, self.categorical = numeric, categorical
        values = X.iloc[:, numeric].to_numpy(dtype=float)
        self.mean = values.mean(axis=0)
        deviation = values.std(axis=0)
        self.scale = np.where(deviation > 0, deviation, 1.0)
        standardised = (values - self.mean) / self.scale
        if not categorical:
            self.sampler_input: Any = standardised
            return
        coded = {j: X.iloc[:, j].astype("category").array for j in categorical}
        self.categories = {j: values.categories for j, values in coded.items()}
        columns: dict[int, Any] = {j: standardised[:, i] for i, j in enumerate(numeric)}
        columns |= {j: pd.Categorical(values.codes) for j, values in coded.items()}
        self.sampler_input = pd.DataFrame({str(j): columns[j] for j in range(X.shape[1])})

    def back(self, rows: Any, kept: np.ndarray) -> pd.DataFrame:
        """Return some of the sampler's rows in the table's own units and categories, columns named 0, 1, ..."""
        if not self.categorical:
            return pd.DataFrame(np.asarray(rows, dtype=float)[kept] * self.scale + self.mean)
        frame = pd.DataFrame(rows).iloc[kept].reset_index(drop=True)
        values = frame.iloc[:, self.numeric].to_numpy(dtype=float) * self.scale + self.mean
        columns: dict[int, Any] = {j: values[:, i] for i, j in enumerate(self.numeric)}
        for j, categories in self.categories.items():
            if frame.iloc[:, j].isna().any():
                raise ValueError("new rows have categories that do not exist: this sampler takes numeric columns only")
            columns[j] = pd.Categorical.from_codes(frame.iloc[:, j].to_numpy(dtype=int), categories)
        return pd.DataFrame({j: columns[j] for j in range(frame.shape[1])})


def _same_rows(returned: Any, original: Any) -> bool:
    """Tell whether the rows are the same, up to a dtype that the sampler changed."""
    a = np.asarray(returned, dtype=float)
    return a.shape == original.shape and np.allclose(a, np.asarray(original, dtype=float), rtol=1e-9, atol=1e-9)


def lower_neighbours(make: type, params: dict[str, Any], y: np.ndarray, counts: dict[int, int]) -> dict[str, Any]:
    """Lower a sampler's numbers of neighbours to the rows at hand minus one.

    Parameters
    ----------
    make : type
        The sampler's class; a number that is not in `params` is its default.
    params : dict
        Parameters.
    y : numpy.ndarray of shape (n_rows,)
        Class codes.
    counts : dict of int to int
        New rows wanted of each augmented class.

    Returns
    -------
    dict
        A copy of `params` with the lowered numbers, at least 1; what is no integer is left alone.
    """
    smallest = min(int(np.count_nonzero(y == code)) for code in counts)
    lowered = dict(params)
    accepted = inspect.signature(make).parameters
    for names, rows in ((CLASS_NEIGHBOURS, smallest), (ALL_NEIGHBOURS, len(y))):
        for name in names:
            value = params.get(name, accepted[name].default) if name in accepted else None
            if isinstance(value, int) and value > rows - 1:
                lowered[name] = max(1, rows - 1)
    return lowered


def load_sampler(path: str) -> type:
    """Import a sampler class.

    Parameters
    ----------
    path : str
        ``"package.module:Class"`` or ``"package.module.Class"``.

    Raises
    ------
    InputError
        It cannot be imported, or has no `fit_resample`.
    """
    module, _, name = path.partition(":") if ":" in path else path.rpartition(".")
    try:
        found = getattr(import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise InputError(f"sampler '{path}' cannot be imported ({error}); write it as package.module:Class") from error
    if not (inspect.isclass(found) and callable(getattr(found, "fit_resample", None))):
        raise InputError(f"sampler '{path}' is no class with a method fit_resample")
    return found
