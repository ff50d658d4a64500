"""How kernels are compiled."""

from pathlib import Path

import numba
import numpy as np

_SOURCES = sorted(Path(__file__).parent.glob("*.py"))
# What a compiled kernel on disk must have been made from: all of this folder, as
# kernels call one another. Numba itself looks at one kernel's own file only.
STAMP = tuple((path.stat().st_mtime, path.stat().st_size) for path in _SOURCES)


def kernel(function):
    """Compile a function when it is first called, and keep the result on disk.

    Sums keep the order they are written in; only ``a * b + c`` may become one
    instruction.
    """
    return _compiled(function, {"contract", "nsz"})


def exact(function):
    """As :func:`kernel`, but each operation is rounded, as where NumPy makes it."""
    return _compiled(function, {"nsz"})


def inner(*more):
    """As :func:`kernel`, of what belongs in the midst of others' loops: not a call, but
    a copy of it is there. With "reassoc" its sums may be had in any order."""
    return lambda function: _compiled(
        function, {"contract", "nsz", *more}, forceinline=True
    )


def _compiled(function, fastmath, **options):
    options |= {"nogil": True, "error_model": "numpy", "fastmath": fastmath}
    if numba.config.DISABLE_JIT:
        # What wraps around in machine words is meant to.
        return np.errstate(over="ignore")(function)
    try:
        compiled = numba.njit(function, cache=True, **options)
    except RuntimeError:  # Nowhere to write: compile anew in each process.
        return numba.njit(function, **options)
    compiled._cache._cache_file._source_stamp = STAMP
    return compiled
