import numpy as np
import pytest
from scipy.special import logsumexp

from skdgm._kernels.machines.enumeration import TwoBlocks, total


@pytest.mark.parametrize("n_factors", [1, 2, 50])
@pytest.mark.parametrize("n_low", [0, 2, 4])
def test_all_states_are_counted_once(n_low, n_factors):
    rng = np.random.default_rng(0)
    own, M, bias = rng.normal(size=4), rng.normal(size=(4, 96)), rng.normal(size=96)
    bias[90:] = -np.inf
    flips = np.exp(np.stack([M[:n_low], -M[:n_low]]))
    out = np.full(2 ** (4 - n_low), np.nan)
    for block in range(len(out)):
        total(TwoBlocks(own, M, bias, flips, n_factors), out, block, block + 1)
    states = (np.arange(16)[:, None] >> np.arange(4)) & 1
    log_w = states @ own + np.logaddexp(0, bias + states @ M).sum(axis=1)
    parts = log_w.reshape(len(out), 2**n_low)
    np.testing.assert_allclose(out, logsumexp(parts, axis=1), rtol=1e-13)
