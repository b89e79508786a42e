"""One process beside this one, kept for all checks of a session, in which methods run as in the benchmark's workers.

joblib's loky starts it: unlike multiprocessing's, its processes do not run the caller's script again.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import pickle
import signal
import sys
import time
from pathlib import Path
from typing import Any

import pandas as pd
from joblib.externals.loky import ProcessPoolExecutor

from ...threads import variables
from .kit import CheckFailed, NotApplicable, one_line
from .subject import at_work, outcome
from .tables import Training

#: seconds for the process to start and to load what a method needs
START = 60.0

_pool: list[Any] = []


def outcome_in_worker(method: Any, training: Training, seconds: float) -> tuple[pd.DataFrame, float]:
    """Return what `outcome` gives in another process, and the seconds that it took there.

    Parameters
    ----------
    method : Augmenter, Adjuster or Detector
        Not fitted.
    training : Training
        What it is given.
    seconds : float
        After so many, and `START`, the process is killed.

    Raises
    ------
    CheckFailed
        It failed there, did not end, or the process died.
    NotApplicable
        The method cannot be brought there.
    """
    modules = _modules_of(method)
    if "__main__" in modules:
        raise NotApplicable("its class stands in a script or notebook: put it into a file that can be imported")
    try:
        payload = pickle.dumps((method, training))
    except Exception as error:
        raise NotApplicable(f"it cannot be pickled, see check_pickle: {one_line(error)}") from error
    if not _pool:
        _pool.append(ProcessPoolExecutor(max_workers=1, initializer=_ignore_interrupts, env=variables(1)))
    future = _pool[0].submit(_run, modules, payload)
    try:
        found: tuple[pd.DataFrame, float] = future.result(timeout=seconds + START)
    except TimeoutError:
        stop_worker()
        raise CheckFailed(f"it was still running after {seconds:g} seconds in a worker process") from None
    except Exception as error:
        if "Terminated" in type(error).__name__:
            stop_worker()
        raise CheckFailed(f"in a worker process: {one_line(error)}") from error
    return found


def stop_worker() -> None:
    """End the process, if there is one, whatever it does."""
    while _pool:
        _pool.pop().shutdown(kill_workers=True)


def _run(modules: dict[str, str], payload: bytes) -> tuple[pd.DataFrame, float]:
    for name, file in modules.items():
        _load(name, file)
    method, training = pickle.loads(payload)
    with at_work(method):
        start = time.perf_counter()
        found = outcome(method, training)
        return found, time.perf_counter() - start


def _load(name: str, file: str) -> None:
    """Import a module by its name or, where that finds another one or none, from its file, as for a plugin."""
    try:
        module = importlib.import_module(name)
    except ImportError:
        module = None
    if not file or (module is not None and _same_file(getattr(module, "__file__", None), file)):
        return
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise ImportError(f"{file} cannot be imported")
    sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sys.modules[name])


def _same_file(one: str | None, other: str) -> bool:
    return one is not None and Path(one).resolve() == Path(other).resolve()


def _modules_of(method: Any) -> dict[str, str]:
    """Return the modules, and their files, of a method's class and of those that it wraps."""
    found = {}
    for one in (method, *method.get_params(deep=True).values()):
        if hasattr(one, "get_params"):
            module = inspect.getmodule(type(one))
            found[type(one).__module__] = str(getattr(module, "__file__", "") or "")
    return found


def _ignore_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
