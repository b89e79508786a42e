"""Small networks in numpy with gradients written by hand, many trained at once."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np
from scipy.special import expit
from sklearn.base import BaseEstimator, ClassifierMixin

from .stacking import Batch, Minibatches, TrainingSet, stacks

#: cells (rows × columns, all replicates) of one stack at most, for the sake of memory: a step is on one batch of each
#: replicate, whatever their rows. Measured by benchmarks/stacked_classifiers.py (10 columns, one thread of a busy
#: machine): how many times as fast as a loop of our own code is what is done with this limit, and for the MLP as
#: scikit-learn's (its loss falls otherwise, so that it may take fewer or more epochs):
#:
#:     rows                 50            200           1,000         5,000         20,000
#:     replicates       5   20   50   5   20   50   5   20   50   5   20   50   5   20   50
#:     one unit        2.5  6.2  3.2 2.5  9.3  5.1 4.2  3.2  3.5 2.6  2.0  2.4 1.4  2.1  1.6
#:     MLP             2.7  4.8  6.1 2.1  3.4  3.0 2.0  2.0  1.9 1.5  1.6    - 1.7    -    -
#:     scikit-learn's  6.2 11.1 13.3 3.8  7.2  9.3 4.1  4.7  3.8 4.1  6.0    - 4.5    -    -
STACK_CELLS = 1_000_000


def _check_counts(model: Any) -> None:
    """Raise ValueError for a number of epochs, rows or units that makes no sense; 0 epochs leave the first weights."""
    for name, least in (("epochs", 0), ("max_epochs", 0), ("batch_size", 1), ("hidden_units", 1)):
        value = getattr(model, name, least)
        if not isinstance(value, int | np.integer) or value < least:
            raise ValueError(f"{name} must be {least} or more; found {value!r}")


class _Network(ClassifierMixin, BaseEstimator):
    """What the networks share: sorting into stacks, targets, predictions.

    A subclass writes `_train`, which sets the parameters of all models of a stack, and `_scores`.
    """

    def fit(self, X: np.ndarray, y: np.ndarray, sample_weight: np.ndarray | None = None) -> Self:
        """Fit to X of shape (n, p) and class codes y of shape (n,), rows weighted by `sample_weight`."""
        fitted = self.fit_stack([self], [TrainingSet(X, y, sample_weight)])[0]
        if isinstance(fitted, BaseException):
            raise fitted
        return self

    @classmethod
    def fit_stack(cls, models: list[Any], sets: list[TrainingSet]) -> list[Any]:
        """Fit each model to its training set; return the models, or for each that cannot be fitted its error.

        A model is the same, to the last bit, whatever else is in the lists.
        """
        fitted: list[Any] = list(models)
        checked: dict[int, TrainingSet] = {}
        for i, (model, given) in enumerate(zip(models, sets, strict=True)):
            try:
                _check_counts(model)
                checked[i] = given.checked()
                model.classes_ = np.unique(given.y)
            except ValueError as error:
                fitted[i] = error
        positions = list(checked)
        keys, cells = [], []
        for i in positions:
            settings = {**models[i].get_params(), "random_state": None}
            keys.append((len(models[i].classes_), checked[i].X.shape[1], tuple(settings.items())))
            cells.append(checked[i].X.size + len(checked[i].y))
        for dealt in stacks(keys, cells, STACK_CELLS):
            members = [positions[j] for j in dealt]
            cls._train([models[i] for i in members], [checked[i] for i in members])
        return fitted

    @classmethod
    def _train(cls, models: list[Any], sets: list[TrainingSet]) -> None:
        """Fit one stack: models that differ in their seed only, training sets with as many columns and classes."""
        raise NotImplementedError

    def _scores(self, X: np.ndarray) -> np.ndarray:
        """Return the log-odds, shape (n, 1), or for K > 2 the logarithms of the odds up to a constant, shape (n, K)."""
        raise NotImplementedError

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """Return probabilities of shape (n, len(classes_))."""
        scores = self._scores(np.asarray(X, dtype=float))
        if scores.shape[1] == 1:
            p = expit(scores)
            return np.hstack([1 - p, p])
        return _activate(scores)

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return the most probable class of each row."""
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


class OneUnitNetwork(_Network):
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

    @classmethod
    def _train(cls, models: list[Any], sets: list[TrainingSet]) -> None:
        first = models[0]
        generators = [np.random.default_rng(model.random_state) for model in models]
        targets = [_targets(model, one) for model, one in zip(models, sets, strict=True)]
        n_columns, n_outputs = sets[0].X.shape[1], targets[0].shape[1]
        limit = np.sqrt(6 / (n_columns + n_outputs))
        theta = np.zeros((len(models), n_columns + 1, n_outputs))
        for own, rng in zip(theta, generators, strict=True):
            own[:-1] = rng.uniform(-limit, limit, size=(n_columns, n_outputs))
        data = Minibatches(sets, targets, first.batch_size, generators)
        mean_square = np.zeros_like(theta)
        for _ in range(first.epochs):
            for batch in data.epoch():
                which = batch.members
                error = (_activate(batch.rows @ theta[which]) - batch.targets) * batch.weight
                gradient = batch.rows.swapaxes(1, 2) @ error / batch.count
                mean_square[which] = cls.DECAY * mean_square[which] + (1 - cls.DECAY) * gradient**2
                theta[which] -= first.learning_rate * gradient / (np.sqrt(mean_square[which]) + cls.EPSILON)
        for model, own in zip(models, theta, strict=True):
            model.coef_, model.intercept_ = own[:-1], own[-1]

    def _scores(self, X: np.ndarray) -> np.ndarray:
        return X @ self.coef_ + self.intercept_


