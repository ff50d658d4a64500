import numpy as np

from skdgm.energies import LayeredEnergy, contrast
from skdgm.gradients import damped, natural
from skdgm.units import Bernoulli, Gaussian, Normal

RNG = np.random.default_rng(0)
ENERGY = LayeredEnergy([[Gaussian(4)], [Bernoulli(3)]])
PARAMS = ENERGY.init(RNG)._replace(
    units=(Normal(RNG.normal(size=4), RNG.normal(size=4)), RNG.normal(size=3))
)
DATA, MODEL = ((RNG.normal(size=(n, 4)), RNG.random((n, 3))) for n in (5, 7))


def test_real_sides_are_divided_by_the_precision():
    grad = contrast(ENERGY, PARAMS, DATA, MODEL)
    found, beta = natural(ENERGY, PARAMS, grad), np.exp(PARAMS.units[0].log_precision)
    np.testing.assert_allclose(found.units[0].mean, grad.units[0].mean / beta)
    np.testing.assert_allclose(
        np.asarray(found.couplings[0]), np.asarray(grad.couplings[0]) / beta[:, None]
    )
    np.testing.assert_array_equal(found.units[1], grad.units[1])
    np.testing.assert_array_equal(
        found.units[0].log_precision, grad.units[0].log_precision
    )


def test_binary_machines_are_left_alone():
    energy = LayeredEnergy([[Bernoulli(4)], [Bernoulli(3)]])
    params = energy.init(RNG)
    grad = contrast(energy, params, *((RNG.random((2, 4)), RNG.random((2, 3))),) * 2)
    assert natural(energy, params, grad).couplings[0] is grad.couplings[0]
    assert damped(energy, params, 0.3) == 0.3


def test_rates_are_shortened_but_not_small_ones():
    curvature = np.exp(PARAMS.units[0].log_precision).sum() / 8 + 3 / 16
    for rate in (1e-6, 0.1, 1e6):
        expected = 1 / (1 / rate + curvature)
        np.testing.assert_allclose(damped(ENERGY, PARAMS, rate), expected)
