"""How training went: scores over a classifier's epochs, the parts of a network's loss over its steps."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from ..leaderboard import method_figures
from ..leaderboard.format import metric_name, plain_number
from ..leaderboard.plots import inline_svg
from ..leaderboard.results import Results
from .claims import NOTHING, Measured
from .experiment import Epochs
from .figures import epochs_figure
from .sections import Drawing, Section
from .verdict import Ours

#: networks whose training is drawn
MOST = 6
#: from here on a part of a loss is written as a power of ten: a loss that rewards the divergence has no bound
LARGE = 1e6
#: a loss of this size is one that diverges
DIVERGED = 1e4
#: columns of the training curves that are no part of a loss
_FACTS = ("method", "dataset", "scenario", "draw", "model", "step")


def epochs_section(figure: Epochs, results: Mapping[str, Results]) -> Section | None:
    """Return scores over a classifier's epochs; None where nothing of it was run."""
    source = Measured(results)

    def line(method: str, metric: str) -> list[tuple[float, Ours]]:
        points = (
            (float(epochs), source.level(figure.dataset, figure.scenario, classifier, method, metric))
            for classifier, epochs in figure.classifiers.items()
        )
        return [(epochs, ours) for epochs, ours in points if ours.known]

    run = [method for method in figure.methods if line(method, figure.metrics[0])]
    if not run:
        return None
    lines = {metric_name(metric): {method: line(method, metric) for method in run} for metric in figure.metrics}
    lengths = sorted({epochs for methods in lines.values() for points in methods.values() for epochs, _ in points})
    drawn = epochs_figure(lines, "epochs of the classifier")
    where = f"({figure.dataset}, {figure.scenario})"
    caption = f"Means over draws with 95 % intervals, in points (hundredths), on test rows {where}."
    return Section(
        figure.title,
        figures=(Drawing(inline_svg(drawn, f"{figure.title}: the table has the numbers", "epochs"), caption),),
        head=("metric and method", *(f"{epochs:g} epoch{'s' if epochs > 1 else ''}" for epochs in lengths)),
        rows=tuple(
            (f"{metric}, {method}", *(plain_number(dict(points).get(at, NOTHING).mean, 2) for at in lengths))
            for metric, methods in lines.items()
            for method, points in methods.items()
        ),
    )


def losses_section(results: Mapping[str, Results]) -> Section | None:
    """Return the parts of the loss of up to `MOST` methods, each where it was run first; None where none were kept."""
    tables: dict[str, pd.DataFrame] = {}
    places: dict[str, str] = {}
    for one in results.values():
        training = one.training
        if training.empty:
            continue
        for method, own in training.groupby("method", sort=False):
            if str(method) in tables or len(tables) == MOST:
                continue
            dataset, scenario = own["dataset"].iloc[0], own["scenario"].iloc[0]
            own = own[(own["dataset"] == dataset) & (own["scenario"] == scenario)]
            parts = [name for name in own.columns if name not in _FACTS]
            numbers = own[parts].astype(float).replace([np.inf, -np.inf], np.nan)
            table = numbers.groupby(own["step"].to_numpy()).mean().dropna(axis="columns", how="all")
            if len(table) > 1:
                tables[str(method)], places[str(method)] = table, f"{dataset}, {scenario}"
    if not tables:
        return None
    calm = {name: table for name, table in tables.items() if float(np.nanmax(np.abs(table.to_numpy()))) < DIVERGED}
    where = "; ".join(dict.fromkeys(places.values()))
    label = f"Training curves of {', '.join(calm)}: the table has the last values"
    caption = f"The parts of the loss over the steps, the mean over the networks of one draw ({where})."
    if len(calm) < len(tables):
        caption += f" Not drawn, since the loss diverges: {', '.join(name for name in tables if name not in calm)}."
    parts = list(dict.fromkeys(str(name) for table in tables.values() for name in table.columns))
    return Section(
        "Training curves",
        figures=(Drawing(inline_svg(method_figures.curves(calm), label, "losses"), caption),) if calm else (),
        head=("network, at its last step", "step", *parts),
        rows=tuple(
            (
                name,
                f"{table.index.max():,}",
                *(_part(table[part].iloc[-1]) if part in table else "" for part in parts),
            )
            for name, table in tables.items()
        ),
    )


def _part(value: float) -> str:
    return f"{value:.1e}" if LARGE <= abs(value) < np.inf else plain_number(value, 3)
