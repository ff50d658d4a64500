"""The energy that holds strong units back, beside finite differences of its own."""

import numpy as np
import pytest

from skdgm.distributions import Bernoulli, Gaussian, Normal
from skdgm.energies import Params, contrast, layered
from skdgm.gradients.steps import quadratic
from skdgm.utils.tree import leaves
from tests.numerical import numerical_gradient

RNG = np.random.default_rng(0)
ENERGY = layered([[Gaussian(4)], [Bernoulli(3)]])
PARAMS = Params(
    (Normal(RNG.normal(size=4), RNG.normal(size=4)), RNG.normal(size=3)),
    (RNG.normal(size=(4, 3)),),
)


def other_energy(params, x):
    """The energy with the term, written out."""
    (mean, log_precision), c = params.units
    v, h, (W,) = *x, params.couplings
    beta = np.exp(log_precision)
    return (
        0.5 * v**2 @ beta
        - ((v * beta) * (h @ W.T + mean)).sum(axis=1)
        - h @ c
        + 0.5 * h @ (beta @ W**2)
    )


def plain(params):
    """The plain energy's parameters for those of the one with the term."""
    (_, log_precision), c = params.units
    c = c - 0.5 * np.exp(log_precision) @ params.couplings[0] ** 2
    return params._replace(units=(params.units[0], c))


def test_it_is_the_plain_energy_with_other_biases():
    x = RNG.normal(size=(6, 4)), RNG.random((6, 3))
    np.testing.assert_allclose(
        ENERGY.energy(plain(PARAMS), x), other_energy(PARAMS, x), rtol=1e-12
    )
    shift = quadratic.shift(ENERGY, PARAMS)
    np.testing.assert_allclose(plain(PARAMS).units[1] + shift[1], PARAMS.units[1])
    assert not np.any(shift.get(0, 0))


def test_gradient():
    data, model = ((RNG.normal(size=(n, 4)), RNG.random((n, 3))) for n in (5, 7))
    numeric = numerical_gradient(
        lambda p: other_energy(p, model).mean() - other_energy(p, data).mean(), PARAMS
    )
    here = plain(PARAMS)
    grad = quadratic.convert(ENERGY, here, contrast(ENERGY, here, data, model))
    found = [*leaves(grad.units), np.asarray(grad.couplings[0])]
    for a, b in zip(found, leaves(numeric), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-7)


@pytest.mark.parametrize("precision, kept", [("scalar", 1), ("fixed", 0)])
def test_shared_and_fixed_precisions(precision, kept):
    energy = layered([[Gaussian(4, precision)], [Bernoulli(3)]])
    data, model = ((RNG.normal(size=(n, 4)), RNG.random((n, 3))) for n in (5, 7))
    whole = quadratic.convert(ENERGY, PARAMS, contrast(ENERGY, PARAMS, data, model))
    part = quadratic.convert(energy, PARAMS, contrast(energy, PARAMS, data, model))
    expected = kept * whole.units[0].log_precision.mean()
    np.testing.assert_allclose(part.units[0].log_precision, expected, atol=1e-12)


def test_its_bias_is_as_it_was_after_an_update():
    params = Params(
        (PARAMS.units[0], PARAMS.units[1].copy()), (PARAMS.couplings[0].copy(),)
    )
    before = quadratic.shift(ENERGY, params)
    other = params.units[1] + before[1]
    params.couplings[0][...] += 0.3
    quadratic.correct(ENERGY, params, before)
    np.testing.assert_allclose(
        params.units[1] + quadratic.shift(ENERGY, params)[1], other
    )
