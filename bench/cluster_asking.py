"""What is asked of a Dask cluster, in bounded time: who answers, and whether it has what this process has."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable, Iterable
from typing import Any

from distributed import Client

from ..errors import InputError
from .cluster_worker import differing_versions, worker_versions
from .evaluate import describe

#: seconds within which a scheduler and a worker must answer
ANSWER = 10.0
#: where a scheduler may be; others Dask reports in a manner of its own, and late
_ADDRESS = re.compile(r"((tcp|tls)://)?(\[[0-9A-Fa-f:.]+\]|[^\s:/\[\]]+):(?P<port>\d{1,5})")


def silence_dask() -> None:
    """Keep Dask from printing tracebacks of what is handled here."""
    for name in ("distributed", *logging.root.manager.loggerDict):
        if name.partition(".")[0] == "distributed":
            logging.getLogger(name).setLevel(logging.CRITICAL)


def check_address(address: str) -> None:
    """Raise `InputError` where something cannot be the address of a scheduler."""
    found = _ADDRESS.fullmatch(address)
    if not found or not 0 < int(found["port"]) < 2**16:
        raise InputError(f"--scheduler {address!r} is no address of a Dask scheduler: it is like tcp://host:8786")


def ask(client: Client, workers: Iterable[str], function: Callable[..., Any], *args: Any, limit: float = ANSWER) -> Any:
    """Call a function on some workers, each with a limit of its own: one that hangs holds up no other.

    Returns
    -------
    dict of str to object
        By the worker's address what the function returned, or the exception; see `is_silent`.
    """

    async def one(worker: str) -> Any:
        try:
            asked = client._run(function, *args, workers=[worker], on_error="return")
            return (await asyncio.wait_for(asked, limit)).get(worker, TimeoutError())
        except TimeoutError as error:
            return error

    async def all_of_them(workers: list[str]) -> dict[str, Any]:
        return dict(zip(workers, await asyncio.gather(*map(one, workers)), strict=True))

    return client.sync(all_of_them, list(workers), callback_timeout=2 * limit)


def is_silent(answer: Any) -> bool:
    """Tell whether an answer of `ask` is that there is none: the worker hangs, is cut off, or has ended."""
    return isinstance(answer, OSError)


def check_scheduler(client: Client, address: str) -> None:
    """Raise `InputError` where a scheduler cannot read what it hands on: units are objects of this package."""
    expected = worker_versions(["augbench"])
    try:
        answer = client.sync(client._run_on_scheduler, worker_versions, ["augbench"], callback_timeout=ANSWER)
        problem = differing_versions(expected, answer)
    except OSError:
        raise
    except Exception as error:
        problem = f"{describe(error)} (is augbench installed there?)"
    if problem:
        raise InputError(
            f"the scheduler {address} could not hand on what this process sends: {problem}. Install the driver's "
            "version of augbench there as well ('pip install -c constraints.txt')"
        )
