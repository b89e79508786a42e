"""Logistic regression: Newton's method for two classes and few columns, many at once; else scikit-learn's L-BFGS."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import expit
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression

from .stacking import TrainingSet, padded, padded_size, stacks

#: up to so many columns a Newton step costs less than the further steps of L-BFGS
NEWTON_COLUMNS = 100
#: cells (replicates × rows × columns) of one stack at most: beyond the caches a stack is slower than a loop. Measured
#: by benchmarks/stacked_classifiers.py (10 columns, one thread of a busy machine): how many times as fast as a loop
#: of our own code one stack of all is, and as scikit-learn's newton-cholesky is what is done with this limit:
#:
#:     rows                 50            200           1,000         5,000         20,000
#:     replicates       5   20   50   5   20   50   5   20   50   5   20   50   5   20   50
#:     loop / stack    2.9 12.9 16.7 2.8  7.1  3.1 1.7  1.9  2.0 1.1  0.8  0.9 1.0  0.7  0.4
#:     scikit-learn's  9.4 40.2 26.3 8.0 13.3 15.2 6.1  4.1  1.7 2.1  1.3  1.2 0.8  0.7  0.9
#:
#: At 10 columns the limit is the loop from 5,000 rows on.
STACK_CELLS = 100_000
#: size of a Newton step, in standardised columns, after which the solution is not improved: the next is its square
STEP = 1e-9
#: halvings of a Newton step before it is given up
HALVINGS = 30


class PenalisedLogisticRegression(ClassifierMixin, BaseEstimator):
    """Logistic regression with an L2 penalty (multinomial for more than two classes).

    scikit-learn's objective: the mean of the log-losses, weighted by `sample_weight`, and a penalty on the weights but
    not on the intercept. Two classes and up to 100 columns are solved by Newton's method, several training sets at
    once (`fit_stack`), to the last digits; the rest by L-BFGS, to its tolerance (coefficients to about two
    digits after the point). Both are deterministic.

    Parameters
    ----------
    C : float, default=1.0
        Inverse of the penalty's strength.
    max_iter : int, default=5000
        Limit of solver steps; not reached on standardised columns.

    Attributes
    ----------
    classes_ : numpy.ndarray of shape (K,)
        Class codes of the training rows.
    coef_ : numpy.ndarray of shape (K, p), or (1, p) for two classes
        Weights.
    intercept_ : numpy.ndarray of shape (K,) or (1,)
        Intercepts.

    Examples
    --------
    >>> X = np.array([[0.0], [1.0], [2.0], [3.0]])
    >>> PenalisedLogisticRegression().fit(X, np.array([0, 0, 1, 1])).predict(X)
    array([0, 0, 1, 1])
    """

    def __init__(self, C: float = 1.0, max_iter: int = 5000) -> None:
        self.C = C
        self.max_iter = max_iter

    def fit(self, X: np.ndarray, y: np.ndarray, sample_weight: np.ndarray | None = None) -> PenalisedLogisticRegression:
        """Fit to X of shape (n, p) and class codes y of shape (n,), rows weighted by `sample_weight`."""
        fitted = self.fit_stack([self], [TrainingSet(X, y, sample_weight)])[0]
        if isinstance(fitted, BaseException):
            raise fitted
        return fitted

    @classmethod
    def fit_stack(
        cls, models: list[PenalisedLogisticRegression], sets: list[TrainingSet]
    ) -> list[PenalisedLogisticRegression | BaseException]:
        """Fit each model to its training set; return the models, or for each that cannot be fitted its error.

        A model is the same, to the last bit, whatever else is in the lists.
        """
        fitted: list[PenalisedLogisticRegression | BaseException] = list(models)
        by_newton = {}
        for i, (model, given) in enumerate(zip(models, sets, strict=True)):
            try:
                one = given.checked()
                if not model.C > 0:
                    raise ValueError(f"C must be above 0; found {model.C}")
                model.classes_ = np.unique(one.y)
                if len(model.classes_) == 2 and one.X.shape[1] <= NEWTON_COLUMNS:
                    by_newton[i] = one
                else:
                    model._fit_lbfgs(one)
            except ValueError as error:
                fitted[i] = error
        positions = list(by_newton)
        shapes = [(padded_size(len(by_newton[i].y)), by_newton[i].X.shape[1]) for i in positions]
        for dealt in stacks(shapes, [n * (p + 1) for n, p in shapes], STACK_CELLS):
            members = [positions[j] for j in dealt]
            _fit_newton([models[i] for i in members], [by_newton[i] for i in members])
        return fitted

    def _fit_lbfgs(self, one: TrainingSet) -> None:
        model = LogisticRegression(C=self.C, solver="lbfgs", max_iter=self.max_iter)
        model.fit(one.X, one.y, sample_weight=one.weight)
        self.coef_, self.intercept_ = model.coef_, model.intercept_

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """Return probabilities of shape (n, len(classes_))."""
        scores = np.asarray(X, dtype=float) @ self.coef_.T + self.intercept_
        if scores.shape[1] == 1:
            p = expit(scores)
            return np.hstack([1 - p, p])
        exponentials = np.exp(scores - scores.max(axis=1, keepdims=True))
        return exponentials / exponentials.sum(axis=1, keepdims=True)

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return the most probable class of each row."""
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


def _fit_newton(models: list[Any], sets: list[TrainingSet]) -> None:
    """Fit one stack; where Newton's method does not arrive, L-BFGS does it."""
    try:
        theta, arrived = _newton(models, sets)
    except np.linalg.LinAlgError:
        if len(models) == 1:
            models[0]._fit_lbfgs(sets[0])
            return
        # one of them has no Newton step (collinear columns without a penalty): the others have
        for model, one in zip(models, sets, strict=True):
            _fit_newton([model], [one])
        return
    for model, one, solution, good in zip(models, sets, theta, arrived, strict=True):
        if good:
            model.coef_, model.intercept_ = solution[None, :-1], solution[-1:]
        else:
            model._fit_lbfgs(one)


