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
    "vae": "neural.vae:Vae",
    "cvae": "neural.vae:Cvae",
    "latent-noise": "neural.latent:LatentNoise",
    "latent-interpolation": "neural.latent:LatentInterpolation",
    "latent-extrapolation": "neural.latent:LatentExtrapolation",
    "latent-interpolation-noise": "neural.latent:LatentInterpolationNoise",
    "latent-extrapolation-noise": "neural.latent:LatentExtrapolationNoise",
    "predictive-vae": "neural.predictive:PredictiveVAE",
    "predictive-vae-published": "neural.predictive:PredictiveVAEPublished",
    "autoencoder": "neural.detectors:AutoencoderDetector",
    "autoencoder-overcomplete": "neural.detectors:OvercompleteAutoencoderDetector",
    "lstm-autoencoder": "neural.detectors:LSTMAutoencoderDetector",
}


def _in(*modules: str) -> list[str]:
    """Return the names of the methods that live in these modules."""
    return [name for name, where in _METHODS.items() if str(where).partition(":")[0] in modules]


#: names that stand for several methods
GROUPS: dict[str, list[str]] = {
    "controls": _in("controls", "adjusters"),
    "neighbours": _in("neighbours"),
    "vae-family": _in("neural.vae", "neural.latent", "neural.predictive"),
    "detectors": _in("neural.detectors"),
    "all": list(_METHODS),
}


def names() -> list[str]:
    """Return the names of all methods, those of plugins last."""
    return list(_METHODS)


def get(name: str) -> type:
    """Return the class of a method.

    Raises
    ------
    InputError
        There is no method of this name.
    """
    if name not in _METHODS:
        raise unknown_name("method", name, _METHODS)
    found = _METHODS[name]
    if isinstance(found, str):
        module, _, attribute = found.partition(":")
        found = _METHODS[name] = getattr(import_module(f".{module}", __name__), attribute)
    assert isinstance(found, type)
    return found


def describe(name: str) -> str:
    """Return the first line of a method's docstring."""
    return (inspect.getdoc(get(name)) or "").partition("\n")[0]


def allowed_parameters(cls: type) -> list[str]:
    """Return the parameters of a method that a suite may set (the seed and the amounts are the harness's)."""
    return [name for name in inspect.signature(cls).parameters if name not in ("sampling_strategy", "random_state")]


def make(name: str, params: dict[str, Any] | None = None, **more: Any) -> Any:
    """Build a method.

    Parameters
    ----------
    name : str
        A name from `names`.
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
    allowed = allowed_parameters(cls)
    for parameter in params:
        if parameter not in allowed:
            if not allowed:
                raise InputError(f"method '{name}' has no parameters; found '{parameter}'")
            raise unknown_name(f"parameter of method '{name}'", parameter, allowed)
    try:
        return cls(**params, **more)
    except (TypeError, ValueError) as error:
        raise InputError(f"method '{name}': {error}") from error


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
    _METHODS[name] = cls
    GROUPS["all"].append(name)


#: classes that `from augbench.methods import ...` gives
_PUBLIC = {
    "Adjuster": "contract",
    "Augmenter": "contract",
    "AutoencoderDetector": "neural.detectors",
    "Cvae": "neural.vae",
    "Detector": "contract",
    "LSTMAutoencoderDetector": "neural.detectors",
    "LatentExtrapolation": "neural.latent",
    "LatentExtrapolationNoise": "neural.latent",
    "LatentInterpolation": "neural.latent",
    "LatentInterpolationNoise": "neural.latent",
    "LatentNoise": "neural.latent",
    "OvercompleteAutoencoderDetector": "neural.detectors",
    "PredictiveVAE": "neural.predictive",
    "PredictiveVAEPublished": "neural.predictive",
    "Vae": "neural.vae",
}


def __getattr__(name: str) -> Any:
    if name in _PUBLIC:
        return getattr(import_module(f".{_PUBLIC[name]}", __name__), name)
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
