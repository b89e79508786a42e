"""Several tests at once: Holm's correction, and on how many of a few data sets an effect is there."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .posterior import finite


def holm(p_values: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Holm's step-down correction: ``p̃_(i) = max_{j ≤ i} min(1, (m − j + 1) · p_(j))``.

    Parameters
    ----------
    p_values : array-like of shape (m,)
        The family. NaN stands for a comparison that was not made: it stays NaN and does not count in m.

    Returns
    -------
    numpy.ndarray of shape (m,)
        Corrected p-values in the order given.

    Raises
    ------
    ValueError
        It is no list of p-values.

    References
    ----------
    S. Holm, "A simple sequentially rejective multiple test procedure", Scandinavian J. of Statistics 6 (1979), 65-70.
    """
    array = np.asarray(p_values, dtype=float)
    if array.ndim != 1:
        raise ValueError(f"p_values has to be one-dimensional, found shape {array.shape}")
    if ((array < 0) | (array > 1)).any():
        raise ValueError(f"p_values has to be between 0 and 1, found {np.nanmin(array):g} to {np.nanmax(array):g}")
    corrected = np.full(array.shape, np.nan)
    made = np.flatnonzero(~np.isnan(array))
    order = made[np.argsort(array[made], kind="stable")]
    # statsmodels' multipletests collects garbage at every call, a tenth of a second in a large process
    stepped = array[order] * np.arange(len(order), 0, -1)
    corrected[order] = np.minimum(1.0, np.maximum.accumulate(stepped))
    return corrected


def partial_conjunction_count(p_values: npt.ArrayLike, alpha: float = 0.05) -> int:
    """Return on how many of a few data sets an effect is there, at least, with confidence 1 − α.

    The p-value of "fewer than u of n effects" is ``(n − u + 1) · p_(u)``; the count is the largest u for which this and
    all before it are at most α. The Bonferroni form: right whatever the dependence.

    Parameters
    ----------
    p_values : array-like of shape (n,)
        One p-value per data set.
    alpha : float
        Error rate of the count being too large.

    Returns
    -------
    int
        Between 0 and n.

    References
    ----------
    Y. Benjamini and R. Heller, "Screening for partial conjunction hypotheses", Biometrics 64 (2008), 1215-1222;
    R. Dror et al., "Replicability analysis for natural language processing", TACL 5 (2017), 471-486.

    Examples
    --------
    >>> partial_conjunction_count([0.001, 0.02, 0.3])
    2
    """
    ordered = np.sort(finite(p_values, "p_values"))
    conjunction = np.maximum.accumulate(ordered * np.arange(len(ordered), 0, -1))
    return int((conjunction <= alpha).sum())
