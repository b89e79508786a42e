import pytest
from augbench.bench.plugins import load_plugin
from augbench.selftest.workbench import PLANTED, Workbench


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    """Where claims are put to the test; what is in its stores is not computed again."""
    load_plugin(PLANTED)
    return Workbench(tmp_path_factory.mktemp("selftest"), jobs=2, say=lambda line: None)


@pytest.fixture
def broken():
    """Return the claims that do not hold."""
    return lambda findings: [one.claim for one in findings if not one.passed]
