"""y in any form, as an array and as numbers."""

from datetime import date, timedelta
from fractions import Fraction

import numpy as np
import pytest
import scipy.sparse as sp

from skdgm import DBNRegressor
from skdgm.data.inputs import as_numbers, as_values

pd = pytest.importorskip("pandas")
OWNER = DBNRegressor()


@pytest.mark.parametrize(
    "y, expected",
    [
        (["a", "b"], ["a", "b"]),
        # NumPy would make text of these.
        (["a", -1], ["a", -1]),
        ([1, "?"], [1, "?"]),
        (("a", 1.5), ["a", 1.5]),
        (range(2), [0, 1]),
        (pd.Series(["a", "b"]).astype("category"), ["a", "b"]),
        (pd.array([1, 2], dtype="Int64"), [1, 2]),
        (pd.Series([True, False], dtype="boolean"), [True, False]),
        (sp.csr_array([[0, 1]]), [[0, 1]]),
        (pd.DataFrame([[0, 1]], columns=["a", "a"]), [[0, 1]]),
    ],
    ids=str,
)
def test_values_keep_their_types(y, expected):
    found = as_values(y, OWNER).tolist()
    assert found == expected
    assert list(map(type, found)) == list(map(type, expected))


def test_whole_numbers_beside_NA_stay_whole():
    for y in pd.Series([1, pd.NA], dtype="Int64"), pd.array([1, pd.NA], dtype="Int64"):
        one, nothing = as_values(y, OWNER)
        assert isinstance(one, int)
        assert nothing is pd.NA


@pytest.mark.parametrize(
    "y, message",
    [
        (None, "DBNRegressor requires y to be passed, but the target y is None"),
        ([[0, 1], [0]], "y cannot be read as an array"),
        ([[0], 1], "y cannot be read as an array"),
        (["a", ["b"]], "y cannot be read as an array"),
        (np.ma.array([1, 2], mask=[0, 1]), "y is a masked array"),
    ],
    ids=str,
)
def test_what_is_no_array_is_named(y, message):
    with pytest.raises(ValueError, match=message):
        as_values(y, OWNER)


@pytest.mark.parametrize(
    "y, expected",
    [
        ([1, 2.5], [1, 2.5]),
        ([1, None], [1, np.nan]),
        (np.array([1, pd.NA, None], object), [1, np.nan, np.nan]),
        (pd.Series([1, pd.NA], dtype="Int64"), [1, np.nan]),
        (pd.Series([0.5, 1]).astype("category"), [0.5, 1]),
        ([True, False], [1, 0]),
        ([Fraction(1, 2), 10**30], [0.5, 1e30]),
        ([[1, np.nan], [2, 3]], [[1, np.nan], [2, 3]]),
        (pd.DataFrame({"a": [1, pd.NA], "b": [2, 3]}), [[1, 2], [np.nan, 3]]),
    ],
    ids=str,
)
def test_numbers(y, expected):
    found = as_numbers(y, OWNER)
    assert found.dtype == np.float64
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    "y, kind, message",
    [
        (["a", "b"], ValueError, "y has values that are no numbers.*'a'"),
        (np.array([1, "b"], object), ValueError, "y has values that are no num.*'b'"),
        (np.array([1j]), ValueError, "y has values that are no numbers.*complex"),
        (np.zeros(2, [("a", int)]), ValueError, "y has values that are no numbers"),
        ([10**400], ValueError, "y has values that are no numbers.*too large"),
        (np.array(["2020-01-01"], "M8[D]"), TypeError, "y has.*datetime64"),
        (np.array([1], "m8[D]"), TypeError, "y has.*timedelta64.*days"),
        ([date(2020, 1, 1)], TypeError, "y has.*type date:"),
        ([timedelta(1), None], TypeError, "y has.*type timedelta"),
        (pd.Series(pd.to_datetime(["2020"], utc=True)), TypeError, "y has.*Timestamp"),
        ([np.inf], ValueError, "y contains infinity"),
        (3, ValueError, r"y should be an array.*shape \(\)"),
        (np.zeros((2, 0)), ValueError, r"y should be an array.*\(2, 0\)"),
        (np.zeros((2, 1, 1)), ValueError, r"y should be an array.*\(2, 1, 1\)"),
        (sp.csr_array([[0, 1]]), TypeError, "y is sparse"),
    ],
    ids=str,
)
def test_what_is_no_number_is_named(y, kind, message):
    with pytest.raises(kind, match=message):
        as_numbers(y, OWNER)
