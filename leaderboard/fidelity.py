"""How real the generated rows are: one row per method that adds rows, and what real rows give."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from .results import Results

#: name of the row of what real rows give
REAL = "real rows"
#: from this share of exact copies on, a method mostly copies
MOSTLY = 0.5
#: below this DCR ratio generated rows are nearly copies (SMOTE's, between neighbours, have about 0.4)
NEARLY = 0.1


@dataclass(frozen=True)
class Measure:
    """A column of the table.

    Attributes
    ----------
    name : str
        Column of the scores.
    header, meaning : str
        What it is called, and how it is read, in one sentence.
    percent : bool
        Whether it is shown in percent.
    real : float or str
        What real rows give: a number, or the column of the scores that was measured for them.
    """

    name: str
    header: str
    meaning: str
    percent: bool
    real: float | str

    def write(self, value: float) -> str:
        """Return a value as text."""
        if not np.isfinite(value):
            return "–"
        return f"{100 * value:.0f} %" if self.percent else f"{value:.2f}"


MEASURES = (
    Measure(
        "exact_copies",
        "exact copies",
        "Share of generated rows that are equal to a training row. Copies give 100 %, held-out rows 0 %.",
        True,
        0.0,
    ),
    Measure(
        "dcr_closer",
        "closer than real rows",
        "Chance that a generated row is closer to its closest training row than a held-out row is to its own. Copies "
        "give 100 %, real rows 50 %, rows far away from the data 0 %.",
        True,
        0.5,
    ),
    Measure(
        "dcr_ratio",
        "DCR ratio",
        "Median distance to the closest training row (DCR) as a multiple of that of held-out rows. Copies give 0, "
        "real rows 1.",
        False,
        1.0,
    ),
    Measure(
        "two_sample_auroc",
        "two-sample AUROC",
        "Classifier two-sample test: how well a quadratic discriminant tells generated from held-out rows, "
        "cross-validated. Real rows give .50; at 1 no row is mistaken. Few copies of many rows stay near .50, many "
        "copies of few rows do not.",
        False,
        0.5,
    ),
    Measure(
        "two_sample_accuracy",
        "two-sample 1-NN",
        "The same test by the nearest neighbour, as accuracy: it sees clumps that means and correlations do not show. "
        "Real rows give 50 %.",
        True,
        0.5,
    ),
    Measure(
        "wasserstein",
        "Wasserstein",
        "Distance of each numeric column to held-out rows, in standard deviations: 1 is a shift by one. The training "
        "rows themselves, and so an equal share of copies, give what the first row says; few rows differ by chance.",
        False,
        "wasserstein_real",
    ),
    Measure(
        "total_variation",
        "total variation",
        "Total-variation distance of each categorical column to held-out rows: 0 is the same shares, 1 no category in "
        "common.",
        False,
        "total_variation_real",
    ),
    Measure(
        "correlation_error",
        "correlation error",
        "Mean absolute difference of the correlations of all pairs of columns to those of held-out rows, 0 to 2. "
        "Constant columns have none: their error is the size of the real correlations, which may be less than what few "
        "rows differ by.",
        False,
        "correlation_error_real",
    ),
)


@dataclass(frozen=True)
class Fidelity:
    """The table and its columns.

    Attributes
    ----------
    measures : tuple of Measure
        Those that any method has.
    table : pandas.DataFrame of shape (1 + methods, measures)
        Means over data sets; the first row is `REAL`.
    references : pandas.DataFrame
        Of the same shape: what real rows give on the data sets of each method.
    n_datasets : pandas.Series
        On how many data sets each method's rows were measured.
    marks : dict of str to str
        What has to be said of a method that copies.
    """

    measures: tuple[Measure, ...]
    table: pd.DataFrame
    references: pd.DataFrame
    n_datasets: pd.Series
    marks: dict[str, str]


def fidelity_table(results: Results, order: list[str]) -> Fidelity | None:
    """Return how real the rows of each method are.

    Parameters
    ----------
    results : Results
        The results.
    order : list of str
        Methods in the order in which they are to stand.

    Returns
    -------
    Fidelity or None
        Draws are averaged first, then the scenarios of a data set, then data sets. Methods that add no row are left
        out; None if no method adds any, or nothing was measured.
    """
    scores = results.scores
    measures = [one for one in MEASURES if one.name in scores.columns and scores[one.name].notna().any()]
    if not measures:
        return None
    names = [one.name for one in measures]
    known = {one.name: scores[one.real].where(scores[one.name].notna()) if one.real in scores.columns else np.nan
             for one in measures if isinstance(one.real, str)}  # fmt: skip
    known |= {one.name: float(one.real) for one in measures if not isinstance(one.real, str)}
    scores = scores[scores[names].notna().any(axis=1)]
    real = scores.assign(**known)
    table, references = _means(scores, names), _means(real, names)
    table = table.loc[[name for name in order if name in table.index]]
    first = _means(real.assign(method=REAL), names)
    n_datasets = pd.concat([scores.assign(method=REAL), scores]).groupby("method")["dataset"].nunique()
    marks = {str(name): mark for name, row in table.iterrows() if (mark := _mark(row))}
    return Fidelity(tuple(measures), pd.concat([first, table]), pd.concat([first, references]), n_datasets, marks)


def _means(scores: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    """Average draws (a row for each classifier says the same), scenarios and data sets; methods × measures."""
    for keys in (["method", "dataset", "scenario", "draw"], ["method", "dataset", "scenario"], ["method", "dataset"]):
        scores = scores.groupby(keys)[names].mean().reset_index()
    return scores.groupby("method")[names].mean()


def _mark(row: pd.Series) -> str:
    if row.get("exact_copies", 0.0) >= MOSTLY:
        return "mostly copies"
    return "nearly copies" if row.get("dcr_ratio", 1.0) < NEARLY else ""
