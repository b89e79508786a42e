import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

BENCH = [sys.executable, "-m", "augbench.bench"]

if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    # as in the background of a shell, and in whatever is started from there: tests press Ctrl-C
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def bench(tmp_path):
    """Run the command line as a person would, in a folder of its own; return the finished process."""

    def run(*args, cwd=tmp_path, timeout=300, **env):
        environment = {**os.environ, "COLUMNS": "160", **env}
        return subprocess.run(
            [*BENCH, *map(str, args)], cwd=cwd, env=environment, capture_output=True, text=True, timeout=timeout
        )

    return run


@pytest.fixture
def data_folder():
    """The real data files; a test that needs them is skipped where they are not."""
    folder = Path(os.environ.get("AUGBENCH_DATA", Path(__file__).parents[2] / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip("the real data files are not on this machine (AUGBENCH_DATA)")
    return folder


#: Names under which systems have Chromium or one of its kin.
CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Chromium, started once."""
    api = pytest.importorskip("playwright.sync_api", reason="no Playwright: pip install -e '.[test]'")
    path = next((found for found in map(shutil.which, CHROMIUM) if found), None)
    if path is None:
        pytest.skip("no Chromium: apt-get install chromium")
    with api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        yield chromium
        chromium.close()
