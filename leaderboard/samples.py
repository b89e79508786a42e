"""Real and generated rows to look at: their projection onto a plane, and the images that they are."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class Sample:
    """A few rows of one draw.

    Attributes
    ----------
    X : numpy.ndarray of shape (n_rows, n_columns)
        Numeric columns standardised by the training rows, then one-hot columns.
    y : numpy.ndarray of shape (n_rows,), int
        Class codes.
    mean, scale : numpy.ndarray of shape (n_columns,)
        What takes the columns back to their units; empty with generated rows: those of the real rows hold.
    shape : tuple of int
        Height and width where the columns are the pixels of an image; else empty.
    """

    X: np.ndarray
    y: np.ndarray
    mean: np.ndarray = field(default_factory=lambda: np.empty(0))
    scale: np.ndarray = field(default_factory=lambda: np.empty(0))
    shape: tuple[int, ...] = ()


@dataclass(frozen=True)
class Projection:
    """Two samples on the plane of the first two principal components of the real rows.

    Attributes
    ----------
    real, new : numpy.ndarray of shape (n_rows, 2)
        The rows.
    shares : tuple of float
        Share of the variance of the real rows along each axis; 0 where the rows have one dimension only.
    """

    real: np.ndarray
    new: np.ndarray
    shares: tuple[float, float]


def project(real: Sample, new: Sample) -> Projection:
    """Project both samples by a PCA of the real rows alone: the generated ones must not choose the view."""
    from sklearn.decomposition import PCA

    # of rows that are all the same no direction varies
    with np.errstate(invalid="ignore"):
        pca = PCA(n_components=min(2, *real.X.shape), svd_solver="full").fit(real.X)
    shares = [float(share) if np.isfinite(share) else 0.0 for share in pca.explained_variance_ratio_]
    flat = 2 - len(shares)
    planes = [np.pad(pca.transform(one.X), ((0, 0), (0, flat))) for one in (real, new)]
    return Projection(planes[0], planes[1], (shares[0], 0.0 if flat else shares[1]))


def strip(real: Sample, rows: Sample, code: int, most: int) -> np.ndarray:
    """Return images of one class side by side.

    Parameters
    ----------
    real : Sample
        The real rows: they know the shape and the units.
    rows : Sample
        The rows to show.
    code : int
        Their class.
    most : int
        At most so many; the strip is as wide as so many are, the rest is NaN.

    Returns
    -------
    numpy.ndarray of shape (height, most × (width + 1))
        Pixels in the units of the data, columns of NaN between the images.
    """
    height, width = real.shape
    out = np.full((height, most * (width + 1)), np.nan)
    chosen = rows.X[rows.y == code][:most] * real.scale + real.mean
    for place, row in enumerate(chosen):
        left = place * (width + 1)
        out[:, left : left + width] = row.reshape(height, width)
    return out
