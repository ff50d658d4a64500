"""A kernel from the cache on disk computes what the one just compiled did, to the bit.

A function that kernels call may be in a process more than once: on its own, and within
each kernel. Where LLVM may choose which of two products becomes part of a fused
operation, these may differ; so such a function is `inner`.
"""

import os
import subprocess
import sys

import numba
import pytest

SCRIPT = """
import numpy as np
from skdgm.couplings import Contrast, Weights

rng = np.random.RandomState(0)
W, u, X, Y = (
    rng.normal(size=shape).astype(np.float32)
    for shape in ((64, 90), (64, 90), (2, 10, 64), (2, 10, 90))
)
weights, velocity = Weights.of(W), Weights.of(u)
grad = Contrast(X[0], Y[0], X[1], Y[1])
for _ in range(50):
    grad.ascend(weights, velocity, rate=0.07, momentum=0.5, l1=1e-4, l2=1e-4)
print(weights.W.tobytes().hex(), velocity.W.tobytes().hex())
"""


@pytest.mark.release
@pytest.mark.skipif(numba.config.DISABLE_JIT, reason="nothing is compiled")
def test_cached_kernels_compute_what_new_ones_do(tmp_path):
    environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)}
    command = [sys.executable, "-c", SCRIPT]
    first, second = (
        subprocess.run(
            command, env=environment, capture_output=True, text=True, check=True
        ).stdout
        for _ in range(2)
    )
    assert first == second
