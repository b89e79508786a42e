"""The command ``bench augment``: what it writes, what it refuses, what it says."""

import sys
from decimal import Decimal
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from augbench.bench import cli

N = 60


@pytest.fixture
def here(monkeypatch, capsys, tmp_path):
    """Run the command line in this process, in a folder of its own; return how it ended and what it printed."""
    monkeypatch.chdir(tmp_path)

    def run(*args):
        monkeypatch.setattr(sys, "argv", ["bench", "augment", *map(str, args)])
        code = 0
        try:
            cli.main()
        except SystemExit as ended:
            code = ended.code
        printed = capsys.readouterr()
        return SimpleNamespace(code=code, out=printed.out, err=printed.err)

    return run


def frame(seed=0):
    rng = np.random.default_rng(seed)
    table = pd.DataFrame(
        {
            "size": rng.normal(size=N).round(3),
            "count": rng.integers(0, 9, N).astype(np.int32),
            "id": rng.permutation(N),
            "kind": np.repeat(["good", "bad"], [45, 15]),
            "colour": rng.choice(["red", "blue"], N),
            "flag": rng.random(N) < 0.5,
        }
    )
    table.loc[3, "size"] = np.nan
    table.loc[[5, 50], "colour"] = None
    return table


@pytest.fixture
def csv(tmp_path):
    path = tmp_path / "t.csv"
    frame().to_csv(path, index=False)
    return path


def test_the_rows_of_the_file_come_first_as_they_were_written(here, csv, tmp_path):
    lines = csv.read_text().splitlines()
    lines[2] = "007.50,3,1e1,good,red,False"  # as a person may write numbers
    csv.write_text("\n".join(lines) + "\n")
    run = here(csv, "--target", "kind", "--out", "more.csv")
    assert run.code == 0, run.err
    written = (tmp_path / "more.csv").read_text().splitlines()
    assert written[0] == lines[0] + ",augbench_generated"
    assert written[1 : N + 1] == [f"{line},False" for line in lines[1:]]
    assert len(written) == 1 + N + 30
    assert all(line.endswith(",True") for line in written[N + 1 :])
    assert "30 rows added to class 'bad': 15 → 45" in run.out
    assert "60 rows of t.csv, then 30 rows by smote, True in the column 'augbench_generated'" in run.out
    assert "split first, augment the training rows" in run.err
    assert "fraud" in run.err


def test_new_rows_have_the_types_and_words_of_the_columns(here, csv, tmp_path):
    here(csv, "--target", "kind", "--out", "more.csv", "--drop", "id")
    new = pd.read_csv(tmp_path / "more.csv").iloc[N:]
    assert set(new["kind"]) == {"bad"}
    assert set(new["colour"].dropna()) <= {"red", "blue"}
    assert (new["count"] == new["count"].round()).all()
    assert new["count"].between(0, 8).all()
    assert not (new["size"] == new["size"].round(3)).all()
    assert set(new["flag"].astype(str)) <= {"True", "False"}
    assert new["id"].isna().all()


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_codes_stay_codes(here, tmp_path, suffix):
    codes = ["01067", "20095", "99999", ""] * 15
    table = frame().assign(postcode=codes if suffix == "csv" else [float(code or "nan") for code in codes])
    getattr(table, f"to_{suffix}")(tmp_path / f"t.{suffix}", index=False)
    args = (f"t.{suffix}", "--target", "kind", "--drop", "id", "--out")
    assert here(*args, f"between.{suffix}").code == 0
    run = here(*args, f"codes.{suffix}", "--categorical", "postcode")
    assert run.code == 0, run.err

    def made(name: str) -> set[object]:
        read = pd.read_csv(tmp_path / name, dtype=str) if suffix == "csv" else pd.read_parquet(tmp_path / name)
        return set(read["postcode"].iloc[N:].dropna())

    known = set(table["postcode"]) - {""}
    assert not made(f"between.{suffix}") <= known
    assert made(f"codes.{suffix}") <= known
    assert "unknown categorical column 'postcod'" in here(*args, f"x.{suffix}", "--categorical", "postcod").err


def test_parquet_keeps_the_types(here, tmp_path):
    table = frame().assign(kind=lambda f: f["kind"].astype("category"), level=pd.array([1, 2, None] * 20, dtype="Int8"))
    table.to_parquet(tmp_path / "t.parquet")
    run = here("t.parquet", "--target", "kind", "--out", "more.parquet", "--drop", "id", "--amount", "1x")
    assert run.code == 0, run.err
    whole = pd.read_parquet(tmp_path / "more.parquet")
    pd.testing.assert_frame_equal(whole.iloc[:N][table.columns.drop("id")], table.drop(columns="id"))
    assert whole["id"].iloc[:N].tolist() == table["id"].tolist()
    assert whole["id"].dtype == "Int64"
    assert whole["id"].iloc[N:].isna().all()
    assert whole["augbench_generated"].tolist() == [False] * N + [True] * 15
    assert {"count": "int32", "flag": "bool", "level": "Int8"}.items() <= whole.dtypes.astype(str).to_dict().items()


def test_decimals_stay_decimals_of_so_many_digits(here, tmp_path):
    table = frame()[["size", "kind"]].assign(price=[Decimal(f"{i * i % 101}.25") for i in range(N)])
    table.to_parquet(tmp_path / "t.parquet")
    run = here("t.parquet", "--target", "kind", "--out", "more.parquet")
    assert run.code == 0, run.err
    whole = pd.read_parquet(tmp_path / "more.parquet")
    assert whole["price"].iloc[:N].tolist() == table["price"].tolist()
    new = whole["price"].iloc[N:]
    assert len(new) == 30
    assert {value.as_tuple().exponent for value in new} == {-2}


