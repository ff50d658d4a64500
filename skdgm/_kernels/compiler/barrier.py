"""Barriers at which threads meet within compiled code.

A thread that waits polls, as the others are microseconds away; one that has polled for long gives its core to whoever
else wants it, as one of the others may be without a core.
"""

import ctypes
import platform
import sys

import llvmlite.binding
import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.core.cgutils import get_or_insert_function
from numba.extending import intrinsic

from skdgm._kernels.compiler.jit import kernel

# Places in a gate, each on a cache line of its own: threads that have come, meetings so far, threads in all, polls in
# vain, and whether the gate stands open as a thread has failed.
_COME, _MET, SIZE, WAITED, OPEN, _LENGTH = 16, 32, 48, 64, 80, 96
# Polls, some 25 nanoseconds apart, before a thread gives its core away; what it is counted for if it does.
_PATIENCE, _YIELD = 1000, 20

# The hint that lets a core's other hardware thread have its units meanwhile.
_HAS_PAUSE = platform.machine() in ("x86_64", "AMD64")
_INT = ir.IntType(64)


def _offer_core():
    """Make the system's call that gives a core away known to compiled code."""
    if sys.platform == "win32":
        call = ctypes.windll.kernel32.SwitchToThread
    else:
        call = ctypes.CDLL(None).sched_yield
    llvmlite.binding.add_symbol(
        "skdgm_offer_core", ctypes.cast(call, ctypes.c_void_p).value
    )


_offer_core()


def gate(n_threads):
    """A barrier for so many threads.

    Returns
    -------
    gate : ndarray of shape (96,), int64
    """
    places = np.zeros(_LENGTH, np.int64)
    places[SIZE] = n_threads
    return places


def _place(context, builder, kind, array, place):
    return builder.gep(context.make_array(kind)(context, builder, array).data, [place])


@intrinsic
def _load(context, array, place):
    """An entry of an int64 array, as another thread may just have left it."""

    def generate(context, builder, signature, arguments):
        where = _place(context, builder, signature.args[0], *arguments)
        return builder.load_atomic(where, ordering="acquire", align=8)

    return types.int64(array, types.int64), generate


@intrinsic
def _add(context, array, place, number):
    """Add to an entry; return what it was before."""

    def generate(context, builder, signature, arguments):
        where = _place(context, builder, signature.args[0], *arguments[:2])
        return builder.atomic_rmw("add", where, arguments[2], "acq_rel")

    return types.int64(array, types.int64, types.int64), generate


@intrinsic
def _pause(context):
    """Wait for a moment."""

    def generate(context, builder, signature, arguments):
        if _HAS_PAUSE:
            kind = ir.FunctionType(ir.VoidType(), [])
            name = "llvm.x86.sse2.pause"
            builder.call(get_or_insert_function(builder.module, kind, name), [])
        return context.get_dummy_value()

    return types.void(), generate


@intrinsic
def _give_way(context):
    """Give the core to another thread, if one wants it."""

    def generate(context, builder, signature, arguments):
        kind = ir.FunctionType(ir.IntType(32), [])
        builder.call(
            get_or_insert_function(builder.module, kind, "skdgm_offer_core"), []
        )
        return context.get_dummy_value()

    return types.void(), generate


@kernel
def meet(gate):
    """Wait until all threads have come here; what they wrote before is seen by all after."""
    n_threads = gate[SIZE]
    if n_threads == 1:
        return
    met = _load(gate, _MET)
    if _add(gate, _COME, 1) == n_threads - 1:
        _add(gate, _COME, -n_threads)
        _add(gate, _MET, 1)
        return
    polls = 0
    while _load(gate, _MET) == met and _load(gate, OPEN) == 0:
        polls += 1
        if polls < _PATIENCE:
            _pause()
        else:
            polls += _YIELD
            _give_way()
    if met:  # Else it is threads that start late.
        _add(gate, WAITED, polls)


@kernel
def portion(n, rank, size):
    """A thread's part of a range: its start and its end."""
    return n * rank // size, n * (rank + 1) // size


@kernel
def pieces(n_outer, n_inner, rank, size):
    """A thread's part of the pairs of numbers from two ranges, of which all with one
    outer number come before those with the next.

    Returns
    -------
    pieces : triple of tuple
        Start and end of the outer numbers, and of the inner ones that go with each.
    """
    start, stop = portion(n_outer * n_inner, rank, size)
    first, last, none = -(-start // n_inner), stop // n_inner, (0, 0, 0, 0)
    if first > last:  # Within one outer number.
        return (last, first, start % n_inner, stop % n_inner), none, none
    head = (first - 1, first, start % n_inner, n_inner) if start % n_inner else none
    tail = (last, last + 1, 0, stop % n_inner) if stop % n_inner else none
    return head, ((first, last, 0, n_inner) if first < last else none), tail
