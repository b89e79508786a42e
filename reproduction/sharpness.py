"""How sharp images are: the variance of the Laplacian."""

from __future__ import annotations

import numpy as np

#: neighbours above, below, left and right of a pixel
_LAPLACIAN = np.array([[0.0, 1.0, 0.0], [1.0, -4.0, 1.0], [0.0, 1.0, 0.0]])


def sharpness(images: np.ndarray) -> np.ndarray:
    """Return how sharp each image is.

    The variance, over the pixels of an image, of its Laplacian: edges have a large one, what is blurred a small one
    (Pech-Pacheco et al., "Diatom autofocusing in brightfield microscopy", ICPR 2000). It grows with the square of the
    contrast, too: an image of half the contrast has a quarter of it.

    Parameters
    ----------
    images : numpy.ndarray of shape (n, planes, height, width)
        Values 0 to 255; planes are averaged. The pixels at the edge are continued.

    Returns
    -------
    numpy.ndarray of shape (n,)
        In units of the whole range, squared; 0 for an image of one grey.

    Examples
    --------
    >>> board = 255 * (np.indices((4, 4)).sum(axis=0) % 2)
    >>> sharpness(np.stack([board, 0 * board])[:, None]).round(1).tolist()
    [8.0, 0.0]
    """
    from scipy import ndimage

    grey = images.astype(float).mean(axis=1) / 255
    edges = ndimage.convolve(grey, _LAPLACIAN[None], mode="nearest")
    return np.asarray(edges.var(axis=(1, 2)))
