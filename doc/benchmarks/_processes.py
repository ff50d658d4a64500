"""Measurements in a process of its own, of another interpreter if a rival needs it.

Nothing but the standard library is imported, which is all that interpreters share.
"""

import json
import os
import subprocess
import sys
import time

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


def epochs(estimator, *given):
    """Seconds of each epoch of a fit."""
    clock = _Clock()
    estimator.set_callbacks(clock).fit(*given)
    return clock.seconds


class _Clock:
    """Callback that notes when epochs end."""

    def __init__(self):
        self.seconds, self.start = [], time.perf_counter()

    def setup(self, estimator, context):
        """Do nothing."""

    teardown = on_fit_task_begin = setup

    def on_fit_task_end(self, estimator, context, **data):
        """Note the seconds since the epoch before."""
        if context.parent is not None:
            now = time.perf_counter()
            self.seconds.append(now - self.start)
            self.start = now
