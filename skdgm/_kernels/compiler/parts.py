"""Kernels whose callees are compiled within them alone.

Numba would optimise each function, make machine code of it and write that to disk
before it does all this again for those that call it, together with it. A part is only
translated to LLVM's instructions, and becomes machine code once, within the kernel that
Python calls. While that goes on there is no garbage collection, which would look at all
of Python's objects several times, and only those of Numba's passes are run that kernels
have use for.

What this rests on is not among what Numba promises to keep. So it is for versions that
it has been tested with, and where a kernel cannot be compiled, the process goes on
without parts.
"""

import gc
import signal
import threading
from contextlib import contextmanager
from functools import cached_property

import numba
from llvmlite.binding import parse_bitcode
from numba import types
from numba.core.caching import CompileResultCacheImpl, FunctionCache
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import Compiler, CompileResult, Flags, PassManager
from numba.core.registry import CPUDispatcher
from numba.core.typed_passes import (
    AnnotateTypes,
    IRLegalization,
    NativeLowering,
    NoPythonBackend,
    NopythonTypeInference,
    PreLowerStripPhis,
)
from numba.core.untyped_passes import (
    DeadBranchPrune,
    FixupArgs,
    GenericRewrites,
    IRProcessing,
    ReconstructSSA,
    RewriteDynamicRaises,
    RewriteSemanticConstants,
    TranslateByteCode,
)

from skdgm._kernels.compiler.disk import kept

# The first and the last version of Numba that this has been tested with.
TESTED = (0, 61), (0, 68)

if not TESTED[0] <= numba.version_info.short <= TESTED[1]:
    raise ImportError("not tested with this version of Numba")


# Numba's passes, but for those that are for closures, with statements, literals,
# parallel loops and expressions of whole arrays.
PASSES = (
    TranslateByteCode,
    FixupArgs,
    IRProcessing,
    RewriteSemanticConstants,
    DeadBranchPrune,
    GenericRewrites,
    RewriteDynamicRaises,
    ReconstructSSA,
    NopythonTypeInference,
    PreLowerStripPhis,
    IRLegalization,
    AnnotateTypes,
    NativeLowering,
    NoPythonBackend,
)
# Options of what is compiled, besides those that ``numba.njit`` takes.
COMPILED = {"nopython": True, "boundscheck": None, "no_cfunc_wrapper": True}


class CompiledKernel(CPUDispatcher):
    """A function that Python calls. Kernels that call it see its part instead."""

    has_parts = True

    def __init__(self, function, targetoptions):
        super().__init__(function, {}, targetoptions, pipeline_class=Passes)

    @cached_property
    def part(self):
        """The function as others call it."""
        options = self.targetoptions | {"no_cpython_wrapper": True}
        given = {"targetoptions": options, "pipeline_class": Translation}
        return kept(KernelPart(self.py_func, **given))

    @property
    def _numba_type_(self):
        return (
            self.part._numba_type_ if CompiledKernel.has_parts else super()._numba_type_
        )

    def compile(self, sig):
        """Compile the function for types of arguments."""
        try:
            with no_collection(), interrupted_later():
                return super().compile(sig)
        except Exception:
            if not CompiledKernel.has_parts:
                raise
            CompiledKernel.has_parts = False
            try:
                with interrupted_later():
                    return super().compile(sig)
            except Exception:  # So it was not for its parts.
                CompiledKernel.has_parts = True
                raise


@contextmanager
def interrupted_later():
    """Context that defers Ctrl-C to its end: Python drops exceptions raised in a
    function that LLVM calls. A second Ctrl-C is raised at once."""
    pressed, before = [], signal.getsignal(signal.SIGINT)

    def defer(number, frame):
        if pressed:
            before(number, frame)
        pressed.append((number, frame))

    main = threading.current_thread() is threading.main_thread()
    if not (main and callable(before)):
        yield
        return
    signal.signal(signal.SIGINT, defer)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if pressed:
            before(*pressed[0])