class MLP(_Network):
    """A network with one hidden layer of rectified linear units, trained by Adam until its loss no longer falls.

    Loss, first weights, optimizer and the rule to stop are those of scikit-learn's `MLPClassifier`: mean log-loss plus
    alpha / (2 n) times the squared weights of a batch of n rows; Glorot-uniform weights and biases; stopped after an
    epoch when for more than `patience` epochs the loss on the training rows was not `tol` below the best so far. No
    early stopping on held-out rows: these would be generated ones.

    Parameters
    ----------
    hidden_units : int, default=32
        Width of the hidden layer.
    learning_rate : float, default=0.005
        Adam's step size.
    batch_size : int, default=200
        Rows per step; the last batch of an epoch may be smaller.
    alpha : float, default=1e-4
        Strength of the L2 penalty on the weights (not on the biases).
    max_epochs : int, default=200
        Limit of passes over the training rows, shuffled anew each time.
    tol : float, default=1e-3
        A smaller fall of the loss counts as none.
    patience : int, default=5
        Epochs without a fall that are waited for.
    random_state : int, optional
        Seed of the first weights and of the shuffling.

    Attributes
    ----------
    classes_ : numpy.ndarray of shape (K,)
        Class codes of the training rows.
    coefs_ : list of numpy.ndarray of shape (n_features, hidden_units) and (hidden_units, K or 1)
        Weights of the two layers.
    intercepts_ : list of numpy.ndarray of shape (hidden_units,) and (K or 1,)
        Biases.
    loss_curve_ : list of float
        Mean loss of the batches of each epoch.

    Examples
    --------
    >>> X = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    >>> MLP(random_state=0).fit(X, np.array([0, 1, 1, 0])).predict(X)
    array([0, 1, 1, 0])
    """

    #: Adam's decays of the gradient and of its square, and the term that keeps the root of the latter from 0
    BETAS: ClassVar[tuple[float, float]] = (0.9, 0.999)
    EPSILON: ClassVar[float] = 1e-8

    def __init__(
        self,
        hidden_units: int = 32,
        learning_rate: float = 0.005,
        batch_size: int = 200,
        alpha: float = 1e-4,
        max_epochs: int = 200,
        tol: float = 1e-3,
        patience: int = 5,
        random_state: int | None = None,
    ) -> None:
        self.hidden_units = hidden_units
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.alpha = alpha
        self.max_epochs = max_epochs
        self.tol = tol
        self.patience = patience
        self.random_state = random_state

    @classmethod
    def _train(cls, models: list[Any], sets: list[TrainingSet]) -> None:
        first = models[0]
        generators = [np.random.default_rng(model.random_state) for model in models]
        targets = [_targets(model, one) for model, one in zip(models, sets, strict=True)]
        shape = (sets[0].X.shape[1], first.hidden_units, targets[0].shape[1])
        state = _Layers(shape, generators)
        data = Minibatches(sets, targets, first.batch_size, generators)
        place = np.arange(len(models))
        best, stale = np.full(len(models), np.inf), np.zeros(len(models), dtype=int)
        for model in models:
            model.loss_curve_ = []
        for epoch in range(first.max_epochs):
            loss = np.zeros(len(place))
            for batch in data.epoch():
                loss[batch.members] += state.step(batch, first) * batch.count[:, 0, 0]
            loss /= data.sizes
            for i, value in zip(place, loss, strict=True):
                models[i].loss_curve_.append(float(value))
            stale = np.where(loss > best - first.tol, stale + 1, 0)
            best = np.minimum(best, loss)
            over = (stale > first.patience) | (epoch == first.max_epochs - 1)
            if over.any():
                for k in np.flatnonzero(over).tolist():
                    models[place[k]]._take(state, k)
                if over.all():
                    return
                state.keep(~over)
                data.keep(~over)
                place, best, stale = place[~over], best[~over], stale[~over]
        for k, i in enumerate(place):
            models[i]._take(state, k)

    def _take(self, state: _Layers, k: int) -> None:
        """Take over the parameters of replicate `k`."""
        first, second, bias = (array[k].copy() for array in state.views(state.values))
        self.coefs_, self.intercepts_ = [first[:-1], second], [first[-1], bias[0]]

    def _scores(self, X: np.ndarray) -> np.ndarray:
        hidden = np.maximum(X @ self.coefs_[0] + self.intercepts_[0], 0)
        return hidden @ self.coefs_[1] + self.intercepts_[1]


