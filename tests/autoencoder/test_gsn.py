"""Generative stochastic networks: gradients, steps of the chain and what it draws."""

import numpy as np
import pytest

import skdgm
from skdgm import GSN, DenoisingAutoencoder
from skdgm.nets import layers_of
from skdgm.optim import Clock
from tests.autoencoder.test_reconstruction import objective_of
from tests.nets.recipes import assert_slopes
from tests.options import grouped

CASES = {
    "one": GSN(3, walkback=1),
    "two": GSN((4, 3), walkback=2),
    "three": GSN((4, 3, 2), walkback=3, noise_before=(0.1, 0.5, 0.2)),
    "free": GSN((4, 3), walkback=2, tied=False, corruption="masking"),
}


@pytest.mark.parametrize("case", CASES)
def test_gradients_go_back_through_the_steps(case):
    X = np.random.default_rng(0).random((6, 5))
    X[0, 2] = np.nan
    net = CASES[case]
    objective, state = objective_of(net, X)
    given = objective.prepare(state, np.arange(6), Clock(0, 1, 0, 1))

    def losses(params):
        return objective.forward(params, given)[0]

    grads = assert_slopes(losses, state.params)
    # Steps enough for all layers to have a part.
    assert all(np.abs(layer.W).max() > 0 for layer in grads.encoder)


def test_steps_are_their_definition():
    X = np.random.default_rng(0).random((4, 5))
    net = GSN((4, 3, 2), column_types="bernoulli", n_iter=1, random_state=0).fit(X)
    (W1, W2, W3, _, _, V1), (b1, b2, b3, c2, c1, a) = net.coefs_, net.intercepts_
    coder, params = net.density_.coder, net.density_.net.params
    out, (h1, h2, h3) = coder.advance(params, X, ())
    np.testing.assert_allclose(h1, np.tanh(X @ W1 + b1))
    np.testing.assert_allclose(h2, np.tanh(h1 @ W2 + b2))
    assert h3 is None
    np.testing.assert_allclose(out, h1 @ V1 + a)
    _, (g1, g2, g3) = coder.advance(params, X, (h1, h2, h3))
    np.testing.assert_allclose(g1, np.tanh(X @ W1 + b1 + h2 @ W2.T + c1))
    np.testing.assert_allclose(g3, np.tanh(h2 @ W3 + b3))
    np.testing.assert_allclose(g2, np.tanh(g1 @ W2 + b2 + g3 @ W3.T + c2))
    # Features are those of as many steps.
    expected = ()
    for _ in range(4):
        _, expected = coder.advance(params, X, expected)
    np.testing.assert_allclose(net.transform(X), expected[0])
    np.testing.assert_allclose(V1, W1.T)


def test_one_layer_without_noise_is_a_denoising_autoencoder():
    X = np.random.default_rng(0).random((50, 5)).round()
    how = {"tied": True, "corruption": "salt-and-pepper", "corruption_level": 0.3}
    how |= {"n_iter": 2, "random_state": 0}
    dae = grouped(DenoisingAutoencoder, 4, **how).fit(X)
    gsn = grouped(GSN, 4, walkback=0, noise_before=0, noise_after=0, **how).fit(X)
    np.testing.assert_allclose(gsn.transform(X), dae.transform(X), atol=1e-6)
    np.testing.assert_allclose(gsn.score_samples(X), dae.score_samples(X), atol=1e-6)
    given = {"n_samples": 30, "random_state": 0, "n_steps": 5}
    np.testing.assert_array_equal(gsn.sample(**given), dae.sample(**given))


def share_of(rows, states):
    return (rows[:, None] == states[None]).all(axis=2).mean(axis=0)


