"""scikit-learn's own checks, with nothing skipped and nothing expected to fail."""

import os

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from tests.common.instances import ESTIMATORS, INSTANCES


@parametrize_with_checks([*(cls() for cls in ESTIMATORS), *INSTANCES])
def test_check(estimator, check):
    try:
        check(estimator)
    except pytest.skip.Exception as skipped:
        raise AssertionError(f"the check was skipped: {skipped}") from skipped


def test_array_api_dispatch_is_possible():
    assert os.environ["SCIPY_ARRAY_API"] == "1"


def test_every_estimator_has_instances():
    assert {type(instance) for instance in INSTANCES} == set(ESTIMATORS)
