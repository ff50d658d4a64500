"""Measurements in a process of its own, of another interpreter if a rival needs it.

Nothing but the standard library is imported, which is all that interpreters share.
"""

import json
import os
import subprocess
import sys
import time
from contextlib import redirect_stdout

_THREADS = "NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"
# Where set, these slow a rival's BLAS.
_SLOWING = "OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"


def asked(script, n_threads, python=None, **options):
    """Read what a script prints as JSON, given options of its command line, with a
    number of threads; by this Python unless another one is given."""
    command = [python or sys.executable, script]
    for name, value in options.items():
        command += [f"--{name}", value]
    environment = {key: own for key, own in os.environ.items() if key not in _SLOWING}
    environment |= dict.fromkeys(_THREADS, str(n_threads))
    own = {"env": environment, "stdout": subprocess.PIPE, "text": True, "check": True}
    return json.loads(subprocess.run(list(map(str, command)), **own).stdout)


def epochs(fit, *given):
    """Seconds of each epoch of a fit that prints a line with its time after each."""
    clock = _Clock()
    with redirect_stdout(clock):
        fit(*given)
    return clock.seconds


class _Clock:
    """Text stream that notes when lines of epochs come."""

    def __init__(self):
        self.seconds, self.start = [], time.perf_counter()

    def write(self, line):
        """Note the seconds since the line before."""
        if "time" in line:
            now = time.perf_counter()
            self.seconds.append(now - self.start)
            self.start = now

    def flush(self):
        """Do nothing."""
