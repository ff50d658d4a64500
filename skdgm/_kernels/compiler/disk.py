"""Disk cache of compiled kernels."""

from functools import partial
from pathlib import Path

_SOURCES = sorted(Path(__file__).parent.parent.rglob("*.py"))
# A compiled kernel on disk depends on all files of this folder, since kernels call each
# other. Numba itself only checks the file of the kernel.
STAMP = tuple((path.stat().st_mtime, path.stat().st_size) for path in _SOURCES)


def kept(dispatcher):
    """Enable the disk cache of a dispatcher, and return it."""
    try:
        dispatcher.enable_caching()
    except RuntimeError:  # No writable folder: each process compiles again.
        return dispatcher
    file = dispatcher._cache._cache_file
    index = partial(_index, file._load_index)
    vars(file).update(_source_stamp=STAMP, _load_index=index)
    return dispatcher


def _index(load):
    """Index of a cache file, or an empty index if it names classes of another
    version."""
    try:
        return load()
    except (AttributeError, ImportError):
        return {}
