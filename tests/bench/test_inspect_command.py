"""``bench datasets inspect``, and what a run and its leaderboard make of the same findings."""

import json
import sqlite3
import xml.etree.ElementTree as ET

import numpy as np
import pandas as pd
import pytest

N = 200


@pytest.fixture
def loans(tmp_path):
    """A table with an id, a leak, a constant column, gaps, and a class of a quarter."""
    rng = np.random.default_rng(0)
    y = np.arange(N) % 4 == 0
    table = pd.DataFrame(
        {
            "loan no": np.arange(N) + 1,
            "income": rng.normal(size=N) + y,
            "debt": rng.normal(size=N),
            "town": rng.choice(["Bonn", "Köln"], N),
            "branch": "west",
            "dunned": np.where(y, "yes", "no"),
            "default": np.where(y, "bad", "good"),
        }
    )
    table.loc[:9, "income"] = np.nan
    path = tmp_path / "loans.csv"
    table.to_csv(path, index=False)
    return path


def test_a_file_is_told_in_words_and_drawn(bench, tmp_path, loans):
    done = bench("datasets", "inspect", loans, "--target", "default", "--out", "look")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert "200 rows, 6 columns beside the class (3 of numbers, 3 of text or categories)" in lines
    assert [line.split()[:4] for line in lines if line.startswith(("  good ", "  bad "))] == [
        ["good", "150", "75.0", "%"],
        ["bad", "50", "25.0", "%"],
    ]
    assert "balance 0.81" in done.stdout
    kinds = [line.strip().partition(":") for line in lines if line.startswith(("  SERIOUS", "  WARNING", "  NOTE"))]
    assert [(severity, kind.strip()) for severity, _, kind in kinds] == [
        ("SERIOUS", "gives the class away"),
        ("WARNING", "id"),
        ("NOTE", "constant column"),
        ("NOTE", "missing cells"),
    ]
    assert "    → leave it out: --drop 'loan no'" in lines
    assert any(line.startswith("  income  ") and "10" in line.split() for line in lines)
    command = f"bench run --data {loans} --target default --drop dunned --drop 'loan no' --drop branch"
    assert f"without them: {command}" in lines
    picture = ET.parse(tmp_path / "look" / "inspect-loans.svg").getroot()
    texts = [node.text for node in picture.iter("{http://www.w3.org/2000/svg}text")]
    assert "loans.csv: 200 rows × 6 columns" in texts
    for word in ("good", "150 (75.0 %)", "income", "10 (5.0 %)", "dunned", "1.000 ⚠"):
        assert word in texts


def test_the_command_that_it_names_runs(bench, loans):
    drop = ["--drop", "dunned", "--drop", "loan no", "--drop", "branch"]
    done = bench("run", "smoke", "--data", loans, "--target", "default", *drop, "--draws", 1, "--jobs", 1, "--quiet")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""


def test_columns_that_are_left_out_are_not_looked_at(bench, loans):
    drop = ["--drop", "dunned", "--drop", "loan no", "--drop", "branch"]
    done = bench("datasets", "inspect", loans, "--target", "default", *drop)
    assert "SERIOUS" not in done.stdout
    assert "WARNING" not in done.stdout
    assert "without them" not in done.stdout


def test_a_file_without_header(bench, tmp_path):
    path = tmp_path / "glass.data"
    path.write_text("".join(f"{i + 1},{i * 7 % 60 / 9:.4f},{i // 20}\n" for i in range(60)))
    done = bench("datasets", "inspect", path, "--no-header", "--target", 3)
    assert done.returncode == 0, done.stderr
    assert "column '1' numbers the rows" in done.stdout
    assert "the rows are sorted by class" in done.stdout


def test_a_registered_dataset_with_nothing_to_find(bench):
    done = bench("datasets", "inspect", "wine")
    assert done.returncode == 0, done.stderr
    assert "178 rows, 13 columns" in done.stdout
    assert "findings: none" in done.stdout


def test_a_registered_dataset_says_what_is_left_out_of_its_file(bench, data_folder):
    done = bench("datasets", "inspect", "wisconsin", AUGBENCH_DATA=str(data_folder))
    lines = done.stdout.splitlines()
    assert lines[lines.index("left out of its file whenever it is read") + 1].split() == ["id", "an", "id"]


def test_an_encoding_reaches_the_file_and_the_command_that_is_named(bench, tmp_path, loans):
    german = tmp_path / "german.csv"
    german.write_bytes(loans.read_text().encode("cp1252"))
    refused = bench("datasets", "inspect", german, "--target", "default")
    assert "--encoding cp1252 (Western European)" in refused.stderr
    done = bench("datasets", "inspect", german, "--target", "default", "--encoding", "cp1252")
    assert done.returncode == 0, done.stderr
    assert f"bench run --data {german} --encoding cp1252 --target default --drop dunned" in done.stdout


