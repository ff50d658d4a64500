"""Initial nets of sequences of latent units: what depends on nothing yet."""

import numpy as np
from scipy.special import expit

from skdgm import RNNNADE, VRNN
from skdgm.recurrent import _latent_learning
from skdgm.utils.random import stream
from tests.numerical import assert_means

RNG = np.random.default_rng(0)
X = (RNG.random((40, 3)) < [0.2, 0.5, 0.8]).astype(float)


def test_variances_and_the_prior_begin_without_inputs():
    model = VRNN(2, n_hidden=4, n_recurrent=3, n_iter=0, random_state=0).fit(X)
    net, params = model.density_.net, model._training.params
    h = RNG.normal(size=(6, net.walk.n_units))
    seen = net.seen(params, net.inputs(RNG.integers(0, 2, (6, 3)).astype(float)))
    prior, posterior = net.prior(params, h), net.posterior(params, seen, h)
    np.testing.assert_array_equal(prior, 0)
    mean, log_variance = np.split(np.asarray(posterior), 2, axis=1)
    np.testing.assert_array_equal(log_variance, 0)
    assert (np.ptp(mean, axis=0) > 0).all()
    start = expit(params.decoder[1].b)
    np.testing.assert_allclose(start, X.mean(axis=0), atol=0.05)


def test_particles_are_chosen_again_only_where_asked_for(monkeypatch):
    model = VRNN(2, n_hidden=4, n_recurrent=3, n_iter=1, n_draws=4, random_state=0)
    model.fit(X, lengths=[20, 20])
    chosen, resampled = [], _latent_learning._resampled

    def counted(states, log_w, rng):
        chosen.append(log_w.shape)
        return resampled(states, log_w, rng)

    monkeypatch.setattr(_latent_learning, "_resampled", counted)
    for resample, n_draws in (False, 4), (True, 1), (True, 4):
        density = model.density_
        density.resample, density.n_draws = resample, n_draws
        density.log_prob(X, lengths=[20, 20])
        assert bool(chosen) == (resample and n_draws > 1)


def test_units_of_the_cell_drop_out_in_training_alone():
    model = RNNNADE(3, dropout=0.5, n_iter=1, random_state=0)
    net = model.fit(X)._MODEL.net(model._facts())
    params = model._training.learned
    states = np.tile(RNG.normal(size=(1, net.n_units)), (2000, 1))
    plain = np.asarray(net.biases(params, states).visible)
    np.testing.assert_array_equal(plain, plain[:1].repeat(2000, axis=0))
    drawn = np.asarray(net.biases(params, states, stream(0).rows(2000)).visible)
    assert (drawn != plain).any(axis=1).mean() > 0.5
    assert_means(drawn, plain[0])
