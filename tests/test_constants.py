"""Numbers by which modules are tuned, and defaults of what is private, beside a list of
them: ``constants.txt``.

A record, not a proof, as ``defaults.txt`` is of what is public: limits, sizes of blocks
and flags of classes whose effect no result shows, or only one of large data. Whoever
changes one changes the list, by

    python -m tests.test_constants

so that the change is seen.
"""

import ast
import inspect
import pkgutil
from enum import Enum
from importlib import import_module
from pathlib import Path
from types import FunctionType

import numpy as np
import pytest

import skdgm
from skdgm.base.options import Details

LIST = Path(__file__).with_name("constants.txt")
FOLDERS = [
    part.name for part in pkgutil.iter_modules(skdgm.__path__) if part.name[0] != "_"
]
# Of lines: what is longer is a table.
LONGEST = 200
PLAIN = bool, int, float, np.number, np.bool_


def is_plain(value):
    """Whether a value is a number, or made of some, or of names."""
    if isinstance(value, np.ndarray):
        return value.dtype.kind in "biuf"
    if isinstance(value, tuple | list | set | frozenset):
        return len(value) > 0 and all(map(is_plain_or_text, value))
    if isinstance(value, dict):
        parts = [*value, *value.values()]
        return len(parts) > 0 and all(map(is_plain_or_text, parts))
    return isinstance(value, PLAIN) and not isinstance(value, Enum)


def is_plain_or_text(value):
    return value is None or isinstance(value, str) or is_plain(value)


def shown(value):
    """Text of a value, the same for all types of the same number."""
    if isinstance(value, np.ndarray):
        return f"{[float(f'{own:.12g}') for own in value.ravel()]}"
    if isinstance(value, set | frozenset):
        return f"{sorted(map(shown, value))}"
    if isinstance(value, tuple | list):
        return f"({', '.join(map(shown, value))})"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k!r}: {shown(v)}" for k, v in value.items()) + "}"
    if isinstance(value, float | np.floating):
        return f"{float(value):.12g}"
    return repr(value.item() if isinstance(value, np.generic) else value)


def modules():
    """Modules of the folders."""
    for folder in FOLDERS:
        module = import_module(f"skdgm.{folder}")
        yield module
        if hasattr(module, "__path__"):
            for found in pkgutil.walk_packages(module.__path__, f"{module.__name__}."):
                yield import_module(found.name)


def defaults(function):
    function = inspect.unwrap(getattr(function, "__func__", function))
    if not isinstance(function, FunctionType):
        return ""
    values = inspect.signature(function).parameters.values()
    given = [p for p in values if is_plain_or_text(p.default)]
    return ", ".join(f"{p.name}={shown(p.default)}" for p in given)


def assigned(module):
    """Names that a module assigns itself, rather than imports."""
    tree = ast.parse(Path(module.__file__).read_text())
    found = [node for node in tree.body if isinstance(node, ast.Assign)]
    parts = [part for node in found for own in node.targets for part in ast.walk(own)]
    return {part.id for part in parts if isinstance(part, ast.Name)}


def lines():
    found = set()
    for module in modules():
        own, names = module.__name__.removeprefix("skdgm."), assigned(module)
        for name, value in vars(module).items():
            if name.startswith("__"):
                continue
            # Defaults of details are in the other list.
            if inspect.isclass(value) and issubclass(value, Details):
                continue
            if inspect.isclass(value) and value.__module__ == module.__name__:
                found |= set(of_class(f"{own}.{name}", value))
            elif isinstance(value, FunctionType):
                if value.__module__ == module.__name__ and defaults(value):
                    found.add(f"{own}.{name}({defaults(value)})")
            elif f"{own}.{name}" in OF_MACHINES:
                continue
            elif name in names and name.isupper() and is_number(value):
                found.add(f"{own}.{name} = {shown(value)}")
    return sorted(line for line in found if len(line) < LONGEST)


def is_number(value):
    return is_plain(value) and has_number(value)


def has_number(value):
    if isinstance(value, dict):
        return any(map(has_number, value.values()))
    if isinstance(value, tuple | list | set | frozenset):
        return any(map(has_number, value))
    return not (value is None or isinstance(value, str))


def of_class(name, kind):
    """Flags and numbers of a class, and defaults of its methods."""
    for key, value in vars(kind).items():
        if isinstance(value, FunctionType | classmethod | staticmethod):
            is_made = key.startswith("__") or not key.startswith("_")
            if not is_made and defaults(value):
                yield f"{name}.{key}({defaults(value)})"
        elif not key.startswith(LEFT) and is_number(value):
            yield f"{name}.{key} = {shown(value)}"
    if given := getattr(kind, "_field_defaults", None):
        given = {k: v for k, v in given.items() if is_plain_or_text(v)}
        if given:
            yield f"{name}: {shown(given)}"


# What follows from other things: of options, and of Python's own.
LEFT = "__", "_fields", "_own_", "_parameter_constraints", "_abc_impl", "_BUDGET"
LEFT += "_is_protocol", "_field_defaults", "_sklearn_auto_wrap_output_keys"
# What depends on the instructions of the processor.
OF_MACHINES = {"utils.products._FAST"}


def test_constants_are_those_of_the_list():
    pytest.importorskip("matplotlib")
    pytest.importorskip("dask")
    # New ones are added when the list is written anew.
    changed = set(LIST.read_text().splitlines()) - set(lines())
    assert not changed, f"{sorted(changed)}: python -m tests.test_constants"


if __name__ == "__main__":
    LIST.write_text("\n".join(lines()) + "\n")
