"""A bidirectional Helmholtz machine agrees with enumeration, and learns."""

from functools import cache
from itertools import product

import numpy as np
import pytest
from scipy.special import expit

from skdgm import BidirectionalHelmholtzMachine
from skdgm.data import tabulate
from skdgm.directed import _geometric_density
from skdgm.directed._geometric_chain import GeometricChain
from skdgm.exceptions import LikelihoodWarning
from skdgm.nets import vjp
from skdgm.options import Columns
from skdgm.training.loop import Clock
from skdgm.utils.random import stream
from skdgm.utils.tree import leaves, tree_map
from tests.directed.test_sigmoid_belief_network import BARS, UNSEEN
from tests.numerical import (
    arrays,
    assert_means,
    assert_trees,
    effort,
    numerical_gradient,
)
from tests.options import grouped

N_COLUMNS, SIZES = 3, (3, 2)
ROWS = np.array(list(product([0.0, 1.0], repeat=N_COLUMNS)))
NAN = np.nan
HOLED = np.array([[1.0, NAN, 0.0], [NAN, NAN, 1.0], [NAN] * 3])


@cache
def machine(**options):
    """A small machine whose nets agree in part, with parameters of some size."""
    options |= {"n_iter": 0, "average": False, "random_state": 0}
    own = grouped(BidirectionalHelmholtzMachine, SIZES, **options).fit(ROWS)
    rng = np.random.default_rng(3)
    model = own._training.params.model
    for leaf in leaves(model):
        leaf[...] = rng.normal(0, 1.2, leaf.shape)
    # The inference net knows something of the model.
    for up, down in zip(model.encoders, model.decoders):
        up[-1].W[:] = 0.5 * down[-1].W.T
        up[-1].b[:] *= 0.5
    return own


def bernoulli(x, p):
    return np.where(x > 0, p, 1 - p).prod(axis=-1)


def joint(params):
    """Probabilities of all rows and bits by p, and of bits by q: (n_rows, n_states)."""
    (R, c), (R_2, c_2) = (net[-1] for net in params.encoders)
    (W, b), (W_2, b_2) = (net[-1] for net in params.decoders)
    states = product(*(product([0, 1], repeat=n) for n in SIZES))
    one, two = map(np.array, zip(*states))
    above = bernoulli(one, expit(two @ W_2 + b_2)) * bernoulli(two, expit(params.prior))
    p = bernoulli(ROWS[:, None], expit(one @ W + b)) * above
    q = bernoulli(one, expit(ROWS @ R + c)[:, None])
    return p, q * bernoulli(two, expit(one @ R_2 + c_2))


def up_to_Z(params):
    p, q = joint(params)
    return np.sqrt(p * q).sum(axis=1) ** 2


@cache
def unnormalized():
    return up_to_Z(machine()._training.params.model)


def model():
    return unnormalized() / unnormalized().sum()


def of_known(table, rows):
    """Sums of a table of rows over missing entries."""
    fits = ((np.isnan(row) | (row == ROWS)).all(axis=1) for row in rows)
    return np.array([table[fit].sum() for fit in fits])


def test_it_is_below_the_model_alone():
    p, q = joint(machine()._training.params.model)
    np.testing.assert_allclose(p.sum(), 1)
    np.testing.assert_allclose(q.sum(axis=1), 1)
    assert (unnormalized() < p.sum(axis=1)).all()
    # The two differ, so that tests can tell one from the other.
    assert abs(model() - p.sum(axis=1)).max() > 0.02


def test_log_Z():
    own, log_Z = machine(), np.log(unnormalized().sum())
    assert log_Z < -0.1
    assert abs(own.log_Z_ - log_Z) < 4 * own.log_Z_se_
    assert own.log_Z_se_ < 0.02
    weights = np.exp(own.density_._dreamt(stream(7).rows(20_000), 1)[1])
    assert_means(weights[:, None], unnormalized().sum()[None])


def test_draws_are_unbiased():
    own, n = machine(), 20_000
    mean, net = own.density_.mean, own.density_.net
    for row, expected in zip(ROWS, unnormalized()):
        rows = np.tile(row, (n, 1)), stream(1).rows(n)
        found = np.exp(mean.log_half_weight(net, *rows))
        assert_means(found, np.sqrt(expected)[None])
    for row, expected in zip(HOLED, of_known(unnormalized(), HOLED)):
        found = np.exp(
            mean.log_marginal_weight(net, np.tile(row, (n, 1)), stream(2).rows(n))
        )
        assert_means(found[:, None], expected[None])


