"""Waiting for another thread's signal without going to sleep."""

import platform

from llvmlite import ir
from numba import types
from numba.core.cgutils import get_or_insert_function
from numba.extending import intrinsic

from skdgm._kernels.compiler.jit import kernel

# The hint that lets a core's other hardware thread have its units meanwhile.
_HAS_PAUSE = platform.machine() in ("x86_64", "AMD64")


def place(context, builder, kind, array, number):
    """A pointer to an entry of an array."""
    return builder.gep(context.make_array(kind)(context, builder, array).data, [number])


@intrinsic
def load(context, array, number):
    """An entry of an int64 array, as another thread may just have left it."""

    def generate(context, builder, signature, arguments):
        where = place(context, builder, signature.args[0], *arguments)
        return builder.load_atomic(where, ordering="acquire", align=8)

    return types.int64(array, types.int64), generate


@intrinsic
def pause(context):
    """Wait for a moment."""

    def generate(context, builder, signature, arguments):
        if _HAS_PAUSE:
            kind = ir.FunctionType(ir.VoidType(), [])
            name = "llvm.x86.sse2.pause"
            builder.call(get_or_insert_function(builder.module, kind, name), [])
        return context.get_dummy_value()

    return types.void(), generate


@kernel
def wait(signal, seen, patience, delay):
    """Look up to ``patience`` times whether ``signal[0]`` still is ``seen``, and
    ``delay`` times more once it is not."""
    for _ in range(patience):
        pause()
        if load(signal, 0) != seen:
            break
    found = False
    for _ in range(delay):
        pause()
        found = load(signal, 0) != seen
    return found
