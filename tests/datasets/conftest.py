import os
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

_SIBLING = Path(__file__).resolve().parents[3] / "shared" / "data"


@pytest.fixture
def real_data(monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of real files, set as AUGBENCH_DATA; the test is skipped where there is none."""
    folder = Path(os.environ.get("AUGBENCH_DATA") or _SIBLING)
    if not (folder / "proben1").is_dir():
        pytest.skip(f"no real data files: set AUGBENCH_DATA (looked in {folder})")
    monkeypatch.setenv("AUGBENCH_DATA", str(folder))
    return folder


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache folder; AUGBENCH_DATA is not set."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("AUGBENCH_CACHE", str(folder))
    monkeypatch.delenv("AUGBENCH_DATA", raising=False)
    return folder


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[type[BaseHTTPRequestHandler]], ThreadingHTTPServer]]:
    """A function that starts a local server with a handler; it runs until the test ends."""
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "127.0.0.1")
    with ExitStack() as stack:
        yield lambda handler: stack.enter_context(_running(handler))


@contextmanager
def _running(handler: type[BaseHTTPRequestHandler]) -> Iterator[ThreadingHTTPServer]:
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()
