"""What a person sees while a run goes on: a live display on a terminal, plain lines elsewhere, nothing if asked."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from .evaluate import UnitResult
from .plan import Unit
from .run import Display, Progress


def duration(seconds: float) -> str:
    """Return seconds in words, e.g. ``2 min 05 s``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def counts_line(progress: Progress) -> str:
    """Return done, failed and left, and the time left."""
    failed = f", {progress.failed} failed" if progress.failed else ""
    time_left = f", about {duration(progress.seconds_left)}" if progress.left else ""
    return f"{progress.done} done{failed}, {progress.left} left{time_left}"


class Quiet:
    """Shows nothing."""

    def started(self, progress: Progress) -> None:
        """Do nothing."""

    def finished(self, progress: Progress, unit: Unit, result: UnitResult) -> None:
        """Do nothing."""


class PlainLines:
    """A line for each failure, and one with the counts every few seconds: for logs and pipes."""

    def __init__(self, console: Console, every: float = 10.0) -> None:
        self._console = console
        self._every = every
        self._last = time.monotonic()

    def started(self, progress: Progress) -> None:
        """Do nothing."""

    def finished(self, progress: Progress, unit: Unit, result: UnitResult) -> None:
        """Print the failure, if it is one, and the counts when it is time."""
        if result.error:
            self._console.print(f"failed: {unit.title}: {result.error}", markup=False, soft_wrap=True)
        if progress.left == 0 or time.monotonic() - self._last >= self._every:
            self._last = time.monotonic()
            share = 100 * (progress.total - progress.left) // progress.total
            self._console.print(f"{share:3d} %  {counts_line(progress)}", markup=False, soft_wrap=True)


class LiveDisplay:
    """A bar, the counts, and what runs now, redrawn in place."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self.live = Live(console=console, refresh_per_second=8, transient=True)

    def started(self, progress: Progress) -> None:
        """Redraw."""
        self.live.update(self._render(progress))

    def finished(self, progress: Progress, unit: Unit, result: UnitResult) -> None:
        """Redraw; failures stay above the bar."""
        if result.error:
            self.live.console.print(Text(f"failed: {unit.title}: {result.error}", style="red"))
        self.live.update(self._render(progress))

    @staticmethod
    def _render(progress: Progress) -> Group:
        bar = Table.grid(padding=(0, 1))
        bar.add_row(
            ProgressBar(total=progress.total, completed=progress.total - progress.left, width=40),
            Text(counts_line(progress)),
        )
        return Group(
            bar, *(Text(f"  {title}", style="dim", overflow="ellipsis", no_wrap=True) for title in progress.running)
        )


@contextmanager
def display_on(console: Console, *, quiet: bool) -> Iterator[Display]:
    """Choose the display for a console, and end it properly."""
    if quiet:
        yield Quiet()
    elif not console.is_terminal:
        yield PlainLines(console)
    else:
        shown = LiveDisplay(console)
        with shown.live:
            yield shown
