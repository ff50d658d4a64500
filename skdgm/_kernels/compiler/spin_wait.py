"""Waiting for another thread's signal without going to sleep."""

import platform

from llvmlite import ir
from numba import types
from numba.core.cgutils import get_or_insert_function
from numba.extending import intrinsic

from skdgm._kernels.compiler.jit import kernel

# The hint that lets a core's other hardware thread have its units meanwhile.
_HAS_PAUSE = platform.machine() in ("x86_64", "AMD64")


@intrinsic
def _load(context, array):
    """The first entry of an int64 array, as another thread may just have left it."""

    def generate(context, builder, signature, arguments):
        if _HAS_PAUSE:
            pause = ir.FunctionType(ir.VoidType(), [])
            name = "llvm.x86.sse2.pause"
            builder.call(get_or_insert_function(builder.module, pause, name), [])
        data = context.make_array(signature.args[0])(context, builder, arguments[0])
        return builder.load_atomic(data.data, ordering="acquire", align=8)

    return types.int64(array), generate


@kernel
def wait(signal, seen, patience, delay):
    """Look up to ``patience`` times whether ``signal[0]`` still is ``seen``, and
    ``delay`` times more once it is not."""
    for _ in range(patience):
        if _load(signal) != seen:
            break
    found = False
    for _ in range(delay):
        found = _load(signal) != seen
    return found
