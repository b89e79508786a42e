"""The check kit: small named checks of what every method promises, as imbalanced-learn and scikit-learn have them.

``bench check NAME`` runs them from the command line, `check_method` from Python, `parametrize_with_checks` in pytest.
"""

from importlib import import_module

from .kit import Check, CheckFailed, Result, all_checks, check_method, checks_of, run_checks
from .testing import parametrize_with_checks

# checks run in the order in which they are defined
for _name in ("rows", "targets", "tables_at_the_edge", "adjusting", "detecting", "conduct"):
    import_module(f".{_name}", __name__)

__all__ = [
    "Check",
    "CheckFailed",
    "Result",
    "all_checks",
    "check_method",
    "checks_of",
    "parametrize_with_checks",
    "run_checks",
]
