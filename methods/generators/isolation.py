"""How a package that reads global random state is run: seeded, on one thread, silent, and with everything put back."""

from __future__ import annotations

import contextlib
import logging
import os
import random
import sys
import tempfile
import threading
import warnings
from collections.abc import Iterable, Iterator, Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import joblib
import numpy as np
from threadpoolctl import threadpool_limits

from ...errors import InputError
from ...threads import number_of_threads, torch_threads

#: extra of augbench that brings the packages
EXTRA = "generators"
#: where torch's compiler keeps what it compiled; it makes the folder as soon as an optimizer is built
COMPILER_CACHE = "TORCHINDUCTOR_CACHE_DIR"


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
    with _silent(), _without_sdv_log(), _states_kept():
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
        stack.enter_context(threadpool_limits(number_of_threads()))
        # ctgan transforms tables of 500 rows and more in as many processes as there are cores
        stack.enter_context(joblib.parallel_config(backend="sequential"))
        stack.enter_context(_without_compiler_cache())
        stack.enter_context(_seeded(seed, device))
        yield
    texts = {(one.category, str(one.message)): one for one in caught}
    for category, text in texts:
        if not issubclass(category, DeprecationWarning | PendingDeprecationWarning):
            warnings.warn(text, category, stacklevel=4)


@contextlib.contextmanager
def _states_kept() -> Iterator[None]:
    """Put the states of random and numpy back; the import of rich, which sdv's needs, draws from the former."""
    python_state, numpy_state = random.getstate(), np.random.get_state()  # noqa: NPY002
    try:
        yield
    finally:
        random.setstate(python_state)
        np.random.set_state(numpy_state)  # noqa: NPY002


@contextlib.contextmanager
def _seeded(seed: int, device: str) -> Iterator[None]:
    """Set the seeds and the threads of torch, and put back what they were."""
    torch = import_module("torch")
    devices = [] if device == "cpu" else list(range(torch.cuda.device_count()))
    current = torch.cuda.device(_index(device)) if devices else contextlib.nullcontext()
    with _states_kept(), torch.random.fork_rng(devices), current, torch_threads():
        random.seed(seed)
        np.random.seed(seed)  # noqa: NPY002
        # torch.manual_seed would also seed GPUs, whose states are not kept here
        torch.manual_seed(seed) if devices else torch.default_generator.manual_seed(seed)
        yield


class _Muted:
    """A stream that swallows what the thread that made it writes; that of others, a progress display, passes."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream
        self.thread = threading.get_ident()

    def write(self, text: str) -> int:
        return len(text) if threading.get_ident() == self.thread else self.stream.write(text)

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


@contextlib.contextmanager
def _silent() -> Iterator[list[warnings.WarningMessage]]:
    """Swallow what this thread prints and what is logged, and collect warnings."""
    disabled = logging.root.manager.disable
    with (
        contextlib.redirect_stdout(_Muted(sys.stdout)),
        contextlib.redirect_stderr(_Muted(sys.stderr)),
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


@contextlib.contextmanager
def _without_compiler_cache() -> Iterator[None]:
    """Name torch's compiler, which nothing here uses, a folder that is there already instead of having it make one."""
    if COMPILER_CACHE in os.environ:
        yield
        return
    os.environ[COMPILER_CACHE] = tempfile.gettempdir()
    try:
        yield
    finally:
        os.environ.pop(COMPILER_CACHE, None)


def _index(device: str) -> int:
    """Return the number of a GPU; ``"cuda"`` is the current one."""
    _, _, number = device.partition(":")
    return int(number) if number else int(import_module("torch").cuda.current_device())
