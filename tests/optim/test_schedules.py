import pytest

from skdgm.optim import Clock, learning_rate, staircase


def test_clock_counts_in_epochs():
    assert Clock(3, 10, 1, 4).epochs_done == 3.25


@pytest.mark.parametrize(
    "schedule, epoch, expected",
    [
        ("constant", 7, 0.2),
        ("linear", 0, 0.2),
        ("linear", 5, 0.1),
        ("invscaling", 0, 0.2),
        ("invscaling", 3, 0.1),
    ],
)
def test_learning_rate(schedule, epoch, expected):
    rate = learning_rate(0.2, schedule, Clock(epoch, 10), power=0.5)
    assert rate == pytest.approx(expected)


def test_linear_schedule_ends_near_zero():
    last = Clock(9, 10, 99, 100)
    assert learning_rate(1.0, "linear", last) == pytest.approx(0.001)


def test_staircase_shares_the_epochs():
    taken = [staircase((3, 6, 10), Clock(epoch, 9)) for epoch in range(9)]
    assert taken == [3, 3, 3, 6, 6, 6, 10, 10, 10]
    assert staircase(4, Clock(5, 9)) == 4
    assert [staircase((1, 2, 3), Clock(e, 2)) for e in range(2)] == [1, 2]


def test_without_an_end():
    endless = Clock(7)
    assert learning_rate(0.2, "linear", endless) == 0.2
    assert learning_rate(0.2, "invscaling", Clock(3), power=0.5) == pytest.approx(0.1)
    assert staircase((1, 3, 10), endless) == 10
