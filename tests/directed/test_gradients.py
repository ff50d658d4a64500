"""Gradients through bits have the means that enumeration gives."""

from functools import cache
from itertools import product

import numpy as np
import pytest
from scipy.special import expit

from skdgm import SigmoidBeliefNetwork
from skdgm.data import tabulate
from skdgm.directed._method import BeliefBatch, BeliefParams
from skdgm.gradients.stochastic.reinforce import Optimal, Running, signals
from skdgm.nets import Variables, nll, vjp
from skdgm.utils.random import stream
from skdgm.utils.tree import tree_map
from tests.numerical import arrays, assert_means, assert_trees, numerical_gradient
from tests.options import grouped

X = np.array([[1.0, 0, 1], [0, 1, 1], [1, 1, 0]])
# Copies of each row in an update, and updates.
N_COPIES, N_UPDATES = 400, 40


@cache
def objective(**options):
    """An objective of a small network of two hidden layers, and parameters."""
    options = {"hidden_layer_sizes": (2, 2), **options}
    sbn = grouped(SigmoidBeliefNetwork, **options, n_iter=0, random_state=0).fit(X)
    rng = np.random.default_rng(1)
    params, kept = sbn._training.params, sbn._training.statistics
    model = tree_map(lambda a: a + rng.normal(size=a.shape), params.model)
    baselines = tree_map(lambda a: a + 0.3 * rng.normal(size=a.shape), params.method)
    learned = BeliefParams(model, baselines)
    return sbn._objective(tabulate(sbn._rows(X), None), 0), learned, kept


def states(sizes):
    """All states of some layers."""
    all_bits = np.array(list(product([0.0, 1.0], repeat=sum(sizes))))
    return np.split(all_bits, np.cumsum(sizes)[:-1], axis=1)


def enumerated(own, params, rows):
    """Log p(x, z) and log q(z | x) of every z, of shape (n_rows, n_states)."""
    z, log_p, log_q = states(own.hierarchy.n_latent), [], []
    for row in rows:
        v = np.tile(row, (len(z[0]), 1))
        inputs = own.output.inputs(v, own.share)
        kept = objective()[2].model
        found = own.hierarchy.through(
            Variables(params, kept), inputs, own.hierarchy.noise_of(z)
        )
        for drawn, asked in zip(found.z, z):
            np.testing.assert_array_equal(drawn, asked)
        log_p.append(
            sum(found.log_p) - nll(found.out, params.dispersion, v, own.output)
        )
        log_q.append(sum(found.log_q))
    return np.array(log_p), np.array(log_q)


def tuples(log_p, log_q, n):
    """Log p, log q and probabilities of all tuples of states: (n_rows, n_tuples, n)."""
    which = np.array(list(product(range(log_p.shape[1]), repeat=n)))
    log_p, log_q = log_p[:, which], log_q[:, which]
    return log_p, log_q, np.exp(log_q.sum(axis=2))


def mean_bound(own, params, n):
    """Expected importance weighted bound of n draws, a mean over rows."""
    log_p, log_q, p = tuples(*enumerated(own, params, X), n)
    bound = np.log(np.exp(log_p - log_q).mean(axis=2))
    return (p * bound).sum(axis=1).mean()


def update(own, params, kept, seed, n_copies=N_COPIES):
    """What an update of many copies of the rows is made of."""
    v = np.repeat(X, n_copies, axis=0)
    rng = stream(seed)
    generator = rng.generator()
    shapes = [(len(v) * own.method.n_each, n) for n in own.hierarchy.n_latent]
    noise = [generator.random(shape) for shape in shapes]
    dreams = None
    if own.method.sleep_weight:
        dreams = own.dreams(
            Variables(params.model, kept.model), rng.fold(3).rows(len(v))
        )
    return BeliefBatch(params, kept, v, noise, dreams, rng)


def forward(own, params, kept, seed, n_copies=N_COPIES):
    """What an update of many copies follows, and what it keeps."""
    return own.forward(params, update(own, params, kept, seed, n_copies))


def drawn(own, params, kept, seed, n_copies=N_COPIES):
    """Gradient of an update of many copies of the rows."""
    given = update(own, params, kept, seed, n_copies)
    return vjp(
        lambda p: own.forward(p, given)[0],
        params,
        lambda out: np.full_like(out, -1 / len(out)),
    )[1]


