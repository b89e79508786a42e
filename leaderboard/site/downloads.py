"""The tables of the site as files for other programs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from ..comparison import Comparison
from ..results import Results
from ..separation import Separation

#: Folder of these files in the site.
DOWNLOADS = "downloads"


@dataclass(frozen=True)
class Download:
    """One file.

    Attributes
    ----------
    name : str
        Its name in the folder.
    what : str
        What it holds, in a sentence without a full stop.
    table : pandas.DataFrame
        Its rows; numbers are written so that reading them gives the same numbers.
    """

    name: str
    what: str
    table: pd.DataFrame

    @property
    def path(self) -> str:
        """Where it lies in the site."""
        return f"{DOWNLOADS}/{self.name}"

    @cached_property
    def text(self) -> str:
        """The file."""
        import pyarrow as pa
        from pyarrow import csv

        # nine times as fast as pandas, which takes longer than all pages together where there are many scores
        mixed = {name: _as_text(self.table[name]) for name in self.table.columns if self.table[name].dtype == object}
        stream = pa.BufferOutputStream()
        csv.write_csv(pa.Table.from_pandas(self.table.assign(**mixed), preserve_index=False), stream)
        return stream.getvalue().to_pybytes().decode()

    @property
    def size(self) -> str:
        """How large it is, in words."""
        size = float(len(self.text.encode()))
        for unit in ("bytes", "kB", "MB"):
            if size < 1000 or unit == "MB":
                return f"{size:.0f} {unit}" if size >= 10 or unit == "bytes" else f"{size:.1f} {unit}"
            size /= 1000
        raise AssertionError


def _as_text(column: pd.Series) -> pd.Series:
    """Return a column of any objects as text, empty where there is none."""
    return column.where(column.notna(), "").astype(str)


def downloads_of(results: Results, comparison: Comparison, separation: Separation | None) -> list[Download]:
    """Return the files: all scores, the leaderboard, differences by data set, and the pairs where they are tested.

    Parameters
    ----------
    results : Results
        The scores.
    comparison : Comparison
        The leaderboard.
    separation : Separation or None
        The pairs.

    Returns
    -------
    list of Download
        In the order in which they are shown.
    """
    board = comparison.table.assign(
        messages=["; ".join(f"{count} × {message}" for message, count in one) for one in comparison.table["messages"]],
        not_applicable=["; ".join(names) for names in comparison.table["not_applicable"]],
    )
    files = [
        Download(
            "scores.csv", "a row per method, data set, scenario, classifier and draw, all metrics", results.scores
        ),
        Download("leaderboard.csv", "the table of the leaderboard, all columns; differences are in points", board),
        Download(
            "differences.csv",
            f"the difference of each method to {comparison.baseline} on each data set, in points",
            comparison.deltas.reset_index(names="method"),
        ),
    ]
    if separation:
        files.append(
            Download("pairs.csv", "all pairs of ranked methods: wins, ties, losses, p, corrected p", separation.pairs())
        )
    return files
