"""The lock that keeps a second writer out of a store; it ends with its process, however that ends."""

from __future__ import annotations

import os
import socket
import sys
import time
from pathlib import Path

from ..errors import InputError
from .stored_text import storable


class StoreBusyError(InputError):
    """Another process is writing to the store.

    Attributes
    ----------
    who : str
        Which, in words.
    """

    who = "another process"


class WriterLock:
    """The right to write to a store, held until `release`.

    Parameters
    ----------
    path : Path
        The store; a lock file, and one that says who holds it, lie beside it.

    Raises
    ------
    StoreBusyError
        Another process holds it; the message says which.
    OSError
        The lock file cannot be written.
    """

    def __init__(self, path: Path) -> None:
        import filelock

        # by whatever link the store is named, it is one
        self._holder = Path(f"{path.resolve()}.holder")
        self._lock = filelock.FileLock(f"{path.resolve()}.lock", timeout=0)
        try:
            self._lock.acquire()
        except filelock.Timeout:
            who = self._holder.read_text("utf-8").strip() if self._holder.is_file() else StoreBusyError.who
            busy = StoreBusyError(f"store {path} is being written by {who}: wait for it, or use --store")
            busy.who = who
            raise busy from None

    def sign(self) -> None:
        """Write down who holds the lock."""
        command = " ".join(Path(part).name if i == 0 else part for i, part in enumerate(sys.argv))
        now = time.strftime("%Y-%m-%dT%H:%M:%S%z")
        holder = f"process {os.getpid()} on {socket.gethostname()} since {now} ({command})"
        self._holder.write_text(f"{storable(holder)}\n", "utf-8")

    def release(self) -> None:
        """Give the lock back."""
        self._holder.unlink(missing_ok=True)
        self._lock.release()


def writer_of(path: Path) -> str:
    """Return which process has the right to write to a store now, in words; empty where none is known to."""
    if not Path(f"{path.resolve()}.holder").is_file():
        return ""
    try:
        WriterLock(path).release()
    except StoreBusyError as busy:
        return busy.who
    except OSError:
        # not to be locked here, on read-only media
        pass
    return ""
