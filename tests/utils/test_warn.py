import warnings

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline

from skdgm import BernoulliRBM, GaussianRBM
from skdgm.exceptions import DataRangeWarning, MissingDataWarning
from skdgm.utils.warn import warn

X = np.eye(6)
HOLED = np.where([True, False, False, False, False, False], np.nan, X)


@pytest.mark.parametrize(
    "call, category",
    [
        (lambda: warn("so it is", UserWarning), UserWarning),
        (lambda: BernoulliRBM(2).fit(3 * X), DataRangeWarning),
        (lambda: BernoulliRBM(2).partial_fit(3 * X), DataRangeWarning),
        (lambda: BernoulliRBM(2).fit(X).transform(3 * X), DataRangeWarning),
        (lambda: make_pipeline(BernoulliRBM(2)).fit(3 * X), DataRangeWarning),
        (lambda: GaussianRBM(2).fit(HOLED), MissingDataWarning),
    ],
)
def test_warnings_point_to_the_caller(call, category):
    with warnings.catch_warnings(record=True) as record:
        warnings.simplefilter("always")
        call()
    found = [one for one in record if one.category is category]
    assert found
    assert {one.filename for one in found} == {__file__}
