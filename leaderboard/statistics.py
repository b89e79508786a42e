"""The tests and intervals of the leaderboard: small pure functions on arrays and tables, all in one place.

Each function has its formula and its paper in the docstring. None of them knows of runs or stores: they take anybody's
numbers. For a whole table of scores see :func:`augbench.leaderboard.compare`. How often each test is wrong where there
is no difference, and how often each interval covers, is measured by ``benchmarks/null_simulation.py``.
"""

from __future__ import annotations

from .bootstrap import two_way_bootstrap
from .multiplicity import holm, partial_conjunction_count
from .pairs import CriticalDifference, WinMatrix, critical_difference, win_matrix
from .posterior import Posterior, bayesian_signed_rank, student_posterior
from .ranks import Friedman, average_ranks, friedman, nemenyi_critical_difference, rank_intervals
from .signed_rank import signed_rank_interval, smallest_reachable_p, wilcoxon_signed_rank
from .t_tests import TTest, corrected_resampled_t, paired_t, t_interval

__all__ = [
    "CriticalDifference",
    "Friedman",
    "Posterior",
    "TTest",
    "WinMatrix",
    "average_ranks",
    "bayesian_signed_rank",
    "corrected_resampled_t",
    "critical_difference",
    "friedman",
    "holm",
    "nemenyi_critical_difference",
    "paired_t",
    "partial_conjunction_count",
    "rank_intervals",
    "signed_rank_interval",
    "smallest_reachable_p",
    "student_posterior",
    "t_interval",
    "two_way_bootstrap",
    "wilcoxon_signed_rank",
    "win_matrix",
]
