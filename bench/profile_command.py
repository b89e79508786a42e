"""`bench profile`: where the time of a run went."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import InputError
from .console import Places, count, out, print_table
from .options import OutOption, StoreOption, SuiteOption

if TYPE_CHECKING:
    import pandas as pd
    from rich.table import Table

#: units that are shown one by one
LONGEST = 5


def profile(
    suite: SuiteOption = None,
    store: StoreOption = None,
    out_dir: OutOption = None,
    csv: Annotated[Path | None, typer.Option("--csv", help="Also write a row for every unit of work.")] = None,
) -> None:
    """Show where the time of a run went, and what memory it took.

    Seconds by method, data set and classifier: in methods (fitting, making rows), in classifiers, in tuning the
    decision, and in the harness itself (drawing, encoding, scoring, measuring how real rows are). Memory is the highest
    of the process that computed a unit. Works while a run goes on.
    """
    from ..leaderboard.export import write_table
    from .profile import unit_times
    from .store import Store

    if csv and csv.suffix != ".csv":
        raise InputError(f"cannot write {csv}: the name must end in .csv")
    with Store(Places(store, out_dir).store) as reader:
        run = reader.find_run(suite)
        table = unit_times(reader, run["id"])
    if table.empty:
        raise InputError(f"no unit of run {run['id']} ({run['suite']}) is stored yet: start the same 'bench run' again")
    _print_head(run["suite"], table)
    _print_tables(table)
    if csv:
        write_table(table, csv)
        out.print(f"written: {csv.resolve()}", markup=False)


def _print_head(suite: str, table: pd.DataFrame) -> None:
    from .display import duration
    from .profile import PARTS

    total, known = table["seconds"].sum(), table[PARTS].sum()
    shares = ", ".join(f"{_share(value, known.sum())} in the {name}" for name, value in known.items() if known.any())
    failed = int((table["status"] == "failed").sum())
    units = count(len(table), "unit") + (f" ({failed} with failed cells)" if failed else "")
    out.print(f"{suite}: {units}, {duration(total)} of computing{': ' if shares else ''}{shares}", markup=False)
    lost = table["host"] == ""
    if lost.any():
        out.print(
            f"{count(int(lost.sum()), 'unit')} ended with the worker process: what took their time is not known",
            markup=False,
        )
    unknown = int((table["methods"].isna() & ~lost).sum())
    if unknown:
        out.print(f"of {count(unknown, 'unit')} only the whole time is known", markup=False)
    workers = table["workers"]
    beside = count(int((workers > 1).sum()), "unit")
    if (workers > 1).any():
        out.print(
            f"{beside} computed by up to {workers.max()} workers at a time, which makes times longer", markup=False
        )


def _print_tables(table: pd.DataFrame) -> None:
    from rich.text import Text

    from .profile import PARTS, classifier_seconds, sums_by

    for column, title in {"method": "method", "dataset": "data set", "host": "machine"}.items():
        sums = sums_by(table[table[column] != ""], column)
        if column == "host" and len(sums) < 2:
            continue
        shown = _table(title, "time", *PARTS, "memory")
        for name, row in sums.iterrows():
            parts = [_share(row[part], row["seconds"]) for part in PARTS]
            shown.add_row(Text(str(name)), _seconds(row["seconds"]), *parts, _memory(row["peak_memory_mb"]))
        print_table(shown)
    shown = _table("classifier", "time", "share")
    for name, seconds in classifier_seconds(table).items():
        shown.add_row(Text(str(name)), _seconds(seconds), _share(seconds, table["seconds"].sum()))
    print_table(shown)
    shown = _table(f"the {LONGEST} longest units", "time", "memory")
    for one in table.nlargest(LONGEST, "seconds").to_dict("records"):
        title = f"{one['method']} · {one['dataset']} · {one['scenario']}, {count(one['draws'], 'draw')}"
        shown.add_row(Text(title), _seconds(one["seconds"]), _memory(one["peak_memory_mb"]))
    print_table(shown)


def _table(title: str, *numbers: str) -> Table:
    from rich.table import Table

    table = Table(title, box=None, header_style="bold", pad_edge=False)
    table.columns[0].overflow = "fold"
    for name in numbers:
        table.add_column(name, justify="right")
    return table


def _seconds(value: float) -> str:
    return f"{value:,.1f} s"


def _memory(value: float) -> str:
    return f"{value:,.0f} MiB" if value else "–"


def _share(value: float, of: float) -> str:
    """Return a share in per cent; a dash where it is not known."""
    return "–" if value != value or not of else f"{value / of:.0%}"