def test_a_command_that_would_leave_no_column_is_not_named(bench, tmp_path):
    (tmp_path / "t.csv").write_text("id,uid,y\n" + "".join(f"{i},u{i},{'ab'[i % 2]}\n" for i in range(40)))
    done = bench("datasets", "inspect", "t.csv", "--target", "y")
    assert "without them no column is left" in done.stdout
    assert "bench run --data t.csv" not in done.stdout


def test_names_with_markup_are_shown_as_they_are(bench, tmp_path):
    table = pd.DataFrame({"[red]<b>&": np.sin(np.arange(40.0)), "y": ["<i>", "[/x]"] * 20})
    table.to_csv(tmp_path / "t.csv", index=False)
    done = bench("datasets", "inspect", "t.csv", "--target", "y", "--out", ".")
    assert done.returncode == 0, done.stderr
    assert "[red]<b>&" in done.stdout
    assert "[/x]" in done.stdout
    texts = [node.text for node in ET.parse(tmp_path / "inspect-t.svg").getroot().iter()]
    assert "[red]<b>&" in texts


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["nope"], "unknown dataset 'nope'"),
        (["nope.csv"], "there is no file nope.csv"),
        (["simulated-rings"], "simulated, every draw a fresh one"),
        (["iris", "--target", "x"], "go with a file, and 'iris' is none"),
        (["loans.csv"], "name the column of the class with --target"),
        (["loans.csv", "--target", "defualt"], "did you mean 'default'"),
        (["loans.csv", "--target", "default", "--drop", "nix"], "unknown column to drop 'nix'"),
        (["loans.csv", "--target", "default", "--out", "loans.csv"], "cannot write to loans.csv"),
    ],
)
def test_mistakes_are_one_line(bench, loans, args, said):
    done = bench("datasets", "inspect", *args)
    assert done.returncode == 2
    (line,) = [line for line in done.stderr.splitlines() if line]
    assert line.startswith("error: ")
    assert said in line


# -- the run and its leaderboard ---------------------------------------------------------------------------------------


def test_a_run_warns_and_the_leaderboard_shows_it(bench, tmp_path, loans):
    args = ("--data", loans, "--target", "default", "--drop", "branch", "--drop", "loan no", "--draws", 3, "--jobs", 1)
    run = bench("run", "smoke", *args)
    assert run.returncode == 0, run.stderr
    line = "warning: dataset loans: column 'dunned' alone predicts the class (balanced accuracy 1.000, "
    (said,) = run.stderr.splitlines()
    assert said.startswith(line)
    end = "! Look at the data: loans (gives the class away); 'bench datasets inspect' says more."
    assert end in run.stdout
    # also of what was stored before
    assert bench("run", "smoke", *args).stderr == run.stderr
    assert end in bench("leaderboard").stdout
    site = tmp_path / "augbench-results" / "site"
    assert "⚠ gives the class away" in (site / "datasets.html").read_text()
    page = (site / "dataset" / "loans.html").read_text()
    assert "column &#39;dunned&#39; alone predicts the class" in page
    assert "10 missing cells" in page


def test_findings_are_kept_with_the_run_and_not_computed_twice(bench, tmp_path, loans):
    args = ("--data", loans, "--target", "default", "--drop", "branch", "--draws", 1, "--jobs", 1, "--no-site")
    assert bench("run", "smoke", *args).returncode == 0
    path = tmp_path / "augbench-results" / "store.sqlite"
    with sqlite3.connect(path) as connection:
        ((text,),) = connection.execute("SELECT info FROM runs")
        info = json.loads(text)
        kinds = [one["kind"] for one in info["hygiene"]["loans"]["findings"]]
        assert kinds == ["leak", "id", "missing"]
        # what is there is believed
        info["hygiene"]["loans"]["findings"][0]["message"] = "as it was stored"
        connection.execute("UPDATE runs SET info = ?", [json.dumps(info)])
    assert "as it was stored" in bench("run", "smoke", *args).stderr
    # a run of an augbench that did not inspect gets the findings when it is started again
    with sqlite3.connect(path) as connection:
        del info["hygiene"]
        connection.execute("UPDATE runs SET info = ?", [json.dumps(info)])
    assert "Look at the data" not in bench("leaderboard").stdout
    assert "alone predicts the class" in bench("run", "smoke", *args).stderr
    assert "Look at the data: loans" in bench("leaderboard").stdout


def test_simulated_and_clean_sets_are_silent(bench, tmp_path):
    run = bench("run", "smoke", "--datasets", "simulated-rings,iris", "--draws", 1, "--jobs", 1, "--no-site")
    assert run.returncode == 0, run.stderr
    assert run.stderr == ""
    with sqlite3.connect(tmp_path / "augbench-results" / "store.sqlite") as connection:
        ((text,),) = connection.execute("SELECT info FROM runs")
    assert set(json.loads(text)["hygiene"]) == {"iris"}
