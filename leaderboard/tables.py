"""The leaderboard as tables: `compare` turns results into one row per method and what has to be said with it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ..errors import InputError, unknown_name
from . import budget
from .aggregate import DrawTable, draw_table, state_words
from .answer import answer
from .comparison import Comparison
from .contrast import Contrast, Design
from .pairs import WinMatrix, win_matrix
from .posterior import ROPE
from .ranks import Friedman, average_ranks, friedman, rank_intervals
from .results import COPIES, Results, as_results, higher_is_better, metric_columns, places_of
from .statistics import TTest, bayesian_signed_rank, holm
from .verdict import FOOTNOTES, data_warning, exploratory_sentence, omnibus_line, power_warnings, sentence, verdict

#: The metric that orders the leaderboard and the only one with p-values.
CONFIRMATORY_METRIC = "macro_f1"
#: Scores shown beside the differences, as means over data sets.
SHOWN = ("macro_f1", "weighted_f1", "recall_minority", "recall_majority")
#: Reasons why data sets take no part that are told one by one.
_MOST_ABSENT = 6

#: On fewer data sets the probabilities of better, equivalent and worse are those of the prior
FEWEST = 5


def compare(
    data: Results | pd.DataFrame,
    metric: str = CONFIRMATORY_METRIC,
    baseline: str = "none",
    classifier: str | None = None,
    scenario: str | None = None,
    datasets: Sequence[str] | None = None,
) -> Comparison:
    """Compare every method with the baseline and with plain copies.

    Parameters
    ----------
    data : Results or pandas.DataFrame
        Results, or a table with at least method, dataset, draw and the metric.
    metric : str
        The metric. Only macro F1 has p-values: the others are exploratory.
    baseline : str
        The method that all others are compared with.
    classifier, scenario : str, optional
        Only this one; the mean over all unless told.
    datasets : sequence of str, optional
        Only these.

    Returns
    -------
    Comparison
        The table and what belongs to it.

    Raises
    ------
    InputError
        Where a name does not exist or the baseline has no score.

    Examples
    --------
    >>> rows = [("none", "a", 0, 0.70), ("smote", "a", 0, 0.72), ("none", "b", 0, 0.60), ("smote", "b", 0, 0.61)]
    >>> found = compare(pd.DataFrame(rows, columns=["method", "dataset", "draw", "macro_f1"]))
    >>> found.table[["method", "delta", "wins"]].round(2).to_dict("records")
    [{'method': 'smote', 'delta': 1.5, 'wins': 2}, {'method': 'none', 'delta': 0.0, 'wins': 0}]
    """
    results = as_results(data)
    if metric not in metric_columns(results.scores):
        # those of single classes are nobody's misspelling
        meant = [name for name in metric_columns(results.scores) if not re.fullmatch(r"f1_\d+(_tuned)?", name)]
        raise unknown_name("metric", metric, meant)
    scores = _subset(results.scores, classifier=classifier, scenario=scenario, datasets=datasets)
    confirmatory = metric == CONFIRMATORY_METRIC and len(scores) == len(results.scores)
    board = _Board(results, scores, draw_table(scores, metric, baseline), confirmatory)
    rows = board.rows()
    order = rows["method"].tolist()
    pairs = board.pairs([name for name in order if name in board.ranked]) if confirmatory else None
    shared = pairs.shared_ranks() if pairs is not None else {}
    rows.insert(list(rows.columns).index("rank_high") + 1, "tied_rank", rows["method"].map(shared).astype(float))
    omnibus = board.omnibus() if confirmatory else None
    names, draws = tuple(board.draws.datasets), board.n_draws
    if len(names) > 1:
        test = f"t-interval{' and Wilcoxon signed-rank test' if confirmatory else ''} over {len(names)} data sets"
    else:
        test = board.design.test_name(names[0], metric)
    if confirmatory:
        finding = sentence(rows, baseline, board.reference, len(names), draws)
    else:
        finding = exploratory_sentence(rows, metric, baseline)
    return Comparison(
        metric=metric,
        baseline=baseline,
        reference=board.reference,
        classifier=classifier,
        scenario=scenario,
        datasets=names,
        n_draws=draws,
        confirmatory=confirmatory,
        test=test,
        table=rows,
        deltas=100 * board.against_baseline.differences.T.loc[order],
        states=state_words(board.draws).loc[order],
        omnibus=omnibus,
        finding=finding,
        omnibus_text=omnibus_line(omnibus) if confirmatory else "",
        budget=budget.statement(results.run, results.scores, budget.given_in(results.methods)),
        times=str(results.run.get("times", "")),
        warnings=tuple(board.warnings(rows)),
        footnotes=FOOTNOTES,
        answer=answer(results, scores, board.draws, rows) if confirmatory and len(names) == 1 else None,
        pairs=pairs,
    )


def _subset(scores: pd.DataFrame, **wanted: str | Sequence[str] | None) -> pd.DataFrame:
    """Return the rows that were asked for; a name that does not exist raises."""
    for key, names in wanted.items():
        if names is None:
            continue
        column = "dataset" if key == "datasets" else key
        asked = [names] if isinstance(names, str) else list(names)
        if not asked:
            raise InputError(f"no {column} is asked for: leave out '{key}' for all")
        known = scores[column].unique()
        for name in asked:
            if name not in known:
                raise unknown_name(column, name, known)
        scores = scores[scores[column].isin(asked)]
    return scores


class _Board:
    """The work of `compare`, kept together so that each table of differences is computed once."""

    def __init__(self, results: Results, scores: pd.DataFrame, draws: DrawTable, confirmatory: bool) -> None:
        self.results, self.scores, self.draws, self.confirmatory = results, scores, draws, confirmatory
        self.baseline = draws.baseline
        self.reference = COPIES if COPIES in draws.methods and self.baseline != COPIES else None
        self.design = Design.of(results, scores, self.baseline)
        self.sign = 1 if higher_is_better(draws.metric) else -1
        self.ranked = [name for name in draws.methods if draws.complete(name)]

    @property
    def n_draws(self) -> int:
        return int(self.draws.values.groupby(level=["dataset", "scenario", "classifier"]).size().max())

    @cached_property
    def against_baseline(self) -> Contrast:
        return Contrast(self.draws, self.baseline, self.design)

    @cached_property
    def against_copies(self) -> Contrast | None:
        return Contrast(self.draws, self.reference, self.design) if self.reference else None

    @cached_property
    def against_controls(self) -> list[Contrast]:
        """Every control and adjuster that was run in full, but not the baseline."""
        names = [name for name in self.draws.methods if self.results.is_control(name) and name != self.baseline]
        run = [name for name in names if not (self.draws.states[name] == "not run").any()]
        return [Contrast(self.draws, name, self.design) for name in run]

    @cached_property
    def tuned(self) -> Contrast | None:
        """The same differences with the decision tuned; None where that was not measured."""
        column = f"{self.draws.metric}_tuned"
        draws = self._other_metric(column)
        return None if draws is None else Contrast(draws, self.baseline, self.design)

    def _other_metric(self, metric: str) -> DrawTable | None:
        """Return the draws of another metric; None where it was not measured for the baseline."""
        own = self.scores["method"] == self.baseline
        if metric not in self.scores.columns or not self.scores.loc[own, metric].notna().any():
            return None
        return draw_table(self.scores, metric, self.baseline)

    def rows(self) -> pd.DataFrame:
        """Return the table: facts, comparisons, shown scores, corrected p-values, verdicts; sorted."""
        table = pd.DataFrame([self._row(name) for name in self.draws.methods])
        table = table.join(pd.DataFrame(self._shown_scores()), on="method")
        for column, ranks in self._rank_columns().items():
            table[column] = table["method"].map(ranks).astype(float)
        for family in ("baseline", "copies"):
            if not self.confirmatory:
                table[f"p_{family}"] = np.nan
            table[f"p_{family}_holm"] = holm(table[f"p_{family}"])
        tested = int(table["p_baseline"].notna().sum())
        table["verdict"] = [
            verdict(row, self.confirmatory, self._over_controls(row), tested) for _, row in table.iterrows()
        ]
        table["unranked"] = table["mean_rank"].isna()
        table = table.sort_values(
            ["unranked", "gain_baseline", "is_baseline", "method"], ascending=[True, False, False, True], kind="stable"
        )
        return table.drop(columns="unranked").reset_index(drop=True)

    def _row(self, name: str) -> dict[str, Any]:
        contrast = self.against_baseline
        test, is_baseline = contrast.overall(name), name == self.baseline
        differences = contrast.differences[name].dropna().round(6) * self.sign
        state, note, not_applicable = self._state(name)
        tested = not is_baseline and state not in ("incomplete", "not applicable")
        copies = self.against_copies.overall(name) if self.against_copies else None
        enough = tested and self.confirmatory and len(differences) >= FEWEST
        better = bayesian_signed_rank(100 * differences if enough else [], ROPE)
        shown = contrast.conjunction(name) if tested else (np.nan, np.nan)
        own = self._own(name)
        failed = own[own["status"] == "failed"]
        facts = self.results.methods.set_index("method").loc[name]
        tuned = self._tuned(name)
        seconds = own.loc[own["status"] == "ok", "seconds"] if "seconds" in own.columns else pd.Series(dtype=float)
        return {
            "method": name,
            **{key: str(facts[key]) for key in ("kind", "family", "description")},
            "is_baseline": is_baseline,
            "is_control": self.results.is_control(name),
            "state": state,
            "note": note,
            "n_datasets": len(differences),
            "untested": contrast.untested(name) if tested else "",
            "delta": 100 * test.mean,
            "low": 100 * test.low,
            "high": 100 * test.high,
            "wins": int((differences > 0).sum()),
            "ties": 0 if is_baseline else int((differences == 0).sum()),
            "losses": int((differences < 0).sum()),
            "p_baseline": test.p if tested else np.nan,
            "delta_copies": 100 * copies.mean if copies else np.nan,
            "low_copies": 100 * copies.low if copies else np.nan,
            "high_copies": 100 * copies.high if copies else np.nan,
            "p_copies": copies.p if copies and state != "incomplete" and name != self.reference else np.nan,
            "delta_tuned": tuned[0],
            "low_tuned": tuned[1],
            "high_tuned": tuned[2],
            "seconds": float(seconds.mean()),
            "effort": budget.effort_of(own),
            "tuning": budget.tuning_of(self.results.run, own, budget.given_of(facts.get("parameters"))),
            "n_scores": int(self.draws.states[name].isin(["ok", "failed"]).sum()),
            "n_failed": int((self.draws.states[name] == "failed").sum()),
            "messages": tuple((str(text), int(n)) for text, n in failed["error"].value_counts().items()),
            "not_applicable": not_applicable,
            "p_better": better.better,
            "p_equivalent": better.equivalent,
            "p_worse": better.worse,
            "shown_better": shown[0] if self.sign > 0 else shown[1],
            "shown_worse": shown[1] if self.sign > 0 else shown[0],
            "gain_baseline": self.sign * test.mean,
            "gain_copies": self.sign * copies.mean if copies else np.nan,
        }

    def _own(self, name: str) -> pd.DataFrame:
        """Return the scores of one method."""
        return self.scores.iloc[self._places[name]]

    @cached_property
    def _places(self) -> dict[str, npt.NDArray[np.intp]]:
        """Where they stand: comparing a name with a million others takes a tenth of a second, for each method."""
        return places_of(self.scores, "method")

    def _state(self, name: str) -> tuple[str, str, tuple[str, ...]]:
        """Return the state of a method, a note on what it lacks, and the data sets to which it does not apply."""
        states = self.draws.states[name]
        absent = (states == "not applicable").groupby(level="dataset").any()
        not_applicable = tuple(str(one) for one in absent.index[absent])
        if (states == "not run").any():
            note = f"{int((states == 'not run').sum())} of {len(states)} scores not run"
            return "incomplete", note + self._reasons(name, "not run"), not_applicable
        if (states == "failed").all():
            return "failed", "failed in every draw", not_applicable
        if (states == "not applicable").all():
            return "not applicable", "not applicable on any data set", not_applicable
        note = f"not applicable, in full or in part, on {len(not_applicable)} of {len(absent)} data sets"
        note += self._reasons(name, "not applicable")
        return ("partial", note, not_applicable) if not_applicable else ("complete", "", ())

    def _reasons(self, name: str, status: str) -> str:
        """Return the first reasons why a method has no score, to be appended to a note."""
        own = self._own(name)
        reasons = own.loc[own["status"] == status, "error"].unique()
        return "".join(f"; {reason}" for reason in [one for one in reasons if one][:3])

    def _tuned(self, name: str) -> tuple[float, float, float]:
        if self.tuned is None or name not in self.tuned.table.methods:
            return np.nan, np.nan, np.nan
        test = self.tuned.overall(name)
        return 100 * test.mean, 100 * test.low, 100 * test.high

    def _shown_scores(self) -> dict[str, pd.Series]:
        """Return the mean of each shown metric over data sets, in points, after the same failure policy."""
        shown: dict[str, pd.Series] = {}
        for metric in dict.fromkeys((*SHOWN, self.draws.metric)):
            draws = self.draws if metric == self.draws.metric else self._other_metric(metric)
            nothing = pd.Series(np.nan, index=self.draws.values.columns)
            shown[metric] = nothing if draws is None else 100 * draws.scores.mean()
        return shown

    def _rank_columns(self) -> dict[str, dict[str, float]]:
        """Return the mean ranks and the ends of their intervals."""
        ranks = average_ranks(self.draws.scores[self.ranked], higher_is_better=self.sign > 0)
        columns = (ranks.mean(axis=0), *rank_intervals(ranks).T)
        names = ("mean_rank", "rank_low", "rank_high")
        return {
            name: dict(zip(self.ranked, map(float, one), strict=True)) for name, one in zip(names, columns, strict=True)
        }

    def pairs(self, order: list[str]) -> WinMatrix:
        """Return all pairs of these methods; on a single data set by the test that fits it."""
        single = None
        if len(self.draws.datasets) == 1:
            contrasts = {name: Contrast(self.draws, name, self.design) for name in order}

            def single(method: str, other: str) -> TTest:
                return contrasts[other].on_dataset(method, self.draws.datasets[0])

        return win_matrix(self.draws.scores[order], higher_is_better=self.sign > 0, test=single)

    def _mean_ranks(self, draws: DrawTable | None = None) -> dict[str, float]:
        scores = (draws or self.draws).scores[self.ranked]
        ranks = average_ranks(scores, higher_is_better=self.sign > 0).mean(axis=0)
        return dict(zip(self.ranked, map(float, ranks), strict=True))

    def _over_controls(self, row: pd.Series) -> list[float]:
        """Return the lower end of the interval of a method against each control: asked only where it decides."""
        if row["is_control"] or not row["p_baseline_holm"] < 0.05:
            return []
        tests = [contrast.overall(row["method"]) for contrast in self.against_controls]
        lows = [test.low if self.sign > 0 else -test.high for test in tests if not np.isnan(test.mean)]
        return [-np.inf if np.isnan(low) else low for low in lows]

    def omnibus(self) -> Friedman | None:
        scores = self.draws.scores[self.ranked]
        return friedman(scores, higher_is_better=self.sign > 0) if min(scores.shape) >= 2 else None

    def warnings(self, rows: pd.DataFrame) -> list[str]:
        """Say what the reader has to know: dropped draws, missing references, power, sensitivity to failures."""
        lines = []
        if self.draws.dropped:
            lines.append(
                f"The baseline has no score in {self.draws.dropped} of {self.draws.dropped + len(self.draws.values)} "
                "draws: they are left out for every method."
            )
        if self.confirmatory:
            names = self.draws.datasets
            tests = (rows["p_baseline"], rows["p_copies"])
            family = max(int(p.notna().sum()) for p in tests)
            lines += power_warnings(len(names), self.n_draws, family)
        unknown = [name for name in self.draws.datasets if self.design.unknown(name)]
        if unknown and len(self.draws.datasets) <= 5:
            lines.append("No interval per data set: the columns n_train and n_test are missing.")
        if rows["n_failed"].any() and (line := self._sensitivity()):
            lines.append(line)
        lines += data_warning({name: self.results.findings(name) for name in self.draws.datasets})
        return lines + self._absent()

    def _absent(self) -> list[str]:
        """Name the data sets on which nothing was run, and say why; those with the same reason together."""
        baseline = self.scores[self.scores["method"] == self.baseline]
        gone = baseline[~baseline["dataset"].isin(self.draws.datasets)]
        gone = gone[gone["status"].isin(["not run", "not applicable"])].drop_duplicates("dataset")
        lines = [
            f"{str(status).capitalize()} on {', '.join(rows['dataset'])}{': ' if reason else ''}{reason}"
            for (status, reason), rows in gone.groupby(["status", "error"], sort=False)
        ]
        if len(lines) <= _MOST_ABSENT:
            return lines
        others = gone["dataset"].tolist()
        return [f"Not run on {len(others)} data sets ({', '.join(others)}); the first: {lines[0]}"]

    def _sensitivity(self) -> str:
        """Say how the order would change if failures took the worst score; nothing where it would not."""
        worst = self._mean_ranks(self.draws.worst_case())
        usual = self._mean_ranks()
        moved = [name for name in self.ranked if _place(worst, name) != _place(usual, name)]
        if not moved:
            return ""
        first = min(self.ranked, key=lambda name: (worst[name], name))
        return (
            f"Sensitivity to failures: if each took the worst score of its draw, {len(moved)} of {len(self.ranked)} "
            f"ranks would change ({', '.join(moved[:6])}{', …' if len(moved) > 6 else ''}); first would be {first}."
        )


def _place(ranks: dict[str, float], name: str) -> int:
    """Return the place of a method in the order of mean ranks; equal ranks share a place."""
    return sum(other < ranks[name] - 1e-9 for other in ranks.values())
