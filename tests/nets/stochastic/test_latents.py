import numpy as np
import pytest
from scipy.integrate import quad, trapezoid
from scipy.special import log_softmax, logsumexp, softmax
from scipy.stats import norm

from skdgm.nets import log_normal, log_prior, vjp
from skdgm.nets.stochastic.latents import (
    BOUND,
    bounded,
    divergence,
    divergence_from,
    draw,
    halves,
    log_drawn,
)
from skdgm.nets.stochastic.mixtures import component, log_mixture
from skdgm.utils.random import stream
from tests.nets.recipes import assert_slopes, numbers
from tests.suites import DTYPES

N_ROWS, N_UNITS = 4, 3


def variables(n_each=1, dtype=np.float64):
    """Statistics, and noise for so many draws of each row."""
    stats = numbers(N_ROWS, 2 * N_UNITS, dtype=dtype)
    return stats, numbers(N_ROWS * n_each, N_UNITS, dtype=dtype, seed=1)


def repeated(stats, n_each):
    """Means and deviations, a row for each draw."""
    mean, log_var = halves(np.repeat(stats, n_each, axis=0))
    return mean, np.exp(log_var / 2)


@pytest.mark.parametrize("n_each", [1, 3])
def test_slopes_of_statistics_of_draws(n_each):
    stats, noise = variables(n_each)
    assert_slopes(lambda params: draw(params[0], noise), (stats,))
    assert_slopes(lambda params: log_drawn(params[0], noise), (stats,))


def test_slopes_of_densities():
    stats, z = variables()
    assert_slopes(lambda params: log_normal(*params), (z, stats))
    assert_slopes(lambda params: log_normal(params[0], stats), (z,))
    assert_slopes(lambda params: log_normal(z, params[0]), (stats,))
    assert_slopes(lambda params: log_prior(*params), (z,))
    assert_slopes(lambda params: divergence(*params), (stats,))


def test_slopes_of_bounded_statistics():
    assert_slopes(lambda params: bounded(*params), (10 * variables()[0],))


@pytest.mark.parametrize("n_each", [1, 3])
def test_draws_are_means_and_noise(n_each):
    stats, noise = variables(n_each)
    mean, deviation = repeated(stats, n_each)
    np.testing.assert_allclose(draw(stats, noise), mean + deviation * noise)


@pytest.mark.parametrize("n_each", [1, 3])
def test_densities_of_draws(n_each):
    stats, noise = variables(n_each)
    z, (mean, deviation) = draw(stats, noise), repeated(stats, n_each)
    expected = norm.logpdf(z, mean, deviation).sum(axis=1)
    found = log_normal(z, np.repeat(stats, n_each, axis=0))
    np.testing.assert_allclose(found, expected, rtol=1e-10)
    np.testing.assert_allclose(log_drawn(stats, noise), found, rtol=1e-10)


def test_the_prior_is_standard_normal():
    z = 3 * variables()[1]
    np.testing.assert_allclose(log_prior(z), norm.logpdf(z).sum(axis=1), rtol=1e-12)
    standard = np.zeros((N_ROWS, 2 * N_UNITS))
    np.testing.assert_allclose(log_normal(z, standard), log_prior(z), rtol=1e-12)


@pytest.mark.exhaustive
def test_divergence_is_that_by_numerical_integration():
    stats = 2 * variables()[0]
    expected = np.zeros(stats.shape[0])
    for (row, unit), mean in np.ndenumerate(stats[:, :N_UNITS]):
        q = norm(mean, np.exp(stats[row, N_UNITS + unit] / 2))

        def gap(x, q=q):
            return q.pdf(x) * (q.logpdf(x) - norm.logpdf(x))

        ends = q.mean() - 12 * q.std(), q.mean() + 12 * q.std()
        expected[row] += quad(gap, *ends, epsabs=1e-10)[0]
    np.testing.assert_allclose(divergence(stats), expected, rtol=1e-7)


def test_nothing_diverges_from_itself():
    value, (grad,) = vjp(
        lambda params: divergence(*params), (np.zeros((2, 4)),), np.ones_like
    )
    assert not value.any()
    assert not grad.any()


def test_bounded_log_variances_near_zero_are_as_they_were():
    raw = 1e-3 * variables()[0]
    np.testing.assert_allclose(bounded(raw), raw, rtol=0, atol=1e-10)


@pytest.mark.parametrize("dtype", DTYPES)
def test_bounds_hold_for_anything(dtype):
    raw = np.repeat(np.array([[-1e30], [-20], [0], [20], [1e30]], dtype), 2, axis=1)
    before = raw.copy()
    stats, (grad,) = vjp(lambda params: bounded(*params), (raw,), np.ones_like)
    mean, log_var = halves(stats)
    np.testing.assert_array_equal(mean, before[:, :1])
    np.testing.assert_allclose(log_var[[0, 2, 4], 0], [-BOUND, 0, BOUND], rtol=1e-6)
    assert (abs(log_var) <= BOUND).all()
    assert (np.diff(log_var[:, 0]) > 0).all()
    np.testing.assert_array_equal(grad[:, 0], 1)
    np.testing.assert_array_equal(grad[[0, 2, 4], 1], [0, 1, 0])
    np.testing.assert_array_equal(raw, before)


@pytest.mark.parametrize("dtype", DTYPES)
def test_types_are_kept(dtype):
    stats, noise = variables(n_each=3, dtype=dtype)
    z = noise[:N_ROWS]
    for function, *params in [
        (bounded, stats),
        (lambda stats: draw(stats, noise), stats),
        (lambda stats: log_drawn(stats, noise), stats),
        (divergence, stats),
        (log_prior, z),
        (log_normal, z, stats),
    ]:
        value, grads = vjp(
            lambda params, function=function: function(*params),
            tuple(params),
            np.ones_like,
        )
        assert {part.dtype for part in (value, *grads)} == {np.dtype(dtype)}


def test_divergences_between_normal_distributions():
    """By numerical integration, and their slopes by both."""
    stats, prior = numbers(3, 2), numbers(3, 2, seed=1)
    side = np.linspace(-15, 15, 20_001)
    for own, other, found in zip(stats, prior, divergence_from(stats, prior)):
        log_p, log_q = (
            norm(mean, np.exp(0.5 * s)).logpdf(side) for mean, s in (own, other)
        )
        expected = trapezoid(np.exp(log_p) * (log_p - log_q), side)
        np.testing.assert_allclose(found, expected, rtol=1e-6)
    assert_slopes(lambda params: divergence_from(*params), (stats, prior))


def test_mixtures():
    z, stats, logits = numbers(5, 2), numbers(3, 4, seed=1), numbers(3, seed=2)
    own = [
        norm(mean, np.exp(0.5 * s)).logpdf(z).sum(axis=1)
        for mean, s in zip(stats[:, :2], stats[:, 2:])
    ]
    expected = logsumexp(np.array(own).T + log_softmax(logits), axis=1)
    np.testing.assert_allclose(log_mixture(z, stats, logits), expected)
    assert_slopes(lambda params: log_mixture(*params), (z, stats, logits))
    drawn = component(stream(0).rows(4000), logits)
    share = np.bincount(drawn, minlength=3) / 4000
    np.testing.assert_allclose(share, softmax(logits), atol=0.04)