class _Layers:
    """The parameters of a stack of networks with one hidden layer, and Adam's memory of their gradients.

    Attributes
    ----------
    values, mean, square : numpy.ndarray of shape (R, P)
        All parameters of each replicate, and the decaying means of their gradient and of its square.
    steps : numpy.ndarray of shape (R,)
        Steps taken.
    """

    def __init__(self, shape: tuple[int, int, int], generators: list[np.random.Generator]) -> None:
        n_columns, hidden, n_outputs = self.shape = shape
        # the bias of the first layer is the last row of its weights
        self.cuts = np.cumsum([(n_columns + 1) * hidden, hidden * n_outputs])
        self.values = np.zeros((len(generators), self.cuts[1] + n_outputs))
        self.mean, self.square = np.zeros_like(self.values), np.zeros_like(self.values)
        self.steps = np.zeros(len(generators), dtype=int)
        limits = [np.sqrt(6 / (n_columns + hidden)), np.sqrt(6 / (hidden + n_outputs))]
        for own, rng in zip(self.values, generators, strict=True):
            own[: self.cuts[0]] = rng.uniform(-limits[0], limits[0], size=self.cuts[0])
            own[self.cuts[0] :] = rng.uniform(-limits[1], limits[1], size=len(own) - self.cuts[0])
        penalised = np.ones(self.values.shape[1])
        penalised[n_columns * hidden : self.cuts[0]] = penalised[self.cuts[1] :] = 0
        self.penalised = penalised

    def keep(self, kept: np.ndarray) -> None:
        """Drop replicates for which `kept` is False."""
        self.values, self.mean, self.square = self.values[kept], self.mean[kept], self.square[kept]
        self.steps = self.steps[kept]

    def views(self, flat: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return views of (G, P) numbers as (G, p + 1, h), (G, h, K) and (G, 1, K)."""
        n_columns, hidden, n_outputs = self.shape
        a, b = self.cuts
        return (
            flat[:, :a].reshape(-1, n_columns + 1, hidden),
            flat[:, a:b].reshape(-1, hidden, n_outputs),
            flat[:, b:].reshape(-1, 1, n_outputs),
        )

    def step(self, batch: Batch, settings: Any) -> np.ndarray:
        """Take one step on a batch; return the loss of each of its replicates before it, shape (G,)."""
        which = batch.members
        values = self.values[which]
        first, second, bias = self.views(values)
        hidden = batch.rows @ first
        np.maximum(hidden, 0, out=hidden)
        scores = hidden @ second + bias
        total = np.maximum(batch.weight.sum(axis=1, keepdims=True), np.finfo(float).tiny)
        penalty = 0.5 * settings.alpha * (self.penalised * values**2).sum(axis=1)
        loss = ((_log_losses(scores, batch.targets) * batch.weight).sum(axis=1, keepdims=True) / total)[:, 0, 0]
        loss += penalty / total[:, 0, 0]
        error = (_activate(scores) - batch.targets) * batch.weight
        gradient = settings.alpha * self.penalised * values
        of_first, of_second, of_bias = self.views(gradient)
        of_second += hidden.swapaxes(1, 2) @ error
        of_bias += error.sum(axis=1, keepdims=True)
        back = error @ second.swapaxes(1, 2)
        back *= hidden > 0
        of_first += batch.rows.swapaxes(1, 2) @ back
        gradient /= total[:, :, 0]
        self._adam(which, gradient, settings.learning_rate)
        return loss

    def _adam(self, which: slice | np.ndarray, gradient: np.ndarray, learning_rate: float) -> None:
        beta1, beta2 = MLP.BETAS
        self.steps[which] += 1
        rates = [learning_rate * (1 - beta2**t) ** 0.5 / (1 - beta1**t) for t in self.steps[which].tolist()]
        mean = beta1 * self.mean[which] + (1 - beta1) * gradient
        square = beta2 * self.square[which] + (1 - beta2) * gradient**2
        self.mean[which], self.square[which] = mean, square
        self.values[which] -= np.array(rates)[:, None] * mean / (np.sqrt(square) + MLP.EPSILON)


def _targets(model: Any, one: TrainingSet) -> np.ndarray:
    """Return 0 and 1 for two classes, shape (n, 1), else one column for each class."""
    codes = np.searchsorted(model.classes_, one.y)
    if len(model.classes_) == 2:
        return codes[:, None].astype(float)
    return np.eye(len(model.classes_))[codes]


def _activate(scores: np.ndarray) -> np.ndarray:
    """Return the sigmoid of one column (last axis) of scores, or the softmax of several."""
    if scores.shape[-1] == 1:
        return 0.5 * (1 + np.tanh(0.5 * scores))
    exponentials = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return exponentials / exponentials.sum(axis=-1, keepdims=True)


def _log_losses(scores: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Return the log-loss of each row, shape (G, b, 1)."""
    if scores.shape[-1] == 1:
        return np.maximum(scores, 0) + np.log1p(np.exp(-np.abs(scores))) - targets * scores
    highest = scores.max(axis=-1, keepdims=True)
    totals = highest + np.log(np.exp(scores - highest).sum(axis=-1, keepdims=True))
    return totals - (targets * scores).sum(axis=-1, keepdims=True)
