import functools
import hashlib
import shutil
import sqlite3
import textwrap
from contextlib import closing
from pathlib import Path

import pytest

from .stored import compute

TINY = """
draws = 3
block = 2
methods = ["smote"]
datasets = ["iris", "wine"]
classifiers = ["logistic-regression", { name = "random-forest", params = { n_estimators = 5 } }]
scenarios = ["imbalance:count=12"]
"""


@pytest.fixture
def tiny_suite(tmp_path):
    """A suite of 36 units that takes a few seconds."""
    path = tmp_path / "tiny.toml"
    path.write_text(TINY)
    return path


def fingerprint(store):
    """Hash every score and prediction of a store, whatever the order in which they were written."""
    sha = hashlib.sha256()
    with sqlite3.connect(store) as connection:
        queries = (
            "SELECT u.key, s.draw, s.classifier, s.metric, s.value FROM scores s JOIN units u ON u.id = s.unit",
            "SELECT u.key, p.draw, p.classifier, p.data FROM predictions p JOIN units u ON u.id = p.unit",
            "SELECT u.key, d.draw, d.content_hash, d.n_train, d.n_generated FROM draws d JOIN units u ON u.id = d.unit",
            "SELECT key, status, error FROM units",
        )
        for query in queries:
            for row in sorted(connection.execute(query), key=repr):
                sha.update(repr(row).encode())
    return sha.hexdigest()


def write_plugin(folder, body, name="planted", needs=""):
    """Write a plugin file from a class body of `_generate` and return its path."""
    path = folder / f"{name.replace('-', '_')}.py"
    path.write_text(
        "import os, time\nimport numpy as np\nimport pandas as pd\nfrom augbench import Augmenter\n\n\n"
        f"class Planted(Augmenter):\n    '''A planted method.'''\n\n    name = {name!r}\n"
        + textwrap.indent(needs, "    ")
        + "\n    def _generate(self, X, y, counts, rng):\n"
        + textwrap.indent(textwrap.dedent(body), "        ")
    )
    return path


@pytest.fixture
def plugin(tmp_path):
    """`write_plugin` into the test's folder."""
    return functools.partial(write_plugin, tmp_path)


@pytest.fixture(scope="session")
def sound(tmp_path_factory):
    """A store that a finished run left, in one file."""
    path = tmp_path_factory.mktemp("sound") / "store.sqlite"
    compute(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return path


@pytest.fixture
def store(sound, tmp_path):
    """A copy of it to be damaged."""
    return Path(shutil.copy(sound, tmp_path / "store.sqlite"))
