import os
import threading
import time
import weakref

import numpy as np
import pytest
from numba.core.compiler_lock import global_compiler_lock

from skdgm.utils.threading.pool import Task, together
from tests.forking import in_child


def test_does_each_task_once():
    done = np.zeros(20)

    def add(i):
        done[i] += 1

    together([Task(add, i) for i in range(20)], n_threads=2)
    np.testing.assert_array_equal(done, 1)


def test_tells_of_what_a_task_raised():
    with pytest.raises(ZeroDivisionError, match="by zero"):
        together([Task(divmod, 1, 0), Task(divmod, 1, 1)], n_threads=2)


def test_waits_for_all_tasks_where_one_fails():
    done = []

    def fails():
        time.sleep(0.02)
        raise ValueError("broken")

    def takes_longer():
        time.sleep(0.1)
        done.append(True)

    with pytest.raises(ValueError, match="broken"):
        together([Task(fails), Task(takes_longer)], n_threads=2)
    assert done == [True]


def test_a_task_done_keeps_no_arrays():
    # A helper that comes late has it in its queue for long.
    array = np.zeros(9)
    seen, task = weakref.ref(array), Task(array.sum)
    del array
    assert seen() is not None
    task.work()
    assert seen() is None
    task.work()
    task.wait()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no processes to fork here")
def test_a_forked_process_may_compile():
    compiling = threading.Event()

    def hold():
        with global_compiler_lock:
            compiling.set()
            time.sleep(0.05)

    def take():
        with global_compiler_lock:
            pass

    other = threading.Thread(target=hold)
    other.start()
    compiling.wait(10)
    assert in_child(take) == 0
    other.join()
