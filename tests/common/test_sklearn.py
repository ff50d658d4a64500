"""scikit-learn's own checks, with nothing skipped and nothing expected to fail."""

import os

import pytest
from sklearn.base import clone, is_classifier
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import (
    check_classifiers_train,
)

from skdgm import (
    ABC,
    DBM,
    FVBN,
    DBNClassifier,
    DBNRegressor,
    RBMClassifier,
    SigmoidBeliefNetwork,
)
from skdgm.options import Pretraining
from tests.checks import with_checks
from tests.common.instances import (
    CLASSES,
    ESTIMATORS,
    INSTANCES,
    KINDS,
    META_ESTIMATORS,
    PUBLIC,
    READERS,
    cases,
)
from tests.common.shapes import brief
from tests.options import assign

# The checks' data are real numbers: with these visible units they are classified well.
REAL = RBMClassifier(12, column_types="gaussian", learning_rate=0.05, n_iter=5)
SUPERVISED = DBNClassifier(
    (32, 12), column_types="gaussian", pretrain=Pretraining(n_iter=3)
)
SUPERVISED.set_params(learning_rate=0.03, n_iter=20)

# A closed form, which learning again does not change: no instance for tests of that.
NORMAL = FVBN(column_types="gaussian", ordering="random")
# Bits and columns one after another.
LINKED = SigmoidBeliefNetwork(
    (8, 4),
    autoregressive=True,
    recognition_autoregressive="nade",
    ordering="random",
    n_iter=2,
)

# By default they learn for as long as it takes, with as many units as that takes, which
# is no matter of the checks. Of so many units log Z is a sum over all their states.
DEEP, MAPS = {"hidden_layer_sizes": (16, 12)}, {"conv_layer_sizes": (8, 6)}
SHORT = {
    "DBMClassifier": {
        **{"dbm": DBM((16, 12), learning_rate=0.05, n_iter=2)},
        **{"n_iter": 60, "learning_rate": 0.03},
    },
    "DBNClassifier": {"pretrain_iter": 2, "n_iter": 40, "learning_rate": 0.03, **DEEP},
    "StackedAutoencoderClassifier": {
        **{"pretrain_iter": 2, "n_iter": 20, "learning_rate": 0.02, "dropout": 0.0},
        **DEEP,
    },
    "StackedAutoencoderRegressor": {
        **{"pretrain_iter": 3, "n_iter": 40, "learning_rate": 0.03, **DEEP}
    },
    "DBNRegressor": {"pretrain_iter": 3, "n_iter": 40, "learning_rate": 0.03, **DEEP},
    "ConvDBNClassifier": {
        **{"pretrain_iter": 2, "n_iter": 20, "learning_rate": 0.03, **MAPS}
    },
    "RBMClassifier": {"n_components": 12, "n_iter": 5, "learning_rate": 0.05},
    "GSNClassifier": {"hidden_layer_sizes": (16,), "n_iter": 40},
}
for sizes, names in [
    (DEEP, "DBM DBN GenerativeDBNClassifier EoNADE StackedAutoencoder"),
    (MAPS, "ConvDBM ConvDBN"),
    (
        {"hidden_layer_sizes": (8, 4)},
        "BidirectionalHelmholtzMachine HelmholtzMachine SigmoidBeliefNetwork",
    ),
    (
        {"hidden_layer_sizes": (16,)},
        "VAE MADE GMMN GSN GAN BiGAN InfoGAN LAPGAN StackGAN GANClassifier "
        "GeneratorNet GSNClassifier Flow Diffusion",
    ),
    (
        {"n_components": 12},
        "BernoulliRBM ConditionalRBM ConvRBM GatedRBM GaussianRBM RBM RBMClassifier "
        "ReplicatedSoftmax S3C SpikeSlabRBM "
        "NADE RNADE",
    ),
    (
        {"n_mean": 3, "n_covariance": 4, "n_leapfrog": 5},
        "MeanCovarianceRBM MeanProductOfT",
    ),
    ({"n_glimpses": 2, "n_recurrent": 12}, "DRAW"),
    (
        {"n_components": 12, "hidden_layer_sizes": ()},
        "Autoencoder ContractiveAutoencoder DenoisingAutoencoder "
        "PredictabilityMinimization",
    ),
    ({}, "NeuralAutoregressive FVBN BoltzmannMachine"),
    # A table is one sequence by default, and rows of it are not independent.
    ({"n_components": 12, "n_recurrent": 8, "sequence_length": 1}, "RNNNADE RNNRBM"),
    ({"n_components": 8, "sequence_length": 1}, "RTRBM"),
    (
        {"n_components": 3, "n_hidden": 8, "n_recurrent": 8, "sequence_length": 1},
        "VRNN",
    ),
]:
    for name in names.split():
        SHORT.setdefault(name, {"n_iter": 2, **sizes})
DEFAULTS = [assign(cls(), **SHORT[cls.__name__]) for cls in ESTIMATORS]

# What else there is to check of other columns, and of layers that are given: of those
# who read rows in a way of their own.
OTHERS = [
    instance
    for instance in KINDS
    if instance not in CLASSES
    and (instance in READERS or instance.get_params().get("layers"))
]
# Other classifiers that classify real columns well, and read these as others do.
OTHER_CLASSIFIERS = [
    instance
    for instance in KINDS
    if is_classifier(instance)
    and instance not in OTHERS
    and not get_tags(instance).classifier_tags.poor_score
    and type(instance) not in (type(REAL), type(SUPERVISED))
]


# Those that are judged by what they predict learn for as long as that takes.
BRIEF = [o if hasattr(o, "predict") else brief(clone(o)) for o in OTHERS]
# One of each family, with a classifier; and all others.
FAMILIES = "BernoulliRBM", "EoNADE", "GAN", "RBMClassifier"
FIRST = [one for one in DEFAULTS if type(one).__name__ in FAMILIES]
LEFT = [one for one in DEFAULTS if type(one).__name__ not in FAMILIES]


@with_checks(FIRST)
def test_check(estimator, check):
    assert_passes(estimator, check)


@pytest.mark.exhaustive
@with_checks(LEFT)
def test_check_of_others(estimator, check):
    assert_passes(estimator, check)


@pytest.mark.release
@with_checks([REAL, SUPERVISED, NORMAL, LINKED, *BRIEF])
def test_check_of_other_kinds(estimator, check):
    assert_passes(estimator, check)


def assert_passes(estimator, check):
    try:
        check(estimator)
    except pytest.skip.Exception as skipped:
        raise AssertionError(f"the check was skipped: {skipped}") from skipped


@pytest.mark.parametrize("estimator", cases(OTHER_CLASSIFIERS))
def test_other_classifiers_of_real_columns_classify_well(estimator):
    check_classifiers_train(type(estimator).__name__, clone(estimator))


def test_array_api_dispatch_is_possible():
    assert os.environ["SCIPY_ARRAY_API"] == "1"


def test_accuracy_is_asked_for_where_columns_are_real():
    for cls in RBMClassifier, DBNClassifier:
        assert not get_tags(cls()).classifier_tags.poor_score
        bits = cls(column_types="bernoulli")
        assert get_tags(bits).classifier_tags.poor_score
    for real in REAL, SUPERVISED:
        assert not get_tags(real).classifier_tags.poor_score
    assert not get_tags(DBNRegressor()).regressor_tags.poor_score


def test_every_estimator_has_instances():
    assert {type(instance) for instance in INSTANCES} == set(ESTIMATORS)
    # Made of a user's simulator, its checks are with its tests.
    assert {*ESTIMATORS, *META_ESTIMATORS, ABC} == set(PUBLIC)
