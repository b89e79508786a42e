import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

pytest.importorskip("torch")


@pytest.fixture(scope="session")
def plain() -> ModuleType:
    """`plain.py` beside this file: the networks as ordinary modules, for one replicate."""
    spec = importlib.util.spec_from_file_location("plain_networks", Path(__file__).with_name("plain.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
