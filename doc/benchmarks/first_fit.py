"""Seconds of a first fit and score of the digits: kernels compiled, then from disk.

    python doc/benchmarks/first_fit.py BernoulliRBM DBNClassifier

Each estimator is fitted in two processes, with an empty folder for Numba's cache before
the first; processor time of all threads is beside. Importing skdgm does not count.
"""

import os
import subprocess
import sys
import tempfile

SCRIPT = """
import sys
import time

from sklearn.datasets import load_digits

import skdgm

X, y = load_digits(return_X_y=True)
X, model = X / 16, getattr(skdgm, sys.argv[1])(random_state=0)
labels = {"y": y} if hasattr(model, "predict") else {}
for step in model.fit, model.score:
    start, cpu = time.perf_counter(), time.process_time()
    step(X, **labels)
    seconds = time.perf_counter() - start, time.process_time() - cpu
    print("{:.1f} | {:.1f} | ".format(*seconds), end="", flush=True)
"""

print("| | fit | cpu | score | cpu | fit, from disk | cpu | score | cpu |")
print("|---|---|---|---|---|---|---|---|---|")
for name in sys.argv[1:]:
    print(f"| {name} | ", end="", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(2):
            subprocess.run(
                [sys.executable, "-W", "ignore", "-c", SCRIPT, name],
                env=os.environ | {"NUMBA_CACHE_DIR": folder},
                check=True,
            )
    print()
