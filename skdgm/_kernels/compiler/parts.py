"""Kernels whose callees are compiled within them only.

Numba optimizes each function, compiles it to machine code and writes that to disk. It
then repeats all of this for each function that calls it. A *part* is only translated to
LLVM's instructions, and is compiled once, within the kernel that Python calls. During
compilation, garbage collection is off, as it would inspect all Python objects several
times, and only the passes of Numba that kernels need are run.

This relies on internals of Numba. It is therefore limited to tested versions, and if a
kernel cannot be compiled, the process continues without parts.
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

# First and last tested versions of Numba.
TESTED = (0, 61), (0, 68)

if not TESTED[0] <= numba.version_info.short <= TESTED[1]:
    raise ImportError("not tested with this version of Numba")


# Numba's passes, except those for closures, with statements, literals, parallel loops
# and array expressions.
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
# Options of compilation, in addition to those of ``numba.njit``.
COMPILED = {"nopython": True, "boundscheck": None, "no_cfunc_wrapper": True}


class CompiledKernel(CPUDispatcher):
    """Kernel that Python calls; kernels that call it use its part."""

    has_parts = True

    def __init__(self, function, targetoptions):
        super().__init__(function, {}, targetoptions, pipeline_class=Passes)

    @cached_property
    def part(self):
        """The function as other kernels call it."""
        options = self.targetoptions | {"no_cpython_wrapper": True}
        arguments = {"targetoptions": options, "pipeline_class": Translation}
        return kept(KernelPart(self.py_func, **arguments))

    @property
    def _numba_type_(self):
        return (
            self.part._numba_type_ if CompiledKernel.has_parts else super()._numba_type_
        )

    def compile(self, sig):
        """Compile the function for argument types."""
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
            except Exception:  # The parts were not the cause.
                CompiledKernel.has_parts = True
                raise


@contextmanager
def interrupted_later():
    """Context that defers Ctrl-C to its end, because exceptions in functions that LLVM
    calls are lost. A second Ctrl-C is raised at once."""
    pressed, handler = [], signal.getsignal(signal.SIGINT)

    def defer(number, frame):
        if pressed:
            handler(number, frame)
        pressed.append((number, frame))

    main = threading.current_thread() is threading.main_thread()
    if not (main and callable(handler)):
        yield
        return
    signal.signal(signal.SIGINT, defer)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
        if pressed:
            handler(*pressed[0])


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
    """Function that kernels call."""

    def enable_caching(self):
        """Cache the translation on disk."""
        self._cache = PartCache(self.py_func)

    def get_call_template(self, args, kws):
        """Types of a call, without literal types, each of which would be translated
        separately."""
        kws = {name: types.unliteral(kind) for name, kind in dict(kws).items()}
        return super().get_call_template(tuple(map(types.unliteral, args)), kws)

    def add_overload(self, result):
        """Register a translation by name; Numba uses the address, which a part does not
        have."""
        name, descriptor = result.fndesc.mangled_name, result.fndesc
        argument_types = tuple(result.signature.args)
        self.overloads[argument_types] = result._replace(entry_point=name)
        self.targetctx.insert_user_function(name, descriptor, [result.library])


class FastFlags(Flags):
    """Options of a compilation, which are compared some ten thousand times."""

    __slots__ = ()

    def __hash__(self):
        return 0

    def __eq__(self, other):
        return self._values == other._values


class Passes(Compiler):
    """Compiler with the passes of Numba that kernels need."""

    def __init__(self, *args):
        super().__init__(*args)
        if CompiledKernel.has_parts:
            self.state.flags = FastFlags(self.state.flags)

    def define_pipelines(self):
        """Add the passes in order."""
        if not CompiledKernel.has_parts:
            return super().define_pipelines()
        passes = PassManager("kernel")
        for compiler_pass in PASSES:
            passes.add_pass(compiler_pass, compiler_pass.name())
        passes.finalize()
        if self.state.library is None:
            name = self.state.func_id.func_qualname
            self.state.library = Code(self.state.targetctx.codegen(), name)
            self.state.library.enable_object_caching()
        return [passes]


class Translation(Passes):
    """Compiler up to LLVM's instructions."""

    def define_pipelines(self):
        """Add the passes, with a library that is not compiled to machine code."""
        self.state.flags.no_compile = True
        codegen = self.state.targetctx.codegen()
        name = self.state.func_id.func_qualname
        self.state.library = Instructions(codegen, name)
        return super().define_pipelines()


class Code(JITCodeLibrary):
    """Machine code of a function and its callees."""

    def _optimize_functions(self, module):
        """Run only LLVM's quick passes over functions before linking; all passes
        follow."""
        if not hasattr(self._codegen, "_pass_builder"):  # Not in the first versions.
            return super()._optimize_functions(module)
        module.data_layout = self._codegen._data_layout
        passes, builder = self._codegen._function_pass_manager(opt=1)
        for function in module.functions:
            if not function.is_declaration:
                passes.run(function, builder)


class Instructions(Code):
    """LLVM's instructions of a function and its callees. Each function has been through
    LLVM's function passes, which remove reference counts from loops."""

    def finalize(self):
        """Link the callees with their callers."""
        for library in dict.fromkeys(self._linking_libraries):
            if hasattr(self, "_reload_init"):  # Not in the first versions.
                self._reload_init.update(library._reload_init)
            module = library._get_module_for_linking()
            self._final_module.link_in(module, preserve=True)
        self._finalized = True


class PartFile(CompileResultCacheImpl):
    """File of a part, next to that of the kernel of the same function."""

    def get_filename_base(self, fullname, abiflags):
        """Name of the file, without suffix."""
        return super().get_filename_base(fullname, abiflags) + "-part"

    def reduce(self, result):
        """Data to write to the file."""
        library, descriptor = result.library, result.fndesc
        descriptor.typemap = descriptor.calltypes = None
        module = library._get_module_for_linking().as_bitcode()
        return library.name, module, descriptor, result.signature

    def rebuild(self, target_context, payload):
        """Part, given the data of the file."""
        name, module, descriptor, signature = payload
        library = Instructions(target_context.codegen(), name)
        library._final_module, library._finalized = parse_bitcode(module), True
        fields = {"library": library, "fndesc": descriptor, "signature": signature}
        return CompileResult(**dict.fromkeys(CompileResult._fields) | fields)


class PartCache(FunctionCache):
    """Disk cache of the parts of a function."""

    _impl_class = PartFile