@pytest.mark.exhaustive(default=["complete"])
@pytest.mark.parametrize("rows", [ROWS, HOLED], ids=["complete", "missing"])
def test_importance_sampling_finds_the_likelihood(rows):
    own = machine()
    found, se = own.importance_likelihood(rows, n_draws=4000, return_se=True)
    expected = np.log(of_known(model(), rows))
    se = np.hypot(se, own.log_Z_se_)
    assert (abs(found - expected) < 4.5 * se + 1e-4).all()
    assert se.max() < 0.05
    # Few draws are too low.
    mean, streams = own.density_.mean, (stream(k).rows(len(rows)) for k in range(200))
    few = [mean.bound(own.density_.net, rows, rng, 2)[0] for rng in streams]
    assert (np.mean(few, axis=0) < np.log(of_known(unnormalized(), rows))).all()


@pytest.mark.exhaustive
def test_samples_have_the_probabilities_of_the_model():
    def shares(**options):
        drawn = machine().sample(20_000, random_state=0, **options)
        return (drawn[:, None] == ROWS).all(axis=2).astype(float)

    assert_means(shares(n_draws=200), model())
    p, _ = joint(machine()._training.params.model)
    assert_means(shares(n_draws=1), p.sum(axis=1))


def test_so_have_samples_under_conditions():
    drawn = machine().sample(20_000, random_state=0, conditions={1: 1.0})
    table = np.where(ROWS[:, 1] == 1, model(), 0)
    found = (drawn[:, None] == ROWS).all(axis=2).mean(axis=0)
    np.testing.assert_allclose(found, table / table.sum(), atol=0.01)


@pytest.mark.exhaustive(default=["importance"])
@pytest.mark.parametrize("sampler", ["importance", "metropolis"])
def test_imputed_bits_have_their_conditional_probabilities(sampler):
    row = np.array([1.0, NAN, NAN])
    many = {"method": "sample", "random_state": 0, "sampler": sampler}
    found = machine().impute(np.tile(row, (3000, 1)), **many)
    table = np.where(ROWS[:, 0] == 1, model(), 0)
    table = table / table.sum()
    assert_means((found[:, None] == ROWS).all(axis=2).astype(float)[:, 4:], table[4:])


@pytest.mark.exhaustive(default=["importance"])
@pytest.mark.parametrize("sampler", ["importance", "metropolis"])
def test_imputed_means_are_those_of_the_model(sampler):
    table = np.where(ROWS[:, 0] == 1, model(), 0)
    found = machine().impute([[1.0, NAN, NAN]], **effort(sampler, 6000))[0]
    np.testing.assert_allclose(found, table @ ROWS / table.sum(), atol=0.04)


def drawn_gradient(own, rows, n_copies, seed):
    """Gradient of an update of many copies of rows."""
    X = np.repeat(rows, n_copies, axis=0)
    objective = own._objective(tabulate(own._rows(X), None), 0)
    objective.seed = seed
    state = own._training
    batch, clock = np.arange(objective.rows.shape[0]), Clock(0, 1, 0, 1)
    given = objective.prepare(state, batch, clock)._replace(v=X)
    shapes = [(len(X) * own.n_importance, n) for n in SIZES]
    generator = np.random.default_rng(seed)
    given = given._replace(noise=[generator.random(shape) for shape in shapes])
    return vjp(
        lambda p: objective.forward(p, given)[0],
        state.params,
        lambda out: np.full_like(out, -1 / len(out)),
    )[1].model


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    "rows", [ROWS[[1, 5, 6]], HOLED[:2]], ids=["complete", "holed"]
)
def test_the_gradient_of_many_draws_is_that_of_the_bound(rows):
    own = machine(n_importance=4000)

    def bound(params):
        return np.log(of_known(up_to_Z(params), rows)).mean()

    expected = numerical_gradient(bound, own._training.params.model)
    found = [drawn_gradient(own, rows, 10, seed) for seed in range(6)]
    found = tree_map(lambda *parts: sum(parts) / len(parts), *found)
    assert max(abs(part).max() for part in arrays(expected)) > 0.1
    assert_trees(found, expected, atol=0.01)


def test_the_gradient_of_two_draws():
    own, rows = machine(n_importance=2), ROWS[[1, 6]]
    before = own._training.params.model
    p, q = (table[[1, 6]] for table in joint(before))
    w = np.sqrt(p / q)
    pairs = q[:, :, None] * q[:, None]
    share = w[:, :, None] / (w[:, :, None] + w[:, None])
    share = 2 * (pairs * share).sum(axis=2) / len(rows)

    def weighed(params):
        p, q = (table[[1, 6]] for table in joint(params))
        return (share * np.log(p * q)).sum()

    expected = numerical_gradient(weighed, before)
    found = [drawn_gradient(own, rows, 300, seed) for seed in range(40)]
    found = np.array([np.concatenate([g.ravel() for g in arrays(f)]) for f in found])
    assert_means(found, np.concatenate([g.ravel() for g in arrays(expected)]))


