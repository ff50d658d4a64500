import os
import subprocess
import sys
from pathlib import Path

import numba
import numpy as np
import pytest

from skdgm._kernels import bernoulli, jit

HERE = Path(__file__).parent


@pytest.mark.skipif(numba.config.DISABLE_JIT, reason="nothing is compiled")
def test_what_is_on_disk_is_as_old_as_any_kernel():
    # A private attribute: if Numba renames it, what calls a kernel that has changed
    # would not be compiled anew.
    assert bernoulli.mean._cache._cache_file._source_stamp == jit.STAMP
    assert len(jit.STAMP) == len(list(Path(jit.__file__).parent.glob("*.py")))


@pytest.mark.skipif(numba.config.DISABLE_JIT, reason="this is that run")
def test_kernels_run_as_plain_python():
    files = sorted(str(path) for path in HERE.glob("test_*.py"))
    found = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *files],
        env={**os.environ, "NUMBA_DISABLE_JIT": "1"},
        capture_output=True,
        text=True,
        cwd=HERE.parents[1],
    )
    assert found.returncode == 0, found.stdout[-3000:] + found.stderr[-3000:]


@pytest.mark.skipif(numba.config.DISABLE_JIT, reason="nothing is compiled")
def test_what_a_kernel_calls_is_compiled_within_it_alone(monkeypatch):
    def refuse(self):
        raise RuntimeError

    monkeypatch.setattr(jit._Kernel, "enable_caching", refuse)
    monkeypatch.setattr(jit._Part, "enable_caching", refuse)

    @jit.kernel
    def twice(x):
        return x + x

    @jit.kernel
    def much(x):
        return twice(x) + twice(np.float32(x))

    assert much(3) == 12
    assert not twice.signatures
    assert len(twice.part.signatures) == 2
    assert twice(np.float32(1.5)) == 3
    assert len(twice.signatures) == 1
