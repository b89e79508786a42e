"""The leaderboard as files for papers and for other programs: LaTeX, CSV, Parquet."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pandas as pd

from ..errors import InputError
from . import format as text
from .comparison import Comparison
from .results import Results

_LATEX = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    # \textquotedbl is not in LaTeX's usual encoding
    '"': "''",
    "−": "$-$",
    "–": "--",
    "Δ": r"$\Delta$",
    "×": r"$\times$",
    "·": r"$\cdot$",
}


def escape_latex(value: str) -> str:
    """Escape what means something to LaTeX."""
    return "".join(_LATEX.get(letter, letter) for letter in value)


def to_latex(comparison: Comparison) -> str:
    """Return the leaderboard as a LaTeX table that needs the package booktabs.

    Parameters
    ----------
    comparison : Comparison
        What `compare` returned.

    Returns
    -------
    str
        A table environment with caption.
    """
    head = ["Method", "Δ", "95 % interval", "W/T/L", "Mean rank", "p (Holm)", "Macro F1", "Weighted F1", "Verdict"]
    other = None if comparison.metric in ("macro_f1", "weighted_f1") else comparison.metric
    head[6:6] = [text.metric_name(other)] if other else []
    trained = bool((comparison.table["effort"] != "").any())
    head += ["Training"] if trained else []
    columns = "l" + "r" * (len(head) - 2 - trained) + "l" * (1 + trained)
    lines = [r"\begin{table}", r"\centering", rf"\begin{{tabular}}{{{columns}}}", r"\toprule"]
    lines += [" & ".join(map(escape_latex, head)) + r" \\", r"\midrule"]
    for _, row in comparison.table.iterrows():
        based = row["is_baseline"]
        cells = [
            row["method"],
            text.signed(row["delta"]),
            text.NOTHING if based else text.interval(row["low"], row["high"]),
            text.NOTHING if based else f"{row['wins']}/{row['ties']}/{row['losses']}",
            text.plain_number(row["mean_rank"]),
            text.p_value(row["p_baseline_holm"]),
            *([text.plain_number(row[other])] if other else []),
            text.plain_number(row["macro_f1"]),
            text.plain_number(row["weighted_f1"]),
            row["verdict"],
            *([row["effort"] or text.NOTHING] if trained else []),
        ]
        lines.append(" & ".join(map(escape_latex, cells)) + r" \\")
    caption = f"{comparison.finding} Δ: {text.metric_name(comparison.metric)} against {comparison.baseline} in points."
    caption += f" {comparison.budget}" if comparison.budget else ""
    lines += [r"\bottomrule", r"\end{tabular}", rf"\caption{{{escape_latex(caption)}}}", r"\end{table}"]
    return "\n".join(lines) + "\n"


def write_scores(results: Results, path: str | Path) -> Path:
    """Write the scores, one row per method × data set × scenario × classifier × draw.

    Parameters
    ----------
    results : Results
        The results.
    path : str or pathlib.Path
        A name that ends with .csv or .parquet. An old file stays as it is until the new one is complete.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    InputError
        Where the name ends otherwise.
    """
    return write_table(results.scores, Path(path))


def write_table(table: pd.DataFrame, path: Path) -> Path:
    """Write a table of scores or of training curves by the ending of the name, as `write_scores` does."""
    if path.suffix == ".csv":
        return replace_file(path, table.to_csv(index=False).encode())
    if path.suffix == ".parquet":
        return replace_file(path, table.to_parquet(index=False))
    raise InputError(f"cannot write '{path.name}': scores and training curves are written as .csv or .parquet")


def replace_file(path: Path, content: bytes) -> Path:
    """Write a file so that a reader sees the old one or the new one, never a part."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        raise InputError(f"cannot write '{path}': {error.strerror or error}") from error
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
        os.chmod(name, 0o666 & ~_umask())
        os.replace(name, path)
    except OSError as error:
        Path(name).unlink(missing_ok=True)
        raise InputError(f"cannot write '{path}': {error.strerror or error}") from error
    return path


def _umask() -> int:
    """Return the umask, which can be read only by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
