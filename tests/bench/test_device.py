"""What methods need of the machine: packages, a GPU; and what that does to keys."""

import importlib.util
import subprocess
import sys
from types import ModuleType, SimpleNamespace

import pytest
from augbench import Augmenter, InputError, methods
from augbench.bench.device import check_devices, missing_requirement
from augbench.bench.plan import make_plan
from augbench.bench.plugins import load_plugin
from augbench.bench.run import environment
from augbench.bench.suite import validate_suite
from augbench.provenance import _normalised_source, imported_modules

SUITE = {"name": "mine", "draws": 1, "datasets": ["iris"], "classifiers": ["logistic-regression"]}
BODY = "return X[y == 2].iloc[[0] * counts[2]], np.repeat(2, counts[2])"


def plan_of(*names, **changes):
    return make_plan(validate_suite(SUITE | {"methods": list(names)} | changes, "mine"))


def keys(plan):
    return {unit.method.id: unit.key for unit in plan.units}


@pytest.mark.parametrize(
    ("requires", "reason"),
    [
        ((), ""),
        (("numpy",), ""),
        (("not_there",), "needs not_there: pip install not_there"),
        (("numpy", "torch"), "needs torch: pip install torch (extra 'neural')"),
        (("ctgan", "sdv"), "needs ctgan, sdv: pip install ctgan sdv (extra 'generators')"),
        (("torch", "sdv", "x.y"), "needs torch, sdv, x.y: pip install torch sdv x.y (extra 'neural', 'generators')"),
    ],
)
def test_what_is_missing_is_said_with_its_cure(monkeypatch, requires, reason):
    for name in ("torch", "ctgan", "sdv"):
        monkeypatch.setitem(sys.modules, name, None)
    assert missing_requirement(SimpleNamespace(requires=requires)) == reason
    assert missing_requirement(SimpleNamespace()) == ""


def test_a_method_that_lacks_a_package_is_not_run_and_marked_in_the_list(bench, tmp_path, plugin):
    path = plugin(BODY, "lacks-package", needs="requires = ('numpy', 'not_there')\n")
    run = bench("run", "smoke", "--plugin", path, "--methods", "lacks-package,smote", "--jobs", 1)
    assert run.returncode == 0, run.stderr
    assert "not run: lacks-package on all datasets: needs not_there: pip install not_there\n" in run.stdout
    # the reason is with the final table and on the page, too
    reason = "scores not run; needs not_there: pip install not_there"
    assert f"lacks-package: 4 of 4 {reason}" in " ".join(run.stdout.split())
    assert reason in (tmp_path / "augbench-results" / "site" / "index.html").read_text()
    listed = bench("list", "methods", "--plugin", path).stdout
    row = next(line for line in listed.splitlines() if line.startswith("lacks-package"))
    assert "(needs not_there) A planted method." in row
    assert listed.endswith("pip install not_there\n")
    assert "is not installed" in listed


@pytest.mark.parametrize("more", [(), ("--dry-run",), ("--no-controls",)])
def test_a_run_whose_every_method_lacks_a_package_ends_before_computing(bench, tmp_path, plugin, more):
    path = plugin(BODY, "lacks-package", needs="requires = ('not_there',)\n")
    run = bench("run", "smoke", "--plugin", path, "--methods", "lacks-package,lacks-package+gc", *more)
    assert run.returncode == 2
    assert "none of the methods can run (lacks-package, lacks-package+gc): needs not_there: pip" in run.stderr
    assert run.stderr.count("\n") == 1
    assert not (tmp_path / "augbench-results").exists()


