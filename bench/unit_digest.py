"""The hash of what a stored unit says, without times: equal for equal results, whoever computed them, and when."""

from __future__ import annotations

import hashlib
import sqlite3
import zlib

_QUERIES = (
    "SELECT status, error FROM units WHERE id = ?",
    "SELECT draw, content_hash, n_train, n_generated, n_test FROM draws WHERE unit = ? ORDER BY draw",
    "SELECT draw, classifier, error, tuned FROM cells WHERE unit = ? ORDER BY draw, classifier",
    "SELECT draw, classifier, metric, value FROM scores WHERE unit = ? ORDER BY draw, classifier, metric",
    "SELECT draw, classifier, data FROM predictions WHERE unit = ? ORDER BY draw, classifier",
)


def unit_digest(connection: sqlite3.Connection, unit: int) -> str:
    """Return the SHA-256 of a unit's rows.

    Parameters
    ----------
    connection : sqlite3.Connection
        A store of version 5 or later.
    unit : int
        The unit's id.

    Raises
    ------
    zlib.error
        Predictions are broken.
    """
    sha = hashlib.sha256()
    for query in _QUERIES:
        for row in connection.execute(query, [unit]):
            # versions of zlib compress the same bytes to different ones
            plain = [zlib.decompress(value) if isinstance(value, bytes) else value for value in row]
            sha.update(repr(plain).encode())
    return sha.hexdigest()


def scored_cells(connection: sqlite3.Connection, key: str) -> int:
    """Return the number of cells of a stored unit that have scores."""
    query = "SELECT count(*) FROM cells c JOIN units u ON u.id = c.unit WHERE u.key = ? AND c.error = ''"
    return int(connection.execute(query, [key]).fetchone()[0])