def _newton(models: list[Any], sets: list[TrainingSet]) -> tuple[np.ndarray, np.ndarray]:
    """Minimise the penalised mean log-loss of each training set by damped Newton steps.

    Parameters
    ----------
    models : list
        With `C`, `max_iter` and `classes_`.
    sets : list of TrainingSet
        The same padded size and number of columns in each.

    Returns
    -------
    theta : numpy.ndarray of shape (R, p + 1)
        Weights, and the intercept last.
    arrived : numpy.ndarray of shape (R,), bool
        Whether the last step was below `STEP`, or below what rounding lets through.
    """
    stack = _Stack(models, sets)
    n_replicates, width = len(models), stack.rows.shape[2]
    theta, arrived = np.zeros((n_replicates, width)), np.zeros(n_replicates, dtype=bool)
    place = np.arange(n_replicates)
    now, scores = theta.copy(), np.zeros(stack.weight.shape)
    loss, last = stack.loss(now, scores), np.full(n_replicates, np.inf)
    for _ in range(max(model.max_iter for model in models)):
        gradient, hessian = stack.derivatives(now, scores)
        step = -np.linalg.solve(hessian, gradient[:, :, None])[:, :, 0]
        slope = (gradient * step).sum(axis=1)
        # where the gain is below what the loss can show, whole steps are taken until they no longer shrink
        blind = -slope <= 1e-13 * (1 + loss)
        now, scores, loss, moved = _line_search(stack, now, scores, loss, step, slope, blind)
        size = np.abs(step).max(axis=1) / np.maximum(1, np.abs(now).max(axis=1))
        done = moved & ((size <= STEP) | (blind & (size >= last / 2)))
        last = np.where(blind, size, np.inf)
        over = done | ~moved
        if over.any():
            theta[place[over]], arrived[place[over]] = now[over], done[over]
            if over.all():
                break
            stack.keep(~over)
            place, now, scores, loss, last = (one[~over] for one in (place, now, scores, loss, last))
    return theta, arrived


def _line_search(
    stack: _Stack,
    theta: np.ndarray,
    scores: np.ndarray,
    loss: np.ndarray,
    step: np.ndarray,
    slope: np.ndarray,
    blind: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Halve each replicate's step until the loss falls enough; return theta, scores, loss, and where that was so."""
    along = stack.scores(step)
    length = np.ones(len(theta))
    for _ in range(HALVINGS):
        tried = theta + length[:, None] * step
        tried_scores = scores + length[:, None] * along
        tried_loss = stack.loss(tried, tried_scores)
        good = blind | (tried_loss <= loss + 1e-4 * length * slope)
        if good.all():
            break
        length = np.where(good, length, length / 2)
    return tried, tried_scores, tried_loss, good


class _Stack:
    """Training sets of one padded size with a replicate axis, and the objective on them.

    Attributes
    ----------
    rows : numpy.ndarray of shape (R, n, p + 1)
        A column of ones stands last; rows that fill up are all 0.
    y, weight : numpy.ndarray of shape (R, n)
        1 for the second class; weights that sum to 1.
    penalty : numpy.ndarray of shape (R, p + 1)
        Of the square of each parameter, 0 for the intercept.
    """

    def __init__(self, models: list[Any], sets: list[TrainingSet]) -> None:
        size = padded_size(len(sets[0].y))
        weights = [np.ones(len(one.y)) if one.weight is None else one.weight for one in sets]
        totals = np.array([weight.sum() for weight in weights])
        self.rows = padded([np.column_stack([one.X, np.ones(len(one.y))]) for one in sets], size)
        self.y = padded([one.y == model.classes_[1] for model, one in zip(models, sets, strict=True)], size)
        self.weight = padded([weight / total for weight, total in zip(weights, totals, strict=True)], size)
        strength = 1 / (np.array([model.C for model in models]) * totals)
        self.penalty = strength[:, None] * (np.arange(self.rows.shape[2]) < self.rows.shape[2] - 1)

    def keep(self, kept: np.ndarray) -> None:
        """Drop replicates for which `kept` is False."""
        self.rows, self.y, self.weight, self.penalty = (
            array[kept] for array in (self.rows, self.y, self.weight, self.penalty)
        )

    def scores(self, theta: np.ndarray) -> np.ndarray:
        """Return the log-odds of each row, shape (R, n)."""
        return (self.rows @ theta[:, :, None])[:, :, 0]

    def loss(self, theta: np.ndarray, scores: np.ndarray) -> np.ndarray:
        """Return the objective, shape (R,)."""
        # log(1 + exp(s)) - y s, without overflow
        each = np.maximum(scores, 0) + np.log1p(np.exp(-np.abs(scores))) - self.y * scores
        return (self.weight * each).sum(axis=1) + 0.5 * (self.penalty * theta**2).sum(axis=1)

    def derivatives(self, theta: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the gradient, shape (R, p + 1), and the Hessian, shape (R, p + 1, p + 1)."""
        p = 0.5 * (1 + np.tanh(0.5 * scores))
        across = self.rows.swapaxes(1, 2)
        gradient = (across @ (self.weight * (p - self.y))[:, :, None])[:, :, 0] + self.penalty * theta
        hessian = across @ (self.rows * (self.weight * p * (1 - p))[:, :, None])
        diagonal = np.arange(theta.shape[1])
        hessian[:, diagonal, diagonal] += self.penalty
        return gradient, hessian
