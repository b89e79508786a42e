"""Methods that add no row: what they reach, no generator has to be trained for."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from .contract import Adjuster


class ClassWeight(Adjuster):
    """Balanced class weights: a row of class k weighs n / (K n_k), K the number of classes that have rows.

    Examples
    --------
    >>> ClassWeight().sample_weight(np.array([0, 0, 0, 1]))
    array([0.66666667, 0.66666667, 0.66666667, 2.        ])
    """

    role: ClassVar[str] = "control"
    family: ClassVar[str] = "adjusters"

    def sample_weight(self, y: np.ndarray) -> np.ndarray:
        """Return the balanced weights, shape (n_rows,); they sum to n_rows."""
        counts = np.bincount(y)
        return (len(y) / (np.count_nonzero(counts) * np.maximum(counts, 1)))[y]


class PriorShift(Adjuster):
    r"""Probabilities corrected for the class prior (an intercept shift), nothing else.

    .. math:: p'_k \propto p_k / \pi_k

    with :math:`\pi_k` the share of class k in the training rows: the posterior that the same class densities would
    give if all classes were equally frequent [1]_. A class without training rows keeps probability 0.

    References
    ----------
    .. [1] M. Saerens, P. Latinne, C. Decaestecker, "Adjusting the outputs of a classifier to new a priori
       probabilities", Neural Computation 14 (2002), 21-41.

    Examples
    --------
    >>> PriorShift().adjust(np.array([[0.75, 0.25]]), np.array([0, 0, 0, 1]))
    array([[0.5, 0.5]])
    """

    role: ClassVar[str] = "control"
    family: ClassVar[str] = "adjusters"

    def adjust(self, probabilities: np.ndarray, y_train: np.ndarray) -> np.ndarray:
        """Divide by the training prior and renormalise.

        Parameters
        ----------
        probabilities : numpy.ndarray of shape (n_rows, K)
        y_train : numpy.ndarray of shape (n_train,)
            Class codes of the real training rows.

        Returns
        -------
        numpy.ndarray of shape (n_rows, K)
            A new array; a row without any probability on a training class stays as it is.
        """
        counts = np.bincount(y_train, minlength=probabilities.shape[1])
        shifted = probabilities * np.divide(len(y_train), counts, out=np.zeros(len(counts)), where=counts > 0)
        total = shifted.sum(axis=1, keepdims=True)
        return np.divide(shifted, total, out=probabilities.astype(float), where=total > 0)


class ThresholdTuned(Adjuster):
    """The decision threshold, tuned for macro F1 by cross-validation inside the training rows.

    The harness tunes one offset of the log-probability for each class on out-of-fold training rows, for every method;
    this one uses it for its decision and changes nothing else.
    """

    role: ClassVar[str] = "control"
    family: ClassVar[str] = "adjusters"
    min_per_class: ClassVar[int] = 3
    tuned_decision: ClassVar[bool] = True
