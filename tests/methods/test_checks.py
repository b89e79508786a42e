"""The check kit catches each broken promise by the check that is meant for it, and nothing else."""

import pickle
import re

import augbench.methods.checks.worker as worker
import numpy as np
import pytest
from augbench import Augmenter, InputError, methods
from augbench.methods.checks import (
    CheckFailed,
    all_checks,
    check_method,
    checks_of,
    parametrize_with_checks,
    run_checks,
)
from augbench.methods.checks.subject import Subject
from augbench.methods.neural.vae import VAE

from . import broken

TIME = "check_declared_seconds"

#: each broken method, the check that catches it, and what that says
BROKEN = [
    (broken.ShufflesOriginals, "check_original_rows", "did not come back first and unchanged: column a"),
    (broken.WritesToInput, "check_input_unchanged", "were written to"),
    (broken.OneRowShort, "check_counts", "returned 40 of the 41 rows asked for of class 1"),
    (broken.FloatLabels, "check_labels", "labels came back as float64; they were int64"),
    (broken.RenamesColumns, "check_columns", "columns came back as ['10', '2', '30']; they were [10, 2, 30]"),
    (broken.LosesDtypes, "check_dtypes", "column whole came back as float64; it was int64"),
    (broken.LosesCategories, "check_categories", "column level came back as object"),
    (broken.MakesCategories, "check_categories", "['never'], never seen in column level"),
    (broken.LosesName, "check_series_target", "came back with the name None; it was 'target'"),
    (broken.KeepsIndex, "check_index", "the index came back as ['row 0', 'row 1']"),
    (broken.SmallGaps, "check_finite", "missing or infinite cells in: a"),
    (broken.SharesMemory, "check_nothing_asked", "shares its memory"),
    (broken.IgnoresSeed, "check_same_seed", "the same seed gives something else"),
    (broken.FalseSeed, "check_same_seed", "the second time (random_state=0)"),
    (broken.GoesOn, "check_second_use", "something of the first is left"),
    (broken.WritesLater, "check_second_use", "wrote to what the first was given"),
    (broken.OneSeed, "check_other_seed", "declare deterministic = True"),
    (broken.NotDeterministic, "check_other_seed", "declared deterministic, and another seed gives other rows"),
    (broken.SeedsTheWorld, "check_global_random_state", "was changed: numpy"),
    (broken.ListensToTheWorld, "check_global_random_state", "depends on the global random state"),
    (broken.FramesOnly, "check_array", "'numpy.ndarray' object has no attribute"),
    (broken.CodesOnly, "check_text_labels", "invalid literal for int()"),
    (broken.NoCategorical, "check_categorical_target", "labels came back as dtype('O')"),
    (broken.NoGaps, "check_absent_class", "IndexError"),
    (broken.ThreeRows, "check_fewest_rows", "made nothing of 1 row of a class, in 8 tables"),
    (broken.NotRefused, "check_fewer_rows_refused", "4 rows of a class, where 5 are needed: accepted"),
    (broken.DividesBySpread, "check_constant_column", "missing or infinite cells in: b"),
    (broken.Squeezes, "check_one_column", "IndexError: tuple index out of range"),
    (broken.FewColumns, "check_many_columns", "LinAlgError: Singular matrix"),
    (broken.NeedsVariety, "check_duplicates_only", "ZeroDivisionError: no spread"),
    (broken.FillsGaps, "check_missing_cells_refused", "a cell that is nan: accepted"),
    (broken.FillsInfinity, "check_missing_cells_refused", "a cell that is inf: accepted"),
    (broken.LooksBehind, "check_other_rows_unseen", "1 new rows hold values of rows that were not given"),
    (broken.Undocumented, "check_description", "class Undocumented has no docstring"),
    (broken.BusyConstructor, "check_parameters", "sets more than its parameters: table"),
    (broken.ChangesParameters, "check_parameters_unchanged", "'noise': 0.05"),
    (broken.NotPickled, "check_pickle", "PicklingError: Can't pickle <function NotPickled.<lambda>"),
    (broken.HereOnly, "check_worker_process", "KeyError: 'a dictionary that was filled at another place'"),
    (broken.Slow, TIME, "declared_seconds is 0.1"),
    (broken.MixesUpTables, "check_many_as_one_by_one", "alone and among others differ"),
    (broken.RenamesAmongOthers, "check_many_as_one_by_one", "columns alone and among others differ"),
    (broken.AllOrNothing, "check_many_with_a_bad_one", "missing (NaN) or infinite cells in: a"),
    (broken.ZeroWeights, "check_weights", "weights are not finite and above 0"),
    (broken.NotNormalised, "check_probabilities", "sum to 1 only up to"),
    (broken.LearnsFromTestRows, "check_rows_adjusted_alone", "adjusted otherwise when it is predicted alone"),
    (broken.ScalesByTestRows, "check_rows_scored_alone", "another score when it is scored alone"),
    (broken.RareIsNormal, "check_threshold", "normal_class_ is 1; most rows are 0"),
    (broken.AnyClasses, "check_two_classes_only", "3 classes: accepted"),
]
#: what a broken promise cannot but break as well
ALSO = {
    broken.ChangesParameters: {"check_second_use"},
    broken.HereOnly: {TIME},
    broken.MixesUpTables: {"check_many_with_a_bad_one"},
    broken.RenamesAmongOthers: {"check_many_with_a_bad_one"},
    broken.OneRowShort: {"check_counts_of_the_majority", "check_counts_of_several_classes"},
    broken.RareIsNormal: {"check_decisions"},
    broken.ShufflesOriginals: {"check_original_rows_with_categories"},
}


