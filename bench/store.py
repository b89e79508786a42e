"""The store: one SQLite file that keeps every result. One writer at a time, any number of readers."""

from __future__ import annotations

import json
import sqlite3
import time
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ..errors import InputError, unknown_name
from . import schema
from .predictions import pack_predictions
from .samples import StoredSamples, read_samples
from .store_opening import KNOWN_BY, damaged_store, is_damage, no_store, open_for_reading, table_names
from .stored_scores import read_parts
from .stored_text import BROKEN, reading_rows, storable
from .training import PLACE, pack_training, read_first_curves, read_training
from .unit_digest import scored_cells, unit_digest
from .writer_lock import StoreBusyError, WriterLock

if TYPE_CHECKING:
    from .evaluate import DrawResult, UnitResult
    from .merging import Merged
    from .plan import Plan, Unit

__all__ = ["Store", "StoreBusyError"]


#: stands in a unit's error before how it failed later
_AGAIN = " (its scores are kept; computed again: "
#: how the error of a unit begins that an audit stored as failed
FAILED_BY_AUDIT = "the audit found that it"


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S%z")


def _add_failure(connection: sqlite3.Connection, key: str, error: str) -> None:
    """Add to the error of a stored unit how it failed when it was computed again; its rows stay as they are."""
    id_, before, digest = connection.execute("SELECT id, error, digest FROM units WHERE key = ?", [key]).fetchone()
    if not before:
        return
    try:
        # a hash that does not fit must not be made to
        hashed = bool(digest) and unit_digest(connection, id_) == digest
    except BROKEN:
        hashed = False
    error = f"{before.partition(_AGAIN)[0]}{_AGAIN}{error})"
    connection.execute("UPDATE units SET error = ? WHERE id = ?", [error, id_])
    if hashed:
        connection.execute("UPDATE units SET digest = ? WHERE id = ?", [unit_digest(connection, id_), id_])


class _OtherRowsError(Exception):
    """A unit that was computed again has other rows."""


