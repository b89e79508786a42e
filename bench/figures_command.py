"""The command ``bench figures``."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from ..errors import InputError
from .console import Places, out
from .options import MetricOption, OutOption, StoreOption, SuiteOption

#: files of curves have a number
_CURVES = re.compile(r"shots-\d+(-score|-gain)?\.(svg|pdf|tex)")


def figures(
    folder: Annotated[
        Path | None,
        typer.Argument(help="Where to write them; made if it does not exist.", show_default="figures in --out"),
    ] = None,
    suite: SuiteOption = None,
    metric: MetricOption = "macro_f1",
    store: StoreOption = None,
    out_dir: OutOption = None,
) -> None:
    r"""Write the figures and tables of a run for a paper: SVG, PDF and LaTeX, with the numbers of the leaderboard.

    **forest** (every method with its interval), **heat** (method × data set), **cost** (cost against quality with the
    Pareto front), **critical-difference** (2 to 12 ranked methods), **shots-N** (scores and gains, one N for each
    number of shots or amount that varies), each as .svg and .pdf; and the tables leaderboard, differences, cost, pairs,
    ranks and shots-N as .tex. What the run does not give is named, with the reason. Older files of these names are
    replaced.

    In LaTeX: `\usepackage{graphicx,booktabs,longtable}`, then `\includegraphics{figures/forest.pdf}` and
    `\input{figures/leaderboard.tex}`. The same results give the same bytes, so the files can be kept under version
    control.

    Examples: `bench figures`, `bench figures paper/figures --suite imbalanced`, `bench figures --metric g_mean`.
    """
    from ..leaderboard.export import replace_file
    from ..leaderboard.paper import NAMES, paper
    from .report import results_of
    from .store import Store

    places = Places(store, out_dir)
    folder = folder or places.out_dir / "figures"
    if folder.exists() and not folder.is_dir():
        raise InputError(f"cannot write figures to {folder}: that is a file, not a folder")
    with Store(places.store) as reader:
        results = results_of(reader, suite)
    found = paper(results, metric)
    stems: dict[str, list[str]] = {}
    for one in found.files:
        replace_file(folder / one.name, one.content)
        name, _, kind = one.name.rpartition(".")
        stems.setdefault(f"{name}\n{one.what}", []).append(kind)
    for line, kinds in stems.items():
        name, _, what = line.partition("\n")
        out.print(f"{name} ({', '.join(kinds)}): {what}", markup=False)
    for name, why in found.missing.items():
        out.print(f"not made: {name}: {why}", markup=False)
    written = {one.name for one in found.files}
    for path in sorted(folder.iterdir()):
        # a figure of an older run beside those of this one would be taken for one of this
        if (path.name in NAMES or _CURVES.fullmatch(path.name)) and path.name not in written and path.is_file():
            path.unlink()
            out.print(f"removed: {path.name}, of an older run", markup=False)
    out.print(f"written: {folder.resolve()}", markup=False)
