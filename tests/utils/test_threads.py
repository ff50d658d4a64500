import os
import threading
import time

import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from skdgm.utils import threads
from skdgm.utils.threads import one_blas_thread
from tests.forking import in_child


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
