"""The manifest: cells by state, downloads, hashes, machines, commands that exist."""

from __future__ import annotations

import html
import io
import re
import shlex

import pandas as pd
import pytest
import typer
from augbench.bench.cli import app
from augbench.leaderboard import Results, compare, render_site, write_site
from augbench.leaderboard.results import as_results, scores_hash

RUN = {
    "mark": "c0ffee" * 10,
    "test_fraction": 0.3,
    "folds": 3,
    "environments": [
        {"platform": "Linux", "python": "3.11.7", "device": "cuda", "cpus": "16", "blas": "openblas Haswell"}
        | {"units": 900, "versions": {"a": "1"}},
        {"platform": "macOS", "python": "3.12.1", "device": "", "cpus": "8", "blas": ""}
        | {"units": 220, "versions": {"a": "2"}},
    ],
}


@pytest.fixture(scope="module")
def results(synthetic):
    found = synthetic.results(n_datasets=8, n_draws=2)
    datasets = found.datasets.assign(content_hash=[f"hash-of-{name}" for name in found.datasets["dataset"]])
    return Results(found.scores, found.methods, datasets, {**found.run, **RUN})


@pytest.fixture(scope="module")
def files(results):
    return render_site(results)


@pytest.fixture(scope="module")
def page(files):
    return files["manifest.html"]


def table_of(page, region):
    """Return the cells of a table as text, header first."""
    (markup,) = re.findall(rf'aria-label="{region}">\s*<table.*?</table>', page, flags=re.S)
    rows = re.findall(r"<tr.*?</tr>", markup, flags=re.S)
    return [
        [" ".join(re.sub(r"<[^>]+>", "", c).split()) for c in re.findall(r"<t[hd].*?</t[hd]>", r, flags=re.S)]
        for r in rows
    ]


@pytest.mark.parametrize(("key", "word"), [("method", "method"), ("dataset", "data set")])
def test_every_cell_is_counted_in_its_state(results, page, key, word):
    head, *rows = table_of(page, f"Cells by {word}")
    assert head == [word, "done", "failed", "not applicable", "not run", "all"]
    counts = results.scores.groupby([key, "status"]).size()
    states = ("ok", "failed", "not applicable", "not run")
    for name, *numbers in rows:
        expected = [int(counts.get((name, state), 0)) for state in states]
        assert [0 if one == "–" else int(one.replace(",", "")) for one in numbers] == [*expected, sum(expected)]
    assert [row[0] for row in rows] == sorted(results.scores[key].unique())
    assert any(row[2] != "–" for row in rows)


def test_scores_can_be_downloaded_and_give_the_same_leaderboard(results, files):
    back = pd.read_csv(io.StringIO(files["downloads/scores.csv"]), float_precision="round_trip")
    assert len(back) == len(results.scores)
    numbers = results.scores.select_dtypes("number")
    pd.testing.assert_frame_equal(back[numbers.columns], numbers, check_dtype=False)
    again = compare(back).table.set_index("method")
    for name, row in compare(results).table.set_index("method").iterrows():
        assert again.at[name, "delta"] == row["delta"]
    board = pd.read_csv(io.StringIO(files["downloads/leaderboard.csv"]))
    assert board["method"].tolist() == compare(results).table["method"].tolist()
    assert "No clusters found" in board.set_index("method").at["kmeans-smote", "messages"]
    assert "digits; glass" in board.set_index("method").at["adasyn", "not_applicable"]


def test_downloads_are_linked_with_their_sizes(files, page):
    names = [path for path in files if path.startswith("downloads/")]
    assert [path.rpartition("/")[2] for path in names] == [
        *("scores.csv", "leaderboard.csv", "differences.csv", "pairs.csv")
    ]
    for path in names:
        size = len(files[path].encode())
        shown = (
            f"{size / 1e6:.1f} MB" if size >= 1e6 else f"{size / 1e3:.0f} kB" if size >= 1e4 else f"{size / 1e3:.1f}"
        )
        assert re.search(rf'<a href="{path}" download>[^<]*</a> \({re.escape(shown)}', page), (path, shown)


def test_columns_of_any_objects_can_be_downloaded(results):
    scores = results.scores.head(200).assign(note=[None, 1, "x", ("y", 2)] * 50)
    back = pd.read_csv(io.StringIO(render_site(scores)["downloads/scores.csv"]))
    assert back["note"].tolist()[1:4] == ["1", "x", "('y', 2)"]


