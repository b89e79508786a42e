"""The neighbour family: SMOTE and its relatives, on imbalanced-learn."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pandas as pd
from imblearn import over_sampling
from sklearn.cluster import MiniBatchKMeans

from .contract import column_positions
from .samplers import SamplerAugmenter
from .search import Range, Whole

__all__ = ["Adasyn", "BorderlineSmote", "KMeansSmote", "Smote", "SvmSmote"]


class Smote(SamplerAugmenter):
    """SMOTE; SMOTE-NC with mixed columns, SMOTEN with categorical ones only.

    A new row lies on the segment between a row and one of its nearest neighbours of the same class [1]_.

    Parameters
    ----------
    k_neighbors : int, default=5
        At most so many neighbours: lowered to the rows of the smallest augmented class minus one.
    sampling_strategy, random_state
        As in `Augmenter`.

    References
    ----------
    .. [1] N. V. Chawla, K. W. Bowyer, L. O. Hall, W. P. Kegelmeyer, "SMOTE: synthetic minority over-sampling
       technique", Journal of Artificial Intelligence Research 16 (2002), 321-357.

    Examples
    --------
    >>> X = pd.DataFrame({"a": [0.0, 1.0, 2.0, 3.0, 4.0]})
    >>> len(Smote(random_state=0).fit_resample(X, np.array([0, 0, 0, 1, 1]))[0])
    6
    """

    family: ClassVar[str] = "neighbours"
    min_per_class: ClassVar[int] = 2
    sampler_class: ClassVar[type] = over_sampling.SMOTE
    search_space: ClassVar[dict[str, Range]] = {"k_neighbors": Whole(1, 10)}

    def __init__(self, k_neighbors: int = 5, sampling_strategy: Any = "auto", random_state: int | None = None) -> None:
        super().__init__(sampling_strategy=sampling_strategy, random_state=random_state)
        self.k_neighbors = k_neighbors

    def sampler_parameters(self, X: pd.DataFrame, y: np.ndarray, counts: dict[int, int]) -> dict[str, Any]:
        """Return the parameters of this object, and which columns are categorical where both kinds are there."""
        own = super().sampler_parameters(X, y, counts)
        numeric, categorical = column_positions(X)
        return own | ({"categorical_features": categorical} if numeric and categorical else {})

    def choose_class(self, numeric: list[int], categorical: list[int]) -> type:
        """Return SMOTE, SMOTE-NC or SMOTEN for the numeric and categorical columns at hand."""
        if not categorical:
            return self.sampler_class
        return over_sampling.SMOTENC if numeric else over_sampling.SMOTEN


class BorderlineSmote(Smote):
    """SMOTE from rows in danger only: at least half, but not all, of the neighbours are of other classes.

    No row in danger: an error, where imbalanced-learn silently adds nothing.

    Parameters
    ----------
    k_neighbors : int, default=5
        Neighbours to interpolate with; at most the rows of the smallest augmented class minus one.
    m_neighbors : int, default=10
        Neighbours that tell whether a row is in danger; at most all training rows minus one.
    sampling_strategy, random_state
        As in `Augmenter`.

    References
    ----------
    .. [1] H. Han, W.-Y. Wang, B.-H. Mao, "Borderline-SMOTE", ICIC 2005, 878-887.
    """

    numeric_only: ClassVar[bool] = True
    sampler_class: ClassVar[type] = over_sampling.BorderlineSMOTE
    search_space: ClassVar[dict[str, Range]] = {"k_neighbors": Whole(1, 10), "m_neighbors": Whole(3, 30, log=True)}
    known_limits: ClassVar[dict[str, str]] = {
        "check_duplicates_only": "of copies of one row all are in danger or none is; an error says so"
    }

    def __init__(
        self,
        k_neighbors: int = 5,
        m_neighbors: int = 10,
        sampling_strategy: Any = "auto",
        random_state: int | None = None,
    ) -> None:
        super().__init__(k_neighbors, sampling_strategy=sampling_strategy, random_state=random_state)
        self.m_neighbors = m_neighbors

    def _why(self, rows: np.ndarray) -> str:
        return "" if len(rows) else ": no row of that class is in danger"


class SvmSmote(BorderlineSmote):
    """SMOTE from support vectors: interpolates in danger, extrapolates where safe.

    If all support vectors are of one of the two kinds, imbalanced-learn (0.14) makes only that kind's random share of
    the rows, about half; it is then asked once more, for more. All support vectors noise: an error.

    Parameters
    ----------
    k_neighbors : int, default=5
        Neighbours to interpolate with; at most the rows of the smallest augmented class minus one.
    m_neighbors : int, default=10
        Neighbours that tell danger and noise; at most all training rows minus one.
    sampling_strategy, random_state
        As in `Augmenter`.

    References
    ----------
    .. [1] H. M. Nguyen, E. W. Cooper, K. Kamei, "Borderline over-sampling for imbalanced data classification",
       International Journal of Knowledge Engineering and Soft Data Paradigms 3 (2011), 4-21.
    """

    asks_again: ClassVar[bool] = True
    sampler_class: ClassVar[type] = over_sampling.SVMSMOTE
    known_limits: ClassVar[dict[str, str]] = {}

    def _why(self, rows: np.ndarray) -> str:
        return "" if len(rows) else ": no support vector of that class can be used"


class KMeansSmote(Smote):
    """SMOTE inside k-means clusters in which the class is over-represented, more in the sparse ones.

    Parameters
    ----------
    k_neighbors : int, default=2
        Neighbours to interpolate with; at most the rows of the smallest augmented class minus one.
    n_clusters : int, default=8
        At most so many clusters: lowered so that the smallest augmented class has k_neighbors + 1 rows a cluster on
        average. One cluster is plain SMOTE.
    cluster_balance_threshold : float, "auto" or "prevalence", default="prevalence"
        Share of the class that a cluster needs. "prevalence": the class's share of the training rows (the smallest
        such share, if several classes are augmented). "auto" is imbalanced-learn's: half, for one class; under real
        imbalance no cluster reaches it.
    sampling_strategy, random_state
        As in `Augmenter`.

    Raises
    ------
    ValueError
        No cluster has enough rows of the class.

    References
    ----------
    .. [1] G. Douzas, F. Bacao, F. Last, "Improving imbalanced learning through a heuristic oversampling method based on
       k-means and SMOTE", Information Sciences 465 (2018), 1-20.
    """

    numeric_only: ClassVar[bool] = True
    sampler_class: ClassVar[type] = over_sampling.KMeansSMOTE
    search_space: ClassVar[dict[str, Range]] = {"k_neighbors": Whole(1, 10), "n_clusters": Whole(2, 32, log=True)}
    known_limits: ClassVar[dict[str, str]] = {
        "check_duplicates_only": "new rows are shared out by the spread of clusters, and copies of one row have none"
    }

    def __init__(
        self,
        k_neighbors: int = 2,
        n_clusters: int = 8,
        cluster_balance_threshold: float | str = "prevalence",
        sampling_strategy: Any = "auto",
        random_state: int | None = None,
    ) -> None:
        super().__init__(k_neighbors, sampling_strategy=sampling_strategy, random_state=random_state)
        self.n_clusters = n_clusters
        self.cluster_balance_threshold = cluster_balance_threshold

    def sampler_parameters(self, X: pd.DataFrame, y: np.ndarray, counts: dict[int, int]) -> dict[str, Any]:
        """Return the parameters of imbalanced-learn's class for this training set."""
        smallest = min(int(np.count_nonzero(y == code)) for code in counts)
        k = min(self.k_neighbors, smallest - 1)
        threshold = self.cluster_balance_threshold
        if threshold == "prevalence":
            threshold = smallest / len(y)
        clusters = max(1, min(self.n_clusters, smallest // (k + 1)))
        return {
            "k_neighbors": k,
            "kmeans_estimator": MiniBatchKMeans(clusters, n_init=3),
            "cluster_balance_threshold": threshold,
        }

    def _call(
        self, make: type, params: dict[str, Any], X: Any, y: np.ndarray, counts: dict[int, int], seed: int
    ) -> tuple[Any, np.ndarray]:
        kmeans = params["kmeans_estimator"].set_params(random_state=seed)
        return super()._call(make, params | {"kmeans_estimator": kmeans}, X, y, counts, seed)


class Adasyn(SamplerAugmenter):
    """ADASYN: more new rows where more of the neighbours are of other classes.

    The number of rows from each training row is rounded, so the sum may miss the number asked for. If it is short, the
    sampler is asked once more, for more; an excess is thinned at random; up to a tenth fewer are accepted.

    Parameters
    ----------
    n_neighbors : int, default=5
        At most so many neighbours: lowered to the rows of the smallest augmented class minus one.
    sampling_strategy, random_state
        As in `Augmenter`.

    Raises
    ------
    ValueError
        No row of the class has a neighbour of another class.

    References
    ----------
    .. [1] H. He, Y. Bai, E. A. Garcia, S. Li, "ADASYN: adaptive synthetic sampling approach for imbalanced learning",
       IJCNN 2008, 1322-1328.
    """

    family: ClassVar[str] = "neighbours"
    min_per_class: ClassVar[int] = 2
    numeric_only: ClassVar[bool] = True
    exact_counts: ClassVar[bool] = False
    asks_again: ClassVar[bool] = True
    sampler_class: ClassVar[type] = over_sampling.ADASYN
    search_space: ClassVar[dict[str, Range]] = {"n_neighbors": Whole(1, 10)}

    def __init__(self, n_neighbors: int = 5, sampling_strategy: Any = "auto", random_state: int | None = None) -> None:
        super().__init__(sampling_strategy=sampling_strategy, random_state=random_state)
        self.n_neighbors = n_neighbors
