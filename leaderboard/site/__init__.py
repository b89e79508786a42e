"""The leaderboard as a static site: one module per kind of page, all on `base.Site`.

Everything is text made from :class:`~augbench.leaderboard.results.Results`: no build step, no network, no JavaScript
needed to read a table. The same results give the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pandas as pd

from ...errors import InputError
from ..comparison import Comparison
from ..export import replace_file
from ..results import Results, as_results
from . import compare, cost, data, datasets, index, manifest, methods, shots, tests
from .base import ASSETS, Page, Site
from .downloads import DOWNLOADS

__all__ = ["INDEX", "render_site", "site_mark", "write_files", "write_site"]

INDEX = "index.html"
#: Every kind of page, in the order of the navigation.
KINDS: tuple[Callable[[Site], Iterator[Page]], ...] = (
    index.pages,
    methods.pages,
    datasets.pages,
    compare.pages,
    shots.pages,
    cost.pages,
    tests.pages,
    manifest.pages,
)


def render_site(
    results: Results | pd.DataFrame, metric: str = "macro_f1", main: Comparison | None = None
) -> dict[str, str]:
    """Return the text of every file of the site by its path in the folder.

    Parameters
    ----------
    results : Results or pandas.DataFrame
        Results, or a plain table of scores.
    metric : str, default="macro_f1"
        What the methods are compared by.
    main : Comparison, optional
        What `compare` returned for this metric, where it is at hand.

    Returns
    -------
    dict of str to str
        The pages, the index first, then the assets and the downloads.

    Raises
    ------
    InputError
        Where the results cannot be compared.
    """
    site = Site(as_results(results), metric, main)
    pages = [page for kind in KINDS for page in kind(site)]
    site.navigation = [(page.nav, page.path) for page in pages if page.nav]
    files = {page.path: site.render(page) for page in pages} | site.assets() | {data.PATH: data.script(site)}
    return files | {one.path: one.text for one in site.downloads}


def write_site(
    results: Results | pd.DataFrame, folder: str | Path, metric: str = "macro_f1", main: Comparison | None = None
) -> Path:
    """Write the site into a folder of its own.

    Files of an older site that this one does not have are removed; a folder that holds anything else is refused. The
    index comes last: a reader who finds it new finds all of it new.

    Parameters
    ----------
    results : Results or pandas.DataFrame
        Results, or a plain table of scores.
    folder : str or pathlib.Path
        The folder, made where it does not exist.
    metric : str, default="macro_f1"
        What the methods are compared by.
    main : Comparison, optional
        What `compare` returned for this metric, where it is at hand.

    Returns
    -------
    pathlib.Path
        The index.

    Raises
    ------
    InputError
        Where the results cannot be compared, the folder is not the site's own, or a file cannot be written.
    """
    return write_files(render_site(results, metric, main), folder)


def write_files(files: Mapping[str, str], folder: str | Path) -> Path:
    """Write the files that `render_site` returned, as `write_site` does; return the index."""
    folder = Path(folder)
    old = old_files(folder)
    # first what tells that the folder is a site's: one that was not written to its end is written again
    for name in sorted(files, key=lambda one: (one == INDEX, one != data.PATH)):
        replace_file(folder / name, files[name].encode())
    for path in old - {folder / name for name in files}:
        path.unlink(missing_ok=True)
    return folder / INDEX


def site_mark(results: Results, metric: str = "macro_f1") -> str:
    """Return what tells, in the head of the index, of which results it is."""
    return f"{results.run.get('mark', '')} {metric}"


def _is_site(folder: Path) -> bool:
    """Say whether a folder holds a site of augbench, be it in part: many a folder has an index and assets."""
    marks = ((INDEX, b'<meta name="augbench-results"'), (data.PATH, data.NAME.encode()))
    for name, mark in marks:
        path = folder / name
        if path.is_file() and mark in path.read_bytes()[:2000]:
            return True
    return False


def old_files(folder: Path) -> set[Path]:
    """Return the files of an older site; raise where the folder holds something that is no site."""
    if folder.exists() and not folder.is_dir():
        raise InputError(f"cannot write the site to '{folder}': that is a file, not a folder")
    files = {path for path in folder.rglob("*") if path.is_file()} if folder.is_dir() else set()
    # what another process is about to put in its place is none of an older site
    found = {path for path in files if not path.name.startswith(".")}
    if found and not _is_site(folder):
        raise InputError(f"cannot write the site to '{folder}': it holds other files; name a folder of its own")
    downloads = {path for path in found if path.parent == folder / DOWNLOADS and path.suffix == ".csv"}
    return downloads | {path for path in found if path.suffix == ".html" or path.parent.name == ASSETS}
