"""What the docstrings say of a method and of its parameters, for people at the command line."""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass

from . import FILTER, FILTER_PREFIX, allowed_parameters, get

#: the title of a numpydoc section is underlined
_UNDERLINE = re.compile(r"-{3,}")
#: a mark that points to the references, which are not shown
_REFERENCE = re.compile(r" ?\[\d+\]_")
#: what is marked as code or by a role, and what an entry of the references begins with
_MARKED = re.compile(r"(?::[\w:]+:)?(`{1,2})(.+?)\1")
_ENTRY = re.compile(r"^\.\. \[\d+\] ", re.M)
#: paragraphs that make sense only in a set page
_SET = (":math:", ".. ", ":ref:", ">>>")


@dataclass(frozen=True)
class Parameter:
    """A parameter of a method: its name, its default as it is written in Python, and what it means."""

    name: str
    default: str
    meaning: str


def text(name: str) -> str:
    """Return what a method is: its docstring up to the parameters. Of a filtered method, of both parts.

    Raises
    ------
    InputError
        There is no method of this name, or the filter cannot wrap it.
    """
    own = _introduction(get(name))
    return f"{text(name.removesuffix(FILTER))}\n\nThe filter: {own}" if name.endswith(FILTER) else own


def plain_text(cls: type) -> list[str]:
    """Return what a class says of itself before its parameters, as plain paragraphs; those with formulas are left out.

    Examples
    --------
    >>> plain_text(get("constant-row"))[0]
    "The same row again and again: the midpoint of each feature's training range."
    """
    paragraphs = [" ".join(one.split()) for one in _introduction(cls).split("\n\n")]
    return [unmarked(one) for one in paragraphs if one and not any(mark in one for mark in _SET)]


def unmarked(words: str) -> str:
    """Return a text without the marks of code and roles."""
    return _MARKED.sub(r"\2", words)


def citations(cls: type) -> list[str]:
    """Return the references of a class, or of the nearest of its bases that has some, each as one line.

    Examples
    --------
    >>> citations(get("adasyn"))[0].partition(",")[0]
    'H. He'
    """
    for base in cls.__mro__:
        if found := _sections(base).get("References"):
            entries = [" ".join(one.split()) for one in _ENTRY.split("\n".join(found))]
            return [unmarked(one) for one in entries if one]
    return []


def parameters(name: str) -> list[Parameter]:
    """Return the parameters that a suite may set, with what the docstrings of the class and of its bases say of them.

    Raises
    ------
    InputError
        There is no method of this name, or the filter cannot wrap it.
    """
    cls = get(name)
    if not name.endswith(FILTER):
        return [_parameter(cls, one) for one in allowed_parameters(cls)]
    own = [_parameter(cls, one) for one in allowed_parameters(cls) if one != "augmenter"]
    prefixed = [Parameter(FILTER_PREFIX + one.name, one.default, one.meaning) for one in own]
    return parameters(name.removesuffix(FILTER)) + prefixed


def _parameter(cls: type, name: str) -> Parameter:
    default = inspect.signature(cls).parameters[name].default
    found = [documented[name] for base in cls.__mro__ if name in (documented := _documented(base))]
    # a class may say only that a parameter is there, or point to a base
    told = [meaning for meaning in found if meaning and not meaning.startswith("As in ")]
    return Parameter(name, "" if default is inspect.Parameter.empty else repr(default), next(iter(told + found), ""))


def _sections(cls: type) -> dict[str, list[str]]:
    """Return the lines of a class's own docstring by the titles of its sections; those before the first under ""."""
    sections: dict[str, list[str]] = {"": []}
    current = sections[""]
    for line in inspect.cleandoc(cls.__doc__ or "").splitlines():
        if current and _UNDERLINE.fullmatch(line):
            current = sections.setdefault(current.pop(), [])
        else:
            current.append(line)
    return sections


def _introduction(cls: type) -> str:
    return _REFERENCE.sub("", "\n".join(_sections(cls)[""]).strip())


def _documented(cls: type) -> dict[str, str]:
    """Return the meaning of each parameter in a class's own docstring, with the values where they are listed."""
    meanings: dict[str, list[str]] = {}
    names: list[str] = []
    for line in _sections(cls).get("Parameters", []):
        if line.startswith(" "):
            for name in names:
                meanings[name].append(line.strip())
        elif line:
            listed, _, kind = line.partition(" : ")
            names = listed.split(", ")
            values = re.match(r"\{.*\}", kind)
            meanings |= {name: [f"{values[0]}:"] if values else [] for name in names}
    return {name: _REFERENCE.sub("", " ".join(words)) for name, words in meanings.items()}
