"""Barriers, at which threads wait for each other within compiled code.

A waiting thread polls, because the others are usually microseconds away. After many
polls it yields its core to other threads, since a thread may be without a core. The
time of these long waits is measured: if they are long, fewer threads are faster.
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

# Entries of a gate, each on its own cache line: number of arrived threads, number of
# meetings, number of threads, nanoseconds of long waits, 1 if a thread has failed,
# number of completed rounds, time of the first meeting, 1 to end the rounds.
_COME, _MET, SIZE, WAITED, OPEN, DONE, STARTED, _ENOUGH, _LENGTH = range(16, 160, 16)
# Number of polls, of 25 to 60 nanoseconds each, before a wait is long; nanoseconds
# before rounds may end early; and share of the time of all threads but one, above which
# long waits end the rounds, as half of the threads are then faster.
_PATIENCE, _SOON, _MUCH = 1000, 20_000_000, 0.6

_INT = ir.IntType(64)


def _symbols():
    """Names and addresses of system calls: one that yields the core, and one that reads
    the clock."""
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
    """Barrier for ``n_threads``, (144,), int64."""
    places = np.zeros(_LENGTH, np.int64)
    places[SIZE] = n_threads
    return places


@intrinsic
def add(context, array, number, term):
    """Add to an entry atomically; return its previous value."""

    def generate(context, builder, signature, arguments):
        pointer = place(context, builder, signature.args[0], *arguments[:2])
        return builder.atomic_rmw("add", pointer, arguments[2], "acq_rel")

    return types.int64(array, types.int64, types.int64), generate


@intrinsic
def give_way(context):
    """Yield the core to another thread, if one is waiting."""

    def generate(context, builder, signature, arguments):
        kind = ir.FunctionType(ir.IntType(32), [])
        builder.call(get_or_insert_function(builder.module, kind, "skdgm_give_way"), [])
        return context.get_dummy_value()

    return types.void(), generate


@intrinsic
def now(context):
    """Time in nanoseconds."""

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
        nanoseconds = builder.load(builder.gep(parts, [_INT(0), _INT(1)]))
        return builder.add(seconds, nanoseconds)

    return types.int64(), generate


@kernel
def meet(gate):
    """Wait until all threads have arrived; what they wrote before is visible
    afterwards."""
    if gate[SIZE] > 1:
        met = load(gate, _MET)
        if add(gate, _COME, 1) == gate[SIZE] - 1:
            part(gate)
        else:
            wait(gate, met)


@kernel
def go_on(gate, done):
    """Wait as :func:`meet` does, at the end of a round; return whether to continue.
    After long waits, the rounds end so that the caller can continue with fewer
    threads."""
    if gate[SIZE] == 1:
        gate[DONE] = done
    else:
        met = load(gate, _MET)
        if add(gate, _COME, 1) == gate[SIZE] - 1:
            gate[DONE] = done  # Now all threads have read where the last call ended.
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
    """Release all waiting threads."""
    if gate[_MET] == 0:  # Now all have started.
        gate[STARTED] = now()
    add(gate, _COME, -gate[SIZE])
    add(gate, _MET, 1)


@kernel
def wait(gate, met):
    """Wait until the threads are released; raise RuntimeError if another thread has
    failed."""
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
    if met:  # The first wait is for threads that start late.
        add(gate, WAITED, now() - start)


@kernel
def portion(n, rank, size):
    """Start and end of a thread's share of a range."""
    return n * rank // size, n * (rank + 1) // size


@kernel
def pieces(n_outer, n_inner, rank, size):
    """A thread's share of all pairs of an outer and an inner number, ordered by outer
    number: three tuples of start and end of outer numbers, and start and end of inner
    numbers."""
    start, stop = portion(n_outer * n_inner, rank, size)
    first, last, none = -(-start // n_inner), stop // n_inner, (0, 0, 0, 0)
    if first > last:  # Within one outer number.
        return (last, first, start % n_inner, stop % n_inner), none, none
    head = (first - 1, first, start % n_inner, n_inner) if start % n_inner else none
    tail = (last, last + 1, 0, stop % n_inner) if stop % n_inner else none
    return head, ((first, last, 0, n_inner) if first < last else none), tail
