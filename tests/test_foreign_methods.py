"""Samplers that nobody here wrote, brought in by following PLUGINS.md to the letter in a fresh environment."""

import os
import re
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
from augbench import Store, results_of

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "PLUGINS.md").read_text(encoding="utf-8")


def block(mark: str) -> str:
    """Return the fenced block below a mark of the page."""
    found = re.search(rf"<!-- {re.escape(mark)} -->\n```\w+\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    assert found, f"PLUGINS.md has lost its block '{mark}'"
    return found[1]


@pytest.fixture(scope="module")
def fresh(tmp_path_factory):
    """A fresh environment with augbench installed; it borrows the packages here, since tests use no network."""
    pytest.importorskip("imblearn_extra")
    pytest.importorskip("pyloras")
    folder = tmp_path_factory.mktemp("fresh")
    environment = folder / "environment"
    subprocess.run([sys.executable, "-m", "venv", environment], check=True)
    python = environment / ("Scripts" if os.name == "nt" else "bin") / "python"
    # an old setuptools of its own would stand before the borrowed one
    subprocess.run([python, "-m", "pip", "uninstall", "-q", "-y", "setuptools"], check=True, capture_output=True)
    site = subprocess.check_output([python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], text=True)
    (Path(site.strip()) / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    quiet = {"PIP_NO_INDEX": "1", "PIP_NO_BUILD_ISOLATION": "0", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    place = {"VIRTUAL_ENV": str(environment), "PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}"}
    variables = {**os.environ, **quiet, **place, "COLUMNS": "160"}

    def shell(text: str) -> subprocess.CompletedProcess:
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", text],
            cwd=folder, env=variables, capture_output=True, text=True, timeout=300,
        )  # fmt: skip
        assert done.returncode == 0, f"{text}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        return done

    shell(f"pip install --no-deps -e '{ROOT}'")
    shell(block("command: samplers"))
    for mark in re.findall(r"<!-- (file: .*?) -->", PAGE):
        target = folder / mark.removeprefix("file: ")
        target.parent.mkdir(exist_ok=True)
        if target.suffix == ".py" and target.parent == folder:
            continue
        target.write_text(block(mark))
    return folder, shell


def scores(folder: Path, method: str):
    """Return the stored results of a method; none may have failed."""
    with Store(folder / "augbench-results" / "store.sqlite") as store:
        table = results_of(store).scores
    found = table[table["method"] == method]
    assert (found["status"] == "ok").all(), found["error"].unique()
    return found.sort_values(["dataset", "draw"])


def test_a_sampler_by_the_name_of_its_class(fresh):
    folder, shell = fresh
    assert "g-smote" in shell(block("command: class")).stdout
    assert len(scores(folder, "g-smote")) == 4


def test_a_single_file_from_bench_new_method_to_the_leaderboard(fresh):
    folder, shell = fresh
    shell(block("command: new"))
    template = (folder / "geometric_smote.py").read_text()
    for name in ("geometric_smote.py", "test_geometric_smote.py"):
        (folder / name).write_text(block(f"file: {name}"))
    assert "GeometricSMOTE" not in template
    shell(block("command: file"))
    found = scores(folder, "geometric-smote")
    assert len(found) == 4
    assert (found["n_generated"] > 0).all()
    smote = scores(folder, "smote")
    assert found["log_loss"].to_numpy().tolist() != smote["log_loss"].to_numpy().tolist()
    assert "geometric-smote" in (folder / "augbench-results" / "site" / "index.html").read_text()


def test_an_installed_package_is_known_by_its_entry_point(fresh):
    folder, shell = fresh
    listed = shell(block("command: package")).stdout
    assert "random affine combinations" in listed
    assert len(scores(folder, "loras")) == 4
    assert "loras" in (folder / "augbench-results" / "site" / "index.html").read_text()
