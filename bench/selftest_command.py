"""The command ``bench selftest``."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import InputError, unknown_name
from .console import err, out, print_table
from .writer_lock import StoreBusyError, WriterLock

if TYPE_CHECKING:
    from ..selftest.groups import Group

DEFAULT_OUT = Path("augbench-selftest")


def selftest(
    groups: Annotated[
        list[str] | None, typer.Argument(help="Groups of claims; without: all.", show_default=False)
    ] = None,
    full: Annotated[
        bool, typer.Option("--full", help="Repeat more often: narrower intervals, half an hour or so.")
    ] = False,
    out_dir: Annotated[Path, typer.Option("--out", help="Folder for stores and the page.")] = DEFAULT_OUT,
    jobs: Annotated[
        int, typer.Option("--jobs", "-j", min=0, help="Worker processes; 0 = one per core. Scores do not depend on it.")
    ] = 0,
) -> None:
    """Show on this machine that the benchmark finds what is there, and nothing where there is nothing.

    Plants truths that are known (methods that gain nothing, that gain or harm by a known amount, that try to see test
    rows), runs the real pipeline on them, and prints a table of claims: what was expected, what was found. Writes a
    page of it. Ends with 1 where a claim does not hold. After Ctrl-C the same command goes on where it stopped;
    else all is computed anew. Examples:
    `bench selftest` (minutes), `bench selftest --full`, `bench selftest null gain`.
    """
    from ..leaderboard.site import old_files
    from ..selftest import GROUPS, Workbench, run_groups
    from ..selftest.page import summary, write_page

    for name in groups or []:
        if name not in GROUPS:
            raise unknown_name("group of claims", name, GROUPS)
    # that of some groups does not take the place of that of all
    page = out_dir / "-".join(["page", *(groups or []), *(["full"] if full else [])])
    # before hours of work: whether it can be written there
    old_files(page)
    folder = _stores(out_dir / ("full" if full else "short"))
    bench = Workbench(folder, jobs, full, lambda line: err.print(line, markup=False, style="dim"))
    found = []
    with _alone_in(folder):
        try:
            for group in run_groups(bench, groups):
                found.append(group)
                _print_group(group)
        except KeyboardInterrupt:
            err.print("stopped: what was computed is stored; the same command goes on here")
            raise typer.Exit(130) from None
        index = write_page(found, page, full=full)
        # what is stored must not vouch for other code the next time
        shutil.rmtree(folder)
    out.print("\nin brackets: 95 % intervals of shares and of differences on a leaderboard, 99.9 % of means over draws")
    out.print(f"{summary(found)}\npage: {index.resolve()}", markup=False)
    if not all(group.passed for group in found):
        raise typer.Exit(1)


def _stores(folder: Path) -> Path:
    """Return the folder for stores, made where it is not there; it is removed at the end, so only its own will do."""
    mark = folder / "selftest.txt"
    try:
        if folder.exists() and not mark.exists():
            raise InputError(f"{folder} is not of a self-test, which would remove it: name another folder with --out")
        folder.mkdir(parents=True, exist_ok=True)
        mark.write_text("stores of bench selftest, removed when it ends\n", encoding="utf-8")
    except OSError as error:
        raise InputError(f"cannot write into {folder}: {error.strerror}") from None
    return folder


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Keep a second self-test out of a folder."""
    try:
        lock = WriterLock(folder / "selftest")
    except StoreBusyError:
        raise InputError(f"another self-test works in {folder}: wait, or name another folder with --out") from None
    try:
        yield
    finally:
        lock.release()


def _print_group(group: Group) -> None:
    from rich.table import Table
    from rich.text import Text

    from .display import duration

    out.print(f"\n{group.title} ({group.name}, {duration(group.seconds)})", markup=False, style="bold")
    table = Table("claim", "expected", "found", "", box=None, header_style="bold")
    for one in group.findings:
        word = Text("holds", "green") if one.passed else Text("does not hold", "bold red")
        table.add_row(Text(one.claim), Text(one.expected), Text(one.found), word)
    print_table(table)
