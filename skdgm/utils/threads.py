"""Hold BLAS to one thread, so that results do not depend on the thread count.

OpenBLAS splits a product differently for different thread counts and so rounds
differently: of 432 products of the sizes that occur here, 151 differed between one
thread and two. The limit is a property of the process, hence the counter: where
several fits run in threads, the last to leave lifts it.
"""

import threading
from contextlib import contextmanager
from functools import cache

import numpy  # noqa: F401  Its BLAS must be loaded before it can be found.
from threadpoolctl import ThreadpoolController

_lock = threading.Lock()
_inside = 0
_limiter = None


@contextmanager
def one_blas_thread():
    """Context in which every BLAS of the process uses one thread."""
    global _inside, _limiter
    with _lock:
        if _inside == 0:
            _take_over()
            _limiter = _controller().limit(limits=1, user_api="blas")
        _inside += 1
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if _inside == 0:
                _take_over()
                _limiter.restore_original_limits()
                _take_over()


@cache
def _controller():
    """Looking for the loaded libraries takes milliseconds: once is enough."""
    return ThreadpoolController()


def _take_over():
    """Let this thread set limits: threadpoolctl reserves that to the first one."""
    for library in _controller().lib_controllers:
        if hasattr(library, "clear_controlling_thread"):
            library.clear_controlling_thread(force=True)
