"""The classifiers that are trained on real and generated rows, by name."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression

from ..errors import InputError, unknown_name

#: up to so many columns a Newton step costs less than the further steps of L-BFGS
NEWTON_COLUMNS = 100


class PenalisedLogisticRegression(ClassifierMixin, BaseEstimator):
    """Logistic regression with an L2 penalty (multinomial for more than two classes).

    scikit-learn's, with the solver chosen by the table's shape: Newton with a Cholesky factor for two classes and few
    columns, else L-BFGS; both are deterministic.

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
    model_ : sklearn.linear_model.LogisticRegression
        The fitted model.

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
        newton = X.shape[1] <= NEWTON_COLUMNS and len(np.unique(y)) == 2
        solver = "newton-cholesky" if newton else "lbfgs"
        self.model_ = LogisticRegression(C=self.C, solver=solver, max_iter=self.max_iter)
        self.model_.fit(X, y, sample_weight=sample_weight)
        self.classes_ = self.model_.classes_
        return self

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """Return probabilities of shape (n, len(classes_))."""
        return self.model_.predict_proba(X)

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return the most probable class of each row."""
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


class OneUnitNetwork(ClassifierMixin, BaseEstimator):
    """The sources' network: one sigmoid unit (softmax for K > 2), 7 epochs of RMSprop.

    The same model as logistic regression, fitted otherwise: no penalty, but stopped early, since 7 epochs at a rate of
    0.001 do not converge, so that the weights stay close to where they were drawn (Glorot-uniform, bias 0). It sees
    the columns as they are, not standardised, as in the sources. In numpy; Keras' RMSprop with its defaults.

    Parameters
    ----------
    epochs : int, default=7
        Passes over the training rows, shuffled anew each time.
    batch_size : int, default=160
        Rows per step; the last batch of an epoch may be smaller.
    learning_rate : float, default=1e-3
        RMSprop's step size.
    random_state : int, optional
        Seed of the first weights and of the shuffling.

    Attributes
    ----------
    classes_ : numpy.ndarray of shape (K,)
        Class codes of the training rows.
    coef_ : numpy.ndarray of shape (n_features, K), or (n_features, 1) for two classes
        Weights.
    intercept_ : numpy.ndarray of shape (K,) or (1,)
        Biases.

    Examples
    --------
    >>> X = np.array([[0.0], [1.0], [2.0], [3.0]])
    >>> network = OneUnitNetwork(epochs=2000, learning_rate=0.01, random_state=0)
    >>> network.fit(X, np.array([0, 0, 1, 1])).predict(X)
    array([0, 0, 1, 1])
    """

    scaled: ClassVar[bool] = False
    #: RMSprop's decay of the squared gradient, and the term that keeps its root from 0
    DECAY: ClassVar[float] = 0.9
    EPSILON: ClassVar[float] = 1e-7

    def __init__(
        self,
        epochs: int = 7,
        batch_size: int = 160,
        learning_rate: float = 1e-3,
        random_state: int | None = None,
    ) -> None:
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.random_state = random_state

    def fit(self, X: np.ndarray, y: np.ndarray, sample_weight: np.ndarray | None = None) -> OneUnitNetwork:
        """Fit to X of shape (n, p) and class codes y of shape (n,), rows weighted by `sample_weight`."""
        rng = np.random.default_rng(self.random_state)
        self.classes_, codes = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(f"the training rows are all of class {self.classes_[0]}; a classifier needs two")
        # a column of ones carries the bias, so that a step is one product
        n, p = X.shape
        rows = np.column_stack([np.asarray(X, dtype=float), np.ones(n)])
        binary = len(self.classes_) == 2
        targets = codes[:, None].astype(float) if binary else np.eye(len(self.classes_))[codes]
        weight = None if sample_weight is None else np.asarray(sample_weight, dtype=float)[:, None]
        limit = np.sqrt(6 / (p + targets.shape[1]))
        theta = np.vstack([rng.uniform(-limit, limit, size=(p, targets.shape[1])), np.zeros(targets.shape[1])])
        mean_square = np.zeros_like(theta)
        for _ in range(self.epochs):
            order = rng.permutation(n)
            epoch_rows, epoch_targets = rows[order], targets[order]
            epoch_weight = None if weight is None else weight[order]
            for start in range(0, n, self.batch_size):
                batch = slice(start, start + self.batch_size)
                A = epoch_rows[batch]
                error = _activate(A @ theta) - epoch_targets[batch]
                if epoch_weight is not None:
                    error *= epoch_weight[batch]
                gradient = A.T @ error / len(A)
                mean_square = self.DECAY * mean_square + (1 - self.DECAY) * gradient**2
                theta = theta - self.learning_rate * gradient / (np.sqrt(mean_square) + self.EPSILON)
        self.coef_, self.intercept_ = theta[:-1], theta[-1]
        return self

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """Return probabilities of shape (n, len(classes_))."""
        activated = _activate(np.asarray(X, dtype=float) @ self.coef_ + self.intercept_)
        return np.hstack([1 - activated, activated]) if activated.shape[1] == 1 else activated

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return the most probable class of each row."""
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


