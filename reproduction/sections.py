"""What a page of an experiment shows beside its claims: figures with their numbers in a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Drawing:
    """A figure.

    Attributes
    ----------
    markup : markupsafe.Markup
        See `augbench.leaderboard.plots.inline_svg`.
    caption : str
        What it shows, in a sentence or two.
    """

    markup: Any
    caption: str


@dataclass(frozen=True)
class Section:
    """A part of a page.

    Attributes
    ----------
    title : str
        Its heading.
    text : tuple of str
        Paragraphs.
    figures : tuple of Drawing
        Below the text.
    head : tuple of str
        The columns of a table, below the figures; empty: no table.
    rows : tuple of tuple of str
        Its rows, as they are shown. The first column names the row, the others are numbers.
    """

    title: str
    text: tuple[str, ...] = ()
    figures: tuple[Drawing, ...] = ()
    head: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
