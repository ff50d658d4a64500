import numpy as np
import pytest
from scipy.stats import laplace, norm

from skdgm.distributions import Mixture, MixtureOutput
from skdgm.nets import nll, vjp
from skdgm.utils.random import stream
from tests.nets.recipes import assert_slopes, numbers
from tests.numerical import assert_means
from tests.reference import standard_error
from tests.suites import DTYPES

N_ROWS, N_COLUMNS = 5, 3
FAMILY = {"gaussian": norm, "laplace": laplace}
MIXTURES = {
    f"{shape}-{n}{'-floor' if floor > 0.1 else ''}": Mixture(n, shape, floor)
    for shape in FAMILY
    for n in (1, 3)
    for floor in (1e-6, 0.5)
}
ALL = pytest.mark.parametrize("mixture", MIXTURES.values(), ids=MIXTURES)


def mixture_loss(out, x, mixture):
    return nll(out, (), x, MixtureOutput(np.ones(x.shape[1], int), mixture))


def variables(mixture, dtype=np.float64, n_rows=N_ROWS):
    """Outputs, and rows some of whose entries are missing."""
    out = numbers(n_rows, N_COLUMNS * 3 * mixture.n_components, dtype=dtype)
    x = numbers(n_rows, N_COLUMNS, dtype=dtype, seed=1)
    x[0, 1] = x[2, 2] = x[3] = np.nan
    return out, x


def parts(mixture, out):
    """Weights, means and scales, written out."""
    n = mixture.n_components
    columns = np.split(out.astype(np.float64), N_COLUMNS, axis=1)
    logit, mean, s = (
        np.stack([column[:, k * n : (k + 1) * n] for column in columns], axis=1)
        for k in range(3)
    )
    weight = np.exp(logit) / np.exp(logit).sum(axis=2, keepdims=True)
    # Softly above the floor: its logs are those of a sum.
    return weight, mean, np.exp(s) + mixture.floor


def density(mixture, out, x):
    weight, mean, scale = parts(mixture, out)
    return (weight * FAMILY[mixture.shape].pdf(x[..., None], mean, scale)).sum(axis=2)


@ALL
def test_densities(mixture):
    out, x = variables(mixture)
    expected = np.log(density(mixture, out, x))
    np.testing.assert_allclose(
        mixture.log_density(out, x)[~np.isnan(x)], expected[~np.isnan(x)], rtol=1e-10
    )
    np.testing.assert_allclose(
        mixture_loss(out, x, mixture), -np.nansum(expected, axis=1), rtol=1e-10
    )


@ALL
def test_densities_integrate_to_one(mixture):
    out, _ = variables(mixture)
    grid = np.linspace(-150, 150, 60_001)
    for row in out[:2]:
        rows = np.broadcast_to(row, (len(grid), len(row)))
        p = np.exp(mixture.log_density(rows, np.repeat(grid[:, None], 3, axis=1)))
        np.testing.assert_allclose(p.sum(axis=0) * (grid[1] - grid[0]), 1, rtol=1e-4)


@ALL
def test_slopes(mixture):
    out, x = variables(mixture)
    assert_slopes(lambda params: mixture_loss(params[0], x, mixture), (out,))
    _, (grad,) = vjp(
        lambda params: mixture_loss(params[0], x, mixture), (out,), np.ones_like
    )
    of_column = grad.reshape(N_ROWS, N_COLUMNS, -1)
    assert not of_column[np.isnan(x)].any()
    # A single component has no weight to learn.
    learned = of_column[~np.isnan(x)]
    assert learned[:, 1 if mixture.n_components == 1 else 0 :].all()


@ALL
def test_rescaled_slopes_of_means_are_times_the_scale(mixture):
    out, x = variables(mixture)
    plain, rescaled = (
        m.grad(out, x).reshape(N_ROWS, N_COLUMNS, 3, -1)
        for m in (mixture, mixture._replace(rescaled=True))
    )
    _, _, scale = parts(mixture, out)
    np.testing.assert_array_equal(rescaled[:, :, [0, 2]], plain[:, :, [0, 2]])
    np.testing.assert_allclose(rescaled[:, :, 1], plain[:, :, 1] * scale, rtol=1e-10)


@ALL
@pytest.mark.parametrize("dtype", DTYPES)
def test_types_are_kept(mixture, dtype):
    out, x = variables(mixture, dtype)
    value, (grad,) = vjp(
        lambda params: mixture_loss(params[0], x, mixture), (out,), np.ones_like
    )
    noise = mixture.noise(stream(0).rows(N_ROWS), N_COLUMNS, dtype)
    drawn = mixture.draw(out, noise * 0 + dtype(0.5), noise)
    known = np.zeros_like(x)
    rest = mixture.log_density(out, known), mixture.mean(out), mixture.mode(out)
    found = {part.dtype for part in (value, grad, noise, drawn, *rest)}
    assert found == {np.dtype(dtype)}


