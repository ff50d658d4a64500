"""Marks of missing values in tables of all types, beside those of scikit-learn."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from sklearn.impute import MissingIndicator

from skdgm import GenerativeImputer
from skdgm.imputation._tables import append_columns, emptied, marked, restored
from tests.suites import FLOAT32

NUMBERS = np.array([[1, 5, 0], [5, 2, 1], [0, 1, 5]])


@pytest.mark.parametrize("dtype", [float, FLOAT32, int, np.uint8, object])
@pytest.mark.parametrize("mark", [5, 1, np.nan])
def test_values_with_the_mark_are_missing(dtype, mark):
    X = NUMBERS.astype(dtype)
    found, lacks = marked(X, mark)
    expected = mark == NUMBERS
    np.testing.assert_array_equal(lacks, expected)
    indicator = MissingIndicator(missing_values=mark, features="all")
    if dtype is not object and not np.isnan(mark):
        np.testing.assert_array_equal(indicator.fit_transform(X), expected)
    holes = np.where(expected, np.nan, NUMBERS)
    np.testing.assert_array_equal(found.astype(float), holes)
    np.testing.assert_array_equal(X, NUMBERS.astype(dtype))
    if dtype in (float, np.float32):
        assert found.dtype == dtype


def test_text_and_bits():
    found, lacks = marked(np.array([["?", "a"], ["b", "?"]]), "?")
    np.testing.assert_array_equal(lacks, np.eye(2))
    assert found[0, 1] == "a"
    found, lacks = marked(NUMBERS > 1, np.nan)
    assert found.dtype == bool
    assert not lacks.any()


@pytest.mark.parametrize("mark", [5, np.nan])
def test_sparse_tables(mark):
    X = sp.csr_array(np.where(NUMBERS == 5, mark, NUMBERS).astype(float))
    found, lacks = marked(X, mark)
    np.testing.assert_array_equal(lacks, NUMBERS == 5)
    holes = np.where(NUMBERS == 5, np.nan, NUMBERS)
    np.testing.assert_array_equal(found.toarray(), holes)
    with pytest.raises(ValueError, match="most of it would be missing"):
        marked(X, 0)


def test_frames():
    frame = pd.DataFrame({"x": [1.0, 5, np.nan], "t": ["a", "5", None], "k": [5, 0, 1]})
    found, lacks = marked(frame, 5)
    expected = [[False, False, True], [True, False, False], [True, True, False]]
    np.testing.assert_array_equal(lacks, expected)
    np.testing.assert_array_equal(found.isna(), expected)
    assert frame["x"][1] == 5
    same, lacks = marked(frame, np.nan)
    assert same is frame
    np.testing.assert_array_equal(lacks, frame.isna())


def test_columns_that_the_model_does_not_know_are_put_between():
    which = np.array([True, False, True, False])
    filled = np.arange(6.0).reshape(3, 2)
    X = np.full((3, 4), np.nan)
    X[:, 1] = 7, np.nan, 9
    found = restored(filled, X, np.isnan(X), which, None)
    expected = [[0, 7, 1, 0], [2, 0, 3, 0], [4, 9, 5, 0]]
    np.testing.assert_array_equal(found, expected)
    frame = pd.DataFrame(X, columns=list("abcd"))
    frame["d"] = pd.Categorical([None] * 3, ["p", "q"])
    known = pd.DataFrame(filled, columns=["a", "c"])
    found = restored(known, frame, np.isnan(X), which, np.array(list("abcd")))
    assert found.columns.tolist() == list("abcd")
    assert found["d"].tolist() == ["p"] * 3
    np.testing.assert_array_equal(found[["a", "b", "c"]], np.array(expected)[:, :3])


@pytest.mark.parametrize("mark", [np.nan, -1.0])
def test_what_was_filled_in_is_taken_out(mark):
    which = np.array([True, False, True])
    lacks = np.array([[True, True, False], [False, True, False]])
    table = np.array([[1.0, 2], [3, 4]])
    names = np.array(list("abc"))
    expected = [[mark, mark, 2], [3, mark, 4]]
    found = emptied(table, lacks, which, names, mark)
    np.testing.assert_array_equal(found, expected)
    frame = pd.DataFrame(table, columns=["a", "c"])
    found = emptied(frame, lacks, which, names, mark)
    assert found.columns.tolist() == list("abc")
    np.testing.assert_array_equal(found.to_numpy(float), expected)
    np.testing.assert_array_equal(table, [[1, 2], [3, 4]])


def test_bits_are_at_the_right():
    table, bits = np.ones((2, 2)), np.array([[True], [False]])
    np.testing.assert_array_equal(
        append_columns(table, bits, None), [[1, 1, 1], [1, 1, 0]]
    )
    frame = append_columns(pd.DataFrame(table, columns=["a", "b"]), bits, ["lost"])
    assert frame.columns.tolist() == ["a", "b", "lost"]
    assert frame["lost"].tolist() == [True, False]


@pytest.mark.parametrize("dtype", [np.int8, np.float32, np.float64])
def test_marks_in_sparse_rows(dtype):
    X = sp.csr_array(np.array([[0, 3, 7], [7, 0, 1]], dtype))
    found, lacks = marked(X, 7)
    np.testing.assert_array_equal(lacks, [[0, 0, 1], [1, 0, 0]])
    np.testing.assert_array_equal(found.toarray()[~lacks], [0, 3, 0, 1])
    assert np.isnan(found.toarray()[lacks]).all()
    assert found.dtype == np.result_type(dtype, np.float32)
    np.testing.assert_array_equal(X.data, [3, 7, 7, 1])
    # By default NaN, which whole numbers have not: they stay what they are.
    found, lacks = marked(X, np.nan)
    assert found is X
    assert not lacks.any()


def test_columns_that_are_emptied_again_have_the_names_that_they_had():
    """Where a mask says that a column was not filled, it has no values."""
    table = pd.DataFrame({"a": [1.0, 2.0], "x1": [3.0, 4.0]})
    lacks = np.array([[0, 1, 0], [0, 0, 1]], bool)
    names = np.array(["old", "none", "other"])
    found = emptied(table, lacks, np.array([True, False, True]), names, np.nan)
    assert found.columns.tolist() == ["a", "none", "x1"]
    np.testing.assert_array_equal(found["a"], [1, 2])
    assert found["none"].isna().all()
    np.testing.assert_array_equal(found["x1"], [3, np.nan])
    assert names.tolist() == ["old", "none", "other"]


def test_marks_of_text_return_to_arrays():
    X = np.array([[1.0, "?"], ["?", 3.0], [4.0, 5.0]], object)
    imputer = GenerativeImputer(missing_values="?", add_indicator=True).fit(X)
    again = imputer.inverse_transform(imputer.transform(X))
    np.testing.assert_array_equal(again, X)
