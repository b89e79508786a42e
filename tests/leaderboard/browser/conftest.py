"""Opens sites in Chromium, offline; every test here fails on an error in the console or a request that leaves.

Without Playwright or Chromium these tests are skipped with a word.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from augbench.leaderboard import write_site

#: Addresses that do not leave: files, and what a page makes itself.
LOCAL = ("file:", "data:", "blob:")


@pytest.fixture
def site_page(browser: Any) -> Iterator[Callable[..., Any]]:
    """A function that opens a page of a written site: ``site_page(folder, "index.html", width=390, scheme="dark")``."""
    contexts, wrong = [], []

    def look(page: Any) -> None:
        page.on("console", lambda message: message.type == "error" and wrong.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: wrong.append(f"error: {error}"))
        page.on("request", lambda request: request.url.startswith(LOCAL) or wrong.append(f"request: {request.url}"))

    def open_page(
        folder: Path, path: str = "index.html", width: int = 1280, scheme: str = "light", javascript: bool = True
    ) -> Any:
        context = browser.new_context(
            offline=True,
            viewport={"width": width, "height": 800},
            color_scheme=scheme,
            java_script_enabled=javascript,
            accept_downloads=True,
        )
        context.set_default_timeout(10_000)
        contexts.append(context)
        page = context.new_page()
        look(page)
        file, _, state = path.partition("#")
        page.goto((folder / file).resolve().as_uri() + (f"#{state}" if state else ""))
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not wrong, wrong


@pytest.fixture(scope="session")
def results(synthetic: Any) -> Any:
    """A made-up run with failures, methods that do not apply, and cells that were not run."""
    return synthetic.results(n_draws=4)


@pytest.fixture(scope="session")
def site(results: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the site of that run."""
    return write_site(results, tmp_path_factory.mktemp("site") / "site").parent
