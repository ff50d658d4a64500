import time

from skdgm.utils import pace
from skdgm.utils.pace import Pace


def drive(watch, monkeypatch, cost, n_calls):
    """How often help was asked for, if work takes ``cost[helped]`` seconds."""
    helped_calls = 0
    for _ in range(n_calls):
        helped = watch.begin()
        monkeypatch.setattr(time, "perf_counter", lambda helped=helped: cost[helped])
        watch.end(helped, 0.0, 1.0)
        helped_calls += helped
    return helped_calls


def test_the_quicker_way_is_taken_and_the_other_tried_now_and_then(monkeypatch):
    n = 10 * pace._TRY
    assert drive(Pace(), monkeypatch, {True: 1.0, False: 2.0}, n) == n - 11
    assert drive(Pace(), monkeypatch, {True: 2.0, False: 1.0}, n) == 11


def test_it_notices_when_things_change(monkeypatch):
    watch = Pace()
    drive(watch, monkeypatch, {True: 1.0, False: 2.0}, 100)
    n = 1000
    assert drive(watch, monkeypatch, {True: 5.0, False: 2.0}, n) < 0.1 * n
    assert drive(watch, monkeypatch, {True: 1.0, False: 2.0}, n) > 0.6 * n
