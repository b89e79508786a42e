"""Deliberately broken variants of the harness: each has to be caught by the self-test or by a test.

    python benchmarks/mutants.py [--only NAME ...] [--list]

Copies the repository into a temporary folder, breaks one thing there, and runs the checks that should notice, one after
the other, until one does. Before that all of these checks have to pass on a copy in which nothing is broken. Prints
which claim or test caught which mutant; ends with 1 where one survives. `mutants.txt` is what it printed last.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
LEFT_OUT = shutil.ignore_patterns(".*", "__pycache__", "*.egg-info", "build", "dist")
#: a check that takes longer does not end, which is noticed as well
SECONDS = 900
#: puts a group of claims to the test in a folder, and prints the claims that do not hold
GROUP = """
import json, sys
from pathlib import Path
from augbench.selftest import Workbench, run_groups
bench = Workbench(Path(sys.argv[2]), jobs=1, say=lambda line: None)
[group] = run_groups(bench, [sys.argv[1]])
print(json.dumps([one.claim for one in group.findings if not one.passed]))
"""


class CannotRunError(Exception):
    """A check says nothing about a mutant; the message says why."""


@dataclass(frozen=True)
class Mutant:
    """A broken variant.

    Attributes
    ----------
    name, breaks : str
        What it is called, and what it does wrong.
    file : str
        Where, from the root of the repository.
    old, new : str
        What stands there once, and what stands there instead.
    checks : tuple of str
        Groups of the self-test and tests (``tests/...``), in the order in which they are run.
    """

    name: str
    breaks: str
    file: str
    old: str
    new: str
    checks: tuple[str, ...]


MUTANTS = (
    Mutant(
        "split-after-resampling",
        "rows are copied before the split, so that test rows stand among the training rows",
        "bench/scenario.py",
        "        part = split_table(table, shares, np.random.default_rng(split_seed))\n",
        "        rare = np.flatnonzero(table.y == np.bincount(table.y).argmin())\n"
        "        table = table.take(np.concatenate([np.arange(len(table.y)), rare, rare]))\n"
        "        part = split_groups(np.arange(len(table.y)), table.y, shares, np.random.default_rng(split_seed))\n",
        ("tests/bench/test_unseen.py",),
    ),
    Mutant(
        "duplicates-parted",
        "equal rows of a table come to the training and to the test rows",
        "bench/scenario.py",
        "        return split_groups(equal_row_groups(table.X), table.y, shares, rng)\n",
        "        return split_groups(np.arange(len(table.y)), table.y, shares, rng)\n",
        ("tests/bench/test_scenario.py",),
    ),
    Mutant(
        "scaler-on-all-rows",
        "imputation, encoding and scaling are fitted on training and test rows",
        "bench/prepare.py",
        "        preparation = Preparation.fit(train.X)\n",
        "        preparation = Preparation.fit(pd.concat([train.X, test.X], ignore_index=True))\n",
        ("tests/bench/test_evaluate.py",),
    ),
    Mutant(
        "test-rows-dropped",
        "test rows of a class that is never predicted are dropped",
        "bench/cells.py",
        "    scores = hard_metrics(y, labels, counts)\n",
        "    kept = np.isin(y, labels)\n    scores = hard_metrics(y[kept], labels[kept], counts)\n",
        ("metrics",),
    ),
    Mutant(
        "absent-classes-left-out",
        "classes without test rows are left out of the macro F1",
        "bench/metrics.py",
        '        "macro_f1": f1.mean(),\n',
        '        "macro_f1": f1[true > 0].mean(),\n',
        ("metrics",),
    ),
    Mutant(
        "ties-by-order",
        "rows with the same score are ranked by where they stand in the area under the ROC curve",
        "bench/metrics.py",
        "    area = (np.diff(misses, prepend=0) * (hits - gained / 2)).sum()",
        "    area = (np.diff(misses, prepend=0) * hits).sum()",
        ("metrics",),
    ),
    Mutant(
        "truth-and-prediction-swapped",
        "the predicted classes are taken for the true ones",
        "bench/cells.py",
        "    scores = hard_metrics(y, labels, counts)\n",
        "    scores = hard_metrics(labels, y, counts)\n",
        ("metrics",),
    ),
    Mutant(
        "swapped-labels",
        "generated rows get the label of the other class",
        "bench/augment.py",
        "    return Addition(new, labels) if len(new) else Addition()\n",
        "    return Addition(new, int(part.train.y.max()) - labels) if len(new) else Addition()\n",
        ("harm",),
    ),
    Mutant(
        "probabilities-of-other-rows",
        "the area under the ROC curve and its like are computed with the probabilities of other rows",
        "bench/cells.py",
        "    scores |= probability_metrics(y, probabilities, minority_class(counts))",
        "    scores |= probability_metrics(y, probabilities[::-1], minority_class(counts))",
        ("metrics",),
    ),
    Mutant(
        "tuned-scores-untuned",
        "the scores at the tuned decision are those at the usual one",
        "bench/cells.py",
        "for name, value in hard_metrics(y, tuned, counts).items()}",
        "for name, value in hard_metrics(y, labels, counts).items()}",
        ("metrics",),
    ),
    Mutant(
        "pooled-draws",
        "draws are tested as if each were a data set of its own",
        "leaderboard/contrast.py",
        "        values = self.differences[method].dropna().to_numpy(dtype=float)\n",
        "        values = self.table.values[method] - self.table.values[self.other]\n"
        "        values = values.dropna().to_numpy(dtype=float)\n",
        ("tests/leaderboard/test_tables.py",),
    ),
    Mutant(
        "unpaired-seeds",
        "each method has splits of its own",
        "bench/evaluate.py",
        "        dataset, table = self.dataset(unit)\n",
        "        dataset, table = self.dataset(unit)\n"
        "        unit = replace(unit, seed=derive_seed(unit.seed, unit.method.id))\n",
        ("tests/bench/test_evaluate.py",),
    ),
    Mutant(
        "seeds-by-process",
        "the seed of a method depends on the process that computes",
        "bench/augment.py",
        "        seeds.append(derive_seed(one.draw.seed, name, unit.method.id))\n",
        "        import os\n\n        seeds.append(derive_seed(one.draw.seed, name, unit.method.id, os.getpid()))\n",
        ("order",),
    ),
    Mutant(
        "baseline-missing-a-draw",
        "draws that the baseline lacks count for the others all the same",
        "leaderboard/aggregate.py",
        "    values, states = values[usable], states[usable]\n",
        "",
        ("tests/leaderboard/test_tables.py",),
    ),
    Mutant(
        "threshold-tuned-on-test-rows",
        "the tuned threshold is the one that is best on the test rows",
        "bench/cells.py",
        "        offsets, untuned = _tuned_offsets(one, prediction.inner, inner_error)\n",
        "        offsets, untuned = _tuned_offsets(one, prediction.inner, inner_error)\n"
        "        offsets = tune_offsets(part.test.y, probabilities)\n",
        ("threshold",),
    ),
    Mutant(
        "failures-imputed-by-survivors",
        "a failed draw takes the mean of the method's other draws",
        "leaderboard/aggregate.py",
        '    values = values.mask(states == "failed", values[baseline], axis=0)\n',
        '    survivors = values.groupby(level=CELL).transform("mean")\n'
        "    survivors = survivors.apply(lambda one: one.fillna(values[baseline]))\n"
        '    values = values.mask(states == "failed", survivors)\n',
        ("failures",),
    ),
    Mutant(
        "failures-scored-without-rows",
        "where a method fails, the unaugmented rows are scored under its name",
        "bench/augment.py",
        "        outcome if isinstance(outcome, BaseException) else checked_addition(method, part, outcome, new)\n",
        "        Addition() if isinstance(outcome, BaseException) else checked_addition(method, part, outcome, new)\n",
        ("failures",),
    ),
    Mutant(
        "too-few-rows-accepted",
        "nobody counts the rows that a method returns",
        "bench/augment.py",
        "        if given != asked and (method.exact_counts or not 0.9 * asked <= given <= 1.1 * asked):\n",
        "        if given > asked:\n",
        ("failures",),
    ),
    Mutant(
        "stale-cache-key",
        "a method whose code has changed keeps its stored results",
        "bench/identity.py",
        '"params": _plain(entry.params), "code": _method_code(method)}\n',
        '"params": _plain(entry.params)}\n',
        ("tests/bench/test_suite.py",),
    ),
    Mutant(
        "rank-ties-by-order",
        "of methods with the same score the first one has the better rank",
        "leaderboard/ranks.py",
        "    return np.asarray(stats.rankdata(-table if higher_is_better else table, axis=1))\n",
        '    return np.asarray(stats.rankdata(-table if higher_is_better else table, axis=1, method="ordinal"))\n',
        ("tests/leaderboard/test_statistics.py",),
    ),
    Mutant(
        "holm-without-running-maximum",
        "a larger p-value may be corrected to less than a smaller one",
        "leaderboard/multiplicity.py",
        "    corrected[order] = np.minimum(1.0, np.maximum.accumulate(stepped))\n",
        "    corrected[order] = np.minimum(1.0, stepped)\n",
        ("tests/leaderboard/test_statistics.py",),
    ),
    Mutant(
        "wilcoxon-one-sided",
        "the p-value of the signed-rank test is that of the better side",
        "leaderboard/signed_rank.py",
        "    return min(1.0, 2 * tail)\n",
        "    return min(1.0, tail)\n",
        ("null",),
    ),
    Mutant(
        "resampled-t-without-correction",
        "splits of one table are tested as if they were independent",
        "leaderboard/t_tests.py",
        "    return _t_test(array, 1 / max(len(array), 1) + test_train_ratio, level)\n",
        "    return _t_test(array, 1 / max(len(array), 1), level)\n",
        ("null",),
    ),
    Mutant(
        "generated-rows-unused",
        "classifiers are trained on the real rows alone",
        "bench/augment.py",
        "        return np.vstack([real, new]), np.concatenate([part.train.y, self.y])\n",
        "        return real, part.train.y\n",
        ("gain",),
    ),
    Mutant(
        "regret-against-the-labels",
        "the regret is what is lost to a rule that is always right, not to Bayes' rule",
        "bench/cells.py",
        "        best = hard_metrics(y, part.test.posterior.argmax(axis=1), counts)\n",
        "        best = hard_metrics(y, y, counts)\n",
        ("gain",),
    ),
    Mutant(
        "marks-without-controls",
        "methods are marked that are no better than the baseline, whatever the controls reach",
        "leaderboard/details.py",
        '    control = table["method"].map(results.is_control) | (table["method"] == baseline)\n',
        '    control = table["method"] == baseline\n',
        ("trivial",),
    ),
    Mutant(
        "marks-against-the-mean-control",
        "methods are marked that are no better than the controls are on the average",
        "leaderboard/details.py",
        '    table["not_above"] = ~control & table["delta"].notna() & (gain <= gain.iloc[best])\n',
        '    table["not_above"] = ~control & table["delta"].notna() & (gain <= gain[control].mean())\n',
        ("trivial",),
    ),
    Mutant(
        "methods-unwatched",
        "methods may search memory, files and simulated data sets for test rows",
        "bench/augment.py",
        "    with at_work():\n        made = method.fit_resample_many(tables, seeds, strategies)\n",
        "    made = method.fit_resample_many(tables, seeds, strategies)\n",
        ("leaks",),
    ),
    Mutant(
        "audit-compares-nothing",
        "the audit computes again, and does not look whether the predictions are the same",
        "bench/audit.py",
        "                differing |= (values != second[name]).reshape(len(differing), -1).any(axis=1)\n",
        "                differing |= (values != values).reshape(len(differing), -1).any(axis=1)\n",
        ("leaks",),
    ),
    Mutant(
        "everything-marked",
        "every method is marked as no better than a control",
        "leaderboard/details.py",
        "(gain <= gain.iloc[best])\n",
        "(gain <= np.inf)\n",
        ("gain",),
    ),
    Mutant(
        "helps-never-said",
        "what is better than every control is said to do as well as one",
        "leaderboard/verdict.py",
        '    return "helps" if all(low > 0 for low in controls) else "as a control does"\n',
        '    return "as a control does"\n',
        ("words",),
    ),
    Mutant(
        "equivalent-by-the-estimate",
        "a method is called equivalent where the difference is small, however wide its interval",
        "leaderboard/verdict.py",
        'row["low"] > -ROPE and row["high"] < ROPE',
        'abs(row["delta"]) < ROPE',
        ("words",),
    ),
    Mutant(
        "helps-by-the-estimate",
        "a method is said to help where its mean is above that of the controls, shown or not",
        "leaderboard/tables.py",
        "        lows = [test.low if self.sign > 0 else -test.high for test in tests if not np.isnan(test.mean)]\n",
        "        lows = [self.sign * test.mean for test in tests if not np.isnan(test.mean)]\n",
        ("words",),
    ),
)


@contextmanager
def copy_with(mutant: Mutant | None) -> Iterator[Path]:
    """Give a folder in which `augbench` is a copy of the repository, with one thing broken."""
    with tempfile.TemporaryDirectory(prefix="augbench-mutant-") as name:
        folder = Path(name)
        shutil.copytree(REPOSITORY, folder / "augbench", ignore=LEFT_OUT)
        if mutant:
            path = folder / "augbench" / mutant.file
            text = path.read_text(encoding="utf-8")
            if text.count(mutant.old) != 1:
                raise CannotRunError(f"{mutant.name}: its text stands {text.count(mutant.old)} times in {mutant.file}")
            path.write_text(text.replace(mutant.old, mutant.new), encoding="utf-8")
        found = _run(folder, ["-c", "import augbench; print(augbench.__file__)"]).stdout.strip()
        if Path(found).resolve() != (folder / "augbench" / "__init__.py").resolve():
            raise CannotRunError(f"another augbench than the copy is imported: {found}")
        yield folder


def _run(folder: Path, arguments: list[str]) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(folder), "OMP_NUM_THREADS": "1", "COLUMNS": "300"}
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=SECONDS)


def caught_by(check: str, folder: Path) -> str:
    """Run a check in a folder of `copy_with`; return the first claim or test that fails, or an empty string."""
    try:
        return _failing_test(check, folder) if check.startswith("tests/") else _broken_claim(check, folder)
    except subprocess.TimeoutExpired:
        return f"{check}: does not end"


def _broken_claim(group: str, folder: Path) -> str:
    done = _run(folder, ["-c", GROUP, group, tempfile.mkdtemp(dir=folder)])
    if done.returncode:
        raise CannotRunError(f"selftest {group}: {done.stderr.strip().splitlines()[-1:]}")
    broken = json.loads(done.stdout.splitlines()[-1])
    more = f" (and {len(broken) - 1} more)" if len(broken) > 1 else ""
    return f"selftest {group}: {broken[0]}{more}" if broken else ""


def _failing_test(path: str, folder: Path) -> str:
    done = _run(folder, ["-m", "pytest", "-x", "-q", "-rfE", "-p", "no:cacheprovider", f"augbench/{path}"])
    if done.returncode not in (0, 1):
        raise CannotRunError(f"{path}: {done.stdout[-500:]}{done.stderr[-500:]}")
    failed = [line for line in done.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
    return failed[0].split()[1].removeprefix("augbench/") if failed else ""


def main() -> int:
    """Break one thing after the other."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--only", nargs="+", metavar="NAME", choices=[one.name for one in MUTANTS], help="only these")
    parser.add_argument("--list", action="store_true", help="say what there is, and run nothing")
    options = parser.parse_args()
    mutants = [one for one in MUTANTS if not options.only or one.name in options.only]
    if options.list:
        for one in mutants:
            print(f"{one.name}: {one.breaks} ({', '.join(one.checks)})")
        return 0
    with copy_with(None) as folder:
        for check in dict.fromkeys(check for one in mutants for check in one.checks):
            if wrong := caught_by(check, folder):
                print(f"nothing is broken, but: {wrong}")
                return 1
            print(f"passes where nothing is broken: {check}", file=sys.stderr, flush=True)
    survived = 0
    print(f"{'mutant':31}{'seconds':>8}  caught by", flush=True)
    for one in mutants:
        start = time.monotonic()
        with copy_with(one) as folder:
            wrong = next(filter(None, (caught_by(check, folder) for check in one.checks)), "")
        survived += not wrong
        print(f"{one.name:31}{time.monotonic() - start:8.0f}  {wrong or 'NOTHING: it survives'}", flush=True)
    return int(survived > 0)


if __name__ == "__main__":
    sys.exit(main())
