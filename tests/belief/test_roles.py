"""Belief networks as densities."""

import numpy as np
import pytest

from skdgm import DBN, DBNClassifier, GenerativeDBNClassifier
from tests.base.cases import DensityCase

SHORT = {"n_iter": 2, "random_state": 0}
NETWORKS = [
    DBN((5,), **SHORT),
    DBN((5, 4), refine="up-down", refine_iter=1, **SHORT),
    DBN((5, 4), visible="gaussian", feature_layer=0, **SHORT),
    GenerativeDBNClassifier((5, 4), **SHORT),
]


@pytest.fixture(scope="module")
def X():
    return (np.random.default_rng(0).random((30, 6)) < 0.4).astype(np.float64)


@pytest.fixture(scope="module", params=NETWORKS, ids=str)
def estimator(request, X):
    return request.param.fit(X, np.arange(30) % 3)


class TestDensity(DensityCase):
    def test_features_are_those_of_transform(self, estimator, X):
        layers = [0] if estimator.feature_layer == 0 else None
        H = estimator.density_.features(X, layers)
        assert H.shape == (len(X), len(estimator.get_feature_names_out()))
        np.testing.assert_array_equal(H, estimator.transform(X))


def test_a_tuned_network_has_the_density_of_its_dbn(X):
    clf = DBNClassifier((5, 4), pretrain_iter=2, max_iter=2, random_state=0)
    clf.fit(X, np.arange(30) % 3)
    assert clf.density_kind_ == clf.dbn_.density_kind_
    assert (clf.log_Z_, clf.log_Z_se_) == (clf.dbn_.log_Z_, clf.dbn_.log_Z_se_)
    np.testing.assert_array_equal(clf.score_samples(X), clf.dbn_.score_samples(X))
    np.testing.assert_array_equal(
        clf.sample(3, random_state=0), clf.dbn_.sample(3, random_state=0)
    )
    holed = np.where(np.eye(*X.shape, dtype=bool), np.nan, X)
    np.testing.assert_array_equal(clf.impute(holed), clf.dbn_.impute(holed))
