"""Figures of the site and of papers: drawn once, saved as SVG or PDF, or set into a page.

Each function returns a matplotlib figure without a window or global state. In a page the colours become those of the
page's style, so that dark mode holds; text stays text.
"""

from __future__ import annotations

import io
import re
import warnings
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Colours of a figure and the custom property of the page's style that stands for each.
INK, MUTED, LINE, UP, DOWN, OPEN = "#1d2126", "#5c646d", "#e3e1dc", "#1f6fb2", "#b4570c", "#747c85"
#: What is behind a figure; figures are transparent, this is for what has to cover a line.
GROUND = "#ffffff"
PROPERTIES = {
    GROUND: "--card",
    INK: "--ink",
    MUTED: "--muted",
    LINE: "--line",
    UP: "--up",
    DOWN: "--down",
    OPEN: "--open",
}
#: Colours of lines and classes, told apart by the colour-blind, on both grounds; markers tell them apart as well.
SERIES = (UP, DOWN, "#1b7f4a", "#7b4fb4", "#b8336b", "#0f7c87", "#7a6a01", "#5a5f9e")
MARKERS = "osD^vPX*"
PROPERTIES |= {colour: f"--series-{number}" for number, colour in enumerate(SERIES[2:], 3)}
#: Inches a figure is wide on paper: one column of text.
WIDTH = 6.3
_STYLE: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "augbench",
    "font.family": "sans-serif",
    "font.size": 9,
    "text.color": INK,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": MUTED,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "grid.color": LINE,
    "pdf.fonttype": 42,
    # names are names: "$x_1$" too
    "text.parse_math": False,
}


def new_figure(height: float, width: float = WIDTH) -> Figure:
    """Return an empty figure of a size in inches, laid out so that nothing is cut."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def style() -> Any:
    """Return the context in which every figure is drawn and saved."""
    import matplotlib as mpl

    return mpl.rc_context(_STYLE)


def save(figure: Figure, kind: str) -> bytes:
    """Return a figure as a file, the same bytes each time; `kind` is "svg" or "pdf"."""
    buffer = io.BytesIO()
    date = {"Date": None} if kind == "svg" else {"CreationDate": None}
    with style(), warnings.catch_warnings():
        # text stays text: what matplotlib's font lacks, the reader's has
        warnings.filterwarnings("ignore", "Glyph .* missing from font")
        figure.savefig(buffer, format=kind, transparent=True, metadata=date)
    return buffer.getvalue()


def inline_svg(figure: Figure, label: str, prefix: str) -> Any:
    """Return a figure as markup for a page: colours from the page's style, a label, ids that are the page's own.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        The figure.
    label : str
        What a screen reader says.
    prefix : str
        What every id begins with: two figures of a page need different ones.

    Returns
    -------
    markupsafe.Markup
        An ``svg`` element.
    """
    from markupsafe import Markup, escape

    text = save(figure, "svg").decode()
    text = re.sub(r"<metadata>.*?</metadata>", "", text[text.index("<svg") :], flags=re.S)
    text = re.sub(r'\bid="', f'id="{prefix}-', text)
    text = re.sub(r'(xlink:href="#|url\(#)', rf"\g<1>{prefix}-", text)
    for colour, name in PROPERTIES.items():
        text = text.replace(colour, f"var({name})")
    return Markup(text.replace("<svg ", f'<svg role="img" aria-label="{escape(label)}" ', 1))
