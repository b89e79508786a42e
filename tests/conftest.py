import os
import subprocess
import sys
from pathlib import Path

import pytest

BENCH = [sys.executable, "-m", "augbench.bench"]


@pytest.fixture
def bench(tmp_path):
    """Run the command line as a person would, in a folder of its own; return the finished process."""

    def run(*args, cwd=tmp_path, timeout=300, **env):
        environment = {**os.environ, "COLUMNS": "160", **env}
        return subprocess.run(
            [*BENCH, *map(str, args)], cwd=cwd, env=environment, capture_output=True, text=True, timeout=timeout
        )

    return run


@pytest.fixture
def data_folder():
    """The real data files; a test that needs them is skipped where they are not."""
    folder = Path(os.environ.get("AUGBENCH_DATA", Path(__file__).parents[2] / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip("the real data files are not on this machine (AUGBENCH_DATA)")
    return folder
