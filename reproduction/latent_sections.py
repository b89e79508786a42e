"""What a page shows of latent sweeps: planes, strips, images, numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..leaderboard.format import plain_number
from ..leaderboard.plots import inline_svg
from ..leaderboard.site.base import templates
from .latent import STEPS, Fit
from .latent_claims import FIGURES, over_seeds
from .latent_figures import POINTS, address, planes_figure, sharpness_figure
from .latent_store import Swept
from .sections import Drawing, Section

_HEAD = {
    "reconstructions": "sharpness of reconstructions, %",
    "draws": "of draws from N(0, I), %",
    "error": "error of a pixel, %",
    "kl": "KL, nats",
    "active": "dimensions used",
    "neighbours": "5 neighbours, %",
    "neighbours_pca": "the same, components, %",
}


def latent_facts(swept: tuple[Swept, ...]) -> dict[str, str]:
    """Return what the page says of the networks in a line; nothing where there are none."""
    fits = [one for sweep in swept for one in sweep.fits]
    if not fits:
        return {}
    return {
        "date": max(one.started for one in fits)[:10],
        "seconds": str(sum(one.seconds for one in fits)),
        "networks": f"{len(fits):,}",
    }


def latent_sections(swept: Swept, prefix: str) -> list[Section]:
    """Return the sections of one sweep.

    Parameters
    ----------
    swept : Swept
        The sweep; where it was not run a single line says why.
    prefix : str
        What the ids of its figures begin with.

    Returns
    -------
    list of Section
        Planes where it has two dimensions, strips, images, numbers.
    """
    title = swept.sweep.title
    if not swept.fits:
        return [Section(title, (f"Not run: {swept.absent or 'nothing is stored'}.",))]
    seed = min(one.seed for one in swept.fits)
    shown = [one for one in swept.fits if one.seed == seed]
    flat = [one for one in shown if one.dim == 2]
    sections = [_planes(swept, flat, prefix)] if flat else []
    if shown[0].strips.size:
        sections.append(_strips(swept, shown))
    return [*sections, _images(swept, shown), _numbers(swept, prefix)]


def _planes(swept: Swept, fits: list[Fit], prefix: str) -> Section:
    text = (
        "Each point is the mean of the posterior of a held-out image, in a network of two latent dimensions. A small β "
        "lets the posteriors spread far beyond N(0, I), from which new images are drawn; a large one pulls them "
        "together until images share their places.",
    )
    labelled = "; the label of a class stands at the median of its images" if len(swept.classes) > 2 else ""
    n = len(fits[0].y)
    caption = (
        f"{min(POINTS, n)} of {n:,} held-out images by class, the same in each plane{labelled}. The scales differ. "
        f"Seed {fits[0].seed}."
    )
    label = f"Latent planes of {swept.sweep.title}, a panel for each β, images by class"
    figure = inline_svg(planes_figure(fits, swept.classes), label, f"{prefix}-planes")
    return Section(f"{swept.sweep.title}: the latent plane", text, (Drawing(figure, caption),))


def _strips(swept: Swept, fits: list[Fit]) -> Section:
    drawings = []
    for number, label in enumerate(swept.sweep.strips):
        real = np.full(fits[0].strips.shape[1:], np.nan)
        real[[0, -1]] = fits[0].ends[number]
        rows = [_row("real", _picture(swept, real, f"two real images of class {label}"))]
        rows += [
            _row(_place(one), _picture(swept, one.strips[number], f"{STEPS} images between two of class {label}"))
            for one in fits
        ]
        caption = (
            f"Class {label}: the two real images, and below them for each network {STEPS} images decoded at equal "
            "steps along the straight line between their posterior means; the first and the last are the "
            "reconstructions of the two."
        )
        drawings.append(Drawing(_table("network", ["from one image to the other"], rows), caption))
    return Section(f"{swept.sweep.title}: between two images of a class", (), tuple(drawings))


def _images(swept: Swept, fits: list[Fit]) -> Section:
    rows = [_row("real", _picture(swept, fits[0].real, "real images"), {"address": "", "label": ""})]
    rows += [
        _row(
            _place(one),
            _picture(swept, one.rebuilt, f"reconstructions, {_place(one)}"),
            _picture(swept, one.drawn, f"images decoded from N(0, I), {_place(one)}"),
        )
        for one in fits
    ]
    caption = (
        "Held-out images, what each network makes of them, and images that it decodes from N(0, I). "
        f"Seed {fits[0].seed}."
    )
    table = _table("network", ["images and their reconstructions", "decoded from N(0, I)"], rows)
    return Section(f"{swept.sweep.title}: reconstructions and new images", (), (Drawing(table, caption),))


def _numbers(swept: Swept, prefix: str) -> Section:
    sweep = swept.sweep
    text = (
        "Sharpness is the variance of the Laplacian of an image (Pech-Pacheco et al. 2000), the mean over "
        f"{len(swept.fits[0].y):,} held-out images or as many new ones, in percent of that of the real held-out ones. "
        "It falls with the square of the contrast, too. The error is the root of the mean squared error of a "
        "reconstructed pixel. A dimension is used where the variance of its posterior means exceeds 0.01. Five "
        f"neighbours: the share of held-out images whose class the five nearest of {sweep.rows:,} training images "
        "name, in the latent space and in as many principal components of the pixels.",
    )
    groups: dict[tuple[int, float], list[Fit]] = {}
    for one in swept.fits:
        groups.setdefault((one.dim, one.beta), []).append(one)
    rows = tuple((_place(own[0]), *(_shown(swept, own, name) for name in _HEAD)) for own in groups.values())
    seeds = max(len(own) for own in groups.values())
    caption = (
        f"Means over {seeds} seed{'' if seeds == 1 else 's'} with 95 % intervals, corrected for rows that seeds share; "
        "100 % would be as sharp as real images."
    )
    label = f"Sharpness and reconstruction error of {sweep.title}: the table has the numbers"
    figure = Drawing(inline_svg(sharpness_figure(swept), label, f"{prefix}-sharpness"), caption)
    return Section(f"{sweep.title}: sharpness", text, (figure,), ("network", *_HEAD.values()), rows)


def _shown(swept: Swept, fits: list[Fit], name: str) -> str:
    """Return a mean over seeds and half its interval."""
    test = over_seeds(swept.sweep, [FIGURES[name](one) for one in fits])
    half = (test.high - test.low) / 2
    return plain_number(test.mean) + ("" if np.isnan(half) else f" ± {plain_number(half)}")


def _place(one: Fit) -> str:
    return f"{one.dim} dimensions, β\u00a0=\u00a0{one.beta:g}"


def _picture(swept: Swept, images: np.ndarray, label: str) -> dict[str, str]:
    return {"address": address(images, photos=swept.sweep.photos), "label": label}


def _row(name: str, *pictures: Mapping[str, str]) -> dict[str, Any]:
    return {"name": name, "pictures": pictures}


def _table(first: str, head: list[str], rows: list[dict[str, Any]]) -> Any:
    from markupsafe import Markup

    template = templates("augbench.reproduction").get_template("pictures.html")
    return Markup(template.render(first=first, head=head, rows=rows))
