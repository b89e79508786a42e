"""No test row reaches a method: spies record all that the harness hands out, on tables whose rows name themselves."""

import numpy as np
import pandas as pd
import pytest
from augbench import Adjuster, Augmenter, Detector, methods
from augbench.bench.evaluate import DrawCache, evaluate
from augbench.bench.plan import make_plan
from augbench.bench.suite import validate_suite
from augbench.datasets import DatasetInfo, FiniteDataset, Table

ROWS = 120
#: the number in column `mark` is this, plus the row's own
MARK = 5000.0

HANDED: list[tuple[str, object]] = []


class Marked(FiniteDataset):
    """Every row holds its own number."""

    info = DatasetInfo("marked", "Rows that name themselves.", "yours", ("common", "rare"), (90, 30), 2, 1, "1")

    def load(self):
        rng = np.random.default_rng(0)
        y = rng.permutation(np.repeat([0, 1], [90, 30]))
        colour = pd.Categorical(rng.choice(["red", "blue"], ROWS))
        X = pd.DataFrame({"mark": MARK + np.arange(ROWS), "a": rng.normal(size=ROWS) + y, "colour": colour})
        return Table(X, y)


class SpyAugmenter(Augmenter):
    """Copies rows, and records what it is handed."""

    def fit_resample_many(self, tables, random_states, strategies):
        HANDED.append(("fit_resample_many", (tables, random_states, strategies, self.__dict__)))
        return super().fit_resample_many(tables, random_states, strategies)

    def _generate(self, X, y, counts, rng):
        HANDED.append(("_generate", (X, y, counts)))
        codes = np.repeat(list(counts), list(counts.values()))
        return X.iloc[[np.flatnonzero(y == code)[0] for code in codes]], codes


class SpyDetector(Detector):
    """Scores by one column, and records what it is fitted with."""

    def fit_many(self, tables, random_states, series=None):
        HANDED.append(("fit_many", (tables, random_states, series)))
        return super().fit_many(tables, random_states, series)

    def _fit(self, X, y, series, rng):
        self.threshold_ = 1.0

    def _score(self, X, series):
        return X["a"].abs().to_numpy()


class SpyAdjuster(Adjuster):
    """Changes nothing, and records the labels that it is handed."""

    def sample_weight(self, y):
        HANDED.append(("sample_weight", y))

    def adjust(self, probabilities, y_train):
        HANDED.append(("adjust", y_train))
        return probabilities


def marks_in(thing, seen=None):
    """Return the numbers of all rows that can be reached from something: cells, and the memory that they lie in."""
    if isinstance(thing, pd.DataFrame | pd.Series):
        columns = [thing] if isinstance(thing, pd.Series) else [thing.iloc[:, j] for j in range(thing.shape[1])]
        parts = [thing.attrs, *(column.to_numpy() for column in columns)]
        return set().union(*map(marks_in, parts))
    if isinstance(thing, np.ndarray):
        while isinstance(thing.base, np.ndarray):
            thing = thing.base
        if thing.dtype.kind != "f":
            return set()
        return {int(one - MARK) for one in thing.ravel() if MARK <= one < MARK + ROWS and one == int(one)}
    if isinstance(thing, dict):
        return marks_in(list(thing.values()))
    if isinstance(thing, list | tuple):
        return set().union(*map(marks_in, thing))
    return set()


@pytest.fixture
def handed(monkeypatch):
    """Run one unit of a spy; return what it was handed, and the prepared draws."""
    monkeypatch.setattr(methods, "_METHODS", dict(methods._METHODS))
    monkeypatch.setattr(methods, "GROUPS", {key: list(value) for key, value in methods.GROUPS.items()})
    HANDED.clear()

    def run(spy, scenario="imbalance:count=12"):
        methods.register(spy, "spy")
        content = {"name": "mine", "draws": 2, "block": 2, "datasets": ["marked"], "methods": ["spy"]}
        content |= {"classifiers": ["logistic-regression"], "scenarios": [scenario], "controls": False}
        cache = DrawCache()
        cache.own["marked"] = Marked()
        plan = make_plan(validate_suite(content, "mine"), {"marked": cache.own["marked"]})
        [unit] = [one for one in plan.units if one.method.id == "spy"]
        result = evaluate(unit, cache)
        assert not result.error
        return list(HANDED), [cache.draw(unit, index) for index in unit.draws]

    return run


def rows_of(table):
    return {int(one - MARK) for one in table.X["mark"]}


@pytest.mark.parametrize("scenario", ["imbalance:count=12", "full:rows=synthetic", "few-shot:shots=9,generate=5"])
def test_an_augmenter_sees_the_training_rows_of_each_part_and_no_other(handed, scenario):
    calls, prepared = handed(SpyAugmenter, scenario)
    for one in prepared:
        assert not rows_of(one.whole.train) & rows_of(one.whole.test)
    parts = [one.whole for one in prepared] + [part for one in prepared for part, _ in one.inner]
    given = [table for name, what in calls if name == "fit_resample_many" for table in what[0]]
    assert [marks_in(table) for table in given] == [rows_of(part.train) for part in parts]
    generated = [marks_in(what) for name, what in calls if name == "_generate"]
    assert len(generated) == len(parts)
    assert generated == [rows_of(part.train) for part in parts]
    # nor does what else a call hands over hold a row
    others = [what[1:] for name, what in calls if name == "fit_resample_many"]
    assert marks_in(others) == set()


def test_a_detector_is_fitted_to_the_training_rows_of_each_part_and_no_other(handed):
    calls, prepared = handed(SpyDetector)
    parts = [one.whole for one in prepared] + [part for one in prepared for part, _ in one.inner]
    given = [table for _, what in calls for table in what[0]]
    assert [marks_in(table) for table in given] == [rows_of(part.train) for part in parts]


def test_an_adjuster_is_handed_the_labels_of_training_rows_only(handed):
    calls, prepared = handed(SpyAdjuster)
    allowed = [part.train.y for one in prepared for part in (one.whole, *(part for part, _ in one.inner))]
    assert {name for name, _ in calls} == {"sample_weight", "adjust"}
    for _, y in calls:
        assert any(np.array_equal(y, one) for one in allowed)


def test_the_spies_would_notice_a_row_that_lies_behind_another():
    X = Marked().load().X
    assert marks_in(X) == set(range(ROWS))
    assert marks_in(X[["mark"]].copy().iloc[:3]) == set(range(ROWS))
    assert marks_in(X.iloc[[1, 5]].copy()) == {1, 5}
