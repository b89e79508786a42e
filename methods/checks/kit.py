"""The frame of the check kit: what a check is, how it is run, and what comes of it."""

from __future__ import annotations

import inspect
import time
import unittest
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from ...errors import InputError, unknown_name
from .subject import Subject, at_work

PASSED, FAILED, NOT_APPLICABLE = "passed", "failed", "not applicable"
EXPECTED, UNEXPECTED, NOT_RUN = "expected failure", "unexpected pass", "not run"
#: what stands for a method that is not as it should be
BAD = (FAILED, UNEXPECTED)

KINDS = ("augmenter", "adjuster", "detector")


class CheckFailed(AssertionError):  # noqa: N818
    """A method does not do what the check asks for; the message is one line."""


class NotApplicable(unittest.SkipTest):
    """A check has nothing to say of a method; pytest shows it as skipped."""


@dataclass(frozen=True)
class Check:
    """A small test of one promise.

    Attributes
    ----------
    name : str
        ``check_...``.
    reason : str
        Why it is there: one line.
    kinds : tuple of str
        The kinds of methods that it is for.
    """

    name: str
    reason: str
    kinds: tuple[str, ...]
    _function: Callable[[Subject], None]
    _unless: Callable[[Subject], str]

    def __repr__(self) -> str:
        return self.name

    def excluded(self, subject: Subject) -> str:
        """Return why the check says nothing of a method, by what the method declares; else an empty string."""
        return self._unless(subject) if subject.kind in self.kinds else f"{subject.kind}s make no such promise"

    def __call__(self, method: Any) -> None:
        """Check a method: a `Subject`, or what makes one.

        Raises
        ------
        CheckFailed
            It does not pass.
        NotApplicable
            The check has nothing to say of it.
        """
        subject = method if isinstance(method, Subject) else Subject(method)
        reason = self.excluded(subject)
        if reason:
            raise NotApplicable(reason)
        try:
            with at_work(subject.template):
                self._function(subject)
        except (CheckFailed, NotApplicable):
            raise
        except (Exception, SystemExit) as error:
            raise CheckFailed(one_line(error)) from error


@dataclass(frozen=True)
class Result:
    """What came of one check of one method.

    Attributes
    ----------
    method, check : str
    status : str
        ``"passed"``, ``"failed"``, ``"expected failure"``, ``"unexpected pass"`` (of a check that was expected to
        fail), ``"not applicable"``, or ``"not run"`` (packages are missing).
    message : str
        What is wrong; why failure is expected; why it is not applicable or not run.
    seconds : float
    """

    method: str
    check: str
    status: str
    message: str = ""
    seconds: float = 0.0


_CHECKS: dict[str, Check] = {}


def check(*kinds: str, unless: Callable[[Subject], str] = lambda subject: "") -> Callable[[Any], Any]:
    """Make a function a check of these kinds of methods (all, if none is named); line 1 of its docstring says why."""

    def add(function: Callable[[Subject], None]) -> Callable[[Subject], None]:
        reason = inspect.cleandoc(function.__doc__ or "").partition("\n")[0]
        _CHECKS[function.__name__] = Check(function.__name__, reason, kinds or KINDS, function, unless)
        return function

    return add


def expect(condition: Any, message: str) -> None:
    """Raise `CheckFailed` unless the condition holds."""
    if not condition:
        raise CheckFailed(message)


def all_checks() -> list[Check]:
    """Return every check, in the order in which they run."""
    return list(_CHECKS.values())


def checks_of(method: Any) -> list[Check]:
    """Return the checks that apply to a method, by its kind and by what it declares that it needs.

    Parameters
    ----------
    method : str, type, instance or Subject
        As in `check_method`.
    """
    subject = method if isinstance(method, Subject) else Subject(method)
    return [one for one in all_checks() if not one.excluded(subject)]


def checked_names(names: Iterable[str]) -> list[str]:
    """Return names of checks as they are; raise `InputError` for one that does not exist."""
    names = list(names)
    for name in names:
        if name not in _CHECKS:
            raise unknown_name("check", name, _CHECKS)
    return names


def run_checks(
    method: Any,
    *,
    params: dict[str, Any] | None = None,
    expected_failures: dict[str, str] | None = None,
    only: Iterable[str] = (),
) -> Iterator[Result]:
    """Run the checks of a method one by one, and yield what comes of each; nothing that the method does is raised.

    Parameters
    ----------
    method, params, expected_failures
        As in `check_method`.
    only : iterable of str
        Names of checks; those of the method's kind, if there are none.

    Raises
    ------
    InputError
        There is no such method or check.
    """
    subject = method if isinstance(method, Subject) else Subject(method, params)
    expected = limits_of(subject, expected_failures)
    chosen = [_CHECKS[name] for name in checked_names(only)]
    for one in chosen or [one for one in all_checks() if subject.kind in one.kinds]:
        yield _run(one, subject, expected.get(one.name, ""))


def check_method(
    method: Any,
    *,
    params: dict[str, Any] | None = None,
    expected_failures: dict[str, str] | None = None,
    on_fail: str | None = "raise",
) -> list[Result]:
    """Check that a method keeps the promises of its contract.

    Parameters
    ----------
    method : str, type or instance
        A registered name (``NAME+gc`` too), the path of a sampler of imbalanced-learn's kind
        (``"imblearn.over_sampling.SMOTE"``), a class derived from `Augmenter`, `Adjuster` or `Detector`, or an
        instance of one.
    params : dict, optional
        Parameters to check it with. What is set neither here nor, in an instance, to other values than the defaults is
        as the class declares in `checked_with`.
    expected_failures : dict of str to str, optional
        Names of checks that are known to fail, and the reason; added to the `known_limits` that the class declares.
        One that passes all the same counts as a failure, so that the list stays true.
    on_fail : {"raise"} or None, default="raise"
        Whether the first failure is raised. With None, look at the results.

    Returns
    -------
    list of Result
        One for each check of the method's kind.

    Raises
    ------
    CheckFailed
        A check failed, or passed though it was expected to fail; with ``on_fail="raise"``.
    InputError
        There is no such method or check, or a parameter makes no sense.

    Examples
    --------
    >>> results = check_method("smote")
    >>> sorted({one.status for one in results})
    ['not applicable', 'passed']
    """
    if on_fail not in ("raise", None):
        raise InputError(f"on_fail must be 'raise' or None; found {on_fail!r}")
    results = []
    for one in run_checks(method, params=params, expected_failures=expected_failures):
        if on_fail and one.status in BAD:
            raise CheckFailed(f"{one.method}: {one.check}: {one.message}")
        results.append(one)
    return results


def limits_of(subject: Subject, expected_failures: dict[str, str] | None) -> dict[str, str]:
    """Return which checks of a method are expected to fail, and why."""
    expected = subject.known_limits | (expected_failures or {})
    checked_names(expected)
    return expected


def one_line(error: BaseException) -> str:
    """Return an exception as one line."""
    return f"{type(error).__name__}: {' '.join(str(error).split())}"[:500]


def _run(one: Check, subject: Subject, expected: str) -> Result:
    start = time.perf_counter()
    status, message = PASSED, ""
    if subject.missing:
        status, message = NOT_RUN, f"needs {subject.missing}, not installed here"
    else:
        try:
            one(subject)
        except NotApplicable as why:
            status, message = NOT_APPLICABLE, str(why)
        except CheckFailed as error:
            status, message = (EXPECTED, expected) if expected else (FAILED, str(error))
        else:
            if expected:
                status, message = UNEXPECTED, f"passed, though it was expected to fail: {expected}"
    return Result(subject.name, one.name, status, message, time.perf_counter() - start)
