"""Bits and categorical units side by side."""

import numpy as np

from skdgm.distributions import Sites
from tests.distributions.cases import FiniteUnitCase

_RNG = np.random.default_rng(3)


class TestSites(FiniteUnitCase):
    unit = Sites((0, 3, 0, 1, 2))
    own = _RNG.normal(size=8)
    received = _RNG.normal(size=(4, 8))
    x = unit.states(np.array([0, 5, 17, 23]))
    moments = np.array([0.3, 0.2, 0.5, 0.3, 0.6, 1.0, 0.1, 0.9])

    @property
    def clamped(self):
        masks = np.random.default_rng(5).random((4, 5)) < 0.5
        masks[0], masks[1] = True, False
        return np.repeat(masks, self.unit.widths, axis=1)

    def test_large_fields_are_no_problem(self):
        eta = np.array([[800.0, 900, -900, 0, -1000, 5, 700, 700]], np.float32)
        mean = self.unit.mean(eta)
        assert np.isfinite(mean).all()
        np.testing.assert_allclose(mean[0], [1, 1, 0, 0, 0, 1, 0.5, 0.5], atol=1e-37)
