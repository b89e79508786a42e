"""What is printed after a run: failures, the next command, a table where no site can be written."""

import re
import shlex

import pytest
from augbench import InputError, Store
from augbench.bench import printing
from augbench.bench.console import Places
from augbench.bench.job import Manner, run_suite
from augbench.bench.printing import print_failures
from augbench.bench.shard import Shard
from augbench.bench.suite import validate_suite

from .stored import SUITE, command


def test_failures_that_are_alike_are_one_line_and_the_rest_is_counted(capsys):
    alike = [("smote", "iris", "full", f"[{draw}]", "ValueError: boom") for draw in range(3)]
    others = [("smote", f"set{i}", "full", "[0]", "ValueError: other") for i in range(16)]
    print_failures([*alike, *others], 40)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "failed: smote · iris · full: ValueError: boom (3 units)"
    assert lines[1] == "failed: smote · set0 · full: ValueError: other"
    assert len(lines) == printing.MOST_LINES + 2
    assert lines[-2] == "… and 7 more: see 'bench status'"
    assert lines[-1].startswith("19 of 40 units have failed cells")


@pytest.mark.parametrize("places", [("s s.sqlite", None), (None, "out put"), ("s.sqlite", "other")])
def test_the_next_command_finds_what_was_stored(tmp_path, monkeypatch, capsys, places):
    monkeypatch.chdir(tmp_path)
    where = Places(*(tmp_path / name if name else None for name in places))
    suite = validate_suite(SUITE | {"draws": 1}, "checked")
    run_suite(suite, {}, [], where, Manner(jobs=1, quiet=True, site=False))
    printed = capsys.readouterr().out
    asked = re.search(r"its leaderboard: bench (leaderboard.*)", printed)[1]
    code, output = command(*shlex.split(asked))
    assert code == 0
    assert f"leaderboard: {where.site / 'index.html'}" in output


@pytest.mark.parametrize("named", [True, False])
def test_the_command_that_merges_parts_names_files_that_are_there(tmp_path, capsys, named):
    shard, out = Shard(1, 2), tmp_path / "o"
    store = tmp_path / "here.sqlite" if named else out / shard.file_name
    suite = validate_suite(SUITE, "checked")
    run_suite(suite, {}, [], Places(store, out), Manner(jobs=1, quiet=True, shard=shard))
    asked = shlex.split(re.search(r"bench (merge [^,]*)", capsys.readouterr().out)[1])
    into = tmp_path / asked[1]
    assert not into.exists()
    sources = [path for pattern in asked[2:] for path in tmp_path.glob(str(pattern).removeprefix(f"{tmp_path}/"))]
    assert sources == [store]
    code, output = command("merge", into, *sources)
    assert code == 0
    with Store(into) as merged, Store(store) as part:
        assert merged.statuses() == part.statuses()
    asked = re.search(r"its leaderboard: bench (leaderboard --store .*)", output)[1]
    assert shlex.split(asked)[-1] == str(into)


def test_a_table_is_printed_also_where_no_site_can_be_written(store, tmp_path, monkeypatch, capsys):
    (tmp_path / "site").write_text("in the way")
    with pytest.raises(InputError, match=r"cannot write the site to .*; another place: --out FOLDER"):
        printing.show(Places(store, None), None, "macro_f1", rebuild=True, quiet=False)
    printed = capsys.readouterr().out
    assert "smote" in printed
    assert "leaderboard: " not in printed