class Store:
    """Results on disk.

    Parameters
    ----------
    path : str or Path
        The SQLite file.
    write : bool, default=False
        Open for writing: creates the file and takes the lock that keeps a second writer out. Otherwise the file must
        exist and is opened read-only, also while a run goes on, and also on read-only media.

    Raises
    ------
    InputError
        The file does not exist, is no store, is of a newer version, or cannot be written.
    StoreBusyError
        Another process writes to it; the message says which.
    """

    def __init__(self, path: str | Path, *, write: bool = False) -> None:
        self.path = Path(path)
        self._lock: WriterLock | None = None
        try:
            if write:
                self._open_for_writing()
            elif not self.path.is_file():
                raise InputError(f"there is no store {self.path}: fill one with 'bench run', or name it with --store")
            else:
                self.connection = open_for_reading(self.path)
            self._check_version()
        except (sqlite3.Error, OSError) as error:
            self.close()
            if is_damage(error, self.path):
                raise damaged_store(self.path, error) from None
            raise InputError(f"store {self.path} cannot be opened{' for writing' if write else ''}: {error}") from None
        except InputError:
            self.close()
            raise

    def _open_for_writing(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = WriterLock(self.path)
        self.connection = sqlite3.connect(self.path)
        self.connection.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON;")
        self._lock.sign()
        if not self.connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone():
            with self.transaction() as connection:
                schema.create(connection)
        elif (version := schema.version_of(self.connection)) in schema.UPGRADES:
            with self.transaction() as connection:
                schema.upgrade(connection, version)

    def _check_version(self) -> None:
        version = schema.version_of(self.connection)
        if version is None:
            tables = table_names(self.connection)
            raise damaged_store(self.path, "no version") if tables & KNOWN_BY else no_store(self.path, tables)
        if version != schema.SCHEMA_VERSION and version not in schema.UPGRADES:
            newer = version > schema.SCHEMA_VERSION
            raise InputError(
                f"store {self.path} has version {version}, this augbench reads version {schema.SCHEMA_VERSION}: "
                + ("update augbench, or use another --store" if newer else "use another --store")
            )
        #: whether there is a place for training curves: not in a store of version 1 that is opened for reading
        self.keeps_training = version >= 2
        #: whether it says what training took and what was tuned
        self.keeps_effort = version >= 3
        #: whether there is a place for rows to look at
        self.keeps_samples = version >= 4
        #: whether it says what a unit's seconds were spent on
        self.keeps_parts = version >= 5

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Do several writes as one: all of them or none."""
        try:
            with self.connection:
                self.connection.execute("BEGIN IMMEDIATE")
                yield self.connection
        except sqlite3.DatabaseError as error:
            if is_damage(error, self.path):
                raise damaged_store(self.path, error) from None
            raise InputError(f"store {self.path} cannot be written ({error}): what was stored before is kept") from None

    def close(self) -> None:
        """Close the file and give the lock back."""
        if hasattr(self, "connection"):
            self.connection.close()
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def __enter__(self) -> Store:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        self.close()
        if isinstance(error, sqlite3.DatabaseError | pd.errors.DatabaseError):
            raise damaged_store(self.path, error) from error

    def change_mark(self) -> int:
        """Return a number that is another one after another process has written to the file."""
        return int(self.connection.execute("PRAGMA data_version").fetchone()[0])

    # -- units -----------------------------------------------------------------------------------------------------

    def statuses(self) -> dict[str, str]:
        """Return the status of every stored unit, by key."""
        return dict(self.connection.execute("SELECT key, status FROM units"))

    def units_with_results(self) -> dict[str, tuple[str, bool]]:
        """Return status, and whether its times were measured alone, of every unit that has results, by key."""
        query = "SELECT key, status, alone FROM units u WHERE EXISTS (SELECT 1 FROM draws d WHERE d.unit = u.id)"
        return {key: (status, bool(alone)) for key, status, alone in self.connection.execute(query)}

    def save_invalid(self, unit: Unit, result: UnitResult, environment: dict[str, str]) -> None:
        """Store a failure in the place of a unit's scores, which are not to be believed (`audit`)."""
        with self.transaction() as connection:
            self._save(connection, unit, result, environment, 0)

    def save(self, unit: Unit, result: UnitResult, environment: dict[str, str], workers: int = 0) -> None:
        """Store a unit's result in one transaction; an earlier one of the same unit is replaced.

        A failure with fewer scores than are stored replaces nothing: it is added to the error of the stored unit.
        `workers` is the number of those that computed beside it, itself included, as far as it is known.
        """
        with self.transaction() as connection:
            scored = sum(not cell.error for draw in result.draws for cell in draw.cells.values())
            if result.error and scored < scored_cells(connection, unit.key):
                _add_failure(connection, unit.key, storable(result.error))
            else:
                self._save(connection, unit, result, environment, workers)

    def save_alone(self, unit: Unit, result: UnitResult, environment: dict[str, str]) -> bool:
        """Store the result of a stored unit that was computed again, alone, if it is the same; tell whether it is."""
        try:
            with self.transaction() as connection:
                (id_,) = connection.execute("SELECT id FROM units WHERE key = ?", [unit.key]).fetchone()
                with reading_rows():
                    before = unit_digest(connection, id_)
                if self._save(connection, unit, result, environment, 1, alone=True) != before:
                    # takes it all back
                    raise _OtherRowsError
        except _OtherRowsError:
            return False
        return True

    def _save(
        self,
        connection: sqlite3.Connection,
        unit: Unit,
        result: UnitResult,
        environment: dict[str, str],
        workers: int,
        alone: bool = False,
    ) -> str:
        """Write a unit's rows and return their hash."""
        connection.execute("DELETE FROM units WHERE key = ?", [unit.key])
        (id_,) = connection.execute(
            "INSERT INTO units VALUES (NULL,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,'') RETURNING id",
            [
                unit.key, unit.method.id, unit.dataset.id, unit.scenario.id, json.dumps(unit.draws),
                json.dumps(unit.definitions), "failed" if result.error else "done", storable(result.error),
                json.dumps(list(map(storable, result.warnings))), result.seconds, sum(result.parts.values()),
                result.peak_memory_mb, _now(), result.host, json.dumps(environment), json.dumps(result.parts), workers,
                int(alone),
            ],
        ).fetchone()  # fmt: skip
        for draw in result.draws:
            self._save_draw(connection, id_, draw)
        digest = unit_digest(connection, id_)
        connection.execute("UPDATE units SET digest = ? WHERE id = ?", [digest, id_])
        return digest

    @staticmethod
    def _save_draw(connection: sqlite3.Connection, unit: int, draw: DrawResult) -> None:
        counts = [draw.n_train, draw.n_generated, len(draw.y_test)]
        connection.execute(
            "INSERT INTO draws VALUES (?,?,?,?,?,?,?,?)",
            [unit, draw.draw, draw.content_hash, *counts, draw.seconds, json.dumps(draw.effort)],
        )
        if draw.training is not None:
            curve = pack_training(draw.training)
            connection.execute("INSERT INTO training VALUES (?,?,?)", [unit, draw.draw, curve])
        if draw.sample is not None:
            connection.execute("INSERT INTO samples VALUES (?,?,?)", [unit, draw.draw, draw.sample])
        truth = [draw.content_hash, zlib.compress(draw.y_test.tobytes(), 3)]
        connection.execute("INSERT OR IGNORE INTO truth VALUES (?,?)", truth)
        for classifier, cell in draw.cells.items():
            place = (unit, draw.draw, classifier)
            facts = [cell.fit_seconds, storable(cell.error), json.dumps(cell.tuned)]
            connection.execute("INSERT INTO cells VALUES (?,?,?,?,?,?)", [*place, *facts])
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

        # (the device is in the keys of the units that use it)
        definition = digest([plan.suite.model_dump(mode="json", exclude={"device"}), [u.key for u in plan.units],
                             [vars(one) for one in plan.exclusions]])  # fmt: skip
        with self.transaction() as connection:
            found = connection.execute("SELECT id, info FROM runs WHERE definition = ?", [definition]).fetchone()
            if found:
                if audit := json.loads(found[1]).get("audit"):
                    info = {**info, "audit": audit}
                connection.execute("UPDATE runs SET info = ? WHERE id = ?", [json.dumps(info), found[0]])
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

    def save_audit(self, suite: str, audit: dict[str, Any]) -> None:
        """Remember of the newest run of a suite which of its units an audit has computed again, and what it found."""
        run = self.find_run(suite)
        with self.transaction() as connection:
            info = json.dumps({**run["info"], "audit": audit})
            connection.execute("UPDATE runs SET info = ? WHERE id = ?", [info, run["id"]])

    def failed_by_audit(self) -> set[str]:
        """Return the keys of the units that an audit stored as failed: computed again, they would be as they were."""
        query = "SELECT key FROM units WHERE status = 'failed' AND error GLOB ?"
        return {key for [key] in self.connection.execute(query, [f"{FAILED_BY_AUDIT} *"])}

    def runs(self) -> list[dict[str, Any]]:
        """Return every run, newest first: id, suite, started, units, done, failed, and its info."""
        query = """
            SELECT r.id, r.suite, r.started, r.info, r.definition, count(ru.key),
                   coalesce(sum(u.status = 'done'), 0), coalesce(sum(u.status = 'failed'), 0)
            FROM runs r LEFT JOIN run_units ru ON ru.run = r.id LEFT JOIN units u ON u.key = ru.key
            GROUP BY r.id ORDER BY r.id DESC
        """
        names = ("id", "suite", "started", "info", "definition", "units", "done", "failed")
        rows = [dict(zip(names, row, strict=True)) for row in self.connection.execute(query)]
        with reading_rows():
            return [{**row, "info": dict(json.loads(row["info"]))} for row in rows]

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

    def warnings(self, run: int) -> list[tuple[str, list[str]]]:
        """Return (method, warnings) of every unit of a run that warned of something."""
        query = """SELECT u.method, u.warnings FROM run_units ru JOIN units u ON u.key = ru.key
                   WHERE ru.run = ? AND u.warnings != '[]' ORDER BY ru.position"""
        with reading_rows():
            return [(method, json.loads(text)) for method, text in self.connection.execute(query, [run])]

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
        with reading_rows():
            return dict(json.loads(row[0])) if row else {}

    def environments(self, run: int) -> list[tuple[dict[str, str], int]]:
        """Return every environment that units of a run were computed in, with their number; the largest first."""
        rows = self.connection.execute(
            "SELECT u.environment, count(*) FROM run_units ru JOIN units u ON u.key = ru.key WHERE ru.run = ?"
            " GROUP BY u.environment ORDER BY count(*) DESC, u.environment",
            [run],
        )
        with reading_rows():
            return [(dict(json.loads(text)), int(number)) for text, number in rows]

    def scores(self, run: int, classifiers: Sequence[str], draws: int) -> pd.DataFrame:
        """Return the results of a run, one row per method × dataset × scenario × classifier × draw.

        `classifiers` and `draws` are those of the suite: cells that were not run have rows, too.

        Columns are method, dataset, scenario, classifier, draw, status (``"ok"``, ``"failed"``,
        ``"not applicable"``, ``"not run"``), error, n_train, n_generated, n_test, alone (1: times were measured
        alone), seconds, fit_seconds, those of `EFFORT` (NaN for a method that trains nothing), tuned (JSON, or an empty
        string), and one for each metric.
        """
        parts = list(read_parts(self, run, classifiers, draws))
        return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()

    def has_scores(self, run: int, method: str) -> bool:
        """Tell whether a method has any score in a run."""
        query = """SELECT EXISTS (SELECT 1 FROM run_units ru JOIN units u ON u.key = ru.key
                                  JOIN cells c ON c.unit = u.id WHERE ru.run = ? AND u.method = ? AND c.error = '')"""
        return bool(self.connection.execute(query, [run, method]).fetchone()[0])

    def training_curves(self, run: int | None = None) -> pd.DataFrame:
        """Return the training curves of a run, by default the newest; none, if they were not asked for.

        Columns are method, dataset, scenario, draw, model, step, and one for each part of the loss (NaN where a model
        does not have it).
        """
        if not self.keeps_training:
            return pd.DataFrame(columns=list(PLACE))
        return read_training(self.connection, self.find_run()["id"] if run is None else run)

    def first_curves(self, run: int) -> pd.DataFrame:
        """Return for each method, dataset and scenario of a run the training curve of its first draw that has one."""
        return read_first_curves(self.connection, run) if self.keeps_training else pd.DataFrame(columns=list(PLACE))

    def samples(self, run: int) -> StoredSamples:
        """Return the rows that a run keeps to be looked at; an older store has none."""
        return read_samples(self, run) if self.keeps_samples else StoredSamples({})

    def units_with_training(self) -> set[str]:
        """Return the keys of the units that have a training curve."""
        if not self.keeps_training:
            return set()
        query = "SELECT DISTINCT u.key FROM training t JOIN units u ON u.id = t.unit"
        return {key for (key,) in self.connection.execute(query)}

    # -- merging ---------------------------------------------------------------------------------------------------

    def merge(self, other: Store) -> Merged:
        """Take over the units and runs of another store, as `merging.merge_stores` says."""
        from .merging import merge_stores

        return merge_stores(self, other)
