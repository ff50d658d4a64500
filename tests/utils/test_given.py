import numpy as np
import pytest

from skdgm.utils.given import Given
from skdgm.utils.rows import Rows, row_hash


@pytest.mark.parametrize(
    ("values", "known"),
    [
        ([0, -1, 2], [True, False, True]),
        ([0.0, np.nan, -1.0], [True, False, True]),
        ([[0, -1], [-1, -1]], [True, False]),
        ([[np.nan, 1.0], [np.nan, np.nan]], [True, False]),
    ],
)
def test_what_is_known(values, known):
    given = Given(np.array(values))
    assert given.known.tolist() == known
    assert given.take([1]).known.tolist() == known[1:2]
    assert given.rows.X.ndim == 2


def test_rows_know_what_is_beside_them():
    rows = Rows(np.ones((3, 2)), np.float64)
    assert rows.accompanying([0]) is None
    labeled = rows._replace(given=Given(np.array([4, 5, 4])))
    assert labeled.accompanying([2, 1]).tolist() == [4, 5]
    first, second, third = row_hash(labeled)
    assert first == third != second
    assert len(set(row_hash(rows))) == 1
