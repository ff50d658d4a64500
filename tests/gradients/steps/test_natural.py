import numpy as np
import pytest

from skdgm.couplings import Conv, Dense, Factors
from skdgm.distributions import Bernoulli, Binomial, Gaussian, Normal, Poisson
from skdgm.energies import Energy, Params, contrast, layered
from skdgm.gradients.steps.natural import (
    damped,
    deviations,
    natural,
    rescale,
    standardized,
)
from skdgm.utils.windows import window
from tests.numerical import assert_trees, numerical_gradient

RNG = np.random.default_rng(0)
ENERGY = layered([[Gaussian(4)], [Bernoulli(3)]])
PARAMS = ENERGY.init(RNG)._replace(
    units=(Normal(RNG.normal(size=4), RNG.normal(size=4)), RNG.normal(size=3))
)
TILDE = PARAMS._replace(couplings=(RNG.normal(size=(4, 3)),))
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
    energy = layered([[Bernoulli(4)], [Bernoulli(3)]])
    params = energy.init(RNG)
    grad = contrast(energy, params, *((RNG.random((2, 4)), RNG.random((2, 3))),) * 2)
    assert natural(energy, params, grad).couplings[0] is grad.couplings[0]
    assert damped(energy, params, 0.3) == 0.3


def test_rates_are_shortened_but_not_small_ones():
    curvature = np.exp(PARAMS.units[0].log_precision).sum() / 8 + 3 / 16
    for rate in (1e-6, 0.1, 1e6):
        expected = 1 / (1 / rate + curvature)
        np.testing.assert_allclose(damped(ENERGY, PARAMS, rate), expected)
        # Means of hidden units, which centering takes away, add up as well.
        expected = 1 / (1 / rate + curvature + 3 * (1 / 4 - 1 / 16))
        np.testing.assert_allclose(damped(ENERGY, PARAMS, rate, False), expected)


def test_rates_are_shortened_for_filters_by_their_positions():
    conv = Conv(window((4, 5, 1), (2, 2), 1, "valid"), 3)
    energy = Energy([Bernoulli(20), Bernoulli(36)], [(0, 1, 0)], [conv])
    rate = damped(energy, energy.init(RNG), 0.3)
    np.testing.assert_allclose(rate, 0.3 / (1 + 0.3 * 12 / 10))


def plain(tilde):
    """Parameters for biases and weights in the real units' standard deviations."""
    deviation = np.exp(-0.5 * tilde.units[0].log_precision)
    real = tilde.units[0]._replace(mean=deviation * tilde.units[0].mean)
    return tilde._replace(
        units=(real, tilde.units[1]),
        couplings=(deviation[:, None] * tilde.couplings[0],),
    )


def test_precisions_learn_while_standardized_weights_are_held():
    x = RNG.normal(size=(6, 4)), RNG.random((6, 3))
    numeric = numerical_gradient(lambda p: -ENERGY.energy(plain(p), x).mean(), TILDE)
    here = plain(TILDE)
    nothing = tuple(np.zeros_like(part[:1]) for part in x)
    grad = contrast(ENERGY, here, x, nothing)
    found = standardized(ENERGY, here, grad).units[0].log_precision
    np.testing.assert_allclose(found, numeric.units[0].log_precision, atol=1e-7)


