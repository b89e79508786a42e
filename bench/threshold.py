"""The decision: the most probable class, or the one after offsets that maximise macro F1 on out-of-fold rows."""

from __future__ import annotations

import numpy as np

#: probabilities are raised to this before the logarithm
FLOOR = 1e-12
#: log-odds closer than this are one score, whatever the rounding
TIE = 1e-9
#: limit of rounds of coordinate ascent, for more than two classes
SWEEPS = 10


def decide(probabilities: np.ndarray, offsets: np.ndarray | None = None) -> np.ndarray:
    """Return the class of each row.

    Parameters
    ----------
    probabilities : numpy.ndarray of shape (n_rows, K)
        Predicted probabilities.
    offsets : numpy.ndarray of shape (K,), optional
        Added to the log-probabilities; None for the default decision.

    Returns
    -------
    numpy.ndarray of shape (n_rows,), int64
        The code of the largest value, on a tie (with offsets: up to rounding) the lowest code.

    Examples
    --------
    >>> decide(np.array([[0.8, 0.2], [0.4, 0.6]]))
    array([0, 1])
    >>> decide(np.array([[0.8, 0.2], [0.4, 0.6]]), np.array([0.0, np.log(9)]))
    array([1, 1])
    """
    if offsets is None:
        return np.asarray(probabilities).argmax(axis=1)
    return _first_largest(_log(probabilities) + offsets)


def tune_offsets(y_true: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Find offsets of the log-probabilities that maximise macro F1.

    Two classes: all cuts of the sorted log-odds are tried, in O(n log n), and the offset lies midway between the two
    neighbouring scores; of several best cuts the middle one by rank. More classes: coordinate ascent, each step the
    same exact search for one class, from two starts (log-probabilities centred over all rows, and over each class's own
    rows), the better result.

    The result moves with the probabilities: if they are corrected for other priors (multiplied by weights and
    renormalised), the decisions stay the same, so a method that merely shifts probabilities gains nothing here
    (up to probabilities below 1e-12, which are raised to that).

    Parameters
    ----------
    y_true : numpy.ndarray of shape (n_rows,)
        Class codes of real rows that the classifier was not fitted to.
    probabilities : numpy.ndarray of shape (n_rows, K)
        Its predictions.

    Returns
    -------
    numpy.ndarray of shape (K,)
        The offsets; that of class 0 is 0.

    Examples
    --------
    >>> p = np.array([0.01, 0.02, 0.2, 0.3])
    >>> decide(np.column_stack([1 - p, p]), tune_offsets(np.array([0, 0, 1, 1]), np.column_stack([1 - p, p])))
    array([0, 0, 1, 1])
    """
    y = np.asarray(y_true, dtype=np.int64)
    values = _log(probabilities)
    n_classes = values.shape[1]
    if n_classes == 2:
        return np.array([0.0, _best_cut(y, values, 1)[0]])
    centred = values - values.mean(axis=1, keepdims=True)
    own = [centred[y == k, k] if (y == k).any() else centred[:, k] for k in range(n_classes)]
    starts = (-centred.mean(axis=0), -np.array([column.mean() for column in own]))
    (first, first_score), (second, second_score) = (_ascend(y, values, start) for start in starts)
    offsets = second if second_score > first_score + 1e-12 else first
    return offsets - offsets[0]


def _log(probabilities: np.ndarray) -> np.ndarray:
    return np.log(np.maximum(np.asarray(probabilities, dtype=float), FLOOR))


def _first_largest(values: np.ndarray) -> np.ndarray:
    """Return for each row the first column that is the largest, up to rounding."""
    return (values >= values.max(axis=1, keepdims=True) - TIE).argmax(axis=1)


def _ascend(y: np.ndarray, values: np.ndarray, start: np.ndarray) -> tuple[np.ndarray, float]:
    """Improve one offset after the other until a whole round gains nothing; return offsets and macro F1."""
    offsets, best = start.copy(), -1.0
    for _ in range(SWEEPS):
        before = best
        for k in range(len(offsets)):
            shift, score = _best_cut(y, values + offsets, k)
            if score > best + 1e-12:
                offsets[k] += shift
                best = score
        if best <= before + 1e-12:
            break
    return offsets, best


def _best_cut(y: np.ndarray, values: np.ndarray, k: int) -> tuple[float, float]:
    """Find the best number to add to the values of class k, all others fixed.

    Parameters
    ----------
    y : numpy.ndarray of shape (n_rows,)
        Class codes.
    values : numpy.ndarray of shape (n_rows, K)
        The largest one decides.
    k : int
        The class.

    Returns
    -------
    shift, score : float
        What to add, and macro F1 after it.
    """
    n, n_classes = values.shape
    others = values.copy()
    others[:, k] = -np.inf
    rival = _first_largest(others)
    margin = values[:, k] - others[np.arange(n), rival]
    order = np.argsort(-margin, kind="stable")
    margin, y, rival = margin[order], y[order], rival[order]
    # a cut after the first c rows (by margin, descending) gives them class k and leaves the others to their rivals
    cuts = np.concatenate([[0], 1 + np.flatnonzero(margin[:-1] - margin[1:] > TIE), [n]])
    score = np.zeros(len(cuts))
    for code in range(n_classes):
        hit = (y == k) if code == k else (rival == code) & (y == code)
        right = np.concatenate([[0], np.cumsum(hit)])[cuts]
        if code == k:
            predicted = cuts
        else:
            claimed = np.concatenate([[0], np.cumsum(rival == code)])
            right, predicted = np.count_nonzero(hit) - right, claimed[-1] - claimed[cuts]
        score += 2 * right / np.maximum(predicted + np.count_nonzero(y == code), 1)
    best = np.flatnonzero(score >= score.max() - 1e-12)
    chosen = int(best[len(best) // 2])
    c = int(cuts[chosen])
    above = margin[c - 1] if c > 0 else margin[0] + 2
    below = margin[c] if c < n else margin[-1] - 2
    return float(-(above + below) / 2), float(score[chosen] / n_classes)
