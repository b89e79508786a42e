"""What methods warn of reaches a person: in the terminal, in the status, on the page."""

import re

from augbench.bench.printing import print_warnings

BODY = """
import warnings
warnings.warn('posterior collapsed: all KL < 0.01 [b]')
return X[y == 2].iloc[[0] * counts[2]], np.repeat(2, counts[2])
"""


def test_a_warning_is_shown_with_its_units_wherever_results_are(bench, tmp_path, plugin):
    path = plugin(BODY, "collapses")
    args = ("--datasets", "iris", "--draws", 3, "--plugin", path, "--methods", "collapses,smote", "--jobs", 1)
    run = bench("run", "smoke", *args)
    assert run.returncode == 0, run.stderr
    line = "warning: 2 units (collapses 2): posterior collapsed: all KL < 0.01 [b]\n"
    assert run.stderr == line
    # also of what was stored before, and of a quiet run
    assert bench("run", "smoke", *args, "--quiet").stderr == line
    assert bench("leaderboard").stderr == line
    status = bench("status")
    assert status.stderr == line
    head, row = status.stdout.splitlines()[:2]
    assert re.split(r"\s{2,}", row.strip())[re.split(r"\s{2,}", head.strip()).index("with warnings")] == "2"
    page = (tmp_path / "augbench-results" / "site" / "manifest.html").read_text()
    section = page.partition('id="warnings"')[2].partition("</section>")[0]
    assert "<b>collapses</b>" in section
    assert "2 units: <samp>posterior collapsed: all KL &lt; 0.01 [b]</samp>" in re.sub(r"\s+", " ", section)
    assert "smote" not in section


def test_without_warnings_nothing_is_said(bench, tmp_path):
    run = bench("run", "smoke", "--datasets", "iris", "--jobs", 1)
    assert run.stderr == ""
    assert 'id="warnings"' not in (tmp_path / "augbench-results" / "site" / "manifest.html").read_text()


def test_many_warnings_are_cut_and_counted(capsys):
    warned = [{"message": f"m{i}", "methods": {f"method-{j}": 1 + j for j in range(8)}} for i in range(12)]
    print_warnings(warned, most=10)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 11
    who = "method-7 8, method-6 7, method-5 6, method-4 5, method-3 4 and 3 more methods"
    assert lines[0] == f"warning: 36 units ({who}): m0"
    assert lines[-1] == "warning: 2 more distinct warnings: see 'bench status'"
