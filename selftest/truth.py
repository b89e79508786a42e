"""What is known beforehand of the logistic simulation, computed from its formula and by no code of the harness."""

from __future__ import annotations

import numpy as np

from ..datasets.simulated import BETA
from .planted import rare_posterior

#: accuracy of Bayes' rule: 50 million draws, and exact convolution
CEILING = 0.73674
_ROWS = 200_000


def _population(rng: np.random.Generator, rows: int = _ROWS) -> tuple[np.ndarray, np.ndarray]:
    """Return rows with a leading 1, shape (rows, 11), and P(1 | row)."""
    X = np.hstack([np.ones((rows, 1)), rng.random((rows, len(BETA)))])
    return X, 1.0 / (1.0 + np.exp(-X[:, 1:] @ BETA))


def expected_regret(n: int) -> float:
    """Return the accuracy that logistic regression without penalty loses to Bayes' rule, in expectation, for large n.

    The maximum-likelihood estimate is normal around the truth with the inverse of Fisher's information over n as its
    covariance (van der Vaart, Asymptotic Statistics, theorem 5.39); a rule loses ``|2 p - 1|`` wherever it decides
    otherwise than Bayes' rule.

    Parameters
    ----------
    n : int
        Training rows.
    """
    rng = np.random.default_rng(0)
    X, p = _population(rng)
    information = (X * (p * (1.0 - p))[:, None]).T @ X / len(X)
    spread = np.linalg.cholesky(np.linalg.inv(information * n))
    truth = np.concatenate([[0.0], BETA])
    X, p = X[:40_000], p[:40_000]
    losses = []
    for _ in range(400):
        estimate = truth + spread @ rng.standard_normal(len(truth))
        losses.append(np.mean(np.abs(2.0 * p - 1.0) * ((X @ estimate > 0) != (p > 0.5))))
    return float(np.mean(losses))


def accuracy_with_wrong_rows(wrong: float, n: int) -> float:
    """Return the accuracy of logistic regression on n rows where a share of those labelled 1 are rows of class 0.

    Either label has half of the rows. The accuracy is that on sound rows.

    Parameters
    ----------
    wrong : float
        That share.
    n : int
        Training rows.
    """
    rng = np.random.default_rng(1)
    X, p = _population(rng)
    # P(label 1 | row) in the mixture, and the weight that the mixture has at the row, beside the sound density
    ones = (1.0 - wrong) * p + wrong * (1.0 - p)
    weight = ones + (1.0 - p)
    return _accuracy_of_fit(X, p, ones / weight, weight, n, rng, labels_given=True)


def accuracy_with_flipped_labels(flipped: float, n: int) -> float:
    """Return the accuracy, on sound rows, of logistic regression on n rows of which a share has the other label.

    Parameters
    ----------
    flipped : float
        The chance of a row to have it.
    n : int
        Training rows.
    """
    rng = np.random.default_rng(1)
    X, p = _population(rng)
    return _accuracy_of_fit(X, p, (1.0 - flipped) * p + flipped * (1.0 - p), np.ones(len(X)), n, rng)


def _accuracy_of_fit(
    X: np.ndarray,
    p: np.ndarray,
    label: np.ndarray,
    weight: np.ndarray,
    n: int,
    rng: np.random.Generator,
    labels_given: bool = False,
) -> float:
    """Return the accuracy on sound rows of logistic regression that has learned from n rows of another distribution.

    The estimate is normal around the best logistic fit to that distribution, found by Newton's method on a large
    sample, with the covariance of a model that does not hold (White's sandwich: van der Vaart, Asymptotic Statistics,
    theorem 5.23).

    Parameters
    ----------
    X, p : numpy.ndarray
        See `_population`.
    label, weight : numpy.ndarray of shape (rows,)
        P(label 1 | row), and the density of the row beside that of sound ones.
    n : int
        Training rows.
    rng : numpy.random.Generator
        For estimates.
    labels_given : bool
        Half of the n rows have either label, so that only what varies within each counts; else labels are drawn.
    """
    beta = np.zeros(X.shape[1])
    for _ in range(30):
        fitted = 1.0 / (1.0 + np.exp(-X @ beta))
        hessian = (X * (weight * fitted * (1.0 - fitted))[:, None]).T @ X / len(X)
        step = np.linalg.solve(hessian, X.T @ (weight * (label - fitted)) / len(X))
        beta += step
        if np.abs(step).max() < 1e-10:
            break
    squares = weight * (label * (1.0 - fitted) ** 2 + (1.0 - label) * fitted**2)
    scores = (X * squares[:, None]).T @ X / len(X)
    if labels_given:
        of_ones = X.T @ (weight * label * (1.0 - fitted)) / len(X)
        scores -= 4.0 * np.outer(of_ones, of_ones)
    inverse = np.linalg.inv(hessian)
    estimates = rng.multivariate_normal(beta, inverse @ scores @ inverse / n, size=400)
    X, p = X[:40_000], p[:40_000]
    lost = [np.mean(np.abs(2.0 * p - 1.0) * ((X @ one > 0) != (p > 0.5))) for one in estimates]
    # (of the rows at hand it is known which of them Bayes' rule gets wrong)
    return float(CEILING - np.mean(lost))


def rare_macro_f1() -> dict[str, float]:
    """Return the macro F1 of Bayes' rule on `RareSimulation` with three thresholds on P(1 | row).

    Returns
    -------
    dict of str to float
        ``"half"``, 0.5; ``"balanced"``, the share of class 1, which is what equal weight of both classes comes to; and
        ``"best"``, that at which the macro F1 is highest.
    """
    X, _ = _population(np.random.default_rng(2))
    p = np.sort(rare_posterior(X[:, 1:]))[::-1]
    found = _macro_f1(p, 1.0 - p)
    above = {"half": (p > 0.5).sum(), "balanced": (p > p.mean()).sum()}
    return {name: float(found[number - 1]) for name, number in above.items()} | {"best": float(found.max())}


def _macro_f1(ones: np.ndarray, zeros: np.ndarray) -> np.ndarray:
    """Return the macro F1 of deciding for class 1 on the first row, the first two, and so on.

    `ones` and `zeros` are how much of each row is of class 1 and of class 0.
    """
    hit, wrong = np.cumsum(ones), np.cumsum(zeros)
    missed, right = ones.sum() - hit, zeros.sum() - wrong
    return hit / (2 * hit + wrong + missed) + right / (2 * right + wrong + missed)
