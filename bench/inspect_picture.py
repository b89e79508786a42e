"""An inspection as a picture: the classes, the missing cells, the columns that tell most of the class."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from ..datasets.findings import number_of, percent
from ..datasets.hygiene import Inspection
from ..leaderboard.export import replace_file

_WIDTH = 760
_LEFT = 230
_LONGEST = 400
_MOST_BARS = 12
_LABEL = 28


@dataclass(frozen=True)
class Bar:
    """One bar: whose, how long (0 to 1), and what stands behind it."""

    name: str
    part: float
    value: str
    suspect: bool = False

    @property
    def label(self) -> str:
        """The name, cut to the room there is."""
        return self.name if len(self.name) <= _LABEL else self.name[: _LABEL - 1] + "…"

    @property
    def width(self) -> float:
        """Length in pixels; never nothing, so that the bar is seen."""
        return round(max(1.0, _LONGEST * self.part), 1)


@dataclass
class _Panel:
    """Some bars under a title; `line` is where a dashed line stands, in pixels."""

    title: str
    note: str
    bars: list[Bar]
    line: float | None = None
    top: int = 0

    @property
    def height(self) -> int:
        """Room that it takes, with a margin below."""
        return 34 + 22 * len(self.bars) + 30


def write_picture(found: Inspection, name: str, path: Path) -> Path:
    """Draw an inspection and write it as SVG; an old picture stays until the new one is complete.

    Parameters
    ----------
    found : Inspection
        What to draw.
    name : str
        What was inspected.
    path : pathlib.Path
        The file.

    Raises
    ------
    InputError
        It cannot be written.
    """
    return replace_file(path, to_svg(found, name).encode())


def to_svg(found: Inspection, name: str) -> str:
    """Return the picture; the same inspection gives the same bytes."""
    from jinja2 import Environment, StrictUndefined

    panels = [_classes(found), _missing(found), _strengths(found)]
    top = 98
    for panel in panels:
        panel.top = top
        top += panel.height
    serious = sum(one.severity == "serious" for one in found.findings)
    size = f"{number_of(found.n_rows, 'row')} × {number_of(found.n_columns, 'column')}"
    said = f"{number_of(len(found.findings), 'finding')}, {serious} of them serious"
    template = (files(__package__) / "templates" / "inspection.svg.template").read_text(encoding="utf-8")
    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=StrictUndefined)
    return environment.from_string(template).render(
        title=f"{name}: {size}", subtitle=said, panels=panels, width=_WIDTH, height=top, left=_LEFT
    )


def suspects(found: Inspection) -> set[str]:
    """Return the columns of serious findings."""
    return {name for one in found.findings if one.severity == "serious" for name in one.columns}


def strongest(found: Inspection, most: int) -> dict[str, float]:
    """Return the columns that alone predict the class best, and those of serious findings however they rank."""
    grave = suspects(found)
    return {name: value for i, (name, value) in enumerate(found.strengths.items()) if i < most or name in grave}


def _more(shown: Iterable[object], total: int, what: str) -> str:
    left = total - len(list(shown))
    return f" Not shown: {left} more {what}." if left > 0 else ""


def _classes(found: Inspection) -> _Panel:
    rows = sorted(zip(found.class_counts, found.classes, strict=True), key=lambda one: -one[0])
    shown = rows if len(rows) <= _MOST_BARS else rows[: _MOST_BARS // 2] + rows[-_MOST_BARS // 2 :]
    bars = [Bar(label, count / rows[0][0], f"{count:,} ({percent(count / found.n_rows)})") for count, label in shown]
    note = f"Rows of each class. Balance {found.balance:.2f}: 1 is equally many, near 0 is nearly all in one."
    return _Panel("Classes", note + _more(shown, len(rows), "classes"), bars)


def _missing(found: Inspection) -> _Panel:
    shown = list(found.missing.items())[:_MOST_BARS]
    bars = [Bar(name, cells / found.n_rows, f"{cells:,} ({percent(cells / found.n_rows)})") for name, cells in shown]
    note = "Share of the rows without a value." + _more(shown, len(found.missing), "columns with gaps")
    return _Panel("Missing cells", note if bars else "None.", bars)


def _strengths(found: Inspection) -> _Panel:
    grave = suspects(found)
    bars = [
        Bar(name, value, f"{value:.3f}" + (" ⚠" if name in grave else ""), name in grave)
        for name, value in strongest(found, 10).items()
    ]
    chance = 1 / len(found.classes)
    note = f"Balanced accuracy by one column alone, cross-validated. Dashed: chance, {chance:.2f}."
    legend = " (⚠ gives a class, or a part of it, away)" if any(bar.suspect for bar in bars) else ""
    return _Panel(f"Strongest single columns{legend}", note, bars, _LEFT + _LONGEST * chance)
