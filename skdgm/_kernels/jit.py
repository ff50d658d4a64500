"""How kernels are compiled."""

import numba


def kernel(function):
    """Compile a function when it is first called, and keep the result on disk.

    Sums keep the order they are written in; only ``a * b + c`` may become one
    instruction.
    """
    options = {
        "nogil": True,
        "error_model": "numpy",
        "fastmath": {"contract", "nsz"},
    }
    try:
        return numba.njit(function, cache=True, **options)
    except RuntimeError:  # Nowhere to write: compile anew in each process.
        return numba.njit(function, **options)
