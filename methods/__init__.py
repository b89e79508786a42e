"""What is compared: augmenters, adjusters and detectors, by name.

Importing this package loads neither scikit-learn nor imbalanced-learn; a method's module is loaded when asked for.
"""

from __future__ import annotations

import inspect
from importlib import import_module
from typing import Any

from ..errors import InputError, unknown_name

_METHODS: dict[str, str | type] = {
    "none": "controls:None_",
    "random-oversampling": "controls:RandomOversampling",
    "jitter": "controls:Jitter",
    "constant-row": "controls:ConstantRow",
    "uniform-noise": "controls:UniformNoise",
    "class-weight": "adjusters:ClassWeight",
    "prior-shift": "adjusters:PriorShift",
    "threshold-tuned": "adjusters:ThresholdTuned",
    "smote": "neighbours:Smote",
    "borderline-smote": "neighbours:BorderlineSmote",
    "svm-smote": "neighbours:SvmSmote",
    "kmeans-smote": "neighbours:KMeansSmote",
    "adasyn": "neighbours:Adasyn",
    "vae": "neural.vae:VAE",
    "cvae": "neural.vae:CVAE",
    "latent-noise": "neural.latent:LatentNoise",
    "latent-interpolation": "neural.latent:LatentInterpolation",
    "latent-extrapolation": "neural.latent:LatentExtrapolation",
    "latent-interpolation-noise": "neural.latent:LatentInterpolationNoise",
    "latent-extrapolation-noise": "neural.latent:LatentExtrapolationNoise",
    "predictive-vae": "neural.predictive:PredictiveVAE",
    "predictive-vae-published": "neural.predictive:PredictiveVAEPublished",
    "ctgan": "generators.ctgan_package:CTGAN",
    "tvae": "generators.ctgan_package:TVAE",
    "gaussian-copula": "generators.sdv_package:GaussianCopula",
    "copula-gan": "generators.sdv_package:CopulaGAN",
    "sdv-tvae": "generators.sdv_package:SDVTVAE",
    "sdv-ctgan": "generators.sdv_package:SDVCTGAN",
    "autoencoder": "neural.detectors:AutoencoderDetector",
    "autoencoder-overcomplete": "neural.detectors:OvercompleteAutoencoderDetector",
    "lstm-autoencoder": "neural.detectors:LSTMAutoencoderDetector",
}


def _in(*modules: str) -> list[str]:
    """Return the names of the methods that live in these modules."""
    return [name for name, where in _METHODS.items() if str(where).partition(":")[0] in modules]


#: ending of a name: the method of the name before it, behind the generative-classifier filter
FILTER = "+gc"
#: prefix of the filter's own parameters beside those of the method that it wraps
FILTER_PREFIX = "gc_"

#: names that stand for several methods
GROUPS: dict[str, list[str]] = {
    "controls": _in("controls", "adjusters"),
    "neighbours": _in("neighbours"),
    "vae-family": _in("neural.vae", "neural.latent", "neural.predictive"),
    "generators": _in("generators.ctgan_package", "generators.sdv_package"),
    "detectors": _in("neural.detectors"),
    "all": list(_METHODS),
}


def names() -> list[str]:
    """Return the names of all methods, those of plugins last."""
    return list(_METHODS)


def get(name: str) -> type:
    """Return the class of a method.

    Of a filtered method (``"smote+gc"``) it is that of the filter: which columns and how many rows the method needs
    stands on what `make` builds.

    Raises
    ------
    InputError
        There is no method of this name, or the filter cannot wrap it.
    """
    if name.endswith(FILTER):
        _wrapped(name)
        return import_module(".filters", __name__).GenerativeClassifierFilter
    if name not in _METHODS:
        raise unknown_name("method", name, _METHODS)
    found = _METHODS[name]
    if isinstance(found, str):
        module, _, attribute = found.partition(":")
        found = _METHODS[name] = getattr(import_module(f".{module}", __name__), attribute)
    assert isinstance(found, type)
    return found


def _wrapped(name: str) -> str:
    """Return the name of the method that a filtered one wraps; raise if that is no augmenter."""
    base = name.removesuffix(FILTER)
    kind = "filtered method" if base.endswith(FILTER) else get(base).kind  # type: ignore[attr-defined]
    if kind != "augmenter":
        article = "an" if kind[0] in "aeiou" else "a"
        raise InputError(f"method '{name}': {FILTER} filters the rows of an augmenter; '{base}' is {article} {kind}")
    return base


def describe(name: str) -> str:
    """Return the first line of a method's docstring."""
    if name.endswith(FILTER):
        return f"{describe(_wrapped(name)).removesuffix('.')}; rows that look bad to a classifier are rejected."
    return (inspect.getdoc(get(name)) or "").partition("\n")[0]