def _activate(scores: np.ndarray) -> np.ndarray:
    """Return the sigmoid of one column of scores, or the softmax of several."""
    if scores.shape[1] == 1:
        return 0.5 * (1 + np.tanh(0.5 * scores))
    exponentials = np.exp(scores - scores.max(axis=1, keepdims=True))
    return exponentials / exponentials.sum(axis=1, keepdims=True)


@dataclass(frozen=True)
class _Classifier:
    """How a name becomes a classifier: a class (or where it is), its parameters here, and one line about it."""

    target: str | Callable[..., Any]
    description: str
    defaults: dict[str, Any] = field(default_factory=dict)

    def load(self) -> Callable[..., Any]:
        if not isinstance(self.target, str):
            return self.target
        module, _, name = self.target.partition(":")
        return getattr(import_module(module), name)


_CLASSIFIERS: dict[str, _Classifier] = {
    "logistic-regression": _Classifier(
        PenalisedLogisticRegression, "Logistic regression, L2 penalty (C = 1), multinomial for K > 2."
    ),
    "one-unit-network": _Classifier(
        OneUnitNetwork,
        "The sources' one-unit sigmoid network: logistic regression without penalty, stopped after 7 epochs.",
    ),
    "mlp": _Classifier(
        "sklearn.neural_network:MLPClassifier",
        "Network with one hidden layer of 32 units (Adam, no early stopping: that would hold out generated rows).",
        {"hidden_layer_sizes": (32,), "learning_rate_init": 0.005, "max_iter": 200, "tol": 1e-3, "n_iter_no_change": 5},
    ),
    "random-forest": _Classifier(
        "sklearn.ensemble:RandomForestClassifier", "Random forest of 100 trees.", {"n_estimators": 100, "n_jobs": 1}
    ),
    "hist-gradient-boosting": _Classifier(
        "sklearn.ensemble:HistGradientBoostingClassifier",
        "Histogram gradient boosting, 100 rounds (no early stopping: that would hold out generated rows).",
        {"early_stopping": False},
    ),
}

#: names that stand for several classifiers
GROUPS: dict[str, list[str]] = {"all": list(_CLASSIFIERS)}


def names() -> list[str]:
    """Return the names of all classifiers, those of plugins last."""
    return list(_CLASSIFIERS)


def _find(name: str) -> _Classifier:
    if name not in _CLASSIFIERS:
        raise unknown_name("classifier", name, _CLASSIFIERS)
    return _CLASSIFIERS[name]


def describe(name: str) -> str:
    """Return one line about a classifier."""
    return _find(name).description


def make(name: str, params: dict[str, Any] | None = None, random_state: int | None = None) -> Any:
    """Build a classifier.

    Parameters
    ----------
    name : str
        A name from `names`.
    params : dict, optional
        What a suite sets: any parameter of the class but `random_state`.
    random_state : int, optional
        The seed, any non-negative integer; handed on (modulo 2³²) if the class takes one.

    Raises
    ------
    InputError
        An unknown name or parameter.
    """
    entry = _find(name)
    build = entry.load()
    accepted = inspect.signature(build).parameters
    params = params or {}
    for parameter in params:
        if parameter not in accepted or parameter == "random_state":
            allowed = [one for one in accepted if one != "random_state"]
            raise unknown_name(f"parameter of classifier '{name}'", parameter, allowed)
    # a list, as a suite file has it, where scikit-learn wants a tuple
    given = {key: tuple(value) if isinstance(value, list) else value for key, value in params.items()}
    seed = {}
    if "random_state" in accepted and random_state is not None:
        seed = {"random_state": int(random_state) % 2**32}
    return build(**(entry.defaults | given | seed))


def register(target: Callable[..., Any], name: str) -> None:
    """Add a classifier, as a plugin does.

    Parameters
    ----------
    target : type or callable
        Gives an object with `fit(X, y)`, `predict_proba(X)` and `classes_`; `fit` needs the argument `sample_weight`
        for the adjuster class-weight. The first line of its docstring describes it. A class attribute
        ``scaled = False`` asks for columns that are not standardised.
    name : str
        Its name in suites.

    Raises
    ------
    InputError
        The name is taken, or `target` cannot be called.
    """
    if not callable(target):
        raise InputError(f"classifier '{name}' must be a class or a function that builds one; found {target!r}")
    if name in _CLASSIFIERS or name in GROUPS:
        raise InputError(f"classifier '{name}' exists already; choose another name")
    _CLASSIFIERS[name] = _Classifier(target, (inspect.getdoc(target) or "").partition("\n")[0])
    GROUPS["all"].append(name)


def aligned_probabilities(classifier: Any, X: np.ndarray, n_classes: int) -> np.ndarray:
    """Return predicted probabilities with one column for each class.

    Parameters
    ----------
    classifier : object
        Fitted; `classes_` holds class codes.
    X : numpy.ndarray of shape (n_rows, n_features)
        Rows.
    n_classes : int
        K.

    Returns
    -------
    numpy.ndarray of shape (n_rows, K), float64
        A class that the training rows lacked has probability 0.
    """
    predicted = np.asarray(classifier.predict_proba(X), dtype=float)
    if predicted.shape[1] == n_classes and np.array_equal(classifier.classes_, np.arange(n_classes)):
        return predicted
    aligned = np.zeros((len(predicted), n_classes))
    aligned[:, np.asarray(classifier.classes_, dtype=int)] = predicted
    return aligned