def after_others(kept, params):
    """State with moments of other updates, so that they do not depend on the next."""
    if not kept.method:
        return kept
    moments = {"mean": np.array([-3.0, -1.0]), "variance": np.array([4.0, 2.0])}
    running = Running(**moments, n=np.ones(1))
    if isinstance(kept.method, Optimal):
        rng = np.random.default_rng(4)
        square = tree_map(lambda a: rng.random(a.shape), params.model.encoders)
        cross = tree_map(lambda a: rng.normal(size=a.shape), square)
        running = Optimal(running, cross, square)
    return kept._replace(method=running)


def assert_mean_gradient(expected, **options):
    """Gradients of many updates have the expected mean."""
    own, params, kept = objective(**options)
    kept = after_others(kept, params)
    found = [drawn(own, params, kept, seed).model for seed in range(N_UPDATES)]
    rows = np.array([np.concatenate([g.ravel() for g in arrays(f)]) for f in found])
    wanted = np.concatenate([g.ravel() for g in arrays(expected)])
    assert abs(wanted).max() > 0.01
    assert_means(rows, wanted)


@cache
def of_bound(n):
    own, params, _ = objective()
    return numerical_gradient(lambda p: mean_bound(own, p, n), params.model)


@pytest.mark.exhaustive(default=["none-1", "mean-2", "net-1", "optimal-1"])
@pytest.mark.parametrize("n_importance", [1, 2])
@pytest.mark.parametrize("baseline", ["none", "mean", "net", "optimal"])
@pytest.mark.parametrize("way", ["reinforce", "nvil"])
def test_score_functions_are_unbiased(way, baseline, n_importance):
    more = {"baseline": baseline, "n_importance": n_importance}
    assert_mean_gradient(of_bound(1), objective=way, normalize_signal=False, **more)


@pytest.mark.parametrize("way", ["reinforce", "nvil"])
def test_baselines_of_parameters_are_those_of_least_variance(way):
    more = {"objective": way, "normalize_signal": False, "baseline": "optimal"}
    own, params, kept = objective(**more)
    z = states(own.hierarchy.n_latent)
    log_q, signal, scores = [], [], []
    for row in X:
        v, noise = np.tile(row, (len(z[0]), 1)), own.hierarchy.noise_of(z)
        found = own.hierarchy.through(Variables(params.model, kept.model), v, noise)
        data = -nll(found.out, params.model.dispersion, v, own.output)
        terms = np.stack([data, *found.log_p], axis=1), np.stack(found.log_q, axis=1)
        log_q.append(terms[1].sum(axis=1))
        signal.append(signals(*(part[:, None] for part in terms), way == "nvil")[:, 0])
        below = v
        for level, part in enumerate(z):
            gap = part - expit(found.stats[level])
            scores.append(below[:, :, None] * gap[:, None, :])
            below = part
    # Of the weights of the lowest layer: the moments, by enumeration.
    q, f = np.exp(log_q), np.array(signal)[:, :, 0]
    squares = np.array(scores[::2]) ** 2
    mean = (q * f).sum(axis=1).mean()
    cross = ((q * (f - mean))[:, :, None, None] * squares).sum(axis=(0, 1))
    wanted = cross / (q[:, :, None, None] * squares).sum(axis=(0, 1))
    running = Running(np.full(2, mean), np.zeros(2), np.ones(1))
    kept = kept._replace(method=Optimal(running))
    found = []
    for seed in range(400):
        _, after = forward(own, params, kept, seed, 4)
        found.append((after.method.cross[0][0].W, after.method.square[0][0].W))
    cross, square = (np.array(part) for part in zip(*found))
    # The baseline is a ratio of means: what is left of one has the mean zero.
    assert_means(cross - wanted * square, np.zeros(wanted.shape))


@pytest.mark.parametrize("n_importance", [1, 3])
def test_antithetic_bits_are_unbiased(n_importance):
    assert_mean_gradient(of_bound(1), objective="disarm", n_importance=n_importance)


def test_the_gradient_of_several_draws_is_unbiased():
    assert_mean_gradient(of_bound(2), objective="vimco", n_importance=2)


def by_parts(of_p, of_q):
    """Gradients of the model by one function, of the inference net by another."""
    _, params, _ = objective()
    by_p, by_q = (numerical_gradient(f, params.model) for f in (of_p, of_q))
    return by_p._replace(encoders=by_q.encoders)


def asleep(own, before):
    """Expected log q(z | x) of dreams of parameters, as a function of others."""
    rows = np.array(list(product([0.0, 1.0], repeat=3)))
    p = np.exp(enumerated(own, before, rows)[0])
    np.testing.assert_allclose(p.sum(), 1)
    return lambda params: (p * enumerated(own, params, rows)[1]).sum()


