"""The benchmark proves itself: truths that are known are planted, and the real pipeline has to find them.

`groups` holds the groups of claims, each a module with a function `check` that yields findings; `workbench` runs suites
for them, from plan to results; `planted` is the plugin with their methods.
"""

from .claim import Finding
from .groups import GROUPS, run_groups
from .workbench import Workbench

__all__ = ["GROUPS", "Finding", "Workbench", "run_groups"]
