import weakref

import numpy as np
import pytest

from skdgm.utils.pool import Task, together


def test_does_each_task_once():
    done = np.zeros(20)

    def add(i):
        done[i] += 1

    together([Task(add, i) for i in range(20)], n_threads=2)
    np.testing.assert_array_equal(done, 1)


def test_tells_of_what_a_task_raised():
    with pytest.raises(ZeroDivisionError):
        together([Task(divmod, 1, 0), Task(divmod, 1, 1)], n_threads=2)


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
