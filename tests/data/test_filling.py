import numpy as np
import pytest

from skdgm.data.filling import completed

pd = pytest.importorskip("pandas")

NAN = np.nan
CITY = pd.CategoricalDtype(["Rome", "Oslo", "Bonn"])


def column(given, found, own, learned):
    """What becomes of a column of a type, when values of another were learned."""
    frame = pd.DataFrame({"x": pd.Series(given, dtype=own)})
    return completed(frame, pd.DataFrame({"x": pd.Series(found, dtype=learned)}))["x"]


@pytest.mark.parametrize(
    "given, found, own, learned",
    [
        ([2.6, NAN], [3, 7], "float64", "int64"),
        ([0.3, NAN], [False, True], "float64", "bool"),
        ([0.1, NAN], [0.1, 0.2], "float32", "float64"),
        ([0.1, NAN], [0, 2], pd.SparseDtype("float64"), pd.SparseDtype("int64", 0)),
        ([2**60 + 1, None], [2**60, 7], "Int64", "int64"),
        ([2**60 + 1, None], [2.0**60, 7.0], "Int64", "float64"),
        ([True, None], [False, True], "boolean", "bool"),
        ([True, None], [False, True], object, "bool"),
        (["a", None], ["b", "c"], object, "str"),
        (["a", None], ["b", "c"], "string", object),
        (["Rome", None], ["Oslo", "Bonn"], object, CITY),
        (["Rome", None], ["Oslo", "Bonn"], CITY, CITY),
        ([("a", 1), None], [("b", 1), ("b", 2)], object, object),
    ],
)
def test_columns_keep_their_types_if_these_hold_what_was_found(
    given, found, own, learned
):
    filled = column(given, found, own, learned)
    expected = pd.Series([given[0], found[1]], dtype=own, name="x")
    pd.testing.assert_series_equal(filled, expected)


@pytest.mark.parametrize(
    "given, found, own, learned",
    [
        ([NAN, NAN], ["1", "2"], "float64", "str"),
        ([None, None], [True, False], "str", "bool"),
        ([1, None], [1, 1000], "Int8", "int64"),
        ([1, None], [0.5, 1.5], "Int8", "float64"),
        ([True, None], [1, 3], "boolean", "int64"),
        # They may know fewer categories than what was learned, or have another order.
        (["Rome", None], ["Rome", "Rome"], "category", CITY),
        (["a", None], ["a", "a"], "category", object),
    ],
)
def test_columns_have_the_types_of_what_was_found_else(given, found, own, learned):
    filled = column(given, found, own, learned)
    known = found[0] if pd.isna(given[0]) else given[0]
    expected = pd.Series([known, found[1]], dtype=learned, name="x")
    pd.testing.assert_series_equal(filled, expected)


@pytest.mark.parametrize(
    "given, found, own, learned",
    [
        ([2.6, None], [3, 7], "category", "int64"),
        ([2**60 + 1, None], [2.0**60, 0.5], "Int64", "float64"),
        ([2.5, NAN], [2, 100_000], "float16", "int64"),
    ],
)
def test_columns_are_objects_where_no_type_holds_both(given, found, own, learned):
    filled = column(given, found, own, learned)
    assert filled.dtype == object
    assert filled.tolist() == [given[0], found[1]]


def test_what_lacks_nothing_stays():
    frame = pd.DataFrame({"x": [2**60 + 1, 3], "y": pd.Categorical(["a", "b"])})
    found = pd.DataFrame({"x": [2**60, NAN], "y": ["c", "d"]})
    pd.testing.assert_frame_equal(completed(frame, found), frame)


def test_what_was_not_found_is_still_missing():
    filled = column(["a", None], [None, None], "str", "str")
    assert filled.isna().tolist() == [False, True]


def test_labels_are_those_of_the_rows_as_often_as_these():
    index = pd.MultiIndex.from_tuples([("a", 1), ("a", 1), ("b", 2)], names=["p", "q"])
    names = pd.Index(["x", "y"], name="names")
    frame = pd.DataFrame([[1, NAN], [NAN, 2], [3, 4]], index, names)
    before, found = frame.copy(), pd.DataFrame(np.arange(12.0).reshape(6, 2))
    filled = completed(frame, found)
    values = [[1, 1], [1, 3], [4, 2], [6, 2], [3, 4], [3, 4]]
    expected = pd.DataFrame(values, index[[0, 0, 1, 1, 2, 2]], names, dtype=float)
    pd.testing.assert_frame_equal(filled, expected)
    pd.testing.assert_frame_equal(frame, before)
