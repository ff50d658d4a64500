from math import inf
from numbers import Integral, Real

import numpy as np
import pytest

from skdgm.optim import Clock, check_piecewise, learning_rate, piecewise


def test_clock_counts_in_epochs():
    assert Clock(3, 10, 1, 4).epochs_done == 3.25


@pytest.mark.parametrize(
    "schedule, epoch, expected",
    [
        ("constant", 7, 0.2),
        ("linear", 0, 0.2),
        ("linear", 5, 0.1),
        ("cooldown", 0, 0.2),
        ("cooldown", 8, 0.2),
        ("cooldown", 9, 0.1),
        ("invscaling", 0, 0.2),
        ("invscaling", 3, 0.1),
    ],
)
def test_learning_rate(schedule, epoch, expected):
    rate = learning_rate(0.2, schedule, Clock(epoch, 10), power=0.5)
    assert rate == pytest.approx(expected)


@pytest.mark.parametrize("schedule, share", [("linear", 1), ("cooldown", 0.2)])
def test_schedules_end_near_zero(schedule, share):
    last = Clock(9, 10, 99, 100)
    assert learning_rate(1.0, schedule, last) == pytest.approx(0.001 / share)


def test_staircase_shares_the_epochs():
    taken = [piecewise((3, 6, 10), Clock(epoch, 9)) for epoch in range(9)]
    assert taken == [3, 3, 3, 6, 6, 6, 10, 10, 10]
    assert piecewise(4, Clock(5, 9)) == 4
    uneven = [piecewise((3, 6, 10), Clock(epoch, 4)) for epoch in range(4)]
    assert uneven == [3, 3, 6, 10]


def test_staircase_ends_with_the_last_value_however_few_the_epochs():
    assert [piecewise((1, 2, 3), Clock(epoch, 2)) for epoch in range(2)] == [2, 3]
    assert piecewise((1, 2, 3), Clock(0, 1)) == 3


@pytest.mark.parametrize("epoch", [1, np.arange(1, 4)])
def test_a_steep_fall_ends_at_zero(epoch):
    rate = learning_rate(0.2, "invscaling", Clock(epoch), power=2000)
    assert np.all(rate < 1e-300)


def test_without_an_end():
    endless = Clock(7)
    assert learning_rate(0.2, "linear", endless) == 0.2
    assert learning_rate(0.2, "cooldown", endless) == 0.2
    assert learning_rate(0.2, "invscaling", Clock(3), power=0.5) == pytest.approx(0.1)
    assert piecewise((1, 3, 10), endless) == 10


@pytest.mark.parametrize(
    "values, kind, low, high",
    [(1, Integral, 1, inf), ((1, 5), Integral, 1, inf), ((0.0, 0.9), Real, 0, 1)],
)
def test_good_stairs(values, kind, low, high):
    check_piecewise("steps", values, kind, low, high)


@pytest.mark.parametrize(
    "values, kind, low, high, message",
    [
        (0, Integral, 1, inf, r"an int of at least 1, .* got 0"),
        ((), Integral, 1, inf, r"got \(\)"),
        ((1, 2.5), Integral, 1, inf, r"got \(1, 2.5\)"),
        ((0.5, 1.0), Real, 0, 1, r"a number of at least 0 and below 1, .* got"),
        ("1", Real, 0, 1, "got '1'"),
    ],
)
def test_bad_stairs(values, kind, low, high, message):
    with pytest.raises(ValueError, match=f"steps must be .*{message}"):
        check_piecewise("steps", values, kind, low, high)
