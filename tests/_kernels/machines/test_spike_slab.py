"""Mean field of spikes and slabs, one pair at a time, with NumPy."""

import numpy as np
import pytest
from scipy.special import expit

from skdgm.directed._spike_slab import CodingParams, pairs

N, K = 3, 4


def parts(seed=0):
    rng = np.random.default_rng(seed)
    positive = rng.random((2, K)) + 0.5
    W, c, b = rng.normal(size=(N, K)), rng.normal(size=N), rng.normal(size=K)
    params = CodingParams(W, c, b, rng.normal(size=K), positive[0], rng.random(N) + 0.5)
    return params, rng.normal(size=(5, N))


@pytest.mark.parametrize("holes", [0.0, 0.4])
@pytest.mark.parametrize("n_sweeps", [1, 2, 5])
def test_pairs_move_forth_and_back(n_sweeps, holes):
    (W, c, b, mu, alpha, beta), v = params, _ = parts()
    v = np.where(np.random.default_rng(1).random(v.shape) < holes, np.nan, v)
    found = pairs(params, v, n_sweeps)
    for r, row in enumerate(v):
        seen = ~np.isnan(row)
        V, B, x = W[seen], beta[seen], row[seen] - c[seen]
        G, field = V.T @ (B[:, None] * V), (x * B) @ V + alpha * mu
        a = alpha + np.diag(G)
        g, m = np.zeros(K), np.zeros(K)
        for sweep in range(n_sweeps):
            for i in range(K)[:: 1 if sweep % 2 == 0 else -1]:
                rest = G[i] @ (g * m) - G[i, i] * g[i] * m[i]
                m[i] = (field[i] - rest) / a[i]
                odds = b[i] - 0.5 * alpha[i] * mu[i] ** 2
                odds += 0.5 * (np.log(alpha[i] / a[i]) + a[i] * m[i] ** 2)
                g[i] = expit(odds)
        for own, expected in zip(found, (g, m, a, g * m), strict=True):
            own = own[:, min(r, own.shape[1] - 1)]
            np.testing.assert_allclose(own, expected, rtol=1e-6, atol=1e-7)
