"""``bench leaderboard --watch``: the site over HTTP on this machine only, made again when the store changes.

What is served is the site in memory: there is no path to a file. A script is added to each page that asks for the
version of the site and loads the page again when there is a newer one; the files in the folder do not have it.
"""

from __future__ import annotations

import mimetypes
import posixpath
import sys
import threading
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from ..errors import InputError
from .console import Places, err, out
from .store import Store

HOST = "127.0.0.1"
#: the port, unless it is taken
PORT = 8765
#: what the pages ask for
VERSION, SCRIPT = "/-/version", "/-/watch.js"
#: seconds between two looks at the store, and between two questions of a page
PAUSE = 1.0

_SCRIPT = f"""// Loads the page again when the site behind it is newer.
(() => {{
  const known = document.currentScript.dataset.version;
  const ask = async () => {{
    try {{
      const answer = await fetch("{VERSION}", {{ cache: "no-store" }});
      if (answer.ok && (await answer.text()) !== known && !document.hidden) return location.reload();
    }} catch {{
      // the server has ended, or starts again: the page stays as it is
    }}
    setTimeout(ask, {round(1000 * PAUSE)});
  }};
  setTimeout(ask, {round(1000 * PAUSE)});
}})();
"""
_WAITING = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark"><title>augbench: no results yet</title><link rel="icon" href="data:,">
</head><body><main><h1>No leaderboard yet</h1><p>{}</p>
<p>This page loads again when there is one.</p></main></body></html>
"""


class SiteServer(ThreadingHTTPServer):
    """Serves the files of a site from memory.

    Parameters
    ----------
    port : int
        0 for any that is free.

    Raises
    ------
    OSError
        The port is taken.
    """

    daemon_threads = True
    # two servers on one port would take turns
    allow_reuse_port = False

    def __init__(self, port: int) -> None:
        self._site: tuple[dict[str, bytes], str] = ({}, "0")
        self._changes = 0
        super().__init__((HOST, port), _Handler)

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://{HOST}:{self.server_address[1]}/"

    @property
    def version(self) -> str:
        """Changes with every `show`."""
        return self._site[1]

    @property
    def is_empty(self) -> bool:
        """Whether there is no site yet."""
        return not self._site[0]

    def show(self, files: Mapping[str, str]) -> None:
        """Serve these files from now on, by path; all at once."""
        self._changes += 1
        # started anew, a server must not count where an open page has counted
        version = f"{time.time_ns():x}-{self._changes}"
        self._site = ({path: text.encode() for path, text in files.items()}, version)

    def wait_for_results(self, why: str) -> None:
        """Say on every page that there is no site yet."""
        from html import escape

        self._site = ({}, self._site[1])
        self._why = _WAITING.format(escape(why))

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a reader that has gone, as a page that loads again does; of all else what is usual."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)

    def answer(self, path: str) -> tuple[HTTPStatus, str, bytes]:
        """Return status, type and body of a path with or without a query."""
        files, version = self._site
        try:
            path = unquote(urlsplit(path).path)
        except ValueError:  # no address at all, "http://[" say
            return HTTPStatus.BAD_REQUEST, "text/plain", b"this is no address\n"
        if path == VERSION:
            return HTTPStatus.OK, "text/plain", version.encode()
        if path == SCRIPT:
            return HTTPStatus.OK, "text/javascript", _SCRIPT.encode()
        if not files:
            return HTTPStatus.SERVICE_UNAVAILABLE, "text/html", _with_script(self._why.encode(), version)
        name = posixpath.join(path.lstrip("/"), "index.html") if path.endswith("/") else path.lstrip("/")
        if name not in files:
            return HTTPStatus.NOT_FOUND, "text/plain", b"there is no such page in this site\n"
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        return HTTPStatus.OK, kind, _with_script(files[name], version) if kind == "text/html" else files[name]

    _why = _WAITING.format("The store is being read.")


def _with_script(page: bytes, version: str) -> bytes:
    """Return a page with the script that loads it again."""
    tag = f'<script src="{SCRIPT}" data-version="{version}"></script>\n</body>'.encode()
    head, end, tail = page.rpartition(b"</body>")
    return head + tag + tail if end else page


def _name_of(host: str) -> str | None:
    """Return the name in a Host header; None where it is none."""
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:
        return None


class _Handler(BaseHTTPRequestHandler):
    """Answers GET for the names of this machine; all else is refused."""

    server: SiteServer
    server_version, sys_version = "augbench", ""

    def do_GET(self) -> None:
        """Answer one request."""
        # a page of somewhere else whose name was made to point here would read what is served
        if _name_of(self.headers.get("Host", "")) not in (HOST, "localhost"):
            self.send_error(HTTPStatus.MISDIRECTED_REQUEST)
            return
        status, kind, body = self.server.answer(self.path)
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8" if kind.startswith("text/") else kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: every page asks once a second."""


