"""Kernels around draws are densities: they sum to one, and draws follow them."""

import numpy as np
import pytest
from scipy.integrate import trapezoid

from skdgm import GAN
from skdgm.implicit.kernels import Kernels
from skdgm.nets.stochastic.emission import Emission
from skdgm.options import GameLoss
from tests.numerical import assert_means
from tests.options import grouped

RNG = np.random.default_rng(0)
# Gray values, half of them at the ends, where half of a normal kernel is outside.
X = np.clip(RNG.normal(0.5, 0.7, (60, 2)), 0, 1)
GRID = np.linspace(0, 1, 401)
TINY = {"hidden_layer_sizes": (4,), "n_components": 2, "n_iter": 2, "random_state": 0}


def kernels(width, kinds=("gray", "gray"), rows=X):
    return Kernels(Emission(kinds, [1] * len(kinds)), rows, width)


@pytest.mark.release
@pytest.mark.parametrize("width", [0.0, 0.02, 0.3, 50.0])
def test_kernels_of_gray_columns_are_densities_on_the_unit_square(width):
    found = kernels(width)
    points = np.stack(np.meshgrid(GRID, GRID, indexing="ij"), axis=-1).reshape(-1, 2)
    p = np.exp(found.log_prob(points)).reshape(401, 401)
    total = trapezoid(trapezoid(p, GRID), GRID)
    np.testing.assert_allclose(total, 1, rtol=2e-3)
    # The density of one column, where the other is missing, is the sum over it.
    known = np.tile([1.0, 0.0], (401, 1))
    rows = np.stack([GRID, np.zeros(401)], axis=1)
    own = np.exp(found.log_prob(rows, known))
    np.testing.assert_allclose(own, trapezoid(p, GRID), rtol=2e-3)


def test_wide_kernels_are_uniform():
    np.testing.assert_allclose(kernels(1e4).log_prob(X), 0, atol=1e-6)


@pytest.mark.release
def test_kernels_beside_other_columns_are_densities():
    rows = np.column_stack([X[:, 0], RNG.normal(size=60), RNG.random(60) < 0.3])
    found = kernels(0.3, ("gray", "gaussian", "bernoulli"), rows.astype(float))
    wide = np.linspace(-6, 6, 401)
    grid = np.meshgrid(GRID, wide, [0.0, 1.0], indexing="ij")
    points = np.stack(grid, axis=-1).reshape(-1, 3)
    p = np.exp(found.log_prob(points)).reshape(401, 401, 2).sum(axis=2)
    total = trapezoid(trapezoid(p, wide), GRID)
    np.testing.assert_allclose(total, 1, rtol=1e-3)


def test_the_best_width_is_that_of_the_mixture_without_each_draw():
    found = kernels(0.0)

    def left_out(width):
        own = [kernels(width, rows=np.delete(X, i, axis=0)) for i in range(len(X))]
        return sum(k.log_prob(X[i : i + 1])[0] for i, k in enumerate(own))

    best = left_out(found.width)
    assert best >= max(left_out(found.width * f) for f in (0.6, 1.7))


def test_draws_with_noise_follow_the_density():
    gan = grouped(
        GAN, **TINY, loss=GameLoss("relativistic", output_noise=0.4), n_draws=3000
    ).fit(X)
    drawn = gan.sample(6000, random_state=0)
    assert (drawn >= 0).all()
    assert (drawn <= 1).all()
    # The probability of a half, by the density of one column.
    rows = np.stack([GRID, np.full(401, np.nan)], axis=1)
    p = np.exp(gan.score_samples(rows))
    np.testing.assert_allclose(trapezoid(p, GRID), 1, rtol=1e-3)
    half = trapezoid(p[:201], GRID[:201])
    # Both are of draws: twice the variance, of fewer ones in the density.
    assert_means(drawn[:, 0] < 0.5, half, 5)
    # No atoms at the ends, where clipped noise has them.
    assert ((drawn == 0) | (drawn == 1)).mean() < 1e-3


def test_imputed_draws_have_the_noise_of_the_model():
    rows = RNG.normal(size=(100, 2))
    loss = GameLoss("relativistic", output_noise=0.5)
    gan = grouped(GAN, **TINY, loss=loss, column_types="gaussian").fit(rows)
    gan.set_params(n_draws=1)
    holes = np.tile([0.3, np.nan], (2000, 1))
    drawn = gan.impute(holes, method="sample", random_state=0)[:, 1]
    # Around the only kernel.
    np.testing.assert_allclose(drawn.std(), 0.5 * rows[:, 1].std(), rtol=0.05)