def test_bars():
    own = BidirectionalHelmholtzMachine(
        (8,), learning_rate=0.1, batch_size=20, n_iter=15, random_state=0
    ).fit(BARS)
    mean = BARS.mean(axis=0)
    independent = (UNSEEN * np.log(mean) + (1 - UNSEEN) * np.log1p(-mean)).sum(axis=1)
    found, se = own.importance_likelihood(UNSEEN, n_draws=500, return_se=True)
    assert found.mean() > independent.mean() + 0.7
    assert se.max() < 1
    assert own.loss_curve_[-1] < own.loss_curve_[0]
    # The bound of training is that of scores without log Z.
    bound = own.score(BARS) + own.log_Z_
    assert own.loss_curve_[-1] == pytest.approx(-bound, abs=0.3)


def test_a_real_column_has_a_density():
    x = np.random.default_rng(0).normal(size=(300, 1)) ** 2
    own = BidirectionalHelmholtzMachine(
        (4,), column_types="gaussian", learning_rate=0.05, n_iter=40, random_state=0
    ).fit(x)
    grid = np.linspace(-8, 20, 700)[:, None]
    density = np.exp(own.importance_likelihood(grid, n_draws=1000))
    assert density.sum() * (grid[1, 0] - grid[0, 0]) == pytest.approx(1, abs=0.03)


def test_columns_with_gaps():
    pd = pytest.importorskip("pandas")
    rng = np.random.default_rng(0)
    one = rng.random(200) < 0.6
    X = pd.DataFrame({"one": one, "two": one ^ (rng.random(200) < 0.1)}).astype(object)
    X = X.mask(rng.random(X.shape) < 0.3)
    own = BidirectionalHelmholtzMachine(
        (4,),
        column_types=Columns("mixed", missing_pattern="model"),
        learning_rate=0.1,
        n_iter=30,
        random_state=0,
    ).fit(X)
    values = list(product([True, False, None], repeat=2))
    every = pd.DataFrame(values, columns=["one", "two"], dtype=object)
    total = np.exp(own.importance_likelihood(every, n_draws=2000)).sum()
    assert total == pytest.approx(1, abs=0.02)
    drawn = own.sample(400, random_state=0)
    assert 0.2 < drawn["one"].isna().mean() < 0.4
    for sampler in ("importance", "metropolis"):
        assert not own.impute(X, sampler=sampler).isna().any(axis=None)


def test_a_density_keeps_its_log_Z():
    own = BidirectionalHelmholtzMachine((4,), n_iter=2, random_state=0).fit(BARS)
    density, log_Z = own.density_, own.log_Z_
    assert density.log_Z() == log_Z
    own.partial_fit(BARS)
    assert density.log_Z() == log_Z
    assert "log_Z_" not in vars(own)
    assert own.log_Z_ != log_Z


def test_few_weighty_draws_are_told(monkeypatch):
    monkeypatch.setattr(_geometric_density, "_DRAWS", 50)
    with pytest.warns(LikelihoodWarning, match="few draws of p"):
        assert machine().density_.log_partition()[0] <= 0


@pytest.mark.parametrize("options", [{"n_importance": 0}, {"hidden_layer_sizes": ()}])
def test_bad_options_are_named(options):
    with pytest.raises(ValueError, match=next(iter(options))):
        grouped(BidirectionalHelmholtzMachine, **options).fit(BARS)
    with pytest.raises(ValueError, match="n_draws"):
        machine().sample(3, n_draws=0)


def test_chains_of_known_rows_have_the_geometric_mean():
    v, own = np.repeat(ROWS[[6]], 3000, axis=0), machine()
    p, q = (part[6] for part in joint(own._training.params.model))
    chain, rng = GeometricChain(own.density_, v, v), stream(5).rows(len(v))
    state = chain.init(rng)
    for number in range(12):
        state, _ = chain.step(rng.fold(number), state)
    states = np.array([sum(part, ()) for part in product(*map(bits_of, SIZES))])
    for z in (state.z, state.other):
        drawn = (np.concatenate(z, axis=1)[:, None] == states).all(axis=2)
        gaps = [
            abs(drawn.mean(axis=0) - weight / weight.sum()).sum() / 2
            for weight in (np.sqrt(p * q), p, q)
        ]
        assert gaps[0] < 0.06 < 0.15 < min(gaps[1:])


def bits_of(n):
    return product([0, 1], repeat=n)
