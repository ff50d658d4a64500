"""The variational recurrent net: gradients in time, particles held to integrals."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from scipy.special import logsumexp

from skdgm import VRNN
from skdgm.nets import nll, vjp
from skdgm.utils.tree import leaves
from tests.numerical import assert_gradient
from tests.options import grouped

RNG = np.random.default_rng(1)
SMALL = {"n_hidden": 3, "n_recurrent": 3, "batch_length": None, "random_state": 0}


def fitted(n_latent=1, size=0.5, n_iter=1, **options):
    X = RNG.integers(0, 2, (20, 2)).astype(float)
    if options.get("column_types") == "gaussian":
        X = RNG.normal(size=(20, 2))
    model = grouped(VRNN, n_latent, **SMALL | options, n_iter=n_iter).fit(
        [X[:12], X[12:]]
    )
    rng = np.random.default_rng(2)
    for leaf in leaves(model._training.params):
        leaf += size * rng.normal(size=leaf.shape)
    return model


def widened(model):
    """With a wide encoder of one latent unit, so that weights of draws are bounded."""
    model._training.params.encoder[1].b[1:] += 1.5
    return model


@pytest.mark.parametrize("cell", ["tanh", "gru", "lstm"])
@pytest.mark.parametrize("kind", ["bernoulli", "gaussian"])
def test_slopes_are_differences(cell, kind):
    model = fitted(2, cell=cell, column_types=kind)
    net, params = model.density_.net, model._training.params
    sizes = np.array([3, 2, 2, 1])
    rng = np.random.default_rng(0)
    v, noise = rng.integers(0, 2, (8, 2)) * 1.0, rng.normal(size=(8, 2))
    v[3, 1] = np.nan
    weight = rng.random(8)

    def loss(params):
        state = net.begin(params, 3)
        trail = net.trail(params, net.inputs(v), noise, sizes, state)
        return nll(trail.out, params.dispersion, v, net.output) + trail.divergence

    _, found = vjp(loss, params, lambda _: weight)
    assert_gradient(lambda p: weight @ loss(p), params, found)


def test_particles_are_held_to_integrals():
    model = widened(fitted(1, cell="gru"))
    net, params = model.density_.net, model._training.params
    nodes, weight = np.polynomial.hermite_e.hermegauss(40)
    log_w, k = np.log(weight / weight.sum()), len(nodes)
    states = [np.array(pair, float) for pair in product([0, 1], repeat=2)]
    total, gaps = 0.0, []
    for first, second in product(states, states):
        # Latent units of both steps on a grid.
        h0 = net.begin(params, 1)
        mean, s = net.prior(params, h0).T
        z = mean + np.exp(s / 2) * nodes[:, None]
        latent = net.latent_features(params, z)
        x = np.tile(first, (k, 1))
        one = -net.output.nll(net.out(params, latent, np.tile(h0, (k, 1))), x)
        h = net.follow(params, np.tile(h0, (k, 1)), net.seen(params, x), latent)
        mean, s = net.prior(params, h).T
        z = mean[:, None] + np.exp(s / 2)[:, None] * nodes
        latent = net.latent_features(params, z.reshape(-1, 1))
        out = net.out(params, latent, np.repeat(h, k, axis=0))
        two = -net.output.nll(out, np.tile(second, (k * k, 1))).reshape(k, k)
        both = logsumexp(one + log_w + logsumexp(two + log_w, axis=1))
        total += np.exp(both)
        sequence = np.stack([first, second])
        model.set_params(n_draws=2000)
        gaps.append(model.score_samples(sequence).sum() - both)
        gaps.append(model.importance_likelihood(sequence, n_draws=2000).sum() - both)
        bound = model.elbo(sequence, n_draws=400).bound.sum()
        assert bound < both + 0.05
    assert abs(total - 1) < 1e-8
    assert max(map(abs, gaps)) < 0.15
    assert abs(np.mean(gaps)) < 0.03


def test_particles_of_a_step_without_past_are_importance_weights():
    model = fitted(2, column_types="gaussian").set_params(n_draws=30)
    X = RNG.normal(size=(5, 2))
    parts = list(X[:, None])
    expected = np.concatenate(model.importance_likelihood(parts, n_draws=30))
    np.testing.assert_allclose(np.concatenate(model.score_samples(parts)), expected)
    bound = model.elbo(X)
    np.testing.assert_allclose(bound.bound, bound.reconstruction - bound.kl)
    assert model.density_kind_ == "lower bound"


def test_missing_entries_are_summed_out():
    model = widened(fitted(1, cell="tanh")).set_params(n_draws=3000)
    row = np.array([[1, np.nan]])
    both = [model.score_samples([[[1.0, x]]])[0][0] for x in (0, 1)]
    found = model.score_samples([row])[0][0]
    assert found == pytest.approx(logsumexp(both), abs=0.05)
    filled = model.impute(row)[0, 1]
    assert filled == pytest.approx(np.exp(both[1] - found), abs=0.05)


def test_draws_have_the_likelihoods_of_rows():
    model = widened(fitted(1, size=0.8)).set_params(n_draws=1000)
    drawn = np.stack(model.sample_sequences(2, n_samples=4000, random_state=0))
    states = [np.array(pair, float) for pair in product([0, 1], repeat=2)]
    for rows in product(states, states):
        sequence = np.stack(rows)
        p = np.exp(model.score_samples(sequence).sum())
        share = (drawn == sequence).all(axis=(1, 2)).mean()
        assert abs(share - p) < 4 * np.sqrt(p / 4000) + 0.1 * p


@pytest.mark.exhaustive
def test_columns_of_several_kinds():
    n = 40
    code = np.arange(n) % 3
    X = pd.DataFrame({"name": np.array(["a", "b", "c"])[code], "on": code == 1})
    X["size"] = code + 0.1 * RNG.normal(size=n)
    holed = X.astype({"name": object, "on": object})
    holed.iloc[3:5, 0] = holed.iloc[6, 1] = holed.iloc[10, 2] = np.nan
    options = SMALL | {"n_hidden": 12, "n_recurrent": 12, "learning_rate": 0.03}
    model = grouped(VRNN, 2, **options, n_iter=40, column_types="mixed").fit(holed)
    assert np.isfinite(model.score_samples(holed)).all()
    assert (model.impute(holed)["name"].iloc[3:5] == ["a", "b"]).all()
    (after,) = model.sample_sequences(6, prefix=X, random_state=0)
    assert list(after.columns) == list(X.columns)
    codes = grouped(VRNN, 2, **options, n_iter=40, column_types="categorical")
    codes.fit(code[:, None])
    assert codes.score(code[:, None]) > -0.5


def test_imputed_rows_follow_from_the_units_that_drew_them():
    model, n = fitted(1, size=1.5, column_types="gaussian").density_, 4000
    drawn = model.continued(2, None, n, 0, None).reshape(n, 4)
    unknown = np.full((2 * n, 2), np.nan)
    imputed = model.fill(unknown, "sample", 1, lengths=np.full(n, 2)).reshape(n, 4)
    expected, found = (np.corrcoef(rows.T)[1, 3] for rows in (drawn, imputed))
    # The correlation of consecutive rows, within four standard errors.
    assert abs(expected) > 0.15
    assert abs(expected - found) < 4 * np.sqrt(2 / n)
