"""The store: one SQLite file that keeps every result. One writer at a time, any number of readers."""

from __future__ import annotations

import json
import os
import socket
import sqlite3
import sys
import time
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ..errors import InputError, unknown_name
from .predictions import pack_predictions

if TYPE_CHECKING:
    from .evaluate import DrawResult, UnitResult
    from .plan import Plan, Unit

#: raise it when the tables change; a store of a newer version is refused
SCHEMA_VERSION = 1

_SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE units (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,              -- SHA-256 of all that decides the result
    method TEXT NOT NULL, dataset TEXT NOT NULL, scenario TEXT NOT NULL,
    draws TEXT NOT NULL,                   -- JSON list
    definitions TEXT NOT NULL,             -- JSON: what the key is made of
    status TEXT NOT NULL,                  -- 'done', or 'failed': at least one of its cells failed
    error TEXT NOT NULL, warnings TEXT NOT NULL,
    seconds REAL NOT NULL, work_seconds REAL NOT NULL, peak_memory_mb REAL NOT NULL,
    finished TEXT NOT NULL, host TEXT NOT NULL, environment TEXT NOT NULL
);
CREATE TABLE draws (
    unit INTEGER NOT NULL REFERENCES units(id) ON DELETE CASCADE,
    draw INTEGER NOT NULL,
    content_hash TEXT NOT NULL,            -- of the real rows: the same for every method
    n_train INTEGER NOT NULL, n_generated INTEGER NOT NULL, n_test INTEGER NOT NULL,
    seconds REAL NOT NULL,                 -- the method's own cost
    PRIMARY KEY (unit, draw)
) WITHOUT ROWID;
CREATE TABLE cells (
    unit INTEGER NOT NULL REFERENCES units(id) ON DELETE CASCADE,
    draw INTEGER NOT NULL, classifier TEXT NOT NULL,
    fit_seconds REAL NOT NULL, error TEXT NOT NULL,
    PRIMARY KEY (unit, draw, classifier)
) WITHOUT ROWID;
CREATE TABLE scores (
    unit INTEGER NOT NULL REFERENCES units(id) ON DELETE CASCADE,
    draw INTEGER NOT NULL, classifier TEXT NOT NULL, metric TEXT NOT NULL, value REAL,
    PRIMARY KEY (unit, draw, classifier, metric)
) WITHOUT ROWID;
CREATE TABLE predictions (
    unit INTEGER NOT NULL REFERENCES units(id) ON DELETE CASCADE,
    draw INTEGER NOT NULL, classifier TEXT NOT NULL, data BLOB NOT NULL,
    PRIMARY KEY (unit, draw, classifier)
);
CREATE TABLE truth (content_hash TEXT PRIMARY KEY, y_test BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE runs (
    id INTEGER PRIMARY KEY, suite TEXT NOT NULL, definition TEXT NOT NULL UNIQUE,
    started TEXT NOT NULL, info TEXT NOT NULL
);
CREATE TABLE run_units (
    run INTEGER NOT NULL REFERENCES runs(id) ON DELETE CASCADE, key TEXT NOT NULL, position INTEGER NOT NULL,
    method TEXT NOT NULL, dataset TEXT NOT NULL, scenario TEXT NOT NULL, draws TEXT NOT NULL,
    PRIMARY KEY (run, key)
) WITHOUT ROWID;
CREATE TABLE run_exclusions (
    run INTEGER NOT NULL REFERENCES runs(id) ON DELETE CASCADE,
    method TEXT NOT NULL, dataset TEXT NOT NULL, scenario TEXT NOT NULL, status TEXT NOT NULL, reason TEXT NOT NULL
);
CREATE VIEW results AS
    SELECT u.method, u.dataset, u.scenario, s.classifier, s.draw, s.metric, s.value, u.key
    FROM scores s JOIN units u ON u.id = s.unit;
"""


class StoreBusyError(InputError):
    """Another process is writing to the store."""


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S%z")


class Store:
    """Results on disk.

    Parameters
    ----------
    path : str or Path
        The SQLite file.
    write : bool, default=False
        Open for writing: creates the file and takes the lock that keeps a second writer out. Otherwise the file must
        exist and is opened read-only, also while a run goes on.

    Raises
    ------
    InputError
        The file does not exist, is no store, is of a newer version, or cannot be written.
    StoreBusyError
        Another process writes to it; the message says which.
    """

    def __init__(self, path: str | Path, *, write: bool = False) -> None:
        self.path = Path(path)
        self._lock: Any = None
        try:
            if write:
                self._open_for_writing()
            elif not self.path.is_file():
                raise InputError(f"there is no store {self.path}: fill one with 'bench run', or name it with --store")
            else:
                self.connection = sqlite3.connect(f"{self.path.resolve().as_uri()}?mode=ro", uri=True)
            self._check_version()
        except (sqlite3.Error, OSError) as error:
            self.close()
            raise InputError(f"store {self.path} cannot be opened{' for writing' if write else ''}: {error}") from None
        except InputError:
            self.close()
            raise

    def _open_for_writing(self) -> None:
        import filelock

        self.path.parent.mkdir(parents=True, exist_ok=True)
        lock = filelock.FileLock(f"{self.path}.lock", timeout=0)
        holder = Path(f"{self.path}.holder")
        try:
            lock.acquire()
        except filelock.Timeout:
            who = holder.read_text(encoding="utf-8").strip() if holder.is_file() else "another process"
            raise StoreBusyError(f"store {self.path} is being written by {who}: wait for it, or use --store") from None
        self._lock = lock
        self.connection = sqlite3.connect(self.path)
        self.connection.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON;")
        command = " ".join(Path(part).name if i == 0 else part for i, part in enumerate(sys.argv))
        holder.write_text(f"process {os.getpid()} on {socket.gethostname()} since {_now()} ({command})\n", "utf-8")
        if not self.connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone():
            with self.transaction():
                for statement in _SCHEMA.split(";\n"):
                    self.connection.execute(statement)
                self.connection.execute("INSERT INTO meta VALUES ('schema_version', ?)", [str(SCHEMA_VERSION)])

    def _check_version(self) -> None:
        try:
            row = self.connection.execute("SELECT value FROM meta WHERE key = 'schema_version'").fetchone()
        except sqlite3.OperationalError as error:
            if "no such table" not in str(error):
                raise
            row = None
        except sqlite3.DatabaseError:
            row = None
        if row is None:
            raise InputError(f"{self.path} is not a store of augbench: name another file with --store")
        if int(row[0]) != SCHEMA_VERSION:
            newer = int(row[0]) > SCHEMA_VERSION
            raise InputError(
                f"store {self.path} has version {row[0]}, this augbench reads version {SCHEMA_VERSION}: "
                + ("update augbench, or use another --store" if newer else "use another --store")
            )

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Do several writes as one: all of them or none."""
        try:
            with self.connection:
                self.connection.execute("BEGIN IMMEDIATE")
                yield self.connection
        except sqlite3.DatabaseError as error:
            raise InputError(f"store {self.path} cannot be written ({error}): what was stored before is kept") from None

    def close(self) -> None:
        """Close the file and give the lock back."""
        if hasattr(self, "connection"):
            self.connection.close()
        if self._lock is not None:
            Path(f"{self.path}.holder").unlink(missing_ok=True)
            self._lock.release()
            self._lock = None

    def __enter__(self) -> Store:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        self.close()
        if isinstance(error, sqlite3.DatabaseError | pd.errors.DatabaseError):
            raise InputError(
                f"store {self.path} cannot be read ({' '.join(str(error).split())[-80:]}): "
                "if it is damaged, restore a copy of it or use another --store"
            ) from error

    # -- units -----------------------------------------------------------------------------------------------------

    def statuses(self) -> dict[str, str]:
        """Return the status of every stored unit, by key."""
        return dict(self.connection.execute("SELECT key, status FROM units"))

    def unit_seconds(self) -> list[tuple[str, str, str, int, float]]:
        """Return (method, dataset, scenario, number of draws, seconds) of every stored unit, for estimates."""
        query = "SELECT method, dataset, scenario, json_array_length(draws), seconds FROM units"
        return list(self.connection.execute(query))

    def save(self, unit: Unit, result: UnitResult, environment: dict[str, str]) -> None:
        """Store a unit's result in one transaction; an earlier one of the same unit is replaced."""
        with self.transaction() as connection:
            connection.execute("DELETE FROM units WHERE key = ?", [unit.key])
            row = connection.execute(
                "INSERT INTO units VALUES (NULL,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?) RETURNING id",
                [
                    unit.key, unit.method.id, unit.dataset.id, unit.scenario.id, json.dumps(unit.draws),
                    json.dumps(unit.definitions), "failed" if result.error else "done", result.error,
                    json.dumps(result.warnings), result.seconds, result.work_seconds, result.peak_memory_mb, _now(),
                    socket.gethostname(), json.dumps(environment),
                ],
            ).fetchone()  # fmt: skip
            for draw in result.draws:
                self._save_draw(connection, row[0], draw)

    @staticmethod
    def _save_draw(connection: sqlite3.Connection, unit: int, draw: DrawResult) -> None:
        counts = [draw.n_train, draw.n_generated, len(draw.y_test)]
        connection.execute(
            "INSERT INTO draws VALUES (?,?,?,?,?,?,?)", [unit, draw.draw, draw.content_hash, *counts, draw.seconds]
        )
        truth = [draw.content_hash, zlib.compress(draw.y_test.tobytes(), 3)]
        connection.execute("INSERT OR IGNORE INTO truth VALUES (?,?)", truth)
        for classifier, cell in draw.cells.items():
            place = (unit, draw.draw, classifier)
            connection.execute("INSERT INTO cells VALUES (?,?,?,?,?)", [*place, cell.fit_seconds, cell.error])
            if cell.error:
                continue
            values = {**cell.scores, **draw.fidelity}
            connection.executemany(
                "INSERT INTO scores VALUES (?,?,?,?,?)",
                [(*place, metric, None if np.isnan(value) else float(value)) for metric, value in values.items()],
            )
            connection.execute("INSERT INTO predictions VALUES (?,?,?,?)", [*place, pack_predictions(cell)])

    # -- runs ------------------------------------------------------------------------------------------------------

    def save_run(self, plan: Plan, info: dict[str, Any]) -> int:
        """Remember which units a suite consists of now; return the run's id. The same plan keeps its id."""
        from ..provenance import digest

        definition = digest([plan.suite.model_dump(mode="json"), [u.key for u in plan.units],
                             [vars(one) for one in plan.exclusions]])  # fmt: skip
        with self.transaction() as connection:
            found = connection.execute("SELECT id, info FROM runs WHERE definition = ?", [definition]).fetchone()
            if found:
                # the newest run is the one that the leaderboard shows
                run = connection.execute("SELECT max(id) + 1 FROM runs").fetchone()[0]
                if found[0] == run - 1:
                    return int(found[0])
                connection.execute("PRAGMA defer_foreign_keys=ON")
                for table, column in (("runs", "id"), ("run_units", "run"), ("run_exclusions", "run")):
                    connection.execute(f"UPDATE {table} SET {column} = ? WHERE {column} = ?", [run, found[0]])
                return int(run)
            run = connection.execute(
                "INSERT INTO runs VALUES (NULL,?,?,?,?) RETURNING id",
                [plan.suite.name, definition, _now(), json.dumps(info)],
            ).fetchone()[0]
            connection.executemany(
                "INSERT INTO run_units VALUES (?,?,?,?,?,?,?)",
                [
                    (run, u.key, i, u.method.id, u.dataset.id, u.scenario.id, json.dumps(u.draws))
                    for i, u in enumerate(plan.units)
                ],
            )
            connection.executemany(
                "INSERT INTO run_exclusions VALUES (?,?,?,?,?,?)",
                [(run, e.method, e.dataset, e.scenario, e.status, e.reason) for e in plan.exclusions],
            )
        return int(run)

    def runs(self) -> list[dict[str, Any]]:
        """Return every run, newest first: id, suite, started, units, done, failed, and its info."""
        query = """
            SELECT r.id, r.suite, r.started, r.info, r.definition, max(u.finished), count(ru.key),
                   coalesce(sum(u.status = 'done'), 0), coalesce(sum(u.status = 'failed'), 0)
            FROM runs r LEFT JOIN run_units ru ON ru.run = r.id LEFT JOIN units u ON u.key = ru.key
            GROUP BY r.id ORDER BY r.id DESC
        """
        names = ("id", "suite", "started", "info", "definition", "finished", "units", "done", "failed")
        rows = [dict(zip(names, row, strict=True)) for row in self.connection.execute(query)]
        return [{**row, "info": json.loads(row["info"])} for row in rows]

    def find_run(self, suite: str | None = None) -> dict[str, Any]:
        """Return the newest run, or the newest of one suite.

        Raises
        ------
        InputError
            There is none.
        """
        runs = self.runs()
        for run in runs:
            if suite is None or run["suite"] == suite:
                return run
        if suite is None:
            raise InputError(f"store {self.path} has no run: fill it with 'bench run'")
        raise unknown_name(f"suite in store {self.path}", suite, {run["suite"] for run in runs})

    def failures(self, run: int) -> list[tuple[str, str, str, str, str]]:
        """Return (method, dataset, scenario, draws, error) of the failed units of a run."""
        return list(
            self.connection.execute(
                "SELECT u.method, u.dataset, u.scenario, u.draws, u.error FROM run_units ru JOIN units u"
                " ON u.key = ru.key WHERE ru.run = ? AND u.status = 'failed' ORDER BY ru.position",
                [run],
            )
        )

    def totals(self, run: int) -> dict[str, float]:
        """Return the summed seconds, work seconds, and highest memory of the units of a run."""
        row = self.connection.execute(
            "SELECT coalesce(sum(u.seconds), 0), coalesce(sum(u.work_seconds), 0), coalesce(max(u.peak_memory_mb), 0)"
            " FROM run_units ru JOIN units u ON u.key = ru.key WHERE ru.run = ?",
            [run],
        ).fetchone()
        return dict(zip(("seconds", "work_seconds", "peak_memory_mb"), row, strict=True))

    def environment(self, run: int) -> dict[str, str]:
        """Return what the units of a run were computed with (those stored last): Python, platform, versions."""
        row = self.connection.execute(
            "SELECT u.environment FROM run_units ru JOIN units u ON u.key = ru.key WHERE ru.run = ?"
            " ORDER BY u.id DESC LIMIT 1",
            [run],
        ).fetchone()
        return dict(json.loads(row[0])) if row else {}

    def scores(self, run: int, classifiers: Sequence[str], draws: int) -> pd.DataFrame:
        """Return the results of a run, one row per method × dataset × scenario × classifier × draw.

        `classifiers` and `draws` are those of the suite: cells that were not run have rows, too.

        Columns are method, dataset, scenario, classifier, draw, status (``"ok"``, ``"failed"``,
        ``"not applicable"``, ``"not run"``), error, n_train, n_generated, n_test, seconds, fit_seconds, and one for
        each metric.
        """
        place = ["method", "dataset", "scenario", "classifier", "draw"]
        cells = pd.read_sql_query(
            """SELECT ru.method, ru.dataset, ru.scenario, c.classifier, c.draw, c.error, d.n_train, d.n_generated,
                      d.n_test, d.seconds, c.fit_seconds, c.unit
               FROM run_units ru JOIN units u ON u.key = ru.key JOIN cells c ON c.unit = u.id
               JOIN draws d ON d.unit = c.unit AND d.draw = c.draw
               WHERE ru.run = ? ORDER BY ru.position, c.draw, c.classifier""",
            self.connection,
            params=(run,),
        )
        values = pd.read_sql_query(
            """SELECT s.unit, s.draw, s.classifier, s.metric, s.value FROM scores s
               JOIN units u ON u.id = s.unit JOIN run_units ru ON ru.key = u.key WHERE ru.run = ?""",
            self.connection,
            params=(run,),
        )
        cells["status"] = np.where(cells["error"] == "", "ok", "failed")
        wide = values.pivot(index=["unit", "draw", "classifier"], columns="metric", values="value")
        table = cells.join(wide, on=["unit", "draw", "classifier"]).drop(columns="unit")
        gaps = pd.DataFrame(self._without_cells(run, classifiers, draws), columns=[*place, "status", "error"])
        return pd.concat([table, gaps], ignore_index=True) if len(gaps) else table

    def _without_cells(self, run: int, classifiers: Sequence[str], draws: int) -> list[tuple[Any, ...]]:
        """Return a row for each cell without scores: failed as a whole, not yet run, excluded."""
        rows: list[tuple[Any, ...]] = []
        query = """
            SELECT ru.method, ru.dataset, ru.scenario, ru.draws, coalesce(u.status, 'not run'), coalesce(u.error, '')
            FROM run_units ru LEFT JOIN units u ON u.key = ru.key
            WHERE ru.run = ? AND NOT EXISTS (SELECT 1 FROM draws d WHERE d.unit = u.id)
        """
        for method, dataset, scenario, block, status, error in self.connection.execute(query, [run]):
            text = error or "not run yet: start the same 'bench run' again"
            rows += [(method, dataset, scenario, c, d, status, text) for c in classifiers for d in json.loads(block)]
        excluded = "SELECT method, dataset, scenario, status, reason FROM run_exclusions WHERE run = ?"
        for method, dataset, scenario, status, reason in self.connection.execute(excluded, [run]):
            rows += [(method, dataset, scenario, c, d, status, reason) for c in classifiers for d in range(draws)]
        return rows

    # -- merging ---------------------------------------------------------------------------------------------------

    def definitions(self) -> dict[str, set[str]]:
        """Return, for everything that stored units are made of, its hashes."""
        found: dict[str, set[str]] = {}
        for (text,) in self.connection.execute("SELECT DISTINCT definitions FROM units"):
            for name, value in json.loads(text).items():
                found.setdefault(name, set()).add(value)
        return found

    def merge(self, other: Store) -> tuple[int, int]:
        """Take over the units and runs of another store; return how many units were new and how many known.

        Raises
        ------
        InputError
            The stores define something differently, or hold different scores for the same unit: nothing is merged.
        """
        ours, theirs = self.definitions(), other.definitions()
        versioned = (ours.keys() & theirs.keys()) - {"settings"}
        differing = sorted(name for name in versioned if ours[name].isdisjoint(theirs[name]))
        if differing:
            raise InputError(
                f"{self.path} and {other.path} hold results of different definitions and are not mixed; "
                f"different: {', '.join(differing)}"
            )
        mine = self.statuses()
        new = 0
        with self.transaction() as connection:
            for key, status in other.statuses().items():
                if mine.get(key) == "done" and status == "done" and self._unit_scores(key) != other._unit_scores(key):
                    raise InputError(f"unit {key[:12]} has other scores in {other.path} than in {self.path}")
                if key not in mine or (mine[key] == "failed" and status == "done"):
                    new += key not in mine
                    self._copy_unit(connection, other.connection, key)
            self._copy_runs(connection, other.connection)
        return new, len(other.statuses()) - new

    def _unit_scores(self, key: str) -> list[tuple[Any, ...]]:
        query = """SELECT s.draw, s.classifier, s.metric, s.value FROM scores s JOIN units u ON u.id = s.unit
                   WHERE u.key = ? ORDER BY 1, 2, 3"""
        return list(self.connection.execute(query, [key]))

    @staticmethod
    def _copy_unit(to: sqlite3.Connection, source: sqlite3.Connection, key: str) -> None:
        to.execute("DELETE FROM units WHERE key = ?", [key])
        old, *columns = source.execute("SELECT * FROM units WHERE key = ?", [key]).fetchone()
        marks = ",".join("?" * len(columns))
        new = to.execute(f"INSERT INTO units VALUES (NULL,{marks}) RETURNING id", columns).fetchone()[0]
        for table in ("draws", "cells", "scores", "predictions"):
            for _, *rest in source.execute(f"SELECT * FROM {table} WHERE unit = ?", [old]):
                to.execute(f"INSERT INTO {table} VALUES ({','.join('?' * (len(rest) + 1))})", [new, *rest])
        truths = source.execute(
            "SELECT t.* FROM truth t WHERE content_hash IN (SELECT content_hash FROM draws WHERE unit = ?)", [old]
        )
        to.executemany("INSERT OR IGNORE INTO truth VALUES (?,?)", truths)

    @staticmethod
    def _copy_runs(to: sqlite3.Connection, source: sqlite3.Connection) -> None:
        for old, *columns in source.execute("SELECT * FROM runs ORDER BY id"):
            if to.execute("SELECT 1 FROM runs WHERE definition = ?", [columns[1]]).fetchone():
                continue
            new = to.execute("INSERT INTO runs VALUES (NULL,?,?,?,?) RETURNING id", columns).fetchone()[0]
            for table, width in (("run_units", 7), ("run_exclusions", 6)):
                for _, *rest in source.execute(f"SELECT * FROM {table} WHERE run = ?", [old]):
                    to.execute(f"INSERT INTO {table} VALUES ({','.join('?' * width)})", [new, *rest])
