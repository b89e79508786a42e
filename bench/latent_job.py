"""The latent sweeps of ``bench reproduce``: networks that are trained one after another, each kept when it is done."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from ..errors import InputError
from ..progress import listening
from .console import count, err, out
from .display import duration

if TYPE_CHECKING:
    from ..reproduction.experiment import LatentSweep

#: a display that is told how many networks are done, the one that is trained in part
Told = Callable[[float], None]


def compute_sweep(sweep: LatentSweep, folder: Path, *, dry_run: bool = False) -> None:
    """Train the networks of a sweep that the folder lacks, in this process, on one thread; or say how many.

    Raises
    ------
    InputError
        The data or torch are not here, which is said only where the user is to bring the data; or there are too few
        rows, or training failed.
    typer.Exit
        With 130 after Ctrl-C.
    """
    from ..reproduction import latent_store as store
    from ..reproduction.latent import fit

    absent = store.absence(sweep)
    if absent and sweep.optional:
        out.print(f"not run: {absent}", markup=False)
        return
    if absent:
        raise InputError(f"{sweep.name} has nothing to run: {absent}")
    listed = store.places(sweep, folder)
    todo = []
    for place, wrong in store.lacking(listed):
        todo.append(place)
        if wrong:
            err.print(f"{wrong}: computed again", markup=False)
    grid = f"{len(sweep.betas)} β × {count(len(sweep.dims), 'dimension')} × {count(sweep.seeds, 'seed')}"
    known = f", {len(listed) - len(todo)} stored before" if len(todo) < len(listed) else ""
    out.print(f"{grid}: {count(len(listed), 'network')}{known}, {len(todo)} to train on one core", markup=False)
    if dry_run or not todo:
        return
    images = store.load_images(sweep)
    # a batch system that takes the machine back sends SIGTERM: stop as on Ctrl-C
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    done = 0
    try:
        with _progress(len(todo)) as told:
            for place in todo:
                with _counted(told, done):
                    store.write_fit(place, fit(sweep, images, place.beta, place.dim, place.seed))
                done += 1
                told(done)
    except KeyboardInterrupt:
        left = len(todo) - done
        err.print(f"stopped: {len(listed) - left} networks are stored, {left} are left; the same command goes on here")
        raise typer.Exit(130) from None
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def _counted(told: Told, done: int) -> Iterator[None]:
    """Tell how far the network is that is trained inside the block, of which so many went before."""
    with listening(lambda what, steps, total: told(done + 0.99 * steps / max(1, total))):
        yield


@contextmanager
def _progress(total: int) -> Iterator[Told]:
    """Show how many networks are done and the time left: a bar on a terminal, else a line for each network."""
    if out.is_terminal:
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (
            BarColumn(),
            TextColumn("{task.fields[done]} of {task.total} networks, left:"),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=out, transient=True) as bar:
            task = bar.add_task("", total=total, done=0)
            yield lambda done: bar.update(task, completed=done, done=int(done))
        return
    begun = time.monotonic()

    def line(done: float) -> None:
        if done == int(done) > 0:
            left = (time.monotonic() - begun) / done * (total - done)
            more = f", about {duration(left)} left" if done < total else ""
            out.print(f"{int(done)} of {count(total, 'network')}{more}", markup=False)

    yield line
