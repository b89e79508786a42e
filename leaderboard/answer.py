"""The answer for one data set, in words: which methods help on it, by how much, how certainly, and at what price.

The verdicts are those of the table (`verdict`): Holm's correction over all methods, the test that fits the data set.
This module adds what a person with one table asks next: the class of interest, the strongest control, the price.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd

from . import format as text
from .aggregate import DrawTable, draw_table
from .contrast import Contrast, Design
from .posterior import ROPE
from .results import Results
from .statistics import TTest, holm, student_posterior
from .verdict import ALPHA, count_of, p_text

#: methods that are described one by one
MOST = 3
#: verdicts that say: better than the baseline
BETTER = ("helps", "as a control does", "better")
#: what a control is, for who does not know its name
IN_WORDS = {"threshold-tuned": "moving the decision threshold", "random-oversampling": "plain copies"}


@dataclass(frozen=True)
class Answer:
    """What a run on one data set says.

    Attributes
    ----------
    headline : str
        The answer in a sentence or two; it begins with "No" where no method helps.
    lines : tuple of str
        What it rests on, a line each.
    """

    headline: str
    lines: tuple[str, ...]

    def __str__(self) -> str:
        return "\n".join([self.headline, *(f"- {line}" for line in self.lines)])


def answer(results: Results, scores: pd.DataFrame, draws: DrawTable, table: pd.DataFrame) -> Answer:
    """Say what a run on one data set found.

    Parameters
    ----------
    results : Results
        Everything.
    scores : pandas.DataFrame
        Its scores of that data set.
    draws : DrawTable
        Macro F1, draw by draw.
    table : pandas.DataFrame
        The leaderboard with its verdicts, best first.

    Returns
    -------
    Answer
        Headline and lines.
    """
    return _Teller(results, scores, draws, table).answer()


@dataclass(frozen=True)
class _Teller:
    results: Results
    scores: pd.DataFrame
    draws: DrawTable
    table: pd.DataFrame

    def answer(self) -> Answer:
        rows = self.table[~self.table["is_baseline"] & ~self.table["state"].isin(["incomplete", "not applicable"])]
        if rows.empty or rows["p_baseline"].isna().all():
            return Answer(f"No answer yet on {self.dataset}: {self._why_untested(rows)}.", tuple(self._rest()))
        helps = rows[rows["verdict"] == "helps"]
        better = rows[rows["verdict"].isin(BETTER)]
        shown = self._described(rows, helps if len(helps) else better)
        lines = self._chance()
        lines += [line for name in shown for line in self._lines_of(name)]
        lines += [self._not_shown(rows)] if better.empty and not self.no_better_than_chance else []
        lines += self._equivalent(rows) + self._harms(rows) + self._by_classifier() + self._rest()
        return Answer(self._headline(helps, better, len(rows)), tuple(lines))

    # -- what it is about ------------------------------------------------------------------------------------------

    @property
    def dataset(self) -> str:
        return self.draws.datasets[0]

    @property
    def baseline(self) -> str:
        return self.draws.baseline

    @cached_property
    def design(self) -> Design:
        return Design.of(self.results, self.scores, self.baseline)

    @cached_property
    def n_draws(self) -> int:
        return int(self.draws.values.groupby(level=["scenario", "classifier"]).size().max())

    @cached_property
    def strongest(self) -> str | None:
        """The control or adjuster with the highest score, the baseline aside."""
        rows = self.table[self.table["is_control"] & ~self.table["is_baseline"]]
        rows = rows[~rows["state"].isin(["incomplete", "not applicable", "failed"])]
        return None if rows.empty else str(rows.sort_values("gain_baseline", ascending=False)["method"].iloc[0])

    @cached_property
    def _classes(self) -> tuple[list[str], str]:
        facts = self.results.datasets.set_index("dataset").loc[self.dataset]
        return list(facts["classes"]), str(facts["class_of_interest"])

    def _metric(self, metric: str) -> DrawTable | None:
        own = self.scores["method"] == self.baseline
        if metric not in self.scores.columns or not self.scores.loc[own, metric].notna().any():
            return None
        return draw_table(self.scores, metric, self.baseline)

    def _difference(self, metric: str, name: str, other: str) -> tuple[float, float, TTest] | None:
        """Return the scores of `other` and of a method, in shares, and the test of their difference."""
        draws = self.draws if metric == self.draws.metric else self._metric(metric)
        if draws is None:
            return None
        means: Any = draws.scores.loc[self.dataset]
        return float(means[other]), float(means[name]), Contrast(draws, other, self.design).overall(name)

    @cached_property
    def auroc(self) -> TTest | None:
        """How well the baseline ranks the rows, less the half that guessing reaches."""
        draws = self._metric("auroc")
        if draws is None:
            return None
        guessing = "guessing"
        values = draws.values[[self.baseline]].assign(**{guessing: 0.5})
        states = draws.states[[self.baseline]].assign(**{guessing: "ok"})
        table = DrawTable("auroc", self.baseline, values, states, draws.dropped)
        return Contrast(table, guessing, self.design).overall(self.baseline)

    @property
    def no_better_than_chance(self) -> bool:
        """Whether the baseline is not shown to rank the rows better than guessing does."""
        return self.auroc is not None and self.auroc.low <= 0

    # -- the sentences ---------------------------------------------------------------------------------------------

    def _headline(self, helps: pd.DataFrame, better: pd.DataFrame, n_compared: int) -> str:
        where, nothing = self.dataset, f"doing nothing ('{self.baseline}')"
        if len(helps):
            beyond = f", and more than every control (the strongest: {self.strongest})" if self.strongest else ""
            return f"{self._gains(helps)} {_verb('help', len(helps))} on {where}{beyond}. See the price below."
        if self.no_better_than_chance:
            return f"No: on {where} the classifiers are not shown to do better than guessing, whatever is added."
        methods, controls = better[~better["is_control"]], better[better["is_control"]]
        if better.empty:
            compared = count_of(n_compared, "method")
            return f"No method is shown to help on {where}, of {compared} compared, controls included."
        if self.strongest is None:
            return (
                f"{self._gains(methods)} {_verb('be', len(methods))} better than {nothing} on {where}; no control was "
                "run, so a trivial method may do as well."
            )
        plain = controls[[self.results.kind(str(name)) == "adjuster" for name in controls["method"]]]
        if len(plain):
            instead = f"without adding a row {self._gains(plain)} {_verb('do', len(plain))} so"
        else:
            instead = f"{self._gains(controls)} {_verb('do', len(controls))} so" if len(controls) else ""
        if methods.empty:
            return f"No method helps on {where}. What is better than {nothing}: {instead}."
        more = f" {instead[0].upper()}{instead[1:]} as well." if instead else ""
        return (
            f"No method helps on {where} beyond what a control does. {self._gains(methods)} "
            f"{_verb('be', len(methods))} better than {nothing}, but not shown to be better than every control.{more}"
        )

    def _gains(self, rows: pd.DataFrame) -> str:
        """Return the methods with their gains, and in words what the best known adjuster is."""
        parts = []
        for row in rows.to_dict("records"):
            meaning = f"{IN_WORDS[row['method']]}, " if row["method"] in IN_WORDS else ""
            parts.append(f"{row['method']} ({meaning}{text.signed(row['delta'], 1)})")
        return _listed(parts)

    def _chance(self) -> list[str]:
        test = self.auroc
        if test is None or not self.no_better_than_chance:
            return []
        ends = f"{0.5 + test.low:.2f} to {0.5 + test.high:.2f}"
        return [
            f"AUROC of {self.baseline} is {0.5 + test.mean:.2f} [{ends}], guessing gives 0.50; what raises macro F1 "
            "here does so by predicting the rare class more often, at random"
        ]

    def _why_untested(self, rows: pd.DataFrame) -> str:
        if rows.empty:
            return f"only {self.baseline} was run in full, there is nothing to compare yet"
        return f"no test is possible ({count_of(self.n_draws, 'draw')}: {rows['untested'].iloc[0] or 'no interval'})"

    def _described(self, rows: pd.DataFrame, chosen: pd.DataFrame) -> list[str]:
        """Return the methods to describe: those that were chosen, else the best one; and the strongest control."""
        methods = [str(name) for name in chosen.loc[~chosen["is_control"], "method"]][:MOST]
        methods = methods or [str(name) for name in rows.loc[~rows["is_control"], "method"]][:1]
        return [*methods, *([self.strongest] if self.strongest else [])]

    def _lines_of(self, name: str) -> list[str]:
        """Describe one method: the gain, with its certainty, against the strongest control, by class, the price."""
        row: Any = self.table.set_index("method").loc[name]
        before, after, test = self._difference(self.draws.metric, name, self.baseline) or (math.nan, math.nan, None)
        assert test is not None
        p = row["p_baseline_holm"]
        sure = student_posterior(test, ROPE / 100)
        parts = [f"{p_text(p)} after Holm's correction"] if not math.isnan(p) else []
        parts += [f"better by more than {ROPE} points with probability {text.probability(sure.better)}"] \
            if not math.isnan(sure.better) else []  # fmt: skip
        certainty = f" ({'; '.join(parts)})" if parts else ""
        what = text.metric_name(self.draws.metric)
        lines = [f"{name}: {what} {_change(before, after, test)} against {self.baseline}{certainty}"]
        lines += self._against_strongest(name)
        lines.append(f"{name}, by class: {self._by_class(name)}")
        lines.append(f"{name}, the price: {self._price(name)}")
        if not math.isnan(row["delta_tuned"]) and self.results.kind(name) != "adjuster":
            both = f"{text.signed(row['delta_tuned'], 1)} [{text.interval(row['low_tuned'], row['high_tuned'], 1)}]"
            lines.append(f"{name}, where the decision threshold is tuned with it and with {self.baseline}: {both}")
        return [line for line in lines if not line.endswith(": ")]

    def _against_strongest(self, name: str) -> list[str]:
        if self.strongest is None or name == self.strongest:
            return []
        contrast = Contrast(self.draws, self.strongest, self.design)
        others = [str(one) for one in self.table.loc[~self.table["is_control"], "method"]]
        tests = {one: contrast.overall(one) for one in dict.fromkeys([*others, name])}
        corrected = dict(zip(tests, holm([test.p for test in tests.values()]), strict=True))
        p = "" if math.isnan(corrected[name]) else f" ({p_text(corrected[name])} after Holm's correction)"
        return [f"{name} against {self.strongest}, the strongest control: {_points(tests[name])}{p}"]

    def _by_class(self, name: str) -> str:
        """Return recall and F1 of the class of interest."""
        classes, label = self._classes
        code = classes.index(label) if label in classes else None
        recall, f1 = ("recall_minority", "") if code is None else (f"recall_{code}", f"f1_{code}")
        parts = []
        for metric, word in ((recall, "recall"), (f1, "F1")):
            if found := self._difference(metric, name, self.baseline):
                parts.append(f"{word} {_change(*found)}")
        of = f" of '{label}'" if code is not None else " of the smallest class"
        return f"{parts[0].replace(' ', of + ' ', 1)}{''.join(', ' + one for one in parts[1:])}" if parts else ""

    def _price(self, name: str) -> str:
        """Return what is lost on the largest other class, and the time."""
        parts = []
        other = self._other_class()
        metric, of = (f"recall_{other[0]}", f"'{other[1]}'") if other else ("recall_majority", "the largest class")
        if found := self._difference(metric, name, self.baseline):
            parts.append(f"recall of {of} {_change(*found)}")
        ok = self.scores[self.scores["status"] == "ok"]
        means = {one: rows for one, rows in ok.groupby("method") if one in (name, self.baseline)}
        if "seconds" in ok.columns and name in means:
            made = float(means[name]["seconds"].mean())
            if self.results.kind(name) == "augmenter" and math.isfinite(made):
                parts.append(f"{text.seconds(made)} to make the rows")
        if "fit_seconds" in ok.columns and name in means and self.baseline in means:
            own, plain = (float(means[one]["fit_seconds"].mean()) for one in (name, self.baseline))
            if math.isfinite(own) and math.isfinite(plain):
                parts.append(f"{text.seconds(own)} to fit the classifier instead of {text.seconds(plain)}")
        return ", ".join(parts)

    def _other_class(self) -> tuple[int, str] | None:
        """Return code and label of the class that is not the one of interest, where there are two."""
        classes, label = self._classes
        others = [(code, one) for code, one in enumerate(classes) if one != label]
        return others[0] if len(classes) == 2 and len(others) == 1 else None

    def _not_shown(self, rows: pd.DataFrame) -> str:
        """Say how large a gain could have been missed."""
        highest = max(rows[rows["high"].notna()].to_dict("records"), key=lambda row: row["high"])
        if highest["high"] <= ROPE and rows["low"].min() >= -ROPE:
            return f"Every interval lies within ±{ROPE} points of {self.baseline}: all do the same"
        return (
            f"Not shown is not none: the intervals reach up to {text.signed(highest['high'], 1)} points "
            f"({highest['method']}), more draws would narrow them"
        )

    def _equivalent(self, rows: pd.DataFrame) -> list[str]:
        """Name the methods that do the same as the baseline, where others do not."""
        same = rows[rows["verdict"] == "equivalent"]
        if len(same) in (0, len(rows)):
            return []
        return [f"Equivalent to {self.baseline} (95 % interval within ±{ROPE} points): {', '.join(same['method'])}"]

    def _harms(self, rows: pd.DataFrame) -> list[str]:
        worse = rows[rows["verdict"] == "harms"]
        names = [f"{row['method']} {text.signed(row['delta'], 1)}" for row in worse.to_dict("records")]
        return (
            [f"Worse than {self.baseline} (Holm p < {f'{ALPHA:.2f}'.lstrip('0')}): {', '.join(names)}"] if names else []
        )

    def _by_classifier(self) -> list[str]:
        """Say which method scored highest with each classifier, without a test."""
        means = self.draws.values[self.draws.values.columns[~self.draws.values.isna().any()]]
        by = (100 * means).groupby(level="classifier").mean()
        if len(by) < 2:
            return []
        parts = [
            f"{name} with {scores.idxmax()} {scores.max():.1f} ({self.baseline} {scores[self.baseline]:.1f})"
            for name, scores in by.sort_values(self.baseline, ascending=False).iterrows()
        ]
        return [f"Highest {text.metric_name(self.draws.metric)} by classifier, picked afterwards and not tested: "
                f"{'; '.join(parts)}"]  # fmt: skip

    def _rest(self) -> list[str]:
        """Say what was not answered, and what the certainty is about."""
        lines = []
        for row in self.table.to_dict("records"):
            if row["state"] in ("incomplete", "failed", "not applicable") and not row["is_baseline"]:
                lines.append(f"Not in this answer: {row['method']}: {row['note']}")
        lines += [f"Left out: {line}" for line in self.results.run.get("left_out") or ()]
        classifiers = ", ".join(sorted(map(str, self.scores["classifier"].unique())))
        test = self.design.test_name(self.dataset, self.draws.metric)
        lines.append(
            f"Metric: {text.metric_name(self.draws.metric)} in points at the default decision, mean over {classifiers} "
            f"and {count_of(self.n_draws, 'draw')}; 95 % intervals by the {test}. "
            "They are about new draws of this table, not about other tables"
        )
        return lines


def _verb(verb: str, number: int) -> str:
    """Return the verb for one, or for several."""
    one, several = {"be": ("is", "are"), "do": ("does", "do")}.get(verb, (f"{verb}s", verb))
    return one if number == 1 else several


def _listed(names: Sequence[str] | pd.Series) -> str:
    """Return "a", "a and b", "a, b and c"."""
    names = [str(name) for name in names]
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else names[0]


def _points(test: TTest) -> str:
    """Return "+5.9 [+4.1 to +7.7]", in points."""
    return f"{text.signed(100 * test.mean, 1)} [{text.interval(100 * test.low, 100 * test.high, 1)}]"


def _change(before: float, after: float, test: TTest) -> str:
    """Return "60.1 → 66.0, +5.9 [+4.1 to +7.7]"."""
    return f"{100 * before:.1f} → {100 * after:.1f}, {_points(test)}"
