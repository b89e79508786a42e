"""The synthesizers of the package sdv: a Gaussian copula, CopulaGAN, TVAE and CTGAN.

What sdv puts around ctgan's networks: values are kept within the range of the training rows and rounded as they are
(`enforce_min_max_values`, `enforce_rounding`, both True as in sdv), and CopulaGAN brings numeric columns to normal
ones by their fitted distributions first.

Found in sdv 2.0.0, and taken into account here:

- Every synthesizer samples under the fixed seed 73251 (`FIXED_RNG_SEED`), whatever the global seeds: a copula, whose
  fit draws nothing, would give the same rows for every seed. `_set_random_state(seed)`, called after the fit, is its
  only way out; by hand it is the line that follows the global seeds. A further `sample` goes on from there.
- Importing it makes a folder with a log's settings and an empty log among the user's data (`isolation`).
- `sample_from_conditions` shows a progress bar on stderr whatever one does, and more than 1,000 transformed columns a
  table on stdout (`isolation`).
- Of the four only the copula can be asked for a class. sdv throws the others' rows of other classes away, as is done
  here, where the yield is known. The copula conditions on one point of the class's interval of the latent normal
  variable, the same for all rows of a call and for every seed: rows vary less than those of the class.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import pandas as pd

from ...errors import InputError
from ..search import Choice, Range
from .base import Fitted, PackageGenerator
from .ctgan_package import GAN_SEARCH, GANGenerator, TVAEGenerator
from .tables import CLASS

TABLE = "table"
REQUIRES = ("sdv", "ctgan", "rdt", "copulas", "torch")
DISTRIBUTIONS = ("norm", "beta", "truncnorm", "uniform", "gamma", "gaussian_kde")


def fit_synthesizer(name: str, rows: pd.DataFrame, discrete: list[str], seed: int, settings: dict[str, Any]) -> Any:
    """Fit one of sdv's synthesizers to a table whose columns' kinds are known, and set the seed that it samples under.

    Parameters
    ----------
    name : str
        Class in `sdv.single_table`.
    rows : pandas.DataFrame
        The table.
    discrete : list of str
        Its categorical columns; all others are numerical. There is no key, and nothing is guessed.
    seed : int
        For sampling.
    settings : dict
        Arguments of the synthesizer.
    """
    from sdv import single_table
    from sdv.metadata import Metadata

    columns = {one: {"sdtype": "categorical" if one in discrete else "numerical"} for one in rows.columns}
    metadata = Metadata.load_from_dict(
        {"tables": {TABLE: {"columns": columns}}, "relationships": [], "METADATA_SPEC_VERSION": "V1"}
    )
    synthesizer = getattr(single_table, name)(metadata, **settings)
    synthesizer.fit({TABLE: rows})
    synthesizer._set_random_state(seed)
    return synthesizer


def check_distribution(method: GaussianCopula | CopulaGAN) -> None:
    """Raise `InputError` unless `default_distribution` is one that sdv has."""
    if method.default_distribution not in DISTRIBUTIONS:
        allowed = ", ".join(DISTRIBUTIONS)
        raise InputError(f"default_distribution must be one of {allowed}; found {method.default_distribution!r}")


@dataclass(kw_only=True, eq=False, repr=False)
class GaussianCopula(PackageGenerator):
    """GaussianCopulaSynthesizer of the package sdv: fitted margins, and the correlations of their normal scores.

    With ``conditional="class-column"`` rows come from sdv's `sample_from_conditions`.

    Parameters
    ----------
    default_distribution : {"norm", "beta", "truncnorm", "uniform", "gamma", "gaussian_kde"}, default="beta"
        The margin that is fitted to each column, sdv's default.
    **others
        The parameters of `PackageGenerator`.
    """

    requires: ClassVar[tuple[str, ...]] = REQUIRES
    search_space: ClassVar[dict[str, Range]] = {"default_distribution": Choice(DISTRIBUTIONS)}
    declared_seconds: ClassVar[float] = 20.0

    default_distribution: str = "beta"

    def check_parameters(self) -> None:
        """Raise `InputError` for a parameter that has no sensible value."""
        super().check_parameters()
        check_distribution(self)

    def expected_seconds(self, n_rows: int, n_classes: int) -> float:
        """Guess the seconds that one training set takes, for estimates before anything was measured."""
        return n_classes * (1.0 + 5e-4 * n_rows)

    def _train(self, rows: pd.DataFrame, discrete: list[str], seed: int) -> Fitted:
        from sdv.sampling import Condition

        settings = {"default_distribution": self.default_distribution}
        synthesizer = fit_synthesizer("GaussianCopulaSynthesizer", rows, discrete, seed, settings)

        def draw(n: int, text: str | None) -> pd.DataFrame:
            if text is None:
                return synthesizer.sample(n)[TABLE]
            condition = Condition(num_rows=n, column_values={CLASS: text})
            return synthesizer.sample_from_conditions([condition], max_tries_per_batch=1)[TABLE]

        return Fitted(draw)


@dataclass(kw_only=True, eq=False, repr=False)
class SDVCTGAN(GANGenerator):
    """CTGANSynthesizer of the package sdv: ctgan's CTGAN, its values kept in range and rounded.

    Parameters
    ----------
    **others
        The parameters of `GANGenerator`; all defaults are the package's.
    """

    requires: ClassVar[tuple[str, ...]] = REQUIRES
    synthesizer: ClassVar[str] = "CTGANSynthesizer"

    def _train(self, rows: pd.DataFrame, discrete: list[str], seed: int) -> Fitted:
        return _network(self, rows, discrete, seed)


@dataclass(kw_only=True, eq=False, repr=False)
class CopulaGAN(SDVCTGAN):
    """CopulaGANSynthesizer of the package sdv: CTGAN on columns made normal by their fitted distributions.

    Parameters
    ----------
    default_distribution : {"norm", "beta", "truncnorm", "uniform", "gamma", "gaussian_kde"}, default="beta"
        The distribution that is fitted to each numeric column, sdv's default.
    **others
        The parameters of `GANGenerator`; all defaults are the package's.
    """

    search_space: ClassVar[dict[str, Range]] = GAN_SEARCH | {"default_distribution": Choice(DISTRIBUTIONS)}
    synthesizer: ClassVar[str] = "CopulaGANSynthesizer"
    own: ClassVar[tuple[str, ...]] = (*GANGenerator.own, "default_distribution")

    default_distribution: str = "beta"

    def check_parameters(self) -> None:
        """Raise `InputError` for a parameter that has no sensible value."""
        super().check_parameters()
        check_distribution(self)


@dataclass(kw_only=True, eq=False, repr=False)
class SDVTVAE(TVAEGenerator):
    """TVAESynthesizer of the package sdv: ctgan's TVAE, its values kept in range and rounded.

    Parameters
    ----------
    **others
        The parameters of `TVAEGenerator`; all defaults are the package's.
    """

    requires: ClassVar[tuple[str, ...]] = REQUIRES
    synthesizer: ClassVar[str] = "TVAESynthesizer"

    def _train(self, rows: pd.DataFrame, discrete: list[str], seed: int) -> Fitted:
        return _network(self, rows, discrete, seed)


def _network(method: SDVCTGAN | SDVTVAE, rows: pd.DataFrame, discrete: list[str], seed: int) -> Fitted:
    """Train one of the synthesizers that wrap a network of ctgan."""
    made = fit_synthesizer(method.synthesizer, rows, discrete, seed, method._settings(len(rows)))
    return Fitted(lambda n, text: made.sample(n)[TABLE], method._history(made.get_loss_values(), len(rows)))