@contextmanager
def no_collection():
    """Context without garbage collection."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


class KernelPart(CPUDispatcher):
    """A function that kernels call."""

    def enable_caching(self):
        """Keep what is translated on disk."""
        self._cache = PartCache(self.py_func)

    def get_call_template(self, args, kws):
        """Types of a call; a literal is one of its own, for which all would be
        translated once more."""
        kws = {name: types.unliteral(kind) for name, kind in dict(kws).items()}
        return super().get_call_template(tuple(map(types.unliteral, args)), kws)

    def add_overload(self, result):
        """Make a translation known; Numba looks up by address what is called, and this
        has none."""
        name, where = result.fndesc.mangled_name, result.fndesc
        own = tuple(result.signature.args)
        self.overloads[own] = result._replace(entry_point=name)
        self.targetctx.insert_user_function(name, where, [result.library])


class FastFlags(Flags):
    """Options of a compilation, which are compared some ten thousand times in each."""

    __slots__ = ()

    def __hash__(self):
        return 0

    def __eq__(self, other):
        return self._values == other._values


class Passes(Compiler):
    """Those of Numba's passes that kernels have use for."""

    def __init__(self, *args):
        super().__init__(*args)
        if CompiledKernel.has_parts:
            self.state.flags = FastFlags(self.state.flags)

    def define_pipelines(self):
        """Put them one after the other."""
        if not CompiledKernel.has_parts:
            return super().define_pipelines()
        passes = PassManager("kernel")
        for own in PASSES:
            passes.add_pass(own, own.name())
        passes.finalize()
        if self.state.library is None:
            name = self.state.func_id.func_qualname
            self.state.library = Code(self.state.targetctx.codegen(), name)
            self.state.library.enable_object_caching()
        return [passes]


class Translation(Passes):
    """Passes, up to LLVM's instructions."""

    def define_pipelines(self):
        """Put the result where nothing is made of it."""
        self.state.flags.no_compile = True
        codegen = self.state.targetctx.codegen()
        name = self.state.func_id.func_qualname
        self.state.library = Instructions(codegen, name)
        return super().define_pipelines()


class Code(JITCodeLibrary):
    """Machine code of a function, and of those that it calls."""

    def _optimize_functions(self, module):
        """Have LLVM's quick passes over functions make of them what others can be
        linked with; all of its passes are to come."""
        if not hasattr(self._codegen, "_pass_builder"):  # Not in the first versions.
            return super()._optimize_functions(module)
        module.data_layout = self._codegen._data_layout
        passes, builder = self._codegen._function_pass_manager(opt=1)
        for function in module.functions:
            if not function.is_declaration:
                passes.run(function, builder)


class Instructions(Code):
    """LLVM's instructions of a function and of those that it calls. Each function has
    been through LLVM's passes over functions, without which changes of references stay
    in loops."""

    def finalize(self):
        """Have those that are called together with those that call."""
        for library in dict.fromkeys(self._linking_libraries):
            if hasattr(self, "_reload_init"):  # Not in the first versions.
                self._reload_init.update(library._reload_init)
            module = library._get_module_for_linking()
            self._final_module.link_in(module, preserve=True)
        self._finalized = True


class PartFile(CompileResultCacheImpl):
    """A part on disk, beside the kernel that is the same function."""

    def get_filename_base(self, fullname, abiflags):
        """The name of a file, without its ending."""
        return super().get_filename_base(fullname, abiflags) + "-part"

    def reduce(self, result):
        """What is written."""
        library, where = result.library, result.fndesc
        where.typemap = where.calltypes = None
        module = library._get_module_for_linking().as_bitcode()
        return library.name, module, where, result.signature

    def rebuild(self, target_context, payload):
        """The part of what was written."""
        name, module, where, signature = payload
        library = Instructions(target_context.codegen(), name)
        library._final_module, library._finalized = parse_bitcode(module), True
        found = {"library": library, "fndesc": where, "signature": signature}
        return CompileResult(**dict.fromkeys(CompileResult._fields) | found)


class PartCache(FunctionCache):
    """The parts of a function on disk."""

    _impl_class = PartFile
