import narwhals as nw
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from sklearn import config_context
from sklearn.base import BaseEstimator
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdgm.data.sequences import (
    _STEPS,
    ConstantColumns,
    answered,
    as_one_table,
    carried_on,
    completed_columns,
    sequences_of,
)
from skdgm.utils.rows import Rows

RNG = np.random.default_rng(0)
PARTS = [RNG.normal(size=(n, 3)) for n in (4, 1, 6)]
X = np.concatenate(PARTS)
FRAME = pd.DataFrame(X, columns=list("abc"))


@pytest.mark.parametrize("form", [np.array, sp.csr_array, pd.DataFrame])
def test_a_list_is_the_table_with_lengths(form):
    found, lengths = as_one_table([form(part) for part in PARTS])
    assert lengths.tolist() == [4, 1, 6]
    found = found.toarray() if sp.issparse(found) else np.asarray(found)
    np.testing.assert_array_equal(found, X)
    same, given = as_one_table(form(X), [4, 1, 6])
    assert np.shape(same) == X.shape
    np.testing.assert_array_equal(given, lengths)


def test_a_table_without_lengths_is_one_sequence():
    assert as_one_table(X)[1].tolist() == [11]
    # Rows as lists of numbers are no sequences.
    assert as_one_table(X.tolist())[1].tolist() == [11]


@pytest.mark.parametrize(
    ("given", "lengths", "error"),
    [
        (X, [4, 7, 1], "add up to 12, but X has 11 rows"),
        (X, [4, 0, 7], "Sequence 1 has the length 0"),
        (X, [5, -1, 7], "Sequence 1 has the length -1"),
        (X, [5.5, 5.5], "must be whole numbers"),
        (X, [], "must be whole numbers"),
        (X, [[11]], "must be whole numbers"),
        (X, ["11"], "must be whole numbers"),
        (PARTS, [4, 1, 6], "leave their lengths out"),
        ([], None, "there is no sequence"),
        ([X, X[:, :2]], None, "Sequence 1 has 2 columns, but the first one has 3"),
        ([X, X[:0]], None, "Sequence 1 has the length 0"),
        ([X, X[0]], None, "Sequence 1 is no table"),
        ([pd.DataFrame(X), X], None, "1 is an ndarray, but the first one a DataFrame"),
        ([FRAME, FRAME[["c", "b", "a"]]], None, r"1 has the columns \['c', 'b', 'a'\]"),
    ],
)
def test_bad_sequences_are_named(given, lengths, error):
    with pytest.raises(ValueError, match=error):
        as_one_table(given, lengths)


def test_groups_have_names_of_any_type():
    names = np.array(["a", "a", 1, 1, 1, "b", 2, 2, 2, 2, 2], object)
    assert as_one_table(X, groups=names)[1].tolist() == [2, 3, 1, 5]
    with pytest.raises(ValueError, match="Rows of group 1 do not follow"):
        as_one_table(X, groups=[1, 2, 1] + [3] * 8)
    for missing in np.nan, None, pd.NA:
        with pytest.raises(ValueError, match="groups contain NaN or None"):
            as_one_table(X, groups=[missing] * 3 + [1] * 8)
    for odd in [{}] * 11, [[1], [1, 2]] * 5:
        with pytest.raises(ValueError, match="groups must be one name for each row"):
            as_one_table(X, groups=odd)


@pytest.mark.parametrize(
    ("weight", "error"),
    [
        (np.ones(7), "but there are 3 sequences"),
        (np.arange(11.0), "differs within sequence 0"),
        ([1, -1, 1], "not negative"),
        ([1, np.nan, 1], "finite"),
        ([0, 0, 0], "at least one sequence"),
        *((odd, "sample_weight must be numbers") for odd in (["a"] * 3, [1j] * 3)),
    ],
)
def test_bad_weights_are_named(weight, error):
    rows, lengths = Rows(X, np.float64), np.array([4, 1, 6])
    with pytest.raises(ValueError, match=error):
        sequences_of(rows, lengths, weight)


class Counter(BaseEstimator):
    def fit(self, X, y=None, lengths=None):
        self.lengths_ = as_one_table(X, lengths)[1]
        return self


def test_lengths_come_by_metadata_routing():
    with config_context(enable_metadata_routing=True):
        counter = Counter().set_fit_request(lengths=True)
        pipe = make_pipeline(StandardScaler(), counter).fit(X, lengths=[4, 7])
    assert pipe[-1].lengths_.tolist() == [4, 7]


