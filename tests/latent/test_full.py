"""Normal units of full covariance beside SciPy and the formula."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from skdgm.latent.units import FullUnits

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_divergences_and_densities(n):
    units = FullUnits()
    raw = RNG.normal(size=(4, units.n_raw(n)))
    stats = np.asarray(units.stats(raw, ()))
    mean, s, below = np.split(stats, [n, 2 * n], axis=1)
    z = RNG.normal(size=(4, n))
    noise = np.asarray(units.noise_of(z, stats))
    log_p = np.asarray(units.log_prob(z, stats))
    found = np.asarray(units.divergence(stats, ()))
    for r in range(4):
        # The factor: drawing is linear in the noise.
        columns = [
            np.asarray(units.draw(stats, np.tile(e, (4, 1))))[r] for e in np.eye(n)
        ]
        L = np.array(columns).T - mean[r][:, None]
        np.testing.assert_allclose(np.diag(L), np.exp(0.5 * s[r]))
        np.testing.assert_allclose(
            np.sort(L[np.tril_indices(n, -1)]), np.sort(below[r])
        )
        cov = L @ L.T
        np.testing.assert_allclose(mean[r] + L @ noise[r], z[r], rtol=1e-9)
        assert log_p[r] == pytest.approx(multivariate_normal(mean[r], cov).logpdf(z[r]))
        size = mean[r] @ mean[r] + np.trace(cov) - n - np.linalg.slogdet(cov)[1]
        assert found[r] == pytest.approx(0.5 * size)
