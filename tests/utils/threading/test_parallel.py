import os
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from skdgm._kernels.compiler.jit import kernel
from skdgm._kernels.compiler.shares import made, take
from skdgm._kernels.machines.bernoulli import mean
from skdgm.utils.threading import parallel, pool
from skdgm.utils.threading.parallel import Pace, at_once, limit, n_threads, run, share

LARGE = 1e9


def fill(out, start, stop):
    out[start:stop] = np.arange(start, stop)


@pytest.mark.parametrize("threads", [1, 2, 4])
@pytest.mark.parametrize("n", [1, 2, 3, 100])
def test_every_row_is_worked_on(threads, n):
    out = np.full(n, -1)
    with limit(threads):
        run(fill, out, n=n, work=LARGE)
    np.testing.assert_array_equal(out, np.arange(n))


@kernel
def fill_pieces(out, counts):
    number = take(counts, len(out))
    while number < len(out):
        out[number] += number
        made(counts)
        number = take(counts, len(out))


@pytest.mark.parametrize("threads", [1, 2, 4])
@pytest.mark.parametrize("n", [1, 2, 3, 100])
def test_every_piece_is_made_once(threads, n):
    with limit(threads):
        for _ in range(20):
            out = np.zeros(n, np.int64)
            share(fill_pieces, out, n=n, work=LARGE)
            np.testing.assert_array_equal(out, np.arange(n))


def test_helpers_outlive_a_lack_of_memory():
    out, alone = np.zeros(10, np.int64), threading.get_ident()
    called = threading.Event()

    def greedy(out, counts):
        if threading.get_ident() != alone:
            called.set()
            raise MemoryError
        called.wait(10)
        fill_pieces(out, counts)

    with limit(2):
        share(greedy, out, n=10, work=LARGE)
        np.testing.assert_array_equal(out, np.arange(10))
        helpers = threading.active_count()
        called.clear()
        share(greedy, np.zeros(10, np.int64), n=10, work=LARGE)
        assert called.is_set()
        assert threading.active_count() == helpers


def test_no_piece_waits_for_a_helper_that_comes_late(monkeypatch):
    came = threading.Event()

    class Late(pool._Call):
        def work(self):
            came.wait()
            super().work()

    monkeypatch.setattr(pool, "_Call", Late)
    out = np.zeros(10, np.int64)
    with limit(2):
        share(fill_pieces, out, n=10, work=LARGE)
    np.testing.assert_array_equal(out, np.arange(10))
    came.set()


def test_work_that_is_not_worth_it_stays_where_it_is():
    seen = []

    def note(start, stop):
        seen.append((start, stop, threading.get_ident()))

    with limit(4):
        run(note, n=10, work=10)
        with at_once(work=20):
            run(note, n=3, work=10)
    assert seen == [(0, n, threading.get_ident()) for n in (10, 3)]


def test_errors_come_back():
    def fail(start, stop):
        raise KeyError(start)

    with limit(2), pytest.raises(KeyError):
        run(fail, n=2, work=LARGE)
    out = np.empty(2)
    with limit(2):
        run(fill, out, n=2, work=LARGE)
    np.testing.assert_array_equal(out, [0, 1])


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_at_once(threads):
    a, b, c = np.zeros(10), np.zeros(7), np.zeros(10)
    with limit(threads):
        with at_once(work=LARGE):
            run(fill, a, n=10, work=LARGE)
            run(fill, b, n=7, work=LARGE)
        with at_once(work=1):
            run(fill, c, n=10, work=LARGE)
    np.testing.assert_array_equal(a, np.arange(10))
    np.testing.assert_array_equal(b, np.arange(7))
    np.testing.assert_array_equal(c, np.arange(10))


def test_what_was_put_off_is_dropped_on_an_error():
    out = np.zeros(2)

    def fail():
        with at_once(work=LARGE):
            run(fill, out, n=2, work=LARGE)
            raise ZeroDivisionError

    with limit(2), pytest.raises(ZeroDivisionError):
        fail()
    np.testing.assert_array_equal(out, [0, 0])
    with limit(2):
        run(fill, out, n=2, work=LARGE)
    np.testing.assert_array_equal(out, [0, 1])


def test_callers_in_threads_do_not_disturb_one_another():
    eta = np.random.default_rng(0).normal(size=(200, 300))
    expected, found = np.empty_like(eta), [np.empty_like(eta) for _ in range(4)]
    mean(eta, expected, 0, len(eta))

    def work(out):
        for _ in range(50):
            run(mean, eta, out, n=len(eta), work=LARGE)

    with limit(2):
        threads = [threading.Thread(target=work, args=(out,)) for out in found]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    for out in found:
        np.testing.assert_array_equal(out, expected)


CODE = "from skdgm.utils.threading.parallel import n_threads; print(n_threads())"


@pytest.mark.exhaustive
def test_the_environment_may_ask_for_fewer_threads():
    found = subprocess.run(
        [sys.executable, "-c", CODE],
        env={**os.environ, "NUMBA_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.strip() == "1"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no processes to fork here")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_forked_process_has_threads_of_its_own():
    out = np.zeros(4)
    with limit(2):
        run(fill, out, n=4, work=LARGE)
        process = os.fork()
        if process == 0:
            out = np.zeros(4)
            run(fill, out, n=4, work=LARGE)
            os._exit(0 if (out == np.arange(4)).all() else 1)
        _, status = os.waitpid(process, 0)
    assert os.waitstatus_to_exitcode(status) == 0


def test_how_many_threads():
    assert n_threads() >= 1
    with limit(3):
        assert n_threads() == 3


def drive(watch, monkeypatch, cost, n_calls):
    """How often help was asked for, if work takes ``cost[helped]`` seconds."""
    helped_calls = 0
    for _ in range(n_calls):
        helped = watch.begin()
        monkeypatch.setattr(time, "perf_counter", lambda helped=helped: cost[helped])
        watch.end(0.0, 1.0)
        helped_calls += helped
    return helped_calls


@pytest.mark.parametrize("period", [1, 5])
def test_the_quicker_way_is_taken_and_the_other_tried_now_and_then(monkeypatch, period):
    n = 10 * parallel._TRY
    found = drive(Pace(period), monkeypatch, {True: 1.0, False: 2.0}, n * period)
    assert n - 12 <= found / period <= n - 9
    found = drive(Pace(period), monkeypatch, {True: 2.0, False: 1.0}, n * period)
    assert 9 <= found / period <= 12


def test_it_notices_when_things_change(monkeypatch):
    watch = Pace(1)
    drive(watch, monkeypatch, {True: 1.0, False: 2.0}, 100)
    n = 1000
    assert drive(watch, monkeypatch, {True: 5.0, False: 2.0}, n) < 0.15 * n
    assert drive(watch, monkeypatch, {True: 1.0, False: 2.0}, n) > 0.7 * n


def test_threads_that_share_a_pace_do_not_stop_it(monkeypatch):
    """Where one is interrupted by another as it has counted a call."""
    watch, own = Pace(1), threading.local()

    class Work(float):
        def __float__(self):
            if not hasattr(own, "inside"):
                own.inside = True
                watch.end(0.0, 1.0)
                del own.inside
            return 1.0

    watch.end(0.0, Work())
    n = drive(watch, monkeypatch, {True: 2.0, False: 1.0}, 1000)
    assert n < 100
