"""What every part of augbench raises on bad input, and the search for the name that was meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class InputError(ValueError):
    """Bad input from a person: a name, a file, a table, a suite. The message is one line that says what to do.

    The command line prints the message without a traceback and ends with exit code 2.
    """


def unknown_name(kind: str, name: str, valid: Iterable[str]) -> InputError:
    """Build the error for a name that does not exist, with the nearest valid ones.

    Parameters
    ----------
    kind : str
        What was looked for, e.g. ``"method"``.
    name : str
        What was asked.
    valid : iterable of str
        All names that exist.

    Returns
    -------
    InputError
        The error, to be raised by the caller.

    Examples
    --------
    >>> print(unknown_name("method", "smoet", ["smote", "adasyn"]))
    unknown method 'smoet': did you mean 'smote'?
    """
    names = list(valid)
    near = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
    near = near or [one for one in names if len(name) > 1 and name in one][:3]
    if near:
        meant = " or ".join(f"'{one}'" for one in near)
        return InputError(f"unknown {kind} '{name}': did you mean {meant}?")
    return InputError(f"unknown {kind} '{name}': there are {', '.join(sorted(names))}")
