"""Checks of the parameters that neural methods share, before any work is done."""

from __future__ import annotations

import re
from importlib.util import find_spec
from typing import Any

import numpy as np

from ...errors import InputError


def check_training(method: Any) -> None:
    """Raise `InputError` for a parameter of the training that has no sensible value, and where torch is absent."""
    at_least(method, "batch_size", 1)
    check_number(method, "learning_rate", above=0.0)
    if method.dtype not in ("float32", "float64"):
        raise InputError(f"dtype must be 'float32' or 'float64'; found {method.dtype!r}")
    if not re.fullmatch(r"cpu|cuda(:\d+)?", str(method.device)):
        raise InputError(f"device must be 'cpu', 'cuda' or 'cuda:N'; found {method.device!r}")


def check_hidden(hidden: Any) -> None:
    """Raise `InputError` unless `hidden` is ``"auto"`` or a list of widths."""
    widths = hidden if isinstance(hidden, list | tuple) else ()
    whole = all(isinstance(one, int | np.integer) and not isinstance(one, bool) and one > 0 for one in widths)
    if hidden != "auto" and not (widths and whole):
        raise InputError(f"hidden must be 'auto' or a list of widths above 0; found {hidden!r}")


def check_number(method: Any, name: str, least: float = -np.inf, above: float = -np.inf) -> None:
    """Raise `InputError` unless a parameter is a finite number, at least `least` and above `above`."""
    value = getattr(method, name)
    number = isinstance(value, int | float | np.number) and not isinstance(value, bool) and np.isfinite(value)
    if not (number and value >= least and value > above):
        bound = f"{least:g} or more" if np.isfinite(least) else f"above {above:g}"
        raise InputError(f"{name} must be {bound}; found {value!r}")


def at_least(method: Any, name: str, least: int) -> None:
    """Raise `InputError` unless a parameter is a whole number, at least `least`."""
    value = getattr(method, name)
    if not isinstance(value, int | np.integer) or isinstance(value, bool) or value < least:
        raise InputError(f"{name} must be a whole number, at least {least}; found {value!r}")


def require_torch(device: str) -> None:
    """Raise `InputError` where torch is not installed, or sees no such GPU."""
    if find_spec("torch") is None:
        raise InputError("neural methods need torch: pip install torch (extra 'neural')")
    if device != "cpu":
        import torch

        count = torch.cuda.device_count()
        if int(device.partition(":")[2] or 0) >= count:
            raise InputError(f"device {device!r}: torch {torch.__version__} sees {count} GPUs; use 'cpu'")
