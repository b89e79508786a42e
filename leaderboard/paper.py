"""Figures and tables for papers: what the site draws as SVG and PDF, its tables as LaTeX, with the same numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from . import format as text
from .comparison import Comparison
from .curves import AXES, Curves, curves_of
from .export import latex_table, to_latex
from .pareto import cost_table
from .plots import save
from .plots_cost import cost_figure
from .plots_curves import gain_figure, score_figure
from .plots_forest import forest_figure
from .plots_heat import heat_figure
from .plots_ranks import critical_difference_figure
from .results import Results
from .separation import Separation, separation
from .tables import compare

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Kinds of files of a figure.
KINDS = ("svg", "pdf")
#: Names of all that may be written, but for the number of a curve.
NAMES = (
    *(f"{name}.{kind}" for name in ("forest", "heat", "cost", "critical-difference") for kind in KINDS),
    *("leaderboard.tex", "differences.tex", "cost.tex", "pairs.tex", "ranks.tex"),
)


@dataclass(frozen=True)
class PaperFile:
    """One file.

    Attributes
    ----------
    name : str
        Its name.
    what : str
        What it shows, for people.
    content : bytes
        The same each time.
    """

    name: str
    what: str
    content: bytes


@dataclass(frozen=True)
class Paper:
    """What there is for a paper.

    Attributes
    ----------
    files : tuple of PaperFile
        Figures first.
    missing : dict of str to str
        What could not be made, and why.
    """

    files: tuple[PaperFile, ...]
    missing: dict[str, str]


def paper(results: Results, metric: str = "macro_f1") -> Paper:
    """Draw and set all figures and tables of a run.

    Parameters
    ----------
    results : Results
        The results.
    metric : str
        What the methods are compared by.

    Returns
    -------
    Paper
        Files by name; those that a run does not give are named with the reason.

    Raises
    ------
    InputError
        Where the results cannot be compared.
    """
    main = compare(results, metric=metric)
    tested, curves = separation(results, main), curves_of(results, main)
    missing = {}
    if tested is None:
        missing["pairs, ranks, critical-difference"] = (
            "the metric is exploratory, or fewer than two methods are ranked: there are no p-values"
        )
    elif tested.diagram is None:
        missing["critical-difference"] = tested.diagram_note
    if not curves:
        missing["shots-…"] = "no two scenarios differ in the number of shots or an amount only"
    if cost_figure(main) is None:
        missing["cost"] = "no times are known"
    return Paper((*_figures(main, tested, curves), *_tables(main, tested, curves)), missing)


def _figures(main: Comparison, tested: Separation | None, curves: Sequence[Curves]) -> Iterator[PaperFile]:
    """Yield every figure in every kind."""
    drawn: list[tuple[str, str, Callable[[], Figure | None]]] = [
        ("forest", "every method with its interval", lambda: forest_figure(main)),
        ("heat", "method × data set", lambda: heat_figure(main)),
        ("cost", "cost against quality, with the Pareto front", lambda: cost_figure(main)),
    ]
    if tested and tested.diagram:
        diagram = tested.diagram
        what = "critical-difference diagram: " + tested.diagram_note.rstrip(".")
        drawn.append(("critical-difference", what, lambda: critical_difference_figure(diagram)))
    for number, one in enumerate(curves, 1):
        what = AXES[one.axis] + (f" ({one.fixed})" if one.fixed else "")
        drawn.append((f"shots-{number}-score", f"scores against {what}", partial(score_figure, one, main)))
        drawn.append((f"shots-{number}-gain", f"gains against {what}", partial(gain_figure, one, main)))
    for name, what, draw in drawn:
        for kind in KINDS:
            # drawn for each kind: saving lays a figure out anew, and the second file would depend on the first
            figure = draw()
            if figure is not None:
                yield PaperFile(f"{name}.{kind}", what, save(figure, kind))


def _tables(main: Comparison, tested: Separation | None, curves: Sequence[Curves]) -> Iterator[PaperFile]:
    """Yield every table."""
    yield PaperFile("leaderboard.tex", "the leaderboard", to_latex(main).encode())
    yield PaperFile("differences.tex", "differences by data set", _differences(main).encode())
    costs = cost_table(main)
    if len(costs):
        yield PaperFile("cost.tex", "cost and quality, the front marked", _costs(main).encode())
    if tested:
        yield PaperFile("pairs.tex", "all pairs: wins, ties, losses, p", _pairs(tested).encode())
        yield PaperFile("ranks.tex", "mean ranks with intervals", _ranks(tested).encode())
    for number, one in enumerate(curves, 1):
        yield PaperFile(f"shots-{number}.tex", f"scores and gains against {AXES[one.axis]}", _shots(one, main).encode())


def _differences(main: Comparison) -> str:
    """Return differences by method and data set, states in words."""
    deltas = main.deltas.drop(index=main.baseline)
    states = main.states.loc[deltas.index]
    rows = [
        [str(method), *(_cell(state, delta) for state, delta in zip(states.loc[method], values, strict=True))]
        for method, values in zip(deltas.index, deltas.to_numpy(dtype=float).tolist(), strict=True)
    ]
    caption = f"Δ: {text.metric_name(main.metric)} against {main.baseline} in points, by data set."
    return latex_table(["Method", *map(str, deltas.columns)], rows, "l" + "r" * deltas.shape[1], caption)


def _cell(state: str, delta: float) -> str:
    return state if state in ("failed", "not applicable", "not run") else text.signed(delta)


def _costs(main: Comparison) -> str:
    rows = [
        [
            str(row["method"]),
            text.seconds(row["seconds"]),
            text.signed(row["delta"]),
            text.NOTHING if row["is_baseline"] else text.interval(row["low"], row["high"]),
            "on the front" if row["on_front"] else row["beaten_by"],
        ]
        for row in cost_table(main).to_dict("records")
    ]
    caption = (
        "Time per draw to fit the method and make rows, and Δ in points. On the Pareto front: no method costs no more "
        "and gains no less; for every other method, the one that does so and gains most."
    )
    caption += f" {main.times_sentence}" if main.times_sentence else ""
    return latex_table(["Method", "Time", "Δ", "95 % interval", "Pareto front, or beaten by"], rows, "lrrrl", caption)


def _pairs(tested: Separation) -> str:
    rows = [
        [
            row["a"],
            row["b"],
            text.signed(row["delta"]),
            f"{row['wins']}/{row['ties']}/{row['losses']}",
            text.p_value(row["p"]),
            text.p_value(row["p_holm"]),
        ]
        for row in tested.pairs().to_dict("records")
    ]
    caption = (
        f"All pairs of ranked methods ({tested.matrix.n_pairs}) on {tested.matrix.n_datasets} data sets, "
        f"{tested.matrix.n_separated} of them told apart (p at most .05 after Holm's correction over all pairs). "
        "Δ: gain of the first over the second in points."
    )
    return latex_table(["Method", "against", "Δ", "W/T/L", "p", "p (Holm)"], rows, "llrrrr", caption)


def _ranks(tested: Separation) -> str:
    rows = [
        [
            row["method"],
            str(row["shared"]),
            text.plain_number(row["mean_rank"], 2),
            text.NOTHING if row["low"] != row["low"] else f"{row['low']:.2f} to {row['high']:.2f}",
        ]
        for row in tested.ranks.to_dict("records")
    ]
    caption = f"Mean ranks over {tested.matrix.n_datasets} data sets; intervals by bootstrap over data sets."
    return latex_table(["Method", "Shared rank", "Mean rank", "95 % interval"], rows, "lrrr", caption)


def _shots(curves: Curves, main: Comparison) -> str:
    head, rows = ["Method"], []
    for label in curves.labels:
        head += [f"{text.metric_name(main.metric)}, {label}", "Δ", "95 % interval"]
    for method, own in curves.table.groupby("method", sort=False):
        cells = [str(method)]
        by_label = {str(one["label"]): one for one in own.to_dict("records")}
        for label in curves.labels:
            one = by_label.get(label)
            values = one and [text.plain_number(one["score"]), text.signed(one["delta"])]
            cells += [*values, text.interval(one["low"], one["high"])] if one and values else [text.NOTHING] * 3
        rows.append(cells)
    fixed = f" ({curves.fixed})" if curves.fixed else ""
    caption = f"By {AXES[curves.axis]}{fixed}, on {len(curves.datasets)} data sets; Δ to {main.baseline} in points."
    return latex_table(head, rows, "l" + "rrr" * len(curves.labels), caption)
