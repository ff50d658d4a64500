"""Compiled kernels on disk."""

from functools import partial
from pathlib import Path

_SOURCES = sorted(Path(__file__).parent.parent.rglob("*.py"))
# What a compiled kernel on disk must have been made from: all of this folder, as
# kernels call one another. Numba itself looks at one kernel's own file only.
STAMP = tuple((path.stat().st_mtime, path.stat().st_size) for path in _SOURCES)


def kept(dispatcher):
    """Have what a dispatcher compiles kept on disk."""
    try:
        dispatcher.enable_caching()
    except RuntimeError:  # Nowhere to write: compile anew in each process.
        return dispatcher
    file = dispatcher._cache._cache_file
    index = partial(_index, file._load_index)
    vars(file).update(_source_stamp=STAMP, _load_index=index)
    return dispatcher


def _index(load):
    """Index of a file; empty if it names classes that another version had."""
    try:
        return load()
    except (AttributeError, ImportError):
        return {}
