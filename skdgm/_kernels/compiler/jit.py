"""Compilation of kernels by Numba."""

import numba
import numpy as np

from skdgm._kernels.compiler.disk import kept

try:
    from skdgm._kernels.compiler.parts import COMPILED, CompiledKernel
except (ImportError, AttributeError):  # An untested version of Numba.
    CompiledKernel = None


def kernel(function):
    """Compile a function at its first call, and cache it on disk. Sums keep their
    order; ``a * b + c`` may become one instruction."""
    return _compiled(function, {"contract", "nsz"})


def exact(function):
    """Compile as :func:`kernel` does, but round each operation, as NumPy does."""
    return _compiled(function, {"nsz"})


def inner(*more):
    """Compile as :func:`kernel` does, but inline all calls; "reassoc" allows sums in
    any order."""
    return lambda function: _compiled(
        function, {"contract", "nsz", *more}, forceinline=True
    )


def _compiled(function, fastmath, **options):
    options |= {"nogil": True, "error_model": "numpy", "fastmath": fastmath}
    if numba.config.DISABLE_JIT:
        # Integers are meant to overflow.
        return np.errstate(over="ignore")(function)
    if CompiledKernel is None:
        return kept(numba.njit(function, **options))
    return kept(CompiledKernel(function, targetoptions=options | COMPILED))
