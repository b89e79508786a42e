"""Scores read and written in parts: the same table, whatever the size of a part."""

import json
import sqlite3
import subprocess

import numpy as np
import pandas as pd
import pytest
from augbench import InputError, Store
from augbench.bench import stored_scores
from augbench.bench.outcome import CellResult, DrawResult, UnitResult
from augbench.bench.plan import make_plan
from augbench.bench.report import results_of, run_info, score_parts
from augbench.bench.suite import validate_suite
from augbench.leaderboard.export import write_parts, write_table

from ..conftest import BENCH

CLASSIFIERS = ("logistic-regression", "random-forest")


def plan_of(**changes):
    suite = {"name": "mine", "datasets": ["iris", "wine"], "classifiers": list(CLASSIFIERS), "draws": 3, "block": 2}
    return make_plan(validate_suite(suite | changes, "mine"))


def result_of(unit, number):
    """Return a result that is unlike the others: other metrics, failed cells, a failed unit, tuned cells."""
    if number % 7 == 3:
        return UnitResult(unit.key, [], "RuntimeError: boom", 1.0, {"method": 0.5}, 100.0)
    y = np.array([0, 1, 2, 1], dtype=np.uint8)
    rng = np.random.default_rng(number)
    draws = []
    for index in unit.draws:
        draw = DrawResult(index, f"hash {index}", y, 10, number % 3, float(rng.random()))
        draw.effort = {"steps": 100.0 + number, "yield": 0.5} if number % 4 == 1 else {}
        draw.fidelity = {"dcr_ratio": float(rng.random())} if number % 2 else {}
        for name in CLASSIFIERS:
            scores = {"macro_f1": float(rng.random()), "auroc": float("nan")}
            scores |= {"bayes_accuracy": 0.9} if unit.dataset.id == "wine" else {}
            cell = CellResult(scores, y, None, np.full((4, 3), 1 / 3, np.float32), float(rng.random()))
            cell.tuned = {"classifier.C": number / 8, "trials": 4} if number % 3 == 2 else {}
            draw.cells[name] = cell
        draws.append(draw)
    error = ""
    if number % 5 == 4:
        error = 'ValueError: a class, "rare",\nhas 1 row'
        draws[0].cells[CLASSIFIERS[0]] = CellResult(error=error)
    return UnitResult(unit.key, draws, error, 1.0, {"method": 0.5}, 100.0)


def fill(path, plan, left_out=()):
    """Store a plan's units in an order of their own, so that no order of rows is that of the file."""
    with Store(path, write=True) as store:
        store.save_run(plan, run_info(plan, ""))
        for number in np.random.default_rng(1).permutation(len(plan.units)):
            if number not in left_out:
                store.save(plan.units[number], result_of(plan.units[number], int(number)), {})
    return path


def expected(path):
    """Return the table as plain SQL and Python tell it, cell by cell; what was not run, failed and left out last."""
    with sqlite3.connect(path) as db:
        db.row_factory = sqlite3.Row
        rows = [
            dict(one)
            for one in db.execute(
                "SELECT ru.method, ru.dataset, ru.scenario, c.classifier, c.draw, c.error, d.n_train, d.n_generated,"
                " d.n_test, u.alone, d.seconds, c.fit_seconds, d.effort, c.tuned, c.unit FROM run_units ru"
                " JOIN units u ON u.key = ru.key JOIN cells c ON c.unit = u.id"
                " JOIN draws d ON d.unit = u.id AND d.draw = c.draw ORDER BY ru.position, c.draw, c.classifier"
            )
        ]
        values = {}
        for one in db.execute("SELECT * FROM scores"):
            values.setdefault((one["unit"], one["draw"], one["classifier"]), {})[one["metric"]] = one["value"]
        metrics = sorted({metric for one in values.values() for metric in one})
    for row in rows:
        found = values.get((row.pop("unit"), row["draw"], row["classifier"]), {})
        effort, tuned = json.loads(row.pop("effort")), row.pop("tuned")
        row |= {column: effort.get(name) for name, column in stored_scores.EFFORT.items()}
        row |= {"tuned": "" if tuned == "{}" else tuned, "status": "failed" if row["error"] else "ok"}
        row |= {metric: found.get(metric) for metric in metrics}
    return pd.DataFrame(rows).astype(dict.fromkeys([*stored_scores.EFFORT.values(), *metrics], float))


