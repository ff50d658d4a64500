"""Figures of how far values of real columns are, by hand."""

from types import SimpleNamespace

import numpy as np
import pytest

from skdgm.data import reach
from skdgm.data.inputs import tabulate
from skdgm.exceptions import DataRangeWarning, OutlierWarning
from skdgm.utils import rows as rows_module
from skdgm.utils.rows import Rows


class Facts(SimpleNamespace):
    def _replace(self, **facts):
        return Facts(**vars(self) | facts)


def table_of(v):
    v = np.asarray(v, float)
    return tabulate(Rows(v, np.float64, complete=not np.isnan(v).any()), None)


V = np.array([[1, 12, -30], [-9, 0.5, 40], [3, np.nan, 0], [10, -10, 10.0]])


def test_values_far_out_in_one_row_add_up():
    """From above 10 on: each times the square root of their number in the row."""
    found = reach.reached(Facts(reach=0.0), table_of(V))
    np.testing.assert_allclose(found.reach, [10, 12 * 2**0.5, 30 * 2**0.5])
    np.testing.assert_array_equal(found.range, [[-9, -10, -30], [10, 12, 40]])
    found = reach.reached(Facts(reach=np.array([11.0, 3, 50])), table_of(V))
    np.testing.assert_allclose(found.reach, [11, 12 * 2**0.5, 50])
    kinds = np.array(["bernoulli", "gaussian", "rectified"])
    found = reach.reached(Facts(reach=0.0, kinds=kinds), table_of(V))
    np.testing.assert_allclose(found.reach, [0, 12 * 2**0.5, 30 * 2**0.5])
    np.testing.assert_allclose(reach.limits(found), [np.inf, 12 * 2**0.5, 30 * 2**0.5])
    assert reach.limits(Facts(reach=0.0)) is None
    assert reach.limits(Facts()) is None
    np.testing.assert_array_equal(reach.limits(Facts(reach=np.arange(2.0))), [0, 1])


@pytest.mark.parametrize("entries", [3, 10**6])
def test_the_farthest_values_come_first(monkeypatch, entries):
    monkeypatch.setattr(rows_module, "BLOCK_ENTRIES", entries)
    v = np.zeros((6, 4))
    v[4, 0], v[1, 1], v[5, 1], v[2, 2], v[3, 3] = -90.0, 36.0, -35.5, 35.0, 200.0
    facts = Facts(reach=abs(v).max(axis=0))
    assert reach.farthest(facts, table_of(v)) == [(3, 3, 200), (0, 4, 90), (1, 1, 36)]
    assert reach.farthest(Facts(reach=np.full(4, 35.0)), table_of(v)) == []
    assert reach.farthest(Facts(), table_of(v)) == []


def test_five_columns_are_named():
    v = np.zeros((8, 7))
    v[np.arange(7), np.arange(7)] = 100.0 - np.arange(7)
    facts = Facts(reach=v.max(axis=0))
    with pytest.warns(OutlierWarning, match=r"4 \(up to 96, in row 4\) and 2 more:"):
        words = reach.outlier_text(SimpleNamespace(), facts, table_of(v))
    model = SimpleNamespace(_names=list("abcdefg"), feature_names_in_=range(7))
    assert "'a' (up to 100, in row 0)" in reach.outlier_text(
        model, facts, table_of(v), None
    )
    assert not hasattr(model, "_names")
    few = table_of(v[:5])
    assert "more" not in reach.outlier_text(SimpleNamespace(), facts, few, None)
    for slowed, ends in (True, "may be learned"), (False, "set the scale"):
        with pytest.warns(OutlierWarning, match=ends):
            reach.outlier_text(SimpleNamespace(), facts, few, slowed)
    assert reach.outlier_text(SimpleNamespace(), facts, table_of(v[7:]), None) == ""
    assert words.endswith(" ")


def test_ends_are_wider_by_two_tails():
    """Of 4 / sqrt(n) of the reach, with a tail; no ends of codes, and where reach is
    0."""
    seen = np.array([100.0, 400, 100, 16])
    kinds = np.array(["gaussian", "rectified", "categorical", "gaussian"])
    facts = SimpleNamespace(seen=seen, kinds=kinds, reach=np.array([2.0, 3, 4, 0]))
    (low, high), (least, most) = reach.ends(facts, 4)
    np.testing.assert_allclose(high, [2 * 1.4, 3 * 1.2, np.inf, np.inf])
    np.testing.assert_allclose(most, [2, 3, np.inf, np.inf])
    np.testing.assert_array_equal((low, least), (-high, -most))
    scale = SimpleNamespace(ends=(-5.0, 6.0), z=np.array([-3.0, 0, 4]))
    facts = SimpleNamespace(scales=(None, scale))
    np.testing.assert_array_equal(
        reach.ends(facts, 2),
        [[[-np.inf, -5], [np.inf, 6]], [[-np.inf, -3], [np.inf, 4]]],
    )


def test_values_beyond_the_ends_are_read_as_these():
    facts = SimpleNamespace(seen=np.full(2, 16.0), reach=np.ones(2))
    v = np.array([[2.0, np.nan], [-2.0, 1.5], [-2.1, 0], [2.5, 0]], np.float32)
    found, beyond = reach.within_reach(facts, v)
    expected = np.array([[2, np.nan], [-2, 1.5], [-1, 0], [1, 0]], np.float32)
    np.testing.assert_array_equal(found, expected)
    assert found.dtype == np.float32
    assert beyond.tolist() == [True, False]
    same, beyond = reach.within_reach(facts, v[:2])
    assert same is not found
    assert not beyond.any()


def test_columns_beyond_are_named():
    beyond = np.array([1, 0, 1, 1, 1, 1], bool)
    with pytest.warns(DataRangeWarning, match="in columns '0', '2', '3', '4', '5':"):
        reach.warn_of_beyond("Model", beyond, str)
    with pytest.warns(DataRangeWarning, match="'4', '5' and 1 more:"):
        reach.warn_of_beyond("Model", np.append(beyond, True), str)
    reach.warn_of_beyond("Model", beyond & False, str)
