"""A worker process in a Pebble pool of its own: what becomes of it is no other worker's affair."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Future, InvalidStateError
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from multiprocessing import resource_tracker
from typing import TYPE_CHECKING, Any

from .evaluate import UnitResult
from .plan import Unit

if TYPE_CHECKING:
    from pebble import ProcessPool


#: files that this process has open for a worker (6 were counted)
FILES_OF_WORKER = 8
#: looks in a row, four in a second, at which a pool is dead that says nothing of its task
SILENT_LOOKS = 4


@dataclass(eq=False)
class Task:
    """A unit that was handed in, the future of who did, and how many workers died before they had begun it."""

    unit: Unit
    future: Future[UnitResult]
    deaths: int = 0


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
    has_answered : bool
        Whether the process has ended a task, so that it takes the next one at once.
    """

    def __init__(self, initializer: Callable[..., None], initargs: tuple[Any, ...]) -> None:
        self.task: Task | None = None
        self.computing: Future[UnitResult] = Future()
        self.since = self._handed = 0.0
        self.has_answered = False
        self._start = initializer, initargs
        self._pool: ProcessPool | None = None
        self._silent_looks = 0
        self._endings: list[threading.Thread] = []
        self._may_end = threading.Event()

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

    def look(self) -> None:
        """Take note that the process computes, and give its task up where it died just as that was handed over.

        A pool can end all its tasks a moment before it knows of the new one, of which it then says nothing.
        """
        if self.computing.running():
            self.since = self.since or time.monotonic()
        is_silent = self._pool and not self._pool.active and not self.computing.done()
        self._silent_looks = self._silent_looks + 1 if is_silent else 0
        if self._silent_looks > SILENT_LOOKS:
            with suppress(InvalidStateError):
                self.computing.set_exception(BrokenExecutor("its process died"))

    def is_late(self, seconds: float) -> bool:
        """Tell whether a task takes longer; one that is not begun only where the process takes tasks at once."""
        return bool(self.task and (self.since or self.has_answered) and self.seconds > seconds)

    def _new_pool(self) -> ProcessPool:
        from pebble import ProcessPool

        initializer, initargs = self._start
        context = multiprocessing.get_context("spawn")
        pool = ProcessPool(1, initializer=initializer, initargs=initargs, context=context)
        self._may_end = threading.Event()
        # started now: later there may be no room for a thread
        ending = threading.Thread(target=_join, args=(pool, self._may_end), daemon=True)
        ending.start()
        self._endings = [*filter(threading.Thread.is_alive, self._endings), ending]
        return pool

    def end(self) -> list[threading.Thread]:
        """End the process and what it computes; return the threads that see to it, since it may take seconds.

        Also of processes that were ended before: Pebble may be starting another one, which would complain were this
        process to end meanwhile.
        """
        pool, self._pool, self.task = self._pool, None, None
        self.has_answered, self._silent_looks = False, 0
        if pool:
            pool.stop()
            self._may_end.set()
        return self._endings


def _join(pool: ProcessPool, may_end: threading.Event) -> None:
    """End a pool's process, when it may end; a pool whose threads could not all be started complains of that."""
    may_end.wait()
    with suppress(RuntimeError):
        pool.join()


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
