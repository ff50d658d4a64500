import numpy as np
import pytest

from skdgm.energies import Params
from skdgm.optim import decay
from skdgm.utils.tree import tree_map
from tests.reference import numerical_gradient

RNG = np.random.default_rng(0)
PARAMS = Params((RNG.normal(size=3),), (RNG.normal(size=(3, 2)),))


@pytest.mark.parametrize("l1, l2", [(0.0, 0.0), (0.3, 0.0), (0.0, 0.2), (0.3, 0.2)])
def test_gradient_of_the_penalty(l1, l2):
    def objective(params):
        W = params.couplings[0]
        return -l1 * abs(W).sum() - l2 / 2 * (W**2).sum()

    grad = tree_map(np.zeros_like, PARAMS)
    decay(grad, PARAMS.couplings, l1=l1, l2=l2)
    numeric = numerical_gradient(objective, PARAMS)
    np.testing.assert_allclose(grad.couplings[0], numeric.couplings[0], atol=1e-8)
    assert not grad.units[0].any()