def open_server(port: int | None) -> SiteServer:
    """Return a server on a port, or where none is asked for on `PORT` or, if that is taken, on any that is free.

    Raises
    ------
    InputError
        The port that was asked for cannot be had.
    """
    try:
        return SiteServer(PORT if port is None else port)
    except OSError as error:
        if port is None:
            return SiteServer(0)
        raise InputError(
            f"cannot serve on port {port}: {(error.strerror or str(error)).lower()}; "
            "--port names another, 0 any free one"
        ) from None


def watch(places: Places, suite: str | None, metric: str, port: int | None) -> None:
    """Serve the site of a store until Ctrl-C, and make it again when the store changes.

    Parameters
    ----------
    places : Places
        The store, and the folder into which the site is written, too.
    suite : str, optional
        Newest run of this suite; else the newest run.
    metric : str
        What the methods are compared by.
    port : int, optional
        See `open_server`.

    Raises
    ------
    InputError
        There is no store, the port is taken, or the site cannot be written.
    """
    with StoreLook(places.store) as look, open_server(port) as server:
        serving = threading.Thread(target=server.serve_forever, name="serve", daemon=True)
        serving.start()
        try:
            out.print(f"leaderboard: {server.url}  (Ctrl-C ends; the page follows the run)", markup=False)
            _follow(look, server, lambda: _make(places, suite, metric, server))
        except KeyboardInterrupt:
            out.print("\nended", markup=False)
        finally:
            server.shutdown()
            serving.join()


class StoreLook:
    """Tells whether a store has changed: by SQLite's count of others' writes, and by the file itself.

    Parameters
    ----------
    path : pathlib.Path
        The store.

    Raises
    ------
    InputError
        There is none, or it cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._store, self._file = Store(path), self._inode()

    def __enter__(self) -> StoreLook:
        return self

    def __exit__(self, *_: object) -> None:
        self._store.close()

    def mark(self) -> tuple[int, int]:
        """Return what is another value after a change; a file that is gone for a moment is none."""
        file = self._inode()
        if file not in (0, self._file):
            try:
                store = Store(self.path)
            except InputError:
                # just made, its tables are not there yet
                return self._file, self._store.change_mark()
            self._store.close()
            self._store, self._file = store, file
        return self._file, self._store.change_mark()

    def _inode(self) -> int:
        try:
            return self.path.stat().st_ino
        except OSError:
            return 0


def _follow(look: StoreLook, server: SiteServer, make: Callable[[], str]) -> None:
    """Make the site now and after every change of the store; what cannot be shown yet is said once and tried again."""
    stop = threading.Event()  # never set: a wait that Ctrl-C ends at once
    seen: tuple[int, int] | None = None
    said = ""
    while True:
        changed = look.mark()
        if changed != seen:
            seen, start = changed, time.monotonic()
            try:
                line = make()
            except InputError as error:
                line = f"not shown: {error}"
                if server.is_empty:
                    server.wait_for_results(str(error))
            if line != said:
                (err if line.startswith("not shown") else out).print(line, markup=False)
                said = line
            # a large site takes seconds: the run has the machine for at least as long
            stop.wait(min(30.0, time.monotonic() - start))
        stop.wait(PAUSE)


def _make(places: Places, suite: str | None, metric: str, server: SiteServer) -> str:
    """Make the site, write it, serve it; return a line that says of what it is."""
    from ..leaderboard.site import render_site, write_files
    from .report import results_of

    with Store(places.store) as reader:
        run = reader.find_run(suite)
        results = results_of(reader, suite)
    files = render_site(results, metric)
    write_files(files, places.site)
    server.show(files)
    done = f"{run['done'] + run['failed']:,} of {run['units']:,} units"
    failed = f", {run['failed']:,} with failures" if run["failed"] else ""
    return f"{time.strftime('%H:%M:%S')}  {run['suite']}: {done}{failed}"
