"""The leaderboard in the terminal: the same table as on the page, cut to the width there is."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from . import format as text
from .comparison import Comparison
from .results import higher_is_better
from .tables import SHOWN

if TYPE_CHECKING:
    from rich.console import Group
    from rich.table import Table

_STYLES = {
    "helps": "bold green",
    "better": "green",
    "equivalent": "",
    "harms": "red",
    "failed": "red",
    "incomplete": "yellow",
}


@dataclass(frozen=True)
class _Column:
    """A column: its header, its place in the queue for room (0 is always shown), and how a row is written."""

    header: str
    priority: int
    write: Callable[[pd.Series], str]


_COLUMNS = (
    _Column("Δ", 0, lambda row: text.signed(row["delta"])),
    _Column("95 % interval", 0, lambda row: _span(row)),
    _Column("W/T/L", 2, lambda row: "" if row["is_baseline"] else f"{row['wins']}/{row['ties']}/{row['losses']}"),
    _Column("rank", 3, lambda row: text.plain_number(row["mean_rank"])),
    _Column("p", 1, lambda row: text.p_value(row["p_baseline_holm"])),
    _Column("p copies", 8, lambda row: text.p_value(row["p_copies_holm"])),
    _Column("F1", 5, lambda row: text.plain_number(row["macro_f1"])),
    _Column("wF1", 10, lambda row: text.plain_number(row["weighted_f1"])),
    _Column("min", 6, lambda row: text.plain_number(row["recall_minority"])),
    _Column("maj", 7, lambda row: text.plain_number(row["recall_majority"])),
    _Column("Δ tuned", 11, lambda row: text.signed(row["delta_tuned"])),
    _Column("cost", 9, lambda row: text.seconds(row["seconds"])),
    _Column("failed", 4, lambda row: str(row["n_failed"]) if row["n_failed"] else ""),
)
_METHOD_WIDTH = 14


def _columns(comparison: Comparison) -> tuple[_Column, ...]:
    """Return the columns; the score itself, too, where another metric than those orders the methods."""
    metric = comparison.metric
    if metric in SHOWN:
        return _COLUMNS
    score = _Column(text.metric_name(metric), 0, lambda row: text.plain_number(row[metric]))
    return (score, *_COLUMNS)


def _span(row: pd.Series) -> str:
    """Return the interval, short enough for a terminal."""
    if row["is_baseline"] or pd.isna(row["low"]):
        return text.NOTHING
    return f"{text.signed(row['low'])}…{text.signed(row['high'])}"


def render(comparison: Comparison, width: int = 100) -> Group:
    """Return the leaderboard as a rich renderable.

    Parameters
    ----------
    comparison : Comparison
        What `compare` returned.
    width : int
        Columns of the terminal. Below 80, less is shown.

    Returns
    -------
    rich.console.Group
        Finding, table, legend, warnings.
    """
    from rich.console import Group
    from rich.text import Text

    columns = _fitting(comparison, width)
    return Group(
        Text(comparison.finding, style="bold"),
        _table(comparison, columns),
        Text(_legend(comparison, {column.header for column in columns}), "dim"),
        *(Text(line, "dim") for line in _budgets(comparison)),
        *(Text(f"! {line}", style="yellow") for line in comparison.warnings),
        *(Text(f"  {line}", style="dim") for line in _notes(comparison)),
    )


def _fitting(comparison: Comparison, width: int) -> list[_Column]:
    """Return the columns for which there is room, in their order; numbers are never cut."""
    table = comparison.table
    room = width - 2 - max(_METHOD_WIDTH, min(24, int(table["method"].str.len().max()) + 2))
    room -= 1 + int(table["verdict"].str.len().max())
    chosen = []
    columns = _columns(comparison)
    for column in sorted(columns, key=lambda column: column.priority):
        cells = [column.write(row) for _, row in table.iterrows()]
        empty = not any(cell not in ("", text.NOTHING) for cell in cells)
        need = 1 + max(len(column.header), *map(len, cells))
        if not empty and (column.priority == 0 or need <= room):
            chosen.append(column)
            room -= need
    return [column for column in columns if column in chosen]


def _table(comparison: Comparison, columns: list[_Column]) -> Table:
    """Return the table; where there is too little room it is the names that are cut."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, padding=0, pad_edge=False)
    table.add_column("method", overflow="ellipsis", no_wrap=True)
    for column in columns:
        longest = max(len(column.write(row)) for _, row in comparison.table.iterrows())
        table.add_column(column.header, justify="right", no_wrap=True, min_width=max(len(column.header), longest))
    table.add_column("verdict", no_wrap=True, min_width=int(comparison.table["verdict"].str.len().max()))
    for _, row in comparison.table.iterrows():
        style = "dim" if row["is_control"] else ""
        name = Text(row["method"] + (" *" if row["is_control"] else ""), style=style)
        cells = [Text(column.write(row), style=style) for column in columns]
        table.add_row(name, *cells, Text(row["verdict"], style=_STYLES.get(row["verdict"], "dim")))
    return table


def _budgets(comparison: Comparison) -> list[str]:
    """Return how parameters were chosen, and what training took, methods of the same budget together."""
    lines = [comparison.budget] if comparison.budget else []
    methods: dict[str, list[str]] = {}
    tunings = set(comparison.table["tuning"])
    for row in comparison.table.to_dict("records"):
        words = [row["effort"], row["tuning"] if len(tunings) > 1 else ""]
        text_of = " · ".join(word for word in words if word)
        if row["effort"] or len(tunings) > 1:
            methods.setdefault(text_of, []).append(row["method"])
    return lines + [f"{', '.join(names)}: {words}" for words, names in methods.items()]


def _notes(comparison: Comparison) -> list[str]:
    """Return a line per method that failed, does not apply everywhere or was not run in full."""
    lines = []
    for row in comparison.table.to_dict("records"):
        if row["state"] in ("partial", "incomplete"):
            lines.append(f"{row['method']}: {row['note']}")
        if row["n_failed"]:
            reason = f": {row['messages'][0][0]}" if row["messages"] else ""
            lines.append(f"{row['method']}: {row['n_failed']} of {row['n_scores']} scores failed{reason}")
    return lines


def _legend(comparison: Comparison, shown: set[str]) -> str:
    """Explain the columns that are shown."""
    less = "" if higher_is_better(comparison.metric) else " (less is better)"
    delta = f"{text.metric_name(comparison.metric)} against '{comparison.baseline}' in points{less}; {comparison.test}"
    meaning = {
        "Δ": delta,
        "W/T/L": "data sets won, tied, lost",
        "rank": "mean rank, 1 is best",
        "p": "against the baseline, corrected by Holm",
        "p copies": f"the same against {comparison.reference}",
        "F1": "macro F1",
        "wF1": "weighted F1",
        "min": "accuracy of the smallest class",
        "maj": "of the largest class",
        "Δ tuned": "with the decision tuned on training rows",
        "cost": f"mean time of a draw{', measured alone' if comparison.times == 'alone' else ''}",
    }
    parts = [f"{header}: {words}" for header, words in meaning.items() if header in shown]
    return "; ".join([*parts, "*: control or adjuster"]) + "."


def plain(comparison: Comparison, width: int = 100) -> str:
    """Return the same as `render` as plain text: no colour, for files and pipes."""
    from rich.console import Console

    stream = io.StringIO()
    Console(file=stream, width=width, color_system=None, force_terminal=False).print(render(comparison, width))
    return "\n".join(line.rstrip() for line in stream.getvalue().splitlines()) + "\n"
