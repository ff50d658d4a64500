"""Parts of a diffusion by hand: guidance, frames, repeated rows, what can be given."""

from types import SimpleNamespace

import numpy as np
import pytest

from skdgm import Diffusion
from skdgm.diffusion._field import Field
from skdgm.diffusion._matching import tiled
from skdgm.diffusion._noise import NoiseSchedule, Whitening
from tests.options import grouped

RNG = np.random.default_rng(0)
X = RNG.normal(size=(20, 3))
Y = np.arange(20) % 2


@pytest.mark.parametrize("covariates", [[0.5, -1.0], [0.0, 0.0]])
def test_guidance_extrapolates_the_effect_of_covariates(covariates):
    y, W = RNG.normal(size=(4, 2)), RNG.normal(size=(2 + 16 + 3, 2))
    net = SimpleNamespace(apply=lambda params, statistics, x: (np.sin(x @ params), ()))
    field = Field(net, W, (), NoiseSchedule(np.ones(2)), n_extra=3, n_covariates=2)
    extra = np.tile([0.7, *covariates], (4, 1))
    conditional = field.out(y, 0.3, extra)
    without = field.out(y, 0.3, extra * [1, 0, 0])
    guided = field._replace(guidance=1.5).out(y, 0.3, extra)
    np.testing.assert_allclose(guided, 2.5 * conditional - 1.5 * without)
    assert np.any(conditional != without) == any(covariates)


def test_components_are_white_and_in_units_of_noise():
    root, mean, noise = RNG.normal(size=(3, 3)), X[0], np.array([0.5, 1.0, 3.0])
    covariance = root @ root.T
    whitening = Whitening.of(mean, covariance, noise)
    W = whitening.forward.W
    np.testing.assert_allclose(W.T @ covariance @ W, np.eye(3), atol=1e-9)
    by_noise = W.T @ np.diag(noise**2) @ W
    np.testing.assert_allclose(by_noise, np.diag(1 / whitening.size**2), atol=1e-9)
    np.testing.assert_allclose(whitening.rows(whitening.components(X)), X)
    np.testing.assert_allclose(whitening.components(mean[None]), 0, atol=1e-12)


def test_numbers_of_all_rows_stay_numbers():
    assert tiled(2.5, 3) == tiled(np.float64(2.5), 3) == 2.5
    assert tiled(X, 1) is X
    np.testing.assert_array_equal(tiled(X, 2), np.concatenate([X, X]))
    np.testing.assert_array_equal(tiled(X[:, 0], 2), np.concatenate([X[:, 0], X[:, 0]]))


@pytest.mark.parametrize("name", ["class", "attribute"])
def test_what_can_be_given_has_a_name(name):
    model = grouped(Diffusion, (2,), n_iter=0, **{f"{name}_conditional": True}).fit(
        X, Y
    )
    named = {"class": "labels", "attribute": "attributes"}
    for can in ("log_prob", "sample"):
        found = named.values() & model.density_.capabilities[can].keys()
        assert found == {named[name]}
