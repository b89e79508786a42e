"""``bench reproduce``: what it lists, runs, resumes and writes."""

import csv
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from augbench.bench.cli import app
from augbench.reproduction import experiment, known_experiments
from typer.testing import CliRunner

EXPERIMENT = """
title = "Small"
question = "Does it work?"

[[parts]]
name = "flowers"
[parts.suite]
draws = 4
folds = 0
controls = false
datasets = ["iris"]
classifiers = ["logistic-regression"]
scenarios = ["few-shot:shots=5", "few-shot:shots=10", "few-shot:shots=20"]
methods = ["random-oversampling"]
[parts.quick]
draws = 3
scenarios = ["few-shot:shots=5"]

[[gains]]
published = "small.csv"
title = "Flowers"
source = "nobody"
label = "{shots} rows"
dataset = "iris"
scenario = "few-shot:shots={shots}"
columns = { copies = "random-oversampling" }
classifiers = ["logistic-regression"]
"""
PUBLISHED = "shots,baseline,copies\n5,0.93,0.93\n10,0.5,0.6\n20,0.95,0.95\n"


@pytest.fixture
def small(tmp_path, monkeypatch):
    """An experiment of a second, in the place of those that come with augbench."""
    (tmp_path / "small.toml").write_text(EXPERIMENT)
    (tmp_path / "small.csv").write_text(PUBLISHED)
    monkeypatch.setattr(experiment, "files", lambda package: tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def call(*words):
    found = CliRunner().invoke(app, ["reproduce", *words, "--jobs", "1"])
    return found.exit_code, found.output


def test_all_are_listed_with_their_questions():
    done = subprocess.run(
        [sys.executable, "-m", "augbench.bench", "reproduce"], capture_output=True, text=True, check=True
    )
    assert all(name in done.stdout for name in known_experiments())
    assert "bench reproduce NAME" in done.stdout


def test_an_experiment_is_run_once_and_has_its_page(small):
    code, output = call("small")
    assert code == 0, output
    assert "6 units of work, 6 to compute" in output
    assert "Of 3 published figures: " in output
    folder = small / "augbench-reproduction"
    page = (folder / "site" / "small.html").read_text()
    assert "5 rows" in page
    assert "the published baseline, 50.0, lies below" in page
    assert (folder / "small" / "flowers" / "index.html").is_file()
    assert 'href="../small/flowers/index.html"' in page
    with (folder / "site" / "downloads" / "small.csv").open() as file:
        words = [row["verdict"] for row in csv.DictReader(file)]
    assert words[1] == "not comparable"
    assert "not run" not in words
    code, output = call("small")
    assert code == 0
    assert "6 stored before, 0 to compute" in output
    code, output = call("small", "--draws", "5")
    assert "5 draws, in 6 units of work, 6 to compute" in output


def test_the_small_version_has_a_folder_of_its_own_and_says_so(small):
    code, output = call("all", "--quick")
    assert code == 0, output
    assert "Not run: 2 more." in output
    assert "are no evidence" in output
    page = (small / "augbench-reproduction-quick" / "site" / "small.html").read_text()
    assert "is no evidence" in page
    assert "are no evidence" in (small / "augbench-reproduction-quick" / "site" / "index.html").read_text()
    assert "bench reproduce small --quick" in page
    assert not (small / "augbench-reproduction").exists()
    # in one folder a small run neither hides the whole one nor is taken for it
    folder = small / "augbench-reproduction-quick"
    assert call("small", "--out", str(folder))[0] == 0
    page = (folder / "site" / "small.html").read_text()
    assert "is no evidence" not in page
    assert "are no evidence" not in (folder / "site" / "index.html").read_text()
    assert "20 rows" in page
    assert "not run" not in page.partition("<tbody>")[2].partition("</tbody>")[0]


def test_what_failed_is_said(small):
    broken = '["logistic-regression", { name = "random-forest", params = { n_estimators = -1 } }]'
    text = (small / "small.toml").read_text()
    (small / "small.toml").write_text(text.replace('["logistic-regression"]', broken, 1))
    code, output = call("small")
    assert code == 1
    assert "n_estimators" in output
    assert "units have failed cells" in output
    assert (small / "augbench-reproduction" / "site" / "small.html").is_file()


def test_a_grid_that_cannot_be_run_is_left_out_and_the_others_are_not(small):
    other = EXPERIMENT.replace('["iris"]', '["gone"]').replace('"Small"', '"Other"')
    (small / "other.toml").write_text(other)
    code, output = call("all")
    assert code == 1
    assert "left out: " in output
    assert "gone" in output
    assert (small / "augbench-reproduction" / "site" / "small.html").is_file()
    assert "Other" in (small / "augbench-reproduction" / "site" / "index.html").read_text()


def test_a_damaged_store_takes_no_page_from_the_others(small):
    (small / "other.toml").write_text(EXPERIMENT.replace('"Small"', '"Other"'))
    store = small / "augbench-reproduction" / "other" / "store.sqlite"
    store.parent.mkdir(parents=True)
    store.write_text("no store")
    code, output = call("small")
    assert code == 0, output
    assert "other has no page: " in output
    assert (store.parents[1] / "site" / "small.html").is_file()
    code, output = call("other")
    assert code == 1, output
    assert (store.parents[1] / "site" / "small.html").is_file()


def test_unknown_names_and_plans(small):
    code, output = call("smal")
    assert code != 0
    code, output = call("small", "--dry-run")
    assert code == 0
    assert "6 units, 0 done" in output
    assert not (small / "augbench-reproduction").exists()


def test_the_nightly_script_runs_the_small_versions():
    script = (Path(experiment.__file__).parents[1] / "benchmarks" / "nightly.sh").read_text()
    assert "bench reproduce all --quick" in script
    assert shutil.which("bash") is None or subprocess.run(
        ["bash", "-n", str(Path(experiment.__file__).parents[1] / "benchmarks" / "nightly.sh")], check=True
    )
