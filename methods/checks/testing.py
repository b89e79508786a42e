"""The check kit in pytest."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from .kit import checked_names, checks_of, limits_of
from .subject import Subject


def parametrize_with_checks(
    methods: Iterable[Any],
    *,
    expected_failures: dict[str, str] | Callable[[Any], dict[str, str]] | None = None,
    params: dict[str, Any] | None = None,
) -> Any:
    """Make a test of each check of each method, as a decorator for pytest.

    Parameters
    ----------
    methods : iterable of str, type or instance
        As in `check_method`. A method whose packages are not installed is skipped.
    expected_failures : dict or callable, optional
        Names of checks that are known to fail, and the reason; a callable gets the method, as it stands in `methods`.
        A check that passes all the same is a failure (pytest's strict xfail).
    params : dict, optional
        Parameters to check all of them with.

    Returns
    -------
    pytest.MarkDecorator
        Of a test with the arguments ``method`` and ``check``.

    Raises
    ------
    InputError
        There is no such method or check.

    Examples
    --------
    >>> @parametrize_with_checks(["smote", "jitter"])
    ... def test_contract(method, check):
    ...     check(method)
    """
    import pytest

    cases = []
    for given in methods:
        subject = Subject(given, params)
        own = expected_failures(given) if callable(expected_failures) else expected_failures
        checked_names(own or {})
        expected = limits_of(subject, own)
        for one in checks_of(subject):
            marks = []
            if subject.missing:
                marks.append(pytest.mark.skip(reason=f"needs {subject.missing}, not installed here"))
            if one.name in expected:
                marks.append(pytest.mark.xfail(reason=expected[one.name], strict=True, raises=AssertionError))
            cases.append(pytest.param(subject, one, marks=marks, id=f"{subject.name}-{one.name}"))
    return pytest.mark.parametrize(("method", "check"), cases)
