"""Rejection of rows: figures, sizes of draws, and what is kept."""

import numpy as np
import pandas as pd
import pytest

from skdgm.constraints import _sampling
from skdgm.constraints._sampling import Tally, acceptance, reject
from skdgm.exceptions import ConstraintError, ConstraintWarning


class Unique:
    """Keeps the first row of each value."""

    def first(self, frame):
        return ~frame["x"].duplicated().to_numpy()

    def __str__(self):
        return "unique x"


def run(n_samples, evaluate, uniques=(), max_tries=100, period=10):
    """Rows that are kept of x = 0, 1, ... modulo a period, and sizes of draws."""
    sizes = []

    def draw(n):
        start = sum(sizes)
        sizes.append(n)
        return pd.DataFrame({"x": (start + np.arange(n)) % period})

    found = reject(n_samples, draw, evaluate, uniques, max_tries, "Model")
    return found["x"].tolist(), sizes


def test_rows_are_kept_in_the_order_of_draws():
    def evaluate(frame):
        x = frame["x"].to_numpy()
        return [("even", x % 2 == 0), ("low", x < 7)]

    found, sizes = run(5, evaluate)
    assert found == [0, 2, 4, 6, 0]
    # Three of five are kept, so for two more there are drawn by that share.
    assert sizes[:2] == [5, int(np.ceil(_sampling._SPARE * 2 / 0.6))]


def test_rows_that_no_other_equals():
    found, sizes = run(
        6, lambda frame: [("odd", frame["x"] % 2 == 1)], [Unique()], 99, 20
    )
    assert found == [1, 3, 5, 7, 9, 11]
    assert sizes == [6, 7]
    message = "2 of 15 draws satisfy .* 13 of them break unique x"
    with pytest.raises(ConstraintError, match=message):
        run(3, lambda frame: [], [Unique()], max_tries=5, period=2)


def test_first_draws_that_all_fail():
    """The share is then taken for one of one more."""
    with pytest.warns(ConstraintWarning, match="break high"):
        found, sizes = run(4, lambda frame: [("high", frame["x"] >= 90)], period=100)
    assert found == [90, 91, 92, 93]
    assert sizes == [4, *(int(np.ceil(_sampling._SPARE * 4 * n)) for n in (5, 27))]


def test_too_few_rows_are_an_error():
    """One that the last draw finds is enough."""

    def evaluate(frame):
        return [("nine", frame["x"] == 9), ("any", frame["x"] >= 0)]

    assert run(1, evaluate, max_tries=10)[0] == [9]
    message = r"0 of 9 draws satisfy .*\(0 %\), but 1 rows.* 9 of them break nine"
    with pytest.raises(ConstraintError, match=message):
        run(1, evaluate, max_tries=9)


def test_a_low_share_is_told():
    def evaluate(frame):
        return [("one", frame["x"] == 1)]

    period = int(2 / _sampling._LOW)
    with pytest.warns(ConstraintWarning, match="of the draws satisfy.* break one"):
        assert run(3, evaluate, max_tries=10**6, period=period)[0] == [1, 1, 1]


def test_tallies():
    tally = Tally()
    assert (tally.rate, tally.worst()) == (0, "")
    keep = np.array([True, False, False, True, False])
    tally.note(keep, [("a", keep), ("b", np.ones(5, bool))])
    tally.note(keep[:1], [("a", keep[:1]), ("b", ~keep[:1])])
    assert (tally.drawn, tally.kept, tally.rate) == (6, 3, 0.5)
    assert tally.broken == {"a": 3, "b": 1}
    assert tally.worst() == " 3 of them break a."
    one = Tally()
    one.note(keep[:1], [])
    assert (one.rate, one.worst()) == (1, "")


def test_the_share_that_is_kept():
    frame = pd.DataFrame({"x": [1, 1, 2, 3, 4]})

    def evaluate(frame):
        return [("low", frame["x"] < 4), ("high", frame["x"] > 0)]

    assert acceptance(frame, evaluate, []) == 0.8
    assert acceptance(frame, evaluate, [Unique()]) == pytest.approx(0.6)
