"""Vector types and intrinsics of LLVM."""

import numba
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

INT, SIZE = ir.IntType(64), types.int64
_LANE = ir.IntType(32)
# Guaranteed alignment of vectors, in bytes.
_ALIGN = 4


def generated(generator):
    """Decorator that compiles calls of a function from generated LLVM instructions. The
    function itself defines the result, and is called if nothing is compiled."""

    def choose(plain):
        return plain if numba.config.DISABLE_JIT else intrinsic(generator)

    return choose


def place(context, builder, vector, kind, array, row, left):
    """Pointer to the vector that begins at a row and column of an array."""
    pointer = cgutils.get_item_pointer(context, builder, kind, array, [row, left])
    return builder.bitcast(pointer, vector.as_pointer())


def load(builder, pointer):
    """Vector at a pointer."""
    return builder.load(pointer, align=_ALIGN)


def store(builder, vector, pointer):
    """Store a vector at a pointer."""
    builder.store(vector, pointer, align=_ALIGN)


def broadcast(builder, number, vector):
    """Vector with the same number in all entries."""
    empty = ir.Constant(vector, ir.Undefined)
    first = builder.insert_element(empty, number, _LANE(0))
    return shuffle(builder, first, empty, [0] * vector.count)


def shuffle(builder, a, b, places):
    """Vector of the given entries of two concatenated vectors."""
    mask = ir.Constant(ir.VectorType(_LANE, len(places)), places)
    return builder.shuffle_vector(a, b, mask)


def _prefetch(context, array, row, left):
    signature = types.void(array, SIZE, SIZE)

    def generate(context, builder, signature, arguments):
        structure = context.make_array(array)(context, builder, arguments[0])
        pointer = cgutils.get_item_pointer(
            context, builder, array, structure, list(arguments[1:]), boundscheck=False
        )
        byte = ir.IntType(8).as_pointer()
        kind = ir.FunctionType(ir.VoidType(), [byte, _LANE, _LANE, _LANE])
        call = cgutils.get_or_insert_function(
            builder.module, kind, "llvm.prefetch.p0i8"
        )
        # For reading, with high locality, data.
        hints = _LANE(0), _LANE(3), _LANE(1)
        builder.call(call, [builder.bitcast(pointer, byte), *hints])
        return context.get_dummy_value()

    return signature, generate


@generated(_prefetch)
def prefetch(array, row, left):
    """Prefetch the cache line of an entry of a matrix, which may be in the cache of
    another core, a hundred nanoseconds away."""
