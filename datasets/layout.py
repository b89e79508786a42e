"""How the rows stand in a file: what an entry of the table of sources says to the reader (`tabular`)."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..errors import InputError

FORMATS = ("csv", "words", "arff", "xls", "npz")


@dataclass(frozen=True)
class Layout:
    """The form of a file, and which of its columns mean what.

    Attributes
    ----------
    format : str
        ``"csv"``; ``"words"`` (separated by white space); ``"arff"``; ``"xls"``; ``"npz"`` (imbalanced-learn's cache:
        the arrays ``data`` and ``label``).
    separator : str
        Of a csv.
    header : bool
        Whether the first line names the columns.
    columns : tuple of str
        Names of all columns, where there is no header or another one is wanted; by default x1, x2, ...
    skip : int
        Lines above the first row that are left out, where `header` is false.
    target : str
        The column of the class; by default the last.
    codes : tuple of str
        How each class is written in the file, in the order of `Source.classes`; by default as there.
    drop : dict of str to str
        Columns that are left out, and why: ids, and what gives the class away.
    missing : tuple of str
        Cells of the features that are missing, beside empty ones.
    nominal : tuple of str
        Columns whose values are categories though they may be numbers. ``("text",)``, the default: those with a cell
        that is no number; ``("all",)``: every one.
    letters : str
        A column that is split into its letters, a column each.
    unlabelled : int
        Rows without a class; they are left out.
    """

    format: str = "csv"
    separator: str = ","
    header: bool = True
    columns: tuple[str, ...] = ()
    skip: int = 0
    target: str = ""
    codes: tuple[str, ...] = ()
    drop: dict[str, str] = field(default_factory=dict)
    missing: tuple[str, ...] = ("?",)
    nominal: tuple[str, ...] = ("text",)
    letters: str = ""
    unlabelled: int = 0

    def __post_init__(self) -> None:
        if self.format not in FORMATS:
            raise InputError(f"layout: format '{self.format}' is none of {', '.join(FORMATS)}")
        if self.columns and self.target and self.target not in self.columns:
            raise InputError(f"layout: the target '{self.target}' is none of the columns")
        unknown = [name for name in self.drop if self.columns and name not in self.columns]
        if unknown:
            raise InputError(f"layout: column '{unknown[0]}' to drop is none of the columns")

    def is_nominal(self, name: str, numeric: bool) -> bool:
        """Tell whether a feature is categorical."""
        if self.nominal == ("all",):
            return True
        return not numeric if self.nominal == ("text",) else name in self.nominal
