import importlib
import sys

import pytest
from augbench import InputError, methods
from augbench.bench.identity import code_identity
from augbench.bench.plan import make_plan
from augbench.bench.plugins import load_plugin
from augbench.bench.suite import builtin_suites, load_suite, validate_suite
from augbench.provenance import _normalised_source

MINIMAL = {"name": "mine", "datasets": ["iris"], "classifiers": ["logistic-regression"]}


def plan_of(**changes):
    return make_plan(validate_suite(MINIMAL | changes, "mine.toml"))


@pytest.mark.parametrize("name", builtin_suites())
def test_every_built_in_suite_resolves_with_its_controls(name):
    plan = make_plan(load_suite(name))
    assert plan.suite.description
    assert {"none", "random-oversampling"} <= set(plan.methods)
    # a decision threshold or a repeated row has no meaning where no real row is trained on
    assert plan.suite.controls == (name != "synthetic-only")
    assert not plan.suite.controls or {"constant-row", "threshold-tuned"} <= set(plan.methods)
    assert len({unit.key for unit in plan.units}) == len(plan.units)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("draws = \nseed = 1", ["mine.toml", "line 1"]),
        ('draws = 0\ndatasets=["iris"]\nclassifiers=["mlp"]', ["draws", "greater than or equal to 1", "found 0"]),
        ('classifiers=["mlp"]', ["datasets", "required"]),
        ('datasetz=["iris"]\nclassifiers=["mlp"]\ndatasets=["iris"]', ["datasetz", "did you mean 'datasets'"]),
        ('datasets=[{name="iris", param={a=1}}]\nclassifiers=["mlp"]', ["datasets[0].param", "did you mean 'params'"]),
        ('datasets=["iris"]\nclassifiers=["mlp"]\nscenarios=["imbalanc:count=3"]', ["scenarios", "'imbalance'"]),
        ('datasets=["iris"]\nclassifiers=["mlp"]\n[[scenarios]]\nkind="imbalance"\nkeep=7', ["scenarios[0].keep"]),
        ('datasets=["iris", "iris"]\nclassifiers=["mlp"]', ["'iris' stands twice"]),
    ],
)
def test_a_wrong_suite_file_is_explained(tmp_path, text, words):
    path = tmp_path / "mine.toml"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        load_suite(str(path))
    for word in words:
        assert word in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"methods": ["smoet"]}, "unknown method or group 'smoet': did you mean 'smote'"),
        ({"datasets": ["irys"]}, "did you mean 'iris'"),
        ({"classifiers": ["random-forrest"]}, "did you mean 'random-forest'"),
        ({"methods": [{"name": "smote", "params": {"k_neighbours": 3}}]}, "k_neighbors"),
        ({"methods": [{"sampler": "imblearn.over_sampling.SMOET"}]}, "SMOET"),
        ({"datasets": ["iris", "wine", {"name": "iris", "id": "flowers"}]}, "'iris' and 'flowers' have the same rows"),
    ],
)
def test_unknown_names_get_the_nearest_one(changes, words):
    with pytest.raises(InputError, match=words):
        plan_of(**changes)


def test_a_missing_suite_is_said(tmp_path):
    with pytest.raises(InputError, match="did you mean 'quick'"):
        load_suite("quik")
    with pytest.raises(InputError, match="does not exist"):
        load_suite(str(tmp_path / "none.toml"))


def test_groups_are_expanded_and_the_baseline_is_always_there():
    plan = plan_of(methods=["neighbours"], controls=False, classifiers=["all"])
    assert set(plan.methods) == {"none", "smote", "borderline-smote", "svm-smote", "kmeans-smote", "adasyn"}
    assert len(plan.units[0].classifiers) >= 5


def test_the_key_covers_all_that_decides_the_result():
    base = plan_of(draws=1).units[-1].key
    changed = [
        plan_of(draws=1, seed=1),
        plan_of(draws=1, folds=4),
        plan_of(draws=1, test_fraction=0.25),
        plan_of(draws=1, classifiers=["random-forest"]),
        plan_of(
            draws=1, classifiers=[{"name": "logistic-regression", "params": {"C": 2.0}, "id": "logistic-regression"}]
        ),
        plan_of(draws=1, scenarios=["imbalance:count=9"]),
        plan_of(draws=1, datasets=["wine"]),
    ]
    assert len({base, *(plan.units[-1].key for plan in changed)}) == 1 + len(changed)
    assert plan_of(draws=1).units[-1].key == base
    # what is only for people is no part of it
    assert plan_of(draws=1, description="other words", name="other").units[-1].key == base


