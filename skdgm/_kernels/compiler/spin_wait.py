"""Waiting for a signal of another thread without sleeping."""

import platform

from llvmlite import ir
from numba import types
from numba.core.cgutils import get_or_insert_function
from numba.extending import intrinsic

from skdgm._kernels.compiler.jit import kernel

# Whether there is an instruction that lets the core's other hardware thread run.
_HAS_PAUSE = platform.machine() in ("x86_64", "AMD64")


def place(context, builder, kind, array, number):
    """Pointer to an entry of an array."""
    return builder.gep(context.make_array(kind)(context, builder, array).data, [number])


@intrinsic
def load(context, array, number):
    """Entry of an int64 array, as other threads have last written it."""

    def generate(context, builder, signature, arguments):
        pointer = place(context, builder, signature.args[0], *arguments)
        return builder.load_atomic(pointer, ordering="acquire", align=8)

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
    """Poll up to ``patience`` times until ``signal[0]`` differs from ``seen``, then
    ``delay`` times more; return whether it then differs."""
    for _ in range(patience):
        pause()
        if load(signal, 0) != seen:
            break
    has_changed = False
    for _ in range(delay):
        pause()
        has_changed = load(signal, 0) != seen
    return has_changed
