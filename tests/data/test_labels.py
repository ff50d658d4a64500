"""Labels and marks for none among values of any kind."""

from datetime import date
from decimal import Decimal
from types import SimpleNamespace

import numpy as np
import pytest

from skdgm.data.inputs import as_values
from skdgm.data.labels import marked, of_one_kind, warn_of_mark
from skdgm.exceptions import LabelWarning

pd = pytest.importorskip("pandas")


def objects(*values):
    found = np.empty(len(values), dtype=object)
    found[:] = values
    return found


NOTHING = objects("a", None, np.nan, pd.NA, pd.NaT)


@pytest.mark.parametrize(
    "values, mark, expected",
    [
        (np.array([0, -1]), None, [0, 0]),
        (np.array([0, -1]), -1, [0, 1]),
        (np.array([0, -1]), np.int8(-1), [0, 1]),
        (np.array([0, 255], np.uint8), -1, [0, 0]),
        (np.array([0.0, -1.0]), -1, [0, 1]),
        (np.array([0, -1]), "-1", [0, 0]),
        (np.array([0, 1]), True, [0, 0]),
        (np.array([False, True]), 1, [0, 0]),
        (np.array(["a", "-1"]), -1, [0, 0]),
        (np.array(["a", "?"]), "?", [0, 1]),
        (objects("a", -1, Decimal(1)), np.int64(-1), [0, 1, 0]),
        (objects("a", [1], np.arange(2)), 1, [0, 0, 0]),
        (np.array([0.0, np.nan]), np.nan, [0, 1]),
        (np.array([0.0, np.nan]), pd.NA, [0, 1]),
        (NOTHING, np.nan, [0, 1, 1, 1, 1]),
        (NOTHING, pd.NA, [0, 1, 1, 1, 1]),
        (NOTHING, pd.NaT, [0, 1, 1, 1, 1]),
        (NOTHING, "a", [1, 0, 0, 0, 0]),
        (np.array(["2020-01-01", "NaT"], "M8[D]"), pd.NaT, [0, 1]),
        (np.array([[0, -1], [-1, -1]]), -1, [[0, 1], [1, 1]]),
    ],
    ids=str,
)
def test_marks(values, mark, expected):
    found = marked(values, mark)
    assert found.dtype == bool
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("mark", [[-1], np.array([-1, -2]), (1, 2), {}, {1}], ids=str)
def test_a_mark_is_a_single_value(mark):
    with pytest.raises(ValueError, match="unlabeled must be one value"):
        marked(np.arange(3), mark)


@pytest.mark.parametrize(
    "values, kind",
    [
        (objects(2, 1), "i"),
        (objects(2, 1.0), "f"),
        (objects(True, np.bool_(False)), "b"),
        (objects("b", np.str_("a")), "O"),
        (np.array(["b", "a"]), "U"),
        (np.array(["2020-01-01"], "M8[D]"), "M"),
        (objects(), "f"),
    ],
    ids=str,
)
def test_labels_keep_their_kind(values, kind):
    found = of_one_kind(values)
    assert found.dtype.kind == kind
    assert found.tolist() == values.tolist()


@pytest.mark.parametrize(
    "values, message",
    [
        (objects("a", 1), "y has labels of several kinds: int, str"),
        (objects("a", 1, pd.NA), "kinds: NAType, int, str.*unlabeled"),
        (objects("a", None), "y has 1 missing values.*unlabeled=np.nan"),
        (objects(1, pd.NA, pd.NA), "y has 2 missing values"),
        (np.array([0.0, np.nan]), "y has 1 missing values .NaN"),
        (np.array([0.0, np.inf]), "y contains infinity"),
        (np.array(["NaT"], "M8[D]"), "y has 1 missing"),
        (np.array([1j]), "y has labels of the type complex128"),
        (np.array([b"a"]), "y has labels of the type bytes8"),
        (np.zeros(2, [("a", int)]), "y has labels of the type void64"),
        (objects(date(2020, 1, 1)), "type date"),
        (objects((1, 2), (3, 4)), "type tuple"),
        (objects(10**30), "type int.*64 bits"),
        (objects(Decimal(1)), "type Decimal"),
    ],
    ids=str,
)
def test_other_labels_are_named(values, message):
    with pytest.raises(ValueError, match=message):
        of_one_kind(values)
    with pytest.raises(
        ValueError, match=message.replace("y ", "classes ").split(".*")[0]
    ):
        of_one_kind(values, "classes")


@pytest.mark.parametrize(
    ("classes", "unlabeled", "told"),
    [
        (np.array([0, 1, 255], np.uint8), -1, "cannot hold unlabeled=-1"),
        (np.array([0, 1], np.uint8), None, None),
        (np.array([0, 1], np.uint8), 7, None),
        (np.array([0, 1]), -1, None),
        (np.array([-1, 0, 1]), None, "the label -1 and labels"),
        (np.array([-1, 1]), None, None),
        (np.array([-2, 0]), None, None),
        (np.array(["a", "b"]), None, None),
    ],
)
def test_marks_of_rows_without_a_label_are_warned_of(classes, unlabeled, told):
    owner = SimpleNamespace(unlabeled=unlabeled)
    if told is None:
        warn_of_mark(classes, owner)
    else:
        with pytest.warns(LabelWarning, match=told):
            warn_of_mark(classes, owner)


@pytest.mark.parametrize(
    ("y", "kind"),
    [
        ([1, 2, 3], "i"),
        ([0.5, 2], "f"),
        ([True, False], "b"),
        (["a", "b"], "U"),
        (["a", 1], "O"),
        (np.array(["a", "b"]), "U"),
        (np.array([1, 2], np.uint8), "u"),
        (pd.array([1, None], dtype="Int64"), "O"),
    ],
    ids=str,
)
def test_values_have_the_types_that_they_were_given_in(y, kind):
    found = as_values(y, "Model")
    assert found.dtype.kind == kind
    expected = [None if value is pd.NA else value for value in list(y)]
    assert [None if value is pd.NA else value for value in found.tolist()] == expected
