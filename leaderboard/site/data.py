"""What the scripts of the site compute with: means of scores after the failure policy, as a script that sets one name.

The unit is a block: draws of one cell (data set, scenario, classifier) that have a result of the same methods. Most
cells are one block; where a method does not apply to, or was not run on, some of the draws there are more. Paired
differences of any two methods are exact sums over blocks, so that a script can average any subset just as
:func:`~augbench.leaderboard.compare` does.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ...errors import InputError
from .. import format as text
from ..aggregate import CELL, DrawTable, draw_table
from ..results import OF_ROWS, higher_is_better, metric_columns
from ..tables import SHOWN

if TYPE_CHECKING:
    from .base import Site

#: Where it lies in the site.
PATH = "assets/results.js"
#: What it sets.
NAME = "augbenchResults"
#: Scores are written as whole numbers of this share: far finer than what decides a tie (six decimals), exact in sums.
SCALE = 10**9
#: Why a method has no score in a block; "absent" where it has no row in the whole cell.
CODES = {"not applicable": 1, "not run": 2, "absent": 3}
_NOT_CHOSEN = re.compile(r"(f1|recall)_\d+(_tuned)?|bayes_.*|.*_tuned")


def script(site: Site) -> str:
    """Return the text of the file: ``var augbenchResults = {…};``."""
    return f"var {NAME} = {as_json(site_data(site))};\n"


def as_json(value: Any) -> str:
    r"""Return JSON that can stand in a script and in HTML: no markup, no line separators, NaN as null.

    Examples
    --------
    >>> as_json({"a": ["</script>", 1]})
    '{"a":["\\u003c/script\\u003e",1]}'
    """
    shown = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return re.sub("[<>&\u2028\u2029]", lambda found: f"\\u{ord(found[0]):04x}", shown)


def site_data(site: Site) -> dict[str, Any]:
    """Return names, facts of methods and the blocks of every metric that a reader may choose."""
    from scipy import stats

    main, results = site.main, site.results
    names = [str(name) for name in main.table["method"]]
    groups = dict(zip(results.datasets["dataset"], results.datasets["group"], strict=True))
    scores = results.scores
    known: dict[str, list[str]] = {
        "datasets": sorted(scores["dataset"].unique()),
        "scenarios": sorted(scores["scenario"].unique()),
        "classifiers": sorted(scores["classifier"].unique()),
    }
    freedom = np.arange(1, max(2, len(known["datasets"])))
    return {
        "scale": SCALE,
        "metric": main.metric,
        "baseline": names.index(main.baseline),
        "reference": names.index(main.reference) if main.reference else None,
        "confirmatory": main.confirmatory,
        "methods": names,
        "families": [str(one) for one in main.table["family"]],
        "controls": [int(one) for one in main.table["is_control"]],
        "against": [_against(row) for row in main.table.to_dict("records")],
        **known,
        "pages": [site.dataset_paths.get(name, "datasets.html") for name in known["datasets"]],
        "columns": [known["datasets"].index(name) for name in main.datasets],
        "groups": [str(groups.get(name, "")) for name in known["datasets"]],
        "t": [round(float(one), 9) for one in np.atleast_1d(stats.t.ppf(0.975, freedom))],
        "metrics": {
            name: {
                "name": text.metric_name(name),
                "higher": higher_is_better(name),
                "blocks": _blocks(draws, scores, names, known),
            }
            for name, draws in _draw_tables(site).items()
        },
    }


def choices(site: Site) -> list[str]:
    """Return the metrics that a reader may choose, that of the leaderboard first.

    Left out are the scores of single classes, what describes generated rows, tuned decisions, whose difference is a
    column of its own, and what the baseline has nowhere: there is nothing to compare with.
    """
    scores = site.results.scores
    own = scores[(scores["method"] == site.main.baseline) & (scores["status"] == "ok")]
    measured = [name for name in metric_columns(scores) if np.isfinite(own[name].astype(float)).any()]
    free = [name for name in measured if name not in OF_ROWS and not _NOT_CHOSEN.fullmatch(name)]
    return list(dict.fromkeys([site.metric, *(name for name in SHOWN if name in measured), *free]))


def _draw_tables(site: Site) -> dict[str, DrawTable]:
    scores, found = site.results.scores, {}
    for name in [*choices(site), f"{site.metric}_tuned"]:
        if name not in scores.columns:
            continue
        try:
            found[name] = draw_table(scores, name, site.main.baseline)
        except InputError:  # the baseline has none: nothing to compare, so nobody may choose it
            continue
    return found


def _against(row: dict[Any, Any]) -> dict[str, Any]:
    """Return what was tested of a method: p-values as they are written, intervals in points."""
    found: dict[str, Any] = {}
    for family, low, high in (("baseline", "low", "high"), ("copies", "low_copies", "high_copies")):
        p, corrected = row[f"p_{family}"], row[f"p_{family}_holm"]
        ends = [round(float(row[end]), 6) if np.isfinite(row[end]) else None for end in (low, high)]
        found[family] = {"p": text.p_value(p), "holm": text.p_value(corrected), "low": ends[0], "high": ends[1]}
    return found


def _blocks(
    draws: DrawTable, scores: pd.DataFrame, methods: Sequence[str], known: dict[str, list[str]]
) -> list[list[Any]]:
    """Return one entry a block: data set, scenario, classifier, draws, scores, failed draws, who has no score and why.

    Scores are whole numbers of 1 / `SCALE`, null where there is none; the last two are pairs of a method and a number.
    """
    values = draws.values.reindex(columns=list(methods))
    states = draws.states.reindex(columns=list(methods)).fillna("not run")
    rows = scores.groupby([*CELL, "method"]).size().unstack().reindex(columns=list(methods))
    absent = rows.isna().reindex(values.reset_index("draw").index).to_numpy()
    codes = np.zeros(states.shape, dtype=np.int8)
    for word in ("not applicable", "not run"):
        codes[(states == word).to_numpy()] = CODES[word]
    codes[absent] = CODES["absent"]
    pattern = np.unique(codes, axis=0, return_inverse=True)[1].reshape(-1)
    keys = [values.index.get_level_values(name) for name in CELL] + [pattern]
    means = values.groupby(keys).mean()
    number = values.groupby(keys).size().to_numpy()
    failed = (states == "failed").groupby(keys).sum().to_numpy()
    first = pd.Series(range(len(values)), index=values.index).groupby(keys).first().to_numpy()
    places = [{name: i for i, name in enumerate(known[key])} for key in ("datasets", "scenarios", "classifiers")]
    found = []
    for i, key in enumerate(means.index):
        scaled = np.rint(means.to_numpy()[i] * SCALE)
        entry = [place[name] for place, name in zip(places, key, strict=False)]
        code = codes[first[i]]
        found.append(
            [
                *entry,
                int(number[i]),
                [int(one) if np.isfinite(one) else None for one in scaled],
                [[int(m), int(failed[i, m])] for m in np.flatnonzero(failed[i])],
                [[int(m), int(code[m])] for m in np.flatnonzero(code)],
            ]
        )
    return found