def test_precisions_learn_beside_gated_weights():
    units, links = [Gaussian(4), Bernoulli(3), Bernoulli(2)], [(0, 1, 0)]
    couplings = [Dense(4, 3), Factors(4, 5), Factors(3, 5), Factors(2, 5)]
    energy = Energy(units, links, couplings, triples=[((0, 1, 2), (1, 2, 3))])
    tilde = energy.init(RNG, scale=1.0)
    own = Normal(RNG.normal(size=4), RNG.normal(size=4))
    tilde = tilde._replace(units=(own, *tilde.units[1:]))

    def plain(tilde):
        deviation, (W, A, *rest) = np.exp(-0.5 * tilde.units[0][1]), tilde.couplings
        own = tilde.units[0]._replace(mean=deviation * tilde.units[0].mean)
        couplings = deviation[:, None] * W, deviation[:, None] * A, *rest
        return Params((own, *tilde.units[1:]), couplings)

    x = tuple(RNG.normal(size=(6, unit.size)) for unit in units)
    numeric = numerical_gradient(lambda p: -energy.energy(plain(p), x).mean(), tilde)
    here, nothing = plain(tilde), tuple(np.zeros_like(part[:1]) for part in x)
    grad = standardized(energy, here, contrast(energy, here, x, nothing))
    found = grad.units[0].log_precision
    np.testing.assert_allclose(found, numeric.units[0].log_precision, atol=1e-7)
    found = natural(energy, here, grad).couplings[1]
    slope = np.asarray(grad.couplings[1]) / np.exp(own.log_precision)[:, None]
    np.testing.assert_allclose(np.asarray(found), slope)
    before = deviations(energy, here)
    own.log_precision[:] += RNG.normal(size=4)
    here.units[0].log_precision[:] = own.log_precision
    rescale(energy, here, before)
    assert_trees(here, plain(tilde), rtol=1e-12)


@pytest.mark.parametrize("precision", ["fixed", "scalar"])
def test_shared_precisions_learn_together(precision):
    energy = layered([[Gaussian(4, precision)], [Bernoulli(3)]])
    grad = contrast(energy, TILDE, DATA, MODEL)
    slope = standardized(energy, TILDE, grad).units[0].log_precision
    each = standardized(ENERGY, TILDE, contrast(ENERGY, TILDE, DATA, MODEL))
    shared = each.units[0].log_precision.mean() * (precision == "scalar")
    np.testing.assert_allclose(slope, np.full(4, shared), atol=1e-12)


def test_chains_that_fall_behind_have_no_say_in_precisions():
    # Given the hidden units the chains' real units are as they should be.
    params = plain(TILDE)
    h = np.repeat(RNG.random((3, 3)) < 0.5, 20_000, axis=0).astype(float)
    mean = h @ params.couplings[0].T + params.units[0].mean
    noise = RNG.normal(size=mean.shape)
    chains = mean + noise * np.exp(-0.5 * params.units[0].log_precision), h
    data = RNG.normal(size=(5, 4)), RNG.random((5, 3))
    grad = standardized(ENERGY, params, contrast(ENERGY, params, data, chains))
    residual = data[0] - data[1] @ params.couplings[0].T - params.units[0].mean
    precision = np.exp(params.units[0].log_precision)
    expected = 0.5 - 0.5 * precision * (data[0] * residual).mean(axis=0)
    found = grad.units[0].log_precision
    np.testing.assert_allclose(found, expected, atol=0.05 * (1 + abs(mean).max()))


def test_standardized_weights_outlive_a_change_of_precision():
    params, before = plain(TILDE), deviations(ENERGY, plain(TILDE))
    params.units[0].log_precision[:] += RNG.normal(size=4)
    rescale(ENERGY, params, before)
    after = plain(
        TILDE._replace(
            units=(
                TILDE.units[0]._replace(log_precision=params.units[0].log_precision),
                TILDE.units[1],
            )
        )
    )
    assert_trees(params, after, rtol=1e-12)
    binary = layered([[Bernoulli(4)], [Bernoulli(3)]])
    given = binary, binary.init(RNG)
    rescale(*given, deviations(*given))


def test_counts_that_vary_more_than_their_noise_are_divided_by_their_information():
    counts = Poisson(2, (0.5, 0.125), (4.0, 16.0))
    energy = layered([[counts, Bernoulli(2)], [Binomial(3, 4, 1.0, 1.0)]])
    params = energy.init(RNG)
    sizes = 2, 2, 3
    data, model = (tuple(RNG.random((n, size)) for size in sizes) for n in (5, 7))
    grad = contrast(energy, params, data, model)
    found = natural(energy, params, grad)
    np.testing.assert_allclose(found.units[0], grad.units[0] * [1, 4])
    given, expected = (np.asarray(part.couplings[0]) for part in (found, grad))
    np.testing.assert_allclose(given, expected * [[1], [4]])
    assert found.couplings[1] is grad.couplings[1]
    assert found.units[2] is grad.units[2]
    assert natural(energy, params, grad, counts=False).units[0] is grad.units[0]
