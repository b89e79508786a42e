"""How long work inside a method tells whoever listens how far it is.

A method calls `report`; the benchmark, or a progress bar, listens. Nobody listening costs nothing.

>>> with listening(lambda what, done, total: print(what, done, total)):
...     report("training", 100, 6000)
training 100 6000
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

Listener = Callable[[str, int, int], None]

_LISTENER: ContextVar[Listener | None] = ContextVar("augbench_progress", default=None)


def report(what: str, done: int, total: int) -> None:
    """Say that `done` of `total` steps of `what` are done."""
    listener = _LISTENER.get()
    if listener is not None:
        listener(what, done, total)


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Hand every `report` inside the block to `listener`."""
    token = _LISTENER.set(listener)
    try:
        yield
    finally:
        _LISTENER.reset(token)
