import subprocess
import sys

import pytest
from augbench import InputError, methods
from augbench.bench.plugins import load_plugin

PACKAGE = """
import numpy as np
import pandas as pd
from augbench import Augmenter


class FromPackage(Augmenter):
    '''Comes with another package.'''

    def _generate(self, X, y, counts, rng):
        codes = np.repeat(list(counts), list(counts.values()))
        return X.iloc[np.zeros(len(codes), dtype=int)], codes
"""


@pytest.fixture
def other_package(tmp_path):
    """An installed package that announces one good and two bad methods; its folder goes on the path."""
    site = tmp_path / "site"
    info = site / "other-1.0.dist-info"
    info.mkdir(parents=True)
    (site / "other_good.py").write_text(PACKAGE)
    (site / "other_broken.py").write_text("import not_there\n")
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: other\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[augbench.methods]\n"
        "from-package = other_good:FromPackage\nbroken = other_broken:Method\nsmote = other_good:FromPackage\n"
    )
    return site


def test_entry_points_are_registered_and_a_broken_one_stops_nobody(bench, other_package):
    listed = bench("list", "methods", PYTHONPATH=str(other_package))
    assert listed.returncode == 0
    assert "Comes with another package." in listed.stdout
    assert "plugin broken (other_broken:Method, from other) is left out" in listed.stderr
    assert "No module named 'not_there'" in listed.stderr
    assert "smote" in listed.stderr  # the taken name


def test_a_method_of_a_package_runs_in_worker_processes(bench, other_package):
    run = bench("run", "smoke", "--methods", "from-package", "--jobs", 2, PYTHONPATH=str(other_package))
    assert run.returncode == 0, run.stderr
    assert "from-package" in run.stdout


def test_a_file_is_loaded_once_and_a_taken_name_refused(tmp_path, plugin):
    path = plugin("return X.iloc[:0], y[:0]", "loaded-once")
    assert load_plugin(str(path)) == ["loaded-once"]
    assert load_plugin(str(path)) == ["loaded-once"]
    assert methods.get("loaded-once").__doc__ == "A planted method."
    (tmp_path / "other").mkdir()
    copy = tmp_path / "other" / "again.py"
    copy.write_text(path.read_text())
    with pytest.raises(InputError, match="loaded-once"):
        load_plugin(str(copy))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("import not_there", "No module named 'not_there'"),
        ("def f(:", "SyntaxError"),
        ("1 / 0", "ZeroDivisionError"),
        ("x = 1", "no class derived from"),
    ],
)
def test_a_file_that_is_no_plugin_is_named_with_its_error(tmp_path, text, words):
    path = tmp_path / "bad.py"
    path.write_text(text)
    with pytest.raises(InputError, match=words) as caught:
        load_plugin(str(path))
    assert "bad.py" in str(caught.value)


def test_any_imbalanced_learn_sampler_is_a_method_by_naming_its_class(bench, tmp_path):
    suite = tmp_path / "mine.toml"
    suite.write_text(
        'draws = 1\ndatasets = ["wine"]\nclassifiers = ["logistic-regression"]\nscenarios = ["imbalance:count=12"]\n'
        'methods = [{sampler = "imblearn.over_sampling.SMOTE", id = "smote-1", params = {k_neighbors = 1}},\n'
        '           {sampler = "imblearn.combine.SMOTEENN", id = "removes-rows"}]\n'
    )
    run = bench("run", suite, "--jobs", 1)
    assert run.returncode == 1
    assert "smote-1" in run.stdout
    assert "removes-rows" in run.stderr
    assert "only add rows" in run.stderr


def test_a_template_is_short_and_works_with_its_test(bench, tmp_path):
    made = bench("new", "method", "row-average")
    assert made.returncode == 0
    text = (tmp_path / "row_average.py").read_text()
    assert len(text.splitlines()) <= 45
    tested = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "test_row_average.py"], cwd=tmp_path, capture_output=True
    )
    assert tested.returncode == 0, tested.stdout
    run = bench("run", "smoke", "--plugin", "row_average.py", "--methods", "row-average", "--jobs", 2)
    assert run.returncode == 0, run.stderr
    assert "row-average" in run.stdout
    again = bench("new", "method", "row-average")
    assert again.returncode == 2
    assert "exists already" in again.stderr
    assert (tmp_path / "row_average.py").read_text() == text


def test_a_class_that_lacks_its_method_is_told_which(tmp_path):
    path = tmp_path / "lacking.py"
    path.write_text("from augbench import Augmenter\n\n\nclass Mine(Augmenter):\n    '''Mine.'''\n")
    with pytest.raises(InputError, match="class Mine lacks _generate"):
        load_plugin(str(path))


def test_a_dataset_that_is_not_what_it_says_is_not_benchmarked(bench, tmp_path):
    (tmp_path / "wrong.py").write_text(
        "import numpy as np\nimport pandas as pd\n"
        "from augbench.datasets import DatasetInfo, FiniteDataset, Table\n"
        "class Wrong(FiniteDataset):\n"
        "    info = DatasetInfo('wrong', 'a table', 'yours', ('a', 'b'), (70, 30), 1, 0, 'hash')\n"
        "    def load(self):\n"
        "        x = np.random.default_rng(0).normal(size=100)\n"
        "        return Table(pd.DataFrame({'x': x}), np.repeat([0, 1], [60, 40]))\n"
    )
    checked = bench("datasets", "check", "wrong", "--plugin", "wrong.py")
    run = bench("run", "smoke", "--plugin", "wrong.py", "--datasets", "wrong,iris", "--jobs", 1)
    assert (checked.returncode, run.returncode) == (1, 2)
    assert "dataset 'wrong': the class counts are (60, 40), info says (70, 30)" in checked.stdout
    assert "dataset 'wrong': the class counts are (60, 40), info says (70, 30)" in run.stderr
