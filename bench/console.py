"""Where the command line writes: the consoles, the folder of results."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

if TYPE_CHECKING:
    from rich.table import Table

DEFAULT_OUT = Path("augbench-results")

out = Console(soft_wrap=True, highlight=False)
err = Console(stderr=True, soft_wrap=True, highlight=False)


class Places:
    """Where the results of a run are.

    Parameters
    ----------
    store : Path, optional
        The results file; by default ``store.sqlite`` in `out_dir`.
    out_dir : Path, optional
        Folder for the leaderboard; by default the store's, or ``augbench-results``.
    """

    def __init__(self, store: Path | None, out_dir: Path | None) -> None:
        self.out_dir = out_dir or (store.parent if store else DEFAULT_OUT)
        self.store = store or self.out_dir / "store.sqlite"
        self.site = self.out_dir / "site"
        given = {"--store": store, "--out": out_dir}
        #: what names the same places to another command: nothing, or options with a space before them
        self.options = "".join(f" {name} {shlex.quote(str(path))}" for name, path in given.items() if path)


def count(number: int, noun: str, plural: str = "s") -> str:
    """Return a number with its noun, e.g. ``3 units``."""
    return f"{number} {noun}" + (plural if number != 1 else "")


def print_table(table: Table) -> None:
    """Print a table: as wide as the terminal is; elsewhere a line for each row, however long."""
    if out.is_terminal:
        out.print(table, soft_wrap=False)
    else:
        Console(width=400, highlight=False).print(table)
