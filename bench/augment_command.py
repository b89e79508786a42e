"""The command ``bench augment``."""

from __future__ import annotations

import ast
import io
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import InputError
from .console import count, err, out
from .options import CategoricalOption, DropOption, EncodingOption

if TYPE_CHECKING:
    import pandas as pd

    from ..datasets.contract import Table
    from ..datasets.csv_text import Dialect
    from ..datasets.files import FileDataset

#: column that marks the new rows
MARK = "augbench_generated"


def augment(
    file: Annotated[Path, typer.Argument(help="Your table: .csv, .tsv, .parquet or .arff.")],
    target: Annotated[str, typer.Option(help="Its target column.")],
    output: Annotated[Path, typer.Option("--out", help="What to write: .csv, .tsv or .parquet.")],
    method: Annotated[str, typer.Option(help="The method that makes the rows (bench list methods).")] = "smote",
    param: Annotated[
        list[str] | None, typer.Option(help="A parameter of it, NAME=VALUE; repeatable (bench list methods METHOD).")
    ] = None,
    drop: DropOption = None,
    categorical: CategoricalOption = None,
    positive: Annotated[str | None, typer.Option(help="Add rows to this class only.")] = None,
    amount: Annotated[
        str, typer.Option(help="balance (all classes as large as the largest), 2x, or a number of rows for each class.")
    ] = "balance",
    counts: Annotated[
        list[str] | None, typer.Option(help="CLASS=ROWS to add, instead of --amount; repeatable.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same file.")] = 0,
    encoding: EncodingOption = "",
    force: Annotated[bool, typer.Option("--force", help="Replace --out if it is there.")] = False,
    plugin: Annotated[
        list[str] | None, typer.Option("--plugin", help="File or module with methods; repeatable.")
    ] = None,
) -> None:
    """Add rows to a whole table by one method, and mark them. Only ever do this to training rows.

    The rows of the file come first, with their columns, order and values; the new ones follow, with `True` in the
    column `augbench_generated`. A column of whole numbers gets whole numbers, `--drop` leaves a column out of the
    learning, and empty in the new rows. A CSV file is written as it was: separator, decimal commas, encoding.

    Examples: `bench augment train.csv --target default --out more.csv`,
    `bench augment train.csv --target default --method vae --param steps=2000 --counts yes=500 --out more.parquet`.
    """
    from ..datasets.files import read_table
    from ..datasets.readers import read_frame
    from .augmenting import WARNING, generate, wanted_rows
    from .plugins import load_all
    from .suite import Entry

    load_all(plugin)
    _check_output(file, output, force)
    if counts and amount != "balance":
        raise InputError(f"--counts says how many rows each class gets; leave --amount {amount} out")
    if counts and positive:
        raise InputError(f"--counts says which classes get rows; leave --positive {positive} out")
    original = read_frame(file, encoding)
    if MARK in original.columns:
        raise InputError(
            f"{file} has a column '{MARK}' already, so it holds generated rows: augment the table that it was made "
            "from, or rename the column"
        )
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        dataset = read_table(file, target, drop or (), categorical=categorical or (), encoding=encoding)
    entry = Entry(name=method, id=method, params=_parameters(param or []))
    wanted = wanted_rows(dataset.info, amount, _counts(counts or []), positive or "")
    made, messages = generate(entry, dataset, wanted, seed)
    for message in [*(str(one.message) for one in caught), *messages]:
        err.print(f"warning: {message}", markup=False)
    _write(dataset, original, made, output)
    sizes = dataset.info.class_counts
    for code, n in wanted.items():
        got = int((made.y == code).sum())
        missed = f" ({n:,} asked for)" if got != n else ""
        label, now = dataset.info.classes[code], sizes[code] + got
        out.print(f"{count(got, 'row')} added to class '{label}'{missed}: {sizes[code]} → {now}", markup=False)
    what = f"{count(sum(sizes), 'row')} of {file.name}, then {count(len(made.y), 'row')} by {method}"
    out.print(f"written: {output.resolve()} ({what}, True in the column '{MARK}')", markup=False)
    err.print(f"warning: {WARNING}", markup=False)


