"""What a person sees while a run goes on: a live display on a terminal, plain lines elsewhere, nothing if asked."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from .outcome import UnitResult
    from .plan import Unit
    from .run import Display, Progress, Running


def duration(seconds: float) -> str:
    """Return seconds in words, e.g. ``2 min 05 s``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def seconds_left(progress: Progress) -> float:
    """Return the estimate for what is left, or what the slowest fit still needs at its pace, if that is longer.

    The estimate is that of the last unit's end; since then each worker has come as far as what it runs.
    """
    now = time.monotonic()
    gone = [one.left(progress.estimated) - one.left(now) for one in progress.running]
    reports = filter(None, (one.report() for one in progress.running))
    longest = max((report.seconds_left for report in reports), default=0.0)
    return max(progress.seconds_left - sum(gone) / max(len(gone), 1), longest)


def counts_line(progress: Progress) -> str:
    """Return done, failed and left, and the time left."""
    failed = f", {progress.failed} failed" if progress.failed else ""
    time_left = f", about {duration(seconds_left(progress))}" if progress.left else ""
    until_stop = progress.deadline - time.monotonic()
    if progress.left and until_stop < seconds_left(progress):
        time_left = f", stops in {duration(until_stop)}" if until_stop > 0 else ", stops after what is running"
    return f"{progress.done} done{failed}, {progress.left} left{time_left}"


def running_line(one: Running) -> str:
    """Return what runs and, if it says so, how far it is."""
    report = one.report()
    return f"{one.title}   {report}" if report else one.title


class Quiet:
    """Shows nothing."""

    def started(self, progress: Progress) -> None:
        """Do nothing."""

    def finished(self, progress: Progress, unit: Unit, result: UnitResult) -> None:
        """Do nothing."""


class PlainLines:
    """For logs and pipes: a line for each failure, and one with the counts every few seconds.

    When no unit ends for that long, `tick` prints what has been running longest, so that a log shows life.

    Parameters
    ----------
    console : rich.console.Console
        Where to print.
    every : float
        Seconds between two lines.
    """

    def __init__(self, console: Console, every: float = 10.0) -> None:
        self._console = console
        self._every = every
        self._last = time.monotonic()
        self._progress: Progress | None = None
        self._lock = threading.Lock()

    def started(self, progress: Progress) -> None:
        """Remember what runs."""
        self._progress = progress

    def finished(self, progress: Progress, unit: Unit, result: UnitResult) -> None:
        """Print the failure, if it is one, and the counts when it is time."""
        with self._lock:
            self._progress = progress
            if result.error:
                self._print(f"failed: {unit.title}: {result.error}")
            if progress.left == 0 or time.monotonic() - self._last >= self._every:
                self._last = time.monotonic()
                share = 100 * (progress.total - progress.left) // progress.total
                self._print(f"{share:3d} %  {counts_line(progress)}")

    def tick(self) -> None:
        """Print what has been running, or is waited for, for the interval, if nothing was printed for as long."""
        with self._lock:
            now = time.monotonic()
            progress = self._progress
            running = progress.running if progress else []
            if not progress or not running or now - max(self._last, running[0].since) < self._every:
                return
            self._last = now
            if waiting_for := progress.waiting_for():
                self._print(f"waiting for {waiting_for}")
                return
            more = f"   (and {len(running) - 1} more)" if len(running) > 1 else ""
            self._print(f"running for {duration(now - running[0].since)}: {running_line(running[0])}{more}")

    @contextmanager
    def ticking(self) -> Iterator[None]:
        """Call `tick` again and again while the block runs."""
        ended = threading.Event()

        def loop() -> None:
            while not ended.wait(self._every):
                self.tick()

        thread = threading.Thread(target=loop, daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    def _print(self, line: str) -> None:
        self._console.print(line, markup=False, soft_wrap=True)


class LiveDisplay:
    """A bar, the counts, and what runs now, redrawn in place."""

    def __init__(self, console: Console) -> None:
        self._progress: Progress | None = None
        # it asks for the picture again at each redrawing, in a thread of its own: the reports of a long fit move
        self.live = Live(console=console, refresh_per_second=4, transient=True, get_renderable=self._render)

    def started(self, progress: Progress) -> None:
        """Show what runs from the next redrawing on."""
        self._progress = progress

    def finished(self, progress: Progress, unit: Unit, result: UnitResult) -> None:
        """Show the counts from the next redrawing on; failures stay above the bar."""
        self._progress = progress
        if result.error:
            self.live.console.print(Text(f"failed: {unit.title}: {result.error}", style="red"))

    def _render(self) -> Group:
        progress = self._progress
        if progress is None:
            return Group()
        bar = Table.grid(padding=(0, 1))
        bar.add_row(
            ProgressBar(total=progress.total, completed=progress.total - progress.left, width=40),
            Text(counts_line(progress)),
        )
        waiting_for = progress.waiting_for()
        said = [f"waiting for {waiting_for}"] if waiting_for else map(running_line, progress.running)
        return Group(bar, *(Text(f"  {one}", style="dim", overflow="ellipsis", no_wrap=True) for one in said))


@contextmanager
def display_on(console: Console, *, quiet: bool) -> Iterator[Display]:
    """Choose the display for a console, and end it properly."""
    if quiet:
        yield Quiet()
    elif not console.is_terminal:
        lines = PlainLines(console)
        with lines.ticking():
            yield lines
    else:
        shown = LiveDisplay(console)
        with shown.live:
            yield shown
