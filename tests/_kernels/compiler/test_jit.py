import gc
import os
import runpy
import subprocess
import sys
from pathlib import Path

import numba
import numpy as np
import pytest
from numba.core.registry import CPUDispatcher

from skdgm._kernels.compiler import disk, jit, parts
from skdgm._kernels.machines import bernoulli

HERE = Path(__file__).parent.parent

compiled = pytest.mark.skipif(numba.config.DISABLE_JIT, reason="nothing is compiled")


@compiled
def test_what_is_on_disk_is_as_old_as_any_kernel():
    # A private attribute: if Numba renames it, what calls a kernel that has changed
    # would not be compiled anew.
    assert bernoulli.mean._cache._cache_file._source_stamp == disk.STAMP
    assert len(disk.STAMP) == len(list(Path(disk.__file__).parent.parent.rglob("*.py")))


def run_kernels(*options, pattern="test_*.py", **environment):
    """Run the tests of kernels in another process, without plugins that others have
    installed, whose warnings would be errors."""
    files = sorted(str(path) for path in HERE.rglob(pattern))
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-m", ""]
    command += ["-p", "no:cacheprovider"]
    found = subprocess.run(
        [*command, *options, *files],
        env=os.environ | environment | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        cwd=HERE.parents[1],
    )
    assert found.returncode == 0, found.stdout[-3000:] + found.stderr[-3000:]


@pytest.mark.release
@pytest.mark.skipif(numba.config.DISABLE_JIT, reason="this is that run")
def test_kernels_run_as_plain_python():
    run_kernels(NUMBA_DISABLE_JIT="1")


@pytest.mark.exhaustive
@compiled
def test_epochs_run_as_plain_python():
    run_kernels(NUMBA_DISABLE_JIT="1", pattern="test_epochs.py")


@pytest.mark.release
@compiled
@pytest.mark.skipif(bool(numba.config.BOUNDSCHECK), reason="this is that run")
def test_kernels_stay_within_their_arrays(tmp_path, request):
    # As plain Python, an index before the beginning would be one from the end. Compiled
    # anew, in one type, and kept for the next time where there is a place for it.
    cache = getattr(request.config, "cache", None)
    folder = cache.mkdir("checked-kernels") if cache else tmp_path
    run_kernels(
        *("-k", "not float64 and not test_jit and not test_cache or beyond"),
        NUMBA_BOUNDSCHECK="1",
        NUMBA_CACHE_DIR=str(folder),
    )


@pytest.mark.skipif(not numba.config.BOUNDSCHECK, reason="bounds are not checked")
@pytest.mark.parametrize("place", [3, -4, np.uint64(7)])
def test_places_beyond_an_array_are_errors(no_disk, place):
    @jit.kernel
    def at(x, place):
        return x[place]

    @jit.kernel
    def twice(x, place):
        return 2 * at(x, place)

    with pytest.raises(IndexError):
        twice(np.zeros(3), place)


def pair():
    """Two kernels, of which the second calls the first."""

    @jit.kernel
    def twice(x):
        return x + x

    @jit.kernel
    def much(x):
        return twice(x) + twice(np.float32(x))

    return twice, much


@pytest.fixture
def no_disk(monkeypatch):
    """Compile anew."""

    def refuse(self):
        raise RuntimeError

    monkeypatch.setattr(CPUDispatcher, "enable_caching", refuse)
    monkeypatch.setattr(parts.KernelPart, "enable_caching", refuse)


@compiled
def test_what_a_kernel_calls_is_compiled_within_it_alone(no_disk):
    twice, much = pair()
    assert much(3) == 12
    assert not twice.signatures
    assert len(twice.part.signatures) == 2
    assert twice(np.float32(1.5)) == 3
    assert len(twice.signatures) == 1


@compiled
def test_no_garbage_is_collected_while_a_kernel_is_compiled(no_disk, monkeypatch):
    run, found = parts.Passes.define_pipelines, []

    def note(self):
        found.append(gc.isenabled())
        return run(self)

    monkeypatch.setattr(parts.Passes, "define_pipelines", note)
    _, much = pair()
    assert much(3) == 12
    assert found == [False] * 3
    assert gc.isenabled()


@compiled
def test_what_follows_from_the_length_of_a_tuple_is_left_out(no_disk):
    @jit.kernel
    def first(x, more):
        if len(more) > 0 and x[0] > 0:
            return more[0][0]
        return x[0]

    assert first(np.ones(1), ()) == 1
    assert first(np.ones(1), (np.zeros(1),)) == 0
    assert len(first.signatures) == 2


@compiled
def test_kernels_are_compiled_without_parts_where_these_fail(no_disk, monkeypatch):
    def fail(self):
        raise AttributeError("another version of Numba")

    monkeypatch.setattr(parts.Instructions, "finalize", fail)
    monkeypatch.setattr(parts.CompiledKernel, "has_parts", True)
    twice, much = pair()
    assert much(3) == 12
    assert len(twice.signatures) == 2
    assert not parts.CompiledKernel.has_parts


@compiled
def test_a_kernel_that_cannot_be_compiled_leaves_others_their_parts(no_disk):
    twice, much = pair()
    with pytest.raises(numba.errors.TypingError):
        much("a")
    assert parts.CompiledKernel.has_parts
    assert much(3) == 12
    assert not twice.signatures


@compiled
def test_kernels_without_parts_are_those_of_numba(no_disk, monkeypatch):
    monkeypatch.setattr(jit, "CompiledKernel", None)
    twice, much = pair()
    assert much(3) == 12
    assert type(much) is CPUDispatcher
    assert len(twice.signatures) == 2


@compiled
def test_parts_are_not_for_versions_of_numba_that_are_not_tested(monkeypatch):
    later = numba.version_info._replace(short=(99, 0))
    monkeypatch.setattr(numba, "version_info", later)
    with pytest.raises(ImportError):
        runpy.run_path(parts.__file__)


@pytest.mark.parametrize("error", [AttributeError, ImportError])
def test_what_another_version_compiled_is_compiled_again(error):
    def load():
        raise error

    assert disk._index(load) == {}
    assert disk._index(lambda: {"a": 1}) == {"a": 1}
