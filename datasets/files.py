"""One's own table: a file and a target column, checked so that nothing surprising reaches the benchmark."""

from __future__ import annotations

import datetime
import hashlib
import shlex
import warnings
from collections.abc import Iterable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ..errors import InputError, unknown_name
from ..provenance import digest
from .columns import stray_words
from .contract import DatasetInfo, FiniteDataset, Table
from .readers import read_frame

_MOST_CLASSES = 50
_LARGEST = 1e100
_MOST_LEVELS = 50  # text with more distinct values than this, and than half the rows, is no category
_STRAY = "holds numbers, but"


def read_table(
    path: str | Path,
    target: str,
    drop: Iterable[str] = (),
    *,
    categorical: Iterable[str] = (),
    positive: str = "",
    encoding: str = "",
) -> FileDataset:
    r"""Read one's own table.

    Booleans and numbers become float64 columns, text and categories categorical ones; feature cells may be missing.

    Parameters
    ----------
    path : str or pathlib.Path
        A ``.csv``, ``.tsv``, ``.parquet`` or ``.arff`` file (see `read_frame`).
    target : str
        The column that holds the class.
    drop : iterable of str
        Columns to leave out.
    categorical : iterable of str
        Columns of numbers that are codes, such as postcodes: read as categories, so that no method makes a value
        between two of them.
    positive : str
        The class of interest; empty: the rarest. It changes what is said of the results, no score.
    encoding : str
        Of a CSV file that is not Unicode.

    Returns
    -------
    FileDataset
        The dataset, read and checked; its name is the file's name without the suffix.

    Raises
    ------
    InputError
        The file cannot be read, a named column does not exist, or the table does not fit the benchmark. The message
        is one line that names the file and the column and says what to do.

    Warns
    -----
    UserWarning
        A column only numbers the rows: in a file sorted by class it would give the class away.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "flowers.csv"
    ...     _ = path.write_text("length,colour,kind\n1.5,red,a\n2,blue,b\n1,red,a\n3,blue,b\n")
    ...     info = read_table(path, target="kind").info
    >>> info.name, info.classes, info.n_numeric, info.n_categorical
    ('flowers', ('a', 'b'), 1, 1)
    """
    return FileDataset(path, target, drop, categorical=categorical, positive=positive, encoding=encoding)


