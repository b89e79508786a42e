"""Rare events and false alarms: confusion tables at the threshold of a detector, and at one set on the test rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from ..leaderboard.predictions import PredictedRows
from ..leaderboard.results import KEYS, Results
from ..methods.contract import pr_threshold

#: What is added to a method's name where its threshold was set on the test rows, which nobody may do.
ON_TEST = ", threshold set on test rows"
#: The first is the one to compare by; the others are shown.
RATES = ("event_f1", "event_recall", "event_precision")
COUNTS = ("events", "found", "missed", "false_alarms", "passed", "false_alarms_per_event")


@dataclass(frozen=True)
class Confusion:
    """What became of events and of normal rows; any 0/0 is 0, as everywhere in the benchmark.

    Attributes
    ----------
    found, missed : int
        Events with and without an alarm.
    false_alarms, passed : int
        Normal rows with and without one.
    """

    found: int
    missed: int
    false_alarms: int
    passed: int

    @classmethod
    def of(cls, is_event: npt.NDArray[np.bool_], alarm: npt.NDArray[np.bool_]) -> Confusion:
        """Count rows, given whether each is an event and whether it has an alarm; both of shape (T,)."""
        pairs = ((is_event & alarm), (is_event & ~alarm), (~is_event & alarm), (~is_event & ~alarm))
        return cls(*(int(np.count_nonzero(one)) for one in pairs))

    @property
    def events(self) -> int:
        """Events, found or not."""
        return self.found + self.missed

    @property
    def event_recall(self) -> float:
        """Share of the events that have an alarm."""
        return self.found / max(self.events, 1)

    @property
    def event_precision(self) -> float:
        """Share of the alarms that are events."""
        return self.found / max(self.found + self.false_alarms, 1)

    @property
    def event_f1(self) -> float:
        """F1 of the events."""
        return 2 * self.found / max(self.events + self.found + self.false_alarms, 1)

    @property
    def false_alarms_per_event(self) -> float:
        """False alarms for each event that happened, found or not; NaN without events."""
        return self.false_alarms / self.events if self.events else np.nan


@dataclass(frozen=True)
class Alarms:
    """The test rows of a draw by their error: of a detector the score, of a classifier the odds of an event.

    Attributes
    ----------
    is_event : numpy.ndarray of shape (T,), bool
        Which rows are events.
    error : numpy.ndarray of shape (T,)
        In units of the threshold; infinity is allowed.
    alarm : numpy.ndarray of shape (T,), bool
        Which rows lie above the threshold, as it was decided in the run: stored errors are rounded, this is not.
    """

    is_event: npt.NDArray[np.bool_]
    error: npt.NDArray[np.float64]
    alarm: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, rows: PredictedRows, event: int) -> Alarms:
        """Read them from the predictions for two classes, of which `event` is the rare one."""
        p, rest = rows.probabilities[:, event], rows.probabilities[:, 1 - event]
        error = np.divide(p, rest, out=np.full(len(p), np.inf), where=rest > 0)
        return cls(rows.y_true == event, error, rows.labels == event)

    @property
    def confusion(self) -> Confusion:
        """The confusion table at the threshold of the run."""
        return Confusion.of(self.is_event, self.alarm)

    def set_on_test_rows(self) -> Alarms:
        """Return the same rows with alarms by the threshold that is best on them, by the rule of the detectors.

        What that rule does with rows held out of training (`pr_threshold`) is done with the very rows that are scored:
        the best F1, of several the fewest alarms. It is never worse than the threshold of the run.

        Raises
        ------
        ValueError
            All rows are of one kind.
        """
        # rows that rounding has tied are parted by the threshold of the run, which lay between them
        rank = np.unique(np.column_stack([self.error, self.alarm]), axis=0, return_inverse=True)[1].ravel() + 1.0
        return replace(self, alarm=rank > pr_threshold(rank, self.is_event))

    @property
    def threshold(self) -> float:
        """The lowest error that has an alarm, in units of the run's threshold; infinity where there is no alarm."""
        return float(self.error[self.alarm].min(initial=np.inf))

    def curve(self) -> pd.DataFrame:
        """Return precision and recall by threshold: columns threshold, precision, recall; one row per distinct error.

        A row with an error of the threshold or above has an alarm.
        """
        order = np.argsort(-self.error, kind="stable")
        error, found = self.error[order], np.cumsum(self.is_event[order])
        last = np.append(np.flatnonzero(error[1:] != error[:-1]), len(error) - 1)
        n = max(int(found[-1]), 1)
        columns = {"threshold": error[last], "precision": found[last] / (last + 1), "recall": found[last] / n}
        return pd.DataFrame(columns)[::-1].reset_index(drop=True)


def event_class(results: Results, dataset: str) -> int | None:
    """Return the code of the rare class of a data set with two; None where there are others."""
    counts = results.datasets.loc[results.datasets["dataset"] == dataset, "class_counts"].iloc[0]
    if len(counts) != 2:
        return None
    return int(counts[1] <= counts[0])


def printed_confusion(row: pd.Series) -> Confusion:
    """Return the counts of a printed table; where the normal rows without an alarm are not given, there are none.

    Raises
    ------
    KeyError, ValueError
        Another count is not there.
    """
    found, missed, false_alarms = (int(row[key]) for key in ("pred1_true1", "pred0_true1", "pred1_true0"))
    return Confusion(found, missed, false_alarms, int(row["pred0_true0"] or 0))


def alarms_of(results: Results, method: str, dataset: str, scenario: str, classifier: str) -> dict[int, Alarms]:
    """Return the test rows of each draw that has some of both kinds; nothing where predictions are not kept."""
    event = event_class(results, dataset)
    if results.rows is None or event is None:
        return {}
    found = results.rows(method, dataset, scenario, classifier)
    alarms = {draw: Alarms.of(rows, event) for draw, rows in found.items()}
    return {draw: one for draw, one in alarms.items() if one.is_event.any() and not one.is_event.all()}


def with_alarms(results: Results) -> Results:
    """Add what thresholds do to the scores of a run.

    Parameters
    ----------
    results : Results
        Of a run with detectors, or classifiers, on data sets of two classes.

    Returns
    -------
    Results
        With a column for each of `RATES` and `COUNTS`, NaN where a draw has no events or was not run; and for each
        method another one, its name followed by `ON_TEST`, whose threshold was set on the test rows: it has these
        columns only.
    """
    counted = pd.DataFrame(list(_counted(results)), columns=[*KEYS, *RATES, *COUNTS])
    counted = counted.astype({key: results.scores[key].dtype for key in KEYS})
    own = results.scores.merge(counted, on=list(KEYS), how="left", validate="one_to_one")
    facts = own[[*KEYS, "status", "error", "n_train", "n_test"]].assign(method=own["method"] + ON_TEST)
    again = facts.merge(counted, on=list(KEYS), how="left", validate="one_to_one")
    return replace(results, scores=pd.concat([own, again], ignore_index=True))


def _counted(results: Results) -> Iterator[tuple[object, ...]]:
    """Yield for each draw its place and figures, those of the forbidden threshold under the other name."""
    scores = results.scores[results.scores["status"] == "ok"]
    places = scores[list(KEYS[:-1])].drop_duplicates().itertuples(index=False)
    for place in places:
        for draw, alarms in alarms_of(results, *map(str, place)).items():
            for more, one in (("", alarms), (ON_TEST, alarms.set_on_test_rows())):
                confusion = one.confusion
                figures = [float(getattr(confusion, name)) for name in (*RATES, *COUNTS)]
                yield (place[0] + more, *place[1:], draw, *figures)
