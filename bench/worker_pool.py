"""A worker process in a Pebble pool of its own: what becomes of it is no other worker's affair."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from functools import cache
from multiprocessing import resource_tracker
from typing import TYPE_CHECKING, Any, NamedTuple

from .evaluate import UnitResult
from .plan import Unit

if TYPE_CHECKING:
    from pebble import ProcessPool


#: files that this process has open for a worker (6 were counted)
FILES_OF_WORKER = 8


class Task(NamedTuple):
    """A unit that was handed in, and the future of who did."""

    unit: Unit
    future: Future[UnitResult]


class Worker:
    """A worker process, started with its first task, and started anew with the next one when it has died.

    A pool is used for one life of the process: Pebble gets over no death of its only worker while that has no task, nor
    over one in the middle of what it sends.

    Parameters
    ----------
    initializer : callable
        What the process calls first.
    initargs : tuple
        With what.

    Attributes
    ----------
    task : Task or None
        What was handed to it and has not ended.
    computing : Future
        The pool's of that task, or of the one before.
    since : float
        When it was first seen at that task, on `time.monotonic`; 0 until then.
    """

    def __init__(self, initializer: Callable[..., None], initargs: tuple[Any, ...]) -> None:
        self.task: Task | None = None
        self.computing: Future[UnitResult] = Future()
        self.since = self._handed = 0.0
        self._start = initializer, initargs
        self._pool: ProcessPool | None = None
        self._ending: threading.Thread | None = None

    def begin(self, task: Task, function: Callable[..., UnitResult], *args: Any) -> None:
        """Have a task computed by a function, after the one before has ended.

        Raises
        ------
        OSError, RuntimeError
            No process can be started.
        """
        with interrupts_held_back():
            if self._pool and not self._pool.active:
                # it died while it had no task
                self.end()
            self._pool = self._pool or self._new_pool()
            # (Pebble's own limit of time goes by a clock that may be set)
            self.computing = self._pool.schedule(function, args=args)
        self.task, self.since, self._handed = task, 0.0, time.monotonic()

    @property
    def seconds(self) -> float:
        """For how long the task is computed; since it was handed over, where nobody saw it begin."""
        return time.monotonic() - (self.since or self._handed)

    def _new_pool(self) -> ProcessPool:
        from pebble import ProcessPool

        initializer, initargs = self._start
        context = multiprocessing.get_context("spawn")
        return ProcessPool(1, initializer=initializer, initargs=initargs, context=context)

    def end(self) -> threading.Thread | None:
        """End the process and what it computes; return the thread that sees to it, since it may take seconds.

        Of a process that has ended before it is the thread that saw to that: Pebble may be starting another one, which
        would complain were this process to end meanwhile.
        """
        pool, self._pool, self.task = self._pool, None, None
        if pool:
            pool.stop()
            self._ending = threading.Thread(target=pool.join, daemon=True)
            self._ending.start()
        return self._ending


def allow_files(number: int) -> None:
    """Raise the limit of files that this process may have open, as far as it may."""
    try:
        import resource
    except ImportError:
        # not on Windows
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < number:
        most = number if hard == resource.RLIM_INFINITY else min(number, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


@cache
def forks_end_as_usual() -> None:
    """Let a pool of processes that a method forks end by SIGTERM: the handler of this process would hold that up."""
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=lambda: signal.signal(signal.SIGTERM, signal.SIG_DFL))


@contextmanager
def interrupts_held_back() -> Iterator[None]:
    """Hold Ctrl-C back for a moment: processes and threads that are started now never get it."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    # it lets interrupts through again when it has started
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
