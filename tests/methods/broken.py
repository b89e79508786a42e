"""Methods that break one promise each, and their good twins: what the check kit is tested on."""

import numpy as np
import pandas as pd
from augbench import Adjuster, Augmenter, Detector
from augbench.methods.contract import column_positions, pr_threshold


class Good(Augmenter):
    """Copies with a little noise, as they should be."""

    def __init__(self, noise=0.1, sampling_strategy="auto", random_state=None):
        super().__init__(sampling_strategy=sampling_strategy, random_state=random_state)
        self.noise = noise

    def _generate(self, X, y, counts, rng):
        rows = np.concatenate([rng.choice(np.flatnonzero(y == code), count) for code, count in counts.items()])
        new = X.iloc[rows].reset_index(drop=True)
        numbers = column_positions(X)[0]
        values = X.iloc[:, numbers].to_numpy(dtype=float)
        noisy = values[rows] + self.noise * np.ptp(values, axis=0) * rng.standard_normal((len(rows), len(numbers)))
        if len(numbers) == X.shape[1]:
            return pd.DataFrame(noisy), y[rows]
        for i, j in enumerate(numbers):
            new.isetitem(j, noisy[:, i])
        return new, y[rows]


class _After(Good):
    """Base of those that spoil what came out well."""

    def fit_resample(self, X, y):
        made = super().fit_resample(X, y)
        return self.spoil(X, y, *made) if len(made[0]) > len(X) else made


class ShufflesOriginals(_After):
    """Changes a training row."""

    def spoil(self, X, y, X_new, y_new):
        X_new.iloc[[0, 1]] = X_new.iloc[[1, 0]].to_numpy()
        return X_new, y_new


class WritesToInput(_After):
    """Scales the rows that it was given."""

    def spoil(self, X, y, X_new, y_new):
        if isinstance(X, pd.DataFrame):
            X.iloc[:, 0] = 0
        return X_new, y_new


class OneRowShort(_After):
    """Makes a row too few."""

    def spoil(self, X, y, X_new, y_new):
        return X_new.iloc[:-1], y_new[:-1]


class FloatLabels(_After):
    """Turns codes into floats."""

    def spoil(self, X, y, X_new, y_new):
        return X_new, y_new.astype(float) if isinstance(y_new, np.ndarray) and y_new.dtype.kind in "iu" else y_new


class RenamesColumns(_After):
    """Calls columns by text."""

    def spoil(self, X, y, X_new, y_new):
        return (X_new.rename(columns=str) if 10 in X_new else X_new), y_new


class LosesDtypes(_After):
    """Makes all numbers double precision."""

    def spoil(self, X, y, X_new, y_new):
        return X_new.astype({name: float for name in X_new.select_dtypes(["int64", "float32"])}), y_new


class LosesCategories(_After):
    """Turns categories into text."""

    def spoil(self, X, y, X_new, y_new):
        return X_new.astype({name: object for name in X_new.select_dtypes("category")}), y_new


class MakesCategories(_After):
    """Gives a new row a category that no training row has."""

    def spoil(self, X, y, X_new, y_new):
        if "level" in X_new and "never" in X_new["level"].cat.categories:
            X_new.loc[len(X_new) - 1, "level"] = "never"
        return X_new, y_new


class LosesName(_After):
    """Gives the labels back without their name."""

    def spoil(self, X, y, X_new, y_new):
        return X_new, y_new.rename(None) if isinstance(y_new, pd.Series) else y_new


class KeepsIndex(_After):
    """Numbers the new rows on from the caller's index."""

    def spoil(self, X, y, X_new, y_new):
        if isinstance(X, pd.DataFrame) and not isinstance(X.index, pd.RangeIndex):
            X_new.index = [*X.index, *range(len(X_new) - len(X))]
        return X_new, y_new


class SmallGaps(_After):
    """Leaves a cell empty where numbers are large."""

    def spoil(self, X, y, X_new, y_new):
        if isinstance(X, pd.DataFrame) and X.select_dtypes("number").to_numpy().max(initial=0) > 1e7:
            X_new.iloc[-1, 0] = np.nan
        return X_new, y_new


class SharesMemory(Good):
    """Hands its input back when there is nothing to do."""

    def fit_resample(self, X, y):
        made = super().fit_resample(X, y)
        return made if len(made[0]) > len(X) else (X, y)


class IgnoresSeed(Good):
    """Draws from a generator of its own."""

    def _generate(self, X, y, counts, rng):
        return super()._generate(X, y, counts, np.random.default_rng())


class FalseSeed(Good):
    """Takes the seed 0 for none."""

    def _generate(self, X, y, counts, rng):
        return super()._generate(X, y, counts, rng if self.random_state else np.random.default_rng())


class GoesOn(Good):
    """Goes on drawing where the last use ended."""

    def _generate(self, X, y, counts, rng):
        self.rng_ = getattr(self, "rng_", rng)
        return super()._generate(X, y, counts, self.rng_)


class WritesLater(Good):
    """Keeps what it was given, and writes to it in the next use."""

    def fit_resample(self, X, y):
        if isinstance(getattr(self, "last_", None), pd.DataFrame):
            self.last_.iloc[:, 0] = 0
        self.last_ = X
        return super().fit_resample(X, y)


