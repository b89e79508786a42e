"""bench datasets …, and bench run --download, in this process where nothing is computed."""

import hashlib
import importlib
from dataclasses import replace
from pathlib import Path

import pytest
from augbench.bench.cli import app
from augbench.datasets.sources import sources
from typer.testing import CliRunner


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AUGBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(tmp_path / "home"))
    monkeypatch.delenv("AUGBENCH_DATA", raising=False)

    def run(*args: object):
        return CliRunner().invoke(app, [str(arg) for arg in args])

    return run


def unreachable(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """Let datasets be fetched from where nobody listens."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    for name in names:
        monkeypatch.setitem(sources(), name, replace(sources()[name], urls=("http://127.0.0.1:9/x",)))


def test_list_fits_80_columns(cli) -> None:
    done = cli("datasets", "list")
    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert max(map(len, lines)) <= 80
    columns = [line.split() for line in lines]
    assert ["card", "missing", "690"] in [line[:3] for line in columns]
    assert ["give-me-some-credit", "bring", "150,000"] in [line[:3] for line in columns]
    assert any(line.startswith("keel (121 sets)") for line in lines)
    text = " ".join(done.stdout.split())
    assert "bench datasets add give-me-some-credit FILE" in text
    assert "bench datasets fetch NAME" in text


def test_list_of_some(cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = b"x"
    monkeypatch.setitem(sources(), "pima", replace(sources()["pima"], sha256=hashlib.sha256(content).hexdigest()))
    file = tmp_path / "cache" / "uci" / "pima-indians-diabetes.data"
    file.parent.mkdir(parents=True)
    file.write_bytes(content)
    done = cli("datasets", "list", "pima", "card")
    assert [line.split()[:2] for line in done.stdout.splitlines()[1:3]] == [["card", "missing"], ["pima", "here"]]
    file.write_bytes(b"y")
    done = cli("datasets", "list", "pima")
    assert done.stdout.splitlines()[1].split()[:2] == ["pima", "wrong"]
    assert isinstance(cli("datasets", "list", "iris").exception, ValueError)


def test_fetch_goes_on_after_a_failure(cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    unreachable(monkeypatch, "card", "glass")
    done = cli("datasets", "fetch", "card", "glass")
    assert done.exit_code == 1
    for name in ("card", "glass"):
        assert f"cannot download '{name}' from http://127.0.0.1:9/x: the server cannot be reached" in done.output
    assert not [path for path in (tmp_path / "cache").rglob("*") if path.is_file() or path.name.startswith(".")]
    assert "'cadr': did you mean 'card'" in str(cli("datasets", "fetch", "cadr").exception)
    assert "name datasets or groups to fetch" in str(cli("datasets", "fetch").exception)


def test_fetch_of_a_suite(cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    unreachable(monkeypatch, "card", "glass")
    suite = tmp_path / "mine.toml"
    suite.write_text('datasets = ["iris", "card", "glass"]\nclassifiers = ["logistic-regression"]\n')
    done = cli("datasets", "fetch", "--suite", suite)
    assert done.exit_code == 1
    assert "'card'" in done.output
    assert "'glass'" in done.output
    assert "iris" not in done.output


def test_a_run_downloads_only_when_asked(cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked: list[str] = []
    module = importlib.import_module("augbench.datasets.fetch")  # the package has a function of that name
    monkeypatch.setattr(module, "fetch", lambda name, *rest, **more: asked.append(name))
    suite = tmp_path / "mine.toml"
    suite.write_text('datasets = ["iris", "card"]\nclassifiers = ["logistic-regression"]\ndraws = 1\n')
    done = cli("run", suite, "--dry-run", "--out", tmp_path / "out")
    assert asked == []
    assert "fetch it with: bench datasets fetch card" in " ".join(done.output.split())
    cli("run", suite, "--dry-run", "--download", "--out", tmp_path / "out")
    assert asked == ["card"]


def test_add_and_check(cli, tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text("a,b\n1,2\n")
    assert "its SHA-256 is not" in str(cli("datasets", "add", "pima", tmp_path / "mine.csv").exception)
    done = cli("datasets", "check", "iris", "card")
    assert done.exit_code == 0
    assert done.stdout.splitlines()[0] == "iris: ok"
    assert done.stdout.splitlines()[1].startswith("card: not here")


def test_check_of_a_plugin(cli, tmp_path: Path) -> None:
    plugin = tmp_path / "wrong_table.py"
    plugin.write_text(
        "import numpy as np\nimport pandas as pd\nfrom augbench import datasets\n"
        "class Wrong(datasets.FiniteDataset):\n"
        "    info = datasets.DatasetInfo('wrong-table', 'd', 'yours', ('a', 'b'), (2, 2), 1, 0, 'h')\n"
        "    def load(self):\n"
        "        return datasets.Table(pd.DataFrame({'x': [1.0, 2, 3]}), np.array([0, 0, 1]))\n"
        "datasets.register(Wrong, 'wrong-table')\n"
    )
    try:
        done = cli("datasets", "check", "wrong-table", "--plugin", plugin)
    finally:
        from augbench import datasets

        datasets._FACTORIES.pop("wrong-table", None)
        datasets.GROUPS.pop("yours", None)
    assert done.exit_code == 1
    assert "WRONG: dataset 'wrong-table': the class counts are (2, 1), info says (2, 2)" in " ".join(
        done.output.split()
    )
