"""Compilation of kernels by Numba."""

import numba
import numpy as np

from skdgm._kernels.compiler.disk import kept

try:
    from skdgm._kernels.compiler.parts import COMPILED, CompiledKernel
except (ImportError, AttributeError):  # Another version of Numba.
    CompiledKernel = None


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
    if CompiledKernel is None:
        return kept(numba.njit(function, **options))
    return kept(CompiledKernel(function, targetoptions=options | COMPILED))