class OneSeed(Good):
    """Draws from the same seed always."""

    def _generate(self, X, y, counts, rng):
        return super()._generate(X, y, counts, np.random.default_rng(0))


class NotDeterministic(Good):
    """Says that nothing is random."""

    deterministic = True


class SeedsTheWorld(Good):
    """Seeds numpy's global state."""

    def _generate(self, X, y, counts, rng):
        np.random.seed(0)  # noqa: NPY002
        return super()._generate(X, y, counts, rng)


class ListensToTheWorld(Good):
    """Lets numpy's global state decide, and puts it back."""

    def _generate(self, X, y, counts, rng):
        key = np.random.get_state()[1]  # noqa: NPY002
        return super()._generate(X, y, counts, np.random.default_rng([int(key[0]), int(rng.integers(2**32))]))


class FramesOnly(Good):
    """Cannot take an array."""

    def fit_resample(self, X, y):
        return super().fit_resample(X.copy().set_axis(X.columns, axis=1), y)


class CodesOnly(Good):
    """Cannot take labels that are text."""

    def fit_resample(self, X, y):
        if isinstance(y, np.ndarray):
            y.astype(int)
        return super().fit_resample(X, y)


class NoCategorical(Good):
    """Gives arrays for categoricals."""

    def fit_resample(self, X, y):
        X_new, y_new = super().fit_resample(X, y)
        return X_new, np.asarray(y_new) if isinstance(y_new.dtype, pd.CategoricalDtype) else y_new


class NoGaps(Good):
    """Takes the class codes for 0 to K - 1."""

    binary_only = True

    def _generate(self, X, y, counts, rng):
        np.ones(2)[y]
        return super()._generate(X, y, counts, rng)


class ThreeRows(Good):
    """Needs three rows of a class, and does not say so."""

    def _generate(self, X, y, counts, rng):
        if np.bincount(y)[list(counts)].min() < 3:
            raise ValueError("too few rows")
        return super()._generate(X, y, counts, rng)


class NotRefused(Good):
    """Declares how many rows it needs, and takes fewer."""

    min_per_class = 5

    def fit_resample(self, X, y):
        self.min_per_class = 1
        try:
            return super().fit_resample(X, y)
        finally:
            del self.min_per_class


class DividesBySpread(Good):
    """Standardises a constant column."""

    def _generate(self, X, y, counts, rng):
        new, labels = super()._generate(X, y, counts, rng)
        varied = column_positions(X)[0][1:2]
        for j in varied:
            values = X.iloc[:, j].to_numpy(dtype=float)
            if np.ptp(values) == 0 and len(X.columns) > 1 and np.unique(X.iloc[:, 0]).size > 4:
                new.isetitem(j, np.full(len(new), np.nan))
        return new, labels


class Squeezes(Good):
    """Loses the only column."""

    def _generate(self, X, y, counts, rng):
        X.to_numpy().squeeze().shape[1]
        return super()._generate(X, y, counts, rng)


class FewColumns(Good):
    """Breaks down when there are many columns."""

    def _generate(self, X, y, counts, rng):
        if X.shape[1] > len(X):
            raise np.linalg.LinAlgError("Singular matrix")
        return super()._generate(X, y, counts, rng)


class NeedsVariety(Good):
    """Breaks down when all rows of a class are the same."""

    def _generate(self, X, y, counts, rng):
        for code in counts:
            members = X[y == code]
            if len(members) > 2 and len(members.drop_duplicates()) == 1:
                raise ZeroDivisionError("no spread")
        return super()._generate(X, y, counts, rng)


class FillsGaps(Good):
    """Fills gaps in silence."""

    def fit_resample(self, X, y):
        if isinstance(X, pd.DataFrame):
            numbers = X.select_dtypes("number").columns
            X = X.copy()
            X[numbers] = X[numbers].replace([np.inf, -np.inf], np.nan).fillna(0)
        return super().fit_resample(X, y)

    def fit_resample_many(self, tables, random_states, strategies):
        made = super().fit_resample_many(tables, random_states, strategies)
        gaps = [X.isna().any(axis=None) for X, _ in tables]
        return [ValueError("gaps") if gap else one for gap, one in zip(gaps, made, strict=True)]


class FillsInfinity(Good):
    """Takes infinity for a large number."""

    def fit_resample(self, X, y):
        return super().fit_resample(X.replace([np.inf, -np.inf], 0.0) if isinstance(X, pd.DataFrame) else X, y)


class LooksBehind(Good):
    """Reads the table that its training rows are a view of."""

    def fit_resample(self, X, y):
        self.seen_ = 0.0
        if isinstance(X, pd.DataFrame) and not X.select_dtypes("category").shape[1]:
            values = X.to_numpy()
            while isinstance(values.base, np.ndarray):
                values = values.base
            if values.size > X.size:
                self.seen_ = float(values.max())
        return super().fit_resample(X, y)

    def _generate(self, X, y, counts, rng):
        new, labels = super()._generate(X, y, counts, rng)
        if self.seen_ > 1e5:
            new.iloc[0, 0] = self.seen_
        return new, labels


