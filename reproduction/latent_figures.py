"""Figures of latent sweeps: planes by class, sharpness over β or dimension, and images as pictures."""

from __future__ import annotations

import base64
import io
import math
from typing import TYPE_CHECKING

import numpy as np

from ..leaderboard.method_figures import picture
from ..leaderboard.plots import GROUND, INK, LINE, MARKERS, SERIES, new_figure, style
from .latent import Fit
from .latent_claims import FIGURES, over_seeds
from .latent_store import Swept

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: rows that are drawn in a plane
POINTS = 400
#: of fewer classes the legend says enough
FEWEST_LABELLED = 3
#: planes side by side
_COLUMNS = 3


def planes_figure(fits: list[Fit], classes: tuple[str, ...]) -> Figure:
    """Draw held-out rows in planes of two latent dimensions, one for each network, coloured and marked by class.

    Parameters
    ----------
    fits : list of Fit
        Of two dimensions, one for each β; the same rows in all.
    classes : tuple of str
        Labels; each stands at the middle of its rows, too, where there are three or more.

    Returns
    -------
    matplotlib.figure.Figure
        A class beyond the eighth has the colour and the marker of an earlier one, hollow.
    """
    columns = min(_COLUMNS, len(fits))
    lines = math.ceil(len(fits) / columns)
    with style():
        figure = new_figure(3.4 * lines + 0.5, 3.5 * columns)
        grid = figure.subplots(lines, columns, squeeze=False)
        for axes in grid.flat[len(fits) :]:
            axes.set_visible(False)
        for axes, one in zip(grid.flat, fits, strict=False):
            mean, y = one.mean[:POINTS], one.y[:POINTS]
            for code in np.unique(y):
                colour, own = SERIES[code % len(SERIES)], mean[y == code]
                face = colour if code < len(SERIES) else "none"
                axes.plot(own[:, 0], own[:, 1], MARKERS[code % len(MARKERS)], color=colour, markersize=3.4,
                          markerfacecolor=face, markeredgewidth=0.7, alpha=0.75, label=classes[code])  # fmt: skip
            for code in np.unique(one.y) if len(classes) >= FEWEST_LABELLED else ():
                axes.text(*np.median(one.mean[one.y == code], axis=0), classes[code], color=INK, fontsize=10,
                          fontweight="bold", ha="center", va="center",
                          bbox={"boxstyle": "round,pad=0.12", "facecolor": GROUND, "edgecolor": "none", "alpha": 0.8}
                          )  # fmt: skip
            axes.set_title(f"β = {one.beta:g}, KL {one.kl.mean():.1f} nats", fontsize=9, color=INK, loc="left")
            axes.set_aspect("equal", adjustable="datalim")
            axes.locator_params(nbins=5)
            axes.grid(color=LINE, linewidth=0.6)
            axes.set_axisbelow(True)
        figure.legend(*grid.flat[0].get_legend_handles_labels(), loc="outside lower left", ncols=10, frameon=False,
                      labelcolor=INK, handletextpad=0.1, columnspacing=1.2)  # fmt: skip
    return figure


def sharpness_figure(swept: Swept) -> Figure:
    """Draw sharpness and error of the images over β or over the dimension.

    Parameters
    ----------
    swept : Swept
        With fits.

    Returns
    -------
    matplotlib.figure.Figure
        Means over seeds with 95 % intervals; at the left in percent of the sharpness of the real images.
    """
    by_beta = swept.sweep.over == "beta"
    across = sorted({one.beta if by_beta else one.dim for one in swept.fits})
    groups = sorted({one.dim if by_beta else one.beta for one in swept.fits})
    with style():
        figure = new_figure(3.2, 9.6)
        for axes, names, title in zip(
            figure.subplots(1, 2),
            (("reconstructions", "draws"), ("error",)),
            ("sharpness, % of the real images'", "error of a pixel, % of its range"),
            strict=True,
        ):
            for place, group in enumerate(groups):
                for name, dash, hollow in zip(names, ("-", "--"), (False, True), strict=False):
                    colour = SERIES[place % len(SERIES)]
                    mean, down, up = np.array([_point(swept, name, by_beta, x, group) for x in across]).T
                    label = f"{name}, {group} dimensions" if by_beta else f"{name}, β = {group:g}"
                    # side by side, so that no interval hides another
                    x = np.array(across) * 1.06 ** (2 * place + hollow - len(groups) + 0.5)
                    axes.errorbar(x, mean, [down, up], color=colour, ls=dash, lw=1.4, marker=MARKERS[place],
                                  ms=4.5, mfc="none" if hollow else colour, label=label)  # fmt: skip
            axes.set_xscale("log")
            axes.set_xticks(across, [f"{x:g}" for x in across])
            axes.minorticks_off()
            axes.set_xlabel("β" if by_beta else "latent dimensions")
            axes.set_title(title, fontsize=9, color=INK, loc="left")
            axes.set_ylim(bottom=0)
            axes.grid(axis="y", color=LINE, linewidth=0.6)
            axes.legend(frameon=False, labelcolor=INK, fontsize=8)
    return figure


def _point(swept: Swept, name: str, by_beta: bool, x: float, group: float) -> tuple[float, float, float]:
    """Return a mean over seeds, and how far its interval reaches below and above; NaN where there is nothing."""
    beta, dim = (x, group) if by_beta else (group, x)
    values = [FIGURES[name](one) for one in swept.fits if (one.beta, one.dim) == (beta, dim)]
    if not values:
        return np.nan, np.nan, np.nan
    test = over_seeds(swept.sweep, values)
    gaps = (test.mean - test.low, test.high - test.mean)
    return test.mean, *((0.0, 0.0) if np.isnan(gaps).any() else gaps)


def address(images: np.ndarray, *, photos: bool) -> str:
    """Return images side by side as the address of a PNG that holds them.

    Parameters
    ----------
    images : numpy.ndarray of shape (n, planes, height, width)
        Values 0 to 255, NaN where there is nothing; one plane, or red, green and blue.
    photos : bool
        Whether high values are light; else they are ink on paper.
    """
    _, planes, height, width = images.shape
    # a column of nothing after each image
    strip = np.full((planes, height, len(images) * (width + 1)), np.nan)
    for place, image in enumerate(images):
        strip[:, :, place * (width + 1) : place * (width + 1) + width] = image
    if not photos and planes == 1:
        return picture(strip[0], 0.0, 255.0)
    from PIL import Image

    shown = np.where(np.isnan(strip[0]), 0, 255)
    colours = np.broadcast_to(np.nan_to_num(strip), (3, *strip.shape[1:]))
    pixels = np.dstack([*colours, shown]).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"
