"""R's random stream, bit for bit: what `set.seed(50); runif(10)` prints in R comes out of `RStream(50).runif(10)`.

R's defaults since 3.6 are followed: Mersenne-Twister, inversion, and sampling by rejection. NumPy runs the very same
Mersenne-Twister, so only the seeding and what R makes of the 32-bit words are written here.
"""

from __future__ import annotations

import numpy as np

_WORD = 2.3283064365386963e-10  # 2**-32
_HALF_STEP = 0.5 * 2.328306437080797e-10  # R's stand-in for a uniform of exactly 0
_STATE_WORDS = 624
_LARGEST_SHUFFLE = 10**7  # above, R switches to a hash table, which consumes the stream differently


def _seeded_generator(seed: int) -> np.random.MT19937:
    """Return the generator in the state that R's `set.seed(seed)` leaves."""
    word = seed & 0xFFFFFFFF
    for _ in range(51):  # 50 times "initial scrambling", and one word that R overwrites with the position
        word = (69069 * word + 1) & 0xFFFFFFFF
    key = np.empty(_STATE_WORDS, dtype=np.uint32)
    for i in range(_STATE_WORDS):
        word = (69069 * word + 1) & 0xFFFFFFFF
        key[i] = word
    generator = np.random.MT19937(0)
    generator.state = {"bit_generator": "MT19937", "state": {"key": key, "pos": _STATE_WORDS}}
    return generator


class RStream:
    """The stream that R's `set.seed(seed)` starts.

    Parameters
    ----------
    seed : int
        R's seed, a signed 32-bit integer.

    References
    ----------
    R Core Team, *Random*, the manual page of R's generators (``?RNGkind`` in R).

    Examples
    --------
    >>> [float(u.round(7)) for u in RStream(50).runif(3)]
    [0.7087271, 0.4376599, 0.2000049]
    """

    def __init__(self, seed: int) -> None:
        if not -(2**31) < seed < 2**31:
            raise ValueError(f"R's seeds are signed 32-bit integers, not {seed}")
        self._generator = _seeded_generator(seed)
        self._words = np.empty(0, dtype=np.uint64)  # generated and not yet consumed

    def _peek(self, count: int) -> np.ndarray:
        """Return the next words without consuming them."""
        short = count - len(self._words)
        if short > 0:
            self._words = np.concatenate([self._words, self._generator.random_raw(max(short, 1024))])
        return self._words[:count]

    def _skip(self, count: int) -> None:
        """Consume words that were peeked at."""
        self._words = self._words[count:]

    def _uniform(self, count: int) -> np.ndarray:
        """Return R's `unif_rand()`: uniforms in the open interval (0, 1)."""
        u = self._peek(count) * _WORD
        self._skip(count)
        u[u <= 0.0] = _HALF_STEP
        return u

    def runif(self, n: int, low: float = 0.0, high: float = 1.0) -> np.ndarray:
        """Return R's `runif(n, low, high)`, shape (n,)."""
        return low + (high - low) * self._uniform(n)

    def rbinom(self, p: np.ndarray) -> np.ndarray:
        """Return R's `rbinom(length(p), 1, p)`.

        R inverts the distribution function of Binomial(1, min(p, 1-p)) and flips the result where p > 0.5. For a
        single trial that is one comparison: R's loop would draw again only after 110 steps, for a uniform that lies
        above the whole distribution function, and none does (they stay 2e-10 away from 1). p = 0 and p = 1 consume
        nothing.

        Parameters
        ----------
        p : array-like of shape (n,)
            Probability of a 1.

        Returns
        -------
        numpy.ndarray of shape (n,), int64
            Zeros and ones.

        Raises
        ------
        ValueError
            A probability is outside [0, 1] or not finite (R would return NA).
        """
        p = np.asarray(p, dtype=np.float64).ravel()
        if not np.all((p >= 0.0) & (p <= 1.0)):
            raise ValueError("rbinom: every probability must lie in [0, 1]")
        drawn = (p > 0.0) & (p < 1.0)
        inner = p[drawn]
        rare = self._uniform(len(inner)) >= 1.0 - np.minimum(inner, 1.0 - inner)
        result = (p >= 1.0).astype(np.int64)
        result[drawn] = np.where(inner > 0.5, ~rare, rare)
        return result

    def sample(self, n: int, size: int | None = None, replace: bool = False) -> np.ndarray:
        """Return R's `sample(n, size, replace)`, less one: positions from 0.

        Parameters
        ----------
        n : int
            Sample from 0..n-1.
        size : int, optional
            How many; all `n` by default. Without replacement, a smaller sample is the beginning of a larger one.
        replace : bool
            With replacement.

        Returns
        -------
        numpy.ndarray of shape (size,), int64
            The positions.

        Raises
        ------
        ValueError
            `n` is not positive, or more is asked than there is.
        """
        size = n if size is None else size
        if n < 1 or size < 0:
            raise ValueError(f"sample: n must be positive and size not negative, not n={n}, size={size}")
        if replace:
            return self._sample_with_replacement(n, size)
        if size > n:
            raise ValueError(f"sample: cannot take {size} of {n} without replacement")
        if n > _LARGEST_SHUFFLE:
            raise ValueError(f"sample: without replacement n is at most {_LARGEST_SHUFFLE}, not {n}")
        return self._partial_shuffle(n, size)

    def _candidates(self, bits: int, count: int) -> np.ndarray:
        """Return the next integers of so many bits, each put together from chunks of 16 bits; nothing is consumed."""
        chunks = (self._peek(count * _words_per_integer(bits)) >> np.uint64(16)).reshape(count, -1)
        value = np.zeros(count, dtype=np.uint64)
        for column in chunks.T:
            value = (value << np.uint64(16)) + column
        return (value & np.uint64((1 << bits) - 1)).astype(np.int64)

    def _sample_with_replacement(self, n: int, size: int) -> np.ndarray:
        bits = (n - 1).bit_length()
        parts = [np.empty(0, dtype=np.int64)]
        missing = size
        while missing:
            candidates = self._candidates(bits, missing * (1 << bits) // n + 16)
            accepted = np.flatnonzero(candidates < n)[:missing]
            missing -= len(accepted)
            used = len(candidates) if missing else int(accepted[-1]) + 1
            self._skip(used * _words_per_integer(bits))
            parts.append(candidates[accepted])
        return np.concatenate(parts)

    def _partial_shuffle(self, n: int, size: int) -> np.ndarray:
        """Move a random one of the remaining items out and the last item into its place, `size` times."""
        pool = list(range(n))
        taken: list[int] = []
        remaining = n
        while len(taken) < size:
            bits = (remaining - 1).bit_length()  # the width of the integers, the same down to `stop` items
            stop = max(n - size, (1 << bits) >> 1)
            used = 0
            for j in self._candidates(bits, 2 * (remaining - stop) + 16).tolist():
                used += 1
                if j < remaining:
                    remaining -= 1
                    taken.append(pool[j])
                    pool[j] = pool[remaining]
                    if remaining == stop:
                        break
            self._skip(used * _words_per_integer(bits))
        return np.array(taken, dtype=np.int64)


def _words_per_integer(bits: int) -> int:
    """Return how many words R spends on an integer of so many bits (one more than needed at multiples of 16)."""
    return bits // 16 + 1