def _check_output(file: Path, output: Path, force: bool) -> None:
    """Refuse a file that cannot or must not be written, before any work."""
    if output.suffix.lower() not in (".csv", ".tsv", ".parquet"):
        raise InputError(f"cannot write {output}: the name must end in .csv, .tsv or .parquet")
    if not output.resolve().parent.is_dir():
        raise InputError(f"cannot write {output}: there is no folder {output.resolve().parent}")
    if output.exists() and file.exists() and output.samefile(file):
        raise InputError(f"--out {output} is the table itself: choose another name")
    if output.is_dir():
        raise InputError(f"cannot write {output}: it is a folder")
    if output.exists() and not force:
        raise InputError(f"{output} is there already: choose another name, or replace it with --force")


def _parameters(texts: list[str]) -> dict[str, Any]:
    """Read NAME=VALUE; a value that is no number, true or false is text."""
    found: dict[str, Any] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            raise InputError(f"--param {text}: write NAME=VALUE, such as k_neighbors=3")
        try:
            found[name.strip()] = {"true": True, "false": False}.get(value.lower(), ast.literal_eval(value))
        except (ValueError, SyntaxError):
            found[name.strip()] = {"true": True, "false": False}.get(value.lower(), value)
    return found


def _counts(texts: list[str]) -> dict[str, int]:
    found = {}
    for text in texts:
        label, equals, number = text.rpartition("=")
        if not equals or not number.strip().isdecimal():
            raise InputError(f"--counts {text}: write CLASS=ROWS, such as bad=500")
        found[label] = int(number)
    return found


def _write(dataset: FileDataset, original: pd.DataFrame, made: Table, output: Path) -> None:
    """Write the rows of the file and the new ones: as text where both are CSV, in the types of the columns else."""
    from ..datasets.csv_text import Dialect
    from ..datasets.readers import read_texts
    from ..leaderboard.export import replace_file
    from .augmenting import in_texts_of, in_types_of

    as_text = output.suffix.lower() != ".parquet"
    if as_text and dataset.path.suffix.lower() in (".csv", ".tsv"):
        texts, dialect = read_texts(dataset.path, dataset.encoding)
        new = {name: in_texts_of(made.X[name], original[name], texts[name]) for name in made.X.columns}
        content = _csv(_joined(texts, new, dataset, made), dialect, output)
    else:
        new = {name: in_types_of(made.X[name], original[name]) for name in made.X.columns}
        whole = _joined(original, new, dataset, made)
        content = _csv(whole, Dialect("utf-8", ","), output) if as_text else _parquet(whole)
    replace_file(output, content)


def _joined(rows: pd.DataFrame, new: dict[str, pd.Series], dataset: FileDataset, made: Table) -> pd.DataFrame:
    """Return the rows and the new ones below, columns as they were, marked in the last one."""
    import pandas as pd

    from .augmenting import values_of_classes

    target = rows[dataset.target]
    values = values_of_classes(dataset.load().y, target)
    new = new | {dataset.target: pd.Series([values[int(code)] for code in made.y], dtype=target.dtype)}
    columns = {}
    for name in rows.columns:
        column = rows[name]
        if name not in new and column.dtype.kind in "iub":
            # whole numbers and true or false stay what they are above the empty cells
            column = column.convert_dtypes()
        below = new.get(name, pd.Series([None] * len(made.y), dtype=object))
        columns[name] = pd.concat([column, below.astype(column.dtype)], ignore_index=True)
    columns[MARK] = pd.Series([False] * len(rows) + [True] * len(made.y))
    return pd.DataFrame(columns)


def _csv(frame: pd.DataFrame, dialect: Dialect, output: Path) -> bytes:
    separator = "\t" if output.suffix.lower() == ".tsv" else dialect.separator
    try:
        text = frame.to_csv(sep=separator, index=False, lineterminator=dialect.line_end)
        return text.encode(dialect.encoding)
    except UnicodeEncodeError as error:
        raise InputError(f"cannot write {output} in the encoding {dialect.encoding}: {error}") from None


def _parquet(frame: pd.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.to_parquet(buffer, index=False)
    return buffer.getvalue()
