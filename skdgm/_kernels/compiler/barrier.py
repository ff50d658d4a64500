"""Barriers at which threads meet within compiled code.

A thread that waits polls, as the others are microseconds away; one that has polled for
long gives its core to whoever else wants it, as one of the others may be without a
core. The time that this takes is counted: where it is much, fewer threads are faster.
"""

import ctypes
import sys
import time

import llvmlite.binding
import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.cgutils import get_or_insert_function
from numba.extending import intrinsic

from skdgm._kernels.compiler.jit import kernel
from skdgm._kernels.compiler.spin_wait import load, pause, place

# Places in a gate, each on a cache line of its own: threads that have come, meetings so
# far, threads in all, nanoseconds of long waits, whether it is open as a thread failed,
# rounds that are done, when the first of them ended, whether they are to end.
_COME, _MET, SIZE, WAITED, OPEN, DONE, STARTED, _ENOUGH, _LENGTH = range(16, 160, 16)
# Polls, some 25 to 60 nanoseconds apart, before a wait is long; nanoseconds after which
# a share of the time that all but one of them could have waited is a reason to end:
# half of them are faster where it is more than half.
_PATIENCE, _SOON, _MUCH = 1000, 20_000_000, 0.6

_INT = ir.IntType(64)


def _symbols():
    """Make calls of the system known to compiled code: one that gives a core away, and
    one that tells the time."""
    if sys.platform == "win32":
        system = ctypes.windll.kernel32
        yield "skdgm_give_way", system.SwitchToThread
        yield "skdgm_now", system.QueryPerformanceCounter
    else:
        yield "skdgm_give_way", ctypes.CDLL(None).sched_yield
        yield "skdgm_now", ctypes.CDLL(None).clock_gettime


for _name, _call in _symbols():
    llvmlite.binding.add_symbol(_name, ctypes.cast(_call, ctypes.c_void_p).value)
# The monotonic clock of the system.
_CLOCK = getattr(time, "CLOCK_MONOTONIC", None)


def gate(n_threads):
    """A barrier for so many threads.

    Returns
    -------
    gate : ndarray of shape (144,), int64
    """
    places = np.zeros(_LENGTH, np.int64)
    places[SIZE] = n_threads
    return places


@intrinsic
def add(context, array, number, term):
    """Add to an entry; return what it was before."""

    def generate(context, builder, signature, arguments):
        where = place(context, builder, signature.args[0], *arguments[:2])
        return builder.atomic_rmw("add", where, arguments[2], "acq_rel")

    return types.int64(array, types.int64, types.int64), generate


@intrinsic
def give_way(context):
    """Give the core to another thread, if one wants it."""

    def generate(context, builder, signature, arguments):
        kind = ir.FunctionType(ir.IntType(32), [])
        builder.call(get_or_insert_function(builder.module, kind, "skdgm_give_way"), [])
        return context.get_dummy_value()

    return types.void(), generate


@intrinsic
def now(context):
    """The time, in nanoseconds."""

    def generate(context, builder, signature, arguments):
        parts = cgutils.alloca_once(builder, ir.ArrayType(_INT, 2))
        first = builder.gep(parts, [_INT(0), _INT(0)])
        if _CLOCK is None:  # Windows counts in tenths of a microsecond.
            kind = ir.FunctionType(ir.IntType(32), [first.type])
            call = get_or_insert_function(builder.module, kind, "skdgm_now")
            builder.call(call, [first])
            return builder.mul(builder.load(first), _INT(100))
        kind = ir.FunctionType(ir.IntType(32), [ir.IntType(32), first.type])
        call = get_or_insert_function(builder.module, kind, "skdgm_now")
        builder.call(call, [ir.IntType(32)(_CLOCK), first])
        seconds = builder.mul(builder.load(first), _INT(10**9))
        rest = builder.load(builder.gep(parts, [_INT(0), _INT(1)]))
        return builder.add(seconds, rest)

    return types.int64(), generate


@kernel
def meet(gate):
    """Wait until all threads have come here; what they wrote before is seen after."""
    if gate[SIZE] > 1:
        met = load(gate, _MET)
        if add(gate, _COME, 1) == gate[SIZE] - 1:
            part(gate)
        else:
            wait(gate, met)


@kernel
def go_on(gate, done):
    """As :func:`meet`, at the end of a round; return whether there is to be another.
    There is not where the threads have waited for long, so that it is better to go on
    with fewer of them."""
    if gate[SIZE] == 1:
        gate[DONE] = done
    else:
        met = load(gate, _MET)
        if add(gate, _COME, 1) == gate[SIZE] - 1:
            gate[DONE] = done  # Not before all have begun where the last call ended.
            since = now() - gate[STARTED] if met else 0
            waited = load(gate, WAITED)
            if since > _SOON and waited > _MUCH * (gate[SIZE] - 1) * since:
                gate[_ENOUGH] = 1
            part(gate)
        else:
            wait(gate, met)
    return gate[_ENOUGH] == 0


@kernel
def part(gate):
    """Let all who wait go on."""
    if gate[_MET] == 0:  # Now all have started.
        gate[STARTED] = now()
    add(gate, _COME, -gate[SIZE])
    add(gate, _MET, 1)


@kernel
def wait(gate, met):
    """Wait for the end of a meeting. Where a thread has failed there is none: to go on
    would be to read what it has not written."""
    for _ in range(_PATIENCE):
        if load(gate, _MET) != met:
            return
        if load(gate, OPEN):
            raise RuntimeError("another thread failed")
        pause()
    start = now()
    while load(gate, _MET) == met:
        if load(gate, OPEN):
            raise RuntimeError("another thread failed")
        give_way()
    if met:  # Else it is for threads that start late.
        add(gate, WAITED, now() - start)


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