@pytest.mark.exhaustive
def test_the_chain_has_its_stationary_distribution():
    # Three bits and a unit in each of two layers, of which the first has no noise: it
    # alone is a Markov chain, on an interval that is cut into cells.
    X = (np.random.default_rng(0).random((200, 3)) < 0.4).astype(float)
    X[:, 2] = X[:, 0]
    how = {"corruption_level": 0.4, "noise_before": (0, 0.5), "noise_after": (0, 0.4)}
    net = grouped(
        GSN, (1, 1), **how, n_iter=60, learning_rate=0.03, random_state=0
    ).fit(X)
    (W1, W2, V2, V1), (b1, b2, c1, a) = net.coefs_, net.intercepts_
    states = np.array([[i >> 2 & 1, i >> 1 & 1, i & 1] for i in range(8)], float)
    stay = (states[:, None] == states[None]).sum(axis=2)
    corrupted = 0.8**stay * 0.2 ** (3 - stay)
    grid = np.linspace(-1, 1, 401)
    on = 1 / (1 + np.exp(-(grid[:, None] @ V1 + a)))
    drawn = np.prod(np.where(states == 1, on[:, None], 1 - on[:, None]), axis=2)
    nodes, weights = np.polynomial.hermite_e.hermegauss(12)
    weights /= weights.sum()
    above = np.tanh(grid[:, None] * W2[0, 0] + b2[0] + 0.5 * nodes)[..., None]
    above = (above + 0.4 * nodes).reshape(len(grid), -1)
    both = np.outer(weights, weights).ravel()

    def stationary(kept):
        # Probabilities of inputs given the first layer, and where these lead.
        rows = drawn[:, kept] / drawn[:, kept].sum(axis=1, keepdims=True)
        inputs, step = rows @ corrupted[kept], np.zeros((len(grid), len(grid)))
        for k, x in enumerate(states):
            h = np.tanh(x @ W1[:, 0] + b1[0] + above * V2[0, 0] + c1[0])
            place = (h + 1) * 200
            low = np.minimum(place.astype(int), 399)
            for cell, part in (low, low + 1 - place), (low + 1, place - low):
                index = np.arange(len(grid))[:, None], cell
                np.add.at(step, index, inputs[:, [k]] * both * part)
        return np.linalg.matrix_power(step, 200)[200] @ rows

    n = 4000
    expected = stationary(np.arange(8))
    share = share_of(net.sample(n, random_state=0, n_steps=40), states)
    assert (np.abs(share - expected) < 4 * np.sqrt(expected * (1 - expected) / n)).all()
    # With a bit clamped, the chain is that of the others.
    kept = np.flatnonzero(states[:, 0] == 1)
    expected = stationary(kept)
    rows = np.repeat([[1.0, np.nan, np.nan]], n, axis=0)
    found = net.impute(rows, method="sample", n_steps=40, random_state=0)
    share = share_of(found, states[kept])
    assert (np.abs(share - expected) < 4 * np.sqrt(expected * (1 - expected) / n)).all()


def test_files_have_all_that_was_learned(tmp_path):
    X = np.random.default_rng(0).random((30, 9))
    net = GSN((6, 4), n_iter=2, random_state=0).fit(X)
    skdgm.save(net, tmp_path / "net.skdgm")
    again = skdgm.load(tmp_path / "net.skdgm")
    np.testing.assert_array_equal(again.score_samples(X), net.score_samples(X))
    assert len(again.partial_fit(X).loss_curve_) == 3


@pytest.mark.parametrize("name", ["noise_before", "noise_after"])
def test_noise_is_of_all_layers_or_of_each(name):
    X = np.random.default_rng(0).random((30, 9))
    both = [
        grouped(GSN, (3, 2), n_iter=1, random_state=0, **{name: v})
        for v in (0.3, (0.3,) * 2)
    ]
    found = [net.fit(X).score_samples(X) for net in both]
    np.testing.assert_array_equal(*found)
    for wrong in (0.1,), (-0.1, 0.1), ("0", 0.1):
        with pytest.raises(ValueError, match=name):
            grouped(GSN, (3, 2), **{name: wrong}).fit(X)


@pytest.mark.parametrize("kind", [GSN, DenoisingAutoencoder])
def test_a_mean_is_not_that_of_one_chain_that_stays_where_it_began(kind):
    X = np.random.default_rng(0).random((50, 9)).round()
    own = {"tied": False, "corruption_level": 0, "n_iter": 0, "random_state": 0}
    net = grouped(kind, 9, **own).fit(X)
    # Each bit is reconstructed as it was.
    up, down = layers_of(net.density_.net.params)
    up.W[:], up.b[:], down.W[:], down.b[:] = 40 * np.eye(9), -20, 20 * np.eye(9), 0
    rows = np.c_[np.full((2, 8), np.nan), [0, 1]]
    drawn = net.impute(np.repeat(rows, 50, axis=0), method="sample", random_state=0)
    assert abs(drawn.mean(axis=0) - 0.5).max() < 0.2
    found = net.impute(rows)[:, :8]
    assert abs(found - 0.5).max() < 0.45
    assert abs(found - 0.5).mean() < 0.2
