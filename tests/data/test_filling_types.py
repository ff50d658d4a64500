import numpy as np
import pytest
import scipy.sparse as sp

from skdgm import NADE
from skdgm.data.filling import holding
from skdgm.utils.rows import Rows

LARGE = 2**53 + 1


@pytest.mark.parametrize(
    "values, given, kept",
    [
        ([LARGE], np.int64, np.int64),
        ([-LARGE], np.int64, np.int64),
        ([2**64 - 1], np.uint64, np.uint64),
        ([2**53], np.int64, np.float64),
        ([2**53], np.uint64, np.float64),
        ([2**31 - 1], np.int32, np.float64),
        ([2.0**60], np.float64, np.float64),
        ([2.0**60], np.float32, np.float32),
        ([True], np.bool_, np.float32),
    ],
)
@pytest.mark.parametrize("convert", [np.asarray, sp.csr_array])
def test_types_hold_what_is_known(values, given, kept, convert):
    X = convert(np.array([values, [0]], given))
    assert holding(Rows(X, np.float32)) == kept


@pytest.mark.filterwarnings("ignore:X has feature names")
def test_columns_of_frames_that_floats_cannot_hold_are_named():
    pd = pytest.importorskip("pandas")
    own = NADE(2, "gaussian", n_iter=1).fit([[1.0, 2], [3, 5], [2, 2]])
    for number, dtype in [(LARGE, "int64"), (LARGE, "Int64"), (2**64 - 1, "uint64")]:
        large = pd.Series([number, 1], dtype=dtype)
        frame = pd.DataFrame({"key": large, "rent": [0.5, np.nan]})
        with pytest.raises(ValueError, match="NADE: column 'key' has whole numbers"):
            own.impute(frame)
    frame = frame.assign(key=[2**60, 1])
    assert own.impute(frame)[0].tolist() == [2.0**60, 0.5]
    found = own.impute(frame.assign(rent=[LARGE, LARGE]))
    assert found.tolist() == [[2**60, LARGE], [1, LARGE]]


@pytest.mark.parametrize("convert", [list, tuple, np.array])
def test_lists_of_integers_keep_all_digits(convert):
    own = NADE(2, "gaussian", n_iter=1).fit([[1.0, 2], [3, 5], [2, 2]])
    found = own.impute(convert([[LARGE, 1], [2, -LARGE]]))
    assert found.tolist() == [[LARGE, 1], [2, -LARGE]]


@pytest.mark.filterwarnings("ignore:X has feature names")
@pytest.mark.filterwarnings("ignore::skdgm.exceptions.FewDrawsWarning")
def test_objects_that_floats_cannot_hold_are_named():
    pd = pytest.importorskip("pandas")
    own = NADE(2, "gaussian", n_iter=1).fit([[1.0, 2], [3, 5], [2, 2]])
    for rows in [[0.5, LARGE], [np.nan, np.int64(-LARGE)], [None, LARGE], [-1, 2**63]]:
        large = [rows, [1.0, 2**63 + 1]]
        for X in large, np.array(large, object), pd.DataFrame(large, dtype=object):
            with pytest.raises(ValueError, match="NADE: column 1 has whole numbers"):
                own.impute(X)
    found = own.impute([[np.nan, 2**60], [0.5, -(2**63)]])
    assert found[:, 1].tolist() == [2.0**60, -(2.0**63)]