def test_a_changed_plugin_is_another_method(tmp_path, plugin, monkeypatch):
    def keys():
        _normalised_source.cache_clear()
        return {unit.method.id: unit.key for unit in plan_of(draws=1, methods=["planted-key", "smote"]).units}

    path = plugin("return X[y == 1].iloc[:0], y[:0]", name="planted-key")
    load_plugin(str(path))
    before = keys()
    path.write_text(path.read_text() + "\n# a comment changes nothing\n")
    assert keys() == before
    path.write_text(path.read_text().replace("y[:0]", "y[:1]"))
    after = keys()
    assert {name for name in before if before[name] != after[name]} == {"planted-key"}


def test_what_a_plugin_imports_is_in_its_key_constants_and_late_imports_too(tmp_path, plugin, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "own_constants.py").write_text("K = 1\n")
    (tmp_path / "own_late.py").write_text("from own_deeper import f\n")
    (tmp_path / "own_deeper.py").write_text("def f(): return 1\n")
    path = plugin("import own_late\nreturn X[y == 1].iloc[:0], y[:0]", name="planted-uses")
    path.write_text("from own_constants import K\n" + path.read_text())
    load_plugin(str(path))
    found = code_identity(methods.get("planted-uses"))
    assert {"planted_uses", "own_constants", "own_late", "own_deeper"} <= set(found)
    assert "own_late" not in sys.modules
    # nor does it matter what another process has imported by then
    monkeypatch.setitem(sys.modules, "own_late", importlib.import_module("own_late"))
    assert code_identity(methods.get("planted-uses")) == found
    for name in ("own_constants", "own_deeper"):
        (tmp_path / f"{name}.py").write_text("K = 2\n")
        _normalised_source.cache_clear()
        changed = code_identity(methods.get("planted-uses"))
        assert {one for one in changed if changed[one] != found[one]} == {name}
        found = changed


def test_two_plugin_files_of_one_name_are_two_modules(tmp_path, plugin):
    first = plugin("return X[y == 1].iloc[:0], y[:0]", name="planted-one")
    (tmp_path / "other").mkdir()
    second = tmp_path / "other" / first.name
    second.write_text(first.read_text().replace("planted-one", "planted-other"))
    load_plugin(str(first))
    load_plugin(str(second))
    before = {name: code_identity(methods.get(name)) for name in ("planted-one", "planted-other")}
    first.write_text(first.read_text().replace("y[:0]", "y[:1]"))
    _normalised_source.cache_clear()
    assert code_identity(methods.get("planted-one")) != before["planted-one"]
    assert code_identity(methods.get("planted-other")) == before["planted-other"]


def test_more_draws_add_blocks_and_change_nothing_before_them():
    few = [unit.key for unit in plan_of(draws=4, block=2).units]
    more = [unit.key for unit in plan_of(draws=8, block=2).units]
    assert set(few) < set(more)


def test_what_does_not_fit_is_excluded_with_the_reason_before_anything_is_run():
    plan = plan_of(
        methods=["neighbours"],
        datasets=["iris", "simulated-mixed"],
        scenarios=["imbalance:count=2", "few-shot:shots=500"],
    )
    said = {(e.method, e.dataset, e.scenario): e for e in plan.exclusions}
    assert "categorical" in said["adasyn", "simulated-mixed", "imbalance:count=2"].reason
    assert "needs 3 rows" in said["threshold-tuned", "iris", "imbalance:count=2"].reason
    assert "500 are wanted" in said["none", "iris", "few-shot:shots=500"].reason
    assert {e.status for e in plan.exclusions} == {"not applicable"}
    run = {(u.method.id, u.dataset.id, u.scenario.id) for u in plan.units}
    assert not run & set(said)


def test_data_that_are_not_here_are_not_run(tmp_path, monkeypatch):
    monkeypatch.setenv("AUGBENCH_DATA", str(tmp_path))
    monkeypatch.setenv("AUGBENCH_CACHE", str(tmp_path / "cache"))
    plan = plan_of(datasets=["iris", "card"])
    reasons = {e.reason for e in plan.exclusions if e.dataset == "card"}
    assert len(reasons) == 1
    assert "bench datasets fetch card" in reasons.pop()
    assert {e.status for e in plan.exclusions} == {"not run"}
    assert {u.dataset.id for u in plan.units} == {"iris"}