class FileDataset(FiniteDataset):
    """A table read from a file; see `read_table`, which describes the parameters and errors."""

    def __init__(
        self,
        path: str | Path,
        target: str,
        drop: Iterable[str] = (),
        *,
        categorical: Iterable[str] = (),
        positive: str = "",
        encoding: str = "",
    ) -> None:
        self.path = Path(path)
        self.target = target
        self.drop, self.categorical = _distinct(drop), _distinct(categorical)
        self.encoding = encoding
        self._table: Table | None
        self._table, classes = self._parse()
        self._info = facts(
            self._table,
            classes,
            name=self.path.stem,
            description=f"{self.path.name}, class in column '{target}'",
            content_hash=self._content_hash(),
            source=str(self.path),
            positive=check_positive(self.path, positive, classes),
        )

    def _parse(self) -> tuple[Table, tuple[str, ...]]:
        return parse_table(self.path, read_frame(self.path, self.encoding), self.target, self.drop, self.categorical)

    def _content_hash(self) -> str:
        try:
            with self.path.open("rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise InputError(f"{self.path} cannot be read: {error.strerror or error}") from None
        given = {"encoding": self.encoding, "categorical": list(self.categorical)}
        given = {name: value for name, value in given.items() if value}
        return digest({"file": found, "target": self.target, "drop": list(self.drop), **given})

    def __getstate__(self) -> dict[str, Any]:
        """Leave the rows out: a worker reads the file again."""
        return {**self.__dict__, "_table": None}

    @property
    def info(self) -> DatasetInfo:
        """Facts found when the file was read."""
        return self._info

    def load(self) -> Table:
        """Return all rows.

        Raises
        ------
        InputError
            The file is gone, or is no longer the one that was read first.
        """
        if self._table is None:
            if self._content_hash() != self._info.content_hash:
                raise InputError(f"{self.path} has changed since the run was planned: start again")
            self._table, _ = self._parse()
        return self._table


class FrameDataset(FiniteDataset):
    """A table in memory, in the manner of `FileDataset`.

    Parameters
    ----------
    X : pandas.DataFrame of shape (n_rows, n_features)
        The features, columns named by text.
    y : pandas.Series of shape (n_rows,)
        The classes.
    name, positive : str
        As `DatasetInfo`.
    """

    def __init__(self, X: pd.DataFrame, y: pd.Series, name: str = "table", positive: str = "") -> None:
        self._table, classes = typed_table(name, X, y)
        rows = pd.util.hash_pandas_object(self._table.X, index=False).to_numpy()
        self._info = facts(
            self._table,
            classes,
            name=name,
            description="a table in memory",
            content_hash=digest(
                [hashlib.sha256(rows.tobytes() + self._table.y.tobytes()).hexdigest(), list(X.columns), list(classes)]
            ),
            positive=check_positive(name, positive, classes),
        )

    @property
    def info(self) -> DatasetInfo:
        """Facts found when the table was checked."""
        return self._info

    def load(self) -> Table:
        """Return all rows."""
        return self._table


def facts(table: Table, classes: tuple[str, ...], **more: str) -> DatasetInfo:
    """Return what is known of one's own table; `more` is what cannot be counted."""
    n_numeric = sum(dtype == np.float64 for dtype in table.X.dtypes)
    return DatasetInfo(
        group="yours",
        classes=classes,
        class_counts=tuple(np.bincount(table.y, minlength=len(classes)).tolist()),
        n_numeric=n_numeric,
        n_categorical=table.X.shape[1] - n_numeric,
        missing=bool(table.X.isna().to_numpy().any()),
        **more,  # type: ignore[arg-type]
    )


def check_positive(where: object, positive: str, classes: tuple[str, ...]) -> str:
    """Return the class of interest if there is such a class."""
    if positive and positive not in classes:
        raise InputError(f"{where}: {unknown_name('class', positive, classes)}")
    return positive


def _distinct(names: Iterable[str]) -> tuple[str, ...]:
    """Return names in order; a single text is one name."""
    return tuple(sorted({names} if isinstance(names, str) else set(names)))


def parse_table(
    path: Path | str, frame: pd.DataFrame, target: str, drop: Iterable[str], categorical: Iterable[str] = ()
) -> tuple[Table, tuple[str, ...]]:
    """Check a table that has its target among its columns; return its rows and class labels.

    Raises
    ------
    InputError
        As `read_table`.
    """
    columns = list(frame.columns)
    if target not in columns:
        raise InputError(f"{path}: {unknown_name('target column', target, columns)}")
    drop = _known(path, drop, columns, "column to drop")
    codes = _known(path, categorical, columns, "categorical column")
    if target in drop:
        raise InputError(f"{path}: column '{target}' is the target and cannot be dropped as well")
    for name in set(codes) - {target, *drop}:
        frame = frame.assign(**{name: frame[name].map(label_of, na_action="ignore").astype("category")})
    return typed_table(path, frame.drop(columns=[target, *drop]), frame[target])


def _known(path: Path | str, names: Iterable[str], columns: list[str], what: str) -> list[str]:
    """Return names of columns, those in one text with commas apart; raise where there is no such column."""
    names = [part for name in names for part in ([name] if name in columns else name.split(","))]
    for name in names:
        if name not in columns:
            raise InputError(f"{path}: {unknown_name(what, name, columns)}")
    return names


def typed_table(path: Path | str, features: pd.DataFrame, target: pd.Series) -> tuple[Table, tuple[str, ...]]:
    """Check features and target; return the rows, in the types of the contract, and class labels.

    Raises
    ------
    InputError
        As `read_table`; its message begins with `path`.
    """
    if not len(target):
        raise InputError(f"{path} has no rows")
    y, classes = _encode_target(path, target)
    if features.shape[1] == 0:
        raise InputError(f"{path} has no feature column left beside the target '{target.name}'")
    _check_variation(path, features)
    typed = {name: _typed(path, features[name]) for name in features.columns}
    X = pd.DataFrame(typed)
    _check_finite(path, X)
    _warn_of_row_numbers(path, X)
    return Table(X, y, None), classes


def _drop_hint(path: Path | str, names: Iterable[str]) -> str:
    """Return the words that tell how to leave columns out: of a file by an option, in memory by hand."""
    names = list(names)
    if not isinstance(path, Path):
        return f"leave {'it' if len(names) == 1 else 'them'} out"
    options = " ".join(f"--drop {shlex.quote(name)}" for name in names)
    return f"leave {'it' if options.count('--drop ') == 1 else 'them'} out with {options}"


def _listed(names: Sequence[str]) -> str:
    """Return ``column 'a'`` or ``columns 'a', 'b'``."""
    return f"column{'s' if len(names) > 1 else ''} " + ", ".join(f"'{name}'" for name in names)


def _encode_target(path: Path | str, column: pd.Series) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return class codes and labels, labels in order (as numbers where all of them are numbers)."""
    where = f"{path}: target '{column.name}'"
    missing = int(column.isna().sum())
    if missing:
        cells = "1 missing cell" if missing == 1 else f"{missing} missing cells"
        raise InputError(f"{where} has {cells} in {len(column)} rows: remove those rows, or fill in their class")
    labels = np.array([label_of(value) for value in column], dtype=object)
    found = sorted(set(labels), key=_label_order)
    if len(found) == 1:
        raise InputError(f"{where} has only one class, '{found[0]}': there must be at least 2")
    if len(found) > _MOST_CLASSES:
        raise InputError(
            f"{where} has {len(found)} distinct values in {len(column)} rows, more than {_MOST_CLASSES}: it looks "
            f"continuous or like an id; name a column that holds classes"
        )
    code = {label: k for k, label in enumerate(found)}
    y = np.array([code[label] for label in labels], dtype=np.int64)
    single = [found[k] for k in np.flatnonzero(np.bincount(y) == 1)]
    if single:
        named = ", ".join(f"'{label}'" for label in single)
        word = "class" if len(single) == 1 else "each of the classes"
        raise InputError(
            f"{where}: {word} {named} has one row only, which cannot be both in the training and in the test rows: "
            f"remove it or merge it with another class"
        )
    return y, tuple(found)


def label_of(value: object) -> str:
    """Return a class label as text, whole numbers without decimals."""
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    return str(value)


def _label_order(label: str) -> tuple[int, float, str]:
    """Sort numbers as numbers, before other labels."""
    try:
        number = float(label)
    except ValueError:
        return (1, 0.0, label)
    return (0, number, label) if np.isfinite(number) else (1, 0.0, label)


def _check_variation(path: Path | str, features: pd.DataFrame) -> None:
    """Refuse columns that hold no information: without any value, or with the same value throughout."""
    absent = [name for name in features.columns if features[name].isna().all()]
    constant = [name for name in features.columns if name not in absent and _is_constant(features[name])]
    problems = []
    if absent:
        problems.append(f"{_listed(absent)} {'have' if len(absent) > 1 else 'has'} no value at all")
    if constant:
        problems.append(f"{_listed(constant)} {'hold' if len(constant) > 1 else 'holds'} one value only")
    if problems:
        raise InputError(f"{path}: {' and '.join(problems)}: {_drop_hint(path, [*absent, *constant])}")


def _is_constant(column: pd.Series) -> bool:
    try:
        return column.nunique(dropna=True) == 1
    except TypeError:  # lists or dicts in the cells: refused with a word of its own by `_typed`
        return False


def _typed(path: Path | str, column: pd.Series) -> pd.Series:
    """Return a feature column as float64 or categorical."""
    where = f"{path}: column '{column.name}'"
    if isinstance(column.dtype, pd.CategoricalDtype):
        return _categorical(path, column)
    if pd.api.types.is_complex_dtype(column):
        raise InputError(f"{where} holds complex numbers: {_drop_hint(path, [str(column.name)])}")
    if pd.api.types.is_bool_dtype(column) or pd.api.types.is_numeric_dtype(column):
        return pd.Series(column.to_numpy(dtype=np.float64, na_value=np.nan), name=column.name)
    present = column.dropna()
    if pd.api.types.is_datetime64_any_dtype(column) or pd.api.types.is_timedelta64_dtype(column) or _any_date(present):
        raise InputError(f"{where} holds dates or times: {_drop_hint(path, [str(column.name)])}")
    if all(isinstance(value, bool | int | float | Decimal | np.bool_ | np.number) for value in present):
        return pd.Series(column.map(float, na_action="ignore").to_numpy(dtype=np.float64), name=column.name)
    if any(isinstance(value, list | dict | set | tuple | np.ndarray) for value in present):
        raise InputError(f"{where} holds lists or records: {_drop_hint(path, [str(column.name)])}")
    return _categorical(path, column)


def _any_date(values: pd.Series) -> bool:
    return any(isinstance(value, datetime.date | datetime.time | datetime.timedelta) for value in values)


def _categorical(path: Path | str, column: pd.Series) -> pd.Series:
    """Return text as categories in order, unless it looks like free text."""
    where = f"{path}: column '{column.name}'"
    text = column.astype(object).map(str, na_action="ignore")
    levels = sorted(text.dropna().unique())
    why = "" if isinstance(column.dtype, pd.CategoricalDtype) else _almost_numbers(text.dropna())
    if len(levels) > _MOST_LEVELS and 2 * len(levels) > len(text):
        what = why or f"looks like free text ({len(levels)} distinct values in {len(text)} rows)"
        raise InputError(f"{where} {what}{', or' if why else ':'} {_drop_hint(path, [str(column.name)])}")
    if _STRAY in why:
        warnings.warn(f"{where} is read as categories: it {why}", UserWarning, stacklevel=7)
    return pd.Series(pd.Categorical(text, categories=levels), name=column.name)


def _almost_numbers(text: pd.Series) -> str:
    """Return what a column of text is that was meant as numbers, and what to do; empty for another one."""
    words = stray_words(text)
    if words is None:
        return ""
    if not len(words):
        return "holds numbers written as text; make them numbers"
    cells = f"{len(words)} of {len(text)} cells {'is' if len(words) == 1 else 'are'} none"
    return f"{_STRAY} {cells}, such as '{words.iloc[0]}'; make those empty"


def _check_finite(path: Path | str, X: pd.DataFrame) -> None:
    """Refuse infinite cells, and those whose square would be infinite."""
    numeric = X.select_dtypes(np.float64)
    limit = numeric.abs() > _LARGEST
    bad = [str(name) for name in numeric.columns if limit[name].any()]
    if bad:
        cells = int(limit.to_numpy().sum())
        raise InputError(
            f"{path}: infinite values, or beyond 1e100, in {_listed(bad)} ({cells} cell{'s' if cells > 1 else ''}): "
            f"replace them by numbers or empty cells, or {_drop_hint(path, bad)}"
        )


def _warn_of_row_numbers(path: Path | str, X: pd.DataFrame) -> None:
    """Warn of columns that count the rows: the id of a file sorted by class gives the class away."""
    for name in X.select_dtypes(np.float64).columns:
        values = X[name].to_numpy()
        if len(values) > 2 and np.array_equal(values, values[0] + np.arange(len(values))):
            warnings.warn(
                f"{path}: column '{name}' only numbers the rows and may give the class away: "
                f"{_drop_hint(path, [str(name)])}",
                UserWarning,
                stacklevel=7,
            )
