"""Damaged files of stores, torn copies of a run, read-only media, clocks."""

import contextlib
import itertools
import random
import shutil
import sqlite3
import subprocess
import sys
import textwrap
import time
from contextlib import closing
from pathlib import Path

import pytest
from augbench import InputError, Store
from augbench.bench import store_repair
from augbench.bench.report import is_current, results_of
from augbench.bench.store_check import check_store
from augbench.bench.store_repair import repair_store
from augbench.bench.suite import load_suite, validate_suite

from ..conftest import BENCH
from .conftest import fingerprint
from .stored import SUITE, command, compute, execute, query

FACTS_OF_A_UNIT = "status, error, warnings, seconds, environment"


def overwrite_page(path, page, data=b""):
    (size,) = query(path, "PRAGMA page_size")[0]
    with path.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write((data or random.Random(page).randbytes(size))[:size])


# -- damaged files -----------------------------------------------------------------------------------------------------


def kept(path):
    """Return the units of a store with their scores, to be compared row by row."""
    found = "SELECT u.key, s.draw, s.classifier, s.metric, s.value FROM scores s JOIN units u ON u.id = s.unit"
    return set(query(path, found))


def damaged_file_is_mended(store, sound, least):
    """Check and repair; the damaged file is still there to the last byte, and a run makes everything good."""
    before = store.read_bytes()
    code, output = command("store", "check", "--store", store)
    assert code == 1, output
    assert "SQLite's integrity check" in output
    assert "the file is damaged" in output
    code, output = command("store", "check", "--repair", "--store", store)
    assert code == 0, output
    assert "the damaged file is kept as" in output
    assert Path(f"{store}.damaged-1").read_bytes() == before
    assert check_store(store).is_sound
    assert least <= check_store(store).units
    assert kept(store) <= kept(sound)
    compute(store)
    assert check_store(store).is_sound
    assert fingerprint(store) == fingerprint(sound)
    assert {path.name for path in store.parent.iterdir()} <= {
        f"store.sqlite{end}" for end in ("", "-wal", "-shm", ".lock", ".damaged-1", ".damaged-1-wal", ".damaged-1-shm")
    }


@pytest.mark.parametrize("table", ["meta", "units", "scores", "predictions", "truth", "run_units", "cells"])
def test_a_page_of_garbage_costs_what_was_on_it(store, sound, table):
    (page,) = query(store, f"SELECT rootpage FROM sqlite_master WHERE name = '{table}'")[0]
    overwrite_page(store, page)
    damaged_file_is_mended(store, sound, 0)


@pytest.mark.parametrize("index", ["sqlite_autoindex_predictions_1", "sqlite_autoindex_samples_1"])
def test_an_index_of_garbage_costs_nothing(store, sound, index):
    (page,) = query(store, f"SELECT rootpage FROM sqlite_master WHERE name = '{index}'")[0]
    overwrite_page(store, page)
    damaged_file_is_mended(store, sound, 18)


@pytest.mark.parametrize(("share", "least"), [(0.97, 9), (0.6, 0)])
def test_a_file_that_was_cut_off_gives_what_is_left(store, sound, share, least):
    size = store.stat().st_size
    with store.open("r+b") as file:
        file.truncate(int(size * share) + 123)
    damaged_file_is_mended(store, sound, least)


def test_pages_of_garbage_all_over_end_in_no_error(sound, tmp_path):
    """Every page but the first in turn: whatever is lost, no unsound unit is kept and nothing is raised."""
    (pages,) = query(sound, "PRAGMA page_count")[0]
    everything = kept(sound)
    for page in range(2, pages + 1, 4):
        store = Path(shutil.copy(sound, tmp_path / f"{page}.sqlite"))
        overwrite_page(store, page)
        if not check_store(store).is_sound:
            repair_store(store)
        assert check_store(store).is_sound
        assert kept(store) <= everything


def test_the_first_page_lost_is_said(store):
    overwrite_page(store, 1)
    before = store.read_bytes()
    for option in ([], ["--repair"]):
        code, output = command("store", "check", "--store", store, *option)
        assert code == 2
        assert "file is not a database" in output
    assert store.read_bytes() == before


