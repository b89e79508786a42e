"""Many small training sets at once: a replicate axis in numpy, in front of all others.

A benchmark fits hundreds of tiny models, where the calls cost more than the arithmetic. So models are trained as a
stack. What a replicate's numbers are never depends on the stack it is in, to the last bit:

- numpy's `matmul` and `linalg.solve` call one BLAS or LAPACK routine for each replicate;
- sums run along axes of the replicate itself;
- padding, which does change how BLAS cuts its sums, depends on the replicate's own number of rows (`padded_size`);
- its random numbers come from its own generator.

One training set alone is a stack of one: there is no second path.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class TrainingSet:
    """What a classifier is fitted to.

    Attributes
    ----------
    X : numpy.ndarray of shape (n, p)
    y : numpy.ndarray of shape (n,)
        Class codes.
    weight : numpy.ndarray of shape (n,), optional
        Of each row; None for equal weights.
    """

    X: np.ndarray
    y: np.ndarray
    weight: np.ndarray | None = None

    def checked(self) -> TrainingSet:
        """Return the same in float64.

        Raises
        ------
        ValueError
            A cell that is no finite number, a weight that is none or below 0, lengths that differ, or one class only.
        """
        X, y = np.asarray(self.X, dtype=float), np.asarray(self.y)
        weight = None if self.weight is None else np.asarray(self.weight, dtype=float)
        if X.ndim != 2 or len(X) != len(y) or (weight is not None and weight.shape != y.shape):
            shape = None if weight is None else weight.shape
            raise ValueError(f"shapes do not go together: X {X.shape}, y {y.shape}, weights {shape}")
        bad = int(np.count_nonzero(~np.isfinite(X)))
        if bad:
            raise ValueError(f"{bad} cells of X are missing (NaN) or infinite")
        if weight is not None and not (np.isfinite(weight).all() and (weight >= 0).all()):
            raise ValueError("weights must be finite numbers of 0 or more")
        if len(y) == 0 or (y == y[0]).all():
            of = f"all of class {y[0]}" if len(y) else "none"
            raise ValueError(f"the training rows are {of}; a classifier needs two classes")
        return TrainingSet(X, y, weight)


def padded_size(n: int) -> int:
    """Return the number of rows that `n` rows are padded to: n, rounded up to three binary digits after the first.

    At most an eighth is added, and training sets of about the same size get the same one, so that they can be stacked.

    Examples
    --------
    >>> [padded_size(n) for n in (1, 15, 17, 200, 1000, 1026)]
    [1, 15, 18, 208, 1024, 1152]
    """
    grain = max(1, 2 ** (n.bit_length() - 4))
    return -(-n // grain) * grain


def padded(arrays: Sequence[np.ndarray], size: int) -> np.ndarray:
    """Stack arrays along a new first axis, each filled up with zeros to `size` along its first."""
    stack = np.zeros((len(arrays), size, *arrays[0].shape[1:]))
    for target, array in zip(stack, arrays, strict=True):
        target[: len(array)] = array
    return stack


def stacks(keys: Sequence[Hashable], cells: Sequence[int], most: float) -> list[list[int]]:
    """Deal replicates into stacks.

    Parameters
    ----------
    keys : sequence
        Only replicates with the same key can be in one stack.
    cells : sequence of int
        Size of each replicate, above 0.
    most : float
        A stack holds so many cells at most, or one replicate.

    Returns
    -------
    list of list of int
        Positions, in order within each stack.

    Examples
    --------
    >>> stacks(["a", "b", "a", "a"], [4, 4, 4, 4], 8)
    [[0, 2], [3], [1]]
    """
    by_key: dict[Hashable, list[int]] = {}
    for position, key in enumerate(keys):
        by_key.setdefault(key, []).append(position)
    dealt: list[list[int]] = []
    for positions in by_key.values():
        total = 0
        for position in positions:
            if total == 0 or total + cells[position] > most:
                dealt.append([])
                total = 0
            dealt[-1].append(position)
            total += cells[position]
    return dealt


@dataclass(frozen=True)
class Batch:
    """One step's rows of some replicates, padded with rows of weight 0.

    Attributes
    ----------
    members : slice or numpy.ndarray
        Which replicates of the stack these are.
    rows : numpy.ndarray of shape (G, b, p + 1)
        A column of ones stands last.
    targets : numpy.ndarray of shape (G, b, K)
    weight : numpy.ndarray of shape (G, b, 1)
    count : numpy.ndarray of shape (G, 1, 1)
        Rows without the padding.
    """

    members: slice | np.ndarray
    rows: np.ndarray
    targets: np.ndarray
    weight: np.ndarray
    count: np.ndarray


class Minibatches:
    """Training sets with a replicate axis, dealt in batches, shuffled anew in each epoch.

    Parameters
    ----------
    sets : list of TrainingSet
        As many columns in each.
    targets : list of numpy.ndarray of shape (n, K)
        What is to be predicted of each row.
    batch_size : int
        Rows per step; the last batch of an epoch may be smaller.
    generators : list of numpy.random.Generator
        Each replicate's own.
    """

    def __init__(
        self,
        sets: list[TrainingSet],
        targets: list[np.ndarray],
        batch_size: int,
        generators: list[np.random.Generator],
    ) -> None:
        self.batch_size = batch_size
        self.generators = generators
        self.sizes = np.array([len(one.y) for one in sets])
        most = max(self._starts(n)[-1][1] for n in self.sizes)
        self.rows = padded([np.column_stack([one.X, np.ones(len(one.y))]) for one in sets], most)
        self.targets = padded(targets, most)
        self.weight = padded(
            [(np.ones(len(one.y)) if one.weight is None else one.weight)[:, None] for one in sets], most
        )

    def keep(self, kept: np.ndarray) -> None:
        """Drop replicates for which `kept`, shape (R,), is False."""
        self.sizes, self.rows = self.sizes[kept], self.rows[kept]
        self.targets, self.weight = self.targets[kept], self.weight[kept]
        self.generators = [one for one, stays in zip(self.generators, kept, strict=True) if stays]

    def epoch(self) -> Iterator[Batch]:
        """Shuffle, and deal every row once; replicates with fewer batches sit the last steps out."""
        n_replicates, most = self.weight.shape[:2]
        order = np.tile(np.arange(most), (n_replicates, 1))
        for row, size, rng in zip(order, self.sizes, self.generators, strict=True):
            row[:size] = rng.permutation(int(size))
        order += most * np.arange(n_replicates)[:, None]
        rows, targets, weight = (
            array.reshape(n_replicates * most, -1).take(order, axis=0)
            for array in (self.rows, self.targets, self.weight)
        )
        plans = [self._starts(n) for n in self.sizes]
        for step in range(max(map(len, plans))):
            groups: dict[tuple[int, int], list[int]] = {}
            for replicate, plan in enumerate(plans):
                if step < len(plan):
                    groups.setdefault(plan[step], []).append(replicate)
            for (start, end), group in groups.items():
                members = slice(None) if len(group) == n_replicates else np.array(group)
                count = np.minimum(self.sizes[members] - start, self.batch_size)[:, None, None]
                part = slice(start, end)
                yield Batch(members, rows[members, part], targets[members, part], weight[members, part], count)

    def _starts(self, n: int) -> list[tuple[int, int]]:
        """Return the start and the padded end of each batch of n rows."""
        full, rest = divmod(int(n), self.batch_size)
        batches = [(i * self.batch_size, (i + 1) * self.batch_size) for i in range(full)]
        if rest:
            start = full * self.batch_size
            batches.append((start, start + min(padded_size(rest), self.batch_size)))
        return batches
