"""The command ``bench check``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..errors import InputError
from .console import out


def check(
    names: Annotated[
        list[str],
        typer.Argument(
            help="Methods (smote, smote+gc), groups or all (bench list methods), a plugin file, or the path of an "
            "imbalanced-learn sampler (imblearn.over_sampling.SMOTE)."
        ),
    ],
    only: Annotated[
        list[str] | None, typer.Option("--check", help="Run this check alone, e.g. check_counts; repeatable.")
    ] = None,
    table: Annotated[Path | None, typer.Option("--out", help="Write the table of checks × methods here, .csv.")] = None,
) -> None:
    """Check that methods keep the promises of the contract: some forty small tests, each with its reason.

    What is wrong with a method is told, and the exit code is 1. What a method is known not to do it declares, with the
    reason (`known_limits`); that counts as a failure only when it does it after all.

    Examples: `bench check my_method.py`, `bench check smote`, `bench check all smote+gc --out checks.csv`,
    `bench check vae --check check_worker_process`.

    In pytest: `from augbench.methods.checks import parametrize_with_checks`.
    """
    from . import checking
    from .plugins import load_all

    load_all(None)
    if table is not None and table.suffix != ".csv":
        raise InputError(f"cannot write the table of checks to {table}: the name must end in .csv")
    if table is not None and not table.resolve().parent.is_dir():
        raise InputError(f"cannot write to {table}: there is no folder {table.resolve().parent}")
    checked = checking.run(checking.subjects_of(names), list(dict.fromkeys(only or [])))
    checking.show(checked)
    if table is not None and checked.results:
        checking.write(checked, table)
        out.print(f"written: {table.resolve()}", markup=False)
    if checked.interrupted:
        raise typer.Exit(130)
    raise typer.Exit(int(checked.failed))
