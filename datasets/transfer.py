"""Downloading one file: with a limit, and going on where a broken connection stopped."""

from __future__ import annotations

import re
from pathlib import Path
from typing import IO, Any

from ..errors import InputError

TIMEOUT_S = 30.0  # without a byte from the server
_ATTEMPTS = 4
_CHUNK = 1 << 16


def transfer(url: str, target: Path, limit: int, bar: Any = False) -> None:
    """Download an address to a file, which is made or overwritten.

    When the connection breaks, the rest is asked for (HTTP ``Range``, tied to the same version of the file by its
    ``ETag`` or date); a server that sends the whole file instead is taken at its word, from the start. It is asked
    again as long as bytes come, at most four times.

    Parameters
    ----------
    url : str
        The address; redirects are followed.
    target : pathlib.Path
        Where the bytes go. After an error what has come is there still: the caller throws it away.
    limit : int
        Most bytes that may come; the announced length is asked first, then the bytes are counted.
    bar : object, optional
        Progress bar as `pooch.HTTPDownloader` wants it.

    Raises
    ------
    InputError
        The file is too large.
    OSError
        The server cannot be reached, refuses or stops; everything of `requests` is an OSError.
    """
    import pooch
    import requests

    version = ""
    with target.open("wb") as file:
        out = _Counted(file, limit, url)
        for attempt in range(1, _ATTEMPTS + 1):
            before = out.size
            # no transparent compression: the positions of a Range would be those of other bytes
            headers = {"Accept-Encoding": "identity"}
            if before:
                headers |= {"Range": f"bytes={before}-"} | ({"If-Range": version} if version else {})
            asked = _Answer(out, bar)
            get = pooch.HTTPDownloader(
                progressbar=asked,
                timeout=TIMEOUT_S,
                chunk_size=_CHUNK,
                headers=headers,
                hooks={"response": asked.check},
            )
            try:
                get(url, out, None)
                return
            except requests.HTTPError as error:
                refused = error.response is not None and error.response.status_code == 416
                if not (refused and before) or attempt == _ATTEMPTS:
                    raise
                out.restart()
            except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError, requests.Timeout):
                if out.size <= before or attempt == _ATTEMPTS:
                    raise
            version = asked.version or version


class _Counted:
    """A file that counts its bytes and refuses too many."""

    def __init__(self, file: IO[bytes], limit: int, url: str) -> None:
        self._file = file
        self._limit = limit
        self._url = url
        self.size = 0

    def write(self, chunk: bytes) -> None:
        self.announce(self.size + len(chunk))
        self._file.write(chunk)
        self.size += len(chunk)

    def flush(self) -> None:
        self._file.flush()

    def announce(self, size: int) -> None:
        """Refuse a size beyond the limit."""
        if size > self._limit:
            raise InputError(
                f"the file at {self._url} has {size:,} bytes or more, the most allowed are {self._limit:,}"
            )

    def restart(self) -> None:
        """Throw away what has come."""
        self._file.seek(0)
        self._file.truncate()
        self.size = 0


class _Answer:
    """Looks at the head of the server's answer before its body is read, and is the progress bar that pooch wants."""

    def __init__(self, out: _Counted, bar: Any) -> None:
        self._out = out
        self._bar = bar
        self._whole = 0
        self.version = ""
        self.total = 0  # set by pooch, to the length of this answer: of a resumed download only the rest

    def check(self, response: Any, *args: object, **kwargs: object) -> None:
        """Find out whether the whole file or the rest of it comes, and whether it is too large."""
        if response.is_redirect or response.status_code >= 400:
            return
        tag = response.headers.get("ETag", "")
        self.version = tag if tag and not tag.startswith("W/") else response.headers.get("Last-Modified", "")
        start = re.match(r"bytes (\d+)-", response.headers.get("Content-Range", ""))
        if self._out.size and not (response.status_code == 206 and start and int(start[1]) == self._out.size):
            if response.status_code == 206:
                raise OSError("the server sent another part of the file than the one asked for")
            self._out.restart()
        length = response.headers.get("Content-Length", "")
        if length.isdigit():
            self._whole = self._out.size + int(length)
            self._out.announce(self._whole)

    def update(self, count: int) -> None:
        """Show how many bytes have come; pooch's own count takes the last chunk for a full one."""
        if self._bar:
            self._bar.show(self._out.size, self._whole)

    def reset(self) -> None:
        """Do nothing: pooch calls this before it sets the bar to its total."""

    def close(self) -> None:
        """Do nothing: the bar is closed by whoever opened it."""


def reason(error: Exception) -> str:
    """Return what went wrong in a few words, on one line."""
    import requests

    if isinstance(error, requests.HTTPError) and error.response is not None:
        return f"the server answered {error.response.status_code} {error.response.reason}"
    if isinstance(error, requests.Timeout) or "Read timed out" in str(error):
        return f"the server did not answer within {TIMEOUT_S:g} s"
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return "the connection broke before the whole file had come; try again"
    if isinstance(error, requests.ConnectionError):
        return "the server cannot be reached"
    return " ".join(str(error).split())


class Bar:
    """A progress bar on standard error, drawn by rich."""

    def __init__(self, label: str) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

        columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
        self._progress = Progress(*columns, console=Console(stderr=True))
        self._task = self._progress.add_task(label, total=None)
        self._progress.start()

    def show(self, done: int, total: int) -> None:
        """Show so many bytes of so many (0: unknown)."""
        self._progress.update(self._task, completed=done, total=total or None)

    def close(self) -> None:
        """Leave the bar as it is."""
        self._progress.stop()