class Undocumented(Good):
    __doc__ = None


class BusyConstructor(Good):
    """Works in its constructor."""

    def __init__(self, noise=0.1, sampling_strategy="auto", random_state=None):
        super().__init__(noise, sampling_strategy, random_state)
        self.table = np.zeros(3)


class ChangesParameters(Good):
    """Learns into a parameter."""

    def fit_resample(self, X, y):
        made = super().fit_resample(X, y)
        self.noise = self.noise / 2
        return made


class NotPickled(Good):
    """Has a function without a name for a parameter."""

    def __init__(self, noise=0.1, scale=lambda x: x, sampling_strategy="auto", random_state=None):
        super().__init__(noise, sampling_strategy, random_state)
        self.scale = scale


class HereOnly(Good):
    """Looks at what only the process that tests it has set."""

    here = False

    def _generate(self, X, y, counts, rng):
        if not HereOnly.here:
            raise KeyError("a dictionary that was filled at another place")
        return super()._generate(X, y, counts, rng)


class Slow(Good):
    """Takes longer than it says, with its defaults."""

    declared_seconds = 0.1
    checked_with = {"rounds": 0}  # noqa: RUF012

    def __init__(self, noise=0.1, rounds=1500, sampling_strategy="auto", random_state=None):
        super().__init__(noise, sampling_strategy, random_state)
        self.rounds = rounds

    def _generate(self, X, y, counts, rng):
        for _ in range(self.rounds):
            np.linalg.svd(rng.standard_normal((60, 60)))
        return super()._generate(X, y, counts, rng)


class Endless(Good):
    """Never ends, with its defaults."""

    declared_seconds = 0.1

    def _generate(self, X, y, counts, rng):
        while True:
            pass


class MixesUpTables(Good):
    """Gives the tables of a call the same seed."""

    def fit_resample_many(self, tables, random_states, strategies):
        return super().fit_resample_many(tables, [random_states[0]] * len(tables), strategies)


class RenamesAmongOthers(Good):
    """Gives columns other names where there are several tables."""

    def fit_resample_many(self, tables, random_states, strategies):
        made = super().fit_resample_many(tables, random_states, strategies)
        return [one if isinstance(one, BaseException) else (one[0].add_prefix("new "), one[1]) for one in made]


class AllOrNothing(Good):
    """One bad table spoils the call."""

    def fit_resample_many(self, tables, random_states, strategies):
        made = super().fit_resample_many(tables, random_states, strategies)
        for one in made:
            if isinstance(one, BaseException):
                raise one
        return made


class GoodAdjuster(Adjuster):
    """Halves what it may."""

    def sample_weight(self, y):
        return np.where(y == y.max(), 2.0, 1.0)


class ZeroWeights(GoodAdjuster):
    """Forgets a class."""

    def sample_weight(self, y):
        return np.where(y == y.max(), 2.0, 0.0)


class NotNormalised(GoodAdjuster):
    """Lets rows of probabilities sum to more than 1."""

    def adjust(self, probabilities, y_train):
        return np.minimum(1.0, probabilities * 1.5)


class LearnsFromTestRows(GoodAdjuster):
    """Corrects by the mean over the rows that are predicted."""

    def adjust(self, probabilities, y_train):
        shifted = probabilities / probabilities.mean(axis=0).clip(1e-9)
        return shifted / shifted.sum(axis=1, keepdims=True)


class GoodDetector(Detector):
    """Distance from the mean of the normal rows."""

    numeric_only = True

    def _fit(self, X, y, series, rng):
        normal = X[y == self.normal_class_].to_numpy(dtype=float)
        self.mean_, self.scale_ = normal.mean(axis=0), normal.std(axis=0) + 1e-9
        self.threshold_ = pr_threshold(self._score(X, series), y != self.normal_class_)

    def _score(self, X, series):
        return (((X.to_numpy(dtype=float) - self.mean_) / self.scale_) ** 2).mean(axis=1)


class ScalesByTestRows(GoodDetector):
    """Scores rows by their mean."""

    def _score(self, X, series):
        scores = super()._score(X, series)
        return scores / (1 + scores.mean())


class RareIsNormal(GoodDetector):
    """Takes the rarer class for the normal one."""

    def fit(self, X, y, series=None):
        super().fit(X, y, series)
        self.normal_class_ = self.classes_[self.classes_ != self.normal_class_][0]
        return self


class AnyClasses(GoodDetector):
    """Takes three classes for two."""

    def fit(self, X, y, series=None):
        y = np.asarray(y)
        if y.dtype.kind in "iu" and len(np.unique(y)) == 3:
            y = (y > 0).astype(int)
        return super().fit(X, y, series)


class Renamed(Augmenter):
    """Keeps a parameter under another name."""

    def __init__(self, noise=0.1, sampling_strategy="auto", random_state=None):
        super().__init__(sampling_strategy=sampling_strategy, random_state=random_state)
        self.sigma = noise

    def _generate(self, X, y, counts, rng):
        raise NotImplementedError
