"""``bench figures``: what is written, that it says the same as the site, that it is the same twice."""

import re
import subprocess
import sys
import xml.etree.ElementTree as ET

import pytest
from augbench.bench.report import results_of
from augbench.bench.store import Store
from augbench.leaderboard import compare, render_site
from augbench.leaderboard import format as text
from augbench.leaderboard.paper import NAMES

SUITE = """
draws = 3
methods = ["random-oversampling", "smote"]
controls = false
datasets = ["iris", "wine"]
classifiers = ["logistic-regression"]
scenarios = ["few-shot:shots=8", "few-shot:shots=16"]
"""
FIGURES = ("forest", "heat", "cost", "critical-difference", "shots-1-score", "shots-1-gain")
TABLES = ("leaderboard", "differences", "cost", "pairs", "ranks", "shots-1")


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """The store of a small run with two numbers of shots."""
    folder = tmp_path_factory.mktemp("figures")
    (folder / "shots.toml").write_text(SUITE)
    command = [sys.executable, "-m", "augbench.bench", "run", "shots.toml", "--jobs", "1", "--quiet"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=300)
    return folder / "augbench-results" / "store.sqlite"


@pytest.fixture(scope="module")
def results(store):
    with Store(store) as reader:
        return results_of(reader)


def texts(path):
    """Return every text of an SVG file."""
    return [node.text for node in ET.parse(path).getroot().iter("{http://www.w3.org/2000/svg}text")]


def figures(folder, *arguments):
    """Run the command in a folder; return what it printed."""
    command = [sys.executable, "-m", "augbench.bench", "figures", *map(str, arguments)]
    done = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True, timeout=300)
    assert done.stderr == ""
    return " ".join(done.stdout.split())


@pytest.fixture(scope="module")
def written(store, tmp_path_factory):
    """The folder that the command wrote, and what it printed."""
    folder = tmp_path_factory.mktemp("written")
    return folder / "paper" / "figures", figures(folder, "paper/figures", "--store", store)


def test_every_figure_and_table_is_written_with_the_numbers_of_the_leaderboard(written, results):
    folder, printed = written
    expected = {f"{name}.{kind}" for name in FIGURES for kind in ("svg", "pdf")} | {f"{name}.tex" for name in TABLES}
    assert {path.name for path in folder.iterdir()} == expected
    assert set(NAMES) <= expected
    assert f"written: {folder}" in printed
    main = compare(results)
    row = main.table.set_index("method").loc["smote"]
    latex = (folder / "leaderboard.tex").read_text()
    assert f"smote & {text.signed(row['delta'])}".replace("−", "$-$") in latex
    heat = texts(folder / "heat.svg")
    assert text.signed(main.deltas.at["smote", "wine"], 1) in heat
    assert {"smote", "random-oversampling", "wine", "iris"} <= set(heat)
    diagram = texts(folder / "critical-difference.svg")
    for name, rank in zip(main.diagram.methods, main.diagram.ranks, strict=True):
        assert any(name in one and f"{rank:.2f}" in one for one in diagram)
    assert "smote" in texts(folder / "shots-1-score.svg")
    shots = (folder / "shots-1.tex").read_text()
    at_16 = compare(results, scenario="few-shot:shots=16").table.set_index("method").loc["smote"]
    assert text.signed(at_16["delta"]).replace("−", "$-$") in shots
    for path in folder.glob("*.pdf"):
        assert path.read_bytes().startswith(b"%PDF")


def test_site_and_figures_draw_the_same(written, results):
    files = render_site(results)
    drawn = set(re.findall(r"<text[^>]*>([^<]+)</text>", files["shots.html"]))
    assert set(texts(written[0] / "shots-1-gain.svg")) <= drawn
    for one in results.datasets.to_dict("records"):
        assert len(one["content_hash"]) == 64
        assert one["content_hash"] in files["manifest.html"]
    assert re.search(r'<td class="num">\d+</td><td>[^<]+</td><td>cpu</td>', files["manifest.html"])


def test_the_same_store_gives_the_same_bytes_beside_it_unless_a_folder_is_named(written, store):
    printed = figures(store.parent, "--store", store)
    assert f"written: {store.parent / 'figures'}" in printed
    one, two = (
        {path.name: path.read_bytes() for path in folder.iterdir()} for folder in (written[0], store.parent / "figures")
    )
    assert one == two


def test_what_a_run_does_not_give_is_named_and_an_older_file_of_it_goes(store, tmp_path):
    folder = tmp_path / "f"
    folder.mkdir()
    for name in ("mine.svg", "pairs.tex", "shots-9-gain.pdf", "critical-difference.svg"):
        (folder / name).write_text("older")
    printed = figures(tmp_path, "f", "--store", store, "--metric", "g_mean")
    assert "not made: pairs, ranks, critical-difference: the metric is exploratory" in printed
    assert "removed: pairs.tex, of an older run" in printed
    left = {path.name for path in folder.iterdir()}
    assert {"mine.svg", "forest.svg", "shots-1-gain.pdf"} <= left
    assert not {"pairs.tex", "critical-difference.svg", "shots-9-gain.pdf"} & left
    assert any("g mean" in one for one in texts(folder / "forest.svg"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--store", "nothing.sqlite"], "there is no store nothing.sqlite"),
        (["--metric", "macro_f2"], "unknown metric 'macro_f2': did you mean 'macro_f1'"),
        (["--suite", "shot"], "unknown suite in store"),
        (["taken"], "cannot write figures to taken: that is a file, not a folder"),
    ],
)
def test_errors_are_one_line(bench, store, tmp_path, arguments, message):
    (tmp_path / "taken").write_text("a file")
    if "--store" not in arguments:
        arguments = [*arguments, "--store", store]
    done = bench("figures", *arguments)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert message in done.stderr
