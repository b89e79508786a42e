"""What methods need of the machine: packages that are importable, and a GPU where one is asked for."""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import suppress
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from ..errors import InputError

#: package -> the extra of augbench that brings it
EXTRAS = {"torch": "neural", "optuna": "tune", **dict.fromkeys(("ctgan", "sdv", "rdt", "copulas"), "generators")}

CPU = "cpu"
DEVICE = re.compile(r"cpu|cuda(:\d+)?")


def requirements(method: Any) -> tuple[str, ...]:
    """Return the packages that a method (its class or an instance) needs, by the names they are imported by."""
    return tuple(getattr(method, "requires", ()))


def missing_requirement(method: Any) -> str:
    """Return which packages a method lacks and how to install them, or an empty string."""
    missing = missing_packages(method)
    return f"needs {', '.join(missing)}: {install_hint(missing)}" if missing else ""


def missing_packages(method: Any) -> list[str]:
    """Return the packages that a method (its class or an instance) needs and that are not installed."""
    return [name for name in requirements(method) if not _is_importable(name)]


def load_packages(names: Iterable[str]) -> None:
    """Import packages now, so that no method's time has it in it; one that is broken is left to the method."""
    for name in names:
        with suppress(Exception):
            import_module(name)
            if name == "torch":
                # it comes with the first optimizer, and takes as long as torch itself
                import_module("torch._dynamo")


def install_hint(packages: Iterable[str]) -> str:
    """Return how to install packages, with the extras that bring them: right for a clone and for the wheel."""
    packages = list(packages)
    extras = dict.fromkeys(EXTRAS[name] for name in packages if name in EXTRAS)
    from_extras = f" (extra {', '.join(map(repr, extras))})" if extras else ""
    return f"pip install {' '.join(packages)}{from_extras}"


def check_package(name: str, what: str) -> None:
    """Raise `InputError` where a package that `what` needs is not installed."""
    if not _is_importable(name):
        raise InputError(f"{what} needs {name}, which is not installed: {install_hint([name])}")


def _is_importable(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:
        # the parent of a dotted name
        return False


def check_devices(devices: Iterable[Any]) -> None:
    """Check that every CUDA device that is asked for is there.

    Parameters
    ----------
    devices : iterable
        Values of `device`; what does not name a CUDA device is left alone.

    Raises
    ------
    InputError
        PyTorch is not installed, or does not see the GPU; the message says what it sees.
    """
    for device in dict.fromkeys(str(one) for one in devices):
        if not device.startswith("cuda"):
            continue
        if not _is_importable("torch"):
            raise InputError(f"device '{device}' needs torch, which is not installed: {install_hint(['torch'])}")
        torch = import_module("torch")
        seen = torch.cuda.device_count() if torch.cuda.is_available() else 0
        if not seen:
            why = "is built without CUDA" if torch.version.cuda is None else "sees no GPU on this machine"
            raise InputError(f"device '{device}': torch {torch.__version__} {why}; allowed here: cpu")
        if int(device.partition(":")[2] or 0) >= seen:
            allowed = ", ".join(["cpu", "cuda", *(f"cuda:{i}" for i in range(seen))])
            raise InputError(f"device '{device}': torch sees {seen} GPU{'s' * (seen > 1)}; allowed here: {allowed}")
