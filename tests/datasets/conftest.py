import os
from pathlib import Path

import pytest

_SIBLING = Path(__file__).resolve().parents[3] / "shared" / "data"


@pytest.fixture
def real_data(monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of real files, set as AUGBENCH_DATA; the test is skipped where there is none."""
    folder = Path(os.environ.get("AUGBENCH_DATA") or _SIBLING)
    if not (folder / "proben1").is_dir():
        pytest.skip(f"no real data files: set AUGBENCH_DATA (looked in {folder})")
    monkeypatch.setenv("AUGBENCH_DATA", str(folder))
    return folder


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache folder; AUGBENCH_DATA is not set."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("AUGBENCH_CACHE", str(folder))
    monkeypatch.delenv("AUGBENCH_DATA", raising=False)
    return folder