@pytest.mark.parametrize("phase", ["wake", "sleep", "both"])
def test_reweighted_gradients_are_those_of_weighted_draws(phase):
    own, before, _ = objective()
    before = before.model
    log_p, log_q, p = tuples(*enumerated(own, before, X), 2)
    w = np.exp(log_p - log_q)
    share = p[:, :, None] * w / w.sum(axis=2, keepdims=True) / len(X)
    sleep = asleep(own, before)

    def of_p(params):
        return (share * tuples(*enumerated(own, params, X), 2)[0]).sum()

    def of_q(params):
        awake = (share * tuples(*enumerated(own, params, X), 2)[1]).sum()
        part = {"wake": 1.0, "both": 0.5, "sleep": 0.0}[phase]
        return part * awake + (1 - part) * sleep(params)

    more = {"objective": "rws", "recognition_phase": phase}
    assert_mean_gradient(by_parts(of_p, of_q), **more, n_importance=2)


@pytest.mark.exhaustive
def test_reweighted_gradients_of_many_draws_are_those_of_the_likelihood():
    own, params, kept = objective(objective="rws", n_importance=3000)

    def log_likelihood(params):
        return np.log(np.exp(enumerated(own, params, X)[0]).sum(axis=1)).mean()

    expected = numerical_gradient(log_likelihood, params.model)
    # The bias falls as one over the number of draws.
    found = [drawn(own, params, kept, seed, 20).model for seed in range(8)]
    found = tree_map(lambda *parts: sum(parts) / len(parts), *found)
    assert_trees(found.decoders, expected.decoders, atol=0.01)
    assert_trees([found.prior], [expected.prior], atol=0.01)


def test_wake_sleep():
    own, before, _ = objective()
    before = before.model
    q = np.exp(enumerated(own, before, X)[1]) / len(X)

    def of_p(params):
        return (q * enumerated(own, params, X)[0]).sum()

    expected = by_parts(of_p, asleep(own, before))
    assert_mean_gradient(expected, objective="wake-sleep")


def test_concrete_gradients_are_differences():
    own, params, kept = objective(objective="concrete", n_importance=2)
    rng = np.random.default_rng(0)
    noise = [rng.random((len(X) * 2, n)) for n in own.hierarchy.n_latent]
    given = BeliefBatch(params, kept, X, noise, None, stream(0))

    def loss(params):
        return own.forward(params, given)[0]

    _, found = vjp(loss, params, np.ones_like)
    expected = numerical_gradient(lambda p: loss(p).sum(), params)
    assert_trees(found.model, expected.model, rtol=1e-6, atol=1e-7)


def test_straight_through_takes_probabilities_for_draws():
    own, params, kept = objective(objective="straight-through")
    given = BeliefBatch(params, kept, X, [np.full((3, 2), 0.4)] * 2, None, stream(0))
    _, found = vjp(lambda p: own.forward(p, given)[0], params, np.ones_like)
    assert all(np.isfinite(part).all() for part in arrays(found))
    # The model's own gradient does not pass through draws.
    values = own.hierarchy.through(
        Variables(params.model, kept.model), X, lambda level, stats: given.noise[level]
    )

    def of_p(model):
        again = own.hierarchy.through(
            Variables(model, kept.model), X, own.hierarchy.noise_of(values.z)
        )
        return (nll(again.out, (), X, own.output) - sum(again.log_p)).sum()

    expected = numerical_gradient(of_p, params.model)
    assert_trees(found.model.decoders, expected.decoders, rtol=1e-5, atol=1e-7)


def test_baselines_learn_what_is_left_of_signals():
    own, params, kept = objective(objective="nvil")
    v = np.repeat(X, 50, axis=0)
    rng = np.random.default_rng(0)
    noise = [rng.random((len(v), n)) for n in own.hierarchy.n_latent]
    given = BeliefBatch(params, kept, v, noise, None, stream(0))
    _, after = own.forward(params, given)
    kept = kept._replace(method=after.method)
    given = given._replace(kept=kept)
    found = own.hierarchy.through(
        Variables(params.model, kept.model), v, lambda n, _: noise[n]
    )
    loss = nll(found.out, (), v, own.output)
    signal = -loss + sum(found.log_p) - sum(found.log_q)
    size = np.maximum(1, np.sqrt(after.method.variance[0]))

    def squares(baselines):
        net = own.method.nets[0]
        value = net.apply(baselines[0], ((), ()), v)[0][:, 0]
        rest = (signal - after.method.mean[0]) / size - value
        return 0.5 * (rest**2).sum()

    expected = numerical_gradient(squares, params.method)[0]
    _, grads = vjp(lambda p: own.forward(p, given)[0], params, np.ones_like)
    assert_trees(grads.method[0], expected, rtol=1e-5, atol=1e-6)
