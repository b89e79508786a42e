"""Options that more than one command has; light, since every command's help loads them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

DropOption = Annotated[list[str] | None, typer.Option(help="A column of it to leave out; repeatable.")]
CategoricalOption = Annotated[
    list[str] | None,
    typer.Option(help="A column of numbers that are codes (postcode, branch): read as categories; repeatable."),
]
PositiveOption = Annotated[
    str | None, typer.Option(help="Its class of interest, which the answer tells of.", show_default="the rarest")
]
EncodingOption = Annotated[
    str, typer.Option(help="Encoding of a CSV file that is not Unicode, e.g. cp949 or cp1252.", show_default="UTF-8")
]
TimeOption = Annotated[
    str | None,
    typer.Option(
        "--time",
        help="With --data: choose methods, classifiers and draws for so much time (90s, 10m, 2h), and stop then.",
    ),
]
StoreOption = Annotated[
    Path | None, typer.Option("--store", help="Results file (SQLite).", show_default="store.sqlite in --out")
]
OutOption = Annotated[
    Path | None,
    typer.Option("--out", help="Folder for the leaderboard.", show_default="the store's, else augbench-results"),
]
SuiteOption = Annotated[
    str | None, typer.Option("--suite", help="Newest run of this suite.", show_default="newest run")
]
MetricOption = Annotated[str, typer.Option("--metric", help="Metric that orders the methods.")]
PluginOption = Annotated[
    list[str] | None, typer.Option("--plugin", help="File or module with methods or datasets; repeatable.")
]