@pytest.mark.parametrize("shape", FAMILY)
@pytest.mark.parametrize("dtype", DTYPES)
def test_far_away_nothing_overflows(shape, dtype):
    mixture = Mixture(2, shape, 0.01, rescaled=True)
    out = np.zeros((3, 6), dtype)
    out[1, 4:], out[2, :2] = -1e4, [1e4, -1e4]
    x = np.array([[1e3], [1.0], [-1e3]], dtype)
    loss, (grad,) = vjp(
        lambda params: mixture_loss(params[0], x, mixture), (out,), np.ones_like
    )
    assert np.isfinite(loss).all()
    assert np.isfinite(grad).all()
    # No scale is less than the floor.
    scale = np.exp(mixture.parts(out)[2][1])
    np.testing.assert_allclose(scale, 0.01, rtol=1e-5)


@pytest.mark.parametrize("dtype", DTYPES)
def test_there_is_a_largest_scale_and_no_slope_to_more(dtype):
    mixture = Mixture(1)
    out = np.array([[0, 1, 8], [0, 1, 800], [0, 1, 2e4]], dtype)
    drawn = mixture.draw(out, np.full((3, 1), 0.5, dtype), np.full((3, 1), -2, dtype))
    expected = [1 - 2 * np.exp(8), 1 - 2e4, 1 - 2e4]
    np.testing.assert_allclose(drawn[:, 0], expected, rtol=1e-5)
    near = mixture.grad(out, np.zeros((3, 1), dtype))
    assert (near[:, 2] > 0.9).all()
    far = mixture.grad(out, np.full((3, 1), 1e6, dtype))
    assert far[0, 2] < -1
    assert not far[1:, 2].any()
    assert far[:, 1].all()


@ALL
def test_draws_have_the_moments_of_the_density(mixture):
    out, _ = variables(mixture)
    n = 20_000
    rows, rng = np.repeat(out[:1], n, axis=0), stream(0).rows(n)
    noise = mixture.noise(rng.fold(1), N_COLUMNS, np.float64)
    found = mixture.draw(rows, rng.uniform(N_COLUMNS), noise)
    weight, mean, scale = (part[0] for part in parts(mixture, out[:1]))
    variance = scale**2 * (2 if mixture.shape == "laplace" else 1)
    assert_means(found, (weight * mean).sum(axis=1))
    assert_means(found**2, (weight * (mean**2 + variance)).sum(axis=1))
    for at in (-1.0, 0.3, 2.0):
        below = (weight * FAMILY[mixture.shape].cdf(at, mean, scale)).sum(axis=1)
        error = standard_error(below, n)
        assert (abs((found < at).mean(axis=0) - below) <= 4.5 * error).all()
    assert_means(found[:, 0] * found[:, 1], np.prod((weight * mean).sum(axis=1)[:2]))


@ALL
def test_means_and_modes(mixture):
    out, _ = variables(mixture)
    weight, mean, scale = parts(mixture, out)
    expected = (weight * mean).sum(axis=2)
    np.testing.assert_allclose(mixture.mean(out), expected, rtol=1e-10)
    found = mixture.mode(out)
    for (row, column), mode in np.ndenumerate(found):
        own = [part[row, column] for part in (weight, mean, scale)]
        peaks = own[0] * FAMILY[mixture.shape].pdf(0) / own[2]
        assert mode == own[1][peaks.argmax()]


def test_a_component_has_what_uniform_numbers_fall_to_it():
    out = np.zeros((4, 6))
    out[:, :2], out[:, 2:4], out[:, 4:] = np.log([0.25, 0.75]), [-5, 5], -20
    mixture = Mixture(2)
    luck = np.array([[0.0], [0.2499], [0.2501], [0.9999]])
    found = mixture.draw(out, luck, np.ones((4, 1)))
    np.testing.assert_allclose(found[:, 0], [-5, -5, 5, 5], atol=1e-5)


@pytest.mark.parametrize("floor", [1e-6, 0.5])
def test_outputs_that_stand_for_scales(floor):
    mixture, scale = Mixture(2, floor=floor), floor * np.array([1, 1.01, 2, 100])
    raw = mixture.raw_scale(scale)
    assert np.isfinite(raw.astype(np.float32)).all()
    out = np.zeros((4, 6))
    out[:, 4:] = raw[:, None]
    found = np.exp(mixture.parts(out)[2])[:, 0]
    np.testing.assert_allclose(found, np.stack([scale] * 2, axis=1), rtol=1e-5)