def allowed_parameters(method: type | str) -> list[str]:
    """Return the parameters of a method that a suite may set (the seed and the amounts are the harness's).

    Parameters
    ----------
    method : type or str
        Its class, or its name. A filtered method has its own parameters and, with the prefix ``gc_``, the filter's;
        only its name tells them.
    """
    if isinstance(method, str):
        cls = get(method)
        if method.endswith(FILTER):
            own = [name for name in allowed_parameters(cls) if name != "augmenter"]
            return [*allowed_parameters(_wrapped(method)), *(FILTER_PREFIX + name for name in own)]
        return allowed_parameters(cls)
    return [name for name in inspect.signature(method).parameters if name not in ("sampling_strategy", "random_state")]


def make(name: str, params: dict[str, Any] | None = None, **more: Any) -> Any:
    """Build a method.

    Parameters
    ----------
    name : str
        A name from `names`; that of an augmenter may end in ``+gc``, for the generative-classifier filter.
    params : dict, optional
        What a suite sets: any of `allowed_parameters`.
    **more
        What the harness sets: ``sampling_strategy``, ``random_state``.

    Raises
    ------
    InputError
        An unknown name or parameter, or a value that the method refuses.
    """
    cls = get(name)
    params = params or {}
    allowed = allowed_parameters(name)
    for parameter in params:
        if parameter not in allowed:
            if not allowed:
                raise InputError(f"method '{name}' has no parameters; found '{parameter}'")
            error = unknown_name(f"parameter of method '{name}'", parameter, allowed)
            raise InputError(f"{error} (bench list methods {name})")
    if name.endswith(FILTER):
        inner = {key: value for key, value in params.items() if not key.startswith(FILTER_PREFIX)}
        own = {key.removeprefix(FILTER_PREFIX): value for key, value in params.items() if key not in inner}
        params = {"augmenter": make(_wrapped(name), inner), **own}
    try:
        method = cls(**params, **more)
        if hasattr(method, "check_parameters"):
            method.check_parameters()
    except (TypeError, ValueError) as error:
        raise InputError(f"method '{name}': {error}") from error
    return method


def register(cls: type, name: str) -> None:
    """Add a method, as a plugin does.

    Parameters
    ----------
    cls : type
        A subclass of `Augmenter`, `Adjuster` or `Detector`.
    name : str
        Its name in suites and on the leaderboard.

    Raises
    ------
    InputError
        The name is taken, or the class is no method.
    """
    from .contract import Adjuster, Augmenter, Detector

    if not (inspect.isclass(cls) and issubclass(cls, Augmenter | Adjuster | Detector)):
        raise InputError(
            f"method '{name}' must be a subclass of augbench.Augmenter, Adjuster or Detector; found {cls!r}"
        )
    if name in _METHODS or name in GROUPS:
        raise InputError(f"method '{name}' exists already; choose another name")
    if name.endswith(FILTER):
        raise InputError(f"method '{name}': the ending {FILTER} is that of the filter; choose another name")
    _METHODS[name] = cls
    GROUPS["all"].append(name)


#: classes that `from augbench.methods import ...` gives
_PUBLIC = {
    "Adjuster": "contract",
    "Augmenter": "contract",
    "AutoencoderDetector": "neural.detectors",
    "CTGAN": "generators.ctgan_package",
    "CVAE": "neural.vae",
    "CopulaGAN": "generators.sdv_package",
    "Detector": "contract",
    "GaussianCopula": "generators.sdv_package",
    "LSTMAutoencoderDetector": "neural.detectors",
    "LatentExtrapolation": "neural.latent",
    "LatentExtrapolationNoise": "neural.latent",
    "LatentInterpolation": "neural.latent",
    "LatentInterpolationNoise": "neural.latent",
    "LatentNoise": "neural.latent",
    "OvercompleteAutoencoderDetector": "neural.detectors",
    "PredictiveVAE": "neural.predictive",
    "PredictiveVAEPublished": "neural.predictive",
    "SDVCTGAN": "generators.sdv_package",
    "SDVTVAE": "generators.sdv_package",
    "TVAE": "generators.ctgan_package",
    "VAE": "neural.vae",
}


__all__ = ["GROUPS", "describe", "get", "make", "names", "register", *sorted(_PUBLIC)]


def __dir__() -> list[str]:
    return __all__


def __getattr__(name: str) -> Any:
    if name in _PUBLIC:
        return getattr(import_module(f".{_PUBLIC[name]}", __name__), name)
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
