"""The check kit: small named checks of what every method promises, in the manner of imbalanced-learn's and scikit-learn's.

``bench check NAME`` runs them from the command line, `check_method` from Python, `parametrize_with_checks` in pytest.
"""

# the order in which checks are named here is that in which they run
from . import rows as _rows  # noqa: I001
from . import targets as _targets  # noqa: F401
from . import tables_at_the_edge as _edge  # noqa: F401
from . import adjusting as _adjusting  # noqa: F401
from . import detecting as _detecting  # noqa: F401
from . import conduct as _conduct  # noqa: F401
from .kit import Check, CheckFailed, Result, all_checks, check_method, checks_of, run_checks
from .testing import parametrize_with_checks

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
