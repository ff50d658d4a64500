"""Vector types and intrinsics of LLVM."""

import numba
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

INT, SIZE = ir.IntType(64), types.int64
_LANE = ir.IntType(32)
# Bytes: what may be relied on of where a vector is found.
_ALIGN = 4


def generated(generator):
    """Have calls of a function compiled from LLVM's instructions. The function itself
    says what they do, and does it where nothing is compiled."""

    def choose(plain):
        return plain if numba.config.DISABLE_JIT else intrinsic(generator)

    return choose


def place(context, builder, vector, kind, array, row, left):
    """A pointer to the vector that begins in a row and a column of an array."""
    pointer = cgutils.get_item_pointer(context, builder, kind, array, [row, left])
    return builder.bitcast(pointer, vector.as_pointer())


def load(builder, pointer):
    """The vector at a pointer."""
    return builder.load(pointer, align=_ALIGN)


def store(builder, vector, pointer):
    """Put a vector there."""
    builder.store(vector, pointer, align=_ALIGN)


def broadcast(builder, number, vector):
    """A vector with a number in all places."""
    empty = ir.Constant(vector, ir.Undefined)
    first = builder.insert_element(empty, number, _LANE(0))
    return shuffle(builder, first, empty, [0] * vector.count)


def shuffle(builder, a, b, places):
    """A vector of what is in the given places of two vectors, laid end to end."""
    mask = ir.Constant(ir.VectorType(_LANE, len(places)), places)
    return builder.shuffle_vector(a, b, mask)


def _prefetch(context, array, row, left):
    signature = types.void(array, SIZE, SIZE)

    def generate(context, builder, signature, arguments):
        own = context.make_array(array)(context, builder, arguments[0])
        where = cgutils.get_item_pointer(
            context, builder, array, own, list(arguments[1:]), boundscheck=False
        )
        byte = ir.IntType(8).as_pointer()
        kind = ir.FunctionType(ir.VoidType(), [byte, _LANE, _LANE, _LANE])
        call = cgutils.get_or_insert_function(
            builder.module, kind, "llvm.prefetch.p0i8"
        )
        # To be read, again and again, and data.
        how = _LANE(0), _LANE(3), _LANE(1)
        builder.call(call, [builder.bitcast(where, byte), *how])
        return context.get_dummy_value()

    return signature, generate


@generated(_prefetch)
def prefetch(array, row, left):
    """Have the cache line with an entry of a matrix brought near while other work goes
    on; another core may have it, a hundred nanoseconds away."""
