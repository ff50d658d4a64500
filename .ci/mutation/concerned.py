"""The tests that a file of the package concerns.

A test is concerned if the file is among what its module imports, directly or through
other modules of the package; for a case of the common tests, among what the estimators
that it is given import. Names are followed to where they are defined: ``from skdgm
import NADE`` is an import of ``skdgm/autoregressive/nade.py``.
"""

import ast
from functools import cache
from importlib import import_module
from pathlib import Path

from sklearn.base import BaseEstimator

ROOT = Path.cwd()
# Modules that import every estimator, for tests that are given some of them.
ALL_ESTIMATORS = {"tests/common/instances.py"}


def file_of(module):
    """The file of a module of the package or its tests; None for others'."""
    base = ROOT / module.replace(".", "/")
    for path in (base.with_suffix(".py"), base / "__init__.py"):
        if path.exists():
            return str(path.relative_to(ROOT))
    return None


@cache
def _tree(path):
    return ast.parse((ROOT / path).read_text())


@cache
def _definition(module, name):
    """The file in which what a module offers by a name is defined."""
    path = file_of(f"{module}.{name}")
    if path:
        return path
    if module.partition(".")[0] == "skdgm":
        # Packages find some of their names when they are asked for them.
        named = getattr(import_module(module), name, None)
        path = file_of(getattr(named, "__module__", None) or "")
        if path and path.startswith("skdgm/"):
            return path
    path = file_of(module)
    if path and path.endswith("__init__.py"):
        for node in ast.walk(_tree(path)):
            if isinstance(node, ast.ImportFrom) and node.module:
                for alias in node.names:
                    if (alias.asname or alias.name) == name:
                        return _definition(node.module, alias.name)
    return path


@cache
def _imports(path):
    """The files that a file imports, at its top or in a function."""
    found = set()
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.Import):
            found.update(file_of(alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                found.add(_definition(node.module, alias.name))
        elif (
            isinstance(node, ast.Attribute) and getattr(node.value, "id", "") == "skdgm"
        ):
            found.add(_definition("skdgm", node.attr))
    return found - {None, path}


@cache
def everything_imported(path):
    """The files that a file imports, directly or through others."""
    found, left = {path}, [path]
    while left:
        new = _imports(left.pop()) - found - ALL_ESTIMATORS
        found |= new
        left += new
    return found


def _estimators_in(value):
    if isinstance(value, BaseEstimator):
        yield value
        for part in value.get_params(deep=True).values():
            if isinstance(part, BaseEstimator):
                yield part
    elif isinstance(value, type) and issubclass(value, BaseEstimator):
        yield value
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _estimators_in(part)


@cache
def _starts(item):
    """The files from which imports of a test are followed."""
    path = str(item.path.relative_to(ROOT))
    case = getattr(item, "callspec", None)
    estimators = list(_estimators_in(list(case.params.values()) if case else []))
    classes = {one if isinstance(one, type) else type(one) for one in estimators}
    starts = {path} | {file_of(cls.__module__) for cls in classes} - {None}
    if ALL_ESTIMATORS & _imports(path) and not estimators:
        starts |= ALL_ESTIMATORS
    return tuple(starts)


def is_concerned(item, changed):
    """Whether a test may run a file of the package."""
    starts = _starts(item)
    every = bool(ALL_ESTIMATORS.intersection(starts))
    return every or any(changed in everything_imported(start) for start in starts)
