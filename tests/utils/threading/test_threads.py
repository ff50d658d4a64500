import contextlib
import os
import signal
import sys
import threading
import time

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from skdgm.utils.threading import parallel, pool, threads
from skdgm.utils.threading.parallel import at_once, limit, run
from skdgm.utils.threading.pool import Task, together
from skdgm.utils.threading.threads import DeferredInterrupt, one_blas_thread
from tests.forking import in_child
from tests.interrupts import at_every_instruction, no_hanging

LARGE = 1e9


def blas_threads():
    return {
        lib["num_threads"] for lib in threadpool_info() if lib["user_api"] == "blas"
    }


@pytest.fixture(autouse=True)
def two_threads():
    with threadpool_limits(2, user_api="blas"):
        yield


def test_holds_and_lets_go():
    before = blas_threads()
    with one_blas_thread(), one_blas_thread():
        assert blas_threads() == {1}
    assert blas_threads() == before


def test_blas_may_raise_the_flag_of_invalid_values():
    infinite = np.full(3, np.inf)
    with one_blas_thread(), one_blas_thread():
        assert np.isnan(infinite - infinite).all()
    with pytest.warns(RuntimeWarning, match="invalid"):
        infinite - infinite


def test_lets_go_after_an_error():
    before = blas_threads()
    with pytest.raises(KeyError), one_blas_thread():
        raise KeyError
    assert blas_threads() == before


def test_the_last_thread_to_leave_lets_go():
    before, entered, leave = blas_threads(), threading.Event(), threading.Event()

    def stay():
        with one_blas_thread():
            entered.set()
            leave.wait(10)

    other = threading.Thread(target=stay)
    other.start()
    entered.wait(10)
    with one_blas_thread():
        pass
    assert blas_threads() == {1}
    leave.set()
    other.join()
    assert blas_threads() == before


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no processes to fork here")
def test_a_forked_process_knows_only_the_thread_that_forked():
    before, entered, leave = blas_threads(), threading.Event(), threading.Event()

    def stay():
        with one_blas_thread():
            entered.set()
            leave.wait(10)

    def in_none():
        assert blas_threads() == before
        with one_blas_thread():
            assert blas_threads() == {1}
        assert blas_threads() == before

    def in_one():
        assert blas_threads() == {1}
        with one_blas_thread():
            pass
        assert blas_threads() == {1}
        assert threads._inside == 1

    other = threading.Thread(target=stay)
    other.start()
    entered.wait(10)
    assert in_child(in_none) == 0
    with one_blas_thread():
        assert in_child(in_one) == 0
    leave.set()
    other.join()
    assert blas_threads() == before


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no processes to fork here")
def test_a_forked_process_inherits_no_lock():
    locked = threading.Event()

    def hold():
        with threads._lock:
            locked.set()
            time.sleep(0.05)

    def enter():
        with one_blas_thread():
            pass

    other = threading.Thread(target=hold)
    other.start()
    locked.wait(10)
    assert in_child(enter) == 0
    other.join()


def press():
    os.kill(os.getpid(), signal.SIGINT)


def test_a_ctrl_c_waits_for_the_end():
    reached = []

    def call():
        with DeferredInterrupt():
            press()
            with DeferredInterrupt():
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
        with DeferredInterrupt():
            press()
    finally:
        signal.signal(signal.SIGINT, before)
    assert [frame.f_code.co_filename for frame in told] == [__file__]


def test_a_second_one_does_not_wait():
    def call():
        with DeferredInterrupt():
            press()
            press()
            raise AssertionError

    with pytest.raises(KeyboardInterrupt):
        call()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_nor_does_any_where_the_context_is_lifted():
    def call():
        with DeferredInterrupt() as held, held.lifted():
            press()
            raise AssertionError

    with pytest.raises(KeyboardInterrupt):
        call()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.parametrize("handler", [signal.SIG_IGN, signal.SIG_DFL])
def test_handlers_that_are_not_pythons_are_left_alone(handler):
    before = signal.signal(signal.SIGINT, handler)
    try:
        with DeferredInterrupt():
            assert signal.getsignal(signal.SIGINT) is handler
    finally:
        signal.signal(signal.SIGINT, before)


def test_other_threads_are_left_alone():
    def work():
        with DeferredInterrupt():
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

    for n in at_every_instruction(call, pool, threads):
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
        for n in at_every_instruction(call, parallel, threads):
            assert parallel._plan.calls is None, n


def test_a_brief_context_defers_ctrl_c_to_its_end():
    before, reached = blas_threads(), []

    def call():
        with one_blas_thread(brief=True):
            press()
            reached.append(blas_threads())

    with pytest.raises(KeyboardInterrupt):
        call()
    assert reached == [{1}]
    assert blas_threads() == before


def test_a_library_with_one_thread_is_left_alone(monkeypatch):
    changed = []
    monkeypatch.setattr(threads, "_set", lambda *args: changed.append(args))
    with threadpool_limits(1, user_api="blas"), one_blas_thread():
        pass
    assert not changed


@pytest.mark.exhaustive(default=["-1"])
@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("pressed", [False, True])
@pytest.mark.parametrize("brief", [False, True])
def test_no_interrupt_leaves_blas_with_one_thread(brief, pressed, times):
    """Nor does a second one, where the context ends by the first."""
    kept = []

    def call():
        with contextlib.ExitStack() as stack:
            # As a traceback does that somebody looks at.
            stack.callback(lambda: kept.append(sys.exc_info()))
            with one_blas_thread(brief):
                if pressed:
                    press()

    def blas_threads():
        found = threads._controller().lib_controllers
        return [lib.num_threads for lib in found if lib.user_api == "blas"]

    with threads._controller().limit(limits=2, user_api="blas"):
        assert set(blas_threads()) == {2}
        for n in at_every_instruction(call, threads, times=times):
            assert not threads._lock.locked(), n
            assert threads._inside == 0, n
            assert set(blas_threads()) == {2}, n