@pytest.fixture(autouse=True)
def _here(monkeypatch):
    monkeypatch.setattr(broken.HereOnly, "here", True)


@parametrize_with_checks([broken.Good, broken.GoodAdjuster, broken.GoodDetector])
def test_the_good_twins_pass(method, check):
    check(method)


@pytest.mark.parametrize(("method", "name", "words"), BROKEN, ids=[one.__name__ for one, _, _ in BROKEN])
def test_each_broken_promise_is_caught_by_the_check_meant_for_it(method, name, words):
    failed = {one.check: one.message for one in run_checks(method) if one.status == "failed"}
    assert set(failed) - ALSO.get(method, set()) == {name}, failed
    assert words in failed[name]
    assert "\n" not in failed[name]


def test_a_method_that_never_ends_is_killed(monkeypatch):
    monkeypatch.setattr(worker, "START", 4.0)
    [result] = run_checks(broken.Endless, only=[TIME])
    assert result.status == "failed"
    assert "was still running after 0.1 seconds" in result.message
    # and the next method has a process again
    assert [one.status for one in run_checks("jitter", only=[TIME])] == ["passed"]


def test_what_follows_from_an_unsteady_method_is_not_told_twice():
    told = {one.check: one.message for one in run_checks(broken.IgnoresSeed) if one.status == "not applicable"}
    assert "check_same_seed" in told["check_pickle"]
    assert "check_same_seed" in told["check_worker_process"]


def test_a_failure_is_raised_with_the_names_of_method_and_check():
    with pytest.raises(CheckFailed, match=r"^FloatLabels: check_labels: labels came back as float64"):
        check_method(broken.FloatLabels)
    results = check_method(broken.FloatLabels, on_fail=None)
    assert [one.check for one in results if one.status == "failed"] == ["check_labels"]
    assert [one.check for one in results] == [one.name for one in all_checks() if "augmenter" in one.kinds]
    with pytest.raises(InputError, match="on_fail must be 'raise' or None; found 'warn'"):
        check_method("smote", on_fail="warn")


def test_expected_failures_are_told_with_their_reason_and_must_fail():
    expected = {"check_labels": "by its definition"}
    results = {one.check: one for one in check_method(broken.FloatLabels, expected_failures=expected)}
    assert (results["check_labels"].status, results["check_labels"].message) == (
        "expected failure",
        "by its definition",
    )
    with pytest.raises(CheckFailed, match="Good: check_labels: passed, though it was expected to fail: by its def"):
        check_method(broken.Good, expected_failures=expected)
    for refuse in (check_method, lambda *given, **more: parametrize_with_checks(list(given), **more)):
        with pytest.raises(InputError, match="unknown check 'check_count': did you mean 'check_counts'"):
            refuse(broken.Good, expected_failures={"check_count": "a slip"})


def test_a_class_may_declare_its_limits():
    class Declared(broken.Good):
        """Says what it cannot."""

        known_limits = {"check_one_column": "never"}  # noqa: RUF012

    [result] = run_checks(Declared, only=["check_one_column"])
    assert (result.status, result.message) == ("unexpected pass", "passed, though it was expected to fail: never")


def test_every_check_is_named_and_has_a_reason_of_one_sentence():
    for one in all_checks():
        assert re.fullmatch(r"check_[a-z_]+", one.name)
        assert 20 < len(one.reason) < 260, one.name
        assert one.reason.endswith((".", ".)"))
    assert len({one.name for one in all_checks()}) == len(all_checks()) > 40