def test_methods_are_listed_where_torch_is_not_installed():
    """A method's class must be importable without what it needs: the list shows all."""
    code = (
        "import sys\n"
        "class Absent:\n"
        "    def find_spec(name, path=None, target=None):\n"
        "        if name in ('torch', 'ctgan', 'sdv'): raise ModuleNotFoundError(name)\n"
        "sys.meta_path.insert(0, Absent)\n"
        "from augbench import methods; from augbench.bench.listing import list_methods\n"
        "assert [row[0] for row in list_methods()[1]][:-1] == methods.names()"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_the_version_of_a_needed_package_is_in_the_key_of_its_method_only(monkeypatch, plugin):
    load_plugin(str(plugin(BODY, "needs-torch", needs="requires = ('torch',)\n")))
    monkeypatch.setattr("augbench.bench.device._is_importable", lambda name: True)
    versions = {}
    from augbench import provenance

    for number in ("2.13.0", "2.14.0"):
        real = provenance._version
        monkeypatch.setattr(
            provenance, "_version", lambda name, real=real, n=number: n if name == "torch" else real(name)
        )
        versions[number] = keys(plan_of("needs-torch", "smote"))
    one, other = versions.values()
    assert {id_ for id_ in one if one[id_] != other[id_]} == {"needs-torch"}


def test_what_results_were_computed_with_is_told_of_the_methods_that_ran(plugin):
    load_plugin(str(plugin(BODY, "needs-pytest", needs="requires = ('pytest',)\n")))
    load_plugin(str(plugin(BODY, "needs-absent", needs="requires = ('not_there',)\n")))
    told = environment(plan_of("needs-pytest", "needs-absent", device="cuda:1"))
    assert told["pytest"] == pytest.__version__
    assert told["device"] == "cuda:1"
    assert "not_there" not in told
    assert not {"pytest", "device"} & environment(plan_of("smote")).keys()


def test_another_device_is_another_key_of_what_can_choose_one_and_the_cpu_is_none(plugin):
    needs = (
        "def __init__(self, device='cpu', sampling_strategy='auto', random_state=None):\n"
        "    super().__init__(sampling_strategy, random_state)\n    self.device = device\n"
    )
    load_plugin(str(plugin(BODY, "on-device", needs=needs)))
    chosen = {"name": "on-device", "id": "chosen", "params": {"device": "cuda:1"}}
    plain, cpu, cuda = (
        plan_of("on-device", "smote", chosen, **more) for more in ({}, {"device": "cpu"}, {"device": "cuda"})
    )
    assert keys(plain) == keys(cpu)
    assert {id_ for id_, key in keys(cuda).items() if keys(cpu)[id_] != key} == {"on-device"}
    params = {unit.method.id: unit.method.params for unit in cuda.units}
    assert params["on-device"] == {"device": "cuda"}
    assert params["chosen"] == {"device": "cuda:1"}
    assert params["smote"] == {}


@pytest.mark.parametrize("device", ["gpu", "cuda:", "cuda:x", "CPU"])
def test_a_device_that_is_none_is_refused(bench, device):
    run = bench("run", "smoke", "--device", device)
    assert run.returncode == 2
    assert "device: must be cpu, cuda or cuda:N" in run.stderr


def test_cuda_is_refused_before_anything_is_run(bench, tmp_path):
    run = bench("run", "smoke", "--device", "cuda", CUDA_VISIBLE_DEVICES="")
    assert run.returncode == 2
    assert run.stderr.startswith("error: device 'cuda'")
    assert run.stderr.count("\n") == 1
    assert not (tmp_path / "augbench-results").exists()


@pytest.mark.parametrize(
    ("built", "gpus", "device", "words"),
    [
        (None, 0, "cuda", r"torch 9\.9 is built without CUDA; allowed here: cpu"),
        ("13.0", 0, "cuda", r"torch 9\.9 sees no GPU"),
        ("13.0", 2, "cuda:2", "sees 2 GPUs; allowed here: cpu, cuda, cuda:0, cuda:1"),
        ("13.0", 1, "cuda:1", "sees 1 GPU; allowed"),
    ],
)
def test_what_torch_sees_is_said(monkeypatch, built, gpus, device, words):
    cuda = SimpleNamespace(is_available=lambda: gpus > 0, device_count=lambda: gpus)
    fake = SimpleNamespace(__spec__=1, __version__="9.9", cuda=cuda, version=SimpleNamespace(cuda=built))
    monkeypatch.setitem(sys.modules, "torch", fake)
    with pytest.raises(InputError, match=words):
        check_devices(["cpu", None, device])
    check_devices(["cpu", None, *(f"cuda:{i}" for i in range(gpus))])


def test_without_torch_there_is_no_cuda(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(InputError, match=r"needs torch, which is not installed: pip install torch \(extra 'neural'\)"):
        check_devices(["cuda"])
    check_devices(["cpu"])


def family_of(folder, monkeypatch, sibling):
    """Write a family of methods that is a folder, load its method, return the hash of the method in a suite."""
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "method.py").write_text(
        "from augbench import Augmenter\nclass M(Augmenter):\n    'M.'\n"
        "    def _generate(self, X, y, counts, rng):\n        from .training import STEPS\n"
    )
    (folder / "training.py").write_text(sibling)
    _normalised_source.cache_clear()
    imported_modules.cache_clear()
    package = ModuleType("augbench.methods.planted")
    package.__path__ = [str(folder)]
    monkeypatch.setitem(sys.modules, package.__name__, package)
    spec = importlib.util.spec_from_file_location("augbench.methods.planted.method", folder / "method.py")
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)
    spec.loader.exec_module(module)
    assert issubclass(module.M, Augmenter)
    monkeypatch.setitem(methods._METHODS, "planted-family", module.M)
    return keys(plan_of("planted-family", "smote"))


def test_the_code_that_a_method_imports_late_is_in_its_key(tmp_path, monkeypatch):
    one = family_of(tmp_path / "one", monkeypatch, "STEPS = 1\n")
    commented = family_of(tmp_path / "two", monkeypatch, "# a remark\nSTEPS = 1\n")
    changed = family_of(tmp_path / "three", monkeypatch, "STEPS = 2\n")
    assert one == commented
    assert {id_ for id_ in one if one[id_] != changed[id_]} == {"planted-family"}
