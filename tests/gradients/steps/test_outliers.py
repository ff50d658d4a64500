"""Steps of columns with values far out: shortened, and taken back in part."""

import numpy as np
import pytest

from skdgm.couplings.contrast import Contrast
from skdgm.distributions import Bernoulli, Gaussian, Normal
from skdgm.energies import Params, layered
from skdgm.gradients.steps.outliers import (
    copied,
    refund_penalty,
    scale_step,
    shortened,
)
from skdgm.utils.tree import copy

RNG = np.random.default_rng(0)
ENERGY = layered([[Gaussian(4)], [Bernoulli(3)]])
FACTOR = np.array([1.0, 0.5, 0.1, 0.01])


def some_params():
    own = Normal(RNG.normal(size=4), RNG.normal(size=4)), RNG.normal(size=3)
    return Params(own, (RNG.normal(size=(4, 3)),))


def test_steps_are_taken_back_by_a_factor_of_each_unit():
    first, params = some_params(), some_params()
    second, before = copy(params), copied(ENERGY, first, {0: FACTOR})
    scale_step(ENERGY, params, before)
    for name in ("mean", "log_precision"):
        a, b, found = (getattr(p.units[0], name) for p in (first, second, params))
        np.testing.assert_allclose(found, a + FACTOR * (b - a))
    (a,), (b,), (found,) = first.couplings, second.couplings, params.couplings
    np.testing.assert_allclose(found, a + FACTOR[:, None] * (b - a))
    np.testing.assert_array_equal(params.units[1], second.units[1])


def test_penalties_are_as_short_as_gradients():
    first, params, velocity = some_params(), some_params(), some_params()
    W, u = params.couplings[0].copy(), velocity.couplings[0].copy()
    before, rule = copied(ENERGY, first, {0: FACTOR}), {"l1": 0.3, "l2": 0.2}
    refund_penalty(ENERGY, params, velocity, before, rate=0.1, **rule)
    old = first.couplings[0]
    back = 0.1 * (0.3 * np.sign(old) + 0.2 * old) * (1 - FACTOR[:, None])
    np.testing.assert_allclose(params.couplings[0], W + back)
    np.testing.assert_allclose(velocity.couplings[0], u + back)


@pytest.mark.parametrize("precision", ["diagonal", "scalar"])
@pytest.mark.parametrize("factor", [FACTOR, np.array([1.0, 0.5, 0.6, 0.3])])
def test_gradients_are_multiplied_by_a_factor_of_each_unit(precision, factor):
    energy = layered([[Gaussian(4, precision)], [Bernoulli(3)]])
    units = some_params().units
    G = RNG.normal(size=(4, 3))
    found = shortened(energy, Params(units, (Contrast.of(G),)), {0: factor})
    np.testing.assert_allclose(found.couplings[0], factor[:, None] * G)
    np.testing.assert_allclose(found.units[0].mean, factor * units[0].mean)
    np.testing.assert_array_equal(found.units[1], units[1])
    # All units share a precision, whose step is a mean over units.
    shared = min(1, 4 * factor.min()) if precision == "scalar" else factor
    expected = shared * units[0].log_precision
    np.testing.assert_allclose(found.units[0].log_precision, expected)