def test_checks_of_a_method_follow_what_it_declares():
    def names(method):
        return {one.name for one in checks_of(method)}

    assert "check_categories" in names("smote")
    assert "check_categories_refused" in names("adasyn") - names("smote")
    assert "check_counts_of_several_classes" not in names("predictive-vae-published")
    assert "check_series_needed" in names("lstm-autoencoder") - names("autoencoder")
    assert not names("none") & {"check_counts", "check_scores"}
    assert "check_fewer_rows_refused" in names("smote") - names("jitter")


def test_a_method_may_be_a_name_a_path_a_class_or_an_instance():
    assert Subject("smote+gc").make({1: 5}, 3).augmenter.k_neighbors == 5
    assert Subject("imblearn.over_sampling.SMOTE").make().sampler_class.__name__ == "SMOTE"
    assert Subject(broken.Slow).make().rounds == 0
    assert Subject(broken.Slow).make(full=True).rounds == 1500
    # what somebody chose stands
    assert Subject(broken.Slow(rounds=7)).make().rounds == 7
    assert Subject("vae", {"steps": 9}).make().get_params()["steps"] == 9
    quick = Subject(VAE(beta=0.5)).make()
    assert (quick.beta, quick.steps, quick.dtype) == (0.5, 15, "float64")
    filtered = Subject("vae+gc", {"steps": 9}).make().augmenter
    assert (filtered.steps, filtered.dtype) == (9, "float64")
    for wrong, words in (
        ("smoet", "did you mean 'smote'"),
        ("imblearn.over_sampling.SMOET", "cannot be imported"),
        (dict, "dict"),
        (broken.Augmenter, "cannot be built"),
        (object(), "Augmenter, Adjuster or Detector"),
        (broken.Renamed, "Renamed: the constructor must name its parameters and keep each .* no attribute 'noise'"),
    ):
        with pytest.raises(InputError, match=words):
            check_method(wrong)


def test_declared_parameters_that_do_not_exist_are_named():
    class Mistaken(broken.Good):
        """Declares what it has not."""

        checked_with = {"steps": 3}  # noqa: RUF012

    with pytest.raises(InputError, match="checked_with names 'steps', which is no parameter of it"):
        check_method(Mistaken)


def test_a_method_whose_packages_are_missing_is_not_run():
    class Needy(broken.Good):
        """Needs what nobody has."""

        requires = ("no_such_package_here",)

    results = check_method(Needy)
    assert {one.status for one in results} == {"not run"}
    assert results[0].message == "needs no_such_package_here, not installed here"


def test_the_pytest_decorator_names_each_test_and_marks_what_is_expected():
    mark = parametrize_with_checks(
        ["jitter", broken.OneRowShort],
        expected_failures=lambda method: {"check_counts": "short"} if method is broken.OneRowShort else {},
    ).mark
    assert mark.args[0] == ("method", "check")
    cases = {case.id: case for case in mark.args[1]}
    assert {"jitter-check_counts", "OneRowShort-check_counts"} <= set(cases)
    assert not any("categories_refused" in name or "scores" in name for name in cases)
    assert cases["jitter-check_counts"].marks in ((), [])
    [expected] = cases["OneRowShort-check_counts"].marks
    assert (expected.name, expected.kwargs["reason"], expected.kwargs["strict"]) == ("xfail", "short", True)


def test_wrapped_samplers_are_checked_by_their_path():
    results = check_method("imblearn.over_sampling.RandomOverSampler")
    assert {one.status for one in results} == {"passed", "not applicable"}
    told = {one.check: one.message for one in run_checks("imblearn.over_sampling.SMOTE") if one.status == "failed"}
    # what the wrapper cannot know of a sampler: that it takes numbers only, and needs two rows
    assert set(told) == {"check_categories", "check_original_rows_with_categories", "check_fewest_rows"}
    assert "takes numeric columns only" in told["check_categories"]


def test_the_global_random_states_are_put_back():
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    list(run_checks(broken.SeedsTheWorld, only=["check_global_random_state", "check_same_seed"]))
    assert np.array_equal(np.random.get_state()[1], before)  # noqa: NPY002


def test_broken_stays_what_it_says():
    assert issubclass(broken.Good, Augmenter)
    assert pickle.loads(pickle.dumps(broken.Good(noise=0.3))).noise == 0.3
    assert not {one.__name__ for one, _, _ in BROKEN} & set(methods.names())
