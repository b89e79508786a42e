"""The page of the self-test: every claim, what was expected, and what was found, in the style of the leaderboard."""

from __future__ import annotations

import platform
import time
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from .. import __version__
from ..leaderboard.site import INDEX, write_files
from ..leaderboard.site.base import Page, read_assets, templates
from ..provenance import blas_kernels, package_versions
from .groups import GROUPS, Group


def summary(groups: list[Group]) -> str:
    """Say in a sentence how many claims hold."""
    findings = [one for group in groups for one in group.findings]
    failed = sum(not one.passed for one in findings)
    left_out = [name for name in GROUPS if name not in {group.name for group in groups}]
    more = f" Not run: {', '.join(left_out)}." if left_out else ""
    if not failed:
        return f"All {len(findings)} claims hold.{more}"
    return f"{failed} of {len(findings)} claims {'does' if failed == 1 else 'do'} not hold.{more}"


def write_page(groups: list[Group], folder: Path, *, full: bool, more: Mapping[str, Any] | None = None) -> Path:
    """Write the page into a folder of its own; return it.

    Raises
    ------
    InputError
        The folder holds something else, or a file cannot be written.
    """
    environment = templates("augbench.selftest", "augbench.leaderboard")
    environment.globals.update(site=SimpleNamespace(navigation=[]), suite="")
    machine = {"augbench": __version__, "Python": platform.python_version(), "BLAS": blas_kernels()}
    values = {
        "groups": groups,
        "summary": summary(groups),
        "passed": all(group.passed for group in groups),
        "full": full,
        "date": time.strftime("%Y-%m-%d"),
        "machine": machine | package_versions(("numpy", "scipy", "scikit-learn", "pandas")),
        **(more or {}),
    }
    page = Page(INDEX, "selftest.html", "Self-test", values=values)
    text = environment.get_template(page.template).render(page=page, root=page.root, **page.values)
    return write_files({page.path: text} | read_assets("style.css", "site.js"), folder)
