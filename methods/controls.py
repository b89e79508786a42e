"""The trivial augmenters: every published gain that one of them reaches as well is no gain of the generator."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pandas as pd

from .contract import Adjuster, Augmenter, column_positions
from .search import Range, Real


class None_(Adjuster):  # noqa: N801
    """The training rows as they are: the baseline."""

    kind: ClassVar[str] = "baseline"
    role: ClassVar[str] = "control"
    family: ClassVar[str] = "controls"


class _Control(Augmenter):
    """What the trivial augmenters share."""

    role: ClassVar[str] = "control"
    family: ClassVar[str] = "controls"


def _copies(y: np.ndarray, counts: dict[int, int], rng: np.random.Generator) -> np.ndarray:
    """Return positions of rows drawn with replacement, `counts[c]` of each class c."""
    members = {code: np.flatnonzero(y == code) for code in counts}
    return np.concatenate([members[code][rng.integers(len(members[code]), size=n)] for code, n in counts.items()])


def _wanted_labels(counts: dict[int, int]) -> np.ndarray:
    return np.repeat(list(counts), list(counts.values()))


class RandomOversampling(_Control):
    """Copies of rows of the wanted class, drawn with replacement.

    Examples
    --------
    >>> X = pd.DataFrame({"a": [0.0, 1.0, 2.0, 3.0]})
    >>> y = np.array([0, 0, 0, 1])
    >>> X_new, y_new = RandomOversampling(random_state=0).fit_resample(X, y)
    >>> X_new["a"].tolist(), y_new.tolist()
    ([0.0, 1.0, 2.0, 3.0, 3.0, 3.0], [0, 0, 0, 1, 1, 1])
    """

    def _generate(
        self, X: pd.DataFrame, y: np.ndarray, counts: dict[int, int], rng: np.random.Generator
    ) -> tuple[pd.DataFrame, np.ndarray]:
        rows = _copies(y, counts, rng)
        return X.iloc[rows], y[rows]


class Jitter(_Control):
    r"""Smoothed bootstrap: copies plus Gaussian noise, as RandomOverSampler's `shrinkage`.

    The noise of a numeric column has the standard deviation :math:`s\,h\,\sigma`: :math:`\sigma` that of the column
    within the class, :math:`h = (4 / ((d + 2) n))^{1 / (d + 4)}` Silverman's factor for the d numeric columns, and s
    the shrinkage. As in imbalanced-learn n counts all training rows; in Menardi and Torelli [1]_ those of the class,
    which makes the noise of a rare class somewhat wider. Categorical columns are copied.

    Parameters
    ----------
    shrinkage : float, default=1.0
        Factor s of the noise; 0 gives plain copies.
    sampling_strategy, random_state
        As in `Augmenter`.

    References
    ----------
    .. [1] G. Menardi, N. Torelli, "Training and assessing classification rules with imbalanced data", Data Mining and
       Knowledge Discovery 28 (2014), 92-122.

    Examples
    --------
    >>> X = pd.DataFrame({"a": [0.0, 1.0, 2.0, 3.0, 4.0]})
    >>> y = np.array([0, 0, 0, 1, 1])
    >>> X_new, _ = Jitter(random_state=0).fit_resample(X, y)
    >>> len(X_new), bool(X_new["a"].iloc[5] in (3.0, 4.0))
    (6, False)
    """

    search_space: ClassVar[dict[str, Range]] = {"shrinkage": Real(0.1, 4.0, log=True)}

    def __init__(
        self, shrinkage: float = 1.0, sampling_strategy: Any = "auto", random_state: int | None = None
    ) -> None:
        super().__init__(sampling_strategy=sampling_strategy, random_state=random_state)
        self.shrinkage = shrinkage

    def _generate(
        self, X: pd.DataFrame, y: np.ndarray, counts: dict[int, int], rng: np.random.Generator
    ) -> tuple[pd.DataFrame, np.ndarray]:
        if not self.shrinkage >= 0:
            raise ValueError(f"shrinkage must be 0 or more; found {self.shrinkage}")
        rows = _copies(y, counts, rng)
        new = X.iloc[rows].reset_index(drop=True)
        numeric, _ = column_positions(X)
        if not numeric:
            return new, y[rows]
        values = X.iloc[:, numeric].to_numpy(dtype=float)
        n, d = values.shape
        bandwidth = self.shrinkage * (4 / ((d + 2) * n)) ** (1 / (d + 4))
        scale = np.vstack([np.tile(values[y == code].std(axis=0), (k, 1)) for code, k in counts.items()])
        noisy = values[rows] + bandwidth * scale * rng.standard_normal((len(rows), d))
        return _with_numeric(new, numeric, noisy), y[rows]


class ConstantRow(_Control):
    """The same row again and again: the midpoint of each feature's training range.

    The range is that of all training rows, of whatever class, so the row holds no knowledge of the class that it is
    labelled with. A categorical column gets its most frequent training category (the first one on a tie).

    Examples
    --------
    >>> X = pd.DataFrame({"a": [0.0, 1.0, 6.0]})
    >>> ConstantRow().fit_resample(X, np.array([0, 0, 1]))[0]["a"].tolist()
    [0.0, 1.0, 6.0, 3.0]
    """

    deterministic: ClassVar[bool] = True

    def _generate(
        self, X: pd.DataFrame, y: np.ndarray, counts: dict[int, int], rng: np.random.Generator
    ) -> tuple[pd.DataFrame, np.ndarray]:
        labels = _wanted_labels(counts)
        numeric, categorical = column_positions(X)
        columns: dict[int, Any] = {}
        for j in numeric:
            low, high = X.iloc[:, j].min(), X.iloc[:, j].max()
            columns[j] = np.full(len(labels), low + (high - low) / 2)
        for j in categorical:
            codes, categories = _category_codes(X.iloc[:, j])
            columns[j] = categories.take(np.full(len(labels), np.bincount(codes).argmax()))
        return pd.DataFrame({j: columns[j] for j in range(X.shape[1])}), labels


class UniformNoise(_Control):
    """New rows uniform in each feature's training range, features independent.

    The range is that of all training rows, of whatever class. A categorical column is uniform over the categories that
    the training rows have.

    Examples
    --------
    >>> X = pd.DataFrame({"a": [0.0, 1.0, 6.0]})
    >>> X_new, _ = UniformNoise(random_state=0).fit_resample(X, np.array([0, 0, 1]))
    >>> bool(0 <= X_new["a"].iloc[3] < 6)
    True
    """

    def _generate(
        self, X: pd.DataFrame, y: np.ndarray, counts: dict[int, int], rng: np.random.Generator
    ) -> tuple[pd.DataFrame, np.ndarray]:
        labels = _wanted_labels(counts)
        numeric, _ = column_positions(X)
        columns: dict[int, Any] = {}
        for j in range(X.shape[1]):
            if j in numeric:
                columns[j] = rng.uniform(X.iloc[:, j].min(), X.iloc[:, j].max(), size=len(labels))
            else:
                codes, categories = _category_codes(X.iloc[:, j])
                columns[j] = categories.take(rng.choice(np.unique(codes), size=len(labels)))
        return pd.DataFrame(columns), labels


def _with_numeric(frame: pd.DataFrame, positions: list[int], values: np.ndarray) -> pd.DataFrame:
    """Return the frame with its numeric columns, given by position, replaced."""
    columns: dict[int, Any] = {j: frame.iloc[:, j] for j in range(frame.shape[1])}
    columns.update({j: values[:, i] for i, j in enumerate(positions)})
    return pd.DataFrame(columns)


def _category_codes(column: pd.Series) -> tuple[np.ndarray, pd.Index]:
    """Return each row's category as a position in the categories, and the categories."""
    values = column.astype("category").array
    return values.codes, values.categories
