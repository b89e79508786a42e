"""Windows of consecutive rows, and what is held out of training rows to set a detector's threshold on."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view


def windows_of(series: np.ndarray, length: int) -> tuple[np.ndarray, np.ndarray]:
    """Return all windows of consecutive rows of each series.

    Parameters
    ----------
    series : numpy.ndarray of shape (n_rows,)
        Which series each row belongs to; rows of a series stand in the order of time.
    length : int
        Rows of a window.

    Returns
    -------
    rows : numpy.ndarray of shape (n_windows, length), int
        Row numbers. A series that is shorter than a window has one, filled up in front with its first row: every row
        stands in at least one window.
    full : numpy.ndarray of shape (n_windows,), bool
        False where a window had to be filled up.

    Examples
    --------
    >>> rows, full = windows_of(np.array([7, 7, 7, 2]), 2)
    >>> rows.tolist(), full.tolist()
    ([[3, 3], [0, 1], [1, 2]], [False, True, True])
    """
    order = np.argsort(series, kind="stable")
    starts = 1 + np.flatnonzero(series[order][1:] != series[order][:-1])
    rows, full = [np.empty((0, length), dtype=int)], [np.empty(0, dtype=bool)]
    for own in np.split(order, starts) if len(order) else []:
        missing = length - len(own)
        found = sliding_window_view(np.r_[np.repeat(own[:1], missing), own] if missing > 0 else own, length)
        rows.append(found)
        full.append(np.full(len(found), missing <= 0))
    return np.concatenate(rows), np.concatenate(full)


def windows_within(series: np.ndarray, allowed: np.ndarray, length: int) -> np.ndarray:
    """Return the windows that hold allowed rows only.

    Parameters
    ----------
    series : numpy.ndarray of shape (n_rows,)
        As in `windows_of`.
    allowed : numpy.ndarray of shape (n_rows,), bool
    length : int

    Returns
    -------
    numpy.ndarray of shape (n_windows, length), int
        Row numbers. Where nowhere so many allowed rows follow each other, stretches of fewer are filled up as in
        `windows_of`; there is at least one window if a row is allowed.
    """
    order = np.argsort(series, kind="stable")
    breaks = np.r_[False, series[order][1:] != series[order][:-1]] | ~allowed[order]
    stretch = np.empty(len(series), dtype=int)
    stretch[order] = np.cumsum(breaks)
    at = np.flatnonzero(allowed)
    rows, full = windows_of(stretch[at], length)
    return at[rows[full] if full.any() else rows]


def held_out(normal: np.ndarray, series: np.ndarray | None, share: float, rng: np.random.Generator) -> np.ndarray:
    """Choose the normal training rows on which a threshold is set, and which are kept out of training.

    Without series they are chosen at random. Of several series whole ones are, in random order as long as the share is
    not exceeded, and at least one (the smallest, if all are larger than the share): neighbours in time are alike, and
    rows that a detector is used on come from series that it has not seen. Of a single series the last rows are chosen.

    Parameters
    ----------
    normal : numpy.ndarray of int
        The normal rows.
    series : numpy.ndarray of shape (n_rows,), optional
        Which series each training row belongs to.
    share : float
        Of the normal rows that are wanted; at least one is chosen, and never all unless there is only one.

    Returns
    -------
    numpy.ndarray of int
        Row numbers, sorted.
    """
    wanted = int(np.clip(round(share * len(normal)), 1, max(1, len(normal) - 1)))
    if series is None:
        return np.sort(rng.permutation(normal)[:wanted])
    known, of, sizes = np.unique(series[normal], return_inverse=True, return_counts=True)
    if len(known) == 1:
        return normal[-wanted:]
    chosen, held = [], 0
    for one in rng.permutation(len(known)):
        if held + sizes[one] <= wanted:
            chosen.append(one)
            held += sizes[one]
    return normal[np.isin(of, chosen or [sizes.argmin()])]
