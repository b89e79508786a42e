"""The template that ``bench new method`` writes."""

from __future__ import annotations

import keyword
import re
from importlib.resources import files
from pathlib import Path

from .. import methods
from ..errors import InputError


def write_method(name: str, folder: Path) -> tuple[Path, Path]:
    """Write a working augmenter and its test; its first lines say what the other kinds of methods derive from.

    Parameters
    ----------
    name : str
        Lower-case words joined by hyphens.
    folder : Path
        Where to write; it must exist.

    Returns
    -------
    tuple of Path
        The method's file and the test's.

    Raises
    ------
    InputError
        The name is taken or not usable, or a file exists already.
    """
    if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", name) or keyword.iskeyword(name):
        raise InputError(f"'{name}' cannot be a method's name: use lower-case words joined by hyphens, e.g. my-method")
    if name in methods.names():
        raise InputError(f"there is a method '{name}' already: choose another name")
    if not folder.is_dir():
        raise InputError(f"folder {folder} does not exist")
    module = name.replace("-", "_")
    class_name = "".join(part.capitalize() for part in name.split("-"))
    targets = (folder / f"{module}.py", folder / f"test_{module}.py")
    for target in targets:
        if target.exists():
            raise InputError(f"{target} exists already and is not overwritten")
    for target, source in zip(targets, ("method.py.template", "test_method.py.template"), strict=True):
        text = (files("augbench.bench") / "templates" / source).read_text(encoding="utf-8")
        for mark, value in (("{{name}}", name), ("{{module}}", module), ("{{class}}", class_name)):
            text = text.replace(mark, value)
        target.write_text(text, encoding="utf-8")
    return targets
