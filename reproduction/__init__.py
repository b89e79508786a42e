"""Published figures beside ours: experiments, claims, verdicts, and the pages that show them."""

from __future__ import annotations

from .claims import Finding, findings_of
from .experiment import Experiment, known_experiments, load_experiment
from .verdict import RULES, Ours, Verdict, judge_expectation, judge_gain, judge_level

__all__ = [
    "RULES",
    "Experiment",
    "Finding",
    "Ours",
    "Verdict",
    "findings_of",
    "judge_expectation",
    "judge_gain",
    "judge_level",
    "known_experiments",
    "load_experiment",
]
