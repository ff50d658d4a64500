"""Small tables and estimators that are fitted quickly; figures are closed."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from skdgm import DBM, BernoulliRBM, RBMClassifier


@pytest.fixture(autouse=True)
def close_figures():
    """Close all figures after a test."""
    yield
    plt.close("all")


@pytest.fixture(scope="package")
def X():
    """Forty rows of nine bits."""
    return np.random.default_rng(0).integers(0, 2, (40, 9)).astype(float)


@pytest.fixture(scope="package")
def rbm(X):
    """A machine with five hidden units."""
    return BernoulliRBM(5, n_iter=3, random_state=0).fit(X)


@pytest.fixture(scope="package")
def dbm(X):
    """A machine with two hidden layers."""
    return DBM((6, 4), n_iter=3, pretrain="layerwise", random_state=0).fit(X)


@pytest.fixture(scope="package")
def clf(X):
    """A machine of data and labels."""
    y = np.array(["no", "yes"])[X[:, 0].astype(int)]
    return RBMClassifier(5, n_iter=3, random_state=0).fit(X, y)


@pytest.fixture(scope="package")
def two(X):
    """A machine with two hidden units."""
    return BernoulliRBM(2, n_iter=3, random_state=0).fit(X)
