"""How a package that reads global random state is run: seeded, on one thread, silent, and with everything put back."""

from __future__ import annotations

import contextlib
import io
import logging
import random
import sys
import warnings
from collections.abc import Iterator, Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import joblib
import numpy as np
from threadpoolctl import threadpool_limits

from ...errors import InputError

#: extra of augbench that brings the packages
EXTRA = "generators"


def require(packages: Sequence[str], device: str) -> None:
    """Import packages, leaving no file behind.

    Raises
    ------
    InputError
        One is not installed, or torch sees no such GPU.
    """
    missing = [name for name in packages if find_spec(name) is None]
    if missing:
        raise InputError(f"this method needs {', '.join(missing)}: pip install {' '.join(missing)} (extra '{EXTRA}')")
    with _silent(), _without_sdv_log():
        for name in packages:
            import_module(name)
    if device != "cpu":
        torch = import_module("torch")
        seen = torch.cuda.device_count()
        if _index(device) >= seen:
            raise InputError(f"device {device!r}: torch {torch.__version__} sees {seen} GPUs; use 'cpu'")


@contextlib.contextmanager
def isolated(seed: int, device: str = "cpu") -> Iterator[None]:
    """Run a block as if its global seeds had been set by hand, and leave no trace of it.

    Inside, the three global states are those after ``random.seed(seed)``, ``numpy.random.seed(seed)`` and
    ``torch.manual_seed(seed)``; torch, BLAS and joblib work on one thread in this process, so that the bits depend on
    neither the machine's load nor its cores; printing and logging are swallowed. Afterwards, also after an exception,
    all of it is as it was. Warnings are held back and given when the block ends, each text once; deprecations in the
    packages' own code are no business of a user, and dropped.

    Parameters
    ----------
    seed : int
        From 0 to 2**32 - 1.
    device : str
        ``"cpu"``, ``"cuda"`` (the current GPU) or ``"cuda:N"``.
    """
    with contextlib.ExitStack() as stack:
        caught = stack.enter_context(_silent())
        stack.enter_context(threadpool_limits(1))
        # ctgan transforms tables of 500 rows and more in as many processes as there are cores
        stack.enter_context(joblib.parallel_config(backend="sequential"))
        stack.enter_context(_seeded(seed, device))
        yield
    texts = {(one.category, str(one.message)): one for one in caught}
    for category, text in texts:
        if not issubclass(category, DeprecationWarning | PendingDeprecationWarning):
            warnings.warn(text, category, stacklevel=4)


@contextlib.contextmanager
def _seeded(seed: int, device: str) -> Iterator[None]:
    torch = import_module("torch")
    python_state, numpy_state = random.getstate(), np.random.get_state()  # noqa: NPY002
    threads = torch.get_num_threads()
    devices = [] if device == "cpu" else list(range(torch.cuda.device_count()))
    current = torch.cuda.device(_index(device)) if devices else contextlib.nullcontext()
    with torch.random.fork_rng(devices), current:
        try:
            random.seed(seed)
            np.random.seed(seed)  # noqa: NPY002
            # torch.manual_seed would also seed GPUs, whose states are not kept here
            torch.manual_seed(seed) if devices else torch.default_generator.manual_seed(seed)
            torch.set_num_threads(1)
            yield
        finally:
            torch.set_num_threads(threads)
            np.random.set_state(numpy_state)  # noqa: NPY002
            random.setstate(python_state)


@contextlib.contextmanager
def _silent() -> Iterator[list[warnings.WarningMessage]]:
    """Swallow what is printed and logged, and collect warnings."""
    disabled = logging.root.manager.disable
    sink = io.StringIO()
    with (
        contextlib.redirect_stdout(sink),
        contextlib.redirect_stderr(sink),
        warnings.catch_warnings(record=True) as caught,
    ):
        warnings.simplefilter("always")
        logging.disable(logging.CRITICAL)
        try:
            yield caught
        finally:
            logging.disable(disabled)


@contextlib.contextmanager
def _without_sdv_log() -> Iterator[None]:
    """Keep sdv, while it is imported, from writing its log's settings and an empty log into the user's data folder.

    It asks platformdirs for the folder; where that cannot be made it goes without a log.
    """
    import platformdirs

    if "sdv" in sys.modules:
        yield
        return
    original = platformdirs.user_data_dir

    def nowhere(appname: str | None = None, *args: Any, **kwargs: Any) -> str:
        # a folder inside a file: NotADirectoryError for whoever makes it
        return f"{__file__}/sdv" if appname == "sdv" else original(appname, *args, **kwargs)

    platformdirs.user_data_dir = nowhere
    try:
        yield
    finally:
        platformdirs.user_data_dir = original


def _index(device: str) -> int:
    """Return the number of a GPU; ``"cuda"`` is the current one."""
    _, _, number = device.partition(":")
    return int(number) if number else int(import_module("torch").cuda.current_device())
