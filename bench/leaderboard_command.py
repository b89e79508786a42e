"""The command ``bench leaderboard``."""

from __future__ import annotations

from typing import Annotated

import typer

from ..errors import InputError
from .console import Places
from .options import MetricOption, OutOption, StoreOption, SuiteOption


def leaderboard(
    suite: SuiteOption = None,
    metric: MetricOption = "macro_f1",
    store: StoreOption = None,
    out_dir: OutOption = None,
    watch: Annotated[
        bool,
        typer.Option("--watch", help="Serve the site on 127.0.0.1 until Ctrl-C; its pages follow a run that goes on."),
    ] = False,
    port: Annotated[
        int | None,
        typer.Option(min=0, max=65535, help="Port of --watch; 0: any.", show_default="8765, any if that is taken"),
    ] = None,
) -> None:
    """Print the leaderboard of a store and write its site; computes nothing, works while a run goes on.

    Examples: `bench leaderboard`, `bench leaderboard --metric g_mean`, `bench leaderboard --watch` beside a `bench run`
    in another window.
    """
    from .printing import show
    from .watch import watch as follow

    places = Places(store, out_dir)
    if watch:
        follow(places, suite, metric, port)
    elif port is not None:
        raise InputError("--port is the port of --watch: give both, or none")
    else:
        show(places, suite, metric, rebuild=True, quiet=False)
