"""One network of a latent sweep: the VAE of the latent samplers, and what its latent space and its images are like."""

from __future__ import annotations

import time
import warnings
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd

from ..errors import InputError
from ..methods.neural.latent import LatentNoise
from .experiment import LatentSweep
from .sharpness import sharpness

#: images that are kept to be looked at, and pictures of a strip
PICTURES, STEPS = 10, 11
#: whose vote says of which class a held-out row is
NEIGHBOURS = 5
#: a dimension whose posterior means vary less is not used (Burda et al. 2016)
ACTIVE = 0.01
_LARGEST = 255.0


@dataclass(frozen=True)
class Images:
    """Images as rows of pixels.

    Attributes
    ----------
    X : pandas.DataFrame of shape (n_rows, n_pixels)
        Values 0 to 255, plane after plane, row of the image by row.
    y : numpy.ndarray of shape (n_rows,)
        Class codes.
    classes : tuple of str
        The label of each.
    """

    X: pd.DataFrame
    y: np.ndarray
    classes: tuple[str, ...]

    @property
    def shape(self) -> tuple[int, int, int]:
        """Planes, height and width.

        Raises
        ------
        InputError
            The columns are the pixels of no square of one or three planes.
        """
        for planes in (1, 3):
            side = round((self.X.shape[1] / planes) ** 0.5)
            if planes * side**2 == self.X.shape[1]:
                return planes, side, side
        raise InputError(f"{self.X.shape[1]} columns are no square image of one or three planes")

    def take(self, rows: np.ndarray) -> Images:
        """Return some rows."""
        return Images(self.X.iloc[rows].reset_index(drop=True), self.y[rows], self.classes)


@dataclass(frozen=True)
class Fit:
    """What is kept of one network. Rows are held-out ones, images have shape (planes, height, width), uint8.

    Attributes
    ----------
    beta, dim, seed : number
        Which one.
    started, seconds : str, float
        When it was begun, and how long it took.
    mean : numpy.ndarray of shape (n, dim)
        Means of the posterior.
    y : numpy.ndarray of shape (n,)
        Class codes.
    kl : numpy.ndarray of shape (n,)
        KL divergence of the posterior from the prior, nats.
    error : numpy.ndarray of shape (n,)
        Mean squared error of the reconstructed pixels, in units of their range.
    sharp_real, sharp_rebuilt, sharp_drawn : numpy.ndarray of shape (n,)
        Sharpness of the images, of their reconstructions, and of as many images decoded from N(0, I).
    neighbours, neighbours_pca : float
        Share of the held-out rows whose class the nearest training rows name: by posterior means, and in as many
        principal components of the pixels.
    real, rebuilt, drawn : numpy.ndarray of shape (k, *image)
        Some images, what the network makes of them, and images decoded from N(0, I).
    strips : numpy.ndarray of shape (classes, STEPS, *image)
        Images decoded along a straight line between the posterior means of two rows of a class.
    ends : numpy.ndarray of shape (classes, 2, *image)
        The real images at the ends.
    """

    beta: float
    dim: int
    seed: int
    started: str
    seconds: float
    mean: np.ndarray
    y: np.ndarray
    kl: np.ndarray
    error: np.ndarray
    sharp_real: np.ndarray
    sharp_rebuilt: np.ndarray
    sharp_drawn: np.ndarray
    neighbours: float
    neighbours_pca: float
    real: np.ndarray
    rebuilt: np.ndarray
    drawn: np.ndarray
    strips: np.ndarray
    ends: np.ndarray

    @property
    def active(self) -> int:
        """How many latent dimensions say anything of a row."""
        return int((self.mean.var(axis=0) > ACTIVE).sum())

    def sharper(self, what: str) -> float:
        """Return the mean sharpness of ``"rebuilt"`` or ``"drawn"`` images, in percent of that of the real ones."""
        made: np.ndarray = getattr(self, f"sharp_{what}")
        return float(100 * made.mean() / self.sharp_real.mean())


