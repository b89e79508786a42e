"""How many threads one computation may use: BLAS, OpenMP and torch together.

One, unless somebody says otherwise: two workers on two cores would else start many more threads than there are cores,
and the last bits of a sum depend on the number of threads.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from threadpoolctl import threadpool_limits

_THREADS: ContextVar[int] = ContextVar("augbench_threads", default=1)


def variables(number: int) -> dict[str, str]:
    """Return the environment in which every library that is loaded obeys."""
    return {name: str(number) for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}


@contextmanager
def allowed_threads(number: int) -> Iterator[None]:
    """Allow so many threads inside the block; libraries that it loads obey the environment (`variables`)."""
    token = _THREADS.set(number)
    try:
        with threadpool_limits(number):
            yield
    finally:
        _THREADS.reset(token)


@contextmanager
def torch_threads() -> Iterator[None]:
    """Let torch, which has a number of its own, compute on as many threads as are allowed."""
    torch = sys.modules["torch"]
    before = torch.get_num_threads()
    torch.set_num_threads(_THREADS.get())
    try:
        yield
    finally:
        torch.set_num_threads(before)


def number_of_threads() -> int:
    """Return how many threads are allowed here."""
    return _THREADS.get()