def test_a_newer_site_removes_its_own_downloads_only(results, tmp_path):
    write_site(results, tmp_path / "site")
    (tmp_path / "site" / "downloads" / "notes.txt").write_text("mine")
    scores = results.scores.assign(g_mean=results.scores["macro_f1"])
    write_site(Results(scores, results.methods, results.datasets, results.run), tmp_path / "site", metric="g_mean")
    left = {path.name for path in (tmp_path / "site" / "downloads").iterdir()}
    assert left == {"scores.csv", "leaderboard.csv", "differences.csv", "notes.txt"}


def test_hashes_seeds_and_machines_are_told(page, results):
    assert scores_hash(results.scores) in page
    _, *hashes = table_of(page, "Hashes of the data sets")
    assert ["wine", "hash-of-wine"] in hashes
    assert len(hashes) == 8
    head, first, second = table_of(page, "Table of machines and versions")
    assert head == ["platform", "processors", "BLAS kernels", "device", "Python", "units", "packages"]
    assert first == ["Linux", "16", "openblas Haswell", "cuda", "3.11.7", "900", "a 1"]
    assert second == ["macOS", "8", "–", "cpu", "3.12.1", "220", "a 2"]
    text = " ".join(re.sub(r"<[^>]+>", " ", page).split())
    assert "more than one machine" in text
    assert "inner folds 3" in text
    assert "test rows 30 %" in text
    assert f"scores {scores_hash(results.scores)[:12]}" in text


def test_the_hash_is_that_of_the_scores_and_of_nothing_else(results):
    scores = results.scores
    wanted = scores_hash(scores)
    # another order, other types of the same values, other times
    assert scores_hash(scores.sample(frac=1, random_state=0)[list(scores.columns)[::-1]]) == wanted
    assert scores_hash(scores.astype({"method": "category"}).assign(seconds=1.0)) == wanted
    for column, value in (("macro_f1", 0.5), ("status", "failed"), ("method", "another")):
        changed = scores.copy()
        changed.loc[changed.index[7], column] = value
        assert scores_hash(changed) != wanted, column


def test_a_run_that_knows_less_still_has_its_page():
    scores = pd.DataFrame({"method": ["none", "a"], "dataset": "d", "draw": 0, "macro_f1": [0.5, 0.6]})
    page = render_site(scores)["manifest.html"]
    assert scores_hash(as_results(scores).scores) in page
    assert "Machines" not in page
    assert "scores.csv" in page


def test_the_commands_of_the_three_steps_exist(page):
    (steps,) = re.findall(r'<ol class="steps">.*?</ol>', page, flags=re.S)
    commands = [html.unescape(one) for one in re.findall(r"<code>(bench [^<]+)</code>", steps)]
    assert [one.split()[:2] for one in commands] == [["bench", "new"], ["bench", "check"], ["bench", "run"]]
    root = typer.main.get_command(app)
    for line in commands:
        command, words = root, shlex.split(line)[1:]
        while hasattr(command, "commands"):
            command, words = command.commands[words[0]], words[1:]
        # raises where an option or an argument does not exist
        command.make_context(command.name, words)


def test_what_a_run_left_out_is_said_with_its_reason(results, page):
    run = {**results.run, "left_out": ["for want of time: <vae> (10 s more)"]}
    said = render_site(Results(results.scores, results.methods, results.datasets, run))["manifest.html"]
    assert "Left out for want of time: &lt;vae&gt; (10 s more)." in said
    assert "Left out" not in page


def test_packages_that_one_process_has_not_loaded_make_no_other_machine():
    from types import SimpleNamespace

    from augbench.bench.report import _environments

    here = {"platform": "Linux", "python": "3.12", "device": "cpu", "cpus": "2", "numpy": "2.0"}
    units = [(here | {"torch": "2.13"}, 3), (here | {"ctgan": "0.12"}, 4), (here | {"numpy": "1.26"}, 1)]
    store = SimpleNamespace(environments=lambda run: [(dict(versions), n) for versions, n in units])
    found = _environments(store, 1)
    assert [one["units"] for one in found] == [7, 1]
    assert found[0]["versions"] == {"numpy": "2.0", "torch": "2.13", "ctgan": "0.12"}
