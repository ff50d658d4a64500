"""How kernels are compiled."""

from functools import cached_property
from pathlib import Path

import numba
import numpy as np
from llvmlite.binding import parse_bitcode
from numba import types
from numba.core.caching import CompileResultCacheImpl, FunctionCache
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import Compiler, CompileResult
from numba.core.registry import CPUDispatcher

_SOURCES = sorted(Path(__file__).parent.glob("*.py"))
# What a compiled kernel on disk must have been made from: all of this folder, as
# kernels call one another. Numba itself looks at one kernel's own file only.
STAMP = tuple((path.stat().st_mtime, path.stat().st_size) for path in _SOURCES)


def kernel(function):
    """Compile a function when it is first called, and keep the result on disk.

    Sums keep the order they are written in; only ``a * b + c`` may become one
    instruction.
    """
    return _compiled(function, {"contract", "nsz"})


def exact(function):
    """As :func:`kernel`, but each operation is rounded, as where NumPy makes it."""
    return _compiled(function, {"nsz"})


def inner(*more):
    """As :func:`kernel`, of what belongs in the midst of others' loops: not a call, but
    a copy of it is there. With "reassoc" its sums may be had in any order."""
    return lambda function: _compiled(
        function, {"contract", "nsz", *more}, forceinline=True
    )


def _compiled(function, fastmath, **options):
    options |= {"nogil": True, "error_model": "numpy", "fastmath": fastmath}
    if numba.config.DISABLE_JIT:
        # What wraps around in machine words is meant to.
        return np.errstate(over="ignore")(function)
    options |= {"nopython": True, "boundscheck": None, "no_cfunc_wrapper": True}
    return _kept(_Kernel(function, targetoptions=options))


def _kept(dispatcher):
    try:
        dispatcher.enable_caching()
    except RuntimeError:  # Nowhere to write: compile anew in each process.
        return dispatcher
    dispatcher._cache._cache_file._source_stamp = STAMP
    return dispatcher


class _Kernel(CPUDispatcher):
    """A function that Python calls. Kernels that call it see its part instead.

    Numba would optimise each function, make machine code of it and write that to disk
    before it does all this again for those that call it, together with it. A part is
    only translated; LLVM sees it once, within the kernel that Python calls.
    """

    @cached_property
    def part(self):
        """The function as others call it."""
        options = self.targetoptions | {"no_cpython_wrapper": True}
        given = {"targetoptions": options, "pipeline_class": _Translation}
        return _kept(_Part(self.py_func, **given))

    @property
    def _numba_type_(self):
        return self.part._numba_type_


class _Part(CPUDispatcher):
    def enable_caching(self):
        self._cache = _PartCache(self.py_func)

    def get_call_template(self, args, kws):
        # A literal is a type of its own, for which all would be compiled once more.
        kws = {name: types.unliteral(kind) for name, kind in dict(kws).items()}
        return super().get_call_template(tuple(map(types.unliteral, args)), kws)

    def add_overload(self, result):
        # Numba looks up by address what is called; this has none.
        name, where = result.fndesc.mangled_name, result.fndesc
        own = tuple(result.signature.args)
        self.overloads[own] = result._replace(entry_point=name)
        self.targetctx.insert_user_function(name, where, [result.library])


class _Translation(Compiler):
    """Numba's passes, up to LLVM's instructions."""

    def define_pipelines(self):
        self.state.flags.no_compile = True
        codegen = self.state.targetctx.codegen()
        name = self.state.func_id.func_qualname
        self.state.library = _Instructions(codegen, name)
        return super().define_pipelines()


class _Instructions(JITCodeLibrary):
    """LLVM's instructions of a function and of those that it calls, as they are."""

    def _optimize_functions(self, ll_module):
        ll_module.data_layout = self._codegen._data_layout

    def finalize(self):
        for library in dict.fromkeys(self._linking_libraries):
            self._reload_init.update(library._reload_init)
            module = library._get_module_for_linking()
            self._final_module.link_in(module, preserve=True)
        self._finalized = True


class _PartFile(CompileResultCacheImpl):
    """A part on disk, beside the kernel that is the same function."""

    def get_filename_base(self, fullname, abiflags):
        return super().get_filename_base(fullname, abiflags) + "-part"

    def reduce(self, result):
        library, where = result.library, result.fndesc
        where.typemap = where.calltypes = None
        module = library._get_module_for_linking().as_bitcode()
        return library.name, module, where, result.signature

    def rebuild(self, target_context, payload):
        name, module, where, signature = payload
        library = _Instructions(target_context.codegen(), name)
        library._final_module, library._finalized = parse_bitcode(module), True
        found = {"library": library, "fndesc": where, "signature": signature}
        return CompileResult(**dict.fromkeys(CompileResult._fields) | found)


class _PartCache(FunctionCache):
    _impl_class = _PartFile
