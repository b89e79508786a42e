"""The tables of a store, their version, and the way from an older version to this one."""

from __future__ import annotations

import sqlite3

#: raise it when the tables change, and say in `UPGRADES` how; a store of a newer version is refused
SCHEMA_VERSION = 5

_TRAINING = """
CREATE TABLE training (
    unit INTEGER NOT NULL REFERENCES units(id) ON DELETE CASCADE,
    draw INTEGER NOT NULL, data BLOB NOT NULL, -- CSV, compressed by zlib: model, step, parts of the loss
    PRIMARY KEY (unit, draw)
)
"""

_SAMPLES = """
CREATE TABLE samples (
    unit INTEGER NOT NULL REFERENCES units(id) ON DELETE CASCADE,
    draw INTEGER NOT NULL, data BLOB NOT NULL, -- a few rows to look at, see samples.py
    PRIMARY KEY (unit, draw)
)
"""

#: what a draw's training took, and what was tuned for a cell: JSON
_EFFORT = "effort TEXT NOT NULL DEFAULT '{}'"
_TUNED = "tuned TEXT NOT NULL DEFAULT '{}'"

#: what a unit's seconds were spent on: JSON; how many workers computed at the time (0: not known); whether its times
#: were measured alone, see alone.py; the hash of its rows, see unit_digest.py
_PARTS = "parts TEXT NOT NULL DEFAULT '{}'"
_WORKERS = "workers INTEGER NOT NULL DEFAULT 0"
_ALONE = "alone INTEGER NOT NULL DEFAULT 0"
_DIGEST = "digest TEXT NOT NULL DEFAULT ''"

#: version -> what makes it the next one
UPGRADES = {
    1: [_TRAINING],
    2: [f"ALTER TABLE draws ADD COLUMN {_EFFORT}", f"ALTER TABLE cells ADD COLUMN {_TUNED}"],
    3: [_SAMPLES],
    4: [f"ALTER TABLE units ADD COLUMN {column}" for column in (_PARTS, _WORKERS, _ALONE, _DIGEST)],
}

SCHEMA = (
    """
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
    finished TEXT NOT NULL, host TEXT NOT NULL, environment TEXT NOT NULL,
    """
    + f"{_PARTS}, {_WORKERS}, {_ALONE}, {_DIGEST}"
    + """
);
CREATE TABLE draws (
    unit INTEGER NOT NULL REFERENCES units(id) ON DELETE CASCADE,
    draw INTEGER NOT NULL,
    content_hash TEXT NOT NULL,            -- of the real rows: the same for every method
    n_train INTEGER NOT NULL, n_generated INTEGER NOT NULL, n_test INTEGER NOT NULL,
    seconds REAL NOT NULL,                 -- the method's own cost
    """
    + _EFFORT
    + """,
    PRIMARY KEY (unit, draw)
) WITHOUT ROWID;
CREATE TABLE cells (
    unit INTEGER NOT NULL REFERENCES units(id) ON DELETE CASCADE,
    draw INTEGER NOT NULL, classifier TEXT NOT NULL,
    fit_seconds REAL NOT NULL, error TEXT NOT NULL,
    """
    + _TUNED
    + """,
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
"""
    + _TRAINING
    + ";\n"
    + _SAMPLES
    + """;
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
)


def create(connection: sqlite3.Connection) -> None:
    """Make the tables; the caller holds a transaction."""
    for statement in SCHEMA.split(";\n"):
        connection.execute(statement)
    connection.execute("INSERT INTO meta VALUES ('schema_version', ?)", [str(SCHEMA_VERSION)])


def upgrade(connection: sqlite3.Connection, version: int) -> None:
    """Bring the tables of an older version to this one, results untouched; the caller holds a transaction."""
    for older in range(version, SCHEMA_VERSION):
        for statement in UPGRADES[older]:
            connection.execute(statement)
    connection.execute("UPDATE meta SET value = ? WHERE key = 'schema_version'", [str(SCHEMA_VERSION)])


def version_of(connection: sqlite3.Connection) -> int | None:
    """Return the version of a store's tables, or None if it has none.

    Raises
    ------
    sqlite3.Error
        It cannot be read.
    """
    try:
        row = connection.execute("SELECT value FROM meta WHERE key = 'schema_version'").fetchone()
    except sqlite3.OperationalError as error:
        if "no such table" not in str(error):
            raise
        return None
    if row is None:
        return None
    try:
        return int(row[0])
    except (ValueError, TypeError):
        raise sqlite3.DatabaseError(f"the version of its tables is {row[0]!r}") from None
