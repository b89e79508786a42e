import ast
from pathlib import Path

import pytest
from augbench.benchmarks import mutants
from augbench.benchmarks.mutants import MUTANTS, REPOSITORY
from augbench.selftest import GROUPS


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda one: one.name)
def test_a_mutant_applies_once_and_names_checks_that_exist(mutant):
    text = (REPOSITORY / mutant.file).read_text(encoding="utf-8")
    assert text.count(mutant.old) == 1
    broken = text.replace(mutant.old, mutant.new)
    assert ast.dump(ast.parse(broken)) != ast.dump(ast.parse(text))
    for check in mutant.checks:
        assert check in GROUPS or (REPOSITORY / check).is_file()


def test_the_committed_list_has_every_mutant_and_no_survivor():
    lines = Path(mutants.__file__).with_suffix(".txt").read_text(encoding="utf-8").splitlines()
    rows = {line.split()[0]: line for line in lines if line and not line.startswith("#")}
    del rows["mutant"]
    assert list(rows) == [one.name for one in MUTANTS]
    assert not [name for name, line in rows.items() if "survives" in line]
    for one in MUTANTS:
        # what caught it is one of the checks that are named
        assert any(f"  {check}::" in rows[one.name] or f"  selftest {check}:" in rows[one.name] for check in one.checks)
