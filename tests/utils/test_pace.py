import time

import pytest

from skdgm.utils import pace
from skdgm.utils.pace import Pace


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
    n = 10 * pace._TRY
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
