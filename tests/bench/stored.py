"""A store of a small run, and what is done with it in tests."""

import sqlite3
from contextlib import closing

from augbench import InputError
from augbench.bench.cli import app
from augbench.bench.console import Places
from augbench.bench.job import Manner, compute_suite
from augbench.bench.suite import validate_suite
from typer.testing import CliRunner

#: 18 units: the controls and SMOTE, two draws of one data set, one draw a unit
SUITE = {
    "name": "checked",
    "draws": 2,
    "block": 1,
    "methods": ["smote"],
    "datasets": ["iris"],
    "classifiers": ["logistic-regression"],
    "scenarios": ["imbalance:count=12"],
}


def compute(path, suite=None):
    """Run a suite in this process."""
    manner = Manner(jobs=1, quiet=True, site=False)
    return compute_suite(suite or validate_suite(SUITE, "checked"), {}, [], Places(path, None), manner)


def execute(path, *statements):
    with closing(sqlite3.connect(path)) as connection, connection:
        for statement in statements:
            connection.execute(statement)


def query(path, text):
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
        return connection.execute(text).fetchall()


def command(*args):
    """Give a command in this process; return its exit code (2 where `main` would make it that) and its output."""
    done = CliRunner().invoke(app, [str(arg) for arg in args])
    if isinstance(done.exception, InputError):
        return 2, f"error: {done.exception}"
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.output
