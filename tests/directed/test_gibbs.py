"""EM by sampling: chains have the posterior, and stay with their rows."""

from types import SimpleNamespace

import numpy as np
import pytest

from skdgm import SigmoidBeliefNetwork
from skdgm.data import tabulate
from skdgm.directed._gibbs import BeliefChains, GibbsChain
from skdgm.directed._method import BeliefBatch
from skdgm.nets import Variables, nll, vjp
from skdgm.utils.random import stream
from skdgm.utils.rows import Rows
from skdgm.utils.threading.parallel import limit
from tests.directed import test_gradients as small
from tests.directed.test_sigmoid_belief_network import BARS, UNSEEN
from tests.numerical import assert_means, assert_trees, numerical_gradient
from tests.options import assign, grouped

N_CHAINS = 4000


def posterior(own, params, rows):
    """Probabilities of the states of all hidden bits, given each row."""
    log_p, _ = small.enumerated(own, params, rows)
    p = np.exp(log_p - log_p.max(axis=1, keepdims=True))
    return p / p.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("by", ["kernel", "any column"])
def test_chains_have_the_posterior(by, monkeypatch):
    own, params, _ = small.objective(objective="gibbs")
    if by == "any column":
        monkeypatch.setattr(type(own.output), "kind", "another")
    rows = np.array([[1.0, 0, 1], [0, 1, np.nan]])
    v, generator = np.repeat(rows, N_CHAINS, axis=0), np.random.default_rng(0)
    z = [np.ones((len(v), n)) for n in own.hierarchy.n_latent]
    chain = GibbsChain(own.method.net, Variables(params.model, None), v, 1)
    for _ in range(40):
        z, _ = chain.step(generator, z)
    monkeypatch.undo()
    states = np.concatenate(small.states(own.hierarchy.n_latent), axis=1)
    which = (np.concatenate(z, axis=1)[:, None] == states).all(axis=2)
    for part, p in zip(np.split(which, 2), posterior(own, params.model, rows)):
        assert p.max() < 0.9
        assert_means(part.astype(float), p)


def test_both_nets_learn_from_the_chains():
    own, params, kept = small.objective(objective="gibbs", n_importance=2)
    rng = np.random.default_rng(0)
    z = [(rng.random((6, n)) < 0.5).astype(float) for n in own.hierarchy.n_latent]
    noise = [1 - part for part in z]
    given = BeliefBatch(params, kept, small.X, noise, None, stream(0))

    def total(model):
        x, v = np.repeat(small.X, 2, axis=0), np.repeat(small.X, 2, axis=0)
        found = own.hierarchy.through(
            Variables(model, kept.model), x, own.hierarchy.noise_of(z)
        )
        log_p = sum(found.log_p) - nll(found.out, model.dispersion, v, own.output)
        return 0.5 * (log_p + sum(found.log_q)).sum()

    _, found = vjp(
        lambda p: own.forward(p, given)[0], params, lambda out: -np.ones_like(out)
    )
    expected = numerical_gradient(total, params.model)
    assert_trees(found.model, expected, rtol=1e-6, atol=1e-7)


def test_chains_go_on_where_their_rows_are():
    sbn = SigmoidBeliefNetwork((4, 3), objective="gibbs", n_iter=3, random_state=0)
    sbn.fit(BARS[:50])
    before = sbn._training.statistics.method
    assert isinstance(before, BeliefChains)
    used = before.z[:, 0, 0] < 2
    assert used.sum() == len(np.unique(BARS[:50], axis=0))
    own = SigmoidBeliefNetwork._objective
    table = tabulate(sbn._rows(BARS[49:20:-1]), None)
    after = own(sbn, table, 3).resume(sbn._training).statistics.method
    for hashed, z in zip(after.hashes, after.z):
        same = before.z[before.hashes == hashed]
        assert any((z == other).all() for other in same)
    table = tabulate(sbn._rows(0.5 * BARS[:3]), None)
    assert (own(sbn, table, 3).resume(sbn._training).statistics.method.z == 2).all()
    sbn.partial_fit(0.5 * BARS[:3])
    assign(sbn, n_importance=2).partial_fit(BARS[:5])
    assert sbn._training.statistics.method.z.shape == (5, 2, 7)


@pytest.mark.parametrize("options", [{}, {"resample": True}, {"n_steps": 3}])
def test_results_are_the_same_on_any_number_of_threads(options):
    found = []
    for n in 1, 2:
        with limit(n):
            sbn = grouped(
                SigmoidBeliefNetwork,
                (40, 30),
                objective="gibbs",
                n_iter=2,
                random_state=0,
                **options,
            )
            found.append(sbn.fit(BARS * 0.9).score_samples(UNSEEN[:5]))
    np.testing.assert_array_equal(*found)


@pytest.mark.parametrize("resample", [False, True])
def test_chains_that_are_drawn_again_forget_where_they_were(resample):
    found = []
    for bit in (0, 1):
        own, params, kept = small.objective(
            objective="gibbs", n_importance=3, n_steps=1, resample=resample
        )
        model = kept._replace(method=own.method.resume((), Rows(small.X, np.float64)))
        model.method.z[:] = bit
        state = SimpleNamespace(params=params, statistics=model)
        own.method.noise(state, np.arange(len(small.X)), small.X, stream(1).rows(6))
        found.append(model.method.z)
    assert np.array_equal(*found) == resample
