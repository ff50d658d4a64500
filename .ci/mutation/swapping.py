"""A wrong line in place of the right one, in a process that has imported the file.

Functions are told by their code: wherever one is held, as a method, a closure or by a
decorator, it runs the other code once its ``__code__`` is replaced. What runs at import
(constants, fields of classes, defaults of arguments) cannot be replaced so.
"""

import gc
import inspect
from collections import defaultdict
from pathlib import Path
from types import CodeType, FunctionType


def _parts(code):
    return [const for const in code.co_consts if isinstance(const, CodeType)]


def _is_function(code):
    return bool(code.co_flags & inspect.CO_OPTIMIZED)


def _shell(code):
    """What runs at import of a module's or a class's code: all but functions."""
    consts = [None if isinstance(c, CodeType) else c for c in code.co_consts]
    return code.co_code, code.co_names, [(type(c), c) for c in consts]


def _pairs(old, new):
    """Functions in two versions of a file; None if they differ in other things."""
    if not _is_function(old) and _shell(old) != _shell(new):
        return None
    olds, news = defaultdict(list), defaultdict(list)
    for found, code in ((olds, old), (news, new)):
        for part in _parts(code):
            found[part.co_qualname].append(part)
    pairs = {}
    for name, parts in olds.items():
        for before, after in zip(parts, news[name]):
            if before == after:
                continue
            if _is_function(before):
                pairs[before] = after
            inner = _pairs(before, after)
            if inner is None:
                return None
            pairs |= inner
    return pairs


def swapped_codes(path, text, changed):
    """The code of each function that a change makes another, with that other one.

    Returns
    -------
    codes : dict of code to code, or None
        None where the change is one of what runs at import.
    """
    pairs = _pairs(*(compile(one, str(path), "exec") for one in (text, changed)))
    if pairs is None or any(a.co_freevars != b.co_freevars for a, b in pairs.items()):
        return None
    return pairs


def functions_by_file(root):
    """All functions in memory that stand in files of a folder."""
    # Those of modules that tests had imported are hidden: see tests/conftest.py.
    gc.unfreeze()
    found = defaultdict(list)
    for thing in gc.get_objects():
        if isinstance(thing, FunctionType):
            path = Path(thing.__code__.co_filename)
            if path.is_relative_to(root):
                found[str(path)].append(thing)
    return found


def swap(codes, functions):
    """Give functions the code that is to run in place of theirs.

    Raises
    ------
    LookupError
        If none of them has such a code.
    """
    n_swapped = 0
    for function in functions:
        other = codes.get(function.__code__)
        if other is not None:
            function.__code__ = other
            n_swapped += 1
    if not n_swapped:
        raise LookupError("no function in memory has this line")