def test_columns_of_sequences_are_constant_in_each_and_not_in_all():
    """Same within sequences, other between them, and not for all rows alike; after
    enough steps."""
    lengths = np.array([30, 20, 40])
    person = np.repeat([3.0, 7.0, 5.0], lengths)
    X = np.column_stack(
        [person, np.full(90, 2.0), np.arange(90.0), np.full(90, np.nan)]
    )
    X[5, 0] = np.nan
    rows = Rows(X, np.float64)
    found = ConstantColumns.of(rows, lengths)
    np.testing.assert_array_equal(found.columns, [True, False, False, False])
    assert found.n_steps == 90 - 3
    np.testing.assert_array_equal(found.least[:2], [3, 2])
    np.testing.assert_array_equal(found.most[:2], [7, 2])
    # In two calls: the first knows but one person.
    first = ConstantColumns.of(Rows(X[:30], np.float64), lengths[:1])
    assert not first.columns.any()
    again = ConstantColumns.of(Rows(X[30:], np.float64), lengths[1:], first)
    np.testing.assert_array_equal(again.columns, found.columns)
    assert again.n_steps == found.n_steps
    few = found._replace(n_steps=_STEPS - 1)
    assert not few.columns.any()
    assert few._replace(n_steps=_STEPS).columns.any()


def test_columns_of_sequences_have_their_last_known_value():
    lengths, nan = np.array([3, 2]), np.nan
    X = np.array([[nan, 1], [5, nan], [nan, 3], [nan, nan], [7, 8]])
    expected = np.array([[5, 1], [5, nan], [5, 3], [7, nan], [7, 8]])
    kept = np.array([True, False])
    for given in (X, pd.DataFrame(X, columns=["a", "b"])):
        found = completed_columns(given, lengths, kept)
        assert type(found) is type(given)
        np.testing.assert_array_equal(found, expected)
        for none in (None, np.zeros(2, bool)):
            assert completed_columns(given, lengths, none) is given
        assert completed_columns(given[:0], lengths[:0], kept) is not None
    np.testing.assert_array_equal(X[0], [nan, 1])
    full = pd.DataFrame(expected).astype({0: int})
    assert completed_columns(full, lengths, kept) is full
    whole = np.ones((5, 2), int)
    assert completed_columns(whole, lengths, kept) is whole
    sparse = sp.csr_array(X)
    np.testing.assert_array_equal(completed_columns(sparse, lengths, kept), expected)


@pytest.mark.parametrize("several", [False, True])
def test_answers_are_of_the_form_of_sequences(several):
    X, lengths = np.arange(10.0)[:, None], np.array([4, 6])
    parts = np.split(X, [4]) if several else X
    ways = [{}] if several else [{"lengths": lengths}, {"groups": [7] * 4 + [3] * 6}]

    def function(table, lengths):
        np.testing.assert_array_equal(lengths, [4, 6])
        return 2 * table[:, 0]

    for way in ways:
        found = answered(function, parts, **way)
        if several:
            assert [len(part) for part in found] == [4, 6]
            found = np.concatenate(found)
        np.testing.assert_array_equal(found, 2 * X[:, 0])


@pytest.mark.parametrize("dtype", [bool, np.uint8, int, np.float32])
def test_prefixes_of_any_type_are_carried_on(dtype):
    X, drawn = np.array([[1, 0], [1, 1], [0, 0]], dtype), np.full((4, 2), 0.5)
    found = carried_on(drawn, X, np.array([2, 1]), np.array([True, False]))
    np.testing.assert_array_equal(found, [[1, 0.5], [1, 0.5], [0, 0.5], [0, 0.5]])


def test_arrays_are_completed_without_pandas(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pandas", None)
    X = np.array([[np.nan], [2.0], [np.nan], [3.0], [np.nan]])
    found = completed_columns(X, np.array([5]), np.ones(1, bool))
    np.testing.assert_array_equal(found.ravel(), [2, 2, 3, 3, 3])


@pytest.mark.parametrize("library", ["polars", "pyarrow"])
def test_lists_of_frames_of_other_libraries(library):
    pytest.importorskip(library)
    parts = [nw.from_native(FRAME[:4]), nw.from_native(FRAME[4:])]
    to = (
        (lambda part: part.to_polars())
        if library == "polars"
        else nw.DataFrame.to_arrow
    )
    parts = list(map(to, parts))
    found, lengths = as_one_table(parts)
    assert type(found) is type(parts[0])
    np.testing.assert_array_equal(lengths, [4, 7])
    frame = nw.from_native(found)
    assert frame.columns == list("abc")
    np.testing.assert_array_equal(frame.to_numpy(), X)
    with pytest.raises(ValueError, match="Sequence 1 has the columns"):
        as_one_table([parts[0], to(nw.from_native(FRAME).rename({"a": "z"}))])
    with pytest.raises(ValueError, match="give all or none as DataFrames"):
        as_one_table([parts[0], X])


@pytest.mark.parametrize("to", [np.array, list])
def test_sequences_of_one_dimension_are_told_of(to):
    with pytest.raises(ValueError, match=r"as x.reshape\(-1, 1\) has"):
        as_one_table([to([1.0, 2, 3]), to([4.0])])
