"""What a source says of latent spaces, judged by the numbers of a sweep."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..leaderboard.t_tests import TTest, corrected_resampled_t
from .claims import NOTHING, Finding
from .experiment import LatentSweep
from .latent import Fit
from .latent_store import Swept
from .verdict import Ours, judge_expectation, one_run

#: the lines of the slides that are judged, which the experiment quotes
_BLURRED, _EFFECTS, _USEFUL = "Iser 2023, on β", "Iser 2023, on blur", "Iser 2023, on structure"


def over_seeds(sweep: LatentSweep, values: list[float]) -> TTest:
    """Return mean and interval of a figure over seeds, each of which drew its rows from the same table."""
    return corrected_resampled_t(values, sweep.held_out / sweep.rows)


def latent_findings(swept: Swept) -> list[Finding]:
    """Return the claims on a sweep with their verdicts; none where the user has not brought the images.

    Sharpness is in percent of that of the real images, accuracy in percent; differences are paired by seed.
    """
    sweep = swept.sweep
    if sweep.optional and not swept.fits:
        return []
    low, high = min(sweep.betas), max(sweep.betas)
    at = sweep.judged_beta
    found = []
    for dim in sweep.dims:
        where = f"{dim} dimensions"
        if low < high:
            span = f"β {low:g} → {high:g}, {where}"
            for what, label, source in (
                ("rebuilt", "Reconstructions are blurred by a high β", _BLURRED),
                ("drawn", "So are images decoded from N(0, I)", "the same, of generated images"),
            ):
                gaps = _paired(swept, dim, low, high, what)
                found.append(_finding(swept, f"{label}: sharpness, {span}", source, "loss", gaps, dim))
        one = f"β {at:g}, {where}"
        for what, label in (("rebuilt", "Reconstructions"), ("drawn", "Images decoded from N(0, I)")):
            short = [own.sharper(what) - 100 for own in _at(swept, dim, at)]
            found.append(
                _finding(swept, f"{label} are less sharp than real images, {one}", _EFFECTS, "loss", short, dim)
            )
        more = [100 * (own.neighbours - own.neighbours_pca) for own in _at(swept, dim, at)]
        label = f"The latent space tells classes apart better than as many principal components, {one}"
        found.append(_finding(swept, label, _USEFUL, "gain", more, dim))
    return found


def _at(swept: Swept, dim: int, beta: float) -> list[Fit]:
    return [one for one in swept.fits if (one.dim, one.beta) == (dim, beta)]


def _paired(swept: Swept, dim: int, low: float, high: float, what: str) -> list[float]:
    """Return the difference in sharpness between two β for each seed that has both."""
    first, second = ({one.seed: one.sharper(what) for one in _at(swept, dim, beta)} for beta in (low, high))
    return [second[seed] - first[seed] for seed in sorted(first.keys() & second.keys())]


def _finding(swept: Swept, label: str, source: str, expected: str, values: list[float], dim: int) -> Finding:
    ours = NOTHING
    if values:
        test = over_seeds(swept.sweep, values)
        ours = Ours(test.mean, test.low, test.high, *one_run(values), len(values))
    return Finding(
        table=f"What is said of latent spaces: {swept.sweep.title}",
        row=label,
        column="",
        published=np.nan,
        published_level=np.nan,
        published_baseline=np.nan,
        ours=ours,
        baseline=NOTHING,
        classifier="",
        verdict=judge_expectation(expected, ours),
        shown=f"{expected} ({source})",
        place=(swept.sweep.dataset.id, f"{dim} dimensions", "latent-noise"),
    )


#: a figure of a network, by what the pages call it
FIGURES: dict[str, Callable[[Fit], float]] = {
    "reconstructions": lambda one: one.sharper("rebuilt"),
    "draws": lambda one: one.sharper("drawn"),
    "error": lambda one: float(100 * np.sqrt(one.error.mean())),
    "kl": lambda one: float(one.kl.mean()),
    "active": lambda one: float(one.active),
    "neighbours": lambda one: 100 * one.neighbours,
    "neighbours_pca": lambda one: 100 * one.neighbours_pca,
}
