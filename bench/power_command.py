"""The command ``bench power``."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from .console import Places, count, out, print_table
from .options import OutOption, StoreOption

if TYPE_CHECKING:
    from ..leaderboard.power import Power


def power(
    suite: Annotated[
        str | None, typer.Argument(help="Newest run of this suite in the store.", show_default="newest run")
    ] = None,
    effect: Annotated[
        float,
        typer.Option("--effect", help="Difference to the baseline that is to be seen: points of macro F1, above 0."),
    ] = 1.0,
    method: Annotated[
        str | None,
        typer.Option(
            "--method", help="Method that it is worked out for.", show_default="the one in the middle, controls aside"
        ),
    ] = None,
    family: Annotated[
        int | None,
        typer.Option(
            "--family",
            min=1,
            help="How many methods are compared at a time: each makes the test of all the others stricter.",
            show_default="as many as in the run",
        ),
    ] = None,
    baseline: Annotated[
        str, typer.Option("--baseline", help="What methods are compared with, e.g. random-oversampling: plain copies.")
    ] = "none",
    store: StoreOption = None,
    out_dir: OutOption = None,
) -> None:
    """Say how many data sets and draws it takes to see an effect of a given size.

    Reads from a run in the store (two draws or more) by how much the difference of a method to the baseline varies:
    **between data sets**, which only more data sets average away, and **between draws** of one, which more draws do.

    From that it works out the chance that the leaderboard calls an effect of that size significant, by its own test
    (over data sets Wilcoxon's signed-rank test, on one data set a t-test; Holm-corrected), for any number of data sets
    and draws. Further data sets are taken to vary like those of the run. Computes no scores.

    Examples: `bench power quick --effect 1.0`, `bench power quick --effect 2 --method smote`, `bench power --family 1`
    (one method alone), `bench power --baseline random-oversampling` (beyond plain copies).
    """
    from ..leaderboard.power import power_of
    from .report import results_of
    from .store import Store
    from .suite import load_suite

    if suite and suite.endswith(".toml"):
        suite = load_suite(suite).name
    with Store(Places(store, out_dir).store) as reader:
        found = power_of(results_of(reader, suite), effect, method, family, baseline)
    out.print(found.sentence, markup=False, style="bold")
    for line in _lines(found):
        out.print(line, markup=False)
    _print_designs(found)
    _print_methods(found)
    for name, why in found.left_out.items():
        out.print(f"left out: {name}: {why}", markup=False)


def _lines(found: Power) -> list[str]:
    """Return what the sentence rests on, and what else would do."""
    from ..leaderboard.posterior import ROPE
    from ..leaderboard.power import in_words

    one, single = found.typical, found.n_datasets == 1
    whom = "as asked" if not found.among else "the only one, controls aside"
    if found.among > 1:
        whom = f"the one in the middle of {found.among} methods, by how much they vary"
    rest = "that all draws share" if single else "between data sets"
    lines = [
        f"Worked out for {one.method} ({whom}): its difference to {found.baseline} varies by {one.draw:.2f} points "
        f"between draws and {one.fixed:.2f} {rest} (standard deviations)."
    ]
    if single and one.fixed:
        lines.append("What all draws share, since they come from the same rows, no number of draws averages away.")
    if not single:
        if not one.fixed:
            lines.append(
                "What data sets differ by is not told apart from the chance of draws: 0.00 is where it is cut off."
            )
        lines.append(f"With the run's {count(found.n_datasets, 'data set')}: {_more_draws(found)}.")
    if found.effect < ROPE:
        lines.append(
            f"The leaderboard will call it equivalent where its interval is within ±{ROPE} points, significant or not."
        )
    if found.family > 1:
        alone = replace(found, family=1)
        needed = alone.draws_needed(one) if single else alone.datasets_needed(one, found.n_draws)
        design = count(needed, "draw" if single else "data set") if needed else in_words(None)
        if single and not needed:
            design = "no number of draws is enough either"
        lines.append(
            f"That is corrected for {found.family} comparisons (Holm asks p < {found.alpha:.2g} of the first); for one "
            f"method alone (--family 1): {design}."
        )
    return lines


def _more_draws(found: Power) -> str:
    """Return with how many draws the run's data sets would do, or why with none."""
    draws = found.draws_needed(found.typical)
    if draws:
        return count(draws, "draw")
    if not found.reachable:
        return f"no number of draws is enough, since so few cannot give a p below {found.alpha:.2g}"
    return "no number of draws is enough, since draws do not average away what differs between data sets"


def _print_designs(found: Power) -> None:
    from rich.table import Table
    from rich.text import Text

    from ..leaderboard.power import TARGET, in_words

    shown, single = found.table(found.typical), found.n_datasets == 1
    out.print(
        f"\nchance of seeing {found.effect:+.2f} points, by draws{'' if single else ' and data sets'}:", markup=False
    )
    table = Table("draws", box=None, header_style="bold", pad_edge=False)
    for n in shown.columns:
        table.add_column("chance" if single else str(n), justify="right")
    if not single:
        table.add_column(f"{100 * TARGET:.0f} % from", justify="right")
    for draws, chances in shown.iterrows():
        cells = [Text(f"{100 * one:.0f} %", "bold" if one >= TARGET else "") for one in chances]
        last = [] if single else [in_words(found.datasets_needed(found.typical, int(str(draws))))]
        table.add_row(str(draws), *cells, *last)
    print_table(table)


def _print_methods(found: Power) -> None:
    from math import isfinite

    from rich.table import Table
    from rich.text import Text

    from ..leaderboard.power import in_words

    single = found.n_datasets == 1
    out.print("\nby method: standard deviations in points, what it takes, and what the run sees:", markup=False)
    table = Table("method", box=None, header_style="bold", pad_edge=False)
    first, needs = ("shared by draws", "draws needed") if single else ("between data sets", "data sets needed")
    for head in (first, "between draws", needs, "the run sees"):
        table.add_column(head, justify="right")
    for one in found.spreads:
        smallest = found.detectable(one)
        if single:
            draws = found.draws_needed(one)
            needed = str(draws) if draws else "no number"
        else:
            needed = in_words(found.datasets_needed(one, found.n_draws))
        sees = f"{smallest:+.2f} or more" if isfinite(smallest) else "nothing"
        table.add_row(Text(one.method), f"{one.fixed:.2f}", f"{one.draw:.2f}", needed, sees)
    print_table(table)