def test_the_dialect_of_a_german_file_stays(here, tmp_path):
    path, table = tmp_path / "t.csv", frame()[["size", "count", "kind", "colour"]].rename(columns={"size": "Größe"})
    text = table.to_csv(sep=";", decimal=",", index=False, lineterminator="\r\n")
    path.write_bytes(text.encode("utf-8-sig"))
    assert here(path, "--target", "kind", "--out", "more.csv").code == 0
    content = (tmp_path / "more.csv").read_bytes()
    assert content.startswith(b"\xef\xbb\xbfGr")
    lines = content.decode("utf-8-sig").split("\r\n")
    assert lines[1 : N + 1] == [f"{line};False" for line in text.split("\r\n")[1 : N + 1]]
    read = pd.read_csv(tmp_path / "more.csv", sep=";", decimal=",", encoding="utf-8-sig")
    assert read["Größe"].dtype == np.float64
    assert read["count"].dtype == np.int64


def test_the_same_seed_gives_the_same_file(here, csv, tmp_path):
    for name, seed in (("a.csv", 1), ("b.csv", 1), ("c.csv", 2)):
        here(csv, "--target", "kind", "--out", name, "--seed", seed)
    first, again, other = ((tmp_path / name).read_bytes() for name in ("a.csv", "b.csv", "c.csv"))
    assert first == again != other


def test_amounts(here, csv, tmp_path):
    def sizes(*options):
        run = here(csv, "--target", "kind", "--out", "more.csv", "--force", *options)
        assert run.code == 0, run.err
        whole = pd.read_csv(tmp_path / "more.csv")
        return whole[whole["augbench_generated"]]["kind"].value_counts().to_dict()

    assert sizes("--amount", "7") == {"bad": 7}
    assert sizes("--amount", "2x") == {"bad": 30}
    assert sizes("--counts", "good=3", "--counts", "bad=2") == {"good": 3, "bad": 2}
    assert sizes("--positive", "good", "--amount", "5") == {"good": 5}
    assert sizes("--method", "smote", "--param", "k_neighbors=2") == {"bad": 30}


def test_parameters_reach_the_method(here, csv, tmp_path):
    run = here(
        csv, "--target", "kind", "--out", "more.csv", "--method", "jitter", "--param", "shrinkage=0", "--drop", "id"
    )
    assert run.code == 0, run.err
    whole = pd.read_csv(tmp_path / "more.csv")
    known = set(whole.loc[~whole["augbench_generated"], "size"].dropna())
    assert set(whole.loc[whole["augbench_generated"], "size"]) <= known


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["--out", "t.csv", "--force"], "is the table itself: choose another name"),
        (["--out", "there.csv"], "is there already: choose another name, or replace it with --force"),
        (["--out", "x.xlsx"], "must end in .csv, .tsv or .parquet"),
        (["--out", "no/x.csv"], "there is no folder"),
        (["--out", "x.csv", "--method", "class-weight"], "adds no rows: it is an adjuster"),
        (["--out", "x.csv", "--method", "none"], "adds no rows: it leaves the rows as they are"),
        (["--out", "x.csv", "--method", "autoencoder"], "adds no rows: it is a detector"),
        (["--out", "x.csv", "--method", "smoet"], "unknown method 'smoet': did you mean 'smote'"),
        (["--out", "x.csv", "--method", "adasyn"], "takes numeric columns only"),
        (["--out", "x.csv", "--param", "k_neighbour=3"], "unknown parameter of method 'smote' 'k_neighbour'"),
        (["--out", "x.csv", "--param", "three"], "write NAME=VALUE"),
        (["--out", "x.csv", "--counts", "bad"], "write CLASS=ROWS"),
        (["--out", "x.csv", "--counts", "bda=3"], "unknown class 'bda': did you mean 'bad'"),
        (["--out", "x.csv", "--counts", "bad=0"], "cannot get 0 rows"),
        (["--out", "x.csv", "--counts", "bad=3", "--amount", "2x"], "leave --amount 2x out"),
        (["--out", "x.csv", "--amount", "many"], "must be 'balance'"),
        (["--out", "x.csv", "--positive", "good"], "class 'good' is the largest: balancing adds no row"),
        (["--out", "x.csv", "--encoding", "cp9499"], "there is no encoding 'cp9499'"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_writes_nothing(here, csv, tmp_path, args, words):
    (tmp_path / "there.csv").write_text("mine")
    before = csv.read_bytes()
    run = here(csv, "--target", "kind", *args)
    assert run.code == 2
    assert words in run.err
    assert len(run.err.splitlines()) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["t.csv", "there.csv"]
    assert (csv.read_bytes(), (tmp_path / "there.csv").read_text()) == (before, "mine")


def test_a_file_that_holds_generated_rows_is_refused(here, csv):
    here(csv, "--target", "kind", "--out", "more.csv")
    run = here("more.csv", "--target", "kind", "--out", "again.csv")
    assert run.code == 2
    assert "has a column 'augbench_generated' already" in run.err


def test_a_method_that_fails_leaves_the_old_file(here, csv, plugin, tmp_path):
    (tmp_path / "old.csv").write_text("old")
    bad = plugin("raise RuntimeError('no luck')", name="unlucky")
    run = here(csv, "--target", "kind", "--out", "old.csv", "--force", "--method", "unlucky", "--plugin", bad)
    assert run.code == 2
    assert "method 'unlucky' failed on t: RuntimeError: no luck" in run.err
    assert (tmp_path / "old.csv").read_text() == "old"


def test_it_is_a_command(bench, csv):
    shown = bench("augment", csv, "--target", "kind", "--out", "more.csv", "--method", "random-oversampling")
    assert shown.returncode == 0, shown.stderr
    assert "30 rows added to class 'bad'" in shown.stdout