@pytest.mark.parametrize("where", ["salvage", "os.replace", "_put_aside"])
def test_a_repair_that_fails_midway_loses_nothing(sound, tmp_path, monkeypatch, where):
    store = torn_pair(sound, tmp_path)
    log = Path(f"{store}-wal")
    before = store.read_bytes(), log.read_bytes()

    def fail(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        if where == "os.replace":
            patch.setattr(store_repair.os, "replace", fail)
        else:
            patch.setattr(store_repair, where, fail)
        with pytest.raises(InputError, match=r"No space left on device.*it is as it was"):
            repair_store(store)
    assert (store.read_bytes(), log.read_bytes()) == before
    assert not store.with_name("store.sqlite.repairing").exists()
    assert repair_store(store).after.is_sound


def test_a_removal_that_fails_midway_removes_nothing(store, monkeypatch):
    execute(store, "DELETE FROM predictions WHERE unit = 3")
    before = query(store, f"SELECT id, {FACTS_OF_A_UNIT} FROM units")

    def fail(*_):
        raise sqlite3.OperationalError("disk I/O error")

    with monkeypatch.context() as patch:
        patch.setattr(store_repair, "check_connection", fail)
        with pytest.raises(InputError, match="disk I/O error"):
            repair_store(store)
    assert query(store, f"SELECT id, {FACTS_OF_A_UNIT} FROM units") == before
    assert repair_store(store).after.is_sound


# -- torn copies -------------------------------------------------------------------------------------------------------


def torn_pair(sound, folder):
    """Put together a file from before a checkpoint with a log from after it: what no order of copying should give."""
    whole = folder / "whole.sqlite"
    suite = validate_suite(SUITE | {"draws": 1}, "checked")
    compute(whole, suite)
    with closing(sqlite3.connect(whole)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    store = Path(shutil.copy(whole, folder / "store.sqlite"))
    with closing(sqlite3.connect(whole)) as holder, Store(sound) as source:
        # what comes after the first copy: half of it goes into the file, the other half stays in the log
        holder.execute("PRAGMA wal_autocheckpoint=0")
        _copy_units(source, holder, 0)
        holder.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        _copy_units(source, holder, 1)
        shutil.copy(f"{whole}-wal", f"{store}-wal")
    return store


def _copy_units(source, to, odd):
    """Copy half of the units of a store that another lacks, as merging does."""
    from augbench.bench.merging import _copy_unit

    known = {key for (key,) in to.execute("SELECT key FROM units")}
    keys = sorted(key for (key,) in source.connection.execute("SELECT key FROM units") if key not in known)
    with to:
        for key in keys[odd::2] if odd == 0 else keys:
            _copy_unit(to, source, key)


def test_a_file_and_a_log_that_do_not_match_are_found_out_and_what_is_sound_is_kept(sound, tmp_path):
    store = torn_pair(sound, tmp_path)
    alone = len(query(tmp_path / "whole.sqlite", "SELECT 1 FROM units WHERE draws = '[0]'"))
    found = check_store(store)
    assert found.file_is_damaged
    repaired = repair_store(store)
    assert Path(f"{repaired.damaged}-wal").stat().st_size > 0
    assert not Path(f"{store}-wal").exists() or Path(f"{store}-wal").stat().st_size == 0
    # the file without its log held all units of the first draw
    assert repaired.after.units >= alone // 2
    assert {key for key, *_ in kept(store)} >= {
        key for (key,) in query(sound, "SELECT key FROM units WHERE draws = '[0]'")
    }
    compute(store)
    assert fingerprint(store) == fingerprint(sound)


def test_plain_copies_of_a_run_that_goes_on_are_sound_and_go_on(tmp_path):
    live = tmp_path / "live" / "store.sqlite"
    process = subprocess.Popen(
        [*BENCH, "run", "smoke", "--no-site", "--quiet", "--jobs", "1", "--store", live], stdout=subprocess.DEVNULL
    )
    copies, seen = [], 0
    while process.poll() is None:
        number = _stored(live)
        if number > seen:
            seen = number
            copy = tmp_path / f"copy{len(copies)}" / "store.sqlite"
            copy.parent.mkdir()
            # the file first, then the log: results that come in between are in the log
            shutil.copyfile(live, copy)
            shutil.copyfile(f"{live}-wal", f"{copy}-wal")
            copies.append(copy)
            if len(copies) == 3:
                assert check_store(live).is_sound
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.02)
    assert process.returncode == 0
    assert len(copies) >= 3, "the run was over before it could be copied: the test shows nothing"
    units = []
    for copy in copies:
        found = check_store(copy)
        if found.file_is_damaged:  # copied across a checkpoint
            found = repair_store(copy).after
        assert found.is_sound, [*map(str, found.findings)]
        units.append(found.units)
    middle = min(range(len(copies)), key=lambda i: abs(units[i] - 9))
    assert 0 < units[middle] < 18, "no copy was taken in the middle"
    compute(copies[middle], load_suite("smoke"))
    assert fingerprint(copies[middle]) == fingerprint(live)
    assert check_store(copies[middle]).units == 18


def _stored(path):
    try:
        return query(path, "SELECT count(*) FROM units")[0][0] if Path(f"{path}-wal").exists() else 0
    except sqlite3.OperationalError:
        return 0


# -- read-only media ---------------------------------------------------------------------------------------------------

ON_READ_ONLY_MEDIA = textwrap.dedent(
    """
    import sys
    from typer.testing import CliRunner
    from augbench import InputError
    from augbench.bench.cli import app

    for line in sys.stdin.read().splitlines():
        done = CliRunner().invoke(app, line.split())
        text = f"error: {done.exception}" if isinstance(done.exception, InputError) else done.output
        code = 2 if isinstance(done.exception, InputError) else done.exit_code
        print(f"## {line.split()[0]} {code}", text, sep="\\n")
        if done.exception and not isinstance(done.exception, InputError | SystemExit):
            raise done.exception
    """
)


def test_a_store_on_read_only_media_is_read_and_a_run_onto_it_says_so(store, tmp_path):
    media, written = tmp_path / "media", tmp_path / "written"
    media.mkdir()
    written.mkdir()
    shutil.move(store, media / "store.sqlite")
    with closing(sqlite3.connect(media / "store.sqlite")) as writer:
        # a log that no one took in, as a copy of a running store has
        shutil.copy(media / "store.sqlite", media / "torn.sqlite")
        writer.execute("PRAGMA wal_autocheckpoint=0")
        with writer:
            writer.execute("UPDATE units SET host = 'x'")
        shutil.copy(media / "store.sqlite-wal", media / "torn.sqlite-wal")
    assert sorted(path.name for path in media.iterdir()) == ["store.sqlite", "torn.sqlite", "torn.sqlite-wal"]
    mount = f"mount --bind '{media}' '{media}' && mount -o remount,bind,ro '{media}'"
    if shutil.which("unshare") is None or subprocess.run(["unshare", "-rm", "sh", "-c", mount]).returncode:
        pytest.skip("no read-only mount can be made here (unshare -rm, mount --bind)")
    commands = [
        f"status --store {media}/store.sqlite",
        f"store check --store {media}/store.sqlite",
        f"export {written}/scores.csv --store {media}/store.sqlite",
        f"leaderboard --store {media}/store.sqlite --out {written}",
        f"leaderboard --store {media}/store.sqlite",
        f"run smoke --no-site --store {media}/store.sqlite",
        f"store check --repair --store {media}/store.sqlite",
        f"status --store {media}/torn.sqlite",
    ]
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", f'{mount} && exec "$@"', "sh", sys.executable, "-c", ON_READ_ONLY_MEDIA],
        input="\n".join(commands), capture_output=True, text=True, cwd=written,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    answers = [answer.split("\n", 1) for answer in done.stdout.split("## ")[1:]]
    assert [head for head, _ in answers] == [
        "status 0", "store 0", "export 0", "leaderboard 0", "leaderboard 2", "run 2", "store 2", "status 2",
    ]  # fmt: skip
    status, check, _, leaderboard, unwritten, run, repair, torn = (text for _, text in answers)
    assert "checked" in status
    assert "sound: " in check
    assert "smote" in leaderboard
    assert len((written / "scores.csv").read_text().splitlines()) > 16
    for text, words in ((run, "for writing"), (repair, "copy it to another folder"), (torn, "torn.sqlite-wal")):
        assert text.count("\n") == 1, text
        assert words in text
    assert "ead-only" in run
    assert "another place: --out FOLDER" in unwritten


# -- clocks ------------------------------------------------------------------------------------------------------------


def test_a_clock_that_jumps_changes_no_score_and_no_order(sound, tmp_path, monkeypatch):
    path = tmp_path / "store.sqlite"
    real, jumps = time.time, itertools.cycle([0, -90_000_000, 40_000_000, -3_600, 7_200])
    stamps = itertools.cycle(["2031-01-01T00:00:00+0000", "1970-01-01T00:00:00+0000", "2024-10-27T02:30:00+0200"])
    monkeypatch.setattr(time, "time", lambda: real() + next(jumps))
    monkeypatch.setattr(time, "strftime", lambda *_: next(stamps))
    compute(path)
    compute(path, validate_suite(SUITE | {"name": "second", "draws": 1}, "second"))
    monkeypatch.undo()
    assert fingerprint(path) == fingerprint(sound)
    assert check_store(path).is_sound
    code, output = command("status", "--store", path)
    assert code == 0
    # the newest run first, whatever its clock said
    assert output.index("second") < output.index("checked")
    with Store(path) as store:
        assert store.find_run()["suite"] == "second"
        assert all(0 <= seconds < 600 for (seconds,) in store.connection.execute("SELECT seconds FROM units"))


def test_what_was_computed_again_is_shown_also_when_the_clock_was_set_back(store, tmp_path):
    """The site of a run in which a unit failed again, otherwise, an hour ago by the clock."""
    from augbench.leaderboard.site import site_mark

    index = tmp_path / "index.html"
    with Store(store) as reader:
        results = results_of(reader)
    index.write_text(site_mark(results, "macro_f1"))
    assert is_current(index, results, "macro_f1")
    execute(store, "UPDATE units SET finished = '1999-01-01T00:00:00+0000', seconds = seconds * 1.5 WHERE id = 3")
    with Store(store) as reader:
        assert not is_current(index, results_of(reader), "macro_f1")
