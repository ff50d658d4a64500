import os
import signal
import threading

import numpy as np
import pytest

from skdgm.utils import interrupts, parallel, pool, threads
from skdgm.utils.interrupts import Held
from skdgm.utils.parallel import at_once, limit, run
from skdgm.utils.pool import Task, together
from skdgm.utils.threads import one_blas_thread
from tests.interrupts import at_every_instruction, no_hanging

LARGE = 1e9


def press():
    os.kill(os.getpid(), signal.SIGINT)


def test_a_ctrl_c_waits_for_the_end():
    reached = []

    def call():
        with Held():
            press()
            with Held():
                reached.append("within")
            reached.append("the end")

    with pytest.raises(KeyboardInterrupt):
        call()
    assert reached == ["within", "the end"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_handlers_are_told_where_it_came():
    told, before = [], signal.getsignal(signal.SIGINT)
    signal.signal(signal.SIGINT, lambda number, frame: told.append(frame))
    try:
        with Held():
            press()
    finally:
        signal.signal(signal.SIGINT, before)
    assert [frame.f_code.co_filename for frame in told] == [__file__]


def test_a_second_one_does_not_wait():
    def call():
        with Held():
            press()
            press()
            raise AssertionError

    with pytest.raises(KeyboardInterrupt):
        call()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_nor_does_any_where_the_context_is_lifted():
    def call():
        with Held() as held, held.lifted():
            press()
            raise AssertionError

    with pytest.raises(KeyboardInterrupt):
        call()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.parametrize("handler", [signal.SIG_IGN, signal.SIG_DFL])
def test_handlers_that_are_not_pythons_are_left_alone(handler):
    before = signal.signal(signal.SIGINT, handler)
    try:
        with Held():
            assert signal.getsignal(signal.SIGINT) is handler
    finally:
        signal.signal(signal.SIGINT, before)


def test_other_threads_are_left_alone():
    def work():
        with Held():
            found.append(signal.getsignal(signal.SIGINT))

    found = []
    other = threading.Thread(target=work)
    other.start()
    other.join()
    assert found == [signal.default_int_handler]


def fill(out, start, stop):
    out[start:stop] += 1


def test_no_interrupt_of_tasks_leaves_a_lock_or_a_caller():
    made = []

    def call():
        made[:] = [Task(fill, np.zeros(4), i, i + 1) for i in range(3)]
        together(made, n_threads=2)

    for n in at_every_instruction(call, pool, interrupts):
        assert not pool._callers.lock.locked()
        assert pool._callers.n == 0, n
        for task in made:
            # What a thread has begun has come to its end.
            assert task.signal[0] == task.taken.locked(), n
        out = np.zeros(4)
        with no_hanging():
            together([Task(fill, out, i, i + 1) for i in range(4)], n_threads=2)
        np.testing.assert_array_equal(out, 1)


def test_no_interrupt_of_a_plan_leaves_it():
    def call():
        with at_once(work=LARGE):
            run(fill, np.zeros(2), n=2, work=LARGE)

    with limit(2):
        for n in at_every_instruction(call, parallel, interrupts):
            assert parallel._plan.calls is None, n


def test_no_interrupt_leaves_blas_with_one_thread():
    def call():
        with one_blas_thread():
            pass

    def blas_threads():
        found = threads._controller().lib_controllers
        return [lib.num_threads for lib in found if lib.user_api == "blas"]

    with threads._controller().limit(limits=2, user_api="blas"):
        assert set(blas_threads()) == {2}
        for n in at_every_instruction(call, threads, interrupts):
            assert not threads._lock.locked(), n
            assert threads._inside == 0, n
            assert set(blas_threads()) == {2}, n