@pytest.fixture
def in_small_parts(monkeypatch):
    monkeypatch.setattr(stored_scores, "PART", 3)
    monkeypatch.setattr(stored_scores, "PART_ROWS", 2)


@pytest.mark.usefixtures("in_small_parts")
@pytest.mark.parametrize("left_out", [(), (0, 5, 9)])
@pytest.mark.parametrize("scenario", ["full", "imbalance:count=2"])
def test_the_parts_are_the_table(tmp_path, left_out, scenario):
    path = fill(tmp_path / "s.sqlite", plan_of(scenarios=[scenario]), left_out)
    wanted = expected(path)
    with Store(path) as store:
        parts = list(score_parts(store))
        whole = results_of(store).scores
    assert max(map(len, parts)) <= 3 * 2 * 2
    assert all((one.dtypes == parts[0].dtypes).all() for one in parts)
    pd.testing.assert_frame_equal(pd.concat(parts, ignore_index=True), whole)
    cells = whole[: len(wanted)]
    pd.testing.assert_frame_equal(cells, wanted.astype(cells.dtypes.to_dict()))
    rest = whole[len(wanted) :]
    # a failed unit, one that was not run, what does not apply: a row for each cell of theirs
    assert set(rest["status"]) == {"failed"} | ({"not run"} if left_out else set()) | (
        {"not applicable"} if scenario != "full" else set()
    )
    assert rest[["n_train", "seconds", "steps", "macro_f1"]].isna().all(axis=None)
    assert not whole.duplicated(["method", "dataset", "scenario", "classifier", "draw"]).any()
    assert len(whole) == whole["method"].nunique() * 2 * 2 * 3


def test_numbers_of_rows_are_whole_where_every_cell_has_them(tmp_path):
    plan = plan_of(methods=[], controls=False, draws=2)
    with Store(fill(tmp_path / "s.sqlite", plan)) as store:
        (whole,) = score_parts(store)
    assert (whole[["n_train", "n_generated", "n_test"]].dtypes == "int64").all()


@pytest.mark.usefixtures("in_small_parts")
def test_files_written_in_parts_are_those_written_whole(tmp_path):
    path = fill(tmp_path / "s.sqlite", plan_of(scenarios=["imbalance:count=2"]), left_out=(2, 8))
    with Store(path) as store:
        whole = results_of(store).scores
        for kind in ("csv", "parquet"):
            write_parts(score_parts(store), tmp_path / f"parts.{kind}")
    assert (tmp_path / "parts.csv").read_text() == whole.to_csv(index=False)
    write_table(whole, tmp_path / "whole.parquet")
    one, other = (pd.read_parquet(tmp_path / f"{name}.parquet") for name in ("parts", "whole"))
    pd.testing.assert_frame_equal(one, other)
    pd.testing.assert_frame_equal(one, whole)


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_file_is_replaced_when_the_last_part_is_written_and_not_before(tmp_path, kind):
    path = tmp_path / f"scores.{kind}"
    path.write_text("the old one")
    part = pd.DataFrame({"a": [1, 2]})

    def broken():
        yield part
        assert path.read_text() == "the old one"
        raise sqlite3.DatabaseError("disk image is malformed")

    with pytest.raises(sqlite3.DatabaseError):
        write_parts(broken(), path)
    assert [one.name for one in tmp_path.iterdir()] == [path.name]
    assert path.read_text() == "the old one"
    write_parts([part, part], path)
    back = pd.read_csv(path) if kind == "csv" else pd.read_parquet(path)
    assert back["a"].tolist() == [1, 2, 1, 2]


def test_a_full_disk_is_one_line_and_leaves_no_half_file(tmp_path):
    fill(tmp_path / "s.sqlite", plan_of(scenarios=["imbalance:count=2"], draws=30))
    # in KiB: more than what SQLite writes beside a store that is read
    export = f"ulimit -f 64; trap '' XFSZ; exec {' '.join(BENCH)} export half.csv --store s.sqlite"
    full = subprocess.run(["bash", "-c", export], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert full.returncode == 2
    assert full.stderr == "error: cannot write 'half.csv': File too large\n"
    assert not (tmp_path / "half.csv").exists()


def test_a_run_without_a_score_is_not_exported(tmp_path):
    plan = plan_of()
    path = fill(tmp_path / "s.sqlite", plan, left_out=range(len(plan.units)))
    with Store(path) as store, pytest.raises(InputError, match=r"run 1 of store .* has no score yet"):
        list(score_parts(store))
