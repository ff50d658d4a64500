import numpy as np
import pytest

from skdgm import BernoulliRBM

X = (np.random.default_rng(0).random((20, 5)) < 0.5).astype(float)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("size", [2.0**-1060, 2.0**1017])
def test_weights_of_any_size(size):
    rbm = BernoulliRBM(2, n_iter=1, random_state=0).fit(X)
    weight = 0.5 + np.arange(20) % 7
    score = rbm.score(X, sample_weight=weight)
    assert rbm.score(X, sample_weight=weight * size) == score
    assert score == np.average(rbm.score_samples(X), weights=weight)
