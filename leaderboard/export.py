"""The leaderboard as files for papers and for other programs: LaTeX, CSV, Parquet."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

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


#: a longer LaTeX table is broken across pages
ROWS_OF_A_PAGE = 40


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
    rows = [
        [
            row["method"],
            text.signed(row["delta"]),
            text.NOTHING if row["is_baseline"] else text.interval(row["low"], row["high"]),
            text.NOTHING if row["is_baseline"] else f"{row['wins']}/{row['ties']}/{row['losses']}",
            text.plain_number(row["mean_rank"]),
            text.p_value(row["p_baseline_holm"]),
            *([text.plain_number(row[other])] if other else []),
            text.plain_number(row["macro_f1"]),
            text.plain_number(row["weighted_f1"]),
            row["verdict"],
        ]
        for row in comparison.table.to_dict("records")
    ]
    caption = f"{comparison.finding} Δ: {text.metric_name(comparison.metric)} against {comparison.baseline} in points."
    caption += f" {comparison.budget}" if comparison.budget else ""
    trained = [f"{row['method']} {row['effort']}" for row in comparison.table.to_dict("records") if row["effort"]]
    caption += f" Training of one draw: {'; '.join(trained)}." if trained else ""
    return latex_table(head, rows, "l" + "r" * (len(head) - 2) + "l", caption)


def latex_table(head: Sequence[str], rows: Sequence[Sequence[str]], columns: str, caption: str) -> str:
    """Return a LaTeX table (package booktabs); every text is escaped.

    Parameters
    ----------
    head : sequence of str
        Names of the columns.
    rows : sequence of sequence of str
        The cells.
    columns : str
        How the columns are set, such as "lrr".
    caption : str
        What the table shows.

    Returns
    -------
    str
        A table environment; of more rows than a page has a longtable (package longtable).
    """
    titles = [r"\toprule", " & ".join(map(escape_latex, head)) + r" \\", r"\midrule"]
    body = [" & ".join(map(escape_latex, row)) + r" \\" for row in rows]
    title = rf"\caption{{{escape_latex(caption)}}}"
    if len(rows) > ROWS_OF_A_PAGE:
        lines = [rf"\begin{{longtable}}{{{columns}}}", title + r" \\", *titles, r"\endhead", *body, r"\bottomrule"]
        return "\n".join([*lines, r"\end{longtable}"]) + "\n"
    lines = [r"\begin{table}", r"\centering", rf"\begin{{tabular}}{{{columns}}}", *titles, *body]
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", title, r"\end{table}"]) + "\n"


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
    return write_parts([table], path)


def write_parts(parts: Iterable[pd.DataFrame], path: Path) -> Path:
    """Write a table that comes in parts, of which one at a time is in memory, as `write_scores` does.

    Parameters
    ----------
    parts : iterable of pandas.DataFrame
        One or more, all with the same columns of the same types.
    path : pathlib.Path
        A name that ends with .csv or .parquet.
    """
    if path.suffix not in (".csv", ".parquet"):
        raise InputError(f"cannot write '{path.name}': scores and training curves are written as .csv or .parquet")
    with replacing(path) as stream:
        (_write_csv if path.suffix == ".csv" else _write_parquet)(parts, stream)
    return path


def _write_csv(parts: Iterable[pd.DataFrame], stream: IO[bytes]) -> None:
    for number, part in enumerate(parts):
        stream.write(part.to_csv(index=False, header=number == 0).encode())


def _write_parquet(parts: Iterable[pd.DataFrame], stream: IO[bytes]) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    with ExitStack() as stack:
        writer = None
        for part in parts:
            table = pa.Table.from_pandas(part, schema=writer and writer.schema, preserve_index=False)
            writer = writer or stack.enter_context(parquet.ParquetWriter(stream, table.schema))
            writer.write_table(table)


def replace_file(path: Path, content: bytes) -> Path:
    """Write a file so that a reader sees the old one or the new one, never a part."""
    with replacing(path) as stream:
        stream.write(content)
    return path


@contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """Open a file that takes the place of the one at `path` once it is written to its end, and goes if it is not."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        raise InputError(f"cannot write '{path}': {error.strerror or error}") from error
    try:
        with os.fdopen(handle, "wb") as stream:
            yield stream
        os.chmod(name, 0o666 & ~_umask())
        os.replace(name, path)
    except OSError as error:
        raise InputError(f"cannot write '{path}': {error.strerror or error}") from error
    finally:
        Path(name).unlink(missing_ok=True)


def _umask() -> int:
    """Return the umask, which can be read only by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
