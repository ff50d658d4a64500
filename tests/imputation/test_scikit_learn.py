"""scikit-learn's own checks of the imputer, with nothing skipped."""

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from skdgm import FVBN, BernoulliRBM, EoNADE, GaussianRBM, GenerativeImputer

MIXED = EoNADE((16, 12), column_types="mixed", n_iter=3, n_orderings=2)


@pytest.mark.exhaustive(default=["-1)"])
@parametrize_with_checks(
    [
        GenerativeImputer(),
        GenerativeImputer(MIXED),
        GenerativeImputer(MIXED, method="sample", add_indicator=True),
        GenerativeImputer(FVBN(column_types="gaussian"), missing_values=-1),
        GenerativeImputer(GaussianRBM(4, n_iter=3), keep_empty_features=True),
        GenerativeImputer(BernoulliRBM(4, n_iter=3)),
    ]
)
def test_check(estimator, check):
    try:
        check(estimator)
    except pytest.skip.Exception as skipped:
        raise AssertionError(f"the check was skipped: {skipped}") from skipped