class Space:
    """A trained network: rows to latent points, and latent points to images.

    Parameters
    ----------
    method : LatentNoise
        After `fit_resample`.
    shape : tuple of int
        Of an image.
    """

    def __init__(self, method: LatentNoise, shape: tuple[int, int, int]) -> None:
        self.network: Any = method.networks_[0]
        self.encoder, self.shape = method.encoder_, shape

    def posterior(self, X: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
        """Return mean and standard deviation of q(z|x), (n, dim) each."""
        # pixels beyond the range of the training rows are none that the network has seen: a pixel of the edge that was
        # 3 of 255 at most would count as 80 where it is white
        encoded = np.clip(self.encoder.encode(X), 0.0, 1.0)
        mean, sd = self.network.posterior(encoded, np.zeros(len(X)))
        return np.asarray(mean), np.asarray(sd)

    def images(self, z: np.ndarray) -> np.ndarray:
        """Decode latent points to images, uint8."""
        pixels = self.encoder.decode(self.network.rows(z, np.zeros(len(z)))).to_numpy(dtype=float)
        return as_images(pixels, self.shape)


def as_images(pixels: np.ndarray, shape: tuple[int, int, int]) -> np.ndarray:
    """Return rows of pixels as images, (n, planes, height, width), uint8."""
    return np.rint(np.clip(pixels, 0, _LARGEST)).astype(np.uint8).reshape(len(pixels), *shape)


def split(sweep: LatentSweep, images: Images, seed: int) -> tuple[Images, Images]:
    """Return the training rows and the held-out rows of a seed, the same for every β and dimension.

    Raises
    ------
    InputError
        There are too few rows.
    """
    needed = sweep.rows + sweep.held_out
    if len(images.y) < needed:
        raise InputError(f"{sweep.name}: {sweep.dataset.id} has {len(images.y)} rows, {needed} are needed")
    order = np.random.default_rng([seed, 0]).permutation(len(images.y))[:needed]
    return images.take(order[: sweep.rows]), images.take(order[sweep.rows :])


def fit(sweep: LatentSweep, images: Images, beta: float, dim: int, seed: int) -> Fit:
    """Train a network and look at it; all of it is decided by the arguments, on one thread.

    Raises
    ------
    InputError
        The rows are too few, a class of a strip has less than two held-out rows, or training failed.
    """
    from threadpoolctl import threadpool_limits

    started, begun = datetime.now(UTC).isoformat(timespec="seconds"), time.perf_counter()
    with threadpool_limits(1):
        train, held = split(sweep, images, seed)
        space = Space(_trained(sweep, train, beta, dim, seed), images.shape)
        mean, sd = space.posterior(held.X)
        real, rebuilt = as_images(held.X.to_numpy(), images.shape), space.images(mean)
        drawn = space.images(np.random.default_rng([seed, 1]).standard_normal(mean.shape))
        pairs = [ends_of(held, label) for label in sweep.strips]
        strips = [strip(space, mean[a], mean[b]) for a, b in pairs]
        shown = one_of_each(held.y)
        nothing = np.empty((0, STEPS, *images.shape), dtype=np.uint8)
        return Fit(
            beta=beta,
            dim=dim,
            seed=seed,
            started=started,
            mean=mean.astype(np.float32),
            y=held.y.astype(np.int64),
            kl=0.5 * (mean**2 + sd**2 - 1 - 2 * np.log(sd)).sum(axis=1),
            error=np.square((rebuilt.astype(float) - real) / _LARGEST).mean(axis=(1, 2, 3)),
            sharp_real=sharpness(real),
            sharp_rebuilt=sharpness(rebuilt),
            sharp_drawn=sharpness(drawn),
            neighbours=vote(space.posterior(train.X)[0], train.y, mean, held.y),
            neighbours_pca=vote(*_components(train, held, dim)),
            real=real[shown],
            rebuilt=rebuilt[shown],
            drawn=drawn[:PICTURES],
            strips=np.stack(strips) if strips else nothing,
            ends=np.stack([real[[a, b]] for a, b in pairs]) if pairs else nothing[:, :2],
            seconds=time.perf_counter() - begun,
        )


def _trained(sweep: LatentSweep, train: Images, beta: float, dim: int, seed: int) -> LatentNoise:
    code = int(train.y[0])
    # a method trains only where it is to make a row
    wanted = {code: int((train.y == code).sum()) + 1}
    method = LatentNoise(beta=beta, latent_dim=dim, random_state=seed, sampling_strategy=wanted, **sweep.params)
    with warnings.catch_warnings():
        # the page shows the KL divergence
        warnings.filterwarnings("ignore", "posterior collapsed")
        try:
            method.fit_resample(train.X, train.y)
        except ValueError as error:
            raise InputError(f"{sweep.name}, β = {beta:g}, {dim} dimensions, seed {seed}: {error}") from None
    return method


def ends_of(held: Images, label: str) -> tuple[int, int]:
    """Return two rows of a class that are unlike: those at a tenth and nine tenths along its first component.

    Raises
    ------
    InputError
        There is no such class, or it has less than two rows.
    """
    own = np.flatnonzero(held.y == held.classes.index(label)) if label in held.classes else np.empty(0, dtype=int)
    if len(own) < 2:
        raise InputError(f"a strip of class '{label}' needs two held-out rows; there are {len(own)}")
    pixels = held.X.to_numpy()[own]
    centred = pixels - pixels.mean(axis=0)
    along = centred @ np.linalg.svd(centred, full_matrices=False)[2][0]
    order = own[np.argsort(along, kind="stable")]
    first = len(own) // 10
    return int(order[first]), int(order[-1 - first])


def strip(space: Space, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Return images decoded at equal steps from one latent point to another, both included."""
    way = np.linspace(0, 1, STEPS)[:, None]
    return space.images((1 - way) * start + way * end)


def vote(train: np.ndarray, y_train: np.ndarray, held: np.ndarray, y_held: np.ndarray) -> float:
    """Return the share of held-out points whose class their nearest training points name."""
    from sklearn.neighbors import KNeighborsClassifier

    voters = KNeighborsClassifier(n_neighbors=min(NEIGHBOURS, len(train))).fit(train, y_train)
    return float((voters.predict(held) == y_held).mean())


def _components(train: Images, held: Images, dim: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return the arguments of `vote` for the first principal components of the training rows."""
    from sklearn.decomposition import PCA

    pca = PCA(n_components=min(dim, *train.X.shape), random_state=0).fit(train.X.to_numpy())
    return pca.transform(train.X.to_numpy()), train.y, pca.transform(held.X.to_numpy()), held.y


def one_of_each(y: np.ndarray, most: int = PICTURES) -> np.ndarray:
    """Return positions of the first rows of each class in turn, `most` of them."""
    turn = np.empty(len(y), dtype=int)
    for code in np.unique(y):
        turn[y == code] = np.arange(int((y == code).sum()))
    return np.lexsort((y, turn))[:most]
