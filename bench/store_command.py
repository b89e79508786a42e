"""The commands ``bench store …``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from .console import Places, count, out
from .options import OutOption, StoreOption

if TYPE_CHECKING:
    from pathlib import Path

    from .store_check import StoreCheck
    from .store_repair import Repair

store_app = typer.Typer(no_args_is_help=True, help="Look after a store of results.")


@store_app.callback()
def _look_after() -> None:
    """Look after a store of results."""


@store_app.command("check")
def check_store(
    store: StoreOption = None,
    out_dir: OutOption = None,
    repair: Annotated[
        bool,
        typer.Option(
            "--repair",
            help="Keep what is sound: damaged units are removed, so that the next bench run computes them again. A "
            "damaged file is written anew, and kept under another name.",
        ),
    ] = False,
) -> None:
    """Check a store: the file, each unit's key, rows and predictions, and the scores that follow from these.

    Exit code 0: sound, or sound now; 1: something was found; 2: no store, or not to be read at all. Without --repair
    nothing is written, and a run may go on meanwhile.
    """
    from .store_check import check_store as check
    from .store_repair import repair_store

    path = Places(store, out_dir).store
    if repair:
        done = repair_store(path)
        _print_findings(done.before)
        _print_repair(path, done)
        return
    found = check(path)
    _print_findings(found)
    if found.is_sound:
        _print_sound(found)
        return
    lost = f"{count(len(found.damaged), 'unit')} of {found.units:,}"
    what = f"the file is damaged, and up to {lost} that can be found" if found.file_is_damaged else f"damaged: {lost}"
    cure = f"bench store check --repair{Places(store, out_dir).options}"
    out.print(f"{what}; '{cure}' keeps what is sound", markup=False)
    raise typer.Exit(1)


def _print_findings(found: StoreCheck) -> None:
    for one in found.findings:
        out.print(str(one), markup=False)


def _print_sound(found: StoreCheck) -> None:
    out.print(f"sound: {found.units:,} units, {found.scores:,} scores", markup=False)
    elsewhere = f"; {count(found.foreign, 'unit')} of another version of augbench: of accuracy and macro F1 only"
    out.print(
        f"recomputed from predicted classes: {found.compared:,} scores{elsewhere if found.foreign else ''}",
        markup=False,
    )
    out.print(f"all scores as they were stored, by their hash: of {count(found.hashed, 'unit')}", markup=False)
    out.print(
        "in no hash, so that a change of them is not seen: times, memory, hosts, versions, warnings, training curves, "
        "samples of rows, what a run says of its methods and data sets",
        markup=False,
    )
    if found.hashed < found.units:
        out.print(
            f"without a hash, stored by an older version: {count(found.units - found.hashed, 'unit')}. Of these, "
            "scores that need more than is stored (full probabilities, training or generated rows) are checked for "
            "presence and range only",
            markup=False,
        )


def _print_repair(path: Path, done: Repair) -> None:
    if not done.before.findings:
        out.print("nothing to repair", markup=False)
    elif done.damaged:
        out.print(f"written anew: {path}; the damaged file is kept as {done.damaged}", markup=False)
    else:
        out.print(f"removed: {count(len(done.before.damaged), 'unit')}, and what belonged to nothing", markup=False)
    if done.lost_runs:
        runs = count(done.lost_runs, "run")
        out.print(
            f"{runs} cannot be shown until started again: the same 'bench run' computes what is missing", markup=False
        )
    elif done.before.findings:
        out.print("the same 'bench run' computes what is missing", markup=False)
    _print_sound(done.after)
