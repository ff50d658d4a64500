"""scikit-learn's own checks, with nothing skipped and nothing expected to fail."""

import os

import pytest
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import parametrize_with_checks

from skdgm import DBM, FVBN, DBNClassifier, DBNRegressor, RBMClassifier
from tests.common.instances import CLASSES, ESTIMATORS, INSTANCES, KINDS

# The checks' data are real numbers: with these visible units they are classified well.
REAL = RBMClassifier(column_types="gaussian")
SUPERVISED = DBNClassifier((32, 32), column_types="gaussian", pretrain_iter=5)
SUPERVISED.set_params(learning_rate=0.02, n_iter=40)

# A closed form, which learning again does not change: no instance for tests of that.
NORMAL = FVBN(column_types="gaussian", ordering="random")

# By default they learn for as long as it takes, which is no matter of the checks.
SHORT = {
    "DBM": {"n_iter": 5},
    "DBMClassifier": {"dbm": DBM(learning_rate=0.05, n_iter=5), "n_iter": 5},
    "DBNClassifier": {"pretrain_iter": 5, "n_iter": 20},
    "DBN": {"n_iter": 5},
    "DBNRegressor": {"pretrain_iter": 5, "n_iter": 100},
    "GenerativeDBNClassifier": {"n_iter": 5},
    "VAE": {"n_iter": 20},
}
for name in "EoNADE", "FVBN", "MADE", "NADE", "NeuralAutoregressive", "RNADE":
    SHORT[name] = {"n_iter": 5}
DEFAULTS = [cls().set_params(**SHORT.get(cls.__name__, {})) for cls in ESTIMATORS]

# What else there is to check of other columns, and of layers that are given.
OTHERS = [
    instance
    for instance in KINDS
    if instance not in CLASSES
    and (type(instance), instance.get_params().get("column_types"))
    not in [(type(real), "gaussian") for real in (REAL, SUPERVISED)]
]


@parametrize_with_checks([*DEFAULTS, REAL, SUPERVISED, NORMAL, *OTHERS])
def test_check(estimator, check):
    try:
        check(estimator)
    except pytest.skip.Exception as skipped:
        raise AssertionError(f"the check was skipped: {skipped}") from skipped


def test_array_api_dispatch_is_possible():
    assert os.environ["SCIPY_ARRAY_API"] == "1"


def test_accuracy_is_asked_for_where_columns_are_real():
    for cls in RBMClassifier, DBNClassifier:
        assert get_tags(cls()).classifier_tags.poor_score
    for real in REAL, SUPERVISED:
        assert not get_tags(real).classifier_tags.poor_score
    assert not get_tags(DBNRegressor()).regressor_tags.poor_score


def test_every_estimator_has_instances():
    assert {type(instance) for instance in INSTANCES} == set(ESTIMATORS)
