"""Machines as densities and objectives."""

import numpy as np
import pytest

from skdgm import DBM, BernoulliRBM, DBMClassifier, GaussianRBM, RBMClassifier
from tests.base.cases import DensityCase, ObjectiveCase, begin

SHORT = {"n_iter": 2, "random_state": 0}
MACHINES = [
    BernoulliRBM(5, **SHORT),
    BernoulliRBM(5, gradient="tempering", solver="adam", centering="moving", **SHORT),
    GaussianRBM(5, **SHORT),
    RBMClassifier(5, **SHORT),
    DBM((4, 3), gradient="fpcd", **SHORT),
    DBM((4, 3), visible="gaussian", **SHORT),
    DBMClassifier((4, 3), max_iter=2, **SHORT),
]


@pytest.fixture(scope="module", params=MACHINES, ids=str)
def machine(request):
    return request.param


@pytest.fixture(scope="module")
def X():
    return (np.random.default_rng(0).random((30, 6)) < 0.4).astype(np.float64)


@pytest.fixture(scope="module")
def y():
    return np.arange(30) % 3


@pytest.fixture(scope="module")
def estimator(machine, X, y):
    return machine.fit(X, y)


@pytest.fixture
def begun(estimator, X, y):
    return begin(estimator, X, y)


class TestDensity(DensityCase):
    pass


class TestObjective(ObjectiveCase):
    pass
