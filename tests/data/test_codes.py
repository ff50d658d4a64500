import numpy as np
import pytest

from skdgm.data import CodeColumns
from skdgm.data.codes import MAX_CATEGORIES, check_codes
from skdgm.data.inputs import tabulate
from skdgm.exceptions import MissingDataWarning
from skdgm.utils.rows import Rows

X = np.array([[0, 2], [1, 0], [1, 2], [0, 1], [1, 2.0]])


def table_of(X, sample_weight=None):
    complete = not np.isnan(X).any()
    return tabulate(Rows(X, np.float64, complete=complete), sample_weight)


def learned(X, sample_weight=None, before=None, **options):
    """What is known of the columns."""
    return CodeColumns(**options).learn(table_of(X, sample_weight), before)[0]


def assert_known(found, expected):
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other)


def test_categories_are_counted():
    found = learned(X)
    np.testing.assert_array_equal(found.sizes, [2, 3])
    np.testing.assert_array_equal(found.starts, [0, 2])
    np.testing.assert_array_equal(found.counts, [2, 3, 1, 1, 3])
    np.testing.assert_array_equal(found.seen, [5, 5])
    np.testing.assert_array_equal(found.total, [3, 7])


def test_a_column_with_one_category_has_one():
    found = learned(X * [0, 1])
    np.testing.assert_array_equal(found.sizes, [1, 3])
    np.testing.assert_array_equal(found.counts, [5, 1, 1, 3])
    assert CodeColumns().frequencies(found)[0] == 1


def test_a_weight_is_a_repetition():
    weight = np.array([2, 0, 3, 1, 1])
    assert_known(learned(X, weight), learned(np.repeat(X, weight, axis=0)))


def test_rows_without_weight_make_no_room():
    np.testing.assert_array_equal(learned(X, [0, 1, 0, 1, 0]).sizes, [2, 2])


def test_what_is_missing_is_not_counted():
    holed = X.copy()
    holed[0, 1] = holed[1, 0] = holed[4] = np.nan
    found = learned(holed)
    np.testing.assert_array_equal(found.counts, [2, 1, 1, 1, 1])
    np.testing.assert_array_equal(found.seen, [3, 3])
    np.testing.assert_array_equal(found.total, [1, 3])
    weighted = learned(holed, [1, 1, 4, 1, 1])
    np.testing.assert_array_equal(weighted.counts, [2, 4, 1, 1, 4])


def test_a_column_that_is_missing_is_told():
    holed = X.copy()
    holed[:, 1] = np.nan
    with pytest.warns(MissingDataWarning, match=r"\[1\]"):
        found = learned(holed)
    np.testing.assert_array_equal(found.sizes, [2, 1])
    np.testing.assert_array_equal(found.counts, [2, 3, 0])


def test_later_data_add_to_the_counts():
    before = learned(X)
    later = np.array([[1, 1.0], [1, np.nan]])
    found = learned(later, before=before)
    whole = learned(np.concatenate([X, later]))
    assert_known(found, whole)
    np.testing.assert_array_equal(before.counts, [2, 3, 1, 1, 3])


def test_later_data_have_the_room_there_was():
    before = learned(X, min_categories=4)
    np.testing.assert_array_equal(before.counts, [2, 3, 0, 0, 1, 1, 3, 0])
    found = learned(np.array([[3, 0.0]]), before=before)
    np.testing.assert_array_equal(found.counts, [2, 3, 0, 1, 2, 1, 3, 0])


@pytest.mark.parametrize("code", [MAX_CATEGORIES, 1e15, 1e300])
def test_codes_are_not_too_high_to_be_counted(code):
    message = "X: the value .* of column 'b' is too high .*OrdinalEncoder"
    with pytest.raises(ValueError, match=message):
        check_codes(np.array([[1, 0], [0, code]]), "ab", "X")
    check_codes(np.array([[MAX_CATEGORIES - 1, np.nan]]), "ab", "X")


@pytest.mark.parametrize(
    "room, sizes", [(None, [2, 3]), (1, [2, 3]), (3, [3, 3]), ([4, 2], [4, 3])]
)
def test_there_is_room_for_more(room, sizes):
    np.testing.assert_array_equal(learned(X, min_categories=room).sizes, sizes)


@pytest.mark.parametrize("room", [[3], [3, 3, 3]])
def test_room_is_for_all_columns_or_for_each(room):
    message = f"min_categories has {len(room)} values, but X has 2 columns"
    with pytest.raises(ValueError, match=message):
        learned(X, min_categories=room)


def test_frequencies_are_smoothed_by_one_of_each():
    domain, columns = CodeColumns(), learned(X)
    found = domain.frequencies(columns)
    np.testing.assert_allclose(found, [3 / 7, 4 / 7, 2 / 8, 2 / 8, 4 / 8])
    entropy = -(found * np.log(found)).sum()
    assert domain.loss_of_independent(columns) == pytest.approx(entropy)


def test_codes_are_their_own_values():
    domain, columns = CodeColumns(), learned(X)
    np.testing.assert_array_equal(domain.to_data(columns, X), X)
    assert domain.in_units(X, columns) is X
    assert domain.log_volume(columns, X) == 0
